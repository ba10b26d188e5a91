#include "estuary/store/schema.h"

#include <array>

#include <fmt/format.h>

namespace estuary::store::sqlite {
namespace {

// Times are seconds since 1970. What status checks read stands before the long columns. Certificates are never deleted.
//
// Cost decides the indexes: an index whose keys come in time's order is appended to; one with random keys costs a page
// write a row once it has outgrown the cache. Serial numbers begin with the time. There is no index on names: operators
// search them seldom, and a scan does. Request keys are hashes, random by nature, so their table is as small as can be: the
// first 8 octets as row id, and the certificate, whose row has all 32.
constexpr const char* version_1 = R"sql(
CREATE TABLE authorities (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE certificates (
    id INTEGER PRIMARY KEY,
    ca INTEGER NOT NULL REFERENCES authorities,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER,
    revocation_reason INTEGER,
    serial_number BLOB NOT NULL,
    not_before INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    subject_alt_names TEXT NOT NULL,
    profile TEXT NOT NULL,
    label TEXT NOT NULL,
    requester TEXT NOT NULL,
    request_key BLOB,
    der BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX certificates_by_serial_number ON certificates (ca, serial_number);
CREATE INDEX certificates_by_not_after ON certificates (not_after);
CREATE INDEX certificates_revoked ON certificates (ca, serial_number, revoked_at, revocation_reason, not_after)
    WHERE revoked_at IS NOT NULL;

CREATE TABLE request_keys (
    head INTEGER PRIMARY KEY,
    certificate INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    digest_ha1 TEXT NOT NULL,
    uses_left INTEGER CHECK (uses_left >= 0),
    expires_at INTEGER,
    profile TEXT NOT NULL,
    subject_patterns TEXT NOT NULL,
    san_patterns TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    spent_at INTEGER
) STRICT;

CREATE TABLE pending_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_key BLOB NOT NULL UNIQUE,
    operation TEXT NOT NULL,
    profile TEXT NOT NULL,
    label TEXT NOT NULL,
    requester TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_alt_names TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at INTEGER,
    certificate INTEGER REFERENCES certificates,
    request BLOB NOT NULL
) STRICT;
CREATE INDEX pending_requests_by_state ON pending_requests (state);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Revocation and CRLs. The index serves a complete CRL by itself, in the order of its entries; the log tells what has
// changed since a CRL, so that neither a delta nor a watcher reads what has not.
constexpr const char* version_2 = R"sql(
ALTER TABLE certificates ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE certificates ADD COLUMN invalidity_date INTEGER;
DROP INDEX certificates_revoked;
CREATE INDEX certificates_revoked ON certificates
    (ca, shard, serial_number, revoked_at, revocation_reason, invalidity_date, not_after) WHERE revoked_at IS NOT NULL;

CREATE TABLE revocation_changes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    certificate INTEGER NOT NULL REFERENCES certificates
) STRICT;
INSERT INTO revocation_changes (certificate) SELECT id FROM certificates WHERE revoked_at IS NOT NULL ORDER BY revoked_at;

CREATE TABLE crls (
    ca INTEGER NOT NULL REFERENCES authorities,
    shard INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    number INTEGER NOT NULL,
    base_number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    PRIMARY KEY (ca, shard, delta)
) STRICT;
)sql";

// Protocols that need more than one message, secrets for MACs, and packages that wait for clients.
constexpr const char* version_3 = R"sql(
ALTER TABLE credentials ADD COLUMN protocol TEXT NOT NULL DEFAULT 'http';
ALTER TABLE credentials ADD COLUMN sealed_secret BLOB NOT NULL DEFAULT x'';

CREATE TABLE transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    protocol TEXT NOT NULL,
    transaction_key BLOB NOT NULL,
    revision INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (transaction_key, protocol)
) STRICT;
CREATE INDEX transactions_by_expiry ON transactions (expires_at);

