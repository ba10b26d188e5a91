// The requester: what it believes, and what it refuses and why.
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::Identity;
using test::World;
using testing::HasSubstr;
using Kind = CertStatus::Kind;

/// A response by anybody about anything, signed as told.
struct Forge {
    World world;
    Identity signer = world.delegate;
    std::vector<Identity> certificates = {signer};
    std::optional<ResponderId> responder = {};
    ResponseData data{crypto::Sha1{}, test::now, {{world.id(), {Kind::good, {}, {}}, test::now, test::now + test::hour, {}}}, {}};
    VerifyOptions options{.now = test::now};

    void sign_by(const Identity& by) {
        signer = by;
        certificates = {by};
    }
    ByteVec der() {
        crypto::Sha1 key{};
        std::ranges::copy(x509::key_identifier(signer.certificate.spki()).value(), key.begin());
        data.responder = responder.value_or(key);
        const auto tbs = encode_response_data(data);
        std::vector<Bytes> ders;
        for (const auto& each : certificates) ders.push_back(each.certificate.der());
        return encode_response(tbs, signer.key.signature_algorithm().value()->identifier, signer.key.sign(tbs).value(),
                               encode_certificates(ders));
    }
    Result<CertificateStatus> verified(std::optional<Bytes> nonce = std::nullopt) {
        return verify(world.device.certificate, world.ca.certificate, der(), nonce, options);
    }
};

TEST(OcspVerify, AnswersOfOurResponderAreBelieved) {
    World world;
    const ByteVec nonce(32, 8);
    const auto good = verify(world.device.certificate, world.ca.certificate, world.responder->answer(world.request(nonce))->der,
                             nonce, {.now = test::now, .nonce_required = true});
    ASSERT_TRUE(good) << failure(good);
    EXPECT_EQ(good->status.kind, Kind::good);
    EXPECT_EQ(good->this_update, test::now);
    EXPECT_EQ(good->next_update, test::now + 12 * test::hour);
    EXPECT_TRUE(good->nonce_matched);
    EXPECT_EQ(good->signer, world.delegate.certificate);
    EXPECT_FALSE(good->signer_to_be_checked);

    world.revoke(world.device.certificate, store::RevocationReason::cessation_of_operation);
    const auto revoked = verify(world.device.certificate, world.ca.certificate, world.responder->answer(world.request())->der,
                                std::nullopt, {.now = test::now});
    ASSERT_TRUE(revoked) << failure(revoked);
    EXPECT_EQ(revoked->status, (CertStatus{Kind::revoked, test::now, store::RevocationReason::cessation_of_operation}));
}

TEST(OcspVerify, ResponderByNameAndByKey) {
    Forge forge;
    EXPECT_TRUE(forge.verified());
    forge.responder = forge.world.delegate.certificate.subject();
    EXPECT_TRUE(forge.verified());
    forge.responder = x509::Name::from_text("CN=Somebody Else").value();
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated"));
}

TEST(OcspVerify, SignerWithoutNocheckIsToBeChecked) {
    Forge forge;
    forge.sign_by(test::issue({.subject = "CN=R", .serial = test::hex("09"), .ocsp_signing = true}, &forge.world.ca));
    const auto status = forge.verified();
    ASSERT_TRUE(status) << failure(status);
    EXPECT_TRUE(status->signer_to_be_checked);
}

TEST(OcspVerify, ForgedSignature) {
    Forge forge;
    auto der = forge.der();
    const auto at = std::ranges::search(der, test::hex("8000"));  // good becomes unknown
    ASSERT_FALSE(at.empty());
    at.front() = 0x82;
    EXPECT_THAT(failure(verify(forge.world.device.certificate, forge.world.ca.certificate, der, std::nullopt, forge.options)),
                HasSubstr("bad_proof: the response's signature"));
}

TEST(OcspVerify, SignerMustBeDelegatedByTheIssuerItself) {
    Forge forge;
    const auto& ca = forge.world.ca;
    forge.sign_by(forge.world.device);
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated: the responder's certificate lacks id-kp-OCSPSigning"));
    forge.sign_by(test::issue({.subject = "CN=R", .ocsp_signing = true, .key_usage = x509::key_agreement}, &ca));
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated: the responder's key usage"));
    const auto stranger = test::make_ca("CN=Stranger");
    forge.sign_by(test::make_responder(stranger));
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated: the responder's certificate is not of"));
    const auto namesake = test::make_ca();  // the CA's name with another key
    forge.sign_by(test::make_responder(namesake));
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated: the responder's certificate"));
    forge.sign_by(test::issue({.subject = "CN=Self", .ocsp_signing = true}));
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated"));
    // Issued by a CA below, not by the issuer itself.
    const auto below = test::issue({.subject = "CN=Below", .serial = test::hex("33"), .ca = true}, &ca);
    forge.sign_by(test::make_responder(below));
    forge.certificates.push_back(below);
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated"));
}

TEST(OcspVerify, SignerMustBeValidNow) {
    Forge forge;
    forge.sign_by(test::make_responder(forge.world.ca, {.not_after = test::now - Seconds{1}}));
    EXPECT_THAT(failure(forge.verified()), testing::AllOf(HasSubstr("not_authenticated"), HasSubstr("expired")));
    forge.sign_by(test::make_responder(forge.world.ca, {.not_before = test::now + Seconds{1}}));
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated"));
}

