#include "estuary/crypto/mac.h"

#include <array>
#include <string>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/digest.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using der::Reader;
using der::Tag;
using Kind = MacAlgorithm::Kind;
using Mac = Handle<EVP_MAC, EVP_MAC_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

/// As their AlgorithmIdentifiers name them; KMAC's lengths are those of absent parameters.
const std::array<MacAlgorithm, 11>& known() {
    static const std::array<MacAlgorithm, 11> table{{
        {Kind::hmac, "HMAC-SHA256", Oid{"1.2.840.113549.2.9"}, "SHA256", 32, 32},  // RFC 4231 3.1
        {Kind::hmac, "HMAC-SHA384", Oid{"1.2.840.113549.2.10"}, "SHA384", 48, 48},
        {Kind::hmac, "HMAC-SHA512", Oid{"1.2.840.113549.2.11"}, "SHA512", 64, 64},
        {Kind::hmac, "HMAC-SHA224", Oid{"1.2.840.113549.2.8"}, "SHA224", 28, 28},
        {Kind::hmac, "HMAC-SHA1", Oid{"1.2.840.113549.2.7"}, "SHA1", 20, 20},       // RFC 8018 B.1.1
        {Kind::hmac, "HMAC-SHA1", Oid{"1.3.6.1.5.5.8.1.2"}, "SHA1", 20, 20},        // RFC 3370 3.1, RFC 4211's name for it
        {Kind::kmac, "KMAC-128", Oid{"2.16.840.1.101.3.4.2.19"}, "KMAC-128", 32, 32},  // RFC 8702 3.4
        {Kind::kmac, "KMAC-256", Oid{"2.16.840.1.101.3.4.2.20"}, "KMAC-256", 64, 64},
        {Kind::gmac, "AES-128-GMAC", Oid{"2.16.840.1.101.3.4.1.9"}, "AES-128-GCM", 16, 16},  // RFC 9044
        {Kind::gmac, "AES-192-GMAC", Oid{"2.16.840.1.101.3.4.1.29"}, "AES-192-GCM", 16, 24},
        {Kind::gmac, "AES-256-GMAC", Oid{"2.16.840.1.101.3.4.1.49"}, "AES-256-GCM", 16, 32},
    }};
    return table;
}

constexpr std::size_t gmac_nonce_octets = 12;      // what RFC 9045 4.4 recommends
constexpr std::size_t gmac_nonce_octets_min = 8;   // shorter ones repeat too soon
constexpr std::size_t gmac_nonce_octets_max = 64;
constexpr std::int64_t kmac_octets_min = 16, kmac_octets_max = 128;
constexpr std::size_t customization_octets_max = 128;

/// GMACParameters ::= SEQUENCE { nonce OCTET STRING, length MACLength DEFAULT 12 }; CRMF wants 16 octets (RFC 9045 4.4).
Result<void> read_gmac(Reader& identifier, MacAlgorithm& algorithm) {
    ESTUARY_TRY(auto fields, identifier.enter(Tag::sequence));
    ESTUARY_TRY(const auto nonce, fields.octet_string());
    std::int64_t octets = 12;
    if (!fields.empty()) {
        ESTUARY_TRY(octets, fields.integer());
        if (octets == 12) return fail(Code::malformed, "GMACParameters: length states its default");
    }
    ESTUARY_CHECK(fields.finish("GMACParameters"));
    if (octets != 16) return fail(Code::unsupported, fmt::format("{} with a code of {} octets", algorithm.name, octets));
    if (nonce.size() < gmac_nonce_octets_min || nonce.size() > gmac_nonce_octets_max)
        return fail(Code::unsupported, fmt::format("{} with a nonce of {} octets", algorithm.name, nonce.size()));
    algorithm.nonce = to_vec(nonce);
    return {};
}

/// KMACwithSHAKE128-params ::= SEQUENCE { kMACOutputLength INTEGER DEFAULT 256, -- in bits
///     customizationString OCTET STRING DEFAULT ''H }; 512 for KMACwithSHAKE256.
Result<void> read_kmac(Reader& identifier, MacAlgorithm& algorithm) {
    if (identifier.empty()) return {};
    ESTUARY_TRY(auto fields, identifier.enter(Tag::sequence));
    if (fields.next_is(Tag::integer)) {
        ESTUARY_TRY(const auto bits, fields.integer());
        if (bits % 8 != 0 || bits / 8 < kmac_octets_min || bits / 8 > kmac_octets_max)
            return fail(Code::unsupported, fmt::format("{} with a code of {} bits", algorithm.name, bits));
        if (static_cast<std::size_t>(bits / 8) == algorithm.octets)
            return fail(Code::malformed, fmt::format("{}: kMACOutputLength states its default", algorithm.name));
        algorithm.octets = static_cast<std::size_t>(bits / 8);
    }
    if (!fields.empty()) {
        ESTUARY_TRY(const auto customization, fields.octet_string());
        if (customization.empty()) return fail(Code::malformed, "KMAC: customizationString states its default");
        if (customization.size() > customization_octets_max) return fail(Code::too_large, "KMAC: customizationString too long");
        algorithm.customization = to_vec(customization);
    }
    return fields.finish("KMAC parameters");
}

