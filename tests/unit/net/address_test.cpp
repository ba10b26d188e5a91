// Which addresses the Internet routes to.
#include "estuary/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "support.h"

namespace estuary::net::test {
namespace {

bool is_public(const std::string& text) {
    sockaddr_storage storage{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
        std::memcpy(&storage, &v4, sizeof v4);
    else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1)
        std::memcpy(&storage, &v6, sizeof v6);
    else
        ADD_FAILURE() << text;
    return is_public_address(reinterpret_cast<const sockaddr&>(storage));
}

TEST(Address, OfTheInternet) {
    for (const auto* text : {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
                             "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
                             "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:4860:4860::8888", "2400::1", "2a00:1450::1",
                             "::ffff:8.8.8.8", "64:ff9b::808:808"})
        EXPECT_TRUE(is_public(text)) << text;
}

TEST(Address, OfNobodyElsesBusiness) {  // bug class 29
    for (const auto* text : {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
                             "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1",
                             "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
                             "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
                             "::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::808:808", "100::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1",
                             "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "4000::1"})
        EXPECT_FALSE(is_public(text)) << text;
    const sockaddr other{};
    EXPECT_FALSE(is_public_address(other)) << "neither IPv4 nor IPv6";
}

}  // namespace
}  // namespace estuary::net::test
