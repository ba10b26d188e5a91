#include "estuary/net/listener.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

namespace estuary::net {
namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

template <class T>
T& as(sockaddr_storage& storage) {
    return reinterpret_cast<T&>(storage);
}

Address ipv6_address(const in6_addr& address, std::uint16_t port) {
    Address out;
    auto& in = as<sockaddr_in6>(out.storage);
    in.sin6_family = AF_INET6;
    in.sin6_addr = address;
    in.sin6_port = htons(port);
    out.size = sizeof in;
    return out;
}

Address ipv4_address(in_addr address, std::uint16_t port) {
    Address out;
    auto& in = as<sockaddr_in>(out.storage);
    in.sin_family = AF_INET;
    in.sin_addr = address;
    in.sin_port = htons(port);
    out.size = sizeof in;
    return out;
}

Result<Address> parse_address(const Listen& where) {
    in6_addr v6{};
    in_addr v4{};
    if (where.address == "*") return ipv6_address(in6addr_any, where.port);
    if (inet_pton(AF_INET, where.address.c_str(), &v4) == 1) return ipv4_address(v4, where.port);
    if (inet_pton(AF_INET6, where.address.c_str(), &v6) == 1) return ipv6_address(v6, where.port);
    return fail(Code::malformed, fmt::format("listen address '{}' is neither an IP address nor *", where.address));
}

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

Result<Fd> bind_and_listen(const Address& address, bool both_families) {
    const auto failed = [](std::string_view what) {
        return fail(Code::unavailable, std::string{what}, std::generic_category().message(errno));
    };
    Fd fd{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return failed("socket");
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // a restart need not wait for old connections
    if (address.storage.ss_family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) return failed("bind");
    if (::listen(fd.get(), backlog) != 0) return failed("listen");
    return fd;
}

std::uint16_t bound_port(int fd) {
    Address address;
    address.size = sizeof address.storage;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
    return ntohs(address.storage.ss_family == AF_INET6 ? as<sockaddr_in6>(address.storage).sin6_port
                                                       : as<sockaddr_in>(address.storage).sin_port);
}

/// IPv4 in an IPv6 socket ("::ffff:192.0.2.1") is written as IPv4, so that one client has one name.
std::string to_text(Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.storage.ss_family == AF_INET6) {
        const auto& v6 = as<sockaddr_in6>(address.storage).sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
        } else {
            inet_ntop(AF_INET6, &v6, text.data(), text.size());
        }
    } else {
        inet_ntop(AF_INET, &as<sockaddr_in>(address.storage).sin_addr, text.data(), text.size());
    }
    return text.data();
}

}  // namespace

Result<Listener> open_listener(const Listen& where) {
    ESTUARY_TRY(const auto address, parse_address(where));
    auto fd = bind_and_listen(address, where.address == "*");
    if (!fd && where.address == "*") fd = bind_and_listen(ipv4_address({INADDR_ANY}, where.port), false);  // no IPv6 here
    if (!fd)
        return fail(Code::unavailable,
                    fmt::format("cannot listen on {} port {}: {}", where.address, where.port, fd.error().cause),
                    fd.error().detail);
    const auto port = bound_port(fd->get());
    return Listener{std::move(*fd), port};
}

Accepted accept_connection(int listener, Fd& fd, std::string& address) {
    Address from;
    from.size = sizeof from.storage;
    for (;;) {
        fd = Fd{::accept4(listener, reinterpret_cast<sockaddr*>(&from.storage), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (fd) break;
        switch (errno) {
            case EINTR:
            case ECONNABORTED: continue;
            case EMFILE:
            case ENFILE:
            case ENOBUFS:
            case ENOMEM: return Accepted::out_of_descriptors;
            default: return Accepted::none;  // EAGAIN, or a network error of that one connection (accept(2))
        }
    }
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    address = to_text(from);
    return Accepted::yes;
}

}  // namespace estuary::net
