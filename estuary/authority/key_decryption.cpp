#include "estuary/authority/key_decryption.h"

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/shared_secrets.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

constexpr std::size_t identifier_octets_max = 64;

/// Sealed secrets are bound to a name and a protocol.
store::CredentialRecord sealed_as(Bytes identifier) {
    store::CredentialRecord record;
    record.name = to_hex(identifier);
    record.protocol = "decryption key";
    return record;
}

/// The same for what is not there, for what is another's, and for what is no longer good.
tl::unexpected<Error> no_such_key(Bytes identifier, std::string cause = {}) {
    return fail(Code::policy, fmt::format("there is no key {} here that this request may name", to_hex(identifier)), std::move(cause));
}

Result<void> check_identifier(Bytes identifier) {
    if (identifier.empty() || identifier.size() > identifier_octets_max)
        return fail(Code::malformed, fmt::format("a key identifier has 1 to {} octets", identifier_octets_max));
    return {};
}

/// What the operator bound the key to (bug class 8).
Result<bool> may_name(const store::DecryptionKey& key, const KeyUser& user) {
    if (!key.credential.empty() && (!user.principal.credential || user.principal.credential->name != key.credential)) return false;
    if (key.subject_pattern.empty()) return true;
    ESTUARY_TRY(const auto pattern, SubjectPattern::parse(key.subject_pattern));
    return pattern.matches(user.subject);
}

Result<bool> is_named(const x509::Certificate& certificate, Bytes identifier) {
    ESTUARY_TRY(const auto own, decryption_key_identifier(certificate));
    return same(own, identifier);
}

/// A certificate of ours is its holder's: the same subject (an empty one is nobody's), or the same requester; a registration
/// authority asks for others.
bool is_holders(const store::CertificateRecord& record, const x509::Certificate& certificate, const KeyUser& user) {
    const bool same_subject = !user.subject.empty() && certificate.subject() == user.subject;
    return user.principal.is_registration_authority() || same_subject || record.requester == user.principal.describe();
}

}  // namespace

Result<ByteVec> seal_decryption_key(const crypto::Secret& password_key, Bytes identifier, const crypto::Secret& key,
                                    crypto::Entropy& entropy) {
    const auto size = key.reveal().size();
    if (size != 16 && size != 24 && size != 32) return fail(Code::bad_key, "a shared key has 16, 24 or 32 octets");
    ESTUARY_CHECK(check_identifier(identifier));
    return seal_secret(password_key, sealed_as(identifier), key, entropy);
}

Result<crypto::Secret> open_decryption_key(const crypto::Secret& password_key, const store::DecryptionKey& of) {
    auto record = sealed_as(of.identifier);
    record.sealed_secret = of.sealed_key;
    return open_secret(password_key, record);
}

Result<ByteVec> decryption_key_identifier(const x509::Certificate& certificate) {
    if (auto identifier = certificate.subject_key_id()) return std::move(*identifier);
    return x509::key_identifier(certificate.spki());
}

Result<crypto::Secret> Authority::shared_decryption_key(Bytes identifier, const KeyUser& user) {
    ESTUARY_CHECK(check_identifier(identifier));
    auto* keys = impl_->store.key_reads();
    if (keys == nullptr) return no_such_key(identifier);
    ESTUARY_TRY(const auto record, keys->shared_decryption_key(identifier));
    if (!record) return no_such_key(identifier);
    ESTUARY_TRY(const bool may, may_name(*record, user));
    if (!may) return no_such_key(identifier, "it is bound to another credential or subject");
    return open_decryption_key(impl_->config.password_key, *record);
}

Result<x509::Certificate> Authority::decryption_certificate(Bytes identifier, const KeyUser& user) {
    ESTUARY_CHECK(check_identifier(identifier));
    // The certificate that the requester has shown: checked just now, whoever issued it.
    if (user.principal.certificate) {
        ESTUARY_TRY(const bool shown, is_named(user.principal.certificate->certificate, identifier));
        if (shown) return user.principal.certificate->certificate;
    }
    auto* keys = impl_->store.key_reads();
    if (keys == nullptr) return no_such_key(identifier);
    const auto now = impl_->clock.now();
    const auto good = [now](const x509::Certificate& certificate) { return now >= certificate.not_before() && now <= certificate.not_after(); };
    ESTUARY_TRY(const auto configured, keys->certified_decryption_key(identifier));
    if (configured) {
        ESTUARY_TRY(const bool may, may_name(*configured, user));
        ESTUARY_TRY(auto certificate, x509::Certificate::parse(configured->certificate));
        if (!may || !good(certificate)) return no_such_key(identifier, "it is bound to others, or its certificate is not valid now");
        return certificate;
    }
    ESTUARY_TRY(const auto record, keys->certificate_of_key(user.ca, identifier));
    if (!record) return no_such_key(identifier);
    ESTUARY_TRY(auto certificate, x509::Certificate::parse(record->der));
    if (is_revoked(record->revocation) || !good(certificate)) return no_such_key(identifier, "its certificate is revoked or not valid now");
    if (!is_holders(*record, certificate, user)) return no_such_key(identifier, "its certificate is another's");
    return certificate;
}

}  // namespace estuary::authority
