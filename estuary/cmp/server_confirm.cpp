// What follows an answer: certConf, pollReq, and a client's error (RFC 9483 4.1.1, 4.4, RFC 9810 5.3.18, 5.3.21, 5.3.22).
#include <algorithm>

#include <fmt/format.h>

#include "estuary/cmp/cert_hash.h"
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

using State = TransactionItem::State;

Checked<void> check_hash(const CertStatus& status, const TransactionItem& item, std::int64_t pvno) {
    if (status.hash_alg && pvno < cmp2021) return refuse(PkiFailure::bad_request, "hashAlg needs pvno 3 (cmp2021)");
    CMP_TRY(const auto certificate, x509::Certificate::parse(item.certificate));
    const auto hash = cert_hash(certificate, status.hash_alg);
    if (!hash) return tl::unexpected(as_failure(PkiFailure::bad_cert_id, hash.error()));
    if (!crypto::equal_in_constant_time(*hash, status.cert_hash))
        return refuse(PkiFailure::bad_cert_id, "certHash is not that of the certificate");
    return {};
}

/// accepted, grantedWithMods or rejection, and a failure only with the last (RFC 9483 4.1.1).
Checked<void> check_status(const CertStatus& status) {
    if (!status.status_info) return {};
    const auto& info = *status.status_info;
    if (!info.is_granted() && info.status != PkiStatus::rejection)
        return refuse(PkiFailure::bad_request, fmt::format("statusInfo of a certConf cannot be {}", to_string(info.status)));
    if (info.is_granted() && info.fail_info) return refuse(PkiFailure::bad_request, "failInfo beside a status that accepts");
    return {};
}

}  // namespace

Checked<Reply> Server::Impl::confirm(Exchange& exchange) {
    auto& transaction = exchange.transaction;
    const auto& statuses = exchange.message.as<CertConfirmContent>().statuses;
    if (!transaction.has(State::unconfirmed))
        return transaction.confirmed ? refuse(PkiFailure::cert_confirmed, "the certificate is confirmed already")
                                     : refuse(PkiFailure::bad_request, "no certificate waits for a confirmation");
    const auto find_item = [&](std::int64_t id) {
        return std::ranges::find_if(transaction.items, [&](const TransactionItem& item) {
            return item.cert_req_id == id && item.state == State::unconfirmed;
        });
    };
    // All of it is looked at before any of it is done.
    for (const auto& status : statuses) {
        if (std::ranges::count(statuses, status.cert_req_id, &CertStatus::cert_req_id) > 1)
            return refuse(PkiFailure::bad_request, "two CertStatus have the same certReqId");
        const auto item = find_item(status.cert_req_id);
        if (item == transaction.items.end())
            return refuse(PkiFailure::bad_request, fmt::format("no certificate of certReqId {} waits for a confirmation", status.cert_req_id));
        CMP_CHECK(check_status(status));
        CMP_CHECK(check_hash(status, *item, exchange.message.header().pvno));
    }
    for (auto& item : transaction.items) {
        if (item.state != State::unconfirmed) continue;
        const auto status = std::ranges::find(statuses, item.cert_req_id, &CertStatus::cert_req_id);
        const bool there = status != statuses.end();
        // What is left out is rejected (RFC 9810 5.3.18).
        CMP_CHECK(settle(exchange, item, there && status->is_accepted(), there && status->status_info ? status->status_info->to_text() : ""));
    }
    transaction.confirmed = true;
    if (transaction.type == BodyType::kur && !transaction.has(State::waiting)) CMP_CHECK(forget_update(exchange));
    return Reply{{BodyType::pkiconf, PkiConfirmContent{}}, {}, {}, Seconds{0}};
}

Checked<void> Server::Impl::settle(Exchange& exchange, TransactionItem& item, bool accepted, std::string reason) {
    CMP_TRY(const auto certificate, x509::Certificate::parse(item.certificate));
    auto settled = authority_.confirm({item.ca, to_vec(certificate.serial_number()), accepted, exchange.sender.principal, std::move(reason)},
                                      exchange.work);
    if (!settled) return tl::unexpected(as_failure(PkiFailure::bad_request, std::move(settled).error()));
    item.state = State::settled;
    return {};
}

Checked<Reply> Server::Impl::poll(Exchange& exchange) {
    auto& transaction = exchange.transaction;
    const auto& ids = exchange.message.as<PollReqContent>().cert_req_ids;
    if (ids.empty()) return refuse(PkiFailure::bad_request, "pollReq names no request");
    if (!transaction.has(State::waiting)) return refuse(PkiFailure::bad_request, "nothing of this transaction is waited for");
    if (ids.size() > 1) return refuse(PkiFailure::bad_request, "poll for one request at a time, or with -1 for all of them");
    // -1 is the whole answer; of a p10cr it is also the only one's number.
    const auto id = ids.front();
    const bool known = id == no_cert_req_id || std::ranges::any_of(transaction.items, [&](const TransactionItem& item) {
                           return item.cert_req_id == id && item.state == State::waiting;
                       });
    if (!known) return refuse(PkiFailure::bad_request, fmt::format("no request of certReqId {} is waited for", id));
    CMP_TRY(const auto original, PkiMessage::parse(transaction.request, config_.limits));
    Waits waits;
    const auto only = id == no_cert_req_id ? std::optional<std::int64_t>{} : std::optional{id};
    CMP_TRY(auto reply, answer_again(exchange, original, only, waits));
    // What is ready is told; the rest is asked for again.
    const auto* certificates = std::get_if<CertRepMessage>(&reply.body.content);
    const auto is_waiting = [](const CertResponse& one) { return one.status.status == PkiStatus::waiting; };
    if (certificates != nullptr ? std::ranges::all_of(certificates->responses, is_waiting) : transaction.has(State::waiting)) {
        PollRepContent later;
        later.responses.push_back({id, waits.check_after.count(), {}});
        reply.body = {BodyType::poll_rep, std::move(later)};
    }
    return reply;
}

Checked<Reply> Server::Impl::answer_again(Exchange& exchange, const PkiMessage& original, std::optional<std::int64_t> only, Waits& waits) {
    switch (original.type()) {
        case BodyType::rr: return answer_revocations(exchange, original, &waits);
        case BodyType::krr: return answer_recovery(exchange, original, &waits);
        case BodyType::genm: return inform(exchange, original, &waits);
        default: return answer_requests(exchange, original, only, &waits);
    }
}

/// The client gives up: what waits for its confirmation is withdrawn, and nothing may follow.
Checked<Reply> Server::Impl::end(Exchange& exchange) {
    auto& transaction = exchange.transaction;
    const auto why = exchange.message.as<ErrorMsgContent>().to_text();
    if (transaction.type == BodyType::krr && transaction.has(State::waiting)) {
        CMP_TRY(const auto original, PkiMessage::parse(transaction.request, config_.limits));
        CMP_CHECK(give_up_recovery(exchange, original, "given up: " + why));
    }
    for (auto& item : transaction.items) {
        if (item.state == State::unconfirmed) CMP_CHECK(settle(exchange, item, false, why));
        if (item.state == State::waiting || item.state == State::challenged) item.state = State::refused;
    }
    if (transaction.type == BodyType::kur) CMP_CHECK(forget_update(exchange));
    transaction.ended = true;
    return Reply{{BodyType::pkiconf, PkiConfirmContent{}}, {}, {}, Seconds{0}};
}

}  // namespace estuary::cmp
