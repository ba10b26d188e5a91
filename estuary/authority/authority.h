#pragma once
// The sea: every protocol asks here, and nothing is signed anywhere else. Synchronous; thread-safe. What a call writes goes into
// the caller's unit of work; nothing may be told to the peer before that is committed.
#include <functional>
#include <memory>
#include <variant>

#include "estuary/authority/principal.h"
#include "estuary/authority/profile.h"
#include "estuary/crypto/key.h"
#include "estuary/crypto/password.h"
#include "estuary/store/store.h"
#include "estuary/x509/certification_request.h"

namespace estuary::authority {

class KeyPool;
struct KeyRequest;
struct KeyUser;
struct KeysWanted;
struct NewKey;
struct OnlineRecovery;
class Upstream;

/// How a CA tells what has become of its certificates (RFC 5280 5, RFC 6960). In URIs "{shard}" stands for the shard's number.
struct StatusConfig {
    unsigned crl_shards = 1;                        ///< over which new certificates are spread
    Seconds crl_validity{7 * 86400};                ///< of a complete CRL, thisUpdate to nextUpdate
    bool deltas = false;
    Seconds delta_validity{86400};
    std::vector<std::string> crl_uris, delta_uris;  ///< where the CRLs will be
    std::vector<std::string> ocsp_uris, ca_issuer_uris;
    /// Under which CRLs are numbered and recorded; empty: the CA's name. Generations of one CA sign lists of their own, and
    /// numbers are each issuer's (RFC 5280 5.2.3).
    std::string publisher{};
};

/// One issuing CA: its key, its certificate, and what /cacerts tells of it.
struct CaConfig {
    std::string name;                               ///< "issuing"
    x509::Certificate certificate;
    std::optional<crypto::PrivateKey> key;          ///< nothing: the CA is another's, see `upstream`
    std::vector<x509::Certificate> chain;           ///< above it, up to and with the root
    std::vector<x509::Certificate> rollover;        ///< OldWithNew, NewWithOld, and former CA certificates still in use
    StatusConfig status{};
    /// Who issues and revokes where there is no key (upstream.h): policy, approval and records are here all the same. Such a CA has
    /// no CRLs of ours, and issues nothing for the server itself.
    std::shared_ptr<Upstream> upstream{};
};

struct ManufacturerAnchors {
    std::string name;
    std::vector<x509::Certificate> anchors;
    /// Asked for each verified chain (anchor last) what is known of its status elsewhere; answers at once. not_authorised: it is
    /// revoked, or nobody can tell and that is not enough; too_busy, unavailable: not known now. Empty: not checked.
    std::function<Result<void>(const std::vector<ByteVec>& verified_chain)> check_status{};
};

struct Config {
    std::vector<CaConfig> cas;
    std::vector<Profile> profiles;
    std::vector<ManufacturerAnchors> manufacturers;
    crypto::BlockedKeys blocked_keys;
    crypto::Secret password_key;                    ///< keys the hash of generated passwords
    std::string digest_realm = "estuary";
    unsigned slow_hashes_max = 2;                   ///< concurrent scrypt computations; more: too_busy
    std::vector<x509::Certificate> recovery_agents{};  ///< for whom private keys are archived, where a profile says so
    std::shared_ptr<KeyPool> key_pool{};            ///< of keys made for others; null: made when they are asked for
    std::shared_ptr<const OnlineRecovery> online_recovery{};   ///< null: archived keys are opened elsewhere only (online_recovery.h)
};

/// cross_certify: a certificate for a CA, by a profile for these.
enum class Verb : std::uint8_t { enroll, renew, cross_certify };
std::string_view to_string(Verb verb) noexcept;

/// How the request is linked to the TLS session that carried it (RFC 7030 3.5), as the river found it.
enum class Linking : std::uint8_t { absent, matched, mismatched };

struct EnrollRequest {
    Verb verb = Verb::enroll;
    std::string profile;                 ///< what the label gives
    std::string label;
    x509::CertificationRequest request;
    Principal principal;
    Linking linking = Linking::absent;
    bool linking_required = false;
    /// The requester has to confirm the certificate, or it is revoked after this long (RFC 9810 5.3.18).
    std::optional<Seconds> confirm_within{};
    /// Of a protocol whose transactions have identifiers (RFC 9810 5.1.1): the same octets in another one are another request.
    ByteVec transaction_id{};
};

/// What the profile makes of a request that is for a CA above.
struct ChangedRequest {
    x509::CertificationRequest request;   ///< possession: a registration authority's word
    std::string what;                     ///< is changed, for people
};

struct Issued {
    x509::Certificate certificate;
    std::string ca;
    bool repeated = false;               ///< the answer to a request that was answered before
};
struct Pending {
    std::int64_t request_id = 0;
    Seconds retry_after{};
};
using Outcome = std::variant<Issued, Pending>;
using KeyOutcome = std::variant<NewKey, Pending>;

struct RevokeRequest {
    std::string ca;
    ByteVec serial_number;
    store::RevocationReason reason = store::RevocationReason::unspecified;  ///< remove_from_crl: lifts a hold
    Principal principal;
    std::optional<Time> invalidity_date{};
};

/// For revocations that a person has to agree to: what tells this request from every other one.
struct RevocationApproval {
    std::string label;                   ///< as EnrollRequest::label
    ByteVec request;                     ///< as it was asked for, DER
    ByteVec transaction_id{};
};

struct ConfirmRequest {
    std::string ca;
    ByteVec serial_number;
    bool accepted = false;               ///< false: it is revoked at once
    Principal principal;                 ///< whoever requested it, or shows the certificate itself
    std::string reason{};                ///< of a refusal, for the audit trail
};

enum class CrlKind : std::uint8_t { complete, delta };
/// A CRL to be put where its URIs point, once the unit of work with its number is durable.
struct MadeCrl {
    store::CrlRecord record;
    ByteVec der;
};

class Authority {
public:
    /// `clock`, `entropy` and `store` outlive it. policy or bad_key errors name what in the configuration is wrong.
    static Result<std::unique_ptr<Authority>> create(Config config, store::Store& store, const Clock& clock,
                                                     crypto::Entropy& entropy);
    ~Authority();

