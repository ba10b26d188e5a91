// estuaryd check: what serve would find at its start, and what it cannot afford to look for.
#include <ostream>

#include <sys/stat.h>

#include <fmt/ostream.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/cmp_signer.h"
#include "apps/estuaryd/expiry.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/status_config.h"
#include "apps/estuaryd/upstream_cas.h"
#include "apps/estuaryd/table.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

void check_mode(const fs::path& path, const Place& place, Faults& faults) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return;  // absence is told by whoever needs the file
    if ((status.st_mode & 077) != 0)
        faults.add(place, fmt::format("{} may be read by others (mode {:o}); run: chmod go= {}", path.string(),
                                      status.st_mode & 07777, path.string()));
}

void check_modes(const Configuration& configuration, Faults& faults) {
    const Place whole{configuration.file.string(), 0, ""};
    check_mode(configuration.directory, whole, faults);
    check_mode(configuration.database.path, configuration.database.place, faults);
    check_mode(configuration.security.password_key.path, configuration.security.password_key.place, faults);
    check_mode(configuration.tls.key.path, configuration.tls.key.place, faults);
    const auto& agent_key = configuration.keys.online_agent_key;
    if (!agent_key.empty() && !agent_key.starts_with("pkcs11:")) check_mode(agent_key, configuration.keys.online_agent_key_place, faults);
    for (const auto& ca : configuration.cas) {
        if (ca.upstream.present) {
            check_mode(ca.upstream.key.path, ca.upstream.key.place, faults);
        } else if (ca.directory.given()) {
            check_mode(ca.directory.path / "issuing.key", ca.directory.place, faults);
            check_mode(ca.directory.path / "root.key", ca.directory.place, faults);
        } else if (!ca.key.starts_with("pkcs11:")) {
            check_mode(ca.key, ca.key_place, faults);
        }
    }
}

/// A root's key that is still here must at least be the right one.
void check_root_keys(const Configuration& configuration, const crypto::Secret* secret, Faults& faults) {
    for (const auto& ca : configuration.cas) {
        std::error_code ignored;
        if (!ca.directory.given() || !fs::exists(ca.directory.path / "root.key", ignored)) continue;
        const auto files = read_ca_directory(ca.directory.path);
        if (!files) continue;  // told already
        const auto key = load_key(files->root_key().string(), secret);
        if (!key) {
            faults.add(ca.directory.place, key.error().detail);
        } else if (!same(key->public_key().spki(), files->root.spki())) {
            faults.add(ca.directory.place, fmt::format("{} is not the key of root.pem", files->root_key().string()));
        }
    }
}

void check_server_certificate(const Configuration& configuration, const authority::Authority& authority,
                              const crypto::Secret* secret, Time now, Faults& faults) {
    const auto& tls = configuration.tls;
    std::error_code ignored;
    if (!tls.ca.empty() && !fs::exists(tls.certificate.path, ignored))
        return faults.warn(tls.certificate.place, fmt::format("{} is not there; serve will make it", tls.certificate.path.string()));
    const auto certificate = load_server_certificate(tls, secret);
    if (!certificate) return faults.add(tls.certificate.place, certificate.error().detail);
    const auto& end_entity = certificate->chain.front();
    if (now > end_entity.not_after())
        faults.add(tls.certificate.place, fmt::format("expired on {}", to_iso8601(end_entity.not_after())));
    if (tls.ca.empty()) {
        if (now >= renewal_time(end_entity) && now <= end_entity.not_after())
            faults.warn(tls.certificate.place, fmt::format("expires on {}", to_iso8601(end_entity.not_after())));
        return;
    }
    const auto why = why_renew(tls, authority, secret, now);
    if (!why) return faults.add(tls.certificate.place, why.error().detail);
    if (*why) faults.warn(tls.certificate.place, **why + "; serve will make a new one");
}

void check_status(const Configuration& configuration, store::Store& store, Time now, Faults& faults) {
    if (!configuration.status.present) {
        faults.warn({configuration.file.string(), 0, "status"},
                    "there is no [status]: nobody but this server learns what is revoked; see estuary.toml(5)");
        return;
    }
    if (configuration.status.url.empty())
        faults.warn(configuration.status.place, "has no url: certificates do not say where their status is told");
    for (const auto& ca : configuration.cas)
        if (answers_ocsp(configuration, ca))
            check_mode(ocsp_signer(configuration.directory, ca.name, status_base(ca), ca.ocsp.key_type).key, ca.ocsp.place, faults);
    CrlFiles files{configuration.status.directory.path};
    tell_expiries(status_expiries(configuration, files, store, now), now, faults);
}

