#include "estuary/cms/key_package.h"

#include "support.h"

namespace estuary::cms {
namespace {

using test::code_of;
using test::hex;
using test::party;

bool same_key(const crypto::PrivateKey& a, const crypto::PrivateKey& b) {
    return same(a.public_key().spki(), b.public_key().spki());
}

class PrivateKeyInfo : public testing::TestWithParam<std::string> {};

TEST_P(PrivateKeyInfo, GoesThereAndBack) {
    const auto& key = party(GetParam()).key;
    const auto der = encode_private_key(key).value();
    const auto read = decode_private_key(der.reveal());
    ASSERT_TRUE(read) << read.error().detail << read.error().cause;
    EXPECT_TRUE(same_key(*read, key));
}

/// The library's encoder is the oracle of what is written by hand.
TEST_P(PrivateKeyInfo, IsWhatTheLibraryWrites) {
    for (int i = 0; i < 20; ++i) {  // a private value may begin with zeros
        const auto key = crypto::PrivateKey::generate(GetParam()).value();
        const auto pem = key.to_pem().value();
        EXPECT_EQ(to_hex(encode_private_key(key).value().reveal()), to_hex(parse_pem(pem.reveal_text()).value().at(0).der));
        if (key.kind() == crypto::KeyKind::rsa) break;  // takes long
    }
}
INSTANTIATE_TEST_SUITE_P(All, PrivateKeyInfo, testing::Values("rsa2048", "p256", "p384", "p521", "ed25519", "x448"),
                         [](const auto& test) { return test.param; });

// RFC 8410 10.3: the same key in both versions; the second has an attribute and the public key.
constexpr auto version_1 = "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
constexpr auto version_2 =
    "3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842a01f301d060a2a864886f70d0109"
    "09"
    "14310f0c0d437572646c6520436861697273812100"
    "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

TEST(OneAsymmetricKey, ReadsBothVersions) {
    const auto first = decode_private_key(hex(version_1));
    const auto second = decode_private_key(hex(version_2));
    ASSERT_TRUE(first) << first.error().detail;
    ASSERT_TRUE(second) << second.error().detail << second.error().cause;
    EXPECT_TRUE(same_key(*first, *second));
}

TEST(OneAsymmetricKey, RefusesWhatItIsNot) {
    auto other = hex(version_2);
    other.back() ^= 1;
    EXPECT_EQ(code_of(decode_private_key(other)), Code::bad_key);
    auto version = hex(version_1);
    version[4] = 2;
    EXPECT_EQ(code_of(decode_private_key(version)), Code::malformed);
    EXPECT_EQ(code_of(decode_private_key(hex("0500"))), Code::malformed);
    EXPECT_EQ(code_of(decode_private_key(as_bytes("-----BEGIN PRIVATE KEY-----"))), Code::malformed);
    for (std::size_t size = 0; size < hex(version_1).size(); ++size)
        EXPECT_FALSE(decode_private_key(Bytes{hex(version_1)}.first(size)));
}

/// RFC 7030 4.4.2: signed by who made the key, then enveloped.
ByteVec sealed(const crypto::PrivateKey& key, const test::Party& maker,
               const std::function<void(EnvelopedDataBuilder&)>& address) {
    const Signer signer{maker.key, Identifier::by_issuer(maker.certificate)};
    const auto content = sign_key_package(key, signer, {maker.certificate.der()}).value();
    EnvelopedDataBuilder builder{oid::signed_data, content.reveal()};
    address(builder);
    return builder.build().value();
}

void expect_key(const Result<crypto::Secret>& content, const crypto::PrivateKey& key, const test::Party& maker) {
    ASSERT_TRUE(content) << content.error().detail;
    const auto package = parse_inner_signed_data(content->reveal());
    ASSERT_TRUE(package) << package.error().detail;
    ASSERT_EQ(package->signers().size(), 1u);
    EXPECT_TRUE(verify_signer(*package, package->signers()[0], maker.certificate));
    EXPECT_TRUE(same_key(key_of_package(*package).value(), key));
}

TEST(KeyPackage, ReachesWhoAskedForIt) {
    const auto& maker = party("p256", 1);
    const auto& key = party("ed25519").key;
    for (const auto* type : {"rsa2048", "p256"}) {
        const auto& to = party(type);
        const auto der = sealed(key, maker, [&](auto& builder) { builder.recipient(to.certificate); });
        const auto data = EnvelopedData::parse(der).value();
        EXPECT_EQ(data.content_type(), oid::signed_data);
        expect_key(data.open(KeyHolder{to.key, to.certificate}), key, maker);
    }
    const SharedKey shared{to_vec(as_bytes("psk")), crypto::Secret{ByteVec(32, 7)}};
    const auto der = sealed(key, maker, [&](auto& builder) { builder.recipient(shared).cipher("AES-128-CBC"); });
    expect_key(EnvelopedData::parse(der)->open(shared), key, maker);
}

TEST(KeyPackage, OpensslReadsWhatIsInside) {
    const auto& maker = party("p256", 1);
    const Signer signer{maker.key, Identifier::by_issuer(maker.certificate)};
    const auto content = sign_key_package(party("p384").key, signer, {maker.certificate.der()}).value();
    const auto cms = test::read_cms(make_content_info(oid::signed_data, content.reveal()));
    ASSERT_TRUE(cms);
    const crypto::openssl::Bio out{BIO_new(BIO_s_mem())};
    ASSERT_EQ(CMS_verify(cms.get(), nullptr, nullptr, nullptr, out.get(), CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
    const auto package = test::taken(out);
    der::Reader reader{package};
    const auto key = crypto::PrivateKey::from_bytes(reader.content(der::Tag::sequence).value());
    ASSERT_TRUE(key);
    EXPECT_TRUE(same_key(*key, party("p384").key));
}

TEST(KeyPackage, IsReadInAContentInfoToo) {
    const auto& maker = party("p256", 1);
    const Signer signer{maker.key, Identifier::by_issuer(maker.certificate)};
    const auto content = sign_key_package(party("p256").key, signer, {}).value();
    const auto wrapped = make_content_info(oid::signed_data, content.reveal());
    EXPECT_TRUE(same_key(key_of_package(parse_inner_signed_data(wrapped).value()).value(), party("p256").key));
}

TEST(KeyPackage, HasOneKeyAndNothingElse) {
    const auto& maker = party("p256", 1);
    const auto holding = [&](const der::Oid& type, std::string_view content) {
        const auto octets = hex(content);
        const auto der =
            SignedDataBuilder{type, octets}.signer({maker.key, Identifier::by_issuer(maker.certificate)}).build().value();
        return key_of_package(SignedData::parse(der).value());
    };
    EXPECT_TRUE(holding(oid::asymmetric_key_package, std::string{"3030"} + version_1));
    EXPECT_EQ(code_of(holding(oid::data, std::string{"3030"} + version_1)), Code::unsupported);
    EXPECT_EQ(code_of(holding(oid::asymmetric_key_package, "3000")), Code::malformed);
    EXPECT_EQ(code_of(holding(oid::asymmetric_key_package, std::string{"3060"} + version_1 + version_1)), Code::malformed);
}

}  // namespace
}  // namespace estuary::cms
