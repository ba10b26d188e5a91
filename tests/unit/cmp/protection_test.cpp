#include "estuary/cmp/protection.h"

#include <chrono>

#include "estuary/cmp/protection_oids.h"
#include "estuary/crypto/one_way_function.h"
#include "support.h"

namespace estuary::cmp {
namespace {

using test::code_of;
using test::hex;

/// A request of openssl cmp (tests/data/crmf).
ByteVec crmf_file(const std::string& name) {
    return test::data_file("crmf/" + name);
}
PkiMessage openssl_message(const std::string& name) { return PkiMessage::parse(crmf_file(name + ".der")).value(); }

const crypto::Secret& secret() {
    static const crypto::Secret octets{std::string_view{"s3cret-Estuary"}};
    return octets;
}

Result<void> verify_mac(const PkiMessage& message, const crypto::Secret& shared, const ProtectionLimits& limits = {}) {
    return verify_mac_protection(*message.header().protection_alg, message.protected_part(), *message.protection(), shared, limits);
}
Result<void> verify_signature(const PkiMessage& message, const crypto::PublicKey& key) {
    return verify_signature_protection(*message.header().protection_alg, message.protected_part(), *message.protection(), key);
}

// --- shared secrets (RFC 9810 5.1.3.1)

class OpensslMac : public testing::TestWithParam<std::string> {};

TEST_P(OpensslMac, IsVerifiedBySecretAndByNoOther) {
    const auto message = openssl_message(GetParam());
    EXPECT_EQ(protection_kind(*message.header().protection_alg).value(), ProtectionKind::password_mac);
    const auto good = verify_mac(message, secret());
    EXPECT_TRUE(good) << good.error().detail;
    EXPECT_EQ(code_of(verify_mac(message, crypto::Secret{std::string_view{"s3cret-estuary"}})), Code::bad_proof);
    EXPECT_EQ(code_of(verify_mac(message, crypto::Secret{})), Code::bad_key);  // bug class 9
}

INSTANTIATE_TEST_SUITE_P(Rfc9481, OpensslMac,
                         testing::Values("ir_pbm_p256", "ir_pbm_rsa_sha384", "cr_pbm_sha512", "cr_extensions", "cr_issuer",
                                         "ir_ra_verified", "ir_key_encipherment", "ir_no_popo"),
                         [](const auto& test) { return test.param; });

TEST(Protection, EveryOctetOfHeaderAndBodyCounts) {
    const auto message = openssl_message("ir_pbm_p256");
    const auto part = message.protected_part();
    const auto& algorithm = *message.header().protection_alg;
    for (std::size_t i = 0; i < part.size(); i += 7) {
        auto changed = part;
        changed[i] ^= 0x20;
        EXPECT_EQ(code_of(verify_mac_protection(algorithm, changed, *message.protection(), secret())), Code::bad_proof) << i;
    }
    auto value = to_vec(*message.protection());
    value.pop_back();
    EXPECT_EQ(code_of(verify_mac_protection(algorithm, part, value, secret())), Code::bad_proof);
    EXPECT_EQ(code_of(verify_mac_protection(algorithm, part, {}, secret())), Code::bad_proof);
}

TEST(Protection, HugeIterationCountsCostNothing) {  // bug class 30
    for (const auto scheme : {crypto::PasswordMacChoice::Scheme::pbmac1, crypto::PasswordMacChoice::Scheme::password_based_mac}) {
        const auto algorithm = crypto::make_password_mac_algorithm({scheme, "SHA256", "HMAC-SHA256", 1'000'000'000'000}).value();
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(code_of(verify_mac_protection(algorithm, as_bytes("part"), ByteVec(32), secret())), Code::too_large);
        EXPECT_EQ(code_of(Protector::with_secret_like(secret(), algorithm)), Code::too_large);
        EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds{500});
    }
}

TEST(Protection, LimitsAreTheCallers) {
    const auto message = openssl_message("ir_pbm_p256");  // 500 iterations, HMAC-SHA1
    EXPECT_EQ(code_of(verify_mac(message, secret(), {.password = {.iterations_max = 499}})), Code::too_large);
    EXPECT_EQ(code_of(verify_mac(message, secret(), {.password = {.iterations_min = 501}})), Code::bad_key);
    EXPECT_EQ(code_of(verify_mac(message, secret(), {.password = {.salt_octets_max = 15}})), Code::too_large);
    EXPECT_EQ(code_of(verify_mac(message, secret(), {.password = {.hmac_sha1 = false}})), Code::unsupported);
}

TEST(Protection, SharedKeysAreUsedAsTheyAreOnlyIfAllowed) {  // RFC 9481 6.2
    for (const auto* name : {"HMAC-SHA256", "HMAC-SHA512", "KMAC-128", "KMAC-256"}) {
        const auto algorithm = crypto::encode_mac_algorithm(name).value();
        EXPECT_EQ(protection_kind(algorithm).value(), ProtectionKind::shared_key_mac);
        EXPECT_EQ(code_of(Protector::with_secret_like(secret(), algorithm)), Code::unsupported);
        const auto protector = Protector::with_secret_like(secret(), algorithm, {.shared_key_macs = true}).value();
        const auto value = protector.protect(as_bytes("part")).value();
        EXPECT_EQ(code_of(verify_mac_protection(algorithm, as_bytes("part"), value, secret())), Code::unsupported);
        EXPECT_TRUE(verify_mac_protection(algorithm, as_bytes("part"), value, secret(), {.shared_key_macs = true}));
        EXPECT_EQ(code_of(verify_mac_protection(algorithm, as_bytes("trap"), value, secret(), {.shared_key_macs = true})),
                  Code::bad_proof);
        EXPECT_EQ(code_of(verify_mac_protection(algorithm, as_bytes("part"), value, crypto::Secret{}, {.shared_key_macs = true})),
                  Code::bad_key);
    }
    // RFC 4231 4.3, test case 2
    EXPECT_TRUE(verify_mac_protection(crypto::encode_mac_algorithm("HMAC-SHA256").value(), as_bytes("what do ya want for nothing?"),
                                      hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                                      crypto::Secret{std::string_view{"Jefe"}}, {.shared_key_macs = true}));
    const auto gmac = crypto::encode_mac_algorithm("AES-128-GMAC").value();
    EXPECT_EQ(code_of(Protector::with_secret_like(secret(), gmac, {.shared_key_macs = true})), Code::unsupported);
    const auto sha1 = crypto::encode_mac_algorithm("HMAC-SHA1").value();
    EXPECT_EQ(code_of(Protector::with_secret_like(secret(), sha1, {.password = {.hmac_sha1 = false}, .shared_key_macs = true})),
              Code::unsupported);
}

TEST(Protector, WithASecretMakesWhatItVerifies) {
    const auto protector = Protector::with_secret(secret()).value();
    const auto value = protector.protect(as_bytes("part")).value();
    EXPECT_TRUE(verify_mac_protection(protector.algorithm(), as_bytes("part"), value, secret()));
    EXPECT_EQ(protector.protect(as_bytes("part")).value(), value);  // one salt for the transaction
    EXPECT_FALSE(same(protector.algorithm(), Protector::with_secret(secret()).value().algorithm()));
    EXPECT_EQ(crypto::password_mac_choice(protector.algorithm()).value().scheme, crypto::PasswordMacChoice::Scheme::pbmac1);
    EXPECT_EQ(code_of(Protector::with_secret(crypto::Secret{})), Code::bad_key);
    EXPECT_EQ(code_of(Protector::with_secret_like(crypto::Secret{}, protector.algorithm())), Code::bad_key);
}

TEST(Protector, LikeTheRequestKeepsItsParameters) {
    const auto request = openssl_message("ir_pbm_p256");
    const auto& algorithm = *request.header().protection_alg;
    const auto protector = Protector::with_secret_like(secret(), algorithm).value();
    EXPECT_TRUE(same(protector.algorithm(), algorithm));
    EXPECT_EQ(protector.protect(request.protected_part()).value(), to_vec(*request.protection()));
}

TEST(Protector, GmacIsNeverUsedTwice) {  // RFC 9481 6.2.2
    const crypto::PasswordMacChoice gmac{crypto::PasswordMacChoice::Scheme::pbmac1, "SHA256", "AES-256-GMAC"};
    EXPECT_EQ(code_of(Protector::with_secret(secret(), gmac)), Code::unsupported);
    const auto received = crypto::make_password_mac_algorithm(gmac).value();
    const auto protector = Protector::with_secret_like(secret(), received).value();
    const auto choice = crypto::password_mac_choice(protector.algorithm()).value();
    EXPECT_EQ(choice.mac, "HMAC-SHA256");
    EXPECT_EQ(choice.iterations, gmac.iterations);
    const auto value = crypto::compute_password_mac(received, secret(), as_bytes("part")).value();
    EXPECT_TRUE(verify_mac_protection(received, as_bytes("part"), value, secret()));  // one of a peer's is read
}

// --- signatures (RFC 9810 5.1.3.3)

TEST(Protection, OpensslsSignaturesAreVerified) {
    for (const auto& [name, signer] : {std::pair{"kur_signature_p256", "signer_p256.pem"}, {"cr_signature_rsa", "signer_rsa.pem"}}) {
        const auto message = openssl_message(name);
        EXPECT_EQ(protection_kind(*message.header().protection_alg).value(), ProtectionKind::signature);
        const auto key = x509::Certificate::from_bytes(crmf_file(signer)).value().public_key().value();
        EXPECT_TRUE(verify_signature(message, key)) << name;
        const auto other = crypto::PrivateKey::generate(key.type_name()).value();
        EXPECT_EQ(code_of(verify_signature(message, other.public_key())), Code::bad_proof);
        auto part = message.protected_part();
        part[part.size() / 2] ^= 1;
        EXPECT_EQ(code_of(verify_signature_protection(*message.header().protection_alg, part, *message.protection(), key)),
                  Code::bad_proof);
    }
}

TEST(Protection, EverySignatureKeyProtects) {
    for (const auto& type : crypto::key_types()) {
        if (!type.signs || type.name.starts_with("slh-dsa") || type.name == "rsa4096" || type.name == "rsa3072") continue;
        const auto key = crypto::PrivateKey::generate(type.name).value();
        const auto protector = Protector::with_key(key).value();
        EXPECT_EQ(protection_kind(protector.algorithm()).value(), ProtectionKind::signature) << type.name;
        const auto value = protector.protect(as_bytes("part")).value();
        EXPECT_TRUE(verify_signature_protection(protector.algorithm(), as_bytes("part"), value, key.public_key())) << type.name;
        EXPECT_EQ(code_of(verify_signature_protection(protector.algorithm(), as_bytes("trap"), value, key.public_key())),
                  Code::bad_proof)
            << type.name;
    }
    EXPECT_EQ(code_of(Protector::with_key(crypto::PrivateKey::generate("x25519").value())), Code::bad_key);  // bug class 33
}

TEST(Protection, WeakSignaturesAreRefused) {
    const auto key = crypto::PrivateKey::generate("rsa2048").value();
    for (const auto* oid : {"1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4"}) {
        const auto& algorithm = crypto::signature_algorithm(der::Oid{oid})->identifier;
        EXPECT_EQ(protection_kind(algorithm).value(), ProtectionKind::signature);
        EXPECT_EQ(code_of(verify_signature_protection(algorithm, as_bytes("part"), ByteVec(256), key.public_key())), Code::bad_key);
    }
}

// --- static Diffie-Hellman keys (RFC 9810 5.1.3.2)

ByteVec dh_based_mac(std::string_view owf, std::string_view mac) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(oid::dh_based_mac);
        writer.sequence([&] {
            writer.raw(crypto::encode_one_way_function(owf).value()).raw(crypto::encode_mac_algorithm(mac).value());
        });
    });
    return std::move(writer).take();
}

