#include "apps/estuaryd/peer_checks.h"

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/net/fetch.h"

namespace estuary::daemon {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto ocsp_timeout = 5s;        // somebody waits for the request itself
constexpr auto crl_timeout = 15s;        // large ones take their time
constexpr unsigned retry_soon_s = 5;     // the check is done by then, mostly
constexpr unsigned retry_later_s = 60;   // when silent hosts are asked again

/// The innermost on this thread.
thread_local PeerChecks::Watch* watching = nullptr;

std::string name_of(const PeerPolicy& policy, const x509::Certificate& certificate) {
    return fmt::format("manufacturer:{}/{}", policy.manufacturer, certificate.serial_hex());  // as Principal::describe()
}

}  // namespace

PeerFetch network_peer_fetch() {
    return [](const http::Url& url, const http::Request& request, std::size_t body_bytes_max, bool public_addresses_only,
              Steady::time_point deadline) -> Result<http::Response> {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
        if (left <= 0ms) return fail(Code::unavailable, "there was no time left to ask");
        net::FetchOptions how;
        how.trust.system_anchors = true;
        how.body_bytes_max = body_bytes_max;
        how.timeout = std::min<std::chrono::milliseconds>(left, body_bytes_max > ocsp::ocsp_bytes_max ? crl_timeout : ocsp_timeout);
        how.public_addresses_only = public_addresses_only;
        return net::fetch(url, request, how);
    };
}

// -- Watch -----------------------------------------------------------------------------------------------------------

PeerChecks::Watch::Watch() { watching = this; }
PeerChecks::Watch::~Watch() { watching = nullptr; }

bool PeerChecks::Watch::wait(std::function<void()> resume) const { return checks_ != nullptr && checks_->wait(path_, resume); }

// -- PeerChecks ------------------------------------------------------------------------------------------------------

/// One path, checked. Dropped without run() when the pool stops: then nobody waits any more.
class PeerChecks::CheckJob final : public net::Job {
public:
    CheckJob(PeerChecks& checks, PeerPolicy policy, Path path) : checks_{checks}, policy_{std::move(policy)}, path_{std::move(path)} {}
    void run() override { checks_.run(policy_, path_); }

private:
    PeerChecks& checks_;
    PeerPolicy policy_;
    Path path_;
};

PeerChecks::PeerChecks(store::Store& store, const Clock& clock, PeerFetch fetch, const Limits& limits)
    : store_{store}, clock_{clock}, fetch_{std::move(fetch)}, limits_{limits}, memory_{limits.memory}, pool_{limits.threads, limits.checks_max} {}

Result<PeerChecks::Path> PeerChecks::read(const std::vector<ByteVec>& verified_chain) {
    Path path;
    der::Writer writer;
    for (const auto& der : verified_chain) {
        ESTUARY_TRY(auto certificate, x509::Certificate::parse(der));
        path.certificates.push_back(std::move(certificate));
        writer.octet_string(der);
    }
    path.key = crypto::sha256(writer.bytes());
    return path;
}

/// Nothing if it is not known of every certificate of the path.
std::optional<ocsp::PathReport> PeerChecks::known(const Path& path) {
    bool all = true;
    const auto now = clock_.now();
    auto report = ocsp::check_path(path.certificates, {path.certificates.back()}, [&](const ocsp::Subject& subject) {
        auto found = memory_.find(subject.certificate, subject.issuer, now);
        if (!found) all = false;
        return found ? std::move(*found) : ocsp::StatusReport{};
    });
    // What is revoked is so, whatever may be learnt of the others.
    if (!all && report.standing != ocsp::Standing::revoked) return std::nullopt;
    return report;
}

Result<void> PeerChecks::judge(const PeerPolicy& policy, const std::vector<ByteVec>& verified_chain) {
    if (policy.check == ocsp::PeerCheck::off) return {};
    ESTUARY_TRY(const auto path, read(verified_chain));
    const auto report = known(path);
    if (!report) {
        const bool begun = begin(policy, path);
        if (begun && watching != nullptr) {
            watching->checks_ = this;
            watching->path_ = path.key;
        }
        return fail(Error{Code::too_busy, "whether the client certificate is revoked is being asked", {}, retry_soon_s});
    }
    auto error = ocsp::objection(*report, policy.check, "the client's");
    if (!error) return {};
    if (error->code == Code::unavailable) error->retry_after_s = retry_later_s;
    return fail(std::move(*error));
}

