// Controls and regInfo of certificate request messages (RFC 4211 6 and 7).
#include "estuary/x509/crmf_controls.h"

#include "crmf_support.h"

namespace estuary::x509::crmf {
namespace {

using test::failure;
using test::general_name;
using test::hex;
using testing::HasSubstr;

TEST(CrmfControls, OidsAreThoseAssigned) {
    EXPECT_EQ(to_hex(oid::reg_token.content()), "2b06010505070501" "01");
    EXPECT_EQ(to_hex(oid::protocol_encr_key.content()), "2b06010505070501" "06");
    EXPECT_EQ(to_hex(oid::utf8_pairs.content()), "2b06010505070502" "01");
    EXPECT_EQ(to_hex(oid::cert_req.content()), "2b06010505070502" "02");
}

TEST(CrmfControls, OldCertIdOfOpensslIsRead) {
    const auto message = test::openssl_request("kur_signature_p256");
    const auto id = old_cert_id(message.cert_req().controls);
    ASSERT_TRUE(id && *id) << failure(id);
    const auto signer = Certificate::from_bytes(test::data_file("crmf/signer_p256.pem")).value();
    EXPECT_TRUE(same((*id)->serial_number, signer.serial_number()));
    EXPECT_EQ((*id)->issuer, (GeneralName{GeneralName::Kind::directory, to_vec(signer.issuer().der())}));
    EXPECT_EQ(make_old_cert_id(**id), message.cert_req().controls.at(0));
}

TEST(CrmfControls, TextsGoThereAndBack) {
    const std::vector<Control> controls{make_reg_token("tök3n"), make_authenticator("maiden name")};
    EXPECT_EQ(reg_token(controls).value(), "tök3n");
    EXPECT_EQ(authenticator(controls).value(), "maiden name");
    EXPECT_EQ(reg_token({}).value(), std::nullopt);
    EXPECT_EQ(controls[0].value[0], 0x0C);  // RFC 4211 6.1: UTF8String
}

TEST(CrmfControls, TextsThatAreNone) {  // bug class 13
    const auto of = [](std::string_view value) { return failure(reg_token({Control{oid::reg_token, hex(value)}})); };
    EXPECT_THAT(of("0c00"), HasSubstr("regToken: empty"));
    EXPECT_THAT(of("130141"), HasSubstr("UTF8String"));
    EXPECT_THAT(of("0c0100"), HasSubstr("not text"));
    EXPECT_THAT(of("0c01ff"), HasSubstr("not text"));
    EXPECT_THAT(of("0c0141" "0500"), HasSubstr("end of regToken"));
    EXPECT_THAT(failure(reg_token({make_reg_token(std::string(1025, 'a'))})), HasSubstr("longer than 1024"));
    EXPECT_THAT(failure(reg_token({make_reg_token("a"), make_reg_token("a")})), HasSubstr("more than once"));
    EXPECT_THAT(failure(authenticator({make_authenticator("a"), make_authenticator("b")})), HasSubstr("more than once"));
}

TEST(CrmfControls, PublicationInfoGoesThereAndBack) {
    using Info = PublicationInfo;
    const Info info{Info::Action::please_publish,
                    {{Info::Method::dont_care, {}}, {Info::Method::ldap, general_name("uri:ldap://dir.example/cn=x")}}};
    EXPECT_EQ(publication_info({make_publication_info(info)}).value(), info);
    const Info never{Info::Action::dont_publish, {}};
    EXPECT_EQ(to_hex(never.encode()), "3003020100");
    EXPECT_EQ(PublicationInfo::parse(never.encode()).value(), never);
}

TEST(CrmfControls, PublicationInfoThatIsNone) {
    const auto of = [](std::string_view der) { return failure(PublicationInfo::parse(hex(der))); };
    EXPECT_THAT(of("3003020102"), HasSubstr("action 2"));
    EXPECT_THAT(of("300a020100" "3005" "3003020100"), HasSubstr("goes with dontPublish"));
    EXPECT_THAT(of("3005020101" "3000"), HasSubstr("pubInfos is empty"));
    EXPECT_THAT(of("300a020101" "3005" "3003020104"), HasSubstr("pubMethod 4"));
    EXPECT_THAT(of("300d020101" "3008" "3006020100" "820178"), HasSubstr("dontCare with a location"));
}

EncryptedValue encrypted_value() {
    return {hex("300506032b6570"), hex("300506032b6571"), hex("0102"), hex("300706032b65720500"), hex("41"), hex("0a0b0c")};
}

TEST(CrmfControls, EncryptedValueGoesThereAndBack) {
    const auto all = encrypted_value();
    EXPECT_EQ(EncryptedValue::parse(all.encode()).value(), all);
    EXPECT_EQ(to_hex(all.encode()),
              "3025" "a00506032b6570" "a10506032b6571" "8203000102" "a30706032b65720500" "840141" "0304000a0b0c");
    const EncryptedValue least{{}, {}, {}, {}, {}, hex("ff")};
    EXPECT_EQ(to_hex(least.encode()), "3004030200ff");
    EXPECT_EQ(EncryptedValue::parse(least.encode()).value(), least);
    EXPECT_FALSE(EncryptedValue::parse(hex("3000")));  // bug class 16: CVE-2026-42767
    EXPECT_FALSE(EncryptedValue::parse(hex("3006a200030200ff")));
    EXPECT_FALSE(EncryptedValue::parse(hex("3006a100030200ff")));
}

TEST(CrmfControls, ArchiveOptionsGoThereAndBack) {
    const std::vector<std::pair<ArchiveOptions, std::string>> cases{
        {EncryptedKey{EnvelopedKey{hex("3003020102")}}, "a005a003020102"},  // EXPLICIT around the CHOICE, IMPLICIT inside
        {EncryptedKey{EncryptedValue{{}, {}, {}, {}, {}, hex("ff")}}, "a0063004030200ff"},
        {KeyGenParameters{hex("0102")}, "81020102"},
        {ArchiveRemGenPrivKey{true}, "8201ff"},
        {ArchiveRemGenPrivKey{false}, "820100"}};
    for (const auto& [options, encoded] : cases) {
        const auto control = make_archive_options(options);
        EXPECT_EQ(to_hex(control.value), encoded);
        EXPECT_TRUE(archive_options({control}).value() == options) << encoded;
    }
    for (const auto* wrong : {"a000", "a002a000", "a004a0020500", "a0063003020100", "8200", "820101", "8300", "a0073003020100" "0500"})
        EXPECT_FALSE(archive_options({Control{oid::pki_archive_options, hex(wrong)}})) << wrong;
}

TEST(CrmfControls, ProtocolEncryptionKey) {
    const auto spki = to_vec(test::p256().public_key().spki());
    EXPECT_EQ(protocol_encr_key({make_protocol_encr_key(spki)}).value(), spki);
    EXPECT_FALSE(protocol_encr_key({Control{oid::protocol_encr_key, hex("3000")}}));
}

TEST(CrmfControls, OldCertIdThatIsNone) {
    for (const auto* wrong : {"3000", "3003820178", "300682017802020001", "300882017802010105" "00"})
        EXPECT_FALSE(old_cert_id({Control{oid::old_cert_id, hex(wrong)}})) << wrong;
    const CertId id{general_name("dns:x"), hex("01")};
    EXPECT_THAT(failure(old_cert_id({make_old_cert_id(id), make_old_cert_id(id)})), HasSubstr("more than once"));
}

Control pairs_of(std::string_view text) {
    der::Writer writer;
    writer.utf8_string(text);
    return {oid::utf8_pairs, std::move(writer).take()};
}

TEST(CrmfControls, Utf8PairsOfTheStandardAreRead) {  // RFC 4211 A.1
    const auto pairs = utf8_pairs({pairs_of(
        "version?1%corp_company?Example, Inc.%org_unit?Engineering%mail_firstName?John%mail_lastName?Smith%jobTitle?Team "
        "Leader%mail_email?john@example.com%")});
    ASSERT_TRUE(pairs) << failure(pairs);
    ASSERT_EQ(pairs->size(), 7u);
    EXPECT_EQ((*pairs)[1], (NameValue{"corp_company", "Example, Inc."}));
    EXPECT_EQ((*pairs)[6], (NameValue{"mail_email", "john@example.com"}));
}

TEST(CrmfControls, Utf8PairsEscapeTheirSeparators) {
    const std::vector<NameValue> pairs{{"rate?", "100%"}, {"dé", ""}};
    const auto control = make_utf8_pairs(pairs);
    EXPECT_THAT(as_text(Bytes{control.value}), HasSubstr("rate%3f?100%25%d\xC3\xA9?%"));
    EXPECT_EQ(utf8_pairs({control}).value(), pairs);
    EXPECT_EQ(utf8_pairs({control, pairs_of("x?y%")}).value().size(), 3u);  // may be there several times
}

TEST(CrmfControls, Utf8PairsThatAreNone) {  // bug class 13
    for (const auto* wrong : {"x", "x?y", "x%y?", "?y%", "1x?y%", "x??%", "x?y%%", "x?%0a%", "x?%00%"})
        EXPECT_FALSE(utf8_pairs({pairs_of(wrong)})) << wrong;
    std::string many;
    for (int i = 0; i < 257; ++i) many += "x?y%";
    EXPECT_THAT(failure(utf8_pairs({pairs_of(many)})), HasSubstr("too_large"));
}

}  // namespace
}  // namespace estuary::x509::crmf
