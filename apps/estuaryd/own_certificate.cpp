#include "apps/estuaryd/own_certificate.h"

#include <fmt/format.h>

#include "estuary/base/file.h"

namespace estuary::daemon {

bool is_signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer) {
    const auto key = issuer.public_key();
    return key && certificate.verify_signed_by(*key).has_value();
}

std::optional<std::string> why_renew(const Result<CertificateAndKey>& present, const authority::CaConfig& ca, Time now) {
    if (!present) return present.error().detail;
    const auto& certificate = present->chain.front();
    if (now >= renewal_time(certificate)) return fmt::format("it expires on {}", to_iso8601(certificate.not_after()));
    if (!is_signed_by(certificate, ca.certificate)) return fmt::format("CA {} has a new certificate", ca.name);
    return {};
}

Result<void> issue_own_certificate(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                   const crypto::Secret* passphrase) {
    ESTUARY_TRY(const auto key, crypto::PrivateKey::generate(wanted.key_type));
    x509::RequestTemplate asked;
    asked.subject = wanted.subject;
    if (!wanted.names.empty()) asked.extensions.push_back(x509::make_subject_alt_name(wanted.names, asked.subject.empty()));
    ESTUARY_TRY(const auto der, x509::make_request(asked, key));
    ESTUARY_TRY(const auto request, x509::SignedRequest::parse(der));

    store::UnitOfWork work;
    ESTUARY_TRY(const auto certificate, authority.issue_for_server(wanted.profile, request, work));
    ESTUARY_CHECK(store.commit(std::move(work)));

    const auto* ca = authority.ca(wanted.ca);
    const auto chain = certificate.to_pem() + (ca == nullptr ? std::string{} : ca->certificate.to_pem());
    ESTUARY_TRY(const auto key_pem, key.to_pem(passphrase));
    // A fall between the two leaves a key that is not the certificate's: seen by why_renew, and mended by the next start.
    ESTUARY_CHECK(file::write_atomically(wanted.key, key_pem.reveal(), file::Access::owner_only));
    return file::write_atomically(wanted.certificate, as_bytes(chain), file::Access::everyone_reads);
}

}  // namespace estuary::daemon
