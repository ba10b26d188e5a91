// Header, protection, and the state of transactions: every check of RFC 9483 3.5 with the failInfo that it names.
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::PkiHeader;

struct HeaderCase {
    std::string name;
    void (*bend)(PkiHeader&);
    std::string expected;
};
class CmpServerHeader : public testing::TestWithParam<HeaderCase> {};

TEST_P(CmpServerHeader, IsChecked) {
    ServerWorld world;
    Talker talker{world, "alice", alice_secret};
    const auto before = world.certificates();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), GetParam().bend)), GetParam().expected);
    EXPECT_EQ(world.certificates(), before + (GetParam().expected == "ip accepted" ? 1 : 0));
}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpServerHeader, testing::Values(
    HeaderCase{"as_it_should_be", [](PkiHeader&) {}, "ip accepted"},
    HeaderCase{"version_1", [](PkiHeader& header) { header.pvno = 1; }, "error unsupportedVersion"},
    HeaderCase{"version_4", [](PkiHeader& header) { header.pvno = 4; }, "error unsupportedVersion"},
    HeaderCase{"version_3", [](PkiHeader& header) { header.pvno = 3; }, "ip accepted"},
    HeaderCase{"no_transaction_id", [](PkiHeader& header) { header.transaction_id.reset(); }, "error badDataFormat"},
    HeaderCase{"empty_transaction_id", [](PkiHeader& header) { header.transaction_id = ByteVec{}; }, "error badDataFormat"},
    HeaderCase{"short_transaction_id", [](PkiHeader& header) { header.transaction_id = ByteVec{1, 2, 3}; }, "ip accepted"},
    HeaderCase{"no_nonce", [](PkiHeader& header) { header.sender_nonce.reset(); }, "error badSenderNonce"},
    HeaderCase{"short_nonce", [](PkiHeader& header) { header.sender_nonce = ByteVec(15); }, "error badSenderNonce"},
    HeaderCase{"recip_nonce_in_the_first", [](PkiHeader& header) { header.recip_nonce = ByteVec(16); }, "error badRecipientNonce"},
    HeaderCase{"late", [](PkiHeader& header) { header.message_time = *header.message_time - Seconds{301}; }, "error badTime"},
    HeaderCase{"early", [](PkiHeader& header) { header.message_time = *header.message_time + Seconds{301}; }, "error badTime"},
    HeaderCase{"within_the_window", [](PkiHeader& header) { header.message_time = *header.message_time - Seconds{300}; }, "ip accepted"},
    HeaderCase{"no_time", [](PkiHeader& header) { header.message_time.reset(); }, "ip accepted"},
    HeaderCase{"another_reference", [](PkiHeader& header) { header.sender_kid = to_vec(as_bytes("nobody")); }, "error badMessageCheck"},
    HeaderCase{"reference_of_another_protocol", [](PkiHeader& header) { header.sender_kid = to_vec(as_bytes("http")); },
               "error badMessageCheck"},   // bug class 2
    HeaderCase{"reference_in_the_name_only", [](PkiHeader& header) { header.sender_kid.reset(); }, "ip accepted"},
    HeaderCase{"no_reference",
               [](PkiHeader& header) {
                   header.sender_kid.reset();
                   header.sender = cmp::directory_name();
               },
               "error badMessageCheck"},
    HeaderCase{"implicit_and_wait",
               [](PkiHeader& header) {
                   header.general_info = {cmp::make_implicit_confirm(), cmp::make_confirm_wait_time(*header.message_time)};
               },
               "error badRequest"},
    HeaderCase{"implicit_with_a_value",
               [](PkiHeader& header) { header.general_info = {{cmp::oid::implicit_confirm, ByteVec{0x02, 0x01, 0x01}}}; },
               "error badDataFormat"},
    HeaderCase{"unknown_info",
               [](PkiHeader& header) { header.general_info = {{der::Oid{"1.2.3.4"}, ByteVec{0x05, 0x00}}}; }, "ip accepted"},
    HeaderCase{"unknown_profile", [](PkiHeader& header) { header.general_info = {cmp::make_cert_profile({"none"})}; },
               "ip rejection badRequest"},
    HeaderCase{"two_profiles", [](PkiHeader& header) { header.general_info = {cmp::make_cert_profile({"device", "device"})}; },
               "ip rejection badRequest"}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpServer, TheAnswersHeaderGoesWithTheRequests) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    const auto sent = PkiMessage::parse(talker.last_sent).value();
    EXPECT_EQ(answer.header().transaction_id, sent.header().transaction_id);
    EXPECT_EQ(answer.header().recip_nonce, sent.header().sender_nonce);
    EXPECT_EQ(answer.header().sender_nonce->size(), 16u);
    EXPECT_EQ(answer.header().recipient, sent.header().sender);
    EXPECT_EQ(answer.header().message_time, world.clock.now());
    EXPECT_EQ(answer.header().pvno, cmp::cmp2000);
    EXPECT_EQ(answer.header().sender_kid, to_vec(as_bytes("alice")));
    EXPECT_EQ(answer.header().protection_alg, sent.header().protection_alg);
    EXPECT_TRUE(cmp::verify_mac_protection(*answer.header().protection_alg, answer.protected_part(), *answer.protection(),
                                           crypto::Secret{std::string_view{alice_secret}}));
    EXPECT_EQ(answer.extra_certificates().front(), world.ca->issuing);   // the chain of the new certificate, without the root
    EXPECT_EQ(answer.extra_certificates().size(), 1u);
}

