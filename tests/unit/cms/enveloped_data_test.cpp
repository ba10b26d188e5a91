#include "estuary/cms/enveloped_data.h"

#include "estuary/cms/ber.h"
#include "estuary/cms/password_wrap.h"
#include "estuary/crypto/cipher.h"
#include "estuary/crypto/kdf.h"
#include "estuary/crypto/key_transport.h"
#include "support.h"

namespace estuary::cms {
namespace {

using crypto::Secret;
using test::code_of;
using test::hex;
using test::party;
using test::Party;
using test::pki_data;
using test::words;
using testing::HasSubstr;

KeyHolder holder_of(const Party& who) { return {who.key, who.certificate}; }
SharedKey shared_key(std::size_t octets = 32, std::string_view name = "psk") {
    return {to_vec(as_bytes(name)), Secret{ByteVec(octets, 0x42)}};
}
const Secret& password() {
    static const Secret secret{std::string_view{"correct horse"}};
    return secret;
}

std::string text_of(const Result<Secret>& opened) {
    return opened ? std::string{opened->reveal_text()} : "error: " + opened.error().detail + " (" + opened.error().cause + ")";
}
const std::string words_text{as_text(words)};

Result<Secret> opened_by(Bytes der, const KeyHolder& holder, const OpenOptions& options = {}) {
    ESTUARY_TRY(const auto data, EnvelopedData::parse(der));
    return data.open(holder, options);
}

// ---- Both directions by ourselves

struct Way {
    std::string key, cipher;
};
class EnvelopedWay : public testing::TestWithParam<Way> {};

TEST_P(EnvelopedWay, IsOpenedByItsRecipientOnly) {
    if (!crypto::key_type(GetParam().key)) GTEST_SKIP() << "this library has no " << GetParam().key;
    const auto& who = party(GetParam().key);
    const auto der = EnvelopedDataBuilder{pki_data, words}.cipher(GetParam().cipher).recipient(who.certificate).build();
    ASSERT_TRUE(der) << der.error().detail;
    const auto data = EnvelopedData::parse(*der);
    ASSERT_TRUE(data) << data.error().detail;
    EXPECT_EQ(data->content_type(), pki_data);
    EXPECT_EQ(data->cipher().name, GetParam().cipher);
    EXPECT_EQ(data->authenticated(), GetParam().cipher.ends_with("GCM"));
    EXPECT_EQ(text_of(data->open(holder_of(who))), words_text);
    EXPECT_EQ(code_of(data->open(holder_of(party(GetParam().key, 1)))), Code::not_found);
    const KeyHolder pretender{party(GetParam().key, 1).key, who.certificate};
    const auto pretended = data->open(pretender);
    EXPECT_NE(text_of(pretended), words_text);
    EXPECT_TRUE(pretended || pretended.error().code == Code::bad_proof);  // RSA and CBC: one in 256 gives noise
}

INSTANTIATE_TEST_SUITE_P(All, EnvelopedWay, testing::Values(
    Way{"rsa2048", "AES-128-CBC"}, Way{"rsa2048", "AES-192-CBC"}, Way{"rsa2048", "AES-256-GCM"}, Way{"p256", "AES-128-CBC"},
    Way{"p256", "AES-128-GCM"}, Way{"p384", "AES-256-CBC"}, Way{"p521", "AES-192-GCM"}, Way{"x25519", "AES-256-CBC"},
    Way{"x448", "AES-256-GCM"}, Way{"ml-kem-768", "AES-256-CBC"}),
    [](const auto& test) {
        auto name = test.param.key + "_" + test.param.cipher;
        std::ranges::replace(name, '-', '_');
        return name;
    });

TEST(EnvelopedData, IsAddressedByKeyIdentifier) {
    for (const auto* type : {"rsa2048", "p256"}) {
        const auto& who = party(type);
        const auto identifier = Identifier::by_key(as_bytes("key 17"));
        const auto der =
            EnvelopedDataBuilder{oid::data, words}.recipient(who.key.public_key(), identifier, RsaPadding::oaep).build().value();
        EXPECT_EQ(text_of(opened_by(der, {.key = who.key, .key_identifier = to_vec(as_bytes("key 17"))})), words_text);
        EXPECT_EQ(code_of(opened_by(der, {.key = who.key, .key_identifier = to_vec(as_bytes("key 18"))})), Code::not_found);
        EXPECT_EQ(code_of(opened_by(der, {.key = who.key})), Code::not_found);
    }
}

TEST(EnvelopedData, HasSeveralRecipients) {
    const auto der = EnvelopedDataBuilder{oid::data, words}
                         .recipient(party("rsa2048").certificate)
                         .recipient(party("p256").certificate)
                         .recipient(party("x25519").certificate)
                         .recipient(shared_key())
                         .password(password(), 1000)
                         .build()
                         .value();
    const auto data = EnvelopedData::parse(der).value();
    EXPECT_EQ(data.recipients().size(), 5u);
    for (const auto* type : {"rsa2048", "p256", "x25519"}) EXPECT_EQ(text_of(data.open(holder_of(party(type)))), words_text);
    EXPECT_EQ(text_of(data.open(shared_key())), words_text);
    EXPECT_EQ(text_of(data.open_with_password(password())), words_text);
}

TEST(EnvelopedData, NeverTriesTwoKeys) {  // bug class 17
    const auto& who = party("rsa2048");
    const auto twice =
        EnvelopedDataBuilder{oid::data, words}.recipient(who.certificate).recipient(who.certificate).build().value();
    EXPECT_EQ(code_of(opened_by(twice, holder_of(who))), Code::malformed);
    const auto passwords = EnvelopedDataBuilder{oid::data, words}.password(password(), 1).password(password(), 1).build().value();
    EXPECT_EQ(code_of(EnvelopedData::parse(passwords)->open_with_password(password())), Code::malformed);
}

TEST(EnvelopedData, EmptyAndLongContent) {
    for (const std::size_t size : {0u, 15u, 16u, 100'000u})
        for (const auto* cipher : {"AES-128-CBC", "AES-128-GCM"}) {
            const ByteVec content(size, 0x61);
            const auto der = EnvelopedDataBuilder{oid::data, content}.cipher(cipher).recipient(shared_key()).build().value();
            EXPECT_EQ(text_of(EnvelopedData::parse(der)->open(shared_key())), to_string(content));
        }
}

TEST(EnvelopedData, SharedKeyIsNamedAndOfItsLength) {
    const auto der = EnvelopedDataBuilder{oid::data, words}.recipient(shared_key(16)).build().value();
    const auto data = EnvelopedData::parse(der).value();
    EXPECT_EQ(text_of(data.open(shared_key(16))), words_text);
    EXPECT_EQ(code_of(data.open(shared_key(16, "other"))), Code::not_found);
    EXPECT_EQ(code_of(data.open(shared_key(32))), Code::malformed);
    EXPECT_EQ(code_of(data.open(SharedKey{to_vec(as_bytes("psk")), Secret{ByteVec(16)}})), Code::bad_proof);
    EXPECT_EQ(code_of(EnvelopedDataBuilder{oid::data, words}.recipient(shared_key(17)).build()), Code::bad_key);
}

TEST(EnvelopedData, PasswordIterationsAreLimited) {
    const auto der = EnvelopedDataBuilder{oid::data, words}.password(password(), 1001).build().value();
    const auto data = EnvelopedData::parse(der).value();
    EXPECT_EQ(text_of(data.open_with_password(password(), {.iterations_max = 1001})), words_text);
    EXPECT_EQ(code_of(data.open_with_password(password(), {.iterations_max = 1000})), Code::too_large);
    EXPECT_EQ(code_of(data.open_with_password(Secret{std::string_view{"wrong"}})), Code::bad_proof);
}

TEST(EnvelopedData, BuilderRefuses) {
    EXPECT_EQ(code_of(EnvelopedDataBuilder{oid::data, words}.build()), Code::malformed);
    EXPECT_EQ(code_of(EnvelopedDataBuilder{oid::data, words}.cipher("DES-EDE3-CBC").recipient(shared_key()).build()),
              Code::unsupported);
    EXPECT_EQ(code_of(EnvelopedDataBuilder{oid::data, words}.cipher("ROT13").recipient(shared_key()).build()), Code::unsupported);
    EXPECT_EQ(code_of(EnvelopedDataBuilder{oid::data, words}.recipient(party("ed25519").certificate).build()), Code::bad_key);
}

x509::Certificate with_key_usage(const Party& who, std::uint32_t bits) {
    const auto& old = who.certificate;
    x509::TbsCertificate tbs{to_vec(old.serial_number()), to_vec(old.signature_algorithm()), old.issuer(), old.not_before(),
                             old.not_after(), old.subject(), to_vec(old.spki()), {x509::make_key_usage(bits)}};
    const auto octets = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(octets, old.signature_algorithm(), who.key.sign(octets).value()))
        .value();
}

TEST(EnvelopedData, KeyUsageIsHeldTo) {  // bug class 33
    constexpr std::uint32_t digital_signature = 1, key_encipherment = 4, key_agreement = 16;
    const auto build = [](const std::string& type, std::uint32_t bits) {
        return EnvelopedDataBuilder{oid::data, words}.recipient(with_key_usage(party(type), bits)).build();
    };
    EXPECT_TRUE(build("rsa2048", digital_signature | key_encipherment));
    EXPECT_EQ(code_of(build("rsa2048", digital_signature | key_agreement)), Code::bad_key);
    EXPECT_TRUE(build("p256", key_agreement));
    EXPECT_EQ(code_of(build("p256", digital_signature | key_encipherment)), Code::bad_key);
}

// ---- OpenSSL on the other side

using Adder = std::function<void(CMS_ContentInfo*)>;

ByteVec made_by_openssl(const Adder& add_recipients, const EVP_CIPHER* cipher, bool stream = false) {
    const auto content = test::bio_of(words);
    const unsigned flags = CMS_BINARY | (stream ? CMS_STREAM : 0);
    const test::Cms cms{CMS_encrypt(nullptr, nullptr, cipher, flags | CMS_PARTIAL)};
    EXPECT_TRUE(cms);
    add_recipients(cms.get());
    if (stream) return test::written(cms.get(), words);
    EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, flags), 1) << crypto::openssl::drain_errors();
    return test::written(cms.get());
}

void add_certificate(CMS_ContentInfo* cms, const Party& who, unsigned flags, const char* option = nullptr,
                     const char* value = nullptr) {
    auto* added = CMS_add1_recipient_cert(cms, test::to_x509(who.certificate).get(), flags | CMS_KEY_PARAM);
    ASSERT_NE(added, nullptr);
    auto* context = CMS_RecipientInfo_get0_pkey_ctx(added);
    if (option == nullptr) return;
    ASSERT_EQ(EVP_PKEY_CTX_ctrl_str(context, option, value), 1) << crypto::openssl::drain_errors();
}

struct Theirs {
    std::string name, key;
    unsigned flags;
    const char* option;
    const char* value;
    const EVP_CIPHER* (*cipher)();
};
class EnvelopedByOpenssl : public testing::TestWithParam<Theirs> {};

TEST_P(EnvelopedByOpenssl, IsOpenedHere) {
    const auto& test_case = GetParam();
    const auto add = [&](CMS_ContentInfo* cms) {
        add_certificate(cms, party(test_case.key), test_case.flags, test_case.option, test_case.value);
    };
    EXPECT_EQ(text_of(opened_by(made_by_openssl(add, test_case.cipher()), holder_of(party(test_case.key)))), words_text);
    const auto ber = made_by_openssl(add, test_case.cipher(), true);
    EXPECT_EQ(code_of(EnvelopedData::parse(ber)), Code::malformed);
    EXPECT_EQ(text_of(opened_by(to_der(ber).value(), holder_of(party(test_case.key)))), words_text);
}

INSTANTIATE_TEST_SUITE_P(Openssl, EnvelopedByOpenssl, testing::Values(
    Theirs{"rsa", "rsa2048", 0, nullptr, nullptr, EVP_aes_128_cbc},
    Theirs{"rsa_by_key", "rsa2048", CMS_USE_KEYID, nullptr, nullptr, EVP_aes_256_cbc},
    Theirs{"rsa_gcm", "rsa2048", 0, nullptr, nullptr, EVP_aes_256_gcm},
    Theirs{"rsa_oaep_sha1", "rsa2048", 0, "rsa_padding_mode", "oaep", EVP_aes_192_cbc},
    Theirs{"p256", "p256", 0, "ecdh_kdf_md", "sha256", EVP_aes_128_cbc},
    Theirs{"p256_by_key", "p256", CMS_USE_KEYID, "ecdh_kdf_md", "sha512", EVP_aes_256_cbc},
    Theirs{"p384_gcm", "p384", 0, "ecdh_kdf_md", "sha384", EVP_aes_128_gcm},
    Theirs{"p521", "p521", 0, "ecdh_kdf_md", "sha512", EVP_aes_256_cbc}),
    [](const auto& test) { return test.param.name; });

TEST(EnvelopedAndOpenssl, SharedKeyOfTheirs) {
    const auto der = made_by_openssl([](CMS_ContentInfo* cms) {
        const auto shared = shared_key();
        auto* key = static_cast<std::uint8_t*>(OPENSSL_memdup(shared.key.reveal().data(), 32));
        auto* id = static_cast<std::uint8_t*>(OPENSSL_memdup(shared.identifier.data(), shared.identifier.size()));
        EXPECT_NE(CMS_add0_recipient_key(cms, 0, key, 32, id, shared.identifier.size(), nullptr, nullptr, nullptr), nullptr);
    }, EVP_aes_128_cbc());
    EXPECT_EQ(text_of(EnvelopedData::parse(der)->open(shared_key())), words_text);
}

TEST(EnvelopedAndOpenssl, PasswordOfTheirs) {
    const auto der = made_by_openssl([](CMS_ContentInfo* cms) {
        auto* octets = static_cast<std::uint8_t*>(OPENSSL_memdup(password().reveal().data(), password().reveal().size()));
        EXPECT_NE(CMS_add0_recipient_password(cms, 2000, NID_undef, NID_undef, octets,
                                              static_cast<ossl_ssize_t>(password().reveal().size()), EVP_aes_256_cbc()),
                  nullptr);
    }, EVP_aes_256_cbc());
    EXPECT_EQ(text_of(EnvelopedData::parse(der)->open_with_password(password())), words_text);
}

TEST(EnvelopedAndOpenssl, TripleDesOfTheirsIfAllowed) {
    const auto& who = party("rsa2048");
    const auto der = made_by_openssl([&](CMS_ContentInfo* cms) { add_certificate(cms, who, 0); }, EVP_des_ede3_cbc());
    EXPECT_EQ(code_of(opened_by(der, holder_of(who))), Code::unsupported);
    EXPECT_EQ(text_of(opened_by(der, holder_of(who), {.triple_des = true})), words_text);
}

TEST(EnvelopedAndOpenssl, WhatItAgreesUponByDefaultIsOpened) {  // X9.63 KDF by SHA-1
    const auto& who = party("p256");
    const auto der = made_by_openssl([&](CMS_ContentInfo* cms) { add_certificate(cms, who, 0); }, EVP_aes_128_cbc());
    EXPECT_EQ(text_of(opened_by(der, holder_of(who))), words_text);
}

std::string opened_by_openssl(Bytes der, const std::function<int(CMS_ContentInfo*)>& set_key) {
    const auto cms = test::read_cms(der);
    if (!cms) return "not read: " + crypto::openssl::drain_errors();
    const crypto::openssl::Bio out{BIO_new(BIO_s_mem())};
    if (set_key(cms.get()) != 1 || CMS_decrypt(cms.get(), nullptr, nullptr, nullptr, out.get(), CMS_BINARY) != 1)
        return "not opened: " + crypto::openssl::drain_errors();
    return to_string(test::taken(out));
}

class EnvelopedForOpenssl : public testing::TestWithParam<Way> {};

TEST_P(EnvelopedForOpenssl, IsOpenedThere) {
    const auto& who = party(GetParam().key);
    const auto set_key = [&](CMS_ContentInfo* cms) {
        return CMS_decrypt_set1_pkey(cms, who.key.handle(), test::to_x509(who.certificate).get());
    };
    for (const auto padding : {RsaPadding::pkcs1, RsaPadding::oaep}) {
        const auto by_issuer =
            EnvelopedDataBuilder{oid::data, words}.cipher(GetParam().cipher).recipient(who.certificate, padding).build().value();
        EXPECT_EQ(opened_by_openssl(by_issuer, set_key), words_text);
        const auto identifier = Identifier::by_key(who.certificate).value();
        const auto by_key = EnvelopedDataBuilder{oid::data, words}
                                .cipher(GetParam().cipher)
                                .recipient(who.key.public_key(), identifier, padding)
                                .build()
                                .value();
        EXPECT_EQ(opened_by_openssl(by_key, set_key), words_text);
    }
}

INSTANTIATE_TEST_SUITE_P(Openssl, EnvelopedForOpenssl, testing::Values(
    Way{"rsa2048", "AES-128-CBC"}, Way{"rsa2048", "AES-256-GCM"}, Way{"p256", "AES-256-CBC"}, Way{"p384", "AES-192-CBC"},
    Way{"p521", "AES-256-GCM"}), [](const auto& test) { return test.param.key + "_" + std::to_string(test.index); });

TEST(EnvelopedAndOpenssl, SharedKeyOfOurs) {
    const auto shared = shared_key();
    const auto der = EnvelopedDataBuilder{oid::data, words}.recipient(shared).build().value();
    EXPECT_EQ(opened_by_openssl(der, [&](CMS_ContentInfo* cms) {
        auto key = to_vec(shared.key.reveal());
        return CMS_decrypt_set1_key(cms, key.data(), key.size(), shared.identifier.data(), shared.identifier.size());
    }), words_text);
}

TEST(EnvelopedAndOpenssl, PasswordOfOurs) {
    const auto der = EnvelopedDataBuilder{oid::data, words}.password(password(), 1000).build().value();
    EXPECT_EQ(opened_by_openssl(der, [&](CMS_ContentInfo* cms) {
        auto octets = to_vec(password().reveal());
        return CMS_decrypt_set1_password(cms, octets.data(), static_cast<ossl_ssize_t>(octets.size()));
    }), words_text);
}

// ---- What is wrong

/// The message with the octets that follow `marker` (and `skip` more) changed by `mask`.
ByteVec changed_after(ByteVec der, std::string_view marker, std::size_t skip, std::uint8_t mask = 1) {
    const auto found = std::ranges::search(der, hex(marker));
    EXPECT_FALSE(found.empty());
    *(found.end() + static_cast<std::ptrdiff_t>(skip)) ^= mask;
    return der;
}

TEST(EnvelopedData, FailsInOneWayOnly) {  // bug class 17
    const auto& who = party("rsa2048");
    const auto der = EnvelopedDataBuilder{oid::data, words}.recipient(who.certificate).build().value();
    std::vector<ByteVec> wrong;
    wrong.push_back(changed_after(der, "04820100", 0));         // the encrypted key: padding
    wrong.push_back(changed_after(der, "04820100", 255));
    wrong.push_back(changed_after(der, "04820100", 0, 0xFF));   // not below the modulus, maybe
    auto last = der;
    last.back() ^= 1;                                           // the last block: content padding
    wrong.push_back(last);
    auto short_key = EnvelopedDataBuilder{oid::data, words}.cipher("AES-128-CBC").recipient(who.certificate).build().value();
    wrong.push_back(changed_after(short_key, "06096086480165030401", 0, 0x02 ^ 0x2A));  // AES-256: key too short
    for (const auto& one : wrong) {
        const auto opened = opened_by(one, holder_of(who));
        if (opened) {  // one in 256: the padding of CBC comes out right by chance, and what is inside is noise
            EXPECT_NE(text_of(opened), words_text);
            continue;
        }
        EXPECT_EQ(opened.error().code, Code::bad_proof);
        EXPECT_EQ(opened.error().detail, "EnvelopedData: it does not decrypt");
    }
}

class EnvelopedBits : public testing::TestWithParam<Way> {};

/// With GCM nothing can be changed unnoticed but what names the recipient, which here is found by key.
TEST_P(EnvelopedBits, NoBitIsIdle) {  // bug class 15
    const auto& who = party(GetParam().key);
    const auto identifier = Identifier::by_key(as_bytes("key 17"));
    const auto der =
        EnvelopedDataBuilder{pki_data, words}.cipher("AES-256-GCM").recipient(who.key.public_key(), identifier).build().value();
    const KeyHolder holder{.key = who.key, .key_identifier = to_vec(as_bytes("key 17"))};
    test::expect_none_accepted(der, [&](Bytes changed) { return opened_by(changed, holder).has_value(); });
}

INSTANTIATE_TEST_SUITE_P(All, EnvelopedBits, testing::Values(Way{"rsa2048", ""}, Way{"p256", ""}, Way{"x25519", ""}),
                         [](const auto& test) { return test.param.key; });

TEST(EnvelopedData, NoBitOfASharedKeyMessageIsIdle) {
    const auto der = EnvelopedDataBuilder{pki_data, words}.cipher("AES-128-GCM").recipient(shared_key()).build().value();
    test::expect_none_accepted(der, [&](Bytes changed) {
        const auto data = EnvelopedData::parse(changed);
        return data && data->open(shared_key()).has_value();
    });
}

TEST(EnvelopedData, NoBitOfAPasswordMessageIsIdle) {
    const auto der = EnvelopedDataBuilder{pki_data, words}.cipher("AES-128-GCM").password(password(), 3).build().value();
    test::expect_none_accepted(der, [&](Bytes changed) {
        const auto data = EnvelopedData::parse(changed);
        return data && data->open_with_password(password(), {.iterations_max = 1000}).has_value();
    });
}

/// Fields of an EnvelopedData put together by hand.
struct EnvelopedParts {
    der::Oid wrapper = oid::enveloped_data;
    std::string version = "020102", before, recipients, content_type = "06092a864886f70d010701";
    std::string cipher = "301d060960864801650304012a0410000102030405060708090a0b0c0d0e0f";
    std::string content = "801000000000000000000000000000000000", after;
};
constexpr std::string_view kekri =
    "a22c"
    "020104"
    "3005"
    "0403"
    "70736b"
    "300b0609608648016503040105"
    "0413"
    "00000000000000000000000000000000000000";

ByteVec put_together(const EnvelopedParts& parts) {
    return write_content_info(parts.wrapper, 500, [&](der::Writer& writer) {
        writer.raw(hex(parts.version)).raw(hex(parts.before));
        writer.constructed(der::Tag::set,
                           [&] { writer.raw(hex(parts.recipients.empty() ? kekri : std::string_view{parts.recipients})); });
        writer.sequence([&] { writer.raw(hex(parts.content_type)).raw(hex(parts.cipher)).raw(hex(parts.content)); });
        writer.raw(hex(parts.after));
    });
}

/// A short element: tag and length before the given octets.
std::string in(std::string_view tag, std::string_view content) {
    const auto length = static_cast<std::uint8_t>(content.size() / 2);
    return std::string{tag} + to_hex(Bytes{&length, 1}) + std::string{content};
}
constexpr std::string_view unknown_algorithm = "300506032a0304";

using BentEnveloped = test::Bent<EnvelopedParts>;
class EnvelopedBent : public testing::TestWithParam<BentEnveloped> {};

TEST_P(EnvelopedBent, IsRefused) {
    EnvelopedParts parts;
    GetParam().bend(parts);
    const auto parsed = EnvelopedData::parse(put_together(parts));
    const auto opened = parsed ? parsed->open(shared_key(16)) : Result<Secret>{tl::unexpect, parsed.error()};
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, GetParam().code) << opened.error().detail;
    EXPECT_THAT(opened.error().detail, HasSubstr(GetParam().detail));
}

