// CMP directly over TCP: the framings of CMPtrans (drafts 05 to 09) and RFC 2510 5.2, the server's and the client's side of them.
#include "estuary/cmp/tcp_message.h"

#include "estuary/cmp/tcp_client.h"
#include "estuary/cmp/tcp_server.h"
#include "estuary/http/message.h"
#include "support.h"

namespace estuary::test {
namespace {

using cmp::TcpErrorType;
using cmp::TcpFraming;
using cmp::TcpMessage;
using cmp::TcpReader;
using cmp::TcpType;

constexpr std::size_t tcp_octets_max = 1000;
constexpr auto v10 = TcpFraming::version_10;
constexpr auto rfc2510 = TcpFraming::rfc2510;

ByteVec octets(std::initializer_list<int> values) {
    ByteVec out;
    for (const int value : values) out.push_back(static_cast<std::uint8_t>(value));
    return out;
}

/// The one message that the octets are.
TcpMessage read_frame(Bytes frame) {
    TcpReader reader{tcp_octets_max};
    EXPECT_EQ(reader.feed(frame), frame.size());
    EXPECT_EQ(reader.state(), TcpReader::State::complete);
    return reader.state() == TcpReader::State::complete ? reader.take() : TcpMessage{};
}

struct TcpCase {
    std::string_view name;
    TcpMessage message;
    ByteVec frame;
};

// Written by hand from the drafts' and RFC 2510's tables.
const std::vector<TcpCase> tcp_cases{
    {"pkiReq", {v10, TcpType::pki_req, false, octets({0x30, 0})}, octets({0, 0, 0, 5, 10, 0, 0, 0x30, 0})},
    {"pkiReq, closing", {v10, TcpType::pki_req, true, octets({0x30, 0})}, octets({0, 0, 0, 5, 10, 1, 0, 0x30, 0})},
    {"pollRep", {v10, TcpType::poll_rep, false, octets({0, 0, 0, 7, 0, 0, 1, 44})}, octets({0, 0, 0, 11, 10, 0, 1, 0, 0, 0, 7, 0, 0, 1, 44})},
    {"pollReq", {v10, TcpType::poll_req, false, octets({0, 0, 0, 7})}, octets({0, 0, 0, 7, 10, 0, 2, 0, 0, 0, 7})},
    {"finRep", {v10, TcpType::fin_rep, true, octets({0})}, octets({0, 0, 0, 4, 10, 1, 3, 0})},
    {"pkiRep", {v10, TcpType::pki_rep, false, octets({0x30, 0})}, octets({0, 0, 0, 5, 10, 0, 5, 0x30, 0})},
    {"errorMsgRep", {v10, TcpType::error_rep, true, octets({1, 1, 0, 1, 10, 'n', 'o'})}, octets({0, 0, 0, 10, 10, 1, 6, 1, 1, 0, 1, 10, 'n', 'o'})},
    {"without a value", {v10, TcpType::pki_req, false, {}}, octets({0, 0, 0, 3, 10, 0, 0})},
    {"pkiMsg", {rfc2510, TcpType::pki_req, false, octets({0x30, 0})}, octets({0, 0, 0, 3, 0, 0x30, 0})},
    {"negPollRep", {rfc2510, TcpType::fin_rep, false, octets({0})}, octets({0, 0, 0, 2, 3, 0})},
    {"partialMsgRep", {rfc2510, TcpType::partial_rep, false, octets({0, 0, 0, 7, 0, 0, 0, 9, 0x30, 0})}, octets({0, 0, 0, 11, 4, 0, 0, 0, 7, 0, 0, 0, 9, 0x30, 0})},
    {"finalMsgRep", {rfc2510, TcpType::pki_rep, false, octets({0x30, 0})}, octets({0, 0, 0, 3, 5, 0x30, 0})},
    {"errorMsgRep of RFC 2510", {rfc2510, TcpType::error_rep, false, octets({'n', 'o'})}, octets({0, 0, 0, 3, 6, 'n', 'o'})},
};

TEST(CmpTcpMessage, FramesAreThoseOfTheTables) {
    for (const auto& each : tcp_cases) {
        EXPECT_EQ(cmp::encode(each.message), each.frame) << each.name;
        const auto read = read_frame(each.frame);
        EXPECT_EQ(read.framing, each.message.framing) << each.name;
        EXPECT_EQ(read.type, each.message.type) << each.name;
        EXPECT_EQ(read.closes, each.message.closes) << each.name;
        EXPECT_EQ(read.value, each.message.value) << each.name;
    }
}

TEST(CmpTcpMessage, TheFifthOctetTellsTheFramingsApart) {
    for (int told = 0; told <= 255; ++told) {
        const auto head = cmp::read_tcp_head(octets({0, 0, 0, 9, told, 0, 0}), tcp_octets_max);
        if (told <= 6) {
            ASSERT_TRUE(head && *head) << told;
            EXPECT_EQ((*head)->framing, rfc2510);
            EXPECT_EQ((*head)->value_octets, 8u);
        } else if (told == 10) {
            ASSERT_TRUE(head && *head);
            EXPECT_EQ((*head)->framing, v10);
            EXPECT_EQ((*head)->value_octets, 6u);
        } else {
            ASSERT_FALSE(head) << told;
            // What is newer is told in version 10 which one is spoken; what is older, in a way that RFC 2510 has.
            EXPECT_EQ(head.error().framing, told > 10 ? v10 : rfc2510) << told;
            if (told > 10) {
                EXPECT_EQ(head.error().error.type, TcpErrorType::version_not_supported);
                EXPECT_EQ(head.error().error.data, octets({10}));
            }
        }
    }
}

TEST(CmpTcpMessage, WhatIsNoMessageIsRefusedAsSoonAsItShows) {
    const struct {
        std::string_view name;
        ByteVec frame;
        TcpErrorType type;
        std::size_t refused_after;
    } wrong[] = {
        {"type 4", octets({0, 0, 0, 5, 10, 0, 4, 0, 0}), TcpErrorType::invalid_message_type, 7},
        {"type 7", octets({0, 0, 0, 5, 10, 0, 7, 0, 0}), TcpErrorType::invalid_message_type, 7},
        {"type 255", octets({0, 0, 0, 5, 10, 0, 255, 0, 0}), TcpErrorType::invalid_message_type, 7},
        {"length 2", octets({0, 0, 0, 2, 10, 0, 0}), TcpErrorType::client_error, 5},
        {"length 0", octets({0, 0, 0, 0, 10, 0, 0}), TcpErrorType::client_error, 5},
        {"length 0 of RFC 2510", octets({0, 0, 0, 0, 0, 0}), TcpErrorType::client_error, 5},
        {"one octet too many", octets({0, 0, 3, 0xEC, 10, 0, 0}), TcpErrorType::client_error, 5},
        {"four gigabytes", octets({255, 255, 255, 255, 10, 0, 0}), TcpErrorType::client_error, 5},
        {"four gigabytes of RFC 2510", octets({255, 255, 255, 255, 0, 0, 0}), TcpErrorType::client_error, 5},
        {"HTTP", to_vec(as_bytes("GET / HTTP/1.1\r\n")), TcpErrorType::version_not_supported, 5},
    };
    for (const auto& each : wrong) {
        TcpReader reader{tcp_octets_max};
        EXPECT_EQ(reader.feed(each.frame), each.refused_after) << each.name;
        EXPECT_EQ(reader.state(), TcpReader::State::refused) << each.name;
        EXPECT_EQ(reader.fault().error.type, each.type) << each.name;
        EXPECT_FALSE(reader.fault().error.text.empty());
    }
}

TEST(CmpTcpMessage, TheLargestMessageIsTaken) {
    const ByteVec largest(tcp_octets_max, 0x41);
    for (const auto framing : {v10, rfc2510}) EXPECT_EQ(read_frame(cmp::encode({framing, TcpType::pki_req, false, largest})).value, largest);
}

TEST(CmpTcpMessage, PiecesOfAnySizeAreTheSameMessages) {
    ByteVec stream;
    for (const auto& each : tcp_cases) append(stream, each.frame);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{8}, stream.size()}) {
        TcpReader reader{tcp_octets_max};
        std::size_t at = 0;
        for (const auto& each : tcp_cases) {
            EXPECT_FALSE(reader.started());
            while (reader.state() == TcpReader::State::reading && at < stream.size()) {
                at += reader.feed(Bytes{stream}.subspan(at, std::min(piece, stream.size() - at)));
                EXPECT_TRUE(reader.started());
            }
            ASSERT_EQ(reader.state(), TcpReader::State::complete) << each.name;
            EXPECT_EQ(reader.take().value, each.message.value) << each.name;
        }
        EXPECT_EQ(at, stream.size());
    }
}