TEST(OcspVerify, SignerMissing) {
    Forge forge;
    forge.certificates.clear();
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_authenticated: the responder's certificate is neither"));
}

TEST(OcspVerify, RespondersByLocalConfiguration) {
    Forge forge;
    forge.sign_by(test::issue({.subject = "CN=Central"}));
    EXPECT_FALSE(forge.verified());
    forge.options.trusted_responders = {forge.signer.certificate};
    const auto status = forge.verified();
    ASSERT_TRUE(status) << failure(status);
    EXPECT_FALSE(status->signer_to_be_checked);
}

TEST(OcspVerify, AnswerAboutAnother) {
    Forge forge;
    forge.data.responses[0].id = forge.world.id_of("55");
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_found"));
    const auto namesake = test::make_ca();
    forge.data.responses[0].id = CertId::of(forge.world.device.certificate, namesake.certificate, Hash::sha256).value();
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_found"));
    forge.data.responses.clear();
    EXPECT_THAT(failure(forge.verified()), HasSubstr("not_found"));
    const auto stranger = test::make_ca("CN=Stranger");
    EXPECT_THAT(failure(verify(forge.world.device.certificate, stranger.certificate, forge.der(), std::nullopt, forge.options)),
                HasSubstr("not_found: the certificate is not of this issuer"));
}

TEST(OcspVerify, OfTwoAnswersTheWorseCounts) {
    Forge forge;
    auto second = forge.data.responses[0];
    second.id = forge.world.id(Hash::sha1);
    second.status = {Kind::revoked, test::now, {}};
    forge.data.responses.push_back(second);
    EXPECT_EQ(forge.verified().value().status.kind, Kind::revoked);
    std::swap(forge.data.responses[0], forge.data.responses[1]);
    EXPECT_EQ(forge.verified().value().status.kind, Kind::revoked);
}

TEST(OcspVerify, Freshness) {
    Forge forge;
    auto& single = forge.data.responses[0];
    forge.options.clock_skew = Seconds{300};
    single.this_update = test::now + Seconds{300};
    EXPECT_TRUE(forge.verified());
    single.this_update = test::now + Seconds{301};
    EXPECT_THAT(failure(forge.verified()), HasSubstr("policy: the answer is of the future"));
    single.this_update = test::now - test::day;
    single.next_update = test::now - Seconds{300};
    EXPECT_TRUE(forge.verified());
    single.next_update = test::now - Seconds{301};
    EXPECT_THAT(failure(forge.verified()), HasSubstr("policy: the answer is stale"));
    single.next_update = single.this_update - Seconds{1};
    EXPECT_THAT(failure(forge.verified()), HasSubstr("malformed: nextUpdate is before thisUpdate"));
}

TEST(OcspVerify, WithoutNextUpdateTheAgeCounts) {
    Forge forge;
    auto& single = forge.data.responses[0];
    single.next_update.reset();
    forge.options.age_max = test::hour;
    single.this_update = test::now - test::hour;
    EXPECT_TRUE(forge.verified());
    single.this_update = test::now - test::hour - Seconds{301};
    EXPECT_THAT(failure(forge.verified()), HasSubstr("policy: the answer is old"));
    single.this_update = test::now;
    forge.options.age_max.reset();
    EXPECT_THAT(failure(forge.verified()), HasSubstr("policy: the answer has no nextUpdate"));
}

TEST(OcspVerify, Nonces) {
    Forge forge;
    const ByteVec nonce(32, 1), other(32, 2);
    EXPECT_FALSE(forge.verified(nonce).value().nonce_matched);  // allowed: RFC 5019 section 4
    forge.options.nonce_required = true;
    EXPECT_THAT(failure(forge.verified(nonce)), HasSubstr("bad_proof: the answer has no nonce"));
    EXPECT_TRUE(forge.verified());
    forge.data.extensions = {make_nonce(other)};
    forge.options.nonce_required = false;
    EXPECT_THAT(failure(forge.verified(nonce)), HasSubstr("bad_proof: the answer has another nonce"));
    EXPECT_FALSE(forge.verified().value().nonce_matched);  // not asked for: ignored
    EXPECT_TRUE(forge.verified(other).value().nonce_matched);
}

TEST(OcspVerify, ErrorStatusesSayWhatToDo) {
    const World world;
    const auto of = [&](ResponseStatus status) {
        return failure(
            verify(world.device.certificate, world.ca.certificate, encode_error(status), std::nullopt, {.now = test::now}));
    };
    EXPECT_THAT(of(ResponseStatus::try_later), HasSubstr("too_busy: tryLater"));
    EXPECT_THAT(of(ResponseStatus::internal_error), HasSubstr("unavailable: internalError"));
    EXPECT_THAT(of(ResponseStatus::unauthorized), HasSubstr("not_authorised: unauthorized"));
    EXPECT_THAT(of(ResponseStatus::sig_required), HasSubstr("not_authorised: sigRequired"));
    EXPECT_THAT(of(ResponseStatus::malformed_request), HasSubstr("conflict: malformedRequest"));
}

TEST(OcspVerify, EveryCutIsRefused) {
    Forge forge;
    const auto der = forge.der();
    for (std::size_t size = 0; size < der.size(); ++size)
        EXPECT_FALSE(verify(forge.world.device.certificate, forge.world.ca.certificate, Bytes{der}.first(size), std::nullopt,
                            forge.options));
}

}  // namespace
}  // namespace estuary::ocsp
