#include "command_cmp.h"

#include <array>

#include <fmt/format.h>

#include "commands.h"

namespace estuary::client {
namespace {

struct NotOffered {
    const char* name;
    const char* what;
    const char* why;
};
constexpr std::array<NotOffered, 2> not_offered{{
    {"krr", "Not offered: recovery of keys", "keys are not recovered by CMP; what was archived, its recovery agents can open"},
    {"ccr", "Not offered: cross-certification", "cross-certificates are not asked for by CMP; operators of CAs exchange them"},
}};

/// So that who looks for them finds out.
void add_not_offered(CLI::App& cmp, int& status) {
    for (const auto& one : not_offered) {
        auto* command = cmp.add_subcommand(one.name, one.what);
        command->allow_extras();
        command->callback([&one, &status] { status = report({{Code::unsupported, fmt::format("{}: {}", one.name, one.why)}, exit_usage}); });
    }
}

}  // namespace

void add_cmp(CLI::App& program, const Clock& clock, int& status) {
    auto* command = program.add_subcommand("cmp", "Certificate Management Protocol (RFC 9810, RFC 9483)");
    command->require_subcommand(1);
    command->footer("Examples:\n"
                    "  estuary cmp ir http://ca.example --user device1 --password-file secret --subject CN=device1 --out DIR\n"
                    "  estuary cmp kur DIR\n"
                    "  estuary cmp rr http://ca.example --cert cert.pem --cert-key key.pem --reason superseded\n"
                    "  estuary cmp genm http://ca.example cacerts --user device1 --password-file secret\n"
                    "Exit status: 0 done, 1 failed here, 2 usage, 3 refused by the authority, 4 the answer cannot be trusted,\n"
                    "5 waiting for approval, 6 not reachable or busy.");
    add_cmp_enroll(*command, clock, status);
    add_cmp_revoke(*command, clock, status);
    add_cmp_ask(*command, clock, status);
    add_not_offered(*command, status);
}

}  // namespace estuary::client
