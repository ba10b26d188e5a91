#include "estuary/x509/extension.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using test::general_name;
using test::failure;
using test::hex;
using test::octets;
using testing::ElementsAre;
using testing::HasSubstr;

std::string value_of(const Extension& extension) { return to_hex(extension.value); }

TEST(Extensions, ReadAndWrite) {
    const std::vector<Extension> extensions{make_key_usage(digital_signature), {der::Oid{"1.2.3"}, false, hex("0500")}};
    der::Writer writer;
    write_extensions(writer, extensions);
    EXPECT_EQ(to_hex(writer.bytes()), "301a" "300e0603551d0f0101ff040403020780" "300806022a0304020500");
    EXPECT_EQ(parse_extensions(writer.bytes()).value(), extensions);
    EXPECT_EQ(find(extensions, oid::key_usage), &extensions[0]);
    EXPECT_EQ(find(extensions, oid::subject_alt_name), nullptr);
}

struct BadExtensions {
    std::string name, der;
    Code code;
    std::string detail;
};
class ExtensionsRefused : public testing::TestWithParam<BadExtensions> {};

TEST_P(ExtensionsRefused, WithTheirReason) {
    const auto parsed = parse_extensions(hex(GetParam().der));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, GetParam().code);
    EXPECT_THAT(parsed.error().detail, HasSubstr(GetParam().detail));
}

// bug class 15
INSTANTIATE_TEST_SUITE_P(Rfc5280, ExtensionsRefused, testing::Values(
    BadExtensions{"nothing", "", Code::malformed, "Extensions"},
    BadExtensions{"empty", "3000", Code::malformed, "empty"},
    BadExtensions{"empty_extension", "30023000", Code::malformed, "OBJECT IDENTIFIER"},
    BadExtensions{"without_value", "3006300406022a03", Code::malformed, "OCTET STRING"},
    BadExtensions{"false_encoded", "300d300b06022a0301010004020500", Code::malformed, "default"},
    BadExtensions{"true_is_one", "300d300b06022a0301010104020500", Code::malformed, "BOOLEAN"},
    BadExtensions{"trailing", "300c300a06022a03040205000500", Code::malformed, "Extension"},
    BadExtensions{"twice", "3014300806022a0304020500300806022a0304020500", Code::malformed, "1.2.3 more than once"},
    BadExtensions{"octets_after", "300a300806022a03040205000500", Code::malformed, "Extensions"},
    BadExtensions{"indefinite", "3080300806022a03040205000000", Code::malformed, "indefinite"}),
    [](const auto& test) { return test.param.name; });

TEST(Extensions, AreAtMost64) {
    std::vector<Extension> extensions;
    for (int i = 0; i < 64; ++i) extensions.push_back({der::Oid{"1.2." + std::to_string(i)}, false, hex("0500")});
    der::Writer most;
    write_extensions(most, extensions);
    EXPECT_TRUE(parse_extensions(most.bytes()));
    extensions.push_back({der::Oid{"1.3.1"}, false, {}});
    der::Writer too_many;
    write_extensions(too_many, extensions);
    EXPECT_EQ(parse_extensions(too_many.bytes()).error().code, Code::too_large);
}

TEST(KeyUsage, ReadsAndWritesBits) {
    EXPECT_EQ(value_of(make_key_usage(digital_signature)), "03020780");
    EXPECT_EQ(value_of(make_key_usage(key_cert_sign | crl_sign)), "03020106");
    EXPECT_EQ(value_of(make_key_usage(decipher_only | key_agreement)), "0303070880");
    EXPECT_TRUE(make_key_usage(digital_signature).critical);
    EXPECT_EQ(parse_key_usage(hex("0303070880")).value(), decipher_only | key_agreement);
    for (const auto* bad : {"", "030100", "03020700", "0302078000", "03030780" "00", "0500", "03020081"}) {
        const auto parsed = parse_key_usage(hex(bad));
        EXPECT_EQ(parsed.has_value(), std::string_view{bad} == "03020081") << bad;
    }
}

TEST(KeyUsage, HasNames) {
    EXPECT_EQ(key_usage_from_name("digitalSignature").value(), digital_signature);
    EXPECT_EQ(key_usage_from_name("crlsign").value(), crl_sign);
    EXPECT_EQ(key_usage_from_name("contentCommitment").value(), non_repudiation);
    EXPECT_EQ(key_usage_from_name("signing").error().code, Code::unsupported);
    EXPECT_THAT(key_usage_names(digital_signature | crl_sign | decipher_only),
                ElementsAre("digitalSignature", "cRLSign", "decipherOnly"));
    for (std::uint32_t bit = 0; bit < 9; ++bit)
        EXPECT_EQ(key_usage_from_name(key_usage_names(1u << bit).at(0)).value(), 1u << bit);
}

