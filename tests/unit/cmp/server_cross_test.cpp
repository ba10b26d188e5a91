// ccr and ccp: certificates for other CAs (RFC 9810 5.3.11, 5.3.12, 6.6.1, D.6).
#include "client_world.h"
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/oids.h"

namespace estuary::test {
namespace {

constexpr const char* authorization_code = "an-authorization-code-canary";
constexpr const char* other_name = "CN=Their Issuing CA,O=Theirs";

class CmpServerCross : public CmpClient {
protected:
    CmpServerCross() {
        world.add_secret("theirs", authorization_code, [](auto& record) { record.profile = "sub-ca"; });
    }
    /// A request as it must be; `bend` changes it before it is signed.
    PkiBody request(Talker& by, std::function<void(crmf::WantedRequest&)> bend = {}) {
        return by.request(BodyType::ccr, other_name, [&](crmf::WantedRequest& wanted) {
            auto& asked = wanted.request.cert_template;
            asked.version = 2;
            asked.issuer = world.ca->root.subject();
            asked.validity = crmf::OptionalValidity{world.clock.now(), world.clock.now() + Seconds{365 * 86400}};
            asked.extensions.push_back(x509::make_basic_constraints({true, 0}));
            if (bend) bend(wanted);
        });
    }
    std::size_t waiting() { return world.store->pending_requests({}).value().size(); }
    /// Of the label that certifies CAs.
    Identity holder(const std::string& subject, const std::string& profile = {}) { return world.enrolled(subject, "cross", profile); }

    Talker talker{world, "theirs", authorization_code, "cross"};
};

TEST_F(CmpServerCross, WaitsForAPersonAndIsConfirmed) {
    const auto first = talker.send(request(talker));
    ASSERT_EQ(verdict(first), "ccp waiting");
    ASSERT_EQ(waiting(), 1u);
    EXPECT_EQ(world.store->pending_requests({}).value().front().operation, "cross-certify");
    const auto later = talker.send(poll_for(0));
    ASSERT_EQ(later.type(), BodyType::poll_rep) << verdict(later);
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().check_after, 77);
    world.approve();
    world.restart();   // bug class 25
    const auto answer = talker.send(poll_for(0));
    ASSERT_EQ(verdict(answer), "ccp accepted") << "all that was asked for";
    const auto made = certificate_of(answer);
    EXPECT_TRUE(made.is_ca());
    EXPECT_EQ(made.path_length(), 0u);
    EXPECT_EQ(made.subject().to_text(), other_name);
    EXPECT_TRUE(same(made.spki(), talker.key.public_key().spki()));
    EXPECT_TRUE(made.verify_signed_by(world.ca->root_key.public_key()));
    const auto& response = answer.as<cmp::CertRepMessage>().responses.front();
    EXPECT_FALSE(response.certified_key_pair->private_key);
    EXPECT_TRUE(answer.as<cmp::CertRepMessage>().ca_pubs.empty());
    // RFC 9810 6.6.1: the responder's own certificate comes along, although it is a root.
    const auto along = answer.extra_certificates();
    EXPECT_NE(std::ranges::find(along, world.ca->root), along.end());
    EXPECT_EQ(verdict(talker.send(talker.confirmation(made))), "pkiconf");
    EXPECT_FALSE(world.is_revoked(made, "root"));
}

TEST_F(CmpServerCross, IsRejectedByAPerson) {
    ASSERT_EQ(verdict(talker.send(request(talker))), "ccp waiting");
    world.decide(false);
    EXPECT_EQ(verdict(talker.send(poll_for(0))), "ccp rejection notAuthorized");
}

TEST_F(CmpServerCross, WithoutConfirmationItIsWithdrawn) {
    ASSERT_EQ(verdict(talker.send(request(talker))), "ccp waiting");
    world.approve();
    const auto answer = talker.send(poll_for(0));
    ASSERT_EQ(verdict(answer), "ccp accepted");
    world.clock.advance(Seconds{400});
    store::UnitOfWork work;
    EXPECT_EQ(world.authority->revoke_unconfirmed(10, work).value(), 1u);   // bug class 27
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_TRUE(world.is_revoked(certificate_of(answer), "root"));
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "error badRequest");
}

