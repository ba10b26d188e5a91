#pragma once
// Reads for protocols of more than one message, and what ends by time; see Store.
#include "estuary/store/sqlite.h"
#include "estuary/store/store.h"

namespace estuary::store::sqlite {

Result<std::optional<TransactionRecord>> transaction(const Connection& connection, std::string_view protocol, const RequestKey& key);
Result<std::optional<UnconfirmedCertificate>> unconfirmed(const Connection& connection, std::string_view ca, Bytes serial_number);
Result<std::vector<UnconfirmedCertificate>> unconfirmed(const Connection& connection, Time before, std::size_t count_max);
Result<bool> any_transaction_ended(const Connection& connection, Time now);
/// One step of Store::end_transactions: how many rows went.
Result<std::size_t> end_some_transactions(const Connection& connection, Time now);

}  // namespace estuary::store::sqlite
