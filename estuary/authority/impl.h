#pragma once
// The authority's parts, put together.
#include "estuary/authority/claims.h"
#include "estuary/authority/key_generation.h"
#include "estuary/authority/key_pool.h"
#include "estuary/authority/passwords.h"
#include "estuary/authority/policy.h"
#include "estuary/authority/upstream.h"
#include "estuary/x509/path.h"

namespace estuary::authority {

/// A revocation that counts: whatever the reason, until somebody learns to lift holds.
inline bool is_revoked(const std::optional<store::Revocation>& revocation) noexcept { return revocation.has_value(); }

/// Refusals are audited; trouble of our own is not a refusal.
bool is_refusal(Code code) noexcept;
/// A limited credential without uses left.
bool is_spent(const Principal& principal);

/// What makes two requests the same: who asks, for what, where, with which octets. A renewal's principal names the serial number of
/// the current certificate.
struct RequestIdentity {
    std::string_view operation, profile, label, who;
    Bytes der, transaction_id;
};
/// Length-prefixed, so that no two differ only in where one part ends.
store::RequestKey request_key(const RequestIdentity& request);

/// The text of names as records keep it: "dns:a.example ip:192.0.2.1".
std::string names_text(const std::vector<x509::GeneralName>& names);

class Authority::Impl {
public:
    Impl(Config config, store::Store& store, const Clock& clock, crypto::Entropy& entropy);

    /// Checks the configuration and prepares CAs, profiles and anchors.
    Result<void> prepare();
    Result<void> prepare_anchors();

    Result<std::optional<store::CredentialRecord>> credential(std::string_view name);
    Result<CertificateProof> prove_own(x509::Certificate certificate);

    // enrollment.cpp
    Result<Outcome> enroll(const EnrollRequest& request, store::UnitOfWork& work);
    Result<Outcome> try_enroll(const EnrollRequest& request, const std::string& who, store::UnitOfWork& work);
    Result<void> still_good(const Principal& principal);
    struct Earlier {
        store::RequestKey key{};                     ///< under which a new answer is recorded
        std::optional<x509::Certificate> answer;     ///< what was answered and still holds
    };
    Result<Earlier> earlier_answer(const Rules& rules, store::RequestKey key, Time now);
    Result<Outcome> answer_pending(const Rules& rules, const EnrollRequest& request, const store::PendingRequest& pending,
                                   const std::string& who, store::UnitOfWork& work, Time now);
    Result<Outcome> ask_for_approval(const Rules& rules, const EnrollRequest& request, const store::RequestKey& key,
                                     const std::string& who, store::UnitOfWork& work, Time now);
    /// What a pending request waits for; nothing: it is approved.
    static Result<std::optional<Pending>> still_waits(const Profile& profile, const store::PendingRequest& pending, Time now);
    /// Takes one use of a limited credential: its claim and its write.
    Result<void> spend(const Principal& principal, store::UnitOfWork& work, Time now);
    /// Policy, signature, record, audit: the one way to a certificate of a CA that is here.
    Result<x509::Certificate> issue(const Rules& rules, const EnrollRequest& request, const std::string& who,
                                    std::optional<store::RequestKey> key, store::UnitOfWork& work, Time now);
    /// The certificate into the store and the audit trail. What `record` does not know yet is taken from the request.
    void note_issued(const EnrollRequest& request, const std::string& who, store::CertificateRecord record,
                     const x509::Certificate& certificate, std::optional<store::RequestKey> key, store::UnitOfWork& work, Time now) const;

    // revocation.cpp
    /// The certificate, if it is there, the principal may revoke it, and that would change something.
    Result<store::CertificateRecord> revocable(const RevokeRequest& request, Time now);
    /// What a person has agreed to, in the unit of work of that.
    Result<void> revoke_approved(const store::PendingRequest& pending, const std::string& who, store::UnitOfWork& work, Time now) const;
    Result<void> carry_out(const store::CertificateRecord& record, const store::WantedRevocation& wanted, const std::string& who,
                           std::string_view detail, store::UnitOfWork& work, Time now) const;

    // upstream.cpp: CAs that are somebody else's
    struct Asking {
        const Rules& rules;
        const EnrollRequest& request;
        const std::string& who;
        store::RequestKey key{};
        bool recorded_by_key = true;               ///< the same request again gets this answer
        std::optional<store::RequestKey> approved; ///< the pending request that a person has approved
    };
    /// Policy, the CA above, record, audit. What is written is durable when this returns: nothing of it is in the caller's unit.
    Result<Outcome> ask_upstream(const Asking& asking, store::UnitOfWork opening, Time now);
    Result<void> record_upstream(const Asking& asking, const x509::CertificationRequest& approved, const x509::Certificate& certificate, Time now);
    /// What the CA above has to know before it counts here; nothing for a CA that is here.
    Result<void> revoke_upstream(std::string_view ca, Bytes serial_number, store::RevocationReason reason) const;

    // key_generation.cpp
    Result<KeyOutcome> try_new_key(const KeyRequest& request, const std::string& who, store::UnitOfWork& work);
    struct Prepared {
        crypto::PrivateKey key;
        EnrollRequest request;
    };
    Result<Prepared> prepare_key(const Rules& rules, const KeyRequest& request, bool accepted);

    // online_recovery.cpp
    Result<void> check_online_recovery() const;
    /// Who may ask for archived keys at all, under the rules of this moment.
    Result<void> may_recover(const KeysWanted& wanted);
    /// The certificates that are meant; not_found: none.
    Result<std::vector<store::CertificateRecord>> meant_by(const KeysWanted& wanted);
    Result<Time> try_request(const KeysWanted& wanted, store::UnitOfWork& work);

    Result<const Rules*> rules(std::string_view profile) const;
    void audit(store::UnitOfWork& work, std::string event, std::string actor, std::string object, std::string outcome,
               std::string detail) const;

    struct Anchor {
        bool ours = false;
        std::string manufacturer;
    };

    Config config;
    store::Store& store;
    const Clock& clock;
    crypto::Entropy& entropy;
    Policy policy;
    Claims claims;
    std::shared_ptr<KeyPool> keys;
    std::optional<PasswordChecker> passwords;
    std::map<std::string, Issuer, std::less<>> issuers;
    std::map<std::string, std::unique_ptr<Rules>, std::less<>> profiles;
    std::vector<std::pair<x509::Certificate, Anchor>> anchors;
    std::optional<x509::TrustAnchors> trust;   ///< the same certificates, ready to validate paths
};

}  // namespace estuary::authority
