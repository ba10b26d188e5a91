#include "estuary/authority/online_recovery.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/key_archive.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

constexpr std::string_view online_agent_name = "online-agent";

/// Nobody else's (bug classes 7, 8). An empty subject is nobody's.
bool is_requesters(const store::CertificateRecord& record, const x509::Certificate& certificate, const Principal& principal) {
    if (record.requester == principal.describe()) return true;
    if (!principal.certificate) return false;
    const auto& own = principal.certificate->certificate.subject();
    return !own.empty() && certificate.subject() == own;
}

void move_into(store::UnitOfWork& to, store::UnitOfWork& from) {
    std::ranges::move(from.writes, std::back_inserter(to.writes));
    std::ranges::move(from.leases, std::back_inserter(to.leases));
}

}  // namespace

Result<void> Authority::Impl::check_online_recovery() const {
    if (!config.online_recovery) return {};
    const auto& agent = *config.online_recovery;
    if (std::ranges::find(config.recovery_agents, agent.certificate) == config.recovery_agents.end())
        return fail(Code::policy, "the online recovery agent is not one of the recovery agents: nothing is archived for it");
    if (!same(agent.certificate.spki(), agent.key.public_key().spki()))
        return fail(Code::policy, "the online recovery agent's key is not that of its certificate");
    // What it could not open would be found out after people had agreed to it.
    ESTUARY_TRY(const auto key, crypto::PrivateKey::generate("p256"));
    ESTUARY_TRY(const auto archived, archive_key(key, {agent.certificate}, {}));
    if (const auto opened = open_archived_key(archived, agent.certificate, agent.key); !opened)
        return fail(Code::policy, "the online recovery agent's key does not open what is archived for it", opened.error().cause);
    return {};
}

Result<void> Authority::Impl::may_recover(const KeysWanted& wanted) {
    if (!config.online_recovery)
        return fail(Code::unsupported, "archived keys are not recovered here; ask the operators of the CA",
                    "there is no online recovery agent: [keys.recovery] online_agent_certificate and online_agent_key");
    const auto& principal = wanted.principal;
    if (principal.anonymous()) return fail(Code::not_authenticated, "the recovery of keys needs to know who asks");
    if (principal.certificate) {
        const auto& proof = *principal.certificate;
        if (proof.registration_authority) return fail(Code::not_authorised, "keys are recovered for the requester itself, not for a registration authority");
        if (proof.issued_by_ca != wanted.ca || proof.label != wanted.label)
            return fail(Code::not_authorised, "keys are recovered for holders of certificates of the same CA and label");
    }
    return still_good(principal);
}

