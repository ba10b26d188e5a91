#include <fmt/format.h>

#include "estuary/cms/certs_only.h"
#include "estuary/est/package_layers.h"
#include "estuary/x509/path.h"

namespace estuary::est {
namespace {

using Certificates = std::vector<x509::Certificate>;

/// The certificate that a signer names: from the message, or an anchor's own (RFC 8295 7.1.2 with RFC 5934).
const x509::Certificate* signer_certificate(const cms::SignedData& data, const cms::SignerInfo& signer, const Believed& believed) {
    if (const auto* sent = data.certificate_of(signer)) return sent;
    for (const auto* pool : {&believed.anchors, &believed.others})
        for (const auto& certificate : *pool)
            if (signer.identifier.names(certificate)) return &certificate;
    return nullptr;
}

Result<void> check_path(const x509::Certificate& certificate, const Certificates& sent, const Believed& believed) {
    auto between = believed.others;
    between.insert(between.end(), sent.begin(), sent.end());
    x509::PathOptions options;
    options.at = believed.now;
    const auto path = x509::validate_path(certificate, between, believed.anchors, options);
    if (path) return {};
    return fail(Code::not_authenticated, fmt::format("{} has no valid path to a trust anchor: {}", certificate.subject().to_text(),
                                                     path.error().detail));
}

Result<std::string> verify(const cms::SignedData& data, const cms::SignerInfo& signer, const Believed& believed) {
    const auto* certificate = signer_certificate(data, signer, believed);
    if (certificate == nullptr) return fail(Code::not_authenticated, "the signer's certificate is not there");
    if (!detail::may_sign(*certificate))
        return fail(Code::not_authenticated,
                    fmt::format("{} signs, but its keyUsage does not allow it", certificate->subject().to_text()));
    ESTUARY_CHECK(cms::verify_signer(data, signer, *certificate));
    ESTUARY_CHECK(check_path(*certificate, data.certificates(), believed));
    return certificate->subject().to_text();
}

bool signed_by(const x509::RevocationList& list, const x509::Certificate& issuer) { return list.verify_issued_by(issuer).has_value(); }

/// An anchor's list, or one of a CA with a path to an anchor.
Result<void> check_list(const x509::RevocationList& list, const Certificates& sent, const Believed& believed) {
    if (!list.is_current(believed.now)) return fail(Code::not_authenticated, "it is not current");
    for (const auto& anchor : believed.anchors)
        if (signed_by(list, anchor)) return {};
    for (const auto* pool : {&believed.others, &sent})
        for (const auto& issuer : *pool)
            if (signed_by(list, issuer) && check_path(issuer, sent, believed)) return {};
    return fail(Code::not_authenticated, "nobody who is trusted has signed it");
}

}  // namespace

Result<ByteVec> sign_receipt(Bytes der, const crypto::PrivateKey& key, const Certificates& chain) {
    if (chain.empty()) return fail(Code::bad_key, "a receipt is signed by somebody with a certificate");
    ESTUARY_TRY(const auto type, cms::content_type_of(der));
    ESTUARY_TRY(const auto content, cms::inner_content(der));
    if (type == cms::oid::signed_data) return fail(Code::malformed, "it is signed already");
    cms::SignedDataBuilder message{type, content};
    for (const auto& certificate : chain) message.certificate(certificate.der());
    message.signer({key, cms::Identifier::by_issuer(chain.front())});
    return message.build();
}

Result<Verified> verify_package(Bytes der, const Believed& believed, const KeyOpener& opener) {
    ESTUARY_TRY(const auto open, detail::open_layers(der, opener));
    Verified verified;
    verified.hidden = open.hidden;
    for (const auto& data : open.signatures)
        for (const auto& signer : data.signers()) {
            ESTUARY_TRY(auto subject, verify(data, signer, believed));
            verified.signers.push_back(std::move(subject));
        }
    return verified;
}

Result<Certificates> verify_peers(Bytes der, const Believed& believed) {
    ESTUARY_TRY(auto certificates, cms::parse_certs_only(der));
    if (certificates.empty()) return fail(Code::malformed, "there is no certificate in it");
    for (const auto& certificate : certificates) ESTUARY_CHECK(check_path(certificate, certificates, believed));
    return certificates;
}

Result<std::vector<x509::RevocationList>> verify_crls(Bytes der, const Believed& believed) {
    ESTUARY_TRY(const auto message, cms::SignedData::parse(der, detail::package_limits()));
    if (message.crls().empty()) return fail(Code::malformed, "there is no CRL in it");
    std::vector<x509::RevocationList> lists;
    for (const auto& octets : message.crls()) {
        ESTUARY_TRY(auto list, x509::RevocationList::parse(octets));
        if (const auto good = check_list(list, message.certificates(), believed); !good)
            return fail(in_context("CRL of " + list.issuer().to_text(), good.error()));
        lists.push_back(std::move(list));
    }
    return lists;
}

}  // namespace estuary::est
