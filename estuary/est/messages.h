#pragma once
// EST's own bytes and values (RFC 7030, 8951, 9908): bodies, paths, CSR attributes.
#include <optional>
#include <string>
#include <vector>

#include "estuary/base/result.h"
#include "estuary/http/grammar.h"
#include "estuary/x509/request.h"

namespace estuary::est {

enum class Operation : std::uint8_t {
    cacerts, csrattrs, simpleenroll, simplereenroll, fullcmc, serverkeygen, crls,
    pal, eecerts, symmetrickeys, firmware, tamp,   // RFC 8295
};
std::string_view to_string(Operation operation) noexcept;
std::optional<Operation> operation_named(std::string_view name) noexcept;

/// /.well-known/est/[LABEL/]OPERATION, and below some of the operations: /OPERATION/ITEM, /OPERATION/return[/ITEM] (RFC 8295).
struct Target {
    std::string label;       ///< empty: none
    Operation operation{};
    bool gives_back = false; ///< /return: receipts, confirms and errors
    std::string item;        ///< the number of a package or request, or where a further part of the PAL begins; empty: none
};
/// not_found for paths that are none of EST's; malformed for what is no path.
Result<Target> parse_target(std::string_view request_target);

inline constexpr std::string_view media_pkcs10 = "application/pkcs10";
inline constexpr std::string_view media_pkcs7 = "application/pkcs7-mime";
inline constexpr std::string_view media_pkcs7_certs_only = "application/pkcs7-mime; smime-type=certs-only";
inline constexpr std::string_view media_pkcs7_crls_only = "application/pkcs7-mime; smime-type=crls-only";
inline constexpr std::string_view media_csrattrs = "application/csrattrs";

inline constexpr std::string_view pem_request = "CERTIFICATE REQUEST";
inline constexpr std::string_view pem_pkcs7 = "PKCS7";

namespace oid {
inline constexpr der::Oid ec_public_key{"1.2.840.10045.2.1"};                           ///< RFC 5480 2.1.1
inline constexpr der::Oid rsa_encryption{"1.2.840.113549.1.1.1"};                       ///< RFC 3279 2.3.1
inline constexpr der::Oid request_info_template{"1.2.840.113549.1.9.16.2.61"};          ///< RFC 9908 A
inline constexpr der::Oid extension_request_template{"1.2.840.113549.1.9.16.2.62"};     ///< RFC 9908 A
}  // namespace oid

/// The DER of a body: base64 with or without line breaks, PEM-armoured, or DER itself (what clients really send).
Result<ByteVec> decode_body(std::string_view body, std::string_view pem_label);

/// AttrOrOID (RFC 8951 3.4, B): an OID alone, or an attribute with values.
struct AttrOrOid {
    der::Oid oid;
    std::optional<std::vector<ByteVec>> values;   ///< whole DER elements
};

/// One extension of an extensionReqTemplate (RFC 9908 3.4): value absent means that the client fills it in.
struct ExtensionTemplate {
    der::Oid id;
    bool critical = false;
    std::optional<ByteVec> value;
};
/// CertificationRequestInfoTemplate (RFC 9908).
struct RequestInfoTemplate {
    struct NameAttribute {
        der::Oid type;
        std::optional<std::pair<der::Tag, std::string>> value;   ///< absent: the client fills it in
    };
    std::optional<std::vector<std::vector<NameAttribute>>> subject;
    std::optional<ByteVec> key_algorithm;         ///< AlgorithmIdentifier, DER
    std::optional<unsigned> rsa_bits;             ///< from an RSAPublicKey with dummy modulus of that size
    std::vector<ExtensionTemplate> extensions;
    std::vector<AttrOrOid> attributes;            ///< others
};

/// Whether a subjectAltName value has a GeneralName that the client is to complete: one without octets, or a directoryName
/// without RDNs (RFC 9908 3.4).
bool has_unfinished_name(Bytes subject_alt_name) noexcept;

/// What /csrattrs says.
struct CsrAttrs {
    std::vector<AttrOrOid> items;                       ///< everything but the template
    std::optional<RequestInfoTemplate> request_template;
    bool empty() const { return items.empty() && !request_template; }

    /// Strict DER, at most 64 KiB and 256 elements. Attributes that nobody here knows are kept; an empty SET of values is
    /// accepted (RFC 9908 3.2), and so are values that are not what their type demands, as in RFC 7030's own example.
    static Result<CsrAttrs> parse(Bytes der);
    /// The template comes last, for readers that know only the list (RFC 9908 4).
    ByteVec encode() const;
};

}  // namespace estuary::est
