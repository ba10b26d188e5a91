#pragma once
// Controls and regInfo of certificate request messages, typed (RFC 4211 6 and 7). Readers give nothing where the control is
// absent, and malformed where it is there twice or is not what its type says.
#include "estuary/x509/crmf.h"

namespace estuary::x509::crmf {

/// UTF-8 without control characters, not empty, at most 1024 octets.
Result<std::optional<std::string>> reg_token(const std::vector<Control>& controls);
Result<std::optional<std::string>> authenticator(const std::vector<Control>& controls);
Control make_reg_token(std::string_view token);
Control make_authenticator(std::string_view value);

/// PKIPublicationInfo (RFC 4211 6.3).
struct PublicationInfo {
    enum class Action : std::uint8_t { dont_publish = 0, please_publish = 1 };
    enum class Method : std::uint8_t { dont_care = 0, x500 = 1, web = 2, ldap = 3 };
    struct Place {
        Method method{};
        std::optional<GeneralName> location;
        bool operator==(const Place&) const = default;
    };
    Action action{};
    std::vector<Place> places;  ///< empty: wherever the authority likes
    bool operator==(const PublicationInfo&) const = default;

    static Result<PublicationInfo> parse(Bytes der);
    ByteVec encode() const;
};
Result<std::optional<PublicationInfo>> publication_info(const std::vector<Control>& controls);
Control make_publication_info(const PublicationInfo& info);

/// EncryptedValue (RFC 4211 6.4, deprecated). Opened by cms::open_encrypted_value().
struct EncryptedValue {
    std::optional<ByteVec> intended_alg, symm_alg;  ///< whole AlgorithmIdentifiers
    std::optional<ByteVec> enc_symm_key;            ///< octets of the BIT STRING
    std::optional<ByteVec> key_alg;                 ///< whole AlgorithmIdentifier
    std::optional<ByteVec> value_hint;
    ByteVec enc_value;                              ///< octets of the BIT STRING
    bool operator==(const EncryptedValue&) const = default;

    static Result<EncryptedValue> parse(Bytes der);
    ByteVec encode() const;
};

/// EncryptedKey (RFC 4211 6.4, RFC 9810 5.2.2).
struct EnvelopedKey {
    ByteVec enveloped_data;  ///< EnvelopedData as a whole SEQUENCE (no ContentInfo around it)
    bool operator==(const EnvelopedKey&) const = default;
};
using EncryptedKey = std::variant<EncryptedValue, EnvelopedKey>;
Result<EncryptedKey> read_encrypted_key(der::Reader& reader);
void write_encrypted_key(der::Writer& writer, const EncryptedKey& key);

/// PKIArchiveOptions (RFC 4211 6.4).
struct KeyGenParameters {
    ByteVec octets;
    bool operator==(const KeyGenParameters&) const = default;
};
struct ArchiveRemGenPrivKey {
    bool archive = false;
    bool operator==(const ArchiveRemGenPrivKey&) const = default;
};
using ArchiveOptions = std::variant<EncryptedKey, KeyGenParameters, ArchiveRemGenPrivKey>;
Result<std::optional<ArchiveOptions>> archive_options(const std::vector<Control>& controls);
Control make_archive_options(const ArchiveOptions& options);

/// CertId (RFC 4211 6.5): the certificate that is to be renewed.
struct CertId {
    GeneralName issuer;
    ByteVec serial_number;  ///< INTEGER content octets
    bool operator==(const CertId&) const = default;

    static Result<CertId> read(der::Reader& reader);
    void write(der::Writer& writer) const;
};
Result<std::optional<CertId>> old_cert_id(const std::vector<Control>& controls);
Control make_old_cert_id(const CertId& id);

/// The SubjectPublicKeyInfo in DER that answers are to be encrypted with (RFC 4211 6.6).
Result<std::optional<ByteVec>> protocol_encr_key(const std::vector<Control>& controls);
Control make_protocol_encr_key(Bytes spki);

/// Name and value pairs of regInfo (RFC 4211 7.1): "name?value%name?value%", "%xx" for '?' and '%'. All utf8Pairs of the
/// message, in order.
struct NameValue {
    std::string name, value;
    bool operator==(const NameValue&) const = default;
};
Result<std::vector<NameValue>> utf8_pairs(const std::vector<Control>& reg_info);
Control make_utf8_pairs(const std::vector<NameValue>& pairs);

}  // namespace estuary::x509::crmf