TEST(CmpTcpMessage, ValuesOfPollAndErrorAreReadStrictly) {
    const auto poll = cmp::read_poll_rep(tcp_cases[2].message);
    ASSERT_TRUE(poll);
    EXPECT_EQ(poll->reference, 7u);
    EXPECT_EQ(poll->check_after, Seconds{300});
    EXPECT_EQ(cmp::encode(cmp::poll_req(v10, 7)), tcp_cases[3].frame);
    for (const std::size_t size : {0, 4, 7, 9}) EXPECT_EQ(code_of(cmp::read_poll_rep({v10, TcpType::poll_rep, false, ByteVec(size)})), Code::malformed) << size;

    const auto error = cmp::read_error_rep(tcp_cases[6].message);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->type, TcpErrorType::version_not_supported);
    EXPECT_EQ(error->data, octets({10}));
    EXPECT_EQ(error->text, "no");
    EXPECT_EQ(cmp::encode(cmp::error_rep(v10, *error)), tcp_cases[6].frame);
    EXPECT_EQ(cmp::encode(cmp::error_rep(rfc2510, *error)), tcp_cases.back().frame);
    EXPECT_EQ(cmp::read_error_rep(tcp_cases.back().message)->text, "no");
    for (const auto& value : {octets({}), octets({2, 0}), octets({2, 0, 0}), octets({2, 0, 0, 1}), octets({2, 0, 255, 255, 0})})
        EXPECT_EQ(code_of(cmp::read_error_rep({v10, TcpType::error_rep, false, value})), Code::malformed);
}

