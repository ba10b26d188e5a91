// Certificates for other CAs: who may ask, what they hold, and that they are made in no other way.
#include <functional>

#include <fmt/format.h>

#include "estuary/authority/key_generation.h"
#include "estuary/x509/name_constraints.h"
#include "estuary/x509/path.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

using x509::CertificationRequest;

/// A CA certificate as somebody else made it.
struct ForeignCa {
    std::string subject = "CN=Foreign CA";
    std::optional<std::uint32_t> path_length = {};
    std::optional<x509::NameConstraints> name_constraints = {};
    Time not_after = start + Seconds{10 * 365 * 86400LL};
};
x509::Certificate foreign_ca(const ForeignCa& wanted, const crypto::PrivateKey& key, const x509::Certificate* issuer = nullptr,
                             const crypto::PrivateKey* issuer_key = nullptr) {
    const auto& by = issuer_key != nullptr ? *issuer_key : key;
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x11, 0x22, 0x33};
    tbs.signature_algorithm = by.signature_algorithm().value()->identifier;
    tbs.issuer = issuer != nullptr ? issuer->subject() : name(wanted.subject);
    tbs.not_before = start - Seconds{86400};
    tbs.not_after = wanted.not_after;
    tbs.subject = name(wanted.subject);
    tbs.spki = to_vec(key.public_key().spki());
    if (issuer != nullptr) tbs.extensions.push_back(x509::make_authority_key_identifier(*issuer->subject_key_id()));
    tbs.extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(tbs.spki).value()));
    tbs.extensions.push_back(x509::make_key_usage(x509::key_cert_sign | x509::crl_sign));
    tbs.extensions.push_back(x509::make_basic_constraints({true, wanted.path_length}));
    if (wanted.name_constraints) tbs.extensions.push_back(x509::make_name_constraints(*wanted.name_constraints));
    const auto encoded = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, by.sign(encoded).value())).value();
}

Profile sub_ca_profile() {
    Profile profile;
    profile.name = "sub-ca";
    profile.ca = "root";
    profile.validity = Seconds{5 * 365 * 86400LL};
    profile.key_types = {"p256", "p384", "rsa2048"};
    profile.subject.allowed = {x509::oid::common_name, x509::oid::organization_name};
    profile.ca_certificate.emplace();
    profile.manual_approval = true;
    return profile;
}

x509::NameConstraints name_constraints(const std::vector<std::string>& permitted, const std::vector<std::string>& excluded = {}) {
    x509::NameConstraints made;
    for (const auto& text : permitted) made.permitted.push_back(x509::name_subtree_from_text(text).value());
    for (const auto& text : excluded) made.excluded.push_back(x509::name_subtree_from_text(text).value());
    return made;
}

CertificationRequest::Parts ca_request(const crypto::PrivateKey& key, std::string_view subject = "CN=Subordinate CA,O=Other") {
    CertificationRequest::Parts parts;
    parts.der = to_vec(key.public_key().spki());   // identifies it, as the octets of a request do
    parts.subject = name(subject);
    parts.spki = to_vec(key.public_key().spki());
    parts.extensions.push_back(x509::make_basic_constraints({true, 0}));
    parts.not_before = start;
    parts.not_after = start + Seconds{365 * 86400LL};
    return parts;
}

/// A world whose root is here, too, and certifies CAs.
struct CaWorld : World {
    CaWorld() { remake(); }
    void remake() { authority = Authority::create(wide(), *store, clock, entropy).value(); }
    Config wide() const {
        auto made = config();
        made.cas.push_back({"root", root ? *root : ca->root, root_key ? *root_key : ca->root_key, above, {}, status});
        made.profiles.push_back(sub_ca);
        return made;
    }
    Result<std::unique_ptr<Authority>> with(const std::function<void(Profile&)>& shape) {
        auto made = wide();
        shape(made.profiles.back());
        return Authority::create(std::move(made), *store, clock, entropy);
    }

