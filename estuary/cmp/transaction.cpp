#include "estuary/cmp/transaction.h"

#include <algorithm>

#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

constexpr std::int64_t transaction_version = 1;
/// Answers with several certificates, and post-quantum ones, can be long.
constexpr der::Limits transaction_limits{.depth_max = 8, .bytes_max = 16u << 20};

Result<std::string> read_text(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.octet_string());
    return estuary::to_string(octets);
}

Result<TransactionItem> read_item(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    TransactionItem item;
    ESTUARY_TRY(item.cert_req_id, fields.integer());
    ESTUARY_TRY(const auto state, fields.integer());
    if (state < 0 || state > static_cast<std::int64_t>(TransactionItem::State::challenged))
        return fail(Code::malformed, "state of a transaction's item");
    item.state = static_cast<TransactionItem::State>(state);
    ESTUARY_TRY(item.ca, read_text(fields));
    ESTUARY_TRY(item.certificate, codec::read_octets(fields));
    ESTUARY_TRY(item.challenge, codec::read_octets(fields));
    ESTUARY_CHECK(fields.finish("item"));
    return item;
}

/// Kinds of protection that transactions did not have before: [0] { protection, offered, kem_secret }.
Result<void> read_key_based(der::Reader& fields, Transaction& transaction) {
    ESTUARY_TRY(auto more, fields.enter_if(der::context_constructed(0)));
    if (!more) return {};
    ESTUARY_TRY(const auto protection, more->integer());
    if (protection < static_cast<std::int64_t>(Protection::kem) || protection > static_cast<std::int64_t>(Protection::passphrase))
        return fail(Code::malformed, "protection of a transaction");
    transaction.protection = static_cast<Protection>(protection);
    ESTUARY_TRY(transaction.offered, more->boolean());
    ESTUARY_TRY(transaction.kem_secret, codec::read_octets(*more));
    return more->finish("protection of a transaction");
}

Result<Transaction> read(Bytes state) {
    ESTUARY_TRY(auto fields, der::enter_only(state, der::Tag::sequence, "transaction", transaction_limits));
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != transaction_version) return fail(Code::unsupported, "a transaction of another version of this program");
    Transaction transaction;
    ESTUARY_TRY(const auto type, fields.integer());
    if (type < 0 || type >= static_cast<std::int64_t>(body_types)) return fail(Code::malformed, "body type");
    transaction.type = static_cast<BodyType>(type);
    ESTUARY_TRY(const bool mac, fields.boolean());
    transaction.protection = mac ? Protection::mac : Protection::signature;
    ESTUARY_TRY(transaction.requester, read_text(fields));
    ESTUARY_TRY(transaction.request, codec::read_octets(fields));
    ESTUARY_TRY(auto certificates, fields.enter(der::Tag::sequence));
    while (!certificates.empty()) {
        ESTUARY_TRY(const auto one, certificates.any());
        transaction.certificates.push_back(to_vec(one.whole));
    }
    ESTUARY_TRY(auto items, fields.enter(der::Tag::sequence));
    while (!items.empty()) {
        ESTUARY_TRY(auto item, read_item(items));
        transaction.items.push_back(std::move(item));
    }
    ESTUARY_TRY(transaction.nonce, codec::read_octets(fields));
    ESTUARY_TRY(const auto hash, fields.octet_string());
    if (hash.size() != transaction.last_request.size()) return fail(Code::malformed, "hash of the last request");
    std::ranges::copy(hash, transaction.last_request.begin());
    ESTUARY_TRY(transaction.last_answer, codec::read_octets(fields));
    ESTUARY_TRY(transaction.confirmed, fields.boolean());
    ESTUARY_TRY(transaction.ended, fields.boolean());
    ESTUARY_CHECK(read_key_based(fields, transaction));
    ESTUARY_TRY(transaction.waits_until, codec::read_explicit(fields, 1, "waits_until", [](der::Reader& inner) { return inner.generalized_time(); }));
    ESTUARY_CHECK(fields.finish("transaction"));
    return transaction;
}

}  // namespace

bool Transaction::has(TransactionItem::State state) const {
    return std::ranges::find(items, state, &TransactionItem::state) != items.end();
}

ByteVec Transaction::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(transaction_version).integer(static_cast<std::int64_t>(type)).boolean(protection == Protection::mac);
        writer.octet_string(as_bytes(requester)).octet_string(request);
        writer.sequence([&] {
            for (const auto& certificate : certificates) writer.raw(certificate);
        });
        writer.sequence([&] {
            for (const auto& item : items)
                writer.sequence([&] {
                    writer.integer(item.cert_req_id).integer(static_cast<std::int64_t>(item.state));
                    writer.octet_string(as_bytes(item.ca)).octet_string(item.certificate).octet_string(item.challenge);
                });
        });
        writer.octet_string(nonce).octet_string(last_request).octet_string(last_answer);
        writer.boolean(confirmed).boolean(ended);
        if (protection >= Protection::kem)
            writer.constructed(der::context_constructed(0),
                               [&] { writer.integer(static_cast<std::int64_t>(protection)).boolean(offered).octet_string(kem_secret); });
        if (waits_until) codec::write_explicit(writer, 1, [&] { writer.generalized_time(*waits_until); });
    });
    return std::move(writer).take();
}

Result<Transaction> Transaction::decode(Bytes state) {
    auto transaction = read(state);
    if (!transaction) return fail(Code::internal, "a transaction on record cannot be read", transaction.error().detail);
    return transaction;
}

store::RequestKey transaction_key(std::string_view label, Bytes transaction_id) {
    der::Writer writer;
    writer.octet_string(as_bytes(label)).octet_string(transaction_id);
    return crypto::sha256(writer.bytes());
}

store::RequestKey update_key(const x509::Certificate& certificate) { return crypto::sha256(certificate.der()); }

}  // namespace estuary::cmp
