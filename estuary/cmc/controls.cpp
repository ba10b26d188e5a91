#include "estuary/cmc/controls.h"

#include <fmt/format.h>

#include "estuary/cms/identifier.h"

namespace estuary::cmc {
namespace {

using der::Tag;

constexpr std::size_t name_octets_max = 255;  // as user names of other protocols
constexpr std::size_t transaction_octets_max = 64;
constexpr std::size_t serial_octets_max = 21;  // RFC 5280 4.1.2.2: 20, and a sign
constexpr std::size_t secret_octets_max = 1024;
constexpr std::size_t hashes_max = 256;
constexpr std::size_t hash_octets_max = 64;

Result<ByteVec> read_serial_number(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.integer_octets());
    if (octets.size() > serial_octets_max) return fail(Code::too_large, "serialNumber: longer than 20 octets");
    return to_vec(octets);
}

void write_integer(der::Writer& writer, Bytes content) { writer.primitive(Tag::integer, content); }

/// SEQUENCE OF OCTET STRING
Result<std::vector<ByteVec>> read_hashes(der::Reader& reader) {
    ESTUARY_TRY(auto list, reader.enter(Tag::sequence));
    std::vector<ByteVec> hashes;
    while (!list.empty()) {
        if (hashes.size() == hashes_max) return fail(Code::too_large, "more than 256 hashes");
        ESTUARY_TRY(const auto hash, list.octet_string());
        if (hash.empty() || hash.size() > hash_octets_max) return fail(Code::malformed, "a hash of no octets, or of more than 64");
        hashes.push_back(to_vec(hash));
    }
    return hashes;
}

void write_hashes(der::Writer& writer, const std::vector<ByteVec>& hashes) {
    writer.sequence([&] {
        for (const auto& hash : hashes) writer.octet_string(hash);
    });
}

/// CRLReason ::= ENUMERATED; 7 is not used (RFC 5280 5.3.1).
Result<store::RevocationReason> read_reason(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.content(Tag::enumerated));
    if (octets.size() != 1 || octets[0] > 10 || octets[0] == 7) return fail(Code::malformed, "reason: no CRLReason of RFC 5280");
    return static_cast<store::RevocationReason>(octets[0]);
}

bool is_context(std::optional<Tag> tag) { return tag && (static_cast<std::uint8_t>(*tag) & 0xC0) == 0x80; }

template <class... Known>
Result<Control> read_one_of(const TaggedAttribute& attribute, std::variant<Known...>*) {
    std::optional<Result<Control>> read;
    const auto attempt = [&]<class Value>(std::type_identity<Value>) {
        if constexpr (!std::is_same_v<Value, UnknownControl>) {
            if (read || attribute.type != Value::type) return;
            if (attribute.values.size() != 1) {
                read = fail(Code::malformed, "not exactly one value");
                return;
            }
            der::Reader reader{attribute.values.front(), {.bytes_max = Limits{}.bytes_max}};
            auto value = Value::read(reader);
            if (!value) {
                read = fail(std::move(value).error());
            } else if (auto end = reader.finish("a control"); !end) {
                read = fail(std::move(end).error());
            } else {
                read = Control{std::move(*value)};
            }
        }
    };
    (attempt(std::type_identity<Known>{}), ...);
    if (!read) return Control{UnknownControl{attribute.type}};
    return std::move(*read);
}

}  // namespace

Result<Control> read_control(const TaggedAttribute& attribute) {
    auto control = read_one_of(attribute, static_cast<Control*>(nullptr));
    if (!control) return fail(in_context(fmt::format("control {}", attribute.type.dotted()), std::move(control).error()));
    return control;
}

Result<Identification> Identification::read(der::Reader& reader) {
    ESTUARY_TRY(auto name, read_text(reader, "identification", name_octets_max));
    return Identification{std::move(name)};
}

void Identification::write(der::Writer& writer) const { writer.utf8_string(name); }

Result<TransactionId> TransactionId::read(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.integer_octets());
    if (octets.size() > transaction_octets_max) return fail(Code::too_large, "transactionId: longer than 64 octets");
    return TransactionId{to_vec(octets)};
}

void TransactionId::write(der::Writer& writer) const { write_integer(writer, number); }

// AddExtensions ::= SEQUENCE { pkiDataReference BodyPartID, certReferences SEQUENCE OF BodyPartID,
//     extensions SEQUENCE OF Extension }
Result<AddExtensions> AddExtensions::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    AddExtensions control;
    ESTUARY_TRY(control.pki_data, read_body_part_id(fields));
    ESTUARY_TRY(control.requests, read_body_part_ids(fields, true));
    ESTUARY_TRY(const auto extensions, fields.element(Tag::sequence));
    ESTUARY_CHECK(fields.finish("AddExtensions"));
    if (extensions.content.empty()) return control;
    ESTUARY_TRY(control.extensions, x509::parse_extensions(extensions.whole));
    return control;
}

void AddExtensions::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(pki_data);
        write_body_part_ids(writer, requests);
        x509::write_extensions(writer, extensions);
    });
}

