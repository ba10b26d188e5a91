#include "package_walk.h"

#include <gtest/gtest.h>

namespace estuary::client {
namespace {

TEST(PackageFiles, have_plain_names_whatever_the_server_says) {  // bug class 13
    const auto name = [](std::string_view type, std::string_view path) { return file_name_of(*est::pal_type(type), path); };
    EXPECT_EQ(name("0026", "firmware/12"), "0026-12.cms");
    EXPECT_EQ(name("0003", "eecerts/1234"), "0003-1234.p7c");
    EXPECT_EQ(name("0022", "serverkeygen/5"), "0022-5.p12");
    EXPECT_EQ(name("0002", "cacerts"), "0002.p7c");
    EXPECT_EQ(name("0005", "crls"), "0005.p7c");
    const std::vector<std::string> paths{"firmware/..", "firmware/.hidden", "firmware/a/../../b", "firmware/a b", "firmware/\x1b[2J",
                                         "firmware/" + std::string(65, 'a'), std::string("firmware/a\0b", 12)};
    for (const auto& path : paths) {
        const auto given = name("0026", path);
        EXPECT_EQ(given.size(), std::string_view{"0026-.cms"}.size() + 32) << path;
        EXPECT_EQ(given.find_first_not_of("0123456789abcdef-.cms"), std::string::npos) << given;
    }
    EXPECT_NE(name("0026", "firmware/a b"), name("0026", "firmware/a c"));
}

struct BelowCase {
    std::string uri;
    std::optional<std::string> path;
};

TEST(SessionPaths, are_those_below_its_own_base) {  // bug class 29
    const SystemClock clock;
    const Session session{http::Url::parse("https://ca.example:8443/.well-known/est/cell").value(), {}, clock};
    const std::string base = "https://ca.example:8443/.well-known/est/cell/";
    const std::vector<BelowCase> cases{
        {base + "firmware/12", "firmware/12"},
        {base + "pal/new-7", "pal/new-7"},
        {"/.well-known/est/cell/cacerts", "cacerts"},
        {"https://CA.example:8443/.well-known/est/cell/cacerts", "cacerts"},
        {"https://elsewhere.example:8443/.well-known/est/cell/cacerts", std::nullopt},
        {"https://ca.example/.well-known/est/cell/cacerts", std::nullopt},
        {"http://ca.example:8443/.well-known/est/cell/cacerts", std::nullopt},
        {"https://ca.example:8443/.well-known/est/cacerts", std::nullopt},
        {"https://ca.example:8443/.well-known/est/cellar/cacerts", std::nullopt},
        {base, std::nullopt},
        {base + "../cacerts", std::nullopt},
        {base + "firmware/%2e%2e", std::nullopt},
        {base + "firmware/12?x", std::nullopt},
        {base + "firmware//12", std::nullopt},
        {"file:///etc/passwd", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& one : cases) EXPECT_EQ(session.below(one.uri), one.path) << one.uri;
}

}  // namespace
}  // namespace estuary::client
