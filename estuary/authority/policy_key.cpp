#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"

namespace estuary::authority {
namespace {

/// RFC 5480 2.2: the first octet of the public key says how its point is written.
Result<bool> is_compressed_point(Bytes spki) {
    ESTUARY_TRY(auto reader, der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_CHECK(reader.skip());
    ESTUARY_TRY(const auto point, reader.bit_string_octets());
    return !point.empty() && point[0] != 0x04;
}

Result<void> check_type(const Rules& rules, const crypto::PublicKey& key) {
    if (key.kind() == crypto::KeyKind::rsa && key.type_name().starts_with("rsa") && !key.type_name().starts_with("rsa-pss")) {
        if (!rules.rsa_bits_min) return fail(Code::bad_key, "RSA keys are not allowed here");
        if (key.bits() < *rules.rsa_bits_min)
            return fail(Code::bad_key, fmt::format("RSA keys must have {} bits or more", *rules.rsa_bits_min));
        return {};
    }
    if (std::ranges::find(rules.key_types, key.type_name()) == rules.key_types.end())
        return fail(Code::bad_key, fmt::format("{} keys are not allowed here", key.type_name()));
    // One key, one encoding: else the lists of known keys, which hold digests, could be passed by in the other one.
    if (key.kind() == crypto::KeyKind::ec) {
        ESTUARY_TRY(const bool compressed, is_compressed_point(key.spki()));
        if (compressed) return fail(Code::bad_key, "the EC point must be uncompressed");
    }
    return {};
}

Result<void> check_generated_type(const Rules& rules, const crypto::PublicKey& key) {
    if (std::ranges::find(rules.generated_key_types, key.type_name()) == rules.generated_key_types.end())
        return fail(Code::bad_key, fmt::format("{} keys are not made here", key.type_name()));
    return {};
}

bool is_key_of(const CaConfig& ca, Bytes spki) {
    const auto holds = [&](const x509::Certificate& certificate) { return same(certificate.spki(), spki); };
    return holds(ca.certificate) || std::ranges::any_of(ca.chain, holds) || std::ranges::any_of(ca.rollover, holds);
}

}  // namespace

Result<void> check_key(const Rules& rules, const x509::CertificationRequest& request, const crypto::BlockedKeys& blocked) {
    const auto& key = request.public_key();
    ESTUARY_CHECK(request.possession() == x509::Possession::generated_here ? check_generated_type(rules, key) : check_type(rules, key));
    ESTUARY_CHECK(crypto::check_key_strength(key));
    if (blocked.contains(key.spki())) return fail(Code::bad_key, "this key is known to be compromised: make a new one");
    if (is_key_of(*rules.issuer->config, key.spki())) return fail(Code::bad_key, "this is the CA's own key");
    return {};
}

}  // namespace estuary::authority
