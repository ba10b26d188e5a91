#pragma once
// Announcements: ckuann, cann, rann, crlann (RFC 9810 5.3.13 to 5.3.16).
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/status.h"

namespace estuary::cmp {

/// CAKeyUpdContent ::= CHOICE { cAKeyUpdAnnV2 CAKeyUpdAnnContent, cAKeyUpdAnnV3 [0] RootCaKeyUpdateContent }
struct CaKeyUpdContent {
    std::variant<CaKeyUpdAnn, RootCaKeyUpdate> update;

    static Result<CaKeyUpdContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

struct CertAnnContent {
    CmpCertificate certificate;

    static Result<CertAnnContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

/// RevAnnContent ::= SEQUENCE { status PKIStatus, certId CertId, willBeRevokedAt, badSinceDate GeneralizedTime,
///                              crlDetails Extensions OPTIONAL }
struct RevAnnContent {
    PkiStatus status{};
    x509::crmf::CertId cert_id;
    Time will_be_revoked_at{}, bad_since_date{};
    std::vector<x509::Extension> crl_details;  ///< empty: absent

    static Result<RevAnnContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

struct CrlAnnContent {
    std::vector<ByteVec> crls;  ///< whole CertificateLists

    static Result<CrlAnnContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

}  // namespace estuary::cmp
