#include "estuary/authority/packages.h"

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/crypto/digest.h"

namespace estuary::authority {
namespace {

/// What one client may return: for one package, and for none that it named. Each is kept (bug class 30).
constexpr std::int64_t receipts_per_package_max = 16, receipts_without_package_max = 64;

tl::unexpected<Error> no_such_package() { return fail(Code::not_found, "no such package waits for you here"); }

std::string subject_key(const x509::Name& subject) { return "subject:" + to_hex(crypto::sha256(subject.canonical())); }

std::string certificate_key(const CertificateProof& proof) {
    Principal alone;
    alone.certificate = proof;
    return alone.describe();
}

std::string credential_key(std::string_view name) { return fmt::format("credential:{}", text::printable(name)); }

/// "CA/SERIAL" with the serial number in the form that Principal::describe() has.
Result<std::string> holder_and_serial(std::string_view kind, std::string_view text) {
    const auto slash = text.rfind('/');
    const auto serial = slash == std::string_view::npos ? Result<ByteVec>{fail(Code::malformed, "")} : from_hex(text.substr(slash + 1));
    if (!serial || serial->empty() || slash == 0)
        return fail(Code::malformed, fmt::format("'{}:{}': a name, '/' and a serial number in hexadecimal are needed", kind, text));
    return fmt::format("{}:{}/{}", kind, text.substr(0, slash), to_hex(without_leading_zeros(*serial)));
}

/// A certificate of ours counts under its own label only: labels are the borders between tenants (bug class 7).
Result<void> check_certificate(const PackageClient& client, const CertificateProof& proof) {
    const bool of_here = proof.issued_by_ca.empty() || (proof.issued_by_ca == client.ca && proof.label == client.label);
    if (of_here) return {};
    return fail(Code::not_authorised, "the client certificate was not issued under this label");
}

Result<void> check_credential(const PackageClient& client, const CredentialProof& proof) {
    if (!proof.profile.empty() && proof.profile != client.profile)
        return fail(Code::not_authorised, "this password is for another label");
    return {};
}

/// A password that is used up still asks for what became of its request, and for nothing else.
bool is_spent(const PackageClient& client) {
    const auto& credential = client.principal.credential;
    return credential && credential->uses_left && *credential->uses_left <= 0;
}
Result<void> check_unspent(const PackageClient& client) {
    if (!is_spent(client)) return {};
    return fail(Code::not_authorised, "this password is used up: come with the certificate that it was good for");
}

/// The name under which downloads and receipts are remembered: of a certificate of ours its subject, which stays the same when
/// it is renewed (RFC 5280 4.1.2.6: one subject, one entity).
std::string name_of(const PackageClient& client) {
    const auto& certificate = client.principal.certificate;
    if (certificate && !certificate->issued_by_ca.empty() && !certificate->certificate.subject().empty())
        return fmt::format("{}/{}/{}", client.ca, client.label, certificate->certificate.subject().to_text());
    return client.principal.describe();
}

}  // namespace

Result<PackageRecipient> PackageRecipient::parse(std::string_view text) {
    const auto rest_of = [&](std::string_view kind) -> std::optional<std::string_view> {
        if (!text.starts_with(kind) || text.size() <= kind.size() + 1 || text[kind.size()] != ':') return std::nullopt;
        return text.substr(kind.size() + 1);
    };
    if (text == "any") return PackageRecipient{"any", "any"};
    if (const auto name = rest_of("subject")) {
        ESTUARY_TRY(const auto subject, x509::Name::from_text(*name));
        return PackageRecipient{"subject:" + subject.to_text(), subject_key(subject)};
    }
    if (const auto name = rest_of("credential")) return PackageRecipient{credential_key(*name), credential_key(*name)};
    for (const std::string_view kind : {"certificate", "manufacturer"})
        if (const auto name = rest_of(kind)) {
            ESTUARY_TRY(const auto key, holder_and_serial(kind, *name));
            return PackageRecipient{key, key};
        }
    return fail(Code::malformed, fmt::format("'{}' is none of: any, subject:DN, certificate:CA/SERIAL, manufacturer:NAME/SERIAL, "
                                             "credential:NAME", text::printable(text)));
}

Result<store::PackageQuery> Packages::query_of(const PackageClient& client) const {
    const auto& principal = client.principal;
    if (!principal.certificate && !principal.credential)
        return fail(Code::not_authenticated, "packages are for clients that say who they are");
    store::PackageQuery query;
    query.label = client.label;
    query.client = name_of(client);
    query.recipient_keys.emplace_back("any");
    if (principal.certificate) {
        ESTUARY_CHECK(check_certificate(client, *principal.certificate));
        query.recipient_keys.push_back(certificate_key(*principal.certificate));
        // A manufacturer may name its devices as it likes: only what this CA certified is a subject here (bug class 8).
        const auto& subject = principal.certificate->certificate.subject();
        if (!principal.certificate->issued_by_ca.empty() && !subject.empty()) query.recipient_keys.push_back(subject_key(subject));
    }
    if (principal.credential) {
        ESTUARY_CHECK(check_credential(client, *principal.credential));
        query.recipient_keys.push_back(credential_key(principal.credential->name));
    }
    return query;
}

Result<std::vector<store::WaitingPackage>> Packages::waiting(const PackageClient& client, bool downloaded, std::int64_t after_id,
                                                             std::size_t count_max) const {
    ESTUARY_TRY(auto query, query_of(client));
    if (is_spent(client)) return std::vector<store::WaitingPackage>{};
    query.available_at = clock_.now();
    query.downloaded = downloaded;
    query.after_id = after_id;
    query.count_max = count_max;
    return reads_.waiting_packages(query);
}

Result<store::PackageRecord> Packages::fetch(const PackageClient& client, std::optional<std::int64_t> id,
                                             const std::vector<std::string>& types, bool look_only, store::UnitOfWork& work) const {
    ESTUARY_TRY(auto query, query_of(client));
    ESTUARY_CHECK(check_unspent(client));
    const auto now = clock_.now();
    query.available_at = now;
    query.types = types;
    query.id = id;
    query.count_max = 1;
    if (!id) query.downloaded = false;
    ESTUARY_TRY(auto found, reads_.waiting_packages(query));
    if (found.empty() && !id) {
        query.downloaded = true;
        query.newest_first = true;
        ESTUARY_TRY(found, reads_.waiting_packages(query));
    }
    if (found.empty()) return no_such_package();
    ESTUARY_TRY(auto package, reads_.package(found.front().record.id));
    if (!package) return no_such_package();  // removed meanwhile
    if (look_only) return std::move(*package);
    work.writes.emplace_back(store::RecordDownload{package->id, query.client, now});
    audit(work, "package.downloaded", client, fmt::format("package:{}", package->id),
          fmt::format("type={} recipient={} octets={} sha256={}", package->type, package->recipient, package->size,
                      to_hex(package->digest)));
    return std::move(*package);
}

/// Which package a receipt is for. One that is no more available still gets its receipt.
Result<std::optional<std::int64_t>> Packages::package_of(store::PackageQuery query, const ReturnedReceipt& receipt) const {
    query.types = receipt.types;
    query.id = receipt.package;
    ESTUARY_TRY(const auto found, reads_.waiting_packages(query));
    if (receipt.package) {
        if (found.empty()) return no_such_package();
        return receipt.package;
    }
    std::optional<std::int64_t> due;
    for (const auto& waiting : found) {
        if (!waiting.record.receipt_wanted || waiting.receipted || !waiting.downloaded_at) continue;
        if (due) return std::optional<std::int64_t>{};
        due = waiting.record.id;
    }
    return due;
}

Result<void> Packages::give_back(const PackageClient& client, const ReturnedReceipt& receipt, store::UnitOfWork& work) const {
    ESTUARY_TRY(const auto query, query_of(client));
    ESTUARY_CHECK(check_unspent(client));
    ESTUARY_TRY(const auto package, package_of(query, receipt));
    store::PackageReceipt record;
    record.digest = crypto::sha256(receipt.der);
    ESTUARY_TRY(const bool known, reads_.has_receipt(query.client, record.digest));
    if (known) return {};
    ESTUARY_TRY(const auto count, reads_.count_receipts(query.client, package));
    if (count >= (package ? receipts_per_package_max : receipts_without_package_max))
        return fail(Code::policy, "enough receipts and errors of yours are here already");
    record.package = package;
    record.operation = receipt.operation;
    record.client = query.client;
    record.requester = client.principal.describe();
    record.label = client.label;
    record.content_type = receipt.content_type;
    record.signer = receipt.signer;
    record.size = static_cast<std::int64_t>(receipt.der.size());
    record.received_at = clock_.now();
    record.content = to_vec(receipt.der);
    audit(work, "package.receipt", client, package ? fmt::format("package:{}", *package) : receipt.operation,
          fmt::format("content={} signer={} sha256={}", receipt.content_type, receipt.signer.empty() ? "none" : receipt.signer,
                      to_hex(record.digest)));
    work.writes.emplace_back(store::InsertReceipt{std::move(record)});
    return {};
}

Result<std::vector<store::PendingRequest>> Packages::decided(const PackageClient& client) const {
    ESTUARY_CHECK(query_of(client));
    ESTUARY_TRY(auto decided, reads_.decided_requests(client.principal.describe(), client.label, clock_.now()));
    // A key that is made here is fetched by the same request again (RFC 7030 4.4), and in no other way.
    std::erase_if(decided, [](const store::PendingRequest& request) { return request.operation == "serverkeygen"; });
    return decided;
}

void Packages::audit(store::UnitOfWork& work, std::string event, const PackageClient& client, std::string object,
                     std::string detail) const {
    store::AuditEvent line;
    line.at = clock_.now();
    line.event = std::move(event);
    line.actor = client.principal.describe();
    line.object = std::move(object);
    line.outcome = "ok";
    line.detail = std::move(detail);
    work.writes.emplace_back(store::AppendAudit{std::move(line)});
}

}  // namespace estuary::authority
