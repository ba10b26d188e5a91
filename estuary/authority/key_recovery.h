#pragma once
// Who gets an archived private key back: several named operators have to agree, every step is audited, and what comes out is still
// encrypted for the recovery agents; of whom one may be online (online_recovery.h). Needs no CA, only the store. Synchronous; nothing may be told before `work` is committed.
#include "estuary/base/clock.h"
#include "estuary/store/store.h"

namespace estuary::authority {

struct RecoveryRules {
    unsigned approvals = 2;               ///< by so many different operators, none of whom asked for it
    std::vector<std::string> operators;   ///< who may approve, as the audit trail names them: "operator:alice"
    Seconds expires{7 * 86400};           ///< a recovery that was not carried out by then
};

class KeyRecoveries {
public:
    /// Both outlive it.
    KeyRecoveries(store::Store& store, RecoveryRules rules, const Clock& clock)
        : store_{store}, rules_{std::move(rules)}, clock_{clock} {}

    /// The recovery of this certificate's key that is open now; nothing: there is none.
    Result<std::optional<store::KeyRecovery>> open_recovery(std::string_view ca, Bytes serial_number);

    /// Asks for the key of a certificate. not_found: it is not archived; conflict: somebody has asked already. `anew`: what the same
    /// one has asked for before is withdrawn.
    Result<void> request(std::string_view ca, Bytes serial_number, const std::string& who, const std::string& reason,
                         store::UnitOfWork& work, bool anew = false);
    /// not_authorised: not one of the named operators, or the one who asked; not_found: nobody has asked; conflict: approved by
    /// the same before. A refusal is audited: commit `work` also then.
    Result<void> approve(std::string_view ca, Bytes serial_number, const std::string& who, store::UnitOfWork& work);
    /// Says no, or takes back what one has asked for: nobody gets the key by this recovery. not_authorised: neither one of the named
    /// operators nor the one who asked; not_found. A refusal is audited: commit `work` also then.
    Result<void> deny(std::string_view ca, Bytes serial_number, const std::string& who, const std::string& reason, store::UnitOfWork& work);
    /// Takes back what is open of these.
    void withdraw(const std::vector<store::KeyRecovery>& recoveries, const std::string& who, const std::string& reason, store::UnitOfWork& work);
    /// What was asked for by this one for this very reason, whatever has become of it; newest first.
    Result<std::vector<store::KeyRecovery>> asked_for(std::string_view ca, const std::string& who, const std::string& reason);
    bool is_open(const store::KeyRecovery& recovery) const;
    /// Whether there are enough approvals, by the rules of today as well: of somebody who may not approve any more they do not count.
    bool is_approved(const store::KeyRecovery& recovery) const;
    /// The EnvelopedData, once. not_found; not_authorised: approvals are lacking, or a client has asked for it by itself.
    Result<store::ArchivedKey> recover(std::string_view ca, Bytes serial_number, const std::string& who, store::UnitOfWork& work);
    Result<store::ArchivedKey> recover(const store::KeyRecovery& recovery, const std::string& who, store::UnitOfWork& work);

private:
    Result<store::KeyRecovery> existing(std::string_view ca, Bytes serial_number);
    std::ptrdiff_t approvals_of(const store::KeyRecovery& recovery) const;
    std::int64_t approvals_needed(const store::KeyRecovery& recovery) const;
    Result<void> may_approve(const store::KeyRecovery& recovery, const std::string& who) const;
    void audit(store::UnitOfWork& work, std::string event, const std::string& who, const store::KeyRecovery& recovery,
               std::string outcome, std::string detail) const;

    store::Store& store_;
    RecoveryRules rules_;
    const Clock& clock_;
};

}  // namespace estuary::authority
