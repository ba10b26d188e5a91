// Who signs: the CA, delegates, several keys, several issuers.
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::parsed;
using test::request_for;
using test::World;
using testing::HasSubstr;

std::string created(World& world, const Issuer& issuer) {
    ResponderConfig config;
    config.issuers.push_back(issuer);
    return failure(Responder::create(config, world.states, world.clock));
}

TEST(OcspSigner, DelegatesAreNamedByKeyAndSendTheirCertificate) {
    World world;
    const auto response = parsed(world.responder->answer(world.request()));
    ASSERT_TRUE(std::holds_alternative<crypto::Sha1>(response.data.responder));
    EXPECT_TRUE(
        same(std::get<crypto::Sha1>(response.data.responder), x509::key_identifier(world.delegate.certificate.spki()).value()));
    ASSERT_EQ(response.certificates.size(), 1u);
    EXPECT_TRUE(same(response.certificates[0], world.delegate.certificate.der()));
}

TEST(OcspSigner, TheCaItselfSendsNoCertificate) {
    World world;
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {world.ca.signer()}, false});
    const auto responder = Responder::create(config, world.states, world.clock).value();
    const auto answer = responder->answer(world.request());
    EXPECT_TRUE(parsed(answer).certificates.empty());
    EXPECT_TRUE(verify(world.device.certificate, world.ca.certificate, answer->der, std::nullopt, {.now = test::now}));
}

TEST(OcspSigner, MustBeEntitled) {
    World world;
    const auto& ca = world.ca;
    const auto stranger = test::make_ca("CN=Stranger");
    const auto namesake = test::make_ca();  // the CA's name, another key
    const auto no_purpose = test::issue({.subject = "CN=No Purpose", .key_usage = x509::digital_signature}, &ca);
    const auto no_signatures = test::issue({.subject = "CN=x", .ocsp_signing = true, .key_usage = x509::key_agreement}, &ca);
    EXPECT_THAT(created(world, {"ca", ca.certificate, {}, false}), HasSubstr("1 to 8 signers"));
    EXPECT_THAT(created(world, {"ca", ca.certificate, {{world.delegate.certificate, ca.key}}, false}),
                HasSubstr("not that of its certificate"));
    EXPECT_THAT(created(world, {"ca", ca.certificate, {test::make_responder(stranger).signer()}, false}),
                HasSubstr("not issued by this CA"));
    EXPECT_THAT(created(world, {"ca", ca.certificate, {test::make_responder(namesake).signer()}, false}),
                HasSubstr("not signed by this CA's key"));
    EXPECT_THAT(created(world, {"ca", ca.certificate, {no_purpose.signer()}, false}), HasSubstr("lacks id-kp-OCSPSigning"));
    EXPECT_THAT(created(world, {"ca", ca.certificate, {no_signatures.signer()}, false}), HasSubstr("key usage"));
    EXPECT_EQ(created(world, {"ca", ca.certificate, {test::make_responder(stranger).signer()}, true}), "no error");
}

class OcspSignerKey : public testing::TestWithParam<std::string> {};

TEST_P(OcspSignerKey, Signs) {
    if (!crypto::key_type(GetParam())) GTEST_SKIP() << "this OpenSSL has no " << GetParam();
    World world;
    const auto signer = test::make_responder(world.ca, {.key_type = GetParam()});
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {signer.signer()}, false});
    const auto responder = Responder::create(config, world.states, world.clock).value();
    const auto status = verify(world.device.certificate, world.ca.certificate, responder->answer(world.request())->der,
                               std::nullopt, {.now = test::now});
    ASSERT_TRUE(status) << failure(status);
    EXPECT_EQ(status->signer, signer.certificate);
}
std::string key_name(const testing::TestParamInfo<std::string>& key) {
    auto name = key.param;
    std::erase(name, '-');
    return name;
}
INSTANTIATE_TEST_SUITE_P(All, OcspSignerKey, testing::Values("p256", "p384", "p521", "rsa2048", "ed25519", "ed448", "ml-dsa-65"),
                         key_name);

TEST(OcspSigner, PreferredAlgorithmChoosesAmongSigners) {
    World world;
    const auto rsa = test::make_responder(world.ca, {.subject = "CN=RSA Responder", .key_type = "rsa2048"});
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {world.delegate.signer(), rsa.signer()}, false});
    const auto responder = Responder::create(config, world.states, world.clock).value();
    const auto signed_by = [&](std::vector<std::string> algorithms) {
        Request request;
        request.certificates.push_back(world.id());
        for (const auto& oid : algorithms) {
            const auto* known = crypto::signature_algorithm(der::Oid{oid});
            request.preferred_algorithms.push_back({der::Oid{oid}, known->identifier, {}});
        }
        const auto answer = responder->answer(encode_request(request));
        return x509::Certificate::parse(parsed(answer).certificates.at(0)).value().subject().to_text();
    };
    const std::string sha256_rsa = "1.2.840.113549.1.1.11", sha256_ecdsa = "1.2.840.10045.4.3.2", ed25519 = "1.3.101.112";
    const std::string sha1_rsa = "1.2.840.113549.1.1.5";
    EXPECT_EQ(signed_by({}), "CN=Test Responder");
    EXPECT_EQ(signed_by({sha256_rsa}), "CN=RSA Responder");
    EXPECT_EQ(signed_by({ed25519, sha256_rsa, sha256_ecdsa}), "CN=RSA Responder");
    EXPECT_EQ(signed_by({sha256_ecdsa, sha256_rsa}), "CN=Test Responder");
    EXPECT_EQ(signed_by({ed25519}), "CN=Test Responder");
    EXPECT_EQ(signed_by({sha1_rsa}), "CN=Test Responder");  // weak algorithms are never used, even if asked for
    EXPECT_EQ(responder->presigned_count(), 2u);
    responder->forget("ca", world.device.certificate.serial_number());
    EXPECT_EQ(responder->presigned_count(), 0u);
}