TEST_F(CmpServerCross, WhatTheRequesterRejectsIsRevoked) {
    ASSERT_EQ(verdict(talker.send(request(talker))), "ccp waiting");
    world.approve();
    const auto answer = talker.send(poll_for(0));
    auto no = talker.confirmation(certificate_of(answer));
    std::get<cmp::CertConfirmContent>(no.content).statuses.front().status_info = cmp::rejection(PkiFailure::bad_cert_template);
    EXPECT_EQ(verdict(talker.send(no)), "pkiconf");
    EXPECT_TRUE(world.is_revoked(certificate_of(answer), "root"));
}

TEST_F(CmpServerCross, ImplicitConfirmationIsGranted) {
    ASSERT_EQ(verdict(talker.send(request(talker), implicit())), "ccp waiting");
    world.approve();
    const auto answer = talker.send(poll_for(0));
    EXPECT_TRUE(cmp::implicit_confirm(answer.header()).value());
    EXPECT_FALSE(world.is_revoked(certificate_of(answer), "root"));
}

TEST_F(CmpServerCross, WhatIsChangedIsSaid) {
    ASSERT_EQ(verdict(talker.send(request(talker, [](auto& wanted) {
                  wanted.request.cert_template.extensions.front() = x509::make_basic_constraints({true, 5});
              }))), "ccp waiting");
    world.approve();
    const auto answer = talker.send(poll_for(0));
    EXPECT_EQ(verdict(answer), "ccp grantedWithMods");
    EXPECT_EQ(certificate_of(answer).path_length(), 0u);
}

using Bend = std::function<void(crmf::WantedRequest&)>;
struct CrossCase {
    std::string label;
    Bend bend;
    std::string verdict;
};
class CmpServerCrossRequest : public CmpServerCross, public testing::WithParamInterface<CrossCase> {};
TEST_P(CmpServerCrossRequest, IsComplete) {
    EXPECT_EQ(verdict(talker.send(request(talker, GetParam().bend))), GetParam().verdict);
    EXPECT_EQ(waiting(), GetParam().verdict == "ccp waiting" ? 1u : 0u);
}
crmf::CertTemplate& asked(crmf::WantedRequest& wanted) { return wanted.request.cert_template; }
INSTANTIATE_TEST_SUITE_P(
    Cmp, CmpServerCrossRequest,
    testing::Values(
        CrossCase{"whole", [](auto&) {}, "ccp waiting"},
        CrossCase{"without_version", [](auto& w) { asked(w).version.reset(); }, "ccp rejection badCertTemplate"},
        CrossCase{"without_issuer", [](auto& w) { asked(w).issuer.reset(); }, "ccp rejection badCertTemplate"},
        CrossCase{"empty_issuer", [](auto& w) { asked(w).issuer = x509::Name{}; }, "ccp rejection badCertTemplate"},
        CrossCase{"another_issuer", [](auto& w) { asked(w).issuer = name("CN=Another"); }, "ccp rejection wrongAuthority"},
        CrossCase{"without_validity", [](auto& w) { asked(w).validity.reset(); }, "ccp rejection badCertTemplate"},
        CrossCase{"without_not_before", [](auto& w) { asked(w).validity->not_before.reset(); }, "ccp rejection badCertTemplate"},
        CrossCase{"without_not_after", [](auto& w) { asked(w).validity->not_after.reset(); }, "ccp rejection badCertTemplate"},
        CrossCase{"empty_subject", [](auto& w) { asked(w).subject = x509::Name{}; }, "ccp rejection badCertTemplate"},
        CrossCase{"without_basic_constraints", [](auto& w) { asked(w).extensions.clear(); }, "ccp rejection badCertTemplate"},
        CrossCase{"of_no_ca", [](auto& w) { asked(w).extensions = {x509::make_basic_constraints({false, {}})}; }, "ccp rejection badCertTemplate"},
        CrossCase{"basic_constraints_malformed", [](auto& w) { asked(w).extensions.front().value = {0x04, 0x00}; }, "ccp rejection badCertTemplate"},
        CrossCase{"our_own_name", [](auto& w) { asked(w).subject = name("CN=Ours Issuing CA"); }, "ccp rejection badCertTemplate"},
        CrossCase{"encrypted_certificate", [](auto& w) { w.subsequent_message = crmf::SubsequentMessage::encr_cert; }, "ccp rejection badPOP"},
        CrossCase{"challenge", [](auto& w) { w.subsequent_message = crmf::SubsequentMessage::challenge_resp; }, "ccp rejection badPOP"},
        CrossCase{"not_the_only_number", [](auto& w) { w.request.cert_req_id = 7; }, "ccp rejection badRequest"}),
    [](const auto& test) { return test.param.label; });

