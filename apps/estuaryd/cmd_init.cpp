// estuaryd init: everything is made in a directory of its own, and gets its name in one step at the end.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/ostream.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/commands.h"
#include "apps/estuaryd/config_check.h"
#include "apps/estuaryd/config_status.h"
#include "apps/estuaryd/file_system.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/paths.h"
#include "apps/estuaryd/root_list.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/status_config.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

/// localhost, its addresses, and this machine's name, if it can stand in a certificate.
std::vector<std::string> usual_hosts() {
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) == 0) {
        const auto own = host_name(name);
        if (own && std::ranges::find(hosts, name) == hosts.end()) hosts.emplace_back(name);
    }
    return hosts;
}

Result<void> check_options(const InitOptions& options) {
    if (options.name.empty() || options.name.size() > 40 || !text::is_plain_utf8(options.name))
        return fail(Code::malformed, "--name takes 1 to 40 characters");
    ESTUARY_TRY(const auto* type, crypto::key_type(options.key_type));
    if (!type->signs) return fail(Code::malformed, fmt::format("--key-type {}: such keys do not sign", options.key_type));
    for (const auto& host : options.hosts) {
        if (auto name = host_name(host); !name) return fail(in_context("--host", std::move(name).error()));
    }
    if (!options.status_url.empty())
        if (auto url = status_url(options.status_url); !url) return fail(in_context("--status-url", std::move(url).error()));
    return {};
}

/// Nothing may be there: no file, no directory with anything in it. True: an empty directory is.
Result<bool> look_at_target(const fs::path& target) {
    std::error_code error;
    const auto status = fs::symlink_status(target, error);
    if (status.type() == fs::file_type::not_found) return false;
    if (!fs::is_directory(fs::status(target, error)))
        return fail(Code::conflict, fmt::format("{} is there already and is no directory; nothing was changed", target.string()));
    const bool empty = fs::is_empty(target, error);
    if (error) return fail(Code::unavailable, fmt::format("cannot read {}: {}", target.string(), error.message()));
    if (empty) return true;
    const bool whole = fs::exists(target / paths::configuration, error);
    return fail(Code::conflict, fmt::format("{} {}; nothing was changed", target.string(),
                                            whole ? "is an Estuary data directory already (it has estuary.toml)"
                                                  : "is there already and not empty"));
}

