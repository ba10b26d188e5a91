// Every body type, made from values, read back, and written again.
#include "support.h"

#include "estuary/x509/request.h"

namespace estuary::cmp {
namespace {

using test::enveloped;
using test::failure;
using x509::crmf::EncryptedKey;
using x509::crmf::EncryptedValue;
using x509::crmf::EnvelopedKey;

const crypto::PrivateKey& key() {
    static const auto one = crypto::PrivateKey::generate("p256").value();
    return one;
}

EncryptedKey deprecated_key() { return EncryptedValue{{}, {}, {}, {}, {}, test::hex("0102")}; }
EncryptedKey enveloped_key() { return EnvelopedKey{enveloped("key")}; }

x509::crmf::WantedRequest wanted() {
    x509::crmf::WantedRequest request;
    request.request.cert_template.subject = test::name("CN=device");
    return request;
}

CertReqMessages requests() {
    return {{x509::crmf::CertReqMsg::parse(x509::crmf::make_cert_req_msg(wanted(), key()).value()).value()}};
}

CertReqMessages request_with(const x509::crmf::ProofOfPossession& popo, std::vector<x509::crmf::Control> controls = {}) {
    x509::crmf::CertRequest request;
    request.cert_template.subject = test::name("CN=device");
    request.controls = std::move(controls);
    return {{x509::crmf::CertReqMsg::parse(x509::crmf::encode_cert_req_msg(request.encode(), popo)).value()}};
}

CertRepMessage answer(CertifiedKeyPair pair) {
    return {.ca_pubs = {}, .responses = {{.cert_req_id = 0, .status = {}, .certified_key_pair = std::move(pair), .rsp_info = {}}}};
}
CertifiedKeyPair in_clear() {
    return {.cert_or_enc_cert = test::mock_device(), .private_key = {}, .publication_info = {}};
}

CertRepMessage full_answer() {
    auto message = answer(in_clear());
    message.ca_pubs = {test::mock_ca(), test::mock_ca()};
    auto& pair = *message.responses[0].certified_key_pair;
    pair.private_key = deprecated_key();
    pair.publication_info = x509::crmf::PublicationInfo{};
    message.responses[0].rsp_info = test::hex("6162");
    message.responses.push_back({.cert_req_id = 1,
                                 .status = {.status = PkiStatus::rejection,
                                            .status_string = {"no", "nein"},
                                            .fail_info = PkiFailureInfo{PkiFailure::bad_pop, PkiFailure::duplicate_cert_req}},
                                 .certified_key_pair = {},
                                 .rsp_info = {}});
    return message;
}

ByteVec sha256_identifier() { return test::hex("300b0609608648016503040201"); }

PopoDecKeyChallContent old_challenges() {
    return {{{sha256_identifier(), test::hex("aa"), test::hex("bb"), {}}, {{}, test::hex("cc"), test::hex("dd"), {}}}};
}
PopoDecKeyChallContent new_challenge() { return {{{sha256_identifier(), test::hex("aa"), {}, enveloped("Rand")}}}; }

RevReqContent revocation() {
    RevDetails details;
    details.cert_details.serial_number = test::hex("1234");
    details.cert_details.issuer = test::name("CN=Mock CA");
    details.crl_entry_details = {{.id = der::Oid{"2.5.29.21"}, .critical = false, .value = test::hex("0a0101")}};
    return {{details, details}};
}
x509::crmf::CertId cert_id() { return {test::directory("CN=Mock CA"), test::hex("1234")}; }
ByteVec crl() { return test::data_file("cmp/ca.crl"); }

NestedMessageContent nested() {
    return {{PkiMessage::parse(test::data_file("cmp/ir_1_ir.der")).value(),
             PkiMessage::parse(test::message({BodyType::poll_req, PollReqContent{{0}}})).value()}};
}

struct BodyCase {
    std::string name;
    PkiBody (*body)();
    std::int64_t pvno = cmp2000;  // RFC 9810 7
};

class CmpBody : public testing::TestWithParam<BodyCase> {};

TEST_P(CmpBody, GoesThereAndBack) {
    const auto body = GetParam().body();
    const auto der = test::message(body);
    const auto message = PkiMessage::parse(der);
    ASSERT_TRUE(message) << failure(message);
    EXPECT_EQ(message->type(), body.type);
    EXPECT_EQ(message->body().content.index(), body.content.index());
    EXPECT_EQ(to_hex(test::encoded_again(*message)), to_hex(der));
}

TEST_P(CmpBody, NeedsItsVersion) {
    EXPECT_EQ(needed_pvno(test::header(), GetParam().body()), GetParam().pvno);
    EXPECT_EQ(needed_pvno(PkiMessage::parse(test::message(GetParam().body())).value()), GetParam().pvno);
}

TEST_P(CmpBody, TrailingElementInTheBodyIsRefused) {
    auto body = GetParam().body().encode();
    der::Reader reader{body};
    const auto element = reader.any().value();
    auto content = to_vec(element.content);
    append(content, test::hex("0500"));
    EXPECT_EQ(test::code_of(PkiMessage::parse(test::message_of(test::tlv(element.tag, content)))), Code::malformed);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9810, CmpBody,
    testing::Values(
        BodyCase{"ir", [] { return PkiBody{BodyType::ir, requests()}; }},
        BodyCase{"ir_agree_mac",
             [] {
                 const x509::crmf::PkMacValue mac{test::hex("300c06082b060105050801020500"), test::hex("aabb")};
                 return PkiBody{BodyType::ir, request_with(x509::crmf::KeyAgreementProof{x509::crmf::AgreeMac{mac}})};
             },
             cmp2021},
        BodyCase{"ir_encrypted_key",
             [] {
                 const x509::crmf::EncryptedKeyProof proof{enveloped("key")};
                 return PkiBody{BodyType::ir, request_with(x509::crmf::KeyEncipherment{proof})};
             },
             cmp2021},
        BodyCase{"ir_encr_cert",
             [] {
                 return PkiBody{BodyType::ir,
                                request_with(x509::crmf::KeyEncipherment{x509::crmf::SubsequentMessage::encr_cert})};
             }},
        BodyCase{"ir_archive_enveloped",
             [] {
                 return PkiBody{BodyType::ir, request_with(x509::crmf::RaVerified{},
                                                           {x509::crmf::make_archive_options(enveloped_key())})};
             },
             cmp2021},
        BodyCase{"ip", [] { return PkiBody{BodyType::ip, full_answer()}; }},
        BodyCase{"ip_empty", [] { return PkiBody{BodyType::ip, CertRepMessage{}}; }},
        BodyCase{"ip_key_enveloped",
             [] {
                 auto pair = in_clear();
                 pair.private_key = enveloped_key();
                 return PkiBody{BodyType::ip, answer(pair)};
             },
             cmp2021},
        BodyCase{"cr", [] { return PkiBody{BodyType::cr, requests()}; }},
        BodyCase{"cp_encrypted_value", [] { return PkiBody{BodyType::cp, answer({deprecated_key(), {}, {}})}; }},
        BodyCase{"cp_encrypted_enveloped", [] { return PkiBody{BodyType::cp, answer({enveloped_key(), {}, {}})}; }, cmp2021},
        BodyCase{"p10cr",
             [] { return PkiBody{BodyType::p10cr, P10CertificationRequest{x509::make_request({}, key()).value()}}; }},
        BodyCase{"popdecc_cmp2000", [] { return PkiBody{BodyType::popdecc, old_challenges()}; }},
        BodyCase{"popdecc_cmp2021", [] { return PkiBody{BodyType::popdecc, new_challenge()}; }, cmp2021},
        BodyCase{"popdecr",
             [] { return PkiBody{BodyType::popdecr, PopoDecKeyRespContent{{test::hex("0102030405060708090a"), test::hex("00")}}}; }},
        BodyCase{"kur", [] { return PkiBody{BodyType::kur, requests()}; }},
        BodyCase{"kup", [] { return PkiBody{BodyType::kup, full_answer()}; }},
        BodyCase{"krr", [] { return PkiBody{BodyType::krr, requests()}; }},
        BodyCase{"krp",
             [] {
                 KeyRecRepContent content;
                 content.new_sig_cert = test::mock_device();
                 content.ca_certs = {test::mock_ca()};
                 content.key_pair_hist = {{test::mock_device(), deprecated_key(), {}}};
                 return PkiBody{BodyType::krp, content};
             }},
        BodyCase{"krp_waiting",
             [] {
                 KeyRecRepContent content;
                 content.status.status = PkiStatus::waiting;
                 return PkiBody{BodyType::krp, content};
             }},
        BodyCase{"krp_enveloped",
             [] {
                 KeyRecRepContent content;
                 content.key_pair_hist = {{test::mock_device(), enveloped_key(), {}}};
                 return PkiBody{BodyType::krp, content};
             },
             cmp2021},
        BodyCase{"rr", [] { return PkiBody{BodyType::rr, revocation()}; }},
        BodyCase{"rp",
             [] {
                 return PkiBody{BodyType::rp,
                                RevRepContent{{PkiStatusInfo{}, rejection(PkiFailure::bad_cert_id)}, {cert_id()}, {crl()}}};
             }},
        BodyCase{"ccr", [] { return PkiBody{BodyType::ccr, requests()}; }},
        BodyCase{"ccp", [] { return PkiBody{BodyType::ccp, answer(in_clear())}; }},
        BodyCase{"ckuann_cmp2000",
             [] {
                 return PkiBody{BodyType::ckuann,
                                CaKeyUpdContent{CaKeyUpdAnn{test::mock_ca(), test::mock_ca(), test::mock_ca()}}};
             }},
        BodyCase{"ckuann_cmp2021",
             [] { return PkiBody{BodyType::ckuann, CaKeyUpdContent{RootCaKeyUpdate{test::mock_ca(), test::mock_ca(), {}}}}; },
             cmp2021},
        BodyCase{"cann", [] { return PkiBody{BodyType::cann, CertAnnContent{test::mock_device()}}; }},
        BodyCase{"rann",
             [] {
                 RevAnnContent content{PkiStatus::revocation_warning, cert_id(), parse_iso8601("2026-11-21").value(),
                                       parse_iso8601("2026-11-20").value(), {}};
                 content.crl_details = revocation().details[0].crl_entry_details;
                 return PkiBody{BodyType::rann, content};
             }},
        BodyCase{"crlann", [] { return PkiBody{BodyType::crlann, CrlAnnContent{{crl(), crl()}}}; }},
        BodyCase{"pkiconf", [] { return PkiBody{}; }}, BodyCase{"nested", [] { return PkiBody{BodyType::nested, nested()}; }},
        BodyCase{"genm", [] { return PkiBody{BodyType::genm, GenContent{{ask(oid::ca_certs)}}}; }},
        BodyCase{"genm_empty", [] { return PkiBody{BodyType::genm, GenContent{}}; }},
        BodyCase{"genm_rev_passphrase",
             [] { return PkiBody{BodyType::genm, GenContent{{make_rev_passphrase(enveloped_key())}}}; }, cmp2021},
        BodyCase{"genm_rev_passphrase_old",
             [] { return PkiBody{BodyType::genm, GenContent{{make_rev_passphrase(deprecated_key())}}}; }},
        BodyCase{"genp",
             [] {
                 return PkiBody{BodyType::genp,
                                GenContent{{make_ca_certs({test::mock_ca()}), {der::Oid{"1.2.3"}, test::hex("0101ff")}}}};
             }},
        BodyCase{"error",
             [] {
                 return PkiBody{BodyType::error,
                                ErrorMsgContent{rejection(PkiFailure::system_failure, "later"), -5, {"%s%n"}}};
             }},
        BodyCase{"error_least", [] { return PkiBody{BodyType::error, ErrorMsgContent{{PkiStatus::waiting, {}, {}}, {}, {}}}; }},
        BodyCase{"certConf",
             [] {
                 return PkiBody{BodyType::cert_conf,
                                CertConfirmContent{{{test::hex("aa"), 0, {}, {}}, {test::hex("bb"), -1, PkiStatusInfo{}, {}}}}};
             }},
        BodyCase{"certConf_empty", [] { return PkiBody{BodyType::cert_conf, CertConfirmContent{}}; }},
        BodyCase{"certConf_hashAlg",
             [] { return PkiBody{BodyType::cert_conf, CertConfirmContent{{{test::hex("aa"), 0, {}, sha256_identifier()}}}}; },
             cmp2021},
        BodyCase{"pollReq", [] { return PkiBody{BodyType::poll_req, PollReqContent{{-1, 0, 200}}}; }},
        BodyCase{"pollRep", [] { return PkiBody{BodyType::poll_rep, PollRepContent{{{0, 60, {}}, {1, 3600, {"later"}}}}}; }}),
    [](const auto& test) { return test.param.name; });

TEST(CmpBodyTypes, EachOfThe27HasItsNameAndIsTested) {  // bug class 1
    const std::vector<std::string_view> names{"ir",   "ip",     "cr",     "cp",     "p10cr",  "popdecc", "popdecr", "kur",  "kup",
                                              "krr",  "krp",    "rr",     "rp",     "ccr",    "ccp",     "ckuann",  "cann", "rann",
                                              "crlann", "pkiconf", "nested", "genm", "genp", "error",   "certConf", "pollReq", "pollRep"};
    ASSERT_EQ(names.size(), body_types);
    for (unsigned number = 0; number < body_types; ++number)
        EXPECT_EQ(to_string(static_cast<BodyType>(number)), names[number]);
}

TEST(CmpBodyTypes, AnswersBelongToRequests) {
    EXPECT_EQ(answer_to(BodyType::ir), BodyType::ip);
    EXPECT_EQ(answer_to(BodyType::p10cr), BodyType::cp);
    EXPECT_EQ(answer_to(BodyType::kur), BodyType::kup);
    EXPECT_EQ(answer_to(BodyType::cert_conf), BodyType::pkiconf);
    EXPECT_EQ(answer_to(BodyType::genm), BodyType::genp);
    EXPECT_EQ(answer_to(BodyType::ip), std::nullopt);
    EXPECT_EQ(answer_to(BodyType::crlann), std::nullopt);
}

TEST(CmpBodyTypes, UnknownOnesAreUnsupported) {
    for (const auto* body : {"bb020500", "be020500"})
        EXPECT_EQ(test::code_of(PkiMessage::parse(test::message_of(test::hex(body)))), Code::unsupported) << body;
    for (const auto* body : {"0500", "3000", "8000", "9300", "3f1b0500", "bf1b020500"})
        EXPECT_FALSE(PkiMessage::parse(test::message_of(test::hex(body)))) << body;
}

TEST(CmpBodyTypes, ContentOfAnotherTypeIsOurOwnFault) {
    EXPECT_THROW((PkiBody{BodyType::ir, CertRepMessage{}}.encode()), std::logic_error);
    EXPECT_THROW((PkiBody{BodyType::nested, CertRepMessage{}}.encode()), std::logic_error);
}

TEST(CmpNested, InnerMessagesAreKeptAsReceived) {
    const auto der = test::message({BodyType::nested, nested()});
    const auto outer = PkiMessage::parse(der).value();
    const auto& inner = outer.as<NestedMessageContent>().messages;
    ASSERT_EQ(inner.size(), 2u);
    EXPECT_EQ(to_hex(inner[0].der()), to_hex(test::data_file("cmp/ir_1_ir.der")));
    EXPECT_EQ(inner[0].type(), BodyType::ir);
}

TEST(CmpNested, VersionsInsideCountForThemselves) {
    const auto inner = PkiMessage::parse(test::message(
        {BodyType::cert_conf, CertConfirmContent{{{test::hex("aa"), 0, {}, sha256_identifier()}}}})).value();
    EXPECT_EQ(needed_pvno(inner), cmp2021);
    EXPECT_EQ(needed_pvno(test::header(), {BodyType::nested, NestedMessageContent{{inner}}}), cmp2000);
}

TEST(CmpRand, GoesThereAndBack) {
    const Rand rand{test::hex("0102"), test::directory("CN=CA")};
    EXPECT_EQ(Rand::parse(rand.encode()).value(), rand);
    EXPECT_FALSE(Rand::parse(test::hex("3000")));
    EXPECT_FALSE(Rand::parse(test::hex("3003020100")));
}

}  // namespace
}  // namespace estuary::cmp
