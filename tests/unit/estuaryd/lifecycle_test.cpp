#include "apps/estuaryd/lifecycle.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon {
namespace {

TEST(DirectoryLock, second_is_refused_and_told_by_whom) {
    const testing::TemporaryDirectory directory;
    const auto file = directory.path() / ".lock";
    {
        const auto first = DirectoryLock::take(file);
        ASSERT_TRUE(first);
        const auto second = DirectoryLock::take(file);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Code::conflict);
        EXPECT_THAT(second.error().detail, ::testing::HasSubstr("process " + std::to_string(::getpid())));
    }
    EXPECT_TRUE(DirectoryLock::take(file));  // a file that was left behind locks nothing
}

TEST(DirectoryLock, without_a_directory_is_unavailable) {
    const auto lock = DirectoryLock::take("/nonexistent/x/.lock");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Code::unavailable);
}

/// What systemd's side of the socket reads.
class Listener {
public:
    explicit Listener(const std::string& path) : fd_{::socket(AF_UNIX, SOCK_DGRAM, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error{"bind"};
    }
    ~Listener() { ::close(fd_); }
    std::string read() const {
        char buffer[256];
        const auto count = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
        return {buffer, count > 0 ? static_cast<std::size_t>(count) : 0};
    }

private:
    int fd_;
};

TEST(ServiceManager, is_told_in_its_own_words) {
    const testing::TemporaryDirectory directory;
    const auto path = (directory.path() / "notify").string();
    const Listener listener{path};
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const ServiceManager manager;
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    manager.ready();
    EXPECT_EQ(listener.read(), "READY=1");
    manager.reloading();
    EXPECT_THAT(listener.read(), ::testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
    manager.alive();
    EXPECT_EQ(listener.read(), "WATCHDOG=1");
    manager.stopping();
    EXPECT_EQ(listener.read(), "STOPPING=1");
    EXPECT_EQ(manager.watchdog_interval(), std::chrono::microseconds{1'500'000});
}

TEST(ServiceManager, without_one_says_nothing) {
    ::unsetenv("NOTIFY_SOCKET");
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);  // somebody else's
    const ServiceManager manager;
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    manager.ready();
    EXPECT_FALSE(manager.watchdog_interval());
}

TEST(Signals, come_as_events) {
    Signals signals;
    const auto soon = [] { return std::chrono::steady_clock::now() + std::chrono::seconds{60}; };
    ::kill(::getpid(), SIGHUP);
    EXPECT_EQ(signals.wait_until(soon()), Signals::Event::reload);
    ::kill(::getpid(), SIGTERM);
    EXPECT_EQ(signals.wait_until(soon()), Signals::Event::stop);
    EXPECT_FALSE(signals.wait_until(std::chrono::steady_clock::now()));
}

}  // namespace
}  // namespace estuary::daemon
