#include "estuary/cms/encrypted_value.h"

#include <openssl/crmf.h>

#include "support.h"

namespace estuary::cms {
namespace {

using test::party;
using testing::HasSubstr;
using x509::crmf::EncryptedValue;
using OpensslValue = Handle<OSSL_CRMF_ENCRYPTEDVALUE, OSSL_CRMF_ENCRYPTEDVALUE_free>;

EncryptedValue for_rsa(Bytes content) { return make_encrypted_value(content, party("rsa2048").key.public_key()).value(); }

TEST(EncryptedValue, OpensslFindsTheCertificate) {
    const auto& recipient = party("rsa2048");
    const auto der = for_rsa(recipient.certificate.der()).encode();
    const auto* at = der.data();
    const OpensslValue read{d2i_OSSL_CRMF_ENCRYPTEDVALUE(nullptr, &at, static_cast<long>(der.size()))};
    ASSERT_TRUE(read);
    const test::X509Handle certificate{
        OSSL_CRMF_ENCRYPTEDVALUE_get1_encCert(read.get(), nullptr, nullptr, recipient.key.handle())};
    ASSERT_TRUE(certificate) << crypto::openssl::drain_errors();
    std::uint8_t* encoded = nullptr;
    const int size = i2d_X509(certificate.get(), &encoded);
    EXPECT_TRUE(same({encoded, static_cast<std::size_t>(size)}, recipient.certificate.der()));
    OPENSSL_free(encoded);
}

TEST(EncryptedValue, IsOpenedByItsHolderOnly) {
    const auto value = for_rsa(as_bytes("a secret"));
    EXPECT_EQ(open_encrypted_value(value, party("rsa2048").key).value().reveal_text(), "a secret");
    const auto other = open_encrypted_value(value, party("rsa2048", 1).key);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::bad_proof);
    EXPECT_EQ(open_encrypted_value(value, party("p256").key).error().code, Code::bad_proof);
    EXPECT_EQ(make_encrypted_value(as_bytes("x"), party("p256").key.public_key()).error().code, Code::bad_key);
}

TEST(EncryptedValue, WrongKeysAndWrongPaddingLookAlike) {  // bug class 17
    const auto good = for_rsa(as_bytes("a secret"));
    const auto expected = open_encrypted_value(good, party("rsa2048", 1).key).error().detail;
    for (std::size_t i = 0; i < good.enc_symm_key->size(); i += 16) {
        auto changed = good;
        (*changed.enc_symm_key)[i] ^= 1;
        const auto opened = open_encrypted_value(changed, party("rsa2048").key);
        if (opened) continue;  // a key that decrypts to something
        EXPECT_EQ(opened.error().detail, expected);
        EXPECT_EQ(opened.error().code, Code::bad_proof);
    }
    auto changed = good;
    changed.enc_value.pop_back();
    EXPECT_EQ(open_encrypted_value(changed, party("rsa2048").key).error().detail, expected);
}

TEST(EncryptedValue, MissingFieldsAndOtherCiphersAreSaid) {  // bug class 16
    const auto good = for_rsa(as_bytes("a secret"));
    for (const auto field : {&EncryptedValue::symm_alg, &EncryptedValue::enc_symm_key, &EncryptedValue::key_alg}) {
        auto changed = good;
        (changed.*field).reset();
        EXPECT_EQ(open_encrypted_value(changed, party("rsa2048").key).error().code, Code::malformed);
    }
    auto gcm = good;
    gcm.symm_alg = encode(fresh(*content_cipher("AES-256-GCM")));
    EXPECT_EQ(open_encrypted_value(gcm, party("rsa2048").key).error().code, Code::unsupported);
    auto triple_des = good;
    triple_des.symm_alg = encode(fresh(*content_cipher("DES-EDE3-CBC")));
    EXPECT_THAT(open_encrypted_value(triple_des, party("rsa2048").key).error().detail, HasSubstr("not allowed"));
    EXPECT_EQ(open_encrypted_value(triple_des, party("rsa2048").key, {.triple_des = true}).error().code, Code::bad_proof);
    auto agreement = good;
    agreement.key_alg = make_algorithm(der::Oid{"1.2.840.10045.2.1"});
    EXPECT_EQ(open_encrypted_value(agreement, party("rsa2048").key).error().code, Code::unsupported);
}

}  // namespace
}  // namespace estuary::cms
