// What requests say of the delivery of a private key, and the two parts of the answer.
#include "estuary/est/keygen.h"

#include <fmt/format.h>

#include "estuary/cms/key_package.h"
#include "estuary/http/multipart.h"
#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

x509::Attribute attribute(const der::Oid& type, std::vector<std::string> values) {
    x509::Attribute out{type, {}};
    for (const auto& value : values) out.values.push_back(hex(value));
    return out;
}
const std::string capabilities = "300D300B060960864801650304012D";  // AES-256 key wrap

TEST(KeyDelivery, IsPlainWithoutAWord) {
    EXPECT_FALSE(key_delivery_of({})->encrypted());
    EXPECT_FALSE(key_delivery_of({attribute(oid::smime_capabilities, {capabilities})})->encrypted());  // it names no key
}

TEST(KeyDelivery, NamesOneKey) {
    const auto shared = key_delivery_of({attribute(oid::decrypt_key_identifier, {"04020102"}), attribute(oid::smime_capabilities, {capabilities})});
    ASSERT_TRUE(shared) << failure(shared);
    EXPECT_EQ(shared->shared_key, hex("0102"));
    EXPECT_FALSE(shared->certified_key);
    ASSERT_EQ(shared->capabilities.size(), 1u);
    const auto certified =
        key_delivery_of({attribute(oid::smime_capabilities, {capabilities}), attribute(oid::asymmetric_decrypt_key_identifier, {"0401FF"})});
    ASSERT_TRUE(certified) << failure(certified);
    EXPECT_EQ(certified->certified_key, hex("FF"));
}

TEST(KeyDelivery, WrittenOnesAreReadBack) {
    for (const bool is_shared : {true, false}) {
        KeyDelivery delivery;
        (is_shared ? delivery.shared_key : delivery.certified_key) = hex("0102030405");
        delivery.capabilities = cms::capabilities_of_shared_key(32);
        const auto read = key_delivery_of(key_delivery_attributes(delivery));
        ASSERT_TRUE(read) << failure(read);
        EXPECT_EQ(read->shared_key, delivery.shared_key);
        EXPECT_EQ(read->certified_key, delivery.certified_key);
        EXPECT_EQ(read->capabilities, delivery.capabilities);
    }
    EXPECT_TRUE(key_delivery_attributes({}).empty());
}

struct BadDelivery {
    std::string name;
    std::vector<x509::Attribute> attributes;
    std::string detail;
};
void PrintTo(const BadDelivery& bad, std::ostream* out) { *out << bad.name; }
class KeyDeliveryBad : public testing::TestWithParam<BadDelivery> {};
TEST_P(KeyDeliveryBad, IsRefused) {
    const auto read = key_delivery_of(GetParam().attributes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::malformed);
    EXPECT_THAT(read.error().detail, HasSubstr(GetParam().detail));
}
const auto listed_capabilities = attribute(oid::smime_capabilities, {capabilities});
INSTANTIATE_TEST_SUITE_P(Rfc7030, KeyDeliveryBad, testing::Values(
    BadDelivery{"two_keys", {attribute(oid::decrypt_key_identifier, {"040101"}), attribute(oid::asymmetric_decrypt_key_identifier, {"040101"}), listed_capabilities}, "two keys"},
    BadDelivery{"no_capabilities", {attribute(oid::decrypt_key_identifier, {"040101"})}, "SMIMECapabilities"},
    BadDelivery{"no_capabilities_either", {attribute(oid::asymmetric_decrypt_key_identifier, {"040101"})}, "SMIMECapabilities"},
    BadDelivery{"two_values", {attribute(oid::decrypt_key_identifier, {"040101", "040102"}), listed_capabilities}, "more than one value"},
    BadDelivery{"not_octets", {attribute(oid::decrypt_key_identifier, {"0C0141"}), listed_capabilities}, "OCTET STRING"},
    BadDelivery{"trailing", {attribute(oid::asymmetric_decrypt_key_identifier, {"0401010500"}), listed_capabilities}, "OCTET STRING"},
    BadDelivery{"empty", {attribute(oid::decrypt_key_identifier, {"0400"}), listed_capabilities}, "64 octets"},
    BadDelivery{"long", {attribute(oid::decrypt_key_identifier, {"0441" + std::string(130, '0')}), listed_capabilities}, "64 octets"},
    BadDelivery{"capabilities_are_none", {attribute(oid::decrypt_key_identifier, {"040101"}), attribute(oid::smime_capabilities, {"0500"})}, "SMIMECapabilities"},
    BadDelivery{"capabilities_twice", {attribute(oid::decrypt_key_identifier, {"040101"}), attribute(oid::smime_capabilities, {capabilities, capabilities})}, "SMIMECapabilities"}),
    [](const auto& test) { return test.param.name; });

/// RFC 7030 A.4: key and certificate belong together.
TEST(KeyAnswer, ExampleOfRfc7030) {
    const auto body = data_text("rfc7030-a4-response.multipart");
    const auto answer = read_key_answer("multipart/mixed ; boundary=estServerExampleBoundary", body);
    ASSERT_TRUE(answer) << failure(answer);
    EXPECT_FALSE(answer->key.encrypted);
    const auto key = cms::decode_private_key(answer->key.der.reveal());
    ASSERT_TRUE(key) << failure(key);
    ASSERT_EQ(answer->certificates.size(), 1u);
    EXPECT_TRUE(same(answer->certificates[0].spki(), key->public_key().spki()));
    EXPECT_EQ(answer->certificates[0].subject().to_text(), "CN=serverside key generated response");
    for (std::size_t size = 0; size < body.size() - 60; size += 7)  // without the closing boundary
        EXPECT_FALSE(read_key_answer("multipart/mixed; boundary=estServerExampleBoundary", std::string_view{body}.substr(0, size))) << size;
}

