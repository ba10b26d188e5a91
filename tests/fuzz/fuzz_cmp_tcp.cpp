// CMP over TCP: what is read does not depend on the pieces in which octets come, is written back as it came, and is answered by one
// frame in its own framing; and no answer of a server's is more than a client takes.
#include <cstdint>
#include <cstdlib>

#include "estuary/cmp/tcp_client.h"
#include "estuary/cmp/tcp_server.h"

using namespace estuary;

namespace {

constexpr std::size_t octets_max = 4096;

void require(bool holds) {
    if (!holds) std::abort();
}

cmp::TcpMessage one_frame(Bytes frame) {
    cmp::TcpReader reader{frame.size()};
    require(reader.feed(frame) == frame.size() && reader.state() == cmp::TcpReader::State::complete);
    return reader.take();
}

/// What a server's side makes of the octets: how many requests, how they were answered, and in what state it ends.
std::string served(std::string_view octets, std::size_t piece) {
    cmp::TcpServerSide side{"line7", octets_max};
    std::string out;
    while (!octets.empty() && side.state() != cmp::TcpReader::State::refused) {
        const auto used = side.feed(octets.substr(0, piece));
        octets.remove_prefix(used);
        require(used > 0 || side.state() != cmp::TcpReader::State::reading);
        if (side.state() != cmp::TcpReader::State::complete) continue;
        const auto request = side.take();
        require(request.body.size() <= octets_max && !side.started());
        http::Response response;
        response.body = request.body;
        response.headers.add("Content-Type", "application/pkixcmp");
        std::string answer;
        side.write(answer, response, side.closes());
        const auto read = one_frame(as_bytes(answer));
        require(read.type == cmp::TcpType::pki_rep && as_text(read.value) == request.body);
        out += answer;
        if (side.closes()) return out;
    }
    if (side.state() != cmp::TcpReader::State::refused && !side.cut()) return out;
    std::string answer;
    side.write(answer, http::text_response(side.refusal().status, side.refusal().sentence), true);
    const auto read = one_frame(as_bytes(answer));
    require(read.type == cmp::TcpType::error_rep && cmp::read_error_rep(read));
    return out + answer;
}

void check_client(Bytes frame) {
    const auto whole = cmp::tcp_frame_octets(frame, octets_max);
    if (whole) require(*whole <= octets_max + 7);
    cmp::TcpClient client;
    const auto answer = client.ask({}, [&](Bytes) -> Result<ByteVec> { return to_vec(frame); });
    if (answer) require(answer->size() < frame.size());
    if (client.waits()) require(!answer && answer.error().code == Code::too_busy && answer.error().retry_after_s > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto whole = served(as_text(input), size + 1);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{6}}) require(served(as_text(input), piece) == whole);

    cmp::TcpReader reader{octets_max};
    const auto used = reader.feed(input);
    if (reader.state() == cmp::TcpReader::State::complete) {
        auto message = reader.take();
        auto again = cmp::encode(message);
        // Of the flags only the lowest means something.
        if (message.framing == cmp::TcpFraming::version_10) again[5] = data[5];
        require(same(again, input.first(used)));
        (void)cmp::read_poll_rep(message);
        (void)cmp::read_error_rep(message);
    }
    check_client(input);
    return 0;
}
