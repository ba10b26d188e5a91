#pragma once
// Reads for protocols of more than one message, and what ends by time; see Store.
#include "estuary/store/sqlite.h"
#include "estuary/store/store.h"

namespace estuary::store::sqlite {

// The statements of the two that are asked for each message of such a protocol are prepared once: see Reads.
inline constexpr std::string_view transaction_query =
    "SELECT revision, expires_at, state FROM transactions WHERE transaction_key = ? AND protocol = ?";
Result<std::optional<TransactionRecord>> transaction(const Statement& statement, std::string_view protocol, const RequestKey& key);
inline constexpr std::string_view unconfirmed_columns =
    "SELECT c.id, a.name, c.serial_number, c.requester, u.until FROM unconfirmed u JOIN certificates c ON c.id = u.certificate "
    "JOIN authorities a ON a.id = c.ca ";
inline constexpr std::string_view unconfirmed_condition = "WHERE a.name = ? AND c.serial_number = ?";
Result<std::optional<UnconfirmedCertificate>> unconfirmed(const Statement& statement, std::string_view ca, Bytes serial_number);
Result<std::vector<UnconfirmedCertificate>> unconfirmed(const Connection& connection, Time before, std::size_t count_max);
Result<bool> any_transaction_ended(const Connection& connection, Time now);
/// One step of Store::end_transactions: how many rows went.
Result<std::size_t> end_some_transactions(const Connection& connection, Time now);

}  // namespace estuary::store::sqlite