    EnrollRequest wanted(const CertificationRequest::Parts& parts, Principal principal = operator_principal()) const {
        return {Verb::cross_certify, "sub-ca", "label", CertificationRequest::make(parts).value(), std::move(principal)};
    }
    Result<void> decide_on_last(bool approve) {
        UnitOfWork work;
        const auto all = store->pending_requests(store::PendingRequest::State::pending).value();
        if (all.empty()) return fail(Code::not_found, "nothing waits");
        ESTUARY_CHECK(authority->decide(all.back().id, approve, {}, operator_principal(), work));
        return store->commit(std::move(work));
    }
    /// Asked for, approved, and asked for again.
    Result<x509::Certificate> certify(const EnrollRequest& request) {
        auto waiting = ask(request);
        if (!waiting) return fail(waiting.error());
        EXPECT_TRUE(std::holds_alternative<Pending>(*waiting)) << "issued without a person";
        ESTUARY_CHECK(decide_on_last(true));
        auto outcome = ask(request);
        if (!outcome) return fail(outcome.error());
        return std::get<Issued>(*outcome).certificate;
    }
    Result<x509::Certificate> certify(const CertificationRequest::Parts& parts) { return certify(wanted(parts)); }

    Profile sub_ca = sub_ca_profile();
    std::optional<x509::Certificate> root;
    std::optional<crypto::PrivateKey> root_key;
    std::vector<x509::Certificate> above;
};

struct PolicyCa : testing::Test {
    CaWorld world;
    crypto::PrivateKey key = new_key();
};

std::optional<std::uint32_t> length_of(const x509::Certificate& certificate) { return certificate.path_length(); }

TEST_F(PolicyCa, ACertificateHoldsWhatACaNeedsAndNothingElse) {
    auto parts = ca_request(key);
    parts.extensions.push_back(x509::make_key_usage(x509::key_cert_sign | x509::crl_sign));
    parts.extensions.push_back(x509::make_subject_key_identifier(ByteVec{1, 2, 3, 4}));
    const auto made = world.certify(parts);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_TRUE(made->is_ca());
    EXPECT_EQ(length_of(*made), 0u);
    EXPECT_TRUE(x509::find(made->extensions(), x509::oid::basic_constraints)->critical);
    EXPECT_TRUE(x509::find(made->extensions(), x509::oid::key_usage)->critical);
    EXPECT_EQ(made->key_usage(), x509::key_cert_sign | x509::crl_sign);
    EXPECT_TRUE(made->subject() == parts.subject);   // octet for octet (bug class 34)
    EXPECT_EQ(made->subject_key_id(), (ByteVec{1, 2, 3, 4}));   // as the other CA's certificates name it
    EXPECT_EQ(made->authority_key_id(), world.ca->root.subject_key_id());
    EXPECT_EQ(made->not_after(), *parts.not_after);
    EXPECT_EQ(made->extensions().size(), 4u);
    EXPECT_TRUE(made->verify_signed_by(world.ca->root_key.public_key()));
    EXPECT_EQ(world.events().back(), "certificate.issued");
    const auto record = world.store->certificate("root", to_vec(made->serial_number())).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->profile, "sub-ca");

    // It carries the other CA's certificates, by an independent judgement: OpenSSL's.
    const auto device_key = new_key();
    x509::TbsCertificate device;
    device.serial_number = {0x44};
    device.signature_algorithm = key.signature_algorithm().value()->identifier;
    device.issuer = made->subject();
    device.not_before = start;
    device.not_after = start + Seconds{86400};
    device.subject = name("CN=device");
    device.spki = to_vec(device_key.public_key().spki());
    device.extensions = {x509::make_authority_key_identifier(ByteVec{1, 2, 3, 4}), x509::make_key_usage(x509::digital_signature)};
    const auto tbs = x509::encode_tbs(device);
    const auto leaf = x509::Certificate::parse(x509::encode_certificate(tbs, device.signature_algorithm, key.sign(tbs).value())).value();
    const auto path = x509::validate_path(leaf, {*made}, {world.ca->root}, {.at = start});
    EXPECT_TRUE(path) << path.error().detail;

    // Neither that CA nor what it certifies is anybody here (bug classes 2, 7).
    const auto root = to_vec(world.ca->root.der());
    EXPECT_EQ(code_of(world.authority->authenticate_certificate({to_vec(made->der()), root})), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_certificate({to_vec(leaf.der()), to_vec(made->der()), root})), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_signer(*made, {})), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_signer(leaf, {*made})), Code::not_authorised);
}

