#include "estuary/est/messages.h"
#include "support.h"

namespace estuary::est {
namespace {

using test::failure;

// SEQUENCE { INTEGER 1, OCTET STRING of 40 octets }: longer than one line of base64 groups.
ByteVec sample() {
    der::Writer writer;
    writer.sequence([&] { writer.integer(1).octet_string(ByteVec(60, 0xA5)); });
    return std::move(writer).take();
}

std::string with(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
    return text;
}

struct BodyCase {
    std::string name, body;
};
class EstBody : public testing::TestWithParam<BodyCase> {};

TEST_P(EstBody, IsDecoded) {
    const auto der = decode_body(GetParam().body, pem_request);
    ASSERT_TRUE(der) << failure(der);
    EXPECT_EQ(*der, sample());
}
INSTANTIATE_TEST_SUITE_P(Rfc8951, EstBody, testing::Values(
    BodyCase{"one_line", to_base64(sample())},
    BodyCase{"lines_lf", to_base64_lines(sample())},
    BodyCase{"lines_crlf", with(to_base64_lines(sample()), "\n", "\r\n")},
    BodyCase{"blanks_and_tabs", " \t" + with(to_base64_lines(sample()), "\n", " \t\n ")},
    BodyCase{"pem", to_pem("CERTIFICATE REQUEST", sample())},
    BodyCase{"pem_crlf", with(to_pem("CERTIFICATE REQUEST", sample()), "\n", "\r\n")},
    BodyCase{"pem_of_old_tools", to_pem("NEW CERTIFICATE REQUEST", sample())},
    BodyCase{"der", std::string{as_text(sample())}}),
    [](const auto& test) { return test.param.name; });

struct BadBodyCase {
    std::string name, body;
};
class EstBadBody : public testing::TestWithParam<BadBodyCase> {};

TEST_P(EstBadBody, IsRefused) {
    const auto der = decode_body(GetParam().body, pem_request);
    ASSERT_FALSE(der);
    EXPECT_EQ(der.error().code, Code::malformed) << failure(der);
    EXPECT_FALSE(der.error().detail.empty());
}
INSTANTIATE_TEST_SUITE_P(Rfc8951, EstBadBody, testing::Values(
    BadBodyCase{"empty", ""}, BadBodyCase{"blank", "\r\n \t"}, BadBodyCase{"not_base64", "certificate, please"},
    BadBodyCase{"unpadded", "MIIBAQ"}, BadBodyCase{"base64url", "MII-_w=="},
    BadBodyCase{"other_pem", to_pem("CERTIFICATE", sample())},
    BadBodyCase{"private_key", to_pem("PRIVATE KEY", sample())},
    BadBodyCase{"two_blocks", to_pem("CERTIFICATE REQUEST", sample()) + to_pem("CERTIFICATE REQUEST", sample())},
    BadBodyCase{"pem_cut_short", to_pem("CERTIFICATE REQUEST", sample()).substr(0, 60)}),
    [](const auto& test) { return test.param.name; });

TEST(EstBodyLimit, LargerThanEightMegabytesIsTooLarge) {
    const auto der = decode_body(std::string((8u << 20) + 1, 'A'), pem_request);
    ASSERT_FALSE(der);
    EXPECT_EQ(der.error().code, Code::too_large);
}

TEST(EstBodyPem, CertificatesComeAsPkcs7OrCms) {
    for (const auto* label : {"PKCS7", "CMS", "PKCS #7 SIGNED DATA"})
        EXPECT_TRUE(decode_body(to_pem(label, sample()), pem_pkcs7)) << label;
    EXPECT_FALSE(decode_body(to_pem("CERTIFICATE REQUEST", sample()), pem_pkcs7));
}

}  // namespace
}  // namespace estuary::est
