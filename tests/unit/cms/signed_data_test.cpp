#include "estuary/cms/signed_data.h"

#include <openssl/rsa.h>

#include "estuary/cms/ber.h"
#include "estuary/cms/certs_only.h"
#include "support.h"

namespace estuary::cms {
namespace {

using test::at;
using test::code_of;
using test::hex;
using test::party;
using test::Party;
using test::pki_data;
using test::words;
using testing::HasSubstr;

const der::Oid transaction_id{"2.16.840.1.113733.1.9.7"};  // an attribute of SCEP

Signer signer_of(const Party& who, Attributes attributes = {}) {
    return {who.key, Identifier::by_issuer(who.certificate), std::move(attributes)};
}

ByteVec signed_by(const Party& who, const der::Oid& type = oid::data, Attributes attributes = {}) {
    return SignedDataBuilder{type, words}
        .certificate(who.certificate.der())
        .signer(signer_of(who, std::move(attributes)))
        .build()
        .value();
}

/// What OpenSSL makes; CMS_STREAM gives BER.
ByteVec signed_by_openssl(const Party& who, unsigned flags, const EVP_MD* md = nullptr, bool pss = false) {
    flags |= CMS_BINARY;
    const auto certificate = test::to_x509(who.certificate);
    const auto content = test::bio_of(words);
    const test::Cms cms{CMS_sign(nullptr, nullptr, nullptr, nullptr, flags | CMS_PARTIAL)};
    auto* signer = CMS_add1_signer(cms.get(), certificate.get(), who.key.handle(), md, flags | (pss ? CMS_KEY_PARAM : 0));
    EXPECT_NE(signer, nullptr) << crypto::openssl::drain_errors();
    if (pss) {
        auto* context = CMS_SignerInfo_get0_pkey_ctx(signer);
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
    }
    if ((flags & CMS_STREAM) != 0) return test::written(cms.get(), words);
    EXPECT_EQ(CMS_final(cms.get(), content.get(), nullptr, flags), 1) << crypto::openssl::drain_errors();
    return test::written(cms.get());
}

/// What OpenSSL reads out of a message that verifies by its own certificates.
std::optional<ByteVec> verified_by_openssl(Bytes der, std::optional<Bytes> detached = {}) {
    const auto cms = test::read_cms(der);
    if (!cms) return std::nullopt;
    const auto content = detached ? test::bio_of(*detached) : nullptr;
    const crypto::openssl::Bio out{BIO_new(BIO_s_mem())};
    const auto flags = CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
    if (CMS_verify(cms.get(), nullptr, nullptr, content.get(), out.get(), static_cast<unsigned>(flags)) != 1) return std::nullopt;
    return test::taken(out);
}

Result<void> verify_first(Bytes der, const Party& who, const VerifyOptions& options = {}) {
    ESTUARY_TRY(const auto data, SignedData::parse(der));
    if (data.signers().size() != 1) return fail(Code::malformed, "not one signer");
    return verify_signer(data, data.signers().front(), who.certificate, options);
}

class SignedDataByKey : public testing::TestWithParam<std::string> {};

TEST_P(SignedDataByKey, IsVerifiedByUsAndKeepsItsContent) {
    if (!crypto::key_type(GetParam())) GTEST_SKIP() << "this library has no " << GetParam();
    const auto& who = party(GetParam());
    const auto der = signed_by(who, pki_data);
    const auto data = SignedData::parse(der);
    ASSERT_TRUE(data) << data.error().detail;
    EXPECT_EQ(data->version(), 3u);
    EXPECT_EQ(data->content_type(), pki_data);
    EXPECT_EQ(to_vec(data->content().value()), words);
    ASSERT_EQ(data->signers().size(), 1u);
    const auto verified = verify_signer(*data, data->signers()[0], who.certificate);
    EXPECT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(*data->certificate_of(data->signers()[0]), who.certificate);
    EXPECT_EQ(code_of(verify_signer(*data, data->signers()[0], party(GetParam(), 1).key.public_key())), Code::bad_proof);
}

INSTANTIATE_TEST_SUITE_P(All, SignedDataByKey,
    testing::Values("rsa2048", "p256", "p384", "p521", "ed25519", "ed448", "ml-dsa-44", "ml-dsa-65", "slh-dsa-sha2-128f"),
    [](const auto& test) { return std::string{test.param.substr(0, test.param.find('-'))} + std::to_string(test.index); });

class SignedDataAndOpenssl : public testing::TestWithParam<std::string> {};

TEST_P(SignedDataAndOpenssl, OursIsReadThere) {
    const auto& who = party(GetParam());
    EXPECT_EQ(verified_by_openssl(signed_by(who)), words);
    EXPECT_EQ(verified_by_openssl(signed_by(who, pki_data, {signing_time_attribute(at("2026-10-11T12:13:14Z"))})), words);
    auto by_key = SignedDataBuilder{oid::data, words}.certificate(who.certificate.der());
    by_key.signer({who.key, Identifier::by_key(who.certificate).value()});
    EXPECT_EQ(verified_by_openssl(by_key.build().value()), words);
    EXPECT_EQ(verified_by_openssl(by_key.detached().build().value(), words), words);
}

TEST_P(SignedDataAndOpenssl, TheirsIsReadHere) {
    const auto& who = party(GetParam());
    for (const unsigned flags : {0u, unsigned{CMS_USE_KEYID}, unsigned{CMS_NOSMIMECAP}}) {
        const auto verified = verify_first(signed_by_openssl(who, flags), who);
        EXPECT_TRUE(verified) << flags << verified.error().detail;
    }
    EXPECT_TRUE(verify_first(signed_by_openssl(who, 0, EVP_sha512()), who));
}

TEST_P(SignedDataAndOpenssl, TheirsDetachedIsReadHere) {
    const auto& who = party(GetParam());
    const auto der = signed_by_openssl(who, CMS_DETACHED);
    EXPECT_FALSE(SignedData::parse(der)->content());
    EXPECT_TRUE(verify_first(der, who, {.detached_content = words}));
    EXPECT_EQ(code_of(verify_first(der, who)), Code::malformed);
    EXPECT_EQ(code_of(verify_first(der, who, {.detached_content = hex("00")})), Code::bad_proof);
    EXPECT_EQ(code_of(verify_first(signed_by(who), who, {.detached_content = words})), Code::malformed);
}

TEST_P(SignedDataAndOpenssl, TheirsWithoutAttributesIsReadIfWanted) {  // bug class 17
    const auto& who = party(GetParam());
    const auto der = signed_by_openssl(who, CMS_NOATTR);
    EXPECT_EQ(code_of(verify_first(der, who)), Code::bad_proof);
    EXPECT_TRUE(verify_first(der, who, {.signed_attributes_required = false}));
    EXPECT_EQ(code_of(verify_first(der, party(GetParam(), 1), {.signed_attributes_required = false})), Code::bad_proof);
}

TEST_P(SignedDataAndOpenssl, TheirsInBerIsReadAfterToDer) {
    const auto& who = party(GetParam());
    const auto ber = signed_by_openssl(who, CMS_STREAM);
    EXPECT_EQ(code_of(SignedData::parse(ber)), Code::malformed);
    const auto verified = verify_first(to_der(ber).value(), who);
    EXPECT_TRUE(verified) << verified.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Openssl, SignedDataAndOpenssl, testing::Values("rsa2048", "p256", "p384"),
                         [](const auto& test) { return test.param; });

TEST(SignedData, ReadsPssOfOpenssl) {
    const auto& who = party("rsa2048");
    const auto verified = verify_first(signed_by_openssl(who, 0, EVP_sha384(), true), who);
    EXPECT_TRUE(verified) << verified.error().detail;
}

TEST(SignedData, RefusesSha1) {
    EXPECT_EQ(code_of(verify_first(signed_by_openssl(party("rsa2048"), 0, EVP_sha1()), party("rsa2048"))), Code::bad_key);
}

TEST(SignedData, HasSeveralSigners) {
    const auto& first = party("p256");
    const auto& second = party("rsa2048");
    auto builder = SignedDataBuilder{oid::data, words}.certificate(first.certificate.der()).certificate(second.certificate.der());
    const auto der = builder.signer(signer_of(first)).signer(signer_of(second)).build().value();
    EXPECT_EQ(verified_by_openssl(der), words);
    const auto data = SignedData::parse(der).value();
    ASSERT_EQ(data.signers().size(), 2u);
    EXPECT_EQ(data.digest_algorithms().size(), 1u);  // both SHA-256
    for (const auto& signer : data.signers()) {
        const auto* certificate = data.certificate_of(signer);
        ASSERT_NE(certificate, nullptr);
        EXPECT_TRUE(verify_signer(data, signer, *certificate));
        const auto& other = *certificate == first.certificate ? second : first;
        EXPECT_EQ(code_of(verify_signer(data, signer, other.certificate)), Code::bad_proof);
    }
}

TEST(SignedData, CarriesAttributes) {
    const auto& who = party("p256");
    auto signer =
        signer_of(who, {make_attribute(transaction_id, hex("130161")), signing_time_attribute(at("2051-10-11T12:13:14Z"))});
    signer.unsigned_attributes = {make_attribute(oid::countersignature, hex("3000")),
                                  make_attribute(oid::countersignature, hex("0500"))};
    const auto der = SignedDataBuilder{oid::data, words}.certificate(who.certificate.der()).signer(signer).build().value();
    const auto data = SignedData::parse(der).value();
    const auto& read = data.signers()[0];
    EXPECT_EQ(to_hex(single_value(*read.signed_attributes, transaction_id).value()), "130161");
    EXPECT_EQ(read.signing_time().value(), at("2051-10-11T12:13:14Z"));
    EXPECT_EQ(read.unsigned_attributes.size(), 2u);
    EXPECT_TRUE(verify_signer(data, read, who.certificate));
    EXPECT_EQ(verified_by_openssl(der), words);
}

TEST(SignedData, SigningTimeMayBeAbsent) {
    EXPECT_EQ(SignedData::parse(signed_by(party("p256")))->signers()[0].signing_time().value(), std::nullopt);
}

TEST(SignedData, IsABagOfCertificatesAndCrls) {
    const auto crl = file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/crl/complete.der").value();
    const auto der = SignedDataBuilder{}.certificate(party("p256").certificate.der()).crl(crl).build().value();
    const auto data = SignedData::parse(der).value();
    EXPECT_EQ(data.version(), 1u);
    EXPECT_FALSE(data.content());
    EXPECT_TRUE(data.signers().empty());
    ASSERT_EQ(data.crls().size(), 1u);
    EXPECT_TRUE(same(data.crls()[0], crl));
    const auto cms = test::read_cms(der);
    ASSERT_TRUE(cms);
    auto* crls = CMS_get1_crls(cms.get());
    EXPECT_EQ(sk_X509_CRL_num(crls), 1);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    EXPECT_EQ(SignedDataBuilder{}.certificate(party("p256").certificate.der()).build().value(),
              encode_certs_only({party("p256").certificate.der()}));
}

TEST(SignedData, BuilderRefuses) {
    const auto& who = party("p256");
    EXPECT_EQ(code_of(SignedDataBuilder{}.signer(signer_of(who)).build()), Code::malformed);
    EXPECT_EQ(
        code_of(
            SignedDataBuilder{oid::data, words}.signer(signer_of(who, {make_attribute(oid::content_type, hex("0500"))})).build()),
        Code::malformed);
    EXPECT_EQ(code_of(SignedDataBuilder{oid::data, words}.signer(signer_of(party("x25519"))).build()), Code::bad_key);
}

TEST(SignedData, NoBitIsIdle) {  // bug class 15
    const auto& who = party("p256");
    // Without the certificate, which has bits that this signature does not cover.
    const auto der =
        SignedDataBuilder{pki_data, words}.signer({who.key, Identifier::by_key(who.certificate).value()}).build().value();
    test::expect_none_accepted(der, [&](Bytes changed) {  // the version is not signed, and says nothing
        return verify_first(changed, who) && SignedData::parse(changed)->version() == 3;
    });
}

TEST(SignedData, CountsAreLimited) {
    const auto& who = party("p256");
    const auto crl = hex("3000");
    auto builder = SignedDataBuilder{oid::data, words}.certificate(who.certificate.der()).crl(crl);
    const auto der = builder.signer(signer_of(who)).build().value();
    EXPECT_TRUE(SignedData::parse(der, {.bytes_max = der.size(), .certificates_max = 1, .crls_max = 1, .signers_max = 1,
                                        .attributes_max = 2, .values_max = 1}));
    EXPECT_EQ(code_of(SignedData::parse(der, {.bytes_max = der.size() - 1})), Code::too_large);
    EXPECT_EQ(code_of(SignedData::parse(der, {.certificates_max = 0})), Code::too_large);
    EXPECT_EQ(code_of(SignedData::parse(der, {.crls_max = 0})), Code::too_large);
    EXPECT_EQ(code_of(SignedData::parse(der, {.signers_max = 0})), Code::too_large);
    EXPECT_EQ(code_of(SignedData::parse(der, {.attributes_max = 1})), Code::too_large);
    EXPECT_EQ(code_of(SignedData::parse(der, {.values_max = 0})), Code::too_large);
}

// A message put together field by field, each of which can be bent.

struct SignedParts {
    int version = 3;
    der::Oid wrapper = oid::signed_data;
    ByteVec digests = hex("310d300b0609608648016503040201");
    der::Oid content_type = pki_data;
    ByteVec content = words;
    ByteVec bags;
    int signer_version = 3;
    ByteVec digest_algorithm = hex("300b0609608648016503040201");
    std::vector<Attribute> attributes;  // beside or in place of the two
    std::optional<der::Oid> stated_type = pki_data;
    std::optional<ByteVec> digested = words;  // what messageDigest is of
    bool sorted = true;
    ByteVec signature_algorithm = hex("300a06082a8648ce3d040302");
    ByteVec unsigned_attributes;
    ByteVec after;
};

ByteVec attribute_octets(const Attribute& attribute) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(attribute.type);
        writer.constructed(der::Tag::set, [&] { for (const auto& value : attribute.values) writer.raw(value); });
    });
    return std::move(writer).take();
}

