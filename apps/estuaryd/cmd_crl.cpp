// estuaryd crl publish, show.
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/former_generations.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/publishers.h"
#include "apps/estuaryd/root_list.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/status_config.h"
#include "apps/estuaryd/upstream_cas.h"
#include "apps/estuaryd/table.h"

namespace estuary::daemon {
namespace {

using authority::CrlKind;

constexpr unsigned attempts_max = 5;  // a running server may take the same number at the same moment

/// Faults told on standard error; the error that remains has nothing to add.
tl::unexpected<Error> told(const Program& program, const std::vector<Fault>& faults) {
    for (const auto& fault : faults)
        if (!fault.warning) fmt::print(program.err, "{}\n", shown(to_string(fault)));
    return fail(Code::malformed, "nothing was published");
}

/// What signs CRLs; neither EST nor OCSP.
Result<Generation> publishing_generation(Session& session, const CrlOptions& options, const Program& program) {
    const auto& configuration = session.configuration;
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, configuration.security.passphrase_file));
    Faults faults{configuration.file.string()};
    auto config = load_authority(configuration, pointer(secret), program.clock.now(), faults);
    if (config) wire_upstream_cas(configuration, pointer(secret), *session.store, program, *config, faults);
    if (!config || faults.count() != 0) return told(program, faults.sorted());
    Generation generation;
    ESTUARY_TRY(generation.authority, authority::Authority::create(std::move(*config), *session.store, program.clock, program.entropy));
    generation.former = load_former_generations(configuration, pointer(secret), *session.store, program,
                                                [&](const Fault& fault) { fmt::print(program.err, "{}\n", shown(to_string(fault))); });
    generation.configuration = configuration;
    return generation;
}

template <class Publish>
Result<PublishedList> persist(Publish publish) {
    for (unsigned attempt = 1;; ++attempt) {
        auto published = publish();
        if (published || published.error().code != Code::conflict || attempt == attempts_max) return published;
    }
}

void print(const PublishedList& published, const Configuration& configuration, const Program& program) {
    const auto& record = published.record;
    const auto uri = crl_uri(configuration.status, published.file_name);
    fmt::print(program.out, "{}  number {}, {} entries, until {}  {}\n", published.file_name, record.number, record.entries,
               to_iso8601(record.next_update), uri.empty() ? (configuration.status.directory.path / published.file_name).string() : uri);
}

Result<void> publish_shard(const StatusIssuer& issuer, unsigned shard, const CrlOptions& options, CrlFiles& files, Session& session,
                           const Program& program) {
    const auto publish = [&](CrlKind kind) -> Result<void> {
        ESTUARY_TRY(const auto published, persist([&] { return publish_crl(issuer, shard, kind, files, *session.store); }));
        print(published, session.configuration, program);
        return {};
    };
    if (!options.delta) {
        ESTUARY_CHECK(publish(CrlKind::complete));
    }
    const bool delta = options.delta || (issuer.section->crl.deltas && !options.complete);
    return delta ? publish(CrlKind::delta) : Result<void>{};
}

Result<void> publish_lists(Session& session, const CrlOptions& options, const Program& program) {
    ESTUARY_TRY(const auto generation, publishing_generation(session, options, program));
    CrlFiles files{session.configuration.status.directory.path};
    bool any = false;
    for (const auto& issuer : status_issuers(generation)) {
        if (!options.ca.empty() && issuer.ca != options.ca) continue;
        any = true;
        ESTUARY_TRY(const auto shards, issuer.authority->crl_shards(issuer.ca));
        // Generations differ in how many they have.
        if (options.shard && *options.shard >= shards && issuer.former) continue;
        if (options.shard && *options.shard >= shards)
            return fail(Code::not_found, fmt::format("[ca.{}] has {} shard{}, numbered from 0", issuer.ca, shards, shards == 1 ? "" : "s"));
        for (unsigned shard = 0; shard < shards; ++shard)
            if (!options.shard || *options.shard == shard) {
                ESTUARY_CHECK(publish_shard(issuer, shard, options, files, session, program));
            }
    }
    if (!any) return fail(Code::not_found, fmt::format("there is no [ca.{}]", options.ca));
    return {};
}

/// Where the current root's key lies unless it was moved away.
Result<std::string> usual_root_key(const Configuration& configuration, const std::string& ca_name) {
    for (const auto& ca : configuration.cas) {
        if (!ca.directory.given() || (!ca_name.empty() && ca.name != ca_name)) continue;
        ESTUARY_TRY(const auto files, read_ca_directory(ca.directory.path));
        return files.root_key().string();
    }
    return fail(Code::not_found, "no CA with a directory of its own (and so a root of ours) is configured");
}

