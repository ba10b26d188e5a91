// What follows an answer: certConf, pollReq, errors of clients; and rr.
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::PkiHeader;

struct ConfirmCase {
    std::string name;
    void (*bend)(cmp::CertConfirmContent&);
    std::int64_t pvno;
    std::string expected;
    bool revoked;
};
class CmpServerConfirm : public testing::TestWithParam<ConfirmCase> {};

/// Every permutation of a confirmation (bug class 27).
TEST_P(CmpServerConfirm, IsChecked) {
    ServerWorld world;
    Talker talker{world, "alice", alice_secret};
    talker.pvno = GetParam().pvno;
    const auto certificate = certificate_of(talker.send(talker.request(BodyType::ir, "CN=dev")));
    auto body = talker.confirmation(certificate);
    GetParam().bend(std::get<cmp::CertConfirmContent>(body.content));
    EXPECT_EQ(verdict(talker.send(body)), GetParam().expected);
    EXPECT_EQ(world.is_revoked(certificate), GetParam().revoked);
    // Whatever was not confirmed is revoked when its time is over.
    world.clock.advance(Seconds{301});
    store::UnitOfWork work;
    ASSERT_TRUE(world.authority->revoke_unconfirmed(10, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(world.is_revoked(certificate), GetParam().expected != "pkiconf" || GetParam().revoked);
}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpServerConfirm, testing::Values(
    ConfirmCase{"accepted", [](cmp::CertConfirmContent&) {}, 2, "pkiconf", false},
    ConfirmCase{"accepted_in_words",
                [](cmp::CertConfirmContent& content) { content.statuses.front().status_info.emplace(); }, 2, "pkiconf", false},
    ConfirmCase{"rejected",
                [](cmp::CertConfirmContent& content) { content.statuses.front().status_info = cmp::rejection(PkiFailure::bad_cert_id); }, 2,
                "pkiconf", true},
    ConfirmCase{"left_out", [](cmp::CertConfirmContent& content) { content.statuses.clear(); }, 2, "pkiconf", true},
    ConfirmCase{"wrong_hash", [](cmp::CertConfirmContent& content) { content.statuses.front().cert_hash.front() ^= 1; }, 2,
                "error badCertId", false},
    ConfirmCase{"wrong_number", [](cmp::CertConfirmContent& content) { content.statuses.front().cert_req_id = 1; }, 2, "error badRequest", false},
    ConfirmCase{"twice", [](cmp::CertConfirmContent& content) { content.statuses.push_back(content.statuses.front()); }, 2,
                "error badRequest", false},
    ConfirmCase{"accepted_with_a_failure",
                [](cmp::CertConfirmContent& content) {
                    content.statuses.front().status_info.emplace().fail_info = cmp::PkiFailureInfo{PkiFailure::bad_alg};
                },
                2, "error badRequest", false},
    ConfirmCase{"waiting",
                [](cmp::CertConfirmContent& content) { content.statuses.front().status_info.emplace().status = cmp::PkiStatus::waiting; }, 2,
                "error badRequest", false},
    ConfirmCase{"hash_alg_with_2",
                [](cmp::CertConfirmContent& content) { content.statuses.front().hash_alg = hex("300b0609608648016503040201"); }, 2,
                "error badRequest", false},
    ConfirmCase{"hash_alg_with_3",
                [](cmp::CertConfirmContent& content) { content.statuses.front().hash_alg = hex("300b0609608648016503040201"); }, 3, "pkiconf",
                false},
    ConfirmCase{"another_hash_alg",
                [](cmp::CertConfirmContent& content) { content.statuses.front().hash_alg = hex("300b0609608648016503040202"); }, 3,
                "error badCertId", false}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpServer, AConfirmationCountsOnce) {
    auto talker = alice();
    const auto certificate = certificate_of(talker.send(talker.request(BodyType::ir, "CN=dev")));
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "pkiconf");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "error certConfirmed");
}

TEST_F(CmpServer, ALateConfirmationDoesNotCount) {   // bug class 27
    auto talker = alice();
    const auto certificate = certificate_of(talker.send(talker.request(BodyType::ir, "CN=dev")));
    world.clock.advance(Seconds{301});
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "error badRequest");
}

