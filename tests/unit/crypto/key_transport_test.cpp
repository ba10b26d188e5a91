#include "estuary/crypto/key_transport.h"

#include "estuary/crypto/openssl.h"
#include "support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;

const PrivateKey& rsa() {
    static const auto key = PrivateKey::generate("rsa2048").value();
    return key;
}

const ByteVec content_key = hex("000102030405060708090a0b0c0d0e0f");

std::string decrypted(Bytes encrypted, std::size_t octets = 16) {
    return to_hex(decrypt_rsa_pkcs1(rsa(), encrypted, octets).value().reveal());
}

/// Raw RSA of a message as long as the modulus: any padding, right or wrong.
ByteVec encrypt_raw(Bytes message) {
    const openssl::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, rsa().handle(), nullptr)};
    ByteVec out(256);
    std::size_t size = out.size();
    EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(context.get(), "rsa_padding_mode", "none"), 1);
    EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, message.data(), message.size()), 1);
    return out;
}

ByteVec padded(Bytes key) {
    ByteVec message(256 - key.size(), 0x55);
    message[0] = 0;
    message[1] = 2;
    message.back() = 0;
    append(message, key);
    return message;
}

TEST(KeyTransport, RsaPkcs1GivesTheKeyBack) {
    EXPECT_EQ(decrypted(encrypt_rsa_pkcs1(rsa().public_key(), content_key).value()), to_hex(content_key));
    EXPECT_EQ(decrypted(encrypt_raw(padded(content_key))), to_hex(content_key));
}

TEST(KeyTransport, RsaPkcs1RejectsWithoutSayingSo) {  // bug class 17
    std::vector<ByteVec> wrong;
    for (const std::size_t at : {0u, 1u, 239u}) {  // both leading octets, and the zero before the key
        auto message = padded(content_key);
        message[at] ^= at == 0 ? 0x01 : 0x03;
        wrong.push_back(encrypt_raw(message));
    }
    for (const std::size_t at : {2u, 9u, 10u, 100u, 238u}) {  // a zero too early: the key would be longer
        auto message = padded(content_key);
        message[at] = 0;
        wrong.push_back(encrypt_raw(message));
    }
    wrong.push_back(encrypt_rsa_pkcs1(rsa().public_key(), Bytes{content_key}.first(15)).value());
    wrong.push_back(encrypt_rsa_pkcs1(rsa().public_key(), hex("000102030405060708090a0b0c0d0e0f10")).value());
    wrong.push_back(ByteVec(256, 0xFF));  // not below the modulus
    wrong.push_back(ByteVec(255, 0x01));
    wrong.push_back({});
    for (const auto& encrypted : wrong) {
        const auto out = decrypted(encrypted);
        EXPECT_EQ(out.size(), 32u);
        EXPECT_NE(out, to_hex(content_key));
        EXPECT_EQ(decrypted(encrypted), out);  // the same again, or a second try would tell
        EXPECT_EQ(decrypted(encrypted, 24).size(), 48u);
    }
    EXPECT_NE(decrypted(wrong[0]), decrypted(wrong[1]));
}

TEST(KeyTransport, RsaNeedsARsaKeyOfEnoughBits) {
    const auto ec = PrivateKey::generate("p256").value();
    EXPECT_EQ(code_of(encrypt_rsa_pkcs1(ec.public_key(), content_key)), Code::bad_key);
    EXPECT_EQ(code_of(decrypt_rsa_pkcs1(ec, content_key, 16)), Code::bad_key);
    EXPECT_EQ(code_of(decrypt_rsa_pkcs1(rsa(), content_key, 246)), Code::bad_key);
    EXPECT_EQ(code_of(encrypt_rsa_pkcs1(rsa().public_key(), ByteVec(246))), Code::bad_key);
    EXPECT_EQ(code_of(decrypt_rsa_oaep(ec, "SHA256", content_key)), Code::bad_key);
}

TEST(KeyTransport, RsaOaepGivesTheKeyBack) {
    for (const auto* digest : {"SHA1", "SHA256", "SHA512"}) {
        auto encrypted = encrypt_rsa_oaep(rsa().public_key(), digest, content_key).value();
        EXPECT_TRUE(same(decrypt_rsa_oaep(rsa(), digest, encrypted).value().reveal(), content_key));
        EXPECT_EQ(code_of(decrypt_rsa_oaep(rsa(), "SHA384", encrypted)), Code::bad_proof);
        encrypted[100] ^= 1;
        EXPECT_EQ(code_of(decrypt_rsa_oaep(rsa(), digest, encrypted)), Code::bad_proof);
    }
}

class Agreement : public testing::TestWithParam<std::pair<std::string, std::size_t>> {};

TEST_P(Agreement, IsTheSameOnBothSides) {
    const auto& [type, octets] = GetParam();
    const auto alice = PrivateKey::generate(type).value(), bob = PrivateKey::generate(type).value();
    const auto shared = agree(alice, bob.public_key()).value();
    EXPECT_EQ(shared.reveal().size(), octets);
    EXPECT_TRUE(same(shared.reveal(), agree(bob, alice.public_key()).value().reveal()));
    EXPECT_EQ(code_of(agree(alice, rsa().public_key())), Code::bad_key);
}

INSTANTIATE_TEST_SUITE_P(All, Agreement, testing::Values(std::pair{"p256", 32}, std::pair{"p384", 48}, std::pair{"p521", 66},
                                                         std::pair{"x25519", 32}, std::pair{"x448", 56}),
                         [](const auto& test) { return test.param.first; });

TEST(KeyTransport, SmallOrderIsRefused) {
    const auto zero = PublicKey::from_spki(test::make_spki("1.3.101.110", {}, ByteVec(32)));
    ASSERT_TRUE(zero);
    EXPECT_EQ(code_of(agree(PrivateKey::generate("x25519").value(), *zero)), Code::bad_key);
}

TEST(KeyTransport, KemNeedsAKemKey) {
    EXPECT_EQ(code_of(encapsulate(rsa().public_key())), Code::bad_key);
    EXPECT_EQ(code_of(decapsulate(rsa(), content_key)), Code::bad_key);
    const auto key = PrivateKey::generate("ml-kem-768");
    if (!key) GTEST_SKIP() << "this library has no ML-KEM";
    const auto made = encapsulate(key->public_key()).value();
    EXPECT_TRUE(same(decapsulate(*key, made.ciphertext).value().reveal(), made.shared.reveal()));
}

}  // namespace
}  // namespace estuary::crypto
