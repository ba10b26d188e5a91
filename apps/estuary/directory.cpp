#include "directory.h"

#include <charconv>

#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "estuary/base/file.h"

namespace estuary::client {
namespace {

namespace fs = std::filesystem;

constexpr std::array linked_files{"key.pem", "cert.pem", "chain.pem", "anchors.pem"};

tl::unexpected<Error> system_failure(std::string_view what, const fs::path& path, const std::error_code& error) {
    return fail(Code::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), error.message()));
}

Result<void> make_private_directory(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return system_failure("create", path, error);
    fs::permissions(path, fs::perms::owner_all, error);
    if (error) return system_failure("set the mode of", path, error);
    return {};
}

/// Makes `link` point to `target` in one step.
Result<void> replace_link(const fs::path& target, const fs::path& link) {
    const fs::path temporary = link.string() + ".new";
    std::error_code error;
    fs::remove(temporary, error);
    fs::create_symlink(target, temporary, error);
    if (error) return system_failure("link", temporary, error);
    fs::rename(temporary, link, error);
    if (error) return system_failure("replace", link, error);
    return {};
}

std::string to_pem(const std::vector<x509::Certificate>& certificates) {
    std::string pem;
    for (const auto& certificate : certificates) pem += certificate.to_pem();
    return pem;
}

unsigned generation_number(const fs::path& path) {
    const auto name = path.filename().string();
    unsigned number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

std::vector<unsigned> generations(const fs::path& directory) {
    std::vector<unsigned> numbers;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{directory, error})
        if (const auto number = generation_number(entry.path()); number != 0) numbers.push_back(number);
    std::ranges::sort(numbers);
    return numbers;
}

Result<void> write_key(const fs::path& path, const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto pem, key.to_pem());
    return file::write_atomically(path, pem.reveal(), file::Access::owner_only);
}

Result<EnrollmentState> read_state(const fs::path& path) {
    ESTUARY_TRY(const auto text, file::read(path, 1u << 16));
    auto state = EnrollmentState::from_json(as_text(text));
    if (!state) return fail(in_context(path.string(), std::move(state).error()));
    return state;
}

Result<crypto::PrivateKey> load_key(const EnrollmentState& state, const fs::path& own) {
    return crypto::PrivateKey::load(state.key_source.empty() ? own.string() : state.key_source);
}

}  // namespace

std::string EnrollmentState::to_json() const {
    boost::json::object object{{"url", url}, {"system_trust", system_trust}, {"key_source", key_source}};
    if (server_key)
        object["server_key"] = {{"decrypt_with", decryption.certificate},
                                {"decrypt_with_key", decryption.certificate_key},
                                {"decrypt_key", decryption.shared_key}};
    if (awaits_server_key) object["awaits_server_key"] = true;
    if (!protocol.empty()) object["protocol"] = protocol;
    if (!request_type.empty()) object["request_type"] = request_type;
    return boost::json::serialize(object) + "\n";
}

