#include "estuary/ocsp/status_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/ocsp/verify.h"

namespace estuary::ocsp {
namespace {

constexpr Seconds clock_skew{300};
constexpr Seconds age_max_without_next_update{86'400};

Result<std::vector<std::string>> responders(const Subject& subject, const StatusOptions& options) {
    if (!options.responder_url.empty()) return std::vector{options.responder_url};
    return responder_uris(subject.certificate);
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
        return fail(Code::policy,
                    fmt::format("it is too old (thisUpdate {}{})", to_iso8601(this_update), next_update ? "" : ", no nextUpdate"));
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
                                               "never issued", by_crl->source));
        else if (by_crl)
            report.finding = std::move(by_crl);
    }
    if (report.finding) report.standing = report.finding->standing;
    return report;
}

PathReport check_path(const std::vector<x509::Certificate>& path, const std::vector<x509::Certificate>& anchors, const CheckOne& check) {
    PathReport worst{Standing::good, path.front(), {}};
    // An anchor that is its own end entity is asked about itself.
    const auto count = std::max<std::size_t>(1, path.size() - 1);
    for (std::size_t i = 0; i < count; ++i) {
        auto report = check({path[i], path[std::min(i + 1, path.size() - 1)], path, anchors});
        const auto standing = report.standing;
        const bool worse = standing == Standing::revoked || (standing == Standing::unknown && worst.standing == Standing::good);
        if (i == 0 || worse) worst = {standing, path[i], std::move(report)};
        if (standing == Standing::revoked) break;
    }
    return worst;
}

std::string why_unknown(const StatusReport& report) {
    if (report.finding) return fmt::format("{} says: {}", report.finding->source, to_string(report.standing));
    std::string why;
    for (const auto& attempt : report.attempts) why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", attempt.source, attempt.error.detail);
    return why;
}

std::optional<Error> objection(const PathReport& path, PeerCheck mode, std::string_view whose) {
    const auto& [standing, certificate, report] = path;
    if (mode == PeerCheck::off || standing == Standing::good) return {};
    const auto which = fmt::format("{} certificate{}", whose, certificate.is_ca() ? ", or rather that of " + certificate.subject().to_text() + " above it," : "");
    if (standing == Standing::revoked)
        return Error{Code::not_authorised,
                     fmt::format("{} is revoked since {} ({}), says {}", which, to_iso8601(report.finding->revoked_at),
                                 x509::to_string(report.finding->reason), report.finding->source), {}, 0};
    if (mode == PeerCheck::soft) return {};
    return Error{report.unreachable() ? Code::unavailable : Code::not_authorised,
                 fmt::format("whether {} is revoked cannot be told", which), why_unknown(report), 0};
}

}  // namespace estuary::ocsp
