#include "estuary/net/server_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include <openssl/sslerr.h>

#include "estuary/base/log.h"
#include "estuary/net/io_thread.h"

namespace estuary::net {
namespace {

constexpr unsigned steps_max = 64;             // of one connection before the others get their turn
constexpr std::size_t write_burst = 1u << 20;  // octets written before the others get their turn
constexpr unsigned linger_reads_max = 16;
constexpr std::string_view busy_retry_after_s = "2";

/// The connection whose handler runs on this thread now: its answer needs no detour over the inbox.
thread_local const ServerConnection* serving_now = nullptr;

http::Response fault() { return http::text_response(500, "The server has a fault; its log says more."); }

}  // namespace

/// Carries one answer back to the connection's I/O thread.
class ConnectionResponder final : public Responder {
public:
    ConnectionResponder(std::shared_ptr<ServerConnection> connection, std::shared_ptr<Inbox> inbox) noexcept
        : connection_{std::move(connection)}, inbox_{std::move(inbox)} {}
    ConnectionResponder(const ConnectionResponder&) = delete;
    ConnectionResponder& operator=(const ConnectionResponder&) = delete;

    ~ConnectionResponder() override {
        if (answered_ || abandoned()) return;
        log::error("a request was dropped without an answer", {{"peer", connection_->address()}});
        route(fault());
    }

    void respond(http::Response response) override {
        if (answered_.exchange(true)) {
            log::error("a request was answered twice", {{"peer", connection_->address()}});
            return;
        }
        route(std::move(response));
    }

    /// Answers 500 unless there is an answer already: the handler threw.
    void respond_fault(std::string_view what) {
        log::error("the handler threw", {{"peer", connection_->address()}, {"what", what}});
        if (!answered_.exchange(true)) route(fault());
    }

    /// Nobody waits for the answer any more.
    bool abandoned() const noexcept { return connection_->closed(); }

private:
    void route(http::Response response) {
        if (serving_now == connection_.get()) {
            connection_->inline_answer_ = std::move(response);
        } else {
            inbox_->post(Inbox::Answer{connection_, std::move(response)});
        }
    }

    std::shared_ptr<ServerConnection> connection_;
    std::shared_ptr<Inbox> inbox_;
    std::atomic<bool> answered_{false};
};

namespace {

void run_handler(Handler& handler, http::Request request, std::shared_ptr<const http::Peer> peer,
                 const std::shared_ptr<ConnectionResponder>& responder) noexcept {
    try {
        handler.serve(std::move(request), std::move(peer), responder);
    } catch (const std::exception& error) {
        responder->respond_fault(error.what());
    } catch (...) {
        responder->respond_fault("not a std::exception");
    }
}

/// A request on its way to a worker.
struct ServeJob final : Job {
    Handler* handler = nullptr;
    http::Request request;
    std::shared_ptr<const http::Peer> peer;
    std::shared_ptr<ConnectionResponder> responder;

