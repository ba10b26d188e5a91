// estuary.toml into values. Faults are collected, not thrown: whoever mends the file sees all of them at once.
#include <charconv>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "apps/estuaryd/config_ca_profile.h"
#include "apps/estuaryd/config_check.h"
#include "apps/estuaryd/config_cmc.h"
#include "apps/estuaryd/config_cmp.h"
#include "apps/estuaryd/config_keys.h"
#include "apps/estuaryd/config_profile.h"
#include "apps/estuaryd/config_status.h"
#include "apps/estuaryd/config_upstream.h"
#include "apps/estuaryd/paths.h"
#include "apps/estuaryd/requests.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/crypto/algorithms.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t configuration_bytes_max = 1u << 20;  // nobody writes a megabyte of configuration by hand

class Reader {
public:
    Reader(const std::filesystem::path& directory, const std::filesystem::path& file, Faults& faults) : faults_{faults} {
        into_.directory = directory;
        into_.file = file;
    }

    Configuration read(const toml::table& root) {
        Table top{&root, "", 0, faults_};
        read_server(top.table("server"));
        read_cas(top);
        read_tls(top.table("tls"));
        read_status_of(top.table("status"));
        read_profiles(top);
        read_manufacturers(top);
        read_est(top.table("est"));
        into_.keys = read_keys(top.table("keys"), into_.directory);
        into_.cmc = read_cmc(top.table("cmc"), into_.profile_places);
        into_.cmp = read_cmp(top.table("cmp"), into_.profile_places);
        read_database(top.table("database"));
        read_log(top.table("log"));
        read_metrics(top.table("metrics"));
        read_security(top.table("security"));
        top.finish();
        return std::move(into_);
    }

private:
    FileName file_name(Table& table, std::string_view key, std::string_view usual = {}) {
        FileName name{usual.empty() ? std::filesystem::path{} : into_.directory / usual, table.place(key)};
        if (const auto given = table.text(key)) {
            if (given->value.empty()) table.fault(key, "is empty");
            name.path = into_.directory / given->value;
        }
        return name;
    }

    void read_server(Table table) {
        table.parsed_list<net::Listen>("listen", into_.listen, parse_listen);
        if (into_.listen.empty()) into_.listen.push_back({});
        table.number("io_threads", into_.io_threads, 0, 256);
        table.number("worker_threads", into_.worker_threads, 0, 256);
        table.duration("drain_timeout", into_.drain_timeout);
        read_limits(table.table("limits"));
        table.finish();
    }

