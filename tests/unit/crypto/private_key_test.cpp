#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::data_file;
using test::hex;
using test::read_request;

const Secret passphrase{std::string_view{"hunter2"}};
const Secret wrong{std::string_view{"hunter3"}};

/// Signs and verifies, each half read on its own.
void expect_pair(const PrivateKey& key) {
    const auto message = as_bytes("to be signed");
    const auto algorithm = key.signature_algorithm();
    ASSERT_TRUE(algorithm) << algorithm.error().detail;
    const auto signature = key.sign(message);
    ASSERT_TRUE(signature) << signature.error().detail << signature.error().cause;
    const auto reread = PublicKey::from_spki(key.public_key().spki()).value();
    EXPECT_TRUE(reread.verify((*algorithm)->identifier, message, *signature));
    EXPECT_EQ(code_of(reread.verify((*algorithm)->identifier, as_bytes("another"), *signature)), Code::bad_proof);
}

TEST(PrivateKeyGenerate, EveryTypeThatTheLibraryHas) {
    for (const auto& type : key_types()) {
        if (type.kind == KeyKind::slh_dsa && type.name.ends_with("s")) continue;  // a third of a second each
        if (type.kind == KeyKind::rsa && type.bits > 2048) continue;  // seconds without a sanitizer, a minute with
        SCOPED_TRACE(type.name);
        const auto key = PrivateKey::generate(type.name);
        ASSERT_TRUE(key) << key.error().detail << key.error().cause;
        EXPECT_EQ(key->kind(), type.kind);
        EXPECT_EQ(key->public_key().type_name(), type.name);
        EXPECT_EQ(key->public_key().bits(), type.bits);
        EXPECT_TRUE(check_key_strength(key->public_key()));
        if (type.signs) {
            expect_pair(*key);
        } else {
            EXPECT_EQ(code_of(key->signature_algorithm()), Code::bad_key);  // bug class 33: not every key signs
            EXPECT_EQ(code_of(key->sign(as_bytes("x"))), Code::bad_key);
        }
        const auto again = PrivateKey::from_bytes(key->to_pem()->reveal());
        ASSERT_TRUE(again) << again.error().detail << again.error().cause;
        EXPECT_TRUE(same(again->public_key().spki(), key->public_key().spki()));
    }
}

/// What is put together by hand for a new key is what the library writes of the same key when it is read.
TEST(PrivateKeyGenerate, PublicHalfIsWhatTheLibraryWrites) {
    for (const auto* type : {"p256", "p384", "p521", "ed25519", "x25519"}) {
        const auto key = PrivateKey::generate(type).value();
        const auto read = PrivateKey::from_bytes(key.to_pem()->reveal()).value();
        EXPECT_EQ(to_hex(key.public_key().spki()), to_hex(read.public_key().spki())) << type;
    }
}

TEST(PrivateKeyGenerate, FromManyThreadsAtOnce) {
    std::mutex mutex;
    std::set<std::string> seen;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int j = 0; j < 10; ++j)
                    for (const auto* type : {"p256", "p384", "ed25519"}) {
                        const auto key = PrivateKey::generate(type);
                        const std::scoped_lock lock{mutex};
                        EXPECT_TRUE(key && key->public_key().type_name() == type && seen.insert(to_hex(key->public_key().spki())).second);
                    }
            });
    }
    EXPECT_EQ(seen.size(), 120u);
}

TEST(PrivateKeyGenerate, UnknownTypesAreNamed) {
    EXPECT_EQ(code_of(PrivateKey::generate("rsa512")), Code::unsupported);
    EXPECT_EQ(code_of(PrivateKey::generate("")), Code::unsupported);
}

TEST(PrivateKeyGenerate, KeysDiffer) {
    EXPECT_FALSE(
        same(PrivateKey::generate("p256")->public_key().spki(), PrivateKey::generate("p256")->public_key().spki()));
}

TEST(PrivateKeySign, TheDigestFollowsTheKey) {
    const std::pair<const char*, const char*> expected[] = {
        {"p256", "ecdsa-with-SHA256"},          {"p384", "ecdsa-with-SHA384"}, {"p521", "ecdsa-with-SHA512"},
        {"rsa2048", "sha256WithRSAEncryption"}, {"ed25519", "Ed25519"},        {"ed448", "Ed448"}};
    for (const auto& [type, algorithm] : expected)
        EXPECT_EQ((*PrivateKey::generate(type)->signature_algorithm())->name, algorithm) << type;
}

TEST(PrivateKeySign, FromManyThreadsAtOnce) {
    for (const auto* type : {"p256", "ed25519", "rsa2048"}) {
        const auto key = PrivateKey::generate(type).value();
        const auto& identifier = (*key.signature_algorithm())->identifier;
        std::vector<std::thread> threads;
        std::atomic<int> good = 0;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    const std::string message = std::to_string(t) + "/" + std::to_string(i);
                    const auto signature = key.sign(as_bytes(message));
                    if (signature && key.public_key().verify(identifier, as_bytes(message), *signature)) ++good;
                }
            });
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(good, 80) << type;
    }
}

