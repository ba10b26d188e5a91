// What may be certified: each rule with a request that keeps it and one that breaks it.
#include <functional>

#include <fmt/format.h>

#include "estuary/x509/path.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

x509::Extension raw_extension(std::string_view id, std::string_view value_hex, bool critical = false) {
    return {der::Oid{id}, critical, from_hex(value_hex).value()};
}

struct Case {
    std::string label;
    std::function<void(Profile&)> shape;
    Wanted wanted;
    std::optional<Code> refused;   ///< nothing: issued
    std::function<void(const x509::Certificate&)> check = {};
};
void nothing(Profile&) {}

class PolicyRule : public testing::TestWithParam<Case> {};
TEST_P(PolicyRule, Holds) {
    const auto& given = GetParam();
    World world{given.shape};
    const auto before = world.store->count_certificates().value();
    const auto made = world.issue(given.wanted);
    if (given.refused) {
        EXPECT_EQ(code_of(made), *given.refused) << made.error().detail;
        EXPECT_EQ(world.events().back(), "request.refused");
        EXPECT_EQ(world.store->count_certificates().value(), before);
        return;
    }
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(world.events().back(), "certificate.issued");
    const auto path = x509::validate_path(*made, {world.ca->issuing}, {world.ca->root}, {.at = start, .required_ext_key_usage = {}});
    EXPECT_TRUE(path) << path.error().detail;
    if (given.check) given.check(*made);
}

std::vector<std::string> names_of(const x509::Certificate& certificate) {
    std::vector<std::string> names;
    const auto held = certificate.subject_alt_names().value();
    for (const auto& name : held) names.push_back(name.to_text());
    return names;
}

const auto has_no = [](std::string_view id) {
    return [oid = der::Oid{id}](const x509::Certificate& made) { EXPECT_EQ(x509::find(made.extensions(), oid), nullptr); };
};
const auto subject_is = [](std::string_view text) {
    return [wanted = std::string{text}](const x509::Certificate& made) { EXPECT_EQ(made.subject().to_text(), wanted); };
};
const auto names_are = [](std::vector<std::string> wanted) {
    return [wanted = std::move(wanted)](const x509::Certificate& made) { EXPECT_EQ(names_of(made), wanted); };
};

INSTANTIATE_TEST_SUITE_P(
    Subject, PolicyRule,
    testing::Values(
        Case{"plain", nothing, {"CN=device 1"}, {}, subject_is("CN=device 1")},
        Case{"empty_refused", nothing, {""}, Code::policy},
        Case{"empty_allowed_with_san", [](Profile& p) { p.subject.may_be_empty = true; }, {"", {"dns:a.example"}}, {},
             [](const x509::Certificate& made) {
                 const auto* names = x509::find(made.extensions(), x509::oid::subject_alt_name);
                 ASSERT_NE(names, nullptr);
                 EXPECT_TRUE(names->critical);  // RFC 5280 4.1.2.6
             }},
        Case{"empty_without_san", [](Profile& p) { p.subject.may_be_empty = true; }, {""}, Code::policy},
        Case{"unwanted_refused", nothing, {"CN=device 1,title=Boss"}, Code::policy},
        Case{"unwanted_dropped", [](Profile& p) { p.subject.unwanted = Unwanted::drop; }, {"CN=device 1,title=Boss,O=x"}, {},
             subject_is("CN=device 1,O=x")},
        Case{"required_missing", [](Profile& p) { p.subject.required = {x509::oid::serial_number}; }, {"CN=device 1"}, Code::policy},
        Case{"required_there", [](Profile& p) { p.subject.required = {x509::oid::serial_number}; }, {"CN=device 1,serialNumber=7"}, {}},
        Case{"fixed_put_in", [](Profile& p) { p.subject.fixed = name("O=Example"); }, {"CN=device 1"}, {}, subject_is("CN=device 1,O=Example")},
        Case{"fixed_replaces", [](Profile& p) { p.subject.fixed = name("O=Example"); }, {"CN=device 1,O=Evil"}, {},
             subject_is("CN=device 1,O=Example")},
        Case{"pattern_kept", [](Profile& p) { p.subject.patterns = {"CN=gateway *", "CN=device *"}; }, {"CN=device 1"}, {}},
        Case{"pattern_broken", [](Profile& p) { p.subject.patterns = {"CN=device *"}; }, {"CN=gateway 1"}, Code::policy},
        Case{"two_common_names", nothing, {"CN=device 1,CN=device 2"}, Code::policy},
        Case{"escape_sequence", nothing, {"CN=device\\1b[2J"}, Code::policy}),      // bug class 13
    [](const auto& test) { return test.param.label; });

