#include "estuary/cmp/server_impl.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/base/text.h"

namespace estuary::cmp {
namespace {

constexpr std::size_t nonce_octets = 16;   // RFC 9483 3.1: 128 bits
/// After its confirmation time a transaction can still be answered that the time is over.
constexpr Seconds confirm_margin{3600};

/// RFC 9483 6.1: the request that each operation's path is for; certConf and pollReq go where their request went.
bool is_for(Operation operation, BodyType type, const PkiMessage& message) {
    const auto asks = [&](const der::Oid& info) {
        return type == BodyType::genm && message.as<GenContent>().infos.size() == 1 && message.as<GenContent>().infos.front().info_type == info;
    };
    switch (operation) {
        case Operation::initialization: return type == BodyType::ir;
        case Operation::certification: return type == BodyType::cr;
        case Operation::keyupdate: return type == BodyType::kur;
        case Operation::pkcs10: return type == BodyType::p10cr;
        case Operation::revocation: return type == BodyType::rr;
        case Operation::getcacerts: return asks(oid::ca_certs);
        case Operation::getrootupdate: return asks(oid::root_ca_cert);
        case Operation::getcertreqtemplate: return asks(oid::cert_req_template);
        case Operation::getcrls: return asks(oid::crl_status_list);
        case Operation::nested: return type == BodyType::nested;
    }
    return false;
}

bool has_value(const std::optional<ByteVec>& field) { return field && !field->empty(); }

}  // namespace

void move_into(store::UnitOfWork& to, store::UnitOfWork& from) {
    std::ranges::move(from.writes, std::back_inserter(to.writes));
    std::ranges::move(from.leases, std::back_inserter(to.leases));
}

bool begins(BodyType type) noexcept {
    switch (type) {
        case BodyType::ir:
        case BodyType::cr:
        case BodyType::p10cr:
        case BodyType::kur:
        case BodyType::krr:
        case BodyType::rr:
        case BodyType::ccr:
        case BodyType::genm: return true;
        default: return false;
    }
}

bool goes_on(BodyType type) noexcept {
    return type == BodyType::cert_conf || type == BodyType::poll_req || type == BodyType::popdecr || type == BodyType::error;
}

bool is_announcement(BodyType type) noexcept {
    return type == BodyType::ckuann || type == BodyType::cann || type == BodyType::rann || type == BodyType::crlann;
}

std::string recorded_label(std::string_view name) { return "cmp:" + std::string{name}; }

Server::Impl::Impl(ServerConfig config, authority::Authority& authority, store::Store& store, const Clock& clock,
                   crypto::Entropy& entropy)
    : config_{std::move(config)}, authority_{authority}, store_{store}, clock_{clock}, entropy_{entropy},
      senders_{config_, authority, store} {}

ByteVec Server::Impl::nonce() const {
    ByteVec octets(nonce_octets);
    entropy_.fill(octets);
    return octets;
}

tl::expected<PkiMessage, Answer> Server::Impl::read(Bytes request, const LabelState& label, const Transport& transport) const {
    auto message = PkiMessage::parse(request, config_.limits);
    if (!message) {
        const auto header = peek_header(request, config_.limits);
        log::info("cmp message not read", {{"label", transport.label}, {"address", transport.address}, {"detail", message.error().detail}});
        // A body or status that this version of CMP does not have is a request that cannot be done (RFC 9483 3.5).
        const auto bit = message.error().code == Code::unsupported || message.error().code == Code::too_large
                             ? PkiFailure::bad_request
                             : PkiFailure::bad_data_format;
        return tl::unexpected(Answer{error_answer(header.value_or(PkiHeader{}), {}, label, {bit, message.error()}), header.has_value()});
    }
    if (is_announcement(message->type())) {
        log::info("cmp announcement refused", {{"label", transport.label}, {"address", transport.address}});
        return tl::unexpected(Answer{});
    }
    return std::move(*message);
}

Answer Server::Impl::answer(Bytes request, const Transport& transport, store::UnitOfWork& work) {
    const auto& label = labels_.find(transport.label)->second;
    auto message = read(request, label, transport);
    if (!message) return std::move(message).error();
    if (label.above) return {forward(*message, label, transport)};
    return {take(*message, label, transport, work, {})};
}

std::vector<Answer> Server::Impl::answer_together(const std::vector<ByteVec>& requests, const Transport& transport) {
    const auto& label = labels_.find(transport.label)->second;
    std::vector<Answer> answers(requests.size());
    std::vector<PkiMessage> messages;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto message = read(requests[i], label, transport);
        if (message) {
            messages.push_back(std::move(*message));
            places.push_back(i);
        } else {
            answers[i] = std::move(message).error();
        }
    }
    auto forwarded = forward_together(messages, label, transport);
    for (std::size_t i = 0; i < places.size(); ++i) answers[places[i]] = {std::move(forwarded[i])};
    return answers;
}