/// A directory that goes with everything in it, unless it was given its name.
class Workplace {
public:
    static Result<Workplace> make(const fs::path& beside) {
        auto pattern = (beside.parent_path() / ("." + beside.filename().string() + ".XXXXXX")).string();
        if (::mkdtemp(pattern.data()) == nullptr) return system_error("make a directory in", beside.parent_path());
        return Workplace{pattern};
    }
    Workplace(Workplace&& other) noexcept : path_{std::exchange(other.path_, {})} {}
    Workplace& operator=(Workplace&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    ~Workplace() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    const fs::path& path() const noexcept { return path_; }
    void release() noexcept { path_.clear(); }

private:
    explicit Workplace(fs::path path) : path_{std::move(path)} {}
    fs::path path_;
};

Result<void> write_password_key(const fs::path& directory, crypto::Entropy& entropy) {
    std::array<std::uint8_t, 32> octets;
    entropy.fill(octets);
    const crypto::Secret text{std::string_view{to_hex(octets) + "\n"}};
    crypto::wipe(octets);
    return file::write_atomically(directory / paths::password_key, text.reveal(), file::Access::owner_only);
}

/// What is read of the configuration that was just written.
Result<Configuration> written_configuration(const fs::path& directory, const std::string& text) {
    ESTUARY_CHECK(file::write_atomically(directory / paths::configuration, as_bytes(text), file::Access::everyone_reads));
    auto read = read_configuration(directory);
    if (!read.configuration) return fail(Code::internal, "the new configuration is wrong: " + to_string(read.faults.front()));
    return std::move(*read.configuration);
}

/// Where status is told is known if somebody said a name of this machine, or the URL itself. localhost does not go into a certificate
/// that lives for ten years.
bool knows_status_url(const InitOptions& options) { return !options.status_url.empty() || !options.hosts.empty(); }

/// The new data directory's content. The database is closed when this returns.
Result<authority::NewCa> fill(const fs::path& directory, const InitOptions& options, const crypto::Secret* secret,
                              const Program& program) {
    for (const auto below : {"tls", "secrets"})
        if (::mkdir((directory / below).c_str(), 0700) != 0) return system_error("make", directory / below);
    ESTUARY_CHECK(write_password_key(directory, program.entropy));
    const auto hosts = options.hosts.empty() ? usual_hosts() : options.hosts;
    const auto file = options.passphrase_file.empty() ? std::string{} : fs::absolute(options.passphrase_file).string();
    const auto text = new_configuration_text({options.name, hosts, options.key_type, file, options.status_url});
    // What is written is read as serve will read it: an installation that could not start is never left behind.
    ESTUARY_TRY(const auto configuration, written_configuration(directory, text));

    ESTUARY_TRY(const auto store, store::open_sqlite(directory / paths::database));
    store::UnitOfWork work;
    authority::CaPlan plan;
    plan.organisation_name = options.name;
    plan.key_type = options.key_type;
    plan.path_length = options.path_length;
    if (knows_status_url(options)) point_to_root(configuration.status.url, plan);
    ESTUARY_TRY(auto ca, authority::make_ca(plan, program.clock, program.entropy, work));
    ESTUARY_CHECK(store->commit(std::move(work)));  // recorded before it is anywhere else
    ESTUARY_CHECK(write_first_generation(directory / paths::ca, ca, secret));

    // The issuing CA's certificate names this list, and the root's key is at hand now.
    if (CrlFiles files{configuration.status.directory.path}; !plan.root_crl_uris.empty())
        ESTUARY_CHECK(publish_root_list(ca.root, ca.root_key, root_list_validity, files, *store, program));
    Faults faults{(directory / paths::configuration).string()};
    auto config = load_authority(configuration, secret, program.clock.now(), faults);
    if (!config) return fail(Code::internal, "the new CA is wrong: " + to_string(faults.sorted().front()));
    ESTUARY_TRY(const auto authority, authority::Authority::create(std::move(*config), *store, program.clock, program.entropy));
    ESTUARY_CHECK(issue_server_certificate(configuration.tls, *authority, *store, secret));
    return ca;
}

/// Into an empty directory that cannot be replaced (a mount point, or one in a directory that is not ours): one entry after
/// the other, estuary.toml last. Without it the directory is no installation, and init says so.
Result<void> move_entries(const fs::path& from, const fs::path& to) {
    std::vector<fs::path> names;
    for (const auto& entry : fs::directory_iterator{from})
        if (entry.path().filename() != paths::configuration) names.push_back(entry.path().filename());
    names.emplace_back(paths::configuration);
    for (const auto& name : names)
        if (::rename((from / name).c_str(), (to / name).c_str()) != 0) return system_error("move into place", to / name);
    if (::chmod(to.c_str(), 0700) != 0) return system_error("set the mode of", to);
    return flush_directory(to);
}

Result<authority::NewCa> make_installation(const fs::path& target, const InitOptions& options, const Program& program) {
    ESTUARY_CHECK(check_options(options));
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file));
    ESTUARY_TRY(const bool empty_directory, look_at_target(target));
    std::error_code ignored;
    if (!empty_directory) fs::create_directories(target.parent_path(), ignored);

    auto beside = Workplace::make(target);
    const bool inside = !beside && empty_directory;
    if (inside) beside = Workplace::make(target / "new");
    if (!beside) return fail(std::move(beside).error());
    ESTUARY_TRY(auto ca, fill(beside->path(), options, pointer(secret), program));
    ESTUARY_CHECK(flush_directory(beside->path()));
    // rename replaces an empty directory and nothing else, also if somebody else made one meanwhile.
    if (!inside && ::rename(beside->path().c_str(), target.c_str()) == 0) {
        beside->release();
        ESTUARY_CHECK(flush_directory(target.parent_path()));
    } else if (empty_directory) {
        ESTUARY_CHECK(move_entries(beside->path(), target));
    } else {
        return system_error("give the new directory its name", target);
    }
    return ca;
}

void print_next_steps(const fs::path& directory, const authority::NewCa& ca, bool encrypted, const Program& program) {
    const auto dir = directory.string();
    const bool names_list = x509::find(ca.issuing.extensions(), x509::oid::crl_distribution_points) != nullptr;
    fmt::print(program.out,
               "A new CA is in {0}\n"
               "  root     {1}, until {2}\n"
               "  issuing  {3}, until {4}\n"
               "  private keys are {5}\n"
               "\n"
               "SHA-256 fingerprint of the root certificate:\n"
               "  {6}\n"
               "\n"
               "Next:\n"
               "  estuaryd serve --dir {0}\n"
               "  estuaryd credential add --dir {0} device-1\n"
               "  curl --cacert {0}/ca/root.pem https://localhost:8443/.well-known/est/cacerts\n"
               "\n"
               "The root's private key is needed only for a rollover{7}. Move it to a safe place:\n"
               "  mv {0}/ca/root.key /media/SAFE/\n"
               "Keep a copy of {0}/secrets, {0}/ca, and {0}/estuary.toml; `estuaryd backup` copies the database.\n",
               dir, ca.root.subject().to_text(), to_iso8601(ca.root.not_after()), ca.issuing.subject().to_text(),
               to_iso8601(ca.issuing.not_after()), encrypted ? "encrypted by your passphrase" : "not encrypted (mode 0600)",
               ca.root.sha256_fingerprint(), names_list ? ",\nand within 180 days for the root's next list (estuaryd crl publish --root)" : "");
}

}  // namespace

Exit init(const InitOptions& options, const Program& program) {
    // Files of this installation are for its owner; those that others may read get their mode by name.
    ::umask(077);
    auto target = fs::absolute(options.directory).lexically_normal();
    if (!target.has_filename()) target = target.parent_path();  // "data/"
    const auto ca = make_installation(target, options, program);
    if (!ca) return report(program, ca.error());
    const auto* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    std::error_code ignored;
    const bool encrypted = !options.passphrase_file.empty() ||
                           (credentials != nullptr && fs::exists(fs::path{credentials} / "estuary-passphrase", ignored));
    print_next_steps(target, *ca, encrypted, program);
    return Exit::ok;
}

}  // namespace estuary::daemon
