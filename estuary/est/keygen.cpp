#include "estuary/est/keygen.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cms/certs_only.h"
#include "estuary/http/multipart.h"

namespace estuary::est {
namespace {

constexpr std::size_t identifier_octets_max = 64;

const x509::Attribute* find(const std::vector<x509::Attribute>& attributes, const der::Oid& type) {
    const auto found = std::ranges::find(attributes, type, &x509::Attribute::type);
    return found == attributes.end() ? nullptr : &*found;
}

Result<Bytes> single_value(const x509::Attribute& attribute, std::string_view name) {
    if (attribute.values.size() != 1) return fail(Code::malformed, std::string{name} + " has more than one value");
    return Bytes{attribute.values.front()};
}

/// DecryptKeyIdentifier ::= OCTET STRING, and AsymmetricDecryptKeyIdentifier likewise.
Result<std::optional<ByteVec>> identifier_in(const std::vector<x509::Attribute>& attributes, const der::Oid& type, std::string_view name) {
    const auto* attribute = find(attributes, type);
    if (attribute == nullptr) return std::nullopt;
    ESTUARY_TRY(const auto value, single_value(*attribute, name));
    der::Reader reader{value};
    const auto octets = reader.octet_string();
    if (!octets || !reader.finish(name)) return fail(Code::malformed, std::string{name} + " is not an OCTET STRING");
    if (octets->empty() || octets->size() > identifier_octets_max)
        return fail(Code::malformed, fmt::format("{} has not 1 to {} octets", name, identifier_octets_max));
    return to_vec(*octets);
}

x509::Attribute octet_string_attribute(const der::Oid& type, Bytes octets) {
    der::Writer writer;
    writer.octet_string(octets);
    return {type, {std::move(writer).take()}};
}

void wipe(std::string& text) { crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); }

/// Parts whose texts are wiped when they go.
struct SecretParts {
    std::vector<http::Part> parts;
    SecretParts() = default;
    explicit SecretParts(std::vector<http::Part> taken) : parts{std::move(taken)} {}
    SecretParts(const SecretParts&) = delete;
    SecretParts& operator=(const SecretParts&) = delete;
    ~SecretParts() {
        for (auto& part : parts) wipe(part.body);
    }
};

void add(std::vector<http::Part>& parts, std::string_view media_type, Bytes der) {
    auto& part = parts.emplace_back();
    part.headers.add("Content-Type", std::string{media_type});
    part.headers.add("Content-Transfer-Encoding", "base64");  // old clients want it (RFC 8951 3)
    part.body = to_base64_lines(der);
}

enum class PartKind : std::uint8_t { private_key, encrypted_key, certificates };

/// "application/pkcs7-mime" is both the encrypted key and the certificate: smime-type tells them apart. Without it, it is the
/// certificate, as in old servers' answers.
Result<PartKind> kind_of(const http::Part& part) {
    const auto field = part.headers.find("Content-Type");
    if (!field) return fail(Code::malformed, "a part of the answer has no Content-Type");
    ESTUARY_TRY(const auto type, http::MediaType::parse(*field));
    if (type.type == media_pkcs8) return PartKind::private_key;
    if (type.type != media_pkcs7 && type.type != "application/x-pkcs7-mime")
        return fail(Code::malformed, fmt::format("the answer has a part of type '{}'", text::printable(type.type)));
    const auto smime = type.parameters.find("smime-type");
    const bool key = smime != type.parameters.end() && text::equal_ignoring_case(smime->second, smime_generated_key);
    return key ? PartKind::encrypted_key : PartKind::certificates;
}

}  // namespace