INSTANTIATE_TEST_SUITE_P(
    Names, PolicyRule,
    testing::Values(
        Case{"kept_in_order", nothing, {"CN=d", {"dns:b.example", "ip:192.0.2.1", "dns:a.example"}}, {},
             names_are({"dns:b.example", "ip:192.0.2.1", "dns:a.example"})},
        Case{"duplicate_dropped", nothing, {"CN=d", {"dns:b.example", "dns:b.example"}}, {}, names_are({"dns:b.example"})},
        Case{"kind_refused", [](Profile& p) { p.san.allowed = {x509::GeneralName::Kind::dns}; }, {"CN=d", {"ip:192.0.2.1"}}, Code::policy},
        Case{"kind_dropped",                                                                              // bug class 3
             [](Profile& p) {
                 p.san.allowed = {x509::GeneralName::Kind::dns};
                 p.san.unwanted = Unwanted::drop;
             },
             {"CN=d", {"ip:192.0.2.1", "dns:a.example", "uri:urn:x", "email:a@b.example", "upn:root@realm.example"}}, {},
             names_are({"dns:a.example"})},
        Case{"upn_not_by_default", nothing, {"CN=d", {"upn:root@realm.example"}}, Code::policy},          // bug class 3
        Case{"required", [](Profile& p) { p.san.required = true; }, {"CN=d"}, Code::policy},
        Case{"required_but_dropped",
             [](Profile& p) {
                 p.san.required = true;
                 p.san.patterns = {"dns:*.example"};
                 p.san.unwanted = Unwanted::drop;
             },
             {"CN=d", {"dns:evil.test"}}, Code::policy},
        Case{"too_many", [](Profile& p) { p.san.count_max = 1; }, {"CN=d", {"dns:a.example", "dns:b.example"}}, Code::policy},
        Case{"wildcard_not_by_star", [](Profile& p) { p.san.patterns = {"dns:*.example"}; }, {"CN=d", {"dns:*.a.example"}}, Code::policy},
        Case{"server_cn_must_be_named",                                                                   // bug class 3
             [](Profile& p) { p.ext_key_usage = {x509::oid::kp_server_auth}; }, {"CN=other.example", {"dns:a.example"}}, Code::policy},
        Case{"server_cn_is_named", [](Profile& p) { p.ext_key_usage = {x509::oid::kp_server_auth}; }, {"CN=A.example", {"dns:a.example"}}, {}},
        Case{"server_cn_address", [](Profile& p) { p.ext_key_usage = {x509::oid::kp_server_auth}; }, {"CN=192.0.2.1", {"dns:a.example"}},
             Code::policy},
        Case{"any_purpose_is_server_too", [](Profile& p) { p.ext_key_usage.clear(); }, {"CN=other.example"}, Code::policy},
        Case{"client_cn_is_free", nothing, {"CN=other.example"}, {}}),
    [](const auto& test) { return test.param.label; });

// bug class 19: N names, one forbidden, at every position
TEST(PolicyNames, OneForbiddenAtEveryPosition) {
    World world{[](Profile& p) { p.san.patterns = {"dns:*.good.example"}; }};
    world.add_credential("bound", {}, {}, {"dns:a*.good.example"});
    const auto principal = world.by_password("bound");
    constexpr std::size_t count = 6;
    for (std::size_t bad = 0; bad <= count; ++bad) {
        Wanted wanted, not_hers;
        for (std::size_t i = 0; i < count; ++i) {
            wanted.names.push_back(fmt::format("dns:a{}.{}.example", i, i == bad ? "evil" : "good"));
            not_hers.names.push_back(fmt::format("dns:{}{}.good.example", i == bad ? "b" : "a", i));
        }
        const auto key = new_key();
        EXPECT_EQ(world.enroll(csr(wanted, key), World::operator_principal()).has_value(), bad == count) << bad;
        EXPECT_EQ(world.enroll(csr(not_hers, key), principal).has_value(), bad == count) << bad;
    }
}

