#include "status_report.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::client {
namespace {

/// Names and addresses are of others' making: nothing in them may drive a terminal or spoil the JSON.
std::string clean(const std::string& text) { return text::is_plain_utf8(text) ? text : text::printable(text); }

std::string line(std::string_view name, const std::string& value) { return fmt::format("  {:<13} {}\n", name, value); }

std::string headline(const ocsp::StatusReport& report) {
    if (report.standing != ocsp::Standing::revoked) return fmt::format("{}\n", to_string(report.standing));
    const auto& finding = *report.finding;
    const bool on_hold = finding.reason == x509::CrlReason::certificate_hold;
    return fmt::format("{} since {}: {}\n", on_hold ? "revoked (on hold)" : "revoked", to_iso8601(finding.revoked_at),
                       x509::to_string(finding.reason));
}

std::string told_by(const ocsp::Finding& finding) {
    auto text = fmt::format("{} {}", finding.by_ocsp ? "OCSP" : "CRL", clean(finding.source));
    if (!finding.delta_source.empty()) text += fmt::format(" with delta {}", clean(finding.delta_source));
    text += fmt::format(", signed by {}", clean(finding.signer));
    if (finding.by_ocsp) text += finding.nonce_matched ? ", fresh (nonce matched)" : ", without nonce";
    return text;
}

std::string finding_text(const ocsp::Finding& finding) {
    std::string out;
    if (finding.invalidity_date) out += line("invalid since", to_iso8601(*finding.invalidity_date));
    out += line("told by", told_by(finding));
    out += line("as of", to_iso8601(finding.this_update));
    out += line("holds until", finding.next_update ? to_iso8601(*finding.next_update) : "not said; newer may be had at any time");
    return out;
}

bool names_nothing(const ocsp::StatusReport& report) {
    return !report.finding && !report.attempts.empty() &&
           std::ranges::all_of(report.attempts, [](const ocsp::Attempt& attempt) { return attempt.source == "OCSP" || attempt.source == "CRL"; });
}

std::string advice(const ocsp::StatusReport& report) {
    if (names_nothing(report))
        return "Say whom to ask: --url URL (an OCSP responder), --crl --url URL (a CRL), or --crl-file FILE.\n";
    if (report.unreachable()) return "Nobody could be reached; try again later.\n";
    return "";
}

boost::json::value time_or_null(const std::optional<Time>& time) {
    return time ? boost::json::value(to_iso8601(*time)) : boost::json::value(nullptr);
}

boost::json::object source_json(const ocsp::Finding& finding) {
    boost::json::object source{{"kind", finding.by_ocsp ? "ocsp" : "crl"}, {"from", clean(finding.source)},
                               {"signer", clean(finding.signer)}, {"this_update", to_iso8601(finding.this_update)}};
    if (!finding.delta_source.empty()) source["delta_from"] = clean(finding.delta_source);
    if (finding.by_ocsp) source["nonce_matched"] = finding.nonce_matched;
    return source;
}

boost::json::object subject_json(const StatusAbout& about) {
    const auto& certificate = about.subject.certificate;
    return {{"subject", clean(certificate.subject().to_text())}, {"issuer", clean(certificate.issuer().to_text())},
            {"serial_number", certificate.serial_hex()}, {"not_before", to_iso8601(certificate.not_before())},
            {"not_after", to_iso8601(certificate.not_after())}, {"path_verified", about.path_verified}};
}

}  // namespace

StatusExit exit_status_of(const ocsp::StatusReport& report) {
    switch (report.standing) {
        case ocsp::Standing::good: return status_good;
        case ocsp::Standing::revoked: return status_revoked;
        case ocsp::Standing::unknown: break;
    }
    return report.unreachable() ? status_unreachable : status_unknown;
}

std::string status_text(const ocsp::StatusReport& report, const StatusAbout& about) {
    const auto& [certificate, issuer, others, anchors] = about.subject;
    auto out = headline(report);
    out += line("certificate", fmt::format("{}, serial number {}, valid until {}", clean(certificate.subject().to_text()),
                                           certificate.serial_hex(), to_iso8601(certificate.not_after())));
    out += line("issuer", fmt::format("{} ({})", clean(issuer.subject().to_text()),
                                      about.path_verified ? "path to a trust anchor verified"
                                                          : "its signature verified; whether to trust it was not asked: --trust"));
    if (report.finding) out += finding_text(*report.finding);
    const auto note = [&out](const std::string& text) { out += line("note", clean(text)); };
    std::ranges::for_each(report.notes, note);
    if (report.finding) std::ranges::for_each(report.finding->notes, note);
    for (const auto& [source, error] : report.attempts) out += line("in vain", fmt::format("{}: {}", clean(source), clean(error.detail)));
    return out + advice(report);
}

std::string status_json(const ocsp::StatusReport& report, const StatusAbout& about) {
    boost::json::object out{{"status", to_string(report.standing)}, {"certificate", subject_json(about)}};
    boost::json::array notes, attempts;
    for (const auto& note : report.notes) notes.emplace_back(clean(note));
    if (report.finding) {
        const auto& finding = *report.finding;
        if (finding.standing == ocsp::Standing::revoked) {
            out["revoked_at"] = to_iso8601(finding.revoked_at);
            out["reason"] = x509::to_string(finding.reason);
            out["invalidity_date"] = time_or_null(finding.invalidity_date);
        }
        out["source"] = source_json(finding);
        out["holds_until"] = time_or_null(finding.next_update);
        for (const auto& note : finding.notes) notes.emplace_back(clean(note));
    }
    for (const auto& [source, error] : report.attempts)
        attempts.push_back(boost::json::object{{"source", clean(source)}, {"error", to_string(error.code)}, {"detail", clean(error.detail)}});
    out["notes"] = std::move(notes);
    out["in_vain"] = std::move(attempts);
    return boost::json::serialize(out) + "\n";
}

}  // namespace estuary::client
