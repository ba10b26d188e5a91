#include "estuary/net/message_client.h"

#include <array>

#include <fmt/format.h>

#include "estuary/net/client_socket.h"

namespace estuary::net {
namespace {

constexpr std::size_t message_read_size = 16 * 1024;

class TcpMessageConnection final : public MessageConnection {
public:
    TcpMessageConnection(Fd fd, std::string peer, std::chrono::milliseconds timeout)
        : stream_{std::move(fd)}, peer_{std::move(peer)}, timeout_{timeout} {}

    Result<ByteVec> exchange(Bytes message, const MessageLength& length) override {
        const auto deadline = std::chrono::steady_clock::now() + timeout_;
        const auto written = write_all(stream_, as_text(message), deadline);
        // A server may refuse and close before it has read everything: its answer tells more than our error.
        auto answer = read(length, deadline);
        if (!answer && written != Io::done) return fail(why(written));
        return answer;
    }

private:
    Error why(Io io) const {
        const bool slow = io == Io::want_read || io == Io::want_write;
        return {Code::unavailable, fmt::format("{} {}", peer_, slow ? "did not answer in time" : "closed the connection")};
    }

    Result<ByteVec> read(const MessageLength& length, Deadline deadline) {
        ByteVec got;
        std::array<char, message_read_size> buffer;
        for (;;) {
            ESTUARY_TRY(const auto whole, length(got));
            if (whole != 0 && got.size() >= whole) {
                if (got.size() > whole) return fail(Code::malformed, fmt::format("{} sends more than one answer", peer_));
                return got;
            }
            std::size_t count = 0;
            const auto io = stream_.read(buffer, count);
            if (io == Io::done) {
                append(got, as_bytes({buffer.data(), count}));
            } else if ((io != Io::want_read && io != Io::want_write) || !wait_for(stream_.fd(), io, deadline)) {
                if (!got.empty() && io == Io::end) return fail(Code::unavailable, fmt::format("the answer of {} was cut short", peer_));
                return fail(why(io));
            }
        }
    }

    Stream stream_;
    std::string peer_;
    std::chrono::milliseconds timeout_;
};

}  // namespace

Result<std::unique_ptr<MessageConnection>> MessageConnection::open(const http::Url& url, const MessageClientOptions& options) {
    ESTUARY_TRY(auto fd, connect_to(url, std::chrono::steady_clock::now() + options.connect_timeout));
    return std::make_unique<TcpMessageConnection>(std::move(fd), url.authority(), options.exchange_timeout);
}

}  // namespace estuary::net
