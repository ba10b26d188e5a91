#include "estuary/authority/key_recovery.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

using store::KeyRecovery;

std::string approvers(const KeyRecovery& recovery) {
    std::string text;
    for (const auto& approval : recovery.approvals) text += (text.empty() ? "" : ",") + approval.by;
    return text;
}

}  // namespace

void KeyRecoveries::audit(store::UnitOfWork& work, std::string event, const std::string& who, const KeyRecovery& recovery,
                          std::string outcome, std::string detail) const {
    store::AuditEvent line;
    line.at = clock_.now();
    line.event = std::move(event);
    line.actor = who;
    line.object = fmt::format("{}/{}", recovery.ca, to_hex(recovery.serial_number));
    line.outcome = std::move(outcome);
    line.detail = std::move(detail);
    work.writes.emplace_back(store::AppendAudit{std::move(line)});
}

Result<std::optional<KeyRecovery>> KeyRecoveries::open_recovery(std::string_view ca, Bytes serial_number) {
    auto* reads = store_.key_reads();
    if (reads == nullptr) return std::nullopt;
    ESTUARY_TRY(const auto all, reads->key_recoveries());
    const auto serial = without_leading_zeros(serial_number);
    const auto is_it = [&](const KeyRecovery& one) {
        return one.ca == ca && same(one.serial_number, serial) && is_open(one);
    };
    const auto found = std::ranges::find_if(all, is_it);
    if (found == all.end()) return std::nullopt;
    return *found;
}

Result<KeyRecovery> KeyRecoveries::existing(std::string_view ca, Bytes serial_number) {
    ESTUARY_TRY(auto recovery, open_recovery(ca, serial_number));
    if (recovery) return std::move(*recovery);
    return fail(Code::not_found, fmt::format("nobody has asked for the key of {}/{}, or that is over: `estuaryd key request-recovery` it",
                                             ca, to_hex(without_leading_zeros(serial_number))));
}

Result<void> KeyRecoveries::request(std::string_view ca, Bytes serial_number, const std::string& who, const std::string& reason,
                                    store::UnitOfWork& work, bool anew) {
    const auto serial = without_leading_zeros(serial_number);
    auto* reads = store_.key_reads();
    if (reads == nullptr) return fail(Code::unsupported, "this store keeps no keys");
    ESTUARY_TRY(const auto archived, reads->archived_key(ca, serial));
    if (!archived) return fail(Code::not_found, fmt::format("there is no archived key of {}/{}", ca, to_hex(serial)));
    ESTUARY_TRY(const auto open, open_recovery(ca, serial));
    if (open && !(anew && open->requested_by == who)) return fail(Code::conflict, fmt::format("{} has asked for it already", open->requested_by));
    if (open) withdraw({*open}, who, "asked for anew", work);
    KeyRecovery recovery;
    recovery.certificate = archived->certificate;
    recovery.ca = archived->ca;
    recovery.serial_number = archived->serial_number;
    recovery.requested_by = who;
    recovery.reason = reason;
    recovery.requested_at = clock_.now();
    recovery.expires_at = recovery.requested_at + rules_.expires;
    recovery.approvals_needed = std::max(1U, rules_.approvals);
    audit(work, "key.recovery_requested", who, recovery, "ok",
          fmt::format("subject={} needs={} reason={}", archived->subject, recovery.approvals_needed, text::printable(reason)));
    work.writes.emplace_back(store::RequestKeyRecovery{std::move(recovery)});
    return {};
}

Result<void> KeyRecoveries::may_approve(const KeyRecovery& recovery, const std::string& who) const {
    if (std::ranges::find(rules_.operators, who) == rules_.operators.end())
        return fail(Code::not_authorised, fmt::format("{} is not one of the operators who approve recoveries", who));
    if (recovery.requested_by == who) return fail(Code::not_authorised, "who asks for a key does not approve that");
    if (std::ranges::find(recovery.approvals, who, &KeyRecovery::Approval::by) != recovery.approvals.end())
        return fail(Code::conflict, fmt::format("{} has approved it already", who));
    return {};
}

Result<void> KeyRecoveries::approve(std::string_view ca, Bytes serial_number, const std::string& who, store::UnitOfWork& work) {
    ESTUARY_TRY(const auto recovery, existing(ca, serial_number));
    if (auto may = may_approve(recovery, who); !may) {
        audit(work, "key.recovery_approved", who, recovery, std::string{to_string(may.error().code)}, may.error().detail);
        return may;
    }
    audit(work, "key.recovery_approved", who, recovery, "ok",
          fmt::format("recovery={} {} of {}", recovery.id, recovery.approvals.size() + 1, recovery.approvals_needed));
    work.writes.emplace_back(store::ApproveKeyRecovery{recovery.id, who, clock_.now()});
    return {};
}

