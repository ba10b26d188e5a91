#include "apps/estuaryd/session.h"

#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/upstream_cas.h"

#include <ostream>

#include <pwd.h>
#include <unistd.h>

#include <fmt/ostream.h>

#include "estuary/base/text.h"

namespace estuary::daemon {

std::string operator_name() {
    const auto uid = ::getuid();
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return fmt::format("operator:{}", text::printable(entry.pw_name));
    return fmt::format("operator:{}", uid);
}

Exit report(const Program& program, const Error& error) {
    fmt::print(program.err, "estuaryd: {}", error.detail.empty() ? std::string{to_string(error.code)} : error.detail);
    if (!error.cause.empty()) fmt::print(program.err, " ({})", text::printable(error.cause));
    fmt::print(program.err, "\n");
    switch (error.code) {
        case Code::not_found:
        case Code::conflict:
        case Code::not_authorised:
        case Code::not_authenticated:
        case Code::policy: return Exit::refused;
        case Code::malformed:
        case Code::too_large:
        case Code::unsupported:
        case Code::bad_proof:
        case Code::bad_key:
        case Code::too_busy:
        case Code::unavailable:
        case Code::internal: return Exit::failed;
    }
    return Exit::failed;
}

Result<Session> open_session(const std::filesystem::path& directory) {
    auto read = read_configuration(directory);
    if (!read.configuration) {
        std::error_code ignored;
        const bool absent = !std::filesystem::exists(directory / "estuary.toml", ignored);
        auto message = to_string(read.faults.front());
        if (read.faults.size() > 1) message += fmt::format(" (and {} more: estuaryd check)", read.faults.size() - 1);
        return fail(absent ? Code::not_found : Code::malformed, std::move(message));
    }
    store::Options options;
    options.cache_bytes = read.configuration->cache_bytes;
    ESTUARY_TRY(auto store, store::open_sqlite(read.configuration->database.path, options, false));
    return Session{std::move(*read.configuration), std::move(store)};
}

Result<std::unique_ptr<authority::Authority>> operator_authority(Session& session, const Program& program) {
    authority::Config config;
    ByteVec key(32);  // checks no password
    program.entropy.fill(key);
    config.password_key = crypto::Secret{std::move(key)};
    // What is revoked here is revoked by the CA above, too.
    const auto& configuration = session.configuration;
    Faults faults{configuration.file.string()};
    for (const auto& section : configuration.cas) {
        if (!section.upstream.present) continue;
        if (auto ca = load_ca(section, nullptr, program.clock.now(), faults)) config.cas.push_back(std::move(*ca));
    }
    if (!config.cas.empty()) {
        ESTUARY_TRY(const auto secret, passphrase({}, configuration.security.passphrase_file));
        wire_upstream_cas(configuration, pointer(secret), *session.store, program, config, faults);
    }
    if (faults.count() != 0) return fail(Code::malformed, to_string(faults.sorted().front()));
    return authority::Authority::create(std::move(config), *session.store, program.clock, program.entropy);
}

authority::Principal operator_principal() {
    authority::Principal principal;
    principal.operator_ = true;
    return principal;
}

void audit(store::UnitOfWork& work, const Program& program, std::string event, std::string object, std::string detail) {
    store::AuditEvent line;
    line.at = program.clock.now();
    line.event = std::move(event);
    line.actor = operator_name();
    line.object = std::move(object);
    line.outcome = "ok";
    line.detail = std::move(detail);
    work.writes.emplace_back(store::AppendAudit{std::move(line)});
}

}  // namespace estuary::daemon
