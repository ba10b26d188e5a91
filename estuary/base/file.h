#pragma once
// Whole files: read within a limit, written atomically and durably.
#include <filesystem>
#include <string>

#include "estuary/base/bytes.h"
#include "estuary/base/result.h"

namespace estuary::file {

/// The octets of a file of at most `bytes_max`; larger is too_large, absent not_found. The detail names the file.
Result<ByteVec> read(const std::filesystem::path& path, std::size_t bytes_max = 16u << 20);

/// As read, but refuses a file that group or others may access (private keys, passphrases).
Result<ByteVec> read_private(const std::filesystem::path& path, std::size_t bytes_max = 1u << 20);

enum class Access : unsigned { everyone_reads = 0644, owner_only = 0600 };

/// Writes beside the target, flushes, renames over it and flushes the directory: a reader sees the old file or the
/// new one, whole, also after a power cut.
Result<void> write_atomically(const std::filesystem::path& path, Bytes content, Access access);

}  // namespace estuary::file
