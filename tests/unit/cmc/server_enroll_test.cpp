// Certification requests by all who may send them: shared secret, own certificate, transport, manufacturer (RFC 10002
// 3, 6.2, 6.3).
#include "world.h"

namespace estuary::test {
namespace {

using namespace cmc;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(CmcServer, SharedSecretProvesWhoAsks) {
    auto client = world.client_with_secret();
    const auto one = wish("CN=alice");
    const auto reply = world.exchange(client, client.enroll({one}));
    EXPECT_THAT(statuses(reply.statuses), ElementsAre("success 1"));
    const auto certificate = reply.certificate_for(one.key.public_key().spki()).value();
    EXPECT_EQ(certificate.subject(), one.subject);
    EXPECT_EQ(reply.signer, world.responder->certificate);
    EXPECT_EQ(reply.signed_at, world.clock.now());
    const auto record = world.store->certificate("issuing", certificate.serial_number()).value();
    EXPECT_EQ(record->requester, "credential:alice");
    // The way up goes along, the trust anchor does not (4.1).
    EXPECT_THAT(reply.certificates, Contains(world.ca->issuing));
    EXPECT_THAT(reply.certificates, testing::Not(Contains(world.ca->root)));
}

TEST_F(CmcServer, AWrongSecretIsBadIdentity) {
    for (const auto& [user, secret] : {std::pair{"alice", "another"}, std::pair{"nobody", alice_secret}}) {
        auto client = world.client_with_secret(user, secret);
        const auto reply = world.exchange(client, client.enroll({wish("CN=alice")}));
        ASSERT_EQ(reply.statuses.size(), 1u);
        EXPECT_THAT(statuses(reply.statuses).front(), HasSubstr("failed badIdentity"));
        EXPECT_EQ(reply.statuses.front().status_string, "the identity proof is wrong")
            << user;  // nothing tells which of the two it was
    }
}

// Bug class 30: guesses are slowed.
TEST_F(CmcServer, ManyWrongSecretsAreSlowed) {
    std::vector<std::string> words;
    for (int i = 0; i < 20; ++i) {
        auto client = world.client_with_secret("alice", "guess " + std::to_string(i));
        words.push_back(statuses(world.exchange(client, client.enroll({wish("CN=alice")})).statuses).front());
    }
    EXPECT_THAT(words.front(), HasSubstr("badIdentity"));
    EXPECT_THAT(words.back(), HasSubstr("tryLater"));
}

TEST_F(CmcServer, CredentialsOfOtherProtocolsAreNone) {  // bug class 2
    world.add_credential("carol", "carols-secret", [](auto& record) { record.protocol = "cmp"; });
    auto client = world.client_with_secret("carol", "carols-secret");
    EXPECT_THAT(statuses(world.exchange(client, client.enroll({wish("CN=carol")})).statuses).front(), HasSubstr("badIdentity"));
}

TEST_F(CmcServer, IdentificationIsNeeded) {
    PkiData data;
    const auto key = crypto::PrivateKey::generate("p256").value();
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=a"), {x509::make_subject_key_identifier(hex("01"))}, {}}, key)));
    data.controls.push_back(
        make_control(7, make_identity_proof({crypto::Secret{std::string_view{alice_secret}}}, data.encode_requests()).value()));
    EXPECT_THAT(statuses(world.send(signed_message(data, key, hex("01")))), ElementsAre("failed badIdentity 7"));
}

// 6.3: without the link somebody could put another's request into a message of their own.
TEST_F(CmcServer, RequestsAreLinkedToTheSecret) {
    const crypto::Secret secret{std::string_view{alice_secret}};
    const auto message = [&](bool random, bool witness, const std::string& of = alice_secret) {
        const ByteVec value(64, 0x33);
        const auto key = crypto::PrivateKey::generate("p256").value();
        x509::RequestTemplate wanted{name("CN=alice"), {x509::make_subject_key_identifier(hex("01"))}, {}};
        if (witness)
            wanted.attributes.push_back(
                make_request_attribute(make_pop_link_witness(crypto::Secret{std::string_view{of}}, value).value()));
        PkiData data;
        data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10(wanted, key)));
        data.controls.push_back(make_control(2, Identification{"alice"}));
        data.controls.push_back(make_control(3, make_identity_proof({secret, "alice"}, data.encode_requests()).value()));
        if (random) data.controls.push_back(make_control(4, PopLinkRandom{value}));
        return signed_message(data, key, hex("01"));
    };
    EXPECT_EQ(world.send(message(true, true)).form, Answer::Form::simple);
    EXPECT_THAT(statuses(world.send(message(false, false))), ElementsAre("failed popFailed 1"));
    EXPECT_THAT(statuses(world.send(message(true, false))), ElementsAre("failed popFailed 1"));
    EXPECT_THAT(statuses(world.send(message(false, true))), ElementsAre("failed popFailed 1"));
    EXPECT_THAT(statuses(world.send(message(true, true, "another secret"))), ElementsAre("failed popFailed 1"));
    EXPECT_EQ(world.send(message(false, false), "unlinked").form, Answer::Form::simple);
    EXPECT_THAT(statuses(world.send(message(true, true, "another secret"), "unlinked")), ElementsAre("failed popFailed 1"));
}

