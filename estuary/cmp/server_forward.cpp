// A registration authority that sends messages on to the CA above (RFC 9483 5.2). It keeps nothing of a transaction: what belongs
// together is for the two ends to know.
#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/cmp/client_check.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

/// Under which first messages are noted.
constexpr std::string_view forward_protocol = "cmp-forward";

bool enrolls(BodyType type) { return type == BodyType::ir || type == BodyType::cr || type == BodyType::p10cr; }

/// Only the holder of a certificate may ask for these, whoever stands in between (RFC 9483 5.2.3).
bool is_holders_own(BodyType type) { return type == BodyType::kur || type == BodyType::rr; }

/// What the way to the CA above does to a message is no fault of whoever sent it.
Failure upstream_failure(Error error) {
    const bool passing = error.code == Code::unavailable || error.code == Code::too_busy;
    return {passing ? PkiFailure::system_unavail : PkiFailure::system_failure,
            Error{passing ? Code::unavailable : Code::internal, "the CA above cannot be asked", std::move(error.detail)}};
}

Checked<PkiMessage> read_answer(Bytes octets, const PkiHeader& to, const Limits& limits) {
    auto answer = PkiMessage::parse(octets, limits);
    if (!answer) return tl::unexpected(upstream_failure(std::move(answer).error()));
    if (answer->header().transaction_id != to.transaction_id)
        return tl::unexpected(upstream_failure({Code::malformed, "the answer is of another transaction"}));
    return std::move(*answer);
}

}  // namespace

ByteVec Server::Impl::forward(const PkiMessage& message, const LabelState& label, const Transport& transport) const {
    store::UnitOfWork nothing;
    Exchange exchange{message, label, transport, nothing};
    auto answer = try_forward(exchange);
    if (answer) return std::move(*answer);
    log_failure(exchange, answer.error());
    const auto& failure = answer.error();
    const bool ours = failure.bit == PkiFailure::system_unavail || failure.bit == PkiFailure::system_failure;
    // Content that is refused is told in the answer that belongs to it (RFC 9483 3.6.2).
    if (enrolls(message.type()) && exchange.sender.protection != Protection::none && !ours) {
        const auto reply = rejected(exchange, failure);
        if (auto made = protect({header_for(message.header(), label), reply.body, {}}, exchange.sender, label)) return std::move(*made);
    }
    return error_answer(message.header(), exchange.sender, label, failure);
}

Checked<ByteVec> Server::Impl::try_forward(Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto& label = exchange.label;
    const auto type = message.type();
    const bool nested = type == BodyType::nested && label.config.forward == Forwarding::unchanged;
    if (!begins(type) && !goes_on(type) && !nested) return refuse(PkiFailure::bad_request, fmt::format("{} is no request", to_string(type)));
    if (!nested) CMP_CHECK(check_header(message, nonce_of(message)));
    CMP_TRY(const bool approved, approve(exchange));
    ByteVec outgoing;
    if (approved) {
        CMP_TRY(outgoing, enrolls(type) ? noted_message(exchange) : approved_message(exchange));
    } else {
        outgoing = to_vec(message.der());
    }
    const auto operation = exchange.transport.operation ? to_string(*exchange.transport.operation) : std::string_view{};
    auto answered = label.above->channel(operation, outgoing);
    if (!answered) return tl::unexpected(upstream_failure(std::move(answered).error()));
    CMP_TRY(const auto answer, read_answer(*answered, message.header(), config_.limits));
    const bool replaced = approved && label.config.forward == Forwarding::replaced && exchange.sender.protection == Protection::mac;
    if (!replaced) return to_vec(answer.der());

    const auto proof = check_answer_protection(answer, {}, label.above->client, clock_.now());
    if (!proof || proof->kind != AnswerProof::Kind::signature)
        return tl::unexpected(upstream_failure(proof ? Error{Code::not_authenticated, "its answer is not signed"} : proof.error()));
    auto header = answer.header();
    header.recipient = message.header().sender;
    return or_failure(PkiFailure::system_failure,
                      protect({std::move(header), answer.body(), answer.extra_certificates()}, exchange.sender, label));
}

Checked<bool> Server::Impl::approve(Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto& algorithm = message.header().protection_alg;
    const auto& config = exchange.label.config;
    const bool open = (message.type() == BodyType::genm && config.unprotected_information) ||
                      (config.kem_protection && asks_for_kem_ciphertext(message));
    if (algorithm.has_value() != message.protection().has_value() || (!algorithm && !open))
        return refuse(PkiFailure::bad_message_check, "the message is not protected");
    if (!algorithm || exchange.label.config.forward == Forwarding::unchanged || is_holders_own(message.type())) return false;
    CMP_TRY(const auto kind, or_failure(PkiFailure::bad_alg, protection_kind(*algorithm)));
    // What was encapsulated, and the agreement key, are known above only.
    if ((kind == ProtectionKind::kem_mac && config.kem_protection) || (kind == ProtectionKind::diffie_hellman && config.diffie_hellman)) return false;
    auto sender = senders_.check(message, exchange.label, exchange.transport, {});
    // A certificate that the CA above has issued by another way, or one that did not come along: the CA above knows.
    if (!sender && kind == ProtectionKind::signature) return false;
    CMP_TRY(exchange.sender, std::move(sender));
    if (begins(message.type())) {
        CMP_CHECK(check_right(exchange));
        CMP_CHECK(approve_request(exchange));
    }
    return true;
}

