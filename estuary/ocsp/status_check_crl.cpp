// What CRLs say (RFC 5280 6.3.3): fetched or given, complete and delta.
#include <algorithm>

#include <fmt/format.h>

#include "estuary/ocsp/status_check.h"
#include "estuary/x509/distribution_point.h"
#include "estuary/x509/path.h"

namespace estuary::ocsp {
namespace {

using x509::RevocationList;

/// The work on one certificate.
class CrlCheck {
public:
    CrlCheck(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now, std::vector<Attempt>& attempts)
        : subject_{subject}, options_{options}, fetch_{fetch}, now_{now}, attempts_{attempts} {}

    std::optional<Finding> run() {
        if (!options_.lists.empty()) {
            for (const auto& [list, from] : options_.lists)
                if (!list.is_delta() && !complete()) take(list, from);
        } else if (!options_.crl_url.empty()) {
            take_from(options_.crl_url);
        } else {
            walk_points();
        }
        return conclude();
    }

private:
    /// Every point, for each may speak of other reasons; of one point's URIs the first that serves (RFC 5280 4.2.1.13).
    void walk_points() {
        const auto points = x509::distribution_points(subject_.certificate.extensions());
        if (!points) return complain("CRL", points.error());
        bool named = false;
        for (const auto& point : *points) {
            if (complete()) return;
            if (!point.name) continue;
            for (const auto& uri : point.name->uris()) {
                if (!is_http(uri)) continue;
                named = true;
                if (take_from(uri)) break;
            }
        }
        if (!named) complain("CRL", {Code::not_found, "the certificate names no CRL at an http or https address"});
    }

    static bool is_http(const std::string& uri) { return uri.starts_with("http://") || uri.starts_with("https://"); }
    bool complete() const { return revoked_ || reasons_ == x509::all_reasons; }
    void complain(std::string source, Error error) { attempts_.push_back({std::move(source), std::move(error)}); }

    Result<RevocationList> list_at(const std::string& uri) const {
        return options_.list_source ? options_.list_source(uri) : fetch_list(uri, fetch_, options_.crl_bytes_max);
    }

    bool take_from(const std::string& uri) {
        const auto list = list_at(uri);
        if (list) return take(*list, uri);
        complain(uri, list.error());
        return false;
    }

    /// Takes one complete list into account, with its delta if there is one. False: it is of no use.
    bool take(const RevocationList& list, const std::string& source) {
        Finding finding;
        if (auto taken = judge(list, source, finding); !taken) {
            complain(source, taken.error());
            return false;
        }
        revoked_ = revoked_ || finding.standing == Standing::revoked;
        // The list that revokes is the one to be shown; of several that do not, the oldest limits how long the answer holds.
        const bool tells_more = !finding_ || revoked_ || until(finding) < until(*finding_);
        if (tells_more) finding_ = std::move(finding);
        return true;
    }
    static std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) { return a && b ? std::min(a, b) : a ? a : b; }
    static Time until(const Finding& finding) { return finding.next_update.value_or(finding.this_update); }

    Result<void> judge(const RevocationList& list, const std::string& source, Finding& finding) {
        ESTUARY_TRY(const auto signer, verified(list));
        ESTUARY_TRY(const auto covered, list.covers(subject_.certificate));
        const auto delta = find_delta(list, finding);
        ESTUARY_TRY(const auto said, x509::status_in_crls(subject_.certificate, list, delta ? &delta->list : nullptr));
        reasons_ |= covered;
        finding.standing = said.kind == x509::CrlStatus::Kind::revoked ? Standing::revoked : Standing::good;
        finding.revoked_at = said.revoked_at;
        finding.reason = said.reason;
        finding.invalidity_date = said.invalidity_date;
        finding.source = source;
        finding.signer = signer.subject().to_text();
        finding.this_update = list.this_update();
        finding.next_update = list.next_update();
        if (delta) {
            finding.delta_source = delta->from;
            finding.this_update = delta->list.this_update();
            finding.next_update = earlier(list.next_update(), delta->list.next_update());
        }
        return {};
    }

    /// Signature and time; who signed it.
    Result<x509::Certificate> verified(const RevocationList& list) const {
        ESTUARY_CHECK(list.check_usable());
        ESTUARY_TRY(auto signer, signer_of(list));
        ESTUARY_CHECK(check_fresh(list.this_update(), list.next_update(), options_.age_max, now_));
        return signer;
    }

    Result<x509::Certificate> signer_of(const RevocationList& list) const {
        const auto by_issuer = list.verify_issued_by(subject_.issuer);
        if (by_issuer) return subject_.issuer;
        for (const auto& other : subject_.others)
            if (list.verify_issued_by(other) && belongs(other)) return other;
        if (by_issuer.error().code == Code::not_authorised) return fail(by_issuer.error());
        return fail(Error{Code::bad_proof, "the CRL is not signed by the certificate's issuer: " + by_issuer.error().detail, {}, 0});
    }

