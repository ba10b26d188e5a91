#include "session.h"

#include <gtest/gtest.h>

namespace estuary::client {
namespace {

struct BaseCase {
    std::string name, url, label, path;
};
class EstBase : public testing::TestWithParam<BaseCase> {};

TEST_P(EstBase, is_the_well_known_path_with_the_label) {
    const auto base = est_base(GetParam().url, GetParam().label);
    ASSERT_TRUE(base) << base.error().error.detail;
    EXPECT_EQ(base->path, GetParam().path);
}
INSTANTIATE_TEST_SUITE_P(Rfc7030, EstBase,
                         testing::Values(BaseCase{"host_only", "ca.example:8443", "", "/.well-known/est"},
                                         BaseCase{"url", "https://ca.example/", "", "/.well-known/est"},
                                         BaseCase{"label_option", "https://ca.example", "cell7", "/.well-known/est/cell7"},
                                         BaseCase{"label_in_url", "https://ca.example/.well-known/est/cell7/", "", "/.well-known/est/cell7"}),
                         [](const auto& test) { return test.param.name; });

TEST(EstBaseRefusals, plain_http_and_other_paths_are_usage_errors) {
    for (const auto* url : {"http://ca.example", "https://ca.example/est", "https://", "ftp://ca.example"}) {
        const auto base = est_base(url, "");
        ASSERT_FALSE(base) << url;
        EXPECT_EQ(base.error().status, exit_usage) << url;
    }
}

TEST(ExitStatus, tells_refusals_from_trouble) {
    EXPECT_EQ(remote_failure({Code::not_authenticated, ""}).status, exit_refused);
    EXPECT_EQ(remote_failure({Code::policy, ""}).status, exit_refused);
    EXPECT_EQ(remote_failure({Code::unavailable, ""}).status, exit_try_again);
    EXPECT_EQ(remote_failure({Code::malformed, ""}).status, exit_failed);
    EXPECT_EQ(local_failure({Code::policy, ""}).status, exit_failed);
}

}  // namespace
}  // namespace estuary::client
