#pragma once
// Certificate request messages (CRMF, RFC 4211, updated by RFC 9045; used by CMP, RFC 9810, and CMC, RFC 5272): read and written.
// Tags are IMPLICIT except before a CHOICE (RFC 4211 appendix B): Name, Time, GeneralName, POPOPrivKey and EncryptedKey are
// behind EXPLICIT ones.
#include <variant>

#include "estuary/crypto/key.h"
#include "estuary/crypto/password_mac.h"
#include "estuary/x509/certificate.h"

namespace estuary::x509 {
struct AgreementKey;
}

namespace estuary::x509::crmf {

namespace oid {
inline constexpr der::Oid reg_token{"1.3.6.1.5.5.7.5.1.1"};              ///< id-regCtrl-regToken
inline constexpr der::Oid authenticator{"1.3.6.1.5.5.7.5.1.2"};          ///< id-regCtrl-authenticator
inline constexpr der::Oid pki_publication_info{"1.3.6.1.5.5.7.5.1.3"};   ///< id-regCtrl-pkiPublicationInfo
inline constexpr der::Oid pki_archive_options{"1.3.6.1.5.5.7.5.1.4"};    ///< id-regCtrl-pkiArchiveOptions
inline constexpr der::Oid old_cert_id{"1.3.6.1.5.5.7.5.1.5"};            ///< id-regCtrl-oldCertID
inline constexpr der::Oid protocol_encr_key{"1.3.6.1.5.5.7.5.1.6"};      ///< id-regCtrl-protocolEncrKey
inline constexpr der::Oid alt_cert_template{"1.3.6.1.5.5.7.5.1.7"};      ///< id-regCtrl-altCertTemplate (RFC 9810 5.2.1)
inline constexpr der::Oid utf8_pairs{"1.3.6.1.5.5.7.5.2.1"};             ///< id-regInfo-utf8Pairs
inline constexpr der::Oid cert_req{"1.3.6.1.5.5.7.5.2.2"};               ///< id-regInfo-certReq
inline constexpr der::Oid enc_key_with_id{"1.2.840.113549.1.9.16.1.21"};  ///< id-ct-encKeyWithID
}  // namespace oid

constexpr std::size_t messages_max = 64;            ///< CertReqMsg in one CertReqMessages
constexpr std::size_t message_bytes_max = 256 * 1024;  ///< of one CertReqMsg; the largest SLH-DSA signature is 49,856 octets
constexpr std::size_t controls_max = 64;            ///< controls, and regInfo, of one message

/// OptionalValidity (RFC 4211 5): one end at least.
struct OptionalValidity {
    std::optional<Time> not_before, not_after;
    bool operator==(const OptionalValidity&) const = default;
};

/// CertTemplate (RFC 4211 5): what is wished for. Also what CMP names a certificate by (RevDetails), so that every field is
/// read; check_requestable() says which ones a request may have.
struct CertTemplate {
    std::optional<std::int64_t> version = {};
    std::optional<ByteVec> serial_number = {};  ///< INTEGER content octets
    std::optional<ByteVec> signing_alg = {};  ///< whole AlgorithmIdentifier
    std::optional<Name> issuer = {};
    std::optional<OptionalValidity> validity = {};
    std::optional<Name> subject = {};
    std::optional<ByteVec> public_key = {};  ///< whole SubjectPublicKeyInfo; may be one without key bits (RFC 9483 4.1.6)
    std::optional<ByteVec> issuer_uid = {}, subject_uid = {};  ///< BIT STRING content octets, the first counts unused bits
    std::vector<Extension> extensions = {};  ///< empty: absent

    /// From a SEQUENCE, or another tag in its place. Times as RFC 5280 4.1.2.5 wants them.
    static Result<CertTemplate> read(der::Reader& reader, der::Tag tag = der::Tag::sequence);
    void write(der::Writer& writer, der::Tag tag = der::Tag::sequence) const;
    bool operator==(const CertTemplate&) const = default;
};

/// RFC 4211 5: version is 2 or absent; serialNumber, signingAlg, issuerUID and subjectUID are absent. RFC 9810 D.6 has signingAlg in the
/// requests of CAs: there it may be `signing_alg`. malformed.
Result<void> check_requestable(const CertTemplate& wanted, Bytes signing_alg = {});

/// AttributeTypeAndValue of RFC 4211: one control, or one piece of regInfo. Known ones: crmf_controls.h.
struct Control {
    der::Oid type;
    ByteVec value;  ///< one whole DER element
    bool operator==(const Control&) const = default;
};
/// The first of this type; null if there is none.
const Control* find(const std::vector<Control>& controls, const der::Oid& type) noexcept;

/// CertRequest (RFC 4211 5).
struct CertRequest {
    std::int64_t cert_req_id = 0;
    CertTemplate cert_template = {};
    std::vector<Control> controls = {};

