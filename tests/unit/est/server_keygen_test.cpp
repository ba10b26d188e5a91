// /serverkeygen from the server's side (RFC 7030 4.4).
#include "estuary/cms/key_package.h"
#include "keygen_world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

class EstKeygen : public KeygenWorld {};

TEST_F(EstKeygen, AnswersWithKeyAndCertificate) {
    const auto before = world.certificates();
    const auto request = make_request(subject("CN=device 1,O=Example"));
    const auto response = ask("keys", request.der);
    ASSERT_EQ(response.status, 200u) << body_of(response);
    const auto answer = read(response);
    ASSERT_TRUE(answer) << failure(answer);
    EXPECT_FALSE(answer->key.encrypted);
    const auto key = cms::decode_private_key(answer->key.der.reveal()).value();
    ASSERT_EQ(answer->certificates.size(), 1u);  // exactly what /simpleenroll answers
    const auto& certificate = answer->certificates.front();
    EXPECT_TRUE(same(certificate.spki(), key.public_key().spki()));
    EXPECT_FALSE(same(certificate.spki(), request.key.public_key().spki()));
    EXPECT_EQ(certificate.subject().to_text(), "CN=device 1,O=Example");
    EXPECT_TRUE(certificate.verify_signed_by(world.ca->issuing_key.public_key()));
    EXPECT_EQ(world.certificates(), before + 1);
}

TEST_F(EstKeygen, NothingIsAnsweredBeforeItIsRecorded) {   // bug class 24
    store::UnitOfWork work;
    const auto request = make_request(subject("CN=recorded"));
    const auto response = world.server->serve(post(target("keys", "serverkeygen"), request.der, alice()), peer(), work);
    ASSERT_EQ(response.status, 200u);
    EXPECT_FALSE(work.empty());
}

TEST_F(EstKeygen, IsOffUntilSomebodyIsAllowed) {   // bug classes 9, 11
    const auto request = make_request(subject("CN=device 1"));
    for (const auto* label : {"", "digest", "closed", "ra"}) EXPECT_EQ(ask(label, request.der).status, 404u) << label;
    EXPECT_EQ(ask("keys", request.der).status, 200u);
    restart([](ServerConfig& config) {
        for (auto& label : config.labels) label.serverkeygen = {};
    });
    EXPECT_EQ(ask("keys", request.der).status, 404u);
}

TEST_F(EstKeygen, WhoAsksAndHow) {
    const auto request = make_request(subject("CN=device 1"));
    EXPECT_EQ(world.send(get(target("keys", "serverkeygen")), peer()).status, 405u);
    const auto nobody = world.send(post(target("keys", "serverkeygen"), request.der), peer());
    EXPECT_EQ(nobody.status, 401u);
    EXPECT_THAT(std::string{nobody.headers.find("WWW-Authenticate").value_or("")}, HasSubstr("Basic"));
    EXPECT_EQ(world.send(post(target("keys", "serverkeygen"), request.der, basic("alice", "wrong")), peer()).status, 401u);
    auto plain = post(target("keys", "serverkeygen"), request.der, alice());
    plain.headers.set("Content-Type", "text/plain");
    EXPECT_EQ(world.send(plain, peer()).status, 415u);
    auto broken = post(target("keys", "serverkeygen"), request.der, alice());
    broken.body = to_base64(Bytes{request.der}.first(40));
    EXPECT_EQ(world.send(broken, peer()).status, 400u);
    auto open = peer();
    open.tls = false;
    EXPECT_EQ(ask("keys", request.der, open).status, 403u);  // never in the clear
}

/// bug class 8: names are policy's, whoever makes the key.
TEST_F(EstKeygen, NamesAreChecked) {
    const auto other = make_request(subject("CN=alice-1"));
    const auto refused = world.send(post(target("keys", "serverkeygen"), other.der, basic("bob", bob_password)), peer());
    EXPECT_EQ(refused.status, 403u) << body_of(refused);
    const auto own = make_request(subject("CN=bob-1"));
    EXPECT_EQ(world.send(post(target("keys", "serverkeygen"), own.der, basic("bob", bob_password)), peer()).status, 200u);
}