TEST_F(PolicyCa, APersonDecides) {
    const auto request = world.wanted(ca_request(key));
    for (int i = 0; i < 2; ++i) {
        const auto waiting = world.ask(request);
        ASSERT_TRUE(waiting) << waiting.error().detail;
        EXPECT_TRUE(std::holds_alternative<Pending>(*waiting));
    }
    const auto all = world.store->pending_requests(std::nullopt).value();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all.front().operation, "cross-certify");
    ASSERT_TRUE(world.decide_on_last(false));
    EXPECT_EQ(code_of(world.ask(request)), Code::not_authorised);
    EXPECT_EQ(world.store->count_certificates().value(), 2u);   // the ceremony's
}

/// What was decided under one profile is not issued under another (bug class 22).
TEST_F(PolicyCa, TheProfileOfTheMomentCounts) {
    const auto request = world.wanted(ca_request(key));
    ASSERT_TRUE(world.ask(request));
    ASSERT_TRUE(world.decide_on_last(true));
    world.sub_ca.subject.patterns = {"CN=Nobody"};
    world.remake();
    EXPECT_EQ(code_of(world.ask(request)), Code::policy);
}

TEST_F(PolicyCa, TheSameRequestAgainGetsTheSameCertificate) {
    const auto request = world.wanted(ca_request(key));
    const auto made = world.certify(request);
    ASSERT_TRUE(made) << made.error().detail;
    const auto again = world.ask(request);   // bug class 25
    EXPECT_TRUE(issued(again).repeated);
    EXPECT_EQ(issued(again).certificate, *made);
}