constexpr auto purposes = [](std::vector<der::Oid> wanted) {
    return [wanted = std::move(wanted)](const x509::Certificate& made) { EXPECT_EQ(made.ext_key_usage(), wanted); };
};
constexpr auto usage = [](std::uint32_t bits) {
    return [bits](const x509::Certificate& made) { EXPECT_EQ(made.key_usage(), bits); };
};
const auto refuse_others = [](Profile& p) { p.other_extensions = Unwanted::refuse; };
const auto server_and_client = [](Profile& p) {
    p.ext_key_usage = {x509::oid::kp_client_auth, x509::oid::kp_server_auth};
    p.key_usage = x509::digital_signature | x509::non_repudiation | x509::key_encipherment;
};

// bug classes 3 and 4
INSTANTIATE_TEST_SUITE_P(
    Extensions, PolicyRule,
    testing::Values(
        Case{"ca_true", nothing, {"CN=d", {}, {x509::make_basic_constraints({true, {}})}}, Code::policy},
        Case{"ca_true_with_path_length", nothing, {"CN=d", {}, {x509::make_basic_constraints({true, 0})}}, Code::policy},
        Case{"ca_false", refuse_others, {"CN=d", {}, {x509::make_basic_constraints({false, {}})}}, {}, has_no("2.5.29.19")},
        Case{"bad_basic_constraints", nothing, {"CN=d", {}, {raw_extension("2.5.29.19", "0500")}}, Code::malformed},
        Case{"key_cert_sign", nothing, {"CN=d", {}, {x509::make_key_usage(x509::digital_signature | x509::key_cert_sign)}}, Code::policy},
        Case{"crl_sign", nothing, {"CN=d", {}, {x509::make_key_usage(x509::crl_sign)}}, Code::policy},
        Case{"poison", nothing, {"CN=d", {}, {raw_extension("1.3.6.1.4.1.11129.2.4.3", "0500", true)}}, {}, has_no("1.3.6.1.4.1.11129.2.4.3")},
        Case{"sct", nothing, {"CN=d", {}, {raw_extension("1.3.6.1.4.1.11129.2.4.2", "040100")}}, {}, has_no("1.3.6.1.4.1.11129.2.4.2")},
        Case{"sid", nothing, {"CN=d", {}, {raw_extension("1.3.6.1.4.1.311.25.2", "0500")}}, {}, has_no("1.3.6.1.4.1.311.25.2")},
        Case{"cdp", nothing, {"CN=d", {}, {x509::make_crl_distribution_points({"http://evil.test/crl"})}}, {}, has_no("2.5.29.31")},
        Case{"aia", nothing, {"CN=d", {}, {x509::make_authority_info_access({"http://evil.test/"}, {})}}, {}, has_no("1.3.6.1.5.5.7.1.1")},
        Case{"policies", nothing, {"CN=d", {}, {x509::make_certificate_policies({der::Oid{"2.5.29.32.0"}})}}, {}, has_no("2.5.29.32")},
        Case{"name_constraints", nothing, {"CN=d", {}, {raw_extension("2.5.29.30", "3000")}}, {}, has_no("2.5.29.30")},
        Case{"other_refused", refuse_others, {"CN=d", {}, {raw_extension("1.2.3.4", "0500")}}, Code::policy},
        Case{"cdp_refused", refuse_others, {"CN=d", {}, {x509::make_crl_distribution_points({"http://evil.test/"})}}, Code::policy},
        Case{"passed", [](Profile& p) { p.pass_extensions = {der::Oid{"1.2.3.4"}}; }, {"CN=d", {}, {raw_extension("1.2.3.4", "0500")}}, {},
             [](const x509::Certificate& made) {
                 const auto* passed = x509::find(made.extensions(), der::Oid{"1.2.3.4"});
                 ASSERT_NE(passed, nullptr);
                 EXPECT_EQ(to_hex(passed->value), "0500");
             }},
        Case{"passed_but_not_der", [](Profile& p) { p.pass_extensions = {der::Oid{"1.2.3.4"}}; },
             {"CN=d", {}, {raw_extension("1.2.3.4", "0580")}}, Code::malformed},
        Case{"other_key_id_is_a_hint", nothing, {"CN=d", {}, {raw_extension("2.5.29.14", "0401aa")}}, {},
             [](const x509::Certificate& made) { EXPECT_EQ(made.subject_key_id(), x509::key_identifier(made.spki()).value()); }},
        Case{"purpose_of_profile", nothing, {"CN=d"}, {}, purposes({x509::oid::kp_client_auth})},
        Case{"purpose_narrowed", server_and_client, {"CN=d", {}, {x509::make_ext_key_usage({x509::oid::kp_client_auth})}}, {},
             purposes({x509::oid::kp_client_auth})},
        Case{"purpose_never_widened", nothing,
             {"CN=d", {}, {x509::make_ext_key_usage({x509::oid::kp_server_auth, x509::oid::kp_client_auth, x509::oid::kp_cmc_ra})}}, {},
             purposes({x509::oid::kp_client_auth})},
        Case{"purpose_refused", refuse_others, {"CN=d", {}, {x509::make_ext_key_usage({x509::oid::kp_code_signing})}}, Code::policy},
        Case{"purpose_any", nothing, {"CN=d", {}, {x509::make_ext_key_usage({x509::oid::any_extended_key_usage})}}, {},
             purposes({x509::oid::kp_client_auth})},
        Case{"purpose_empty", nothing, {"CN=d", {}, {raw_extension("2.5.29.37", "3000")}}, Code::malformed},   // bug class 15
        Case{"usage_of_profile", server_and_client, {"CN=d"}, {}, usage(x509::digital_signature | x509::non_repudiation)},
        Case{"usage_narrowed", server_and_client, {"CN=d", {}, {x509::make_key_usage(x509::digital_signature)}}, {},
             usage(x509::digital_signature)},
        Case{"usage_never_widened", nothing, {"CN=d", {}, {x509::make_key_usage(x509::digital_signature | x509::non_repudiation)}}, {},
             usage(x509::digital_signature)},
        Case{"usage_refused", refuse_others, {"CN=d", {}, {x509::make_key_usage(x509::non_repudiation)}}, Code::policy}),
    [](const auto& test) { return test.param.label; });

