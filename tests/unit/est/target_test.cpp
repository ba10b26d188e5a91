#include "estuary/est/messages.h"
#include "support.h"

namespace estuary::est {
namespace {

using test::failure;

struct TargetCase {
    std::string name, target, label;
    Operation operation;
};
class EstTarget : public testing::TestWithParam<TargetCase> {};

TEST_P(EstTarget, IsRead) {
    const auto target = parse_target(GetParam().target);
    ASSERT_TRUE(target) << failure(target);
    EXPECT_EQ(target->label, GetParam().label);
    EXPECT_EQ(target->operation, GetParam().operation);
}
INSTANTIATE_TEST_SUITE_P(Rfc7030, EstTarget, testing::Values(
    TargetCase{"cacerts", "/.well-known/est/cacerts", "", Operation::cacerts},
    TargetCase{"csrattrs", "/.well-known/est/csrattrs", "", Operation::csrattrs},
    TargetCase{"simpleenroll", "/.well-known/est/simpleenroll", "", Operation::simpleenroll},
    TargetCase{"simplereenroll", "/.well-known/est/simplereenroll", "", Operation::simplereenroll},
    TargetCase{"fullcmc", "/.well-known/est/fullcmc", "", Operation::fullcmc},
    TargetCase{"serverkeygen", "/.well-known/est/serverkeygen", "", Operation::serverkeygen},
    TargetCase{"crls", "/.well-known/est/factory/crls", "factory", Operation::crls},
    TargetCase{"label", "/.well-known/est/arbitraryLabel1/cacerts", "arbitraryLabel1", Operation::cacerts},
    TargetCase{"encoded_label", "/.well-known/est/a%20b/cacerts", "a b", Operation::cacerts},
    TargetCase{"encoded_operation", "/.well-known/est/%63acerts", "", Operation::cacerts},
    TargetCase{"pal", "/.well-known/est/pal", "", Operation::pal},
    TargetCase{"pal_part", "/.well-known/est/factory/pal/new-17", "factory", Operation::pal},
    TargetCase{"pal_part_seen", "/.well-known/est/pal/seen-0", "", Operation::pal},
    TargetCase{"package", "/.well-known/est/firmware/12", "", Operation::firmware},
    TargetCase{"package_of_label", "/.well-known/est/factory/symmetrickeys/12", "factory", Operation::symmetrickeys},
    TargetCase{"return", "/.well-known/est/tamp/return", "", Operation::tamp},
    TargetCase{"return_for", "/.well-known/est/factory/serverkeygen/return/3", "factory", Operation::serverkeygen},
    TargetCase{"outcome", "/.well-known/est/simpleenroll/7", "", Operation::simpleenroll},
    TargetCase{"label_return", "/.well-known/est/return/cacerts", "return", Operation::cacerts},
    TargetCase{"label_of_digits", "/.well-known/est/12/eecerts/13", "12", Operation::eecerts},
    TargetCase{"query", "/.well-known/est/cacerts?x=/simpleenroll", "", Operation::cacerts}),
    [](const auto& test) { return test.param.name; });

struct NoTargetCase {
    std::string name, target;
    Code code;
};
class EstNoTarget : public testing::TestWithParam<NoTargetCase> {};

TEST_P(EstNoTarget, IsRefused) {
    const auto target = parse_target(GetParam().target);
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().code, GetParam().code) << failure(target);
}
INSTANTIATE_TEST_SUITE_P(Paths, EstNoTarget, testing::Values(
    NoTargetCase{"elsewhere", "/est/cacerts", Code::not_found},
    NoTargetCase{"bare", "/.well-known/est", Code::not_found},
    NoTargetCase{"unknown_operation", "/.well-known/est/enroll", Code::not_found},
    NoTargetCase{"other_case", "/.well-known/est/CACERTS", Code::not_found},
    NoTargetCase{"label_alone", "/.well-known/est/label", Code::not_found},
    NoTargetCase{"too_long", "/.well-known/est/a/b/cacerts", Code::not_found},
    NoTargetCase{"operation_as_label", "/.well-known/est/cacerts/simpleenroll", Code::not_found},  // RFC 7030 3.2.2
    NoTargetCase{"encoded_operation_as_label", "/.well-known/est/%63acerts/simpleenroll", Code::not_found},
    NoTargetCase{"package_zero", "/.well-known/est/firmware/0", Code::not_found},
    NoTargetCase{"package_leading_zero", "/.well-known/est/firmware/07", Code::not_found},
    NoTargetCase{"package_sign", "/.well-known/est/firmware/-7", Code::not_found},
    NoTargetCase{"package_too_long", "/.well-known/est/firmware/1234567890123456789", Code::not_found},
    NoTargetCase{"package_word", "/.well-known/est/firmware/latest", Code::not_found},
    NoTargetCase{"package_and_more", "/.well-known/est/firmware/7/8", Code::not_found},
    NoTargetCase{"return_of_peers", "/.well-known/est/eecerts/return", Code::not_found},
    NoTargetCase{"return_of_pal", "/.well-known/est/pal/return", Code::not_found},
    NoTargetCase{"return_twice", "/.well-known/est/tamp/return/return", Code::not_found},
    NoTargetCase{"pal_number", "/.well-known/est/pal/7", Code::not_found},
    NoTargetCase{"pal_part_without_number", "/.well-known/est/pal/new-", Code::not_found},
    NoTargetCase{"cacerts_item", "/.well-known/est/cacerts/7", Code::not_found},
    NoTargetCase{"fullcmc_item", "/.well-known/est/fullcmc/7", Code::not_found},
    NoTargetCase{"dots", "/.well-known/est/a/../cacerts", Code::malformed},                        // bug class 10
    NoTargetCase{"encoded_dots", "/.well-known/est/%2e%2e/cacerts", Code::malformed},
    NoTargetCase{"empty_segment", "/.well-known/est//cacerts", Code::malformed},
    NoTargetCase{"encoded_slash", "/.well-known/est/a%2fcacerts", Code::malformed},
    NoTargetCase{"nul", "/.well-known/est/a%00/cacerts", Code::malformed},                         // bug class 13
    NoTargetCase{"not_a_path", "cacerts", Code::malformed}),
    [](const auto& test) { return test.param.name; });

TEST(EstOperations, NamesAndValuesAgree) {
    for (const auto operation : {Operation::cacerts, Operation::csrattrs, Operation::simpleenroll, Operation::simplereenroll,
                                 Operation::fullcmc, Operation::serverkeygen, Operation::crls})
        EXPECT_EQ(operation_named(to_string(operation)), operation);
    EXPECT_EQ(operation_named("unknown"), std::nullopt);
}

}  // namespace
}  // namespace estuary::est
