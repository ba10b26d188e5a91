// Responses off the wire, as the client reads them.
#include <gtest/gtest.h>

#include "estuary/http/wire.h"
#include "support.h"

namespace estuary::http {
namespace {

using ResponseState = ResponseParser::State;
using test::small_limits;

struct Good {
    std::string name, text, body;
    unsigned status = 200;
    bool close = false, to_head = false, until_end = false;
};
void PrintTo(const Good& each, std::ostream* out) { *out << each.name; }

class GoodResponse : public testing::TestWithParam<Good> {};
TEST_P(GoodResponse, IsReadInAnyPieces) {
    for (const std::size_t piece : {1u, 4u, 1000u}) {
        ResponseParser parser{small_limits, GetParam().to_head};
        for (std::string_view rest = GetParam().text; !rest.empty();) {
            const auto next = rest.substr(0, piece);
            EXPECT_EQ(parser.feed(next), next.size());
            rest.remove_prefix(next.size());
        }
        if (GetParam().until_end) {
            EXPECT_EQ(parser.state(), ResponseState::body);
            parser.finish();
        }
        ASSERT_EQ(parser.state(), ResponseState::complete) << piece << parser.refusal().sentence;
        const auto response = parser.take();
        EXPECT_EQ(response.status, GetParam().status);
        EXPECT_EQ(response.body, GetParam().body);
        EXPECT_EQ(response.close, GetParam().close);
    }
}
INSTANTIATE_TEST_SUITE_P(
    Rfc9112, GoodResponse,
    testing::Values(Good{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"},
                    Good{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab"},
                    Good{"until_close", "HTTP/1.1 200 OK\r\n\r\nab", "ab", 200, true, false, true},
                    Good{"http_1_0", "HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", "x", 404, true},
                    Good{"http_1_0_kept", "HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\nContent-Length: 1\r\n\r\nx", "x"},
                    Good{"http_1_0_until_close", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx", "x", 200, true, false, true},
                    Good{"http_1_0_both", "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n\r\nx", "x", 200, true},
                    Good{"no_reason", "HTTP/1.1 204\r\n\r\n", "", 204},
                    Good{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "", 200, true},
                    Good{"head", "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", "", 200, false, true},
                    Good{"not_modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 304},
                    Good{"interim",
                         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny",
                         "y"}),
    [](const auto& test) { return test.param.name; });

struct Bad {
    std::string name, text;
};
void PrintTo(const Bad& each, std::ostream* out) { *out << each.name; }
class BadResponse : public testing::TestWithParam<Bad> {};
TEST_P(BadResponse, IsRefused) {
    ResponseParser parser{small_limits, false};
    parser.feed(GetParam().text);
    parser.finish();
    EXPECT_EQ(parser.state(), ResponseState::refused);
}
INSTANTIATE_TEST_SUITE_P(Rfc9112, BadResponse,
                         testing::Values(Bad{"nothing", ""}, Bad{"words", "hello\r\n\r\n"}, Bad{"http_2", "HTTP/2 200\r\n\r\n"},
                                         Bad{"status_word", "HTTP/1.1 OK 200\r\n\r\n"},
                                         Bad{"status_small", "HTTP/1.1 099 x\r\n\r\n"},
                                         Bad{"status_long", "HTTP/1.1 2000 x\r\n\r\n"},
                                         Bad{"switching", "HTTP/1.1 101 x\r\n\r\n"}, Bad{"cut_head", "HTTP/1.1 200 OK\r\nConte"},
                                         Bad{"cut_body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"},
                                         Bad{"cut_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"},
                                         Bad{"large", "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"},
                                         Bad{"large_until_close", "HTTP/1.1 200 OK\r\n\r\n" + std::string(65, 'a')},
                                         Bad{"large_head", "HTTP/1.1 200 OK\r\nX: " + std::string(600, 'a')},
                                         Bad{"endless_interim",
                                             [] {
                                                 std::string out;
                                                 for (int i = 0; i < 9; ++i) out += "HTTP/1.1 100 Continue\r\n\r\n";
                                                 return out;
                                             }()}),
                         [](const auto& test) { return test.param.name; });

TEST(ResponseParser, LeavesWhatComesAfter) {
    ResponseParser parser{small_limits, false};
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1";
    EXPECT_EQ(parser.feed(text), text.size() - 8);
    EXPECT_EQ(parser.state(), ResponseState::complete);
}

}  // namespace
}  // namespace estuary::http
