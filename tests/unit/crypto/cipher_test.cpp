#include "estuary/crypto/cipher.h"

#include "estuary/crypto/kdf.h"
#include "support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;

std::string hex_of(const Result<Secret>& secret) { return secret ? to_hex(secret->reveal()) : secret.error().detail; }

struct Wrap {
    std::string key_encryption_key, key, wrapped;
};
class KeyWrap : public testing::TestWithParam<Wrap> {};

TEST_P(KeyWrap, IsThatOfRfc3394) {
    const auto& [kek, key, wrapped] = GetParam();
    EXPECT_EQ(to_hex(wrap_key(hex(kek), hex(key)).value()), wrapped);
    EXPECT_EQ(hex_of(unwrap_key(hex(kek), hex(wrapped))), key);
    for (std::size_t i = 0; i < wrapped.size() / 2; ++i) {
        auto changed = hex(wrapped);
        changed[i] ^= 1;
        EXPECT_EQ(code_of(unwrap_key(hex(kek), changed)), Code::bad_proof);
        EXPECT_EQ(code_of(unwrap_key(hex(kek), Bytes{changed}.first(i))), Code::bad_proof);
    }
}

INSTANTIATE_TEST_SUITE_P(Section4, KeyWrap, testing::Values(
    Wrap{"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
         "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
    Wrap{"000102030405060708090a0b0c0d0e0f1011121314151617", "00112233445566778899aabbccddeeff",
         "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
    Wrap{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
         "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"}));

TEST(KeyWrapLengths, AreHeldTo) {
    EXPECT_EQ(code_of(wrap_key(ByteVec(15), ByteVec(16))), Code::bad_key);
    EXPECT_EQ(code_of(wrap_key(ByteVec(16), ByteVec(8))), Code::bad_key);
    EXPECT_EQ(code_of(wrap_key(ByteVec(16), ByteVec(17))), Code::bad_key);
    EXPECT_EQ(code_of(unwrap_key({}, ByteVec(24))), Code::bad_key);
}

TEST(Cbc, IsThatOfSp800_38a) {
    const auto key = hex("2b7e151628aed2a6abf7158809cf4f3c"), iv = hex("000102030405060708090a0b0c0d0e0f");
    const auto plain = hex("6bc1bee22e409f96e93d7e117393172a");
    const auto encrypted = encrypt_cbc("AES-128-CBC", key, iv, plain, Padding::none).value();
    EXPECT_EQ(to_hex(encrypted), "7649abac8119b246cee98e9b12e9197d");
    EXPECT_EQ(hex_of(decrypt_cbc("AES-128-CBC", key, iv, encrypted, Padding::none)), to_hex(plain));
    const auto padded = encrypt_cbc("AES-128-CBC", key, iv, plain).value();
    EXPECT_EQ(padded.size(), 32u);
    EXPECT_EQ(hex_of(decrypt_cbc("AES-128-CBC", key, iv, padded)), to_hex(plain));
    EXPECT_EQ(code_of(decrypt_cbc("AES-128-CBC", key, iv, Bytes{padded}.first(31))), Code::bad_proof);
    EXPECT_EQ(code_of(decrypt_cbc("AES-128-CBC", key, iv, {})), Code::bad_proof);
    EXPECT_EQ(code_of(decrypt_cbc("AES-256-CBC", key, iv, padded)), Code::unsupported);
    EXPECT_EQ(code_of(decrypt_cbc("NONE-AT-ALL", key, iv, padded)), Code::unsupported);
}

TEST(Gcm, IsThatOfItsSpecification) {  // McGrew and Viega, test case 4
    const auto key = hex("feffe9928665731c6d6a8f9467308308"), nonce = hex("cafebabefacedbaddecaf888");
    const auto plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                           "b16aedf5aa0de657ba637b39");
    const auto additional = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    auto sealed = encrypt_gcm("AES-128-GCM", key, nonce, additional, plain).value();
    EXPECT_EQ(to_hex(sealed.tag), "5bc94fbc3221a5db94fae95ae7121a47");
    const auto opened = [&](Bytes with, Bytes tag) {
        return decrypt_gcm("AES-128-GCM", key, nonce, with, sealed.encrypted, tag);
    };
    EXPECT_EQ(hex_of(opened(additional, sealed.tag)), to_hex(plain));
    EXPECT_EQ(hex_of(opened(additional, Bytes{sealed.tag}.first(12))), to_hex(plain));
    EXPECT_EQ(code_of(opened({}, sealed.tag)), Code::bad_proof);
    sealed.tag[15] ^= 1;
    EXPECT_EQ(code_of(opened(additional, sealed.tag)), Code::bad_proof);
    EXPECT_EQ(code_of(opened(additional, ByteVec(17))), Code::bad_proof);
}

TEST(Kdf, HkdfIsThatOfRfc5869) {  // A.1 and A.3
    const ByteVec material(22, 0x0b);
    EXPECT_EQ(hex_of(hkdf("SHA256", material, hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    EXPECT_EQ(hex_of(hkdf("SHA256", material, {}, {}, 42)),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Kdf, Pbkdf2IsThatOfRfc7914) {  // section 11
    EXPECT_EQ(hex_of(pbkdf2("SHA256", as_bytes("passwd"), as_bytes("salt"), 1, 64)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

TEST(Kdf, X963IsThatOfNist) {  // CAVS 12.0, SHA-256, 192 bits of secret, 128 bits of key
    EXPECT_EQ(hex_of(x963_kdf("SHA256", hex("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08"), {}, 16)),
              "443024c3dae66b95e6f5670601558f71");
    EXPECT_FALSE(x963_kdf("NONE-AT-ALL", ByteVec(32), {}, 16));
}

}  // namespace
}  // namespace estuary::crypto