// 6.3.2: the subject that goes with the secret links as well.
TEST_F(CmcServer, ACredentialForOneSubjectLinksByIt) {
    const auto add = [&](const std::string& user, const std::string& pattern) {
        world.add_credential(user, alice_secret, [&](auto& record) { record.subject_patterns = {pattern}; });
    };
    add("dora", "CN=dora");
    add("some", "CN=some-*");
    const auto ask = [&](const std::string& user, const std::string& subject) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        PkiData data;
        data.requests.push_back(
            TaggedRequest::pkcs10(1, pkcs10({name(subject), {x509::make_subject_key_identifier(hex("01"))}, {}}, key)));
        data.controls.push_back(make_control(2, Identification{user}));
        data.controls.push_back(make_control(
            3, make_identity_proof({crypto::Secret{std::string_view{alice_secret}}, user}, data.encode_requests()).value()));
        return world.send(signed_message(data, key, hex("01")));
    };
    EXPECT_EQ(ask("dora", "CN=dora").form, Answer::Form::simple);
    EXPECT_THAT(statuses(ask("dora", "CN=eve")), ElementsAre("failed badIdentity 1"));
    EXPECT_THAT(statuses(ask("some", "CN=some-1")), ElementsAre("failed popFailed 1"));
}

// RFC 2797's controls with SHA-1, where they are allowed.
TEST_F(CmcServer, OldWitnessesWhereTheyAreAllowed) {
    const crypto::Secret secret{std::string_view{alice_secret}};
    const auto sha1_mac = [&](const std::string& key_text, Bytes data) {
        const auto algorithm = crypto::read_mac_algorithm(crypto::encode_mac_algorithm("HMAC-SHA1").value()).value();
        return crypto::compute_mac(algorithm, crypto::digest("SHA1", as_bytes(key_text)).value(), data).value();
    };
    const ByteVec random(64, 0x44);
    const auto key = crypto::PrivateKey::generate("p256").value();
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=alice"),
                                         {x509::make_subject_key_identifier(hex("01"))},
                                         {make_request_attribute(PopLinkWitness{sha1_mac(alice_secret, random)})}},
                                        key)));
    data.controls.push_back(make_control(2, Identification{"alice"}));
    data.controls.push_back(
        make_control(3, IdentityProof{sha1_mac(std::string{alice_secret} + "alice", data.encode_requests())}));
    data.controls.push_back(make_control(4, PopLinkRandom{random}));
    const auto message = signed_message(data, key, hex("01"));
    EXPECT_EQ(world.send(message, "old").form, Answer::Form::simple);
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed badIdentity 3"));
}