    static Result<CertRequest> read(der::Reader& reader);
    /// DER of the whole SEQUENCE.
    ByteVec encode() const;
    bool operator==(const CertRequest&) const = default;
};

/// PKMACValue (RFC 4211 4.1).
struct PkMacValue {
    ByteVec algorithm;  ///< whole AlgorithmIdentifier
    ByteVec value;      ///< octets of the BIT STRING
    bool operator==(const PkMacValue&) const = default;
};

/// POPOSigningKeyInput (RFC 4211 4.1): who says so, and for which key.
struct PopoSigningKeyInput {
    std::variant<GeneralName, PkMacValue> auth_info;  ///< sender, or publicKeyMAC
    ByteVec public_key;                               ///< whole SubjectPublicKeyInfo
    bool operator==(const PopoSigningKeyInput&) const = default;
};

struct RaVerified {
    bool operator==(const RaVerified&) const = default;
};

/// POPOSigningKey (RFC 4211 4.1).
struct PopoSigningKey {
    std::optional<PopoSigningKeyInput> input;
    ByteVec algorithm_identifier;
    ByteVec signature;
    bool operator==(const PopoSigningKey&) const = default;
};

/// POPOPrivKey (RFC 4211 4.2) of a key that does not sign, or is not to.
struct ThisMessage {   ///< deprecated
    ByteVec octets;    ///< of the BIT STRING: an EncryptedValue
    bool operator==(const ThisMessage&) const = default;
};
enum class SubsequentMessage : std::uint8_t { encr_cert = 0, challenge_resp = 1 };
struct DhMac {  ///< deprecated
    ByteVec octets;
    bool operator==(const DhMac&) const = default;
};
struct AgreeMac {
    PkMacValue mac;
    bool operator==(const AgreeMac&) const = default;
};
struct EncryptedKeyProof {
    ByteVec enveloped_data;  ///< EnvelopedData as a whole SEQUENCE, its contentType id-ct-encKeyWithID
    bool operator==(const EncryptedKeyProof&) const = default;
};
using PopoPrivKey = std::variant<ThisMessage, SubsequentMessage, DhMac, AgreeMac, EncryptedKeyProof>;
struct KeyEncipherment {
    PopoPrivKey proof;
    bool operator==(const KeyEncipherment&) const = default;
};
struct KeyAgreementProof {
    PopoPrivKey proof;
    bool operator==(const KeyAgreementProof&) const = default;
};

/// ProofOfPossession (RFC 4211 4).
using ProofOfPossession = std::variant<RaVerified, PopoSigningKey, KeyEncipherment, KeyAgreementProof>;

/// A CertReqMsg as it was received: owns its DER. Copies share. Nothing is proved by holding one; see
/// verify_signature_possession().
class CertReqMsg {
public:
    /// Strict DER to the bottom of every element, within the limits above. malformed, too_large.
    static Result<CertReqMsg> parse(Bytes der);
    /// The next element, which has this tag in place of SEQUENCE (CMC: TaggedRequest crm [1]).
    static Result<CertReqMsg> read(der::Reader& reader, der::Tag tag = der::Tag::sequence);

