// Requests off the wire: what is read, what is refused, and that the pieces in which octets come do not matter.
#include <gmock/gmock.h>

#include "estuary/http/wire.h"
#include "support.h"

namespace estuary::http {
namespace {

using RequestState = RequestParser::State;
using test::small_limits;

/// Feeds `text` in pieces of `piece` octets; returns how many were consumed.
std::size_t feed(RequestParser& parser, std::string_view text, std::size_t piece) {
    std::size_t consumed = 0;
    while (consumed < text.size() && parser.state() != RequestState::complete && parser.state() != RequestState::refused) {
        const auto next = text.substr(consumed, piece);
        const auto taken = parser.feed(next);
        consumed += taken;
        if (taken < next.size()) break;
    }
    return consumed;
}

TEST(RequestParser, ReadsHeadAndBodyInAnyPieces) {
    const std::string text = "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Y:  z \t\r\n\r\nhelloGET";
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 1000u}) {
        RequestParser parser{small_limits};
        EXPECT_EQ(feed(parser, text, piece), text.size() - 3) << piece;
        ASSERT_EQ(parser.state(), RequestState::complete) << piece;
        EXPECT_FALSE(parser.closes());
        const auto request = parser.take();
        EXPECT_EQ(request.method, "POST");
        EXPECT_EQ(request.target, "/a?b");
        EXPECT_EQ(request.headers.find("x-y"), "z");
        EXPECT_EQ(request.body, "hello");
        EXPECT_FALSE(parser.started());
    }
}

TEST(RequestParser, ReadsChunksWithExtensionsAndTrailers) {
    const std::string text =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;a=b\r\nhello\r\n00A \t;c\r\n0123456789\r\n0\r\nX-Trailer: y\r\n\r\n";
    for (const std::size_t piece : {1u, 2u, 5u, 1000u}) {
        RequestParser parser{small_limits};
        EXPECT_EQ(feed(parser, text, piece), text.size()) << piece;
        ASSERT_EQ(parser.state(), RequestState::complete) << piece << parser.refusal().sentence;
        const auto request = parser.take();
        EXPECT_EQ(request.body, "hello0123456789");
        EXPECT_EQ(request.headers.find("X-Trailer"), std::nullopt);
    }
}

TEST(RequestParser, ReadsPipelinedRequestsInOrder) {
    std::string_view text =
        "\r\nGET /1 HTTP/1.1\r\nHost: x\r\n\r\nPUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nyGET /3 "
        "HTTP/1.1\r\nHost: x\r\nConnection: Close, te\r\n\r\n";
    RequestParser parser{small_limits};
    for (const std::string_view target : {"/1", "/2", "/3"}) {
        text.remove_prefix(parser.feed(text));
        ASSERT_EQ(parser.state(), RequestState::complete);
        EXPECT_EQ(parser.closes(), target == "/3");
        EXPECT_EQ(parser.take().target, target);
    }
    EXPECT_TRUE(text.empty());
}

TEST(RequestParser, ManySmallChunksAreNoExtension) {
    std::string text = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const WireLimits wide{128, 4096, 10};
    for (int i = 0; i < 1000; ++i) text += "1\r\nx\r\n";
    text += "0\r\n\r\n";
    RequestParser parser{wide};
    EXPECT_EQ(parser.feed(text), text.size());
    ASSERT_EQ(parser.state(), RequestState::complete) << parser.refusal().sentence;
    EXPECT_EQ(parser.take().body, std::string(1000, 'x'));
}

