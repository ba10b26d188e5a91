#include "estuary/x509/certificate.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/crypto/digest.h"
#include "estuary/x509/parts.h"

namespace estuary::x509 {

using der::Reader;
using der::Tag;

struct Certificate::Fields {
    ByteVec der;  // everything of type Bytes below is a view into it
    Bytes tbs;
    Bytes serial_number;
    Name issuer;
    Name subject;
    Time not_before{};
    Time not_after{};
    Bytes spki;
    Bytes signature_algorithm;
    Bytes signature;
    std::vector<Extension> extensions;

    // What the hot paths ask of the extensions, read once; a malformed one fails the parse, so that "absent" never
    // means "unreadable".
    std::optional<std::uint32_t> key_usage;
    std::vector<der::Oid> ext_key_usage;
    BasicConstraints basic_constraints;
    std::optional<Result<NameConstraints>> name_constraints;
    std::optional<ByteVec> subject_key_id;
    std::optional<ByteVec> authority_key_id;

    Result<void> read();

private:
    Result<void> read_tbs(Reader& tbs_reader);
    Result<void> read_extensions(Reader& reader);
    Result<void> read_known_extensions();
};

namespace {

/// A Certificate holds SLH-DSA signatures (50 kB) and long SAN lists; anything larger is not a certificate.
constexpr std::size_t certificate_bytes_max = 256 * 1024;

// Version ::= INTEGER { v1(0), v2(1), v3(2) }, [0] EXPLICIT DEFAULT v1
Result<bool> read_version_is_v3(Reader& tbs) {
    ESTUARY_TRY(auto explicit_version, tbs.enter_if(der::context_constructed(0)));
    if (!explicit_version) return false;
    ESTUARY_TRY(const auto version, explicit_version->integer());
    ESTUARY_CHECK(explicit_version->finish("Version"));
    if (version == 0) return fail(Code::malformed, "DER: version v1 is the default and must be absent");
    if (version != 2) return fail(Code::unsupported, "certificate is neither of version 1 nor 3");
    return true;
}

/// At most 20 octets of number (RFC 5280 4.1.2.2), so one more with the octet that keeps a large one positive.
Result<Bytes> read_serial_number(Reader& tbs) {
    ESTUARY_TRY(const auto octets, tbs.integer_octets());
    if (octets.size() > serial_octets_max + 1 || (octets.size() == serial_octets_max + 1 && octets[0] != 0))
        return fail(Code::too_large, "serial number is longer than 20 octets");
    return octets;
}

/// UniqueIdentifier ::= BIT STRING, IMPLICIT: nobody writes them any more; passed over.
Result<void> skip_unique_id(Reader& tbs, unsigned number) {
    ESTUARY_CHECK(tbs.element_if(der::context(number)));
    return {};
}

}  // namespace

Result<Bytes> read_algorithm_identifier(Reader& reader) {
    ESTUARY_TRY(const auto whole, reader.element(Tag::sequence));
    Reader inner{whole.content};
    ESTUARY_CHECK(inner.oid());
    if (!inner.empty()) {
        ESTUARY_CHECK(inner.skip());
    }
    ESTUARY_CHECK(inner.finish("AlgorithmIdentifier"));
    return whole.whole;
}

// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
Result<void> Certificate::Fields::read() {
    ESTUARY_TRY(auto outer, der::enter_only(der, Tag::sequence, "Certificate", {.bytes_max = certificate_bytes_max}));
    Reader ahead = outer;
    ESTUARY_TRY(const auto tbs_element, ahead.element(Tag::sequence));
    tbs = tbs_element.whole;
    ESTUARY_TRY(auto tbs_reader, outer.enter(Tag::sequence));
    ESTUARY_CHECK(read_tbs(tbs_reader));
    ESTUARY_TRY(const auto outer_algorithm, read_algorithm_identifier(outer));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.1.1.2
    //# This field MUST contain the same algorithm identifier as the
    //# signature field in the sequence tbsCertificate (Section 4.1.2.3).
    if (!same(outer_algorithm, signature_algorithm))
        return fail(Code::malformed, "the certificate's two signature algorithms differ");
    ESTUARY_TRY(signature, outer.bit_string_octets());
    return outer.finish("Certificate");
}

// TBSCertificate ::= SEQUENCE { version [0], serialNumber, signature, issuer, validity, subject,
//   subjectPublicKeyInfo, issuerUniqueID [1], subjectUniqueID [2], extensions [3] }   -- RFC 5280 4.1
Result<void> Certificate::Fields::read_tbs(Reader& reader) {
    ESTUARY_TRY(const bool v3, read_version_is_v3(reader));
    ESTUARY_TRY(serial_number, read_serial_number(reader));
    ESTUARY_TRY(signature_algorithm, read_algorithm_identifier(reader));
    ESTUARY_TRY(issuer, named("issuer", Name::read(reader)));
    ESTUARY_TRY(auto validity, reader.enter(Tag::sequence));
    ESTUARY_TRY(not_before, named("notBefore", validity.time()));
    ESTUARY_TRY(not_after, named("notAfter", validity.time()));
    ESTUARY_CHECK(validity.finish("Validity"));
    ESTUARY_TRY(subject, named("subject", Name::read(reader)));
    ESTUARY_TRY(const auto key_info, reader.element(Tag::sequence));
    spki = key_info.whole;
    if (v3) {
        ESTUARY_CHECK(skip_unique_id(reader, 1));
        ESTUARY_CHECK(skip_unique_id(reader, 2));
        ESTUARY_CHECK(read_extensions(reader));
    }
    return reader.finish("TBSCertificate");
}

Result<void> Certificate::Fields::read_extensions(Reader& reader) {
    ESTUARY_TRY(const auto explicit_list, reader.element_if(der::context_constructed(3)));
    if (!explicit_list) return {};
    ESTUARY_TRY(extensions, parse_extensions(explicit_list->content));
    return read_known_extensions();
}

Result<void> Certificate::Fields::read_known_extensions() {
    for (const auto& extension : extensions) {
        const Bytes value = extension.value;
        if (extension.id == oid::key_usage) {
            ESTUARY_TRY(key_usage, named("keyUsage", parse_key_usage(value)));
        } else if (extension.id == oid::basic_constraints) {
            ESTUARY_TRY(basic_constraints, named("basicConstraints", parse_basic_constraints(value)));
        } else if (extension.id == oid::ext_key_usage) {
            ESTUARY_TRY(ext_key_usage, named("extKeyUsage", parse_ext_key_usage(value)));
        } else if (extension.id == oid::name_constraints) {
            name_constraints = parse_name_constraints(value);
        } else if (extension.id == oid::subject_key_identifier) {
            ESTUARY_TRY(const auto id, named("subjectKeyIdentifier", parse_subject_key_identifier(value)));
            subject_key_id = to_vec(id);
        } else if (extension.id == oid::authority_key_identifier) {
            ESTUARY_TRY(const auto id, named("authorityKeyIdentifier", parse_authority_key_identifier(value)));
            if (id) authority_key_id = to_vec(*id);
        }
    }
    return {};
}

Result<Certificate> Certificate::parse(Bytes der) {
    auto fields = std::make_shared<Fields>();
    fields->der = to_vec(der.first(std::min(der.size(), certificate_bytes_max + 1)));
    ESTUARY_CHECK(named("certificate", fields->read()));
    Certificate certificate;
    certificate.fields_ = std::move(fields);
    return certificate;
}

Result<Certificate> Certificate::from_bytes(Bytes pem_or_der) {
    ESTUARY_TRY(auto all, parse_certificates(pem_or_der));
    if (all.size() != 1) return fail(Code::malformed, fmt::format("expected one certificate, found {}", all.size()));
    return std::move(all.front());
}

Result<std::vector<Certificate>> parse_certificates(Bytes pem_or_der) {
    std::vector<Certificate> certificates;
    if (looks_like_der(pem_or_der)) {
        ESTUARY_TRY(certificates.emplace_back(), Certificate::parse(pem_or_der));
        return certificates;
    }
    ESTUARY_TRY(const auto blocks, parse_pem(as_text(pem_or_der)));
    for (const auto& block : blocks) {
        if (block.label != "CERTIFICATE") continue;  // files often carry the key or parameters beside the certificate
        ESTUARY_TRY(certificates.emplace_back(), Certificate::parse(block.der));
    }
    if (certificates.empty()) return fail(Code::malformed, "no certificate found, neither PEM nor DER");
    return certificates;
}

Bytes Certificate::der() const noexcept { return fields_->der; }
Bytes Certificate::tbs() const noexcept { return fields_->tbs; }
Bytes Certificate::serial_number() const noexcept { return fields_->serial_number; }
const Name& Certificate::issuer() const noexcept { return fields_->issuer; }
const Name& Certificate::subject() const noexcept { return fields_->subject; }
Time Certificate::not_before() const noexcept { return fields_->not_before; }
Time Certificate::not_after() const noexcept { return fields_->not_after; }
Bytes Certificate::spki() const noexcept { return fields_->spki; }
Bytes Certificate::signature_algorithm() const noexcept { return fields_->signature_algorithm; }
Bytes Certificate::signature() const noexcept { return fields_->signature; }
const std::vector<Extension>& Certificate::extensions() const noexcept { return fields_->extensions; }
std::optional<std::uint32_t> Certificate::key_usage() const { return fields_->key_usage; }
std::vector<der::Oid> Certificate::ext_key_usage() const { return fields_->ext_key_usage; }
bool Certificate::is_ca() const { return fields_->basic_constraints.ca; }
std::optional<std::uint32_t> Certificate::path_length() const { return fields_->basic_constraints.path_length; }
const Result<NameConstraints>* Certificate::name_constraints() const noexcept {
    return fields_->name_constraints ? &*fields_->name_constraints : nullptr;
}
std::optional<ByteVec> Certificate::subject_key_id() const { return fields_->subject_key_id; }
std::optional<ByteVec> Certificate::authority_key_id() const { return fields_->authority_key_id; }

std::string Certificate::serial_hex() const {
    auto octets = serial_number();
    while (octets.size() > 1 && octets[0] == 0) octets = octets.subspan(1);
    return to_hex(octets);
}

Result<std::vector<GeneralName>> Certificate::subject_alt_names() const {
    const auto* extension = find(extensions(), oid::subject_alt_name);
    if (extension == nullptr) return std::vector<GeneralName>{};
    return named("subjectAltName", parse_general_names(extension->value));
}

bool Certificate::has_ext_key_usage(const der::Oid& purpose) const {
    return std::ranges::find(fields_->ext_key_usage, purpose) != fields_->ext_key_usage.end();
}

Result<crypto::PublicKey> Certificate::public_key() const { return crypto::PublicKey::from_spki(spki()); }

Result<void> Certificate::verify_signed_by(const crypto::PublicKey& issuer_key) const {
    return issuer_key.verify(signature_algorithm(), tbs(), signature());
}

std::string Certificate::sha256_fingerprint() const {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (const auto octet : crypto::sha256(der())) {
        if (!text.empty()) text += ':';
        text += digits[octet >> 4];
        text += digits[octet & 0x0F];
    }
    return text;
}

std::string Certificate::to_pem() const { return estuary::to_pem("CERTIFICATE", der()); }

}  // namespace estuary::x509
