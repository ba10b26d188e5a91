#include "peer_status.h"

#include <map>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "fetch.h"

namespace estuary::client {
namespace {

constexpr Seconds answer_within{15};  // somebody waits for the request itself

tl::unexpected<Failure> refused(std::string detail, std::string cause = {}) {
    return tl::unexpected<Failure>(Failure{Error{Code::not_authenticated, std::move(detail), std::move(cause)}, exit_not_trusted});
}

std::string why_unknown(const StatusReport& report) {
    if (report.finding) return fmt::format("{} says: {}", report.finding->source, to_string(report.standing));
    std::string why;
    for (const auto& attempt : report.attempts) why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", attempt.source, attempt.error.detail);
    return why;
}

Outcome<Subject> subject_of(const net::Connection& connection, const Trust& trust) {
    Subject subject;
    for (const auto& der : connection.verified_chain()) {
        ESTUARY_TRY_AS(auto certificate, x509::Certificate::parse(der), local_failure);
        subject.others.push_back(std::move(certificate));
    }
    if (subject.others.empty()) return refused("the server is not verified, so its status cannot be checked");
    subject.certificate = subject.others.front();
    subject.issuer = subject.others[subject.others.size() > 1 ? 1 : 0];
    subject.anchors = trust.anchors;
    return subject;
}

}  // namespace

void add_check_server(CLI::App& command, CheckServer& mode) {
    const std::map<std::string, CheckServer> modes{{"off", CheckServer::off}, {"soft", CheckServer::soft}, {"hard", CheckServer::hard}};
    command.add_option("--check-server", mode, "Ask whether the server's certificate is revoked (OCSP, CRL) before sending anything: "
                                               "off (default), soft (go on with a warning if nobody can tell), hard (stop then)")
        ->transform(CLI::CheckedTransformer(modes).description(""))->type_name("off|soft|hard")->default_str("");
}

Outcome<void> check_server_status(const net::Connection& connection, CheckServer mode, const Trust& trust, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto subject, subject_of(connection, trust));
    const auto report = check_status(subject, {}, network_fetch({trust, answer_within}), clock.now());
    if (report.standing == Standing::good) return {};
    if (report.standing == Standing::revoked)
        return refused(fmt::format("the server's certificate is revoked since {} ({}), says {}", to_iso8601(report.finding->revoked_at),
                                   x509::to_string(report.finding->reason), report.finding->source));
    if (mode == CheckServer::hard)
        return refused("whether the server's certificate is revoked cannot be told (--check-server hard)", why_unknown(report));
    fmt::print(stderr, "estuary: warning: whether the server's certificate is revoked cannot be told\n  ({})\n",
               text::printable(why_unknown(report)));
    return {};
}

void check_server_of(Session& session, CheckServer mode, const Trust& trust, const Clock& clock) {
    if (mode == CheckServer::off) return;
    session.set_peer_check([mode, trust, &clock](const net::Connection& connection) {
        return check_server_status(connection, mode, trust, clock);
    });
}

}  // namespace estuary::client