ByteVec Server::Impl::take(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                           const Outer& outer) {
    if (message.type() == BodyType::nested) return take_nested(message, label, transport, work, outer.depth);
    store::UnitOfWork own;
    Exchange exchange{message, label, transport, own};
    std::optional<ByteVec> repeated;
    auto reply = process(exchange, outer, repeated);
    if (repeated) return std::move(*repeated);
    if (reply) {
        auto answer = finish(exchange, std::move(*reply));
        if (!answer) {
            own = {};   // what cannot be told has not happened
            reply = tl::unexpected(Failure{std::move(answer).error()});
        }
        move_into(work, own);
        if (answer) return std::move(*answer);
    } else {
        move_into(work, own);   // refusals are audited
    }
    log_failure(exchange, reply.error());
    return error_answer(message.header(), exchange.sender, label, reply.error());
}

/// What is wrong here is told in an error message; what is wrong with a request's content, in the answer that belongs to it
/// (RFC 9483 3.6.2).
Checked<Reply> Server::Impl::process(Exchange& exchange, const Outer& outer, std::optional<ByteVec>& repeated) {
    const auto& message = exchange.message;
    const auto type = message.type();
    if (!begins(type) && !goes_on(type)) return refuse(PkiFailure::bad_request, fmt::format("{} is no request", to_string(type)));
    CMP_CHECK(check_header(message, nonce_of(message)));
    bool expired = false;
    CMP_TRY(auto known, load(exchange, expired));
    // Before anything else: who sends the very octets again gets the very answer, whatever has become of the sender since.
    if (known && !expired && known->last_request == crypto::sha256(message.der())) {
        repeated = known->last_answer;
        return refuse(PkiFailure::bad_request, "");
    }
    if (known) exchange.transaction = *known;
    if (expired) {
        exchange.transaction = {};
        exchange.transaction.revision = known->revision;
        known.reset();
    }
    if (exchange.label.config.kem_protection && outer.message == nullptr && asks_for_kem_ciphertext(message)) {
        if (conveys_passphrase(message)) return refuse(PkiFailure::not_authorized, "a revocation passphrase is conveyed by a protected message");
        return offer_kem(exchange, known.has_value());
    }
    const auto operation = exchange.transport.operation;
    CMP_TRY(exchange.sender, sender_of(exchange, outer));
    if (operation && begins(type) && outer.message == nullptr && !is_for(*operation, type, message))
        return refuse(PkiFailure::bad_request, fmt::format("{} does not belong to the path of {}", to_string(type), to_string(*operation)));
    CMP_CHECK(check_state(exchange, known));
    CMP_CHECK(check_original(exchange));
    exchange.transaction.offered = false;
    CMP_TRY(auto passphrase, conveyed_passphrase(exchange));
    auto reply = handle(exchange);
    if (!reply || !passphrase) return reply;
    return keep_passphrase(exchange, std::move(*passphrase), std::move(*reply));
}