TEST_F(PolicyCa, IsRevokedLikeAnyOther) {
    const auto made = world.certify(ca_request(key));
    ASSERT_TRUE(made) << made.error().detail;
    UnitOfWork work;
    ASSERT_TRUE(world.authority->revoke({"root", to_vec(made->serial_number()), store::RevocationReason::ca_compromise, World::operator_principal()}, work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto status = world.authority->status("root", made->serial_number());
    ASSERT_TRUE(status && *status);
    EXPECT_EQ((*status)->revocation->reason, store::RevocationReason::ca_compromise);
    UnitOfWork list;
    const auto crl = world.authority->make_crl("root", 0, CrlKind::complete, list);
    ASSERT_TRUE(crl) << crl.error().detail;
    EXPECT_EQ(crl->record.entries, 1);
}

struct RefusedRequest {
    std::string label;
    std::function<void(CertificationRequest::Parts&)> bend;
    Code code;
};
class PolicyCaRequest : public testing::TestWithParam<RefusedRequest> {};
TEST_P(PolicyCaRequest, IsRefused) {
    CaWorld world;
    auto parts = ca_request(new_key());
    GetParam().bend(parts);
    const auto refused = world.ask(world.wanted(parts));
    EXPECT_EQ(code_of(refused), GetParam().code) << refused.error().detail;
    EXPECT_TRUE(world.store->pending_requests(std::nullopt).value().empty()) << "nobody is asked about it";
    EXPECT_EQ(world.events().back(), "request.refused");
}
x509::Extension& basic_constraints_of(CertificationRequest::Parts& parts) { return parts.extensions.front(); }
INSTANTIATE_TEST_SUITE_P(
    Authority, PolicyCaRequest,
    testing::Values(
        RefusedRequest{"without_basic_constraints", [](auto& p) { p.extensions.clear(); }, Code::policy},
        RefusedRequest{"of_no_ca", [](auto& p) { basic_constraints_of(p) = x509::make_basic_constraints({false, {}}); }, Code::policy},
        RefusedRequest{"basic_constraints_malformed", [](auto& p) { basic_constraints_of(p).value = {0x30, 0x05}; }, Code::malformed},
        RefusedRequest{"key_usage_of_an_end_entity", [](auto& p) { p.extensions.push_back(x509::make_key_usage(x509::digital_signature)); }, Code::policy},
        RefusedRequest{"without_not_before", [](auto& p) { p.not_before.reset(); }, Code::policy},
        RefusedRequest{"without_not_after", [](auto& p) { p.not_after.reset(); }, Code::policy},
        RefusedRequest{"validity_that_has_ended", [](auto& p) { p.not_before = start - Seconds{7200}, p.not_after = start - Seconds{3600}; }, Code::policy},
        RefusedRequest{"empty_subject", [](auto& p) { p.subject = {}; }, Code::policy},
        RefusedRequest{"subject_of_another_kind", [](auto& p) { p.subject = name("CN=a,OU=b"); }, Code::policy},
        RefusedRequest{"the_issuers_name", [](auto& p) { p.subject = name("CN=Test Root CA"); }, Code::policy},
        RefusedRequest{"the_issuers_name_in_other_letters", [](auto& p) { p.subject = name("CN=TEST  root ca"); }, Code::policy},
        RefusedRequest{"the_name_of_another_ca_here", [](auto& p) { p.subject = name("CN=Test Issuing CA"); }, Code::policy},
        RefusedRequest{"a_name_beside_the_subject", [](auto& p) { p.extensions.push_back(x509::make_subject_alt_name(sans({"dns:a.example"}), false)); },
                       Code::policy},
        RefusedRequest{"possession_by_a_registration_authority", [](auto& p) { p.possession = x509::Possession::registration_authority; }, Code::bad_proof},
        RefusedRequest{"possession_by_decryption", [](auto& p) { p.possession = x509::Possession::decryption; }, Code::bad_proof},
        RefusedRequest{"a_kind_of_key_that_is_not_listed", [](auto& p) { p.spki = to_vec(new_key("p521").public_key().spki()); }, Code::bad_key},
        RefusedRequest{"an_empty_key_identifier", [](auto& p) { p.extensions.push_back(x509::make_subject_key_identifier({})); }, Code::malformed},
        RefusedRequest{"a_key_identifier_without_end",
                       [](auto& p) { p.extensions.push_back(x509::make_subject_key_identifier(ByteVec(65, 1))); }, Code::policy},
        RefusedRequest{"name_constraints_malformed", [](auto& p) { p.extensions.push_back({x509::oid::name_constraints, true, {0x30, 0x00}}); },
                       Code::malformed}),
    [](const auto& test) { return test.param.label; });

TEST_F(PolicyCa, ItsOwnKeysAreNoOthers) {
    auto of_issuing = ca_request(world.ca->issuing_key);
    EXPECT_EQ(code_of(world.ask(world.wanted(of_issuing))), Code::bad_key);
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(world.ca->root_key)))), Code::bad_key);
}

TEST_F(PolicyCa, OtherExtensionsAreLeftOutOrRefused) {
    auto parts = ca_request(key);
    parts.extensions.push_back(x509::make_key_usage(x509::key_cert_sign | x509::crl_sign | x509::digital_signature));
    for (auto extension : {x509::make_certificate_policies({der::Oid{"1.2.3"}}), x509::make_crl_distribution_points({"http://a.example/crl"}),
                           x509::make_authority_info_access({"http://a.example"}, {}), x509::make_ext_key_usage({x509::oid::kp_client_auth}),
                           x509::Extension{x509::oid::policy_mappings, true, {0x30, 0x00}}, x509::Extension{der::Oid{"1.2.3.4"}, true, {0x05, 0x00}}})
        parts.extensions.push_back(extension);   // bug class 4
    const auto made = world.certify(parts);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->extensions().size(), 4u);
    EXPECT_EQ(made->key_usage(), x509::key_cert_sign | x509::crl_sign);
    world.sub_ca.other_extensions = Unwanted::refuse;
    world.remake();
    for (std::size_t i = 1; i < parts.extensions.size(); ++i) {   // each of them (bug class 19)
        auto one = ca_request(new_key());
        one.extensions.push_back(parts.extensions[i]);
        EXPECT_EQ(code_of(world.ask(world.wanted(one))), Code::policy) << i;
    }
}