TEST_F(CmpServer, ASignedRequestGetsASignedAnswer) {
    Talker talker{world, world.enrolled("CN=dev")};
    const auto answer = talker.send(talker.request(BodyType::cr, "CN=dev"));
    EXPECT_EQ(verdict(answer), "cp accepted");
    const auto signer = answer.extra_certificates().front();
    EXPECT_EQ(signer.subject().to_text(), "CN=cmp-issuing");
    EXPECT_TRUE(signer.has_ext_key_usage(x509::oid::kp_cmc_ca));
    EXPECT_EQ(answer.header().sender, cmp::directory_name(signer.subject()));
    EXPECT_EQ(answer.header().sender_kid, signer.subject_key_id());
    EXPECT_TRUE(cmp::verify_signature_protection(*answer.header().protection_alg, answer.protected_part(), *answer.protection(),
                                                 signer.public_key().value()));
    for (const auto& certificate : answer.extra_certificates()) EXPECT_FALSE(certificate.is_self_issued());
}

TEST_F(CmpServer, ErrorsAreProtectedAsTheRequestIs) {
    auto talker = alice();
    talker.send(talker.request(BodyType::ir, "CN=dev"));
    const auto error = talker.send({BodyType::poll_req, cmp::PollReqContent{{0}}});
    EXPECT_EQ(verdict(error), "error badRequest");
    EXPECT_TRUE(cmp::verify_mac_protection(*error.header().protection_alg, error.protected_part(), *error.protection(),
                                           crypto::Secret{std::string_view{alice_secret}}));
    // A MAC that cannot be checked: the error is signed (RFC 9810 5.3.21).
    Talker wrong{world, "alice", "another secret"};
    const auto refusal = wrong.send(wrong.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(refusal), "error badMessageCheck");
    EXPECT_TRUE(cmp::verify_signature_protection(*refusal.header().protection_alg, refusal.protected_part(), *refusal.protection(),
                                                 refusal.extra_certificates().front().public_key().value()));
    EXPECT_EQ(refusal.header().transaction_id, wrong.transaction_id);
}

TEST_F(CmpServer, WrongMacsAreSlowed) {   // bug class 26
    for (int i = 0; i < 50; ++i) {
        Talker wrong{world, "alice", "guess " + std::to_string(i)};
        const auto said = verdict(wrong.send(wrong.request(BodyType::ir, "CN=dev")));
        if (said == "error systemUnavail") return;
        EXPECT_EQ(said, "error badMessageCheck");
    }
    FAIL() << "nothing slowed fifty guesses";
}

