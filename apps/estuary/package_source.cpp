#include "package_source.h"

#include <set>

namespace estuary::client {
namespace {

constexpr std::size_t parts_max = 256;   // of one list; each has entries, so a server that sends us in circles is found out

Outcome<Source> open_directory(const SourceOptions& options, const Clock& clock) {
    Source source;
    ESTUARY_TRY_AS(auto identity, Directory{options.from}.load(), local_failure);
    ESTUARY_TRY_OUTCOME(auto base, est_base(identity.state.url, options.label));
    source.anchors = identity.anchors;
    source.session = std::make_unique<Session>(std::move(base), connect_as(identity), clock);
    check_server_of(*source.session, options.check_server, {identity.anchors, identity.state.system_trust}, clock);
    source.identity = std::move(identity);
    return source;
}

Outcome<Source> open_url(const SourceOptions& options, const Clock& clock) {
    Source source;
    ESTUARY_TRY_OUTCOME(auto base, est_base(options.from, options.label));
    ESTUARY_TRY_OUTCOME(auto user, options.login.read_user());
    ESTUARY_TRY_OUTCOME(auto identity, options.login.read_identity());
    ESTUARY_TRY_OUTCOME(const auto trust, establish_trust(options.trust, base, clock));
    auto connect = client_options(trust);
    connect.identity = std::move(identity);
    source.anchors = trust.anchors;
    source.session = std::make_unique<Session>(std::move(base), std::move(connect), clock);
    check_server_of(*source.session, options.check_server, trust, clock);
    if (user) {
        source.user = std::make_unique<HttpUser>(std::move(*user));
        source.session->set_user(*source.user);
    }
    return source;
}

}  // namespace

void SourceOptions::add_to(CLI::App& command) {
    command.add_option("FROM", from, "The directory that `estuary enroll --out` made, or https://host[:port]")->required();
    command.add_option("--label", label, "CA label (RFC 7030 3.2.2), with a URL");
    login.add_to(command);
    add_check_server(command, check_server);
    trust.add_to(command);
}

Outcome<Source> open_source(const SourceOptions& options, const Clock& clock) {
    std::error_code ignored;
    if (std::filesystem::is_directory(options.from, ignored)) return open_directory(options, clock);
    return open_url(options, clock);
}

Outcome<std::vector<est::PalEntry>> whole_pal(Session& session) {
    std::vector<est::PalEntry> entries;
    std::set<std::string> read;
    std::string path = "pal";
    for (;;) {
        if (read.size() == parts_max || !read.insert(path).second)
            return failure(exit_failed, {Code::malformed, "the server's package list leads in circles, or has too many parts"});
        ESTUARY_TRY_OUTCOME(const auto part, session.pal(path, est::Client::PalForm::either));
        const bool more = !part.entries.empty() && part.entries.back().type == "0001";
        entries.insert(entries.end(), part.entries.begin(), part.entries.end() - (more ? 1 : 0));
        if (!more) return entries;
        const auto* uri = std::get_if<est::PalUri>(&part.entries.back().info);
        const auto next = uri == nullptr ? std::nullopt : session.below(uri->text);
        if (!next) return failure(exit_refused, {Code::policy, "the server's package list goes on somewhere else; not followed"});
        path = *next;
    }
}

}  // namespace estuary::client