/// The message as its parts say, without the checks of who makes honest ones.
cmp::PkiBody ccr_of(const crmf::CertRequest& request, const std::optional<crmf::ProofOfPossession>& popo) {
    const auto der = crmf::encode_cert_req_msg(request.encode(), popo);
    return {BodyType::ccr, cmp::CertReqMessages{{crmf::CertReqMsg::parse(der).value()}}};
}
crmf::PopoSigningKey signed_by_key(const crmf::CertRequest& request, const crypto::PrivateKey& key) {
    return {{}, key.signature_algorithm().value()->identifier, key.sign(request.encode()).value()};
}

TEST_F(CmpServerCross, PossessionIsShownByASignature) {
    const auto whole = std::get<cmp::CertReqMessages>(request(talker).content).messages.front().cert_req();
    const auto refused = [&](const std::optional<crmf::ProofOfPossession>& popo) {
        talker.begin();
        return verdict(talker.send(ccr_of(whole, popo)));
    };
    EXPECT_EQ(refused({}), "ccp rejection badPOP");
    EXPECT_EQ(refused(crmf::RaVerified{}), "ccp rejection badPOP");
    EXPECT_EQ(refused(crmf::KeyEncipherment{crmf::ThisMessage{ByteVec(16)}}), "ccp rejection badPOP");   // the private key (RFC 9810 5.3.11)
    EXPECT_EQ(refused(signed_by_key(whole, crypto::PrivateKey::generate("p256").value())), "ccp rejection badPOP");
    EXPECT_EQ(refused(signed_by_key(whole, talker.key)), "ccp waiting");
}

TEST_F(CmpServerCross, TheKeyIsThere) {
    auto whole = std::get<cmp::CertReqMessages>(request(talker).content).messages.front().cert_req();
    whole.cert_template.public_key.reset();
    EXPECT_EQ(verdict(talker.send(ccr_of(whole, {}))), "ccp rejection badCertTemplate");
    whole = std::get<cmp::CertReqMessages>(request(talker).content).messages.front().cert_req();
    whole.controls.push_back(crmf::make_archive_options(crmf::ArchiveOptions{crmf::ArchiveRemGenPrivKey{true}}));
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ccr_of(whole, signed_by_key(whole, talker.key)))), "ccp rejection badRequest");
    EXPECT_EQ(waiting(), 0u);
}

