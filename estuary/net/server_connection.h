#pragma once
// One connection of the server: a state machine that its I/O thread drives. Nothing here blocks or throws.
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "estuary/net/deadlines.h"
#include "estuary/net/framing.h"
#include "estuary/net/server.h"
#include "estuary/net/server_tls.h"
#include "estuary/net/stream.h"

namespace estuary::net {

class ConnectionResponder;
class IoThread;

class ServerConnection final : public Waiter, public std::enable_shared_from_this<ServerConnection> {
public:
    ServerConnection(IoThread& io, Fd fd, std::string address, std::shared_ptr<const ServerTls> tls,
                     std::unique_ptr<Framing> framing);

    /// The first steps, once the I/O thread knows this connection.
    void begin();
    void on_event(std::uint32_t events);
    void on_deadline();
    /// The handler's answer. On the I/O thread.
    void deliver(http::Response response);
    /// Goes on where a turn was cut off for fairness.
    void advance();
    /// Ends it when nothing is under way (drain, or to make room).
    bool close_if_quiet();
    void close();

    bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
    int fd() const noexcept { return stream_.fd(); }
    const std::string& address() const noexcept { return address_; }

    std::size_t index = 0;      ///< in the I/O thread's table
    std::uint32_t watched = 0;  ///< epoll events that the I/O thread has set
    bool in_again = false;

private:
    enum class Phase : std::uint8_t { handshake, reading, serving, closing, lingering };
    /// Whether a step went through or the connection has to wait.
    enum class Step : std::uint8_t { on, stop };

    Step handshake();
    Step read();
    Step consume(std::string_view octets);
    Step dispatch();
    Step serve_later(http::Request request, const std::shared_ptr<ConnectionResponder>& responder);
    Step serve_here(http::Request request, std::shared_ptr<ConnectionResponder> responder);
    Step answer(const http::Response& response);
    void refuse(unsigned status, std::string_view sentence);
    void send(std::string_view octets);
    Step flush();
    bool has_unsent() const noexcept { return !out_.empty() || !shared_.octets.empty(); }
    Step finish();
    void linger();
    Step stop(std::uint32_t events);
    std::shared_ptr<const http::Peer> peer(bool with_bindings);
    void tell_plain_http();

    IoThread* io_;
    Stream stream_;
    std::string address_;
    std::shared_ptr<const ServerTls> tls_;
    std::shared_ptr<const http::Peer> peer_;
    std::unique_ptr<Framing> framing_;
    std::string input_;  // octets after the request that is being served
    std::string out_;    // octets that the socket did not take yet
    std::size_t out_sent_ = 0;
    http::SharedBody shared_;  // what follows out_; its view shrinks from the front
    std::optional<http::Response> inline_answer_;
    unsigned requests_ = 0;
    Phase phase_ = Phase::handshake;
    bool close_after_ = false;
    bool unread_input_ = false;  // the peer may still be sending: linger before closing
    bool has_bindings_ = false;
    bool drained_ = false;  ///< the last read took all there was: wait for the socket before the next
    std::atomic<bool> closed_{false};

    friend class ConnectionResponder;
};

}  // namespace estuary::net