constexpr auto gcm = [](auto& p) {
    p.wrapper = oid::auth_enveloped_data;
    p.version = "020100";
    p.cipher = "301e060960864801650304012e3011040c000102030405060708090a0b020110";
    p.after = "041000000000000000000000000000000000";
};

INSTANTIATE_TEST_SUITE_P(
    Rfc5652, EnvelopedBent,
    testing::Values(
        BentEnveloped{"nothing_but_the_key", [](EnvelopedParts&) {}, Code::bad_proof, "does not decrypt"},
        BentEnveloped{"gcm_nothing_but_the_key", gcm, Code::bad_proof, "does not decrypt"},
        BentEnveloped{"version_5", [](auto& p) { p.version = "020105"; }, Code::malformed, "version 5"},
        BentEnveloped{"gcm_version_1",
                      [](auto& p) {
                          gcm(p);
                          p.version = "020101";
                      },
                      Code::malformed, "version 1"},
        BentEnveloped{"signed_data", [](auto& p) { p.wrapper = oid::signed_data; }, Code::unsupported, "content type"},
        BentEnveloped{"no_recipient",
                      [](auto& p) {
                          p.before = "3100";
                          p.recipients = "0500";
                      },
                      Code::malformed, "none"},
        BentEnveloped{"recipient_of_no_kind", [](auto& p) { p.recipients = "a500"; }, Code::malformed, "kind"},
        BentEnveloped{"recipient_primitive", [](auto& p) { p.recipients = "0500"; }, Code::malformed, "kind"},
        BentEnveloped{"other_ori",
                      [](auto& p) {
                          p.recipients = in("a4",
                                            "06032a0304"
                                            "0500");
                      },
                      Code::not_found, "no recipient"},
        BentEnveloped{"kem_without_fields",
                      [](auto& p) {
                          p.recipients = in("a4",
                                            "060b2a864886f70d0109100d03"
                                            "3000");
                      },
                      Code::malformed, "expected INTEGER"},
        BentEnveloped{"kekri_version",
                      [](auto& p) {
                          p.recipients = kekri;
                          p.recipients[9] = '3';
                      },
                      Code::malformed, "version 3"},
        BentEnveloped{"kekri_empty_identifier",
                      [](auto& p) {
                          p.recipients = in("a2",
                                            "020104"
                                            "30020400" +
                                                std::string{unknown_algorithm} + "04020000");
                      },
                      Code::malformed, "0 octets"},
        BentEnveloped{"kekri_unknown_wrap",
                      [](auto& p) {
                          p.recipients = in("a2",
                                            "020104"
                                            "3005040370736b" +
                                                std::string{unknown_algorithm} + "04020000");
                      },
                      Code::unsupported, "key wrap"},
        BentEnveloped{"pwri_version",
                      [](auto& p) { p.recipients = in("a3", "020101" + std::string{unknown_algorithm} + "0400"); },
                      Code::malformed, "version 1"},
        BentEnveloped{"ktri_version",
                      [](auto& p) {
                          p.recipients = in("30",
                                            "020100"
                                            "800101" +
                                                std::string{unknown_algorithm} + "0400");
                      },
                      Code::malformed, "version 0"},
        BentEnveloped{"kari_without_fields", [](auto& p) { p.recipients = in("a1", "020103"); }, Code::malformed, "expected"},
        BentEnveloped{"unknown_cipher", [](auto& p) { p.cipher = "300506032a0304"; }, Code::unsupported, "content-encryption"},
        BentEnveloped{"cipher_without_iv", [](auto& p) { p.cipher = "300b060960864801650304012a"; }, Code::malformed,
                      "OCTET STRING"},
        BentEnveloped{"cipher_with_short_iv", [](auto& p) { p.cipher = "300f060960864801650304012a04020001"; }, Code::malformed,
                      "IV of 2"},
        BentEnveloped{"gcm_in_enveloped",
                      [](auto& p) {
                          gcm(p);
                          p.wrapper = oid::enveloped_data;
                      },
                      Code::unsupported, "kind of message"},
        BentEnveloped{"cbc_in_authenticated",
                      [](auto& p) {
                          auto cbc = p.cipher;
                          gcm(p);
                          p.cipher = cbc;
                      },
                      Code::unsupported, "kind of message"},
        BentEnveloped{"gcm_short_tag",
                      [](auto& p) {
                          gcm(p);
                          p.cipher.replace(p.cipher.size() - 2, 2, "04");
                          p.after = "040400000000";
                      },
                      Code::malformed, "aes-ICVlen"},
        BentEnveloped{"gcm_tag_default_stated",
                      [](auto& p) {
                          gcm(p);
                          p.cipher.replace(p.cipher.size() - 2, 2, "0c");
                      },
                      Code::malformed, "default"},
        BentEnveloped{"gcm_tag_of_other_length",
                      [](auto& p) {
                          gcm(p);
                          p.after = "040c000000000000000000000000";
                      },
                      Code::malformed, "mac"},
        BentEnveloped{"gcm_without_tag",
                      [](auto& p) {
                          gcm(p);
                          p.after = "";
                      },
                      Code::malformed, "OCTET STRING"},
        BentEnveloped{"gcm_other_type_without_attributes",
                      [](auto& p) {
                          gcm(p);
                          p.content_type = "06032a0304";
                      },
                      Code::malformed, "authenticated attributes"},
        BentEnveloped{"gcm_wrong_content_type_attribute",
                      [](auto& p) {
                          gcm(p);
                          p.after = in("a1", in("30",
                                                "06092a864886f70d010903"
                                                "3105"
                                                "06032a0304")) +
                                    p.after;
                      },
                      Code::malformed, "contentType"},
        BentEnveloped{"no_content", [](auto& p) { p.content = ""; }, Code::unsupported, "detached"},
        BentEnveloped{"pieces_of_something_else", [](auto& p) { p.content = "a0020500"; }, Code::malformed, "OCTET STRING"},
        BentEnveloped{"half_a_block", [](auto& p) { p.content = "80080000000000000000"; }, Code::bad_proof, "does not decrypt"},
        BentEnveloped{"no_block", [](auto& p) { p.content = "8000"; }, Code::bad_proof, "does not decrypt"},
        BentEnveloped{"leftover", [](auto& p) { p.after = "0500"; }, Code::malformed, "EnvelopedData"}),
    [](const auto& test) { return test.param.name; });

