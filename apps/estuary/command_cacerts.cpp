#include <fmt/format.h>

#include "command_line.h"
#include "commands.h"
#include "estuary/base/file.h"
#include "peer_status.h"

namespace estuary::client {
namespace {

struct CaCertsOptions {
    std::string url, label, out;
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    TrustOptions trust;
};

Outcome<void> show_ca_certificates(const CaCertsOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto base, est_base(options.url, options.label));
    ESTUARY_TRY_OUTCOME(const auto trust, establish_trust(options.trust, base, clock));
    // A new TLS session, authenticated this time: what is printed can be trusted (RFC 7030 4.1.1).
    Session session{base, client_options(trust), clock};
    check_server_of(session, options.check_server, trust, clock);
    ESTUARY_TRY_OUTCOME(const auto certificates, session.ca_certificates());
    ESTUARY_CHECK_AS(est::sort_ca_certificates(certificates), remote_failure);
    std::string pem;
    for (const auto& certificate : certificates) {
        pem += fmt::format("# subject {}\n# SHA-256 {}\n", certificate.subject().to_text(), certificate.sha256_fingerprint());
        pem += certificate.to_pem();
    }
    if (options.out.empty()) {
        fmt::print("{}", pem);
        return {};
    }
    ESTUARY_CHECK_AS(file::write_atomically(options.out, as_bytes(pem), file::Access::everyone_reads), local_failure);
    fmt::print("{} CA certificates written to {}\n", certificates.size(), options.out);
    return {};
}

}  // namespace

void add_cacerts(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<CaCertsOptions>();
    auto* command = program.add_subcommand("cacerts", "Fetch the CA certificates (RFC 7030 4.1)");
    command->add_option("URL", options->url, "https://host[:port]")->required();
    command->add_option("--label", options->label, "CA label (RFC 7030 3.2.2)");
    command->add_option("--out", options->out, "Write them here instead of to standard output")->type_name("FILE");
    add_check_server(*command, options->check_server);
    options->trust.add_to(*command);
    command->footer("Examples:\n"
                    "  estuary cacerts https://ca.example:8443 --fingerprint 4F:A1:…\n"
                    "  estuary cacerts https://ca.example:8443 --bootstrap --out anchors.pem");
    run_with(*command, options, show_ca_certificates, clock, status);
}

}  // namespace estuary::client
