// Registration authorities (RFC 10002 6.5, 6.8, 6.17, 6.19, 6.20, 8): requests of others, changed, vouched for, in batches.
#include "world.h"

namespace estuary::test {
namespace {

using namespace cmc;
using testing::Contains;
using testing::ElementsAre;

x509::crmf::CertTemplate with_subject(std::string_view text) {
    x509::crmf::CertTemplate wanted;
    wanted.subject = name(text);
    return wanted;
}

x509::Extension dns(const std::string& host) {
    return x509::make_subject_alt_name({x509::GeneralName::from_text("dns:" + host).value()}, false);
}

class CmcRa : public CmcServer {
protected:
    /// The only issued certificate with a name of its own.
    static x509::Certificate issued(const Answer& answer) {
        const auto data = cms::SignedData::parse(answer.der, cms_limits({})).value();
        for (const auto& certificate : data.certificates())
            if (!certificate.is_ca() && !certificate.has_ext_key_usage(x509::oid::kp_cmc_ca)) return certificate;
        ADD_FAILURE() << "no certificate was issued";
        return data.certificates().at(0);
    }
    /// A request of an end entity, signed by its own key, which proves nothing of who it is.
    static ByteVec nameless(const std::string& subject, BodyPartId id = 201) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        PkiData data;
        data.requests.push_back(
            TaggedRequest::pkcs10(id, pkcs10({name(subject), {x509::make_subject_key_identifier(hex("01"))}, {}}, key)));
        return signed_message(data, key, hex("01"));
    }
    std::vector<ClientReply> members(Client& client, const ClientReply& reply) {
        std::vector<ClientReply> read;
        for (const auto& member : reply.members) {
            auto one = client.read_member(member);
            EXPECT_TRUE(one) << one.error().detail;
            read.push_back(one.value_or(ClientReply{}));
        }
        return read;
    }
    Holder ra = world.registration_authority();
};

TEST_F(CmcRa, AsksForOthers) {
    auto client = world.client(ra);
    const auto reply = world.exchange(client, client.pass_on({{pkcs10("CN=a"), pkcs10("CN=b")}, {}, {}}));
    EXPECT_THAT(statuses(reply.statuses), ElementsAre("success 1 2"));
    const auto record = world.store->certificate("issuing", reply.certificates.at(0).serial_number()).value();
    EXPECT_EQ(record->requester.rfind("certificate:issuing/", 0), 0u);
}

// Bug class 7: a registration authority of another label, or of another CA, is none here.
TEST_F(CmcRa, OnlyWhereItBelongs) {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    EXPECT_THAT(statuses(world.send(signed_message(data, ra), "second")), ElementsAre("failed badIdentity 1"));
    EXPECT_THAT(statuses(world.send(signed_message(data, ra), "other")), ElementsAre("failed badIdentity 1"));
    EXPECT_EQ(world.send(signed_message(data, ra), "shared-ra").form, Answer::Form::simple);
    const auto foreign = world.registration_authority("", "foreign-ra");
    EXPECT_THAT(statuses(world.send(signed_message(data, foreign))), ElementsAre("failed badIdentity 1"));
}

TEST_F(CmcRa, ReplacesNamesAndExtensions) {
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=a"), {dns("a.example")}, {}}, crypto::PrivateKey::generate("p256").value())));
    auto changed = with_subject("CN=changed");
    changed.extensions = {dns("b.example")};
    data.controls.push_back(make_control(7, ModCertTemplate{{0}, {1}, true, changed}));
    const auto certificate = issued(world.send(signed_message(data, ra)));
    EXPECT_EQ(certificate.subject(), name("CN=changed"));
    EXPECT_EQ(certificate.subject_alt_names().value().front().to_text(), "dns:b.example");
}

TEST_F(CmcRa, DeletesExtensions) {
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({name("CN=a"), {dns("a.example")}, {}}, crypto::PrivateKey::generate("p256").value())));
    x509::crmf::CertTemplate deleted;
    deleted.extensions = {dns("whatever.example")};
    data.controls.push_back(make_control(7, ModCertTemplate{{0}, {1}, false, deleted}));
    EXPECT_TRUE(issued(world.send(signed_message(data, ra))).subject_alt_names().value().empty());
}

TEST_F(CmcRa, ShortensTheValidity) {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    x509::crmf::CertTemplate wanted;
    wanted.validity = x509::crmf::OptionalValidity{{}, world.clock.now() + Seconds{3600}};
    data.controls.push_back(make_control(7, ModCertTemplate{{0}, {1}, true, wanted}));
    EXPECT_EQ(issued(world.send(signed_message(data, ra))).not_after(), world.clock.now() + Seconds{3600});
}

