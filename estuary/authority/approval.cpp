#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/base/text.h"

namespace estuary::authority {

using State = store::PendingRequest::State;

namespace {

std::string_view operation_of(const EnrollRequest& request) noexcept {
    if (request.request.possession() == x509::Possession::generated_here) return "serverkeygen";
    return to_string(request.verb);
}

}  // namespace

Result<std::optional<Pending>> Authority::Impl::still_waits(const Profile& profile, const store::PendingRequest& pending, Time now) {
    // Its key holds who asked: nobody else gets here (bug class 7).
    if (pending.state == State::denied)
        return fail(Code::not_authorised, pending.reason.empty() ? std::string{"the request was denied"}
                                                                 : "the request was denied: " + text::printable(pending.reason));
    if (pending.state == State::issued || now >= pending.expires_at)
        return fail(Code::not_authorised, "the request was not fetched in time: make a new one");
    if (pending.state == State::pending) return Pending{pending.id, profile.poll_interval};
    return std::nullopt;
}

/// What a person decided is carried out under the profile of this moment: policy runs again on the whole request, so a profile
/// that changed since the approval can refuse but never issue what it does not allow (bug class 22).
Result<Outcome> Authority::Impl::answer_pending(const Rules& rules, const EnrollRequest& request,
                                                const store::PendingRequest& pending, const std::string& who,
                                                store::UnitOfWork& work, Time now) {
    ESTUARY_TRY(const auto waits, still_waits(rules.profile, pending, now));
    if (waits) {
        work.leases.clear();
        return *waits;
    }
    // The link to the TLS session was checked when the request was accepted; a poll comes over another session.
    auto accepted = request;
    accepted.linking = Linking::matched;
    if (rules.issuer->config->upstream) return ask_upstream({rules, accepted, who, pending.key, true, pending.key}, {}, now);
    ESTUARY_TRY(auto certificate, issue(rules, accepted, who, pending.key, work, now));
    work.writes.emplace_back(store::CompleteRequest{pending.key});
    return Issued{std::move(certificate), rules.profile.ca, false};
}

Result<Outcome> Authority::Impl::ask_for_approval(const Rules& rules, const EnrollRequest& request, const store::RequestKey& key,
                                                  const std::string& who, store::UnitOfWork& work, Time now) {
    ESTUARY_CHECK(policy.check(rules, request, now));
    ESTUARY_CHECK(spend(request.principal, work, now));
    store::PendingRequest pending;
    pending.key = key;
    pending.request = to_vec(request.request.der());
    pending.operation = operation_of(request);
    pending.profile = rules.profile.name;
    pending.label = request.label;
    pending.requester = who;
    pending.subject = request.request.subject().to_text();
    pending.subject_alt_names = names_text(request.request.subject_alt_names());
    pending.created_at = now;
    pending.expires_at = now + rules.profile.approval_expires;
    audit(work, "request.pending", who, pending.subject, "ok",
          fmt::format("{} profile={} label={} address={}", pending.operation, pending.profile, pending.label,
                      request.principal.address));
    work.writes.emplace_back(store::InsertPendingRequest{std::move(pending)});
    return Pending{0, rules.profile.poll_interval};
}

Result<void> Authority::decide(std::int64_t request_id, bool approve, std::string reason, const Principal& principal,
                               store::UnitOfWork& work) {
    if (!principal.operator_) return fail(Code::not_authorised, "only an operator decides on requests");
    ESTUARY_TRY(const auto pending, impl_->store.pending_request(request_id));
    if (!pending) return fail(Code::not_found, fmt::format("there is no request {}", request_id));
    if (pending->state != State::pending)
        return fail(Code::conflict, fmt::format("request {} is {} already", request_id, store::to_string(pending->state)));
    const auto now = impl_->clock.now();
    if (now >= pending->expires_at) return fail(Code::conflict, fmt::format("request {} has expired", request_id));
    const auto who = principal.describe();
    // Nobody has to come back for that: a compromised key's certificate must not wait for whoever has it.
    if (approve && pending->revocation) ESTUARY_CHECK(impl_->revoke_approved(*pending, who, work, now));
    impl_->audit(work, approve ? "request.approved" : "request.denied", who, fmt::format("{}", request_id), "ok",
                 fmt::format("subject={} requester={} reason={}", pending->subject, pending->requester, text::printable(reason)));
    work.writes.emplace_back(
        store::DecideRequest{request_id, approve ? State::approved : State::denied, who, std::move(reason), now});
    return {};
}

}  // namespace estuary::authority
