#include "estuary/x509/extension.h"

#include <fmt/format.h>

#include "estuary/crypto/digest.h"

namespace estuary::x509 {
namespace {

using der::Tag;

constexpr std::size_t extensions_max = 64;

// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
Result<Extension> read_extension(der::Reader& extensions) {
    ESTUARY_TRY(auto reader, extensions.enter(Tag::sequence));
    ESTUARY_TRY(const auto id, reader.oid());
    ESTUARY_TRY(const auto critical, reader.boolean_default_false());
    ESTUARY_TRY(const auto value, reader.octet_string());
    ESTUARY_CHECK(reader.finish("Extension"));
    return Extension{id, critical, to_vec(value)};
}

/// An extension whose value `body` writes.
template <class Body>
Extension make(const der::Oid& id, bool critical, Body&& body) {
    der::Writer writer;
    body(writer);
    return {id, critical, std::move(writer).take()};
}

void write_uri(der::Writer& writer, const std::string& uri) {
    writer.primitive(der::context(6), as_bytes(uri));  // GeneralName uniformResourceIdentifier
}

}  // namespace

// Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
Result<std::vector<Extension>> parse_extensions(Bytes der) {
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "Extensions"));
    std::vector<Extension> extensions;
    while (!reader.empty()) {
        if (extensions.size() == extensions_max)
            return fail(Code::too_large, fmt::format("more than {} extensions", extensions_max));
        ESTUARY_TRY(auto extension, read_extension(reader));
        //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2
        // # A certificate MUST NOT include more than one instance of a particular extension.
        if (find(extensions, extension.id) != nullptr)
            return fail(Code::malformed, "extension " + extension.id.dotted() + " more than once");
        extensions.push_back(std::move(extension));
    }
    if (extensions.empty()) return fail(Code::malformed, "Extensions is empty");
    return extensions;
}

void write_extensions(der::Writer& writer, const std::vector<Extension>& extensions) {
    writer.sequence([&] {
        for (const auto& extension : extensions)
            writer.sequence([&] {
                writer.oid(extension.id);
                if (extension.critical) writer.boolean(true);  // FALSE is the default and absent in DER
                writer.octet_string(extension.value);
            });
    });
}

const Extension* find(const std::vector<Extension>& extensions, const der::Oid& id) {
    const auto found = std::ranges::find(extensions, id, &Extension::id);
    return found == extensions.end() ? nullptr : &*found;
}

// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
Result<BasicConstraints> parse_basic_constraints(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "basicConstraints"));
    BasicConstraints out;
    ESTUARY_TRY(out.ca, reader.boolean_default_false());
    if (reader.next_is(Tag::integer)) {
        ESTUARY_TRY(const auto length, reader.integer());
        if (length < 0 || length > INT32_MAX) return fail(Code::malformed, "pathLenConstraint is negative or absurd");
        if (!out.ca) return fail(Code::malformed, "pathLenConstraint without cA (RFC 5280 4.2.1.9)");
        out.path_length = static_cast<std::uint32_t>(length);
    }
    ESTUARY_CHECK(reader.finish("basicConstraints"));
    return out;
}

Extension make_basic_constraints(const BasicConstraints& value) {
    // RFC 5280 4.2.1.9: critical in CA certificates.
    return make(oid::basic_constraints, value.ca, [&](der::Writer& writer) {
        writer.sequence([&] {
            if (value.ca) writer.boolean(true);
            if (value.ca && value.path_length) writer.integer(*value.path_length);
        });
    });
}

Extension make_subject_alt_name(const std::vector<GeneralName>& names, bool critical) {
    return {oid::subject_alt_name, critical, write_general_names(names)};
}

Extension make_subject_key_identifier(Bytes key_identifier) {
    return make(oid::subject_key_identifier, false, [&](der::Writer& writer) { writer.octet_string(key_identifier); });
}

Result<Bytes> parse_subject_key_identifier(Bytes value) {
    der::Reader reader{value};
    ESTUARY_TRY(const auto identifier, reader.octet_string());
    ESTUARY_CHECK(reader.finish("subjectKeyIdentifier"));
    if (identifier.empty()) return fail(Code::malformed, "subjectKeyIdentifier is empty");
    return identifier;
}

