// Where CRLs are and what they cover: octets by hand from the ASN.1 of RFC 5280 4.2.1.13 and 5.2.5, and OpenSSL's reading.
#include "crl_support.h"

namespace estuary::x509 {
namespace {

using test::uri_name;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string hex_of(const IssuingDistributionPoint& scope) { return to_hex(make_issuing_distribution_point(scope).value); }

// step-ca wrote FALSE and explicit tags here (#2511): flags are [n] IMPLICIT, TRUE is FF, FALSE is absent.
TEST(IssuingDistributionPoint, FlagsAreImplicitAndAbsentIfFalse) {
    EXPECT_EQ(hex_of({.name = {}, .only_user_certificates = true, .only_some_reasons = {}}), "30038101ff");
    EXPECT_EQ(hex_of({.name = {}, .only_ca_certificates = true, .only_some_reasons = {}}), "30038201ff");
    EXPECT_EQ(hex_of({.name = {}, .only_some_reasons = {}, .indirect = true}), "30038401ff");
    EXPECT_EQ(hex_of({.name = {}, .only_some_reasons = {}, .only_attribute_certificates = true}), "30038501ff");
    EXPECT_EQ(hex_of({}), "3000");
    EXPECT_TRUE(make_issuing_distribution_point({}).critical);
}

TEST(IssuingDistributionPoint, ReasonsAreImplicitBits) {
    // keyCompromise (1), cACompromise (2), aACompromise (8): 0110 0000 1, seven bits unused
    EXPECT_EQ(hex_of({.name = {}, .only_some_reasons = 1u << 1 | 1u << 2 | 1u << 8}), "30058303076080");
}

TEST(IssuingDistributionPoint, NameIsDoublyWrapped) {
    EXPECT_EQ(hex_of({.name = uri_name("http://a/1"), .only_some_reasons = {}}),
              "3010a00ea00c860a" + to_hex(as_bytes("http://a/1")));
}

TEST(IssuingDistributionPoint, WhatIsWrittenIsReadBack) {
    const auto rdn = test::hex("300d06035504030c06706172742d32");
    for (const auto& scope :
         {IssuingDistributionPoint{.name = uri_name("http://a/1"), .only_user_certificates = true, .only_some_reasons = 2},
          IssuingDistributionPoint{.name = DistributionPointName{{}, rdn}, .only_some_reasons = all_reasons, .indirect = true},
          IssuingDistributionPoint{.name = {}, .only_ca_certificates = true, .only_some_reasons = {}},
          IssuingDistributionPoint{}})
        EXPECT_EQ(parse_issuing_distribution_point(make_issuing_distribution_point(scope).value).value(), scope);
}

TEST(IssuingDistributionPoint, OpensslReadsTheSame) {
    const IssuingDistributionPoint scope{.name = uri_name("http://crl.example.com/1.crl"),
                                         .only_user_certificates = true,
                                         .only_some_reasons = 1u << 1 | 1u << 8,
                                         .indirect = true};
    const auto value = make_issuing_distribution_point(scope).value;
    const auto* at = value.data();
    const std::unique_ptr<ISSUING_DIST_POINT, decltype(&ISSUING_DIST_POINT_free)> theirs{
        d2i_ISSUING_DIST_POINT(nullptr, &at, static_cast<long>(value.size())), &ISSUING_DIST_POINT_free};
    ASSERT_TRUE(theirs);
    EXPECT_EQ(at, value.data() + value.size());
    EXPECT_EQ(theirs->onlyuser, 0xFF);
    EXPECT_LE(theirs->onlyCA, 0);
    EXPECT_EQ(theirs->indirectCRL, 0xFF);
    EXPECT_LE(theirs->onlyattr, 0);
    EXPECT_EQ(ASN1_BIT_STRING_get_bit(theirs->onlysomereasons, 8), 1);
    EXPECT_EQ(ASN1_BIT_STRING_get_bit(theirs->onlysomereasons, 2), 0);
    ASSERT_EQ(theirs->distpoint->type, 0);
    EXPECT_EQ(sk_GENERAL_NAME_num(theirs->distpoint->name.fullname), 1);
}

TEST(IssuingDistributionPoint, MalformedIsRefused) {
    for (const auto* value : {"3003810100", "30038101fe", "300481020000", "3006810101ff", "30068101ff8201ff", "30068201ff8101ff",
                              "3005830307", "3004a002a000", "3004a002a100", "30038101ff00", "", "3102"})
        EXPECT_FALSE(parse_issuing_distribution_point(test::hex(value))) << value;
}

TEST(DistributionPoints, OfCertificate) {
    const auto device = test::load("device", "crl");
    const auto points = distribution_points(device.extensions()).value();
    ASSERT_EQ(points.size(), 1u);
    EXPECT_FALSE(points[0].reasons);
    EXPECT_THAT(points[0].crl_issuer, IsEmpty());
    EXPECT_THAT(crl_uris(device.extensions()).value(),
                ElementsAre("http://crl.example.com/part-1.crl", "ldap://ldap.example.com/cn=part-1?certificateRevocationList"));
    EXPECT_THAT(crl_uris(device.extensions(), oid::freshest_crl).value(), ElementsAre("http://crl.example.com/delta.crl"));
    const auto access = authority_info_access(device.extensions()).value();
    EXPECT_THAT(access.ocsp_uris, ElementsAre("http://ocsp.example.com/"));
    EXPECT_THAT(access.ca_issuer_uris, ElementsAre("http://crl.example.com/ca.der"));
    EXPECT_FALSE(access.has_other_methods);
}

TEST(DistributionPoints, AbsentExtensionsAreEmpty) {
    EXPECT_THAT(distribution_points({}).value(), IsEmpty());
    EXPECT_THAT(crl_uris({}).value(), IsEmpty());
    EXPECT_THAT(authority_info_access({}).value().ocsp_uris, IsEmpty());
}

TEST(DistributionPoints, ReasonsAndIssuerAreRead) {
    const auto issuer = test::general_name("dirname:CN=crl issuer");
    der::Writer names;
    issuer.write(names);
    const auto value =
        test::sequence({test::sequence({test::hex("81020560"), test::tlv(der::context_constructed(2), names.bytes())})});
    const auto points = parse_crl_distribution_points(value).value();
    ASSERT_EQ(points.size(), 1u);
    EXPECT_EQ(points[0].reasons, (1u << 1 | 1u << 2));
    EXPECT_THAT(points[0].crl_issuer, ElementsAre(issuer));
    EXPECT_FALSE(points[0].name);
}

// RFC 5280 4.2.1.13: a point does not consist of reasons only.
TEST(DistributionPoints, MalformedIsRefused) {
    EXPECT_THAT(test::failure(parse_crl_distribution_points(test::hex("3006300481020560"))),
                HasSubstr("neither name nor cRLIssuer"));
    EXPECT_THAT(test::failure(parse_crl_distribution_points(test::hex("3000"))), HasSubstr("no distribution point"));
    EXPECT_FALSE(parse_crl_distribution_points(test::hex("30023000")));
    EXPECT_FALSE(parse_crl_distribution_points(test::hex("30063004a002a000")));
    ByteVec many;
    for (int i = 0; i < 65; ++i) append(many, test::hex("3006a004a0028600"));
    EXPECT_THAT(test::failure(parse_crl_distribution_points(test::tlv(der::Tag::sequence, many))), HasSubstr("too_large"));
}

TEST(DistributionPoints, OursAreOneFullNameForAllReasons) {
    for (const auto& extension : {make_crl_distribution_points({"http://a", "ldap://b"}), make_freshest_crl({"http://a"})}) {
        EXPECT_FALSE(extension.critical);
        const auto points = parse_crl_distribution_points(extension.value).value();
        ASSERT_EQ(points.size(), 1u);
        EXPECT_FALSE(points[0].reasons);
        EXPECT_THAT(points[0].crl_issuer, IsEmpty());
        EXPECT_THAT(points[0].name->relative_name, IsEmpty());
    }
}

TEST(DistributionPoints, FreshestCrlHasTheirSyntaxAndIsNotCritical) {
    const auto extension = make_freshest_crl({"http://a/delta.crl", "ldap://b/c"});
    EXPECT_EQ(extension.id, oid::freshest_crl);
    EXPECT_FALSE(extension.critical);
    EXPECT_THAT(crl_uris({extension}, oid::freshest_crl).value(), ElementsAre("http://a/delta.crl", "ldap://b/c"));
}

TEST(AuthorityInfoAccess, WhatIsWrittenIsReadBack) {
    const auto access =
        parse_authority_info_access(make_authority_info_access({"http://a", "http://b"}, {"http://c"}).value).value();
    EXPECT_THAT(access.ocsp_uris, ElementsAre("http://a", "http://b"));
    EXPECT_THAT(access.ca_issuer_uris, ElementsAre("http://c"));
}

TEST(AuthorityInfoAccess, OtherMethodsAndLocationsArePassedOver) {
    // caIssuers as a directoryName; a method of another arc with a URI
    const auto directory = test::sequence({test::hex("06082b06010505073002"), test::hex("a4023000")});
    const auto other = test::sequence({test::hex("06022a03"), test::hex("860161")});
    const auto access = parse_authority_info_access(test::sequence({directory, other})).value();
    EXPECT_THAT(access.ca_issuer_uris, IsEmpty());
    EXPECT_TRUE(access.has_other_methods);
    EXPECT_FALSE(parse_authority_info_access(test::hex("3000")));
    EXPECT_FALSE(parse_authority_info_access(test::sequence({test::hex("3003060161")})));
}

}  // namespace
}  // namespace estuary::x509