TEST_F(CmcServer, RenewalWithTheSameOrANewKey) {
    const auto old = world.holder("CN=device 1");
    auto client = world.client(old);
    const auto one = wish("CN=device 1");
    const auto certificate = world.exchange(client, client.enroll({one})).certificate_for(one.key.public_key().spki()).value();
    EXPECT_EQ(certificate.subject(), old.certificate.subject());
    auto again = world.client(old);
    const CertificateWish same_key{old.key, name("CN=device 1")};
    EXPECT_THAT(statuses(world.exchange(again, again.enroll({same_key})).statuses), ElementsAre("success 1"));
}

TEST_F(CmcServer, NoKeyReuseWhereANewKeyIsWanted) {
    const auto old = world.holder("CN=device 1", "new-keys");
    auto client = world.client(old);
    EXPECT_THAT(statuses(world.exchange(client, client.enroll({{old.key, name("CN=device 1")}}), "new-keys").statuses),
                ElementsAre("failed noKeyReuse 1"));
    auto again = world.client(old);
    EXPECT_THAT(statuses(world.exchange(again, again.enroll({wish("CN=device 1")}), "new-keys").statuses),
                ElementsAre("success 1"));
}

// Bug class 8: a certificate gets its own names only.
TEST_F(CmcServer, ACertificateAsksForItsOwnNamesOnly) {
    const auto old = world.holder("CN=device 1");
    auto client = world.client(old);
    EXPECT_THAT(statuses(world.exchange(client, client.enroll({wish("CN=device 2")})).statuses),
                ElementsAre("failed badRequest 1"));
    auto elsewhere = world.client(world.holder("CN=device 1", "second"));
    EXPECT_THAT(statuses(world.exchange(elsewhere, elsewhere.enroll({wish("CN=device 2")})).statuses),
                ElementsAre("failed badIdentity 1"));
}

// Bug classes 5 and 6.
TEST_F(CmcServer, RevokedExpiredAndForeignSignersAreRefused) {
    const auto old = world.holder("CN=device 1");
    world.revoke(old.certificate);
    auto client = world.client(old);
    EXPECT_THAT(statuses(world.exchange(client, client.enroll({wish("CN=device 1")})).statuses),
                ElementsAre("failed badIdentity 1"));
    const auto foreign = world.holder("CN=device 1", "other", "elsewhere");
    auto other = world.client(foreign);
    EXPECT_THAT(statuses(world.exchange(other, other.enroll({wish("CN=device 1")})).statuses),
                ElementsAre("failed badIdentity 1"));
    const auto expired = world.holder("CN=device 2");
    world.clock.advance(Seconds{91 * 86400});
    world.responder.reset();
    world.restart();
    auto late = world.client(expired);
    EXPECT_THAT(statuses(world.exchange(late, late.enroll({wish("CN=device 2")})).statuses), ElementsAre("failed badIdentity 1"));
}

TEST_F(CmcServer, DevicesOfAManufacturer) {
    const auto device = world.device_of_manufacturer("serialNumber=7,CN=toaster");
    ClientConfig config;
    config.certificate = device.for_client();
    const auto ask = [&](const std::string& subject, std::vector<Bytes> certificates) {
        PkiData data;
        data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10(subject)));
        const auto content = data.encode();
        const MessageSigner with{{device.key, cms::Identifier::by_issuer(device.certificate)}, std::move(certificates)};
        return world.send(sign(oid::pki_data, content, &with).value());
    };
    EXPECT_EQ(ask("serialNumber=7,CN=a", {device.certificate.der(), world.acme->issuing.der()}).form, Answer::Form::simple);
    EXPECT_THAT(statuses(ask("serialNumber=8,CN=a", {device.certificate.der(), world.acme->issuing.der()})),
                ElementsAre("failed badIdentity 1"));
    EXPECT_THAT(statuses(ask("serialNumber=7,CN=a", {device.certificate.der()})),
                ElementsAre("failed badIdentity 1"));  // no way up
    EXPECT_THAT(statuses(ask("serialNumber=7,CN=a", {world.acme->issuing.der()})), ElementsAre("failed badMessageCheck 0"));
}

// A certificate of ours need not be sent along.
TEST_F(CmcServer, TheSignersCertificateIsFoundInTheStore) {
    const auto old = world.holder("CN=device 1");
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=device 1")));
    const auto content = data.encode();
    const MessageSigner with{{old.key, cms::Identifier::by_issuer(old.certificate)}, {}};
    EXPECT_EQ(world.send(sign(oid::pki_data, content, &with).value()).form, Answer::Form::simple);
}

