#include "estuary/cmp/upstream.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/cmp/registration_authority.h"
#include "estuary/crypto/digest.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;

constexpr std::string_view protocol = "cmp-upstream";
/// Request, polls that are answered at once, and certConf: an authority that wants more turns in circles.
constexpr unsigned exchanges_max = 8;
constexpr Seconds poll_least{1};

/// A CRMF request that can go on as it is: alone in its message, with a signature over what it says.
std::optional<crmf::CertReqMsg> as_it_came(Bytes der) {
    auto message = crmf::CertReqMsg::parse(der);
    if (!message || message->cert_req().cert_req_id != 0 || !message->popo()) return std::nullopt;
    const auto* signature = std::get_if<crmf::PopoSigningKey>(&*message->popo());
    const bool plain = signature != nullptr && !signature->input && message->cert_req().controls.empty() && message->reg_info().empty();
    return plain ? std::optional{std::move(*message)} : std::nullopt;
}

/// What the CA above refused, for whoever asked here: whether to ask again is what matters most.
Error refusal(const Declined& declined) {
    const auto& info = declined.status.fail_info;
    const auto has = [&](PkiFailure bit) { return info && info->has(bit); };
    auto text = declined.text.empty() ? std::string{"no reason given"} : declined.text;
    if (has(PkiFailure::system_unavail) || has(PkiFailure::system_failure))
        return {Code::unavailable, "the CA above cannot do it now", std::move(text)};
    // That it does not know this server is for our log, and no fault of whoever asked.
    if (has(PkiFailure::not_authorized) || has(PkiFailure::signer_not_trusted) || has(PkiFailure::bad_message_check) || has(PkiFailure::cert_revoked))
        return {Code::unavailable, "the CA above does not take this server's word", std::move(text)};
    return {Code::policy, "the CA above refuses: " + text};
}

std::uint8_t reason_code(store::RevocationReason reason) { return static_cast<std::uint8_t>(reason); }   // RFC 5280 5.3.1 in both

}  // namespace

Result<std::unique_ptr<UpstreamCa>> UpstreamCa::create(UpstreamConfig config, Channel channel, store::Store& store, const Clock& clock,
                                                       crypto::Entropy& entropy) {
    ESTUARY_TRY(auto client, Client::create(std::move(config.client), clock, entropy));
    return std::unique_ptr<UpstreamCa>{new UpstreamCa{std::move(config), std::move(client), std::move(channel), store, clock}};
}

/// Another CA's request of the same key is another one.
store::RequestKey UpstreamCa::record_key(const store::RequestKey& key) const {
    der::Writer writer;
    writer.octet_string(as_bytes(config_.ca)).octet_string(key);
    return crypto::sha256(writer.bytes());
}

Result<std::shared_ptr<void>> UpstreamCa::permit() {
    if (running_.fetch_add(1) >= config_.concurrent_max) {
        running_.fetch_sub(1);
        return fail(Error{Code::too_busy, "too many requests wait for the CA above", {}, 2});
    }
    return std::shared_ptr<void>{this, [](void* self) { static_cast<UpstreamCa*>(self)->running_.fetch_sub(1); }};
}

Result<bool> UpstreamCa::is_open(const store::RequestKey& key) {
    ESTUARY_TRY(const auto found, store_.transaction(protocol, record_key(key)));
    return found && found->expires_at >= clock_.now();
}

Result<void> UpstreamCa::keep(const store::RequestKey& key, const ClientTransaction& transaction, std::int64_t& revision,
                              store::UnitOfWork work) {
    store::TransactionRecord record{std::string{protocol}, record_key(key), revision, {}, clock_.now() + config_.keep};
    ESTUARY_TRY(record.state, transaction.save());
    work.writes.emplace_back(store::PutTransaction{std::move(record)});
    const auto stored = store_.commit(std::move(work));
    // Another process, or the last use of a credential: whoever asks again learns which.
    if (!stored && stored.error().code == Code::conflict) return fail(Error{Code::too_busy, "the same request is under way", {}, 1});
    if (stored) ++revision;
    return stored;
}

Result<void> UpstreamCa::forget(const store::RequestKey& key) {
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemoveTransaction{std::string{protocol}, record_key(key)});
    return store_.commit(std::move(work));
}

Result<Wish> UpstreamCa::wish_for(const x509::CertificationRequest& request, std::function<Result<void>(const Enrolled&)> accept) const {
    if (request.possession() == x509::Possession::signature) {
        if (x509::SignedRequest::parse(request.der()))
            return Pkcs10Wish{.request = to_vec(request.der()), .profile = config_.profile, .accept = std::move(accept)};
        if (auto message = as_it_came(request.der())) return RelayedWish{std::move(*message), config_.profile, true, std::move(accept)};
    }
    ESTUARY_TRY(auto message, vouched_for(request));
    return RelayedWish{std::move(message), config_.profile, true, std::move(accept)};
}

