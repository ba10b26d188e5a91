#include "estuary/crypto/pbkdf2.h"

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/kdf.h"
#include "estuary/crypto/mac.h"

namespace estuary::crypto {
namespace {

using der::Tag;

constexpr der::Oid id_pbkdf2{"1.2.840.113549.1.5.12"};
constexpr std::size_t key_octets_max = 128;

}  // namespace

// PBKDF2-params ::= SEQUENCE { salt CHOICE { specified OCTET STRING, otherSource AlgorithmIdentifier }, iterationCount INTEGER
//     (1..MAX), keyLength INTEGER (1..MAX) OPTIONAL, prf AlgorithmIdentifier DEFAULT algid-hmacWithSHA1 }
Result<Pbkdf2Parameters> read_pbkdf2(Bytes algorithm_identifier, std::uint64_t iterations_max) {
    ESTUARY_TRY(auto identifier, der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier"));
    ESTUARY_TRY(const auto oid, identifier.oid());
    if (oid != id_pbkdf2) return fail(Code::unsupported, "key derivation other than PBKDF2");
    ESTUARY_TRY(auto fields, identifier.enter(Tag::sequence));
    ESTUARY_CHECK(identifier.finish("AlgorithmIdentifier"));
    if (fields.next_is(Tag::sequence)) return fail(Code::unsupported, "PBKDF2 with a salt from another source");
    Pbkdf2Parameters parameters;
    ESTUARY_TRY(const auto salt, fields.octet_string());
    parameters.salt = to_vec(salt);
    ESTUARY_TRY(const auto iterations, fields.integer());
    if (iterations < 1) return fail(Code::malformed, "PBKDF2 without iterations");
    parameters.iterations = static_cast<std::uint64_t>(iterations);
    if (parameters.iterations > iterations_max)
        return fail(Code::too_large, fmt::format("PBKDF2 of more than {} iterations", iterations_max));
    if (fields.next_is(Tag::integer)) {
        ESTUARY_TRY(const auto octets, fields.integer());
        if (octets < 1) return fail(Code::malformed, "PBKDF2: keyLength is not positive");
        if (octets > static_cast<std::int64_t>(key_octets_max)) return fail(Code::too_large, "PBKDF2: keyLength past its limit");
        parameters.key_octets = static_cast<std::size_t>(octets);
    }
    if (!fields.empty()) {
        ESTUARY_TRY(const auto prf, fields.element(Tag::sequence));
        ESTUARY_TRY(const auto function, read_mac_algorithm(prf.whole));
        // RFC 9481 6.2.2: GMAC would be used with one nonce many times.
        if (function.kind != MacAlgorithm::Kind::hmac)
            return fail(Code::unsupported, fmt::format("PBKDF2 with {} as its function", function.name));
        parameters.digest = function.primitive;
    }
    ESTUARY_CHECK(fields.finish("PBKDF2-params"));
    return parameters;
}

Result<ByteVec> encode_pbkdf2(const Pbkdf2Parameters& parameters) {
    ESTUARY_TRY(const auto prf, encode_mac_algorithm(fmt::format("HMAC-{}", parameters.digest)));
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(id_pbkdf2);
        writer.sequence([&] {
            writer.octet_string(parameters.salt);
            writer.integer(static_cast<std::int64_t>(parameters.iterations));
            if (parameters.key_octets) writer.integer(static_cast<std::int64_t>(*parameters.key_octets));
            if (parameters.digest != "SHA1") writer.raw(prf);  // the default is absent in DER
        });
    });
    return std::move(writer).take();
}

Result<Secret> derive(const Pbkdf2Parameters& parameters, Bytes password, std::size_t octets) {
    return pbkdf2(parameters.digest, password, parameters.salt, parameters.iterations, parameters.key_octets.value_or(octets));
}

}  // namespace estuary::crypto