void check_cmp(const Configuration& configuration, const AboveCas& above, authority::Authority& authority, store::Store& store,
               const Program& program, Faults& faults) {
    const auto& cmp = configuration.cmp;
    if (!cmp.present) return;
    for (const auto& ca : configuration.cas) {
        if (ca.upstream.present) continue;
        check_mode(cmp_signer(configuration.directory, ca.name, status_base(ca), cmp.key_type).key, cmp.place, faults);
        check_mode(key_generator(configuration.directory, ca.name, status_base(ca), cmp.key_type).key, cmp.place, faults);
        check_mode(agreement_key(configuration.directory, ca.name, status_base(ca), cmp.agreement_key_type).key, cmp.place, faults);
    }
    auto config = cmp.server;
    for (const auto& label : config.labels)
        if (label.enabled && label.recover_keys && !configuration.keys.online_agent.given())
            faults.warn(cmp.label_places.at(label.name), "has recover_keys, but [keys.recovery] has no online_agent_certificate: every krr will be rejected");
    // serve makes what signs keys and answers, and what agrees with keys of clients.
    for (auto& label : config.labels)
        label.generate_keys = label.kem_protection = label.diffie_hellman = label.agreement_proof = label.revocation_passphrases = label.recover_keys = false;
    config.above = above;
    const auto server = cmp::Server::create(std::move(config), authority, store, program.clock, program.entropy);
    if (!server) return faults.add(cmp.place, server.error().detail);
    if (const auto http = cmp::HttpServer::create(cmp.http, **server); !http) faults.add(cmp.place, http.error().detail);
}

void check_database(const Configuration& configuration, std::unique_ptr<store::Store>& into, Faults& faults) {
    store::Options options;
    options.cache_bytes = configuration.cache_bytes;
    auto store = store::open_sqlite(configuration.database.path, options, false);
    if (!store) return faults.add(configuration.database.place, store.error().detail + (store.error().cause.empty() ? "" : " (" + store.error().cause + ")"));
    if (auto sound = (*store)->check(); !sound)
        faults.add(configuration.database.place, "the database is damaged: " + sound.error().detail + " " + sound.error().cause);
    into = std::move(*store);
}

void check_installation(const Configuration& configuration, const CheckOptions& options, const Program& program,
                        Faults& faults) {
    check_modes(configuration, faults);
    std::unique_ptr<store::Store> store;
    check_database(configuration, store, faults);
    const auto secret = passphrase(options.passphrase_file, configuration.security.passphrase_file);
    if (!secret) return faults.add(configuration.security.passphrase_file.place, secret.error().detail);
    const auto now = program.clock.now();
    auto config = load_authority(configuration, pointer(*secret), now, faults);
    check_root_keys(configuration, pointer(*secret), faults);
    if (!config || !store) return;
    const auto before = faults.count();
    const auto above = wire_upstream_cas(configuration, pointer(*secret), *store, program, *config, faults);
    if (faults.count() != before) return;
    const Place whole{configuration.file.string(), 0, ""};
    const auto authority = authority::Authority::create(std::move(*config), *store, program.clock, program.entropy);
    if (!authority) return faults.add(whole, authority.error().detail);
    check_server_certificate(configuration, **authority, pointer(*secret), now, faults);
    check_status(configuration, *store, now, faults);
    check_cmp(configuration, above, **authority, *store, program, faults);
    if (const auto est = est::Server::create(configuration.est, **authority, program.clock, program.entropy); !est)
        faults.add(whole, "est: " + est.error().detail);
}

}  // namespace

Exit check(const CheckOptions& options, const Program& program) {
    const auto read = read_configuration(options.directory);
    auto list = read.faults;
    if (read.configuration) {
        Faults faults{read.configuration->file.string()};
        check_installation(*read.configuration, options, program, faults);
        list = faults.sorted();
    }
    std::size_t wrong = 0;
    for (const auto& fault : list) {
        fmt::print(program.err, "{}\n", shown(to_string(fault)));
        if (!fault.warning) ++wrong;
    }
    if (wrong != 0) {
        fmt::print(program.err, "estuaryd: {} fault{}\n", wrong, wrong == 1 ? "" : "s");
        return Exit::failed;
    }
    fmt::print(program.out, "{}: configuration, keys, certificates and database are good\n", read.configuration->file.string());
    return Exit::ok;
}

}  // namespace estuary::daemon