Result<authority::UpstreamOutcome> UpstreamCa::enroll(const authority::UpstreamRequest& request, store::UnitOfWork opening,
                                                      const std::function<Result<void>(const x509::Certificate&)>& record) {
    ESTUARY_TRY(const auto permission, permit());
    std::optional<Error> not_recorded;
    ByteVec unwanted;
    ESTUARY_TRY(auto wish, wish_for(request.request, [&](const Enrolled& enrolled) -> Result<void> {
                    auto recorded = record(enrolled.certificate);
                    if (recorded) return {};
                    not_recorded = recorded.error();
                    unwanted = to_vec(enrolled.certificate.serial_number());
                    return recorded;
                }));
    ESTUARY_TRY(const auto found, store_.transaction(protocol, record_key(request.key)));
    std::int64_t revision = found ? found->revision : 0;
    const bool goes_on = found && found->expires_at >= clock_.now();
    auto begun = goes_on ? client_.resume(std::move(wish), found->state) : client_.begin(std::move(wish));
    if (!begun) return fail(std::move(begun).error());
    auto& transaction = *begun;
    if (!goes_on) ESTUARY_CHECK(keep(request.key, transaction, revision, std::move(opening)));
    for (unsigned i = 0; i < exchanges_max; ++i) {
        // From here on what went wrong is repeated by whoever asks again: the same octets are sent, and the CA above answers alike.
        ESTUARY_TRY(const auto answer, channel_(transaction.operation(), transaction.message()));
        auto step = transaction.take(answer);
        if (!step) {
            log::error("answer of the CA above not taken", {{"ca", config_.ca}, {"detail", step.error().detail}, {"cause", step.error().cause}});
            if (not_recorded) {
                // Rejected by certConf where one was asked for; otherwise it counts there until it is revoked.
                if (auto revoked = send_revocation(unwanted, store::RevocationReason::cessation_of_operation); !revoked)
                    log::error("a certificate that is not on record here is not revoked above",
                               {{"ca", config_.ca}, {"serial", to_hex(unwanted)}, {"detail", revoked.error().detail}});
                ESTUARY_CHECK(forget(request.key));
                return fail(*not_recorded);
            }
            return fail(Code::unavailable, "the CA above does not answer as it should", step.error().detail);
        }
        if (std::holds_alternative<SendNext>(*step)) {
            if (!not_recorded) ESTUARY_CHECK(keep(request.key, transaction, revision, {}));
        } else if (const auto* wait = std::get_if<WaitThenSend>(&*step)) {
            ESTUARY_CHECK(keep(request.key, transaction, revision, {}));
            return authority::UpstreamOutcome{authority::UpstreamWaiting{std::max(wait->check_after, poll_least)}};
        } else {
            ESTUARY_CHECK(forget(request.key));
            auto& outcome = std::get<ClientOutcome>(*step);
            if (auto* enrolled = std::get_if<Enrolled>(&outcome)) return authority::UpstreamOutcome{std::move(enrolled->certificate)};
            const auto error = refusal(std::get<Declined>(outcome));
            log::error("refused by the CA above", {{"ca", config_.ca}, {"detail", error.detail}, {"cause", error.cause}});
            return fail(error);
        }
    }
    return fail(Code::unavailable, "the CA above does not come to an end");
}

Result<void> UpstreamCa::revoke(Bytes serial_number, store::RevocationReason reason) {
    ESTUARY_TRY(const auto permission, permit());
    return send_revocation(serial_number, reason);
}

Result<void> UpstreamCa::send_revocation(Bytes serial_number, store::RevocationReason reason) {
    // INTEGER content octets: positive.
    ByteVec integer = to_vec(serial_number);
    if (integer.empty() || (integer.front() & 0x80) != 0) integer.insert(integer.begin(), 0);
    ESTUARY_TRY(auto transaction, client_.begin(RevocationWish{config_.issuer.subject(), std::move(integer), reason_code(reason)}));
    for (unsigned i = 0; i < exchanges_max; ++i) {
        ESTUARY_TRY(const auto answer, channel_(transaction.operation(), transaction.message()));
        auto step = transaction.take(answer);
        if (!step) return fail(Code::unavailable, "the CA above does not answer as it should", step.error().detail);
        if (std::holds_alternative<WaitThenSend>(*step)) return fail(Code::unavailable, "the CA above takes its time to revoke; ask again");
        auto* outcome = std::get_if<ClientOutcome>(&*step);
        if (outcome == nullptr) continue;
        const auto* declined = std::get_if<Declined>(outcome);
        const bool lifts = reason == store::RevocationReason::remove_from_crl;
        // An earlier attempt got there, and its answer did not get here.
        if (declined == nullptr || (!lifts && declined->status.fail_info && declined->status.fail_info->has(PkiFailure::cert_revoked))) return {};
        return fail(refusal(*declined));
    }
    return fail(Code::unavailable, "the CA above does not come to an end");
}

}  // namespace estuary::cmp