TEST(EnvelopedData, UserKeyingMaterialEntersTheKey) {  // RFC 5652 6.2.2, RFC 5753 7.2; written out by hand
    const auto& who = party("p256");
    const auto ephemeral = crypto::PrivateKey::generate("p256").value();
    const auto shared = crypto::agree(ephemeral, who.key.public_key()).value();
    const auto wrap = "300b0609608648016503040105", ukm = "a0060404" "756b6d21";
    const auto info = in("30", std::string{wrap} + ukm + "a206" "0404" "00000080");
    const auto kek = crypto::x963_kdf("SHA256", shared.reveal(), hex(info), 16).value();
    const ByteVec content_key(16, 0x24), iv(16, 0x25);
    const auto wrapped = to_hex(crypto::wrap_key(kek.reveal(), content_key).value());
    const auto point = to_hex(ephemeral.public_key().spki().last(65));
    const auto opened = [&](std::string_view ukm_octets) {
        der::Writer recipient;
        recipient.constructed(der::context_constructed(1), [&] {
            recipient.integer(3);
            recipient.raw(hex(in("a0", in("a1", "300906072a8648ce3d0201" + in("03", "00" + point)))));
            recipient.raw(hex(in("a1", in("04", ukm_octets))));
            recipient.raw(hex(in("30", in("06", "2b8104010b01") + wrap)));
            recipient.raw(hex(in("30", in("30", in("a0", in("04", "6b")) + in("04", wrapped)))));
        });
        EnvelopedParts parts;
        parts.recipients = to_hex(recipient.bytes());
        parts.cipher = "301d060960864801650304010204" "10" + to_hex(iv);
        parts.content = in("80", to_hex(crypto::encrypt_cbc("AES-128-CBC", content_key, iv, words).value()));
        return opened_by(put_together(parts), {.key = who.key, .key_identifier = hex("6b")});
    };
    EXPECT_EQ(text_of(opened("756b6d21")), words_text);
    EXPECT_EQ(code_of(opened("756b6d22")), Code::bad_proof);
}

