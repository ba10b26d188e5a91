// Several requests in one message, from the client's side (RFC 9810 5.2.1, 5.3.22).
#include "client_world.h"

namespace estuary::test {
namespace {

using cmp::CertificatesWish;
using cmp::EnrolledSeveral;
using cmp::WaitThenSend;

class CmpClientSeveral : public CmpClient {
protected:
    CmpClientSeveral() { several(true); }

    /// Label "many", which takes several requests, some of them by profiles of their own.
    void several(bool implicit) {
        world.restart([&](cmp::ServerConfig& config) {
            for (auto& label : config.labels)
                if (label.name == "many") {
                    label.more_profiles = {"manual", "transport"};
                    label.implicit_confirm = implicit;
                }
        });
    }
    CertificatesWish wishes(std::size_t count, BodyType type = BodyType::ir) {
        CertificatesWish made;
        for (std::size_t i = 0; i < count; ++i) {
            made.requests.push_back(wish(type));
            made.requests.back().subject = name("CN=dev-" + std::to_string(i));
        }
        return made;
    }
    cmp::ClientTransaction begin(CertificatesWish wanted) { return client(by_secret()).begin(std::move(wanted)).value(); }
    static EnrolledSeveral several_of(Result<ClientOutcome> outcome) {
        EXPECT_TRUE(outcome) << failure(outcome);
        return std::get<EnrolledSeveral>(std::move(*outcome));
    }
    static const x509::Certificate& certificate_in(const EnrolledSeveral& several, std::size_t index) {
        return std::get<cmp::Enrolled>(several.outcomes.at(index)).certificate;
    }
    static PkiMessage next(const cmp::ClientTransaction& transaction) { return PkiMessage::parse(transaction.message()).value(); }
};

TEST_F(CmpClientSeveral, ComeByOneMessage) {
    auto wanted = wishes(3);
    wanted.requests[1].profile = "transport";
    const auto before = world.certificates();
    const auto several = several_of(run(begin(wanted), "many"));
    ASSERT_EQ(several.outcomes.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(same(certificate_in(several, i).spki(), wanted.requests[i].key->public_key().spki()));
        EXPECT_EQ(certificate_in(several, i).subject(), wanted.requests[i].subject);
    }
    EXPECT_EQ(world.certificates() - before, 3);
    ASSERT_EQ(sent.size(), 1u);   // implicitly confirmed, all of them
    const auto& messages = sent.front().as<cmp::CertReqMessages>().messages;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(messages[i].cert_req().cert_req_id, static_cast<std::int64_t>(i));
    EXPECT_EQ(cmp::cert_profile(sent.front().header()).value(), (std::vector<std::string>{"", "transport"}));
}

TEST_F(CmpClientSeveral, AreConfirmedByOneCertConf) {
    auto wanted = wishes(2);
    wanted.requests[1].implicit_confirm = false;   // one that does not want it is enough
    const auto several = several_of(run(begin(wanted), "many"));
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_FALSE(cmp::implicit_confirm(sent.front().header()).value());
    const auto& statuses = sent.back().as<cmp::CertConfirmContent>().statuses;
    ASSERT_EQ(statuses.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(statuses[i].cert_req_id, static_cast<std::int64_t>(i));
        EXPECT_EQ(statuses[i].cert_hash, cmp::cert_hash(certificate_in(several, i)).value());
    }
}

TEST_F(CmpClientSeveral, OneThatIsRefusedDoesNotTakeTheOthersAlong) {
    auto wanted = wishes(3);
    wanted.requests[1].key = crypto::PrivateKey::generate("p521").value();   // not of the profile
    const auto several = several_of(run(begin(wanted), "many"));
    EXPECT_TRUE(std::holds_alternative<cmp::Enrolled>(several.outcomes[0]));
    EXPECT_EQ(std::get<cmp::Declined>(several.outcomes[1]).status.status, cmp::PkiStatus::rejection);
    EXPECT_TRUE(same(certificate_in(several, 2).spki(), wanted.requests[2].key->public_key().spki()));
}

TEST_F(CmpClientSeveral, OneThatIsNotWantedIsRejectedAlone) {
    for (const bool implicit : {false, true}) {
        several(implicit);
        sent.clear();
        auto wanted = wishes(3);
        std::optional<x509::Certificate> unwanted;
        wanted.requests[1].accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
            unwanted = enrolled.certificate;
            return fail(Code::policy, "no path");
        };
        const auto outcome = several_of(run(begin(wanted), "many"));
        EXPECT_EQ(std::get<Error>(outcome.outcomes[1]).detail, "no path");
        EXPECT_FALSE(world.is_revoked(certificate_in(outcome, 0)));
        EXPECT_FALSE(world.is_revoked(certificate_in(outcome, 2)));
        EXPECT_EQ(world.is_revoked(*unwanted), !implicit);   // what is implicitly confirmed cannot be rejected any more
        if (implicit) continue;
        const auto& statuses = sent.back().as<cmp::CertConfirmContent>().statuses;
        ASSERT_EQ(statuses.size(), 3u);
        EXPECT_TRUE(statuses[0].is_accepted() && !statuses[1].is_accepted() && statuses[2].is_accepted());
    }
}

TEST_F(CmpClientSeveral, WhatWaitsIsPolledForWhenTheRestIsConfirmed) {
    several(false);
    auto wanted = wishes(3);
    wanted.requests[1].profile = "manual";
    auto transaction = begin(wanted);
    const auto one_step = [&] { return transaction.take(answer_to(transaction, "many").der()).value(); };
    one_step();
    ASSERT_EQ(next(transaction).type(), BodyType::cert_conf);
    ASSERT_EQ(next(transaction).as<cmp::CertConfirmContent>().statuses.size(), 2u);   // at once, as the others may take long
    one_step();
    ASSERT_EQ(next(transaction).type(), BodyType::poll_req);
    EXPECT_EQ(next(transaction).as<cmp::PollReqContent>().cert_req_ids, std::vector<std::int64_t>{1});
    ASSERT_TRUE(std::holds_alternative<WaitThenSend>(one_step()));

    // Gone on with by another process: nothing of what has come is lost, and nothing is sent anew.
    const auto state = transaction.save().value();
    EXPECT_EQ(as_text(state).find("canary"), std::string_view::npos);   // bug class 12
    auto resumed = client(by_secret()).resume(wanted, state).value();
    EXPECT_TRUE(same(resumed.message(), transaction.message()));
    EXPECT_EQ(resumed.save().value(), state);
    world.approve();
    const auto several = several_of(run(std::move(resumed), "many"));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same(certificate_in(several, i).spki(), wanted.requests[i].key->public_key().spki()));
    EXPECT_EQ(sent.back().as<cmp::CertConfirmContent>().statuses.front().cert_req_id, 1);
    // Of other wishes it is not the state.
    EXPECT_FALSE(client(by_secret()).resume(wishes(2), state));
    EXPECT_FALSE(client(by_secret()).resume(wish(), state));
    for (std::size_t size = 0; size < state.size(); size += 13) EXPECT_FALSE(client(by_secret()).resume(wanted, Bytes{state}.first(size)));
}

