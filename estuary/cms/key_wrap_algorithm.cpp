#include "estuary/cms/key_wrap_algorithm.h"

#include <array>

#include <fmt/format.h>

#include "estuary/crypto/kdf.h"

namespace estuary::cms {
namespace {

using der::Oid;

struct Wrap {
    Oid oid;
    std::size_t octets;
};
constexpr std::array wraps{Wrap{Oid{"2.16.840.1.101.3.4.1.5"}, 16}, Wrap{Oid{"2.16.840.1.101.3.4.1.25"}, 24},
                           Wrap{Oid{"2.16.840.1.101.3.4.1.45"}, 32}};

constexpr std::array schemes{
    Derivation{Oid{"1.3.132.1.11.1"}, "SHA256"},
    Derivation{Oid{"1.3.132.1.11.2"}, "SHA384"},
    Derivation{Oid{"1.3.132.1.11.3"}, "SHA512"},
    Derivation{Oid{"1.2.840.113549.1.9.16.3.19"}, "SHA256", true},
    Derivation{Oid{"1.2.840.113549.1.9.16.3.20"}, "SHA384", true},
    Derivation{Oid{"1.2.840.113549.1.9.16.3.21"}, "SHA512", true},
    Derivation{Oid{"1.3.133.16.840.63.0.2"}, "SHA1"},  // what OpenSSL writes unless it is told otherwise; only read
};
constexpr std::array hkdfs{
    Derivation{Oid{"1.2.840.113549.1.9.16.3.28"}, "SHA256", true},
    Derivation{Oid{"1.2.840.113549.1.9.16.3.29"}, "SHA384", true},
    Derivation{Oid{"1.2.840.113549.1.9.16.3.30"}, "SHA512", true},
};

void write_ukm(der::Writer& writer, std::optional<Bytes> ukm) {
    if (ukm) writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*ukm); });
}

Result<crypto::Secret> derive(const Derivation& derivation, Bytes secret, Bytes info, std::size_t octets) {
    return derivation.hkdf ? crypto::hkdf(derivation.digest, secret, {}, info, octets)
                           : crypto::x963_kdf(derivation.digest, secret, info, octets);
}

}  // namespace

Result<std::size_t> wrap_octets(const Algorithm& wrap) {
    const auto found = std::ranges::find(wraps, wrap.oid, &Wrap::oid);
    if (found == wraps.end())
        return fail(Code::unsupported, fmt::format("key wrap algorithm {} is not supported", wrap.oid.dotted()));
    if (!wrap.parameters_absent_or_null()) return fail(Code::malformed, "AES key wrap with parameters");
    return found->octets;
}

ByteVec wrap_algorithm(std::size_t kek_octets) {
    return make_algorithm(std::ranges::find(wraps, kek_octets, &Wrap::octets)->oid);
}

ByteVec rsa_oaep_algorithm() {
    const auto sha256 = make_algorithm(Oid{"2.16.840.1.101.3.4.2.1"}, Algorithm::der_null);
    const auto mask = make_algorithm(oid::mgf1, sha256);
    der::Writer parameters;
    parameters.sequence([&] {
        parameters.constructed(der::context_constructed(0), [&] { parameters.raw(sha256); });
        parameters.constructed(der::context_constructed(1), [&] { parameters.raw(mask); });
    });
    return make_algorithm(oid::rsaes_oaep, parameters.bytes());
}

Result<const Derivation*> agreement_scheme(const Oid& oid) {
    const auto found = std::ranges::find(schemes, oid, &Derivation::oid);
    if (found == schemes.end())
        return fail(Code::unsupported, fmt::format("key agreement scheme {} is not supported", oid.dotted()));
    return &*found;
}

const Derivation& agreement_scheme_for(const std::string& key_type) {  // RFC 5753 7.1.4: the digest goes with the curve
    if (key_type == "x25519") return schemes[3];
    if (key_type == "x448") return schemes[5];
    return schemes[key_type == "p384" ? 1 : key_type == "p521" ? 2 : 0];
}

Result<const Derivation*> hkdf_algorithm(const Algorithm& algorithm) {
    const auto found = std::ranges::find(hkdfs, algorithm.oid, &Derivation::oid);
    if (found == hkdfs.end())
        return fail(Code::unsupported, fmt::format("key derivation {} is not supported", algorithm.oid.dotted()));
    if (!algorithm.parameters.empty()) return fail(Code::malformed, "HKDF with parameters");
    return &*found;
}

const Derivation& hkdf_algorithm_usual() { return hkdfs[0]; }

Result<crypto::Secret> derive_agreed(const Derivation& scheme, Bytes agreed, Bytes wrap, std::optional<Bytes> ukm,
                                     std::size_t kek_octets) {
    const auto bits = static_cast<std::uint8_t>(kek_octets * 8 & 0xFF), high = static_cast<std::uint8_t>(kek_octets * 8 >> 8);
    const std::uint8_t bit_count[] = {0, 0, high, bits};
    der::Writer info;
    info.sequence([&] {
        info.raw(wrap);
        write_ukm(info, ukm);
        info.constructed(der::context_constructed(2), [&] { info.octet_string(bit_count); });
    });
    return derive(scheme, agreed, info.bytes(), kek_octets);
}

Result<crypto::Secret> derive_encapsulated(const Derivation& kdf, Bytes shared, Bytes wrap, std::optional<Bytes> ukm,
                                           std::size_t kek_octets) {
    der::Writer info;
    info.sequence([&] {
        info.raw(wrap);
        info.integer(static_cast<std::int64_t>(kek_octets));
        write_ukm(info, ukm);
    });
    return derive(kdf, shared, info.bytes(), kek_octets);
}

}  // namespace estuary::cms