Result<void> KeyRecoveries::deny(std::string_view ca, Bytes serial_number, const std::string& who, const std::string& reason,
                                 store::UnitOfWork& work) {
    ESTUARY_TRY(const auto recovery, existing(ca, serial_number));
    if (recovery.requested_by != who && std::ranges::find(rules_.operators, who) == rules_.operators.end()) {
        const auto why = fmt::format("{} is neither one of the operators who decide about recoveries nor the one who asked", who);
        audit(work, "key.recovery_denied", who, recovery, std::string{to_string(Code::not_authorised)}, why);
        return fail(Code::not_authorised, why);
    }
    withdraw({recovery}, who, reason, work);
    return {};
}

void KeyRecoveries::withdraw(const std::vector<KeyRecovery>& recoveries, const std::string& who, const std::string& reason,
                             store::UnitOfWork& work) {
    for (const auto& recovery : recoveries) {
        if (!is_open(recovery)) continue;
        audit(work, "key.recovery_denied", who, recovery, "ok", fmt::format("recovery={} reason={}", recovery.id, text::printable(reason)));
        work.writes.emplace_back(store::DenyKeyRecovery{recovery.id, who, reason, clock_.now()});
    }
}

Result<std::vector<KeyRecovery>> KeyRecoveries::asked_for(std::string_view ca, const std::string& who, const std::string& reason) {
    auto* reads = store_.key_reads();
    if (reads == nullptr) return std::vector<KeyRecovery>{};
    ESTUARY_TRY(auto all, reads->key_recoveries());
    std::erase_if(all, [&](const KeyRecovery& one) { return one.ca != ca || one.requested_by != who || one.reason != reason; });
    return all;
}

bool KeyRecoveries::is_open(const KeyRecovery& recovery) const {
    return !recovery.recovered_at && !recovery.denied_at && clock_.now() < recovery.expires_at;
}

std::ptrdiff_t KeyRecoveries::approvals_of(const KeyRecovery& recovery) const {
    return std::ranges::count_if(recovery.approvals, [this](const KeyRecovery::Approval& one) {
        return std::ranges::find(rules_.operators, one.by) != rules_.operators.end();
    });
}

std::int64_t KeyRecoveries::approvals_needed(const KeyRecovery& recovery) const {
    return std::max<std::int64_t>({1, recovery.approvals_needed, rules_.approvals});
}

bool KeyRecoveries::is_approved(const KeyRecovery& recovery) const { return approvals_of(recovery) >= approvals_needed(recovery); }

Result<store::ArchivedKey> KeyRecoveries::recover(std::string_view ca, Bytes serial_number, const std::string& who,
                                                  store::UnitOfWork& work) {
    ESTUARY_TRY(const auto recovery, existing(ca, serial_number));
    // What people agreed to give to a client is not for others who can run this program.
    if (!recovery.requested_by.starts_with("operator:")) {
        const auto why = fmt::format("{} has asked for it, and gets it by itself", recovery.requested_by);
        audit(work, "key.recovered", who, recovery, std::string{to_string(Code::not_authorised)}, why);
        return fail(Code::not_authorised, why);
    }
    return recover(recovery, who, work);
}

Result<store::ArchivedKey> KeyRecoveries::recover(const KeyRecovery& recovery, const std::string& who, store::UnitOfWork& work) {
    if (!is_approved(recovery)) {
        auto why = fmt::format("{} of {} approvals", approvals_of(recovery), approvals_needed(recovery));
        audit(work, "key.recovered", who, recovery, std::string{to_string(Code::not_authorised)}, why);
        return fail(Code::not_authorised, "not yet approved by enough operators: " + why);
    }
    ESTUARY_TRY(auto archived, store_.key_reads()->archived_key(recovery.ca, recovery.serial_number));
    if (!archived) return fail(Code::internal, "the archived key is gone");
    audit(work, "key.recovered", who, recovery, "ok",
          fmt::format("recovery={} subject={} approved_by={} agents={}", recovery.id, archived->subject, approvers(recovery), archived->agents));
    work.writes.emplace_back(store::RecoverKey{recovery.id, who, clock_.now()});
    return std::move(*archived);
}

}  // namespace estuary::authority