ByteVec put_together(const SignedParts& parts, const Party& who) {
    auto attributes = parts.attributes;
    der::Writer type, digest;
    if (parts.stated_type) attributes.push_back(make_attribute(oid::content_type, type.oid(*parts.stated_type).bytes()));
    if (parts.digested)
        attributes.push_back(make_attribute(oid::message_digest, digest.octet_string(crypto::sha256(*parts.digested)).bytes()));
    std::vector<ByteVec> encoded;
    for (const auto& attribute : attributes) encoded.push_back(attribute_octets(attribute));
    std::ranges::sort(encoded);
    ByteVec set;
    for (const auto& one : encoded) append(set, one);
    der::Writer to_sign;
    to_sign.primitive(der::Tag::set, set);
    if (!parts.sorted) {
        std::ranges::reverse(encoded);
        set.clear();
        for (const auto& one : encoded) append(set, one);
    }
    return write_content_info(parts.wrapper, 1000, [&](der::Writer& writer) {
        writer.integer(parts.version).raw(parts.digests);
        writer.sequence([&] {
            writer.oid(parts.content_type);
            writer.constructed(der::context_constructed(0), [&] { writer.octet_string(parts.content); });
        });
        writer.raw(parts.bags);
        writer.constructed(der::Tag::set, [&] {
            writer.sequence([&] {
                writer.integer(parts.signer_version);
                writer.primitive(der::context(0), *who.certificate.subject_key_id());
                writer.raw(parts.digest_algorithm);
                if (!set.empty()) writer.primitive(der::context_constructed(0), set);
                writer.raw(parts.signature_algorithm);
                writer.octet_string(who.key.sign(set.empty() ? Bytes{parts.content} : to_sign.bytes()).value());
                writer.raw(parts.unsigned_attributes).raw(parts.after);
            });
        });
    });
}

