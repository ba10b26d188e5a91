#pragma once
// What the server keeps of a transaction from one message to the next, and over restarts: a record of the store.
#include <optional>

#include "estuary/cmp/messages.h"
#include "estuary/store/store.h"

namespace estuary::cmp {

/// How a message is protected.
enum class Protection : std::uint8_t {
    none,
    mac,              ///< keyed with a shared secret
    signature,
    kem,              ///< a MAC keyed with what was encapsulated to its sender (RFC 9810 5.1.3.4)
    diffie_hellman,   ///< a MAC keyed with what two static keys agree on (RFC 9810 5.1.3.2)
    passphrase,       ///< a MAC keyed with a revocation passphrase (RFC 9810 B)
};

/// One CertReqMsg of the request that began the transaction, and what became of it.
struct TransactionItem {
    enum class State : std::uint8_t {
        refused = 0,      ///< nothing follows
        settled = 1,      ///< issued, and no confirmation is waited for any more
        unconfirmed = 2,  ///< issued: certConf is to come
        waiting = 3,      ///< for approval: pollReq is to come
        challenged = 4,   ///< popdecr is to come
    };
    std::int64_t cert_req_id = 0;
    State state = State::refused;
    std::string ca;
    ByteVec certificate;   ///< DER; empty where none was issued
    ByteVec challenge;     ///< SHA-256 of the INTEGER content octets that popdecr has to say
    bool operator==(const TransactionItem&) const = default;
};

struct Transaction {
    std::int64_t revision = 0;              ///< of the stored state; 0: it is new
    BodyType type = BodyType::ir;           ///< of the request that began it
    Protection protection = Protection::signature;   ///< of its messages
    /// A KemCiphertextInfo was told, and the request that will be protected with it is to come. `requester` is who has to have the key.
    bool offered = false;
    ByteVec kem_secret;                     ///< the shared secret of that, sealed; or the passphrase, while an rr waits
    std::string requester;                  ///< Principal::describe()
    ByteVec request;                        ///< the message that began it, while something of it waits
    std::vector<ByteVec> certificates;      ///< of the sender: for later messages without extraCerts
    std::vector<TransactionItem> items;
    ByteVec nonce;                          ///< senderNonce of our last message
    crypto::Sha256 last_request{};          ///< SHA-256 of the last message that was answered, whole
    ByteVec last_answer;                    ///< the answer, whole: the same for whoever sends that message again (bug class 25)
    bool confirmed = false;                 ///< a certConf was answered
    bool ended = false;                     ///< by an error of the client's
    std::optional<Time> waits_until{};      ///< what waits for no person is not waited for after this

    bool has(TransactionItem::State state) const;
    ByteVec encode() const;
    static Result<Transaction> decode(Bytes state);
    bool operator==(const Transaction&) const = default;
};

/// Where the transaction of this identifier is, under this label: another label's is another one (bug class 2).
store::RequestKey transaction_key(std::string_view label, Bytes transaction_id);
inline constexpr std::string_view transaction_protocol = "cmp";
/// What Transaction::kem_secret is sealed for, with its key as context.
inline constexpr std::string_view kem_secret_purpose = "estuary: KEM secrets of CMP transactions";
/// Where it is noted that a certificate is being updated, until the new one is confirmed.
store::RequestKey update_key(const x509::Certificate& certificate);
inline constexpr std::string_view update_protocol = "cmp-update";

}  // namespace estuary::cmp
