// Transactions (RFC 10002 6.6): a repeated message gets its former answer (bug class 25), and the nonces tie each message to the
// last.
#include <algorithm>

#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {

constexpr std::size_t kept_answer_octets_max = 256 * 1024;  // a longer one is made again: the authority knows what it issued
constexpr std::int64_t not_rejected = -1;

Result<Answer> read_answer(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    Answer answer;
    ESTUARY_TRY(const bool full, fields.boolean());
    answer.form = full ? Answer::Form::full : Answer::Form::simple;
    ESTUARY_TRY(const auto rejected, fields.integer());
    if (rejected != not_rejected) answer.rejected = static_cast<Code>(rejected);
    ESTUARY_TRY(const auto der, fields.octet_string());
    answer.der = to_vec(der);
    ESTUARY_CHECK(fields.finish("answer"));
    return answer;
}

void write_answer(der::Writer& writer, const Answer& answer) {
    writer.sequence([&] {
        writer.boolean(answer.form == Answer::Form::full)
            .integer(answer.rejected ? static_cast<std::int64_t>(*answer.rejected) : not_rejected)
            .octet_string(answer.der);
    });
}

}  // namespace

// TransactionState ::= SEQUENCE { message OCTET STRING, serverNonce OCTET STRING, answer SEQUENCE { full BOOLEAN, rejected
// INTEGER,
//     der OCTET STRING } OPTIONAL }
Result<TransactionState> TransactionState::parse(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, der::Tag::sequence, "transaction"));
    TransactionState state;
    ESTUARY_TRY(const auto message, fields.octet_string());
    if (message.size() != state.message.size()) return fail(Code::internal, "transaction: not a digest");
    std::ranges::copy(message, state.message.begin());
    ESTUARY_TRY(const auto nonce, fields.octet_string());
    state.server_nonce = to_vec(nonce);
    if (!fields.empty()) {
        ESTUARY_TRY(state.answer, read_answer(fields));
    }
    ESTUARY_CHECK(fields.finish("transaction"));
    return state;
}

ByteVec TransactionState::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.octet_string(message).octet_string(server_nonce);
        if (answer) write_answer(writer, *answer);
    });
    return std::move(writer).take();
}

store::RequestKey record_key(std::string_view kind, std::string_view label, std::initializer_list<Bytes> parts) {
    der::Writer writer;
    writer.octet_string(as_bytes(kind)).octet_string(as_bytes(label));
    for (const auto part : parts) writer.octet_string(part);
    return crypto::sha256(writer.bytes());
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.6
//# Upon receipt by the transaction originator of this response, the transaction originator compares the value of Recipient Nonce
//# control to its retained value.
/// The server does the same with its own: a message that goes on with a transaction answers the last nonce. Who asks is part of
/// the transaction, so that nobody meets another's (bug class 7).
Result<std::optional<Processor::Transaction>> Processor::begin_transaction(const Layer& layer, Bytes message, Reply& reply) {
    const auto* control = layer.find<TransactionId>();
    const auto& principal = layer.identity.principal;
    if (control == nullptr || principal.anonymous()) return std::optional<Transaction>{};
    Transaction transaction;
    transaction.key = record_key("transaction", endpoint_.config.label, {as_bytes(principal.describe()), control->number});
    transaction.message = crypto::sha256(message);
    ESTUARY_TRY(const auto record, services_.store.transaction(protocol, transaction.key));
    if (!record) return transaction;
    transaction.revision = record->revision;
    if (now_ >= record->expires_at) return transaction;
    ESTUARY_TRY(auto state, TransactionState::parse(record->state));
    if (state.message == transaction.message) {
        transaction.former = std::move(state.answer);
        return transaction;
    }
    const auto* nonce = layer.find<RecipientNonce>();
    if (!state.server_nonce.empty() && (nonce == nullptr || nonce->octets != state.server_nonce))
        reply.fail({FailInfo::bad_request, "recipientNonce: this message does not answer the last one of its transaction",
                    Code::conflict});
    return transaction;
}

void Processor::end_transaction(const Transaction& transaction, const Reply& reply, const Answer& answer) {
    TransactionState state{transaction.message, server_nonce_, {}};
    if (reply.is_final() && answer.der.size() <= kept_answer_octets_max) state.answer = answer;
    work_.writes.emplace_back(store::PutTransaction{{std::string{protocol}, transaction.key, transaction.revision, state.encode(),
                                                     now_ + services_.config.transaction_lifetime}});
}

}  // namespace estuary::cmc
