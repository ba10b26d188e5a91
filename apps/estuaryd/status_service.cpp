#include "apps/estuaryd/status_service.h"

#include <algorithm>

#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

std::string text_of(const Error& error) { return error.cause.empty() ? error.detail : error.detail + " (" + error.cause + ")"; }

/// One responder serves all CAs, for a request may ask about several: the strictest limits count.
ocsp::ResponderConfig responder_config(const Configuration& configuration) {
    ocsp::ResponderConfig config;
    config.presigned.count_max = 0;
    const auto& status = configuration.status;
    if (status.never_issued_is_revoked) config.never_issued = ocsp::NeverIssued::revoked;
    // The store forgets no certificate.
    if (status.archive > Seconds{0}) config.archive_retention = status.archive;
    bool first = true;
    for (const auto& ca : configuration.cas) {
        if (!answers_ocsp(configuration, ca)) continue;
        config.validity = first ? ca.ocsp.validity : std::min(config.validity, ca.ocsp.validity);
        config.presigned.count_max += ca.ocsp.presign;
        first = false;
    }
    constexpr std::size_t answer_octets = 1400;  // with a certificate of its signer and what finds it
    config.presigned.bytes_max = std::max(config.presigned.bytes_max, config.presigned.count_max * answer_octets);
    return config;
}

}  // namespace

std::vector<StatusIssuer> status_issuers(const Generation& generation) {
    std::vector<StatusIssuer> issuers;
    for (const auto& section : generation.configuration.cas) {
        if (section.upstream.present) continue;
        issuers.push_back({section.name, status_base(section), generation.authority.get(), &section, false});
        for (const auto& former : generation.former)
            if (former.ca == section.name) issuers.push_back({section.name, former.base, former.authority.get(), &section, true});
    }
    return issuers;
}

Result<std::optional<ocsp::CertificateState>> AuthoritySource::status(std::string_view issuer, Bytes serial_number) {
    const auto found = issuers_.find(issuer);
    if (found == issuers_.end()) return fail(Code::not_found, "there is no such CA");
    ESTUARY_TRY(auto status, found->second.authority->status(found->second.ca, serial_number));
    if (!status) return std::optional<ocsp::CertificateState>{};
    return std::optional{ocsp::CertificateState{std::move(status->revocation)}};
}

std::shared_ptr<StatusService> StatusService::make(std::shared_ptr<const Generation> generation, const std::string& passphrase_file,
                                                   store::Store& store, const Program& program,
                                                   const std::function<void(const Fault&)>& tell) {
    auto service = std::make_shared<StatusService>();
    service->generation_ = std::move(generation);
    const auto& configuration = service->generation_->configuration;
    if (!configuration.status.present) return service;
    service->issuers_ = status_issuers(*service->generation_);
    const auto secret = passphrase(passphrase_file, configuration.security.passphrase_file);
    auto config = responder_config(configuration);
    const auto wrong = [&](const Place& place, const std::string& what, const Error& error) {
        tell({place, what + ": " + text_of(error), false});
    };
    for (const auto& issuer : service->issuers_) {
        service->source_.add(issuer);
        service->certificates_.emplace(issuer.base + ".cer", to_vec(issuer.config().certificate.der()));
        if (const auto& above = issuer.config().chain; !above.empty())
            service->certificates_.emplace(root_base(above.back()) + ".cer", to_vec(above.back().der()));
        if (!answers_ocsp(configuration, *issuer.section)) continue;
        const auto& place = issuer.section->ocsp.place;
        if (!secret) {
            wrong(place, "OCSP signer", secret.error());
            continue;
        }
        const auto wanted = ocsp_signer(configuration.directory, issuer.ca, issuer.base, issuer.section->ocsp.key_type);
        auto signer = current_own_certificate(wanted, *issuer.authority, store, pointer(*secret), program.clock.now());
        if (!signer) {
            wrong(place, "no OCSP signer for " + issuer.base, signer.error());
            continue;
        }
        if (signer->renewed) log::info("OCSP signer issued", {{"ca", issuer.base}, {"why", *signer->renewed}});
        if (signer->trouble) wrong(place, "OCSP signer of " + issuer.base + " not renewed", *signer->trouble);
        const auto& certificate = signer->certificate.chain.front();
        service->signers_.push_back({issuer.ca, issuer.base, certificate.not_before(), certificate.not_after()});
        const auto& type = signer->certificate.key.public_key().type_name();
        if (type != "p256" && type != "ed25519") service->signs_quickly_ = false;
        config.issuers.push_back({issuer.base, issuer.config().certificate, {{certificate, signer->certificate.key}}});
    }
    if (config.issuers.empty()) return service;
    auto responder = ocsp::Responder::create(std::move(config), service->source_, program.clock);
    if (!responder) {
        wrong(configuration.status.place, "OCSP", responder.error());
        return service;
    }
    service->responder_ = std::move(*responder);
    service->server_.emplace(ocsp::ServerConfig{}, *service->responder_, program.clock);
    return service;
}

bool StatusService::signers_are_due(Time now) const {
    const auto is_due = [&](const OcspSignerState& signer) {
        return now >= signer.not_after - (signer.not_after - signer.not_before) / 3;
    };
    const auto wanted = std::ranges::count_if(issuers_, [&](const StatusIssuer& issuer) {
        return answers_ocsp(generation_->configuration, *issuer.section);
    });
    return static_cast<std::size_t>(wanted) != signers_.size() || std::ranges::any_of(signers_, is_due);
}

void StatusService::forget(std::string_view ca, Bytes serial_number) {
    if (!responder_) return;
    for (const auto& issuer : issuers_)
        if (issuer.ca == ca) responder_->forget(issuer.base, serial_number);
}

void StatusService::refresh(Time now, std::size_t signatures_max) {
    if (!responder_) return;
    const auto report = responder_->refresh(now, signatures_max);
    if (report.failed != 0) log::warning("OCSP answers not refreshed", {{"count", report.failed}});
}

}  // namespace estuary::daemon
