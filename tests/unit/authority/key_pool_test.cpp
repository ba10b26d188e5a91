// Keys made in advance.
#include "estuary/authority/key_pool.h"

#include <set>

#include "support.h"

namespace estuary::authority::test {
namespace {

bool wait_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return done();
}

std::size_t ready(const KeyPool& pool) { return pool.levels().at(0).ready; }

TEST(KeyPool, KeepsKeysReadyAndGivesEachOnce) {
    KeyPool pool{{{{"rsa2048", 2}}, 2, 0}};
    EXPECT_EQ(code_of(pool.take("rsa2048")), Code::too_busy);  // not started, and nobody may make one directly
    pool.start();
    std::set<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(wait_until([&] { return ready(pool) > 0; }));
        const auto key = pool.take("rsa2048");
        ASSERT_TRUE(key) << key.error().detail;
        EXPECT_EQ(key->public_key().type_name(), "rsa2048");
        EXPECT_TRUE(seen.insert(to_hex(key->public_key().spki())).second);
    }
    ASSERT_TRUE(wait_until([&] { return ready(pool) == 2; }));
    pool.stop();
    EXPECT_EQ(ready(pool), 0u);
    EXPECT_EQ(code_of(pool.take("rsa2048")), Code::too_busy);
    pool.start();
    EXPECT_TRUE(wait_until([&] { return ready(pool) == 2; }));
}

TEST(KeyPool, StopsWhileMaking) {
    for (int i = 0; i < 3; ++i) {
        KeyPool pool{{{{"rsa2048", 8}}, 2, 1}};
        pool.start();
    }
}

TEST(KeyPool, QuickKindsAreMadeWhenAskedFor) {
    KeyPool pool{{{}, 1, 0}};
    for (const auto* type : {"p256", "p521", "ed25519", "x25519"}) EXPECT_EQ(pool.take(type).value().public_key().type_name(), type);
    EXPECT_EQ(code_of(pool.take("p257")), Code::unsupported);
    EXPECT_EQ(code_of(pool.take("rsa2048")), Code::too_busy);
}

TEST(KeyPool, EmptyPoolMakesSomeDirectly) {  // bug class 30
    KeyPool pool{{{}, 1, 1}};
    std::atomic<unsigned> made{0}, busy{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                const auto key = pool.take("rsa2048");
                if (key) ++made;
                else if (key.error().code == Code::too_busy && key.error().retry_after_s > 0) ++busy;
            });
    }
    EXPECT_GE(made, 1u);
    EXPECT_EQ(made + busy, 4u);
    EXPECT_TRUE(pool.take("rsa2048"));
}

TEST(KeyPool, SizesChange) {
    KeyPool pool{{{{"rsa2048", 1}}, 1, 0}};
    pool.start();
    ASSERT_TRUE(wait_until([&] { return ready(pool) == 1; }));
    pool.configure({{{"rsa2048", 2}}, 1, 0});
    EXPECT_TRUE(wait_until([&] { return ready(pool) == 2; }));
    pool.configure({{}, 1, 0});
    EXPECT_TRUE(pool.levels().empty());
    EXPECT_TRUE(pool.take("rsa2048"));  // what was made is used up
}

TEST(KeyPool, WhatNobodySawIsGivenBack) {
    KeyPool pool{{{{"rsa2048", 1}}, 1, 1}};
    const auto key = pool.take("rsa2048").value();
    pool.give_back(key);
    EXPECT_EQ(ready(pool), 1u);
    pool.give_back(crypto::PrivateKey::generate("rsa2048").value());  // there is no more room
    EXPECT_EQ(ready(pool), 1u);
    EXPECT_TRUE(same(pool.take("rsa2048").value().public_key().spki(), key.public_key().spki()));
    pool.give_back(crypto::PrivateKey::generate("p256").value());  // none of those are kept
    EXPECT_EQ(pool.levels().size(), 1u);
}

}  // namespace
}  // namespace estuary::authority::test
