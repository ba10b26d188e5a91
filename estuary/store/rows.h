#pragma once
// Rows into records, for those who read.
#include <optional>
#include <vector>

#include "estuary/store/sqlite.h"

namespace estuary::store::sqlite {

/// What `make` makes of the first row; nothing if there is none.
template <class Make>
auto first(Query&& query, const Make& make) -> Result<std::optional<decltype(make(query))>> {
    ESTUARY_TRY(const bool found, query.next());
    if (!found) return std::nullopt;
    return make(query);
}

/// What `make` makes of every row.
template <class Make>
auto every(Query&& query, const Make& make) -> Result<std::vector<decltype(make(query))>> {
    std::vector<decltype(make(query))> rows;
    for (;;) {
        ESTUARY_TRY(const bool more, query.next());
        if (!more) return rows;
        rows.push_back(make(query));
    }
}

}  // namespace estuary::store::sqlite
