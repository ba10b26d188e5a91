#include <fmt/format.h>

#include "command_line.h"
#include "commands.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "package_source.h"

namespace estuary::client {
namespace {

struct PalOptions {
    SourceOptions source;
    bool json = false, xml = false;
};

struct InfoText {
    std::string operator()(const est::PalUri& uri) const { return uri.text; }
    std::string operator()(const est::PalDn& dn) const { return "certificate of " + dn.text; }
    std::string operator()(const est::PalSki& ski) const { return "certificate with key identifier " + to_hex(ski.octets); }
    std::string operator()(const est::PalIssuerAndSerial& iasn) const {
        return fmt::format("certificate {} of {}", iasn.serial, iasn.issuer);
    }
};

void print(const std::vector<est::PalEntry>& entries) {
    fmt::print("{:<5} {:<38} {:>9} {:<20} {}\n", "TYPE", "WHAT", "OCTETS", "FETCHED", "WHERE");
    for (const auto& entry : entries) {
        const auto* type = est::pal_type(entry.type);
        fmt::print("{:<5} {:<38} {:>9} {:<20} {}\n", entry.type, type == nullptr ? "(not known here)" : type->name, entry.size,
                   entry.date ? to_iso8601(*entry.date) : "-", text::printable(std::visit(InfoText{}, entry.info)));
    }
}

Outcome<void> show_pal(const PalOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto source, open_source(options.source, clock));
    ESTUARY_TRY_OUTCOME(auto entries, whole_pal(*source.session));
    if (options.json) fmt::print("{}", est::Pal{std::move(entries)}.to_json());
    else if (options.xml) fmt::print("{}", est::Pal{std::move(entries)}.to_xml());
    else print(entries);
    return {};
}

}  // namespace

void add_pal(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<PalOptions>();
    auto* command = program.add_subcommand("pal", "List what waits for this client (RFC 8295 2)");
    options->source.add_to(*command);
    auto* json = command->add_flag("--json", options->json, "As JSON (RFC 8295 2.1.3)");
    command->add_flag("--xml", options->xml, "As XML (RFC 8295 2.1.2)")->excludes(json);
    command->footer("Examples:\n"
                    "  estuary pal /etc/estuary/dev1\n"
                    "  estuary pal https://ca.example:8443 --trust ca.pem --user dev1 --password-file pw --json");
    run_with(*command, options, show_pal, clock, status);
}

}  // namespace estuary::client