    void read_limits(Table table) {
        auto& limits = into_.limits;
        table.number("header_bytes_max", limits.header_bytes_max, 1024, 1 << 20);
        table.number("body_bytes_max", limits.body_bytes_max, 4096, 16 << 20);
        table.milliseconds("handshake_timeout", limits.handshake_timeout);
        table.milliseconds("request_timeout", limits.request_timeout);
        table.milliseconds("idle_timeout", limits.idle_timeout);
        table.milliseconds("write_timeout", limits.write_timeout);
        table.number("connections_max", limits.connections_max, 1, 1'000'000);
        table.number("connections_per_address_max", limits.connections_per_address_max, 0, 1'000'000);
        table.number("requests_per_connection_max", limits.requests_per_connection_max, 1, 1'000'000'000);
        table.number("queued_requests_max", limits.queued_requests_max, 1, 1'000'000);
        table.finish();
    }

    void read_cas(Table& top) {
        for (auto& [name, table] : top.tables("ca")) {
            CaSection ca;
            ca.name = name;
            ca.place = table.place();
            ca.directory = file_name(table, "directory");
            ca.certificate = file_name(table, "certificate");
            ca.chain = file_name(table, "chain");
            ca.rollover = file_name(table, "rollover");
            ca.key_place = table.place("key");
            table.text_into("key", ca.key);
            ca.crl = read_crl(table.table("crl"));
            ca.ocsp = read_ocsp(table.table("ocsp"));
            ca.upstream = read_upstream(table.table("upstream"), into_.directory);
            table.finish();
            check_ca_source(table, ca);
            if (!ca.key.empty() && !ca.key.starts_with("pkcs11:")) ca.key = into_.directory / ca.key;
            into_.cas.push_back(std::move(ca));
        }
        if (into_.cas.empty()) faults_.add(0, "ca", "is missing: name a CA, as [ca.issuing] with directory = \"ca\"");
    }

    static void check_ca_source(const Table& table, const CaSection& ca) {
        const bool files = ca.certificate.given() || ca.chain.given() || ca.rollover.given() || !ca.key.empty();
        if (ca.directory.given() && files)
            return table.fault("directory", "stands beside single files; give either the directory or certificate and key");
        if (ca.upstream.present && (ca.directory.given() || !ca.key.empty()))
            return table.fault("upstream", "stands beside a key of the CA's; the key is there or here");
        if (ca.directory.given()) return;
        if (!ca.certificate.given()) table.fault("certificate", "is missing, and no directory is given either");
        if (ca.key.empty() && !ca.upstream.present) table.fault("key", "is missing, and no directory is given either");
    }

    void read_tls(Table table) {
        auto& tls = into_.tls;
        tls.place = table.place();
        tls.certificate = file_name(table, "certificate", paths::server_certificate);
        tls.key = file_name(table, "key", paths::server_key);
        if (into_.cas.size() == 1 && !into_.cas.front().upstream.present) tls.ca = into_.cas.front().name;
        if (into_.cas.size() > 1 && !table.has("ca"))
            table.fault("ca", "is missing: say which CA issues the server's own certificate, or \"\" for none of ours");
        table.text_into("ca", tls.ca);
        tls.hosts_place = table.place("hosts");
        table.parsed_list<std::string>("hosts", tls.hosts, [](std::string_view text) -> Result<std::string> {
            ESTUARY_TRY(const auto name, host_name(text));
            return name.to_text();
        });
        table.parsed<std::string>("key_type", tls.key_type, [](std::string_view text) -> Result<std::string> {
            ESTUARY_TRY(const auto* type, crypto::key_type(text));
            return type->name;
        });
        table.text_into("ciphers", tls.ciphers);
        table.finish();
    }

    void read_status_of(Table table) {
        auto& status = into_.status;
        status.place = table.place();
        status.present = table.present();
        status.directory = file_name(table, "directory", paths::crl);
        read_status(table, status);
    }

    void read_profiles(Table& top) {
        const auto usual_ca = into_.cas.size() == 1 ? into_.cas.front().name : std::string{};
        for (auto& [name, table] : top.tables("profile")) {
            into_.profile_places[name] = table.place();
            into_.profiles.push_back(read_profile(name, table, usual_ca));
        }
    }

    void read_manufacturers(Table& top) {
        for (auto& [name, table] : top.tables("manufacturer")) {
            ManufacturerSection manufacturer;
            manufacturer.name = name;
            manufacturer.anchors = file_name(table, "anchors");
            if (!manufacturer.anchors.given()) table.fault("anchors", "is missing: a PEM file with the trust anchors");
            using ocsp::PeerCheck;
            table.choice<PeerCheck>("check_status", manufacturer.check_status,
                                    {{"off", PeerCheck::off}, {"soft", PeerCheck::soft}, {"hard", PeerCheck::hard}});
            table.choice<bool>("check_addresses", manufacturer.public_addresses_only, {{"public", true}, {"any", false}});
            table.finish();
            into_.manufacturers.push_back(std::move(manufacturer));
        }
    }

    void read_est(Table table) {
        table.text_into("realm", into_.est.realm);
        if (into_.est.realm.find_first_of("\"\\:") != std::string::npos)
            table.fault("realm", "must not hold quotes, backslashes or colons");
        table.duration("digest_nonce_lifetime", into_.est.digest_nonce_lifetime);
        table.number("pal_entries_max", into_.est.pal_entries_max, 16, 10'000);
        for (auto& [name, label] : table.tables("label")) into_.est.labels.push_back(read_label(name, label));
        table.finish();
    }

    est::Label read_label(const std::string& name, Table& table) {
        est::Label label;
        label.name = name == "default" ? "" : name;
        table.text_into("path", label.name);
        check_label_path(table, label.name);
        table.text_into("profile", label.profile);
        if (!table.has("profile")) {
            table.fault("profile", "is missing: say which profile this label enrolls by");
        } else if (!into_.profile_places.contains(label.profile)) {
            table.fault("profile", fmt::format("there is no [profile.{}]", label.profile));
        }
        const auto profile = std::ranges::find(into_.profiles, label.profile, &authority::Profile::name);
        if (profile != into_.profiles.end() && profile->ca_certificate) table.fault("profile", for_cas_only(label.profile));
        table.boolean("enabled", label.enabled);
        table.boolean("linking_required", label.linking_required);
        table.boolean("csrattrs_needs_authentication", label.csrattrs_needs_authentication);
        label.enroll = read_authentication(table, "enroll");
        label.renew = read_authentication(table, "renew");
        label.packages = read_authentication(table, "packages");
        label.serverkeygen = read_authentication(table, "serverkeygen");
        table.boolean("serverkeygen_encrypted", label.serverkeygen_encrypted);
        table.finish();
        for (const auto& other : into_.est.labels) {
            if (other.name == label.name) table.fault("path", fmt::format("'{}' is another label's path too", label.name));
        }
        return label;
    }

    static void check_label_path(const Table& table, std::string_view path) {
        if (path.find_first_not_of(unreserved) != std::string_view::npos || path == "." || path == "..")
            table.fault("path", fmt::format("'{}' is not one segment of letters, digits and - . _ ~", path));
        // RFC 7030 3.2.2: a label must not be the same as any operation's path segment.
        if (est::operation_named(path)) table.fault("path", fmt::format("'{}' is the name of an operation of EST", path));
    }

    /// enroll = ["certificate", "basic", "digest", "manufacturer:NAME"], enroll_needs = "any" or "certificate and password".
    est::Authentication read_authentication(Table& table, const std::string& key) {
        est::Authentication allowed;
        for (const auto& given : table.texts(key)) {
            if (given.value == "certificate") {
                allowed.certificate_of_ours = true;
            } else if (given.value == "basic") {
                allowed.basic = true;
            } else if (given.value == "digest") {
                allowed.digest = true;
            } else if (given.value.starts_with(manufacturer_prefix)) {
                allowed.manufacturers.push_back(given.value.substr(manufacturer_prefix.size()));
                check_manufacturer(given, allowed.manufacturers.back());
            } else {
                faults_.add(given.place, fmt::format("'{}' is not one of: certificate, basic, digest, manufacturer:NAME", given.value));
            }
        }
        table.choice<bool>(key + "_needs", allowed.certificate_and_password, {{"any", false}, {"certificate and password", true}});
        const bool certificate = allowed.certificate_of_ours || !allowed.manufacturers.empty();
        if (allowed.certificate_and_password && !(certificate && (allowed.basic || allowed.digest)))
            table.fault(key + "_needs", fmt::format("asks for both, but '{}' does not list a kind of certificate and a kind of password", key));
        return allowed;
    }

    void check_manufacturer(const Text& given, const std::string& name) {
        const auto is_it = [&](const ManufacturerSection& section) { return section.name == name; };
        if (std::ranges::none_of(into_.manufacturers, is_it))
            faults_.add(given.place, fmt::format("there is no [manufacturer.{}]", name));
    }

    void read_database(Table table) {
        into_.database = file_name(table, "path", paths::database);
        std::size_t mebibytes = into_.cache_bytes >> 20;
        table.number("cache_mib", mebibytes, 1, 65'536);
        into_.cache_bytes = mebibytes << 20;
        table.finish();
    }

    void read_log(Table table) {
        table.parsed<log::Level>("level", into_.log_level, log::parse_level);
        table.finish();
    }

    void read_metrics(Table table) {
        net::Listen listen;
        if (table.has("listen")) into_.metrics = listen;
        table.parsed<net::Listen>("listen", into_.metrics ? *into_.metrics : listen, parse_listen);
        table.finish();
    }

    void read_security(Table table) {
        auto& security = into_.security;
        security.password_key = file_name(table, "password_key", paths::password_key);
        security.blocked_keys = file_name(table, "blocked_keys");
        security.passphrase_file = file_name(table, "passphrase_file");
        table.number("slow_hashes_max", security.slow_hashes_max, 1, 64);
        table.finish();
    }

    Faults& faults_;
    Configuration into_;
};

}  // namespace

Result<net::Listen> parse_listen(std::string_view text) {
    const auto bad = [&] {
        return fail(Code::malformed, fmt::format("'{}' is not an address and port like 127.0.0.1:8443, [::1]:8443 or *:8443", text));
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad();
    auto address = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    if (address.starts_with('[') && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
        if (address.find(':') == std::string_view::npos) return bad();
    } else if (address.find(':') != std::string_view::npos) {
        return bad();  // an IPv6 address without brackets: where would it end?
    }
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size() || number > 65'535) return bad();
    if (address == "*" || address.empty()) return net::Listen{"*", static_cast<std::uint16_t>(number)};
    if (address == "localhost") address = "127.0.0.1";
    const auto name = x509::GeneralName::from_text(address);
    if (!name || name->kind != x509::GeneralName::Kind::ip)
        return fail(Code::malformed, fmt::format("'{}' is not an IP address, '*' or localhost", address));
    return net::Listen{std::string{address}, static_cast<std::uint16_t>(number)};
}

std::string to_string(const net::Listen& listen) {
    const bool v6 = listen.address.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", listen.address, listen.port) : fmt::format("{}:{}", listen.address, listen.port);
}

ReadConfiguration parse_configuration(std::string_view text, const std::filesystem::path& directory,
                                      const std::filesystem::path& file) {
    Faults faults{file.string()};
    ReadConfiguration result;
    try {
        const auto root = toml::parse(text, file.string());
        Reader reader{directory, file, faults};
        auto configuration = reader.read(root);
        check_references(configuration, faults);
        result.faults = faults.sorted();
        if (result.faults.empty()) result.configuration = std::move(configuration);
    } catch (const toml::parse_error& error) {
        const auto& where = error.source().begin;
        result.faults = {{{file.string(), static_cast<unsigned>(where.line), ""},
                          fmt::format("column {}: {}", where.column, text::printable(error.description()))}};
    }
    return result;
}

ReadConfiguration read_configuration(const std::filesystem::path& directory) {
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(directory, ignored).lexically_normal();
    const auto file = absolute / paths::configuration;
    const auto content = file::read(file, configuration_bytes_max);
    if (!content) {
        auto message = content.error().detail;
        if (content.error().code == Code::not_found) message += "; `estuaryd init` makes one";
        return {{}, {{{file.string(), 0, ""}, std::move(message)}}};
    }
    return parse_configuration(as_text(*content), absolute, file);
}

}  // namespace estuary::daemon
