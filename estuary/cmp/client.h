#pragma once
// CMP's client (RFC 9810, RFC 9483 4): what is wanted goes in, messages come out, answers go in, and in the end the outcome comes
// out. Knows neither HTTP nor sockets. Nothing that an answer says counts before its protection was verified.
#include <functional>
#include <memory>
#include <variant>

#include "estuary/cmp/messages.h"
#include "estuary/cmp/protection.h"
#include "estuary/crypto/digest.h"

namespace estuary::cmp {

/// A secret shared with the authority, and the name by which both know it.
struct ClientSecret {
    std::string reference;
    crypto::Secret secret;
    crypto::PasswordMacChoice mac = {};
    /// It is a revocation passphrase (RFC 9810 B): good for rr alone. The reference is its identifier; without one,
    /// ClientConfig::sender says whose it is.
    bool revocation_passphrase = false;
};

/// A key and its certificate, end entity first, then its chain. A KEM key does not sign: its owner asks for a ciphertext by
/// id-it-KemCiphertextInfo first, and protects what follows by KemBasedMac (RFC 9810 5.1.3.4, figure 3).
struct ClientSigner {
    crypto::PrivateKey key;
    std::vector<x509::Certificate> chain;
};

struct ClientConfig {
    std::variant<ClientSecret, ClientSigner> credentials;
    std::optional<x509::Name> recipient = {};        ///< otherwise the issuer of the signer's certificate, or the NULL-DN
    std::optional<x509::Name> sender = {};           ///< with a secret; otherwise CN=reference (RFC 9483 3.1)

    // Whose answers are believed: after a MAC those with a MAC of the same secret, and those that are signed by who has a path
    // to an anchor and is a CA, or has id-kp-cmcCA or id-kp-cmcRA (RFC 9810 4.5), or has the name that is expected.
    std::vector<x509::Certificate> anchors = {};
    std::vector<x509::Certificate> intermediates = {};
    std::optional<x509::Name> expected_sender = {};  ///< then nobody else is believed
    /// Of the path of a signature (end entity first, anchor last): an error where one of it is revoked. Empty: not looked at.
    std::function<Result<void>(const std::vector<x509::Certificate>&)> check_status = {};
    /// A revocation passphrase to be conveyed (make_conveyed_passphrase()): with certConf where implicit confirmation is not asked for,
    /// with the request otherwise. See ClientTransaction::passphrase().
    std::optional<InfoTypeAndValue> passphrase = {};
    bool unprotected_errors = false;                 ///< an error that anybody could have sent ends the transaction as a refusal
    bool ca_pubs_of_signers = false;                 ///< caPubs are passed on after a signature as well (RFC 9483 4.1.1)
    Seconds message_time_window{0};                  ///< how far messageTime may be from now; 0: it is not looked at

