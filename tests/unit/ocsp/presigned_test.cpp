// Answers that are kept: how long, how many, and that a revocation ends them.
#include <thread>

#include "world.h"

namespace estuary::ocsp {
namespace {

using test::parsed;
using test::request_for;
using test::World;
using Kind = CertStatus::Kind;

Kind kind_of(const AnswerPtr& answer) { return parsed(answer).data.responses.at(0).status.kind; }

TEST(OcspPresigned, IsServedAgainWithoutSourceOrSignature) {
    World world;
    EXPECT_EQ(world.responder->ready(world.request()), nullptr);
    const auto first = world.responder->answer(world.request());
    EXPECT_EQ(world.responder->answer(world.request()), first);
    EXPECT_EQ(world.responder->ready(world.request()), first);
    EXPECT_EQ(world.states.asked, 1);
    EXPECT_NE(world.responder->answer(world.request(std::nullopt, Hash::sha1)), first);
    EXPECT_EQ(world.responder->presigned_count(), 2u);
}

TEST(OcspPresigned, OnlySha1AndSha256AreKept) {
    World world;
    (void)world.responder->answer(world.request(std::nullopt, Hash::sha384));
    (void)world.responder->answer(world.request(std::nullopt, Hash::sha512));
    EXPECT_EQ(world.responder->presigned_count(), 0u);
}

TEST(OcspPresigned, ReadyGivesErrorsAtOnce) {
    World world;
    EXPECT_EQ(world.responder->ready(Bytes{})->status, ResponseStatus::malformed_request);
    EXPECT_EQ(world.responder->ready(world.request(ByteVec(32))), nullptr);
}

TEST(OcspPresigned, RevocationForgetsAtOnce) {
    World world;
    for (const auto hash : {Hash::sha1, Hash::sha256}) (void)world.responder->answer(world.request(std::nullopt, hash));
    world.revoke(world.device.certificate, store::RevocationReason::superseded);
    world.responder->forget("ca", world.device.certificate.serial_number());
    EXPECT_EQ(world.responder->presigned_count(), 0u);
    for (const auto hash : {Hash::sha1, Hash::sha256})
        EXPECT_EQ(kind_of(world.responder->answer(world.request(std::nullopt, hash))), Kind::revoked);
}

TEST(OcspPresigned, AnswerFromBeforeTheRevocationIsNotKept) {
    World world;
    // The revocation comes after the state was read and before the answer is signed.
    world.states.before_answering = [&] {
        world.revoke(world.device.certificate, store::RevocationReason::superseded);
        world.responder->forget("ca", world.device.certificate.serial_number());
    };
    EXPECT_EQ(kind_of(world.responder->answer(world.request())), Kind::good);
    world.states.before_answering = [] {};
    EXPECT_EQ(world.responder->presigned_count(), 0u);
    EXPECT_EQ(kind_of(world.responder->answer(world.request())), Kind::revoked);
}

TEST(OcspPresigned, IsSignedAnewBeforeMaxAge) {
    World world;
    const auto first = world.responder->answer(world.request());
    EXPECT_GT(first->fresh_until, first->this_update);
    EXPECT_LT(first->fresh_until, first->next_update);
    world.clock.set(first->fresh_until - Seconds{1});
    EXPECT_EQ(world.responder->answer(world.request()), first);
    world.clock.set(first->fresh_until);
    const auto second = world.responder->answer(world.request());
    EXPECT_EQ(second->this_update, first->fresh_until);
    EXPECT_EQ(world.responder->presigned_count(), 1u);
}

TEST(OcspPresigned, ClockSetBackMakesNoAnswersFromTheFuture) {
    World world;
    (void)world.responder->answer(world.request());
    world.clock.set(test::now - test::day);
    EXPECT_EQ(world.responder->answer(world.request())->this_update, test::now - test::day);
}

TEST(OcspPresigned, RefreshRenewsWhatIsAskedForAndDropsTheRest) {
    World world;
    world.states.known[{"ca", "55"}] = {};
    const auto first = world.responder->answer(world.request());
    (void)world.responder->answer(world.request());  // asked for again
    (void)world.responder->answer(request_for({world.id_of("55")}));
    EXPECT_EQ(world.responder->refresh(world.clock.now()).renewed, 0u);
    world.clock.advance(6 * test::hour);
    const auto report = world.responder->refresh(world.clock.now());
    EXPECT_EQ(report.renewed, 1u);
    EXPECT_EQ(report.dropped, 1u);
    EXPECT_EQ(report.failed, 0u);
    EXPECT_EQ(world.responder->presigned_count(), 1u);
    const auto renewed = world.responder->ready(world.request());
    ASSERT_NE(renewed, nullptr);
    EXPECT_EQ(renewed->this_update, world.clock.now());
}

TEST(OcspPresigned, RefreshSeesRevocationsElsewhere) {
    World world;
    (void)world.responder->answer(world.request());
    (void)world.responder->answer(world.request());
    world.revoke(world.device.certificate, store::RevocationReason::superseded);
    EXPECT_EQ(kind_of(world.responder->answer(world.request())), Kind::good);
    world.clock.advance(6 * test::hour);
    (void)world.responder->refresh(world.clock.now());
    EXPECT_EQ(kind_of(world.responder->ready(world.request())), Kind::revoked);
}

TEST(OcspPresigned, RefreshWithoutSourceKeepsWhatIsStillFresh) {
    World world;
    const auto first = world.responder->answer(world.request());
    (void)world.responder->answer(world.request());
    world.states.error = Error{Code::unavailable, "away"};
    world.clock.advance(6 * test::hour);
    EXPECT_EQ(world.responder->refresh(world.clock.now()).failed, 1u);
    EXPECT_EQ(world.responder->answer(world.request()), first);
    world.clock.set(first->next_update);
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
    EXPECT_EQ(world.responder->refresh(world.clock.now()).dropped, 1u);
}

TEST(OcspPresigned, RefreshStopsAtItsLimit) {
    World world;
    for (int i = 16; i < 26; ++i) {
        const auto serial = std::to_string(i);
        world.states.known[{"ca", serial}] = {};
        for (int twice = 0; twice < 2; ++twice) (void)world.responder->answer(request_for({world.id_of(serial)}));
    }
    world.clock.advance(6 * test::hour);
    EXPECT_EQ(world.responder->refresh(world.clock.now(), 4).renewed, 4u);
    EXPECT_EQ(world.responder->refresh(world.clock.now(), 100).renewed, 6u);
}

TEST(OcspPresigned, CountIsBoundedAndTheOldestGoes) {
    World world{[](ResponderConfig& config) { config.presigned.count_max = 2; }};
    for (const auto* serial : {"51", "52", "53"}) world.states.known[{"ca", serial}] = {};
    const auto ask = [&](const char* serial) { return world.responder->answer(request_for({world.id_of(serial)})); };
    (void)ask("51");
    (void)ask("52");
    (void)ask("51");
    (void)ask("53");
    EXPECT_EQ(world.responder->presigned_count(), 2u);
    EXPECT_NE(world.responder->ready(request_for({world.id_of("51")})), nullptr);
    EXPECT_EQ(world.responder->ready(request_for({world.id_of("52")})), nullptr);
}

TEST(OcspPresigned, OctetsAreBounded) {
    World world{[](ResponderConfig& config) {
        config.presigned.count_max = 1000;
        config.presigned.bytes_max = 8000;
    }};
    for (int i = 10; i < 60; ++i) {
        const auto serial = std::to_string(i);
        world.states.known[{"ca", serial}] = {};
        (void)world.responder->answer(request_for({world.id_of(serial)}));
    }
    EXPECT_GT(world.responder->presigned_count(), 1u);
    EXPECT_LT(world.responder->presigned_count(), 8u);
}

TEST(OcspPresigned, NoneAreKeptWithCountZero) {
    World world{[](ResponderConfig& config) { config.presigned.count_max = 0; }};
    EXPECT_NE(world.responder->answer(world.request()), world.responder->answer(world.request()));
    EXPECT_EQ(world.responder->presigned_count(), 0u);
}

TEST(OcspPresigned, StatusCanBeConfirmedEachTime) {
    World world{[](ResponderConfig& config) { config.presigned.confirm_status = true; }};
    const auto first = world.responder->answer(world.request());
    EXPECT_EQ(world.responder->answer(world.request()), first);
    EXPECT_EQ(world.states.asked, 2);
    EXPECT_EQ(world.responder->ready(world.request()), nullptr);
    world.revoke(world.device.certificate, store::RevocationReason::certificate_hold);
    EXPECT_EQ(kind_of(world.responder->answer(world.request())), Kind::revoked);
    world.states.known.clear();
    EXPECT_EQ(kind_of(world.responder->answer(world.request())), Kind::unknown);
    world.states.error = Error{Code::unavailable, "away"};
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
}

TEST(OcspPresigned, ThreadsAskRefreshAndForget) {
    // count_max below the number of certificates, so that entries come and go.
    World world{[](ResponderConfig& config) { config.presigned.count_max = 5; }};
    std::vector<ByteVec> requests;
    for (int i = 10; i < 20; ++i) {
        world.states.known[{"ca", std::to_string(i)}] = {};
        requests.push_back(request_for({world.id_of(std::to_string(i))}));
    }
    class Quiet final : public StatusSource {
        Result<std::optional<CertificateState>> status(std::string_view, Bytes) override { return CertificateState{}; }
    } source;
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {world.delegate.signer()}, false});
    config.presigned.count_max = 5;
    const auto responder = Responder::create(config, source, world.clock).value();
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i)
                EXPECT_EQ(responder->answer(requests[static_cast<std::size_t>(i) % 10])->status, ResponseStatus::successful);
        });
    threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
            (void)responder->refresh(world.clock.now() + 6 * test::hour);
            responder->forget("ca", test::hex("10"));
        }
    });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(responder->presigned_count(), 5u);
}

}  // namespace
}  // namespace estuary::ocsp
