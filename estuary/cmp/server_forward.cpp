// A registration authority that sends messages on to the CA above (RFC 9483 5.2). It keeps nothing of a transaction: what belongs
// together is for the two ends to know.
#include <deque>

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/cmp/batch.h"
#include "estuary/cmp/client_check.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/registration_authority.h"
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

std::string_view operation_of(const Transport& transport) {
    return transport.operation ? to_string(*transport.operation) : std::string_view{};
}

}  // namespace

bool Server::Impl::forwards(std::string_view name) const {
    const auto found = labels_.find(name);
    return found != labels_.end() && found->second.above != nullptr;
}

ByteVec Server::Impl::forward(const PkiMessage& message, const LabelState& label, const Transport& transport) const {
    store::UnitOfWork nothing;
    Exchange exchange{message, label, transport, nothing};
    auto upward = prepare_upward(exchange);
    auto answer = upward ? take_answer(exchange, *upward, send_up(exchange, *upward)) : tl::unexpected(std::move(upward).error());
    return answer ? std::move(*answer) : forward_failure(exchange, answer.error());
}

std::vector<ByteVec> Server::Impl::forward_together(const std::vector<PkiMessage>& messages, const LabelState& label, const Transport& transport) const {
    if (!label.batches) {
        std::vector<ByteVec> answers;
        for (const auto& message : messages) answers.push_back(forward(message, label, transport));
        return answers;
    }
    store::UnitOfWork nothing;
    std::deque<Exchange> exchanges;   // what is put into it stays where it is
    std::vector<Checked<Upward>> upwards;
    std::vector<Batches::Item> items;
    for (const auto& message : messages) {
        auto& exchange = exchanges.emplace_back(Exchange{message, label, transport, nothing});
        const auto& upward = upwards.emplace_back(prepare_upward(exchange));
        if (upward) items.push_back({operation_of(transport), upward->message});
    }
    label.batches->exchange_all(items);
    std::vector<ByteVec> answers;
    auto item = items.begin();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        auto& upward = upwards[i];
        auto answer = upward ? take_answer(exchanges[i], *upward, std::move((item++)->answer)) : tl::unexpected(upward.error());
        answers.push_back(answer ? std::move(*answer) : forward_failure(exchanges[i], answer.error()));
    }
    return answers;
}

/// Content that is refused is told in the answer that belongs to it (RFC 9483 3.6.2).
ByteVec Server::Impl::forward_failure(Exchange& exchange, const Failure& failure) const {
    const auto& message = exchange.message;
    const auto& label = exchange.label;
    log_failure(exchange, failure);
    const bool ours = failure.bit == PkiFailure::system_unavail || failure.bit == PkiFailure::system_failure;
    if (enrolls(message.type()) && exchange.sender.protection != Protection::none && !ours) {
        const auto reply = rejected(exchange, failure);
        if (auto made = protect({header_for(message.header(), label), reply.body, {}}, exchange.sender, label)) return std::move(*made);
    }
    return error_answer(message.header(), exchange.sender, label, failure);
}

Checked<Server::Impl::Upward> Server::Impl::prepare_upward(Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto type = message.type();
    const bool nested = type == BodyType::nested && exchange.label.config.forward == Forwarding::unchanged;
    if (!begins(type) && !goes_on(type) && !nested) return refuse(PkiFailure::bad_request, fmt::format("{} is no request", to_string(type)));
    if (!nested) CMP_CHECK(check_header(message, nonce_of(message)));
    CMP_TRY(const auto approval, approve(exchange));
    if (!approval.given) return Upward{message, false};
    CMP_TRY(const auto octets, enrolls(type) ? noted_message(exchange, approval) : approved_message(exchange, approval));
    CMP_TRY(auto outgoing, or_failure(PkiFailure::system_failure, PkiMessage::parse(octets, config_.limits)));
    return Upward{std::move(outgoing), exchange.label.config.forward == Forwarding::replaced && exchange.sender.protection == Protection::mac};
}

Result<ByteVec> Server::Impl::send_up(const Exchange& exchange, const Upward& upward) const {
    const auto& label = exchange.label;
    const auto operation = operation_of(exchange.transport);
    // What another registration authority has put together stays as it is.
    if (label.batches && exchange.message.type() != BodyType::nested) return label.batches->exchange(operation, upward.message);
    return label.above->channel(operation, upward.message.der());
}

Checked<ByteVec> Server::Impl::take_answer(const Exchange& exchange, const Upward& upward, Result<ByteVec> answered) const {
    const auto& message = exchange.message;
    const auto& label = exchange.label;
    if (!answered) return tl::unexpected(upstream_failure(std::move(answered).error()));
    CMP_TRY(const auto answer, read_answer(*answered, message.header(), config_.limits));
    if (!upward.mac_replaced) return to_vec(answer.der());

    const auto proof = check_answer_protection(answer, {}, label.above->client, clock_.now());
    if (!proof || proof->kind != AnswerProof::Kind::signature)
        return tl::unexpected(upstream_failure(proof ? Error{Code::not_authenticated, "its answer is not signed"} : proof.error()));
    auto header = answer.header();
    header.recipient = message.header().sender;
    return or_failure(PkiFailure::system_failure,
                      protect({std::move(header), answer.body(), answer.extra_certificates()}, exchange.sender, label));
}

