#pragma once
// What is done beside the requests: tidying and backup.
#include "estuary/store/sqlite_reads.h"
#include "estuary/store/writer.h"

namespace estuary::store::sqlite {

/// Store::tidy.
Result<std::size_t> tidy(ReaderPool& readers, Writer& writer, Time before);

/// Store::backup: a new file of mode 0600 that appears under its name only when it is whole and on the disk.
/// conflict where `target` exists.
Result<void> backup(const std::filesystem::path& source, const Options& options, const std::filesystem::path& target);

}  // namespace estuary::store::sqlite