// 3.1, 4.1
TEST_F(CmcServer, SimpleRequestAndSimpleResponse) {
    const auto one = wish("CN=simple");
    const auto message = Client::simple(one).value();
    const auto answer = world.send(message, "", World::transport("web"));
    EXPECT_EQ(answer.form, Answer::Form::simple);
    EXPECT_FALSE(answer.rejected);
    const auto bag = cms::SignedData::parse(answer.der).value();
    EXPECT_TRUE(bag.signers().empty());
    EXPECT_FALSE(bag.content());
    EXPECT_TRUE(same(bag.certificates().front().spki(), one.key.public_key().spki()) ||
                same(bag.certificates().back().spki(), one.key.public_key().spki()));
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed badIdentity 1"));  // the transport proved nothing
    EXPECT_EQ(world.send(message).rejected, Code::not_authenticated);
    const auto refused = world.send(pkcs10("CN=a,2.5.4.72=role"), "", World::transport("web"));
    EXPECT_THAT(statuses(refused), ElementsAre("failed badRequest 1"));
    EXPECT_EQ(refused.rejected, Code::policy);
}

TEST_F(CmcServer, ASimpleRequestIsNoFullOne) {  // RFC 7030 4.3.1
    store::UnitOfWork work;
    const auto answer = world.server->serve_full("", pkcs10(), World::transport("web"), work).value();
    EXPECT_EQ(answer.rejected, Code::malformed);
    EXPECT_TRUE(work.empty());
}

TEST_F(CmcServer, TheTransportCanProveWhoAsksInAFullRequest) {
    ClientConfig config;
    auto client = world.client(std::move(config));
    EXPECT_THAT(
        statuses(world.exchange(client, client.enroll({wish("CN=a"), wish("CN=b")}), "", World::transport("web")).statuses),
        ElementsAre("success 1 2"));
    auto nobody = world.client();
    EXPECT_THAT(statuses(world.exchange(nobody, nobody.enroll({wish("CN=a")})).statuses), ElementsAre("failed badIdentity 1"));
}

// RFC 7030 3.5: a link to another session is popFailed; a registration authority passes on what others linked to theirs.
TEST_F(CmcServer, LinksToTheTransportsSession) {
    auto transport = World::transport("web");
    auto linking = authority::Linking::mismatched;
    transport.linking = [&](const std::vector<x509::Attribute>&) -> Result<authority::Linking> { return linking; };
    auto client = world.client();
    EXPECT_THAT(statuses(world.exchange(client, client.enroll({wish("CN=a")}), "", transport).statuses),
                ElementsAre("failed popFailed 1"));
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=b")));
    EXPECT_EQ(world.send(signed_message(data, world.registration_authority()), "", transport).form, Answer::Form::simple);
    linking = authority::Linking::matched;
    auto again = world.client();
    EXPECT_THAT(statuses(world.exchange(again, again.enroll({wish("CN=a")}), "", transport).statuses), ElementsAre("success 1"));
}

// Each request has its own status.
TEST_F(CmcServer, OneBadRequestAmongGoodOnes) {
    auto client = world.client_with_secret();
    const auto a = wish("CN=a"), bad = wish("CN=b,2.5.4.72=role"), c = wish("CN=c");
    const auto reply = world.exchange(client, client.enroll({a, bad, c}));
    EXPECT_THAT(statuses(reply.statuses), ElementsAre("failed badRequest 2", "success 1 3"));
    EXPECT_TRUE(reply.certificate_for(a.key.public_key().spki()));
    EXPECT_FALSE(reply.certificate_for(bad.key.public_key().spki()));
    EXPECT_TRUE(reply.certificate_for(c.key.public_key().spki()));
}