TEST_F(CmpServer, MacsThatCostTooMuchAreNotComputed) {   // bug class 30
    world.restart([](cmp::ServerConfig& config) { config.mac_iterations_max = 5'000; });
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "error badAlg");
}

TEST_F(CmpServer, CostlyMacsWaitForNobody) {   // bug class 30
    world.restart([](cmp::ServerConfig& config) { config.costly_macs_max = 0; });   // as if others were being computed
    auto talker = alice();
    const auto body = talker.request(BodyType::ir, "CN=dev");
    const auto usual = PkiMessage::parse(talker.make(body)).value();
    crypto::PasswordMacChoice costly;
    costly.iterations = 20'000;
    const auto protector = cmp::Protector::with_secret(crypto::Secret{std::string_view{alice_secret}}, costly).value();
    EXPECT_EQ(verdict(talker.deliver(protector.protect(usual.header(), body).value())), "error systemUnavail");
    EXPECT_EQ(verdict(talker.deliver(usual.der())), "ip accepted");
    world.restart();
    talker.begin();
    auto header = PkiMessage::parse(talker.make(body)).value().header();
    EXPECT_EQ(verdict(talker.deliver(protector.protect(std::move(header), body).value())), "ip accepted");
}

TEST_F(CmpServer, ProtectionMustBeThereAndRight) {
    auto talker = alice();
    const auto body = talker.request(BodyType::ir, "CN=dev");
    const auto good = PkiMessage::parse(talker.make(body)).value();
    auto header = good.header();
    // Neither, only one of the two, one bit wrong.
    header.protection_alg.reset();
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), body.encode(), {}))), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(good.header_der(), good.body_der(), {}))), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), body.encode(), *good.protection()))), "error badMessageCheck");
    auto bent = to_vec(*good.protection());
    bent.back() ^= 1;
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(good.header_der(), good.body_der(), bent))), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.deliver(good.der())), "ip accepted");
}

TEST_F(CmpServer, SignersMustBeKnown) {
    // A manufacturer that is not listed here, an unknown CA, a key usage that does not sign, another's name, a lost key identifier.
    Talker foreign{world, world.device("CN=dev", "globex")};
    EXPECT_EQ(verdict(foreign.send(foreign.request(BodyType::ir, "CN=dev"))), "ip rejection notAuthorized");
    auto unknown = world.device("CN=dev");
    unknown.chain.clear();
    Talker chainless{world, unknown};
    EXPECT_EQ(verdict(chainless.send(chainless.request(BodyType::ir, "CN=dev"))), "error signerNotTrusted");
    Talker cannot_sign{world, world.device("CN=dev", "acme", x509::key_encipherment)};
    EXPECT_EQ(verdict(cannot_sign.send(cannot_sign.request(BodyType::ir, "CN=dev"))), "error signerNotTrusted");
    Talker device{world, world.device("CN=dev")};
    EXPECT_EQ(verdict(device.send(device.request(BodyType::ir, "CN=dev"), [](PkiHeader& header) { header.sender = directory("CN=else"); })),
              "error badMessageCheck");
    device.begin();
    EXPECT_EQ(verdict(device.send(device.request(BodyType::ir, "CN=dev"), [](PkiHeader& header) { header.sender_kid = ByteVec(20); })),
              "error badMessageCheck");
    device.begin();
    device.with_certificates = false;
    EXPECT_EQ(verdict(device.send(device.request(BodyType::ir, "CN=dev"))), "error badMessageCheck");
    device.begin();
    device.with_certificates = true;
    EXPECT_EQ(verdict(device.send(device.request(BodyType::ir, "CN=dev"))), "ip accepted");
}

