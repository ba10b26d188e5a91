// estuaryd credential add, list, remove: who may enroll with a name and a password.
#include <charconv>
#include <iostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/table.h"
#include "estuary/authority/shared_secrets.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t name_octets_max = 128;
constexpr std::size_t password_octets_min = 8, password_octets_max = 1024;

Result<void> check_name(std::string_view name) {
    if (name.empty() || name.size() > name_octets_max || !text::is_plain_utf8(name))
        return fail(Code::malformed, fmt::format("a credential's name has 1 to {} characters, none of them control characters", name_octets_max));
    // RFC 7617 2: a user-id with a colon cannot be sent.
    if (name.find(':') != std::string_view::npos) return fail(Code::malformed, "a credential's name has no colon");
    return {};
}

Result<crypto::Secret> read_password_stdin() {
    std::string line;
    std::getline(std::cin, line);
    crypto::Secret secret{without_line_break(line)};
    crypto::wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
    return secret;
}

/// Nothing: one is to be generated.
Result<std::optional<crypto::Secret>> chosen_password(const CredentialAddOptions& options) {
    if (options.password_file.empty() && !options.password_stdin) return std::optional<crypto::Secret>{};
    ESTUARY_TRY(auto password, options.password_stdin ? read_password_stdin() : read_secret_line(options.password_file));
    const auto size = password.reveal().size();
    if (size < password_octets_min || size > password_octets_max || !text::is_plain_utf8(password.reveal_text()))
        return fail(Code::malformed, fmt::format("a password has {} to {} characters, none of them control characters",
                                                 password_octets_min, password_octets_max));
    return std::optional{std::move(password)};
}

Result<std::optional<std::int64_t>> read_uses(std::string_view text) {
    if (text == "unlimited") return std::optional<std::int64_t>{};
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1)
        return fail(Code::malformed, fmt::format("--uses: '{}' is neither a number from 1 nor 'unlimited'", text));
    return std::optional{number};
}

Result<std::optional<Time>> read_expiry(std::string_view text, Time now) {
    if (text == "never") return std::optional<Time>{};
    const auto duration = parse_duration(text);
    if (!duration) return fail(in_context("--expires", duration.error()));
    return std::optional{now + *duration};
}

/// The profile that a new credential is bound to; empty: none.
Result<std::string> read_profile_name(const Configuration& configuration, const std::string& wanted) {
    if (wanted == "any") return std::string{};
    if (wanted.empty()) {
        for (const auto& label : configuration.est.labels)
            if (label.name.empty()) return label.profile;
        return std::string{};
    }
    if (configuration.profile_places.contains(wanted)) return wanted;
    std::string known;
    for (const auto& profile : configuration.profiles) known += (known.empty() ? "" : ", ") + profile.name;
    return fail(Code::not_found, fmt::format("--profile: there is no [profile.{}]; there is: {}", wanted, known));
}

Result<void> check_patterns(const CredentialAddOptions& options) {
    for (const auto& pattern : options.subject_patterns)
        if (auto checked = authority::check_subject_pattern(pattern); !checked)
            return fail(in_context("--subject", std::move(checked).error()));
    for (const auto& pattern : options.san_patterns)
        if (auto checked = authority::check_san_pattern(pattern); !checked)
            return fail(in_context("--san", std::move(checked).error()));
    return {};
}

std::string join(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts) out += (out.empty() ? "" : " | ") + text;
    return out;
}

/// Whether the profile leaves all host names open: a credential for it should then say which.
bool names_are_open(const Configuration& configuration, const store::CredentialRecord& record) {
    for (const auto& profile : configuration.profiles)
        if (profile.name == record.profile || record.profile.empty())
            for (const auto& purpose : profile.ext_key_usage)
                if (purpose == x509::oid::kp_server_auth && profile.san.patterns.empty() && record.san_patterns.empty()) return true;
    return false;
}

Result<store::CredentialRecord> new_record(const Session& session, const CredentialAddOptions& options, Time now) {
    ESTUARY_CHECK(check_name(options.name));
    ESTUARY_CHECK(check_patterns(options));
    store::CredentialRecord record;
    record.name = options.name;
    ESTUARY_TRY(record.uses_left, read_uses(options.uses));
    ESTUARY_TRY(record.expires_at, read_expiry(options.expires, now));
    ESTUARY_TRY(record.profile, read_profile_name(session.configuration, options.profile));
    record.subject_patterns = options.subject_patterns;
    record.san_patterns = options.san_patterns;
    record.created_at = now;
    record.protocol = options.type;
    if (options.digest && options.type != "http") return fail(Code::malformed, "--digest is for credentials of --type http");
    return record;
}

/// What the store keeps of the password: a hash where the peer sends it, and itself, sealed, where both sides make MACs of it.
Result<void> keep_password(store::CredentialRecord& record, const crypto::Secret& password, bool generated,
                           const crypto::Secret& password_key) {
    if (record.protocol == "http") {
        record.password_hash = generated ? crypto::hash_generated_password(password, password_key) : crypto::hash_chosen_password(password);
        return {};
    }
    crypto::SystemEntropy entropy;
    ESTUARY_TRY(record.sealed_secret, authority::seal_secret(password_key, record, password, entropy));
    return {};
}