// ModCertTemplate ::= SEQUENCE { pkiDataReference BodyPartPath, certReferences BodyPartList, replace BOOLEAN DEFAULT TRUE,
//     certTemplate CertTemplate }
Result<ModCertTemplate> ModCertTemplate::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    ModCertTemplate control;
    ESTUARY_TRY(control.pki_data, read_body_part_ids(fields));
    ESTUARY_TRY(control.requests, read_body_part_ids(fields));
    if (fields.next_is(Tag::boolean)) {
        ESTUARY_TRY(control.replace, fields.boolean());
        if (control.replace) return fail(Code::malformed, "replace: TRUE is the default, which DER leaves out");
    }
    ESTUARY_TRY(control.cert_template, x509::crmf::CertTemplate::read(fields));
    ESTUARY_CHECK(fields.finish("ModCertTemplate"));
    return control;
}

void ModCertTemplate::write(der::Writer& writer) const {
    writer.sequence([&] {
        write_body_part_ids(writer, pki_data);
        write_body_part_ids(writer, requests);
        if (!replace) writer.boolean(false);
        cert_template.write(writer);
    });
}

// EncryptedPOP ::= SEQUENCE { request TaggedRequest, cms ContentInfo, thePOPAlgID AlgorithmIdentifier,
//     witnessAlgID AlgorithmIdentifier, witness OCTET STRING }
Result<EncryptedPop> EncryptedPop::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    EncryptedPop control;
    ESTUARY_TRY(control.request, TaggedRequest::read(fields));
    ESTUARY_TRY(const auto cms, fields.element(Tag::sequence));
    control.cms = to_vec(cms.whole);
    ESTUARY_TRY(const auto pop, x509::read_algorithm_identifier(fields));
    control.pop_algorithm = to_vec(pop);
    ESTUARY_TRY(const auto witness, x509::read_algorithm_identifier(fields));
    control.witness_algorithm = to_vec(witness);
    ESTUARY_TRY(const auto octets, fields.octet_string());
    control.witness = to_vec(octets);
    ESTUARY_CHECK(fields.finish("EncryptedPOP"));
    return control;
}

void EncryptedPop::write(der::Writer& writer) const {
    writer.sequence([&] {
        request.write(writer);
        writer.raw(cms).raw(pop_algorithm).raw(witness_algorithm).octet_string(witness);
    });
}

// DecryptedPOP ::= SEQUENCE { bodyPartID BodyPartID, thePOPAlgID AlgorithmIdentifier, thePOP OCTET STRING }
Result<DecryptedPop> DecryptedPop::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    DecryptedPop control;
    ESTUARY_TRY(control.request, read_body_part_id(fields));
    ESTUARY_TRY(const auto algorithm, x509::read_algorithm_identifier(fields));
    control.pop_algorithm = to_vec(algorithm);
    ESTUARY_TRY(const auto octets, fields.octet_string());
    control.pop = to_vec(octets);
    ESTUARY_CHECK(fields.finish("DecryptedPOP"));
    return control;
}

void DecryptedPop::write(der::Writer& writer) const {
    writer.sequence([&] { writer.integer(request).raw(pop_algorithm).octet_string(pop); });
}

// LraPopWitness ::= SEQUENCE { pkiDataBodyid BodyPartID, bodyIds SEQUENCE OF BodyPartID }
Result<LraPopWitness> LraPopWitness::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    LraPopWitness control;
    ESTUARY_TRY(control.pki_data, read_body_part_id(fields));
    ESTUARY_TRY(control.requests, read_body_part_ids(fields, true));
    ESTUARY_CHECK(fields.finish("LraPopWitness"));
    return control;
}

void LraPopWitness::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(pki_data);
        write_body_part_ids(writer, requests);
    });
}

// GetCert ::= SEQUENCE { issuerName GeneralName, serialNumber INTEGER }
Result<GetCert> GetCert::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    GetCert control;
    ESTUARY_TRY(control.issuer, x509::GeneralName::read(fields));
    ESTUARY_TRY(control.serial_number, read_serial_number(fields));
    ESTUARY_CHECK(fields.finish("GetCert"));
    return control;
}

void GetCert::write(der::Writer& writer) const {
    writer.sequence([&] {
        issuer.write(writer);
        write_integer(writer, serial_number);
    });
}

// GetCRL ::= SEQUENCE { issuerName Name, cRLName GeneralName OPTIONAL, time GeneralizedTime OPTIONAL,
//     reasons ReasonFlags OPTIONAL }
Result<GetCrl> GetCrl::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    GetCrl control;
    ESTUARY_TRY(control.issuer, x509::Name::read(fields));
    if (is_context(fields.peek())) {
        ESTUARY_TRY(control.crl_name, x509::GeneralName::read(fields));
    }
    if (fields.next_is(Tag::generalized_time)) {
        ESTUARY_TRY(control.time, fields.generalized_time());
    }
    if (fields.next_is(Tag::bit_string)) {
        ESTUARY_TRY(control.reasons, fields.named_bits());
    }
    ESTUARY_CHECK(fields.finish("GetCRL"));
    return control;
}