Checked<Server::Impl::Approval> Server::Impl::approve(Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto& algorithm = message.header().protection_alg;
    const auto& config = exchange.label.config;
    const bool open = (message.type() == BodyType::genm && config.unprotected_information) ||
                      (config.kem_protection && asks_for_kem_ciphertext(message));
    if (algorithm.has_value() != message.protection().has_value() || (!algorithm && !open))
        return refuse(PkiFailure::bad_message_check, "the message is not protected");
    if (!algorithm || config.forward == Forwarding::unchanged || is_holders_own(message.type())) return Approval{};
    CMP_TRY(const auto kind, or_failure(PkiFailure::bad_alg, protection_kind(*algorithm)));
    // What was encapsulated, and the agreement key, are known above only.
    if ((kind == ProtectionKind::kem_mac && config.kem_protection) || (kind == ProtectionKind::diffie_hellman && config.diffie_hellman))
        return Approval{};
    auto sender = senders_.check(message, exchange.label, exchange.transport, {});
    // A certificate that the CA above has issued by another way, or one that did not come along: the CA above knows.
    if (!sender && kind == ProtectionKind::signature) return Approval{};
    CMP_TRY(exchange.sender, std::move(sender));
    Approval approval{true, {}};
    if (begins(message.type())) {
        CMP_CHECK(check_right(exchange));
        CMP_TRY(approval.changed, approve_request(exchange));
    }
    return approval;
}

/// The first message of a transaction is noted before it is sent, with the use that it is of a secret that is good for so many. The very
/// same message again, for its answer was lost, goes on with the very same octets, and is not another use (bug class 25).
Checked<ByteVec> Server::Impl::noted_message(const Exchange& exchange, const Approval& approval) const {
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
    CMP_TRY(auto outgoing, approved_message(exchange, approval));
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

/// The request as policy here sees it, and what it makes of it. Only where this server's signature is in place of the protection can it
/// be changed: for one request whose possession was proved by a signature, which raVerified then vouches for; PKCS #10 has no such thing.
Checked<std::optional<x509::CertificationRequest>> Server::Impl::approve_request(const Exchange& exchange) const {
    using Changed = std::optional<x509::CertificationRequest>;
    const auto& message = exchange.message;
    if (message.type() == BodyType::genm) return Changed{};
    if (!enrolls(message.type())) return refuse(PkiFailure::bad_request, fmt::format("{} is not forwarded", to_string(message.type())));
    CMP_TRY(const auto asked, asked_of(exchange, message));
    for (const auto& one : asked) {
        if (one.message != nullptr) {
            CMP_TRY(const auto key, or_failure(PkiFailure::bad_cert_template, one.message->public_key()));
            if (!key) return refuse(PkiFailure::not_authorized, "a key that is made by the CA is for its requester: ask the CA itself");
        }
        CMP_TRY(const auto request, read_request(exchange, message, one));
        CMP_TRY(auto changed, authority_.approve({authority::Verb::enroll, one.profile, exchange.label.recorded, request, exchange.sender.principal}));
        if (!changed) continue;
        const bool may_change = exchange.label.config.forward == Forwarding::replaced && one.message != nullptr && asked.size() == 1 &&
                                request.possession() == x509::Possession::signature;
        if (!may_change)
            return refuse(PkiFailure::bad_cert_template,
                          fmt::format("{}: not as the profile gives it, and the request cannot be changed on its way", changed->what));
        return Changed{std::move(changed->request)};
    }
    return Changed{};
}

/// RFC 9483 5.2.2.1 and 5.2.3: transactionID and nonces stay; sender and protection are this registration authority's.
Checked<ByteVec> Server::Impl::approved_message(const Exchange& exchange, const Approval& approval) const {
    const auto& message = exchange.message;
    const auto& config = exchange.label.config;
    const auto& own = std::get<ClientSigner>(exchange.label.above->client.credentials);
    const bool replaces = config.forward == Forwarding::replaced && (exchange.sender.protection == Protection::mac || approval.changed);
    PkiHeader header = message.header();
    if (!replaces) {
        header.recipient = directory_name(authority_.ca(exchange.label.ca)->certificate.subject());
        header.message_time = clock_.now();
        header.recip_kid.reset();
        header.free_text = {};
        header.general_info.clear();
        return or_failure(PkiFailure::system_failure, sign_message(std::move(header), {BodyType::nested, NestedMessageContent{{message}}}, own));
    }
    // Originals are this server's to tell, not its clients'.
    std::erase_if(header.general_info, [](const InfoTypeAndValue& info) { return info.info_type == oid::orig_pki_message; });
    if (config.original) header.general_info.push_back(make_orig_pki_message({message.der()}));
    auto body = message.body();
    if (approval.changed) {
        auto& request = std::get<CertReqMessages>(body.content).messages.front();
        CMP_TRY(request, or_failure(PkiFailure::system_failure, vouched_for(*approval.changed, &request)));
    }
    return or_failure(PkiFailure::system_failure, sign_message(std::move(header), body, own));
}

}  // namespace estuary::cmp