// Policy has the last word on what a registration authority wants.
TEST_F(CmcRa, ChangesNothingThatTheProfileDoesNotAllow) {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    auto ca = with_subject("CN=a");
    ca.extensions = {x509::make_basic_constraints({true, {}})};
    data.controls.push_back(make_control(7, ModCertTemplate{{0}, {1}, true, ca}));
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 1"));
    const auto with = [&](const x509::crmf::CertTemplate& wanted) {
        data.controls = {make_control(7, ModCertTemplate{{0}, {1}, true, wanted})};
        return statuses(world.send(signed_message(data, ra)));
    };
    x509::crmf::CertTemplate key, serial, issuer;
    key.public_key = to_vec(crypto::PrivateKey::generate("p256").value().public_key().spki());
    serial.serial_number = hex("01");
    issuer.issuer = name("CN=other");
    for (const auto* wanted : {&key, &serial, &issuer}) EXPECT_THAT(with(*wanted), ElementsAre("failed badRequest 1"));
}

TEST_F(CmcRa, ReferencesMustBeThere) {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    for (const auto& control :
         {make_control(7, ModCertTemplate{{0}, {2}, true, with_subject("CN=b")}),
          make_control(7, ModCertTemplate{{9}, {1}, true, with_subject("CN=b")}),
          make_control(7, ModCertTemplate{{0, 1}, {1}, true, with_subject("CN=b")}),
          make_control(7, AddExtensions{0, {2}, {dns("a.example")}}), make_control(7, AddExtensions{9, {1}, {dns("a.example")}}),
          make_control(7, LraPopWitness{0, {2}})}) {
        data.controls = {control};
        EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 7"));
    }
}

TEST_F(CmcRa, AddsExtensions) {
    PkiData data;
    data.requests = {TaggedRequest::pkcs10(1, pkcs10("CN=a")), TaggedRequest::pkcs10(2, pkcs10("CN=b"))};
    data.controls = {make_control(7, AddExtensions{0, {1, 2}, {dns("a.example")}})};
    EXPECT_EQ(issued(world.send(signed_message(data, ra))).subject_alt_names().value().front().to_text(), "dns:a.example");
    // 6.5.2: two that say different things of one request.
    data.controls = {make_control(7, AddExtensions{0, {1}, {dns("a.example")}}),
                     make_control(8, AddExtensions{0, {1}, {dns("b.example")}})};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 0"));
    data.controls = {make_control(7, AddExtensions{0, {1}, {dns("a.example")}}),
                     make_control(8, AddExtensions{0, {2}, {dns("b.example")}})};
    EXPECT_EQ(world.send(signed_message(data, ra)).form, Answer::Form::simple);
}

// RFC 10002 10: what an RA may say nobody else may.
TEST_F(CmcRa, EndEntitiesHaveNoneOfItsControls) {
    const auto device = world.holder("CN=device 1");
    const auto count = world.certificates();
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=device 1")));
    data.contents.push_back({2, nameless("CN=a")});
    for (const auto& control : {make_control(7, ModCertTemplate{{0}, {1}, true, with_subject("CN=admin")}),
                                make_control(7, AddExtensions{0, {1}, {dns("a.example")}}), make_control(7, BatchRequests{{2}}),
                                make_control(7, RaIdentityWitness{{2}}), make_control(7, ControlProcessed{{BodyPartId{7}}})}) {
        data.controls = {control};
        EXPECT_THAT(statuses(world.send(signed_message(data, device))), ElementsAre("failed badRequest 7"));
        EXPECT_THAT(statuses(world.send(signed_message(data, crypto::PrivateKey::generate("p256").value(), hex("02")))),
                    ElementsAre("failed badMessageCheck 0"));
    }
    data.controls = {make_control(7, LraPopWitness{0, {1}})};
    EXPECT_THAT(statuses(world.send(signed_message(data, device))), ElementsAre("failed popFailed 7"));
    EXPECT_EQ(world.certificates(), count);
}

// -- batches ---------------------------------------------------------------------------------------------------------------

TEST_F(CmcRa, BatchOfMessagesWithAnswersOfTheirOwn) {
    const auto device = world.holder("CN=device 1");
    auto own = world.client(device), secret = world.client_with_secret(), wrong = world.client_with_secret("alice", "guess");
    const auto a = wish("CN=device 1"), b = wish("CN=b"), c = wish("CN=c");
    auto client = world.client(ra);
    const auto reply = world.exchange(
        client,
        client.pass_on(
            {{pkcs10("CN=simple")}, {own.enroll({a}).value(), secret.enroll({b}).value(), wrong.enroll({c}).value()}, {}}));
    EXPECT_THAT(statuses(reply.statuses), ElementsAre("success 1 5"));  // the simple request, and the batch as such
    const auto answers = members(client, reply);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_TRUE(answers[0].certificate_for(a.key.public_key().spki()));
    EXPECT_TRUE(answers[1].certificate_for(b.key.public_key().spki()));
    EXPECT_EQ(answers[2].failure()->code, Code::not_authenticated);
    // Each can be handed on: its own client reads it as the answer to its own message.
    EXPECT_TRUE(own.read(reply.members[0]));
    EXPECT_TRUE(secret.read(reply.members[1]));
    EXPECT_FALSE(own.read(reply.members[1]));
}