void GetCrl::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.raw(issuer.der());
        if (crl_name) crl_name->write(writer);
        if (time) writer.generalized_time(*time);
        if (reasons) writer.named_bits(*reasons);
    });
}

// RevokeRequest ::= SEQUENCE { issuerName Name, serialNumber INTEGER, reason CRLReason, invalidityDate GeneralizedTime OPTIONAL,
//     passphrase OCTET STRING OPTIONAL, comment UTF8String OPTIONAL }
Result<RevokeRequest> RevokeRequest::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    RevokeRequest control;
    ESTUARY_TRY(control.issuer, x509::Name::read(fields));
    ESTUARY_TRY(control.serial_number, read_serial_number(fields));
    ESTUARY_TRY(control.reason, read_reason(fields));
    if (fields.next_is(Tag::generalized_time)) {
        ESTUARY_TRY(control.invalidity_date, fields.generalized_time());
    }
    if (fields.next_is(Tag::octet_string)) {
        ESTUARY_TRY(const auto secret, fields.octet_string());
        if (secret.size() > secret_octets_max) return fail(Code::too_large, "sharedSecret: longer than 1024 octets");
        control.shared_secret = to_vec(secret);
    }
    if (fields.next_is(Tag::utf8_string)) {
        ESTUARY_TRY(control.comment, read_text(fields, "comment"));
    }
    ESTUARY_CHECK(fields.finish("RevokeRequest"));
    return control;
}

void RevokeRequest::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.raw(issuer.der());
        write_integer(writer, serial_number);
        const auto number = static_cast<std::uint8_t>(reason);
        writer.primitive(Tag::enumerated, {&number, 1});
        if (invalidity_date) writer.generalized_time(*invalidity_date);
        if (shared_secret) writer.octet_string(*shared_secret);
        if (comment) writer.utf8_string(*comment);
    });
}

// CMCCertId ::= IssuerAndSerialNumber
Result<ConfirmCertAcceptance> ConfirmCertAcceptance::read(der::Reader& reader) {
    ESTUARY_TRY(auto id, cms::read_issuer_and_serial(reader));
    return ConfirmCertAcceptance{std::move(id.issuer), std::move(id.serial_number)};
}

void ConfirmCertAcceptance::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.raw(issuer.der());
        write_integer(writer, serial_number);
    });
}

// PublishTrustAnchors ::= SEQUENCE { seqNumber INTEGER, hashAlgorithm AlgorithmIdentifier, anchorHashes SEQUENCE OF OCTET STRING
// }
Result<PublishTrustAnchors> PublishTrustAnchors::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    PublishTrustAnchors control;
    ESTUARY_TRY(control.sequence_number, fields.integer());
    ESTUARY_TRY(const auto algorithm, x509::read_algorithm_identifier(fields));
    control.hash_algorithm = to_vec(algorithm);
    ESTUARY_TRY(control.anchor_hashes, read_hashes(fields));
    ESTUARY_CHECK(fields.finish("PublishTrustAnchors"));
    return control;
}

void PublishTrustAnchors::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(sequence_number).raw(hash_algorithm);
        write_hashes(writer, anchor_hashes);
    });
}

Result<AuthData> AuthData::read(der::Reader& reader) {
    ESTUARY_TRY(const auto id, read_body_part_id(reader));
    return AuthData{id};
}

void AuthData::write(der::Writer& writer) const { writer.integer(content); }

// CMCPublicationInfo ::= SEQUENCE { hashAlg AlgorithmIdentifier, certHashes SEQUENCE OF OCTET STRING, pubInfo PKIPublicationInfo
// }
Result<PublishCert> PublishCert::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    PublishCert control;
    ESTUARY_TRY(const auto algorithm, x509::read_algorithm_identifier(fields));
    control.hash_algorithm = to_vec(algorithm);
    ESTUARY_TRY(control.certificate_hashes, read_hashes(fields));
    ESTUARY_TRY(const auto info, fields.element(Tag::sequence));
    ESTUARY_TRY(control.info, x509::crmf::PublicationInfo::parse(info.whole));
    ESTUARY_CHECK(fields.finish("CMCPublicationInfo"));
    return control;
}

void PublishCert::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.raw(hash_algorithm);
        write_hashes(writer, certificate_hashes);
        writer.raw(info.encode());
    });
}

// ControlsProcessed ::= SEQUENCE { bodyList SEQUENCE SIZE(1..MAX) OF BodyPartReference }
Result<ControlProcessed> ControlProcessed::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    ControlProcessed control;
    ESTUARY_TRY(control.controls, read_body_part_references(fields));
    ESTUARY_CHECK(fields.finish("ControlsProcessed"));
    return control;
}

void ControlProcessed::write(der::Writer& writer) const {
    writer.sequence([&] { write_body_part_references(writer, controls); });
}

}  // namespace estuary::cmc
