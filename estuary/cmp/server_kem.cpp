// Clients whose certificates are for KEM keys (RFC 9810 5.1.3.4, E): they ask for a ciphertext, and what it hides keys their MACs.
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

/// How long a ciphertext waits for the request that is protected with it.
constexpr Seconds offer_lifetime{600};

}  // namespace

bool asks_for_kem_ciphertext(const PkiMessage& message) {
    if (message.type() != BodyType::genm || message.protection() || message.header().protection_alg) return false;
    const auto& infos = message.as<GenContent>().infos;
    return infos.size() == 1 && infos.front().info_type == oid::kem_ciphertext_info;
}

/// Anybody can send such a certificate: what is told is of use to the holder of its key only, and nothing else follows from asking.
Checked<Reply> Server::Impl::offer_kem(Exchange& exchange, bool in_use) {
    const auto& message = exchange.message;
    const Bytes transaction_id{*message.header().transaction_id};
    if (in_use) return refuse(PkiFailure::transaction_id_in_use, "this transactionID is in use; choose another");
    CMP_CHECK(check_value_absent(message.as<GenContent>().infos.front()));
    CMP_TRY(auto claimed, senders_.claimed_by_kem_key(message, exchange.label, exchange.transport));
    Exchange asking{message, exchange.label, exchange.transport, exchange.work, std::move(claimed)};
    CMP_CHECK(check_right(asking));
    const auto& holder = *asking.sender.certificate;
    CMP_TRY(const auto key, or_failure(PkiFailure::bad_alg, holder.public_key()));
    CMP_TRY(const auto offer, or_failure(PkiFailure::bad_alg, KemSession::offer(key, transaction_id)));

    auto& transaction = exchange.transaction;
    transaction.type = message.type();
    transaction.protection = Protection::kem;
    transaction.requester = asking.sender.principal.describe();
    transaction.certificates = {to_vec(holder.der())};
    for (const auto& other : asking.sender.others)
        if (!(other == holder)) transaction.certificates.push_back(to_vec(other.der()));
    transaction.offered = true;
    const auto place = transaction_key(exchange.label.config.name, transaction_id);
    CMP_TRY(transaction.kem_secret, authority_.seal(kem_secret_purpose, place, offer.session.shared_secret()));
    Reply reply;
    reply.body = {BodyType::genp, GenContent{{make_kem_ciphertext_info(offer.info)}}};
    reply.keep = offer_lifetime;
    reply.unprotected = true;
    return reply;
}

Checked<std::optional<KemSession>> Server::Impl::kem_session(const Exchange& exchange) const {
    const auto& sealed = exchange.transaction.kem_secret;
    if (sealed.empty() || exchange.transaction.protection != Protection::kem) return std::optional<KemSession>{};
    const auto& transaction_id = *exchange.message.header().transaction_id;
    CMP_TRY(auto secret, authority_.open_sealed(kem_secret_purpose, transaction_key(exchange.label.config.name, transaction_id), sealed));
    return std::optional{KemSession{std::move(secret), transaction_id}};
}

}  // namespace estuary::cmp