// 8: the request of a client without an identity, under one that the RA checked and wrote into it (B.2, 6.20).
TEST_F(CmcRa, VouchesForOthersInABatch) {
    auto client = world.client(ra);
    Client::Batch batch;
    batch.messages = {nameless("CN=proposed")};
    const auto refused = world.exchange(client, client.pass_on(batch));
    EXPECT_THAT(statuses(members(client, refused).at(0).statuses), ElementsAre("failed badIdentity 201"));
    batch.controls = {make_control(0, RaIdentityWitness{{1}}),
                      make_control(0, ModCertTemplate{{1}, {201}, true, with_subject("CN=given")})};
    const auto reply = members(client, world.exchange(client, client.pass_on(batch))).at(0);
    EXPECT_EQ(reply.certificates.at(0).subject(), name("CN=given"));
    const auto record = world.store->certificate("issuing", reply.certificates.at(0).serial_number()).value();
    EXPECT_EQ(record->requester, "certificate:issuing/" + ra.certificate.serial_hex());
}

TEST_F(CmcRa, WitnessesAnIdentityProofThatItChecked) {
    auto theirs = world.client_with_secret("known to the RA only", "secret");
    auto client = world.client(ra);
    Client::Batch batch;
    const auto one = wish("CN=a");
    batch.messages = {theirs.enroll({one}).value()};
    const auto proof = [&] {  // the identityProofV2 inside
        const auto inner = PkiData::parse(*cms::SignedData::parse(batch.messages[0]).value().content()).value();
        return inner.control(cmc::oid::identity_proof_v2)->id;
    }();
    const auto refused = members(client, world.exchange(client, client.pass_on(batch))).at(0);
    EXPECT_EQ(refused.failure()->code, Code::not_authenticated);
    batch.controls = {make_control(0, RaIdentityWitness{{1, proof}})};
    EXPECT_TRUE(
        members(client, world.exchange(client, client.pass_on(batch))).at(0).certificate_for(one.key.public_key().spki()));
}

// What an RA says of one message is not said of another.
TEST_F(CmcRa, AssertionsReachOnlyWhatTheyPointTo) {
    auto client = world.client(ra);
    Client::Batch batch;
    batch.messages = {nameless("CN=a"), nameless("CN=b")};
    batch.controls = {make_control(0, RaIdentityWitness{{2}})};
    const auto answers = members(client, world.exchange(client, client.pass_on(batch)));
    EXPECT_TRUE(answers.at(0).failure());
    EXPECT_FALSE(answers.at(1).failure());
}

TEST_F(CmcRa, NestedReferencesMustBeThere) {
    auto client = world.client(ra);
    Client::Batch batch;
    batch.messages = {nameless("CN=a")};
    batch.controls = {make_control(0, ModCertTemplate{{1}, {999}, true, with_subject("CN=b")})};
    EXPECT_THAT(statuses(members(client, world.exchange(client, client.pass_on(batch))).at(0).statuses),
                ElementsAre("failed badRequest 0"));
}

TEST_F(CmcRa, MessagesWithinMessages) {
    const auto second_ra = world.registration_authority();
    auto inner = world.client(second_ra), outer = world.client(ra);
    Client::Batch one;
    one.messages = {nameless("CN=deep")};
    one.controls = {make_control(0, RaIdentityWitness{{1}})};
    Client::Batch two;
    two.messages = {inner.pass_on(one).value()};
    // The outer one changes what the inner one passed on: the outermost layer comes last.
    two.controls = {make_control(0, ModCertTemplate{{1, 1}, {201}, true, with_subject("CN=outermost")})};
    const auto reply = world.exchange(outer, outer.pass_on(two));
    const auto middle = outer.read_member(reply.members.at(0)).value();
    EXPECT_EQ(outer.read_member(middle.members.at(0)).value().certificates.at(0).subject(), name("CN=outermost"));
    // One layer more than is allowed.
    auto third = world.client(ra);
    Client::Batch three;
    three.messages = {third.pass_on(two).value()};
    auto fourth = world.client(ra);
    const auto deep = world.exchange(fourth, fourth.pass_on(three));
    const auto first = fourth.read_member(deep.members.at(0)).value();
    const auto last = fourth.read_member(first.members.at(0)).value();
    EXPECT_THAT(statuses(last.statuses), ElementsAre("failed badRequest 1"));
    EXPECT_TRUE(last.members.empty());
}