/// RFC 9810 D.6 has it named, RFC 4211 5 does not; what the CA does not sign with is refused.
TEST_F(CmpServerCross, SigningAlgIsTheCas) {
    auto whole = std::get<cmp::CertReqMessages>(request(talker).content).messages.front().cert_req();
    whole.cert_template.signing_alg = crypto::PrivateKey::generate("ed25519").value().signature_algorithm().value()->identifier;
    EXPECT_EQ(verdict(talker.send(ccr_of(whole, signed_by_key(whole, talker.key)))), "ccp rejection badCertTemplate");
    whole.cert_template.signing_alg = world.ca->root_key.signature_algorithm().value()->identifier;
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ccr_of(whole, signed_by_key(whole, talker.key)))), "ccp waiting");
    // Of end entities it is refused as before.
    auto alice_asks = alice();
    auto device = std::get<cmp::CertReqMessages>(alice_asks.request(BodyType::cr, "CN=dev").content).messages.front().cert_req();
    device.cert_template.signing_alg = whole.cert_template.signing_alg;
    auto body = ccr_of(device, signed_by_key(device, alice_asks.key));
    body.type = BodyType::cr;
    EXPECT_EQ(verdict(alice_asks.send(body)), "cp rejection badCertTemplate");
}

TEST_F(CmpServerCross, OneRequestAMessage) {
    auto body = request(talker);
    auto& messages = std::get<cmp::CertReqMessages>(body.content).messages;
    messages.push_back(messages.front());
    const auto answer = talker.send(body);
    EXPECT_EQ(verdict(answer), "ccp rejection badRequest");
    EXPECT_EQ(answer.as<cmp::CertRepMessage>().responses.size(), 2u);
    EXPECT_EQ(waiting(), 0u);
}

TEST_F(CmpServerCross, ProfilesAreNamedRightly) {
    const auto naming = [](const char* profile) {
        return [profile](PkiHeader& header) { header.general_info.push_back(cmp::make_cert_profile({profile})); };
    };
    EXPECT_EQ(verdict(talker.send(request(talker), naming("operator"))), "ccp rejection badRequest");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(request(talker), naming("sub-ca"))), "ccp waiting");
    // No other request gets a CA (bug class 1).
    for (const auto type : {BodyType::ir, BodyType::cr}) {
        talker.begin();
        auto body = request(talker);
        body.type = type;
        const auto answer = verdict(talker.send(body));
        EXPECT_THAT(answer, testing::HasSubstr("rejection")) << answer;
        talker.begin();
        EXPECT_THAT(verdict(talker.send(body, naming("sub-ca"))), testing::HasSubstr("rejection badRequest"));
    }
    EXPECT_EQ(waiting(), 1u);
}

/// Credential by label (bug classes 2, 7, 8).
TEST_F(CmpServerCross, WhoMayAsk) {
    const auto asks = [&](Talker asking) { return verdict(asking.send(request(asking))); };
    EXPECT_EQ(asks({world, "alice", alice_secret, "cross"}), "ccp rejection notAuthorized") << "her secret is not for CAs";
    EXPECT_EQ(asks({world, "theirs", "another", "cross"}), "error badMessageCheck");
    EXPECT_EQ(asks({world, "theirs", authorization_code, "closed"}), "ccp rejection wrongIntegrity");
    for (const auto* label : {"", "many", "manual", "other"})
        EXPECT_EQ(asks({world, "theirs", authorization_code, label}), "ccp rejection notAuthorized") << label << " certifies no CAs";
    EXPECT_EQ(asks({world, world.device("CN=Their Issuing CA,O=Theirs"), "cross"}), "ccp rejection notAuthorized");
    EXPECT_EQ(asks({world, holder("CN=somebody"), "cross"}), "ccp rejection notAuthorized") << "another name";
    EXPECT_EQ(asks({world, world.enrolled(other_name), "cross"}), "ccp rejection notAuthorized") << "of another CA and label";
    EXPECT_EQ(asks({world, holder("CN=ra", "root-ra"), "cross"}), "ccp rejection notAuthorized") << "a registration authority";
    EXPECT_EQ(waiting(), 0u);
    EXPECT_EQ(asks({world, holder(other_name), "cross"}), "ccp waiting");
}

