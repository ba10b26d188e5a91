#include "estuary/net/io_thread.h"

#include <malloc.h>
#include <sys/epoll.h>

#include <cerrno>
#include <ctime>
#include <system_error>

#include "estuary/base/log.h"
#include "estuary/http/grammar.h"

namespace estuary::net {
namespace {

constexpr int events_max = 256;                // of one turn
constexpr unsigned accepts_max = 16;           // of one turn; other threads take the rest
constexpr std::size_t uneven_max = 4;          // connections more than another thread before it gets the next
constexpr Milliseconds linger_timeout{2'000};  // for the peer to read its last answer
constexpr Milliseconds accept_pause{100};      // when there are no descriptors left
constexpr Milliseconds log_pause{10'000};
constexpr Milliseconds slow_after{1'000};  // who sends slower than that makes room for others
constexpr std::size_t scratch_kept_max = 256 * 1024;
constexpr std::size_t trim_from = 1'024;  // connections at peak before returning memory is worth its time

// epoll's tag is a connection's address, or one of these; addresses are even.
constexpr std::uint64_t inbox_tag = 1;
constexpr std::uint64_t listener_tag = 3;  // and every odd number above

/// Out of memory in one connection ends that connection, not the server.
template <class Action>
void guarded(ServerConnection& connection, Action&& action) {
    if (connection.closed()) return;
    try {
        action();
    } catch (const std::exception& error) {
        log::error("connection ended by a fault", {{"peer", connection.address()}, {"what", error.what()}});
        connection.close();
    }
}

}  // namespace

IoThread::IoThread(ServerCore& core) : core_{core}, inbox_{std::make_shared<Inbox>()}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    const auto& limits = core.options.limits;
    deadlines_.set_length(Wait::handshake, limits.handshake_timeout);
    deadlines_.set_length(Wait::request, limits.request_timeout);
    deadlines_.set_length(Wait::idle, limits.idle_timeout);
    deadlines_.set_length(Wait::write, limits.write_timeout);
    deadlines_.set_length(Wait::linger, linger_timeout);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = inbox_tag;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inbox_->fd(), &event);
}

IoThread::~IoThread() { join(); }

void IoThread::start() {
    thread_ = std::thread{[this] { run(); }};
}

void IoThread::drain(Milliseconds patience) {
    drain_ms_ = patience.count();
    inbox_->wake();
}

void IoThread::join() {
    if (thread_.joinable()) thread_.join();
}

void IoThread::add_to(ServerCounters& counters) const {
    const auto value = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
    counters.connections_accepted += value(counters_.accepted);
    counters.connections_open += load();
    counters.handshakes_failed += value(counters_.handshakes_failed);
    counters.requests += value(counters_.requests);
    counters.timeouts += value(counters_.timeouts);
    counters.refused_busy += value(counters_.refused_busy);
}

void IoThread::run() {
    block_signals();
    now_ = std::chrono::steady_clock::now();
    watch_listeners();
    do turn();
    while (!draining_ || (!connections_.empty() && now_ < drain_end_));
    close_all();
    inbox_->close();
}

int IoThread::patience_ms() const {
    if (!again_.empty()) return 0;
    auto next = deadlines_.next();
    const auto sooner = [&](Instant when) { next = next ? std::min(*next, when) : when; };
    if (accept_again_) sooner(*accept_again_);
    if (draining_) sooner(drain_end_);
    if (!next) return -1;
    const auto left = std::chrono::ceil<Milliseconds>(*next - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void IoThread::turn() {
    std::array<epoll_event, events_max> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events_max, patience_ms());
    now_ = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const auto tag = event.data.u64;
        if (tag == inbox_tag) {
            read_inbox();
        } else if (tag % 2 == 1) {
            accept_some((tag - listener_tag) / 2);
        } else {
            auto* connection = static_cast<ServerConnection*>(event.data.ptr);
            guarded(*connection, [&] { connection->on_event(event.events); });  // closed_ keeps it to the turn's end
        }
    }
    again_now_.swap(again_);
    for (const auto& connection : again_now_) {
        connection->in_again = false;
        guarded(*connection, [&] { connection->advance(); });
    }
    again_now_.clear();
    expire();
    closed_.clear();
    trim_memory();
}

void IoThread::expire() {
    while (auto* waiter = deadlines_.expired(now_)) {
        auto* connection = static_cast<ServerConnection*>(waiter);
        guarded(*connection, [&] { connection->on_deadline(); });
        // An answer to a slow sender may wait for its own deadline now; whoever still has the old one is out.
        if (!connection->closed() && connection->deadline <= now_ && connection->wait != Wait::nothing) connection->close();
    }
    if (accept_again_ && *accept_again_ <= now_) {
        accept_again_.reset();
        if (!draining_) watch_listeners();
    }
}

void IoThread::read_inbox() {
    inbox_->take(mail_);
    for (auto& answer : mail_.answers)
        guarded(*answer.connection, [&] { answer.connection->deliver(std::move(answer.response)); });
    for (auto& socket : mail_.sockets) adopt(std::move(socket));
    mail_.clear();
    if (drain_ms_ >= 0) begin_drain();
}

void IoThread::begin_drain() {
    drain_end_ = now_ + Milliseconds{drain_ms_};
    if (draining_) return;
    draining_ = true;
    unwatch_listeners();
    const auto all = connections_;
    for (const auto& connection : all) connection->close_if_quiet();
}

void IoThread::close_all() {
    const auto all = connections_;
    for (const auto& connection : all) connection->close();
    again_.clear();
    closed_.clear();
}

void IoThread::watch_listeners() {
    if (listening_) return;
    listening_ = true;
    for (std::size_t i = 0; i < core_.listeners.size(); ++i) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLEXCLUSIVE;  // one thread wakes for a connection, not all
        event.data.u64 = listener_tag + 2 * i;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, core_.listeners[i].fd.get(), &event);
    }
}

