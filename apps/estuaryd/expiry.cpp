#include "apps/estuaryd/expiry.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/load.h"
#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/publishers.h"
#include "apps/estuaryd/status_config.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

constexpr Seconds day{86400};
constexpr Seconds ca_notice = 180 * day, ca_urgent = 30 * day;    // a rollover takes the devices' time, not ours
constexpr Seconds root_crl_notice = 30 * day, root_crl_urgent = 7 * day;
constexpr std::string_view crl_text = "CRL";
constexpr Seconds foreign_urgent = 7 * day;

/// Of a certificate that the server renews by itself in its last third: with a quarter left, something is wrong.
Expiry own(std::string what, const x509::Certificate& certificate, Place place) {
    const auto lifetime = certificate.not_after() - certificate.not_before();
    return {std::move(what), certificate.subject().to_text(), certificate.not_after(), lifetime / 4, lifetime / 10,
            "serve renews it by itself; its log says why it could not", std::move(place)};
}

void add_cas(const Configuration& configuration, const authority::Authority& authority, std::vector<Expiry>& list) {
    for (const auto& section : configuration.cas) {
        const auto* ca = authority.ca(section.name);
        if (ca == nullptr) continue;
        const auto add = [&](const char* what, const x509::Certificate& certificate) {
            list.push_back({what, certificate.subject().to_text(), certificate.not_after(), ca_notice, ca_urgent, "estuaryd ca rollover",
                            section.directory.given() ? section.directory.place : section.certificate.place});
        };
        add("CA certificate", ca->certificate);
        for (const auto& above : ca->chain) add("certificate above the CA", above);
    }
}

std::optional<x509::Certificate> first_of(const std::filesystem::path& path) {
    const auto content = file::read(path);
    const auto chain = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{};
    if (!chain || chain->empty()) return {};
    return chain->front();
}

void add_tls(const TlsSection& tls, std::vector<Expiry>& list) {
    const auto certificate = first_of(tls.certificate.path);
    if (!certificate) return;  // told by whoever loads it
    auto expiry = own("TLS certificate", *certificate, tls.certificate.place);
    if (tls.ca.empty()) {  // issued elsewhere: nobody here renews it
        expiry.notice = certificate->not_after() - renewal_time(*certificate);
        expiry.urgent = std::min(foreign_urgent, expiry.notice);
        expiry.advice = "have a new one issued, and reload";
    }
    list.push_back(std::move(expiry));
}

void add_signers(const Configuration& configuration, const std::vector<Publisher>& all, std::vector<Expiry>& list) {
    for (const auto& publisher : all) {
        const auto& section = *publisher.section;
        if (!answers_ocsp(configuration, section)) continue;
        const auto wanted = ocsp_signer(configuration.directory, section.name, publisher.base, section.ocsp.key_type);
        if (const auto certificate = first_of(wanted.certificate)) list.push_back(own("OCSP signer", *certificate, section.ocsp.place));
    }
}

void add_crls(const Configuration& configuration, const std::vector<Publisher>& all, store::Store& store, std::vector<Expiry>& list) {
    const auto records = store.crls();
    if (!records) return;
    for (const auto& record : *records) {
        const auto* publisher = find_publisher(all, record.ca);
        if (publisher == nullptr) continue;
        const auto& crl = publisher->section->crl;
        if (record.delta && !crl.deltas) continue;
        const auto overlap = record.delta ? crl.delta_validity - crl.delta_interval : crl.validity - crl.interval;
        list.push_back({std::string{crl_text}, crl_file_name(record.ca, record.shard, record.delta), record.next_update, overlap / 2, overlap / 4,
                        "serve publishes it by itself; is it running? its log says why it could not", configuration.status.place});
    }
}

void add_root_lists(const Configuration& configuration, const std::vector<Publisher>& all, CrlFiles& files, std::vector<Expiry>& list) {
    for (const auto& root : roots_of(all)) {
        const auto name = crl_file_name(root_base(root), 0, false);
        if (const auto found = files.find(name); found && (*found)->list.next_update())
            list.push_back({std::string{crl_text}, name, *(*found)->list.next_update(), root_crl_notice, root_crl_urgent,
                            fmt::format("estuaryd crl publish --root, with the key of {}", root.subject().to_text()), configuration.status.place});
    }
}

}  // namespace

Expiry::Urgency Expiry::urgency(Time now) const noexcept {
    if (now > at) return Urgency::past;
    if (at - now < urgent) return Urgency::urgent;
    return at - now < notice ? Urgency::notice : Urgency::none;
}

std::vector<Expiry> certificate_expiries(const Configuration& configuration, const authority::Authority& authority) {
    std::vector<Expiry> list;
    add_cas(configuration, authority, list);
    add_tls(configuration.tls, list);
    return list;
}

std::vector<Expiry> status_expiries(const Configuration& configuration, CrlFiles& files, store::Store& store, Time now) {
    std::vector<Expiry> list;
    if (!configuration.status.present) return list;
    const auto all = publishers(configuration, now);
    add_signers(configuration, all, list);
    add_crls(configuration, all, store, list);
    add_root_lists(configuration, all, files, list);
    return list;
}

void log_expiries(const std::vector<Expiry>& list, Time now) {
    using Urgency = Expiry::Urgency;
    for (const auto& expiry : list) {
        const auto urgency = expiry.urgency(now);
        if (urgency == Urgency::none) {
            // There may be thousands of lists, and each is logged when it is published.
            if (expiry.what != crl_text) log::info("valid", {{"what", expiry.what}, {"name", expiry.name}, {"until", to_iso8601(expiry.at)}});
            continue;
        }
        log::write(urgency == Urgency::notice ? log::Level::warning : log::Level::error,
                   urgency == Urgency::past ? "has expired" : "expires soon",
                   {{"what", expiry.what}, {"name", expiry.name}, {"until", to_iso8601(expiry.at)}, {"advice", expiry.advice}});
    }
}

void tell_expiries(const std::vector<Expiry>& list, Time now, Faults& faults) {
    using Urgency = Expiry::Urgency;
    for (const auto& expiry : list) {
        const auto urgency = expiry.urgency(now);
        if (urgency == Urgency::none) continue;
        faults.warn(expiry.place, fmt::format("{} {} {} on {}; {}", expiry.what, expiry.name, urgency == Urgency::past ? "expired" : "expires",
                                              to_iso8601(expiry.at), expiry.advice));
    }
}

}  // namespace estuary::daemon
