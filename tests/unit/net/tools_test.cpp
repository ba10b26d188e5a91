// The server as curl and openssl see it.
#include <gmock/gmock.h>

#include "estuary/base/text.h"
#include "support.h"

namespace estuary::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What follows `label` in `text`, up to the end of the line.
std::string after(const std::string& text, const std::string& label) {
    const auto at = text.find(label);
    return at == std::string::npos ? "" : text.substr(at + label.size(), text.find_first_of("\r\n", at) - at - label.size());
}

struct ToolsTest : testing::Test {
    ToolsTest() : server{tls_options()} {
        root = directory.write("root.pem", pem(pki().root.der));
        const auto device = issue(pki().issuing, {.name = "device", .san = {}, .usage = "clientAuth"});
        certificate = directory.write("device.pem", pem(device.der) + pem(pki().issuing.der));
        key = directory.write("device.key", key_pem(device.key));
    }
    std::string curl(const std::string& arguments, const std::string& path) {
        return output_of("curl -sS --max-time 20 --cacert " + root + " " + arguments +
                         " https://localhost:" + std::to_string(server.port()) + path);
    }
    std::string s_client(const std::string& arguments, const std::string& input = "") {
        return output_of("printf '" + input + "' | timeout 20 openssl s_client -connect 127.0.0.1:" +
                         std::to_string(server.port()) + " -CAfile " + root + " " + arguments);
    }

    TempDir directory;
    TestServer server;
    std::string root, certificate, key;
};

TEST_F(ToolsTest, CurlGetsAndPosts) {
    if (!installed("curl")) GTEST_SKIP() << "curl is not installed";
    EXPECT_EQ(curl("", "/quick"), "quick\n");
    EXPECT_EQ(curl("--tls-max 1.2 -d hello", "/echo"), "hello\n");
    EXPECT_EQ(curl("-H 'Transfer-Encoding: chunked' -d hello", "/echo"), "hello\n");
    EXPECT_EQ(curl("-0", "/slow"), "slow\n");
    EXPECT_THAT(curl("-I", "/quick"), HasSubstr("Content-Length: 6"));
    const auto body = directory.write("body", std::string(100'000, 'b'));
    EXPECT_EQ(curl("-H 'Expect: 100-continue' --data-binary @" + body, "/echo").size(), 100'001u);
}

TEST_F(ToolsTest, CurlShowsItsCertificate) {
    if (!installed("curl")) GTEST_SKIP() << "curl is not installed";
    for (const std::string version : {"--tlsv1.3", "--tls-max 1.2"})
        EXPECT_THAT(curl(version + " --cert " + certificate + " --key " + key + " -d x", "/peer"),
                    HasSubstr("verified=true\nerror=\nchain=3\n"));
}

TEST_F(ToolsTest, CurlKeepsTheConnection) {
    if (!installed("curl")) GTEST_SKIP() << "curl is not installed";
    const auto url = " https://localhost:" + std::to_string(server.port()) + "/slow";
    EXPECT_EQ(curl("", "/quick" + url + url), "quick\nslow\nslow\n");
    EXPECT_EQ(server->counters().connections_accepted, 1u);
}

TEST_F(ToolsTest, NoResumption) {
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    const auto reconnected = s_client("-tls1_2 -reconnect");
    EXPECT_THAT(reconnected, HasSubstr("New, TLSv1.2"));
    EXPECT_THAT(reconnected, Not(HasSubstr("Reused")));
    EXPECT_THAT(reconnected, Not(HasSubstr("session ticket")));
    EXPECT_THAT(s_client("-tls1_3", "GET /quick HTTP/1.0\\r\\n\\r\\n"), Not(HasSubstr("Post-Handshake New Session Ticket")));
}

TEST_F(ToolsTest, NoRenegotiation) {
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    EXPECT_THAT(s_client("-tls1_2", "R\\n"), testing::AnyOf(HasSubstr("no renegotiation"), HasSubstr("handshake failure")));
}

TEST_F(ToolsTest, OnlyStrongProtocols) {
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    EXPECT_THAT(s_client("-tls1_1 -cipher ALL:@SECLEVEL=0"), HasSubstr("alert"));
    EXPECT_THAT(s_client("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256"), HasSubstr("handshake failure"));
    for (const std::string cipher : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"})
        EXPECT_THAT(s_client("-tls1_2 -cipher " + cipher), HasSubstr("Cipher is " + cipher));
}

TEST_F(ToolsTest, Alpn) {
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    EXPECT_THAT(s_client("-alpn h2,http/1.1"), HasSubstr("ALPN protocol: http/1.1"));
    const auto other = s_client("-alpn h2");
    EXPECT_THAT(other, HasSubstr("No ALPN negotiated"));
    EXPECT_THAT(other, HasSubstr("Verify return code: 0 (ok)"));
}

TEST_F(ToolsTest, NamesTheAnchorsWhenItAsksForACertificate) {
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    EXPECT_THAT(s_client(""), testing::AnyOf(HasSubstr("Acceptable client certificate CA names\nCN = Test Root\n"),
                                             HasSubstr("Acceptable client certificate CA names\nCN=Test Root\n")));
}

TEST_F(ToolsTest, ExporterIsThatOfOpenssl) {  // RFC 9266, computed by somebody else
    if (!installed("openssl")) GTEST_SKIP() << "openssl is not installed";
    const auto text = s_client("-tls1_3 -ign_eof -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32",
                               "POST /peer HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n");
    const auto theirs = after(text, "Keying material: "), ours = after(text, "exporter=");
    ASSERT_EQ(theirs.size(), 64u) << text;
    EXPECT_EQ(ours, text::lower(theirs));
}

}  // namespace
}  // namespace estuary::net::test
