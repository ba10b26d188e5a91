// The lists that stand in for timers.
#include <gtest/gtest.h>

#include "estuary/net/deadlines.h"

namespace estuary::net {
namespace {

using namespace std::chrono_literals;

struct DeadlinesTest : testing::Test {
    DeadlinesTest() {
        deadlines.set_length(Wait::idle, 100ms);
        deadlines.set_length(Wait::request, 10ms);
    }
    Deadlines deadlines;
    Instant start{};
    Waiter a, b, c;
};

TEST_F(DeadlinesTest, ExpireInOrderOfTheirEnds) {
    deadlines.enter(a, Wait::idle, start);
    deadlines.enter(b, Wait::request, start + 5ms);
    deadlines.enter(c, Wait::idle, start + 6ms);
    EXPECT_EQ(deadlines.next(), start + 15ms);
    EXPECT_EQ(deadlines.expired(start + 14ms), nullptr);
    EXPECT_EQ(deadlines.expired(start + 15ms), &b);
    deadlines.leave(b);
    EXPECT_EQ(deadlines.next(), start + 100ms);
    EXPECT_EQ(deadlines.oldest(Wait::idle), &a);
    deadlines.enter(a, Wait::idle, start + 50ms);  // begins anew, behind c
    EXPECT_EQ(deadlines.oldest(Wait::idle), &c);
    EXPECT_EQ(deadlines.age(c, start + 26ms), 20ms);
}

TEST_F(DeadlinesTest, LeavingFromAnyPlace) {
    for (auto* each : {&a, &b, &c}) deadlines.enter(*each, Wait::idle, start);
    deadlines.leave(b);
    deadlines.leave(b);
    deadlines.leave(a);
    EXPECT_EQ(deadlines.oldest(Wait::idle), &c);
    deadlines.enter(c, Wait::nothing, start);
    EXPECT_EQ(deadlines.oldest(Wait::idle), nullptr);
    EXPECT_EQ(deadlines.next(), std::nullopt);
}

}  // namespace
}  // namespace estuary::net
