#include "estuary/cmp/body_challenge.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

Result<ByteVec> read_integer(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.integer_octets());
    return to_vec(octets);
}

Result<Challenge> read_challenge(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    Challenge challenge;
    if (fields.next_is(der::Tag::sequence)) {
        ESTUARY_TRY(challenge.owf, codec::read_algorithm(fields));
    }
    ESTUARY_TRY(const auto witness, fields.octet_string());
    challenge.witness = to_vec(witness);
    ESTUARY_TRY(const auto encrypted, fields.octet_string());
    challenge.challenge = to_vec(encrypted);
    ESTUARY_TRY(challenge.encrypted_rand, codec::read_explicit(fields, 0, "encryptedRand", [](der::Reader& reader) {
                    return codec::read_whole(reader, der::Tag::sequence);
                }));
    ESTUARY_CHECK(fields.finish("Challenge"));
    //= https://www.rfc-editor.org/rfc/rfc9810#section-5.2.8.3.3
    //# the encryption of Rand MUST be transferred in the encryptedRand field […]. The challenge field MUST contain an
    //# empty OCTET STRING.
    if (challenge.encrypted_rand.has_value() != challenge.challenge.empty())
        return fail(Code::malformed, "a Challenge has either challenge or encryptedRand");
    return challenge;
}

void write_challenge(der::Writer& writer, const Challenge& challenge) {
    writer.sequence([&] {
        if (challenge.owf) writer.raw(*challenge.owf);
        writer.octet_string(challenge.witness);
        writer.octet_string(challenge.challenge);
        if (challenge.encrypted_rand) codec::write_explicit(writer, 0, [&] { writer.raw(*challenge.encrypted_rand); });
    });
}

}  // namespace

Result<Rand> Rand::parse(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, der::Tag::sequence, "Rand"));
    Rand rand;
    ESTUARY_TRY(rand.integer, read_integer(fields));
    ESTUARY_TRY(rand.sender, x509::GeneralName::read(fields));
    ESTUARY_CHECK(fields.finish("Rand"));
    return rand;
}

ByteVec Rand::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.primitive(der::Tag::integer, integer);
        sender.write(writer);
    });
    return std::move(writer).take();
}

Result<PopoDecKeyChallContent> PopoDecKeyChallContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto challenges,
                codec::read_sequence_of(reader, {0, limits.requests_max}, "POPODecKeyChallContent", read_challenge));
    if (!challenges.empty() && !challenges.front().owf) return fail(Code::malformed, "the first Challenge has no owf");
    return PopoDecKeyChallContent{std::move(challenges)};
}

void PopoDecKeyChallContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, challenges, [&](const Challenge& challenge) { write_challenge(writer, challenge); });
}

Result<PopoDecKeyRespContent> PopoDecKeyRespContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto integers,
                codec::read_sequence_of(reader, {0, limits.requests_max}, "POPODecKeyRespContent", read_integer));
    return PopoDecKeyRespContent{std::move(integers)};
}

void PopoDecKeyRespContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, integers, [&](const ByteVec& integer) { writer.primitive(der::Tag::integer, integer); });
}

}  // namespace estuary::cmp
