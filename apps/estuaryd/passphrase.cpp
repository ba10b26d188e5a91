#include "apps/estuaryd/passphrase.h"

#include <cstdlib>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t passphrase_bytes_max = 4096;

/// systemd keeps credentials where only the service can read them, with a mode of its own (0400 or 0440).
Result<std::optional<crypto::Secret>> systemd_credential() {
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || *directory == '\0') return std::optional<crypto::Secret>{};
    auto content = file::read(std::filesystem::path{directory} / "estuary-passphrase", passphrase_bytes_max);
    if (!content && content.error().code == Code::not_found) return std::optional<crypto::Secret>{};
    if (!content) return fail(std::move(content).error());
    const crypto::Secret whole{std::move(*content)};
    return std::optional{crypto::Secret{without_line_break(whole.reveal_text())}};
}

}  // namespace

std::string_view without_line_break(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Result<crypto::Secret> read_secret_line(const std::filesystem::path& path) {
    ESTUARY_TRY(auto content, file::read_private(path, passphrase_bytes_max));
    const crypto::Secret whole{std::move(content)};
    crypto::Secret line{without_line_break(whole.reveal_text())};
    if (line.empty()) return fail(Code::malformed, path.string() + " is empty");
    return line;
}

Result<crypto::Secret> read_password_key(const Configuration& configuration) {
    ESTUARY_TRY(const auto line, read_secret_line(configuration.security.password_key.path));
    auto octets = from_hex(line.reveal_text());
    if (!octets) return fail(in_context(configuration.security.password_key.path.string(), octets.error()));
    return crypto::Secret{std::move(*octets)};
}

Result<std::optional<crypto::Secret>> passphrase(const std::string& file, const FileName& configured) {
    if (!file.empty()) {
        ESTUARY_TRY(auto secret, read_secret_line(file));
        return std::optional{std::move(secret)};
    }
    ESTUARY_TRY(auto credential, systemd_credential());
    if (credential) return credential;
    if (!configured.given()) return std::optional<crypto::Secret>{};
    ESTUARY_TRY(auto secret, read_secret_line(configured.path));
    return std::optional{std::move(secret)};
}

}  // namespace estuary::daemon