/// The first message of a transaction is noted before it is sent, with the use that it is of a secret that is good for so many. The very
/// same message again, for its answer was lost, goes on with the very same octets, and is not another use (bug class 25).
Checked<ByteVec> Server::Impl::noted_message(const Exchange& exchange) const {
    const auto hash = crypto::sha256(exchange.message.der());
    const auto key = transaction_key(exchange.label.config.name, *exchange.message.header().transaction_id);
    CMP_TRY(const auto before, store_.transaction(forward_protocol, key));
    const auto now = clock_.now();
    if (before && before->expires_at >= now) {
        der::Reader state{before->state, {.bytes_max = before->state.size()}};
        CMP_TRY(const auto noted, state.octet_string());
        if (!same(noted, hash)) return refuse(PkiFailure::transaction_id_in_use, "this transactionID is in use; choose another");
        CMP_TRY(const auto outgoing, state.octet_string());
        return to_vec(outgoing);
    }
    CMP_TRY(auto outgoing, approved_message(exchange));
    der::Writer state;
    state.octet_string(hash).octet_string(outgoing);
    store::TransactionRecord record{std::string{forward_protocol}, key, before ? before->revision : 0, std::move(state).take(),
                                    now + config_.transaction_lifetime};
    store::UnitOfWork work;
    work.writes.emplace_back(store::PutTransaction{std::move(record)});
    const auto& credential = exchange.sender.principal.credential;
    if (credential && credential->uses_left) work.writes.emplace_back(store::SpendCredential{credential->id, now});
    const auto stored = store_.commit(std::move(work));
    if (stored) return outgoing;
    if (stored.error().code == Code::conflict) return refuse(PkiFailure::not_authorized, "this secret has been used up, or its last use is under way");
    return tl::unexpected(Failure{stored.error()});
}

/// The request as policy here sees it. It cannot be changed on its way, for its possession is signed.
Checked<void> Server::Impl::approve_request(const Exchange& exchange) const {
    const auto& message = exchange.message;
    if (message.type() == BodyType::genm) return {};
    if (!enrolls(message.type())) return refuse(PkiFailure::bad_request, fmt::format("{} is not forwarded", to_string(message.type())));
    CMP_TRY(const auto asked, asked_of(exchange, message));
    for (const auto& one : asked) {
        if (one.message != nullptr) {
            CMP_TRY(const auto key, or_failure(PkiFailure::bad_cert_template, one.message->public_key()));
            if (!key) return refuse(PkiFailure::not_authorized, "a key that is made by the CA is for its requester: ask the CA itself");
        }
        CMP_TRY(const auto request, read_request(exchange, message, one));
        CMP_CHECK(authority_.approve({authority::Verb::enroll, one.profile, exchange.label.recorded, request, exchange.sender.principal}));
    }
    return {};
}

/// RFC 9483 5.2.2.1 and 5.2.3: transactionID and nonces stay; sender and protection are this registration authority's.
Checked<ByteVec> Server::Impl::approved_message(const Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto& own = std::get<ClientSigner>(exchange.label.above->client.credentials);
    const auto& certificate = own.chain.front();
    const bool replaces = exchange.label.config.forward == Forwarding::replaced && exchange.sender.protection == Protection::mac;
    PkiHeader header = message.header();
    if (!replaces) {
        header.recipient = directory_name(authority_.ca(exchange.label.ca)->certificate.subject());
        header.message_time = clock_.now();
        header.recip_kid.reset();
        header.free_text = {};
        header.general_info.clear();
    }
    header.sender = directory_name(certificate.subject());
    header.sender_kid = certificate.subject_key_id();
    std::vector<Bytes> chain;
    for (const auto& link : own.chain)
        if (chain.empty() || !link.is_self_issued()) chain.push_back(link.der());
    CMP_TRY(const auto protector, or_failure(PkiFailure::system_failure, Protector::with_key(own.key)));
    const PkiBody nested{BodyType::nested, NestedMessageContent{{message}}};
    return or_failure(PkiFailure::system_failure, protector.protect(std::move(header), replaces ? message.body() : nested, chain));
}

}  // namespace estuary::cmp