/// The keys of RFC 7748 6.1; the code was computed from their shared secret with Python's hashlib and hmac.
TEST(Protection, DiffieHellmanIsThatOfRfc9810) {
    const auto bob = crypto::PrivateKey::from_bytes(hex("302e020100300506032b656e042204205dab087e624a8a4b79e17f8b83800ee66f3bb1292618"
                                                        "b6fd1c2f8b27ff88e0eb"))
                         .value();
    const auto alice = crypto::PublicKey::from_spki(
                           hex("302a300506032b656e0321008520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
                           .value();
    const auto algorithm = dh_based_mac("SHA256", "HMAC-SHA256");
    const auto value = hex("337aaf2a45b94dc365dca79ead0585e864600de355370575772e097547c93edc");
    EXPECT_TRUE(verify_diffie_hellman_protection(algorithm, as_bytes("part"), value, bob, alice, {.diffie_hellman = true}));
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(algorithm, as_bytes("trap"), value, bob, alice, {.diffie_hellman = true})),
              Code::bad_proof);
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(algorithm, as_bytes("part"), value, bob, alice)), Code::unsupported);
}

TEST(Protection, KindsAreToldByTheirOid) {
    EXPECT_EQ(protection_kind(dh_based_mac("SHA256", "HMAC-SHA256")).value(), ProtectionKind::diffie_hellman);
    EXPECT_EQ(code_of(protection_kind(hex("300406022a03"))), Code::unsupported);
    EXPECT_EQ(code_of(protection_kind(hex("3000"))), Code::malformed);
    EXPECT_EQ(code_of(protection_kind({})), Code::malformed);
}

