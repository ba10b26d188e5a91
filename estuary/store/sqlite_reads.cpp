#include "estuary/store/sqlite_reads.h"

#include <fmt/format.h>

#include "estuary/store/columns.h"
#include "estuary/store/rows.h"
#include "estuary/store/transaction_reads.h"

namespace estuary::store::sqlite {
namespace {

constexpr std::string_view certificate_columns =
    "SELECT c.id, a.name, c.serial_number, c.der, c.subject, c.subject_alt_names, c.not_before, c.not_after, c.profile, "
    "c.label, c.requester, c.issued_at, c.revoked_at, c.revocation_reason, c.invalidity_date, c.shard FROM certificates c JOIN authorities a ON a.id = c.ca ";
constexpr std::string_view credential_columns =
    "SELECT id, name, password_hash, digest_ha1, uses_left, expires_at, profile, subject_patterns, san_patterns, created_at, "
    "protocol, sealed_secret FROM credentials ";
constexpr std::string_view pending_columns =
    "SELECT id, request_key, request, operation, profile, label, requester, subject, subject_alt_names, created_at, "
    "expires_at, state, decided_by, reason, decided_at, certificate, revocation_reason, invalidity_date FROM pending_requests ";

std::optional<Revocation> revocation_at(const Query& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return Revocation{row.time(column), static_cast<RevocationReason>(row.integer(column + 1)), {}};
}

CertificateRecord certificate_at(const Query& row) {
    CertificateRecord record;
    record.id = row.integer(0);
    record.ca = row.text(1);
    record.serial_number = to_vec(row.blob(2));
    record.der = to_vec(row.blob(3));
    record.subject = row.text(4);
    record.subject_alt_names = row.text(5);
    record.not_before = row.time(6);
    record.not_after = row.time(7);
    record.profile = row.text(8);
    record.label = row.text(9);
    record.requester = row.text(10);
    record.issued_at = row.time(11);
    record.revocation = revocation_at(row, 12);
    if (record.revocation) record.revocation->invalidity_date = row.optional_time(14);
    record.shard = static_cast<unsigned>(row.integer(15));
    return record;
}

CredentialRecord credential_at(const Query& row) {
    CredentialRecord record;
    record.id = row.integer(0);
    record.name = row.text(1);
    record.password_hash = row.text(2);
    record.digest_ha1 = row.text(3);
    record.uses_left = row.optional_integer(4);
    record.expires_at = row.optional_time(5);
    record.profile = row.text(6);
    record.subject_patterns = from_lines(row.text(7));
    record.san_patterns = from_lines(row.text(8));
    record.created_at = row.time(9);
    record.protocol = row.text(10);
    record.sealed_secret = to_vec(row.blob(11));
    return record;
}

PendingRequest pending_at(const Query& row) {
    PendingRequest record;
    record.id = row.integer(0);
    const auto key = row.blob(1);
    std::copy_n(key.begin(), std::min(key.size(), record.key.size()), record.key.begin());
    record.request = to_vec(row.blob(2));
    record.operation = row.text(3);
    record.profile = row.text(4);
    record.label = row.text(5);
    record.requester = row.text(6);
    record.subject = row.text(7);
    record.subject_alt_names = row.text(8);
    record.created_at = row.time(9);
    record.expires_at = row.time(10);
    record.state = static_cast<PendingRequest::State>(row.integer(11));
    record.decided_by = row.text(12);
    record.reason = row.text(13);
    record.decided_at = row.optional_time(14);
    record.certificate_id = row.optional_integer(15);
    if (const auto reason = row.optional_integer(16))
        record.revocation = WantedRevocation{static_cast<RevocationReason>(*reason), row.optional_time(17)};
    return record;
}

AuditEvent audit_at(const Query& row) {
    return {row.integer(0), row.time(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6)};
}

/// A LIKE pattern for "contains this text" (ASCII letters in either case).
std::string containing(std::string_view text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + '%';
}

/// A WHERE with the values that it binds, put together from the parts of a filter that are set.
class Conditions {
public:
    void add(std::string_view condition) { sql_ += fmt::format("{} {} ", sql_.empty() ? "WHERE" : "AND", condition); }
    void add(std::string_view condition, Value value) {
        add(condition);
        values_.push_back(std::move(value));
    }
    void add_contains(std::string_view column, const std::string& text) {
        if (!text.empty()) add(fmt::format("{} LIKE ? ESCAPE '\\'", column), containing(text));
    }
    const std::string& sql() const { return sql_; }
    std::vector<Value>& values() { return values_; }

private:
    std::string sql_;
    std::vector<Value> values_;
};

std::int64_t as_integer(Time time) { return time.time_since_epoch().count(); }

void add_status(Conditions& conditions, const CertificateFilter& filter) {
    const Time now = filter.now ? *filter.now : SystemClock{}.now();
    switch (filter.status) {
        case CertificateFilter::Status::any: return;
        case CertificateFilter::Status::valid:  // notAfter is inclusive (RFC 5280 4.1.2.5)
            conditions.add("c.revoked_at IS NULL AND c.not_after >= ?", as_integer(now));
            return;
        case CertificateFilter::Status::expired:
            conditions.add("c.revoked_at IS NULL AND c.not_after < ?", as_integer(now));
            return;
        case CertificateFilter::Status::revoked: conditions.add("c.revoked_at IS NOT NULL"); return;
    }
}

Conditions conditions_of(const CertificateFilter& filter) {
    Conditions conditions;
    if (!filter.ca.empty()) conditions.add("a.name = ?", filter.ca);
    if (filter.serial_number) {
        conditions.add("c.ca IN (SELECT id FROM authorities)");  // lets the index on (ca, serial_number) be used
        conditions.add("c.serial_number = ?", *filter.serial_number);
    }
    conditions.add_contains("c.subject", filter.subject_contains);
    conditions.add_contains("c.subject_alt_names", filter.san_contains);
    conditions.add_contains("c.requester", filter.requester_contains);
    add_status(conditions, filter);
    if (filter.expires_before) conditions.add("c.not_after < ?", as_integer(*filter.expires_before));
    if (filter.after_id > 0) conditions.add("c.id > ?", filter.after_id);
    return conditions;
}

}  // namespace

Result<Reads> Reads::connect(const std::filesystem::path& path, const Options& options) {
    ESTUARY_TRY(auto connection, sqlite::connect(path, options, Role::reader));
    Statements all;
    struct Source {
        Statement& statement;
        std::string_view head, tail;
    };
    const Source sources[] = {
        {all.certificate_by_serial, certificate_columns, "WHERE a.name = ? AND c.serial_number = ?"},
        {all.certificate_by_id, certificate_columns, "WHERE c.id = ?"},
        {all.status,
         "SELECT id, not_after, revoked_at, revocation_reason FROM certificates WHERE "
         "ca = (SELECT id FROM authorities WHERE name = ?) AND serial_number = ?", ""},
        {all.certificate_by_key, certificate_columns,
         "WHERE c.id = (SELECT certificate FROM request_keys WHERE head = ?) AND c.request_key = ?"},
        // Certificates are never deleted, so the largest id is their number; counting would read an index of all of them.
        {all.count, "SELECT coalesce(max(id), 0) FROM certificates", ""},
        {all.credential, credential_columns, "WHERE name = ?"},
        {all.pending_by_key, pending_columns, "WHERE request_key = ?"},
        {all.pending_by_id, pending_columns, "WHERE id = ?"},
        {all.setting, "SELECT value FROM settings WHERE name = ?", ""},
        {all.transaction, transaction_query, ""},
        {all.unconfirmed, unconfirmed_columns, unconfirmed_condition},
    };
    for (const auto& source : sources) {
        ESTUARY_TRY(source.statement, connection.prepare(fmt::format("{}{}", source.head, source.tail)));
    }
    return Reads{std::move(connection), std::move(all)};
}

Result<std::optional<CertificateRecord>> Reads::certificate(std::string_view ca, Bytes serial_number) const {
    return first(Query{sql_.certificate_by_serial, ca, serial_number}, certificate_at);
}

Result<std::optional<CertificateRecord>> Reads::certificate(std::int64_t id) const {
    return first(Query{sql_.certificate_by_id, id}, certificate_at);
}

Result<std::optional<CertificateStatus>> Reads::certificate_status(std::string_view ca, Bytes serial_number) const {
    return first(Query{sql_.status, ca, serial_number}, [](const Query& row) {
        return CertificateStatus{row.integer(0), row.time(1), revocation_at(row, 2)};
    });
}

Result<std::optional<CertificateRecord>> Reads::certificate_of_request(const RequestKey& key) const {
    return first(Query{sql_.certificate_by_key, head_of(key), Bytes{key}}, certificate_at);
}

Result<std::vector<CertificateRecord>> Reads::certificates(const CertificateFilter& filter) const {
    auto conditions = conditions_of(filter);
    conditions.values().emplace_back(limit_of(filter.count_max));
    ESTUARY_TRY(const auto statement,
                connection_.prepare(fmt::format("{}{}ORDER BY c.id LIMIT ?", certificate_columns, conditions.sql())));
    return every(Query{statement, std::span<const Value>{conditions.values()}}, certificate_at);
}

Result<std::int64_t> Reads::count_certificates() const {
    Query query{sql_.count};
    ESTUARY_CHECK(query.next());
    return query.integer(0);
}

Result<std::optional<CredentialRecord>> Reads::credential(std::string_view name) const {
    return first(Query{sql_.credential, name}, credential_at);
}

Result<std::vector<CredentialRecord>> Reads::credentials() const {
    ESTUARY_TRY(const auto statement, connection_.prepare(fmt::format("{}ORDER BY name", credential_columns)));
    return every(Query{statement}, credential_at);
}

Result<std::optional<PendingRequest>> Reads::pending_request(const RequestKey& key) const {
    return first(Query{sql_.pending_by_key, Bytes{key}}, pending_at);
}

Result<std::optional<PendingRequest>> Reads::pending_request(std::int64_t id) const {
    return first(Query{sql_.pending_by_id, id}, pending_at);
}

Result<std::vector<PendingRequest>> Reads::pending_requests(std::optional<PendingRequest::State> state) const {
    std::vector<Value> values;
    if (state) values.emplace_back(static_cast<std::int64_t>(*state));
    ESTUARY_TRY(const auto statement, connection_.prepare(fmt::format("{}{}ORDER BY id DESC", pending_columns,
                                                                      state ? "WHERE state = ? " : "")));
    return every(Query{statement, std::span<const Value>{values}}, pending_at);
}

Result<std::vector<PendingRequest>> Reads::decided_requests(std::string_view requester, std::string_view label, Time now) const {
    constexpr auto approved = static_cast<std::int64_t>(PendingRequest::State::approved);
    constexpr auto denied = static_cast<std::int64_t>(PendingRequest::State::denied);
    ESTUARY_TRY(const auto statement,
                connection_.prepare(fmt::format("{}WHERE state IN (?,?) AND requester = ? AND label = ? AND expires_at > ? "
                                                "ORDER BY id LIMIT 100", pending_columns)));
    return every(Query{statement, approved, denied, requester, label, now}, pending_at);
}

Result<std::vector<AuditEvent>> Reads::audit(std::int64_t after_id, std::size_t count_max) const {
    ESTUARY_TRY(const auto statement, connection_.prepare("SELECT id, at, event, actor, object, outcome, detail FROM audit "
                                                          "WHERE id > ? ORDER BY id LIMIT ?"));
    return every(Query{statement, after_id, limit_of(count_max)}, audit_at);
}

Result<std::optional<std::string>> Reads::setting(std::string_view name) const {
    return first(Query{sql_.setting, name}, [](const Query& row) { return row.text(0); });
}

Result<void> Reads::check() const {
    const auto verdict = connection_.text("PRAGMA quick_check(1)");
    if (!verdict) return fail(Code::unavailable, "the database cannot be read: " + verdict.error().cause);
    if (std::string_view{*verdict} == "ok") return {};
    return fail(Code::internal, "the database is damaged: " + *verdict);
}

Result<std::unique_ptr<Reads>> ReaderPool::take() {
    {
        const std::scoped_lock lock{mutex_};
        if (!idle_.empty()) {
            auto reads = std::move(idle_.back());
            idle_.pop_back();
            return reads;
        }
    }
    ESTUARY_TRY(auto reads, Reads::connect(path_, options_));
    return std::make_unique<Reads>(std::move(reads));
}

void ReaderPool::give_back(std::unique_ptr<Reads> reads) {
    const std::scoped_lock lock{mutex_};
    idle_.push_back(std::move(reads));
}

}  // namespace estuary::store::sqlite
