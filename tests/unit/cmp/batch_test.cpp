// Messages that a registration authority gathers for the CA above (RFC 9483 5.2.2.2): two servers in one process.
#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <thread>

#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::Forwarding;
using cmp::NestedMessageContent;

constexpr std::chrono::hours no_end{1};   // for what must not depend on time

class CmpBatch : public testing::Test {
protected:
    CmpBatch() { start(); }

    /// "" forwards unchanged, "many" nested, "manual" replaced; all of them gather.
    void start(std::function<void(cmp::Label&)> change = [](cmp::Label&) {}) {
        here.restart([&](cmp::ServerConfig& config) {
            auto client = cmp::ClientConfig{.credentials = cmp::ClientSigner{ra.key, {ra.certificate, above.ca->issuing}}};
            client.anchors = {above.ca->root};
            config.above["issuing"] = std::make_shared<const cmp::Above>(
                cmp::Above{[this](std::string_view operation, Bytes message) { return carry(operation, message); }, std::move(client)});
            for (auto& label : config.labels) {
                if (label.name == "other" || label.name == "cross") continue;
                label.profile = "device";
                label.generate_keys = false;
                label.forward = label.name == "manual" ? Forwarding::replaced : label.name == "many" ? Forwarding::nested : Forwarding::unchanged;
                label.batch_max = 4;
                label.batch_linger = no_end;
                change(label);
            }
        });
    }

    Result<ByteVec> carry(std::string_view operation, Bytes octets) {
        const auto message = PkiMessage::parse(octets).value();
        {
            const std::lock_guard guard{mutex};
            sent.push_back(message);
            operations.emplace_back(operation);
        }
        if (on_the_way) on_the_way(message);
        if (broken) return fail(*broken);
        const auto answer = above.send(octets, {.label = "", .operation = cmp::operation_named(operation)});
        return bend_answer && answer.type() == BodyType::nested ? bend_answer(answer) : to_vec(answer.der());
    }

    Talker alice(const std::string& label = "") { return {here, "alice", alice_secret, label}; }
    /// What becomes of messages that come together.
    std::vector<PkiMessage> together(const std::vector<ByteVec>& requests, const std::string& label = "") {
        std::vector<PkiMessage> answers;
        for (const auto& answer : here.server->answer_together(requests, {label})) answers.push_back(PkiMessage::parse(answer.message).value());
        return answers;
    }
    std::vector<ByteVec> requests(std::size_t count, const std::string& label = "") {
        std::vector<ByteVec> made;
        for (std::size_t i = 0; i < count; ++i) {
            auto talker = alice(label);
            made.push_back(talker.make(talker.request(BodyType::ir, "CN=dev" + std::to_string(i)), implicit()));
        }
        return made;
    }
    static std::vector<std::string> verdicts(const std::vector<PkiMessage>& answers) {
        std::vector<std::string> told;
        for (const auto& answer : answers) told.push_back(verdict(answer));
        return told;
    }
    std::vector<std::size_t> sizes() const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < sent.size(); ++i)
            out.push_back(operations[i] == "nested" ? sent[i].as<NestedMessageContent>().messages.size() : 1);
        return out;
    }

    ServerWorld above, here;
    Identity ra = above.enrolled("CN=RA", "", "ra");
    std::mutex mutex;
    std::vector<PkiMessage> sent;
    std::vector<std::string> operations;
    std::optional<Error> broken;
    std::function<void(const PkiMessage&)> on_the_way;
    std::function<ByteVec(const PkiMessage&)> bend_answer;
};

using ::testing::ElementsAre;
using ::testing::Each;

/// Something else under the signature of somebody who may answer for the CA.
ByteVec batch_signed_by(const Identity& who, cmp::PkiHeader header, std::vector<PkiMessage> inside) {
    header.sender = cmp::directory_name(who.certificate.subject());
    header.sender_kid = who.certificate.subject_key_id();
    return cmp::Protector::with_key(who.key)
        ->protect(std::move(header), {BodyType::nested, NestedMessageContent{std::move(inside)}}, {who.certificate.der(), who.chain.front().der()})
        .value();
}

TEST_F(CmpBatch, MessagesThatComeTogetherGoTogether) {
    const auto made = requests(3);
    const auto answers = together(made);
    EXPECT_THAT(verdicts(answers), Each("ip accepted"));
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_EQ(answers[i].header().transaction_id, PkiMessage::parse(made[i])->header().transaction_id);
        EXPECT_EQ(certificate_of(answers[i]).subject(), name("CN=dev" + std::to_string(i)));
    }
    ASSERT_THAT(sizes(), ElementsAre(3));
    const auto& outer = sent.front();
    const auto& inner = outer.as<NestedMessageContent>().messages;
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_TRUE(same(inner[i].der(), made[i]));
        EXPECT_NE(outer.header().transaction_id, inner[i].header().transaction_id);
        EXPECT_NE(outer.header().sender_nonce, inner[i].header().sender_nonce);
    }
    EXPECT_FALSE(outer.header().recip_nonce);
    EXPECT_TRUE(cmp::name_of(outer.header().sender)->matches(ra.certificate.subject()));
}