// The server's side.

std::string wire(const TcpMessage& message) { return estuary::to_string(cmp::encode(message)); }

http::Response answer_with(unsigned status, std::string_view type, std::string body) {
    http::Response made;
    made.status = status;
    if (!type.empty()) made.headers.add("Content-Type", std::string{type});
    made.body = std::move(body);
    return made;
}

TcpMessage written(cmp::TcpServerSide& side, const http::Response& response, bool closes) {
    std::string out;
    side.write(out, response, closes);
    return read_frame(as_bytes(out));
}

TEST(CmpTcpServer, RequestsBecomePostsToTheLabel) {
    for (const auto& [label, path] : {std::pair{"", "/.well-known/cmp"}, std::pair{"line7", "/.well-known/cmp/p/line7"}}) {
        cmp::TcpServerSide side{label, tcp_octets_max};
        for (const auto framing : {v10, rfc2510, v10}) {
            const bool closing = framing == v10;
            const auto frame = wire({framing, TcpType::pki_req, closing, octets({0x30, 0})});
            EXPECT_EQ(side.feed(frame + "next"), frame.size());
            ASSERT_EQ(side.state(), TcpReader::State::complete);
            const auto request = side.take();
            EXPECT_EQ(side.closes(), closing);
            EXPECT_EQ(request.method, "POST");
            EXPECT_EQ(request.target, path);
            EXPECT_EQ(request.headers.find("Content-Type"), "application/pkixcmp");
            EXPECT_EQ(as_bytes(request.body).size(), 2u);
            const auto reply = written(side, answer_with(200, "application/pkixcmp", "reply"), closing);
            EXPECT_EQ(reply.framing, framing);
            EXPECT_EQ(reply.type, TcpType::pki_rep);
            EXPECT_EQ(reply.closes, closing);
            EXPECT_EQ(as_text(reply.value), "reply");
        }
    }
}

