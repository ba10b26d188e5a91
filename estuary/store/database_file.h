#pragma once
// The file of a database: made for its owner's eyes only, told from files that are not ours, opened in the way that
// durability needs.
#include "estuary/store/sqlite.h"
#include "estuary/store/store.h"

namespace estuary::store::sqlite {

/// What a connection is for.
enum class Role : std::uint8_t { writer, reader, upkeep };

/// An errno that is more than "unavailable" to the caller.
struct SystemCode {
    int number;
    Code code;
};
/// What could not be done with the file, and why: errno. unavailable, or what is `known`.
tl::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& path, SystemCode known);

/// Creates the file (mode 0600) where `create` and it is absent, identifies it, takes away what group and others may do
/// with it, switches to WAL and migrates. Errors: not_found, unsupported (not ours, or newer), unavailable.
Result<void> prepare_file(const std::filesystem::path& path, const Options& options, bool create);

/// A connection to a prepared file, with the settings of its role. Never creates a file: a database that went away must
/// not come back empty.
Result<Connection> connect(const std::filesystem::path& path, const Options& options, Role role);

}  // namespace estuary::store::sqlite