Result<KeyDelivery> key_delivery_of(const std::vector<x509::Attribute>& attributes) {
    KeyDelivery delivery;
    ESTUARY_TRY(delivery.shared_key, identifier_in(attributes, oid::decrypt_key_identifier, "DecryptKeyIdentifier"));
    ESTUARY_TRY(delivery.certified_key, identifier_in(attributes, oid::asymmetric_decrypt_key_identifier, "AsymmetricDecryptKeyIdentifier"));
    if (!delivery.encrypted()) return delivery;
    if (delivery.shared_key && delivery.certified_key)
        return fail(Code::malformed, "the request names two keys to encrypt with; name one");
    //= https://www.rfc-editor.org/rfc/rfc7030#section-4.4.1
    //# The client MUST also include an SMIMECapabilities attribute ([RFC2633], Section 2.5) in the CSR to indicate the key
    //# encipherment algorithms the client is willing to use.
    const auto* capabilities = find(attributes, oid::smime_capabilities);
    if (capabilities == nullptr)
        return fail(Code::malformed, "a request that names a key to encrypt with needs SMIMECapabilities beside it (RFC 7030 4.4.1)");
    ESTUARY_TRY(const auto value, single_value(*capabilities, "SMIMECapabilities"));
    ESTUARY_TRY(delivery.capabilities, cms::parse_capabilities(value));
    return delivery;
}

std::vector<x509::Attribute> key_delivery_attributes(const KeyDelivery& delivery) {
    std::vector<x509::Attribute> out;
    if (delivery.shared_key) out.push_back(octet_string_attribute(oid::decrypt_key_identifier, *delivery.shared_key));
    if (delivery.certified_key) out.push_back(octet_string_attribute(oid::asymmetric_decrypt_key_identifier, *delivery.certified_key));
    if (delivery.encrypted()) out.push_back({oid::smime_capabilities, {cms::encode_capabilities(delivery.capabilities)}});
    return out;
}

http::Response write_key_answer(const KeyPart& key, const x509::Certificate& certificate) {
    SecretParts secret;
    add(secret.parts, key.encrypted ? media_generated_key : media_pkcs8, key.der.reveal());
    add(secret.parts, media_pkcs7_certs_only, cms::encode_certs_only({certificate.der()}));
    auto written = http::write_multipart(secret.parts);
    const auto body = std::make_shared<const crypto::Secret>(std::string_view{written.body});
    wipe(written.body);
    http::Response response;
    response.headers.add("Content-Type", fmt::format("{}; boundary={}", media_multipart, written.boundary));
    response.headers.add("Cache-Control", "no-store");  // also for what stands in between
    response.shared = {body, body->reveal_text()};
    return response;
}

Result<KeyAnswer> read_key_answer(std::string_view media_type, std::string_view body) {
    ESTUARY_TRY(const auto type, http::MediaType::parse(media_type));
    if (type.type != media_multipart)
        return fail(Code::malformed, fmt::format("the answer is of type '{}'; expected {}", text::printable(type.type), media_multipart));
    ESTUARY_TRY(const auto boundary, http::boundary_of(type));
    ESTUARY_TRY(auto read, http::parse_multipart(body, boundary));
    const SecretParts secret{std::move(read)};
    std::optional<KeyPart> key;
    std::optional<std::vector<x509::Certificate>> certificates;
    for (const auto& part : secret.parts) {
        ESTUARY_TRY(const auto kind, kind_of(part));
        ESTUARY_TRY(auto der, decode_body(part.body, kind == PartKind::private_key ? "PRIVATE KEY" : pem_pkcs7));
        if (kind == PartKind::certificates) {
            if (certificates) return fail(Code::malformed, "the answer has two parts with certificates");
            ESTUARY_TRY(certificates, cms::parse_certs_only(der));
        } else {
            if (key) return fail(Code::malformed, "the answer has two parts with a private key");
            key = KeyPart{kind == PartKind::encrypted_key, crypto::Secret{std::move(der)}};
        }
    }
    if (!key) return fail(Code::malformed, "the answer has no part with a private key");
    if (!certificates || certificates->empty()) return fail(Code::malformed, "the answer has no part with a certificate");
    return KeyAnswer{std::move(*key), std::move(*certificates)};
}

}  // namespace estuary::est
