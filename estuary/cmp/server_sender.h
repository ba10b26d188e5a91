#pragma once
// Whose message it is: protection checked on the way in, and made alike on the way out (RFC 9483 3.2, 3.5).
#include <atomic>

#include "estuary/cmp/failure.h"
#include "estuary/cmp/messages.h"
#include "estuary/cmp/protection_kem.h"
#include "estuary/cmp/server.h"
#include "estuary/cmp/server_passphrase.h"
#include "estuary/cmp/transaction.h"

namespace estuary::cmp {

class Batches;

/// Who sent a message, and how that was proved.
struct Sender {
    Protection protection = Protection::none;
    authority::Principal principal;
    std::string reference;                          ///< of a MAC: the name of the secret
    std::optional<crypto::Secret> secret;           ///< of a MAC
    ByteVec mac_algorithm;                          ///< whole AlgorithmIdentifier, as received
    std::optional<x509::Certificate> certificate;   ///< whose key the protection was checked with
    std::vector<x509::Certificate> others;          ///< that came along with it
    std::optional<x509::Certificate> key_holder;    ///< who could be given something secret: the requester's own certificate
    std::optional<KeptPassphrase> passphrase{};     ///< that the MAC was made with; principal has no more than it
    bool approved = false;                          ///< in a nested message of a registration authority's (RFC 9483 5.2.2.1)
};

/// A label, and what its name means in the authority.
struct LabelState {
    Label config;
    std::string ca;
    std::string recorded;   ///< label of certificates issued here
    const Credentials* signer = nullptr;
    const Credentials* key_generator = nullptr;
    const Credentials* agreement = nullptr;   ///< with whose key Diffie-Hellman keys of clients agree
    std::shared_ptr<const Above> above{};   ///< null: nothing is forwarded
    std::shared_ptr<Batches> batches{};     ///< null: what is forwarded goes by itself
};

/// What the checks of protection need to know.
class SenderCheck {
public:
    SenderCheck(const ServerConfig& config, authority::Authority& authority, store::Store& store)
        : config_{config}, authority_{authority}, store_{store} {}

    /// Verifies the protection and finds out whose it is. `known` are certificates of earlier messages of the transaction; with `kem`
    /// the first of them is the one that its ciphertext was made for. `passphrase` is taken where it is wanted.
    Checked<Sender> check(const PkiMessage& message, const LabelState& label, const Transport& transport,
                          const std::vector<x509::Certificate>& known, const KemSession* kem = nullptr, ShownPassphrase passphrase = {}) const;
    /// The same of a signature by a certificate of ours that is revoked by now: for whoever asks what became of a request that was made
    /// before. Gives no right to anything else.
    Checked<Sender> check_revoked(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                  const std::vector<x509::Certificate>& known) const;
    /// Whose certificate for a KEM key came along with an unprotected message. That they have its key is not proved.
    Checked<Sender> claimed_by_kem_key(const PkiMessage& message, const LabelState& label, const Transport& transport) const;
    /// Only the arithmetic: the signature is by the first certificate that comes along or that senderKID names. For messages
    /// that somebody else has vouched for.
    static Checked<x509::Certificate> check_signature(const PkiMessage& message, const std::vector<x509::Certificate>& known);

private:
    static Checked<x509::Certificate> check_signature(const PkiMessage& message, const std::vector<x509::Certificate>& came,
                                                      const std::vector<x509::Certificate>& known);
    /// Room to compute a MAC that costs much; none: as many are computed at this moment as may be (bug class 30).
    Checked<std::shared_ptr<void>> room_for_mac(Bytes algorithm) const;
    Checked<Sender> check_mac(const PkiMessage& message, const Transport& transport) const;
    Checked<Sender> check_passphrase(const PkiMessage& message, const Transport& transport, std::optional<KeptPassphrase> found) const;
    Checked<Sender> check_signer(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                 const std::vector<x509::Certificate>& known) const;
    Checked<Sender> check_kem(const PkiMessage& message, const LabelState& label, const Transport& transport,
                              const std::vector<x509::Certificate>& known, const KemSession* kem) const;
    Checked<Sender> check_diffie_hellman(const PkiMessage& message, const LabelState& label, const Transport& transport,
                                         const std::vector<x509::Certificate>& known) const;
    /// Who has this certificate, whose keyUsage must say `usage`, if anything.
    Checked<Sender> holder_of(x509::Certificate certificate, Protection protection, std::uint32_t usage, std::vector<x509::Certificate> others,
                              const LabelState& label, const Transport& transport) const;
    Checked<authority::CertificateProof> prove(const x509::Certificate& signer, const std::vector<x509::Certificate>& others,
                                               const LabelState& label) const;

    mutable std::atomic<unsigned> costly_macs_{0};
    const ServerConfig& config_;
    authority::Authority& authority_;
    store::Store& store_;
};

/// Header of an answer that will be protected like this, and the finished message.
struct Outgoing {
    PkiHeader header;                               ///< sender, senderKID, protectionAlg are put in here
    const PkiBody& body;
    std::vector<x509::Certificate> chain;           ///< of new certificates, for extraCerts
};
/// By the sender's own secret after a MAC, by the label's signer otherwise; without protection where there is neither.
Result<ByteVec> protect(Outgoing outgoing, const Sender& sender, const LabelState& label);

}  // namespace estuary::cmp
