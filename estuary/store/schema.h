#pragma once
// The tables, and how an older database becomes a current one.
#include <span>

#include "estuary/store/sqlite.h"

namespace estuary::store::sqlite {

/// "ESTU": says in the file's header that a database is ours.
inline constexpr std::int64_t application_id = 0x45535455;

/// One step from schema version `version - 1` to `version`.
struct Migration {
    std::int64_t version;
    const char* sql;
};

/// All steps that this program knows, in order, from an empty file on.
std::span<const Migration> migrations() noexcept;

/// Refuses, without having changed anything, a file that is no database, a database of somebody else, and one of a newer
/// program: `unsupported`.
Result<void> identify(const Connection& connection, const std::filesystem::path& path,
                      std::span<const Migration> steps = migrations());

/// Takes the schema to the last of `steps`: every missing step and the new version number in one transaction, so that a
/// power cut, or a second process doing the same, leaves the old schema or the new one.
Result<void> migrate(const Connection& connection, std::span<const Migration> steps = migrations());

}  // namespace estuary::store::sqlite
