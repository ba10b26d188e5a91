// Multipart bodies, read and written.
#include <gmock/gmock.h>

#include "estuary/http/multipart.h"

namespace estuary::http {
namespace {

using testing::HasSubstr;

Result<std::string> boundary(std::string_view media_type) {
    ESTUARY_TRY(const auto type, MediaType::parse(media_type));
    return boundary_of(type);
}

TEST(Multipart, BoundaryIsTheMediaTypes) {
    EXPECT_EQ(boundary("multipart/mixed ; boundary=estServerExampleBoundary").value(), "estServerExampleBoundary");  // RFC 7030 A.4
    EXPECT_EQ(boundary("Multipart/Mixed; BOUNDARY=\"a b:?\"").value(), "a b:?");
    for (const auto* text : {"text/plain; boundary=x", "multipart/mixed", "multipart/mixed; boundary=\"\"", "multipart/mixed; boundary=\"a \"",
                             "multipart/mixed; boundary=\"a\\\"b\"", "multipart/mixed; boundary=\"a*b\""})
        EXPECT_EQ(boundary(text).error().code, Code::malformed) << text;
    EXPECT_TRUE(boundary("multipart/mixed; boundary=" + std::string(70, 'x')));
    EXPECT_FALSE(boundary("multipart/mixed; boundary=" + std::string(71, 'x')));
}

/// RFC 2046 5.1.1, its own example.
TEST(Multipart, ExampleOfRfc2046) {
    const std::string body =
        "This is the preamble.  It is to be ignored, though it\r\nis a handy place for composition agents to include an\r\n"
        "explanatory note to non-MIME conformant readers.\r\n\r\n--simple boundary\r\n\r\n"
        "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n--simple boundary\r\n"
        "Content-type: text/plain; charset=us-ascii\r\n\r\nThis is explicitly typed plain US-ASCII text.\r\n"
        "It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n";
    const auto parts = parse_multipart(body, "simple boundary");
    ASSERT_TRUE(parts) << parts.error().detail;
    ASSERT_EQ(parts->size(), 2u);
    EXPECT_TRUE(parts->at(0).headers.fields().empty());
    EXPECT_EQ(parts->at(0).body, "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
    EXPECT_EQ(parts->at(1).headers.find("content-type"), "text/plain; charset=us-ascii");
    EXPECT_EQ(parts->at(1).body, "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
}

TEST(Multipart, WhatServersWriteIsRead) {
    const auto parts = parse_multipart("--b \t\nContent-Type: a/b;\n\tx=y\nX:\n\none\n--b\n\ntwo\n--b\nonly: headers\n--b--", "b");
    ASSERT_TRUE(parts) << parts.error().detail;
    ASSERT_EQ(parts->size(), 3u);
    EXPECT_EQ(parts->at(0).headers.find("Content-Type"), "a/b; x=y");
    EXPECT_EQ(parts->at(0).headers.find("X"), "");
    EXPECT_EQ(parts->at(0).body, "one");
    EXPECT_EQ(parts->at(1).body, "two");
    EXPECT_EQ(parts->at(2).body, "");
}

struct Broken {
    const char* name;
    std::string body;
    Code code = Code::malformed;
};
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class BrokenMultipart : public testing::TestWithParam<Broken> {};
TEST_P(BrokenMultipart, IsRefused) {
    const auto parts = parse_multipart(GetParam().body, "b");
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, GetParam().code);
    EXPECT_THAT(parts.error().detail, HasSubstr("multipart"));
}
std::string many(std::size_t count, const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}
INSTANTIATE_TEST_SUITE_P(
    Rfc2046, BrokenMultipart,
    testing::Values(Broken{"empty", ""}, Broken{"no_boundary", "text\r\nmore"}, Broken{"another_boundary", "--c\r\n\r\nx\r\n--c--"},
                    Broken{"not_closed", "--b\r\n\r\nx\r\n--b\r\n\r\ny"}, Broken{"cut_in_headers", "--b\r\nA: b"},
                    Broken{"no_part", "--b--"}, Broken{"boundary_goes_on", "--b\r\n\r\nx\r\n--bc\r\n--b--"},
                    Broken{"text_behind_close", "--b\r\n\r\nx\r\n--b-- y"}, Broken{"no_colon", "--b\r\nheader\r\n\r\nx\r\n--b--"},
                    Broken{"blank_in_name", "--b\r\nA b: c\r\n\r\nx\r\n--b--"}, Broken{"begins_with_blank", "--b\r\n A: c\r\n\r\nx\r\n--b--"},
                    Broken{"control_character", "--b\r\nA: \x01\r\n\r\nx\r\n--b--"},
                    Broken{"many_parts", many(17, "--b\r\n\r\nx\r\n") + "--b--", Code::too_large},
                    Broken{"many_headers", "--b\r\n" + many(33, "A: b\r\n") + "\r\nx\r\n--b--", Code::too_large},
                    Broken{"long_headers", "--b\r\nA: " + std::string(9000, 'x') + "\r\n\r\nx\r\n--b--", Code::too_large},
                    Broken{"large", "--b\r\n\r\n" + std::string((1u << 20) + 1, 'x') + "\r\n--b--", Code::too_large}),
    [](const auto& test) { return std::string{test.param.name}; });

Part part(std::string body, std::initializer_list<Header> headers = {}) { return {Headers{headers}, std::move(body)}; }

TEST(Multipart, WhatIsWrittenIsReadBack) {
    const std::vector<Part> parts{part("key", {{"Content-Type", "application/pkcs8"}, {"X", ""}}), part(""), part("ends\r\n"), part("\n"), part("x\r")};
    const auto written = write_multipart(parts);
    const auto read = parse_multipart(written.body, written.boundary);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->size(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_EQ(read->at(i).body, parts[i].body) << i;
    EXPECT_EQ(read->at(0).headers.find("Content-Type"), "application/pkcs8");
    EXPECT_EQ(boundary("multipart/mixed; boundary=" + written.boundary).value(), written.boundary);
}

TEST(Multipart, BoundaryOccursInNoPart) {
    const auto usual = write_multipart({part("x")}).boundary;
    const std::vector<Part> parts{part("a\r\n--" + usual + "\r\n"), part("--" + usual + "-1--\r\n")};
    const auto written = write_multipart(parts);
    const auto read = parse_multipart(written.body, written.boundary);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ(read->at(0).body, parts[0].body);
    EXPECT_EQ(read->at(1).body, parts[1].body);
}

}  // namespace
}  // namespace estuary::http
