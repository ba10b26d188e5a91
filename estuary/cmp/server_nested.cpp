// nested: what a registration authority has approved (RFC 9483 5.2.2.1), or several messages at once (5.2.2.2); and the original of
// a message whose protection was replaced (5.2.3).
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/crypto/password_mac.h"

namespace estuary::cmp {
namespace {

constexpr unsigned depth_max = 2;   // a batch of approved messages

/// RFC 9483 5.2.2.1: an approved message shares its identifiers with what is around it.
bool is_approval(const PkiMessage& outer) {
    const auto& inner = outer.as<NestedMessageContent>().messages;
    return inner.size() == 1 && inner.front().header().transaction_id == outer.header().transaction_id;
}

/// What is written under a guard that holds once only: of two such writes in one unit of work the second one would fail all of it.
class Guarded {
public:
    /// False: something of it is there already, and nothing was added.
    bool add(const store::UnitOfWork& work) {
        std::set<ByteVec> keys;
        for (const auto& write : work.writes) {
            if (const auto* put = std::get_if<store::PutTransaction>(&write)) keys.insert(key(put->record.protocol, put->record.key));
            if (const auto* revoked = std::get_if<store::RevokeCertificate>(&write)) keys.insert(key("", as_bytes(fmt::format("{}", revoked->id))));
        }
        if (std::ranges::any_of(keys, [&](const ByteVec& one) { return all_.contains(one); })) return false;
        all_.merge(keys);
        return true;
    }

private:
    static ByteVec key(std::string_view kind, Bytes which) {
        der::Writer writer;
        writer.octet_string(as_bytes(kind)).octet_string(which);
        return std::move(writer).take();
    }
    std::set<ByteVec> all_;
};

}  // namespace

/// Who may nest: a registration authority of this label, by its signature.
Checked<Sender> Server::Impl::nesting_sender(const PkiMessage& message, const LabelState& label, const Transport& transport) const {
    CMP_TRY(auto sender, senders_.check(message, label, transport, {}));
    if (sender.protection == Protection::mac) return refuse(PkiFailure::wrong_integrity, "a nested message needs a signature, not a MAC");
    const auto& proof = *sender.principal.certificate;
    if (!label.config.registration_authority || !proof.registration_authority || proof.label != label.recorded)
        return refuse(PkiFailure::not_authorized, "only a registration authority of this label may nest messages");
    return sender;
}

ByteVec Server::Impl::take_nested(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                                  unsigned depth) {
    Sender sender;
    const auto checked = [&]() -> Checked<void> {
        // recipNonce is the inner message's where that goes on with a transaction.
        const auto& inner = message.as<NestedMessageContent>().messages;
        CMP_CHECK(check_header(message, is_approval(message) ? nonce_of(inner.front()) : Nonce::absent));
        CMP_TRY(sender, nesting_sender(message, label, transport));
        if (conveys_passphrase(message)) return refuse(PkiFailure::not_authorized, "a registration authority conveys no revocation passphrase");
        if (depth >= depth_max) return refuse(PkiFailure::bad_request, "messages are nested too deeply");
        if (transport.operation && *transport.operation != Operation::nested && !is_approval(message))
            return refuse(PkiFailure::bad_request, "a batch belongs to the path of nested");
        CMP_CHECK(check_nested_originals(message));
        if (!is_approval(message)) return {};
        const auto& header = inner.front().header();
        if (inner.front().type() == BodyType::nested) return refuse(PkiFailure::bad_request, "an approved message is not nested itself");
        if (header.sender_nonce != message.header().sender_nonce)
            return refuse(PkiFailure::bad_sender_nonce, "senderNonce is not that of the message inside (RFC 9483 5.2.2.1)");
        if (header.recip_nonce != message.header().recip_nonce)
            return refuse(PkiFailure::bad_recipient_nonce, "recipNonce is not that of the message inside (RFC 9483 5.2.2.1)");
        return {};
    }();
    if (!checked) {
        Exchange exchange{message, label, transport, work, std::move(sender)};
        log_failure(exchange, checked.error());
        return error_answer(message.header(), exchange.sender, label, checked.error());
    }
    if (!is_approval(message)) return take_batch(message, label, transport, work, sender, depth);
    return take(message.as<NestedMessageContent>().messages.front(), label, transport, work, {&message, &sender, depth + 1});
}

/// One answer for each message, in the same order. What would undo the others' work, because it writes what another one of the batch
/// writes, is not done.
ByteVec Server::Impl::take_batch(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                                 const Sender& sender, unsigned depth) {
    NestedMessageContent answers;
    std::set<ByteVec> ids;
    Guarded guarded;
    auto inside = transport;
    inside.operation.reset();   // the path is the batch's
    for (const auto& one : message.as<NestedMessageContent>().messages) {
        const auto& id = one.header().transaction_id;
        const bool twice = id && !ids.insert(*id).second;
        store::UnitOfWork own;
        auto answer = twice ? error_answer(one.header(), {}, label, {PkiFailure::transaction_id_in_use, "transactionID twice in one batch"})
                            : take(one, label, inside, own, {&message, nullptr, depth + 1});
        if (guarded.add(own)) move_into(work, own);
        else answer = error_answer(one.header(), {}, label, Failure{Error{Code::too_busy, "the same was asked by another message of the batch; ask again"}});
        auto parsed = PkiMessage::parse(answer, config_.limits);
        if (parsed) answers.messages.push_back(std::move(*parsed));
        else log::error("cmp answer in a batch cannot be read", {{"detail", parsed.error().detail}});
    }
    auto answer = protect({header_for(message.header(), label), {BodyType::nested, std::move(answers)}, {}}, sender, label);
    if (answer) return std::move(*answer);
    return error_answer(message.header(), sender, label, Failure{std::move(answer).error()});
}

/// The registration authority has checked the message and stands for it: what it approved is asked for by it, except where only
/// the holder of a certificate may ask. A signature that is wrong in itself is refused all the same.
Checked<Sender> Server::Impl::approved_sender(const Exchange& exchange, const Sender& approver) const {
    const auto& message = exchange.message;
    const auto& header = message.header();
    if (!header.protection_alg || !message.protection()) return refuse(PkiFailure::bad_message_check, "the message inside is not protected");
    const auto type = begins(message.type()) ? message.type() : exchange.transaction.type;
    const bool holder_only = type == BodyType::kur || type == BodyType::rr;
    std::vector<x509::Certificate> known;
    for (const auto& der : exchange.transaction.certificates)
        if (auto certificate = x509::Certificate::parse(der)) known.push_back(std::move(*certificate));
    CMP_TRY(const auto kem, kem_session(exchange));
    CMP_TRY(auto passphrase, shown_passphrase(exchange));
    auto sender = senders_.check(message, exchange.label, exchange.transport, known, kem ? &*kem : nullptr, std::move(passphrase));
    if (holder_only) return sender;
    const bool mac = sender && sender->protection == Protection::mac;
    // A secret that only the registration authority has cannot be checked here; a signature can, whoever it is of.
    std::optional<x509::Certificate> key_holder;
    if (!crypto::is_password_mac(*header.protection_alg)) {
        CMP_TRY(key_holder, SenderCheck::check_signature(message, known));
    }
    Sender out;
    if (mac) {
        out.protection = Protection::mac;
        out.reference = sender->reference;
        out.secret = std::move(sender->secret);
        out.mac_algorithm = sender->mac_algorithm;
    } else {
        out.protection = Protection::signature;
    }
    out.principal = approver.principal;
    out.certificate = approver.certificate;
    out.others = message.extra_certificates();   // for its later messages
    out.others.insert(out.others.end(), known.begin(), known.end());
    out.key_holder = std::move(key_holder);
    out.approved = true;
    return out;
}

namespace {

/// It must be protected, and where its signature can be checked, right.
Checked<void> check_received(const PkiMessage& original) {
    const auto& algorithm = original.header().protection_alg;
    if (!algorithm || !original.protection()) return refuse(PkiFailure::bad_message_check, "origPKIMessage is not protected");
    if (crypto::is_password_mac(*algorithm)) return {};   // its secret is the registration authority's
    if (auto signer = SenderCheck::check_signature(original, {}); !signer)
        return tl::unexpected(as_failure(PkiFailure::bad_message_check, std::move(signer).error().error));
    return {};
}

}  // namespace

Checked<std::vector<PkiMessage>> Server::Impl::originals_of(const PkiHeader& header) const {
    CMP_TRY(const auto octets, orig_pki_message(header));
    if (octets.empty()) return std::vector<PkiMessage>{};
    return or_failure(PkiFailure::bad_data_format, parse_messages(octets, config_.limits));
}

/// RFC 9483 5.2.3: the message that the registration authority had received.
Checked<void> Server::Impl::check_original(const Exchange& exchange) const {
    CMP_TRY(const auto originals, originals_of(exchange.message.header()));
    if (originals.empty()) return {};
    const auto& proof = exchange.sender.principal.certificate;
    if (!proof || !proof->registration_authority) return refuse(PkiFailure::not_authorized, "origPKIMessage is for registration authorities");
    if (originals.size() != 1) return refuse(PkiFailure::bad_request, "origPKIMessage holds more than one message (RFC 9810 5.1.1.3)");
    const auto& original = originals.front();
    if (original.header().transaction_id != exchange.message.header().transaction_id)
        return refuse(PkiFailure::bad_message_check, "origPKIMessage is of another transaction");
    CMP_CHECK(check_received(original));
    log::info("cmp message replaced by a registration authority", {{"label", exchange.label.config.name},
                                                                   {"who", exchange.sender.principal.describe()},
                                                                   {"from", original.header().sender.to_text()},
                                                                   {"request", to_string(original.type())}});
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.1.1.3
//# The contents of OrigPKIMessage infoValue in the header of a nested message MAY contain multiple PKIMessage structures, which MUST
//# be in the same order as the PKIMessage structures in PKIBody.
Checked<void> Server::Impl::check_nested_originals(const PkiMessage& message) const {
    CMP_TRY(const auto originals, originals_of(message.header()));
    const auto& inner = message.as<NestedMessageContent>().messages;
    auto next = inner.begin();
    for (const auto& original : originals) {
        next = std::find_if(next, inner.end(), [&](const PkiMessage& one) { return one.header().transaction_id == original.header().transaction_id; });
        if (next == inner.end())
            return refuse(PkiFailure::bad_message_check, "origPKIMessage is not of the messages that are nested, in their order (RFC 9810 5.1.1.3)");
        ++next;
        CMP_CHECK(check_received(original));
    }
    return {};
}

}  // namespace estuary::cmp