TEST_F(CmpServerCross, TheAnswerToASignatureIsSigned) {
    Talker asking{world, holder(other_name), "cross"};
    ASSERT_EQ(verdict(asking.send(request(asking))), "ccp waiting");
    world.approve();
    const auto answer = asking.send(poll_for(0));
    ASSERT_EQ(verdict(answer), "ccp accepted");
    EXPECT_EQ(cmp::protection_kind(*answer.header().protection_alg).value(), cmp::ProtectionKind::signature);
    EXPECT_EQ(verdict(asking.send(asking.confirmation(certificate_of(answer)))), "pkiconf");
}

/// A CA that was certified here is nobody here: it signs nothing for us (bug class 2).
TEST_F(CmpServerCross, TheNewCaHasNoSayHere) {
    ASSERT_EQ(verdict(talker.send(request(talker), implicit())), "ccp waiting");
    world.approve();
    const auto made = certificate_of(talker.send(poll_for(0)));
    Talker asking{world, {talker.key, made, {}}, "cross"};
    EXPECT_EQ(verdict(asking.send(asking.request(BodyType::cr, other_name))), "error signerNotTrusted");
    asking.begin();
    EXPECT_EQ(verdict(asking.send(revocation(made))), "error signerNotTrusted");
}

TEST_F(CmpServerCross, ItHasNoPathOfItsOwn) {
    for (const auto operation : {cmp::Operation::initialization, cmp::Operation::certification, cmp::Operation::keyupdate, cmp::Operation::pkcs10}) {
        Talker asking{world, "theirs", authorization_code, "cross"};
        asking.transport.operation = operation;
        EXPECT_EQ(verdict(asking.send(request(asking))), "error badRequest") << cmp::to_string(operation);
    }
}

TEST_F(CmpServerCross, ARegistrationAuthorityDoesNotPassItOn) {
    const auto ra = holder("CN=ra", "root-ra");
    Talker inside{world, "theirs", authorization_code, "cross"};
    const auto inner = PkiMessage::parse(inside.make(request(inside))).value();
    Talker outside{world, ra, "cross"};
    outside.transaction_id = inside.transaction_id;
    const auto answer = outside.send({BodyType::nested, cmp::NestedMessageContent{{inner}}},
                                     [&](PkiHeader& header) { header.sender_nonce = inner.header().sender_nonce; });
    EXPECT_EQ(verdict(answer), "ccp rejection notAuthorized");
    EXPECT_EQ(waiting(), 0u);
}

TEST_F(CmpServerCross, LabelsAreCheckedAtStart) {
    const auto made = [&](std::function<void(cmp::Label&)> change) {
        cmp::ServerConfig config;
        cmp::Label one;
        one.name = "cross";
        one.profile = "operator";
        one.cross_certification = "sub-ca";
        change(one);
        config.labels.push_back(one);
        return cmp::Server::create(std::move(config), *world.authority, *world.store, world.clock, world.entropy);
    };
    EXPECT_TRUE(made([](cmp::Label&) {}));
    for (const auto& change : std::vector<std::function<void(cmp::Label&)>>{
             [](cmp::Label& l) { l.profile = "sub-ca"; }, [](cmp::Label& l) { l.more_profiles = {"sub-ca"}; }, [](cmp::Label& l) { l.profile = "device"; },
             [](cmp::Label& l) { l.cross_certification = "operator"; }, [](cmp::Label& l) { l.cross_certification = "none"; },
             [](cmp::Label& l) { l.forward = cmp::Forwarding::unchanged; }})
        EXPECT_EQ(made(change).error().code, Code::policy);
}

// -- the client's side ------------------------------------------------------------------------------------------------

class CmpClientCross : public CmpServerCross {
protected:
    static cmp::ClientConfig by_code() { return {.credentials = cmp::ClientSecret{"theirs", crypto::Secret{std::string_view{authorization_code}}}}; }
    CertificateWish ca_wish() {
        auto made = wish(BodyType::ccr);
        made.subject = name(other_name);
        made.issuer = world.ca->root.subject();
        made.validity = crmf::OptionalValidity{world.clock.now(), world.clock.now() + Seconds{365 * 86400}};
        made.extensions.push_back(x509::make_basic_constraints({true, 0}));
        return made;
    }
    Result<cmp::ClientStep> step(cmp::ClientTransaction& transaction) { return transaction.take(answer_to(transaction, "cross").der()); }
};

