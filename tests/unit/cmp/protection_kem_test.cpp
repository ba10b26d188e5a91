#include "estuary/cmp/protection_kem.h"

#include "estuary/cmp/protection_oids.h"
#include "support.h"

namespace estuary::cmp {
namespace {

using test::code_of;
using test::failure;
using test::hex;

constexpr std::string_view transaction = "303132333435363738393a3b3c3d3e3f";
constexpr std::string_view hkdf_sha256 = "300d060b2a864886f70d010910031c";

/// The shared secret 00 01 … 1f of some KEM.
KemSession session(std::string_view transaction_id = transaction) {
    ByteVec shared(32);
    for (std::size_t i = 0; i < shared.size(); ++i) shared[i] = static_cast<std::uint8_t>(i);
    return KemSession{crypto::Secret{std::move(shared)}, hex(transaction_id)};
}

KemBmParameter parameter(std::string_view mac = "HMAC-SHA256", std::size_t len = 32) {
    return {hex(hkdf_sha256), std::nullopt, len, crypto::encode_mac_algorithm(mac).value()};
}

// The expected octets were computed with Python's hashlib and hmac.

TEST(KemProtection, OtherInfoIsThatOfRfc9810) {
    EXPECT_EQ(to_hex(encode_kem_other_info(hex(transaction), std::nullopt)),
              "301d" "3009" "0c07434d502d4b454d" "0410303132333435363738393a3b3c3d3e3f");
    EXPECT_EQ(to_hex(encode_kem_other_info(hex(transaction), hex("637478"))),
              "3024" "3009" "0c07434d502d4b454d" "0410303132333435363738393a3b3c3d3e3f" "a0050403637478");
}

TEST(KemProtection, IsThatOfRfc9810) {
    EXPECT_TRUE(session().verify(parameter().encode(), as_bytes("part"),
                                 hex("c1c1950c84597867bae49ee0e4cd78286f257e391668d2baf16ec12df65fc897")));
    auto with_context = parameter("HMAC-SHA512", 64);
    with_context.kem_context = hex("637478");
    EXPECT_TRUE(session().verify(with_context.encode(), as_bytes("part"),
                                 hex("da18c5e5366c79def6ac1abda4f11300d906c50ede308f09439709f27d3aa01524f7a65ea5d8b6e56e05da7150396c76"
                                     "60fc48f653e6431ae63ce7ca7a0941aa")));
}

TEST(KemProtection, WhatOneSideMakesTheOtherVerifies) {
    for (const auto* mac : {"HMAC-SHA256", "HMAC-SHA512", "KMAC-128", "KMAC-256"}) {
        const auto protector = session().protector(mac);
        ASSERT_TRUE(protector) << failure(protector);
        EXPECT_EQ(protection_kind(protector->algorithm()).value(), ProtectionKind::kem_mac);
        const auto value = protector->protect(as_bytes("part")).value();
        EXPECT_TRUE(session().verify(protector->algorithm(), as_bytes("part"), value)) << mac;
        EXPECT_EQ(code_of(session().verify(protector->algorithm(), as_bytes("trap"), value)), Code::bad_proof);
        // The transactionID separates transactions.
        EXPECT_EQ(code_of(session("00").verify(protector->algorithm(), as_bytes("part"), value)), Code::bad_proof);
    }
    EXPECT_EQ(code_of(session().protector("HMAC-MD5")), Code::unsupported);
    EXPECT_EQ(code_of(session().protector("AES-128-GMAC")), Code::unsupported);
    EXPECT_EQ(code_of(session().protector("HMAC-SHA1")), Code::unsupported);
}

TEST(KemProtection, ParametersGoThereAndBack) {
    auto known = parameter();
    EXPECT_EQ(KemBmParameter::parse(known.encode()).value(), known);
    known.kem_context = hex("01");
    EXPECT_EQ(KemBmParameter::parse(known.encode()).value(), known);
    EXPECT_EQ(to_hex(Bytes{known.encode()}.subspan(2, 11)), "06092a864886f67d074210");
}

ByteVec with_len(std::int64_t len) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(oid::kem_based_mac);
        writer.sequence([&] {
            writer.raw(hex(hkdf_sha256)).integer(len).raw(crypto::encode_mac_algorithm("HMAC-SHA256").value());
        });
    });
    return std::move(writer).take();
}

