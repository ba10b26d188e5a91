#include "apps/estuaryd/lifecycle.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/estuaryd/file_system.h"
#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
    return set;
}

std::string pid_in(int fd) {
    char buffer[32];
    const auto count = ::pread(fd, buffer, sizeof buffer, 0);
    const auto text = text::trim({buffer, count > 0 ? static_cast<std::size_t>(count) : 0});
    return text.empty() ? "unknown" : text::printable(text);
}

}  // namespace

// -- DirectoryLock ---------------------------------------------------------------------------------------------------

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return system_error("open", file);
    DirectoryLock lock{fd};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail(Code::conflict, fmt::format("{} is served already, by process {}; stop that first",
                                                    file.parent_path().string(), pid_in(fd)));
        return system_error("lock", file);
    }
    const auto pid = fmt::format("{}\n", ::getpid());
    // The number is for people; the lock alone decides. A full disk must not keep the server from starting.
    if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
        const auto ignored = ::pwrite(fd, pid.data(), pid.size(), 0);
    return lock;
}

DirectoryLock::~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
}

// -- Signals ---------------------------------------------------------------------------------------------------------

Signals::Signals() {
    std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit is an error of write, as a full disk is
    std::signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of write, not of ours
    const auto set = watched_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread{[this] { listen(); }};
}

Signals::~Signals() {
    {
        const std::lock_guard guard{mutex_};
        ending_ = true;
    }
    ::pthread_kill(thread_.native_handle(), SIGUSR1);  // wakes sigwait
    thread_.join();
}

void Signals::listen() {
    const auto set = watched_signals();
    bool stopping = false;
    for (;;) {
        int number = 0;
        if (::sigwait(&set, &number) != 0) continue;
        const std::lock_guard guard{mutex_};
        if (ending_) return;
        if (number == SIGUSR1) continue;
        if (number == SIGHUP) {
            events_.push_back(Event::reload);
        } else {
            if (stopping) std::_Exit(128 + number);
            stopping = true;
            events_.push_front(Event::stop);
        }
        changed_.notify_all();
    }
}

std::optional<Signals::Event> Signals::wait_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, deadline, [this] { return !events_.empty(); });
    if (events_.empty()) return {};
    const auto event = events_.front();
    events_.pop_front();
    return event;
}

// -- ServiceManager --------------------------------------------------------------------------------------------------

ServiceManager::ServiceManager() {
    if (const char* socket = std::getenv("NOTIFY_SOCKET")) socket_ = socket;
    const char* const interval = std::getenv("WATCHDOG_USEC");
    const char* const pid = std::getenv("WATCHDOG_PID");
    if (interval == nullptr || (pid != nullptr && pid != std::to_string(::getpid()))) return;
    std::int64_t microseconds = 0;
    const auto [end, error] = std::from_chars(interval, interval + std::strlen(interval), microseconds);
    if (error == std::errc{} && *end == '\0' && microseconds > 0) watchdog_ = std::chrono::microseconds{microseconds / 2};
}

void ServiceManager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

void ServiceManager::notify(const std::string& message) const {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path || (socket_[0] != '/' && socket_[0] != '@')) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    // Whether anybody listens is not our affair.
    [[maybe_unused]] const auto sent =
        ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
    ::close(fd);
}

}  // namespace estuary::daemon
