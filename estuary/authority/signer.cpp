#include "estuary/authority/signer.h"

#include <fmt/format.h>

#include "estuary/x509/lint_crl.h"

namespace estuary::authority {
namespace {

/// One signature made and verified with the certificate's key: a wrong pair shows at start, not at the first device.
Result<void> check_pair(const crypto::PrivateKey& key, const x509::Certificate& certificate, Bytes algorithm) {
    constexpr std::string_view probe = "key and certificate belong together";
    ESTUARY_TRY(const auto public_key, certificate.public_key());
    ESTUARY_TRY(const auto signature, key.sign(as_bytes(probe)));
    if (!public_key.verify(algorithm, as_bytes(probe), signature))
        return fail(Code::bad_key, "the CA's private key is not the key of its certificate");
    return {};
}

}  // namespace

Result<Signer> Signer::create(crypto::PrivateKey key, std::optional<x509::Certificate> issuer) {
    ESTUARY_TRY(const auto* const algorithm, key.signature_algorithm());
    if (issuer) ESTUARY_CHECK(check_pair(key, *issuer, algorithm->identifier));
    return Signer{std::move(key), std::move(issuer), algorithm->identifier};
}

Result<x509::Certificate> Signer::sign(Authorised<x509::TbsCertificate> approved) const {
    return lint_and_sign(approved.value_, {});
}

Result<x509::Certificate> Signer::sign(Authorised<LinkCertificate> approved) const {
    return lint_and_sign(approved.value_.tbs, "rfc5280_6_1_3_validity_within_issuers");
}

Result<x509::Certificate> Signer::lint_and_sign(const x509::TbsCertificate& approved, std::string_view passed_rule) const {
    const auto tbs = x509::encode_tbs(approved);
    for (const auto& finding : x509::lint_tbs(tbs, issuer_ ? &*issuer_ : nullptr))
        if (finding.rule != passed_rule)
            return fail(Code::policy, fmt::format("the certificate would break {}: {}", finding.rule, finding.message));
    ESTUARY_TRY(const auto signature, key_.sign(tbs));
    return x509::Certificate::parse(x509::encode_certificate(tbs, algorithm_, signature));
}

Result<ByteVec> Signer::sign(Authorised<x509::CrlToSign> approved) const {
    if (!issuer_) return fail(Code::internal, "a CRL needs its issuer's certificate");
    for (const auto& finding : x509::lint_crl(approved.value_.tbs(), *issuer_))
        return fail(Code::policy, fmt::format("the CRL would break {}: {}", finding.rule, finding.message));
    ESTUARY_TRY(const auto signature, key_.sign(approved.value_.tbs()));
    return std::move(approved.value_).assemble(signature);
}

}  // namespace estuary::authority
