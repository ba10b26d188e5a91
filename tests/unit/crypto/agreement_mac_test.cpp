// MACs by key agreement: their identifiers, and the keys that they are made with.
#include "estuary/crypto/agreement_mac.h"

#include "estuary/crypto/key_transport.h"
#include "support.h"

namespace estuary::crypto {
namespace {

using test::code_of;
using test::hex;

constexpr const char* static_ecdh_sha256 = "300a06082b0601050507061a";

TEST(AgreementMac, IdentifiersAreReadAndWritten) {
    const auto dh = encode_dh_based_mac("SHA384", "HMAC-SHA512").value();
    const auto read = read_agreement_mac(dh).value();
    EXPECT_EQ(read.kind, AgreementMac::Kind::dh_based_mac);
    EXPECT_EQ(read.digest, "SHA384");
    EXPECT_EQ(read.mac.name, "HMAC-SHA512");
    EXPECT_EQ(to_hex(encode_static_ecdh("SHA256").value()), static_ecdh_sha256);
    for (const auto* digest : {"SHA224", "SHA256", "SHA384", "SHA512"}) {
        const auto ecdh = read_agreement_mac(encode_static_ecdh(digest).value()).value();
        EXPECT_EQ(ecdh.kind, AgreementMac::Kind::static_ecdh);
        EXPECT_EQ(ecdh.digest, digest);
        EXPECT_EQ(ecdh.mac.name, std::string{"HMAC-"} + digest);
    }
    EXPECT_TRUE(read_agreement_mac(hex("300c06082b0601050507061a0500")));   // NULL is no parameter
    EXPECT_EQ(code_of(encode_static_ecdh("SHA1")), Code::unsupported);
    EXPECT_EQ(code_of(encode_dh_based_mac("SHA256", "HMAC-MD5")), Code::unsupported);
}

TEST(AgreementMac, OthersAreTold) {
    EXPECT_TRUE(is_agreement_mac(hex(static_ecdh_sha256)));
    EXPECT_TRUE(is_agreement_mac(encode_dh_based_mac("SHA256", "HMAC-SHA256").value()));
    EXPECT_FALSE(is_agreement_mac(encode_mac_algorithm("HMAC-SHA256").value()));
    EXPECT_FALSE(is_agreement_mac({}));
    EXPECT_EQ(code_of(read_agreement_mac(encode_mac_algorithm("HMAC-SHA256").value())), Code::unsupported);
    EXPECT_EQ(code_of(read_agreement_mac(hex("300a06082b06010505070610"))), Code::unsupported);           // classic DH: dhPop-static
    EXPECT_EQ(code_of(read_agreement_mac(encode_dh_based_mac("SHA256", "AES-128-GMAC").value())), Code::unsupported);
}

// Bug class 15: parameters that are absent, empty or something else.
TEST(AgreementMac, MalformedParameters) {
    for (const auto* identifier : {"300b06092a864886f67d07421e", "300d06092a864886f67d07421e3000", "300d06092a864886f67d07421e0500",
                                   "300c06082b0601050507061a3000", "300e06082b0601050507061a05000500", "3000", ""})
        EXPECT_EQ(code_of(read_agreement_mac(hex(identifier))), Code::malformed) << identifier;
}

TEST(AgreementMac, TheKeyIsTheDigestOfWhatIsAgreedOnBetweenTheNames) {
    const auto alice = PrivateKey::generate("p256").value(), bob = PrivateKey::generate("p256").value();
    const auto use = read_agreement_mac(hex(static_ecdh_sha256)).value();
    const auto key = agreement_mac_key(use, alice, bob.public_key(), as_bytes("before"), as_bytes("after")).value();
    ByteVec octets = to_vec(as_bytes("before"));
    append(octets, agree(bob, alice.public_key()).value().reveal());
    append(octets, as_bytes("after"));
    EXPECT_EQ(to_hex(key.reveal()), to_hex(digest("SHA256", octets).value()));
    EXPECT_TRUE(same(key.reveal(), agreement_mac_key(use, bob, alice.public_key(), as_bytes("before"), as_bytes("after")).value().reveal()));
    EXPECT_EQ(code_of(agreement_mac_key(use, alice, PrivateKey::generate("p384").value().public_key())), Code::bad_key);
}

}  // namespace
}  // namespace estuary::crypto
