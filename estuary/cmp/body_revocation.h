#pragma once
// Revocation: rr and rp (RFC 9810 5.3.9, 5.3.10).
#include "estuary/cmp/certificate.h"
#include "estuary/cmp/status.h"
#include "estuary/x509/crmf_controls.h"

namespace estuary::cmp {

/// RevDetails ::= SEQUENCE { certDetails CertTemplate, crlEntryDetails Extensions OPTIONAL }
struct RevDetails {
    x509::crmf::CertTemplate cert_details;
    std::vector<x509::Extension> crl_entry_details;  ///< empty: absent

    static Result<RevDetails> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const RevDetails&) const = default;
};

struct RevReqContent {
    std::vector<RevDetails> details;

    static Result<RevReqContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const RevReqContent&) const = default;
};

/// RevRepContent ::= SEQUENCE { status SEQUENCE SIZE (1..MAX) OF PKIStatusInfo, revCerts [0] SEQUENCE OF CertId OPTIONAL,
///                              crls [1] SEQUENCE OF CertificateList OPTIONAL }
struct RevRepContent {
    std::vector<PkiStatusInfo> status;             ///< in the order of RevReqContent
    std::vector<x509::crmf::CertId> rev_certs;     ///< empty: absent
    std::vector<ByteVec> crls;                     ///< whole CertificateLists; empty: absent

    static Result<RevRepContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const RevRepContent&) const = default;
};

}  // namespace estuary::cmp