TEST(SignedDataParts, VerifyAsTheyAre) {
    EXPECT_TRUE(verify_first(put_together({}, party("p256")), party("p256")));
    SignedParts unsorted;
    unsorted.sorted = false;  // the signature is over the DER all the same
    EXPECT_TRUE(verify_first(put_together(unsorted, party("p256")), party("p256")));
    SignedParts plain;
    plain.content_type = oid::data;
    plain.stated_type.reset();
    plain.digested.reset();
    EXPECT_TRUE(verify_first(put_together(plain, party("p256")), party("p256"), {.signed_attributes_required = false}));
}

using BentSigned = test::Bent<SignedParts>;
class SignedDataBent : public testing::TestWithParam<BentSigned> {};

TEST_P(SignedDataBent, IsRefused) {
    SignedParts parts;
    GetParam().bend(parts);
    const auto verified = verify_first(put_together(parts, party("p256")), party("p256"), {.signed_attributes_required = false});
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, GetParam().code) << verified.error().detail;
    EXPECT_THAT(verified.error().detail, HasSubstr(GetParam().detail));
}

ByteVec protection(std::string_view digest, std::string_view signature) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.oid(der::Oid{digest}); });
        writer.constructed(der::context_constructed(1), [&] { writer.oid(der::Oid{signature}); });
    });
    return std::move(writer).take();
}

