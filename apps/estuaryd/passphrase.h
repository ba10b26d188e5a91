#pragma once
// The passphrase of the private keys: from a file, from systemd, or none.
#include <optional>

#include "apps/estuaryd/config.h"
#include "estuary/crypto/secret.h"

namespace estuary::daemon {

/// The first of: `file` (a command's --passphrase-file), the systemd credential "estuary-passphrase"
/// ($CREDENTIALS_DIRECTORY), `configured` (security.passphrase_file). Nothing where none of them is there.
Result<std::optional<crypto::Secret>> passphrase(const std::string& file, const FileName& configured = {});

/// A secret text of a private file, without the line break at its end; empty is malformed.
Result<crypto::Secret> read_secret_line(const std::filesystem::path& path);

/// The key that passwords and shared secrets are kept under: security.password_key, in hexadecimal.
Result<crypto::Secret> read_password_key(const Configuration& configuration);

/// The text without one line break at its end.
std::string_view without_line_break(std::string_view text) noexcept;

inline const crypto::Secret* pointer(const std::optional<crypto::Secret>& secret) { return secret ? &*secret : nullptr; }

}  // namespace estuary::daemon