TEST_F(PolicyCa, PoliciesAndPointersAreTheProfiles) {
    world.sub_ca.policies = {der::Oid{"1.2.3.4"}};
    world.status.crl_uris = {"http://ca.example/root-{shard}.crl"};
    world.remake();
    const auto made = world.certify(ca_request(key));
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_NE(x509::find(made->extensions(), x509::oid::certificate_policies), nullptr);
    EXPECT_NE(x509::find(made->extensions(), x509::oid::crl_distribution_points), nullptr);
}

TEST_F(PolicyCa, ValidityIsNeverLongerThanAnybodyWants) {
    auto parts = ca_request(key);
    parts.not_before = start - Seconds{365 * 86400LL};
    parts.not_after = start + Seconds{100 * 365 * 86400LL};
    auto made = world.certify(parts);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->not_before(), start - world.sub_ca.backdate);
    EXPECT_EQ(made->not_after(), start - world.sub_ca.backdate + world.sub_ca.validity - Seconds{1});   // bug class 21
    world.sub_ca.validity = Seconds{50 * 365 * 86400LL};
    world.remake();
    parts.der.push_back(0);
    made = world.certify(parts);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->not_after(), world.ca->root.not_after());
}

struct Lengths {
    std::optional<std::uint32_t> asked, issuer, above;
    std::uint32_t profile;
    std::optional<std::uint32_t> given;   ///< nothing: the profile cannot be
    bool has_above = false;
};
class PolicyCaPathLength : public testing::TestWithParam<Lengths> {};
TEST_P(PolicyCaPathLength, IsTheLeast) {
    const auto& lengths = GetParam();
    CaWorld world;
    const auto root_key = new_key(), middle_key = new_key();
    const auto root = foreign_ca({.subject = "CN=Top", .path_length = lengths.has_above ? lengths.above : lengths.issuer}, root_key);
    world.root = lengths.has_above ? foreign_ca({.subject = "CN=Middle", .path_length = lengths.issuer}, middle_key, &root, &root_key) : root;
    world.root_key = lengths.has_above ? middle_key : root_key;
    if (lengths.has_above) world.above = {root};
    world.sub_ca.ca_certificate->path_length = lengths.profile;
    const auto authority = Authority::create(world.wide(), *world.store, world.clock, world.entropy);
    if (!lengths.given) {
        EXPECT_EQ(code_of(authority), Code::policy);
        return;
    }
    ASSERT_TRUE(authority) << authority.error().detail;
    world.remake();
    auto parts = ca_request(new_key());
    parts.extensions = {x509::make_basic_constraints({true, lengths.asked})};
    const auto made = world.certify(parts);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(length_of(*made), lengths.given);
}
INSTANTIATE_TEST_SUITE_P(Authority, PolicyCaPathLength,
                         testing::Values(Lengths{{}, {}, {}, 0, 0u}, Lengths{7u, {}, {}, 0, 0u}, Lengths{{}, {}, {}, 3, 3u}, Lengths{1u, {}, {}, 3, 1u},
                                         Lengths{{}, 2u, {}, 3, 1u}, Lengths{{}, 1u, {}, 3, 0u}, Lengths{0u, 2u, {}, 3, 0u}, Lengths{{}, 0u, {}, 0, {}},
                                         Lengths{{}, {}, 3u, 9, 1u, true}, Lengths{{}, {}, 2u, 9, 0u, true}, Lengths{{}, {}, 1u, 0, {}, true},
                                         Lengths{{}, 1u, 5u, 9, 0u, true}, Lengths{{}, 4u, 3u, 9, 1u, true}, Lengths{{}, 0u, {}, 0, {}, true}));