TEST(KemProtection, WhatIsAskedForIsLimited) {  // bug class 30
    EXPECT_EQ(code_of(KemBmParameter::parse(with_len(0))), Code::malformed);
    EXPECT_EQ(code_of(KemBmParameter::parse(with_len(-1))), Code::malformed);
    EXPECT_EQ(code_of(KemBmParameter::parse(with_len(129))), Code::too_large);
    EXPECT_EQ(code_of(KemBmParameter::parse(with_len(INT64_MAX))), Code::too_large);
    EXPECT_EQ(code_of(session().verify(with_len(15), as_bytes("part"), ByteVec(32))), Code::bad_key);
    EXPECT_EQ(code_of(session().verify(with_len(16), as_bytes("part"), ByteVec(32))), Code::bad_proof);
    auto long_context = parameter();
    long_context.kem_context = ByteVec(1025);
    EXPECT_EQ(code_of(KemBmParameter::parse(long_context.encode())), Code::too_large);
    auto other = parameter();
    other.kdf = hex("300406022a03");
    EXPECT_EQ(code_of(session().verify(other.encode(), as_bytes("part"), ByteVec(32))), Code::unsupported);
    other = parameter("AES-128-GMAC", 16);
    EXPECT_EQ(code_of(session().verify(other.encode(), as_bytes("part"), ByteVec(16))), Code::unsupported);
    EXPECT_EQ(code_of(KemBmParameter::parse(crypto::encode_mac_algorithm("HMAC-SHA256").value())), Code::unsupported);
}

TEST(KemProtection, KeysThatAreNoKem) {
    const auto p256 = crypto::PrivateKey::generate("p256").value();
    EXPECT_EQ(code_of(KemSession::offer(p256.public_key(), hex(transaction))), Code::bad_key);
    EXPECT_EQ(code_of(KemSession::accept(p256, {hex("3000"), hex("00")}, hex(transaction))), Code::malformed);
}

class MlKemProtection : public testing::TestWithParam<std::string> {};

TEST_P(MlKemProtection, AuthenticatesTheHolder) {
    const auto alice = crypto::PrivateKey::generate(GetParam());
    if (!alice) GTEST_SKIP() << alice.error().detail;
    auto offer = KemSession::offer(alice->public_key(), hex(transaction)).value();
    const auto accepted = KemSession::accept(*alice, offer.info, hex(transaction));
    ASSERT_TRUE(accepted) << failure(accepted);
    const auto protector = accepted->protector().value();
    const auto value = protector.protect(as_bytes("part")).value();
    EXPECT_TRUE(offer.session.verify(protector.algorithm(), as_bytes("part"), value));
    // Fresh for every transaction (RFC 9810 8.8).
    EXPECT_NE(KemSession::offer(alice->public_key(), hex(transaction)).value().info, offer.info);
    // Another's key decapsulates to another secret.
    const auto mallory = KemSession::accept(crypto::PrivateKey::generate(GetParam()).value(), offer.info, hex(transaction)).value();
    EXPECT_EQ(code_of(offer.session.verify(protector.algorithm(), as_bytes("part"),
                                           mallory.protector().value().protect(as_bytes("part")).value())),
              Code::bad_proof);
    auto cut = offer.info;
    cut.ct.pop_back();
    EXPECT_EQ(code_of(KemSession::accept(*alice, cut, hex(transaction))), Code::bad_proof);
}

INSTANTIATE_TEST_SUITE_P(Rfc9936, MlKemProtection, testing::Values("ml-kem-512", "ml-kem-768", "ml-kem-1024"), [](const auto& test) {
    auto name = test.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

}  // namespace
}  // namespace estuary::cmp
