#pragma once
// A process's life: one server a directory, signals, and what systemd wants to know.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "estuary/base/result.h"

namespace estuary::daemon {

/// Held as long as this lives, and given up by the system however the process ends.
class DirectoryLock {
public:
    /// conflict naming the process that holds it; unavailable if the file cannot be made.
    static Result<DirectoryLock> take(const std::filesystem::path& file);
    DirectoryLock(DirectoryLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    ~DirectoryLock();

private:
    explicit DirectoryLock(int fd) : fd_{fd} {}
    int fd_;
};

/// SIGTERM, SIGINT and SIGHUP as events. They are blocked in the thread that makes this and in all threads that it makes
/// later: make it before any other thread.
class Signals {
public:
    enum class Event { stop, reload };

    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// The next event, or nothing at the deadline. A second stop ends the process at once, with status 128 + signal.
    std::optional<Event> wait_until(std::chrono::steady_clock::time_point deadline);

private:
    void listen();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Event> events_;
    bool ending_ = false;
    std::thread thread_;
};

/// sd_notify(3): a datagram to $NOTIFY_SOCKET, nothing where there is none.
class ServiceManager {
public:
    ServiceManager();
    void ready() const { notify("READY=1"); }
    void reloading() const;
    void stopping() const { notify("STOPPING=1"); }
    void alive() const { notify("WATCHDOG=1"); }
    void status(const std::string& text) const { notify("STATUS=" + text); }
    /// How often alive() must be called; nothing: no watchdog.
    std::optional<std::chrono::microseconds> watchdog_interval() const noexcept { return watchdog_; }

private:
    void notify(const std::string& message) const;
    std::string socket_;
    std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace estuary::daemon
