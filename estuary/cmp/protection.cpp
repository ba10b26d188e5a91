#include "estuary/cmp/protection.h"

#include <fmt/format.h>

#include "estuary/cmp/protection_oids.h"

namespace estuary::cmp {
namespace {

using crypto::Secret;
using der::Tag;

Result<der::Oid> algorithm_oid(Bytes algorithm_identifier) {
    ESTUARY_TRY(auto fields, der::enter_only(algorithm_identifier, Tag::sequence, "protectionAlg"));
    return fields.oid();
}

/// HMAC or KMAC with the secret as its key. GMAC would need a nonce that neither side ever used before.
Result<crypto::MacAlgorithm> read_shared_key_mac(Bytes protection_alg, const ProtectionLimits& limits) {
    if (!limits.shared_key_macs) return fail(Code::unsupported, "a MAC without key derivation is not allowed here");
    ESTUARY_TRY(auto mac, crypto::read_mac_algorithm(protection_alg));
    if (mac.kind == crypto::MacAlgorithm::Kind::gmac) return fail(Code::unsupported, fmt::format("{} keyed with a secret", mac.name));
    if (mac.is_hmac_sha1() && !limits.password.hmac_sha1) return fail(Code::unsupported, "HMAC-SHA1 is not allowed here");
    return mac;
}

Result<crypto::AgreementMac> read_diffie_hellman_mac(Bytes protection_alg, const ProtectionLimits& limits) {
    if (!limits.diffie_hellman) return fail(Code::unsupported, "DHBasedMac is not allowed here");
    ESTUARY_TRY(auto mac, crypto::read_agreement_mac(protection_alg));
    if (mac.kind != crypto::AgreementMac::Kind::dh_based_mac) return fail(Code::unsupported, "protectionAlg is not DHBasedMac");
    if (mac.digest == "SHA1" && !limits.password.sha1_owf) return fail(Code::unsupported, "DHBasedMac with SHA-1 is not allowed here");
    return mac;
}

}  // namespace

Result<ProtectionKind> protection_kind(Bytes protection_alg) {
    ESTUARY_TRY(const auto oid, algorithm_oid(protection_alg));
    if (crypto::is_password_mac(protection_alg)) return ProtectionKind::password_mac;
    if (oid == oid::dh_based_mac) return ProtectionKind::diffie_hellman;
    if (oid == oid::kem_based_mac) return ProtectionKind::kem_mac;
    if (oid == oid::rsassa_pss || crypto::signature_algorithm(oid) != nullptr) return ProtectionKind::signature;
    if (crypto::read_mac_algorithm(protection_alg)) return ProtectionKind::shared_key_mac;
    return fail(Code::unsupported, fmt::format("protection algorithm {} is not supported", oid.dotted()));
}

Result<void> verify_signature_protection(Bytes protection_alg, Bytes protected_part, Bytes protection,
                                         const crypto::PublicKey& key) {
    return key.verify(protection_alg, protected_part, protection);
}

Result<void> verify_mac_protection(Bytes protection_alg, Bytes protected_part, Bytes protection, const Secret& secret,
                                   const ProtectionLimits& limits) {
    if (crypto::is_password_mac(protection_alg))
        return crypto::verify_password_mac(protection_alg, secret, protected_part, protection, limits.password);
    ESTUARY_TRY(const auto mac, read_shared_key_mac(protection_alg, limits));
    return crypto::verify_mac(mac, secret.reveal(), protected_part, protection);
}

Result<void> verify_diffie_hellman_protection(Bytes protection_alg, Bytes protected_part, Bytes protection,
                                              const crypto::PrivateKey& own, const crypto::PublicKey& other,
                                              const ProtectionLimits& limits) {
    ESTUARY_TRY(const auto use, read_diffie_hellman_mac(protection_alg, limits));
    ESTUARY_TRY(const auto key, crypto::agreement_mac_key(use, own, other));
    return crypto::verify_mac(use.mac, key.reveal(), protected_part, protection);
}

Result<Protector> Protector::with_key(const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto* algorithm, key.signature_algorithm());
    return Protector{algorithm->identifier, [key](Bytes part) { return key.sign(part); }};
}

Result<Protector> Protector::with_secret(const Secret& secret, const crypto::PasswordMacChoice& choice) {
    if (secret.empty()) return fail(Code::bad_key, "protection with an empty secret");  // bug class 9
    if (choice.mac.ends_with("GMAC")) return fail(Code::unsupported, "GMAC would use its nonce for more than one message");
    ESTUARY_TRY(const auto algorithm, crypto::make_password_mac_algorithm(choice));
    crypto::PasswordMacLimits own;  // what we chose ourselves
    own.iterations_max = choice.iterations;
    own.sha1_owf = true;
    return with_secret_like(secret, algorithm, {.password = own});
}

Result<Protector> Protector::with_secret_like(const Secret& secret, Bytes protection_alg, const ProtectionLimits& limits) {
    if (secret.empty()) return fail(Code::bad_key, "protection with an empty secret");
    const auto shared = std::make_shared<const Secret>(secret.clone());
    if (!crypto::is_password_mac(protection_alg)) {
        ESTUARY_TRY(auto mac, read_shared_key_mac(protection_alg, limits));
        return Protector{to_vec(protection_alg),
                         [shared, mac = std::move(mac)](Bytes part) { return crypto::compute_mac(mac, shared->reveal(), part); }};
    }
    ESTUARY_TRY(auto choice, crypto::password_mac_choice(protection_alg, limits.password));
    if (choice.mac.ends_with("GMAC")) {
        choice.mac = "HMAC-SHA256";
        return with_secret(secret, choice);
    }
    auto algorithm = to_vec(protection_alg);
    auto compute = [shared, algorithm, password = limits.password](Bytes part) {
        return crypto::compute_password_mac(algorithm, *shared, part, password);
    };
    return Protector{std::move(algorithm), std::move(compute)};
}

Result<ByteVec> Protector::protect(PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra_certs) const {
    header.protection_alg = algorithm_;
    const auto header_der = header.encode(), body_der = body.encode();
    ESTUARY_TRY(const auto protection, protect(encode_protected_part(header_der, body_der)));
    return encode_message(header_der, body_der, Bytes{protection}, extra_certs);
}

}  // namespace estuary::cmp
