// Every typed InfoTypeAndValue: there and back, absent, and malformed.
#include "support.h"

namespace estuary::cmp {
namespace {

using test::code_of;
using test::hex;

InfoTypeAndValue info(const der::Oid& type, std::string_view value) { return {type, hex(value)}; }

const std::string ecdsa_with_sha256 = "300a06082a8648ce3d040302";  // ecdsa-with-SHA256

struct InfoCase {
    std::string name;
    InfoTypeAndValue good;
    std::vector<std::string> bad = {};  // values
    bool may_be_absent = true;
};

std::vector<InfoCase> cases() {
    const auto encrypted = x509::crmf::EncryptedKey{x509::crmf::EncryptedValue{{}, {}, {}, {}, {}, hex("ff")}};
    x509::crmf::CertTemplate wanted;
    wanted.subject = x509::Name{};
    x509::DistributionPointName point;
    point.full_name = {x509::GeneralName::from_text("uri:http://ca.example/crl").value()};
    const auto when = parse_iso8601("2026-11-21").value();
    const auto ca = test::mock_ca();
    const auto crl = test::data_file("cmp/ca.crl");
    return {
        {"caProtEncCert", make_ca_prot_enc_cert(ca), {"30000500"}},
        {"signKeyPairTypes", make_key_pair_types(oid::sign_key_pair_types, {hex(ecdsa_with_sha256)}), {"3000", "0500", "30023000"}},
        {"encKeyPairTypes", make_key_pair_types(oid::enc_key_pair_types, {hex(ecdsa_with_sha256)}), {"3000", "30020500"}},
        {"preferredSymmAlg", make_algorithm_info(oid::preferred_symm_alg, hex(ecdsa_with_sha256)), {"3000", "0500"}},
        {"caKeyUpdateInfo", make_ca_key_update_info({ca, ca, ca}), {"3000", "300430003000"}},
        {"currentCRL", make_current_crl(crl), {"0500"}},
        {"unsupportedOIDs", make_unsupported_oids({oid::crls}), {"3000", "30020500", "0500"}, false},
        {"keyPairParamReq", make_key_pair_param_req(oid::crls), {"0500", "3000"}, false},
        {"keyPairParamRep", make_algorithm_info(oid::key_pair_param_rep, hex(ecdsa_with_sha256)), {"0500"}},
        {"revPassphrase", make_rev_passphrase(encrypted), {"0500", "3000"}},
        {"implicitConfirm", make_implicit_confirm(), {"0101ff", "3000", "050100"}, false},
        {"confirmWaitTime",
         make_confirm_wait_time(when),
         {"170d3236313132313030303030305a", "18113230323631313231303030303030 2e315a", "0500"},
         false},
        {"origPKIMessage", make_orig_pki_message({Bytes{test::data_file("cmp/ir_1_ir.der")}}), {"3000", "30023000"}, false},
        {"suppLangTags", make_supp_lang_tags({"en", "de-CH"}), {"3000", "30020500", "0c00"}, false},
        {"caCerts", make_ca_certs({ca, ca}), {"3000", "0500"}},
        {"rootCaKeyUpdate", make_root_ca_key_update({ca, ca, ca}), {"3000", "30043000a000", "30063000a2023000", "0500"}},
        {"certReqTemplate",
         make_cert_req_template({wanted, {}, {make_key_choice(2048u), make_key_choice(hex(ecdsa_with_sha256))}}),
         {"3000", "300430003000", "0500", "30053003810101", "300530038001ff00"}},
        {"rootCaCert", make_root_ca_cert(ca), {"30003000"}},
        {"certProfile", make_cert_profile({"", "tls server"}), {"3000", "30020500", "0c00"}, false},
        {"crlStatusList",
         make_crl_status_list({{point, when}, {std::vector{test::directory("CN=CA")}, {}}}),
         {"3000", "30023000", "3006 3004a0020500", "30063004a1023000"},
         false},
        {"crls", make_crls({crl}), {"3000", "30020500"}},
        {"KemCiphertextInfo", make_kem_ciphertext_info({hex(ecdsa_with_sha256), hex("aabb")}), {"3000", "30040500 0400"}},
    };
}

TEST(CmpInfo, EveryTypeIsKnownByNameAndReadsItsValue) {
    for (const auto& one : cases()) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(info_type_name(one.good.info_type), "id-it-" + one.name);
        EXPECT_EQ(check_info_value(one.good).value(), true);
        EXPECT_EQ(check_info_value(ask(one.good.info_type)).has_value(), one.may_be_absent);
        for (auto bad : one.bad) {
            std::erase(bad, ' ');
            EXPECT_EQ(code_of(check_info_value(info(one.good.info_type, bad))), Code::malformed) << bad;
        }
    }
    EXPECT_EQ(cases().size(), 22u);
}

TEST(CmpInfo, NumbersAreThoseOfTheStandard) {  // {id-it n}, RFC 9810 appendix F
    const std::vector<unsigned> numbers{1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
    const auto all = cases();
    ASSERT_EQ(all.size(), numbers.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(all[i].good.info_type.dotted(), "1.3.6.1.5.5.7.4." + std::to_string(numbers[i]));
}

TEST(CmpInfo, UnknownTypesAreKeptAndNotLookedAt) {
    const auto unknown = info(der::Oid{"1.2.3.4"}, "3003020100");
    EXPECT_EQ(check_info_value(unknown).value(), false);
    EXPECT_EQ(info_type_name(unknown.info_type), "1.2.3.4");
    EXPECT_EQ(check_info_value(ask(der::Oid{"1.2.3.4"})).value(), false);
}

TEST(CmpInfo, ValuesComeBack) {
    const auto ca = test::mock_ca();
    EXPECT_EQ(read_ca_certs(make_ca_certs({ca, ca}))->size(), 2u);
    EXPECT_FALSE(make_ca_certs({}).info_value);
    EXPECT_TRUE(read_ca_certs(ask(oid::ca_certs))->empty());
    const RootCaKeyUpdate update{ca, {}, test::mock_device()};
    EXPECT_EQ(read_root_ca_key_update(make_root_ca_key_update(update))->value(), update);
    EXPECT_EQ(read_root_ca_key_update(ask(oid::root_ca_key_update)).value(), std::nullopt);
    EXPECT_EQ(read_root_ca_cert(make_root_ca_cert(ca))->value(), ca);
    const CaKeyUpdAnn announced{ca, test::mock_device(), ca};
    EXPECT_EQ(read_ca_key_update_info(make_ca_key_update_info(announced))->value(), announced);
    EXPECT_EQ(read_key_pair_param_req(make_key_pair_param_req(oid::crls)).value(), oid::crls);
    EXPECT_EQ(read_unsupported_oids(make_unsupported_oids({oid::crls, oid::ca_certs})).value(),
              (std::vector{oid::crls, oid::ca_certs}));
    EXPECT_EQ(read_supp_lang_tags(make_supp_lang_tags({"en", "de"})).value(), (std::vector<std::string>{"en", "de"}));
    const KemCiphertextInfo kem{hex(ecdsa_with_sha256), hex("aabb")};
    EXPECT_EQ(read_kem_ciphertext_info(make_kem_ciphertext_info(kem))->value(), kem);
    EXPECT_EQ(read_crls(make_crls({hex("3000")})).value(), std::vector<ByteVec>{hex("3000")});
    EXPECT_FALSE(make_crls({}).info_value);
}

TEST(CmpInfo, CrlStatusComesBack) {
    x509::DistributionPointName point;
    point.full_name = {x509::GeneralName::from_text("uri:http://ca.example/crl").value()};
    const std::vector<CrlStatus> list{{point, parse_iso8601("2026-11-21").value()},
                                      {std::vector{test::directory("CN=CA")}, {}},
                                      {point, parse_iso8601("2051-01-01").value()}};
    EXPECT_EQ(read_crl_status_list(make_crl_status_list(list)).value(), list);
    EXPECT_EQ(code_of(read_crl_status_list(make_crl_status_list(std::vector(17, list[0])))), Code::too_large);
}

TEST(CmpInfo, RequestTemplate) {  // RFC 9810 5.3.19.16, RFC 9483 4.3.3
    x509::crmf::CertTemplate wanted;
    wanted.subject = test::name("O=Example");
    wanted.extensions = {{.id = x509::oid::subject_alt_name, .critical = false, .value = {}}};  // to be filled in
    const CertReqTemplate value{wanted, {}, {make_key_choice(3072u), make_key_choice(hex(ecdsa_with_sha256)), {oid::crls, hex("0500")}}};
    const auto again = read_cert_req_template(make_cert_req_template(value)).value();
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, value);
    const auto choices = key_choices(again->key_spec).value();
    EXPECT_EQ(choices, (std::vector<KeyChoice>{3072u, hex(ecdsa_with_sha256)}));
    EXPECT_EQ(read_cert_req_template(ask(oid::cert_req_template)).value(), std::nullopt);
}

TEST(CmpInfo, RequestTemplateWithASubjectToBeFilledIn) {  // RFC 9483 4.3.3
    CertReqTemplate value;
    value.cert_template.version = 2;
    value.cert_template.extensions = {{.id = x509::oid::subject_alt_name, .critical = false, .value = {}}};
    value.open_subject = hex("301d3110300e060355040a0c074578616d706c653109300706035504030c00");  // O=Example, CN=""
    const auto again = read_cert_req_template(make_cert_req_template(value)).value();
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, value);
    for (const auto* subject : {"30023100", "3004310230 00", "3006310430020500", "0500"}) {
        auto text = std::string{subject};
        std::erase(text, ' ');
        value.open_subject = hex(text);
        EXPECT_EQ(code_of(read_cert_req_template(make_cert_req_template(value))), Code::malformed) << text;
    }
}

TEST(CmpInfo, RequestTemplateWithFieldsThatItMustNotHave) {
    for (const auto change : {+[](x509::crmf::CertTemplate& of) { of.serial_number = hex("01"); },
                              +[](x509::crmf::CertTemplate& of) { of.signing_alg = hex(ecdsa_with_sha256); },
                              +[](x509::crmf::CertTemplate& of) { of.issuer_uid = hex("00ff"); },
                              +[](x509::crmf::CertTemplate& of) { of.subject_uid = hex("00ff"); },
                              +[](x509::crmf::CertTemplate& of) { of.public_key = hex("300e" + ecdsa_with_sha256 + "0300"); }}) {
        x509::crmf::CertTemplate wanted;
        change(wanted);
        EXPECT_EQ(code_of(read_cert_req_template(make_cert_req_template({wanted, {}, {}}))), Code::malformed);
    }
}

TEST(CmpInfo, KeyChoicesThatAreNone) {
    for (const auto* bits : {"020100", "0201ff", "0500", "02050100000000", "0201020500"})
        EXPECT_EQ(code_of(key_choices({{oid::rsa_key_len, hex(bits)}})), Code::malformed) << bits;
    EXPECT_EQ(code_of(key_choices({{oid::alg_id, hex("300d06092a864886f70d0101010500")}})), Code::malformed);
    EXPECT_EQ(code_of(key_choices({{oid::alg_id, hex("3000")}})), Code::malformed);
}

TEST(CmpInfo, HeaderValues) {
    auto header = test::header();
    EXPECT_FALSE(implicit_confirm(header).value());
    EXPECT_EQ(confirm_wait_time(header).value(), std::nullopt);
    EXPECT_TRUE(cert_profile(header)->empty());
    const auto until = parse_iso8601("2026-11-21T10:00:00Z").value();
    header.general_info = {make_implicit_confirm(), make_confirm_wait_time(until), make_cert_profile({"", "x"})};
    EXPECT_TRUE(implicit_confirm(header).value());
    EXPECT_EQ(confirm_wait_time(header).value(), until);
    EXPECT_EQ(cert_profile(header).value(), (std::vector<std::string>{"", "x"}));
    header.general_info.push_back(make_implicit_confirm());
    EXPECT_EQ(code_of(implicit_confirm(header)), Code::malformed);
    header.general_info = {info(oid::implicit_confirm, "3000")};
    EXPECT_EQ(code_of(implicit_confirm(header)), Code::malformed);
    header.general_info = {ask(oid::implicit_confirm)};
    EXPECT_EQ(code_of(implicit_confirm(header)), Code::malformed);
}

TEST(CmpInfo, EnvelopedPassphraseInTheHeaderNeedsCmp2021) {
    auto header = test::header();
    header.general_info = {make_rev_passphrase(x509::crmf::EnvelopedKey{test::enveloped("passphrase")})};
    EXPECT_EQ(needed_pvno(header, {}), cmp2021);
    header.general_info = {make_implicit_confirm()};
    EXPECT_EQ(needed_pvno(header, {}), cmp2000);
}

TEST(CmpInfo, RequestsHaveNoValue) {
    EXPECT_TRUE(check_value_absent(ask(oid::ca_certs)));
    EXPECT_EQ(code_of(check_value_absent(make_implicit_confirm())), Code::malformed);
}

TEST(CmpHeader, NamesOfDirectories) {
    EXPECT_TRUE(name_of(directory_name())->empty());
    EXPECT_EQ(name_of(test::directory("CN=a"))->to_text(), "CN=a");
    EXPECT_FALSE(name_of(x509::GeneralName::from_text("dns:a.example").value()));
    EXPECT_EQ(to_hex(directory_name().value), "3000");  // NULL-DN, RFC 9810 5.1.1
}

TEST(CmpHeader, AllFieldsComeBack) {
    PkiHeader header = test::header();
    header.pvno = cmp2021;
    header.sender = x509::GeneralName::from_text("uri:https://ra.example/").value();
    header.message_time = parse_iso8601("2026-11-21T10:00:00Z").value();
    header.protection_alg = hex(ecdsa_with_sha256);
    header.sender_kid = hex("01");
    header.recip_kid = hex("02");
    header.recip_nonce = hex("03");
    header.free_text = {"hello", "hallo"};
    header.general_info = {make_implicit_confirm(), ask(oid::ca_certs)};
    const auto message = PkiMessage::parse(test::message(header, {})).value();
    EXPECT_EQ(message.header(), header);
    EXPECT_EQ(to_hex(message.header_der()), to_hex(header.encode()));
}

}  // namespace
}  // namespace estuary::cmp