    void run() override {
        // Not begun, and nobody to tell: the work would only delay others.
        if (!responder->abandoned()) run_handler(*handler, std::move(request), std::move(peer), responder);
    }
};

}  // namespace

ServerConnection::ServerConnection(IoThread& io, Fd fd, std::string address, std::shared_ptr<const ServerTls> tls,
                                   std::unique_ptr<Framing> framing)
    : io_{&io}, stream_{std::move(fd)}, address_{std::move(address)}, tls_{std::move(tls)}, framing_{std::move(framing)} {}

void ServerConnection::begin() {
    if (tls_) {
        io_->wait(*this, Wait::handshake);
    } else {
        phase_ = Phase::reading;
        io_->wait(*this, Wait::idle);
    }
}

void ServerConnection::on_event(std::uint32_t events) {
    const bool gone = (events & (EPOLLERR | EPOLLHUP)) != 0;
    if (gone && phase_ == Phase::serving) return close();
    if (gone || (events & EPOLLIN) != 0) drained_ = false;
    // A next request that comes early has to wait. Few do, so watching stops only then, not while each is served.
    if (phase_ == Phase::serving) return io_->watch(*this, 0);
    advance();
}

void ServerConnection::on_deadline() {
    const auto passed = wait;
    if (passed == Wait::handshake || passed == Wait::request || passed == Wait::write) IoThread::count(io_->counters().timeouts);
    if (passed == Wait::request && phase_ == Phase::reading) {
        refuse(408, "The request took too long to arrive.");
        return advance();
    }
    if (passed == Wait::idle) stream_.finish_writing(false);
    close();
}

void ServerConnection::deliver(http::Response response) {
    if (closed() || phase_ != Phase::serving) return;
    if (answer(response) == Step::on) advance();
}

void ServerConnection::advance() {
    for (unsigned steps = 0; !closed(); ++steps) {
        if (flush() == Step::stop) return;
        if (steps == steps_max) return io_->again(*this);
        Step step = Step::stop;
        switch (phase_) {
            case Phase::handshake: step = handshake(); break;
            case Phase::reading: step = read(); break;
            case Phase::serving: return;
            case Phase::closing: step = finish(); break;
            case Phase::lingering: return linger();
        }
        if (step == Step::stop) return;
    }
}

ServerConnection::Step ServerConnection::stop(std::uint32_t events) {
    io_->watch(*this, events);
    return Step::stop;
}

ServerConnection::Step ServerConnection::handshake() {
    if (stream_.ssl() == nullptr) {  // made when the first octet comes: who connects and is silent costs 2 kB, not 40
        auto session = tls_->new_session();
        if (session) SSL_set_accept_state(session.get());
        if (!stream_.start_tls(std::move(session))) {
            close();
            return Step::stop;
        }
    }
    switch (stream_.handshake()) {
        case Io::done:
            phase_ = Phase::reading;
            drained_ = !stream_.has_buffered();
            io_->wait(*this, Wait::idle);
            return Step::on;
        case Io::want_read: return stop(EPOLLIN);
        case Io::want_write: return stop(EPOLLOUT);
        case Io::end:
        case Io::cut: IoThread::count(io_->counters().handshakes_failed); break;
        case Io::failed:
            IoThread::count(io_->counters().handshakes_failed);
            log::debug("handshake failed", {{"peer", address_}, {"error", stream_.error()}});
            if (stream_.error_reason() == SSL_R_HTTP_REQUEST) tell_plain_http();
            unread_input_ = true;  // let the alert arrive before the connection is reset
            phase_ = Phase::closing;
            return Step::on;
    }
    close();
    return Step::stop;
}

/// Somebody speaks HTTP without TLS to a TLS port: say so in their language.
void ServerConnection::tell_plain_http() {
    std::string text;
    http::write_response(text, http::text_response(400, "This port speaks TLS: use https."), {io_->date(), true, false});
    [[maybe_unused]] const auto sent = ::send(stream_.fd(), text.data(), text.size(), MSG_NOSIGNAL);
}

ServerConnection::Step ServerConnection::read() {
    if (!input_.empty()) {
        const auto pending = std::exchange(input_, {});
        return consume(pending);
    }
    if (drained_) return stop(EPOLLIN);
    std::size_t count = 0;
    const auto buffer = io_->read_buffer();
    switch (stream_.read(buffer, count)) {
        case Io::done: drained_ = !stream_.has_buffered(); return consume({buffer.data(), count});
        case Io::want_read: return stop(EPOLLIN);
        case Io::want_write: return stop(EPOLLOUT);
        case Io::end:
            if (framing_->cut()) {
                refuse(framing_->refusal().status, framing_->refusal().sentence);
                return Step::on;
            }
            stream_.finish_writing(false);
            break;
        case Io::cut:
        case Io::failed: break;
    }
    close();
    return Step::stop;
}

ServerConnection::Step ServerConnection::consume(std::string_view octets) {
    const bool started = framing_->started();
    const auto consumed = framing_->feed(octets);
    if (!started && framing_->started()) io_->wait(*this, Wait::request);
    switch (framing_->state()) {
        case Framing::State::complete: input_ = octets.substr(consumed); return dispatch();
        case Framing::State::refused: refuse(framing_->refusal().status, framing_->refusal().sentence); return Step::on;
        case Framing::State::reading: break;
    }
    if (const auto interim = framing_->interim(); !interim.empty()) send(interim);
    return Step::on;
}

ServerConnection::Step ServerConnection::dispatch() {
    const auto& limits = io_->core().options.limits;
    auto request = framing_->take();
    IoThread::count(io_->counters().requests);
    close_after_ = framing_->closes() || ++requests_ >= limits.requests_per_connection_max;
    phase_ = Phase::serving;
    io_->wait(*this, Wait::nothing);
    auto responder = std::make_shared<ConnectionResponder>(shared_from_this(), io_->inbox());
    try {
        if (io_->core().handler->is_quick(request)) return serve_here(std::move(request), std::move(responder));
    } catch (const std::exception& error) {
        responder->respond_fault(error.what());
        return Step::on;
    }
    return serve_later(std::move(request), responder);
}

ServerConnection::Step ServerConnection::serve_here(http::Request request, std::shared_ptr<ConnectionResponder> responder) {
    auto who = peer(request.method == "POST");
    serving_now = this;
    run_handler(*io_->core().handler, std::move(request), std::move(who), responder);
    responder.reset();  // if nobody else holds it, the answer must be here now
    serving_now = nullptr;
    if (!inline_answer_) return Step::on;
    const auto response = *std::exchange(inline_answer_, std::nullopt);
    return answer(response);
}

ServerConnection::Step ServerConnection::serve_later(http::Request request,
                                                     const std::shared_ptr<ConnectionResponder>& responder) {
    auto job = std::make_unique<ServeJob>();
    job->handler = io_->core().handler;
    job->peer = peer(request.method == "POST");
    job->request = std::move(request);
    job->responder = responder;
    std::unique_ptr<Job> work = std::move(job);
    if (io_->core().pool.try_push(work)) return Step::on;
    IoThread::count(io_->counters().refused_busy);
    auto busy = http::text_response(503, "The server is busy; try again soon.");
    busy.headers.add("Retry-After", std::string{busy_retry_after_s});
    responder->respond(std::move(busy));
    return Step::on;
}

ServerConnection::Step ServerConnection::answer(const http::Response& response) {
    const bool close_now = close_after_ || response.close || io_->draining();
    auto& text = io_->scratch();
    text.clear();
    const bool has_shared = framing_->write(text, response, {close_now, io_->date()});
    phase_ = close_now ? Phase::closing : Phase::reading;
    if (close_now && !input_.empty()) unread_input_ = true;
    io_->wait(*this, Wait::idle);
    send(text);
    if (has_shared) shared_ = response.shared;
    io_->release_scratch();
    return Step::on;
}

void ServerConnection::refuse(unsigned status, std::string_view sentence) {
    // Browsers and scanners are many. Who speaks another framing is some device that tells nobody: the log has to.
    const auto level = io_->core().options.framing ? log::Level::info : log::Level::debug;
    if (log::enabled(level))
        log::write(level, "request refused", {{"server", io_->core().options.server_name}, {"peer", address_}, {"status", status}, {"why", sentence}});
    unread_input_ = close_after_ = true;
    answer(http::text_response(status, sentence));
}

/// Writes at once what the socket takes; flush() sees to the rest, and to errors.
void ServerConnection::send(std::string_view octets) {
    if (out_.empty()) {
        std::size_t sent = 0, count = 0;
        while (sent < octets.size() && sent < write_burst && stream_.write(octets.substr(sent), count) == Io::done) sent += count;
        octets.remove_prefix(sent);
    }
    out_ += octets;
}

ServerConnection::Step ServerConnection::flush() {
    if (!has_unsent()) return Step::on;
    std::size_t burst = 0;
    auto io = Io::done;
    while (burst < write_burst) {
        const bool own = out_sent_ < out_.size();
        const auto rest = own ? std::string_view{out_}.substr(out_sent_) : shared_.octets;
        if (rest.empty()) break;
        std::size_t count = 0;
        io = stream_.write(rest, count);
        if (io != Io::done) break;
        burst += count;
        if (own) {
            out_sent_ += count;
        } else {
            shared_.octets.remove_prefix(count);
        }
    }
    if (out_sent_ == out_.size() && shared_.octets.empty()) {
        std::string{}.swap(out_);
        out_sent_ = 0;
        shared_ = {};
        io_->wait(*this, framing_->started() ? Wait::request : Wait::idle);
        return Step::on;
    }
    if (burst > 0 || wait != Wait::write) io_->wait(*this, Wait::write);
    if (io == Io::want_write) return stop(EPOLLOUT);
    if (io == Io::want_read) return stop(EPOLLIN);
    if (io == Io::done) {
        io_->again(*this);
        return Step::stop;
    }
    close();
    return Step::stop;
}

/// The last answer is out.
ServerConnection::Step ServerConnection::finish() {
    stream_.finish_writing(unread_input_);
    if (!unread_input_) {
        close();
        return Step::stop;
    }
    // Closing a socket with unread octets resets the connection, and the answer may be lost with it: read on for a while.
    phase_ = Phase::lingering;
    io_->wait(*this, Wait::linger);
    return Step::on;
}

void ServerConnection::linger() {
    const auto buffer = io_->read_buffer();
    for (unsigned reads = 0; reads < linger_reads_max; ++reads) {
        const auto got = ::recv(stream_.fd(), buffer.data(), buffer.size(), 0);
        if (got > 0) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) break;
        return close();
    }
    io_->watch(*this, EPOLLIN);
}

/// Who the peer is: made at the first request, shared by all that follow; channel bindings cost time and come with the
/// first POST.
std::shared_ptr<const http::Peer> ServerConnection::peer(bool with_bindings) {
    const bool bind = with_bindings && stream_.ssl() != nullptr && !has_bindings_;
    if (peer_ && !bind) return peer_;
    auto made = peer_ ? std::make_shared<http::Peer>(*peer_) : std::make_shared<http::Peer>();
    if (!peer_) {
        made->address = address_;
        if (stream_.ssl() != nullptr) describe_peer(*stream_.ssl(), *made);
    }
    if (bind) {
        made->bindings = channel_bindings(*stream_.ssl());
        has_bindings_ = true;
    }
    peer_ = std::move(made);
    return peer_;
}

bool ServerConnection::close_if_quiet() {
    const bool quiet =
        phase_ == Phase::handshake || (phase_ == Phase::reading && !framing_->started() && input_.empty() && !has_unsent());
    if (!quiet) return false;
    stream_.finish_writing(false);
    close();
    return true;
}

void ServerConnection::close() {
    if (closed_.exchange(true)) return;
    io_->forget(*this);
    stream_.close();
}

}  // namespace estuary::net