TEST_F(CmpClientCross, AsksWaitsAndGetsIt) {
    const auto wanted = ca_wish();
    const auto made = client(by_code());
    auto transaction = made.begin(wanted).value();
    EXPECT_EQ(transaction.operation(), "");
    auto waits = step(transaction);
    ASSERT_TRUE(waits && std::holds_alternative<cmp::SendNext>(*waits)) << failure(waits);
    waits = step(transaction);
    ASSERT_TRUE(waits && std::holds_alternative<cmp::WaitThenSend>(*waits)) << failure(waits);
    auto resumed = made.resume(wanted, transaction.save().value());   // in another process
    ASSERT_TRUE(resumed) << failure(resumed);
    world.approve();
    const auto outcome = run(std::move(*resumed), "cross");
    ASSERT_TRUE(outcome) << failure(outcome);
    const auto& enrolled = std::get<cmp::Enrolled>(*outcome);
    EXPECT_TRUE(enrolled.certificate.is_ca());
    EXPECT_NE(std::ranges::find(enrolled.others, world.ca->root), enrolled.others.end());
    EXPECT_TRUE(enrolled.new_anchors.empty());
    const auto& asked_for = sent.front().as<cmp::CertReqMessages>().messages.front().cert_req().cert_template;
    EXPECT_EQ(asked_for.version, 2);
    EXPECT_FALSE(asked_for.signing_alg) << "RFC 4211 5";
}

TEST_F(CmpClientCross, WhatIsNoWholeRequestIsNotMade) {
    const auto made = client(by_code());
    const auto refused = [&](std::function<void(CertificateWish&)> change) {
        auto wanted = ca_wish();
        change(wanted);
        auto begun = made.begin(wanted);
        return !begun && begun.error().code == Code::policy;
    };
    EXPECT_FALSE(refused([](auto&) {}));
    EXPECT_TRUE(refused([](auto& w) { w.subject = {}; }));
    EXPECT_TRUE(refused([](auto& w) { w.issuer.reset(); }));
    EXPECT_TRUE(refused([](auto& w) { w.validity.reset(); }));
    EXPECT_TRUE(refused([](auto& w) { w.validity->not_before.reset(); }));
    EXPECT_TRUE(refused([](auto& w) { w.key.reset(); }));
    EXPECT_TRUE(refused([](auto& w) { w.extensions.clear(); }));
    EXPECT_TRUE(refused([](auto& w) { w.extensions = {x509::make_basic_constraints({false, {}})}; }));
    EXPECT_TRUE(refused([](auto& w) { w.subsequent_message = crmf::SubsequentMessage::encr_cert; }));
    EXPECT_EQ(made.begin(cmp::CertificatesWish{{ca_wish(), ca_wish()}}).error().code, Code::policy);
}

