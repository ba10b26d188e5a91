// estuaryd cert list, show, revoke.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/publishers.h"
#include "apps/estuaryd/revocation_notice.h"
#include "apps/estuaryd/serial_number.h"
#include "apps/estuaryd/status_config.h"
#include "apps/estuaryd/table.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

using store::CertificateFilter;
using store::CertificateRecord;

constexpr std::size_t records_page = 500;  // in memory at once

Result<CertificateFilter::Status> read_status(std::string_view name) {
    using Status = CertificateFilter::Status;
    if (name == "any") return Status::any;
    if (name == "valid") return Status::valid;
    if (name == "expired") return Status::expired;
    if (name == "revoked") return Status::revoked;
    return fail(Code::malformed, fmt::format("--status: '{}' is not one of: any, valid, expired, revoked", shown(name)));
}

Result<CertificateFilter> read_filter(const CertListOptions& options, Time now) {
    CertificateFilter filter;
    filter.now = now;
    filter.subject_contains = options.subject;
    filter.san_contains = options.san;
    filter.requester_contains = options.requester;
    filter.ca = options.ca;
    filter.count_max = records_page;
    ESTUARY_TRY(filter.status, read_status(options.status));
    if (!options.serial.empty()) {
        ESTUARY_TRY(filter.serial_number, read_serial(options.serial));
    }
    if (!options.expiring_before.empty()) {
        ESTUARY_TRY(filter.expires_before, parse_iso8601(options.expiring_before));
    }
    if (!options.expiring_within.empty()) {
        ESTUARY_TRY(const auto within, parse_duration(options.expiring_within));
        filter.expires_before = now + within;
        // What has expired already does not expire within anything.
        if (filter.status == CertificateFilter::Status::any) filter.status = CertificateFilter::Status::valid;
    }
    return filter;
}

std::string status_of(const CertificateRecord& record, Time now) {
    if (record.revocation) return "revoked";
    if (now > record.not_after) return "expired";
    return "valid";
}

std::string pem_of(const CertificateRecord& record) { return to_pem("CERTIFICATE", record.der); }

boost::json::object revocation_json(const store::Revocation& revocation) {
    boost::json::object object{{"at", to_iso8601(revocation.at)}, {"reason", store::to_string(revocation.reason)}};
    if (revocation.invalidity_date) object["invalidity_date"] = to_iso8601(*revocation.invalidity_date);
    return object;
}

boost::json::object json_of(const CertificateRecord& record, Time now, bool pem) {
    boost::json::object object{{"serial", to_hex(record.serial_number)},
                               {"ca", record.ca},
                               {"status", status_of(record, now)},
                               {"subject", record.subject},
                               {"subject_alt_names", record.subject_alt_names},
                               {"not_before", to_iso8601(record.not_before)},
                               {"not_after", to_iso8601(record.not_after)},
                               {"profile", record.profile},
                               {"label", record.label},
                               {"requester", record.requester},
                               {"issued_at", to_iso8601(record.issued_at)}};
    if (record.revocation)
        object["revocation"] = revocation_json(*record.revocation);
    if (pem) object["pem"] = pem_of(record);
    return object;
}

/// Page after page, so that a million certificates need no memory.
template <class Visit>
Result<void> visit(store::Store& store, CertificateFilter filter, std::size_t count_max, Visit visit_record) {
    std::size_t seen = 0;
    for (;;) {
        if (count_max != 0) filter.count_max = std::min(records_page, count_max - seen);
        ESTUARY_TRY(const auto records, store.certificates(filter));
        for (const auto& record : records) visit_record(record);
        seen += records.size();
        if (records.size() < filter.count_max || (count_max != 0 && seen >= count_max)) return {};
        filter.after_id = records.back().id;
    }
}

void print_record(const CertificateRecord& record, Time now, std::ostream& out) {
    FieldList fields;
    fields.add("serial", to_hex(record.serial_number));
    fields.add("ca", record.ca);
    fields.add("status", status_of(record, now));
    if (record.revocation)
        fields.add("revoked", fmt::format("{}, {}", to_iso8601(record.revocation->at), store::to_string(record.revocation->reason)));
    if (record.revocation && record.revocation->invalidity_date)
        fields.add("invalid since", to_iso8601(*record.revocation->invalidity_date));
    fields.add("subject", record.subject.empty() ? "(empty)" : record.subject);
    fields.add("alternative names", record.subject_alt_names);
    fields.add("not before", to_iso8601(record.not_before));
    fields.add("not after", to_iso8601(record.not_after));
    if (const auto certificate = x509::Certificate::parse(record.der)) {
        if (const auto key = certificate->public_key()) fields.add("key", key->type_name());
        fields.add("issuer", certificate->issuer().to_text());
        fields.add("sha256", certificate->sha256_fingerprint());
    }
    fields.add("profile", record.profile);
    fields.add("label", record.label);
    fields.add("requester", record.requester);
    fields.add("issued at", to_iso8601(record.issued_at));
    fields.print(out);
}

Result<void> list_json(store::Store& store, const CertificateFilter& filter, const CertListOptions& options, Time now,
                       std::ostream& out) {
    const char* separator = "[";
    ESTUARY_CHECK(visit(store, filter, options.count_max, [&](const CertificateRecord& record) {
        out << separator << '\n' << boost::json::serialize(json_of(record, now, options.pem));
        separator = ",";
    }));
    out << (*separator == '[' ? "[]" : "\n]") << '\n';
    return {};
}

