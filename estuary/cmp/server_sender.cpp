#include "estuary/cmp/server_sender.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/protection_certificate.h"

namespace estuary::cmp {
namespace {

using authority::CertificateProof;
using x509::Certificate;

/// Of a MAC whose cost is nothing to talk about (RFC 9045 4.3).
constexpr std::uint64_t usual_iterations = 10'000;

/// The reference of a MAC: senderKID, or the common name of the sender where there is none (RFC 9483 3.1).
std::optional<std::string> reference_of(const PkiHeader& header) {
    if (header.sender_kid) return estuary::to_string(Bytes{*header.sender_kid});
    const auto name = name_of(header.sender);
    const auto names = name ? name->values(x509::oid::common_name) : std::vector<std::string>{};
    return names.size() == 1 ? std::optional{names.front()} : std::nullopt;
}

bool names_reference(const PkiHeader& header, const std::string& reference) {
    const auto name = name_of(header.sender);
    if (!name) return false;
    const auto names = name->values(x509::oid::common_name);
    return names.size() == 1 && names.front() == reference;
}

Failure wrong_protection(Error error) {
    const bool algorithm = error.code == Code::unsupported || error.code == Code::bad_key || error.code == Code::too_large;
    return as_failure(algorithm ? PkiFailure::bad_alg : PkiFailure::bad_message_check, std::move(error));
}

std::string_view name_of_usage(std::uint32_t usage) {
    return usage == x509::key_encipherment ? "keyEncipherment" : usage == x509::key_agreement ? "keyAgreement" : "digitalSignature";
}

/// Whether a key identifier of the header is that of the certificate; one that either side leaves out is not held against it.
bool may_name(const std::optional<ByteVec>& identifier, const Certificate& certificate) {
    return !identifier || !certificate.subject_key_id() || certificate.subject_key_id() == identifier;
}

ProtectionLimits mac_limits(const ServerConfig& config) {
    ProtectionLimits limits;
    limits.password.iterations_max = config.mac_iterations_max;
    return limits;
}

Checked<void> check_sender_is(const PkiHeader& header, const Certificate& certificate) {
    const auto name = name_of(header.sender);
    if (name && name->matches(certificate.subject())) return {};
    return refuse(PkiFailure::bad_message_check, "sender is not the subject of the protection certificate (RFC 9483 3.1)");
}

void add_once(std::vector<Bytes>& list, const Certificate& certificate, bool roots = false) {
    // Self-signed certificates are of no use to whoever does not have them already (RFC 9483 3.3).
    if (!roots && certificate.is_self_issued() && certificate.is_ca()) return;
    if (std::ranges::none_of(list, [&](Bytes der) { return same(der, certificate.der()); })) list.push_back(certificate.der());
}

}  // namespace

Checked<Sender> SenderCheck::check(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                   const std::vector<Certificate>& known, const KemSession* kem, ShownPassphrase passphrase) const {
    const auto& header = message.header();
    if (header.protection_alg.has_value() != message.protection().has_value())
        return refuse(PkiFailure::bad_message_check, "protectionAlg and protection go together (RFC 9810 5.1.1)");
    if (!message.protection()) return refuse(PkiFailure::bad_message_check, "the message is not protected");
    CMP_TRY(const auto kind, or_failure(PkiFailure::bad_alg, protection_kind(*header.protection_alg)));
    switch (kind) {
        case ProtectionKind::signature: return check_signer(message, label, transport, known);
        case ProtectionKind::password_mac:
            return passphrase.wanted ? check_passphrase(message, transport, std::move(passphrase.found)) : check_mac(message, transport);
        case ProtectionKind::kem_mac:
            if (label.config.kem_protection) return check_kem(message, label, transport, known, kem);
            break;
        case ProtectionKind::diffie_hellman:
            if (label.config.diffie_hellman && label.agreement != nullptr) return check_diffie_hellman(message, label, transport, known);
            break;
        case ProtectionKind::shared_key_mac: break;
    }
    return refuse(PkiFailure::bad_alg, "this kind of protection is not taken here: sign, or use PBMAC1 or PasswordBasedMac");
}

Checked<std::shared_ptr<void>> SenderCheck::room_for_mac(Bytes algorithm) const {
    // What cannot be read, or is too much, is told by who verifies it.
    const auto choice = crypto::password_mac_choice(algorithm, mac_limits(config_).password);
    if (!choice || choice->iterations <= usual_iterations) return std::shared_ptr<void>{};
    const auto leave = [](std::atomic<unsigned>* count) { count->fetch_sub(1); };
    std::shared_ptr<std::atomic<unsigned>> room{&costly_macs_, leave};
    if (costly_macs_.fetch_add(1) < config_.costly_macs_max) return std::shared_ptr<void>{std::move(room)};
    return tl::unexpected(Failure{PkiFailure::system_unavail, "too many MACs of so many iterations at once: ask again later, or use fewer", Code::too_busy});
}

Checked<Sender> SenderCheck::check_mac(const PkiMessage& message, const Transport& transport) const {
    const auto& header = message.header();
    auto reference = reference_of(header);
    if (!reference) return refuse(PkiFailure::bad_message_check, "senderKID does not say which secret the MAC is made with");
    if (config_.strict_names && !names_reference(header, *reference))
        return refuse(PkiFailure::bad_message_check, "sender must be a directoryName with the reference as its common name (RFC 9483 3.1)");
    CMP_TRY(const auto room, room_for_mac(*header.protection_alg));
    CMP_TRY(auto shared, authority_.shared_secret(*reference, "cmp", transport.address));
    const auto verified = verify_mac_protection(*header.protection_alg, message.protected_part(), *message.protection(), shared.secret,
                                                mac_limits(config_));
    if (!verified) {
        if (verified.error().code != Code::bad_proof) return tl::unexpected(wrong_protection(verified.error()));
        authority_.proof_failed(*reference, transport.address);
        return refuse(PkiFailure::bad_message_check, "the MAC is wrong");
    }
    if (shared.proof.id == 0) return refuse(PkiFailure::bad_message_check, "the MAC is wrong");
    Sender sender;
    sender.protection = Protection::mac;
    sender.principal.credential = std::move(shared.proof);
    sender.principal.address = transport.address;
    sender.reference = std::move(*reference);
    sender.secret = std::move(shared.secret);
    sender.mac_algorithm = *header.protection_alg;
    return sender;
}

/// An identifier that nobody knows is answered as a wrong MAC is, after the same work; guesses are slowed (bug class 26).
Checked<Sender> SenderCheck::check_passphrase(const PkiMessage& message, const Transport& transport, std::optional<KeptPassphrase> found) const {
    const auto& header = message.header();
    CMP_TRY(const auto room, room_for_mac(*header.protection_alg));
    der::Writer sender;
    header.sender.write(sender);
    const Bytes who = header.sender_kid ? Bytes{*header.sender_kid} : sender.bytes();
    const auto guessed = "passphrase:" + to_hex(crypto::sha256(who));   // no credential is called so by accident, nor slowed by this
    CMP_TRY(const auto nobodys, authority_.shared_secret(guessed, passphrase_protocol, transport.address));
    const auto verified = verify_mac_protection(*header.protection_alg, message.protected_part(), *message.protection(),
                                                found ? found->secret : nobodys.secret, mac_limits(config_));
    if (!verified && verified.error().code != Code::bad_proof) return tl::unexpected(wrong_protection(verified.error()));
    if (!verified || !found) {
        authority_.proof_failed(guessed, transport.address);
        return refuse(PkiFailure::bad_message_check, "the MAC is wrong");
    }
    Sender out;
    out.protection = Protection::passphrase;
    out.principal.passphrase = found->proof;
    out.principal.address = transport.address;
    if (header.sender_kid) out.reference = estuary::to_string(Bytes{*header.sender_kid});
    out.secret = found->secret.clone();
    out.mac_algorithm = *header.protection_alg;
    out.passphrase = std::move(found);
    return out;
}

Checked<Certificate> SenderCheck::check_signature(const PkiMessage& message, const std::vector<Certificate>& known) {
    return check_signature(message, message.extra_certificates(), known);
}

Checked<Certificate> SenderCheck::check_signature(const PkiMessage& message, const std::vector<Certificate>& came,
                                                  const std::vector<Certificate>& known) {
    const auto& header = message.header();
    const auto* certificate = protection_certificate(header, came);
    if (certificate == nullptr) certificate = protection_certificate(header, known);
    if (certificate == nullptr)
        return refuse(PkiFailure::bad_message_check, came.empty() && known.empty()
                                                         ? "extraCerts must begin with the certificate of the signature (RFC 9483 3.3)"
                                                         : "senderKID is not the key identifier of the protection certificate");
    CMP_TRY(const auto key, or_failure(PkiFailure::bad_alg, certificate->public_key()));
    const auto verified = verify_signature_protection(*header.protection_alg, message.protected_part(), *message.protection(), key);
    if (!verified) return tl::unexpected(wrong_protection(verified.error()));
    return *certificate;
}

Checked<CertificateProof> SenderCheck::prove(const Certificate& signer, const std::vector<Certificate>& others,
                                             const LabelState& label) const {
    auto proof = authority_.authenticate_signer(signer, others);
    if (!proof) {
        // Only who holds its key gets here: what has become of the certificate is no secret from them.
        const auto status = authority_.status(label.ca, signer.serial_number());
        if (status && *status && (*status)->revocation && signer.issuer() == authority_.ca(label.ca)->certificate.subject())
            return refuse(PkiFailure::cert_revoked, "the protection certificate is revoked");
        return tl::unexpected(as_failure(PkiFailure::signer_not_trusted, std::move(proof).error()));
    }
    //= RFC 9810 5.3.18: until it is confirmed, it may be withdrawn.
    if (!proof->issued_by_ca.empty()) {
        CMP_TRY(const auto waiting, store_.unconfirmed(proof->issued_by_ca, Bytes{signer.serial_number()}));
        if (waiting) return refuse(PkiFailure::signer_not_trusted, "the protection certificate is not confirmed yet");
    }
    return std::move(*proof);
}

Checked<Sender> SenderCheck::check_signer(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                          const std::vector<Certificate>& known) const {
    auto others = message.extra_certificates();
    CMP_TRY(auto certificate, check_signature(message, others, known));
    CMP_CHECK(check_sender_is(message.header(), certificate));
    others.insert(others.end(), known.begin(), known.end());
    return holder_of(std::move(certificate), Protection::signature, x509::digital_signature, std::move(others), label, transport);
}

Checked<Sender> SenderCheck::check_revoked(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                           const std::vector<Certificate>& known) const {
    CMP_TRY(auto certificate, check_signature(message, known));
    CMP_CHECK(check_sender_is(message.header(), certificate));
    CMP_TRY(const auto record, store_.certificate(label.ca, authority::without_leading_zeros(certificate.serial_number())));
    // Another certificate of this name and number would be one that its sender has made up.
    if (!record || !same(record->der, certificate.der())) return refuse(PkiFailure::signer_not_trusted, "the protection certificate is not known here");
    Sender sender;
    sender.principal.certificate = authority::CertificateProof{certificate, label.ca, {}, record->profile, record->label, false};
    sender.principal.address = transport.address;
    sender.protection = Protection::signature;
    sender.others = message.extra_certificates();
    sender.others.insert(sender.others.end(), known.begin(), known.end());
    sender.certificate = std::move(certificate);
    return sender;
}

Checked<Sender> SenderCheck::holder_of(Certificate certificate, Protection protection, std::uint32_t usage, std::vector<Certificate> others,
                                       const LabelState& label, const Transport& transport) const {
    if (const auto usages = certificate.key_usage(); usages && (*usages & usage) == 0)
        return refuse(PkiFailure::signer_not_trusted, fmt::format("the keyUsage of the protection certificate lacks {}", name_of_usage(usage)));
    Sender sender;
    CMP_TRY(sender.principal.certificate, prove(certificate, others, label));
    sender.protection = protection;
    sender.principal.address = transport.address;
    sender.others = std::move(others);
    sender.key_holder = certificate;
    sender.certificate = std::move(certificate);
    return sender;
}

Checked<Sender> SenderCheck::claimed_by_kem_key(const PkiMessage& message, const LabelState& label, const Transport& transport) const {
    const auto came = message.extra_certificates();
    const auto* certificate = protection_certificate(message.header(), came);
    if (certificate == nullptr)
        return refuse(PkiFailure::bad_message_check, "extraCerts must have the certificate of the KEM key, which senderKID names if it says anything");
    return holder_of(*certificate, Protection::none, x509::key_encipherment, came, label, transport);
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.1.3.4
Checked<Sender> SenderCheck::check_kem(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                       const std::vector<Certificate>& known, const KemSession* kem) const {
    const auto& header = message.header();
    if (kem == nullptr || known.empty())
        return refuse(PkiFailure::bad_message_check, "no KEM ciphertext was made for this transactionID, or its time is over: ask for one (genm)");
    const auto verified = kem->verify(*header.protection_alg, message.protected_part(), *message.protection());
    if (!verified) return tl::unexpected(wrong_protection(verified.error()));
    const auto& certificate = known.front();
    if (!may_name(header.sender_kid, certificate)) return refuse(PkiFailure::bad_message_check, "senderKID is not that of the KEM key's certificate");
    CMP_CHECK(check_sender_is(header, certificate));
    return holder_of(certificate, Protection::kem, x509::key_encipherment, known, label, transport);
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.1.3.2
Checked<Sender> SenderCheck::check_diffie_hellman(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                                  const std::vector<Certificate>& known) const {
    const auto& header = message.header();
    const auto& own = *label.agreement;
    auto others = message.extra_certificates();
    others.insert(others.end(), known.begin(), known.end());
    const auto* found = protection_certificate(header, others);
    if (found == nullptr) return refuse(PkiFailure::bad_message_check, "extraCerts must begin with the certificate of the Diffie-Hellman key");
    const auto certificate = *found;
    if (!may_name(header.recip_kid, own.chain.front()))
        return refuse(PkiFailure::bad_message_check, "recipKID is not that of the agreement key here: genm with caProtEncCert tells its certificate");
    CMP_TRY(const auto key, or_failure(PkiFailure::bad_alg, certificate.public_key()));
    ProtectionLimits limits;
    limits.diffie_hellman = true;
    const auto verified =
        verify_diffie_hellman_protection(*header.protection_alg, message.protected_part(), *message.protection(), own.key, key, limits);
    if (!verified) return tl::unexpected(wrong_protection(verified.error()));
    CMP_CHECK(check_sender_is(header, certificate));
    return holder_of(certificate, Protection::diffie_hellman, x509::key_agreement, std::move(others), label, transport);
}

Result<ByteVec> protect(Outgoing outgoing, const Sender& sender, const LabelState& label) {
    auto& header = outgoing.header;
    std::vector<Bytes> extra;
    std::optional<Protector> protector;
    if (sender.protection == Protection::mac || sender.protection == Protection::passphrase) {
        // The limits are those of what was verified: it is not looked at again.
        ProtectionLimits limits;
        limits.password.iterations_max = std::numeric_limits<std::uint64_t>::max();
        ESTUARY_TRY(protector, Protector::with_secret_like(*sender.secret, sender.mac_algorithm, limits));
        if (!sender.reference.empty()) header.sender_kid = to_vec(as_bytes(sender.reference));
    } else if (label.signer != nullptr) {
        const auto& certificate = label.signer->chain.front();
        ESTUARY_TRY(protector, Protector::with_key(label.signer->key));
        header.sender = directory_name(certificate.subject());
        header.sender_kid = certificate.subject_key_id();
        for (const auto& link : label.signer->chain) add_once(extra, link);
    }
    // The responder CA's own, for the requester to compare (RFC 9810 6.6.1).
    for (const auto& link : outgoing.chain) add_once(extra, link, outgoing.body.type == BodyType::ccp);
    if (protector) return protector->protect(std::move(header), outgoing.body, extra);
    return encode_message(header.encode(), outgoing.body.encode(), std::nullopt, extra);
}

}  // namespace estuary::cmp
