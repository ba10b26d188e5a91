#include "estuary/cmp/root_update.h"

namespace estuary::cmp {
namespace {

using x509::Certificate;

tl::unexpected<Error> refused(std::string why) {
    return fail(Code::not_authenticated, "the new root CA certificate is not to be trusted: " + std::move(why));
}

Result<void> check_signed_by(const Certificate& certificate, const Certificate& signer, std::string_view what) {
    ESTUARY_TRY(const auto key, signer.public_key());
    if (!certificate.verify_signed_by(key)) return refused(std::string{what});
    return {};
}

Result<void> check_valid(const Certificate& certificate, std::string_view what, Time now) {
    if (now < certificate.not_before() || now > certificate.not_after())
        return refused(std::string{what} + " is outside of its validity");
    if (!certificate.is_ca()) return refused(std::string{what} + " is not a CA certificate");
    const auto usage = certificate.key_usage();
    if (usage && (*usage & x509::key_cert_sign) == 0) return refused(std::string{what} + " lacks keyCertSign");
    return {};
}

Result<void> check_new_with_new(const Certificate& new_with_new, Time now) {
    ESTUARY_CHECK(check_valid(new_with_new, "newWithNew", now));
    if (!new_with_new.is_self_issued()) return refused("newWithNew is not self-issued");
    return check_signed_by(new_with_new, new_with_new, "newWithNew is not signed by its own key");
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-4.4.2.2
//# If received the certificates, check that the validity periods and the subject and issuer fields match.  Verify the
//# signatures using the old root CA key (which the verifier has locally).
Result<void> check_new_with_old(const Certificate& new_with_old, const Certificate& new_with_new, const Certificate& old_root, Time now) {
    ESTUARY_CHECK(check_valid(new_with_old, "newWithOld", now));
    if (!new_with_old.issuer().matches(old_root.subject())) return refused("newWithOld is not issued by the old root");
    if (!new_with_old.subject().matches(new_with_new.subject())) return refused("newWithOld and newWithNew have different subjects");
    if (!same(new_with_old.spki(), new_with_new.spki())) return refused("newWithOld and newWithNew have different keys");
    return check_signed_by(new_with_old, old_root, "newWithOld is not signed by the key of the old root");
}

Result<void> check_old_with_new(const Certificate& old_with_new, const Certificate& new_with_new, const Certificate& old_root) {
    if (!old_with_new.issuer().matches(new_with_new.subject())) return refused("oldWithNew is not issued by the new root");
    if (!old_with_new.subject().matches(old_root.subject())) return refused("oldWithNew has another subject than the old root");
    if (!same(old_with_new.spki(), old_root.spki())) return refused("oldWithNew has another key than the old root");
    return check_signed_by(old_with_new, new_with_new, "oldWithNew is not signed by the key of the new root");
}

}  // namespace

Result<Certificate> verify_root_ca_key_update(const RootCaKeyUpdate& update, const Certificate& old_root, Time now) {
    ESTUARY_TRY(auto new_with_new, update.new_with_new.x509());
    ESTUARY_CHECK(check_new_with_new(new_with_new, now));
    if (!update.new_with_old) return refused("there is no newWithOld, by which the old root would vouch for it");
    ESTUARY_TRY(const auto new_with_old, update.new_with_old->x509());
    ESTUARY_CHECK(check_new_with_old(new_with_old, new_with_new, old_root, now));
    if (update.old_with_new) {
        ESTUARY_TRY(const auto old_with_new, update.old_with_new->x509());
        ESTUARY_CHECK(check_old_with_new(old_with_new, new_with_new, old_root));
    }
    return new_with_new;
}

}  // namespace estuary::cmp