/// A request after a KEM ciphertext is not the first message of its transaction, but some may say so (RFC 9483 3.1).
Server::Impl::Nonce Server::Impl::nonce_of(const PkiMessage& message) {
    if (!begins(message.type())) return Nonce::required;
    const auto& algorithm = message.header().protection_alg;
    const auto kind = algorithm ? protection_kind(*algorithm) : fail(Code::unsupported, "");
    return kind && *kind == ProtectionKind::kem_mac ? Nonce::either : Nonce::absent;
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-3.5
Checked<void> Server::Impl::check_header(const PkiMessage& message, Nonce nonce) const {
    const auto& header = message.header();
    if (header.pvno != cmp2000 && header.pvno != cmp2021)
        return refuse(PkiFailure::unsupported_version, "pvno is neither 2 (cmp2000) nor 3 (cmp2021)");
    if (!has_value(header.transaction_id)) return refuse(PkiFailure::bad_data_format, "transactionID is missing");
    if (!header.sender_nonce || header.sender_nonce->size() < nonce_octets)
        return refuse(PkiFailure::bad_sender_nonce, "senderNonce is missing or shorter than 128 bits");
    if (nonce == Nonce::absent && header.recip_nonce) return refuse(PkiFailure::bad_recipient_nonce, "recipNonce in the first message of a transaction");
    if (nonce == Nonce::required && !header.recip_nonce) return refuse(PkiFailure::bad_recipient_nonce, "recipNonce is missing");
    if (needed_pvno(message) > header.pvno)
        return refuse(PkiFailure::bad_request, "the message uses syntax of pvno 3 (cmp2021), but says 2");
    if (const auto window = config_.message_time_window; window > Seconds{0} && header.message_time) {
        const auto now = clock_.now();
        if (*header.message_time > now + window || *header.message_time < now - window)
            return refuse(PkiFailure::bad_time, fmt::format("messageTime is {}; here it is {}", to_iso8601(*header.message_time), to_iso8601(now)));
    }
    CMP_TRY(const bool implicit, implicit_confirm(header));
    CMP_TRY(const auto wait, confirm_wait_time(header));
    if (implicit && wait) return refuse(PkiFailure::bad_request, "implicitConfirm and confirmWaitTime exclude each other");
    CMP_CHECK(cert_profile(header, config_.limits));
    return {};
}

Checked<std::optional<Transaction>> Server::Impl::load(const Exchange& exchange, bool& expired) const {
    const auto key = transaction_key(exchange.label.config.name, *exchange.message.header().transaction_id);
    CMP_TRY(const auto record, store_.transaction(transaction_protocol, key));
    if (!record) return std::optional<Transaction>{};
    CMP_TRY(auto transaction, Transaction::decode(record->state));
    transaction.revision = record->revision;
    expired = record->expires_at < clock_.now();
    return std::optional{std::move(transaction)};
}

Checked<Sender> Server::Impl::sender_of(const Exchange& exchange, const Outer& outer) const {
    const auto& message = exchange.message;
    if (outer.sender != nullptr) return approved_sender(exchange, *outer.sender);
    if (message.type() == BodyType::genm && !message.protection() && !message.header().protection_alg &&
        exchange.label.config.unprotected_information) {
        Sender nobody;
        nobody.principal.address = exchange.transport.address;
        return nobody;
    }
    std::vector<x509::Certificate> known;
    for (const auto& der : exchange.transaction.certificates)
        if (auto certificate = x509::Certificate::parse(der)) known.push_back(std::move(*certificate));
    CMP_TRY(const auto kem, kem_session(exchange));
    CMP_TRY(auto passphrase, shown_passphrase(exchange));
    auto sender = senders_.check(message, exchange.label, exchange.transport, known, kem ? &*kem : nullptr, std::move(passphrase));
    // Who has asked for the revocation of its own certificate may hear that it is done.
    const bool asks_what_became = message.type() == BodyType::poll_req && exchange.transaction.type == BodyType::rr &&
                                  exchange.transaction.protection == Protection::signature && exchange.transaction.revision != 0;
    if (!sender && sender.error().bit == PkiFailure::cert_revoked && asks_what_became)
        return senders_.check_revoked(message, exchange.label, exchange.transport, known);
    return sender;
}

/// Whether this message may come now, from this sender.
Checked<void> Server::Impl::check_state(const Exchange& exchange, const std::optional<Transaction>& known) const {
    const auto& message = exchange.message;
    const auto& nonce = message.header().recip_nonce;
    if (begins(message.type())) {
        if (!known) return {};
        if (!known->offered || exchange.sender.protection != Protection::kem)
            return refuse(PkiFailure::transaction_id_in_use, "this transactionID is in use; choose another");
        if (nonce && *nonce != known->nonce) return refuse(PkiFailure::bad_recipient_nonce, "recipNonce is not the senderNonce of the genp");
        return {};
    }
    if (!known || known->offered) return refuse(PkiFailure::bad_request, "there is no transaction of this transactionID, or its time is over");
    if (exchange.sender.protection != known->protection) return refuse(PkiFailure::wrong_integrity, "the kind of protection changed within the transaction");
    if (exchange.sender.principal.describe() != known->requester)
        return refuse(PkiFailure::bad_message_check, "another one began this transaction");
    if (*nonce != known->nonce)
        return refuse(PkiFailure::bad_recipient_nonce, "recipNonce is not the senderNonce of the last answer");
    if (known->ended) return refuse(PkiFailure::bad_request, "the transaction was ended by an error message");
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-5.1
/// What this sender may ask for under this label (bug classes 1, 2, 7): nothing that is not named here.
Checked<void> Server::Impl::check_right(const Exchange& exchange) const {
    const auto& label = exchange.label;
    const auto& sender = exchange.sender;
    const auto type = exchange.message.type();
    const auto not_allowed = [&] { return refuse(PkiFailure::not_authorized, fmt::format("this sender may not ask for {} here", to_string(type))); };
    if (sender.principal.passphrase) {
        const bool allowed = type == BodyType::rr && label.config.revoke && label.config.revocation_passphrases;
        return allowed ? Checked<void>{} : not_allowed();
    }
    if (sender.principal.anonymous()) return {};   // an unprotected genm, where that is allowed
    if (sender.principal.credential) {
        if (type == BodyType::kur || type == BodyType::rr || !label.config.shared_secret)
            return refuse(PkiFailure::wrong_integrity, fmt::format("{} needs a signature here, not a MAC", to_string(type)));
        return {};
    }
    const auto& proof = *sender.principal.certificate;
    if (!proof.manufacturer.empty()) {
        const bool listed = std::ranges::find(label.config.manufacturers, proof.manufacturer) != label.config.manufacturers.end();
        const bool first = type == BodyType::ir || type == BodyType::p10cr || type == BodyType::genm;
        return listed && first ? Checked<void>{} : not_allowed();
    }
    if (proof.issued_by_ca != label.ca || proof.label != label.recorded) return not_allowed();
    if (type == BodyType::ccr) return label.config.certificate_of_ours && !proof.registration_authority ? Checked<void>{} : not_allowed();
    if (type == BodyType::kur) return label.config.update ? Checked<void>{} : not_allowed();
    if (type == BodyType::rr) return label.config.revoke ? Checked<void>{} : not_allowed();
    if (type == BodyType::genm) return {};
    if (type == BodyType::krr) return label.config.certificate_of_ours && !proof.registration_authority ? Checked<void>{} : not_allowed();
    const bool allowed = label.config.certificate_of_ours || (label.config.registration_authority && proof.registration_authority);
    return allowed ? Checked<void>{} : not_allowed();
}

/// Every body that PKIBody has is decided upon here; what is not named is no request (bug class 1).
Checked<Reply> Server::Impl::handle(Exchange& exchange) {
    const auto type = exchange.message.type();
    if (begins(type)) {
        auto allowed = check_right(exchange);
        if (!allowed && type == BodyType::genm) return tl::unexpected(allowed.error());
        if (!allowed) {
            log_failure(exchange, allowed.error());
            return rejected(exchange, allowed.error());
        }
    }
    const auto or_rejected = [&](Checked<Reply> reply) -> Checked<Reply> {
        if (reply) return reply;
        log_failure(exchange, reply.error());
        return rejected(exchange, reply.error());
    };
    switch (type) {
        case BodyType::ir:
        case BodyType::cr:
        case BodyType::kur:
        case BodyType::p10cr: return or_rejected(enroll(exchange));
        case BodyType::rr: return or_rejected(revoke(exchange));
        case BodyType::krr: return or_rejected(recover(exchange));
        case BodyType::ccr: return or_rejected(cross_certify(exchange));
        case BodyType::genm: return inform(exchange, exchange.message);
        case BodyType::cert_conf: return confirm(exchange);
        case BodyType::poll_req: return poll(exchange);
        case BodyType::popdecr: return take_challenge_response(exchange);
        case BodyType::error: return end(exchange);
        case BodyType::ip:
        case BodyType::cp:
        case BodyType::popdecc:
        case BodyType::kup:
        case BodyType::krp:
        case BodyType::rp:
        case BodyType::ccp:
        case BodyType::ckuann:
        case BodyType::cann:
        case BodyType::rann:
        case BodyType::crlann:
        case BodyType::pkiconf:
        case BodyType::nested:
        case BodyType::genp:
        case BodyType::poll_rep: break;
    }
    return refuse(PkiFailure::bad_request, fmt::format("{} is no request", to_string(type)));
}

PkiHeader Server::Impl::header_for(const PkiHeader& to, const LabelState& label) const {
    PkiHeader header;
    header.pvno = std::clamp(to.pvno, cmp2000, cmp2021);   // RFC 9810 7
    if (const auto* ca = authority_.ca(label.ca)) header.sender = directory_name(ca->certificate.subject());
    header.recipient = to.sender;
    header.message_time = clock_.now();
    header.transaction_id = to.transaction_id;
    header.sender_nonce = nonce();
    header.recip_nonce = to.sender_nonce;
    return header;
}

Result<ByteVec> Server::Impl::finish(Exchange& exchange, Reply reply) {
    const auto& message = exchange.message;
    auto header = header_for(message.header(), exchange.label);
    header.general_info = std::move(reply.info);
    const auto nonce = *header.sender_nonce;
    ByteVec answer;
    if (reply.unprotected) {
        answer = encode_message(header.encode(), reply.body.encode(), std::nullopt);
    } else {
        ESTUARY_TRY(answer, protect({std::move(header), reply.body, std::move(reply.chain)}, exchange.sender, exchange.label));
    }
    auto& transaction = exchange.transaction;
    // What was encapsulated is for one request (RFC 9810 5.1.3.4), also for one that is rejected.
    if (!reply.keep && transaction.kem_secret.empty()) return answer;
    if (begins(message.type()) && !transaction.offered) {
        transaction.type = message.type();
        transaction.protection = exchange.sender.protection;
        transaction.certificates.clear();
        transaction.requester = exchange.sender.principal.describe();
        if (exchange.sender.certificate) transaction.certificates.push_back(to_vec(exchange.sender.certificate->der()));
        for (const auto& other : exchange.sender.others)
            if (!(other == *exchange.sender.certificate)) transaction.certificates.push_back(to_vec(other.der()));
    }
    const bool goes_on = transaction.has(TransactionItem::State::waiting) || transaction.has(TransactionItem::State::challenged);
    if (!goes_on) transaction.request.clear();
    const auto key = transaction_key(exchange.label.config.name, *message.header().transaction_id);
    // Later messages are protected with the same passphrase, whatever takes its place meanwhile.
    if (goes_on && exchange.sender.passphrase && transaction.kem_secret.empty()) {
        ESTUARY_TRY(transaction.kem_secret, authority_.seal(passphrase_purpose, key, exchange.sender.passphrase->encode()));
    }
    transaction.nonce = nonce;
    transaction.last_request = crypto::sha256(message.der());
    transaction.last_answer = answer;
    store::TransactionRecord record;
    record.protocol = transaction_protocol;
    record.key = key;
    record.revision = transaction.revision;
    record.state = transaction.encode();
    const auto margin = transaction.has(TransactionItem::State::unconfirmed) ? exchange.label.config.confirm_wait + confirm_margin : Seconds{0};
    const auto keep = reply.keep.value_or(Seconds{0});
    record.expires_at = clock_.now() + (transaction.offered ? keep : std::max({keep, margin, config_.transaction_lifetime}));
    exchange.work.writes.emplace_back(store::PutTransaction{std::move(record)});
    return answer;
}

/// Protected as the request was; signed where that could not be checked (RFC 9810 5.3.21).
ByteVec Server::Impl::error_answer(const PkiHeader& to, const Sender& sender, const LabelState& label, const Failure& failure) const {
    ErrorMsgContent content;
    content.status_info = failure.status();
    const PkiBody body{BodyType::error, content};
    auto header = header_for(to, label);
    // A chain that the log shows is enough: nobody who is refused needs more than the signer's own.
    if (auto answer = protect({header, body, {}}, sender, label)) return std::move(*answer);
    log::error("cmp error not protected", {{"label", label.config.name}});
    return encode_message(header.encode(), body.encode(), std::nullopt);
}

void Server::Impl::log_failure(const Exchange& exchange, const Failure& failure) const {
    const bool ours = failure.bit == PkiFailure::system_failure || failure.error.code == Code::unavailable;
    log::write(ours ? log::Level::error : log::Level::info, "cmp request refused",
               {{"request", to_string(exchange.message.type())},
                {"label", exchange.label.config.name},
                {"who", exchange.sender.principal.describe()},
                {"address", exchange.transport.address},
                {"failInfo", to_string(failure.bit)},
                {"detail", failure.error.detail},
                {"cause", failure.error.cause}});
}

Server::Server(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(ServerConfig config, authority::Authority& authority, store::Store& store,
                                               const Clock& clock, crypto::Entropy& entropy) {
    auto impl = std::make_unique<Impl>(std::move(config), authority, store, clock, entropy);
    ESTUARY_CHECK(impl->prepare());
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

bool Server::has_label(std::string_view name) const noexcept { return impl_->has_label(name); }

bool Server::forwards(std::string_view label) const noexcept { return impl_->forwards(label); }

Answer Server::answer(Bytes request, const Transport& transport, store::UnitOfWork& work) {
    return impl_->answer(request, transport, work);
}

std::vector<Answer> Server::answer_together(const std::vector<ByteVec>& requests, const Transport& transport) {
    return impl_->answer_together(requests, transport);
}

}  // namespace estuary::cmp