TEST(PolicyCertificate, HoldsWhatTheProfileSays) {
    World world{[](Profile& p) {
        p.policies = {der::Oid{"1.2.3.4.5"}};
        p.cps_uri = "http://pki.example/cps";
        p.crl_uris = {"http://pki.example/issuing.crl"};
        p.ocsp_uris = {"http://ocsp.example/"};
        p.ca_issuer_uris = {"http://pki.example/issuing.cer"};
    }};
    const auto made = world.issue({"CN=d", {"dns:a.example"}}).value();
    std::vector<std::string> order;
    for (const auto& extension : made.extensions()) order.push_back(extension.id.dotted());
    EXPECT_EQ(order, (std::vector<std::string>{"2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.37", "2.5.29.32",
                                               "2.5.29.31", "1.3.6.1.5.5.7.1.1"}));
    EXPECT_TRUE(made.issuer() == world.ca->issuing.subject());
    EXPECT_EQ(made.authority_key_id(), world.ca->issuing.subject_key_id());
    // bug class 21: the last second is counted in
    EXPECT_EQ(made.not_before(), start - Seconds{60});
    EXPECT_EQ(made.not_after(), made.not_before() + world.profiles[0].validity - Seconds{1});
    const auto record = world.store->certificate("issuing", made.serial_number()).value().value();
    EXPECT_EQ(to_hex(record.der), to_hex(made.der()));
    EXPECT_EQ(record.subject, "CN=d");
    EXPECT_EQ(record.subject_alt_names, "dns:a.example");
    EXPECT_EQ(record.profile, "device");
    EXPECT_EQ(record.requester, "operator");
}

