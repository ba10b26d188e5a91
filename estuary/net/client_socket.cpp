#include "estuary/net/client_socket.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "estuary/base/handle.h"
#include "estuary/net/address.h"

namespace estuary::net {
namespace {

using AddressesPtr = Handle<addrinfo, freeaddrinfo>;

Result<AddressesPtr> resolve(const http::Url& url) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    // AI_ADDRCONFIG would refuse ::1 and 127.0.0.1 on a machine that has only the loopback.
    if (url.host.find(':') != std::string::npos || url.host == "localhost" || url.host.starts_with("127."))
        hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
    if (error != 0)
        return fail(Code::unavailable, fmt::format("cannot resolve the name '{}': {}; check the name and the DNS settings",
                                                   url.host, ::gai_strerror(error)));
    return AddressesPtr{found};
}

tl::unexpected<Error> not_connected(const http::Url& url, int error) {
    const auto where = url.authority();
    if (error == ECONNREFUSED)
        return fail(Code::unavailable,
                    fmt::format("{} refused the connection; is the server running on port {}?", where, url.port));
    if (error == ETIMEDOUT)
        return fail(Code::unavailable, fmt::format("{} did not answer in time; check the address and firewalls", where));
    return fail(Code::unavailable, fmt::format("cannot connect to {}: {}", where, std::generic_category().message(error)));
}

/// 0, or the errno that says why not.
int connect_one(const addrinfo& address, Deadline deadline, Fd& out) {
    Fd fd{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return errno;
    int error = ::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EINTR) {
        if (!wait_for(fd.get(), Io::want_write, deadline)) return ETIMEDOUT;
        socklen_t size = sizeof error;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) return error;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    out = std::move(fd);
    return 0;
}

}  // namespace

bool wait_for(int fd, Io io, Deadline deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        pollfd entry{fd, static_cast<short>(io == Io::want_write ? POLLOUT : POLLIN), 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // the operation itself will tell what is wrong
    }
}

Io write_all(Stream& stream, std::string_view octets, Deadline deadline) {
    while (!octets.empty()) {
        std::size_t count = 0;
        const auto io = stream.write(octets, count);
        octets.remove_prefix(count);
        const bool waits = io == Io::want_read || io == Io::want_write;
        if (io != Io::done && !(waits && wait_for(stream.fd(), io, deadline))) return io;
    }
    return Io::done;
}

Result<Fd> connect_to(const http::Url& url, Deadline deadline, bool public_only) {
    ESTUARY_TRY(const auto addresses, resolve(url));
    // Looked at where they are connected to: a name that gives another address the next time gains nothing.
    std::vector<const addrinfo*> allowed;
    for (const auto* each = addresses.get(); each != nullptr; each = each->ai_next)
        if (!public_only || is_public_address(*each->ai_addr)) allowed.push_back(each);
    if (allowed.empty())
        return fail(Code::policy, fmt::format("{} has no public address, and no other is asked here", url.authority()));
    int error = 0;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        // A dead address must not eat the time of those after it.
        const auto now = std::chrono::steady_clock::now();
        Fd fd;
        error = connect_one(*allowed[i], now + (deadline - now) / static_cast<std::int64_t>(allowed.size() - i), fd);
        if (error == 0) return fd;
    }
    return not_connected(url, error);
}

}  // namespace estuary::net