TEST_F(CmpServer, AnErrorOfTheClientEndsItsTransaction) {   // RFC 9810 5.3.21
    auto talker = alice();
    const auto certificate = certificate_of(talker.send(talker.request(BodyType::ir, "CN=dev")));
    EXPECT_EQ(verdict(talker.send({BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::incorrect_data), {}, {}}})), "pkiconf");
    EXPECT_TRUE(world.is_revoked(certificate));
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "error badRequest");
}

TEST_F(CmpServer, AnUnprotectedErrorChangesNothing) {   // bug class 27
    auto talker = alice();
    const auto certificate = certificate_of(talker.send(talker.request(BodyType::ir, "CN=dev")));
    const auto nonce = talker.recip_nonce;
    const PkiBody body{BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::incorrect_data), {}, {}}};
    auto header = PkiMessage::parse(talker.make(body)).value().header();
    header.protection_alg.reset();
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), body.encode(), {}))), "error badMessageCheck");
    EXPECT_FALSE(world.is_revoked(certificate));
    talker.recip_nonce = nonce;
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate))), "pkiconf");
}

TEST_F(CmpServer, WhatWaitsIsPolledFor) {   // RFC 9483 4.4
    Talker talker{world, "alice", alice_secret, "manual"};
    const auto waiting = talker.send(talker.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(waiting), "ip waiting");
    const auto later = talker.send(poll_for(0));
    ASSERT_EQ(later.type(), BodyType::poll_rep) << verdict(later);
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().check_after, 77);
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().cert_req_id, 0);
    const auto nonce = talker.recip_nonce;
    EXPECT_EQ(verdict(talker.send(poll_for(4))), "error badRequest");
    talker.recip_nonce = nonce;
    EXPECT_EQ(verdict(talker.send({BodyType::poll_req, cmp::PollReqContent{}})), "error badRequest");
    talker.recip_nonce = nonce;
    world.approve();
    world.restart();   // bug class 25: what was begun goes on
    const auto answer = talker.send(poll_for(0));
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(answer.header().recip_nonce, PkiMessage::parse(talker.last_sent).value().header().sender_nonce);
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    EXPECT_EQ(verdict(talker.send(poll_for(0))), "error badRequest");
}

TEST_F(CmpServer, AWholeAnswerIsPolledForWithMinusOne) {
    Talker talker{world, "alice", alice_secret, "manual"};
    EXPECT_EQ(verdict(talker.send(talker.p10("CN=dev"), implicit())), "cp waiting");
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "pollRep");
    world.approve();
    const auto answer = talker.send(poll_for(-1));
    EXPECT_EQ(verdict(answer), "cp accepted");
    EXPECT_TRUE(cmp::implicit_confirm(answer.header()).value());   // it was asked for in the request
}

TEST_F(CmpServer, OnlyWhoAskedPolls) {   // bug class 7
    Talker talker{world, "alice", alice_secret, "manual"};
    talker.send(talker.request(BodyType::ir, "CN=dev"));
    world.approve();
    world.add_secret("bob", "bobs-canary-secret");
    Talker bob{world, "bob", "bobs-canary-secret", "manual"};
    bob.transaction_id = talker.transaction_id;
    bob.recip_nonce = talker.recip_nonce;
    EXPECT_EQ(verdict(bob.send(poll_for(0))), "error badMessageCheck");
    EXPECT_EQ(verdict(talker.send(poll_for(0))), "ip accepted");
}

