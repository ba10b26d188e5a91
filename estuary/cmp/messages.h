#pragma once
// CMP's messages (RFC 9810): octets <-> values. Strict DER; every count, size and depth is bounded (limits.h). Protection is made
// and checked over the octets of header and body as they stand, see protection.h.
#include <memory>
#include <variant>

#include "estuary/cmp/body_announcements.h"
#include "estuary/cmp/body_certificates.h"
#include "estuary/cmp/body_challenge.h"
#include "estuary/cmp/body_confirm.h"
#include "estuary/cmp/body_errors.h"
#include "estuary/cmp/body_revocation.h"
#include "estuary/cmp/header.h"

namespace estuary::cmp {

/// The alternatives of PKIBody, by tag number (RFC 9810 5.1.2).
enum class BodyType : std::uint8_t {
    ir = 0,
    ip = 1,
    cr = 2,
    cp = 3,
    p10cr = 4,
    popdecc = 5,
    popdecr = 6,
    kur = 7,
    kup = 8,
    krr = 9,
    krp = 10,
    rr = 11,
    rp = 12,
    ccr = 13,
    ccp = 14,
    ckuann = 15,
    cann = 16,
    rann = 17,
    crlann = 18,
    pkiconf = 19,
    nested = 20,
    genm = 21,
    genp = 22,
    error = 23,
    cert_conf = 24,
    poll_req = 25,
    poll_rep = 26,
};
inline constexpr unsigned body_types = 27;
/// "certConf", as RFC 9810 spells it.
std::string_view to_string(BodyType type) noexcept;
/// The body of the ordinary answer: ip for ir, cp for cr and p10cr, pkiconf for certConf, …; nothing for what is no request.
std::optional<BodyType> answer_to(BodyType request) noexcept;

struct PkiBody;

/// A PKIMessage as it was received: owns its DER. Copies share. Nothing is proved by holding one.
class PkiMessage {
public:
    /// Strict DER to the bottom of every element, within `limits`. malformed, too_large; unsupported: a body or status of a
    /// number that RFC 9810 does not have. Whether header and body make sense together is not looked at.
    static Result<PkiMessage> parse(Bytes der, const Limits& limits = {});

    Bytes der() const noexcept;                           ///< as received
    const PkiHeader& header() const noexcept;
    const PkiBody& body() const noexcept;
    BodyType type() const noexcept;
    /// The body's value; the caller has looked at type() (anything else throws std::bad_variant_access).
    template <class Content>
    const Content& as() const;

    Bytes header_der() const noexcept;                    ///< PKIHeader as received
    Bytes body_der() const noexcept;                      ///< PKIBody as received, with its tag
    ByteVec protected_part() const;                       ///< ProtectedPart in DER: what the protection is over
    std::optional<Bytes> protection() const noexcept;     ///< octets of the BIT STRING; nothing: absent
    const std::vector<Bytes>& extra_certs() const noexcept;  ///< whole CMPCertificates as sent, not judged
    /// Those of extraCerts that are readable X.509 certificates, in order; all others are passed over (RFC 9483 3.3).
    std::vector<x509::Certificate> extra_certificates() const;

private:
    struct Fields;
    friend struct MessageReader;
    std::shared_ptr<const Fields> fields_;
};

/// NestedMessageContent ::= PKIMessages
struct NestedMessageContent {
    std::vector<PkiMessage> messages;
};

/// PKIBody ::= CHOICE of `type`; `content` is what belongs to that type:
///   ir, cr, kur, krr, ccr: CertReqMessages; ip, cp, kup, ccp: CertRepMessage; genm, genp: GenContent; others have their own.
struct PkiBody {
    using Content =
        std::variant<CertReqMessages, CertRepMessage, P10CertificationRequest, PopoDecKeyChallContent, PopoDecKeyRespContent,
                     KeyRecRepContent, RevReqContent, RevRepContent, CaKeyUpdContent, CertAnnContent, RevAnnContent, CrlAnnContent,
                     PkiConfirmContent, NestedMessageContent, GenContent, ErrorMsgContent, CertConfirmContent, PollReqContent,
                     PollRepContent>;
    BodyType type = BodyType::pkiconf;
    Content content = PkiConfirmContent{};

    /// DER with its tag. A content that does not belong to the type is a fault of our own (std::logic_error).
    ByteVec encode() const;
};

template <class Content>
const Content& PkiMessage::as() const {
    return std::get<Content>(body().content);
}

/// PKIMessages ::= SEQUENCE SIZE (1..MAX) OF PKIMessage: the value of origPKIMessage.
Result<std::vector<PkiMessage>> parse_messages(Bytes der, const Limits& limits = {});

/// ProtectedPart ::= SEQUENCE { header PKIHeader, body PKIBody }, of parts in DER.
ByteVec encode_protected_part(Bytes header, Bytes body);
/// A PKIMessage of parts in DER. `protection` is the octets of the BIT STRING; `extra_certs` are whole certificates.
ByteVec encode_message(Bytes header, Bytes body, std::optional<Bytes> protection, const std::vector<Bytes>& extra_certs = {});

/// The least pvno that has the syntax of this message (RFC 9810 7): cmp2021 for EnvelopedData, hashAlg in CertStatus, agreeMAC and
/// encryptedKey in POPOPrivKey, and ckuann with RootCaKeyUpdateContent; cmp2000 for everything else. Messages inside of a nested
/// one have versions of their own.
std::int64_t needed_pvno(const PkiHeader& header, const PkiBody& body);
std::int64_t needed_pvno(const PkiMessage& message);

}  // namespace estuary::cmp