struct KeyFile {
    const char* file;
    const char* request;  ///< has the same public key
};
class PrivateKeyOfOpenssl : public testing::TestWithParam<KeyFile> {};

TEST_P(PrivateKeyOfOpenssl, IsReadAsPemAndDer) {
    const auto text = data_file(GetParam().file);
    const auto expected = read_request(GetParam().request);
    const auto key = PrivateKey::from_bytes(text, &passphrase);
    ASSERT_TRUE(key) << key.error().detail << " / " << key.error().cause;
    EXPECT_TRUE(same(key->public_key().spki(), expected.spki));
    expect_pair(*key);
    if (as_text(text).find("Proc-Type") != std::string_view::npos) return;  // has no DER form
    const auto der = parse_pem(as_text(text)).value().back().der;
    const auto from_der = PrivateKey::from_bytes(der, &passphrase);
    ASSERT_TRUE(from_der) << from_der.error().detail << " / " << from_der.error().cause;
    EXPECT_TRUE(same(from_der->public_key().spki(), expected.spki));
}

INSTANTIATE_TEST_SUITE_P(, PrivateKeyOfOpenssl,
                         testing::Values(KeyFile{"key-p256-pkcs8.pem", "csr-p256.pem"},
                                         KeyFile{"key-p256-sec1.pem", "csr-p256.pem"},
                                         KeyFile{"key-p256-pbkdf2.pem", "csr-p256.pem"},
                                         KeyFile{"key-p256-scrypt.pem", "csr-p256.pem"},
                                         KeyFile{"key-rsa2048-pkcs8.pem", "csr-rsa-sha256.pem"},
                                         KeyFile{"key-rsa2048-pkcs1.pem", "csr-rsa-sha256.pem"},
                                         KeyFile{"key-rsa2048-pkcs1-encrypted.pem", "csr-rsa-sha256.pem"},
                                         KeyFile{"key-ed25519-pkcs8.pem", "csr-ed25519.pem"},
                                         KeyFile{"key-ed448-pkcs8.pem", "csr-ed448.pem"}));

TEST(PrivateKeyPassphrase, MissingAndWrongAreToldApart) {  // never a prompt: standard input is not even looked at
    for (const auto* file : {"key-p256-pbkdf2.pem", "key-p256-scrypt.pem", "key-rsa2048-pkcs1-encrypted.pem"}) {
        const auto text = data_file(file);
        const auto missing = PrivateKey::from_bytes(text);
        EXPECT_EQ(code_of(missing), Code::not_authenticated) << file;
        EXPECT_NE(missing.error().detail.find("no passphrase was given"), std::string::npos) << missing.error().detail;
        const auto refused = PrivateKey::from_bytes(text, &wrong);
        EXPECT_EQ(code_of(refused), Code::not_authenticated) << file;
        EXPECT_NE(refused.error().detail.find("does not open"), std::string::npos) << refused.error().detail;
        EXPECT_EQ(refused.error().cause.find("hunter"), std::string::npos) << "bug class 12";
    }
    const Secret endless{ByteVec(100'000, 'x')};
    EXPECT_EQ(code_of(PrivateKey::from_bytes(data_file("key-p256-pbkdf2.pem"), &endless)), Code::not_authenticated);
    EXPECT_TRUE(PrivateKey::from_bytes(data_file("key-p256-pkcs8.pem"), &passphrase)) << "not needed, not minded";
}

TEST(PrivateKeyPassphrase, WrittenEncrypted) {
    const auto key = PrivateKey::generate("p256").value();
    const auto pem = key.to_pem(&passphrase);
    ASSERT_TRUE(pem) << pem.error().cause;
    const auto block = parse_pem(pem->reveal_text()).value().at(0);
    EXPECT_EQ(block.label, "ENCRYPTED PRIVATE KEY");
    // PBES2 with scrypt, and AES-256-CBC (RFC 8018 A.4, RFC 7914 7)
    const auto encoded = to_hex(block.der);
    EXPECT_NE(encoded.find("06092a864886f70d01050d"), std::string::npos);
    EXPECT_NE(encoded.find("06092b06010401da47040b"), std::string::npos);
    EXPECT_NE(encoded.find("060960864801650304012a"), std::string::npos);
    EXPECT_EQ(encoded.find(to_hex(key.public_key().spki().last(64))), std::string::npos) << "the key itself is hidden";
    EXPECT_TRUE(same(PrivateKey::from_bytes(pem->reveal(), &passphrase)->public_key().spki(), key.public_key().spki()));
    EXPECT_EQ(code_of(PrivateKey::from_bytes(pem->reveal(), &wrong)), Code::not_authenticated);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(pem->reveal())), Code::not_authenticated);
}