// Bug class 9: with nothing accepted every way in is closed.
TEST_F(CmcServer, WithNothingConfiguredEverythingIsRefused) {
    const auto count = world.certificates();
    const auto old = world.holder("CN=device 1", "closed");
    const auto ra = world.registration_authority("closed");
    const auto before = world.certificates();
    EXPECT_EQ(before, count + 2);
    auto by_certificate = world.client(old), by_ra = world.client(ra), by_secret = world.client_with_secret();
    auto by_device = world.client(world.device_of_manufacturer("CN=toaster"));
    for (auto* client : {&by_certificate, &by_ra, &by_secret, &by_device}) {
        const auto reply = world.exchange(*client, client->enroll({wish("CN=device 1")}), "closed", World::transport("web"));
        ASSERT_EQ(reply.statuses.size(), 1u);
        EXPECT_THAT(statuses(reply.statuses).front(), HasSubstr("failed badIdentity"));
    }
    EXPECT_THAT(statuses(world.send(pkcs10(), "closed", World::transport("web"))), ElementsAre("failed badIdentity 1"));
    EXPECT_EQ(world.certificates(), before);
    store::UnitOfWork work;
    EXPECT_EQ(code_of(world.server->serve("off", pkcs10(), World::transport("web"), work)), Code::not_found);
    EXPECT_EQ(code_of(world.server->serve("unknown", pkcs10(), World::transport("web"), work)), Code::not_found);
}

TEST_F(CmcServer, WithoutAResponderNothingIsDone) {
    world.restart([](ServerConfig& config) { config.responder = [](std::string_view) { return nullptr; }; });
    store::UnitOfWork work;
    EXPECT_EQ(code_of(world.server->serve("", pkcs10(), World::transport("web"), work)), Code::unavailable);
    EXPECT_TRUE(work.empty());
}

// 3.2.1.2.2 and RFC 10004 5.3: CRMF.
TEST_F(CmcServer, CrmfRequests) {
    auto client = world.client_with_secret();
    auto one = wish("CN=crmf");
    one.crmf = true;
    one.extensions = {x509::make_subject_alt_name({x509::GeneralName::from_text("dns:a.example").value()}, false)};
    const auto reply = world.exchange(client, client.enroll({one}));
    EXPECT_THAT(statuses(reply.statuses), ElementsAre("success 1"));
    EXPECT_EQ(reply.certificate_for(one.key.public_key().spki()).value().subject_alt_names().value().size(), 1u);
}

class CrmfRefused : public CmcServer {
protected:
    std::vector<std::string> ask(const std::function<void(x509::crmf::WantedRequest&)>& change) {
        x509::crmf::WantedRequest wanted;
        wanted.request.cert_req_id = 5;
        wanted.request.cert_template.subject = name("CN=a");
        change(wanted);
        const auto message = x509::crmf::make_cert_req_msg(wanted, crypto::PrivateKey::generate("p256").value());
        EXPECT_TRUE(message) << message.error().detail;
        PkiData data;
        data.requests.push_back(TaggedRequest::crmf(*message).value());
        return statuses(world.send(signed_message(data, ra)));
    }
    Holder ra = world.registration_authority();
};

TEST_F(CrmfRefused, ForWhatCmcDoesNotWant) {
    const x509::crmf::Control token = x509::crmf::make_reg_token("token");
    EXPECT_THAT(ask([&](auto& wanted) { wanted.request.controls = {token}; }), ElementsAre("failed badRequest 5"));
    EXPECT_THAT(ask([&](auto& wanted) { wanted.request.controls = {x509::crmf::make_authenticator("x")}; }),
                ElementsAre("failed badRequest 5"));
    EXPECT_THAT(ask([&](auto& wanted) { wanted.reg_info = {x509::crmf::make_utf8_pairs({{"a", "b"}})}; }),
                ElementsAre("failed badRequest 5"));
    EXPECT_THAT(ask([&](auto& wanted) {
                    wanted.request.controls = {x509::crmf::make_archive_options(x509::crmf::ArchiveRemGenPrivKey{true})};
                }),
                ElementsAre("failed badRequest 5"));
    EXPECT_THAT(ask([&](auto& wanted) { wanted.subsequent_message = x509::crmf::SubsequentMessage::encr_cert; }),
                ElementsAre("failed badRequest 5"));
    EXPECT_THAT(ask([&](auto& wanted) {
                    wanted.request.cert_template.subject.reset();
                    wanted.sender = x509::GeneralName::from_text("dirname:CN=a").value();
                }),
                ElementsAre("failed badRequest 5"));
}

