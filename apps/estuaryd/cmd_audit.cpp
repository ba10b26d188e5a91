// estuaryd audit list, and backup.
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/paths.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/table.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t events_page = 1000;  // in memory at once

/// Page after page: the trail may be longer than memory.
template <class Visit>
Result<void> visit(store::Store& store, const AuditOptions& options, Visit visit_event) {
    auto after = options.after_id;
    std::size_t seen = 0;
    for (;;) {
        const auto wanted = options.count_max == 0 ? events_page : std::min(events_page, options.count_max - seen);
        ESTUARY_TRY(const auto events, store.audit(after, wanted));
        for (const auto& event : events) visit_event(event);
        seen += events.size();
        if (events.size() < wanted || (options.count_max != 0 && seen >= options.count_max)) return {};
        after = events.back().id;
    }
}

}  // namespace

/// One line an event: the trail is read by eyes and by scripts, and may be followed with --after.
Exit audit_list(const AuditOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto done = visit(*session->store, options, [&](const store::AuditEvent& event) {
        if (options.json) {
            const boost::json::object object{{"id", event.id},           {"at", to_iso8601(event.at)},
                                             {"event", event.event},     {"actor", event.actor},
                                             {"object", event.object},   {"outcome", event.outcome},
                                             {"detail", event.detail}};
            program.out << boost::json::serialize(object) << '\n';
        } else {
            fmt::print(program.out, "{} {} {} {} {} {} {}\n", event.id, to_iso8601(event.at), shown(event.event),
                       shown(event.outcome), shown(event.actor), shown(event.object), shown(event.detail));
        }
    });
    if (!done) return report(program, done.error());
    return Exit::ok;
}

Exit backup(const std::filesystem::path& directory, const std::filesystem::path& target, const Program& program) {
    auto session = open_session(directory);
    if (!session) return report(program, session.error());
    std::error_code ignored;
    if (std::filesystem::exists(target, ignored))
        return report(program, {Code::conflict, fmt::format("{} is there already; nothing was written", target.string())});
    if (auto done = session->store->backup(target); !done) return report(program, done.error());
    const auto& configuration = session->configuration;
    fmt::print(program.err, "The database is copied to {}.\nNot in it, and needed to go on elsewhere:\n  {}\n  {}\n",
               target.string(), configuration.file.string(), configuration.security.password_key.path.string());
    for (const auto& ca : configuration.cas) {
        if (ca.directory.given()) {
            fmt::print(program.err, "  {0} and what it links to ({0}.*)\n", ca.directory.path.string());
        } else {
            fmt::print(program.err, "  {}\n  {}\n", ca.certificate.path.string(), ca.key);
        }
    }
    fmt::print(program.err, "  {}\n  {}\n", configuration.tls.certificate.path.string(), configuration.tls.key.path.string());
    return Exit::ok;
}

}  // namespace estuary::daemon
