#include "estuary/base/result.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace estuary {
namespace {

Result<std::unique_ptr<int>> half(int number) {
    if (number % 2 != 0) return fail(Code::policy, "odd", "for the log");
    return std::make_unique<int>(number / 2);
}

Result<void> even(int number) {
    ESTUARY_CHECK(half(number));
    return {};
}

Result<int> quarter(int number) {
    ESTUARY_CHECK(even(number));
    ESTUARY_TRY(const auto first, half(number));
    ESTUARY_TRY(const auto second, half(*first));
    return *second;
}

TEST(ResultTest, ErrorsPassThroughWhole) {
    EXPECT_EQ(quarter(12).value(), 3);
    for (const int number : {3, 6}) {
        const auto failed = quarter(number);
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, Code::policy);
        EXPECT_EQ(failed.error().detail, "odd");
        EXPECT_EQ(failed.error().cause, "for the log");
    }
}

TEST(ResultTest, ContextGoesBeforeTheDetailOnly) {
    const auto error = in_context("subject", Error{Code::malformed, "empty", "cause", 7});
    EXPECT_EQ(error.detail, "subject: empty");
    EXPECT_EQ(error.cause, "cause");
    EXPECT_EQ(error.code, Code::malformed);
    EXPECT_EQ(error.retry_after_s, 7u);
}

TEST(ResultTest, EveryCodeHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (auto code = static_cast<unsigned>(Code::malformed); code <= static_cast<unsigned>(Code::internal); ++code)
        EXPECT_TRUE(names.insert(to_string(static_cast<Code>(code))).second) << code;
    EXPECT_EQ(to_string(Code::bad_proof), "bad_proof");
}

}  // namespace
}  // namespace estuary
