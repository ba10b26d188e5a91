// What is refused, body by body, and the limits that a message is held to.
#include "support.h"

namespace estuary::cmp {
namespace {

using test::code_of;
using test::hex;

struct MalformedBody {
    std::string name;
    std::string body;  // hexadecimal DER of a PKIBody
    Code code = Code::malformed;
};

class CmpMalformed : public testing::TestWithParam<MalformedBody> {};

TEST_P(CmpMalformed, IsRefused) {
    const auto message = PkiMessage::parse(test::message_of(hex(GetParam().body)));
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, GetParam().code) << message.error().detail;
    EXPECT_FALSE(message.error().detail.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, CmpMalformed,
    testing::Values(
        MalformedBody{"ir_null", "a0020500"}, MalformedBody{"ir_without_request", "a0023000"}, MalformedBody{"ir_empty_request", "a00430023000"},
        MalformedBody{"ir_two_lists", "a00430003000"}, MalformedBody{"ip_null", "a1020500"}, MalformedBody{"ip_empty", "a1023000"},
        MalformedBody{"ip_empty_ca_pubs", "a1083006a10230003000"}, MalformedBody{"ip_response_without_status", "a109300730053003020100"},
        MalformedBody{"ip_unknown_status", "a10e300c300a30080201003003020107", Code::unsupported},
        MalformedBody{"ip_negative_status", "a10e300c300a300802010030030201ff", Code::unsupported},
        MalformedBody{"ip_empty_key_pair", "a110300e300c300a02010030030201003000"},
        MalformedBody{"ip_key_pair_of_neither", "a11430123010300e02010030030201003004a2020500"},
        // bug class 16: CVE-2026-42767, an EncryptedValue with nothing in it
        MalformedBody{"ip_empty_encrypted_value", "a11430123010300e02010030030201003004a1023000"},
        MalformedBody{"ip_encrypted_cert_null", "a11430123010300e02010030030201003004a1020500"},
        MalformedBody{"cr_null", "a2020500"}, MalformedBody{"cp_null", "a3020500"}, MalformedBody{"p10cr_null", "a4020500"}, MalformedBody{"p10cr_empty", "a4023000"},
        MalformedBody{"p10cr_without_signature", "a406300430003000"}, MalformedBody{"popdecc_null", "a5020500"},
        MalformedBody{"popdecc_without_owf", "a509300730050401000400"}, MalformedBody{"popdecc_neither", "a50d300b3009300306012a0401000400"},
        MalformedBody{"popdecc_both", "a5123010300e300306012a040100040100a0023000"}, MalformedBody{"popdecr_null", "a6020500"},
        MalformedBody{"popdecr_integer_not_minimal", "a606300402020001"}, MalformedBody{"kur_null", "a7020500"}, MalformedBody{"kup_null", "a8020500"},
        MalformedBody{"krr_null", "a9020500"}, MalformedBody{"krp_empty", "aa023000"}, MalformedBody{"krp_empty_history", "aa0b30093003020100a2023000"},
        MalformedBody{"rr_null", "ab020500"},  // bug class 16: CVE-2026-75805
        MalformedBody{"rr_without_template", "ab0430023000"}, MalformedBody{"rr_null_template", "ab06300430020500"},
        MalformedBody{"rr_empty_extensions", "ab083006300430003000"}, MalformedBody{"rp_empty", "ac023000"}, MalformedBody{"rp_no_status", "ac0430023000"},
        MalformedBody{"rp_empty_certs", "ac0d300b30053003020100a0023000"}, MalformedBody{"ccr_null", "ad020500"}, MalformedBody{"ccp_null", "ae020500"},
        MalformedBody{"ckuann_empty", "af023000"}, MalformedBody{"ckuann_v3_empty", "af04a0023000"}, MalformedBody{"cann_nothing", "b000"},
        MalformedBody{"rann_empty", "b1023000"}, MalformedBody{"crlann_null", "b2020500"}, MalformedBody{"crlann_of_null", "b20430020500"},
        MalformedBody{"pkiconf_nothing", "b300"}, MalformedBody{"pkiconf_sequence", "b3023000"}, MalformedBody{"pkiconf_null_with_content", "b303050100"},
        MalformedBody{"nested_empty", "b4023000"}, MalformedBody{"nested_null", "b4020500"}, MalformedBody{"nested_empty_message", "b40430023000"},
        MalformedBody{"genm_null", "b5020500"}, MalformedBody{"genm_without_type", "b50430023000"}, MalformedBody{"genm_two_values", "b5093007300506012a05000500"},
        MalformedBody{"genp_null", "b6020500"}, MalformedBody{"error_empty", "b7023000"}, MalformedBody{"error_null", "b7020500"},
        MalformedBody{"error_fail_info_trailing_zeros", "b70d300b3009020102030205030080"},
        MalformedBody{"error_fail_info_too_long", "b711300f300d02010203080000000000000001"},
        MalformedBody{"error_empty_text", "b709300730050201023000"}, MalformedBody{"certConf_null", "b8020500"},
        MalformedBody{"certConf_empty_status", "b80430023000"}, MalformedBody{"certConf_without_id", "b806300430020400"},
        MalformedBody{"pollReq_null", "b9020500"}, MalformedBody{"pollReq_empty", "b90430023000"}, MalformedBody{"pollReq_two", "b90a30083006020100020100"},
        MalformedBody{"pollRep_without_time", "ba0730053003020100"}, MalformedBody{"pollRep_null", "ba020500"},
        MalformedBody{"indefinite_length", "b38005000000"}, MalformedBody{"long_length", "b381020500"}),
    [](const auto& test) { return test.param.name; });

/// A message whose header has this for the given field, which is otherwise as usual.
ByteVec with_header(std::string_view optional_fields) {
    return encode_message(test::tlv(der::Tag::sequence, hex("020102a4023000a4023000" + std::string{optional_fields})),
                          PkiBody{}.encode(), {});
}

TEST(CmpHeaderMalformed, IsRefused) {
    ASSERT_TRUE(PkiMessage::parse(with_header("")));
    for (const auto* fields : {"0500", "a0020500", "a00d170b3236313132313030303000", "a1020500", "a10430003000", "a2023000",
                               "a206040161040162", "a4030401", "a4030401aaa4030401aa", "a5030401aaa4030401aa", "a7023000",
                               "a70430020c00a70430020c00", "a703300105", "a8023000", "a80430023000", "a9020500", "840161"})
        EXPECT_EQ(code_of(PkiMessage::parse(with_header(fields))), Code::malformed) << fields;
}

TEST(CmpHeaderMalformed, VersionsAreKeptAsTheyCome) {  // for an answer that says unsupportedVersion
    for (const std::int64_t pvno : {0, 1, 2, 3, 4, -1, 99}) {
        auto header = test::header();
        header.pvno = pvno;
        EXPECT_EQ(PkiMessage::parse(test::message(header, {}))->header().pvno, pvno);
    }
}

TEST(CmpHeaderMalformed, HeaderIsReadWhereTheBodyIsNot) {
    const auto der = test::message_of(hex("bb020500"));
    EXPECT_FALSE(PkiMessage::parse(der));
    EXPECT_EQ(peek_header(der).value(), test::header());
    EXPECT_FALSE(peek_header(hex("3000")));
}

TEST(CmpMessageMalformed, FieldsAfterTheBody) {
    const auto with = [](std::string_view rest) {
        auto content = test::header().encode();
        append(content, PkiBody{}.encode());
        append(content, hex(rest));
        return test::tlv(der::Tag::sequence, content);
    };
    EXPECT_TRUE(PkiMessage::parse(with("a004030200aa")));
    for (const auto* rest : {"a004030201aa", "a0020500", "a003300100", "a1023000", "a1020500", "a2020500", "0500",
                             "a10430020500a004030200aa"})
        EXPECT_EQ(code_of(PkiMessage::parse(with(rest))), Code::malformed) << rest;
}

TEST(CmpMessageMalformed, DeepInsideIsDerToo) {
    auto der = test::message({BodyType::genp, GenContent{{{der::Oid{"1.2.3"}, hex("3003020100")}}}});
    ASSERT_TRUE(PkiMessage::parse(der));
    der[der.size() - 2] = 0x7F;  // the length of the INTEGER
    EXPECT_EQ(code_of(PkiMessage::parse(der)), Code::malformed);
}

// Limits.

TEST(CmpLimits, ExtraCertsDoNotGrow) {  // bug class 16: CVE-2026-63074
    const Limits limits;
    const auto with = [](std::size_t count) {
        const std::vector<Bytes> certificates(count, Bytes{test::mock_ca().der});
        return encode_message(test::header().encode(), PkiBody{}.encode(), {}, certificates);
    };
    EXPECT_EQ(PkiMessage::parse(with(limits.extra_certs_max))->extra_certs().size(), limits.extra_certs_max);
    EXPECT_EQ(code_of(PkiMessage::parse(with(limits.extra_certs_max + 1))), Code::too_large);
}

TEST(CmpLimits, ExtraCertsOfOtherKindsArePassedOver) {
    const auto other = hex("a503020101");
    const auto der = encode_message(test::header().encode(), PkiBody{}.encode(), {},
                                    {Bytes{other}, Bytes{test::mock_ca().der}});
    const auto message = PkiMessage::parse(der).value();
    EXPECT_EQ(message.extra_certs().size(), 2u);
    EXPECT_EQ(message.extra_certificates(), std::vector{test::certificate("cmp/ca.pem")});
    EXPECT_EQ(to_hex(test::encoded_again(message)), to_hex(der));
}

TEST(CmpLimits, Counts) {
    const Limits limits;
    const auto refused = [](const PkiBody& body) { return code_of(PkiMessage::parse(test::message(body))); };
    EXPECT_EQ(refused({BodyType::poll_req, PollReqContent{std::vector<std::int64_t>(limits.requests_max + 1)}}), Code::too_large);
    EXPECT_EQ(refused({BodyType::cert_conf, CertConfirmContent{std::vector<CertStatus>(limits.requests_max + 1)}}),
              Code::too_large);
    EXPECT_EQ(refused({BodyType::genm, GenContent{InfoTypeAndValues(limits.info_max + 1, ask(oid::crls))}}), Code::too_large);
    EXPECT_EQ(refused({BodyType::crlann, CrlAnnContent{std::vector<ByteVec>(limits.crls_max + 1, hex("3000"))}}),
              Code::too_large);
    EXPECT_EQ(refused({BodyType::ip, CertRepMessage{CmpCertificates(limits.certificates_max + 1, test::mock_ca()), {}}}),
              Code::too_large);
    EXPECT_EQ(refused({BodyType::rr, RevReqContent{std::vector<RevDetails>(limits.requests_max + 1)}}), Code::too_large);
    const PkiStatusInfo wordy{.status = PkiStatus::rejection, .status_string = PkiFreeText(limits.texts_max + 1), .fail_info = {}};
    EXPECT_EQ(refused({BodyType::error, ErrorMsgContent{wordy, {}, {}}}), Code::too_large);
    const PkiStatusInfo long_winded{.status = PkiStatus::rejection,
                                    .status_string = {std::string(limits.text_octets_max + 1, 'a')},
                                    .fail_info = {}};
    EXPECT_EQ(refused({BodyType::error, ErrorMsgContent{long_winded, {}, {}}}), Code::too_large);
}

TEST(CmpLimits, HeaderFields) {
    const Limits limits;
    auto header = test::header();
    header.transaction_id = ByteVec(limits.identifier_octets_max, 1);
    EXPECT_TRUE(PkiMessage::parse(test::message(header, {})));
    header.transaction_id->push_back(1);
    EXPECT_EQ(code_of(PkiMessage::parse(test::message(header, {}))), Code::too_large);
    header = test::header();
    header.general_info.assign(limits.info_max + 1, make_implicit_confirm());
    EXPECT_EQ(code_of(PkiMessage::parse(test::message(header, {}))), Code::too_large);
}

ByteVec nested_in(ByteVec inner, unsigned levels) {
    for (unsigned level = 0; level < levels; ++level)
        inner = test::message_of(test::tlv(der::context_constructed(20), test::tlv(der::Tag::sequence, inner)));
    return inner;
}

TEST(CmpLimits, Nesting) {
    const Limits limits;
    const auto innermost = test::message(PkiBody{});
    EXPECT_TRUE(PkiMessage::parse(nested_in(innermost, limits.nesting_max)));
    EXPECT_EQ(code_of(PkiMessage::parse(nested_in(innermost, limits.nesting_max + 1))), Code::too_large);
    EXPECT_FALSE(PkiMessage::parse(nested_in(innermost, 500)));
}

TEST(CmpLimits, DeepestRequestWithinAllNesting) {
    const auto der = nested_in(test::data_file("crmf/cr_extensions.der"), Limits{}.nesting_max);
    const auto message = PkiMessage::parse(der);
    ASSERT_TRUE(message) << test::failure(message);
    EXPECT_EQ(to_hex(test::encoded_again(*message)), to_hex(der));
}

TEST(CmpLimits, Octets) {
    EXPECT_EQ(code_of(PkiMessage::parse(test::message(PkiBody{}), {.bytes_max = 50})), Code::too_large);
    const auto large = test::tlv(der::Tag::octet_string, ByteVec(Limits{}.bytes_max, 0));
    EXPECT_EQ(code_of(PkiMessage::parse(test::message({BodyType::genp, GenContent{{{der::Oid{"1.2.3"}, large}}}}))),
              Code::too_large);
}

TEST(CmpMessages, OriginalMessagesAreReadWithinTheSameLimits) {
    const auto original = test::data_file("cmp/ir_1_ir.der");
    auto header = test::header();
    EXPECT_TRUE(orig_pki_message(header)->empty());
    header.general_info = {make_orig_pki_message({Bytes{original}})};
    const auto messages = parse_messages(orig_pki_message(header).value()).value();
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(to_hex(messages[0].der()), to_hex(original));
    EXPECT_EQ(code_of(parse_messages(hex("3000"))), Code::malformed);
    EXPECT_EQ(code_of(parse_messages(hex("30003000"))), Code::malformed);
    header.general_info.push_back(header.general_info[0]);
    EXPECT_EQ(code_of(orig_pki_message(header)), Code::malformed);
}

}  // namespace
}  // namespace estuary::cmp