Result<EnrollmentState> EnrollmentState::from_json(std::string_view text) {
    boost::system::error_code error;
    const auto value = boost::json::parse({text.data(), text.size()}, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* url = object == nullptr ? nullptr : object->if_contains("url");
    if (url == nullptr || !url->is_string()) return fail(Code::malformed, "not an enrollment state with a url");
    EnrollmentState state;
    state.url = url->as_string().c_str();
    if (const auto* system = object->if_contains("system_trust"); system != nullptr && system->is_bool())
        state.system_trust = system->as_bool();
    const auto read_text = [object](std::string_view name, std::string& into) {
        const auto* found = object->if_contains({name.data(), name.size()});
        if (found != nullptr && found->is_string()) into = found->as_string().c_str();
    };
    read_text("key_source", state.key_source);
    read_text("protocol", state.protocol);
    read_text("request_type", state.request_type);
    if (!state.protocol.empty() && !state.by_cmp()) return fail(Code::unsupported, "enrolled by a protocol that this version does not know");
    if (const auto* waits = object->if_contains("awaits_server_key"); waits != nullptr && waits->is_bool())
        state.awaits_server_key = waits->as_bool();
    if (const auto* made = object->if_contains("server_key"); made != nullptr && made->is_object()) {
        state.server_key = true;
        const auto path = [&](std::string_view name) -> std::string {
            const auto* found = made->get_object().if_contains({name.data(), name.size()});
            return found != nullptr && found->is_string() ? found->as_string().c_str() : "";
        };
        state.decryption = {path("decrypt_with"), path("decrypt_with_key"), path("decrypt_key")};
    }
    return state;
}

bool Directory::holds_identity() const { return fs::exists(path_ / "current" / "cert.pem"); }

Result<Identity> Directory::load() const {
    const auto current = path_ / "current";
    if (!holds_identity())
        return fail(Code::not_found, fmt::format("{} holds no certificate; make one with: estuary enroll URL … --out {}",
                                                 path_.string(), path_.string()));
    ESTUARY_TRY(auto state, read_state(current / "enrollment.json"));
    ESTUARY_TRY(auto key, load_key(state, current / "key.pem"));
    ESTUARY_TRY(const auto chain_pem, file::read(current / "chain.pem"));
    ESTUARY_TRY(auto chain, x509::parse_certificates(chain_pem));
    if (chain.empty()) return fail(Code::malformed, (current / "chain.pem").string() + " holds no certificate");
    ESTUARY_TRY(const auto anchors_pem, file::read(current / "anchors.pem"));
    ESTUARY_TRY(auto anchors, x509::parse_certificates(anchors_pem));
    auto certificate = chain.front();
    return Identity{std::move(state), std::move(key), std::move(certificate), std::move(chain), std::move(anchors)};
}

Result<void> Directory::save(const Identity& identity) {
    const auto all = path_ / "generations";
    ESTUARY_CHECK(make_private_directory(path_));
    ESTUARY_CHECK(make_private_directory(all));
    const auto known = generations(all);
    const unsigned next = known.empty() ? 1 : known.back() + 1;
    const auto folder = all / fmt::format("{}", next);
    ESTUARY_CHECK(make_private_directory(folder));

    if (identity.state.key_source.empty()) ESTUARY_CHECK(write_key(folder / "key.pem", identity.key));
    using enum file::Access;
    ESTUARY_CHECK(file::write_atomically(folder / "cert.pem", as_bytes(identity.certificate.to_pem()), everyone_reads));
    ESTUARY_CHECK(file::write_atomically(folder / "chain.pem", as_bytes(to_pem(identity.chain)), everyone_reads));
    ESTUARY_CHECK(file::write_atomically(folder / "anchors.pem", as_bytes(to_pem(identity.anchors)), everyone_reads));
    ESTUARY_CHECK(file::write_atomically(folder / "enrollment.json", as_bytes(identity.state.to_json()), everyone_reads));
    ESTUARY_CHECK(replace_link(fs::path{"generations"} / fmt::format("{}", next), path_ / "current"));

    for (const auto* name : linked_files)
        if (std::error_code error; fs::exists(folder / name) && !fs::is_symlink(path_ / name, error))
            ESTUARY_CHECK(replace_link(fs::path{"current"} / name, path_ / name));
    std::error_code ignored;  // an old generation left over does no harm
    for (std::size_t i = 0; i + 1 < known.size(); ++i) fs::remove_all(all / fmt::format("{}", known[i]), ignored);
    return {};
}

Result<std::optional<PendingEnrollment>> Directory::load_pending() const {
    const auto folder = path_ / "pending";
    if (!fs::exists(folder / "enrollment.json")) return std::optional<PendingEnrollment>{};
    ESTUARY_TRY(auto state, read_state(folder / "enrollment.json"));
    PendingEnrollment pending{std::move(state), {}, {}};
    if (!pending.state.by_cmp() || !pending.state.awaits_server_key) {
        ESTUARY_TRY(pending.key, load_key(pending.state, folder / "key.pem"));
    }
    ESTUARY_TRY(pending.request, file::read(folder / "request.der"));
    return std::optional{std::move(pending)};
}

Result<void> Directory::save_pending(const PendingEnrollment& pending) {
    const auto folder = path_ / "pending";
    ESTUARY_CHECK(make_private_directory(path_));
    ESTUARY_CHECK(make_private_directory(folder));
    if (pending.key && pending.state.key_source.empty()) ESTUARY_CHECK(write_key(folder / "key.pem", *pending.key));
    ESTUARY_CHECK(file::write_atomically(folder / "request.der", pending.request, file::Access::owner_only));
    // The state goes last: its presence says that the others are whole.
    return file::write_atomically(folder / "enrollment.json", as_bytes(pending.state.to_json()), file::Access::owner_only);
}

void Directory::clear_pending() {
    std::error_code ignored;
    fs::remove(path_ / "pending" / "enrollment.json", ignored);
    fs::remove_all(path_ / "pending", ignored);
}

}  // namespace estuary::client