void IoThread::unwatch_listeners() {
    if (!listening_) return;
    listening_ = false;
    for (const auto& listener : core_.listeners) {
        epoll_event event{};
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener.fd.get(), &event);
    }
}

void IoThread::accept_some(std::size_t listener) {
    for (unsigned i = 0; i < accepts_max; ++i) {
        Inbox::Socket socket;
        socket.listener = listener;
        const auto accepted = accept_connection(core_.listeners[listener].fd.get(), socket.fd, socket.address);
        if (accepted == Accepted::out_of_descriptors) return pause_accepting();
        if (accepted == Accepted::none) return;
        count(counters_.accepted);
        place(std::move(socket));
    }
}

/// Out of descriptors: the listener stays readable, so waiting for it would spin.
void IoThread::pause_accepting() {
    if (!out_of_descriptors_logged_ || now_ - *out_of_descriptors_logged_ > log_pause) {
        out_of_descriptors_logged_ = now_;
        log::error("no descriptors left to accept connections; raise the limit of open files",
                   {{"server", core_.options.server_name}, {"connections", core_.connections.load()}});
    }
    make_room();
    unwatch_listeners();
    accept_again_ = now_ + accept_pause;
}

/// Gives the connection to the thread with the fewest, and keeps it where the difference is small.
void IoThread::place(Inbox::Socket socket) {
    auto* to = this;
    for (auto* other : core_.io_threads)
        if (other->load() + uneven_max < to->load()) to = other;
    to->open_.fetch_add(1, std::memory_order_relaxed);
    if (to == this) {
        adopt(std::move(socket));
    } else {
        to->inbox_->post(std::move(socket));
    }
}

void IoThread::adopt(Inbox::Socket socket) {
    const auto drop = [&] { open_.fetch_sub(1, std::memory_order_relaxed); };
    if (draining_) return drop();
    if (core_.connections.load() >= core_.connections_max && !make_room()) return drop();
    if (!core_.enter_address(socket.address)) return drop();
    core_.connections.fetch_add(1);
    auto connection = std::make_shared<ServerConnection>(*this, std::move(socket.fd), std::move(socket.address), core_.tls(),
                                                         core_.new_framing(socket.listener));
    connection->index = connections_.size();
    connections_.push_back(connection);
    peak_ = std::max(peak_, connections_.size());
    epoll_event event{};
    event.events = connection->watched = EPOLLIN;
    event.data.ptr = connection.get();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->fd(), &event) != 0) return connection->close();
    guarded(*connection, [&] { connection->begin(); });
}

/// Closes whom it hurts least: the connection idle for longest, or else one that dawdles over its request or handshake.
bool IoThread::make_room() {
    for (const auto kind : {Wait::idle, Wait::request, Wait::handshake}) {
        auto* oldest = deadlines_.oldest(kind);
        if (oldest == nullptr || (kind != Wait::idle && deadlines_.age(*oldest, now_) < slow_after)) continue;
        static_cast<ServerConnection*>(oldest)->close();
        return true;
    }
    return false;
}

void IoThread::watch(ServerConnection& connection, std::uint32_t events) {
    if (connection.watched == events) return;
    connection.watched = events;
    epoll_event event{};
    event.events = events;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), &event);
}

void IoThread::again(ServerConnection& connection) {
    if (std::exchange(connection.in_again, true)) return;
    again_.push_back(connection.shared_from_this());
}

void IoThread::forget(ServerConnection& connection) {
    deadlines_.leave(connection);
    epoll_event event{};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd(), &event);
    core_.leave_address(connection.address());
    core_.connections.fetch_sub(1);
    open_.fetch_sub(1, std::memory_order_relaxed);
    auto& place = connections_[connection.index];
    closed_.push_back(std::move(place));
    if (&place != &connections_.back()) {
        place = std::move(connections_.back());
        place->index = connection.index;
    }
    connections_.pop_back();
}

void IoThread::release_scratch() {
    if (scratch_.capacity() > scratch_kept_max) std::string{}.swap(scratch_);
}

std::string_view IoThread::date() {
    const Time now{Seconds{std::time(nullptr)}};
    if (now != date_time_) {
        date_time_ = now;
        date_ = http::imf_fixdate(now);
    }
    return date_;
}

/// After a crowd has left, its memory goes back to the system.
void IoThread::trim_memory() {
    if (peak_ < trim_from || connections_.size() > peak_ / 4) return;
    peak_ = connections_.size();
    ::malloc_trim(0);
}

}  // namespace estuary::net
