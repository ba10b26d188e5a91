// What a recipient says that it can read, and what follows from it.
#include "estuary/cms/smime_capabilities.h"

#include "estuary/cms/enveloped_data.h"
#include "support.h"

namespace estuary::cms {
namespace {

using test::code_of;
using test::hex;
using test::party;
using test::words;

const der::Oid aes128_wrap{"2.16.840.1.101.3.4.1.5"}, aes256_wrap{"2.16.840.1.101.3.4.1.45"};
const der::Oid aes128_cbc{"2.16.840.1.101.3.4.1.2"}, aes256_cbc{"2.16.840.1.101.3.4.1.42"}, des_ede3{"1.2.840.113549.3.7"};
const der::Oid ecdh_sha256{"1.3.132.1.11.1"}, ecdh_sha1{"1.3.133.16.840.63.0.2"};

ByteVec wrap(const der::Oid& oid) { return make_algorithm(oid); }

/// OpenSSL writes the attribute of signed mail; this reads it.
TEST(SmimeCapabilities, OfOpenSslAreRead) {
    STACK_OF(X509_ALGOR)* listed = nullptr;
    ASSERT_EQ(CMS_add_simple_smimecap(&listed, NID_aes_256_cbc, -1), 1);
    ASSERT_EQ(CMS_add_simple_smimecap(&listed, NID_rc2_cbc, 128), 1);
    unsigned char* octets = nullptr;
    const int size = i2d_X509_ALGORS(listed, &octets);
    const ByteVec der{octets, octets + size};
    OPENSSL_free(octets);
    sk_X509_ALGOR_pop_free(listed, X509_ALGOR_free);
    const auto read = parse_capabilities(der);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, (Capabilities{{aes256_cbc}, {der::Oid{"1.2.840.113549.3.2"}, hex("02020080")}}));
    EXPECT_EQ(encode_capabilities(*read), der);
}

TEST(SmimeCapabilities, MalformedOnesAreRefused) {
    EXPECT_TRUE(parse_capabilities(hex("3000")).value().empty());
    for (const auto* text : {"", "30", "3100", "300130", "30020500", "3009300706012A05000500", "300030", "3005300306012A05"})
        EXPECT_EQ(code_of(parse_capabilities(hex(text))), Code::malformed) << text;
    EXPECT_EQ(code_of(parse_capabilities(encode_capabilities(Capabilities(65, {aes128_cbc})))), Code::too_large);
}

struct Choice {
    std::string name, key;
    Capabilities listed;
    std::string cipher;  ///< empty: unsupported
    RsaPadding padding = RsaPadding::oaep;
};
void PrintTo(const Choice& choice, std::ostream* out) { *out << choice.name; }

class EnciphermentFor : public testing::TestWithParam<Choice> {};
TEST_P(EnciphermentFor, IsOneThatWasListed) {
    const auto chosen = encipherment_for(GetParam().listed, party(GetParam().key).key.public_key());
    if (GetParam().cipher.empty()) {
        EXPECT_EQ(code_of(chosen), Code::unsupported);
        return;
    }
    ASSERT_TRUE(chosen) << chosen.error().detail;
    EXPECT_EQ(chosen->cipher, GetParam().cipher);
    EXPECT_EQ(chosen->padding, GetParam().padding);
}

const Capability rsa{oid::rsa_encryption, {0x05, 0x00}}, oaep{oid::rsaes_oaep};
const Capability oaep_sha1{oid::rsaes_oaep, {0x30, 0x00}};
INSTANTIATE_TEST_SUITE_P(Rfc7030, EnciphermentFor, testing::Values(
    Choice{"nothing", "rsa2048", {}, ""},
    Choice{"rsa", "rsa2048", {rsa}, "AES-128-CBC", RsaPadding::pkcs1},
    Choice{"oaep_first", "rsa2048", {oaep, rsa}, "AES-128-CBC"},
    Choice{"rsa_first", "rsa2048", {rsa, oaep}, "AES-128-CBC", RsaPadding::pkcs1},
    Choice{"oaep_of_sha1_is_passed_over", "rsa2048", {oaep_sha1, rsa}, "AES-128-CBC", RsaPadding::pkcs1},
    Choice{"oaep_of_sha1_only", "rsa2048", {oaep_sha1}, ""},
    Choice{"content_as_listed", "rsa2048", {oaep, {aes256_cbc}, {aes128_cbc}}, "AES-256-CBC"},
    Choice{"content_nobody_writes", "rsa2048", {oaep, {des_ede3}}, "AES-128-CBC"},
    Choice{"wraps_are_not_for_rsa", "rsa2048", {{aes256_wrap}, {aes128_wrap}}, ""},
    Choice{"scheme_with_wrap", "p256", {{ecdh_sha256, wrap(aes128_wrap)}}, "AES-128-CBC"},
    Choice{"scheme_with_larger_wrap", "p256", {{ecdh_sha256, wrap(aes256_wrap)}}, "AES-256-CBC"},
    Choice{"scheme_alone", "p256", {{ecdh_sha256}}, "AES-128-CBC"},
    Choice{"wrap_alone", "p256", {{aes256_wrap}}, "AES-256-CBC"},
    Choice{"content_decides_wrap", "p256", {{aes128_wrap}, {aes256_wrap}, {aes256_cbc}}, "AES-256-CBC"},
    Choice{"content_without_its_wrap", "p256", {{aes128_wrap}, {aes256_cbc}}, ""},
    Choice{"another_scheme", "p256", {{ecdh_sha1, wrap(aes128_wrap)}}, ""},
    Choice{"as_strong_as_the_key", "p521", {{aes128_wrap}, {aes256_wrap}, {aes128_cbc}, {aes256_cbc}}, "AES-256-CBC"},
    Choice{"weaker_where_nothing_else_is_listed", "p521", {{aes128_wrap}, {aes128_cbc}}, "AES-128-CBC"},
    Choice{"strength_without_content_ciphers", "p384", {{aes128_wrap}, {aes256_wrap}}, "AES-256-CBC"},
    Choice{"x25519", "x25519", {{der::Oid{"1.2.840.113549.1.9.16.3.19"}, wrap(aes128_wrap)}}, "AES-128-CBC"}),
    [](const auto& test) { return test.param.name; });

TEST(SmimeCapabilities, SharedKeyNeedsItsWrap) {
    EXPECT_EQ(encipherment_for_shared_key({{aes128_wrap}}, 16).value().cipher, "AES-128-CBC");
    EXPECT_EQ(encipherment_for_shared_key({{aes256_wrap}, {aes256_cbc}}, 32).value().cipher, "AES-256-CBC");
    EXPECT_EQ(code_of(encipherment_for_shared_key({{aes128_wrap}}, 32)), Code::unsupported);
    EXPECT_EQ(code_of(encipherment_for_shared_key({}, 16)), Code::unsupported);
}

/// Whoever lists what it can open here gets something that it can open.
TEST(SmimeCapabilities, OurOwnAreEnough) {
    for (const auto* type : {"rsa2048", "p256", "p384", "p521", "x25519", "x448", "ml-kem-768"}) {
        if (!crypto::key_type(type)) continue;
        const auto& who = party(type);
        const auto listed = parse_capabilities(encode_capabilities(capabilities_of(who.key.public_key()))).value();
        const auto chosen = encipherment_for(listed, who.key.public_key());
        ASSERT_TRUE(chosen) << type << ": " << chosen.error().detail;
        const auto message = EnvelopedDataBuilder{oid::data, words}.cipher(chosen->cipher).recipient(who.certificate, chosen->padding).build();
        ASSERT_TRUE(message) << type << ": " << message.error().detail;
        EXPECT_EQ(EnvelopedData::parse(*message)->open(KeyHolder{who.key, who.certificate})->reveal_text(), as_text(words))
            << type;
    }
    for (const std::size_t octets : {16u, 24u, 32u})
        EXPECT_TRUE(encipherment_for_shared_key(capabilities_of_shared_key(octets), octets)) << octets;
}

}  // namespace
}  // namespace estuary::cms
