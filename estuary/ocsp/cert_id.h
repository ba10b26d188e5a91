#pragma once
// CertID (RFC 6960 4.1.1): which certificate is meant, by hashes of its issuer and by its serial number.
#include <optional>

#include "estuary/x509/certificate.h"

namespace estuary::ocsp {

enum class Hash : std::uint8_t { sha1, sha256, sha384, sha512 };

/// One octet string each: the hash of the issuer's name in DER, and of its subjectPublicKey (without tag, length and unused
/// bits).
struct IssuerHashes {
    ByteVec name, key;
};
/// malformed: `spki` is not a SubjectPublicKeyInfo.
Result<IssuerHashes> issuer_hashes(const x509::Name& issuer, Bytes spki, Hash hash);

/// A CertID as it came in, octet for octet, for it is echoed in the response.
class CertId {
public:
    /// malformed; unknown hash algorithms and hashes of another length are let be: they match nobody.
    static Result<CertId> read(der::Reader& reader);
    /// `serial_number`: INTEGER content octets. The hash algorithm's parameters are NULL, as OpenSSL writes them.
    static CertId make(Hash hash, const IssuerHashes& issuer, Bytes serial_number);
    /// Of a certificate and the one that issued it.
    static Result<CertId> of(const x509::Certificate& certificate, const x509::Certificate& issuer, Hash hash);

    Bytes der() const noexcept { return der_; }
    std::optional<Hash> hash() const noexcept { return hash_; }  ///< nothing: none that we know
    bool has_null_parameters() const noexcept { return null_parameters_; }
    Bytes issuer_name_hash() const noexcept { return part(name_); }
    Bytes issuer_key_hash() const noexcept { return part(key_); }
    Bytes serial_number() const noexcept { return part(serial_); }  ///< INTEGER content octets
    /// Big-endian without leading zero octets, as the store keeps them; empty for zero and for negative ones, which nobody
    /// issues.
    Bytes positive_serial_number() const noexcept;

    /// Alike but for NULL or absent parameters.
    friend bool operator==(const CertId& a, const CertId& b) noexcept;

private:
    struct Slice {
        std::size_t at = 0, size = 0;
    };
    Bytes part(Slice slice) const noexcept { return Bytes{der_}.subspan(slice.at, slice.size); }

    ByteVec der_;
    std::optional<Hash> hash_;
    bool null_parameters_ = false;
    Slice name_, key_, serial_;
};

}  // namespace estuary::ocsp
