#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

/// A client that enrolls for ever with one and the same request gets a chain of answers; looking through it must end.
constexpr unsigned answers_max = 16;

/// The key for the next answer to the same request, after one that no longer holds.
store::RequestKey next_key(const store::RequestKey& key, Bytes former_serial_number) {
    der::Writer writer;
    writer.octet_string(key).octet_string(former_serial_number);
    return crypto::sha256(writer.bytes());
}

/// A repeated request gets its former certificate unless that is about to end.
bool still_holds(const store::CertificateRecord& record, Time now) {
    const auto last_third = record.not_after - (record.not_after - record.not_before) / 3;
    return !is_revoked(record.revocation) && now <= last_third;
}

tl::unexpected<Error> busy() { return fail(Error{Code::too_busy, "the same request is under way", {}, 1}); }

}  // namespace

std::string_view to_string(Verb verb) noexcept {
    switch (verb) {
        case Verb::enroll: return "enroll";
        case Verb::renew: return "renew";
        case Verb::cross_certify: return "cross-certify";
    }
    return "unknown";
}

bool is_refusal(Code code) noexcept {
    switch (code) {
        case Code::malformed:
        case Code::too_large:
        case Code::unsupported:
        case Code::not_authenticated:
        case Code::not_authorised:
        case Code::bad_proof:
        case Code::policy:
        case Code::bad_key:
        case Code::not_found:
        case Code::conflict: return true;
        case Code::too_busy:
        case Code::unavailable:
        case Code::internal: return false;
    }
    return false;
}

bool is_spent(const Principal& principal) {
    return principal.credential && principal.credential->uses_left && *principal.credential->uses_left <= 0;
}

store::RequestKey request_key(const RequestIdentity& request) {
    der::Writer writer;
    writer.octet_string(as_bytes(request.operation))
        .octet_string(as_bytes(request.profile))
        .octet_string(as_bytes(request.label))
        .octet_string(as_bytes(request.who))
        .octet_string(request.der);
    if (!request.transaction_id.empty()) writer.octet_string(request.transaction_id);
    return crypto::sha256(writer.bytes());
}

Result<Outcome> Authority::Impl::enroll(const EnrollRequest& request, store::UnitOfWork& work) {
    const auto who = request.principal.describe();
    if (request.request.possession() == x509::Possession::generated_here)
        return fail(Code::internal, "the key of this request was not made here");
    // Into a unit of its own first: what a refused request had begun to write never reaches the caller's.
    store::UnitOfWork own;
    auto outcome = try_enroll(request, who, own);
    if (outcome) {
        std::ranges::move(own.writes, std::back_inserter(work.writes));
        std::ranges::move(own.leases, std::back_inserter(work.leases));
    } else if (is_refusal(outcome.error().code)) {
        audit(work, "request.refused", who, request.request.subject().to_text(),
              std::string{estuary::to_string(outcome.error().code)},
              fmt::format("{} profile={} label={} address={}: {}", to_string(request.verb), request.profile, request.label,
                          request.principal.address, outcome.error().detail));
    }
    return outcome;
}

Result<Outcome> Authority::Impl::try_enroll(const EnrollRequest& request, const std::string& who, store::UnitOfWork& work) {
    ESTUARY_TRY(const auto* const rules, this->rules(request.profile));
    if (request.principal.anonymous())
        return fail(Code::not_authenticated, "this needs a name and password or a client certificate");
    const auto now = clock.now();
    const auto first_key =
        request_key({to_string(request.verb), request.profile, request.label, who, request.request.der(), request.transaction_id});
    auto lease = claims.request(first_key);
    if (!lease) return busy();
    work.leases.push_back(std::move(lease));
    if (request.verb == Verb::renew) ESTUARY_CHECK(still_good(request.principal));
    // Before policy: a lost reply asked for again comes over a new TLS session, to which the same request is not linked.
    ESTUARY_TRY(auto earlier, earlier_answer(*rules, first_key, now));
    bool open = false;
    if (const auto& upstream = rules->issuer->config->upstream) {
        ESTUARY_TRY(open, upstream->is_open(earlier.key));
    }
    if (earlier.answer) {
        // It is on record, and the CA above has perhaps not heard so. If that goes wrong, the next one who asks tries again.
        if (open) (void)ask_upstream({*rules, request, who, earlier.key, true, {}}, {}, now);
        work.leases.clear();
        return Issued{std::move(*earlier.answer), rules->profile.ca, true};
    }
    const bool spent = is_spent(request.principal) && !open;
    if (rules->profile.manual_approval || spent) {
        ESTUARY_TRY(const auto pending, store.pending_request(earlier.key));
        if (pending) return answer_pending(*rules, request, *pending, who, work, now);
    }
    if (spent) return fail(Code::not_authenticated, "this credential has been used up");
    if (rules->profile.manual_approval) return ask_for_approval(*rules, request, earlier.key, who, work, now);
    if (rules->issuer->config->upstream) {
        store::UnitOfWork opening;
        if (!open) ESTUARY_CHECK(spend(request.principal, opening, now));
        return ask_upstream({*rules, request, who, earlier.key, true, {}}, std::move(opening), now);
    }
    ESTUARY_CHECK(spend(request.principal, work, now));
    ESTUARY_TRY(auto certificate, issue(*rules, request, who, earlier.key, work, now));
    return Issued{std::move(certificate), rules->profile.ca, false};
}

