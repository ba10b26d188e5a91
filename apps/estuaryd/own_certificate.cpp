#include "apps/estuaryd/own_certificate.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/file_system.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t common_name_max = 64;  // RFC 5280 A.1, ub-common-name

std::optional<std::string> why_new(const Result<CertificateAndKey>& present, const OwnCertificate& wanted,
                                   const authority::CaConfig& ca, Time now) {
    if (auto why = why_renew(present, ca, now)) return why;
    if (present->key.public_key().type_name() != wanted.key_type) return fmt::format("key_type is {} now", wanted.key_type);
    return {};
}

/// What goes along with a certificate of this CA: the CA's own, and those between it and the root.
std::vector<x509::Certificate> path_above(const authority::CaConfig& ca) {
    std::vector<x509::Certificate> path{ca.certificate};
    std::ranges::copy_if(ca.chain, std::back_inserter(path), [](const x509::Certificate& certificate) { return !is_self_signed(certificate); });
    return path;
}

/// What is to be certified. A key that does not sign shows nothing; it was made here just now.
Result<x509::CertificationRequest> request_for(const OwnCertificate& wanted, const crypto::PrivateKey& key) {
    std::vector<x509::Extension> extensions;
    if (!wanted.names.empty()) extensions.push_back(x509::make_subject_alt_name(wanted.names, wanted.subject.empty()));
    if (!key.signature_algorithm()) {
        x509::CertificationRequest::Parts parts;
        parts.subject = wanted.subject;
        parts.spki = to_vec(key.public_key().spki());
        parts.extensions = std::move(extensions);
        parts.possession = x509::Possession::decryption;
        return x509::CertificationRequest::make(std::move(parts));
    }
    ESTUARY_TRY(const auto der, x509::make_request({wanted.subject, std::move(extensions), {}}, key));
    ESTUARY_TRY(const auto request, x509::SignedRequest::parse(der));
    return x509::CertificationRequest{request};
}

}  // namespace

x509::Name first_common_name(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
        if (text.size() > common_name_max) continue;
        // Host names and the bases of services have URI characters only: nothing to escape.
        if (auto name = x509::Name::from_text("CN=" + text)) return *name;
    }
    return {};
}

OwnCertificate service_certificate(const std::filesystem::path& directory, const std::string& file, std::string profile,
                                   const std::string& ca, const std::string& key_type, x509::Name subject) {
    OwnCertificate wanted;
    wanted.certificate = directory / (file + ".pem");
    wanted.key = directory / (file + ".key");
    wanted.profile = std::move(profile);
    wanted.ca = ca;
    wanted.key_type = key_type;
    wanted.subject = std::move(subject);
    return wanted;
}

authority::Profile service_profile(std::string name, const std::string& ca, const std::string& key_type, const der::Oid& purpose,
                                   Seconds validity) {
    authority::Profile profile;
    profile.name = std::move(name);
    profile.ca = ca;
    profile.validity = validity;
    profile.key_types = {key_type};
    profile.subject.allowed = {x509::oid::common_name};
    profile.key_usage = x509::digital_signature;
    profile.ext_key_usage = {purpose};
    return profile;
}

bool is_signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer) {
    const auto key = issuer.public_key();
    return key && certificate.verify_signed_by(*key).has_value();
}

std::optional<std::string> why_renew(const Result<CertificateAndKey>& present, const authority::CaConfig& ca, Time now) {
    if (!present) return present.error().detail;
    const auto& certificate = present->chain.front();
    if (now >= renewal_time(certificate)) return fmt::format("it expires on {}", to_iso8601(certificate.not_after()));
    if (!is_signed_by(certificate, ca.certificate)) return fmt::format("CA {} has a new certificate", ca.name);
    // The same key, certified by another: a subordinate CA.
    const auto is_missing = [&](const x509::Certificate& above) { return std::ranges::find(present->chain, above) == present->chain.end(); };
    if (present->chain.size() > 1 && std::ranges::any_of(path_above(ca), is_missing)) return fmt::format("CA {} has another path to its root", ca.name);
    return {};
}

Result<void> issue_own_certificate(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                   const crypto::Secret* passphrase) {
    ESTUARY_TRY(const auto key, crypto::PrivateKey::generate(wanted.key_type));
    ESTUARY_TRY(const auto request, request_for(wanted, key));

    store::UnitOfWork work;
    ESTUARY_TRY(const auto certificate, authority.issue_for_server(wanted.profile, request, work));
    ESTUARY_CHECK(store.commit(std::move(work)));

    const auto* ca = authority.ca(wanted.ca);
    auto chain = certificate.to_pem();
    if (ca != nullptr)
        for (const auto& above : path_above(*ca)) chain += above.to_pem();
    ESTUARY_TRY(const auto key_pem, key.to_pem(passphrase));
    // A fall between the two leaves a key that is not the certificate's: seen by why_renew, and mended by the next start.
    ESTUARY_CHECK(file::write_atomically(wanted.key, key_pem.reveal(), file::Access::owner_only));
    return file::write_atomically(wanted.certificate, as_bytes(chain), file::Access::everyone_reads);
}

Result<CurrentOwnCertificate> current_own_certificate(const OwnCertificate& wanted, authority::Authority& authority, store::Store& store,
                                                      const crypto::Secret* passphrase, Time now) {
    const auto* ca = authority.ca(wanted.ca);
    if (ca == nullptr) return fail(Code::internal, "the CA of a certificate of our own is not configured");
    const auto load = [&] { return load_certificate_and_key(wanted.certificate, wanted.key, passphrase); };
    auto present = load();
    auto why = why_new(present, wanted, *ca, now);
    if (!why) return CurrentOwnCertificate{std::move(*present), {}, {}};
    ESTUARY_CHECK(ensure_directory(wanted.key.parent_path()));
    auto issued = issue_own_certificate(wanted, authority, store, passphrase);
    if (issued) {
        ESTUARY_TRY(auto renewed, load());
        return CurrentOwnCertificate{std::move(renewed), std::move(why), {}};
    }
    const bool usable = present && now <= present->chain.front().not_after() && is_signed_by(present->chain.front(), ca->certificate);
    if (!usable) return fail(std::move(issued).error());
    return CurrentOwnCertificate{std::move(*present), {}, std::move(issued).error()};
}

}  // namespace estuary::daemon