TEST_F(EstKeygen, KeyAndSignatureOfTheRequestAreIgnored) {
    auto der = make_request(subject("CN=device 1")).der;
    der.back() ^= 0x55;
    EXPECT_EQ(world.send(post(target("", "simpleenroll"), der, alice()), peer()).status, 400u);
    EXPECT_EQ(ask("keys", der).status, 200u);
}

TEST_F(EstKeygen, LinkingIsCheckedAsForAnyEnrollment) {
    EXPECT_EQ(ask("keys-linked", make_request(subject("CN=device 1")).der).status, 400u);
    auto wanted = subject("CN=device 1");
    wanted.attributes = {x509::make_challenge_password(to_base64(peer().bindings.tls_exporter))};
    EXPECT_EQ(ask("keys-linked", make_request(wanted).der).status, 200u);
    wanted.attributes = {x509::make_challenge_password(to_base64(ByteVec(32, 1)))};
    EXPECT_EQ(ask("keys", make_request(wanted).der).status, 400u);
}

TEST_F(EstKeygen, CertificateOfTheLabelIsRenewed) {
    const auto first = open(ask("keys", make_request(subject("CN=device 1")).der), {}).value();
    const Identity identity{first.key, first.certificate,
                            {to_vec(first.certificate.der()), to_vec(world.ca->issuing.der()), to_vec(world.ca->root.der())}};
    const auto again = open(ask("keys", make_request(subject("CN=device 1")).der, peer(identity)), {});
    ASSERT_TRUE(again) << failure(again);
    EXPECT_FALSE(same(again->certificate.spki(), first.certificate.spki()));
    EXPECT_EQ(ask("keys", make_request(subject("CN=device 2")).der, peer(identity)).status, 400u);
    EXPECT_EQ(ask("keys-encrypted", make_request(subject("CN=device 1")).der, peer(identity)).status, 400u);
    world.revoke(first.certificate);
    EXPECT_EQ(ask("keys", make_request(subject("CN=device 1")).der, peer(identity)).status, 403u);
}

TEST_F(EstKeygen, CertificateOfAnotherCaIsNobody) {   // bug class 2
    const auto foreign = world.enrolled("other", "CN=device 1");
    EXPECT_NE(ask("keys", make_request(subject("CN=device 1")).der, peer(foreign)).status, 200u);
    const auto globex = world.device("CN=device 1", "globex");
    EXPECT_NE(ask("keys", make_request(subject("CN=device 1")).der, peer(globex)).status, 200u);
    EXPECT_EQ(ask("keys", make_request(subject("CN=device 1")).der, peer(world.device("CN=device 1"))).status, 200u);
}

