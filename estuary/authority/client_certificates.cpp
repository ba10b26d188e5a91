#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/issued_by.h"
#include "estuary/authority/serial.h"

namespace estuary::authority {
namespace {

/// The CA of ours that issued it, under its certificate of today or a former one.
const CaConfig* issuing_ca(const Config& config, const x509::Certificate& certificate) {
    for (const auto& ca : config.cas) {
        if (is_issued_by(certificate, ca.certificate)) return &ca;
        for (const auto& former : ca.rollover)
            if (!former.is_self_issued() && is_issued_by(certificate, former)) return &ca;
    }
    return nullptr;
}

tl::unexpected<Error> not_known() { return fail(Code::not_authorised, "the client certificate is not known here"); }

}  // namespace

/// Fails closed: what is not in the store, or cannot be looked up, proves nothing (bug class 6).
Result<CertificateProof> Authority::Impl::prove_own(x509::Certificate certificate) {
    const auto* ca = issuing_ca(config, certificate);
    if (ca == nullptr || certificate.is_ca()) return not_known();
    ESTUARY_TRY(const auto record, store.certificate(ca->name, without_leading_zeros(certificate.serial_number())));
    if (!record || !same(record->der, certificate.der())) return not_known();
    if (is_revoked(record->revocation))
        return fail(Code::not_authorised, fmt::format("the client certificate is revoked ({}, {})",
                                                      store::to_string(record->revocation->reason),
                                                      to_iso8601(record->revocation->at)));
    CertificateProof proof;
    proof.registration_authority = certificate.has_ext_key_usage(x509::oid::kp_cmc_ra);
    proof.certificate = std::move(certificate);
    proof.issued_by_ca = ca->name;
    proof.profile = record->profile;
    proof.label = record->label;
    return proof;
}

Result<CertificateProof> Authority::authenticate_certificate(const std::vector<ByteVec>& verified_chain) {
    if (verified_chain.size() < 2) return not_known();  // an anchor itself is no client
    const auto anchor = std::ranges::find_if(
        impl_->anchors, [&](const auto& known) { return same(known.first.der(), verified_chain.back()); });
    if (anchor == impl_->anchors.end()) return not_known();
    ESTUARY_TRY(auto certificate, x509::Certificate::parse(verified_chain.front()));
    const auto now = impl_->clock.now();
    if (now < certificate.not_before() || now > certificate.not_after())
        return fail(Code::not_authenticated, "the client certificate is not valid now");
    if (anchor->second.ours) return impl_->prove_own(std::move(certificate));
    if (certificate.is_ca()) return not_known();
    const auto& name = anchor->second.manufacturer;
    const auto manufacturer = std::ranges::find(impl_->config.manufacturers, name, &ManufacturerAnchors::name);
    if (manufacturer->check_status) ESTUARY_CHECK(manufacturer->check_status(verified_chain));
    CertificateProof proof;
    proof.certificate = std::move(certificate);
    proof.manufacturer = name;
    return proof;
}

Result<CertificateProof> Authority::authenticate_signer(const x509::Certificate& signer,
                                                        const std::vector<x509::Certificate>& others) {
    const auto now = impl_->clock.now();
    // What lies in the store octet for octet needs no path: it was put there with our own signature, or after that was verified.
    if (const auto* ca = issuing_ca(impl_->config, signer)) {
        const auto is_valid = [&](const x509::Certificate& certificate) { return now >= certificate.not_before() && now <= certificate.not_after(); };
        if (!is_valid(signer)) return fail(Code::not_authorised, "the signer's certificate is not valid now");
        if (!is_valid(ca->certificate)) return fail(Code::not_authorised, "the CA's own certificate is not valid now");
        if (auto proof = impl_->prove_own(signer)) return proof;
    }
    const auto path = x509::validate_path(signer, others, *impl_->trust, {.at = now});
    if (!path) return fail(Code::not_authorised, "the signer's certificate is not known here", path.error().detail);
    std::vector<ByteVec> chain;
    for (const auto& certificate : *path) chain.push_back(to_vec(certificate.der()));
    return authenticate_certificate(chain);
}

}  // namespace estuary::authority
