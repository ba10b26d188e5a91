// estuaryd package list, show, receipts, receipt: what waits, who fetched it, what came back.
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/session.h"
#include "apps/estuaryd/table.h"
#include "estuary/base/encoding.h"
#include "estuary/est/packages.h"

namespace estuary::daemon {
namespace {

using store::PackageDownload;
using store::PackageReceipt;
using store::PackageRecord;

/// A session with its packages.
struct PackageSession {
    Session session;
    store::PackageReads* reads = nullptr;
};
Result<PackageSession> open_packages(const PackageOptions& options) {
    ESTUARY_TRY(auto session, open_session(options.directory));
    auto* reads = session.store->package_reads();
    if (reads == nullptr) return fail(Code::unsupported, "this kind of database keeps no packages");
    return PackageSession{std::move(session), reads};
}

std::string label_text(const PackageRecord& record) {
    if (!record.label) return "(every)";
    return record.label->empty() ? "default" : *record.label;
}
std::string type_text(const PackageRecord& record) {
    const auto* type = est::pal_type(record.type);
    return type == nullptr ? record.type : fmt::format("{} {}", record.type, type->name);
}
std::string pem_label(const PackageRecord& record) { return record.type == "0022" ? "PKCS12" : "CMS"; }

boost::json::value time_or_null(const std::optional<Time>& time) {
    return time ? boost::json::value(to_iso8601(*time)) : boost::json::value(nullptr);
}

boost::json::object json_of(const PackageRecord& record) {
    boost::json::object object{{"id", record.id},
                               {"type", record.type},
                               {"recipient", record.recipient},
                               {"media_type", record.media_type},
                               {"encrypted", record.encrypted},
                               {"receipt_wanted", record.receipt_wanted},
                               {"sha256", to_hex(record.digest)},
                               {"size", record.size},
                               {"note", record.note},
                               {"created_at", to_iso8601(record.created_at)},
                               {"available_from", to_iso8601(record.available_from)}};
    object["label"] = record.label ? boost::json::value(*record.label) : boost::json::value(nullptr);
    object["available_until"] = time_or_null(record.available_until);
    return object;
}

boost::json::object json_of(const PackageDownload& download) {
    return {{"client", download.client},
            {"first_at", to_iso8601(download.first_at)},
            {"last_at", to_iso8601(download.last_at)},
            {"count", download.count}};
}

boost::json::object json_of(const PackageReceipt& receipt) {
    boost::json::object object{{"id", receipt.id},
                               {"operation", receipt.operation},
                               {"client", receipt.client},
                               {"requester", receipt.requester},
                               {"label", receipt.label},
                               {"content_type", receipt.content_type},
                               {"signer", receipt.signer},
                               {"sha256", to_hex(receipt.digest)},
                               {"size", receipt.size},
                               {"received_at", to_iso8601(receipt.received_at)}};
    object["package"] = receipt.package ? boost::json::value(*receipt.package) : boost::json::value(nullptr);
    return object;
}

template <class Record>
void print_json(const std::vector<Record>& records, std::ostream& out) {
    boost::json::array all;
    for (const auto& record : records) all.push_back(json_of(record));
    out << boost::json::serialize(all) << '\n';
}

void print_fields(const PackageRecord& record, std::ostream& out) {
    FieldList fields;
    fields.add("id", std::to_string(record.id));
    fields.add("type", type_text(record));
    fields.add("for", shown(record.recipient));
    fields.add("label", label_text(record));
    fields.add("sent as", record.media_type);
    fields.add("encrypted", record.encrypted ? "yes" : "no");
    fields.add("receipt wanted", record.receipt_wanted ? "yes" : "no");
    fields.add("octets", std::to_string(record.size));
    fields.add("sha256", to_hex(record.digest));
    fields.add("note", shown(record.note));
    fields.add("created at", to_iso8601(record.created_at));
    fields.add("available from", to_iso8601(record.available_from));
    fields.add("available until", record.available_until ? to_iso8601(*record.available_until) : "removed");
    fields.print(out);
}

void print_downloads(const std::vector<PackageDownload>& downloads, std::ostream& out) {
    Columns columns{{"FETCHED BY", "FIRST", "LAST", "TIMES"}};
    for (const auto& download : downloads)
        columns.add({download.client, to_iso8601(download.first_at), to_iso8601(download.last_at), std::to_string(download.count)});
    columns.print(out);
}

void print_receipts(const std::vector<PackageReceipt>& receipts, std::ostream& out) {
    Columns columns{{"ID", "PACKAGE", "RECEIVED", "CONTENT", "CLIENT", "SIGNED BY"}};
    for (const auto& receipt : receipts)
        columns.add({std::to_string(receipt.id), receipt.package ? std::to_string(*receipt.package) : "-", to_iso8601(receipt.received_at),
                     receipt.content_type, receipt.client, receipt.signer.empty() ? "(not signed)" : receipt.signer});
    columns.print(out);
}

}  // namespace

Exit package_list(const PackageOptions& options, const Program& program) {
    const auto opened = open_packages(options);
    if (!opened) return report(program, opened.error());
    const auto packages = opened->reads->packages();
    if (!packages) return report(program, packages.error());
    if (options.json) return print_json(*packages, program.out), Exit::ok;
    Columns columns{{"ID", "TYPE", "LABEL", "FOR", "OCTETS", "UNTIL", "NOTE"}};
    for (const auto& record : *packages)
        columns.add({std::to_string(record.id), type_text(record), label_text(record), record.recipient, std::to_string(record.size),
                     record.available_until ? to_iso8601(*record.available_until) : "-", record.note});
    columns.print(program.out);
    return Exit::ok;
}

Exit package_show(const PackageOptions& options, const Program& program) {
    const auto opened = open_packages(options);
    if (!opened) return report(program, opened.error());
    const auto record = opened->reads->package(options.id);
    if (!record) return report(program, record.error());
    if (!*record) return report(program, {Code::not_found, fmt::format("there is no package {}", options.id)});
    if (options.pem) return program.out << to_pem(pem_label(**record), (*record)->content), Exit::ok;
    const auto downloads = opened->reads->package_downloads(options.id);
    if (!downloads) return report(program, downloads.error());
    const auto receipts = opened->reads->package_receipts({options.id, 0, 1000});
    if (!receipts) return report(program, receipts.error());
    if (options.json) {
        auto object = json_of(**record);
        boost::json::array fetched, returned;
        for (const auto& download : *downloads) fetched.push_back(json_of(download));
        for (const auto& receipt : *receipts) returned.push_back(json_of(receipt));
        object["downloads"] = std::move(fetched);
        object["receipts"] = std::move(returned);
        program.out << boost::json::serialize(object) << '\n';
        return Exit::ok;
    }
    print_fields(**record, program.out);
    if (!downloads->empty()) print_downloads(*downloads, program.out << '\n');
    if (!receipts->empty()) print_receipts(*receipts, program.out << '\n');
    return Exit::ok;
}

Exit package_receipts(const PackageOptions& options, const Program& program) {
    const auto opened = open_packages(options);
    if (!opened) return report(program, opened.error());
    constexpr std::size_t count_max = 10'000;
    const auto of = options.id == 0 ? std::nullopt : std::optional{options.id};
    const auto receipts = opened->reads->package_receipts({of, options.after_id, count_max});
    if (!receipts) return report(program, receipts.error());
    if (options.json) return print_json(*receipts, program.out), Exit::ok;
    print_receipts(*receipts, program.out);
    return Exit::ok;
}

Exit package_receipt(const PackageOptions& options, const Program& program) {
    const auto opened = open_packages(options);
    if (!opened) return report(program, opened.error());
    const auto receipt = opened->reads->package_receipt(options.id);
    if (!receipt) return report(program, receipt.error());
    if (!*receipt) return report(program, {Code::not_found, fmt::format("there is no receipt {}", options.id)});
    if (options.json) {
        program.out << boost::json::serialize(json_of(**receipt)) << '\n';
    } else {
        program.out << to_pem("CMS", (*receipt)->content);
    }
    return Exit::ok;
}

}  // namespace estuary::daemon
