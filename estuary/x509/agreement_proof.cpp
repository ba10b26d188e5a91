#include "estuary/x509/agreement_proof.h"

#include <fmt/format.h>

#include "estuary/crypto/agreement_mac.h"

namespace estuary::x509 {
namespace {

using crypto::AgreementMac;
using der::Tag;

/// What goes around ZZ: the names of the verifier's certificate. One without them would have to use its alternative names (RFC 4211
/// 4.3), and nothing says how those are written.
Result<void> check_agreement_names(const Certificate& certificate) {
    if (certificate.subject().empty() || certificate.issuer().empty())
        return fail(Code::unsupported, "static ECDH with a certificate that has no subject or issuer name");
    return {};
}

Result<crypto::Secret> proof_key(const AgreementMac& use, const crypto::PrivateKey& own, const crypto::PublicKey& other,
                                 const Certificate& verifier) {
    if (use.kind == AgreementMac::Kind::dh_based_mac) return crypto::agreement_mac_key(use, own, other);
    if (other.kind() != crypto::KeyKind::ec)
        return fail(Code::unsupported, fmt::format("static ECDH (RFC 6955) is for EC keys; one of type {} uses DHBasedMac", other.type_name()));
    ESTUARY_CHECK(check_agreement_names(verifier));
    return crypto::agreement_mac_key(use, own, other, verifier.subject().der(), verifier.issuer().der());
}

// DhSigStatic ::= SEQUENCE { issuerAndSerial IssuerAndSerialNumber OPTIONAL, hashValue MessageDigest } -- an OCTET STRING
Result<ByteVec> read_dh_sig_static(Bytes value, const Certificate& own) {
    ESTUARY_TRY(auto fields, der::enter_only(value, Tag::sequence, "DhSigStatic"));
    ESTUARY_TRY(auto named, fields.enter_if(Tag::sequence));
    if (named) {
        ESTUARY_TRY(const auto issuer, Name::read(*named));
        ESTUARY_TRY(const auto serial_number, named->integer_octets());
        ESTUARY_CHECK(named->finish("IssuerAndSerialNumber"));
        if (!same(serial_number, own.serial_number()) || !issuer.matches(own.issuer()))
            return fail(Code::bad_proof, "proof of possession: it is made for another certificate than that of the agreement key here");
    }
    ESTUARY_TRY(const auto hash, fields.octet_string());
    ESTUARY_CHECK(fields.finish("DhSigStatic"));
    return to_vec(hash);
}

ByteVec encode_dh_sig_static(Bytes hash, const Certificate& recipient) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.raw(recipient.issuer().der()).primitive(Tag::integer, recipient.serial_number()); });
        writer.octet_string(hash);
    });
    return std::move(writer).take();
}

/// As strong as the key.
std::string_view digest_for(const crypto::PublicKey& key) {
    const auto& type = key.type_name();
    if (type == "p384") return "SHA384";
    return type == "p521" || type == "x448" ? "SHA512" : "SHA256";
}

Result<ByteVec> identifier_of(AgreementAlgorithm algorithm, const crypto::PublicKey& key) {
    const auto digest = digest_for(key);
    if (algorithm == AgreementAlgorithm::static_ecdh) return crypto::encode_static_ecdh(digest);
    return crypto::encode_dh_based_mac(digest, "HMAC-" + std::string{digest});
}

}  // namespace

Result<AgreementProof> make_agreement_proof(AgreementAlgorithm algorithm, Bytes text, const crypto::PrivateKey& own,
                                            const Certificate& recipient) {
    AgreementProof proof;
    ESTUARY_TRY(proof.algorithm, identifier_of(algorithm, own.public_key()));
    ESTUARY_TRY(const auto use, crypto::read_agreement_mac(proof.algorithm));
    ESTUARY_TRY(const auto other, recipient.public_key());
    ESTUARY_TRY(const auto key, proof_key(use, own, other, recipient));
    ESTUARY_TRY(proof.value, crypto::compute_mac(use.mac, key.reveal(), text));
    if (use.kind == AgreementMac::Kind::static_ecdh) proof.value = encode_dh_sig_static(proof.value, recipient);
    return proof;
}

Result<void> verify_agreement_proof(Bytes algorithm_identifier, Bytes text, Bytes value, const AgreementKey& own,
                                    const crypto::PublicKey& other) {
    ESTUARY_TRY(const auto use, crypto::read_agreement_mac(algorithm_identifier));
    if (use.digest == "SHA1" || use.mac.is_hmac_sha1()) return fail(Code::bad_key, "proof of possession: a MAC with SHA-1 is not taken");
    const auto& ours = own.key.public_key().type_name();
    if (ours != other.type_name())
        return fail(Code::bad_proof, fmt::format("proof of possession: the key is of type {}, and the agreement key here of type {}: they "
                                                 "agree on nothing", other.type_name(), ours));
    ByteVec mac;
    if (use.kind == AgreementMac::Kind::static_ecdh) {
        ESTUARY_TRY(mac, read_dh_sig_static(value, own.certificate));
    } else {
        mac = to_vec(value);
    }
    ESTUARY_TRY(const auto key, proof_key(use, own.key, other, own.certificate));
    if (auto right = crypto::verify_mac(use.mac, key.reveal(), text, mac); !right) {
        if (right.error().code != Code::bad_proof) return right;
        return fail(Code::bad_proof, "proof of possession: the MAC is wrong, or made for another agreement key than the one here");
    }
    return {};
}

bool is_agreement_request(Bytes pkcs10) {
    const auto request = parse_unproven(pkcs10);
    return request && crypto::is_agreement_mac(request->signature_algorithm);
}

Result<CertificationRequest> parse_agreement_request(Bytes pkcs10, const AgreementKey& own) {
    ESTUARY_TRY(auto request, parse_unproven(pkcs10));
    ESTUARY_TRY(const auto use, crypto::read_agreement_mac(request.signature_algorithm));
    if (use.kind != AgreementMac::Kind::static_ecdh)
        return fail(Code::unsupported, "DHBasedMac is no signature of a PKCS #10 request; RFC 6955 has those that are");
    ESTUARY_TRY(const auto key, crypto::PublicKey::from_spki(request.parts.spki));
    ESTUARY_CHECK(verify_agreement_proof(request.signature_algorithm, request.signed_octets, request.signature, own, key));
    request.parts.possession = Possession::key_agreement;
    return CertificationRequest::make(std::move(request.parts));
}

Result<ByteVec> make_agreement_request(const RequestTemplate& wanted, const crypto::PrivateKey& key, const Certificate& recipient) {
    ESTUARY_TRY(const auto info, encode_request_info(wanted, key.public_key().spki()));
    ESTUARY_TRY(const auto proof, make_agreement_proof(AgreementAlgorithm::static_ecdh, info, key, recipient));
    der::Writer writer;
    writer.sequence([&] { writer.raw(info).raw(proof.algorithm).bit_string(proof.value); });
    return std::move(writer).take();
}

}  // namespace estuary::x509