TEST_F(PolicyCa, NamesCanBeNarrowedOnly) {
    world.sub_ca.ca_certificate->name_constraints = name_constraints({"dns:example.com"}, {"dns:secret.example.com"});
    world.remake();
    const auto made = world.certify(ca_request(key));
    ASSERT_TRUE(made) << made.error().detail;
    ASSERT_NE(made->name_constraints(), nullptr);
    EXPECT_EQ(made->name_constraints()->value().permitted, world.sub_ca.ca_certificate->name_constraints->permitted);
    EXPECT_TRUE(x509::find(made->extensions(), x509::oid::name_constraints)->critical);

    auto narrower = ca_request(new_key());
    narrower.extensions.push_back(x509::make_name_constraints(name_constraints({"dns:a.example.com"}, {"ip:0.0.0.0/0"})));
    const auto second = world.certify(narrower);
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_EQ(second->name_constraints()->value().permitted, name_constraints({"dns:a.example.com"}).permitted);
    EXPECT_EQ(second->name_constraints()->value().excluded, name_constraints({}, {"dns:secret.example.com", "ip:0.0.0.0/0"}).excluded);

    auto wider = ca_request(new_key());
    wider.extensions.push_back(x509::make_name_constraints(name_constraints({"dns:a.example.com", "dns:example.org"})));
    EXPECT_EQ(code_of(world.ask(world.wanted(wider))), Code::policy);
}

/// Its own name lies within what its issuer may certify: the lint of the very octets that would be signed.
TEST_F(PolicyCa, ItsIssuersNameConstraintsCount) {
    const auto root_key = new_key();
    world.root = foreign_ca({.name_constraints = name_constraints({"dirname:O=Example"})}, root_key);
    world.root_key = root_key;
    world.remake();
    const auto outside = world.certify(ca_request(key, "CN=Sub,O=Other"));
    EXPECT_EQ(code_of(outside), Code::policy);
    EXPECT_TRUE(world.certify(ca_request(new_key(), "CN=Sub,O=Example")));
}

struct BadProfile {
    std::string label;
    std::function<void(Profile&)> bend;
};
class PolicyCaProfile : public testing::TestWithParam<BadProfile> {};
TEST_P(PolicyCaProfile, IsRefusedAtStart) {
    CaWorld world;
    EXPECT_TRUE(world.with([](Profile&) {}));
    const auto refused = world.with(GetParam().bend);
    EXPECT_EQ(code_of(refused), Code::policy) << refused.error().detail;
}
INSTANTIATE_TEST_SUITE_P(
    Authority, PolicyCaProfile,
    testing::Values(BadProfile{"without_a_person", [](Profile& p) { p.manual_approval = false; }},
                    BadProfile{"empty_subject", [](Profile& p) { p.subject.may_be_empty = true; }},
                    BadProfile{"fixed_subject", [](Profile& p) { p.subject.fixed = name("O=Example"); }},
                    BadProfile{"names_that_change", [](Profile& p) { p.may_change_names = true; }},
                    BadProfile{"extended_key_usage", [](Profile& p) { p.ext_key_usage = {x509::oid::kp_client_auth}; }},
                    BadProfile{"passed_extensions", [](Profile& p) { p.pass_extensions = {der::Oid{"1.2.3.4"}}; }},
                    BadProfile{"archived_keys", [](Profile& p) { p.archive_keys = true; }},
                    BadProfile{"generated_keys", [](Profile& p) { p.generated_key_types = {"p256"}; }},
                    BadProfile{"keys_that_do_not_sign", [](Profile& p) { p.key_types = {"p256", "x25519"}; }},
                    BadProfile{"nothing_constrained", [](Profile& p) { p.ca_certificate->name_constraints.emplace(); }},
                    BadProfile{"an_issuer_that_may_not", [](Profile& p) { p.ca = "issuing"; }}),
    [](const auto& test) { return test.param.label; });