TEST_F(CmcRa, WhatNoControlSpeaksOfIsPassedOver) {  // 3.2.1
    PkiData data;
    data.contents.push_back({1, hex("3000")});
    data.other_messages.push_back({2, der::Oid{"1.2.3"}, hex("0500")});
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("success 0"));
    data.controls = {make_control(7, BatchRequests{{1}})};
    const auto answer = world.send(signed_message(data, ra));
    EXPECT_THAT(statuses(answer), ElementsAre("success 7"));  // its member has failed by itself
    data.controls = {make_control(7, BatchRequests{{5}})};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 7"));
}

// 3.2.1.1, 6.19
TEST_F(CmcRa, UnknownControlsUnlessTheyWereProcessed) {
    const auto count = world.certificates();
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=a")));
    data.controls = {{7, der::Oid{"1.2.3.4"}, {hex("0500")}}, {8, der::Oid{"1.2.3.5"}, {}}};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 7 8"));
    EXPECT_EQ(world.certificates(), count);  // the whole of it failed
    data.controls.push_back(make_control(9, ControlProcessed{{BodyPartId{7}}}));
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 8"));
    data.controls.back() = make_control(9, ControlProcessed{{BodyPartId{7}, BodyPartPath{8}}});
    EXPECT_EQ(world.send(signed_message(data, ra)).form, Answer::Form::simple);
}

TEST_F(CmcRa, ControlsOfOthersThatWereProcessed) {
    const auto device = world.holder("CN=device 1");
    PkiData theirs;
    theirs.requests.push_back(TaggedRequest::pkcs10(1, pkcs10("CN=device 1")));
    theirs.controls = {{7, der::Oid{"1.2.3.4"}, {hex("0500")}}};
    auto client = world.client(ra);
    Client::Batch batch;
    batch.messages = {signed_message(theirs, device)};
    EXPECT_THAT(statuses(members(client, world.exchange(client, client.pass_on(batch))).at(0).statuses),
                ElementsAre("failed badRequest 7"));
    batch.controls = {make_control(0, ControlProcessed{{BodyPartPath{1, 7}}})};
    EXPECT_FALSE(members(client, world.exchange(client, client.pass_on(batch))).at(0).failure());
}

// Bug class 1: what belongs in answers, or in certification requests, is refused in a message to the server.
TEST_F(CmcRa, ControlsThatAreNotForRequests) {
    PkiData data;
    for (const auto& control :
         {make_control(7, ResponseBody{{1}}), make_control(7, BatchResponses{{1}}), make_control(7, ResponseInfo{hex("00")}),
          make_control(7, PublishTrustAnchors{1, sha256_algorithm(), {}}), make_control(7, PopLinkWitness{hex("00")}),
          make_control(7, PopLinkWitnessV2{sha256_algorithm(), hmac_sha256_algorithm(), hex("00")}),
          make_control(7, EncryptedPop{TaggedRequest::pkcs10(1, hex("3000")), hex("3000"), hmac_sha256_algorithm(),
                                       sha256_algorithm(), hex("00")})}) {
        data.controls = {control};
        EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 7"));
    }
    data.controls = {make_control(7, SenderNonce{hex("01")}), make_control(8, SenderNonce{hex("02")})};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 8"));
    data.controls = {{7, cmc::oid::sender_nonce, {hex("0500")}}};
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 7"));
}

// 3.2.1.2.1
TEST_F(CmcRa, EmptySubjectIsBadRequest) {
    PkiData data;
    data.requests.push_back(
        TaggedRequest::pkcs10(1, pkcs10({x509::Name{}, {}, {}}, crypto::PrivateKey::generate("p256").value())));
    EXPECT_THAT(statuses(world.send(signed_message(data, ra))), ElementsAre("failed badRequest 1"));
    auto given = with_subject("CN=given");
    data.controls.push_back(make_control(7, ModCertTemplate{{0}, {1}, true, given}));
    EXPECT_EQ(issued(world.send(signed_message(data, ra))).subject(), name("CN=given"));
}

TEST_F(CmcRa, ALargeBatch) {
    auto client = world.client(ra);
    Client::Batch batch;
    const auto key = crypto::PrivateKey::generate("p256").value();
    for (int i = 0; i < 300; ++i) batch.simple_requests.push_back(pkcs10({name("CN=device " + std::to_string(i)), {}, {}}, key));
    const auto reply = world.exchange(client, client.pass_on(batch));
    EXPECT_EQ(reply.statuses.at(0).body_list.size(), 300u);
    EXPECT_EQ(reply.certificates.size(), 301u);  // and the issuing CA's
}

}  // namespace
}  // namespace estuary::test