TEST(KeyAnswer, RequestOfRfc7030IsRead) {
    // Signed with SHA-1, which counts for nothing here.
    const auto parts = x509::parse_request_without_key(data_file("rfc7030-a4-request.b64"));
    ASSERT_TRUE(parts) << failure(parts);
    EXPECT_EQ(parts->possession, x509::Possession::generated_here);
    EXPECT_FALSE(key_delivery_of(parts->attributes)->encrypted());
}

x509::Certificate some_certificate() {
    return cms::parse_certs_only(data_file("rfc7030-a3-response.b64")).value().front();
}

TEST(KeyAnswer, WrittenOnesAreReadBack) {
    for (const bool encrypted : {false, true}) {
        const KeyPart part{encrypted, crypto::Secret{hex("3003020101")}};
        const auto response = write_key_answer(part, some_certificate());
        EXPECT_EQ(response.status, 200u);
        EXPECT_TRUE(response.body.empty());  // the octets are where they can be wiped
        const auto type = std::string{*response.headers.find("Content-Type")};
        EXPECT_THAT(type, testing::StartsWith("multipart/mixed; boundary="));
        EXPECT_EQ(response.headers.count("Content-Transfer-Encoding"), 0u);
        const auto read = read_key_answer(type, response.shared.octets);
        ASSERT_TRUE(read) << failure(read);
        EXPECT_EQ(read->key.encrypted, encrypted);
        EXPECT_EQ(to_hex(read->key.der.reveal()), "3003020101");
        EXPECT_EQ(read->certificates.at(0), some_certificate());
        const auto parts = http::parse_multipart(response.shared.octets, http::boundary_of(http::MediaType::parse(type).value()).value()).value();
        ASSERT_EQ(parts.size(), 2u);  // the key first
        EXPECT_EQ(parts[0].headers.find("Content-Type"), encrypted ? media_generated_key : media_pkcs8);
        EXPECT_EQ(parts[1].headers.find("Content-Type"), media_pkcs7_certs_only);
        for (const auto& one : parts) EXPECT_EQ(one.headers.find("Content-Transfer-Encoding"), "base64");
    }
}

std::string part(std::string_view type, std::string_view body) { return fmt::format("--b\r\nContent-Type: {}\r\n\r\n{}\r\n", type, body); }

struct Bad {
    std::string name, body;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
class KeyAnswerBad : public testing::TestWithParam<Bad> {};
TEST_P(KeyAnswerBad, IsRefused) {
    const auto read = read_key_answer("multipart/mixed; boundary=b", GetParam().body + "--b--");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::malformed) << failure(read);
}
const std::string key_part = part("application/pkcs8", "MAMCAQE="), certificate_part = part("application/pkcs7-mime", data_text("rfc7030-a3-response.b64"));
INSTANTIATE_TEST_SUITE_P(Rfc7030, KeyAnswerBad, testing::Values(
    Bad{"nothing", ""}, Bad{"key_only", key_part}, Bad{"certificate_only", certificate_part}, Bad{"two_keys", key_part + key_part + certificate_part},
    Bad{"two_kinds_of_key", key_part + part("application/pkcs7-mime; smime-type=server-generated-key", "MAMCAQE=") + certificate_part},
    Bad{"two_certificates", key_part + certificate_part + certificate_part}, Bad{"another_part", key_part + certificate_part + part("text/plain", "hi")},
    Bad{"no_type", "--b\r\n\r\nMAMCAQE=\r\n" + certificate_part}, Bad{"bad_type", part("application", "MAMCAQE=") + certificate_part},
    Bad{"not_base64", part("application/pkcs8", "%%%") + certificate_part}, Bad{"empty_key", part("application/pkcs8", "") + certificate_part},
    Bad{"not_a_certificate", key_part + part("application/pkcs7-mime", "MAMCAQE=")}),
    [](const auto& test) { return test.param.name; });

/// RFC 8951 3: it is base64 whatever Content-Transfer-Encoding says, also in parts.
TEST(KeyAnswer, TransferEncodingIsIgnored) {
    for (const auto* encoding : {"binary", "8bit", "BASE64", "quoted-printable"}) {
        auto body = key_part + certificate_part + "--b--";
        const std::string type = "Content-Type: application/pkcs8\r\n";
        ASSERT_NE(body.find(type), std::string::npos);
        body.insert(body.find(type) + type.size(), std::string{"Content-Transfer-Encoding: "} + encoding + "\r\n");
        const auto read = read_key_answer("multipart/mixed; boundary=b", body);
        ASSERT_TRUE(read) << encoding << ": " << failure(read);
        EXPECT_EQ(to_hex(read->key.der.reveal()), "3003020101");
    }
}

TEST(KeyAnswer, OtherMediaTypesAreRefused) {
    for (const auto* type : {"", "application/pkcs8", "multipart/mixed", "multipart/form-data; boundary=b"})
        EXPECT_EQ(read_key_answer(type, key_part + certificate_part + "--b--").error().code, Code::malformed) << type;
    EXPECT_TRUE(read_key_answer("multipart/mixed; boundary=b", certificate_part + key_part + "--b--"));  // either order
}

}  // namespace
}  // namespace estuary::est