TEST(EnvelopedData, UnprotectedAttributesGoAlong) {  // RFC 5652 6.1, RFC 2985 5.5.2
    const auto& who = party("rsa2048");
    const auto local_key_id = make_attribute(oid::local_key_id, hex("04026964"));
    for (const auto* cipher : {"AES-256-CBC", "AES-256-GCM"}) {
        const auto der = EnvelopedDataBuilder{oid::data, words}.cipher(cipher).recipient(who.certificate).unprotected(local_key_id).build().value();
        const auto data = EnvelopedData::parse(der).value();
        EXPECT_EQ(text_of(data.open(holder_of(who))), words_text);
        EXPECT_EQ(data.unprotected_attributes().value(), Attributes{local_key_id});
        der::Reader inner{inner_content(der).value()};
        EXPECT_EQ(inner.enter(der::Tag::sequence).value().integer().value(), data.authenticated() ? 0 : 2) << cipher;
    }
    const auto none = EnvelopedDataBuilder{oid::data, words}.recipient(who.certificate).build().value();
    EXPECT_TRUE(EnvelopedData::parse(none).value().unprotected_attributes().value().empty());
    const auto twice = EnvelopedDataBuilder{oid::data, words}.recipient(who.certificate).unprotected(local_key_id).unprotected(local_key_id).build();
    EXPECT_EQ(code_of(EnvelopedData::parse(twice.value()).value().unprotected_attributes()), Code::malformed);
}