constexpr auto sha256_oid = "2.16.840.1.101.3.4.2.1";

INSTANTIATE_TEST_SUITE_P(
    Rfc5652, SignedDataBent,
    testing::Values(
        BentSigned{"version_0", [](auto& p) { p.version = 0; }, Code::malformed, "version 0"},
        BentSigned{"version_4", [](auto& p) { p.version = 4; }, Code::malformed, "version 4"},
        BentSigned{"signer_version", [](auto& p) { p.signer_version = 1; }, Code::malformed, "SignerInfo of version 1"},
        BentSigned{"wrapper", [](auto& p) { p.wrapper = oid::enveloped_data; }, Code::unsupported, "content type"},
        BentSigned{"digest_not_listed", [](auto& p) { p.digests = hex("3100"); }, Code::bad_proof, "digestAlgorithms"},
        BentSigned{"attribute_certificate", [](auto& p) { p.bags = hex("a002a200"); }, Code::unsupported, "X.509"},
        BentSigned{"other_revocation", [](auto& p) { p.bags = hex("a102a100"); }, Code::unsupported, "CRL"},
        BentSigned{"unknown_field", [](auto& p) { p.bags = hex("a200"); }, Code::malformed, "SET"},
        BentSigned{"other_digest",
                   [](auto& p) {
                       p.digest_algorithm = hex("300b0609608648016503040202");
                       p.digests = hex("310d300b0609608648016503040202");
                   },
                   Code::bad_proof, "does not go with"},
        BentSigned{"weak_digest", [](auto& p) { p.digest_algorithm = hex("300706052b0e03021a"); }, Code::bad_key, "weak"},
        BentSigned{"unknown_digest", [](auto& p) { p.digest_algorithm = hex("300506032a0304"); }, Code::unsupported, "digest"},
        BentSigned{"digest_parameters", [](auto& p) { p.digest_algorithm = hex("300e0609608648016503040201020101"); },
                   Code::malformed, "parameters"},
        BentSigned{"other_signature_algorithm", [](auto& p) { p.signature_algorithm = hex("300a06082a8648ce3d040303"); },
                   Code::bad_proof, "does not go"},
        BentSigned{"rsa_for_a_p256_key", [](auto& p) { p.signature_algorithm = hex("300d06092a864886f70d0101010500"); },
                   Code::bad_proof, "does not fit"},
        BentSigned{"weak_signature", [](auto& p) { p.signature_algorithm = hex("300906072a8648ce3d0401"); }, Code::bad_proof,
                   "does not go"},
        BentSigned{"unknown_signature", [](auto& p) { p.signature_algorithm = hex("300506032a0304"); }, Code::unsupported,
                   "signature"},
        BentSigned{"other_content", [](auto& p) { p.content = hex("00"); }, Code::bad_proof, "messageDigest"},
        BentSigned{"other_type", [](auto& p) { p.content_type = oid::data; }, Code::bad_proof, "contentType"},
        BentSigned{"no_content_type", [](auto& p) { p.stated_type.reset(); }, Code::bad_proof, "contentType"},
        BentSigned{"no_message_digest", [](auto& p) { p.digested.reset(); }, Code::bad_proof, "messageDigest"},
        BentSigned{"no_attributes_and_other_type",
                   [](auto& p) {
                       p.stated_type.reset();
                       p.digested.reset();
                   },
                   Code::bad_proof, "needs signed"},
        BentSigned{"content_type_twice", [](auto& p) { p.attributes = {make_attribute(oid::content_type, hex("06032a0304"))}; },
                   Code::malformed, "twice"},
        BentSigned{
            "unknown_attribute_twice",
            [](auto& p) {
                p.attributes = {make_attribute(transaction_id, hex("130161")), make_attribute(transaction_id, hex("130162"))};
            },
            Code::malformed, "twice"},
        BentSigned{"two_digests",
                   [](auto& p) {
                       p.digested.reset();
                       der::Writer digest;
                       digest.octet_string(crypto::sha256(words));
                       p.attributes = {{oid::message_digest, {to_vec(digest.bytes()), hex("040100")}}};
                   },
                   Code::bad_proof, "2 values"},
        BentSigned{"digest_without_value",
                   [](auto& p) {
                       p.digested.reset();
                       p.attributes = {{oid::message_digest, {}}};
                   },
                   Code::bad_proof, "0 values"},
        BentSigned{"content_type_no_oid",
                   [](auto& p) {
                       p.stated_type.reset();
                       p.attributes = {make_attribute(oid::content_type, hex("0500"))};
                   },
                   Code::malformed, "OBJECT"},
        BentSigned{"countersignature_signed",
                   [](auto& p) { p.attributes = {make_attribute(oid::countersignature, hex("3000"))}; }, Code::malformed,
                   "countersignature"},
        BentSigned{"digest_unsigned", [](auto& p) { p.unsigned_attributes = hex("a10f300d06092a864886f70d0109043100"); },
                   Code::malformed, "must be signed"},
        BentSigned{"signing_time_unsigned", [](auto& p) { p.unsigned_attributes = hex("a10f300d06092a864886f70d0109053100"); },
                   Code::malformed, "must be signed"},
        BentSigned{"unsigned_twice",
                   [](auto& p) {
                       p.unsigned_attributes =
                           hex("a1123007"
                               "06032a03043100"
                               "300706032a03043100");
                   },
                   Code::malformed, "twice"},
        BentSigned{"unsigned_empty", [](auto& p) { p.unsigned_attributes = hex("a100"); }, Code::malformed, "empty"},
        BentSigned{"after_the_signer", [](auto& p) { p.after = hex("0500"); }, Code::malformed, "SignerInfo"},
        BentSigned{"protection_of_other_digest",
                   [](auto& p) {
                       p.attributes = {make_attribute(oid::algorithm_protection,
                                                      protection("2.16.840.1.101.3.4.2.2", "1.2.840.10045.4.3.2"))};
                   },
                   Code::bad_proof, "Protection"},
        BentSigned{"protection_of_other_signature",
                   [](auto& p) {
                       p.attributes = {make_attribute(oid::algorithm_protection, protection(sha256_oid, "1.2.840.10045.4.3.3"))};
                   },
                   Code::bad_proof, "Protection"}),
    [](const auto& test) { return test.param.name; });