TEST_F(CmpServer, AManufacturersCertificateBegins) {   // RFC 9483 4.1.1 and 4.1.2
    Talker device{world, world.device("CN=dev")};
    EXPECT_EQ(verdict(device.send(device.request(BodyType::cr, "CN=dev"))), "cp rejection notAuthorized");
    device.begin();
    EXPECT_EQ(verdict(device.send(device.request(BodyType::kur, "CN=dev"))), "kup rejection notAuthorized");
    device.begin();
    EXPECT_EQ(verdict(device.send(device.p10("CN=dev"))), "cp accepted");
}

TEST_F(CmpServer, ARevokedCertificateAsksForNothing) {   // bug classes 5 and 6
    const auto have = world.enrolled("CN=dev");
    Talker talker{world, have};
    crmf::CertTemplate which;
    which.issuer = have.certificate.issuer();
    which.serial_number = to_vec(have.certificate.serial_number());
    EXPECT_EQ(verdict(talker.send({BodyType::rr, cmp::RevReqContent{{{which, {}}}}})), "rp accepted");
    for (const auto type : {BodyType::ir, BodyType::cr, BodyType::kur}) {
        talker.begin();
        EXPECT_EQ(verdict(talker.send(talker.request(type, "CN=dev"))), "error certRevoked");
    }
    world.restart();
    talker.begin();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=dev"))), "error certRevoked");
}

TEST_F(CmpServer, AnExpiredCertificateAsksForNothing) {   // bug class 5
    const auto have = world.enrolled("CN=dev");
    world.clock.advance(Seconds{91 * 86400});
    Talker talker{world, have};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::kur, "CN=dev"))), "error signerNotTrusted");
}

TEST_F(CmpServer, AnUnconfirmedCertificateAsksForNothing) {   // bug class 27
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    Talker early{world, talker.identity(answer)};
    EXPECT_EQ(verdict(early.send(early.request(BodyType::kur, "CN=dev"))), "error signerNotTrusted");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    early.begin();
    EXPECT_EQ(verdict(early.send(early.request(BodyType::kur, "CN=dev"))), "kup accepted");
}

/// Every label with every way to ask that is another's (bug classes 2, 7, 9).
TEST_F(CmpServer, LabelsAreWorldsOfTheirOwn) {
    for (const auto* name : {"closed", "many", "other", "manual"}) {
        Talker elsewhere{world, world.enrolled("CN=dev"), name};
        for (const auto type : {BodyType::ir, BodyType::cr, BodyType::kur}) {
            elsewhere.begin();
            const auto said = verdict(elsewhere.send(elsewhere.request(type, "CN=dev")));
            EXPECT_TRUE(said.ends_with("rejection notAuthorized")) << name << ": " << said;
        }
    }
    Talker closed{world, "alice", alice_secret, "closed"};
    for (const auto type : {BodyType::ir, BodyType::cr, BodyType::kur}) {
        closed.begin();
        EXPECT_TRUE(verdict(closed.send(closed.request(type, "CN=dev"))).ends_with("rejection wrongIntegrity"));
    }
    EXPECT_FALSE(world.server->has_label("off"));   // bug class 11
    EXPECT_FALSE(world.server->has_label("none"));
    EXPECT_EQ(world.certificates(), world.certificates());
}

TEST_F(CmpServer, TheOperationOfThePathMustFit) {
    auto talker = alice();
    talker.transport.operation = cmp::Operation::keyupdate;
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "error badRequest");
    talker.begin();
    talker.transport.operation = cmp::Operation::initialization;
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");   // at the operation's own path
    talker.begin();
    talker.transport.operation = cmp::Operation::getcacerts;
    EXPECT_EQ(verdict(talker.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_certs)}}})), "genp");
    talker.begin();
    EXPECT_EQ(verdict(talker.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::sign_key_pair_types)}}})), "error badRequest");
}

