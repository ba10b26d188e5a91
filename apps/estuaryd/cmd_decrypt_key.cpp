// estuaryd decrypt-key add, list, remove: keys that requests may name to have their private key encrypted with.
#include <array>
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/table.h"
#include "estuary/authority/key_decryption.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

using store::DecryptionKey;

constexpr std::size_t identifier_octets = 16, key_octets = 32;

/// "IDENTIFIER:KEY", both in hexadecimal: what `estuary enroll --decrypt-key` reads.
struct SharedLine {
    ByteVec identifier;
    crypto::Secret key;
};

Result<SharedLine> parse_line(std::string_view text) {
    const auto colon = text.find(':');
    const auto bad = [] { return fail(Code::malformed, "a shared key is written as IDENTIFIER:KEY, both in hexadecimal"); };
    if (colon == std::string_view::npos) return bad();
    auto identifier = from_hex(text.substr(0, colon));
    auto key = from_hex(text.substr(colon + 1));
    if (!identifier || !key) return bad();
    return SharedLine{std::move(*identifier), crypto::Secret{std::move(*key)}};
}

Result<SharedLine> shared_line(const DecryptKeyOptions& options, crypto::Entropy& entropy) {
    if (!options.key_file.empty()) {
        ESTUARY_TRY(const auto line, read_secret_line(options.key_file));
        return parse_line(line.reveal_text());
    }
    ByteVec identifier(identifier_octets), key(key_octets);
    entropy.fill(identifier);
    entropy.fill(key);
    return SharedLine{std::move(identifier), crypto::Secret{std::move(key)}};
}

Result<void> put_certificate(DecryptionKey& record, const std::string& path) {
    constexpr auto receiving = x509::key_encipherment | x509::key_agreement;
    ESTUARY_TRY(const auto content, file::read(path));
    ESTUARY_TRY(const auto certificates, x509::parse_certificates(content));
    if (certificates.size() != 1) return fail(Code::malformed, path + " does not hold exactly one certificate");
    const auto& certificate = certificates.front();
    if (const auto usage = certificate.key_usage(); usage && (*usage & receiving) == 0)
        return fail(Code::bad_key, "the certificate allows neither keyEncipherment nor keyAgreement (keyUsage)");
    ESTUARY_TRY(record.identifier, authority::decryption_key_identifier(certificate));
    record.certificate = to_vec(certificate.der());
    return {};
}

boost::json::object json_of(const DecryptionKey& record) {
    return {{"id", to_hex(record.identifier)},
            {"kind", record.certificate.empty() ? "shared" : "certificate"},
            {"credential", record.credential},
            {"subject_pattern", record.subject_pattern},
            {"created_at", to_iso8601(record.created_at)}};
}

}  // namespace

Exit decrypt_key_add(const DecryptKeyOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    DecryptionKey record;
    record.credential = options.credential;
    record.subject_pattern = options.subject_pattern;
    record.created_at = program.clock.now();
    std::string shown_once;
    const auto prepared = [&]() -> Result<void> {
        if (!options.subject_pattern.empty()) ESTUARY_CHECK(authority::check_subject_pattern(options.subject_pattern));
        if (!options.certificate.empty()) return put_certificate(record, options.certificate);
        ESTUARY_TRY(auto line, shared_line(options, program.entropy));
        ESTUARY_TRY(const auto sealing, read_password_key(session->configuration));
        ESTUARY_TRY(record.sealed_key, authority::seal_decryption_key(sealing, line.identifier, line.key, program.entropy));
        record.identifier = line.identifier;
        if (options.key_file.empty()) shown_once = fmt::format("{}:{}\n", to_hex(line.identifier), to_hex(line.key.reveal()));
        return {};
    }();
    if (!prepared) return report(program, prepared.error());
    store::UnitOfWork work;
    audit(work, program, "decrypt-key.added", to_hex(record.identifier),
          fmt::format("kind={} credential={} subject={}", record.certificate.empty() ? "shared" : "certificate", record.credential, record.subject_pattern));
    const auto identifier = to_hex(record.identifier);
    work.writes.emplace_back(store::InsertDecryptionKey{std::move(record)});
    if (auto done = session->store->commit(std::move(work)); !done) return report(program, done.error());
    fmt::print(program.err, "Key {} added{}.\n", identifier, shown_once.empty() ? "" : "; it is shown this once, for the client's --decrypt-key");
    program.err.flush();
    program.out << shown_once;
    crypto::wipe({reinterpret_cast<std::uint8_t*>(shown_once.data()), shown_once.size()});
    return Exit::ok;
}

Exit decrypt_key_list(const DecryptKeyOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto keys = session->store->key_reads()->decryption_keys();
    if (!keys) return report(program, keys.error());
    if (options.json) {
        boost::json::array all;
        for (const auto& key : *keys) all.push_back(json_of(key));
        program.out << boost::json::serialize(all) << '\n';
        return Exit::ok;
    }
    Columns columns{{"ID", "KIND", "CREDENTIAL", "SUBJECT", "CREATED"}};
    for (const auto& key : *keys)
        columns.add({to_hex(key.identifier), key.certificate.empty() ? "shared" : "certificate", key.credential.empty() ? "any" : key.credential,
                     key.subject_pattern.empty() ? "any" : key.subject_pattern, to_iso8601(key.created_at)});
    columns.print(program.out);
    return Exit::ok;
}

Exit decrypt_key_remove(const DecryptKeyOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    auto identifier = from_hex(options.id);
    if (!identifier) return report(program, {Code::malformed, fmt::format("'{}' is not an identifier in hexadecimal", shown(options.id))});
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemoveDecryptionKey{*identifier});
    audit(work, program, "decrypt-key.removed", to_hex(*identifier), "");
    if (auto done = session->store->commit(std::move(work)); !done) {
        if (done.error().code == Code::conflict) return report(program, {Code::not_found, fmt::format("there is no key {}", to_hex(*identifier))});
        return report(program, done.error());
    }
    fmt::print(program.err, "Key {} removed.\n", to_hex(*identifier));
    return Exit::ok;
}

}  // namespace estuary::daemon
