#include "estuary/net/inbox.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "estuary/net/server_connection.h"

namespace estuary::net {

Inbox::Inbox() : event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Inbox::signal(std::unique_lock<std::mutex> lock) {
    const bool first = !signalled_;
    signalled_ = true;
    lock.unlock();
    if (!first) return;
    const std::uint64_t one = 1;
    // Can only fail when the counter is full, and then the reader is awake.
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void Inbox::post(Answer answer) {
    std::unique_lock lock{mutex_};
    if (closed_) return;
    mail_.answers.push_back(std::move(answer));
    signal(std::move(lock));
}

void Inbox::post(Socket socket) {
    std::unique_lock lock{mutex_};
    if (closed_) return;
    mail_.sockets.push_back(std::move(socket));
    signal(std::move(lock));
}

void Inbox::wake() { signal(std::unique_lock{mutex_}); }

void Inbox::take(Mail& into) {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got = ::read(event_.get(), &ignored, sizeof ignored);
    const std::lock_guard lock{mutex_};
    std::swap(mail_.answers, into.answers);
    std::swap(mail_.sockets, into.sockets);
    signalled_ = false;
}

void Inbox::close() {
    Mail left;
    const std::lock_guard lock{mutex_};
    closed_ = true;
    std::swap(mail_, left);
}

bool Inbox::closed() const {
    const std::lock_guard lock{mutex_};
    return closed_;
}

}  // namespace estuary::net