    Limits limits = {};
    ProtectionLimits protection_limits = {};
    std::size_t iterations_max = 1'000'000;          ///< of PBKDF2 in a private key that comes encrypted with the secret
};

struct Enrolled;
struct ClientSetup;

/// ir, cr, kur or ccr.
struct CertificateWish {
    BodyType type = BodyType::ir;
    x509::Name subject = {};
    std::vector<x509::Extension> extensions = {};
    std::optional<x509::crmf::OptionalValidity> validity = {};
    std::optional<crypto::PrivateKey> key = {};      ///< nothing: the authority makes it (RFC 9483 4.1.6)
    std::string key_type = {};                       ///< of which type then: "p256"; empty: as the authority likes
    /// Shows possession by decrypting; a key that does not sign gets encrCert unless this says otherwise.
    std::optional<x509::crmf::SubsequentMessage> subsequent_message = {};
    /// Shows possession of a key that agrees by agreeMAC (RFC 9810 5.2.8.3), instead: the authority's certificate for it, as genm with
    /// caProtEncCert tells it, verified by the caller.
    std::optional<x509::Certificate> agreement_recipient = {};
    /// Of a ccr: the CA that is asked. It is for the certificate of a CA (RFC 9810 6.6.1), whose validity is given with both its ends, whose
    /// extensions have basicConstraints, and whose key is here.
    std::optional<x509::Name> issuer = {};
    std::optional<x509::Certificate> old_certificate = {};  ///< of a kur: otherwise the signer's own
    std::vector<x509::crmf::Control> controls = {}, reg_info = {};
    std::string profile = {};                        ///< certProfile; empty: absent
    bool implicit_confirm = true;                    ///< asked for
    /// Whether the certificate is wanted: an error rejects it by certConf. Empty: it is.
    std::function<Result<void>(const Enrolled&)> accept = {};
};

/// ir, cr or kur of several certificates by one message, with certReqId 0, 1, … in order (RFC 9810 5.2.1). All are of one type;
/// implicit confirmation is asked for where all of them want it. RFC 9483 has one request a message: not every authority takes more.
struct CertificatesWish {
    std::vector<CertificateWish> requests;
};

/// p10cr: a request that was made before.
struct Pkcs10Wish {
    ByteVec request;                                 ///< DER
    std::string profile = {};
    bool implicit_confirm = true;
    std::function<Result<void>(const Enrolled&)> accept = {};
};

/// cr of a request that somebody else has made: by a registration authority (RFC 9483 5.3.1).
struct RelayedWish {
    x509::crmf::CertReqMsg request;                  ///< certReqId 0, with a key; its possession is as its maker shows it, or raVerified
    std::string profile = {};
    bool implicit_confirm = true;
    std::function<Result<void>(const Enrolled&)> accept = {};
};

struct RevocationWish {
    x509::Name issuer;
    ByteVec serial_number;                           ///< INTEGER content octets
    std::uint8_t reason = 0;                         ///< CRLReason (RFC 5280 5.3.1)
};

/// krr: archived private keys of one's own, which come once operators have agreed, and a certificate for a new signature key.
struct KeyRecoveryWish {
    bool keys = true;                                ///< false: only the certificate
    std::optional<x509::crmf::CertId> certificate = {};   ///< only its key; nothing: all that are archived (the key history)
    /// What the private keys come encrypted with (protocolEncrKey, RFC 4211 6.6): a key that decrypts. Nothing: the secret, or the
    /// signer's own key.
    std::optional<crypto::PrivateKey> encryption_key = {};
    std::optional<crypto::PrivateKey> key = {};      ///< a new one that signs; nothing: no certificate is asked for
    x509::Name subject = {};                         ///< of its certificate
    std::vector<x509::Extension> extensions = {};
    std::string profile = {};
    bool implicit_confirm = true;
    std::function<Result<void>(const Enrolled&)> accept = {};   ///< whether the new certificate is wanted
};

struct InformationWish {
    InfoTypeAndValue question;                       ///< ask(oid), make_root_ca_cert(…), …
    std::string profile = {};                        ///< for id-it-certReqTemplate
};

using Wish = std::variant<CertificateWish, CertificatesWish, Pkcs10Wish, RelayedWish, RevocationWish, KeyRecoveryWish, InformationWish>;

/// A certificate was issued, and confirmed where that was called for.
struct Enrolled {
    x509::Certificate certificate;
    std::optional<crypto::PrivateKey> generated_key; ///< made by the authority; belongs to the certificate
    PkiStatusInfo status;                            ///< accepted, or grantedWithMods
    std::vector<x509::Certificate> others;           ///< that came along: for the chain, not to be trusted
    /// caPubs of an ip whose sender may give trust anchors: after a MAC, or as configured.
    std::vector<x509::Certificate> new_anchors;
};
struct Revoked {
    PkiStatusInfo status;
};
/// krp: keys that belong to their certificates, whose validity nobody has looked at: they can be old.
struct KeysRecovered {
    struct Key {
        x509::Certificate certificate;
        crypto::PrivateKey key;
    };
    PkiStatusInfo status;
    std::vector<Key> keys;
    std::optional<Enrolled> new_certificate;         ///< newSigCert, confirmed where that was called for
    std::optional<Error> rejected;                   ///< by which newSigCert was rejected here; the keys are good all the same
    std::vector<x509::Certificate> others;           ///< caCerts and what came along: not to be trusted
};
/// genp: its only InfoTypeAndValue. Values in it are to be read by the readers of info_values.h; a root CA key update is to be
/// verified by verify_root_ca_key_update() before anybody trusts it.
struct Informed {
    InfoTypeAndValue answer;
};
/// The authority said no.
struct Declined {
    PkiStatusInfo status;
    std::string text;                                ///< all that it says about it, safe to show
    bool authentic = true;                           ///< false: an unprotected error (ClientConfig::unprotected_errors)
};
/// What became of each request of a CertificatesWish, in order; an Error is by whom the certificate that came was rejected here.
struct EnrolledSeveral {
    std::vector<std::variant<Enrolled, Declined, Error>> outcomes;
};
using ClientOutcome = std::variant<Enrolled, EnrolledSeveral, Revoked, KeysRecovered, Informed, Declined>;

/// What is to be done next.
struct SendNext {};                                  ///< send ClientTransaction::message()
struct WaitThenSend {                                ///< the same after this time (pollRep)
    Seconds check_after{};
    std::string reason;                              ///< safe to show
};
using ClientStep = std::variant<SendNext, WaitThenSend, ClientOutcome>;

/// What has become of ClientConfig::passphrase. The authority has it only where it says so (RFC 9810 B).
enum class PassphraseFate : std::uint8_t { not_conveyed, conveyed, acknowledged };

/// One operation under way. Moves, never copies.
class ClientTransaction {
public:
    ClientTransaction(ClientTransaction&&) noexcept;
    ClientTransaction& operator=(ClientTransaction&&) noexcept;
    ~ClientTransaction();