    Bytes der() const noexcept;               ///< as a SEQUENCE
    const CertRequest& cert_req() const noexcept;
    Bytes cert_req_der() const noexcept;      ///< the very octets that a signature is over
    const std::optional<ProofOfPossession>& popo() const noexcept;
    /// poposkInput as a SEQUENCE: the very octets that a signature is over if it is there; empty otherwise.
    Bytes popo_input_der() const noexcept;
    const std::vector<Control>& reg_info() const noexcept;
    /// The template's key, parsed; nothing if the template has none or only an algorithm. Errors as PublicKey::from_spki().
    Result<std::optional<crypto::PublicKey>> public_key() const;

private:
    struct Fields;
    explicit CertReqMsg(std::shared_ptr<const Fields> fields) : fields_{std::move(fields)} {}
    std::shared_ptr<const Fields> fields_;
};

/// CertReqMessages: one at least, at most `count_max`. `der` is the whole SEQUENCE.
Result<std::vector<CertReqMsg>> parse_cert_req_messages(Bytes der, std::size_t count_max = messages_max);
/// A SEQUENCE of messages in DER.
ByteVec encode_cert_req_messages(const std::vector<ByteVec>& messages);
/// One CertReqMsg in DER from its parts; `cert_req` is a whole CertRequest.
ByteVec encode_cert_req_msg(Bytes cert_req, const std::optional<ProofOfPossession>& popo,
                            const std::vector<Control>& reg_info = {});

Result<PkMacValue> read_pk_mac_value(der::Reader& reader, der::Tag tag = der::Tag::sequence);
void write_pk_mac_value(der::Writer& writer, const PkMacValue& value, der::Tag tag = der::Tag::sequence);

/// What the receiver knows of the sender, for possession that leans on it, and has itself.
struct PossessionContext {
    const crypto::Secret* shared_secret = nullptr;       ///< for publicKeyMAC
    std::vector<GeneralName> authenticated_names = {};   ///< sender must be one of these
    crypto::PasswordMacLimits mac_limits = {};
    const AgreementKey* agreement_key = nullptr;         ///< for agreeMAC and DHBasedMac; null: there is none
};
/// Checks POPOSigningKey over the octets received (RFC 4211 4.1): over certReq if the template has both subject and publicKey,
/// then poposkInput must be absent; over poposkInput otherwise, which must be there, hold the same key octet for octet, and a
/// sender or publicKeyMAC that `context` bears out. Gives the proven key. bad_proof: no such proof, or a wrong one; bad_key: MD5
/// and SHA-1, keys that are none; unsupported.
Result<crypto::PublicKey> verify_signature_possession(const CertReqMsg& message, const PossessionContext& context = {});

/// Whether possession is shown by a MAC with what two keys agree on: agreeMAC of keyAgreement, or a POPOSigningKey whose algorithm is such
/// a MAC (RFC 9810 5.2.8.2).
bool is_agreement_possession(const CertReqMsg& message) noexcept;
/// Checks it by `context.agreement_key`: over certReq, which must have both subject and publicKey (RFC 4211 4.2). Gives the proven key.
/// bad_proof: no such proof, nobody who could check it, or a wrong one; otherwise as verify_agreement_proof().
Result<crypto::PublicKey> verify_agreement_possession(const CertReqMsg& message, const PossessionContext& context);

/// Whether possession is claimed by a registration authority (raVerified): for policy, never proof in itself.
bool is_ra_verified(const CertReqMsg& message) noexcept;
/// How a key that does not sign is to be shown to be possessed (subsequentMessage); nothing for any other proof.
std::optional<SubsequentMessage> subsequent_message(const CertReqMsg& message) noexcept;

/// Whether a registration authority put another request in place of certReq (RFC 4211 7.2, id-regInfo-certReq).
bool has_replacement(const CertReqMsg& message) noexcept;
/// That request, or certReq; its certReqId is always that of certReq. malformed: two of them, or one for another key. Only a
/// registration authority may send one: to_certification_request() checks that.
Result<CertRequest> effective_request(const CertReqMsg& message);

/// A message to be made (client side).
struct WantedRequest {
    CertRequest request;                                 ///< make_cert_req_msg() sets publicKey from the key
    std::vector<Control> reg_info = {};
    /// For signature keys where the template has no subject, one of these: the name that the authority knows already, or a
    /// secret for publicKeyMAC.
    std::optional<GeneralName> sender = {};
    const crypto::Secret* shared_secret = nullptr;
    crypto::PasswordMacChoice mac = {crypto::PasswordMacChoice::Scheme::password_based_mac};  ///< RFC 9045 3: everybody has it
    /// For keys that do not sign, and for RSA and EC keys that are not to: how possession is going to be proved.
    std::optional<SubsequentMessage> subsequent_message = {};
    /// For keys that agree, instead: agreeMAC for the holder of this certificate, by DHBasedMac.
    std::optional<Certificate> agreement_recipient = {};
};
/// A CertReqMsg in DER with its proof of possession. Of those that do not sign, RSA and ML-KEM keys are keyEncipherment, the others
/// keyAgreement. bad_key: a key that does not sign without subsequentMessage or a recipient that it agrees with, or one that only signs
/// with one of these; malformed: neither subject, sender nor secret, or a field that requests do not have.
Result<ByteVec> make_cert_req_msg(const WantedRequest& wanted, const crypto::PrivateKey& key);
/// The same without possession, for a key that the authority makes (RFC 4211 5, RFC 9483 4.1.6): publicKey stays as it is.
Result<ByteVec> make_cert_req_msg_without_key(const WantedRequest& wanted);
/// The same with raVerified, by a registration authority; `cert_req` is a whole CertRequest in DER.
ByteVec make_ra_verified(Bytes cert_req, const std::vector<Control>& reg_info = {});

}  // namespace estuary::x509::crmf
