// CRLs that have not been made yet are waited for (RFC 9483 4.4).
#include "server_world.h"

namespace estuary::test {
namespace {

class CmpServerCrls : public CmpServer {
protected:
    PkiBody question(const der::Oid& type) const {
        if (type == cmp::oid::current_crl) return {BodyType::genm, cmp::GenContent{{cmp::ask(type)}}};
        return {BodyType::genm, cmp::GenContent{{cmp::make_crl_status_list({{std::vector{cmp::directory_name(world.ca->issuing.subject())}, {}}})}}};
    }
    void publish() {
        store::UnitOfWork work;
        world.published_crls = {world.authority->make_crl("issuing", 0, authority::CrlKind::complete, work).value().der};
        ASSERT_TRUE(world.store->commit(std::move(work)));
    }
};

TEST_F(CmpServerCrls, AreWaitedForUntilTheFirstOneIsMade) {
    for (const auto& type : {cmp::oid::current_crl, cmp::oid::crl_status_list}) {
        world.published_crls.clear();
        auto talker = alice();
        const auto told = talker.send(question(type));
        ASSERT_EQ(verdict(told), "error waiting");
        EXPECT_FALSE(told.as<cmp::ErrorMsgContent>().status_info.fail_info);   // RFC 9483 4.4
        const auto later = talker.send(poll_for(-1));
        ASSERT_EQ(later.type(), BodyType::poll_rep);
        EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().cert_req_id, -1);
        EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().check_after, 3);
        world.restart();
        EXPECT_EQ(verdict(talker.send(poll_for(0))), "error badRequest");   // it is no CertResponse that waits
        EXPECT_EQ(talker.send(poll_for(-1)).type(), BodyType::poll_rep);
        publish();
        const auto answer = talker.send(poll_for(-1));
        ASSERT_EQ(verdict(answer), "genp");
        const auto& info = answer.as<cmp::GenContent>().infos.front();
        EXPECT_EQ(type == cmp::oid::current_crl ? cmp::read_current_crl(info).value().value() : cmp::read_crls(info).value().front(),
                  world.published_crls.front());
        const auto again = talker.last_sent;
        EXPECT_TRUE(same(talker.deliver(again).der(), answer.der()));   // bug class 25
        EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
    }
}

TEST_F(CmpServerCrls, AreNotWaitedForWithoutEnd) {
    auto talker = alice();
    ASSERT_EQ(verdict(talker.send(question(cmp::oid::current_crl))), "error waiting");
    world.clock.advance(Seconds{299});
    EXPECT_EQ(talker.send(poll_for(-1)).type(), BodyType::poll_rep);
    world.clock.advance(Seconds{1});
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
    world.restart([](cmp::ServerConfig& config) { config.crl_wait = Seconds{0}; });
    auto other = alice();
    EXPECT_EQ(verdict(other.send(question(cmp::oid::current_crl))), "error badRequest");
    world.restart([](cmp::ServerConfig& config) { config.crls = {}; });   // nothing is published here
    other.begin();
    EXPECT_EQ(verdict(other.send(question(cmp::oid::current_crl))), "error badRequest");
}

TEST_F(CmpServerCrls, OnlyWhoAskedPolls) {   // bug class 7
    auto talker = alice();
    ASSERT_EQ(verdict(talker.send(question(cmp::oid::current_crl))), "error waiting");
    Talker other{world, world.enrolled("CN=dev")};
    other.transaction_id = talker.transaction_id;
    other.recip_nonce = talker.recip_nonce;
    EXPECT_EQ(verdict(other.send(poll_for(-1))), "error wrongIntegrity");
    // Without protection nobody could be told apart.
    const auto body = question(cmp::oid::current_crl);
    Talker open{world, "alice", alice_secret, "open"};
    auto header = PkiMessage::parse(open.make(body)).value().header();
    header.protection_alg.reset();
    EXPECT_EQ(verdict(open.deliver(cmp::encode_message(header.encode(), body.encode(), {}))), "error badRequest");
}

TEST_F(CmpServerCrls, AClientThatGivesUpIsNotServed) {
    auto talker = alice();
    ASSERT_EQ(verdict(talker.send(question(cmp::oid::current_crl))), "error waiting");
    cmp::ErrorMsgContent content;
    content.status_info = cmp::rejection(PkiFailure::bad_request, "never mind");
    EXPECT_EQ(verdict(talker.send({BodyType::error, content})), "pkiconf");
    publish();
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error badRequest");
}

TEST_F(CmpServerCrls, AQuestionThatIsWrongIsRefusedAtOnce) {
    auto talker = alice();
    cmp::InfoTypeAndValue wrong{cmp::oid::crl_status_list, ByteVec{0x05, 0x00}};
    EXPECT_EQ(verdict(talker.send({BodyType::genm, cmp::GenContent{{wrong}}})), "error badDataFormat");
}

}  // namespace
}  // namespace estuary::test
