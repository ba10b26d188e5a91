#include <fmt/format.h>

#include "command_line.h"
#include "commands.h"
#include "estuary/base/encoding.h"
#include "peer_status.h"

namespace estuary::client {
namespace {

struct CsrAttrsOptions {
    std::string url, label;
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    TrustOptions trust;
};

void print(const est::CsrAttrs& attributes) {
    if (attributes.empty()) fmt::print("the server asks for nothing in particular\n");
    for (const auto& item : attributes.items) {
        if (!item.values) {
            fmt::print("{}\n", item.oid.dotted());
            continue;
        }
        for (const auto& value : *item.values) fmt::print("{} = {}\n", item.oid.dotted(), to_hex(value));
    }
    if (!attributes.request_template) return;
    const auto& wanted = *attributes.request_template;
    fmt::print("request template (RFC 9908):\n");
    if (wanted.subject)
        for (const auto& rdn : *wanted.subject)
            for (const auto& attribute : rdn)
                fmt::print("  subject {} = {}\n", attribute.type.dotted(), attribute.value ? attribute.value->second : "(yours)");
    if (wanted.key_algorithm) fmt::print("  key algorithm = {}\n", to_hex(*wanted.key_algorithm));
    if (wanted.rsa_bits) fmt::print("  RSA modulus of {} bits\n", *wanted.rsa_bits);
    for (const auto& extension : wanted.extensions)
        fmt::print("  extension {}{} = {}\n", extension.id.dotted(), extension.critical ? " critical" : "",
                   extension.value ? to_hex(*extension.value) : "(yours)");
}

Outcome<void> show_csr_attributes(const CsrAttrsOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto base, est_base(options.url, options.label));
    ESTUARY_TRY_OUTCOME(const auto trust, establish_trust(options.trust, base, clock));
    Session session{base, client_options(trust), clock};
    check_server_of(session, options.check_server, trust, clock);
    ESTUARY_TRY_OUTCOME(const auto attributes, session.csr_attributes());
    print(attributes);
    return {};
}

}  // namespace

void add_csrattrs(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<CsrAttrsOptions>();
    auto* command = program.add_subcommand("csrattrs", "Show what the server wants in a request (RFC 7030 4.5, RFC 9908)");
    command->add_option("URL", options->url, "https://host[:port]")->required();
    command->add_option("--label", options->label, "CA label (RFC 7030 3.2.2)");
    add_check_server(*command, options->check_server);
    options->trust.add_to(*command);
    command->footer("Example:\n  estuary csrattrs https://ca.example:8443 --trust anchors.pem");
    run_with(*command, options, show_csr_attributes, clock, status);
}

}  // namespace estuary::client