// bug class 21: UTCTime through 2049, GeneralizedTime from 2050; and leap days
TEST(PolicyCertificate, ValidityAtTheTurns) {
    for (const auto* const now : {"2028-02-29T12:00:00Z", "2031-12-31T23:59:59Z", "2035-03-26T01:30:00Z"}) {
        World world{[](Profile& p) { p.validity = Seconds{366 * 86400LL}; }};
        world.clock.set(parse_iso8601(now).value());
        const auto made = world.issue({}).value();
        EXPECT_EQ(made.not_after() - made.not_before(), Seconds{366 * 86400LL - 1}) << now;
    }
}

TEST(PolicyCertificate, EndsWithItsCa) {
    World world;
    const auto end = world.ca->issuing.not_after();
    world.clock.set(end - std::chrono::hours{24});
    EXPECT_EQ(world.issue({}).value().not_after(), end);
    world.clock.set(end - std::chrono::minutes{30});  // bug class 37
    EXPECT_EQ(code_of(world.issue({})), Code::unavailable);
    world.clock.set(end + Seconds{1});
    EXPECT_EQ(code_of(world.issue({})), Code::unavailable);
}

// bug class 34
TEST(PolicyCertificate, SubjectKeepsItsOctets) {
    World world;
    // CN as UTF8String before O as PrintableString, with two blanks inside: nothing is tidied up.
    der::Writer writer;
    writer.sequence([&] {
        writer.constructed(der::Tag::set, [&] { writer.sequence([&] { writer.oid(x509::oid::common_name).utf8_string("device  Ä"); }); });
        writer.constructed(der::Tag::set, [&] { writer.sequence([&] { writer.oid(x509::oid::organization_name).printable_string("Ex"); }); });
    });
    x509::RequestTemplate wanted;
    wanted.subject = x509::Name::parse(writer.bytes()).value();
    const auto request = x509::SignedRequest::parse(x509::make_request(wanted, new_key()).value()).value();
    const auto outcome = world.enroll(request, World::operator_principal());
    EXPECT_EQ(to_hex(issued(outcome).certificate.subject().der()), to_hex(writer.bytes()));
}

// bug class 32
TEST(PolicyKey, TypesAndSizes) {
    World world{[](Profile& p) { p.key_types = {"p256", "rsa3072"}; }};
    EXPECT_TRUE(world.issue({}, new_key("p256")));
    EXPECT_EQ(code_of(world.issue({}, new_key("p384"))), Code::bad_key);
    EXPECT_EQ(code_of(world.issue({}, new_key("ed25519"))), Code::bad_key);
    EXPECT_EQ(code_of(world.issue({}, new_key("rsa2048"))), Code::bad_key);
    World ecc_only{[](Profile& p) { p.key_types = {"ed25519"}; }};
    EXPECT_EQ(code_of(ecc_only.issue({}, new_key("rsa2048"))), Code::bad_key);
    EXPECT_EQ(ecc_only.issue({}, new_key("ed25519")).value().key_usage(), x509::digital_signature);
}

// bug class 32
TEST(PolicyKey, KnownKeysAreRefused) {
    World world;
    EXPECT_EQ(code_of(world.issue({}, world.ca->issuing_key)), Code::bad_key);
    EXPECT_EQ(code_of(world.issue({}, world.ca->root_key)), Code::bad_key);
    const auto leaked = new_key();
    auto config = world.config();
    config.blocked_keys.add(leaked.public_key().spki());
    world.authority = Authority::create(std::move(config), *world.store, world.clock, world.entropy).value();
    EXPECT_EQ(code_of(world.issue({}, leaked)), Code::bad_key);
    EXPECT_TRUE(world.issue({}));
}