/// Each body that PKIBody has, sent as the first message by somebody with every right (bug class 1).
TEST_F(CmpServer, EveryBodyIsDecidedUpon) {
    auto talker = alice();
    const std::map<BodyType, std::pair<PkiBody::Content, std::string>> cases{
        {BodyType::ip, {cmp::CertRepMessage{{}, {{0, {}, {}, {}}}}, "error badRequest"}},
        {BodyType::cp, {cmp::CertRepMessage{{}, {{0, {}, {}, {}}}}, "error badRequest"}},
        {BodyType::kup, {cmp::CertRepMessage{{}, {{0, {}, {}, {}}}}, "error badRequest"}},
        {BodyType::ccp, {cmp::CertRepMessage{{}, {{0, {}, {}, {}}}}, "error badRequest"}},
        {BodyType::rp, {cmp::RevRepContent{{{}}, {}, {}}, "error badRequest"}},
        {BodyType::krp, {cmp::KeyRecRepContent{}, "error badRequest"}},
        {BodyType::genp, {cmp::GenContent{}, "error badRequest"}},
        {BodyType::poll_rep, {cmp::PollRepContent{{{0, 1, {}}}}, "error badRequest"}},
        {BodyType::pkiconf, {cmp::PkiConfirmContent{}, "error badRequest"}},
        {BodyType::popdecr, {cmp::PopoDecKeyRespContent{{{0x01}}}, "error badRecipientNonce"}},
        {BodyType::cert_conf, {cmp::CertConfirmContent{}, "error badRecipientNonce"}},
        {BodyType::poll_req, {cmp::PollReqContent{{0}}, "error badRecipientNonce"}},
        {BodyType::error, {cmp::ErrorMsgContent{cmp::rejection(PkiFailure::bad_request), {}, {}}, "error badRecipientNonce"}},
        {BodyType::krr, {talker.request(BodyType::krr, "CN=dev").content, "krp rejection notAuthorized"}},
        {BodyType::ccr, {talker.request(BodyType::ccr, "CN=dev").content, "ccp rejection notAuthorized"}},
    };
    const auto before = world.certificates();
    for (const auto& [type, body] : cases) {
        talker.begin();
        EXPECT_EQ(verdict(talker.send({type, body.first})), body.second) << to_string(type);
    }
    // What goes on with a transaction that there is not.
    for (const auto type : {BodyType::cert_conf, BodyType::poll_req, BodyType::popdecr, BodyType::error}) {
        talker.begin();
        EXPECT_EQ(verdict(talker.send({type, cases.at(type).first}, [](PkiHeader& header) { header.recip_nonce = ByteVec(16); })),
                  "error badRequest") << to_string(type);
    }
    EXPECT_EQ(world.certificates(), before);
}

TEST_F(CmpServer, AnnouncementsAreNotTaken) {
    auto talker = alice();
    store::UnitOfWork work;
    const auto answer = world.server->answer(talker.make({BodyType::crlann, cmp::CrlAnnContent{{}}}), talker.transport, work);
    EXPECT_TRUE(answer.message.empty());
    EXPECT_TRUE(work.empty());
}

TEST_F(CmpServer, WhatIsNoMessageIsAnswered) {
    auto talker = alice();
    for (const auto& octets : {ByteVec{}, ByteVec{0x30, 0x00}, ByteVec(2000, 0x30), hex("3003020101")}) {
        store::UnitOfWork work;
        const auto answer = world.server->answer(octets, talker.transport, work);
        EXPECT_FALSE(answer.understood);
        EXPECT_EQ(verdict(PkiMessage::parse(answer.message).value()), "error badDataFormat");
        EXPECT_TRUE(work.empty());
    }
    // A header can be read, and octets follow that do not belong there: the error names the transaction.
    auto message = talker.make(talker.request(BodyType::ir, "CN=dev"));
    message.push_back(0);
    store::UnitOfWork work;
    const auto answer = world.server->answer(message, talker.transport, work);
    EXPECT_EQ(verdict(PkiMessage::parse(answer.message).value()), "error badDataFormat");
}

TEST_F(CmpServer, ATransactionIdIsUsedOnce) {   // bug class 25
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    talker.recip_nonce.reset();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=other"))), "error transactionIdInUse");
    // Under another label it is another transaction.
    Talker elsewhere{world, "alice", alice_secret, "many"};
    elsewhere.transaction_id = talker.transaction_id;
    EXPECT_EQ(verdict(elsewhere.send(elsewhere.request(BodyType::ir, "CN=dev"))), "ip accepted");
}

