#include "estuary/cmp/header.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

/// transactionID, nonces, key identifiers.
Result<std::optional<ByteVec>> read_identifier(der::Reader& fields, unsigned number, std::string_view what, const Limits& limits) {
    return codec::read_explicit(fields, number, what, [&](der::Reader& reader) -> Result<ByteVec> {
        ESTUARY_TRY(const auto octets, reader.octet_string());
        if (octets.size() > limits.identifier_octets_max)
            return fail(Code::too_large, fmt::format("{} has more than {} octets", what, limits.identifier_octets_max));
        return to_vec(octets);
    });
}

void write_identifier(der::Writer& writer, unsigned number, const std::optional<ByteVec>& octets) {
    if (octets) codec::write_explicit(writer, number, [&] { writer.octet_string(*octets); });
}

Result<void> read_optional_fields(der::Reader& fields, PkiHeader& header, const Limits& limits) {
    ESTUARY_TRY(header.message_time,
                codec::read_explicit(fields, 0, "messageTime", [](der::Reader& reader) { return reader.generalized_time(); }));
    ESTUARY_TRY(header.protection_alg, codec::read_explicit(fields, 1, "protectionAlg", codec::read_algorithm));
    ESTUARY_TRY(header.sender_kid, read_identifier(fields, 2, "senderKID", limits));
    ESTUARY_TRY(header.recip_kid, read_identifier(fields, 3, "recipKID", limits));
    ESTUARY_TRY(header.transaction_id, read_identifier(fields, 4, "transactionID", limits));
    ESTUARY_TRY(header.sender_nonce, read_identifier(fields, 5, "senderNonce", limits));
    ESTUARY_TRY(header.recip_nonce, read_identifier(fields, 6, "recipNonce", limits));
    ESTUARY_TRY(auto free_text, codec::read_explicit(fields, 7, "freeText",
                                                     [&](der::Reader& reader) { return read_free_text(reader, limits); }));
    if (free_text) header.free_text = std::move(*free_text);
    ESTUARY_TRY(auto general_info, codec::read_explicit(fields, 8, "generalInfo", [&](der::Reader& reader) {
                    return codec::read_sequence_of(reader, {codec::at_least_one, limits.info_max}, "generalInfo",
                                                   InfoTypeAndValue::read);
                }));
    if (general_info) header.general_info = std::move(*general_info);
    return {};
}

}  // namespace

x509::GeneralName directory_name(const x509::Name& name) {
    return {.kind = x509::GeneralName::Kind::directory, .value = to_vec(name.der())};
}

std::optional<x509::Name> name_of(const x509::GeneralName& name) {
    if (name.kind != x509::GeneralName::Kind::directory) return {};
    auto parsed = x509::Name::parse(name.value);
    if (!parsed) return {};
    return std::move(*parsed);
}

Result<PkiHeader> PkiHeader::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    PkiHeader header;
    ESTUARY_TRY(header.pvno, fields.integer());
    ESTUARY_TRY(header.sender, x509::GeneralName::read(fields));
    ESTUARY_TRY(header.recipient, x509::GeneralName::read(fields));
    ESTUARY_CHECK(read_optional_fields(fields, header, limits));
    ESTUARY_CHECK(fields.finish("PKIHeader"));
    return header;
}

ByteVec PkiHeader::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(pvno);
        sender.write(writer);
        recipient.write(writer);
        if (message_time) codec::write_explicit(writer, 0, [&] { writer.generalized_time(*message_time); });
        if (protection_alg) codec::write_explicit(writer, 1, [&] { writer.raw(*protection_alg); });
        write_identifier(writer, 2, sender_kid);
        write_identifier(writer, 3, recip_kid);
        write_identifier(writer, 4, transaction_id);
        write_identifier(writer, 5, sender_nonce);
        write_identifier(writer, 6, recip_nonce);
        if (!free_text.empty()) codec::write_explicit(writer, 7, [&] { write_free_text(writer, free_text); });
        if (!general_info.empty())
            codec::write_explicit(writer, 8, [&] {
                codec::write_sequence_of(writer, general_info, [&](const InfoTypeAndValue& info) { info.write(writer); });
            });
    });
    return std::move(writer).take();
}

Result<PkiHeader> peek_header(Bytes message, const Limits& limits) {
    ESTUARY_TRY(auto fields, der::enter_only(message, der::Tag::sequence, "PKIMessage", der_limits(limits)));
    return PkiHeader::read(fields, limits);
}

}  // namespace estuary::cmp