TEST(CmpTcpServer, ResponsesOfEveryKindHaveAFrame) {
    for (const auto framing : {v10, rfc2510}) {
        cmp::TcpServerSide side{"", tcp_octets_max};
        side.feed(wire({framing, TcpType::pki_req, false, octets({0x30, 0})}));
        side.take();
        // A message that tells of an error is a message; no content is nothing to say; text is an error of the transfer.
        EXPECT_EQ(written(side, answer_with(400, "application/pkixcmp", "error"), false).type, TcpType::pki_rep);
        const auto fin = written(side, answer_with(403, "", ""), false);
        EXPECT_EQ(fin.type, TcpType::fin_rep);
        EXPECT_EQ(fin.value, octets({0}));
        const struct {
            unsigned status;
            TcpErrorType type;
        } errors[] = {{404, TcpErrorType::client_error}, {408, TcpErrorType::client_error}, {500, TcpErrorType::server_error}, {503, TcpErrorType::server_error}};
        for (const auto& each : errors) {
            const auto reply = written(side, http::text_response(each.status, "That went wrong."), true);
            ASSERT_EQ(reply.type, TcpType::error_rep);
            const auto error = cmp::read_error_rep(reply);
            ASSERT_TRUE(error);
            EXPECT_EQ(error->text, "That went wrong.");
            if (framing == v10) {
                EXPECT_EQ(error->type, each.type) << each.status;
                EXPECT_TRUE(reply.closes);
            }
        }
    }
}

/// What the server's side says to octets that it refuses.
TcpMessage refusal_of(std::string_view octets_in, bool cut = false) {
    cmp::TcpServerSide side{"", tcp_octets_max};
    side.feed(octets_in);
    if (cut) {
        EXPECT_TRUE(side.cut());
    }
    EXPECT_EQ(side.state(), TcpReader::State::refused);
    EXPECT_TRUE(side.started());
    EXPECT_EQ(side.feed("more"), 0u);
    return written(side, http::text_response(side.refusal().status, side.refusal().sentence), true);
}

TEST(CmpTcpServer, WhatAServerIsNotSentIsRefusedInItsFraming) {   // bug class 1
    for (const auto framing : {v10, rfc2510}) {
        for (const auto type : {TcpType::poll_rep, TcpType::fin_rep, TcpType::pki_rep, TcpType::error_rep}) {
            const auto said = refusal_of(wire({framing, type, false, octets({0, 0, 0, 1})}));
            EXPECT_EQ(said.framing, framing);
            ASSERT_EQ(said.type, TcpType::error_rep);
            if (framing == v10) {
                EXPECT_EQ(cmp::read_error_rep(said)->type, TcpErrorType::invalid_message_type);
            }
        }
        const auto polled = refusal_of(wire(cmp::poll_req(framing, 1)));
        EXPECT_EQ(polled.framing, framing);
        if (framing == v10) {
            EXPECT_EQ(cmp::read_error_rep(polled)->type, TcpErrorType::invalid_poll_id);
            EXPECT_EQ(cmp::read_error_rep(refusal_of(wire({v10, TcpType::poll_req, false, octets({1})})))->type, TcpErrorType::client_error);
        }
    }
    EXPECT_EQ(refusal_of(wire({rfc2510, TcpType::partial_rep, false, octets({0})})).framing, rfc2510);
}

TEST(CmpTcpServer, VersionsAreNegotiated) {
    const auto newer = refusal_of(estuary::to_string(octets({0, 0, 0, 5, 11, 0, 0, 0x30, 0})));
    EXPECT_EQ(newer.framing, v10);
    EXPECT_EQ(cmp::read_error_rep(newer)->type, TcpErrorType::version_not_supported);
    EXPECT_EQ(cmp::read_error_rep(newer)->data, octets({10}));
    EXPECT_EQ(refusal_of(estuary::to_string(octets({0, 0, 0, 5, 8, 0, 0, 0x30, 0}))).framing, rfc2510);
}

