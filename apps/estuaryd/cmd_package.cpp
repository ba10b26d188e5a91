// estuaryd package add, remove: what waits for clients (RFC 8295).
#include <ostream>

#include <fmt/ostream.h>

#include "apps/estuaryd/session.h"
#include "apps/estuaryd/table.h"
#include "estuary/authority/packages.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/cms/ber.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/packages.h"

namespace estuary::daemon {
namespace {

using store::PackageRecord;

Result<const est::PalType*> read_type(std::string_view text) {
    if (const auto* type = est::pal_type(text)) return type;
    std::string known;
    for (const auto& type : est::pal_types())
        if (type.action == est::PalAction::fetch && type.operation != est::Operation::cacerts && type.operation != est::Operation::crls)
            known += fmt::format("{}{} {}", known.empty() ? "" : ", ", type.number, type.name);
    return fail(Code::malformed, fmt::format("--type: '{}' is none of: {}", shown(text), known));
}

/// "default" as in [est.label.default], or the label's path.
Result<const est::Label*> find_label(const Configuration& configuration, std::string_view name) {
    const auto path = name == "default" ? std::string_view{} : name;
    for (const auto& label : configuration.est.labels)
        if (label.name == path) return &label;
    std::string known;
    for (const auto& label : configuration.est.labels) known += (known.empty() ? "" : ", ") + (label.name.empty() ? "default" : label.name);
    return fail(Code::not_found, fmt::format("--label: there is no label '{}'; there is: {}", shown(name), known));
}

const std::string& ca_of(const Configuration& configuration, const est::Label& label) {
    static const std::string none;
    for (const auto& profile : configuration.profiles)
        if (profile.name == label.profile) return profile.ca;
    return none;
}

/// The certificate that a package is for: recorded, and of this label, or else its holder would never see the package.
Result<std::string> certificate_recipient(Session& session, const est::Label& label, std::string_view ca, std::string_view serial) {
    auto octets = from_hex(serial.size() % 2 == 0 ? std::string{serial} : "0" + std::string{serial});
    if (!octets || octets->empty()) return fail(Code::malformed, fmt::format("--to: '{}' is not a serial number in hexadecimal", shown(serial)));
    const auto plain = authority::without_leading_zeros(*octets);
    ESTUARY_TRY(const auto record, session.store->certificate(ca, plain));
    if (!record) return fail(Code::not_found, fmt::format("--to: CA {} has no certificate {}", ca, to_hex(plain)));
    if (record->label != label.name)
        return fail(Code::not_found, fmt::format("--to: certificate {} was issued under label '{}': give --label", to_hex(plain),
                                                 record->label.empty() ? "default" : record->label));
    if (record->revocation) return fail(Code::conflict, fmt::format("--to: certificate {} is revoked", to_hex(plain)));
    return fmt::format("certificate:{}/{}", ca, to_hex(plain));
}

Result<authority::PackageRecipient> read_recipient(Session& session, const PackageOptions& options, const est::Label* label) {
    const std::string_view to = options.to;
    std::string text = options.to;
    if (to.starts_with("serial:") || to.starts_with("certificate:")) {
        if (label == nullptr) return fail(Code::malformed, "--to: a certificate belongs to one label: give --label, not --every-label");
        const auto rest = to.substr(to.find(':') + 1);
        const auto slash = to.starts_with("certificate:") ? rest.rfind('/') : std::string_view::npos;
        const auto ca = slash == std::string_view::npos ? std::string_view{ca_of(session.configuration, *label)} : rest.substr(0, slash);
        ESTUARY_TRY(text, certificate_recipient(session, *label, ca, slash == std::string_view::npos ? rest : rest.substr(slash + 1)));
    }
    auto recipient = authority::PackageRecipient::parse(text);
    if (!recipient) return fail(in_context("--to", std::move(recipient).error()));
    // Under another label the same subject may be somebody else (bug class 7).
    if (recipient->is_subject() && label == nullptr)
        return fail(Code::malformed, "--to: a subject is known under one label only: give --label, not --every-label");
    return recipient;
}

/// A duration from now, or a time.
Result<Time> read_time(std::string_view what, std::string_view text, Time now) {
    if (const auto duration = parse_duration(text)) return now + *duration;
    auto time = parse_iso8601(text);
    if (!time) return fail(Code::malformed, fmt::format("{}: '{}' is neither a duration like 30d nor a time like 2026-11-21T03:38:00Z", what, shown(text)));
    return time;
}

Result<void> read_times(const PackageOptions& options, Time now, PackageRecord& into) {
    into.created_at = into.available_from = now;
    if (!options.from.empty()) {
        ESTUARY_TRY(into.available_from, read_time("--from", options.from, now));
    }
    if (!options.until.empty()) {
        ESTUARY_TRY(into.available_until, read_time("--until", options.until, now));
        if (*into.available_until <= std::max(now, into.available_from))
            return fail(Code::malformed, "--until: lies before the package would be available");
    }
    return {};
}

/// The package's DER. Peers' certificates may come as they are; the message around them is made here.
Result<ByteVec> read_content(const PackageOptions& options, const est::PalType& type) {
    ESTUARY_TRY(const auto content, file::read(options.file, 2 * est::package_octets_max));
    if (type.operation == est::Operation::eecerts) {
        if (const auto certificates = x509::parse_certificates(content); certificates && !certificates->empty()) {
            std::vector<Bytes> ders;
            for (const auto& certificate : *certificates) ders.push_back(certificate.der());
            return cms::encode_certs_only(ders);
        }
    }
    const bool binary = !content.empty() && content.front() == static_cast<std::uint8_t>(der::Tag::sequence);
    auto octets = binary ? Result<ByteVec>{content} : est::decode_body(as_text(content), est::pem_pkcs7);
    // Other programs stream; clients are promised DER.
    if (octets) octets = cms::to_der(*octets, {.bytes_max = 2 * est::package_octets_max});
    if (!octets) return fail(in_context(options.file, std::move(octets).error()));
    return octets;
}

Result<void> check_plain(const PackageOptions& options, const est::CheckedPackage& checked) {
    if (!checked.holds_keys || checked.encrypted || options.plain) return {};
    return fail(Code::policy, fmt::format("{}: the keys in it are not encrypted ({}). Encrypt them for their recipient, or say --plain: "
                                          "then they lie in the database, and whoever fetches them, as they are",
                                          options.file, checked.layers.describe()));
}

Result<PackageRecord> new_record(Session& session, const PackageOptions& options, Time now, std::string& seen) {
    ESTUARY_TRY(const auto* const type, read_type(options.type));
    const est::Label* label = nullptr;
    if (!options.every_label) {
        ESTUARY_TRY(label, find_label(session.configuration, options.label));
    }
    ESTUARY_TRY(const auto recipient, read_recipient(session, options, label));
    PackageRecord record;
    ESTUARY_TRY(record.content, read_content(options, *type));
    auto package = est::check_package(*type, record.content);
    if (!package) return fail(in_context(options.file, std::move(package).error()));
    ESTUARY_CHECK(check_plain(options, *package));
    if (options.receipt && est::receipt_type_for(*type) == nullptr)
        return fail(Code::malformed, fmt::format("--receipt: there are no receipts for type {} ({})", type->number, type->name));
    if (!text::is_plain_utf8(options.note)) return fail(Code::malformed, "--note: must be plain text");
    record.type = type->number;
    if (label != nullptr) record.label = label->name;
    record.recipient = recipient.text;
    record.recipient_key = recipient.key;
    record.media_type = package->media_type;
    record.encrypted = package->encrypted;
    record.receipt_wanted = options.receipt;
    record.digest = crypto::sha256(record.content);
    record.size = static_cast<std::int64_t>(record.content.size());
    record.note = options.note;
    ESTUARY_CHECK(read_times(options, now, record));
    seen = package->layers.describe();
    return record;
}

/// The number that the store gave it.
std::int64_t number_of(store::PackageReads& reads, const PackageRecord& record) {
    const auto all = reads.packages();
    if (all)
        for (auto one = all->rbegin(); one != all->rend(); ++one)
            if (one->digest == record.digest && one->recipient_key == record.recipient_key && one->label == record.label) return one->id;
    return 0;
}

void print_notes(const Session& session, const PackageRecord& record, const est::Label* label, const Program& program) {
    if (!record.encrypted && (record.type == "0021" || record.type == "0022" || record.type == "0024"))
        fmt::print(program.err, "Note: its keys are not encrypted; `estuaryd package remove` when they are fetched.\n");
    if (label == nullptr) return;
    const auto& allowed = label->packages;
    const bool nobody = !allowed.certificate_of_ours && allowed.manufacturers.empty() && !allowed.basic && !allowed.digest;
    if (nobody)
        fmt::print(program.err, "Note: nobody can fetch it yet: in {}, [est.label.{}] needs packages = [\"certificate\"].\n",
                   session.configuration.file.string(), label->name.empty() ? "default" : label->name);
}

}  // namespace

Exit package_add(const PackageOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    auto* reads = session->store->package_reads();
    if (reads == nullptr) return report(program, {Code::unsupported, "this kind of database keeps no packages"});
    std::string seen;
    const auto record = new_record(*session, options, program.clock.now(), seen);
    if (!record) return report(program, record.error());
    store::UnitOfWork work;
    audit(work, program, "package.added", record->recipient,
          fmt::format("type={} label={} octets={} encrypted={} sha256={}", record->type, record->label.value_or("*"), record->size,
                      record->encrypted, to_hex(record->digest)));
    work.writes.emplace_back(store::InsertPackage{*record});
    if (auto done = session->store->commit(std::move(work)); !done) return report(program, done.error());
    fmt::print(program.err, "Package {} added: type {}, {}, {} octets, for {} under {}.\n", number_of(*reads, *record), record->type, seen,
               record->size, shown(record->recipient),
               !record->label ? "every label" : record->label->empty() ? "the default label" : "label " + shown(*record->label));
    const auto label = record->label ? find_label(session->configuration, record->label->empty() ? "default" : *record->label)
                                     : Result<const est::Label*>{nullptr};
    print_notes(*session, *record, label.value_or(nullptr), program);
    return Exit::ok;
}

Exit package_remove(const PackageOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemovePackage{options.id});
    audit(work, program, "package.removed", fmt::format("package:{}", options.id), "");
    if (auto done = session->store->commit(std::move(work)); !done) {
        if (done.error().code == Code::conflict)
            return report(program, {Code::not_found, fmt::format("there is no package {}", options.id)});
        return report(program, done.error());
    }
    fmt::print(program.err, "Package {} removed. Its receipts stay.\n", options.id);
    return Exit::ok;
}

}  // namespace estuary::daemon