bool PeerChecks::begin(const PeerPolicy& policy, const Path& path) {
    const std::lock_guard lock{mutex_};
    if (stopping_) return false;
    if (under_way_.contains(path.key)) return true;
    if (!std::exchange(started_, true)) pool_.start();
    std::unique_ptr<net::Job> job = std::make_unique<CheckJob>(*this, policy, path);
    if (!pool_.try_push(job)) {
        ++counters_.turned_away;
        return false;
    }
    under_way_.emplace(path.key, std::vector<std::function<void()>>{});
    return true;
}

bool PeerChecks::wait(const crypto::Sha256& path, std::function<void()>& resume) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_ || waiting_ >= limits_.waiting_max) return false;
        if (const auto found = under_way_.find(path); found != under_way_.end()) {
            found->second.push_back(std::move(resume));
            ++waiting_;
            return true;
        }
    }
    resume();  // done in between
    return true;
}

void PeerChecks::run(const PeerPolicy& policy, const Path& path) {
    try {
        tell(policy, path, ask(policy, path));
    } catch (const std::exception& error) {
        log::error("fault", {{"while", "asking for the status of a client's certificate"}, {"what", error.what()}});
    }
    finished(path.key);
}

ocsp::PathReport PeerChecks::ask(const PeerPolicy& policy, const Path& path) {
    const auto deadline = Steady::now() + limits_.check_timeout;
    const ocsp::Fetch fetch = [&](const http::Url& url, const http::Request& request, std::size_t body_bytes_max) {
        return fetch_(url, request, body_bytes_max, policy.public_addresses_only, deadline);
    };
    ocsp::StatusOptions options;
    options.crl_bytes_max = limits_.crl_bytes_max;
    return ocsp::check_path(path.certificates, {path.certificates.back()}, [&](const ocsp::Subject& subject) {
        return memory_.check(subject, options, fetch, clock_.now());
    });
}

void PeerChecks::tell(const PeerPolicy& policy, const Path& path, const ocsp::PathReport& report) {
    const auto who = name_of(policy, path.certificates.front());
    const auto subject = path.certificates.front().subject().to_text();
    switch (report.standing) {
        case ocsp::Standing::good:
            ++counters_.good;
            return log::debug("client certificate is not revoked", {{"who", who}, {"subject", subject}, {"says", report.report.finding->source}});
        case ocsp::Standing::revoked:
            ++counters_.revoked;
            return audit(policy, path, *ocsp::objection(report, policy.check, "the client's"));
        case ocsp::Standing::unknown: break;
    }
    ++counters_.unknown;
    log::warning("whether a client certificate is revoked cannot be told",
                 {{"who", who}, {"subject", subject}, {"of", report.certificate.subject().to_text()}, {"why", ocsp::why_unknown(report.report)},
                  {"so", policy.check == ocsp::PeerCheck::hard ? "it is refused" : "it is let in"}});
}

/// Once for what was learnt, not for every request that is refused for it.
void PeerChecks::audit(const PeerPolicy& policy, const Path& path, const Error& why) {
    store::AuditEvent line;
    line.at = clock_.now();
    line.event = "client.refused";
    line.actor = name_of(policy, path.certificates.front());
    line.object = path.certificates.front().subject().to_text();
    line.outcome = std::string{to_string(why.code)};
    line.detail = why.detail;
    log::warning("client certificate is revoked", {{"who", line.actor}, {"subject", line.object}, {"detail", line.detail}});
    store::UnitOfWork work;
    work.writes.emplace_back(store::AppendAudit{std::move(line)});
    // It is refused whether that can be recorded or not.
    if (auto stored = store_.commit(std::move(work)); !stored)
        log::error("a refusal is not in the audit trail", {{"detail", stored.error().detail}, {"cause", stored.error().cause}});
}

void PeerChecks::finished(const crypto::Sha256& path) noexcept {
    std::vector<std::function<void()>> who_waits;
    {
        const std::lock_guard lock{mutex_};
        const auto found = under_way_.find(path);
        if (found == under_way_.end()) return;  // stop() was faster
        who_waits = std::move(found->second);
        under_way_.erase(found);
        waiting_ -= who_waits.size();
    }
    for (const auto& resume : who_waits) resume();
}

void PeerChecks::begin_stop() {
    std::vector<std::function<void()>> who_waits;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        for (auto& [path, waiting] : under_way_) std::ranges::move(waiting, std::back_inserter(who_waits));
        under_way_.clear();
        waiting_ = 0;
    }
    for (const auto& resume : who_waits) resume();
}

void PeerChecks::stop() {
    begin_stop();
    pool_.stop();
}

std::size_t PeerChecks::waiting() const {
    const std::lock_guard lock{mutex_};
    return waiting_;
}

}  // namespace estuary::daemon
