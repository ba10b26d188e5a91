#include "estuary/est/client_keygen.h"

#include <algorithm>

#include "estuary/authority/key_generation.h"
#include "estuary/base/encoding.h"
#include "estuary/cms/key_package.h"
#include "estuary/est/client_answer.h"
#include "estuary/x509/path.h"

namespace estuary::est {
namespace {

using Certificates = std::vector<x509::Certificate>;

tl::unexpected<Error> cannot_open(std::string cause) {
    return fail(Code::bad_proof, "the private key in the server's answer cannot be opened: it was encrypted with another key, or changed",
                std::move(cause));
}

/// The certificate of the one signer, whose signature is good.
Result<x509::Certificate> verified_signer(const cms::SignedData& package) {
    if (package.signers().size() != 1) return fail(Code::bad_proof, "not signed by exactly one");
    const auto& signer = package.signers().front();
    const auto* certificate = package.certificate_of(signer);
    if (certificate == nullptr) return fail(Code::bad_proof, "the signer's certificate is not there");
    ESTUARY_CHECK(cms::verify_signer(package, signer, *certificate));
    return *certificate;
}

struct OpenedKey {
    crypto::PrivateKey key;
    x509::Certificate signer;
    Certificates others;
};
/// Whatever is wrong inside may be wrong because of the encryption, so it is told alike.
Result<OpenedKey> open_package(Bytes der, const KeyOpener& opener) {
    const auto message = cms::EnvelopedData::parse(der);
    if (!message) return fail(in_context("the server's answer", message.error()));
    if (message->content_type() != cms::oid::signed_data)
        return fail(Code::malformed, "the private key in the server's answer is not signed (RFC 7030 4.4.2)");
    const auto content = opener.open(*message);
    if (!content) return content.error().code == Code::bad_proof ? cannot_open(content.error().cause) : fail(in_context("the server's answer", content.error()));
    const auto package = cms::parse_inner_signed_data(content->reveal());
    if (!package) return cannot_open(package.error().detail);
    const auto signer = verified_signer(*package);
    if (!signer) return cannot_open(signer.error().detail);
    auto key = cms::key_of_package(*package);
    if (!key) return cannot_open(key.error().detail);
    return OpenedKey{std::move(*key), *signer, package->certificates()};
}

bool may_make_keys(const x509::Certificate& signer, const CaBag& bag) {
    if (signer.has_ext_key_usage(authority::kp_cm_kga) || signer.has_ext_key_usage(x509::oid::kp_cmc_ra)) return true;
    return std::ranges::count(bag.anchors, signer) != 0 || std::ranges::count(bag.others, signer) != 0;
}

Result<void> check_signer(const OpenedKey& opened, const CaBag& bag, Time now) {
    if (!may_make_keys(opened.signer, bag))
        return fail(Code::not_authorised, "the private key is signed by somebody who may not make keys: " + opened.signer.subject().to_text());
    if (std::ranges::count(bag.anchors, opened.signer) != 0) return {};
    auto others = bag.others;
    others.insert(others.end(), opened.others.begin(), opened.others.end());
    x509::PathOptions options;
    options.at = now;
    const auto path = x509::validate_path(opened.signer, others, bag.anchors, options);
    if (!path) return fail(Code::not_authorised, "the signer of the private key is not known: " + path.error().detail);
    return {};
}

Result<crypto::PrivateKey> open_key(const KeyPart& part, const KeyOpener& opener, const CaBag& bag, Time now) {
    if (part.encrypted != opener.expects_encryption())
        return fail(Code::policy, part.encrypted ? "the server encrypted the private key, and nobody said with what to open it"
                                                 : "the server sent the private key without the encryption that was asked for");
    if (!part.encrypted) {
        auto key = cms::decode_private_key(part.der.reveal());
        if (!key) return fail(in_context("the private key in the server's answer", std::move(key).error()));
        return key;
    }
    ESTUARY_TRY(auto opened, open_package(part.der.reveal(), opener));
    ESTUARY_CHECK(check_signer(opened, bag, now));
    return std::move(opened.key);
}

}  // namespace

Result<KeyDelivery> delivery_to(const KeyOpener& opener) {
    KeyDelivery delivery;
    if (opener.shared) {
        delivery.shared_key = opener.shared->identifier;
        delivery.capabilities = cms::capabilities_of_shared_key(opener.shared->key.reveal().size());
    } else if (opener.holder && opener.holder->certificate) {
        const auto& certificate = *opener.holder->certificate;
        constexpr auto receiving = x509::key_encipherment | x509::key_agreement;
        if (const auto usage = certificate.key_usage(); usage && (*usage & receiving) == 0)
            return fail(Code::bad_key, "the certificate to decrypt with allows neither keyEncipherment nor keyAgreement");
        if (auto identifier = certificate.subject_key_id()) {
            delivery.certified_key = std::move(*identifier);
        } else {
            ESTUARY_TRY(delivery.certified_key, x509::key_identifier(certificate.spki()));
        }
        delivery.capabilities = cms::capabilities_of(opener.holder->key.public_key());
    }
    return delivery;
}

Result<ServerKey> open_key_answer(const KeyAnswer& answer, const KeyOpener& opener, const CaBag& bag, Time now) {
    ESTUARY_TRY(auto key, open_key(answer.key, opener, bag, now));
    ESTUARY_TRY(auto certificate, pick_issued(answer.certificates, key.public_key().spki()));
    return ServerKey{std::move(key), std::move(certificate)};
}

Result<Answer<ServerKey>> Client::server_key(Bytes request_der, const KeyOpener& opener, const CaBag& bag) {
    auto request = request_for(to_string(Operation::serverkeygen));
    request.method = "POST";
    request.headers.add("Accept", std::string{media_multipart});
    request.headers.add("Content-Type", std::string{media_pkcs10});
    request.headers.add("Content-Transfer-Encoding", "base64");
    request.body = to_base64_lines(request_der);
    ESTUARY_TRY(auto response, send(std::move(request)));
    ESTUARY_TRY(const auto reply, read_reply(response, true, clock_.now()));
    if (reply.wait) return Answer<ServerKey>{*reply.wait};
    if (reply.redirect) return Answer<ServerKey>{*reply.redirect};
    if (reply.nothing) return fail(Code::malformed, "the server answered 204 where a private key was expected");
    const auto type = response.headers.find("Content-Type");
    const auto answer = read_key_answer(type.value_or(""), response.shared.owner ? response.shared.octets : std::string_view{response.body});
    crypto::wipe({reinterpret_cast<std::uint8_t*>(response.body.data()), response.body.size()});
    if (!answer) return fail(in_context("the server's answer", answer.error()));
    ESTUARY_TRY(auto key, open_key_answer(*answer, opener, bag, clock_.now()));
    return Answer<ServerKey>{std::move(key)};
}

}  // namespace estuary::est
