#pragma once
// Every control of CMC as a value (RFC 10002 6), and the set of all of them.
#include "estuary/cmc/messages.h"
#include "estuary/store/records.h"
#include "estuary/x509/crmf_controls.h"
#include "estuary/x509/request.h"

namespace estuary::cmc {

constexpr std::size_t octets_control_max = 64 * 1024;  ///< a client's own state, or an answer to it

/// A control that is one OCTET STRING of at most 64 KiB.
template <const der::Oid& Type>
struct OctetsControl {
    static constexpr const der::Oid& type = Type;
    ByteVec octets;

    static Result<OctetsControl> read(der::Reader& reader) {
        ESTUARY_TRY(const auto content, reader.octet_string());
        if (content.size() > octets_control_max) return fail(Code::too_large, "an OCTET STRING of more than 64 KiB");
        return OctetsControl{to_vec(content)};
    }
    void write(der::Writer& writer) const { writer.octet_string(octets); }
    bool operator==(const OctetsControl&) const = default;
};
using IdentityProof = OctetsControl<oid::identity_proof>;  ///< the witness, with SHA-1 (6.2.2)
using DataReturn = OctetsControl<oid::data_return>;
using SenderNonce = OctetsControl<oid::sender_nonce>;
inline constexpr std::size_t nonce_octets = 16;  ///< of those that are made here (6.6)
using RecipientNonce = OctetsControl<oid::recipient_nonce>;
using RegInfo = OctetsControl<oid::reg_info>;
using ResponseInfo = OctetsControl<oid::response_info>;
using QueryPending = OctetsControl<oid::query_pending>;  ///< pendToken
using PopLinkRandom = OctetsControl<oid::pop_link_random>;
using PopLinkWitness = OctetsControl<oid::pop_link_witness>;  ///< an attribute of requests, with SHA-1 (6.3.1.2)

/// A control that is a list of bodyPartIDs: those of a batch, or a path to one part.
template <const der::Oid& Type>
struct BodyPartsControl {
    static constexpr const der::Oid& type = Type;
    std::vector<BodyPartId> parts;

    static Result<BodyPartsControl> read(der::Reader& reader) {
        ESTUARY_TRY(auto ids, read_body_part_ids(reader));
        return BodyPartsControl{std::move(ids)};
    }
    void write(der::Writer& writer) const { write_body_part_ids(writer, parts); }
    bool operator==(const BodyPartsControl&) const = default;
};
using BatchRequests = BodyPartsControl<oid::batch_requests>;
using BatchResponses = BodyPartsControl<oid::batch_responses>;
using RaIdentityWitness = BodyPartsControl<oid::ra_identity_witness>;  ///< a BodyPartPath
using ResponseBody = BodyPartsControl<oid::response_body>;             ///< a BodyPartPath

struct Identification {
    static constexpr const der::Oid& type = oid::identification;
    std::string name;

    static Result<Identification> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const Identification&) const = default;
};

struct TransactionId {
    static constexpr const der::Oid& type = oid::transaction_id;
    ByteVec number;  ///< INTEGER content octets, at most 64

    static Result<TransactionId> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const TransactionId&) const = default;
};

/// IdentityProofV2 and PopLinkWitnessV2: a MAC, and how its key comes from the shared secret.
template <const der::Oid& Type>
struct WitnessControl {
    static constexpr const der::Oid& type = Type;
    ByteVec key_algorithm;  ///< whole AlgorithmIdentifier: a digest, or for POP linking also a key derivation
    ByteVec mac_algorithm;  ///< whole AlgorithmIdentifier
    ByteVec witness;

    static Result<WitnessControl> read(der::Reader& reader) {
        ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
        WitnessControl control;
        ESTUARY_TRY(const auto key_algorithm, x509::read_algorithm_identifier(fields));
        ESTUARY_TRY(const auto mac_algorithm, x509::read_algorithm_identifier(fields));
        ESTUARY_TRY(const auto witness, fields.octet_string());
        ESTUARY_CHECK(fields.finish("a witness"));
        return WitnessControl{to_vec(key_algorithm), to_vec(mac_algorithm), to_vec(witness)};
    }
    void write(der::Writer& writer) const {
        writer.sequence([&] { writer.raw(key_algorithm).raw(mac_algorithm).octet_string(witness); });
    }
    bool operator==(const WitnessControl&) const = default;
};
using IdentityProofV2 = WitnessControl<oid::identity_proof_v2>;
using PopLinkWitnessV2 = WitnessControl<oid::pop_link_witness_v2>;  ///< an attribute of requests

struct AddExtensions {
    static constexpr const der::Oid& type = oid::add_extensions;
    BodyPartId pki_data = 0;  ///< the nested request, or 0
    std::vector<BodyPartId> requests;
    std::vector<x509::Extension> extensions;

    static Result<AddExtensions> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const AddExtensions&) const = default;
};

struct ModCertTemplate {
    static constexpr const der::Oid& type = oid::mod_cert_template;
    BodyPartPath pki_data;
    std::vector<BodyPartId> requests;
    bool replace = true;  ///< false: what the template has is taken away
    x509::crmf::CertTemplate cert_template;

    static Result<ModCertTemplate> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const ModCertTemplate&) const = default;
};

struct EncryptedPop {
    static constexpr const der::Oid& type = oid::encrypted_pop;
    TaggedRequest request;
    ByteVec cms;                ///< whole ContentInfo: EnvelopedData of the POP Proof Value
    ByteVec pop_algorithm;      ///< whole AlgorithmIdentifier of a MAC
    ByteVec witness_algorithm;  ///< whole AlgorithmIdentifier of a digest
    ByteVec witness;

