#pragma once
// One I/O thread: its epoll, its connections, their deadlines.
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "estuary/net/deadlines.h"
#include "estuary/net/inbox.h"
#include "estuary/net/server_connection.h"
#include "estuary/net/server_core.h"

namespace estuary::net {

class IoThread {
public:
    explicit IoThread(ServerCore& core);
    ~IoThread();

    void start();
    /// From any thread: no more accepting; ends when the last request is answered, at the latest after `patience`.
    void drain(Milliseconds patience);
    void join();

    const std::shared_ptr<Inbox>& inbox() const noexcept { return inbox_; }
    std::size_t load() const noexcept { return open_.load(std::memory_order_relaxed); }
    void add_to(ServerCounters& counters) const;

    // For connections, on this thread:
    ServerCore& core() noexcept { return core_; }
    bool draining() const noexcept { return draining_; }
    std::span<char> read_buffer() noexcept { return read_buffer_; }
    /// A buffer to write answers in; kept between uses unless it grew large.
    std::string& scratch() noexcept { return scratch_; }
    void release_scratch();
    void wait(ServerConnection& connection, Wait kind) { deadlines_.enter(connection, kind, now_); }
    void watch(ServerConnection& connection, std::uint32_t events);
    /// Goes on with this connection after the others had their turn.
    void again(ServerConnection& connection);
    void forget(ServerConnection& connection);
    std::string_view date();

    struct Counters {
        std::atomic<std::uint64_t> accepted{0}, handshakes_failed{0}, requests{0}, timeouts{0}, refused_busy{0};
    };
    Counters& counters() noexcept { return counters_; }
    static void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

private:
    void run();
    void turn();
    int patience_ms() const;
    void accept_some(std::size_t listener);
    void place(Inbox::Socket socket);
    void adopt(Inbox::Socket socket);
    bool make_room();
    void read_inbox();
    void expire();
    void pause_accepting();
    void watch_listeners();
    void unwatch_listeners();
    void begin_drain();
    void close_all();
    void trim_memory();

    ServerCore& core_;
    std::shared_ptr<Inbox> inbox_;
    Fd epoll_;
    std::thread thread_;
    std::atomic<std::int64_t> drain_ms_{-1};  // asked for from outside; -1: not
    std::atomic<std::size_t> open_{0};
    Counters counters_;

    Instant now_{};
    bool draining_ = false;
    bool listening_ = false;
    Instant drain_end_{};
    std::optional<Instant> accept_again_;
    std::optional<Instant> out_of_descriptors_logged_;
    Deadlines deadlines_;
    std::vector<std::shared_ptr<ServerConnection>> connections_;
    std::vector<std::shared_ptr<ServerConnection>> again_, again_now_, closed_;
    Inbox::Mail mail_;
    std::size_t peak_ = 0;
    std::array<char, 16 * 1024> read_buffer_{};  // one TLS record
    std::string scratch_;
    std::string date_;
    Time date_time_{};
};

}  // namespace estuary::net