TEST(SignedDataParts, AlgorithmProtectionIsHeldTo) {  // RFC 6211
    SignedParts parts;
    parts.attributes = {make_attribute(oid::algorithm_protection, protection(sha256_oid, "1.2.840.10045.4.3.2"))};
    EXPECT_TRUE(verify_first(put_together(parts, party("p256")), party("p256")));
}

TEST(SignedDataParts, AttributesAreNotTakenForContent) {  // draft-vangeest-lamps-cms-euf-cma
    const auto data = SignedData::parse(signed_by(party("p256"))).value();
    der::Writer attributes;
    write_attributes(attributes, der::Tag::set, *data.signers()[0].signed_attributes);
    SignedParts forged;
    forged.content_type = oid::data;
    forged.content = to_vec(attributes.bytes());
    forged.stated_type.reset();
    forged.digested.reset();
    const auto verified = verify_first(put_together(forged, party("p256")), party("p256"), {.signed_attributes_required = false});
    ASSERT_FALSE(verified);
    EXPECT_THAT(verified.error().detail, HasSubstr("another message"));
}

TEST(SignedDataParts, EddsaNeedsItsDigest) {  // RFC 8419 3.1
    SignedParts parts;
    parts.signature_algorithm = hex("300506032b6570");
    const auto verified = verify_first(put_together(parts, party("ed25519")), party("ed25519"));
    ASSERT_FALSE(verified);
    EXPECT_THAT(verified.error().detail, HasSubstr("does not go with"));
}

}  // namespace
}  // namespace estuary::cms