    /// The PKIMessage to be sent, in DER.
    Bytes message() const noexcept;
    /// The label of the operation for the path: "initialization", "getcacerts" (RFC 9483 6.1); empty: there is none.
    std::string_view operation() const noexcept;
    /// Takes the answer to message(). An error ends the operation: RFC 9483 3.6.1 has the client say nothing about it. The codes:
    /// malformed, too_large, unsupported: not a message that may come now; not_authenticated: protection is missing or wrong, or
    /// its maker has no path to an anchor; not_authorised: the maker may not say this; bad_proof: nonces, identifiers, the
    /// certificate or its key are not what was asked for; and what `accept` said.
    Result<ClientStep> take(Bytes answer);
    /// All that Client::resume() needs to go on from here in another process; there are no secrets in it. internal: it has ended, or
    /// its certificate was rejected.
    Result<ByteVec> save() const;
    PassphraseFate passphrase() const noexcept;

private:
    friend class Client;
    class Impl;
    explicit ClientTransaction(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

class Client {
public:
    /// policy: an empty reference or secret, a signer without certificate, or whose certificate is not of its key, or may neither
    /// sign nor, for a KEM key, encipher keys.
    /// `clock` and `entropy` outlive everything made here.
    static Result<Client> create(ClientConfig config, const Clock& clock, crypto::Entropy& entropy);
    /// The first message is ready. policy: what is wished for cannot be asked so (kur with a secret, RFC 9483 4.1.3).
    Result<ClientTransaction> begin(Wish wish) const;
    /// An operation as it was saved: message() is, octet for octet, what was to be sent then. The wish must be the same, and the
    /// client of the same configuration. malformed, unsupported: not a state that this program has saved.
    Result<ClientTransaction> resume(Wish wish, Bytes state) const;

private:
    explicit Client(std::shared_ptr<const ClientSetup> setup) : setup_{std::move(setup)} {}
    std::shared_ptr<const ClientSetup> setup_;
};

}  // namespace estuary::cmp
