#pragma once
// Reads for CRLs and for whoever watches revocations; see Store.
#include <functional>

#include "estuary/store/sqlite.h"
#include "estuary/store/store.h"

namespace estuary::store::sqlite {

Result<std::int64_t> visit_revoked(const Connection& connection, const RevokedQuery& query,
                                   const std::function<void(const RevokedCertificate&)>& visit);
Result<std::vector<RevocationChange>> revocation_changes(const Connection& connection, std::int64_t after, std::size_t count_max);
Result<std::int64_t> last_revocation_change(const Connection& connection);
Result<std::optional<CrlRecord>> crl(const Connection& connection, std::string_view ca, unsigned shard, bool delta);
Result<std::vector<CrlRecord>> crls(const Connection& connection);

}  // namespace estuary::store::sqlite