Extension make_authority_key_identifier(Bytes key_identifier) {
    return make(oid::authority_key_identifier, false,
                [&](der::Writer& writer) { writer.sequence([&] { writer.primitive(der::context(0), key_identifier); }); });
}

// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING OPTIONAL,
//     authorityCertIssuer [1] GeneralNames OPTIONAL, authorityCertSerialNumber [2] INTEGER OPTIONAL }
Result<std::optional<Bytes>> parse_authority_key_identifier(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "authorityKeyIdentifier"));
    ESTUARY_TRY(const auto identifier, reader.element_if(der::context(0)));
    ESTUARY_TRY(const auto issuer, reader.element_if(der::context_constructed(1)));
    ESTUARY_TRY(const auto serial, reader.element_if(der::context(2)));
    ESTUARY_CHECK(reader.finish("authorityKeyIdentifier"));
    //= https://www.rfc-editor.org/rfc/rfc5280#appendix-A.2
    // # authorityCertIssuer and authorityCertSerialNumber MUST both be present or both be absent
    if (issuer.has_value() != serial.has_value())
        return fail(Code::malformed, "authorityKeyIdentifier: issuer and serial number are not both there");
    if (!identifier) return std::optional<Bytes>{};
    return std::optional<Bytes>{identifier->content};
}

// CertificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation
// PolicyInformation ::= SEQUENCE { policyIdentifier OID, policyQualifiers SEQUENCE OF PolicyQualifierInfo OPTIONAL }
Extension make_certificate_policies(const std::vector<der::Oid>& policies, const std::string& cps_uri) {
    return make(oid::certificate_policies, false, [&](der::Writer& writer) {
        writer.sequence([&] {
            for (const auto& policy : policies)
                writer.sequence([&] {
                    writer.oid(policy);
                    if (cps_uri.empty()) return;
                    writer.sequence([&] { writer.sequence([&] { writer.oid(oid::qt_cps).ia5_string(cps_uri); }); });
                });
        });
    });
}

// CRLDistributionPoints ::= SEQUENCE OF DistributionPoint, DistributionPoint ::= SEQUENCE {
//     distributionPoint [0] CHOICE { fullName [0] GeneralNames, … } OPTIONAL, … }
// All URIs lead to the same CRL, so they are names of one point.
Extension make_crl_distribution_points(const std::vector<std::string>& uris) {
    return make(oid::crl_distribution_points, false, [&](der::Writer& writer) {
        const auto full_name = [&] {
            for (const auto& uri : uris) write_uri(writer, uri);
        };
        const auto name = [&] { writer.constructed(der::context_constructed(0), full_name); };
        writer.sequence([&] { writer.sequence([&] { writer.constructed(der::context_constructed(0), name); }); });
    });
}

Extension make_ocsp_no_check() {
    return make(oid::ocsp_no_check, false, [](der::Writer& writer) { writer.null(); });
}

// AuthorityInfoAccessSyntax ::= SEQUENCE OF SEQUENCE { accessMethod OID, accessLocation GeneralName }
Extension make_authority_info_access(const std::vector<std::string>& ocsp_uris, const std::vector<std::string>& ca_issuer_uris) {
    return make(oid::authority_info_access, false, [&](der::Writer& writer) {
        const auto add = [&](const der::Oid& method, const std::string& uri) {
            writer.sequence([&] {
                writer.oid(method);
                write_uri(writer, uri);
            });
        };
        writer.sequence([&] {
            for (const auto& uri : ocsp_uris) add(oid::ad_ocsp, uri);
            for (const auto& uri : ca_issuer_uris) add(oid::ad_ca_issuers, uri);
        });
    });
}

// SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
Result<ByteVec> key_identifier(Bytes spki) {
    ESTUARY_TRY(auto reader, der::enter_only(spki, Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_CHECK(reader.element(Tag::sequence));
    ESTUARY_TRY(const auto key, reader.bit_string_octets());
    ESTUARY_CHECK(reader.finish("SubjectPublicKeyInfo"));
    const auto digest = crypto::sha1_for_identifiers(key);
    return to_vec(digest);
}

}  // namespace estuary::x509