TEST_F(CmpServer, TheSameMessageGetsTheSameAnswer) {   // bug class 25
    auto talker = alice();
    const auto first = talker.send(talker.request(BodyType::ir, "CN=dev"));
    const auto asked = talker.last_sent;
    const auto before = world.certificates();
    EXPECT_TRUE(same(world.send(asked, talker.transport).der(), first.der()));
    world.restart();
    EXPECT_TRUE(same(world.send(asked, talker.transport).der(), first.der()));
    const auto confirmed = talker.send(talker.confirmation(certificate_of(first)));
    EXPECT_TRUE(same(world.send(talker.last_sent, talker.transport).der(), confirmed.der()));
    EXPECT_EQ(world.certificates(), before);
    // Also when the credential has been used up by it.
    Talker once{world, "once", "once-canary-secret"};
    const auto only = once.send(once.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(only), "ip accepted");
    EXPECT_TRUE(same(world.send(once.last_sent, once.transport).der(), only.der()));
    EXPECT_EQ(verdict(once.send(once.confirmation(certificate_of(only)))), "pkiconf");
    once.begin();
    EXPECT_EQ(verdict(once.send(once.request(BodyType::ir, "CN=dev"))), "ip rejection badMessageCheck");
}

TEST_F(CmpServer, NoncesBindMessagesTogether) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    const auto right = talker.recip_nonce;
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)), [](PkiHeader& header) { header.recip_nonce = ByteVec(16); })),
              "error badRecipientNonce");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)), [](PkiHeader& header) { header.recip_nonce.reset(); })),
              "error badRecipientNonce");
    talker.recip_nonce = right;
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
}

TEST_F(CmpServer, TheKindOfProtectionAndTheSenderStay) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    const auto take_over = [&](Talker&& other) {
        other.transaction_id = talker.transaction_id;
        other.recip_nonce = talker.recip_nonce;
        return verdict(other.send(other.confirmation(certificate_of(answer))));
    };
    EXPECT_EQ(take_over({world, world.enrolled("CN=else")}), "error wrongIntegrity");
    world.add_secret("bob", "bobs-canary-secret");
    EXPECT_EQ(take_over({world, "bob", "bobs-canary-secret"}), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
}

TEST_F(CmpServer, TransactionsEnd) {
    auto talker = alice();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    world.clock.advance(Seconds{2 * 86400});
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "error badRequest");
    talker.recip_nonce.reset();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "ip accepted");
}

TEST_F(CmpServer, NamesOfMacSendersCanBeHeldToTheRule) {
    world.restart([](cmp::ServerConfig& config) { config.strict_names = true; });
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), [](PkiHeader& header) { header.sender = directory("CN=x"); })),
              "error badMessageCheck");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "ip accepted");
}

TEST(CmpFailure, EveryCodeHasABitOfItsOwnRule) {
    EXPECT_EQ(cmp::failure_of(Code::malformed), PkiFailure::bad_data_format);
    EXPECT_EQ(cmp::failure_of(Code::not_authorised), PkiFailure::not_authorized);
    EXPECT_EQ(cmp::failure_of(Code::bad_proof), PkiFailure::bad_pop);
    EXPECT_EQ(cmp::failure_of(Code::policy), PkiFailure::bad_cert_template);
    EXPECT_EQ(cmp::failure_of(Code::too_busy), PkiFailure::system_unavail);
    EXPECT_EQ(cmp::failure_of(Code::internal), PkiFailure::system_failure);
    // Faults of our own stay the log's business (bug class 12).
    EXPECT_EQ(cmp::Failure{(Error{Code::internal, "path /secret", "cause"})}.text().find("secret"), std::string::npos);
    EXPECT_EQ(cmp::as_failure(PkiFailure::bad_pop, Error{Code::unavailable, "x"}).bit, PkiFailure::system_unavail);
}

}  // namespace
}  // namespace estuary::test