TEST(PrivateKeyRead, WhatIsNoKey) {
    EXPECT_EQ(code_of(PrivateKey::from_bytes({})), Code::malformed);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(as_bytes("hello"))), Code::malformed);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(data_file("csr-p256.pem"))), Code::malformed);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(read_request("csr-p256.pem").spki)), Code::malformed);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(ByteVec(2u << 20, '-'))), Code::too_large);
    auto der = parse_pem(as_text(data_file("key-p256-pkcs8.pem"))).value().at(0).der;
    der.push_back(0);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(der)), Code::malformed);
    der.resize(der.size() - 3);
    EXPECT_EQ(code_of(PrivateKey::from_bytes(der)), Code::malformed);
    const auto x25519 = PrivateKey::from_bytes(data_file("key-x25519-pkcs8.pem"));
    ASSERT_TRUE(x25519) << "a key, though not one that signs";
    EXPECT_EQ(code_of(x25519->sign({})), Code::bad_key);
}

TEST(PrivateKeyRead, HalvesThatAreNoPair) {
    // SEC 1 (RFC 5915 3) with the private half of one key and the public half of another
    const auto first = PrivateKey::generate("p256").value(), second = PrivateKey::generate("p256").value();
    const auto sec1 = [&](Bytes point) {
        auto info =
            der::enter_only(parse_pem(first.to_pem()->reveal_text()).value().at(0).der, der::Tag::sequence, "PKCS#8");
        der::Writer writer;
        const auto der = parse_pem(first.to_pem()->reveal_text()).value().at(0).der;
        auto pkcs8 = der::enter_only(der, der::Tag::sequence, "PKCS#8").value();
        (void)pkcs8.skip();
        (void)pkcs8.skip();
        auto inner = der::enter_only(pkcs8.octet_string().value(), der::Tag::sequence, "ECPrivateKey").value();
        (void)inner.skip();
        const auto scalar = inner.octet_string().value();
        writer.sequence([&] {
            writer.integer(1).octet_string(scalar);
            writer.constructed(der::context_constructed(0), [&] { writer.oid(der::Oid{test::p256_curve}); });
            writer.constructed(der::context_constructed(1), [&] { writer.bit_string(point); });
        });
        return std::move(writer).take();
    };
    EXPECT_TRUE(PrivateKey::from_bytes(sec1(first.public_key().spki().last(65))));
    EXPECT_EQ(code_of(PrivateKey::from_bytes(sec1(second.public_key().spki().last(65)))), Code::bad_key);
}

class PrivateKeyFile : public testing::Test {
protected:
    PrivateKeyFile() {
        std::string pattern = (std::filesystem::temp_directory_path() / "estuary-key-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
        folder = pattern;
    }
    ~PrivateKeyFile() override { std::filesystem::remove_all(folder); }

    std::string store(const char* name, mode_t mode) {
        const auto path = folder / name;
        const auto content = data_file("key-p256-pkcs8.pem");
        std::ofstream{path}.write(reinterpret_cast<const char*>(content.data()),
                                  static_cast<std::streamsize>(content.size()));
        ::chmod(path.c_str(), mode);
        return path.string();
    }

    std::filesystem::path folder;
};

TEST_F(PrivateKeyFile, IsLoadedByPathAndFileUri) {
    const auto path = store("key.pem", 0600);
    for (const auto& name : {path, "file:" + path, "file://" + path}) {
        const auto key = PrivateKey::load(name);
        ASSERT_TRUE(key) << name << ": " << key.error().detail;
        EXPECT_TRUE(same(key->public_key().spki(), read_request("csr-p256.pem").spki));
    }
}

TEST_F(PrivateKeyFile, ThatOthersMayReadIsRefused) {
    EXPECT_EQ(code_of(PrivateKey::load(store("key.pem", 0644))), Code::not_authorised);
    EXPECT_EQ(code_of(PrivateKey::load(store("key.pem", 0640))), Code::not_authorised);
}

TEST_F(PrivateKeyFile, ErrorsNameTheFile) {
    const auto absent = PrivateKey::load((folder / "absent.pem").string());
    EXPECT_EQ(code_of(absent), Code::not_found);
    EXPECT_NE(absent.error().detail.find("absent.pem"), std::string::npos);
    const auto path = (folder / "bad.pem").string();
    ASSERT_TRUE(file::write_atomically(path, as_bytes("no key"), file::Access::owner_only));
    const auto bad = PrivateKey::load(path);
    EXPECT_EQ(code_of(bad), Code::malformed);
    EXPECT_NE(bad.error().detail.find("bad.pem"), std::string::npos);
}

TEST_F(PrivateKeyFile, UrisWithoutAProviderAreRefused) {
    const auto refused = PrivateKey::load("nosuchstore:token=ca;object=key;pin-value=canary", &passphrase);
    EXPECT_EQ(code_of(refused), Code::unavailable);
    EXPECT_NE(refused.error().detail.find("nosuchstore"), std::string::npos) << refused.error().detail;
    EXPECT_EQ(refused.error().detail.find("canary"), std::string::npos) << "a PIN in the URI stays out (bug class 12)";
    EXPECT_EQ(refused.error().cause.find("canary"), std::string::npos) << refused.error().cause;
}

TEST(PrivateKeyAdopt, NothingIsAFault) { EXPECT_EQ(code_of(PrivateKey::adopt(nullptr)), Code::internal); }

}  // namespace
}  // namespace estuary::crypto