TEST(CmpTcpServer, CutMessagesAreRefused) {
    for (const auto framing : {v10, rfc2510}) {
        const auto frame = wire({framing, TcpType::pki_req, false, octets({0x30, 0, 1, 2, 3})});
        for (std::size_t size = 1; size < frame.size(); ++size) {
            const auto said = refusal_of(frame.substr(0, size), true);
            EXPECT_EQ(said.type, TcpType::error_rep);
            if (size >= 7) {
                EXPECT_EQ(said.framing, framing) << size;
            }
        }
    }
    cmp::TcpServerSide side{"", tcp_octets_max};
    EXPECT_FALSE(side.cut());   // between two messages it is the end
}

// The client's side.

TEST(CmpTcpClient, UrlsNameHostAndPort) {
    const auto to_text = [](std::string_view text) { return cmp::tcp_url(text).value().to_string(); };
    EXPECT_EQ(to_text("tcp://ca.example"), "tcp://ca.example:829");
    EXPECT_EQ(to_text("TCP://CA.example/"), "tcp://ca.example:829");
    EXPECT_EQ(to_text("tcp://ca.example:"), "tcp://ca.example:829");
    EXPECT_EQ(to_text("tcp://ca.example:8290"), "tcp://ca.example:8290");
    EXPECT_EQ(cmp::tcp_url("tcp://ca.example:80")->port, 80);
    EXPECT_EQ(to_text("tcp://[2001:db8::1]"), "tcp://[2001:db8::1]:829");
    EXPECT_EQ(to_text("tcp://[2001:db8::1]:8290/"), "tcp://[2001:db8::1]:8290");
    EXPECT_EQ(cmp::tcp_url(to_text("tcp://ca.example"))->port, 829);
    EXPECT_EQ(code_of(cmp::tcp_url("tcp://ca.example/pkix")), Code::policy);
    for (const auto* wrong : {"http://ca", "tcp://", "tcp://:829", "tcp://ca:0", "tcp://ca:70000", "tcp://u@ca", "tcp://[::1"})
        EXPECT_EQ(code_of(cmp::tcp_url(wrong)), Code::malformed) << wrong;
}

/// A server that gives the answers it was told, and remembers what it was asked.
struct ScriptedServer {
    std::vector<ByteVec> answers;
    std::vector<TcpMessage> asked{};
    cmp::TcpExchange exchange() {
        return [this](Bytes frame) -> Result<ByteVec> {
            asked.push_back(read_frame(frame));
            if (asked.size() > answers.size()) return fail(Code::unavailable, "gone");
            return answers[asked.size() - 1];
        };
    }
};

TEST(CmpTcpClient, TheAnswerIsTheMessageOfAPkiRep) {
    ScriptedServer server{{tcp_cases[5].frame, octets({0, 0, 0, 5, 10, 1, 0, 0x30, 0})}};
    cmp::TcpClient client;
    EXPECT_EQ(client.ask(octets({1}), server.exchange()), octets({0x30, 0}));
    EXPECT_FALSE(client.closes());
    EXPECT_EQ(client.ask(octets({2}), server.exchange()), octets({0x30, 0}));   // some answer with pkiReq
    EXPECT_TRUE(client.closes());
    EXPECT_EQ(server.asked[1].framing, v10);
    EXPECT_EQ(server.asked[1].value, octets({2}));
    EXPECT_EQ(code_of(client.ask(octets({3}), server.exchange())), Code::unavailable);
}

TEST(CmpTcpClient, OldServersAreAskedAgainInTheirFraming) {
    ScriptedServer server{{tcp_cases.back().frame, tcp_cases[11].frame, tcp_cases[11].frame, tcp_cases.back().frame}};
    cmp::TcpClient client;
    EXPECT_EQ(client.ask(octets({1}), server.exchange()), octets({0x30, 0}));
    EXPECT_EQ(client.ask(octets({2}), server.exchange()), octets({0x30, 0}));
    ASSERT_EQ(server.asked.size(), 3u);
    EXPECT_EQ(server.asked[0].framing, v10);
    EXPECT_EQ(server.asked[1].framing, rfc2510);
    EXPECT_EQ(server.asked[1].value, octets({1}));
    EXPECT_EQ(server.asked[2].framing, rfc2510);
    EXPECT_EQ(code_of(client.ask(octets({3}), server.exchange())), Code::malformed);   // there is no third framing
    EXPECT_EQ(server.asked.size(), 4u);
}