TEST_F(CmpBatch, ApprovalsAreInsideOfIt) {
    EXPECT_THAT(verdicts(together(requests(2, "many"), "many")), Each("ip accepted"));
    ASSERT_THAT(sizes(), ElementsAre(2));
    for (const auto& middle : sent.front().as<NestedMessageContent>().messages) {
        ASSERT_EQ(middle.type(), BodyType::nested);
        EXPECT_EQ(middle.as<NestedMessageContent>().messages.front().header().transaction_id, middle.header().transaction_id);
    }
    here.add_secret("bob", "bobs-canary-secret");   // whom only the registration authority knows
    Talker first{here, "bob", "bobs-canary-secret", "manual"}, second{here, "bob", "bobs-canary-secret", "manual"};
    const auto answers = together({first.make(first.request(BodyType::ir, "CN=a")), second.make(second.request(BodyType::ir, "CN=b"))}, "manual");
    EXPECT_THAT(verdicts(answers), Each("ip accepted"));
    for (const auto& answer : answers) EXPECT_EQ(cmp::protection_kind(*answer.header().protection_alg), cmp::ProtectionKind::password_mac);
}

TEST_F(CmpBatch, OneThatIsRefusedHurtsNobodyElse) {
    auto stranger = Talker{here, "nobody", "wrong", "many"};
    auto usual = requests(2, "many");
    usual.insert(usual.begin() + 1, stranger.make(stranger.request(BodyType::ir, "CN=x")));
    usual.push_back({0x30, 0x00});
    EXPECT_THAT(verdicts(together(usual, "many")), ElementsAre("ip accepted", "error badMessageCheck", "ip accepted", "error badDataFormat"));
    EXPECT_THAT(sizes(), ElementsAre(2));
    auto unknown = Talker{here, "nobody", "wrong"};
    auto more = requests(2);
    more.insert(more.begin() + 1, unknown.make(unknown.request(BodyType::ir, "CN=x")));   // refused above
    EXPECT_THAT(verdicts(together(more)), ElementsAre("ip accepted", "error badMessageCheck", "ip accepted"));
}

TEST_F(CmpBatch, IsLimitedInCountAndOctets) {
    EXPECT_THAT(verdicts(together(requests(10))), Each("ip accepted"));
    EXPECT_THAT(sizes(), ElementsAre(4, 4, 2));
    const auto two = requests(2);
    sent.clear(), operations.clear();
    together(two);
    const auto fits = sent.front().der().size() + 64;
    for (const auto most : {fits, fits - two.front().size() / 2}) {
        start([&](cmp::Label& label) { label.batch_bytes_max = most; });
        sent.clear(), operations.clear();
        EXPECT_THAT(verdicts(together(requests(2))), Each("ip accepted"));
        EXPECT_EQ(sent.size(), most == fits ? 1u : 2u);
        for (const auto& message : sent) EXPECT_LE(message.der().size(), most);
    }
}

TEST_F(CmpBatch, ATransactionIsThereOnce) {
    const auto made = requests(1);
    const auto answers = together({made.front(), made.front()});
    EXPECT_THAT(sizes(), ElementsAre(1, 1));
    EXPECT_TRUE(same(answers[0].der(), answers[1].der()));   // bug class 25: the very same is not another request
}

TEST_F(CmpBatch, WhatWasLostIsAskedAgain) {   // bug class 25
    const auto made = requests(2, "many");
    const auto before = above.certificates();
    bend_answer = [](const PkiMessage&) { return ByteVec{0x30, 0x00}; };
    EXPECT_THAT(verdicts(together(made, "many")), Each("error systemFailure"));
    bend_answer = {};
    EXPECT_THAT(verdicts(together(made, "many")), Each("ip accepted"));
    EXPECT_EQ(above.certificates(), before + 2);
}

TEST_F(CmpBatch, ASecretForOneCertificateIsForOne) {   // bug class 26
    Talker first{here, "once", "once-canary-secret"}, second{here, "once", "once-canary-secret"};
    const auto usual = requests(1);
    const auto told = verdicts(together({first.make(first.request(BodyType::ir, "CN=a"), implicit()), usual.front(),
                                         second.make(second.request(BodyType::ir, "CN=b"), implicit())}));
    EXPECT_EQ(told[0], "ip accepted");
    EXPECT_EQ(told[1], "ip accepted");
    EXPECT_NE(told[2], "ip accepted");
    EXPECT_THAT(sizes(), ElementsAre(3));
}

