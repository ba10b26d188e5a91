#include "status.h"

#include <fmt/format.h>

#include "estuary/ocsp/verify.h"

namespace estuary::client {
namespace {

constexpr Seconds clock_skew{300};
constexpr Seconds age_max_without_next_update{86'400};

Result<std::vector<std::string>> responders(const Subject& subject, const StatusOptions& options) {
    if (!options.responder_url.empty()) return std::vector{options.responder_url};
    return ocsp::responder_uris(subject.certificate);
}

/// The first responder that knows; else the first that says unknown.
std::optional<Finding> ask_responders(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now,
                                      std::vector<Attempt>& attempts) {
    const auto urls = responders(subject, options);
    if (!urls) {
        attempts.push_back({"OCSP", urls.error()});
        return {};
    }
    if (urls->empty()) attempts.push_back({"OCSP", {Code::not_found, "the certificate names no OCSP responder"}});
    std::optional<Finding> unknown;
    for (const auto& url : *urls) {
        auto finding = ask_responder(subject, url, options, fetch, now);
        if (!finding) {
            attempts.push_back({url, finding.error()});
        } else if (finding->standing != Standing::unknown) {
            return std::move(*finding);
        } else if (!unknown) {
            unknown = std::move(*finding);
        }
    }
    return unknown;
}

void note_validity(const x509::Certificate& certificate, Time now, std::vector<std::string>& notes) {
    if (certificate.not_before() > now)
        notes.push_back(fmt::format("the certificate is not valid before {}", to_iso8601(certificate.not_before())));
    if (certificate.not_after() < now)
        notes.push_back(fmt::format("the certificate expired on {}", to_iso8601(certificate.not_after())));
}

}  // namespace

std::string_view to_string(Standing standing) noexcept {
    switch (standing) {
        case Standing::good: return "good";
        case Standing::revoked: return "revoked";
        case Standing::unknown: return "unknown";
    }
    return "";
}

bool StatusReport::unreachable() const {
    if (finding) return false;
    const auto is_trouble = [](const Attempt& attempt) {
        return attempt.error.code == Code::unavailable || attempt.error.code == Code::too_busy;
    };
    // A source that is not named anywhere neither helps nor hinders.
    const auto is_absent = [](const Attempt& attempt) { return attempt.error.code == Code::not_found; };
    return std::ranges::any_of(attempts, is_trouble) &&
           std::ranges::all_of(attempts, [&](const Attempt& attempt) { return is_trouble(attempt) || is_absent(attempt); });
}

Result<void> check_fresh(Time this_update, std::optional<Time> next_update, std::optional<Seconds> age_max, Time now) {
    if (this_update > now + clock_skew)
        return fail(Code::policy, fmt::format("it is of the future (thisUpdate {}): check the clock", to_iso8601(this_update)));
    if (next_update && now > *next_update + clock_skew)
        return fail(Code::policy, fmt::format("it is stale: its nextUpdate was {}", to_iso8601(*next_update)));
    const auto limit = age_max ? age_max : next_update ? std::nullopt : std::optional{age_max_without_next_update};
    if (limit && now - this_update > *limit + clock_skew)
        return fail(Code::policy, fmt::format("it is too old (thisUpdate {}{}); --max-age says what is allowed",
                                              to_iso8601(this_update), next_update ? "" : ", no nextUpdate"));
    return {};
}

StatusReport check_status(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now) {
    StatusReport report;
    note_validity(subject.certificate, now, report.notes);
    if (options.ocsp) report.finding = ask_responders(subject, options, fetch, now, report.attempts);
    const bool answered = report.finding && report.finding->standing != Standing::unknown;
    if (options.crl && !answered) {
        auto by_crl = ask_crls(subject, options, fetch, now, report.attempts);
        if (report.finding && by_crl && by_crl->standing == Standing::good)
            report.notes.push_back(fmt::format("the CRL of {} does not list it, but CRLs do not tell of certificates that were "
                                               "never issued; --crl goes by the CRL alone", by_crl->source));
        else if (by_crl)
            report.finding = std::move(by_crl);
    }
    if (report.finding) report.standing = report.finding->standing;
    return report;
}

}  // namespace estuary::client
