// Messages of others: tests/data/cmp and tests/data/crmf were made by the openssl command line (make.sh there).
#include "support.h"

namespace estuary::cmp {
namespace {

using test::data_file;
using test::failure;

struct OpensslMessage {
    std::string file;
    BodyType type;
};

class CmpFromOpenssl : public testing::TestWithParam<OpensslMessage> {
protected:
    ByteVec der_ = data_file(GetParam().file + ".der");
};

TEST_P(CmpFromOpenssl, IsReadAndWrittenBackTheSame) {
    const auto message = PkiMessage::parse(der_);
    ASSERT_TRUE(message) << failure(message);
    EXPECT_EQ(message->type(), GetParam().type);
    EXPECT_EQ(message->header().pvno, cmp2000);
    EXPECT_EQ(to_hex(message->header().encode()), to_hex(message->header_der()));
    EXPECT_EQ(to_hex(message->body().encode()), to_hex(message->body_der()));
    EXPECT_EQ(to_hex(test::encoded_again(*message)), to_hex(der_));
    EXPECT_EQ(needed_pvno(*message), cmp2000);
    for (const auto& info : message->header().general_info) EXPECT_TRUE(check_info_value(info));
}

TEST_P(CmpFromOpenssl, ProtectionIsOverTheOctetsReceived) {
    const auto message = PkiMessage::parse(der_).value();
    ByteVec both = to_vec(message.header_der());
    append(both, message.body_der());
    EXPECT_EQ(to_hex(message.protected_part()), to_hex(test::tlv(der::Tag::sequence, both)));
    EXPECT_EQ(message.protection().has_value(), message.header().protection_alg.has_value());
}

TEST_P(CmpFromOpenssl, EveryCutAndEveryTrailingOctetIsRefused) {
    for (std::size_t octets = 0; octets < der_.size(); ++octets)
        EXPECT_EQ(test::code_of(PkiMessage::parse(Bytes{der_}.first(octets))), Code::malformed) << octets;
    auto longer = der_;
    longer.push_back(0);
    EXPECT_EQ(test::code_of(PkiMessage::parse(longer)), Code::malformed);
}

TEST_P(CmpFromOpenssl, HeaderAloneCanBeRead) {
    EXPECT_EQ(peek_header(der_).value(), PkiMessage::parse(der_)->header());
}

INSTANTIATE_TEST_SUITE_P(
    Openssl, CmpFromOpenssl,
    testing::Values(OpensslMessage{"cmp/ir_1_ir", BodyType::ir}, OpensslMessage{"cmp/ir_1_ip", BodyType::ip},
                    OpensslMessage{"cmp/ir_2_certConf", BodyType::cert_conf}, OpensslMessage{"cmp/ir_2_pkiconf", BodyType::pkiconf},
                    OpensslMessage{"cmp/implicit_1_ir", BodyType::ir}, OpensslMessage{"cmp/implicit_1_ip", BodyType::ip},
                    OpensslMessage{"cmp/cr_1_cr", BodyType::cr}, OpensslMessage{"cmp/cr_1_cp", BodyType::cp},
                    OpensslMessage{"cmp/cr_2_certConf", BodyType::cert_conf}, OpensslMessage{"cmp/kur_1_kur", BodyType::kur},
                    OpensslMessage{"cmp/kur_1_kup", BodyType::kup}, OpensslMessage{"cmp/p10cr_1_p10cr", BodyType::p10cr},
                    OpensslMessage{"cmp/p10cr_1_cp", BodyType::cp}, OpensslMessage{"cmp/p10cr_2_certConf", BodyType::cert_conf},
                    OpensslMessage{"cmp/rr_1_rr", BodyType::rr}, OpensslMessage{"cmp/rr_1_rp", BodyType::rp}, OpensslMessage{"cmp/genm_1_genm", BodyType::genm},
                    OpensslMessage{"cmp/genm_1_genp", BodyType::genp}, OpensslMessage{"cmp/poll_1_ip", BodyType::ip},
                    OpensslMessage{"cmp/poll_2_pollReq", BodyType::poll_req}, OpensslMessage{"cmp/poll_2_pollRep", BodyType::poll_rep},
                    OpensslMessage{"cmp/refused_1_ip", BodyType::ip}, OpensslMessage{"cmp/error_1_error", BodyType::error},
                    OpensslMessage{"cmp/unprotected_1_ir", BodyType::ir}, OpensslMessage{"cmp/unprotected_1_ip", BodyType::ip},
                    OpensslMessage{"cmp/utf8_1_ir", BodyType::ir}, OpensslMessage{"crmf/ir_empty_subject", BodyType::ir},
                    OpensslMessage{"crmf/cr_extensions", BodyType::cr}, OpensslMessage{"crmf/ir_key_encipherment", BodyType::ir},
                    OpensslMessage{"crmf/kur_signature_p256", BodyType::kur}),
    [](const auto& test) { return test.param.file.substr(test.param.file.find('/') + 1); });

PkiMessage message(const std::string& name) { return PkiMessage::parse(data_file("cmp/" + name + ".der")).value(); }

TEST(CmpOpenssl, HeaderIsUnderstood) {
    const auto request = message("ir_1_ir").header();
    EXPECT_EQ(request.sender.to_text(), "dirname:CN=device,O=Estuary");
    EXPECT_EQ(request.recipient.to_text(), "dirname:CN=Mock CA,O=Estuary");
    EXPECT_EQ(request.sender_kid, test::hex("33303738"));  // "3078"
    EXPECT_EQ(request.transaction_id->size(), 16u);
    EXPECT_EQ(request.sender_nonce->size(), 16u);
    EXPECT_TRUE(request.message_time);
    EXPECT_FALSE(request.recip_nonce || request.recip_kid);
    EXPECT_FALSE(implicit_confirm(request).value());
    const auto answer = message("ir_1_ip").header();
    EXPECT_EQ(answer.transaction_id, request.transaction_id);
    EXPECT_EQ(answer.recip_nonce, request.sender_nonce);
}

TEST(CmpOpenssl, ImplicitConfirmAndUnknownInfo) {
    const auto request = message("implicit_1_ir").header();
    EXPECT_TRUE(implicit_confirm(request).value());
    EXPECT_TRUE(implicit_confirm(message("implicit_1_ip").header()).value());
    const auto* unknown = find(request.general_info, der::Oid{"1.2.3.4"});
    ASSERT_NE(unknown, nullptr);
    EXPECT_EQ(unknown->info_value, test::hex("020203db"));
    EXPECT_EQ(check_info_value(*unknown).value(), false);
}

TEST(CmpOpenssl, CertificatesAreFound) {
    const auto answer = message("ir_1_ip");
    const auto& content = answer.as<CertRepMessage>();
    EXPECT_EQ(content.ca_pubs, CmpCertificates{test::mock_ca()});
    ASSERT_EQ(content.responses.size(), 1u);
    EXPECT_EQ(content.responses[0].cert_req_id, 0);
    EXPECT_TRUE(content.responses[0].status.is_granted());
    EXPECT_EQ(*content.responses[0].certified_key_pair->certificate(), test::mock_device());
    const auto extra = answer.extra_certificates();
    EXPECT_NE(std::ranges::find(extra, test::certificate("cmp/ca.pem")), extra.end());
    EXPECT_EQ(message("p10cr_1_cp").as<CertRepMessage>().responses.at(0).cert_req_id, no_cert_req_id);
}

TEST(CmpOpenssl, ConfirmationHasTheHashOfTheCertificate) {
    const auto confirmation = message("ir_2_certConf");
    const auto& status = confirmation.as<CertConfirmContent>().statuses.at(0);
    const auto hash = crypto::sha256(test::mock_device().der);
    EXPECT_EQ(status.cert_hash, to_vec(hash));
    EXPECT_TRUE(status.is_accepted());
    EXPECT_EQ(message("p10cr_2_certConf").as<CertConfirmContent>().statuses.at(0).cert_req_id, no_cert_req_id);
}

TEST(CmpOpenssl, PollingIsUnderstood) {
    EXPECT_EQ(message("poll_1_ip").as<CertRepMessage>().responses.at(0).status.status, PkiStatus::waiting);
    EXPECT_EQ(message("poll_2_pollReq").as<PollReqContent>().cert_req_ids, std::vector<std::int64_t>{0});
    EXPECT_EQ(message("poll_2_pollRep").as<PollRepContent>().responses.at(0).check_after, 1);
}

TEST(CmpOpenssl, FailuresHaveNames) {
    const auto refused = message("refused_1_ip");
    const auto& status = refused.as<CertRepMessage>().responses.at(0).status;
    EXPECT_EQ(status.status, PkiStatus::rejection);
    for (unsigned bit = 0; bit < 26; ++bit) EXPECT_TRUE(status.fail_info->has(static_cast<PkiFailure>(bit))) << bit;
    EXPECT_FALSE(status.fail_info->has(PkiFailure::duplicate_cert_req));
    EXPECT_EQ(message("error_1_error").as<ErrorMsgContent>().to_text(),
              "rejection: badRequest (error processing message); error code 486539422; CMP routines; error processing message");
}

TEST(CmpOpenssl, RevocationNamesTheCertificate) {
    const auto request = message("rr_1_rr");
    const auto& details = request.as<RevReqContent>().details.at(0);
    const auto device = test::certificate("cmp/device.pem");
    EXPECT_EQ(details.cert_details.serial_number, to_vec(device.serial_number()));
    EXPECT_EQ(details.cert_details.issuer, device.issuer());
    EXPECT_EQ(details.crl_entry_details.size(), 1u);
    EXPECT_TRUE(message("rr_1_rp").as<RevRepContent>().status.at(0).is_granted());
}

TEST(CmpOpenssl, FormatStringsInNamesStayText) {  // bug class 16: CVE-2026-63073
    const auto request = message("utf8_1_ir");
    const auto& wanted = request.as<CertReqMessages>().messages.at(0).cert_req().cert_template;
    EXPECT_THAT(wanted.subject->to_text(), testing::HasSubstr("CN=%n%x"));
}

}  // namespace
}  // namespace estuary::cmp