TEST(BasicConstraints, ReadAndWrite) {
    EXPECT_EQ(value_of(make_basic_constraints({false, {}})), "3000");
    EXPECT_EQ(value_of(make_basic_constraints({true, {}})), "30030101ff");
    EXPECT_EQ(value_of(make_basic_constraints({true, 0})), "30060101ff020100");
    EXPECT_TRUE(make_basic_constraints({true, {}}).critical);
    EXPECT_FALSE(parse_basic_constraints(hex("3000")).value().ca);
    EXPECT_EQ(parse_basic_constraints(hex("30060101ff020103")).value().path_length, 3u);
    EXPECT_FALSE(parse_basic_constraints(hex("30030101ff")).value().path_length);
    for (const auto* bad : {"", "3003010100", "3003020100", "30060101ff0201ff", "30080101ff0203010000" "00", "30080101ff02010002" "0100",
                            "300a0101ff02050100000000"})
        EXPECT_EQ(failure(parse_basic_constraints(hex(bad))).substr(0, 9), "malformed") << bad;
}

TEST(ExtKeyUsage, ReadsAndWrites) {
    const std::vector purposes{oid::kp_server_auth, oid::kp_cmc_ra};
    const auto extension = make_ext_key_usage(purposes);
    EXPECT_EQ(value_of(extension), "3014" "06082b06010505070301" "06082b0601050507031c");
    EXPECT_EQ(parse_ext_key_usage(extension.value).value(), purposes);
    EXPECT_TRUE(make_ext_key_usage(purposes, true).critical);
    EXPECT_EQ(parse_ext_key_usage(hex("3000")).error().code, Code::malformed);  // bug class 15
    EXPECT_FALSE(parse_ext_key_usage(hex("30020500")));
    EXPECT_FALSE(parse_ext_key_usage(hex("300406022a030500")));
    EXPECT_EQ(parse_ext_key_usage(make_ext_key_usage(std::vector(65, oid::kp_cmc_ra)).value).error().code, Code::too_large);
}

TEST(ExtKeyUsage, HasNames) {
    for (const auto* name : {"serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "OCSPSigning", "cmcCA",
                             "cmcRA", "anyExtendedKeyUsage"})
        EXPECT_EQ(ext_key_usage_name(ext_key_usage_from_name(name).value()), name);
    EXPECT_EQ(ext_key_usage_from_name("1.3.6.1.4.1.311.10.3.4").value().dotted(), "1.3.6.1.4.1.311.10.3.4");
    EXPECT_EQ(ext_key_usage_name(der::Oid{"1.2.3"}), "1.2.3");
    EXPECT_THAT(ext_key_usage_from_name("server").error().detail, HasSubstr("serverAuth"));
}

TEST(KeyIdentifiers, ReadAndWrite) {
    const auto id = hex("0102");
    EXPECT_EQ(value_of(make_subject_key_identifier(id)), "04020102");
    EXPECT_EQ(value_of(make_authority_key_identifier(id)), "300480020102");
    EXPECT_EQ(to_hex(parse_subject_key_identifier(hex("04020102")).value()), "0102");
    EXPECT_EQ(to_hex(parse_authority_key_identifier(hex("300480020102")).value().value()), "0102");
    EXPECT_FALSE(parse_authority_key_identifier(hex("3000")).value());
    EXPECT_TRUE(parse_authority_key_identifier(hex("300b80020102a102300082" "0101")));
    for (const auto* bad : {"", "0400", "0402010205", "30020102"}) EXPECT_FALSE(parse_subject_key_identifier(hex(bad))) << bad;
    for (const auto* bad : {"", "3004800201020500", "3003820101", "30040402" "0102"})
        EXPECT_FALSE(parse_authority_key_identifier(hex(bad))) << bad;
}

TEST(KeyIdentifiers, AreSha1OfTheKeyOctets) {
    const auto request = test::data_file("rfc7030/a3-simpleenroll-request.csr");
    auto outer = der::enter_only(request, der::Tag::sequence, "request").value();
    auto info = outer.enter(der::Tag::sequence).value();
    ASSERT_TRUE(info.skip() && info.skip());
    const auto spki = info.element(der::Tag::sequence).value().whole;
    // The subjectKeyIdentifier that another CA gave this key, in the answer of RFC 7030 A.3.
    EXPECT_EQ(to_hex(key_identifier(spki).value()), "fea0dd07a8a2ea2710f3018c5efcb58df138c6d5");
    EXPECT_FALSE(key_identifier(hex("3000")));
    EXPECT_FALSE(key_identifier(hex("30053000030180")));
}

TEST(OtherExtensions, AreWritten) {
    EXPECT_EQ(value_of(make_subject_alt_name({general_name("dns:a")}, true)), "3003820161");
    EXPECT_TRUE(make_subject_alt_name({general_name("dns:a")}, true).critical);
    EXPECT_EQ(value_of(make_certificate_policies({der::Oid{"1.2.3"}})), "3006300406022a03");
    EXPECT_EQ(value_of(make_certificate_policies({der::Oid{"1.2.3"}}, "u:x")),
              "3019301706022a033011300f06082b06010505070201" "1603753a78");
    EXPECT_EQ(value_of(make_crl_distribution_points({"u:x", "u:y"})), "3010300ea00ca00a8603753a788603753a79");
    EXPECT_EQ(value_of(make_authority_info_access({"u:x"}, {"u:y"})),
              "3022300f06082b060105050730018603753a78300f06082b060105050730028603753a79");
}

}  // namespace
}  // namespace estuary::x509