TEST_F(CmpClientSeveral, ThatAllWaitArePolledForTogether) {
    auto wanted = wishes(2);
    for (auto& one : wanted.requests) one.profile = "manual";
    auto transaction = begin(wanted);
    ASSERT_TRUE(transaction.take(answer_to(transaction, "many").der()));
    EXPECT_EQ(next(transaction).as<cmp::PollReqContent>().cert_req_ids, std::vector<std::int64_t>{cmp::no_cert_req_id});
    world.approve();
    EXPECT_EQ(several_of(run(std::move(transaction), "many")).outcomes.size(), 2u);
}

TEST_F(CmpClientSeveral, AreToldApartByTheirNumbers) {   // bug class 27
    struct Bent {
        const char* what;
        std::function<void(std::vector<cmp::CertResponse>&)> bend;
        Code expected;
    };
    const std::vector<Bent> all{
        {"one missing", [](auto& responses) { responses.pop_back(); }, Code::malformed},
        {"one twice", [](auto& responses) { responses[1] = responses[0]; }, Code::malformed},
        {"one of another request", [](auto& responses) { responses[1].cert_req_id = 7; }, Code::bad_proof},
        {"one of none", [](auto& responses) { responses[1].cert_req_id = -1; }, Code::bad_proof},
        {"one without a certificate", [](auto& responses) { responses[1].certified_key_pair.reset(); }, Code::malformed},
    };
    auto transaction = begin(wishes(2));
    const auto answer = answer_to(transaction, "many");
    for (const auto& bent : all) {
        auto body = answer.body();
        bent.bend(std::get<cmp::CertRepMessage>(body.content).responses);
        EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), body))), bent.expected) << bent.what;
    }
    // In any order; and the certificates of two requests exchanged are both of another key.
    auto body = answer.body();
    auto& responses = std::get<cmp::CertRepMessage>(body.content).responses;
    std::swap(responses[0].cert_req_id, responses[1].cert_req_id);
    const auto exchanged = transaction.take(with_mac(answer.header(), body));
    ASSERT_TRUE(exchanged) << failure(exchanged);
    for (const auto& outcome : std::get<EnrolledSeveral>(std::get<ClientOutcome>(*exchanged)).outcomes)
        EXPECT_EQ(std::get<Error>(outcome).code, Code::bad_proof);

    auto other = begin(wishes(2));
    const auto turned = answer_to(other, "many");
    auto backwards = turned.body();
    auto& two = std::get<cmp::CertRepMessage>(backwards.content).responses;
    std::swap(two[0], two[1]);
    const auto taken = other.take(with_mac(turned.header(), backwards));
    ASSERT_TRUE(taken) << failure(taken);
    EXPECT_EQ(certificate_in(std::get<EnrolledSeveral>(std::get<ClientOutcome>(*taken)), 1).subject(), name("CN=dev-1"));
}