Result<void> read_parameters(Reader& identifier, MacAlgorithm& algorithm) {
    switch (algorithm.kind) {
        case Kind::gmac: return read_gmac(identifier, algorithm);
        case Kind::kmac: return read_kmac(identifier, algorithm);
        case Kind::hmac: return identifier.empty() ? Result<void>{} : identifier.null();
    }
    return {};
}

/// What EVP_MAC is to be told, besides the key.
class MacParameters {
public:
    MacParameters& text(const char* name, std::string_view value) {
        texts_.emplace_back(value);
        list_.push_back(OSSL_PARAM_construct_utf8_string(name, texts_.back().data(), 0));
        return *this;
    }
    MacParameters& octets(const char* name, const ByteVec& value) {  // taken as not const, but never written to
        list_.push_back(OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()), value.size()));
        return *this;
    }
    MacParameters& number(const char* name, std::size_t* value) {
        list_.push_back(OSSL_PARAM_construct_size_t(name, value));
        return *this;
    }
    const OSSL_PARAM* end() {
        list_.push_back(OSSL_PARAM_construct_end());
        return list_.data();
    }

private:
    std::vector<OSSL_PARAM> list_;
    std::vector<std::string> texts_ = reserved();
    static std::vector<std::string> reserved() {  // the list points into them
        std::vector<std::string> texts;
        texts.reserve(2);
        return texts;
    }
};

const char* function_of(const MacAlgorithm& algorithm) {
    switch (algorithm.kind) {
        case Kind::hmac: return "HMAC";
        case Kind::gmac: return "GMAC";
        case Kind::kmac: return algorithm.primitive.data();  // a literal
    }
    return "";
}

}  // namespace

Result<MacAlgorithm> read_mac_algorithm(Bytes algorithm_identifier) {
    ESTUARY_TRY(auto identifier, der::enter_only(algorithm_identifier, Tag::sequence, "MAC AlgorithmIdentifier"));
    ESTUARY_TRY(const auto oid, identifier.oid());
    const auto found = std::ranges::find(known(), oid, &MacAlgorithm::oid);
    if (found == known().end()) return fail(Code::unsupported, fmt::format("MAC algorithm {} is not supported", oid.dotted()));
    auto algorithm = *found;
    ESTUARY_CHECK(read_parameters(identifier, algorithm));
    ESTUARY_CHECK(identifier.finish("MAC AlgorithmIdentifier"));
    return algorithm;
}

Result<ByteVec> encode_mac_algorithm(std::string_view name) {
    const auto found = std::ranges::find(known(), name, &MacAlgorithm::name);
    if (name.empty() || found == known().end()) return fail(Code::unsupported, fmt::format("no MAC algorithm '{}'", name));
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(found->oid);
        if (found->kind == Kind::hmac) writer.null();  // RFC 9045 4.4: should be present
        if (found->kind == Kind::gmac) {
            std::array<std::uint8_t, gmac_nonce_octets> nonce;
            random(nonce);
            writer.sequence([&] { writer.octet_string(nonce).integer(16); });
        }
    });
    return std::move(writer).take();
}

Result<ByteVec> compute_mac(const MacAlgorithm& algorithm, Bytes key, Bytes data) {
    if (key.empty()) return fail(Code::bad_key, fmt::format("{} with an empty key", algorithm.name));  // bug class 9
    if (algorithm.kind == Kind::gmac && key.size() != algorithm.key_octets)
        return fail(Code::bad_key, fmt::format("{} with a key of {} octets", algorithm.name, key.size()));
    openssl::clear_errors();
    const Mac mac{EVP_MAC_fetch(nullptr, function_of(algorithm), nullptr)};
    const MacContext context{mac ? EVP_MAC_CTX_new(mac.get()) : nullptr};
    if (!context) return fail(Code::unsupported, fmt::format("{} is not available", algorithm.name), openssl::drain_errors());

    MacParameters parameters;
    std::size_t octets = algorithm.octets;
    if (algorithm.kind == Kind::hmac) parameters.text(OSSL_MAC_PARAM_DIGEST, algorithm.primitive);
    if (algorithm.kind == Kind::gmac)
        parameters.text(OSSL_MAC_PARAM_CIPHER, algorithm.primitive).octets(OSSL_MAC_PARAM_IV, algorithm.nonce);
    if (algorithm.kind == Kind::kmac) {
        parameters.number(OSSL_MAC_PARAM_SIZE, &octets);
        if (!algorithm.customization.empty()) parameters.octets(OSSL_MAC_PARAM_CUSTOM, algorithm.customization);
    }
    ByteVec out(octets);
    std::size_t size = 0;
    if (EVP_MAC_init(context.get(), key.data(), key.size(), parameters.end()) != 1)
        return fail(Code::bad_key, fmt::format("{} does not take this key", algorithm.name), openssl::drain_errors());
    if (EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
        EVP_MAC_final(context.get(), out.data(), &size, out.size()) != 1 || size != out.size())
        return fail(Code::internal, fmt::format("{} failed", algorithm.name), openssl::drain_errors());
    return out;
}

Result<void> verify_mac(const MacAlgorithm& algorithm, Bytes key, Bytes data, Bytes mac) {
    ESTUARY_TRY(const auto expected, compute_mac(algorithm, key, data));
    if (!equal_in_constant_time(expected, mac)) return fail(Code::bad_proof, "the message authentication code is wrong");
    return {};
}

}  // namespace estuary::crypto