struct Target {
    std::string name, line, target;
};
void PrintTo(const Target& each, std::ostream* out) { *out << each.name; }
class TargetForm : public testing::TestWithParam<Target> {};
TEST_P(TargetForm, BecomesOriginForm) {
    RequestParser parser{small_limits};
    parser.feed(GetParam().line + " HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(parser.state(), RequestState::complete) << parser.refusal().sentence;
    EXPECT_EQ(parser.take().target, GetParam().target);
}
INSTANTIATE_TEST_SUITE_P(Rfc9112, TargetForm,
                         testing::Values(Target{"origin", "GET /a", "/a"}, Target{"absolute", "GET https://x/a?b", "/a?b"},
                                         Target{"absolute_without_path", "GET HTTP://x", "/"},
                                         Target{"asterisk", "OPTIONS *", "*"}),
                         [](const auto& test) { return test.param.name; });

TEST(RequestParser, AsksForContinueOnlyWhileTheBodyIsAwaited) {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    RequestParser waits{small_limits};
    waits.feed(head);
    EXPECT_TRUE(waits.take_expectation());
    EXPECT_FALSE(waits.take_expectation());
    waits.feed("ab");
    EXPECT_EQ(waits.state(), RequestState::complete);

    RequestParser sends{small_limits};
    sends.feed(head + "a");
    EXPECT_FALSE(sends.take_expectation());
}

TEST(RequestParser, Http10IsReadAndCloses) {
    RequestParser parser{small_limits};
    parser.feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ASSERT_EQ(parser.state(), RequestState::complete);
    EXPECT_TRUE(parser.closes());
}

struct Refused {
    std::string name;
    unsigned status;
    std::string text;
};
void PrintTo(const Refused& each, std::ostream* out) { *out << each.name; }
std::string with(std::string_view fields, std::string_view body = {}) {
    return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string{fields} + "\r\n" + std::string{body};
}
std::string chunked(std::string_view body) { return with("Transfer-Encoding: chunked\r\n", body); }

class RefusedRequest : public testing::TestWithParam<Refused> {};
TEST_P(RefusedRequest, HasItsStatusInAnyPieces) {
    for (const std::size_t piece : {1u, 3u, 4096u}) {
        RequestParser parser{small_limits};
        feed(parser, GetParam().text, piece);
        ASSERT_EQ(parser.state(), RequestState::refused) << piece;
        EXPECT_EQ(parser.refusal().status, GetParam().status) << parser.refusal().sentence;
        EXPECT_TRUE(parser.closes());
        EXPECT_FALSE(parser.refusal().sentence.empty());
    }
}
INSTANTIATE_TEST_SUITE_P(
    Smuggling, RefusedRequest,
    testing::Values(
        Refused{"length_and_chunked", 400, with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
        Refused{"chunked_and_length", 400, with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
        Refused{"two_lengths", 400, with("Content-Length: 3\r\nContent-Length: 3\r\n")},
        Refused{"length_list", 400, with("Content-Length: 3, 3\r\n")},
        Refused{"length_sign", 400, with("Content-Length: +3\r\n")}, Refused{"length_hex", 400, with("Content-Length: 0x3\r\n")},
        Refused{"length_empty", 400, with("Content-Length:\r\n")},
        Refused{"chunked_twice", 400, with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        Refused{"other_coding", 501, with("Transfer-Encoding: gzip, chunked\r\n")},
        Refused{"identity", 501, with("Transfer-Encoding: identity\r\n")},
        Refused{"coding_after_vertical_tab", 400,
                with("Transfer-Encoding: \x0b"
                     "chunked\r\n")},
        Refused{"blank_before_colon", 400, with("Content-Length : 3\r\n")}, Refused{"folding", 400, with("X: a\r\n b\r\n")},
        Refused{"folding_first", 400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"},
        Refused{"bare_lf", 400, "GET / HTTP/1.1\nHost: x\n\n"}, Refused{"bare_lf_later", 400, with("X: y\nZ: a\r\n")},
        Refused{"bare_cr", 400, with("X: y\rContent-Length: 3\r\n")}, Refused{"nul", 400, with(std::string_view{"X: \0\r\n", 6})},
        Refused{"no_colon", 400, with("X\r\n")}, Refused{"empty_name", 400, with(": x\r\n")},
        Refused{"chunked_http_1_0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        Refused{"chunk_size_sign", 400, chunked("+3\r\nabc\r\n0\r\n\r\n")},
        Refused{"chunk_size_hex", 400, chunked("0x3\r\nabc\r\n")}, Refused{"chunk_size_empty", 400, chunked("\r\nabc\r\n")},
        Refused{"chunk_size_blank", 400, chunked(" 3\r\nabc\r\n")},
        Refused{"chunk_size_overflow", 413, chunked("fffffffffffffffff\r\n")},
        Refused{"chunk_bare_lf", 400, chunked("3\nabc\r\n")}, Refused{"chunk_too_long", 400, chunked("3\r\nabcd\r\n")},
        Refused{"chunk_end_bare_lf", 400, chunked("3\r\nabc\n0\r\n\r\n")}, Refused{"chunk_junk", 400, chunked("3 x\r\nabc\r\n")},
        Refused{"trailer_folding", 400, chunked("0\r\n X: y\r\n\r\n")},
        Refused{"chunk_extension_control", 400, chunked("3;a\rb\r\nabc\r\n")}),
    [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(Form, RefusedRequest,
                         testing::Values(Refused{"tls_hello", 400, std::string{"\x16\x03\x01\x02\x00\x01", 6}},
                                         Refused{"no_host", 400, "GET / HTTP/1.1\r\n\r\n"},
                                         Refused{"two_hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"},
                                         Refused{"bad_host", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
                                         Refused{"http_2", 505, "PRI * HTTP/2.0\r\n\r\n"},
                                         Refused{"http_0_9", 400, "GET /\r\n\r\n"},
                                         Refused{"http_3", 505, "GET / HTTP/3.0\r\n\r\n"},
                                         Refused{"version_words", 400, "GET / HTTP/1.1 x\r\n\r\n"},
                                         Refused{"lower_case_version", 400, "GET / http/1.1\r\n\r\n"},
                                         Refused{"two_blanks", 400, "GET  / HTTP/1.1\r\n\r\n"},
                                         Refused{"method_characters", 400, "G(T / HTTP/1.1\r\n\r\n"},
                                         Refused{"connect", 501, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         Refused{"method_long", 501, std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         Refused{"relative_target", 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         Refused{"fragment", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         Refused{"non_ascii_target", 400, "GET /\xC3\xBC HTTP/1.1\r\nHost: a\r\n\r\n"},
                                         Refused{"expectation", 417, with("Expect: 200-maybe\r\n")}),
                         [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(
    Limits, RefusedRequest,  // bug class 30
    testing::Values(Refused{"long_target", 431, "GET /" + std::string(600, 'a')},
                    Refused{"long_field", 431, with("X: " + std::string(600, 'a'))},
                    Refused{"many_fields", 431,
                            with("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n")},
                    Refused{"large_body", 413, with("Content-Length: 65\r\n")},
                    Refused{"huge_body", 413, with("Content-Length: 99999999999999999999999\r\n")},
                    Refused{"large_chunk", 413, chunked("41\r\n")},
                    Refused{"large_chunks", 413, chunked("40\r\n" + std::string(64, 'a') + "\r\n1\r\n")},
                    Refused{"long_extension", 431, chunked("1;" + std::string(600, 'a'))},
                    Refused{"long_extensions", 431, chunked([] {
                                std::string out;
                                for (int i = 0; i < 30; ++i) out += "1;extension=value\r\nx\r\n";
                                return out;
                            }())},
                    Refused{"long_trailers", 431, chunked("0\r\nA: " + std::string(600, 'a'))}),
    [](const auto& test) { return test.param.name; });

TEST(RequestParser, BlankLinesAloneAreNoRequest) {
    RequestParser parser{small_limits};
    for (int i = 0; i < 1000; ++i) parser.feed(i % 2 == 0 ? "\r\n\r" : "\n");
    EXPECT_EQ(parser.state(), RequestState::head);
    parser.feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(parser.state(), RequestState::complete);
}

}  // namespace
}  // namespace estuary::http