Result<std::vector<store::CertificateRecord>> Authority::Impl::meant_by(const KeysWanted& wanted) {
    auto* reads = store.key_reads();
    if (reads == nullptr) return fail(Code::unsupported, "this store keeps no keys");
    const auto& principal = wanted.principal;
    const auto subject = principal.certificate ? principal.certificate->certificate.subject().to_text() : std::string{};
    // One more than may be asked for, unless the store's order already leaves the one that is named out.
    const auto count_max = wanted.serial_number || wanted.subject ? std::size_t{10'000} : recovered_keys_max + 1;
    ESTUARY_TRY(auto records, reads->archived_certificates(wanted.ca, wanted.label, principal.describe(), subject, count_max));
    const auto is_meant = [&](const store::CertificateRecord& record) {
        const auto certificate = x509::Certificate::parse(record.der);
        if (!certificate || !is_requesters(record, *certificate, principal)) return false;
        if (wanted.serial_number && !same(record.serial_number, without_leading_zeros(*wanted.serial_number))) return false;
        return !wanted.subject || certificate->subject() == *wanted.subject;
    };
    std::erase_if(records, [&](const store::CertificateRecord& record) { return !is_meant(record); });
    // The same answer for what is not there, what is not archived and what is somebody else's.
    if (records.empty()) return fail(Code::not_found, "there is no archived key of yours that this asks for");
    if (records.size() > recovered_keys_max)
        return fail(Code::policy, fmt::format("more than {} keys are archived for you: ask for one certificate's at a time", recovered_keys_max));
    return records;
}

Result<Time> Authority::Impl::try_request(const KeysWanted& wanted, store::UnitOfWork& work) {
    ESTUARY_CHECK(may_recover(wanted));
    if (is_spent(wanted.principal)) return fail(Code::not_authenticated, "this credential has been used up");
    ESTUARY_TRY(const auto records, meant_by(wanted));
    const auto who = wanted.principal.describe();
    KeyRecoveries recoveries{store, config.online_recovery->rules, clock};
    for (const auto& record : records) {
        ESTUARY_TRY(const auto archived, store.key_reads()->archived_key(record.ca, record.serial_number));
        if (!archived || !is_archived_for(*archived, config.online_recovery->certificate))
            return fail(Code::policy, fmt::format("the key of {} was archived for others than the online recovery agent: ask the operators of the CA",
                                                  to_hex(record.serial_number)));
        auto asked = recoveries.request(record.ca, record.serial_number, who, wanted.reason, work, true);
        if (!asked && asked.error().code == Code::conflict)
            return fail(Code::conflict, fmt::format("the recovery of the key of {} is under way already", to_hex(record.serial_number)), asked.error().detail);
        ESTUARY_CHECK(std::move(asked));
    }
    return clock.now() + config.online_recovery->rules.expires;
}

Result<Time> Authority::request_keys(const KeysWanted& wanted, store::UnitOfWork& work) {
    store::UnitOfWork own;
    auto until = impl_->try_request(wanted, own);
    if (until) {
        move_into(work, own);
    } else if (is_refusal(until.error().code)) {
        impl_->audit(work, "key.recovery_refused", wanted.principal.describe(), wanted.ca, std::string{to_string(until.error().code)},
                     fmt::format("label={} address={} {}: {}", wanted.label, wanted.principal.address, wanted.reason, until.error().detail));
    }
    return until;
}

Result<std::optional<Time>> Authority::awaits_approval(const KeysWanted& wanted) {
    ESTUARY_CHECK(impl_->may_recover(wanted));
    KeyRecoveries recoveries{impl_->store, impl_->config.online_recovery->rules, impl_->clock};
    ESTUARY_TRY(const auto asked, recoveries.asked_for(wanted.ca, wanted.principal.describe(), wanted.reason));
    if (asked.empty()) return fail(Code::not_found, "no key was asked for");
    std::optional<Time> until;
    for (const auto& recovery : asked) {
        if (recovery.denied_at)
            return fail(Code::not_authorised, "the recovery was denied" + (recovery.denial.empty() ? "" : ": " + recovery.denial));
        if (recovery.recovered_at) return fail(Code::conflict, "the key was given out already");
        if (!recoveries.is_open(recovery)) return fail(Code::not_authorised, "the recovery was not approved in time");
        if (!recoveries.is_approved(recovery)) until = until ? std::min(*until, recovery.expires_at) : recovery.expires_at;
    }
    return until;
}

Result<void> Authority::recover_keys(const KeysWanted& wanted, store::UnitOfWork& work) {
    ESTUARY_TRY(const auto waits, awaits_approval(wanted));
    if (waits) return fail(Code::not_authorised, "not yet approved by enough operators");
    const auto& agent = *impl_->config.online_recovery;
    const auto who = wanted.principal.describe();
    KeyRecoveries recoveries{impl_->store, agent.rules, impl_->clock};
    ESTUARY_TRY(const auto asked, recoveries.asked_for(wanted.ca, who, wanted.reason));
    store::UnitOfWork own;
    if (wanted.spend) ESTUARY_CHECK(impl_->spend(wanted.principal, own, impl_->clock.now()));
    for (const auto& recovery : asked) {
        ESTUARY_TRY(const auto archived, recoveries.recover(recovery, who, own));
        ESTUARY_TRY(const auto record, impl_->store.certificate(recovery.certificate));
        if (!record) return fail(Code::internal, "the certificate of an archived key is gone");
        ESTUARY_TRY(const auto certificate, x509::Certificate::parse(record->der));
        ESTUARY_TRY(const auto key, open_archived_key(archived, agent.certificate, agent.key));
        if (!same(key.public_key().spki(), certificate.spki())) return fail(Code::internal, "an archived key is not that of its certificate");
        impl_->audit(own, "key.decrypted", std::string{online_agent_name}, fmt::format("{}/{}", recovery.ca, to_hex(recovery.serial_number)), "ok",
                     fmt::format("recovery={} for={} {}", recovery.id, who, wanted.reason));
        ESTUARY_CHECK(wanted.deliver(certificate, key));
    }
    move_into(work, own);
    return {};
}

Result<void> Authority::withdraw_keys(const KeysWanted& wanted, std::string why, store::UnitOfWork& work) {
    if (!impl_->config.online_recovery) return {};
    const auto who = wanted.principal.describe();
    KeyRecoveries recoveries{impl_->store, impl_->config.online_recovery->rules, impl_->clock};
    ESTUARY_TRY(const auto asked, recoveries.asked_for(wanted.ca, who, wanted.reason));
    recoveries.withdraw(asked, who, why, work);
    return {};
}

}  // namespace estuary::authority
