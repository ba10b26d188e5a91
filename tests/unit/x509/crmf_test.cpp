#include "crmf_support.h"

namespace estuary::x509::crmf {
namespace {

using der::context;
using der::context_constructed;
using der::Tag;
using der::Writer;
using test::failure;
using test::hex;
using test::name;
using test::openssl_request;
using test::tlv;
using testing::HasSubstr;

/// The message written again from its parts.
ByteVec encoded_again(const CertReqMsg& message) {
    return encode_cert_req_msg(message.cert_req().encode(), message.popo(), message.reg_info());
}

class CrmfFromOpenssl : public testing::TestWithParam<std::string> {};

TEST_P(CrmfFromOpenssl, IsReadAndWrittenBackTheSame) {
    const auto message = openssl_request(GetParam());
    EXPECT_EQ(to_hex(message.der()), to_hex(encoded_again(message)));
    EXPECT_EQ(to_hex(message.cert_req_der()), to_hex(message.cert_req().encode()));
    EXPECT_EQ(message.cert_req().cert_req_id, 0);
}

INSTANTIATE_TEST_SUITE_P(Rfc4211, CrmfFromOpenssl,
                         testing::Values("ir_pbm_p256", "ir_pbm_rsa_sha384", "cr_pbm_sha512", "cr_extensions", "cr_issuer",
                                         "ir_ra_verified", "ir_key_encipherment", "ir_no_popo", "ir_empty_subject",
                                         "kur_signature_p256", "cr_signature_rsa", "cr_unprotected"),
                         [](const auto& test) { return test.param; });

TEST(Crmf, FieldsOfOpensslsTemplateAreRead) {
    const auto message = openssl_request("cr_extensions");
    const auto& wanted = message.cert_req().cert_template;
    EXPECT_EQ(wanted.subject->to_text(), "CN=device 1,O=Estuary");
    EXPECT_EQ(message.public_key().value()->type_name(), "p256");
    ASSERT_TRUE(wanted.validity && wanted.validity->not_before && wanted.validity->not_after);
    EXPECT_EQ(*wanted.validity->not_after - *wanted.validity->not_before, Seconds{30 * 86400});
    EXPECT_EQ(wanted.extensions.size(), 3u);
    EXPECT_NE(find(wanted.extensions, x509::oid::ext_key_usage), nullptr);
    EXPECT_EQ(openssl_request("cr_issuer").cert_req().cert_template.issuer->to_text(), "CN=Root,O=Estuary");
}

TEST(Crmf, DogtagsTaggedRequestIsRead) {  // crm [1] of CMC: an IMPLICIT tag in place of SEQUENCE
    const auto der = test::data_file("crmf/dogtag_tagged_request.der");
    der::Reader reader{der};
    const auto message = CertReqMsg::read(reader, context_constructed(1));
    ASSERT_TRUE(message) << failure(message);
    EXPECT_EQ(message->der()[0], 0x30);
    EXPECT_TRUE(same(message->der().subspan(1), Bytes{der}.subspan(1)));
    EXPECT_EQ(message->cert_req().cert_req_id, 1);
    EXPECT_EQ(message->cert_req().cert_template.version, 2);
    EXPECT_TRUE(message->cert_req().controls.empty());
    EXPECT_TRUE(verify_signature_possession(*message)) << "ecdsa-with-SHA256 with NULL";
}

CertTemplate every_field() {
    CertTemplate wanted;
    wanted.version = 2;
    wanted.serial_number = hex("00ff01");
    wanted.signing_alg = crypto::signature_algorithm(der::Oid{"1.2.840.10045.4.3.2"})->identifier;
    wanted.issuer = name("CN=Root");
    wanted.validity = OptionalValidity{Time{Seconds{1'000'000'000}}, Time{Seconds{3'000'000'000}}};  // UTCTime, GeneralizedTime
    wanted.subject = name("CN=device 1,O=Example");
    wanted.public_key = to_vec(test::p256().public_key().spki());
    wanted.issuer_uid = hex("0401f0");
    wanted.subject_uid = hex("00");
    wanted.extensions = {make_key_usage(digital_signature)};
    return wanted;
}

TEST(Crmf, EveryFieldOfTheTemplateGoesThereAndBack) {
    const auto wanted = every_field();
    Writer writer;
    wanted.write(writer);
    EXPECT_TRUE(der::check_der(writer.bytes(), "CertTemplate"));
    der::Reader reader{writer.bytes()};
    const auto read = CertTemplate::read(reader);
    ASSERT_TRUE(read) << failure(read);
    EXPECT_EQ(*read, wanted);
}

/// Tags of RFC 4211 appendix B: IMPLICIT but for Name and Time, which are CHOICEs.
TEST(Crmf, TagsAreThoseOfTheModule) {
    Writer writer;
    every_field().write(writer);
    std::vector<std::string> found;
    auto fields = der::enter_only(writer.bytes(), Tag::sequence, "CertTemplate").value();
    while (!fields.empty()) {
        const auto element = fields.any().value();
        const auto content = element.content.empty() ? std::string{} : to_hex(element.content.first(1));
        found.push_back(to_hex(element.whole.first(1)) + " " + content);
    }
    EXPECT_THAT(found, testing::ElementsAre("80 02", "81 00", "a2 06", "a3 30", "a4 a0", "a5 30", "a6 30", "87 04", "88 00",
                                            "a9 30"));
}

TEST(Crmf, AnEmptyTemplateIsOne) {
    const auto der = hex("3000");
    der::Reader reader{der};
    const auto wanted = CertTemplate::read(reader);
    ASSERT_TRUE(wanted);
    EXPECT_EQ(*wanted, CertTemplate{});
    EXPECT_TRUE(check_requestable(*wanted));
}

struct FieldCase {
    std::string name;
    std::string content;  ///< of the template, hexadecimal
    std::string detail;
};
class CrmfTemplateRefused : public testing::TestWithParam<FieldCase> {};

TEST_P(CrmfTemplateRefused, WithItsReason) {
    const auto der = tlv(Tag::sequence, hex(GetParam().content));
    der::Reader reader{der};
    const auto wanted = CertTemplate::read(reader);
    ASSERT_FALSE(wanted);
    EXPECT_EQ(wanted.error().code, Code::malformed);
    EXPECT_THAT(wanted.error().detail, HasSubstr(GetParam().detail));
}

// bug class 15
INSTANTIATE_TEST_SUITE_P(Rfc4211, CrmfTemplateRefused, testing::Values(
    FieldCase{"version_not_minimal", "80020002", "shortest form"},
    FieldCase{"version_empty", "8000", "shortest form"},
    FieldCase{"serial_not_minimal", "8102007f", "shortest form"},
    FieldCase{"signing_alg_empty", "a200", "expected OBJECT IDENTIFIER"},
    FieldCase{"signing_alg_no_oid", "a2020500", "expected"},
    FieldCase{"issuer_implicit", "a300", "expected SEQUENCE"},
    FieldCase{"issuer_two", "a3043000" "3000", "end of Name"},
    FieldCase{"validity_empty", "a400", "without either end"},
    FieldCase{"validity_wrong_time", "a411a00f" "170d" "3236303130313030303030305b", "UTC"},
    FieldCase{"validity_generalized_before_2050", "a413a011" "180f" "32303236303130313030303030305a", "is a UTCTime"},
    FieldCase{"public_key_empty", "a600", "expected SEQUENCE"},
    FieldCase{"public_key_extra", "a60d" "300506032b6570" "030200ff" "0500", "end of SubjectPublicKeyInfo"},
    FieldCase{"issuer_uid_empty", "8700", "UniqueIdentifier"},
    FieldCase{"subject_uid_unused_bits", "88020301", "UniqueIdentifier"},
    FieldCase{"subject_uid_eight_unused", "88020800", "UniqueIdentifier"},
    FieldCase{"extensions_empty", "a900", "empty"},
    FieldCase{"unknown_tag", "aa00", "end of CertTemplate"},
    FieldCase{"wrong_order", "810101" "800102", "end of CertTemplate"}), [](const auto& test) { return test.param.name; });

TEST(Crmf, FieldsThatTheAuthorityAssignsAreNotRequested) {
    EXPECT_EQ(failure(check_requestable({.version = 1})), "malformed: CertTemplate: version 1 is not v3(2)");
    EXPECT_TRUE(check_requestable({.version = 2}));
    EXPECT_THAT(failure(check_requestable({.serial_number = hex("01")})), HasSubstr("serialNumber"));
    EXPECT_THAT(failure(check_requestable({.signing_alg = hex("3000")})), HasSubstr("signingAlg"));
    EXPECT_THAT(failure(check_requestable({.issuer_uid = hex("00")})), HasSubstr("unique identifiers"));
    EXPECT_THAT(failure(check_requestable({.subject_uid = hex("00")})), HasSubstr("unique identifiers"));
}

/// Every kind of proof, with a key that is as good as any.
std::vector<ProofOfPossession> every_proof() {
    const auto algorithm = crypto::signature_algorithm(der::Oid{"1.2.840.10045.4.3.2"})->identifier;
    const PkMacValue mac{crypto::make_password_mac_algorithm().value(), hex("0102")};
    const auto spki = to_vec(test::p256().public_key().spki());
    const auto enveloped = hex("3003020100");
    return {RaVerified{},
            PopoSigningKey{{}, algorithm, hex("aabb")},
            PopoSigningKey{PopoSigningKeyInput{test::general_name("dirname:CN=x"), spki}, algorithm, hex("aabb")},
            PopoSigningKey{PopoSigningKeyInput{test::general_name("dns:x.example"), spki}, algorithm, hex("aabb")},
            PopoSigningKey{PopoSigningKeyInput{mac, spki}, algorithm, hex("aabb")},
            KeyEncipherment{ThisMessage{hex("01")}},
            KeyEncipherment{SubsequentMessage::encr_cert},
            KeyEncipherment{SubsequentMessage::challenge_resp},
            KeyEncipherment{EncryptedKeyProof{enveloped}},
            KeyAgreementProof{SubsequentMessage::encr_cert},
            KeyAgreementProof{DhMac{hex("01")}},
            KeyAgreementProof{AgreeMac{mac}},
            KeyAgreementProof{EncryptedKeyProof{enveloped}}};
}

TEST(Crmf, EveryProofGoesThereAndBack) {
    const auto cert_req = CertRequest{.cert_req_id = -1, .cert_template = every_field()}.encode();
    const std::vector<Control> reg_info{{der::Oid{"1.2.3.4"}, hex("0500")}};
    for (const auto& proof : every_proof()) {
        const auto der = encode_cert_req_msg(cert_req, proof, reg_info);
        const auto message = CertReqMsg::parse(der);
        ASSERT_TRUE(message) << failure(message) << " " << to_hex(der);
        EXPECT_TRUE(message->popo() == proof) << proof.index();
        EXPECT_EQ(message->reg_info(), reg_info);
        EXPECT_EQ(to_hex(encoded_again(*message)), to_hex(der));
    }
}

/// POPOPrivKey, GeneralName and EncryptedKey are CHOICEs: the tags before them are EXPLICIT.
TEST(Crmf, TagsOfProofs) {
    const auto tags = [](const ProofOfPossession& proof) {
        const auto der = encode_cert_req_msg({}, proof);
        auto fields = der::enter_only(der, Tag::sequence, "CertReqMsg").value();
        return to_hex(fields.rest().first(std::min<std::size_t>(fields.rest().size(), 4)));
    };
    EXPECT_EQ(tags(RaVerified{}), "8000");
    EXPECT_EQ(tags(KeyEncipherment{SubsequentMessage::encr_cert}), "a2038101");
    EXPECT_EQ(tags(KeyAgreementProof{SubsequentMessage::challenge_resp}), "a3038101");
    EXPECT_EQ(tags(KeyAgreementProof{DhMac{hex("ff")}}), "a3048202");
    EXPECT_EQ(tags(KeyEncipherment{EncryptedKeyProof{hex("3000")}}), "a202a400");
    EXPECT_EQ(tags(PopoSigningKey{{}, hex("3000"), {}}), "a1053000");
    const auto input = PopoSigningKeyInput{test::general_name("dns:x"), hex("3000")};
    EXPECT_EQ(tags(PopoSigningKey{input, hex("3000"), {}}).substr(4), "a007");
}

struct ProofCase {
    std::string name;
    std::string popo;  ///< hexadecimal, after certReq
    Code code;
    std::string detail;
};
class CrmfProofRefused : public testing::TestWithParam<ProofCase> {};

TEST_P(CrmfProofRefused, WithItsReason) {
    const auto popo = hex(GetParam().popo);
    Writer writer;
    writer.sequence([&] { writer.raw(CertRequest{}.encode()).raw(popo); });
    const auto message = CertReqMsg::parse(writer.bytes());
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, GetParam().code) << failure(message);
    EXPECT_THAT(message.error().detail, HasSubstr(GetParam().detail));
}

// bug classes 1 and 15
INSTANTIATE_TEST_SUITE_P(Rfc4211, CrmfProofRefused, testing::Values(
    ProofCase{"ra_verified_with_content", "800100", Code::malformed, "end of raVerified"},
    ProofCase{"ra_verified_constructed", "a0020500", Code::malformed, "none of its choices"},
    ProofCase{"unknown_choice", "a4020500", Code::malformed, "none of its choices"},
    ProofCase{"signature_empty", "a100", Code::malformed, ""},
    ProofCase{"signature_no_bits", "a1073003060101" "0300", Code::malformed, "whole octets"},
    ProofCase{"signature_trailing", "a109300306012a" "030100" "0500", Code::malformed, ""},
    ProofCase{"decryption_empty", "a200", Code::malformed, "POPOPrivKey is none"},
    ProofCase{"decryption_two", "a206810100" "810100", Code::malformed, "end of POPOPrivKey"},
    ProofCase{"subsequent_2", "a203810102", Code::malformed, "subsequentMessage 2"},
    ProofCase{"subsequent_negative", "a2038101ff", Code::malformed, "subsequentMessage -1"},
    ProofCase{"subsequent_implicit", "820100", Code::malformed, "none of its choices"},
    ProofCase{"dh_mac_unused_bits", "a304820207" "80", Code::malformed, "whole octets"},
    ProofCase{"two_proofs", "8000" "8000", Code::malformed, "end of CertReqMsg"},
    ProofCase{"after_reg_info", "3009" "3007" "06022a03" "020100" "8000", Code::malformed, "end of CertReqMsg"},
    ProofCase{"reg_info_without_value", "3006" "3004" "06022a03", Code::malformed, "missing"}),
    [](const auto& test) { return test.param.name; });

TEST(Crmf, NothingMayFollowAndNothingMayBeLong) {
    auto der = to_vec(openssl_request("ir_pbm_p256").der());
    der.push_back(0);
    EXPECT_THAT(failure(CertReqMsg::parse(der)), HasSubstr("malformed"));
    EXPECT_THAT(failure(CertReqMsg::parse(ByteVec(message_bytes_max + 1))), HasSubstr("too_large"));
    EXPECT_FALSE(CertReqMsg::parse({}));
    EXPECT_FALSE(CertReqMsg::parse(hex("3000")));
}

TEST(Crmf, CutShortAnywhereIsMalformed) {
    const auto der = to_vec(openssl_request("cr_extensions").der());
    for (std::size_t size = 0; size < der.size(); ++size)
        EXPECT_FALSE(CertReqMsg::parse(Bytes{der}.first(size))) << size;
}

TEST(Crmf, ControlsAreLimitedAndUnknownOnesKept) {  // bug class 30
    CertRequest request;
    for (std::size_t i = 0; i < controls_max; ++i) request.controls.push_back({der::Oid{"1.2.3.4"}, hex("0500")});
    const auto message = CertReqMsg::parse(encode_cert_req_msg(request.encode(), std::nullopt));
    ASSERT_TRUE(message) << failure(message);
    EXPECT_EQ(message->cert_req().controls, request.controls);
    request.controls.push_back(request.controls.front());
    EXPECT_THAT(failure(CertReqMsg::parse(encode_cert_req_msg(request.encode(), std::nullopt))), HasSubstr("too_large: Controls"));
}

TEST(Crmf, MessagesAreCountedAndAtLeastOne) {  // bug class 30
    const auto one = to_vec(openssl_request("ir_pbm_p256").der());
    EXPECT_EQ(parse_cert_req_messages(encode_cert_req_messages({one, one})).value().size(), 2u);
    EXPECT_THAT(failure(parse_cert_req_messages(encode_cert_req_messages({}))), HasSubstr("empty"));
    EXPECT_THAT(failure(parse_cert_req_messages(encode_cert_req_messages({one, one, one}), 2)), HasSubstr("too_large"));
}

TEST(Crmf, CertReqIdsOfAnySign) {
    for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 40}) {
        const auto message = CertReqMsg::parse(encode_cert_req_msg(CertRequest{.cert_req_id = id}.encode(), std::nullopt));
        ASSERT_TRUE(message);
        EXPECT_EQ(message->cert_req().cert_req_id, id);
    }
}

}  // namespace
}  // namespace estuary::x509::crmf