TEST_F(CmpBatch, ConfirmationsGoTogetherToo) {   // bug class 27
    std::vector<Talker> talkers;
    std::vector<ByteVec> messages;
    for (int i = 0; i < 3; ++i) {
        auto& talker = talkers.emplace_back(alice());
        messages.push_back(talker.make(talker.request(BodyType::ir, "CN=dev" + std::to_string(i))));
    }
    const auto answers = together(messages);
    messages.clear();
    for (std::size_t i = 0; i < talkers.size(); ++i) {
        talkers[i].recip_nonce = answers[i].header().sender_nonce;
        // The last one confirms the certificate of another.
        messages.push_back(talkers[i].make(talkers[i].confirmation(certificate_of(answers[i == 2 ? 0 : i]))));
    }
    EXPECT_THAT(verdicts(together(messages)), ElementsAre("pkiconf", "pkiconf", "error badCertId"));
}

TEST_F(CmpBatch, AnAnswerThatIsMissingIsTold) {
    bend_answer = [this](const PkiMessage& was) {
        auto inner = was.as<NestedMessageContent>().messages;
        inner.erase(inner.begin() + 1);
        std::ranges::reverse(inner);
        inner.push_back(PkiMessage::parse(alice().make({BodyType::pkiconf, cmp::PkiConfirmContent{}})).value());   // nobody's
        return batch_signed_by(ra, was.header(), inner);
    };
    EXPECT_THAT(verdicts(together(requests(3))), ElementsAre("ip accepted", "error systemUnavail", "ip accepted"));
}

TEST_F(CmpBatch, OfTwoAnswersTheOneWithTheRightNonceCounts) {
    bend_answer = [this](const PkiMessage& was) {
        auto inner = was.as<NestedMessageContent>().messages;
        auto header = inner.front().header();
        header.recip_nonce = ByteVec(16, 1);
        const auto other = cmp::encode_message(header.encode(), PkiBody{BodyType::pkiconf, cmp::PkiConfirmContent{}}.encode(), {});
        inner.insert(inner.begin(), PkiMessage::parse(other).value());
        inner.push_back(inner.front());
        return batch_signed_by(ra, was.header(), inner);
    };
    EXPECT_THAT(verdicts(together(requests(2))), Each("ip accepted"));
}

TEST_F(CmpBatch, WhatIsWrongWithTheWholeIsToldToEach) {
    const auto with = [&](std::function<ByteVec(const PkiMessage&)> bend) {
        bend_answer = std::move(bend);
        const auto told = verdicts(together(requests(2)));
        return told[0] == told[1] ? told[0] : told[0] + ", " + told[1];
    };
    EXPECT_EQ(with([this](const PkiMessage& was) { return batch_signed_by(ra, was.header(), was.as<NestedMessageContent>().messages); }), "ip accepted");
    EXPECT_EQ(with([](const PkiMessage&) { return ByteVec{0x30, 0x00}; }), "error systemFailure");
    EXPECT_EQ(with([this](const PkiMessage& was) {
        auto header = was.header();
        header.transaction_id = ByteVec(16, 1);
        return batch_signed_by(ra, header, was.as<NestedMessageContent>().messages);
    }), "error systemFailure");
    EXPECT_EQ(with([this](const PkiMessage& was) {
        auto header = was.header();
        header.recip_nonce = ByteVec(16, 1);
        return batch_signed_by(ra, header, was.as<NestedMessageContent>().messages);
    }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) {   // bug class 27: without protection
        auto header = was.header();
        header.protection_alg.reset();
        return cmp::encode_message(header.encode(), was.body_der(), {});
    }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) { return to_vec(was.as<NestedMessageContent>().messages.front().der()); }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) {
        auto der = to_vec(was.der());
        der[der.size() / 2] ^= 1;
        return der;
    }), "error systemFailure");
    bend_answer = {};
    broken = Error{Code::unavailable, "connection refused to a secret host"};
    for (const auto& answer : together(requests(2))) {
        EXPECT_EQ(verdict(answer), "error systemUnavail");
        EXPECT_EQ(answer.as<cmp::ErrorMsgContent>().to_text().find("secret host"), std::string::npos);
    }
}

/// The CA above does not take nested messages of this one (RFC 9483 3.6.3).
TEST_F(CmpBatch, AnErrorAroundTheWholeIsToldToEach) {
    ra = above.enrolled("CN=nobody");   // without id-kp-cmcRA
    start();
    EXPECT_THAT(verdicts(together(requests(2))), Each("error systemFailure"));
    EXPECT_THAT(sizes(), ElementsAre(2));
}

