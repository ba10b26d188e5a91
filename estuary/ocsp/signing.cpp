#include "estuary/ocsp/signing.h"

#include "estuary/x509/oids.h"

namespace estuary::ocsp {
namespace {

bool is_the_issuer(const x509::Certificate& signer, const Issuer& issuer) {
    return same(signer.spki(), issuer.certificate.spki()) && signer.subject() == issuer.certificate.subject();
}

/// RFC 6960 4.2.2.2: issued directly by the CA, by the key that issues the certificates in question, for this purpose.
Result<void> check_delegation(const x509::Certificate& signer, const Issuer& issuer) {
    if (!(signer.issuer() == issuer.certificate.subject()))
        return fail(Code::policy, "the responder's certificate was not issued by this CA");
    ESTUARY_TRY(const auto ca_key, issuer.certificate.public_key());
    if (!signer.verify_signed_by(ca_key))
        return fail(Code::policy, "the responder's certificate was not signed by this CA's key");
    if (!signer.has_ext_key_usage(x509::oid::kp_ocsp_signing))
        return fail(Code::policy, "the responder's certificate lacks id-kp-OCSPSigning (RFC 6960 4.2.2.2)");
    const auto usage = signer.key_usage();
    if (usage && (*usage & (x509::digital_signature | x509::non_repudiation)) == 0)
        return fail(Code::policy, "the responder's key usage does not allow signatures");
    return {};
}

Result<ByteVec> key_algorithm(Bytes spki) {
    ESTUARY_TRY(auto inside, der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_TRY(const auto algorithm, inside.element(der::Tag::sequence));
    return to_vec(algorithm.whole);
}

Result<ByteVec> by_key(Bytes spki) {
    ESTUARY_TRY(const auto identifier, x509::key_identifier(spki));
    crypto::Sha1 hash{};
    if (identifier.size() != hash.size()) return fail(Code::internal, "a key identifier is not a SHA-1");
    std::ranges::copy(identifier, hash.begin());
    return encode_responder_id(hash);
}

}  // namespace

bool PreparedSigner::meets(const PreferredAlgorithm& wish) const {
    if (wish.signature != algorithm->oid) return false;
    if (wish.public_key.empty() || wish.public_key == public_key_algorithm) return true;
    // A capability without parameters leaves them open ("any curve").
    der::Reader wanted{wish.public_key}, own{public_key_algorithm};
    auto wanted_inside = wanted.enter(der::Tag::sequence);
    auto own_inside = own.enter(der::Tag::sequence);
    if (!wanted_inside || !own_inside) return false;
    const auto wanted_oid = wanted_inside->oid();
    const auto own_oid = own_inside->oid();
    return wanted_oid && own_oid && *wanted_oid == *own_oid && wanted_inside->empty();
}

Result<ByteVec> PreparedSigner::sign(Bytes response_data) const {
    ESTUARY_TRY(const auto signature, key.sign(response_data));
    return encode_response(response_data, algorithm->identifier, signature, certificates);
}

Result<PreparedSigner> prepare_signer(const Signer& signer, const Issuer& issuer) {
    if (!same(signer.certificate.spki(), signer.key.public_key().spki()))
        return fail(Code::policy, "the responder's key is not that of its certificate");
    const bool ca_signs = is_the_issuer(signer.certificate, issuer);
    if (!ca_signs && !issuer.trusted_locally) ESTUARY_CHECK(check_delegation(signer.certificate, issuer));
    PreparedSigner prepared{signer.certificate, signer.key, {}, {}, {}, {}};
    ESTUARY_TRY(prepared.algorithm, signer.key.signature_algorithm());
    ESTUARY_TRY(prepared.public_key_algorithm, key_algorithm(signer.certificate.spki()));
    ESTUARY_TRY(prepared.responder_id, by_key(signer.certificate.spki()));
    // The requester has the CA's certificate already.
    if (!ca_signs) prepared.certificates = encode_certificates({signer.certificate.der()});
    return prepared;
}

}  // namespace estuary::ocsp
