// What CRLs say of a certificate: scope, deltas and status (RFC 5280 5.2.4, 6.3.3).
#include "crl_support.h"

namespace estuary::x509 {
namespace {

using test::crl_template;
using test::list_of;
using test::load_list;
using test::uri_name;
using testing::HasSubstr;

constexpr ReasonFlags key_reasons = 1u << 1 | 1u << 2 | 1u << 8;

Certificate device(std::string_view serial, std::vector<Extension> extensions = {}) {
    extensions.push_back(make_key_usage(digital_signature));
    return test::unsigned_certificate("CN=device", test::hex(serial), std::move(extensions));
}
Certificate ca(std::string_view serial) {
    return test::unsigned_certificate("CN=ca", test::hex(serial), {make_basic_constraints({.ca = true, .path_length = {}})});
}

CrlTemplate with_scope(IssuingDistributionPoint scope, std::uint64_t number = 5) {
    auto list = crl_template(number);
    list.scope = std::move(scope);
    return list;
}
CrlTemplate delta_template(std::uint64_t base, std::uint64_t number) {
    auto list = crl_template(number);
    list.delta_base = CrlNumber{base};
    return list;
}

TEST(CrlStatus, GoodAndRevoked) {
    const auto list = list_of(crl_template(), {{"1001"}, {"1002", CrlReason::key_compromise}});
    EXPECT_EQ(status_in_crls(device("05"), list).value().kind, CrlStatus::Kind::good);
    const auto revoked = status_in_crls(device("1002"), list).value();
    EXPECT_EQ(revoked.kind, CrlStatus::Kind::revoked);
    EXPECT_EQ(revoked.reason, CrlReason::key_compromise);
    EXPECT_EQ(revoked.revoked_at, test::at("2026-05-01"));
    EXPECT_EQ(status_in_crls(device("1001"), list).value().reason, CrlReason::unspecified);
}

TEST(CrlStatus, OnHoldIsRevoked) {
    const auto status = status_in_crls(device("05"), list_of(crl_template(), {{"05", CrlReason::certificate_hold}})).value();
    EXPECT_EQ(status.kind, CrlStatus::Kind::revoked);
    EXPECT_EQ(status.reason, CrlReason::certificate_hold);
}

TEST(CrlStatus, InvalidityDateIsTold) {
    CrlEncoder encoder{crl_template()};
    ASSERT_TRUE(encoder.add(test::hex("05"), test::at("2026-05-01"), CrlReason::key_compromise, test::at("2026-04-01")));
    const auto list = RevocationList::parse(test::signed_list(std::move(encoder))).value();
    EXPECT_EQ(status_in_crls(device("05"), list).value().invalidity_date, test::at("2026-04-01"));
}

TEST(CrlStatus, ListOfAnotherIssuerSaysNothing) {
    auto list = crl_template();
    list.issuer = test::name("CN=other");
    EXPECT_THAT(test::failure(status_in_crls(device("05"), list_of(list, {}))), HasSubstr("not_found"));
}

// RFC 5280 5.2, 5.3: not even what is listed counts.
TEST(CrlStatus, UnknownCriticalExtensionsForbidEveryAnswer) {
    test::CrlDraft draft;
    draft.set_entries({test::CrlDraft::entry("05")}).set({der::Oid{"1.2.3"}, true, test::hex("0500")});
    const auto list = draft.parse().value();
    EXPECT_THAT(test::failure(status_in_crls(device("05"), list)), HasSubstr("unsupported"));
    EXPECT_THAT(test::failure(status_in_crls(device("06"), list)), HasSubstr("unsupported"));
}

// 6.3.3 (b) (2) (ii) to (iv)
TEST(CrlScope, KindsOfCertificates) {
    const auto users = list_of(with_scope({.name = {}, .only_user_certificates = true, .only_some_reasons = {}}), {{"05"}});
    const auto cas = list_of(with_scope({.name = {}, .only_ca_certificates = true, .only_some_reasons = {}}), {{"05"}});
    const auto attributes = list_of(with_scope({.name = {}, .only_some_reasons = {}, .only_attribute_certificates = true}), {});
    EXPECT_EQ(users.covers(device("05")), all_reasons);
    EXPECT_THAT(test::failure(users.covers(ca("05"))), HasSubstr("not_found: the CRL is about end entities only"));
    EXPECT_EQ(cas.covers(ca("05")), all_reasons);
    EXPECT_THAT(test::failure(cas.covers(device("05"))), HasSubstr("about CAs only"));
    EXPECT_THAT(test::failure(attributes.covers(device("05"))), HasSubstr("attribute certificates only"));
    EXPECT_THAT(test::failure(status_in_crls(device("05"), cas)), HasSubstr("not_found"));  // though its number is there
}

TEST(CrlScope, Version1CertificatesAreInNoScopeOfOneKind) {
    const auto old = Certificate::parse(test::data_file("x509/version_1.der")).value();
    auto list = with_scope({.name = {}, .only_user_certificates = true, .only_some_reasons = {}});
    list.issuer = old.issuer();
    EXPECT_THAT(test::failure(list_of(list, {}).covers(old)), HasSubstr("version 1"));
    list.scope.reset();
    EXPECT_EQ(list_of(list, {}).covers(old), all_reasons);
}

// 6.3.3 (b) (2) (i)
TEST(CrlScope, NameOfPartitionIsOneOfTheCertificates) {
    const auto part = list_of(with_scope({.name = uri_name("http://a/1.crl"), .only_some_reasons = {}}), {});
    const auto of = [](std::vector<std::string> uris) { return device("05", {make_crl_distribution_points(uris)}); };
    EXPECT_EQ(part.covers(of({"http://a/1.crl"})), all_reasons);
    EXPECT_EQ(part.covers(of({"ldap://b", "http://a/1.crl"})), all_reasons);
    EXPECT_THAT(test::failure(part.covers(of({"http://a/2.crl"}))), HasSubstr("not within the scope"));
    EXPECT_THAT(test::failure(part.covers(device("05"))), HasSubstr("not within the scope"));
    EXPECT_THAT(test::failure(part.covers(of({"http://A/1.crl"}))), HasSubstr("not within the scope"));  // identical encoding
}

// 6.3.3, last paragraph: a list that names its issuer as distribution point serves certificates without any.
TEST(CrlScope, NameOfTheIssuerIsAssumed) {
    const DistributionPointName name{{test::general_name("dirname:CN=Issuer")}, {}};
    EXPECT_EQ(list_of(with_scope({.name = name, .only_some_reasons = {}}), {}).covers(device("05")), all_reasons);
}

TEST(CrlScope, ListWithoutScopeServesEveryPoint) {
    EXPECT_EQ(list_of(crl_template(), {}).covers(device("05", {make_crl_distribution_points({"http://a/2.crl"})})), all_reasons);
}

TEST(CrlScope, FragmentIsAppendedToTheIssuer) {
    const auto rdn = test::hex("300d06035504030c06706172742d32");  // CN=part-2
    const auto part = list_of(with_scope({.name = DistributionPointName{{}, rdn}, .only_some_reasons = {}}), {});
    const auto point = [](std::vector<ByteVec> name) {
        const auto outer = test::tlv(der::context_constructed(0), test::join(name));
        return Extension{oid::crl_distribution_points, false, test::sequence({test::sequence({outer})})};
    };
    EXPECT_EQ(part.covers(device("05", {point({test::tlv(der::context_constructed(1), rdn)})})), all_reasons);
    const auto whole = test::tlv(der::context_constructed(4), test::name("CN=part-2,CN=issuer").der());
    EXPECT_EQ(part.covers(device("05", {point({test::tlv(der::context_constructed(0), whole)})})), all_reasons);
    EXPECT_FALSE(part.covers(device("05")));
}

// 6.3.3 (d), (l)
TEST(CrlScope, ListOfSomeReasonsDoesNotSayGood) {
    const auto compromised =
        list_of(with_scope({.name = {}, .only_some_reasons = key_reasons}), {{"05", CrlReason::key_compromise}});
    EXPECT_EQ(status_in_crls(device("05"), compromised).value().kind, CrlStatus::Kind::revoked);
    const auto status = status_in_crls(device("06"), compromised).value();
    EXPECT_EQ(status.kind, CrlStatus::Kind::undetermined);
    EXPECT_EQ(status.reasons, key_reasons);
    const auto others = list_of(with_scope({.name = {}, .only_some_reasons = all_reasons & ~key_reasons}), {});
    EXPECT_EQ(status.reasons | status_in_crls(device("06"), others).value().reasons, all_reasons);
}

TEST(CrlScope, ReasonsOfThePointCount) {
    const auto name = uri_name("http://a/1.crl");
    der::Writer point;
    point.constructed(der::context_constructed(0),
                      [&] { point.constructed(der::context_constructed(0), [&] { name.full_name[0].write(point); }); });
    const auto value = test::sequence({test::sequence({to_vec(point.bytes()), test::hex("81020640")})});  // keyCompromise
    const auto limited = device("05", {{oid::crl_distribution_points, false, value}});
    EXPECT_EQ(list_of(with_scope({.name = name, .only_some_reasons = {}}), {}).covers(limited), 1u << 1);
    EXPECT_EQ(list_of(with_scope({.name = name, .only_some_reasons = key_reasons}), {}).covers(limited), 1u << 1);
}

// 6.3.3 (b) (1): cRLIssuer of the point, and indirectCRL of the list
TEST(CrlScope, IndirectListServesCertificatesOfOthers) {
    der::Writer names;
    test::general_name("dirname:CN=crl authority").write(names);
    const auto value = test::sequence({test::sequence({test::tlv(der::context_constructed(2), names.bytes())})});
    const auto delegated = device("05", {{oid::crl_distribution_points, false, value}});
    test::CrlDraft draft;
    draft.issuer = to_vec(test::name("CN=crl authority").der());
    draft.set_entries({test::CrlDraft::entry(
        "05", {{oid::certificate_issuer, true, write_general_names({test::general_name("dirname:CN=issuer")})}})});
    draft.set(make_issuing_distribution_point({.name = {}, .only_some_reasons = {}, .indirect = true}));
    const auto list = draft.parse().value();
    EXPECT_EQ(list.covers(delegated), all_reasons);
    EXPECT_EQ(status_in_crls(delegated, list).value().kind, CrlStatus::Kind::revoked);
    EXPECT_FALSE(list.covers(device("05")));  // whose points do not name the list's issuer
    draft.remove(oid::issuing_distribution_point);
    EXPECT_FALSE(draft.parse().value().covers(delegated));
}

TEST(CrlScope, UnreadableDistributionPointsAreAnError) {
    const auto broken = device("05", {{oid::crl_distribution_points, false, test::hex("3000")}});
    EXPECT_THAT(test::failure(list_of(crl_template(), {}).covers(broken)), HasSubstr("malformed"));
}

TEST(DeltaCrl, HasTheLastWord) {
    const auto complete = list_of(crl_template(5), {{"01", CrlReason::certificate_hold}, {"02"}});
    const auto delta = list_of(delta_template(5, 6), {{"01", CrlReason::remove_from_crl}, {"03", CrlReason::superseded}});
    const auto kind = [&](std::string_view serial) { return status_in_crls(device(serial), complete, &delta).value().kind; };
    EXPECT_EQ(kind("01"), CrlStatus::Kind::good);     // released from hold
    EXPECT_EQ(kind("02"), CrlStatus::Kind::revoked);  // as before
    EXPECT_EQ(kind("03"), CrlStatus::Kind::revoked);  // new
    EXPECT_EQ(kind("04"), CrlStatus::Kind::good);
    EXPECT_EQ(status_in_crls(device("01"), complete).value().kind, CrlStatus::Kind::revoked);  // without the delta
}

TEST(DeltaCrl, ChangesTheReason) {
    const auto complete = list_of(crl_template(5), {{"01", CrlReason::certificate_hold}});
    const auto delta = list_of(delta_template(5, 6), {{"01", CrlReason::key_compromise}});
    EXPECT_EQ(status_in_crls(device("01"), complete, &delta).value().reason, CrlReason::key_compromise);
    const auto held = list_of(delta_template(5, 6), {{"02", CrlReason::certificate_hold}});
    EXPECT_EQ(status_in_crls(device("02"), complete, &held).value().kind, CrlStatus::Kind::revoked);
}

TEST(DeltaCrl, OfOpensslIsCombined) {
    const auto complete = load_list("complete");
    const auto delta = load_list("delta");
    const auto held = test::load("device", "crl");
    EXPECT_EQ(status_in_crls(held, complete).value().reason, CrlReason::certificate_hold);
    EXPECT_EQ(status_in_crls(held, complete, &delta).value().kind, CrlStatus::Kind::good);
}

// 5.2.4 (c), (d): base <= complete < delta
TEST(DeltaCrl, NumbersHaveToFit) {
    const auto delta = list_of(delta_template(5, 8), {});
    EXPECT_THAT(test::failure(list_of(crl_template(4), {}).check_updated_by(delta)), HasSubstr("older than its base"));
    for (const auto number : {5u, 6u, 7u})
        EXPECT_EQ(test::failure(list_of(crl_template(number), {}).check_updated_by(delta)), "no error") << number;
    for (const auto number : {8u, 9u})
        EXPECT_THAT(test::failure(list_of(crl_template(number), {}).check_updated_by(delta)), HasSubstr("not newer")) << number;
    test::CrlDraft unnumbered;
    unnumbered.remove(oid::crl_number);
    EXPECT_THAT(test::failure(unnumbered.parse().value().check_updated_by(delta)), HasSubstr("no CRL number"));
}

// 5.2.4 (a), (b); 6.3.3 (c)
TEST(DeltaCrl, IssuerScopeAndKeyHaveToBeTheSame) {
    const auto complete = list_of(crl_template(5), {});
    const auto refused = [&](const CrlTemplate& delta) { return test::failure(complete.check_updated_by(list_of(delta, {}))); };
    auto other = delta_template(5, 6);
    other.issuer = test::name("CN=other");
    EXPECT_THAT(refused(other), HasSubstr("conflict: the delta CRL does not fit: another issuer"));
    other = delta_template(5, 6);
    other.scope = IssuingDistributionPoint{.name = {}, .only_user_certificates = true, .only_some_reasons = {}};
    EXPECT_THAT(refused(other), HasSubstr("another scope"));
    other = delta_template(5, 6);
    other.authority_key_id = test::hex("0102");
    EXPECT_THAT(refused(other), HasSubstr("another authority key identifier"));
    EXPECT_THAT(refused(crl_template(6)), HasSubstr("no deltaCRLIndicator"));
}

TEST(DeltaCrl, AloneOrTwiceSaysNothing) {
    const auto delta = list_of(delta_template(5, 6), {{"05"}});
    EXPECT_THAT(test::failure(status_in_crls(device("05"), delta)), HasSubstr("a delta CRL alone"));
    EXPECT_THAT(test::failure(delta.check_updated_by(list_of(delta_template(6, 7), {}))), HasSubstr("is a delta itself"));
}

TEST(DeltaCrl, OneThatDoesNotFitIsAnErrorNotLeftOut) {
    const auto complete = list_of(crl_template(9), {});
    const auto delta = list_of(delta_template(5, 6), {});
    EXPECT_THAT(test::failure(status_in_crls(device("05"), complete, &delta)), HasSubstr("conflict"));
}

}  // namespace
}  // namespace estuary::x509
