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

Outcome<std::vector<x509::Certificate>> path_of(const net::Connection& connection) {
    std::vector<x509::Certificate> path;
    for (const auto& der : connection.verified_chain()) {
        ESTUARY_TRY_AS(auto certificate, x509::Certificate::parse(der), local_failure);
        path.push_back(std::move(certificate));
    }
    if (path.empty()) return refused("the server is not verified, so its status cannot be checked");
    return path;
}

}  // namespace

void add_check_server(CLI::App& command, ocsp::PeerCheck& mode) {
    const std::map<std::string, ocsp::PeerCheck> modes{{"off", ocsp::PeerCheck::off}, {"soft", ocsp::PeerCheck::soft}, {"hard", ocsp::PeerCheck::hard}};
    command.add_option("--check-server", mode, "Ask whether the server's certificate is revoked (OCSP, CRL) before sending anything: "
                                               "off (default), soft (go on with a warning if nobody can tell), hard (stop then)")
        ->transform(CLI::CheckedTransformer(modes).description(""))->type_name("off|soft|hard")->default_str("");
}

Outcome<void> check_server_status(const net::Connection& connection, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto path, path_of(connection));
    return check_path_status(path, mode, trust, clock);
}

Outcome<void> check_path_status(const std::vector<x509::Certificate>& path, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock) {
    if (mode == ocsp::PeerCheck::off) return {};
    const auto fetch = network_fetch({trust, answer_within});
    const auto report = ocsp::check_path(path, trust.anchors, [&](const ocsp::Subject& subject) {
        return ocsp::check_status(subject, {}, fetch, clock.now());
    });
    if (auto error = ocsp::objection(report, mode, "the server's"))
        return refused(error->detail + (report.standing == ocsp::Standing::unknown ? " (--check-server hard)" : ""), error->cause);
    if (report.standing == ocsp::Standing::unknown)
        fmt::print(stderr, "estuary: warning: whether {} is revoked cannot be told\n  ({})\n",
                   report.certificate.is_ca() ? text::printable(report.certificate.subject().to_text()) + " on the server's path" : "the server's certificate",
                   text::printable(ocsp::why_unknown(report.report)));
    return {};
}

void check_server_of(Session& session, ocsp::PeerCheck mode, const Trust& trust, const Clock& clock) {
    if (mode == ocsp::PeerCheck::off) return;
    session.set_peer_check([mode, trust, &clock](const net::Connection& connection) {
        return check_server_status(connection, mode, trust, clock);
    });
}

}  // namespace estuary::client
