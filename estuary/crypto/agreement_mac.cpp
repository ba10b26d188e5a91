#include "estuary/crypto/agreement_mac.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "estuary/crypto/key_transport.h"
#include "estuary/crypto/one_way_function.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using der::Tag;

struct StaticEcdh {
    Oid oid;
    std::string_view digest, mac;
};
/// id-alg-ecdhPop-static-… (RFC 6955 6.1): id-pkix 6.25 to 6.28.
constexpr std::array static_ecdh_algorithms{
    StaticEcdh{Oid{"1.3.6.1.5.5.7.6.25"}, "SHA224", "HMAC-SHA224"}, StaticEcdh{Oid{"1.3.6.1.5.5.7.6.26"}, "SHA256", "HMAC-SHA256"},
    StaticEcdh{Oid{"1.3.6.1.5.5.7.6.27"}, "SHA384", "HMAC-SHA384"}, StaticEcdh{Oid{"1.3.6.1.5.5.7.6.28"}, "SHA512", "HMAC-SHA512"},
};

const StaticEcdh* static_ecdh_algorithm(const Oid& oid) {
    const auto found = std::ranges::find(static_ecdh_algorithms, oid, &StaticEcdh::oid);
    return found == static_ecdh_algorithms.end() ? nullptr : &*found;
}

Result<AgreementMac> read_static_ecdh(const StaticEcdh& known, der::Reader& fields) {
    if (!fields.empty()) ESTUARY_CHECK(fields.null());
    ESTUARY_CHECK(fields.finish("AlgorithmIdentifier"));
    AgreementMac read{AgreementMac::Kind::static_ecdh, known.digest, {}};
    ESTUARY_TRY(const auto identifier, encode_mac_algorithm(known.mac));
    ESTUARY_TRY(read.mac, read_mac_algorithm(identifier));
    return read;
}

Result<AgreementMac> read_dh_based_mac(der::Reader& fields) {
    ESTUARY_TRY(auto parameters, fields.enter(Tag::sequence));
    ESTUARY_CHECK(fields.finish("AlgorithmIdentifier"));
    AgreementMac read;
    ESTUARY_TRY(read.digest, read_one_way_function(parameters));
    ESTUARY_TRY(const auto mac, parameters.element(Tag::sequence));
    ESTUARY_TRY(read.mac, read_mac_algorithm(mac.whole));
    ESTUARY_CHECK(parameters.finish("DHBMParameter"));
    // A static key agrees on the same secret every time, so that a nonce would have to be remembered for ever.
    if (read.mac.kind == MacAlgorithm::Kind::gmac) return fail(Code::unsupported, "DHBasedMac with GMAC");
    return read;
}

}  // namespace

bool is_agreement_mac(Bytes algorithm_identifier) noexcept {
    auto fields = der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier");
    if (!fields) return false;
    const auto type = fields->oid();
    return type && (*type == oid::dh_based_mac || static_ecdh_algorithm(*type) != nullptr);
}

Result<AgreementMac> read_agreement_mac(Bytes algorithm_identifier) {
    ESTUARY_TRY(auto fields, der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier"));
    ESTUARY_TRY(const auto type, fields.oid());
    if (type == oid::dh_based_mac) return read_dh_based_mac(fields);
    if (const auto* known = static_ecdh_algorithm(type)) return read_static_ecdh(*known, fields);
    return fail(Code::unsupported, fmt::format("{} is no MAC by key agreement that is known here", type.dotted()));
}

Result<ByteVec> encode_dh_based_mac(std::string_view digest, std::string_view mac) {
    ESTUARY_TRY(const auto owf, encode_one_way_function(digest));
    ESTUARY_TRY(const auto code, encode_mac_algorithm(mac));
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(oid::dh_based_mac);
        writer.sequence([&] { writer.raw(owf).raw(code); });
    });
    return std::move(writer).take();
}

Result<ByteVec> encode_static_ecdh(std::string_view digest) {
    const auto found = std::ranges::find(static_ecdh_algorithms, digest, &StaticEcdh::digest);
    if (found == static_ecdh_algorithms.end()) return fail(Code::unsupported, fmt::format("static ECDH with {}", digest));
    der::Writer writer;
    writer.sequence([&] { writer.oid(found->oid); });
    return std::move(writer).take();
}

Result<Secret> agreement_mac_key(const AgreementMac& algorithm, const PrivateKey& own, const PublicKey& other, Bytes leading,
                                 Bytes trailing) {
    ESTUARY_TRY(const auto agreed, agree(own, other));
    ByteVec octets;
    octets.reserve(leading.size() + agreed.reveal().size() + trailing.size());  // not moved while it grows: nothing is left behind
    append(octets, leading);
    append(octets, agreed.reveal());
    append(octets, trailing);
    const Secret base{std::move(octets)};
    ESTUARY_TRY(auto key, crypto::digest(algorithm.digest, base.reveal()));
    return Secret{std::move(key)};
}

}  // namespace estuary::crypto