TEST(OcspSigner, PreferredCurveMustBeMet) {
    World world;
    const auto p384 = test::make_responder(world.ca, {.subject = "CN=P-384", .key_type = "p384"});
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {p384.signer(), world.delegate.signer()}, false});
    const auto responder = Responder::create(config, world.states, world.clock).value();
    const auto signer_for = [&](const char* public_key) {
        Request request;
        request.certificates.push_back(world.id());
        const auto* ecdsa = crypto::signature_algorithm(der::Oid{"1.2.840.10045.4.3.2"});
        request.preferred_algorithms.push_back({ecdsa->oid, ecdsa->identifier, test::hex(public_key)});
        const auto answer = responder->answer(encode_request(request));
        return x509::Certificate::parse(parsed(answer).certificates.at(0)).value().subject().to_text();
    };
    EXPECT_EQ(signer_for("301306072a8648ce3d020106082a8648ce3d030107"), "CN=Test Responder");  // P-256
    EXPECT_EQ(signer_for("300906072a8648ce3d0201"), "CN=Test Responder");                      // any curve
    EXPECT_EQ(signer_for("301006072a8648ce3d020106052b81040022"), "CN=P-384");  // no P-384 key signs with SHA-256: the default
}

TEST(OcspSigner, SeveralIssuersAreAnsweredByOneSignerOnly) {
    World world;
    const auto other = test::make_ca("CN=Other CA");
    const auto other_device = test::issue({.serial = test::hex("77")}, &other);
    const auto other_id = CertId::of(other_device.certificate, other.certificate, Hash::sha256).value();
    const auto central = test::issue({.subject = "CN=Central Responder", .key_usage = x509::digital_signature});
    world.states.known[{"other", "77"}] = {};
    const auto both = request_for({world.id(), other_id});

    ResponderConfig own;
    own.issuers.push_back({"ca", world.ca.certificate, {world.delegate.signer()}, false});
    own.issuers.push_back({"other", other.certificate, {test::make_responder(other).signer()}, false});
    const auto separate = Responder::create(own, world.states, world.clock).value();
    EXPECT_EQ(separate->answer(both)->status, ResponseStatus::unauthorized);
    EXPECT_EQ(separate->answer(request_for({other_id}))->status, ResponseStatus::successful);

    for (auto& issuer : own.issuers) {
        issuer.signers = {central.signer()};
        issuer.trusted_locally = true;
    }
    const auto shared = Responder::create(own, world.states, world.clock).value();
    const auto answer = shared->answer(both);
    ASSERT_EQ(answer->status, ResponseStatus::successful);
    EXPECT_EQ(parsed(answer).data.responses.size(), 2u);
    const auto status = verify(other_device.certificate, other.certificate, answer->der, std::nullopt,
                               {.now = test::now, .trusted_responders = {central.certificate}});
    EXPECT_TRUE(status) << failure(status);
}

// Bug class 7: the state is asked of the CA that the request means.
TEST(OcspSigner, SerialNumbersOfOneIssuerSayNothingOfAnother) {
    World world;
    const auto other = test::make_ca("CN=Other CA");
    const auto namesake = test::issue({}, &other);  // the device's serial number
    world.revoke(world.device.certificate, store::RevocationReason::superseded);
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {world.ca.signer()}, false});
    config.issuers.push_back({"other", other.certificate, {other.signer()}, false});
    const auto responder = Responder::create(config, world.states, world.clock).value();
    const auto kind = [&](const CertId& id) {
        return parsed(responder->answer(request_for({id}))).data.responses[0].status.kind;
    };
    const auto other_id = CertId::of(namesake.certificate, other.certificate, Hash::sha1).value();
    EXPECT_EQ(kind(world.id(Hash::sha1)), CertStatus::Kind::revoked);
    EXPECT_EQ(kind(other_id), CertStatus::Kind::unknown);
    world.states.known[{"other", "1234"}] = {};
    EXPECT_EQ(kind(other_id), CertStatus::Kind::good);
    EXPECT_EQ(kind(world.id(Hash::sha1)), CertStatus::Kind::revoked);
    responder->forget("ca", namesake.certificate.serial_number());
    EXPECT_EQ(responder->presigned_count(), 1u);
}

}  // namespace
}  // namespace estuary::ocsp
