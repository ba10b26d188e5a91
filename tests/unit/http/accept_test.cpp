#include "estuary/http/accept.h"

#include <array>

#include <gtest/gtest.h>

namespace estuary::http {
namespace {

constexpr std::array<std::string_view, 2> offered{"application/xml", "application/json"};

struct AcceptCase {
    std::string name;
    std::vector<std::string> fields;
    std::optional<std::size_t> chosen;   ///< nothing: none will do
};
class Accept : public testing::TestWithParam<AcceptCase> {};

TEST_P(Accept, IsHonoured) {
    Headers headers;
    for (const auto& field : GetParam().fields) headers.add("Accept", field);
    const auto chosen = preferred_media_type(headers, offered);
    ASSERT_EQ(chosen.has_value(), GetParam().chosen.has_value());
    if (chosen) EXPECT_EQ(*chosen, *GetParam().chosen);
    else EXPECT_EQ(chosen.error().code, Code::not_found);
}
INSTANTIATE_TEST_SUITE_P(Rfc9110, Accept, testing::Values(
    AcceptCase{"absent", {}, 0},
    AcceptCase{"empty", {""}, 0},
    AcceptCase{"xml", {"application/xml"}, 0},
    AcceptCase{"json", {"application/json"}, 1},
    AcceptCase{"json_in_other_case", {"Application/JSON"}, 1},
    AcceptCase{"both", {"application/json, application/xml"}, 0},
    AcceptCase{"quality", {"application/xml;q=0.5, application/json;q=0.8"}, 1},
    AcceptCase{"two_fields", {"application/xml;q=0.1", "application/json"}, 1},
    AcceptCase{"anything", {"*/*"}, 0},
    AcceptCase{"any_of_a_kind", {"text/html, application/*;q=0.3"}, 0},
    AcceptCase{"most_exact_counts", {"application/*, application/xml;q=0"}, 1},
    AcceptCase{"refused_by_quality", {"application/xml;q=0, application/json;q=0.000"}, std::nullopt},
    AcceptCase{"others", {"text/html, image/png"}, std::nullopt},
    AcceptCase{"quoted_comma", {"text/plain;x=\"a, b\", application/json"}, 1},
    AcceptCase{"empty_elements", {", ,application/json,"}, 1}),
    [](const auto& test) { return test.param.name; });

TEST(AcceptRefusals, MalformedFieldsAreErrors) {
    for (const auto* field : {"application", "application/json;q=2", "application/json;q=1.5", "application/json;q=0.1234",
                              "application/json;q=x", "/json", "application/json;q=-1"}) {
        Headers headers;
        headers.add("Accept", field);
        const auto chosen = preferred_media_type(headers, offered);
        ASSERT_FALSE(chosen) << field;
        EXPECT_EQ(chosen.error().code, Code::malformed) << field;
    }
    std::string many;
    for (int i = 0; i < 65; ++i) many += "a/b,";
    Headers headers;
    headers.add("Accept", many);
    EXPECT_EQ(preferred_media_type(headers, offered).error().code, Code::malformed);  // bug class 30
}

}  // namespace
}  // namespace estuary::http
