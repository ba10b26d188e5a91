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