TEST(Protection, DiffieHellmanIsVerifiedWhereAllowed) {
    const auto own = crypto::PrivateKey::generate("x25519").value(), other = crypto::PrivateKey::generate("x25519").value();
    const auto algorithm = dh_based_mac("SHA256", "HMAC-SHA256");
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(algorithm, as_bytes("part"), ByteVec(32), own, other.public_key())),
              Code::unsupported);
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(algorithm, as_bytes("part"), ByteVec(32), own, other.public_key(),
                                                       {.diffie_hellman = true})),
              Code::bad_proof);
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(dh_based_mac("SHA1", "HMAC-SHA256"), as_bytes("part"), ByteVec(32), own,
                                                       other.public_key(), {.diffie_hellman = true})),
              Code::unsupported);
    EXPECT_EQ(code_of(verify_diffie_hellman_protection(dh_based_mac("SHA256", "AES-128-GMAC"), as_bytes("part"), ByteVec(16), own,
                                                       other.public_key(), {.diffie_hellman = true})),
              Code::unsupported);
}

// --- whole messages

PkiBody error_body() { return {BodyType::error, ErrorMsgContent{}}; }

TEST(Protector, MakesWholeMessages) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    for (const auto& protector : {Protector::with_secret(secret()).value(), Protector::with_key(key).value()}) {
        const auto made = protector.protect(test::header(), error_body());
        ASSERT_TRUE(made);
        const auto message = PkiMessage::parse(*made);
        ASSERT_TRUE(message) << test::failure(message);
        EXPECT_TRUE(same(*message->header().protection_alg, protector.algorithm()));
        EXPECT_TRUE(protector.algorithm()[0] == 0x30 &&
                    (verify_mac(*message, secret()) || verify_signature(*message, key.public_key())));
    }
}

TEST(Protector, InnerMessagesKeepTheirOwnProtection) {  // RFC 9810 5.1.3.5
    const auto inner = openssl_message("ir_pbm_p256");
    const auto authority = crypto::PrivateKey::generate("p256").value();
    const PkiBody body{BodyType::nested, NestedMessageContent{{inner, openssl_message("cr_pbm_sha512")}}};
    const auto outer = PkiMessage::parse(Protector::with_key(authority).value().protect(test::header(), body).value()).value();
    EXPECT_TRUE(verify_signature(outer, authority.public_key()));
    const auto& messages = outer.as<NestedMessageContent>().messages;
    ASSERT_EQ(messages.size(), 2u);
    for (const auto& message : messages) EXPECT_TRUE(verify_mac(message, secret()));
    EXPECT_TRUE(same(messages[0].der(), inner.der()));
    // The outer one covers the inner ones with their protection.
    auto part = outer.protected_part();
    part.back() ^= 1;  // the last octet of the last inner protection
    EXPECT_EQ(code_of(verify_signature_protection(*outer.header().protection_alg, part, *outer.protection(),
                                                  authority.public_key())),
              Code::bad_proof);
}

}  // namespace
}  // namespace estuary::cmp
