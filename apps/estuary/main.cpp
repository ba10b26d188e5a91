#include <csignal>
#include <exception>

#include <fmt/format.h>

#include "commands.h"
#include "exit_status.h"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const estuary::SystemClock clock;
    int status = estuary::client::exit_ok;
    CLI::App program{"estuary: get, renew and check X.509 certificates over the network (EST, RFC 7030; CMC, RFC 10002; CMP, RFC 9810; OCSP, CRL)"};
    program.set_version_flag("--version", "estuary " ESTUARY_VERSION);
    program.require_subcommand(1);
    program.footer("First steps:\n"
                   "  estuary enroll https://ca.example:8443 --fingerprint SHA256 --user NAME --password-file FILE \\\n"
                   "      --subject CN=NAME --out DIR\n"
                   "  estuary renew DIR --if-due\n"
                   "  estuary status DIR\n"
                   "Each command explains itself: estuary COMMAND --help. Manual page: estuary(1).");
    estuary::client::add_cacerts(program, clock, status);
    estuary::client::add_csrattrs(program, clock, status);
    estuary::client::add_enroll(program, clock, status);
    estuary::client::add_renew(program, clock, status);
    estuary::client::add_revoke(program, clock, status);
    estuary::client::add_pal(program, clock, status);
    estuary::client::add_packages(program, clock, status);
    estuary::client::add_cmc(program, clock, status);
    estuary::client::add_cmp(program, clock, status);
    estuary::client::add_status(program, clock, status);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? estuary::client::exit_ok : estuary::client::exit_usage;
    } catch (const std::exception& error) {
        fmt::print(stderr, "estuary: {}\n", error.what());
        return estuary::client::exit_failed;
    }
    return status;
}
