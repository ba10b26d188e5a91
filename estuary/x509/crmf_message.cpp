// CertReqMsg and ProofOfPossession, read and written.
#include <fmt/format.h>

#include "estuary/x509/crmf_parts.h"

namespace estuary::x509::crmf {
namespace {

using der::context;
using der::context_constructed;
using der::Reader;
using der::Tag;
using der::Writer;

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

tl::unexpected<Error> malformed_cert_req_msg(std::string detail) {
    return fail(Code::malformed, "CertReqMsg: " + std::move(detail));
}

/// A SEQUENCE under another tag, as a SEQUENCE.
Result<ByteVec> implicit_sequence(Reader& reader, Tag tag) {
    ESTUARY_TRY(const auto content, reader.content(tag));
    return with_tag(Tag::sequence, content);
}

// POPOSigningKeyInput ::= SEQUENCE { authInfo CHOICE { sender [0] GeneralName, publicKeyMAC PKMACValue },
//     publicKey SubjectPublicKeyInfo } -- GeneralName is a CHOICE: EXPLICIT
Result<PopoSigningKeyInput> read_input(Reader fields) {
    PopoSigningKeyInput input;
    ESTUARY_TRY(auto sender, fields.enter_if(context_constructed(0)));
    if (sender) {
        ESTUARY_TRY(input.auth_info, GeneralName::read(*sender));
        ESTUARY_CHECK(sender->finish("sender"));
    } else {
        ESTUARY_TRY(input.auth_info, read_pk_mac_value(fields));
    }
    ESTUARY_TRY(input.public_key, implicit_spki(fields, Tag::sequence));
    ESTUARY_CHECK(fields.finish("POPOSigningKeyInput"));
    return input;
}

// POPOSigningKey ::= SEQUENCE { poposkInput [0] POPOSigningKeyInput OPTIONAL, algorithmIdentifier, signature BIT STRING }
Result<PopoSigningKey> read_signing_key(Reader fields, ByteVec& input_der) {
    PopoSigningKey proof;
    ESTUARY_TRY(const auto input, fields.element_if(context_constructed(0)));
    if (input) {
        ESTUARY_TRY(proof.input, read_input(Reader{input->content}));
        input_der = with_tag(Tag::sequence, input->content);
    }
    ESTUARY_TRY(proof.algorithm_identifier, implicit_algorithm(fields, Tag::sequence));
    ESTUARY_TRY(const auto signature, fields.bit_string_octets());
    proof.signature = to_vec(signature);
    ESTUARY_CHECK(fields.finish("POPOSigningKey"));
    return proof;
}

Result<PopoPrivKey> read_subsequent_message(Reader& fields) {
    ESTUARY_TRY(const auto number, implicit_integer(fields, context(1)));
    if (number == 0) return SubsequentMessage::encr_cert;
    if (number == 1) return SubsequentMessage::challenge_resp;
    return malformed_cert_req_msg(fmt::format("subsequentMessage {} is neither encrCert(0) nor challengeResp(1)", number));
}

// POPOPrivKey ::= CHOICE { thisMessage [0] BIT STRING, subsequentMessage [1] SubsequentMessage, dhMAC [2] BIT STRING,
//     agreeMAC [3] PKMACValue, encryptedKey [4] EnvelopedData } -- itself behind an EXPLICIT tag
Result<PopoPrivKey> read_priv_key(Reader& fields) {
    const auto tag = fields.peek();
    if (tag == context(0)) {
        ESTUARY_TRY(auto octets, implicit_bit_string(fields, context(0)));
        return ThisMessage{std::move(octets)};
    }
    if (tag == context(1)) return read_subsequent_message(fields);
    if (tag == context(2)) {
        ESTUARY_TRY(auto octets, implicit_bit_string(fields, context(2)));
        return DhMac{std::move(octets)};
    }
    if (tag == context_constructed(3)) {
        ESTUARY_TRY(auto mac, read_pk_mac_value(fields, context_constructed(3)));
        return AgreeMac{std::move(mac)};
    }
    if (tag == context_constructed(4)) {
        ESTUARY_TRY(auto enveloped, implicit_sequence(fields, context_constructed(4)));
        return EncryptedKeyProof{std::move(enveloped)};
    }
    return malformed_cert_req_msg("POPOPrivKey is none of its choices");
}

template <class Proof>
Result<ProofOfPossession> read_decryption(Reader fields) {
    ESTUARY_TRY(auto proof, read_priv_key(fields));
    ESTUARY_CHECK(fields.finish("POPOPrivKey"));
    return Proof{std::move(proof)};
}

// ProofOfPossession ::= CHOICE { raVerified [0] NULL, signature [1] POPOSigningKey, keyEncipherment [2] POPOPrivKey,
//     keyAgreement [3] POPOPrivKey }
Result<std::optional<ProofOfPossession>> read_popo(Reader& fields, ByteVec& input_der) {
    const auto tag = fields.peek();
    if (!tag || tag == Tag::sequence) return std::optional<ProofOfPossession>{};  // the end, or regInfo
    ESTUARY_TRY(const auto element, fields.any());
    const Reader content{element.content};
    if (tag == context(0)) {
        ESTUARY_CHECK(content.finish("raVerified"));
        return std::optional<ProofOfPossession>{RaVerified{}};
    }
    if (tag == context_constructed(1)) return read_signing_key(content, input_der);
    if (tag == context_constructed(2)) return read_decryption<KeyEncipherment>(content);
    if (tag == context_constructed(3)) return read_decryption<KeyAgreementProof>(content);
    return malformed_cert_req_msg("ProofOfPossession is none of its choices");
}

void write_input(Writer& writer, Tag tag, const PopoSigningKeyInput& input) {
    writer.constructed(tag, [&] {
        std::visit(Overloaded{[&](const GeneralName& sender) {
                                  writer.constructed(context_constructed(0), [&] { sender.write(writer); });
                              },
                              [&](const PkMacValue& mac) { write_pk_mac_value(writer, mac); }},
                   input.auth_info);
        writer.raw(input.public_key);
    });
}

void write_priv_key(Writer& writer, Tag tag, const PopoPrivKey& proof) {
    const Overloaded write{
        [&](const ThisMessage& message) { write_bit_string(writer, context(0), message.octets); },
        [&](SubsequentMessage message) {
            const auto number = static_cast<std::uint8_t>(message);
            writer.primitive(context(1), {&number, 1});
        },
        [&](const DhMac& mac) { write_bit_string(writer, context(2), mac.octets); },
        [&](const AgreeMac& mac) { write_pk_mac_value(writer, mac.mac, context_constructed(3)); },
        [&](const EncryptedKeyProof& key) { write_with_tag(writer, context_constructed(4), key.enveloped_data); }};
    writer.constructed(tag, [&] { std::visit(write, proof); });
}

void write_popo(Writer& writer, const ProofOfPossession& popo) {
    std::visit(Overloaded{[&](const RaVerified&) { writer.primitive(context(0), {}); },
                          [&](const PopoSigningKey& proof) {
                              writer.constructed(context_constructed(1), [&] {
                                  if (proof.input) write_input(writer, context_constructed(0), *proof.input);
                                  writer.raw(proof.algorithm_identifier).bit_string(proof.signature);
                              });
                          },
                          [&](const KeyEncipherment& proof) { write_priv_key(writer, context_constructed(2), proof.proof); },
                          [&](const KeyAgreementProof& proof) { write_priv_key(writer, context_constructed(3), proof.proof); }},
               popo);
}

}  // namespace

// PKMACValue ::= SEQUENCE { algId AlgorithmIdentifier, value BIT STRING }
Result<PkMacValue> read_pk_mac_value(Reader& reader, Tag tag) {
    ESTUARY_TRY(auto fields, reader.enter(tag));
    PkMacValue mac;
    ESTUARY_TRY(mac.algorithm, implicit_algorithm(fields, Tag::sequence));
    ESTUARY_TRY(const auto value, fields.bit_string_octets());
    mac.value = to_vec(value);
    ESTUARY_CHECK(fields.finish("PKMACValue"));
    return mac;
}

void write_pk_mac_value(Writer& writer, const PkMacValue& value, Tag tag) {
    writer.constructed(tag, [&] { writer.raw(value.algorithm).bit_string(value.value); });
}

ByteVec encode_signing_key_input(const PopoSigningKeyInput& input) {
    Writer writer;
    write_input(writer, Tag::sequence, input);
    return std::move(writer).take();
}

struct CertReqMsg::Fields {
    ByteVec der;
    Bytes cert_req_der;  // into `der`
    CertRequest cert_req;
    std::optional<ProofOfPossession> popo;
    ByteVec popo_input_der;
    std::vector<Control> reg_info;
};

// CertReqMsg ::= SEQUENCE { certReq CertRequest, popo ProofOfPossession OPTIONAL,
//     regInfo SEQUENCE SIZE (1..MAX) OF AttributeTypeAndValue OPTIONAL }
Result<CertReqMsg> CertReqMsg::parse(Bytes der) {
    if (der.size() > message_bytes_max)
        return fail(Code::too_large, fmt::format("CertReqMsg: larger than {} octets", message_bytes_max));
    ESTUARY_CHECK(der::check_der(der, "CertReqMsg"));  // to the bottom, so that what is kept as it is need not be
    auto parsed = std::make_shared<Fields>();
    parsed->der = to_vec(der);
    ESTUARY_TRY(auto fields, der::enter_only(parsed->der, Tag::sequence, "CertReqMsg"));
    ESTUARY_TRY(const auto cert_req, fields.element(Tag::sequence));
    parsed->cert_req_der = cert_req.whole;
    Reader whole{cert_req.whole};
    ESTUARY_TRY(parsed->cert_req, CertRequest::read(whole));
    ESTUARY_TRY(parsed->popo, read_popo(fields, parsed->popo_input_der));
    ESTUARY_TRY(const auto reg_info, fields.enter_if(Tag::sequence));
    if (reg_info) {
        ESTUARY_TRY(parsed->reg_info, read_controls(*reg_info, "regInfo"));
    }
    ESTUARY_CHECK(fields.finish("CertReqMsg"));
    return CertReqMsg{std::move(parsed)};
}

Result<CertReqMsg> CertReqMsg::read(Reader& reader, Tag tag) {
    ESTUARY_TRY(const auto element, reader.element(tag));
    if (tag == Tag::sequence) return parse(element.whole);
    return parse(with_tag(Tag::sequence, element.content));
}

Bytes CertReqMsg::der() const noexcept { return fields_->der; }
const CertRequest& CertReqMsg::cert_req() const noexcept { return fields_->cert_req; }
Bytes CertReqMsg::cert_req_der() const noexcept { return fields_->cert_req_der; }
const std::optional<ProofOfPossession>& CertReqMsg::popo() const noexcept { return fields_->popo; }
Bytes CertReqMsg::popo_input_der() const noexcept { return fields_->popo_input_der; }
const std::vector<Control>& CertReqMsg::reg_info() const noexcept { return fields_->reg_info; }

Result<std::vector<CertReqMsg>> parse_cert_req_messages(Bytes der, std::size_t count_max) {
    ESTUARY_TRY(auto list, der::enter_only(der, Tag::sequence, "CertReqMessages"));
    std::vector<CertReqMsg> messages;
    while (!list.empty()) {
        if (messages.size() == count_max)
            return fail(Code::too_large, fmt::format("CertReqMessages: more than {} requests", count_max));
        ESTUARY_TRY(auto message, CertReqMsg::read(list));
        messages.push_back(std::move(message));
    }
    if (messages.empty()) return fail(Code::malformed, "CertReqMessages is empty");
    return messages;
}

ByteVec encode_cert_req_messages(const std::vector<ByteVec>& messages) {
    Writer writer;
    writer.sequence([&] {
        for (const auto& message : messages) writer.raw(message);
    });
    return std::move(writer).take();
}

ByteVec encode_cert_req_msg(Bytes cert_req, const std::optional<ProofOfPossession>& popo, const std::vector<Control>& reg_info) {
    Writer writer;
    writer.sequence([&] {
        writer.raw(cert_req);
        if (popo) write_popo(writer, *popo);
        write_controls(writer, reg_info);
    });
    return std::move(writer).take();
}

}  // namespace estuary::x509::crmf