    /// RFC 5280 6.3.3 (f): the path of another CRL issuer ends at the same anchor as that of the certificate. A namesake of the
    /// issuer, which would be the CA with another key, must also come from where the issuer comes from, or from the issuer.
    bool belongs(const x509::Certificate& other) const {
        const auto& issuer = subject_.issuer;
        const bool related = other.issuer().matches(issuer.issuer()) || other.issuer().matches(issuer.subject());
        if (other.subject().matches(issuer.subject()) && !related) return false;
        auto intermediates = subject_.others;
        intermediates.push_back(issuer);
        const auto anchors = subject_.anchors.empty() ? std::vector{issuer} : subject_.anchors;
        return x509::validate_path(other, intermediates, anchors, {.at = now_, .required_ext_key_usage = {}}).has_value();
    }

    /// Why a delta cannot be taken into account, or nothing when it can.
    Result<void> check_delta(const RevocationList& delta, const RevocationList& list) const {
        ESTUARY_CHECK(verified(delta));
        return list.check_updated_by(delta);
    }

    std::vector<std::string> delta_uris(const RevocationList& list) const {
        std::vector<std::string> all;
        const auto add = [&](const Result<std::vector<std::string>>& uris) {
            if (!uris) return;
            for (const auto& uri : *uris)
                if (is_http(uri) && std::ranges::find(all, uri) == all.end()) all.push_back(uri);
        };
        add(x509::crl_uris(subject_.certificate.extensions(), x509::oid::freshest_crl));
        add(list.freshest_crl_uris());
        return all;
    }

    /// Without its delta a complete list still holds as long as it says; the note tells that it is not the last word.
    std::optional<GivenList> find_delta(const RevocationList& list, Finding& finding) const {
        for (const auto& given : options_.lists)
            if (given.list.is_delta() && consider_delta(given.list, given.from, list, finding)) return given;
        if (!options_.lists.empty()) return {};
        for (const auto& uri : delta_uris(list)) {
            const auto delta = list_at(uri);
            if (!delta) {
                finding.notes.push_back(fmt::format("the delta CRL {} was not to be had: {}", uri, delta.error().detail));
            } else if (consider_delta(*delta, uri, list, finding)) {
                return GivenList{*delta, uri};
            }
        }
        return {};
    }

    bool consider_delta(const RevocationList& delta, const std::string& from, const RevocationList& list, Finding& finding) const {
        const auto usable = check_delta(delta, list);
        if (usable) return true;
        // The complete list came after the delta: it knows already what that says.
        const bool overtaken = delta.crl_number() && list.crl_number() && *delta.crl_number() <= *list.crl_number();
        if (!overtaken)
            finding.notes.push_back(fmt::format("the delta CRL {} was left aside: {}", from, usable.error().detail));
        return false;
    }

    std::optional<Finding> conclude() {
        if (!finding_ || revoked_) return std::move(finding_);
        if (reasons_ != x509::all_reasons) {
            complain(finding_->source, {Code::unsupported, "the CRLs that were found speak of some reasons for revocation only"});
            return {};
        }
        // RFC 5280 3.3: an entry may go once a CRL came out after the certificate's end.
        if (subject_.certificate.not_after() < now_) {
            complain(finding_->source, {Code::unsupported, "the certificate has expired, and CRLs forget those"});
            return {};
        }
        return std::move(finding_);
    }

    const Subject& subject_;
    const StatusOptions& options_;
    const Fetch& fetch_;
    const Time now_;
    std::vector<Attempt>& attempts_;
    x509::ReasonFlags reasons_ = 0;
    bool revoked_ = false;
    std::optional<Finding> finding_;
};

}  // namespace

Result<RevocationList> fetch_list(const std::string& uri, const Fetch& fetch, std::size_t bytes_max) {
    ESTUARY_TRY(const auto url, http::Url::parse(uri));
    ESTUARY_TRY(const auto answer, fetch(url, {"GET", {}, {}, {}}, bytes_max));
    if (answer.status >= 500)
        return fail(Code::unavailable, fmt::format("the server answers {}: try again later", answer.status));
    if (answer.status != 200) return fail(Code::unsupported, fmt::format("the server answers {}, not 200", answer.status));
    return RevocationList::from_bytes(as_bytes(answer.body));
}

std::optional<Finding> ask_crls(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now,
                                std::vector<Attempt>& attempts) {
    return CrlCheck{subject, options, fetch, now, attempts}.run();
}

}  // namespace estuary::ocsp