TEST_F(CmpClientSeveral, ChallengesAreAnsweredInTheirOrder) {   // RFC 9810 5.2.8.3.3
    auto wanted = wishes(3);
    for (const std::size_t i : {0u, 2u}) {
        wanted.requests[i].profile = "transport";
        wanted.requests[i].key = crypto::PrivateKey::generate("rsa2048").value();
        wanted.requests[i].subsequent_message = crmf::SubsequentMessage::challenge_resp;
    }
    auto transaction = begin(wanted);
    const auto answer = answer_to(transaction, "many");
    ASSERT_EQ(answer.type(), BodyType::popdecc);
    ASSERT_EQ(answer.as<cmp::PopoDecKeyChallContent>().challenges.size(), 2u);
    auto swapped = answer.body();
    auto& challenges = std::get<cmp::PopoDecKeyChallContent>(swapped.content).challenges;
    std::swap(challenges[0], challenges[1]);
    EXPECT_FALSE(transaction.take(with_mac(answer.header(), swapped)));   // not of these keys
    ASSERT_TRUE(transaction.take(answer.der()));
    ASSERT_EQ(next(transaction).as<cmp::PopoDecKeyRespContent>().integers.size(), 2u);
    const auto several = several_of(run(std::move(transaction), "many"));   // the server compares each with its own
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same(certificate_in(several, i).spki(), wanted.requests[i].key->public_key().spki()));
}

TEST_F(CmpClientSeveral, AreAllRefusedWhereOneIsTheLimit) {
    const auto several = several_of(run(begin(wishes(2))));   // the default label takes one
    ASSERT_EQ(several.outcomes.size(), 2u);
    for (const auto& one : several.outcomes)
        EXPECT_EQ(std::get<cmp::Declined>(one).status.fail_info, cmp::PkiFailureInfo{PkiFailure::bad_request});
}

TEST_F(CmpClientSeveral, WhatCannotBeAskedForSoIsRefusedBeforehand) {
    EXPECT_EQ(code_of(client(by_secret()).begin(CertificatesWish{})), Code::policy);
    auto mixed = wishes(2);
    mixed.requests[1].type = BodyType::cr;
    EXPECT_EQ(code_of(client(by_secret()).begin(mixed)), Code::policy);
    EXPECT_EQ(code_of(client(by_secret()).begin(wishes(65))), Code::policy);
}

// Delayed delivery of other answers than certificates (RFC 9483 4.4).
class CmpClientWaits : public CmpClient {
protected:
    static PkiHeader header_to(const cmp::ClientTransaction& transaction, std::optional<ByteVec> recip_nonce = {}) {
        auto header = PkiMessage::parse(transaction.message())->header();
        header.recip_nonce = recip_nonce ? recip_nonce : header.sender_nonce;
        header.sender_nonce = ByteVec(16, ++nonces_);
        header.sender_kid.reset();
        header.general_info.clear();
        return header;
    }
    static cmp::ErrorMsgContent waiting() { return {{cmp::PkiStatus::waiting, {}, {}}, {}, {}}; }
    static cmp::PollRepContent later(std::int64_t id = cmp::no_cert_req_id, std::int64_t seconds = 60) { return {{{id, seconds, {}}}}; }

    static inline std::uint8_t nonces_ = 0;
};