/// The key says which root is meant: the present one or a former one.
Result<void> publish_root(Session& session, const CrlOptions& options, const Program& program) {
    const auto& configuration = session.configuration;
    ESTUARY_TRY(const auto usual, usual_root_key(configuration, options.ca));
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, configuration.security.passphrase_file));
    const auto path = options.root_key.empty() ? usual : options.root_key;
    ESTUARY_TRY(const auto key, load_key(path, pointer(secret)));
    const auto roots = roots_of(publishers(configuration, program.clock.now()));
    const auto root = std::ranges::find_if(roots, [&](const x509::Certificate& each) { return same(each.spki(), key.public_key().spki()); });
    if (root == roots.end()) return fail(Code::bad_key, path + " is not the key of a root that is in use here");
    ESTUARY_TRY(const auto validity, parse_duration(options.validity));
    CrlFiles lists{configuration.status.directory.path};
    ESTUARY_TRY(const auto published,
                persist([&] { return publish_root_list(*root, key, validity, lists, *session.store, program); }));
    print(published, configuration, program);
    return {};
}

/// A list as the store and the directory know it.
struct Row {
    store::CrlRecord record;
    std::string file_name, uri, state;
};

std::vector<Row> rows_of(const std::vector<store::CrlRecord>& records, const Configuration& configuration, Time now) {
    std::vector<Row> rows;
    CrlFiles files{configuration.status.directory.path};
    const auto all = publishers(configuration, now);
    const auto roots = roots_of(all);
    for (const auto& record : records) {
        const auto is_it = [&](const x509::Certificate& root) { return root_base(root) == record.ca; };
        if (find_publisher(all, record.ca) == nullptr && std::ranges::none_of(roots, is_it)) continue;  // of a former time
        Row row{record, crl_file_name(record.ca, record.shard, record.delta), {}, {}};
        row.uri = crl_uri(configuration.status, row.file_name);
        const auto file = files.find(row.file_name);
        if (!file) {
            row.state = file.error().code == Code::not_found ? "file missing" : "file unreadable";
        } else if (const auto& number = (*file)->list.crl_number(); !number || *number < x509::CrlNumber{static_cast<std::uint64_t>(record.number)}) {
            row.state = "file outdated";
        } else {
            row.state = now > record.next_update ? "expired" : "published";
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

boost::json::object json_of(const Row& row, const Configuration& configuration) {
    const auto& record = row.record;
    boost::json::object object{{"ca", record.ca},
                               {"shard", record.shard},
                               {"kind", record.delta ? "delta" : "complete"},
                               {"number", record.number},
                               {"entries", record.entries},
                               {"this_update", to_iso8601(record.this_update)},
                               {"next_update", to_iso8601(record.next_update)},
                               {"file", (configuration.status.directory.path / row.file_name).string()},
                               {"uri", row.uri},
                               {"state", row.state}};
    if (record.delta) object["base_number"] = record.base_number;
    return object;
}

Result<void> show(Session& session, const CrlOptions& options, const Program& program) {
    ESTUARY_TRY(const auto records, session.store->crls());
    const auto rows = rows_of(records, session.configuration, program.clock.now());
    if (options.json) {
        boost::json::array array;
        for (const auto& row : rows) array.push_back(json_of(row, session.configuration));
        program.out << boost::json::serialize(array) << '\n';
        return {};
    }
    Columns columns{{"FILE", "NUMBER", "ENTRIES", "THIS UPDATE", "NEXT UPDATE", "STATE", "URI"}};
    for (const auto& row : rows)
        columns.add({row.file_name, std::to_string(row.record.number), std::to_string(row.record.entries), to_iso8601(row.record.this_update),
                     to_iso8601(row.record.next_update), row.state, row.uri});
    columns.print(program.out);
    return {};
}

}  // namespace

Exit crl_publish(const CrlOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    if (!session->configuration.status.present)
        return report(program, {Code::policy, "estuary.toml has no [status]: see estuary.toml(5)"});
    const auto done = options.root ? publish_root(*session, options, program) : publish_lists(*session, options, program);
    return done ? Exit::ok : report(program, done.error());
}

Exit crl_show(const CrlOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto done = show(*session, options, program);
    return done ? Exit::ok : report(program, done.error());
}

}  // namespace estuary::daemon