void print_added(const store::CredentialRecord& record, bool generated, const Program& program) {
    fmt::print(program.err, "Credential {} added: {}, {}, {}.\n", shown(record.name),
               record.uses_left ? fmt::format("{} use{}", *record.uses_left, *record.uses_left == 1 ? "" : "s") : "unlimited uses",
               record.expires_at ? "expires " + to_iso8601(*record.expires_at) : "never expires",
               record.profile.empty() ? "any profile" : "profile " + record.profile);
    if (generated) fmt::print(program.err, "Its {}, shown this once:\n", record.protocol == "http" ? "password" : "shared secret");
    program.err.flush();
}

std::string text_of(const std::optional<std::int64_t>& uses) { return uses ? std::to_string(*uses) : "unlimited"; }

boost::json::object json_of(const store::CredentialRecord& record) {
    boost::json::object object{{"name", record.name}, {"type", record.protocol}, {"profile", record.profile}, {"created_at", to_iso8601(record.created_at)}};
    object["uses_left"] = record.uses_left ? boost::json::value(*record.uses_left) : boost::json::value(nullptr);
    object["expires_at"] = record.expires_at ? boost::json::value(to_iso8601(*record.expires_at)) : boost::json::value(nullptr);
    object["digest"] = !record.digest_ha1.empty();
    object["subject_patterns"] = boost::json::array(record.subject_patterns.begin(), record.subject_patterns.end());
    object["san_patterns"] = boost::json::array(record.san_patterns.begin(), record.san_patterns.end());
    return object;
}

}  // namespace

Exit credential_add(const CredentialAddOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    auto record = new_record(*session, options, program.clock.now());
    if (!record) return report(program, record.error());
    auto chosen = chosen_password(options);
    if (!chosen) return report(program, chosen.error());
    const auto key = read_password_key(session->configuration);
    if (!key) return report(program, key.error());

    const bool generated = !chosen->has_value();
    const auto password = generated ? crypto::generate_password() : std::move(**chosen);
    if (auto kept = keep_password(*record, password, generated, *key); !kept) return report(program, kept.error());
    if (options.digest) record->digest_ha1 = crypto::digest_ha1(record->name, session->configuration.est.realm, password);
    store::UnitOfWork work;
    audit(work, program, "credential.added", record->name,
          fmt::format("type={} uses={} expires={} profile={} subject={} san={}", options.type, options.uses, options.expires,
                      record->profile.empty() ? "any" : record->profile, join(record->subject_patterns), join(record->san_patterns)));
    work.writes.emplace_back(store::InsertCredential{*record});
    if (auto done = session->store->commit(std::move(work)); !done) {
        if (done.error().code == Code::conflict)
            return report(program, {Code::conflict, fmt::format("there is a credential {} already; `estuaryd credential remove` it first", shown(options.name))});
        return report(program, done.error());
    }
    if (!options.quiet) {
        print_added(*record, generated, program);
        if (names_are_open(session->configuration, *record))
            fmt::print(program.err, "Note: it may ask for a certificate of any host. --san dns:HOST binds it.\n");
    }
    if (generated) fmt::print(program.out, "{}\n", password.reveal_text());
    return Exit::ok;
}

Exit credential_list(const std::filesystem::path& directory, bool json, const Program& program) {
    auto session = open_session(directory);
    if (!session) return report(program, session.error());
    const auto records = session->store->credentials();
    if (!records) return report(program, records.error());
    if (json) {
        boost::json::array all;
        for (const auto& record : *records) all.push_back(json_of(record));
        program.out << boost::json::serialize(all) << '\n';
        return Exit::ok;
    }
    Columns columns{{"NAME", "TYPE", "USES", "EXPIRES", "PROFILE", "SUBJECT", "SAN"}};
    for (const auto& record : *records)
        columns.add({record.name, record.protocol, text_of(record.uses_left), record.expires_at ? to_iso8601(*record.expires_at) : "never",
                     record.profile.empty() ? "any" : record.profile, join(record.subject_patterns), join(record.san_patterns)});
    columns.print(program.out);
    return Exit::ok;
}

Exit credential_remove(const std::filesystem::path& directory, const std::string& name, const Program& program) {
    auto session = open_session(directory);
    if (!session) return report(program, session.error());
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemoveCredential{name});
    audit(work, program, "credential.removed", name, "");
    if (auto done = session->store->commit(std::move(work)); !done) {
        if (done.error().code == Code::conflict)
            return report(program, {Code::not_found, fmt::format("there is no credential {}", shown(name))});
        return report(program, done.error());
    }
    fmt::print(program.err, "Credential {} removed.\n", shown(name));
    return Exit::ok;
}

}  // namespace estuary::daemon
