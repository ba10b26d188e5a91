#include "command_line.h"

#include <gtest/gtest.h>

#include "waiting.h"

namespace estuary::client {
namespace {

TEST(CommandLine, NamesAreReadOrToldWithTheirOption) {
    EXPECT_EQ(name_option("--subject", "CN=dev1,O=Example").value().to_text(), "CN=dev1,O=Example");
    const auto name = name_option("--issuer", "nonsense");
    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().status, exit_usage);
    EXPECT_TRUE(name.error().error.detail.starts_with("--issuer: ")) << name.error().error.detail;

    const auto names = subject_alt_names({"dev1.example", "ip:192.0.2.1"});
    ASSERT_TRUE(names);
    ASSERT_EQ(names->size(), 2u);
    EXPECT_EQ(names->at(0).kind, x509::GeneralName::Kind::dns);
    EXPECT_EQ(names->at(1).kind, x509::GeneralName::Kind::ip);
    const auto wrong = subject_alt_names({"dev1.example", "ip:300.0.2.1"});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().status, exit_usage);
    EXPECT_TRUE(wrong.error().error.detail.starts_with("--san: ")) << wrong.error().error.detail;
}

TEST(CommandLine, GivenRequestNeedsItsKey) {
    const auto without = read_given_request("request.pem", "");
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().status, exit_usage);
    const auto absent = read_given_request("request.pem", "/nonexistent/key.pem");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().status, exit_failed);
}

TEST(CommandLine, WaitIsADurationOrNone) {
    EXPECT_EQ(parse_wait("0").value(), Seconds{0});
    EXPECT_EQ(parse_wait("10m").value(), Seconds{600});
    EXPECT_FALSE(parse_wait("soon"));
    EXPECT_FALSE(parse_wait(""));
}

}  // namespace
}  // namespace estuary::client