TEST(EnvelopedData, CountsAreLimited) {
    const auto der =
        EnvelopedDataBuilder{oid::data, words}.recipient(shared_key()).recipient(shared_key(16, "b")).build().value();
    EXPECT_TRUE(EnvelopedData::parse(der, {.bytes_max = der.size(), .recipients_max = 2}));
    EXPECT_EQ(code_of(EnvelopedData::parse(der, {.bytes_max = der.size() - 1})), Code::too_large);
    EXPECT_EQ(code_of(EnvelopedData::parse(der, {.recipients_max = 1})), Code::too_large);
}

TEST(PasswordWrap, IsThatOfRfc3211) {  // section 2.3 has no vectors for AES: by length and by every bit
    const ByteVec kek(16, 0x11), iv(16, 0x22);
    for (const std::size_t size : {3u, 12u, 13u, 16u, 28u, 29u, 32u, 255u}) {
        const ByteVec key(size, 0x33);
        const auto wrapped = wrap_by_password("AES-128-CBC", kek, iv, key).value();
        EXPECT_GE(wrapped.size(), 32u);
        EXPECT_TRUE(same(unwrap_by_password("AES-128-CBC", kek, iv, wrapped).value().reveal(), key)) << size;
        EXPECT_EQ(code_of(unwrap_by_password("AES-128-CBC", kek, iv, Bytes{wrapped}.first(wrapped.size() - 1))), Code::bad_proof);
        EXPECT_EQ(code_of(unwrap_by_password("AES-128-CBC", kek, iv, Bytes{wrapped}.first(16))), Code::bad_proof);
    }
    EXPECT_EQ(code_of(wrap_by_password("AES-128-CBC", kek, iv, ByteVec(2))), Code::bad_key);
    EXPECT_EQ(code_of(wrap_by_password("AES-128-CBC", kek, iv, ByteVec(256))), Code::bad_key);
}

TEST(PasswordWrap, LengthsThatDoNotFitAreRefused) {  // CVE-2026-9076
    const ByteVec kek(16, 0x11), iv(16, 0x22);
    for (const int length : {0, 1, 2, 29, 255}) {
        ByteVec plain(32, 0x33);
        plain[0] = static_cast<std::uint8_t>(length);
        for (std::size_t i = 1; i < 4; ++i) plain[i] = 0xCC;
        using crypto::Padding;
        const auto once = crypto::encrypt_cbc("AES-128-CBC", kek, iv, plain, Padding::none).value();
        const auto wrapped = crypto::encrypt_cbc("AES-128-CBC", kek, Bytes{once}.last(16), once, Padding::none).value();
        EXPECT_EQ(code_of(unwrap_by_password("AES-128-CBC", kek, iv, wrapped)), Code::bad_proof) << length;
    }
}

}  // namespace
}  // namespace estuary::cms