// raVerified counts from a registration authority only (bug class 27).
TEST_F(CmcServer, RaVerified) {
    x509::crmf::CertRequest request;
    request.cert_req_id = 5;
    request.cert_template.subject = name("CN=device 1");
    request.cert_template.public_key = to_vec(crypto::PrivateKey::generate("p256").value().public_key().spki());
    PkiData data;
    data.requests.push_back(TaggedRequest::crmf(x509::crmf::make_ra_verified(request.encode())).value());
    EXPECT_THAT(statuses(world.send(signed_message(data, world.holder("CN=device 1")))), ElementsAre("failed popFailed 5"));
    EXPECT_EQ(world.send(signed_message(data, world.registration_authority())).form, Answer::Form::simple);
    EXPECT_THAT(statuses(world.send(signed_message(data, world.registration_authority("own-proofs")), "own-proofs")),
                ElementsAre("failed popFailed 5"));
}

TEST_F(CmcServer, AWrongSignatureOnARequestIsPopFailed) {
    auto request = pkcs10("CN=a");
    request.back() ^= 1;
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, request));
    EXPECT_THAT(statuses(world.send(signed_message(data, world.registration_authority()))), ElementsAre("failed popFailed 1"));
}

// A key that the profile does not allow, and an algorithm that nobody knows.
TEST_F(CmcServer, BadAlg) {
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=a"), {}, {}}, crypto::PrivateKey::generate("ed448").value())));
    EXPECT_THAT(statuses(world.send(signed_message(data, world.registration_authority()))), ElementsAre("failed badAlg 1"));
}

TEST_F(CmcServer, UnsupportedExt) {
    const x509::Extension odd{der::Oid{"1.2.3.4"}, false, hex("0500")};
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=a"), {odd}, {}}, crypto::PrivateKey::generate("p256").value())));
    data.requests.push_back(TaggedRequest::pkcs10(2, pkcs10("CN=b")));
    EXPECT_THAT(statuses(world.send(signed_message(data, world.registration_authority("strict")), "strict")),
                ElementsAre("failed unsupportedExt 1", "success 2"));
    EXPECT_EQ(world.send(signed_message(data, world.registration_authority())).form, Answer::Form::simple);  // dropped there
}

// 7.1
TEST_F(CmcServer, ChangeSubjectNameOnRenewal) {
    const auto old = world.holder("CN=device 1", "renaming", "renaming");
    auto client = world.client(old);
    auto one = wish("CN=device 1");
    one.new_names = x509::ChangeSubjectName{name("CN=device 9"), {}};
    const auto reply = world.exchange(client, client.enroll({one}), "renaming");
    EXPECT_EQ(reply.certificate_for(one.key.public_key().spki()).value().subject(), name("CN=device 9"));
    one = wish("CN=device 1");
    one.new_names = x509::ChangeSubjectName{name("CN=device 8"), {}};
    one.crmf = true;
    auto second = world.client(old);
    EXPECT_EQ(
        world.exchange(second, second.enroll({one}), "renaming").certificate_for(one.key.public_key().spki()).value().subject(),
        name("CN=device 8"));
    auto by_secret = world.client_with_secret();
    EXPECT_THAT(statuses(world.exchange(by_secret, by_secret.enroll({one}), "renaming").statuses),
                ElementsAre("failed badRequest 1"));
}

// 3.2.1: another format is not processed, and nothing else either.
TEST_F(CmcServer, OtherRequestFormatsAreNotSupported) {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    data.requests.push_back({2, TaggedRequest::Kind::orm, hex("0500"), der::Oid{"1.2.3"}});
    const auto ra = world.registration_authority();
    const auto count = world.certificates();
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 1", "noSupport 2"));
    EXPECT_EQ(world.certificates(), count);
}

}  // namespace
}  // namespace estuary::test