TEST_F(CmpServer, ADeniedRequestIsRejected) {
    Talker talker{world, "alice", alice_secret, "manual"};
    talker.send(talker.request(BodyType::ir, "CN=dev"));
    authority::Principal operator_;
    operator_.operator_ = true;
    store::UnitOfWork work;
    ASSERT_TRUE(world.authority->decide(world.store->pending_requests({}).value().front().id, false, "no", operator_, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(verdict(talker.send(poll_for(0))), "ip rejection notAuthorized");
}

x509::Extension reason(const char* value) { return {x509::oid::crl_reason, false, hex(value)}; }

struct RevocationCase {
    std::string name;
    std::vector<x509::Extension> (*extensions)();
    void (*bend)(crmf::CertTemplate&);
    std::string expected;
};
class CmpServerRevocation : public testing::TestWithParam<RevocationCase> {};

TEST_P(CmpServerRevocation, IsChecked) {
    ServerWorld world;
    const auto have = world.enrolled("CN=dev");
    Talker talker{world, have};
    EXPECT_EQ(verdict(talker.send(revocation(have.certificate, GetParam().extensions(), GetParam().bend))), GetParam().expected);
    EXPECT_EQ(world.is_revoked(have.certificate), GetParam().expected == "rp accepted");
}
std::vector<x509::Extension> none() { return {}; }
void as_it_is(crmf::CertTemplate&) {}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpServerRevocation, testing::Values(
    RevocationCase{"without_a_reason", none, as_it_is, "rp accepted"},
    RevocationCase{"key_compromise", [] { return std::vector{reason("0a0101")}; }, as_it_is, "rp accepted"},
    RevocationCase{"reason_7", [] { return std::vector{reason("0a0107")}; }, as_it_is, "rp rejection badDataFormat"},
    RevocationCase{"reason_that_is_none", [] { return std::vector{reason("020101")}; }, as_it_is, "rp rejection badDataFormat"},
    RevocationCase{"no_hold_to_lift", [] { return std::vector{reason("0a0108")}; }, as_it_is, "rp rejection badCertId"},
    RevocationCase{"unknown_critical",
                   [] { return std::vector{x509::Extension{der::Oid{"1.2.3.4"}, true, {0x05, 0x00}}}; }, as_it_is,
                   "rp rejection unacceptedExtension"},
    RevocationCase{"no_issuer", none, [](crmf::CertTemplate& which) { which.issuer.reset(); }, "rp rejection addInfoNotAvailable"},
    RevocationCase{"no_serial", none, [](crmf::CertTemplate& which) { which.serial_number.reset(); }, "rp rejection addInfoNotAvailable"},
    RevocationCase{"another_issuer", none, [](crmf::CertTemplate& which) { which.issuer = name("CN=else"); }, "rp rejection badCertId"},
    RevocationCase{"unknown_serial", none, [](crmf::CertTemplate& which) { which.serial_number = ByteVec{0x05}; },
                   "rp rejection notAuthorized"},
    RevocationCase{"another_subject", none, [](crmf::CertTemplate& which) { which.subject = name("CN=else"); }, "rp rejection badCertId"},
    RevocationCase{"its_subject", none, [](crmf::CertTemplate& which) { which.subject = name("CN=dev"); }, "rp accepted"}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpServer, OnlyTheHolderAndARegistrationAuthorityRevoke) {   // bug class 7
    const auto have = world.enrolled("CN=dev");
    Talker other{world, world.enrolled("CN=else")};
    EXPECT_EQ(verdict(other.send(revocation(have.certificate))), "rp rejection notAuthorized");
    auto mac = alice();
    EXPECT_EQ(verdict(mac.send(revocation(have.certificate))), "rp rejection wrongIntegrity");
    Talker ra_elsewhere{world, world.enrolled("CN=dev2", "many"), "many"};
    EXPECT_EQ(verdict(ra_elsewhere.send(revocation(have.certificate))), "rp rejection notAuthorized");
    Talker ra{world, world.enrolled("CN=ra", "", "ra")};
    EXPECT_EQ(verdict(ra.send(revocation(have.certificate, {}, [](auto& which) { which.serial_number = ByteVec{0x05}; }))),
              "rp rejection badCertId");
    ra.begin();
    EXPECT_EQ(verdict(ra.send(revocation(have.certificate))), "rp accepted");
    EXPECT_TRUE(world.is_revoked(have.certificate));
    ra.begin();
    EXPECT_EQ(verdict(ra.send(revocation(have.certificate))), "rp rejection certRevoked");
}

TEST_F(CmpServer, ARevocationIsAnsweredAgainAlike) {   // bug class 25
    const auto have = world.enrolled("CN=dev");
    Talker talker{world, have};
    const auto answer = talker.send(revocation(have.certificate));
    EXPECT_EQ(answer.as<cmp::RevRepContent>().rev_certs.front().serial_number, to_vec(have.certificate.serial_number()));
    EXPECT_TRUE(same(world.send(talker.last_sent, talker.transport).der(), answer.der()));
}

TEST_F(CmpServer, RevocationCanBeSwitchedOff) {   // bug class 11
    const auto have = world.enrolled("CN=dev", "open");
    Talker talker{world, have, "open"};
    EXPECT_EQ(verdict(talker.send(revocation(have.certificate))), "rp rejection notAuthorized");
}

}  // namespace
}  // namespace estuary::test