CREATE TABLE unconfirmed (
    certificate INTEGER PRIMARY KEY REFERENCES certificates,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX unconfirmed_by_time ON unconfirmed (until);

CREATE INDEX pending_requests_by_requester ON pending_requests (requester, label);
ALTER TABLE pending_requests ADD COLUMN revocation_reason INTEGER;
ALTER TABLE pending_requests ADD COLUMN invalidity_date INTEGER;

CREATE TABLE packages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    label TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    media_type TEXT NOT NULL,
    encrypted INTEGER NOT NULL,
    receipt_wanted INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    available_from INTEGER NOT NULL,
    available_until INTEGER,
    content BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX packages_by_recipient ON packages (recipient_key, label, digest, type);

CREATE TABLE package_downloads (
    id INTEGER PRIMARY KEY,
    package INTEGER NOT NULL,
    client TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    UNIQUE (package, client)
) STRICT;

CREATE TABLE package_receipts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    package INTEGER,
    operation TEXT NOT NULL,
    client TEXT NOT NULL,
    requester TEXT NOT NULL,
    label TEXT NOT NULL,
    content_type TEXT NOT NULL,
    signer TEXT NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (client, digest)
) STRICT;
CREATE INDEX package_receipts_by_package ON package_receipts (package, client);

CREATE TABLE archived_keys (
    certificate INTEGER PRIMARY KEY REFERENCES certificates,
    agents TEXT NOT NULL,
    archived_at INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

CREATE TABLE key_recoveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    certificate INTEGER NOT NULL REFERENCES archived_keys,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    approvals_needed INTEGER NOT NULL CHECK (approvals_needed > 0),
    recovered_by TEXT NOT NULL DEFAULT '',
    recovered_at INTEGER,
    denied_by TEXT NOT NULL DEFAULT '',
    denial TEXT NOT NULL DEFAULT '',
    denied_at INTEGER
) STRICT;

CREATE TABLE key_recovery_approvals (
    recovery INTEGER NOT NULL REFERENCES key_recoveries,
    approved_by TEXT NOT NULL,
    approved_at INTEGER NOT NULL,
    PRIMARY KEY (recovery, approved_by)
) STRICT, WITHOUT ROWID;

CREATE TABLE decryption_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier BLOB NOT NULL,
    shared INTEGER NOT NULL,
    credential TEXT NOT NULL,
    subject_pattern TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    certificate BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (identifier, shared)
) STRICT;

CREATE TABLE encryption_keys (
    key_identifier BLOB NOT NULL,
    certificate INTEGER NOT NULL REFERENCES certificates,
    PRIMARY KEY (key_identifier, certificate)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<Migration, 3> all_migrations{{{1, version_1}, {2, version_2}, {3, version_3}}};

Result<std::int64_t> version_of(const Connection& connection) { return connection.integer("PRAGMA user_version"); }

Result<void> apply(const Connection& connection, const Migration& step) {
    ESTUARY_CHECK(connection.execute(step.sql));
    return connection.execute(fmt::format("PRAGMA user_version = {}", step.version).c_str());
}

}  // namespace

std::span<const Migration> migrations() noexcept { return all_migrations; }

Result<void> identify(const Connection& connection, const std::filesystem::path& path, std::span<const Migration> steps) {
    const auto not_ours = [&](std::string cause) {
        return fail(Code::unsupported, fmt::format("{} is not an Estuary database", path.string()), std::move(cause));
    };
    const auto id = connection.integer("PRAGMA application_id");
    if (!id && sqlite3_errcode(connection.get()) == SQLITE_NOTADB) return not_ours(id.error().cause);
    if (!id) return fail(id.error());
    ESTUARY_TRY(const auto version, version_of(connection));
    ESTUARY_TRY(const auto objects, connection.integer("SELECT count(*) FROM sqlite_schema"));
    const bool empty = *id == 0 && version == 0 && objects == 0;
    if (empty) return {};
    if (*id != application_id) return not_ours(fmt::format("application id {:08x}", *id));
    if (version > steps.back().version)
        return fail(Code::unsupported, fmt::format("{} was made by a newer program (schema {}; this one knows {})",
                                                   path.string(), version, steps.back().version));
    return {};
}

Result<void> migrate(const Connection& connection, std::span<const Migration> steps) {
    ESTUARY_TRY(const auto before, version_of(connection));
    if (before >= steps.back().version) return {};
    ESTUARY_TRY(auto transaction, Transaction::begin(connection));
    ESTUARY_TRY(const auto version, version_of(connection));  // again, now that nobody else can change it
    for (const auto& step : steps)
        if (step.version > version) ESTUARY_CHECK(apply(connection, step));
    ESTUARY_CHECK(connection.execute(fmt::format("PRAGMA application_id = {}", application_id).c_str()));
    return transaction.commit();
}

}  // namespace estuary::store::sqlite
