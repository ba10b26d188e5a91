#pragma once
// CMPCertificate (RFC 9810 5.1): a certificate of any kind, kept as it was sent.
#include "estuary/cmp/limits.h"
#include "estuary/x509/certificate.h"

namespace estuary::cmp {

/// CMPCertificate ::= CHOICE { x509v3PKCert Certificate, ... }
struct CmpCertificate {
    ByteVec der;  ///< the whole element, not looked into

    CmpCertificate() = default;
    explicit CmpCertificate(ByteVec whole) noexcept : der{std::move(whole)} {}
    explicit CmpCertificate(const x509::Certificate& certificate) : der{to_vec(certificate.der())} {}
    /// Errors as x509::Certificate::parse().
    Result<x509::Certificate> x509() const { return x509::Certificate::parse(der); }
    bool operator==(const CmpCertificate&) const = default;

    static Result<CmpCertificate> read(der::Reader& reader);
};
using CmpCertificates = std::vector<CmpCertificate>;

/// SEQUENCE SIZE (1..MAX) OF CMPCertificate.
Result<CmpCertificates> read_cmp_certificates(der::Reader& reader, std::size_t count_max, std::string_view what);
void write_cmp_certificates(der::Writer& writer, const CmpCertificates& certificates);
/// All of them as X.509 certificates; the first that is none is an error.
Result<std::vector<x509::Certificate>> to_x509(const CmpCertificates& certificates);
CmpCertificates to_cmp(const std::vector<x509::Certificate>& certificates);

/// CertificateList, whole, not looked into.
Result<std::vector<ByteVec>> read_crls(der::Reader& reader, std::size_t count_min, std::size_t count_max);

}  // namespace estuary::cmp