    // -- who asks ----------------------------------------------------------------------------------------------------
    /// A name and password. not_authenticated (always the same detail and about the same time for an unknown name, a wrong
    /// password, an expired credential); too_busy when failures of this address and name are slowed or slow hashes capped.
    /// A spent credential still proves who asks, with uses_left 0: only an answer given before can follow.
    Result<CredentialProof> authenticate_password(std::string_view name, const crypto::Secret& password,
                                                  std::string_view address);
    /// For Digest: the stored H(A1) of a live credential; not_authenticated if none.
    struct DigestSecret { std::string ha1; CredentialProof proof; };
    Result<DigestSecret> digest_secret(std::string_view name, std::string_view address);
    /// For MACs (CMP, CMC): the secret of a live credential of this protocol, "cmp" or "cmc". For an unknown name, or one that
    /// expired, a secret that nobody has, so that both fail alike: only a right MAC says whether the proof means anything.
    struct SharedSecret { crypto::Secret secret; CredentialProof proof; };
    Result<SharedSecret> shared_secret(std::string_view name, std::string_view protocol, std::string_view address);
    /// Counts a wrong proof by Digest or MAC; later ones are slowed.
    void proof_failed(std::string_view name, std::string_view address);
    /// A chain whose key was proved and which the TLS layer verified to an anchor of ours (anchor last). Checks that anchor,
    /// validity, and the revocation state: of our own in the store (fails closed: an unrecorded certificate of ours is refused, bug
    /// class 6), of a manufacturer's by its `check_status`.
    Result<CertificateProof> authenticate_certificate(const std::vector<ByteVec>& verified_chain);
    /// The same for a certificate whose key was proved by a signature in a message: its path to an anchor of ours is looked for
    /// among `others` first. not_authorised where there is none.
    Result<CertificateProof> authenticate_signer(const x509::Certificate& signer, const std::vector<x509::Certificate>& others);

