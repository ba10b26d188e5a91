#pragma once
// Who is meant: a certificate by issuer and serial number, or a key by its identifier (RFC 5652 5.3, 6.2.1, 10.2.4).
#include "estuary/x509/certificate.h"

namespace estuary::cms {

/// SignerIdentifier, and RecipientIdentifier, which has the same form:
///   CHOICE { issuerAndSerialNumber IssuerAndSerialNumber, subjectKeyIdentifier [0] OCTET STRING }
struct Identifier {
    x509::Name issuer;
    ByteVec serial_number;   ///< INTEGER content octets; empty: it is the key identifier that counts
    ByteVec key_identifier;  ///< at most 64 octets

    static Identifier by_issuer(const x509::Certificate& certificate);
    /// not_found: the certificate has no subjectKeyIdentifier.
    static Result<Identifier> by_key(const x509::Certificate& certificate);
    static Identifier by_key(Bytes key_identifier);

    bool is_by_key() const noexcept { return serial_number.empty(); }
    /// Whether it means this certificate. A key identifier is compared to the extension only, never to a computed one.
    bool names(const x509::Certificate& certificate) const;

    static Result<Identifier> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const Identifier&) const = default;
};

/// IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber INTEGER }; SCEP's and CMC's own messages carry it bare.
Result<Identifier> read_issuer_and_serial(der::Reader& reader);

}  // namespace estuary::cms