TEST_F(CmpClientWaits, ForTheAnswerToAQuestion) {
    const cmp::InformationWish question{cmp::ask(cmp::oid::ca_certs), {}};
    auto transaction = client(by_secret()).begin(question).value();
    const auto first_nonce = PkiMessage::parse(transaction.message())->header().sender_nonce;
    // Nobody polls before he is told to wait.
    EXPECT_EQ(code_of(transaction.take(with_mac(header_to(transaction), {BodyType::poll_rep, later()}))), Code::malformed);
    ASSERT_TRUE(transaction.take(with_mac(header_to(transaction), {BodyType::error, waiting()})));
    const auto poll = PkiMessage::parse(transaction.message()).value();
    ASSERT_EQ(poll.type(), BodyType::poll_req);
    EXPECT_EQ(poll.as<cmp::PollReqContent>().cert_req_ids, std::vector<std::int64_t>{-1});
    EXPECT_EQ(code_of(transaction.take(with_mac(header_to(transaction), {BodyType::poll_rep, later(0)}))), Code::malformed);
    EXPECT_EQ(code_of(transaction.take(with_mac(header_to(transaction), {BodyType::poll_rep, later(-1, -5)}))), Code::malformed);
    const auto step = transaction.take(with_mac(header_to(transaction), {BodyType::poll_rep, later()}));
    ASSERT_TRUE(step) << failure(step);
    EXPECT_EQ(std::get<WaitThenSend>(*step).check_after, Seconds{60});

    // By another process, a day later; the answer says which message it answers: the first one, or the last pollReq.
    world.clock.advance(Seconds{86400});
    auto resumed = client(by_secret()).resume(question, transaction.save().value()).value();
    EXPECT_TRUE(same(resumed.message(), transaction.message()));
    const PkiBody answer{BodyType::genp, cmp::GenContent{{cmp::ask(cmp::oid::ca_certs)}}};
    EXPECT_EQ(code_of(resumed.take(with_mac(header_to(resumed, ByteVec(16, 0xEE)), answer))), Code::bad_proof);
    const auto last = resumed.take(with_mac(header_to(resumed, first_nonce), answer));
    ASSERT_TRUE(last) << failure(last);
    EXPECT_TRUE(std::holds_alternative<cmp::Informed>(std::get<ClientOutcome>(*last)));
}

TEST_F(CmpClientWaits, ForARevocation) {
    const auto mine = world.enrolled("CN=dev");
    const auto authority = world.enrolled("CN=RA", "", "ra");
    const cmp::RevocationWish wanted{mine.certificate.issuer(), to_vec(mine.certificate.serial_number()), 4};
    auto transaction = client(by_certificate(mine)).begin(wanted).value();
    const auto by_authority = [&](const cmp::ClientTransaction& of, PkiBody body) {
        auto header = header_to(of);
        header.sender = cmp::directory_name(authority.certificate.subject());
        header.sender_kid = authority.certificate.subject_key_id();
        return signed_by(authority, header, body);
    };
    // What anybody may have said, nobody waits for.
    auto bare = header_to(transaction);
    bare.protection_alg.reset();
    EXPECT_EQ(code_of(transaction.take(message(bare, {BodyType::error, waiting()}))), Code::not_authenticated);
    ASSERT_TRUE(transaction.take(by_authority(transaction, {BodyType::error, waiting()})));
    ASSERT_TRUE(transaction.take(by_authority(transaction, {BodyType::poll_rep, later()})));
    const auto state = transaction.save().value();
    auto resumed = client(by_certificate(mine)).resume(wanted, state).value();
    EXPECT_EQ(resumed.save().value(), state);
    EXPECT_EQ(PkiMessage::parse(resumed.message())->type(), BodyType::poll_req);
    const auto step = resumed.take(by_authority(resumed, {BodyType::rp, cmp::RevRepContent{{{cmp::PkiStatus::accepted, {}, {}}}, {}, {}}}));
    ASSERT_TRUE(step) << failure(step);
    EXPECT_TRUE(std::holds_alternative<cmp::Revoked>(std::get<ClientOutcome>(*step)));
}

TEST_F(CmpClientWaits, InItsOwnStateOnly) {
    // A state that says that another answer is awaited than the wish can have is none.
    const cmp::InformationWish question{cmp::ask(cmp::oid::ca_certs), {}};
    const auto state = client(by_secret()).begin(question).value().save().value();
    EXPECT_TRUE(client(by_secret()).resume(question, state));
    EXPECT_EQ(code_of(client(by_secret()).resume(wish(), state)), Code::malformed);
    const auto other = client(by_secret()).begin(wish()).value().save().value();
    EXPECT_EQ(code_of(client(by_secret()).resume(question, other)), Code::malformed);
}

}  // namespace
}  // namespace estuary::test
