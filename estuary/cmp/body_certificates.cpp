#include "estuary/cmp/body_certificates.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

using x509::crmf::EncryptedKey;

Result<CertOrEncCert> read_cert_or_enc_cert(der::Reader& reader) {
    ESTUARY_TRY(auto certificate, codec::read_explicit(reader, 0, "certificate", CmpCertificate::read));
    if (certificate) return CertOrEncCert{std::move(*certificate)};
    ESTUARY_TRY(auto encrypted, codec::read_explicit(reader, 1, "encryptedCert", x509::crmf::read_encrypted_key));
    if (encrypted) return CertOrEncCert{std::move(*encrypted)};
    return fail(Code::malformed, "certOrEncCert is neither certificate nor encryptedCert");
}

Result<x509::crmf::PublicationInfo> read_publication_info(der::Reader& reader) {
    ESTUARY_TRY(const auto element, reader.element(der::Tag::sequence));
    return x509::crmf::PublicationInfo::parse(element.whole);
}

void write_encrypted_key(der::Writer& writer, unsigned number, const EncryptedKey& key) {
    codec::write_explicit(writer, number, [&] { x509::crmf::write_encrypted_key(writer, key); });
}

}  // namespace

Result<CertReqMessages> CertReqMessages::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto messages,
                codec::read_sequence_of(reader, {codec::at_least_one, limits.requests_max}, "CertReqMessages",
                                        [](der::Reader& list) { return x509::crmf::CertReqMsg::read(list); }));
    return CertReqMessages{std::move(messages)};
}

void CertReqMessages::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, messages, [&](const x509::crmf::CertReqMsg& message) { writer.raw(message.der()); });
}

Result<P10CertificationRequest> P10CertificationRequest::read(der::Reader& reader, const Limits&) {
    ESTUARY_TRY(const auto whole, reader.element(der::Tag::sequence));
    der::Reader fields{whole.content};
    ESTUARY_CHECK(fields.element(der::Tag::sequence));
    ESTUARY_CHECK(codec::read_algorithm(fields));
    ESTUARY_CHECK(fields.bit_string_octets());
    ESTUARY_CHECK(fields.finish("CertificationRequest"));
    return P10CertificationRequest{to_vec(whole.whole)};
}

void P10CertificationRequest::write(der::Writer& writer) const { writer.raw(der); }

Result<CertifiedKeyPair> CertifiedKeyPair::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    CertifiedKeyPair pair;
    ESTUARY_TRY(pair.cert_or_enc_cert, read_cert_or_enc_cert(fields));
    ESTUARY_TRY(pair.private_key, codec::read_explicit(fields, 0, "privateKey", x509::crmf::read_encrypted_key));
    ESTUARY_TRY(pair.publication_info, codec::read_explicit(fields, 1, "publicationInfo", read_publication_info));
    ESTUARY_CHECK(fields.finish("CertifiedKeyPair"));
    return pair;
}

void CertifiedKeyPair::write(der::Writer& writer) const {
    writer.sequence([&] {
        if (const auto* in_clear = certificate())
            codec::write_explicit(writer, 0, [&] { writer.raw(in_clear->der); });
        else
            write_encrypted_key(writer, 1, std::get<EncryptedKey>(cert_or_enc_cert));
        if (private_key) write_encrypted_key(writer, 0, *private_key);
        if (publication_info) codec::write_explicit(writer, 1, [&] { writer.raw(publication_info->encode()); });
    });
}

Result<CertResponse> CertResponse::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    CertResponse response;
    ESTUARY_TRY(response.cert_req_id, fields.integer());
    ESTUARY_TRY(response.status, PkiStatusInfo::read(fields, limits));
    if (fields.next_is(der::Tag::sequence)) {
        ESTUARY_TRY(response.certified_key_pair, CertifiedKeyPair::read(fields));
    }
    if (fields.next_is(der::Tag::octet_string)) {
        ESTUARY_TRY(const auto octets, fields.octet_string());
        response.rsp_info = to_vec(octets);
    }
    ESTUARY_CHECK(fields.finish("CertResponse"));
    return response;
}

void CertResponse::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(cert_req_id);
        status.write(writer);
        if (certified_key_pair) certified_key_pair->write(writer);
        if (rsp_info) writer.octet_string(*rsp_info);
    });
}

Result<CertRepMessage> CertRepMessage::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    CertRepMessage message;
    ESTUARY_TRY(auto ca_pubs, codec::read_explicit(fields, 1, "caPubs", [&](der::Reader& inner) {
                    return read_cmp_certificates(inner, limits.certificates_max, "caPubs");
                }));
    if (ca_pubs) message.ca_pubs = std::move(*ca_pubs);
    ESTUARY_TRY(message.responses, codec::read_sequence_of(fields, {0, limits.requests_max}, "CertRepMessage",
                                                           [&](der::Reader& list) { return CertResponse::read(list, limits); }));
    ESTUARY_CHECK(fields.finish("CertRepMessage"));
    return message;
}

void CertRepMessage::write(der::Writer& writer) const {
    writer.sequence([&] {
        if (!ca_pubs.empty()) codec::write_explicit(writer, 1, [&] { write_cmp_certificates(writer, ca_pubs); });
        codec::write_sequence_of(writer, responses, [&](const CertResponse& response) { response.write(writer); });
    });
}

Result<KeyRecRepContent> KeyRecRepContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    KeyRecRepContent content;
    ESTUARY_TRY(content.status, PkiStatusInfo::read(fields, limits));
    ESTUARY_TRY(content.new_sig_cert, codec::read_explicit(fields, 0, "newSigCert", CmpCertificate::read));
    ESTUARY_TRY(auto ca_certs, codec::read_explicit(fields, 1, "caCerts", [&](der::Reader& inner) {
                    return read_cmp_certificates(inner, limits.certificates_max, "caCerts");
                }));
    if (ca_certs) content.ca_certs = std::move(*ca_certs);
    ESTUARY_TRY(auto history, codec::read_explicit(fields, 2, "keyPairHist", [&](der::Reader& inner) {
                    return codec::read_sequence_of(inner, {codec::at_least_one, limits.requests_max}, "keyPairHist",
                                                   CertifiedKeyPair::read);
                }));
    if (history) content.key_pair_hist = std::move(*history);
    ESTUARY_CHECK(fields.finish("KeyRecRepContent"));
    return content;
}

void KeyRecRepContent::write(der::Writer& writer) const {
    writer.sequence([&] {
        status.write(writer);
        if (new_sig_cert) codec::write_explicit(writer, 0, [&] { writer.raw(new_sig_cert->der); });
        if (!ca_certs.empty()) codec::write_explicit(writer, 1, [&] { write_cmp_certificates(writer, ca_certs); });
        if (!key_pair_hist.empty())
            codec::write_explicit(writer, 2, [&] {
                codec::write_sequence_of(writer, key_pair_hist, [&](const CertifiedKeyPair& pair) { pair.write(writer); });
            });
    });
}

}  // namespace estuary::cmp
