#pragma once
// Distinguished names and general names (RFC 5280 4.1.2.4, 4.2.1.6). DER is kept verbatim: a name that came in goes out
// byte for byte (bug class 34).
#include <string>
#include <vector>

#include "estuary/asn1/der.h"

namespace estuary::x509 {

struct AttributeTypeAndValue {
    der::Oid type;
    der::Tag tag{};  ///< string type of the value
    Bytes value;     ///< content octets
    /// As UTF-8; TeletexString is read as Latin-1, BMPString and UniversalString are converted. unsupported: no text.
    Result<std::string> text() const;
};

/// A Name, valid DER within limits: at most 32 RDNs, 8 attributes each, values within the upper bounds of RFC 5280 A.1.
class Name {
public:
    Name();                                ///< the empty name
    static Result<Name> parse(Bytes der);  ///< exactly one Name
    static Result<Name> read(der::Reader& reader);
    /// From RFC 4514 text ("CN=device 1,O=Example") or the slashed form ("/O=Example/CN=device 1"). Short names as in
    /// RFC 4514 and OpenSSL (CN, SN is surname, serialNumber, C, L, ST, street, O, OU, DC, UID, emailAddress, …) or dotted OIDs.
    /// UTF8String, except PrintableString for C, serialNumber, dnQualifier and IA5String for DC, emailAddress.
    static Result<Name> from_text(std::string_view text);

    Bytes der() const noexcept { return der_; }
    bool empty() const noexcept { return der_.size() == 2; }
    /// RDNs in encoded order; the views live as long as this name.
    std::vector<std::vector<AttributeTypeAndValue>> rdns() const;
    /// The values of one attribute type, as UTF-8, in order.
    std::vector<std::string> values(const der::Oid& type) const;
    /// RFC 4514 text (last RDN first), special and control characters escaped: safe to show.
    std::string to_text() const;
    /// RFC 5280 7.1: case folded, inner blanks folded, string types of equal text alike.
    bool matches(const Name& other) const;
    /// What may be certified: text only, without control characters and without invisible ones that change how a name is
    /// shown (bug class 13). Names of others may hold such, so parse() lets them be; to_text() escapes them. policy.
    Result<void> check() const;
    /// Octets equal for names that match (for lookups and hashes).
    ByteVec canonical() const;

    friend bool operator==(const Name& a, const Name& b) { return same(a.der_, b.der_); }

private:
    ByteVec der_;
};

/// GeneralName ::= CHOICE (RFC 5280 4.2.1.6)
struct GeneralName {
    enum class Kind : std::uint8_t { other_name, email, dns, x400, directory, edi, uri, ip, registered_id };
    Kind kind{};
    ByteVec value;  ///< content octets; directory: the Name's DER; other_name: content of the [0] SEQUENCE

    static Result<GeneralName> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    /// "dns:host.example", "ip:192.0.2.1", "ip:2001:db8::1", "email:a@b", "uri:https://…", "dirname:CN=x", "rid:1.2.3",
    /// "upn:user@realm" (otherName 1.3.6.1.4.1.311.20.2.3), "othername:1.2.3#hexadecimal DER". Without prefix: an address is ip,
    /// text with '@' email, with
    /// "://" uri, anything else dns. Syntax is checked (check()).
    static Result<GeneralName> from_text(std::string_view text);
    /// With the prefix; control characters escaped.
    std::string to_text() const;
    /// The value's own rules as a name of an end entity: IA5 without NUL, DNS labels (LDH, '_' tolerated, one leading "*."), 4 or
    /// 16 octets of address, mailbox with one '@', URI with scheme. read() asks less, for name constraints are GeneralNames
    /// too: IA5 without NUL, 4, 8, 16 or 32 octets of address, a Name, an OID, well-formed DER.
    Result<void> check() const;
    auto operator<=>(const GeneralName&) const = default;
};

/// GeneralNames: not empty, at most 256.
Result<std::vector<GeneralName>> parse_general_names(Bytes der);
ByteVec write_general_names(const std::vector<GeneralName>& names);

}  // namespace estuary::x509