TEST_F(EstKeygen, WaitsForAPerson) {
    const auto request = make_request(subject("CN=device 1"));
    const auto waits = ask("keys-manual", request.der);
    EXPECT_EQ(waits.status, 202u);
    EXPECT_EQ(waits.headers.find("Retry-After"), "77");
    authority::Principal operator_;
    operator_.operator_ = true;
    store::UnitOfWork work;
    ASSERT_TRUE(world.authority->decide(1, true, "", operator_, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto key = open(ask("keys-manual", request.der), {});
    ASSERT_TRUE(key) << failure(key);
    EXPECT_EQ(ask("keys-manual", request.der).status, 403u);  // its key is gone
}

// ---- encryption beyond TLS

struct Way {
    std::string name, type;
    std::uint32_t usage = 0;
};
class EstKeygenEncrypted : public KeygenWorld, public testing::WithParamInterface<Way> {};

TEST_P(EstKeygenEncrypted, IsOpenedByWhoWasNamed) {
    const auto opener = GetParam().type.empty() ? shared() : holder(GetParam().type, GetParam().usage);
    for (const auto* label : {"keys", "keys-encrypted"}) {
        const auto response = ask(label, request_for(opener).der);
        ASSERT_EQ(response.status, 200u) << body_of(response);
        const auto answer = read(response);
        ASSERT_TRUE(answer) << failure(answer);
        EXPECT_TRUE(answer->key.encrypted);
        const auto message = cms::EnvelopedData::parse(answer->key.der.reveal());
        ASSERT_TRUE(message) << failure(message);
        EXPECT_FALSE(message->authenticated());  // EnvelopedData (RFC 7030 4.4.2)
        ASSERT_EQ(message->recipients().size(), 1u);
        const auto& recipient = message->recipients().front();
        if (GetParam().type.empty()) {
            ASSERT_TRUE(std::holds_alternative<cms::SharedKeyWrap>(recipient));  // kekri, with the client's identifier
            EXPECT_EQ(as_text(std::get<cms::SharedKeyWrap>(recipient).key_identifier), "psk");
        } else if (GetParam().type.starts_with("rsa")) {
            ASSERT_TRUE(std::holds_alternative<cms::KeyTransport>(recipient));
            EXPECT_EQ(std::get<cms::KeyTransport>(recipient).encryption.oid, cms::oid::rsaes_oaep);
        } else {
            EXPECT_TRUE(std::holds_alternative<cms::KeyAgreement>(recipient));
        }
        const auto key = open(response, opener);
        ASSERT_TRUE(key) << failure(key);
        EXPECT_TRUE(same(key->certificate.spki(), key->key.public_key().spki()));
    }
}
INSTANTIATE_TEST_SUITE_P(Rfc7030, EstKeygenEncrypted, testing::Values(Way{"shared", "", 0}, Way{"rsa", "rsa2048", x509::key_encipherment},
                                                                      Way{"p256", "p256", x509::key_agreement}, Way{"p521", "p521", x509::key_agreement},
                                                                      Way{"x25519", "x25519", x509::key_agreement}),
                         [](const auto& test) { return test.param.name; });

TEST_F(EstKeygen, ClientsOwnCertificateReceives) {
    auto key = crypto::PrivateKey::generate("rsa2048").value();
    auto certificate = certificate_under(*world.acme, key.public_key(), "CN=device 1",
                                         {x509::make_key_usage(x509::digital_signature | x509::key_encipherment)}, world.clock.now());
    const Identity identity{key, certificate, {to_vec(certificate.der()), to_vec(world.acme->issuing.der()), to_vec(world.acme->root.der())}};
    KeyOpener opener;
    opener.holder = cms::KeyHolder{key, certificate};
    const auto response = ask("keys-encrypted", request_for(opener).der, peer(identity));
    ASSERT_EQ(response.status, 200u) << body_of(response);
    EXPECT_TRUE(open(response, opener));
    // Somebody else cannot name it.
    EXPECT_EQ(ask("keys-encrypted", request_for(opener).der).status, 400u);
}

/// Whoever asks for encryption gets it, or nothing: no certificate, no key.
TEST_F(EstKeygen, EncryptionThatCannotBeIsRefused) {
    const auto before = world.certificates();
    const auto psk = shared(16, "short"), bound = shared(32, "bound", "CN=somebody else");
    const auto rsa = holder("rsa2048", x509::key_encipherment);
    const auto signs = holder("rsa2048", x509::digital_signature | x509::key_encipherment);
    const auto with = [&](std::vector<x509::Attribute> attributes) {
        auto wanted = subject("CN=device 1");
        wanted.attributes = std::move(attributes);
        return make_request(wanted).der;
    };
    const auto named = [&](const KeyOpener& opener, auto change) {
        auto delivery = delivery_to(opener).value();
        change(delivery);
        return with(key_delivery_attributes(delivery));
    };
    struct Case {
        const char* what;
        ByteVec request;
    };
    const std::vector<Case> cases{
        {"unknown shared key", named(psk, [](KeyDelivery& d) { d.shared_key = hex("0102"); })},
        {"unknown certificate", named(rsa, [](KeyDelivery& d) { d.certified_key = hex("0102"); })},
        {"somebody else's key", named(bound, [](KeyDelivery&) {})},
        {"a shared key as a certificate", named(psk, [](KeyDelivery& d) { std::swap(d.shared_key, d.certified_key); })},
        {"a certificate as a shared key", named(rsa, [](KeyDelivery& d) { std::swap(d.shared_key, d.certified_key); })},
        {"no wrap of this size", named(psk, [](KeyDelivery& d) { d.capabilities = cms::capabilities_of_shared_key(32); })},
        {"nothing listed", named(rsa, [](KeyDelivery& d) { d.capabilities.clear(); })},
        {"wraps for an RSA key", named(rsa, [](KeyDelivery& d) { d.capabilities = cms::capabilities_of_shared_key(32); })},
        {"both", named(rsa, [&](KeyDelivery& d) { d.shared_key = psk.shared->identifier; })},
        {"no capabilities", with({key_delivery_attributes(delivery_to(rsa).value()).front()})},
    };
    for (const auto& one : cases)
        for (const auto* label : {"keys", "keys-encrypted"}) {
            const auto response = ask(label, one.request);
            EXPECT_EQ(response.status, 400u) << one.what << ": " << body_of(response);
            EXPECT_EQ(response.headers.find("Content-Type"), "text/plain; charset=utf-8") << one.what;
        }
    EXPECT_EQ(ask("keys-encrypted", with({})).status, 400u);  // policy wants it
    EXPECT_EQ(world.certificates(), before);
    EXPECT_EQ(ask("keys", request_for(psk).der).status, 200u);
    EXPECT_EQ(ask("keys", request_for(signs).der).status, 200u);
}

TEST_F(EstKeygen, CertificateThatOnlySignsReceivesNothing) {
    auto opener = holder("rsa2048", x509::digital_signature);
    auto wanted = subject("CN=device 1");
    KeyDelivery delivery;
    delivery.certified_key = opener.holder->certificate->subject_key_id();
    delivery.capabilities = cms::capabilities_of(opener.holder->key.public_key());
    wanted.attributes = key_delivery_attributes(delivery);
    const auto response = ask("keys", make_request(wanted).der);
    EXPECT_EQ(response.status, 400u);
    EXPECT_THAT(std::string{body_of(response)}, HasSubstr("keyEncipherment"));
}

TEST_F(EstKeygen, WithoutAKeyGeneratorNothingIsEncrypted) {
    const auto opener = shared();
    restart([](ServerConfig& config) { config.key_generators.clear(); });
    EXPECT_EQ(ask("keys", request_for(opener).der).status, 400u);
    EXPECT_EQ(ask("keys", make_request(subject("CN=device 1")).der).status, 200u);
}

TEST_F(EstKeygen, CsrAttributesSayWhatTheRequestNeeds) {
    const auto attributes = [&](const std::string& label) {
        const auto response = world.send(get(target(label, "csrattrs")), peer());
        return CsrAttrs::parse(from_base64(response.body).value()).value();
    };
    const auto lists = [](const CsrAttrs& attributes_, const der::Oid& type) { return std::ranges::count(attributes_.items, type, &AttrOrOid::oid) == 1; };
    for (const auto& type : {oid::decrypt_key_identifier, oid::asymmetric_decrypt_key_identifier, oid::smime_capabilities}) {
        EXPECT_TRUE(lists(attributes("keys-encrypted"), type));
        EXPECT_FALSE(lists(attributes("keys"), type));
        EXPECT_FALSE(lists(attributes(""), type));
    }
}

}  // namespace
}  // namespace estuary::est
