#include "estuary/authority/impl.h"
#include "estuary/authority/shared_secrets.h"
#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

/// No credential is added with a longer name.
constexpr std::size_t name_octets_max = 256;

/// A secret for one protocol opens no other (bug class 2).
constexpr std::string_view http = "http";

CredentialProof proof_of(const store::CredentialRecord& record, std::string scheme) {
    return {record.id, record.name, std::move(scheme), record.uses_left, record.profile, record.subject_patterns, record.san_patterns};
}

}  // namespace

/// Names are looked up octet for octet: aliases by case or blanks do not exist (bug class 13).
Result<std::optional<store::CredentialRecord>> Authority::Impl::credential(std::string_view name) {
    if (name.empty() || name.size() > name_octets_max || !text::is_plain_utf8(name))
        return std::optional<store::CredentialRecord>{};
    return store.credential(name);
}

Result<CredentialProof> Authority::authenticate_password(std::string_view name, const crypto::Secret& password,
                                                         std::string_view address) {
    ESTUARY_TRY(auto record, impl_->credential(name));
    if (record && record->protocol != http) record.reset();
    ESTUARY_CHECK(impl_->passwords->check(record, name, password, address, impl_->clock.now()));
    return proof_of(*record, "basic");
}

Result<Authority::DigestSecret> Authority::digest_secret(std::string_view name, std::string_view address) {
    const auto now = impl_->clock.now();
    ESTUARY_CHECK(impl_->passwords->may_try(name, address, now));
    ESTUARY_TRY(auto record, impl_->credential(name));
    if (!record || record->protocol != http || record->digest_ha1.empty() || (record->expires_at && now >= *record->expires_at)) {
        impl_->passwords->failed(name, address, now);
        return PasswordChecker::refused();
    }
    return DigestSecret{record->digest_ha1, proof_of(*record, "digest")};
}

void Authority::proof_failed(std::string_view name, std::string_view address) {
    impl_->passwords->failed(name, address, impl_->clock.now());
}

Result<Authority::SharedSecret> Authority::shared_secret(std::string_view name, std::string_view protocol, std::string_view address) {
    const auto now = impl_->clock.now();
    ESTUARY_CHECK(impl_->passwords->may_try(name, address, now));
    ESTUARY_TRY(const auto record, impl_->credential(name));
    if (!record || record->protocol != protocol || record->sealed_secret.empty() || (record->expires_at && now >= *record->expires_at))
        return SharedSecret{decoy_secret(impl_->config.password_key, name), {}};
    ESTUARY_TRY(auto secret, open_secret(impl_->config.password_key, *record));
    return SharedSecret{std::move(secret), proof_of(*record, std::string{protocol})};
}

Result<ByteVec> Authority::seal(std::string_view purpose, Bytes context, const crypto::Secret& secret) const {
    return authority::seal(impl_->config.password_key, {purpose, context}, secret, impl_->entropy);
}

Result<crypto::Secret> Authority::open_sealed(std::string_view purpose, Bytes context, Bytes sealed) const {
    auto secret = authority::open_sealed(impl_->config.password_key, {purpose, context}, sealed);
    if (!secret) return fail(Code::internal, "a secret on record does not open", secret.error().detail);
    return secret;
}

}  // namespace estuary::authority
