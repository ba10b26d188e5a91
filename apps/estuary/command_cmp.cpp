#include "command_cmp.h"

#include "commands.h"

namespace estuary::client {

void add_cmp(CLI::App& program, const Clock& clock, int& status) {
    auto* command = program.add_subcommand("cmp", "Certificate Management Protocol (RFC 9810, RFC 9483)");
    command->require_subcommand(1);
    command->footer("Examples:\n"
                    "  estuary cmp ir http://ca.example --user device1 --password-file secret --subject CN=device1 --out DIR\n"
                    "  estuary cmp kur DIR\n"
                    "  estuary cmp rr http://ca.example --cert cert.pem --cert-key key.pem --reason superseded\n"
                    "  estuary cmp genm http://ca.example passphrase --cert cert.pem --trust root.pem --passphrase-file FILE --key-id dev1\n"
                    "  estuary cmp rr http://ca.example --revoke cert.pem --passphrase-file FILE --key-id dev1 --reason keyCompromise\n"
                    "  estuary cmp krr --dir DIR --all --out KEYS\n"
                    "  estuary cmp ccr http://ca.example --key issuing.key --certify issuing.pem --user sub --password-file secret --trust root.pem --out sub.pem\n"
                    "  estuary cmp genm http://ca.example cacerts --user device1 --password-file secret\n"
                    "Exit status: 0 done, 1 failed here, 2 usage, 3 refused by the authority, 4 the answer cannot be trusted,\n"
                    "5 waiting for approval, 6 not reachable or busy.");
    add_cmp_enroll(*command, clock, status);
    add_cmp_revoke(*command, clock, status);
    add_cmp_recover(*command, clock, status);
    add_cmp_cross(*command, clock, status);
    add_cmp_ask(*command, clock, status);
}

}  // namespace estuary::client