/// A connection may be older than the revocation of its certificate (bug class 5); what is not in the store is not renewed.
Result<void> Authority::Impl::still_good(const Principal& principal) {
    if (!principal.certificate || principal.certificate->issued_by_ca.empty()) return {};  // policy refuses it
    const auto& proof = *principal.certificate;
    ESTUARY_TRY(const auto status, store.certificate_status(proof.issued_by_ca,
                                                            without_leading_zeros(proof.certificate.serial_number())));
    if (!status || is_revoked(status->revocation))
        return fail(Code::not_authorised, "the client certificate is revoked or not known here");
    return {};
}

Result<Authority::Impl::Earlier> Authority::Impl::earlier_answer(const Rules& rules, store::RequestKey key, Time now) {
    for (unsigned i = 0; i < answers_max; ++i) {
        ESTUARY_TRY(const auto record, store.certificate_of_request(key));
        if (!record) return Earlier{key, std::nullopt};
        if (record->ca == rules.profile.ca && still_holds(*record, now)) {
            ESTUARY_TRY(auto certificate, x509::Certificate::parse(record->der));
            return Earlier{key, std::move(certificate)};
        }
        if (record->revocation && record->revocation->reason == store::RevocationReason::key_compromise)
            return fail(Code::bad_key, "the key of this request was reported as compromised: make a new one");
        key = next_key(key, record->serial_number);
    }
    return fail(Code::policy, "this very request was answered too often: make a new one");
}

Result<void> Authority::Impl::spend(const Principal& principal, store::UnitOfWork& work, Time now) {
    const auto& credential = principal.credential;
    if (!credential || !credential->uses_left) return {};
    // The claim comes before the look into the store: whoever committed in between is counted in one or in the other
    // (bug class 35). The guard of the write holds also against other processes.
    auto use = claims.credential(credential->id);
    ESTUARY_TRY(const auto record, store.credential(credential->name));
    if (!record || record->id != credential->id || !record->uses_left.has_value() || *record->uses_left <= 0)
        return fail(Code::not_authenticated, "this credential has been used up");
    if (use.in_flight > *record->uses_left)
        return fail(Error{Code::too_busy, "the last use of this credential is under way", {}, 1});
    work.leases.push_back(std::move(use.lease));
    work.writes.emplace_back(store::SpendCredential{credential->id, now});
    return {};
}

Result<x509::Certificate> Authority::Impl::issue(const Rules& rules, const EnrollRequest& request, const std::string& who,
                                                 std::optional<store::RequestKey> key, store::UnitOfWork& work, Time now) {
    ESTUARY_TRY(auto approved, policy.approve(rules, request, now));
    ESTUARY_TRY(auto certificate, rules.issuer->signer->sign(std::move(approved.tbs)));
    store::CertificateRecord record;
    record.ca = rules.profile.ca;
    record.serial_number = std::move(approved.serial_number);
    record.subject = approved.subject.to_text();
    record.subject_alt_names = names_text(approved.names);
    record.not_before = approved.not_before;
    record.not_after = approved.not_after;
    record.profile = rules.profile.name;
    record.shard = approved.shard;
    note_issued(request, who, std::move(record), certificate, key, work, now);
    return certificate;
}

void Authority::Impl::note_issued(const EnrollRequest& request, const std::string& who, store::CertificateRecord record,
                                  const x509::Certificate& certificate, std::optional<store::RequestKey> key, store::UnitOfWork& work,
                                  Time now) const {
    record.der = to_vec(certificate.der());
    record.label = request.label;
    record.requester = who;
    record.issued_at = now;
    audit(work, "certificate.issued", who, fmt::format("{}/{}", record.ca, to_hex(record.serial_number)), "ok",
          fmt::format("{} profile={} label={} subject={} address={}", to_string(request.verb), record.profile, record.label,
                      record.subject, request.principal.address));
    work.writes.emplace_back(store::InsertCertificate{std::move(record), key});
    // A certificate to encrypt to can be named by its key (RFC 7030 4.4.1.2); the others need no place in that index.
    if ((certificate.key_usage().value_or(0) & (x509::key_encipherment | x509::key_agreement)) != 0)
        if (auto identifier = certificate.subject_key_id()) work.writes.emplace_back(store::NameEncryptionKey{std::move(*identifier)});
    if (request.confirm_within) work.writes.emplace_back(store::AwaitConfirmation{now + *request.confirm_within});
}

Result<x509::Certificate> Authority::issue_for_server(std::string_view profile, const x509::CertificationRequest& request,
                                                      store::UnitOfWork& work) {
    ESTUARY_TRY(const auto* const rules, impl_->rules(profile));
    EnrollRequest wanted{Verb::enroll, std::string{profile}, {}, request, {}};
    wanted.principal.operator_ = true;
    return impl_->issue(*rules, wanted, wanted.principal.describe(), std::nullopt, work, impl_->clock.now());
}

}  // namespace estuary::authority