    // -- verbs -------------------------------------------------------------------------------------------------------
    /// Issues, waits for approval, answers a repeated request as before, or refuses. Writes into `work`; refusals are audited
    /// there too, so commit `work` also when an error comes back.
    Result<Outcome> enroll(const EnrollRequest& request, store::UnitOfWork& work);
    /// Whether policy would agree to it now; nothing is issued, written or counted. For a registration authority that sends on what it
    /// approves of (RFC 9483 5.2): what the profile makes of the request, or nothing where it can go on as it came.
    Result<std::optional<ChangedRequest>> approve(const EnrollRequest& request);
    /// The same with a key that is made here: see key_generation.h. The same request again gets another key and certificate.
    Result<KeyOutcome> enroll_with_new_key(const KeyRequest& request, store::UnitOfWork& work);
    /// A key that the requester has named to have its new private key encrypted with, shared with it or of a certificate of its
    /// own. policy: there is none that it may name.
    Result<crypto::Secret> shared_decryption_key(Bytes identifier, const KeyUser& user);
    Result<x509::Certificate> decryption_certificate(Bytes identifier, const KeyUser& user);
    /// Archived keys for those whose they are, where there is an online recovery agent: see online_recovery.h. Asks operators for the
    /// recovery of each, all or none; until when they can agree. unsupported: there is no agent; not_authorised, not_authenticated: of
    /// who asks; not_found: it has no such key here; conflict: somebody else has asked. Refusals are audited in `work`.
    Result<Time> request_keys(const KeysWanted& wanted, store::UnitOfWork& work);
    /// Until when operators can still agree to what was asked for; nothing: they have. not_authorised: denied, or not in time; not_found.
    Result<std::optional<Time>> awaits_approval(const KeysWanted& wanted);
    /// Opens the keys and delivers each of them; all are approved, or not_authorised. Once: `work` records it.
    Result<void> recover_keys(const KeysWanted& wanted, store::UnitOfWork& work);
    /// Takes back what was asked for and not carried out.
    Result<void> withdraw_keys(const KeysWanted& wanted, std::string why, store::UnitOfWork& work);
    /// Revokes, changes a hold into something final, or lifts it. By an operator; by the holder of the certificate; by a
    /// registration authority (id-kp-cmcRA) of the same CA and label. conflict, if it is revoked already; not_found;
    /// not_authorised.
    Result<void> revoke(const RevokeRequest& request, store::UnitOfWork& work);
    /// The same where an operator has to agree first: decide() carries it out, and whoever asks again learns that it is done (nothing), or
    /// refused. Only who could revoke at once may ask. not_authorised: it was denied, or nobody decided in time.
    Result<std::optional<Pending>> revoke_when_approved(const RevokeRequest& request, const RevocationApproval& approval,
                                                        store::UnitOfWork& work);
    /// What has become of a certificate; nothing: this CA, under the name and key that it has now, never issued it. not_found: no
    /// such CA.
    Result<std::optional<store::CertificateStatus>> status(std::string_view ca, Bytes serial_number);
    /// The next CRL of a shard: its number is taken by `work` (conflict at commit: another was faster). A delta goes with the
    /// newest complete one; not_found without it. `above`: a number that is out already, whatever the store says of it.
    Result<MadeCrl> make_crl(std::string_view ca, unsigned shard, CrlKind kind, store::UnitOfWork& work, std::int64_t above = 0);
    /// How many shards have CRLs: those of the configuration, and those of former ones that certificates still name.
    Result<unsigned> crl_shards(std::string_view ca);
    /// Settles a certificate that waits for its confirmation. not_found: none waits (settled already, or too late);
    /// not_authorised: another principal's.
    Result<void> confirm(const ConfirmRequest& request, store::UnitOfWork& work);
    /// Revokes what was not confirmed in time (bug class 27); at most `count_max`, returns how many.
    Result<std::size_t> revoke_unconfirmed(std::size_t count_max, store::UnitOfWork& work);
    /// An operator's word on what waits. Approved revocations are carried out in `work`; certificates are issued when they are asked for
    /// again. not_found; conflict: it is decided already, or too late, or the certificate is revoked; not_authorised.
    Result<void> decide(std::int64_t request_id, bool approve, std::string reason, const Principal& principal,
                        store::UnitOfWork& work);

    // -- secrets of protocols -------------------------------------------------------------------------------------------
    /// A secret in the form in which the store may keep it. It opens for the same purpose and context only. internal.
    Result<ByteVec> seal(std::string_view purpose, Bytes context, const crypto::Secret& secret) const;
    Result<crypto::Secret> open_sealed(std::string_view purpose, Bytes context, Bytes sealed) const;

    // -- what is published ----------------------------------------------------------------------------------------------
    /// For /cacerts: the CA's certificate first, then its chain with the root, then rollover certificates.
    Result<std::vector<x509::Certificate>> ca_certificates(std::string_view ca) const;
    const Profile* profile(std::string_view name) const;
    const CaConfig* ca(std::string_view name) const;

    /// A certificate for the server itself by the named profile; made by the same policy and signer.
    Result<x509::Certificate> issue_for_server(std::string_view profile, const x509::CertificationRequest& request,
                                               store::UnitOfWork& work);

private:
    class Impl;
    explicit Authority(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace estuary::authority