/// Every other way into the authority (bug classes 1, 2, 4).
TEST_F(PolicyCa, NoOtherWayLeadsToACa) {
    auto request = world.wanted(ca_request(key));
    for (const auto verb : {Verb::enroll, Verb::renew}) {
        request.verb = verb;
        EXPECT_EQ(code_of(world.ask(request)), Code::not_authorised);
    }
    request.verb = Verb::enroll;
    EXPECT_FALSE(world.authority->approve(request));   // nor for a CA above
    request.verb = Verb::cross_certify;
    EXPECT_FALSE(world.authority->approve(request));

    auto device = world.wanted(ca_request(key));
    device.profile = "device";
    EXPECT_EQ(code_of(world.ask(device)), Code::not_authorised);

    KeyRequest made_here;
    made_here.profile = "sub-ca";
    made_here.request = ca_request(key);
    made_here.principal = World::operator_principal();
    made_here.deliver = [](const crypto::PrivateKey&) -> Result<void> { return {}; };
    for (const auto verb : {Verb::enroll, Verb::renew, Verb::cross_certify}) {
        made_here.verb = verb;
        UnitOfWork work;
        EXPECT_FALSE(world.authority->enroll_with_new_key(made_here, work));
    }
    UnitOfWork work;
    const auto own = world.authority->issue_for_server("sub-ca", csr({"CN=a", {}, {x509::make_basic_constraints({true, 0})}}, key), work);
    EXPECT_EQ(code_of(own), Code::not_authorised);
    EXPECT_EQ(world.store->count_certificates().value(), 2u);   // the ceremony's
    EXPECT_TRUE(world.store->pending_requests(std::nullopt).value().empty());
}

TEST_F(PolicyCa, WhoMayAsk) {
    world.add_credential("for-this", 1, {}, {}, "sub-ca");
    world.add_credential("for-that", {}, {}, {}, "device");
    world.add_credential("for-all");
    world.add_credential("for-one-name", {}, {"CN=Elsewhere"}, {}, "sub-ca");
    const auto ask_as = [&](const std::string& credential) { return world.ask(world.wanted(ca_request(new_key()), world.by_password(credential))); };
    EXPECT_EQ(code_of(ask_as("for-that")), Code::not_authorised);
    EXPECT_EQ(code_of(ask_as("for-all")), Code::not_authorised);
    EXPECT_EQ(code_of(ask_as("for-one-name")), Code::not_authorised);
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(new_key()), {}))), Code::not_authenticated);
    EXPECT_TRUE(ask_as("for-this"));
    EXPECT_EQ(world.by_password("for-this").credential->uses_left, 0);
    EXPECT_EQ(code_of(ask_as("for-this")), Code::not_authenticated);   // one use, one request
}

/// By certificates: of this CA, of the very name, and not a registration authority's or a maker's (bug class 8).
TEST_F(PolicyCa, ACertificateAsksForItsOwnNameOnly) {
    Profile operators = default_device_profile("root");
    operators.name = "operator";
    auto made = world.wide();
    made.profiles.push_back(operators);
    world.authority = Authority::create(std::move(made), *world.store, world.clock, world.entropy).value();
    const auto operator_key = new_key();
    EnrollRequest own{Verb::enroll, "operator", "label", csr({"CN=Subordinate CA,O=Other"}, operator_key), World::operator_principal()};
    const auto certificate = issued(world.ask(own)).certificate;
    Principal holder;
    holder.certificate = world.authority->authenticate_certificate({to_vec(certificate.der()), to_vec(world.ca->root.der())}).value();
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(key, "CN=Somebody else,O=Other"), holder))), Code::not_authorised);
    auto as_authority = holder, as_maker = holder;
    as_authority.certificate->registration_authority = true;
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(key), as_authority))), Code::not_authorised);
    as_maker.certificate->manufacturer = "acme";
    as_maker.certificate->issued_by_ca.clear();
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(key), as_maker))), Code::not_authorised);
    auto of_another_ca = holder;
    of_another_ca.certificate->issued_by_ca = "issuing";
    EXPECT_EQ(code_of(world.ask(world.wanted(ca_request(key), of_another_ca))), Code::not_authorised);
    EXPECT_TRUE(world.certify(world.wanted(ca_request(key), holder)));
}

TEST_F(PolicyCa, ItsRulesAreInTheDigest) {
    auto profile = sub_ca_profile();
    const auto digest = profile.digest();
    profile.ca_certificate->path_length = 1;
    EXPECT_NE(profile.digest(), digest);
    profile = sub_ca_profile();
    profile.ca_certificate->name_constraints = name_constraints({"dns:example.com"});
    EXPECT_NE(profile.digest(), digest);
    profile.ca_certificate.reset();
    EXPECT_NE(profile.digest(), digest);
}

}  // namespace
}  // namespace estuary::authority::test