// bug class 33
TEST(PolicyKey, UsageFitsTheKey) {
    World world{[](Profile& p) { p.key_usage = x509::digital_signature | x509::key_encipherment | x509::key_agreement; }};
    EXPECT_EQ(world.issue({}, new_key("p256")).value().key_usage(), x509::digital_signature | x509::key_agreement);
    EXPECT_EQ(world.issue({}, new_key("ed25519")).value().key_usage(), x509::digital_signature);
    EXPECT_EQ(world.issue({}, new_key("rsa2048")).value().key_usage(), x509::digital_signature | x509::key_encipherment);
    World encipher{[](Profile& p) { p.key_usage = x509::key_encipherment; }};
    EXPECT_EQ(code_of(encipher.issue({}, new_key("p256"))), Code::policy);
}

struct LinkingCase {
    std::string label;
    Linking linking;
    bool required, registration_authority, issued;
};
class PolicyLinking : public testing::TestWithParam<LinkingCase> {};
TEST_P(PolicyLinking, IsChecked) {  // RFC 7030 3.5, 3.7
    const auto& given = GetParam();
    World world;
    world.add_credential("dev");
    auto request = world.request(csr({}, new_key()), world.by_password("dev"));
    if (given.registration_authority) {
        UnitOfWork work;
        const auto server = world.authority->issue_for_server("server", csr({"", {"dns:ra.example"}}, new_key()), work).value();
        ASSERT_TRUE(world.store->commit(std::move(work)));
        request.principal = world.by_certificate(server);
    }
    request.linking = given.linking;
    request.linking_required = given.required;
    const auto outcome = world.ask(request);
    if (given.issued)
        issued(outcome);
    else
        EXPECT_EQ(code_of(outcome), Code::bad_proof);
}
INSTANTIATE_TEST_SUITE_P(Authority, PolicyLinking,
                         testing::Values(LinkingCase{"matched", Linking::matched, true, false, true},
                                         LinkingCase{"absent", Linking::absent, false, false, true},
                                         LinkingCase{"absent_but_required", Linking::absent, true, false, false},
                                         LinkingCase{"mismatched", Linking::mismatched, false, false, false},
                                         LinkingCase{"mismatched_ra", Linking::mismatched, false, true, true},
                                         LinkingCase{"absent_ra", Linking::absent, true, true, true}),
                         [](const auto& test) { return test.param.label; });

TEST(PolicyLint, NameConstraintsOfTheCaHold) {
    World world;
    UnitOfWork work;
    CaPlan plan{.organisation_name = "Constrained", .key_type = "p256", .name_constraints = x509::NameConstraints{{san("dns:example")}, {}}};
    auto made = make_ca(plan, world.clock, world.entropy, work);
    ASSERT_TRUE(made) << made.error().detail;
    world.ca.emplace(std::move(*made));
    world.make();
    EXPECT_TRUE(world.issue({"CN=d", {"dns:a.example"}}));
    const auto refused = world.issue({"CN=d", {"dns:a.test"}});
    EXPECT_EQ(code_of(refused), Code::policy);
    EXPECT_THAT(refused.error().detail, testing::HasSubstr("name_constraints"));
}

TEST(PolicyServer, IssuesForTheServerItself) {
    World world;
    UnitOfWork work;
    const auto made = world.authority->issue_for_server("server", csr({"CN=est.example", {"dns:est.example", "ip:127.0.0.1"}}, new_key()), work);
    ASSERT_TRUE(made) << made.error().detail;
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(made->ext_key_usage(), (std::vector{x509::oid::kp_server_auth, x509::oid::kp_cmc_ra}));
    EXPECT_TRUE(world.prove(*made).value().registration_authority);
    UnitOfWork refused;
    EXPECT_EQ(code_of(world.authority->issue_for_server("server", csr({"CN=est.example"}, new_key()), refused)), Code::policy);
    EXPECT_EQ(code_of(world.authority->issue_for_server("nothing", csr({}, new_key()), refused)), Code::not_authorised);
}

}  // namespace
}  // namespace estuary::authority::test