TEST(CmpTcpClient, PollsWhereTheServerLetsWait) {
    ScriptedServer server{{tcp_cases[2].frame, tcp_cases[5].frame, tcp_cases[5].frame}};
    cmp::TcpClient client;
    const auto later = client.ask(octets({1}), server.exchange());
    ASSERT_EQ(code_of(later), Code::too_busy);
    EXPECT_EQ(later.error().retry_after_s, 300u);
    EXPECT_TRUE(client.waits());
    EXPECT_EQ(client.ask(octets({1}), server.exchange()), octets({0x30, 0}));
    EXPECT_EQ(cmp::encode(server.asked[1]), tcp_cases[3].frame);
    EXPECT_FALSE(client.waits());
    EXPECT_TRUE(client.ask(octets({2}), server.exchange()));
    EXPECT_EQ(server.asked[2].type, TcpType::pki_req);
}

TEST(CmpTcpClient, WhatAnybodyMaySayIsNotBelieved) {
    const struct {
        ByteVec frame;
        Code code;
    } cases[] = {
        {cmp::encode(cmp::error_rep(v10, {TcpErrorType::server_error, {}, "down\x1b[2J"})), Code::unavailable},
        {cmp::encode(cmp::error_rep(v10, {TcpErrorType::client_error, {}, std::string(5000, 'x')})), Code::malformed},
        {tcp_cases[4].frame, Code::malformed},                             // finRep
        {tcp_cases[3].frame, Code::malformed},                             // pollReq
        {octets({0, 0, 0, 5, 10, 0, 5, 0x30}), Code::malformed},           // cut short
        {octets({0, 0, 0, 5, 10, 0, 5, 0x30, 0, 0}), Code::malformed},     // and something behind it
        {octets({0, 0, 0, 4, 10, 0, 1, 0}), Code::malformed},              // a pollRep of one octet
        {octets({0, 0, 0, 3, 10, 0, 6}), Code::malformed},                 // an errorMsgRep of none
        {octets({}), Code::malformed},
        {to_vec(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n")), Code::malformed},
    };
    for (const auto& each : cases) {
        ScriptedServer server{{each.frame}};
        const auto answer = cmp::TcpClient{}.ask(octets({1}), server.exchange());
        ASSERT_EQ(code_of(answer), each.code);
        EXPECT_LT(answer.error().detail.size(), 1000u);
        EXPECT_EQ(answer.error().detail.find('\x1b'), std::string::npos);
    }
    // Years are a mistake, or a lie; and no time at all would keep both busy.
    for (const auto& [frame, seconds] : {std::pair{octets({0, 0, 0, 11, 10, 0, 1, 0, 0, 0, 7, 255, 255, 255, 255}), 86400u},
                                         std::pair{octets({0, 0, 0, 11, 10, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0}), 1u}}) {
        ScriptedServer server{{frame}};
        EXPECT_EQ(cmp::TcpClient{}.ask(octets({1}), server.exchange()).error().retry_after_s, seconds);
    }
}

TEST(CmpTcpClient, LengthsAreBounded) {
    EXPECT_EQ(cmp::tcp_frame_octets(octets({0, 0, 0, 5}), tcp_octets_max), 0u);
    EXPECT_EQ(cmp::tcp_frame_octets(octets({0, 0, 0, 5, 10, 0}), tcp_octets_max), 0u);
    EXPECT_EQ(cmp::tcp_frame_octets(octets({0, 0, 0, 5, 10, 0, 5}), tcp_octets_max), 9u);
    EXPECT_EQ(cmp::tcp_frame_octets(octets({0, 0, 0, 5, 5}), tcp_octets_max), 9u);
    EXPECT_EQ(code_of(cmp::tcp_frame_octets(octets({0, 0, 255, 255, 10}), tcp_octets_max)), Code::malformed);
}

}  // namespace
}  // namespace estuary::test