Result<void> list(store::Store& store, const CertListOptions& options, Time now, std::ostream& out) {
    ESTUARY_TRY(const auto filter, read_filter(options, now));
    if (options.json) return list_json(store, filter, options, now, out);
    if (options.pem)
        return visit(store, filter, options.count_max, [&](const CertificateRecord& record) { out << pem_of(record); });
    Columns columns{{"SERIAL", "CA", "STATUS", "NOT AFTER", "SUBJECT", "SAN", "REQUESTER"}};
    ESTUARY_CHECK(visit(store, filter, options.count_max, [&](const CertificateRecord& record) {
        columns.add({to_hex(record.serial_number), record.ca, status_of(record, now), to_iso8601(record.not_after),
                     record.subject, record.subject_alt_names, record.requester});
    }));
    columns.print(out);
    return {};
}

/// What a person meant: a serial number, or the certificate itself in a file.
struct Meant {
    std::string serial;
    std::optional<x509::Certificate> certificate;
};
Result<Meant> meant(const std::string& word) {
    if (std::error_code ignored; !std::filesystem::is_regular_file(word, ignored)) return Meant{word, {}};
    ESTUARY_TRY(const auto content, file::read(word));
    ESTUARY_TRY(const auto certificates, x509::parse_certificates(content));
    return Meant{certificates.front().serial_hex(), certificates.front()};
}

Result<CertificateRecord> find(store::Store& store, const Meant& which, const std::string& ca) {
    ESTUARY_TRY(auto record, find_certificate(store, which.serial, ca));
    if (which.certificate && !same(record.der, which.certificate->der()))
        return fail(Code::not_found, "another certificate of that serial number was issued here, not this one");
    return record;
}

/// An issuing CA whose directory came from another installation, its root's key with it, is not in the records until something is to
/// be said of it.
Result<CertificateRecord> record_ca(Session& session, const Meant& which, Time now) {
    ESTUARY_TRY(auto serial_number, read_serial(which.serial));
    const auto all = publishers(session.configuration, now);
    const auto found = std::ranges::find_if(all, [&](const Publisher& each) {
        return each.root && each.certificate.serial_hex() == to_hex(serial_number);
    });
    if (found == all.end()) return fail(Code::not_found, fmt::format("no root here has issued a certificate {}", shown(which.serial)));
    CertificateRecord record;
    record.ca = root_ca_name;
    record.serial_number = std::move(serial_number);
    record.der = to_vec(found->certificate.der());
    record.subject = found->certificate.subject().to_text();
    record.not_before = record.issued_at = found->certificate.not_before();
    record.not_after = found->certificate.not_after();
    record.profile = "issuing-ca";
    record.requester = "operator";
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertCertificate{record, std::nullopt});
    ESTUARY_CHECK(session.store->commit(std::move(work)));
    return record;
}

Result<CertificateRecord> revoke(Session& session, const CertOptions& options, store::RevocationReason reason, const Program& program) {
    ESTUARY_TRY(const auto which, meant(options.serial));
    auto found = find(*session.store, which, options.ca);
    if (!found && found.error().code == Code::not_found && options.ca == root_ca_name) found = record_ca(session, which, program.clock.now());
    ESTUARY_TRY(auto record, std::move(found));
    ESTUARY_TRY(const auto authority, operator_authority(session, program));
    authority::RevokeRequest request{record.ca, record.serial_number, reason, operator_principal()};
    if (!options.invalidity_date.empty()) {
        ESTUARY_TRY(request.invalidity_date, parse_iso8601(options.invalidity_date));
    }
    store::UnitOfWork work;
    ESTUARY_CHECK(authority->revoke(request, work));
    ESTUARY_CHECK(session.store->commit(std::move(work)));
    return record;
}

Exit change_status(const CertOptions& options, std::string_view reason_name, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto reason = store::revocation_reason(reason_name);
    if (!reason) return report(program, reason.error());
    const auto record = revoke(*session, options, *reason, program);
    if (!record) return report(program, record.error());
    const auto serial_number = to_hex(record->serial_number);
    const auto name = shown(record->subject.empty() ? record->subject_alt_names : record->subject);
    if (*reason == store::RevocationReason::remove_from_crl) {
        fmt::print(program.err, "Certificate {} of {} is valid again: its hold is lifted.\n", serial_number, name);
    } else {
        fmt::print(program.err, "Certificate {} of {} is {} ({}).\n", serial_number, name,
                   *reason == store::RevocationReason::certificate_hold ? "on hold" : "revoked", reason_name);
    }
    program.err << revocation_notice(session->configuration, *record, *session->store, program.clock.now());
    return Exit::ok;
}

}  // namespace

Exit cert_list(const CertListOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    if (auto done = list(*session->store, options, program.clock.now(), program.out); !done) return report(program, done.error());
    return Exit::ok;
}

Exit cert_show(const CertOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto which = meant(options.serial);
    if (!which) return report(program, which.error());
    const auto record = find(*session->store, *which, options.ca);
    if (!record) return report(program, record.error());
    const auto now = program.clock.now();
    if (options.json) {
        program.out << boost::json::serialize(json_of(*record, now, true)) << '\n';
        return Exit::ok;
    }
    if (!options.pem) print_record(*record, now, program.out);
    program.out << pem_of(*record);
    return Exit::ok;
}

Exit cert_revoke(const CertOptions& options, const Program& program) { return change_status(options, options.reason, program); }

Exit cert_release(const CertOptions& options, const Program& program) {
    return change_status(options, store::to_string(store::RevocationReason::remove_from_crl), program);
}

}  // namespace estuary::daemon
