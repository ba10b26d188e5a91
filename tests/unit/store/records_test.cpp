#include <gtest/gtest.h>

#include "estuary/store/columns.h"
#include "estuary/store/records.h"

namespace estuary::store {
namespace {

struct ReasonCase {
    RevocationReason reason;
    int number;
    std::string name;
};
class Reasons : public testing::TestWithParam<ReasonCase> {};

// The names and numbers of RFC 5280 5.3.1.
INSTANTIATE_TEST_SUITE_P(Rfc5280, Reasons, testing::Values(
    ReasonCase{RevocationReason::unspecified, 0, "unspecified"},
    ReasonCase{RevocationReason::key_compromise, 1, "keyCompromise"},
    ReasonCase{RevocationReason::ca_compromise, 2, "cACompromise"},
    ReasonCase{RevocationReason::affiliation_changed, 3, "affiliationChanged"},
    ReasonCase{RevocationReason::superseded, 4, "superseded"},
    ReasonCase{RevocationReason::cessation_of_operation, 5, "cessationOfOperation"},
    ReasonCase{RevocationReason::certificate_hold, 6, "certificateHold"},
    ReasonCase{RevocationReason::remove_from_crl, 8, "removeFromCRL"},
    ReasonCase{RevocationReason::privilege_withdrawn, 9, "privilegeWithdrawn"},
    ReasonCase{RevocationReason::aa_compromise, 10, "aACompromise"}), [](const auto& test) { return test.param.name; });

TEST_P(Reasons, HaveTheirNameAndNumber) {
    const auto& [reason, number, name] = GetParam();
    EXPECT_EQ(static_cast<int>(reason), number);
    EXPECT_EQ(to_string(reason), name);
    ASSERT_TRUE(revocation_reason(name));
    EXPECT_EQ(*revocation_reason(name), reason);
}

TEST(Reason, OtherNamesAreRefused) {
    for (const auto* name : {"", "KeyCompromise", "key_compromise", "cACompromise ", "7"}) {
        const auto reason = revocation_reason(name);
        ASSERT_FALSE(reason) << name;
        EXPECT_EQ(reason.error().code, Code::malformed);
    }
}

TEST(Lines, RoundTrip) {
    const std::vector<std::vector<std::string>> lists{
        {}, {""}, {"", ""}, {"CN=*"}, {"a", "b"}, {"line\nbreak", "back\\slash", "\\n", "\\", "\n"}, {std::string{"a\0b", 3}}};
    for (const auto& list : lists) EXPECT_EQ(sqlite::from_lines(sqlite::to_lines(list)), list);
}

TEST(RequestKeys, HeadIsTheFirstEightOctetsBigEndian) {
    RequestKey key{};
    key[0] = 0x80;
    key[7] = 0x01;
    key[8] = 0xFF;
    EXPECT_EQ(sqlite::head_of(key), std::numeric_limits<std::int64_t>::min() + 1);
}

}  // namespace
}  // namespace estuary::store