TEST_F(CmpBatch, ConcurrentRequestsAreGatheredWhileOneIsAbove) {
    std::latch first_is_above{1}, others_are_above{1};
    on_the_way = [&](const PkiMessage& message) {
        if (message.type() == BodyType::nested) return others_are_above.count_down();
        first_is_above.count_down();
        others_are_above.wait();
    };
    const auto made = requests(5);
    std::vector<std::optional<PkiMessage>> answers(made.size());
    const auto ask = [&](std::size_t i) { answers[i] = here.send(made[i], {""}); };
    std::vector<std::jthread> threads;
    threads.emplace_back(ask, 0);
    first_is_above.wait();
    for (std::size_t i = 1; i < made.size(); ++i) threads.emplace_back(ask, i);
    threads.clear();
    EXPECT_THAT(sizes(), ElementsAre(1, 4));   // full: nobody waits for the end of batch_linger
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_EQ(verdict(*answers[i]), "ip accepted");
        EXPECT_EQ(answers[i]->header().transaction_id, PkiMessage::parse(made[i])->header().transaction_id);
    }
}

TEST_F(CmpBatch, WhoIsAloneDoesNotWait) {   // and who gathers goes when nothing is above any more
    for (int i = 0; i < 3; ++i) EXPECT_EQ(verdict(here.send(requests(1).front(), {""})), "ip accepted");
    EXPECT_THAT(sizes(), ElementsAre(1, 1, 1));
    std::latch first_is_above{1}, second_has_come{1};
    on_the_way = [&](const PkiMessage&) {
        if (sent.size() > 4) return;
        first_is_above.count_down();
        second_has_come.wait();
    };
    const auto made = requests(2);
    std::jthread first{[&] { here.send(made[0], {""}); }};
    first_is_above.wait();
    std::jthread second{[&] {
        second_has_come.count_down();
        EXPECT_EQ(verdict(here.send(made[1], {""})), "ip accepted");
    }};
    second.join();
    first.join();
    EXPECT_EQ(sent.size(), 5u);
}

TEST_F(CmpBatch, ManyAtOnce) {   // bug class 35
    start([](cmp::Label& label) { label.batch_linger = std::chrono::milliseconds{5}; });
    constexpr std::size_t threads_max = 8, each = 6;
    std::vector<std::jthread> threads;
    std::atomic<int> good{0};
    const auto before = above.certificates();
    for (std::size_t t = 0; t < threads_max; ++t)
        threads.emplace_back([&] {
            for (std::size_t i = 0; i < each; ++i) {
                auto talker = alice("many");
                const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
                if (verdict(answer) == "ip accepted" && verdict(talker.send(talker.confirmation(certificate_of(answer)))) == "pkiconf") ++good;
            }
        });
    threads.clear();
    EXPECT_EQ(good, static_cast<int>(threads_max * each));
    EXPECT_EQ(above.certificates(), before + static_cast<std::int64_t>(threads_max * each));
    EXPECT_LT(sent.size(), 2 * threads_max * each);   // something was gathered
}

TEST_F(CmpBatch, ABatchOfAnotherOneIsNotPutIntoOne) {
    Talker local{here, ra};
    NestedMessageContent content;
    for (const auto& der : requests(2)) content.messages.push_back(PkiMessage::parse(der).value());
    const auto answer = local.send({BodyType::nested, std::move(content)});
    ASSERT_EQ(answer.type(), BodyType::nested) << verdict(answer);
    EXPECT_EQ(answer.as<NestedMessageContent>().messages.size(), 2u);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(same(sent.front().der(), local.last_sent));
}

TEST_F(CmpBatch, NeedsASigner) {
    cmp::ServerConfig wanted;
    cmp::Label label;
    label.profile = "device";
    label.forward = Forwarding::unchanged;
    label.batch_max = 2;
    wanted.labels.push_back(label);
    wanted.above["issuing"] =
        std::make_shared<const cmp::Above>(cmp::Above{{}, {.credentials = cmp::ClientSecret{"ra", crypto::Secret{std::string_view{"secret"}}}}});
    EXPECT_EQ(cmp::Server::create(wanted, *here.authority, *here.store, here.clock, here.entropy).error().code, Code::policy);
    wanted.labels.front().batch_max = 65;
    wanted.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{{}, {.credentials = cmp::ClientSigner{ra.key, {ra.certificate}}}});
    EXPECT_EQ(cmp::Server::create(wanted, *here.authority, *here.store, here.clock, here.entropy).error().code, Code::policy);
}

}  // namespace
}  // namespace estuary::test
