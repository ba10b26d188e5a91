// The request parser: what it reads does not depend on the pieces in which octets come, limits hold, and what it
// accepts is read again identically after being written.
#include <cstdint>
#include <cstdlib>

#include "estuary/http/wire.h"

namespace {

using namespace estuary;
using http::RequestParser;

const http::WireLimits limits{1024, 2048, 20};

struct Outcome {
    RequestParser::State state{};
    unsigned status = 0;
    std::size_t consumed = 0;
    bool closes = false;
    http::Request request;
};

Outcome parse(std::string_view text, std::size_t piece) {
    RequestParser parser{limits};
    Outcome out;
    while (out.consumed < text.size() &&
           (parser.state() == RequestParser::State::head || parser.state() == RequestParser::State::body))
        out.consumed += parser.feed(text.substr(out.consumed, piece));
    out.state = parser.state();
    out.closes = parser.closes();
    if (out.state == RequestParser::State::refused) out.status = parser.refusal().status;
    if (out.state == RequestParser::State::complete) out.request = parser.take();
    return out;
}

void require(bool good) {
    if (!good) std::abort();
}

void same(const http::Request& a, const http::Request& b) {
    require(a.method == b.method && a.target == b.target && a.body == b.body);
    require(a.headers.fields().size() == b.headers.fields().size());
    for (std::size_t i = 0; i < a.headers.fields().size(); ++i)
        require(a.headers.fields()[i].name == b.headers.fields()[i].name &&
                a.headers.fields()[i].value == b.headers.fields()[i].value);
}

/// Written in plain framing, an accepted request is accepted again and says the same.
void round_trip(const http::Request& request) {
    http::Request plain{request.method, request.target, {}, request.body};
    for (const auto& field : request.headers.fields()) {
        const http::Headers one{field};
        if (one.find("Expect") || one.find("Connection") || one.find("Host") || one.find("Content-Length") ||
            one.find("Transfer-Encoding"))
            continue;
        plain.headers.add(field.name, field.value);
    }
    std::string text;
    http::write_request(text, plain, "x");
    const http::WireLimits wide{8192, 4096, 40};
    RequestParser parser{wide};
    require(parser.feed(text) == text.size());
    require(parser.state() == RequestParser::State::complete);
    const auto again = parser.take();
    require(again.method == plain.method && again.target == plain.target && again.body == plain.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto whole = parse(text, text.size() + 1);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const auto split = parse(text, piece);
        require(split.state == whole.state);
        if (whole.state == RequestParser::State::refused) continue;  // which of two faults is met first may differ
        require(split.consumed == whole.consumed && split.closes == whole.closes);
        same(split.request, whole.request);
    }
    require(whole.request.body.size() <= limits.body_bytes_max);
    require(whole.request.headers.fields().size() <= limits.fields_max);
    if (whole.state == RequestParser::State::refused) require(whole.status >= 400 && whole.status <= 505);
    if (whole.state == RequestParser::State::complete) round_trip(whole.request);

    http::ResponseParser response{limits, false};
    response.feed(text);
    response.finish();
    require(response.state() == http::ResponseParser::State::complete ||
            response.state() == http::ResponseParser::State::refused);
    return 0;
}
