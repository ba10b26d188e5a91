#pragma once
// CMP's server (RFC 9810, RFC 9483): octets of a PKIMessage in, octets of the answer out. Knows neither HTTP nor sockets; what lasts
// from one message of a transaction to the next is in the store, so that any process may go on with it.
#include <chrono>
#include <functional>
#include <map>
#include <memory>

#include "estuary/authority/authority.h"
#include "estuary/cmp/channel.h"
#include "estuary/cmp/client.h"
#include "estuary/cmp/limits.h"

namespace estuary::cmp {

/// OPERATION of the path (RFC 9483 6.1): which requests may come that way.
enum class Operation : std::uint8_t {
    initialization,
    certification,
    keyupdate,
    pkcs10,
    revocation,
    getcacerts,
    getrootupdate,
    getcertreqtemplate,
    getcrls,
    nested,
};
std::string_view to_string(Operation operation) noexcept;
std::optional<Operation> operation_named(std::string_view name) noexcept;

/// What becomes of messages for a CA that is another's, where they are not answered here (RFC 9483 5.2). Messages of senders whom only
/// the CA above knows go on unchanged in any case.
enum class Forwarding : std::uint8_t {
    none,        ///< answered here; the authority asks the CA above by itself (RFC 9483 5.3)
    unchanged,   ///< 5.2.1: only their form is looked at
    nested,      ///< 5.2.2.1: what policy agrees to goes on in a nested message, signed by this registration authority
    replaced,    ///< 5.2.3.1: the same, but a MAC is replaced by a signature; for secrets that only this server knows
};

/// Who may ask for what under one name. Default deny: with nothing allowed every enrolling request is refused (bug class 9).
struct Label {
    std::string name;                        ///< NAME of /.well-known/cmp/p/NAME; "" is /.well-known/cmp itself
    bool enabled = true;
    std::string profile;                     ///< by which requests are certified that name none (certProfile)
    std::vector<std::string> more_profiles;  ///< which certProfile may name besides
    /// What proves who asks for ir, cr and p10cr: a secret (MAC), a certificate issued under this label, one of a manufacturer's
    /// (ir and p10cr), one of a registration authority's: issued under this label with id-kp-cmcRA.
    bool shared_secret = false, certificate_of_ours = false, registration_authority = false;
    std::vector<std::string> manufacturers;
    /// The profile by which ccr is answered: certificates for other CAs, once a person has agreed (RFC 9810 6.6). Asked for by a secret for
    /// this profile alone, or by a certificate of the label's that names the other CA. Empty: it is refused.
    std::string cross_certification{};
    bool update = true;                      ///< kur, by the certificate that is to be updated
    bool revoke = true;                      ///< rr, by the certificate itself or a registration authority
    bool implicit_confirm = true;            ///< granted where it is asked for
    Seconds confirm_wait{300};               ///< afterwards an unconfirmed certificate is revoked
    bool ca_pubs = false;                    ///< the root goes along with ip after a MAC (RFC 9483 4.1.1)
    bool generate_keys = false;              ///< keys are made here where that is asked for (RFC 9483 4.1.6)
    bool recover_keys = false;               ///< krr: archived keys for those whose they are, once operators have agreed (RFC 9810 5.3.7)
    bool unprotected_information = false;    ///< genm needs no protection
    /// Who has a certificate for a KEM key proves it by MACs (RFC 9810 5.1.3.4), and asks for the ciphertext by an unprotected genm.
    bool kem_protection = false;
    /// Who has a certificate for a static Diffie-Hellman key proves it by MACs (RFC 9810 5.1.3.2), made with it and the CA's agreement key.
    bool diffie_hellman = false;
    /// Keys for key agreement show their possession by MACs made with them and the CA's agreement key: agreeMAC, DHBasedMac in place of a
    /// signature, and static ECDH in p10cr (RFC 9810 5.2.8, RFC 6955).
    bool agreement_proof = false;
    /// Passphrases are taken that authenticate a later rr (RFC 9810 B), and kept for so long.
    bool revocation_passphrases = false;
    Seconds passphrase_lifetime{3660 * 86400};
    bool approve_revocations = false;        ///< rr waits until a person has agreed (RFC 9483 4.4)
    /// CertReqMsg, RevDetails and InfoTypeAndValue in one message; RFC 9483 has one of each.
    std::size_t requests_max = 1;
    Forwarding forward = Forwarding::none;
    /// Where this server's signature is in place of another protection, the message as it was received goes along in origPKIMessage
    /// (RFC 9810 5.1.1.3): the CA above can look at the possession that raVerified vouches for, and keeps what shows who asked.
    bool original = true;
    /// Forwarded messages that go up in one nested message (RFC 9483 5.2.2.2); 1: each goes by itself.
    std::size_t batch_max = 1;
    std::chrono::milliseconds batch_linger{20};   ///< the longest that one waits for others; none does where nothing is above
    std::size_t batch_bytes_max = 128 * 1024;     ///< of the nested message: what the CA above takes
};

/// Whether the CA of this label needs a key that agrees with those of clients: for their protection, the possession of their keys, or what
/// they encrypt to it.
bool needs_agreement_key(const Label& label) noexcept;

/// A key and its certificate, end entity first, up to the root or not.
struct Credentials {
    std::vector<x509::Certificate> chain;
    crypto::PrivateKey key;
};

/// A CA above, for labels that forward.
struct Above {
    Channel channel;
    ClientConfig client;      ///< the registration authority's own credentials, and whose answers are believed
};

/// The complete CRLs of a CA, and of those above it, as they are published: DER.
using CrlSource = std::function<Result<std::vector<ByteVec>>(std::string_view ca)>;

struct ServerConfig {
    std::vector<Label> labels;
    /// By CA: who signs its answers; a label whose CA has none answers with MACs and errors only. (RFC 9810 4.5: id-kp-cmcCA.)
    std::map<std::string, Credentials, std::less<>> signers;
    /// By CA: who signs the keys that are made here: id-kp-cmKGA.
    std::map<std::string, Credentials, std::less<>> key_generators;
    /// By CA: keys that agree with those of clients, for labels that need one.
    std::map<std::string, Credentials, std::less<>> agreement_keys{};
    /// By CA: where labels with `forward` send their messages.
    std::map<std::string, std::shared_ptr<const Above>, std::less<>> above{};
    CrlSource crls{};                        ///< empty: CRLs are not told
    Seconds crl_wait{300};                   ///< how long a CRL is waited for that has not been made yet (RFC 9483 4.4); 0: not at all
    Seconds message_time_window{300};        ///< how far messageTime may be from now; 0: it is not looked at
    bool strict_names = false;               ///< sender of a MAC must be directoryName with the reference as commonName
    std::uint64_t mac_iterations_max = 100'000;
    /// MACs of more than 10,000 iterations that are computed at the same time; more: systemUnavail, so that others are served.
    unsigned costly_macs_max = 1;
    Seconds transaction_lifetime{86400};     ///< how long the last answer of a transaction can be asked for again
    Limits limits{};
};

/// How the message came.
struct Transport {
    std::string label;                       ///< NAME, or ""
    std::optional<Operation> operation{};
    std::string address{};                   ///< of the peer, for limits on failures
};

struct Answer {
    ByteVec message;                         ///< a PKIMessage in DER; empty: there is nothing to say (an announcement)
    bool understood = true;                  ///< false: the request is no PKIMessage at all
};

class Server {
public:
    /// policy errors name what is wrong. `authority`, `store`, `clock` and `entropy` outlive it.
    static Result<std::unique_ptr<Server>> create(ServerConfig config, authority::Authority& authority, store::Store& store,
                                                  const Clock& clock, crypto::Entropy& entropy);
    ~Server();
    bool has_label(std::string_view name) const noexcept;
    /// Whether messages for it go to a CA above.
    bool forwards(std::string_view label) const noexcept;
    /// Never fails: what is wrong is told in the answer. The label must be there. If `work` is not empty afterwards, the answer may
    /// leave only once it is committed; a conflict means that the same was asked at the same time: ask again.
    Answer answer(Bytes request, const Transport& transport, store::UnitOfWork& work);
    /// The answers to messages that came together, in the same order, for a label that forwards: they go to the CA above in as few
    /// nested messages as `batch_max` allows.
    std::vector<Answer> answer_together(const std::vector<ByteVec>& requests, const Transport& transport);

private:
    class Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Under which certificates of this name are recorded: no label of another protocol is called so (bug class 2).
std::string recorded_label(std::string_view name);

}  // namespace estuary::cmp