struct BentCertificate {
    std::string label;
    std::function<void(x509::TbsCertificate&)> bend;
};
class CmpClientCrossAnswer : public CmpClientCross, public testing::WithParamInterface<BentCertificate> {};
/// A ccp that grants `certificate` to the request of `transaction`.
ByteVec granting(const cmp::ClientTransaction& transaction, const x509::Certificate& certificate, std::optional<crmf::EncryptedKey> private_key = {}) {
    const auto request = PkiMessage::parse(transaction.message()).value();
    PkiHeader header;
    header.sender = header.recipient = cmp::directory_name();
    header.transaction_id = request.header().transaction_id;
    header.sender_nonce = ByteVec(16, 9);
    header.recip_nonce = request.header().sender_nonce;
    header.pvno = cmp::cmp2021;
    cmp::CertRepMessage content;
    content.responses.push_back({0, {}, cmp::CertifiedKeyPair{cmp::CmpCertificate{certificate}, std::move(private_key), {}}, {}});
    const crypto::Secret secret{std::string_view{authorization_code}};
    return cmp::Protector::with_secret(secret)->protect(std::move(header), {BodyType::ccp, content}).value();
}
/// By the root, as it was asked for unless it is bent.
x509::Certificate certified(const ServerWorld& world, const CertificateWish& wanted, std::function<void(x509::TbsCertificate&)> bend = {}) {
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x05};
    tbs.signature_algorithm = world.ca->root_key.signature_algorithm().value()->identifier;
    tbs.issuer = world.ca->root.subject();
    tbs.not_before = world.clock.now();
    tbs.not_after = world.clock.now() + Seconds{86400};
    tbs.subject = wanted.subject;
    tbs.spki = to_vec(wanted.key->public_key().spki());
    tbs.extensions = {x509::make_key_usage(x509::key_cert_sign | x509::crl_sign), x509::make_basic_constraints({true, 0})};
    if (bend) bend(tbs);
    const auto encoded = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, world.ca->root_key.sign(encoded).value())).value();
}

/// What comes is looked at before it is confirmed (RFC 9810 D.6).
TEST_P(CmpClientCrossAnswer, IsRejectedIfItIsAnother) {
    const auto wanted = ca_wish();
    auto transaction = client(by_code()).begin(wanted).value();
    const auto confirmed = transaction.take(granting(transaction, certified(world, wanted, GetParam().bend)));
    ASSERT_TRUE(confirmed) << failure(confirmed);
    const auto confirmation = PkiMessage::parse(transaction.message()).value();
    ASSERT_EQ(confirmation.type(), BodyType::cert_conf);
    EXPECT_EQ(confirmation.as<cmp::CertConfirmContent>().statuses.front().is_accepted(), GetParam().label == "as_it_was_asked_for");
}

/// RFC 9810 5.3.12: no encrypted private key.
TEST_F(CmpClientCross, APrivateKeyDoesNotCome) {
    const auto wanted = ca_wish();
    auto transaction = client(by_code()).begin(wanted).value();
    const auto certificate = certified(world, wanted);
    cms::EnvelopedDataBuilder builder{cms::oid::data, as_bytes("a key")};
    builder.password(crypto::Secret{std::string_view{authorization_code}});
    const auto envelope = builder.build().value();
    der::Reader reader{envelope};
    auto content_info = reader.enter(der::Tag::sequence).value();
    ASSERT_TRUE(content_info.skip());
    auto content = content_info.enter(der::context_constructed(0)).value();
    const crmf::EncryptedKey key = crmf::EnvelopedKey{to_vec(content.any().value().whole)};
    const auto refused = transaction.take(granting(transaction, certificate, key));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::malformed);
    EXPECT_THAT(refused.error().detail, testing::HasSubstr("private key"));
}
INSTANTIATE_TEST_SUITE_P(
    Cmp, CmpClientCrossAnswer,
    testing::Values(BentCertificate{"as_it_was_asked_for", [](auto&) {}},
                    BentCertificate{"of_no_ca", [](auto& tbs) { tbs.extensions = {x509::make_key_usage(x509::digital_signature)}; }},
                    BentCertificate{"without_key_cert_sign", [](auto& tbs) { tbs.extensions.front() = x509::make_key_usage(x509::crl_sign); }},
                    BentCertificate{"another_name", [](auto& tbs) { tbs.subject = name("CN=Another"); }},
                    BentCertificate{"another_issuer", [](auto& tbs) { tbs.issuer = name("CN=Another"); }},
                    BentCertificate{"another_key", [](auto& tbs) { tbs.spki = to_vec(crypto::PrivateKey::generate("p256")->public_key().spki()); }}),
    [](const auto& test) { return test.param.label; });

}  // namespace
}  // namespace estuary::test
