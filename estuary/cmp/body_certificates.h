#pragma once
// Bodies that ask for certificates and keys, and the answers: ir, cr, kur, krr, ccr, p10cr; ip, cp, kup, ccp; krp.
#include "estuary/cmp/certificate.h"
#include "estuary/cmp/status.h"
#include "estuary/x509/crmf_controls.h"

namespace estuary::cmp {

/// CertReqMessages (RFC 4211 3): one at least.
struct CertReqMessages {
    std::vector<x509::crmf::CertReqMsg> messages;

    static Result<CertReqMessages> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

/// p10cr: a CertificationRequest (RFC 2986), whole. Its parts are in place, and nothing is proved: x509::SignedRequest::parse().
struct P10CertificationRequest {
    ByteVec der;

    static Result<P10CertificationRequest> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

/// CertOrEncCert ::= CHOICE { certificate [0] CMPCertificate, encryptedCert [1] EncryptedKey }
using CertOrEncCert = std::variant<CmpCertificate, x509::crmf::EncryptedKey>;

/// CertifiedKeyPair ::= SEQUENCE { certOrEncCert, privateKey [0] EncryptedKey OPTIONAL,
///                                 publicationInfo [1] PKIPublicationInfo OPTIONAL }
struct CertifiedKeyPair {
    CertOrEncCert cert_or_enc_cert;
    std::optional<x509::crmf::EncryptedKey> private_key;
    std::optional<x509::crmf::PublicationInfo> publication_info;

    /// The certificate if it is there in the clear, else null.
    const CmpCertificate* certificate() const noexcept { return std::get_if<CmpCertificate>(&cert_or_enc_cert); }
    static Result<CertifiedKeyPair> read(der::Reader& reader);
    void write(der::Writer& writer) const;
};

/// certReqId of an answer to a p10cr, and of polling for a whole response.
inline constexpr std::int64_t no_cert_req_id = -1;

/// CertResponse ::= SEQUENCE { certReqId INTEGER, status PKIStatusInfo, certifiedKeyPair OPTIONAL, rspInfo OCTET STRING OPTIONAL }
struct CertResponse {
    std::int64_t cert_req_id = 0;
    PkiStatusInfo status;
    std::optional<CertifiedKeyPair> certified_key_pair;
    std::optional<ByteVec> rsp_info;

    static Result<CertResponse> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

/// CertRepMessage ::= SEQUENCE { caPubs [1] SEQUENCE SIZE (1..MAX) OF CMPCertificate OPTIONAL, response SEQUENCE OF CertResponse }
struct CertRepMessage {
    CmpCertificates ca_pubs;  ///< empty: absent
    std::vector<CertResponse> responses;

    static Result<CertRepMessage> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

/// KeyRecRepContent (RFC 9810 5.3.8).
struct KeyRecRepContent {
    PkiStatusInfo status;
    std::optional<CmpCertificate> new_sig_cert;
    CmpCertificates ca_certs;                     ///< empty: absent
    std::vector<CertifiedKeyPair> key_pair_hist;  ///< empty: absent

    static Result<KeyRecRepContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

}  // namespace estuary::cmp