    static Result<EncryptedPop> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const EncryptedPop&) const = default;
};

struct DecryptedPop {
    static constexpr const der::Oid& type = oid::decrypted_pop;
    BodyPartId request = 0;
    ByteVec pop_algorithm;  ///< whole AlgorithmIdentifier of a MAC
    ByteVec pop;

    static Result<DecryptedPop> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const DecryptedPop&) const = default;
};

struct LraPopWitness {
    static constexpr const der::Oid& type = oid::lra_pop_witness;
    BodyPartId pki_data = 0;  ///< the nested request, or 0
    std::vector<BodyPartId> requests;

    static Result<LraPopWitness> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const LraPopWitness&) const = default;
};

struct GetCert {
    static constexpr const der::Oid& type = oid::get_cert;
    x509::GeneralName issuer;
    ByteVec serial_number;  ///< INTEGER content octets

    static Result<GetCert> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const GetCert&) const = default;
};

struct GetCrl {
    static constexpr const der::Oid& type = oid::get_crl;
    x509::Name issuer;
    std::optional<x509::GeneralName> crl_name;
    std::optional<Time> time;
    std::optional<std::uint32_t> reasons;  ///< ReasonFlags, bit 0 first

    static Result<GetCrl> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const GetCrl&) const = default;
};

struct RevokeRequest {
    static constexpr const der::Oid& type = oid::revoke_request;
    x509::Name issuer;
    ByteVec serial_number;  ///< INTEGER content octets
    store::RevocationReason reason{};
    std::optional<Time> invalidity_date;
    std::optional<ByteVec> shared_secret;  ///< "passphrase" in the module
    std::optional<std::string> comment;

    static Result<RevokeRequest> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const RevokeRequest&) const = default;
};

struct ConfirmCertAcceptance {
    static constexpr const der::Oid& type = oid::confirm_cert_acceptance;
    x509::Name issuer;
    ByteVec serial_number;  ///< INTEGER content octets

    static Result<ConfirmCertAcceptance> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const ConfirmCertAcceptance&) const = default;
};

struct PublishTrustAnchors {
    static constexpr const der::Oid& type = oid::trusted_anchors;
    std::int64_t sequence_number = 0;
    ByteVec hash_algorithm;  ///< whole AlgorithmIdentifier
    std::vector<ByteVec> anchor_hashes;

    static Result<PublishTrustAnchors> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const PublishTrustAnchors&) const = default;
};

struct AuthData {
    static constexpr const der::Oid& type = oid::auth_data;
    BodyPartId content = 0;  ///< AuthenticatedData in cmsSequence

    static Result<AuthData> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const AuthData&) const = default;
};

struct PublishCert {
    static constexpr const der::Oid& type = oid::publish_cert;
    ByteVec hash_algorithm;  ///< whole AlgorithmIdentifier
    std::vector<ByteVec> certificate_hashes;
    x509::crmf::PublicationInfo info;

    static Result<PublishCert> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const PublishCert&) const = default;
};

struct ControlProcessed {
    static constexpr const der::Oid& type = oid::control_processed;
    std::vector<BodyPartReference> controls;

    static Result<ControlProcessed> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const ControlProcessed&) const = default;
};

/// A control that is none of RFC 10002's.
struct UnknownControl {
    der::Oid type;
    bool operator==(const UnknownControl&) const = default;
};

/// All there are. Whoever visits it decides on each of them, or does not compile (bug class 1).
using Control =
    std::variant<StatusInfo, StatusInfoV2, Identification, IdentityProof, IdentityProofV2, DataReturn, TransactionId, SenderNonce,
                 RecipientNonce, AddExtensions, ModCertTemplate, EncryptedPop, DecryptedPop, LraPopWitness, GetCert, GetCrl,
                 RevokeRequest, RegInfo, ResponseInfo, QueryPending, PopLinkRandom, PopLinkWitness, PopLinkWitnessV2,
                 ConfirmCertAcceptance, PublishTrustAnchors, AuthData, BatchRequests, BatchResponses, PublishCert,
                 ControlProcessed, RaIdentityWitness, ResponseBody, UnknownControl>;

/// The one value of a control, whose type says what it is. malformed: also none, or several; too_large.
Result<Control> read_control(const TaggedAttribute& attribute);
/// A control of one value. Not for UnknownControl.
template <class Value>
TaggedAttribute make_control(BodyPartId id, const Value& value) {
    der::Writer writer;
    value.write(writer);
    return {id, Value::type, {std::move(writer).take()}};
}

/// The value of the one control of that type in a message; nothing if there is none. malformed: several.
template <class Value, class Message>
Result<std::optional<Value>> find_control(const Message& message) {
    const TaggedAttribute* found = nullptr;
    for (const auto& control : message.controls) {
        if (control.type != Value::type) continue;
        if (found != nullptr) return fail(Code::malformed, "a control that may be there once occurs twice");
        found = &control;
    }
    if (found == nullptr) return std::optional<Value>{};
    ESTUARY_TRY(auto value, read_control(*found));
    return std::optional<Value>{std::get<Value>(std::move(value))};
}

/// The attribute of a certification request with a POP link witness (6.3.1.1).
template <class Value>
x509::Attribute make_request_attribute(const Value& value) {
    der::Writer writer;
    value.write(writer);
    return {Value::type, {std::move(writer).take()}};
}

}  // namespace estuary::cmc
