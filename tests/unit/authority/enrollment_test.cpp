// Who gets a certificate, how often, and under which names.
#include "support.h"

namespace estuary::authority::test {
namespace {

TEST(Enrollment, ByPassword) {
    World world;
    world.add_credential("dev");
    const auto outcome = world.enroll(csr({}, new_key()), world.by_password("dev"));
    EXPECT_FALSE(issued(outcome).repeated);
    EXPECT_EQ(issued(outcome).ca, "issuing");
    const auto record = world.store->certificate("issuing", issued(outcome).certificate.serial_number()).value().value();
    EXPECT_EQ(record.requester, "credential:dev");
}

// bug class 9
TEST(Enrollment, NobodyGetsNothing) {
    World world;
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), Principal{})), Code::not_authenticated);
    Principal hollow;
    hollow.certificate.emplace(CertificateProof{world.ca->issuing, "", "", "", "", false});
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), hollow)), Code::not_authorised);
}

TEST(Enrollment, UnknownProfile) {
    World world;
    auto request = world.request(csr({}, new_key()), World::operator_principal());
    request.profile = "nothing";
    EXPECT_EQ(code_of(world.ask(request)), Code::not_authorised);
}

// bug class 25
TEST(Enrollment, RepeatedRequestGetsTheSameCertificate) {
    World world;
    world.add_credential("dev", 1);
    const auto request = csr({}, new_key());
    const auto first = issued(world.enroll(request, world.by_password("dev"))).certificate;
    // The credential is spent: it still proves who asks.
    for (int i = 0; i < 3; ++i) {
        const auto principal = world.by_password("dev");
        EXPECT_EQ(principal.credential->uses_left, 0);
        UnitOfWork work;
        const auto again = world.authority->enroll(world.request(request, principal), work);
        EXPECT_TRUE(issued(again).repeated);
        EXPECT_EQ(issued(again).certificate, first);
        EXPECT_TRUE(work.empty());
        world.restart();
    }
}

// bug class 25: the retry comes over a new TLS session, to which the request is not linked
TEST(Enrollment, RepeatedRequestNeedsNoNewLink) {
    World world;
    world.add_credential("dev");
    auto request = world.request(csr({}, new_key()), world.by_password("dev"));
    request.linking = Linking::matched;
    const auto first = issued(world.ask(request)).certificate;
    request.linking = Linking::mismatched;
    EXPECT_EQ(issued(world.ask(request)).certificate, first);
}

TEST(Enrollment, SpentCredentialGetsNothingElse) {
    World world;
    world.add_credential("dev", 1);
    const auto key = new_key();
    issued(world.enroll(csr({}, key), world.by_password("dev")));
    EXPECT_EQ(code_of(world.enroll(csr({}, key), world.by_password("dev"))), Code::not_authenticated);  // ECDSA signs anew
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device 2"}, new_key()), world.by_password("dev"))), Code::not_authenticated);
    auto elsewhere = world.request(csr({}, key), world.by_password("dev"));
    elsewhere.label = "other";
    EXPECT_EQ(code_of(world.ask(elsewhere)), Code::not_authenticated);
}

TEST(Enrollment, RefusalSpendsNothing) {
    World world;
    world.add_credential("dev", 1);
    EXPECT_EQ(code_of(world.enroll(csr({"CN=a,title=x"}, new_key()), world.by_password("dev"))), Code::policy);
    EXPECT_EQ(world.by_password("dev").credential->uses_left, 1);
    issued(world.enroll(csr({}, new_key()), world.by_password("dev")));
}

// bug class 2: the same request by somebody else is another request
TEST(Enrollment, AnswersBelongToWhoAsked) {
    World world;
    world.add_credential("a");
    world.add_credential("b");
    const auto request = csr({}, new_key());
    const auto first = issued(world.enroll(request, world.by_password("a"))).certificate;
    const auto other = world.enroll(request, world.by_password("b"));
    EXPECT_FALSE(issued(other).repeated);
    EXPECT_FALSE(issued(other).certificate == first);
}

TEST(Enrollment, OldAnswerIsReplacedInItsLastThird) {
    World world;
    world.add_credential("dev");
    const auto request = csr({}, new_key());
    const auto first = issued(world.enroll(request, world.by_password("dev"))).certificate;
    world.clock.set(first.not_after() - (first.not_after() - first.not_before()) / 3);
    EXPECT_EQ(issued(world.enroll(request, world.by_password("dev"))).certificate, first);
    world.clock.advance(Seconds{1});
    const auto second = issued(world.enroll(request, world.by_password("dev"))).certificate;
    EXPECT_FALSE(second == first);
    EXPECT_EQ(issued(world.enroll(request, world.by_password("dev"))).certificate, second);
}

TEST(Enrollment, RevokedAnswerIsNotRepeated) {
    World world;
    world.add_credential("many");
    world.add_credential("once", 1);
    const auto request = csr({}, new_key());
    const auto first = issued(world.enroll(request, world.by_password("many"))).certificate;
    const auto single = issued(world.enroll(request, world.by_password("once"))).certificate;
    ASSERT_TRUE(world.revoke(first, store::RevocationReason::superseded));
    ASSERT_TRUE(world.revoke(single, store::RevocationReason::superseded));
    const auto second = world.enroll(request, world.by_password("many"));
    EXPECT_FALSE(issued(second).repeated);
    EXPECT_FALSE(issued(second).certificate == first);
    EXPECT_EQ(code_of(world.enroll(request, world.by_password("once"))), Code::not_authenticated);
    // A compromised key is not certified again for the asking (bug class 32).
    ASSERT_TRUE(world.revoke(issued(second).certificate, store::RevocationReason::key_compromise));
    EXPECT_EQ(code_of(world.enroll(request, world.by_password("many"))), Code::bad_key);
}

TEST(Enrollment, TheSameRequestForEverEnds) {
    World world;
    const auto request = csr({}, new_key());
    Code last = Code::internal;
    for (int i = 0; i < 40 && last == Code::internal; ++i) {
        const auto outcome = world.enroll(request, World::operator_principal());
        if (!outcome)
            last = outcome.error().code;
        else
            ASSERT_TRUE(world.revoke(issued(outcome).certificate));
    }
    EXPECT_EQ(last, Code::policy);
}

// bug class 8: user A asks for B
TEST(Enrollment, CredentialIsBoundToItsNames) {
    World world;
    world.add_credential("a", {}, {"CN=device a"}, {"dns:a.example"});
    world.add_credential("p", {}, {}, {}, "other profile");
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device b"}, new_key()), world.by_password("a"))), Code::not_authorised);
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device a", {"dns:b.example"}}, new_key()), world.by_password("a"))), Code::not_authorised);
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device a", {"dns:a.example", "dns:b.example"}}, new_key()), world.by_password("a"))),
              Code::not_authorised);
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), world.by_password("p"))), Code::not_authorised);
    issued(world.enroll(csr({"CN=device a", {"dns:a.example"}}, new_key()), world.by_password("a")));
}

// bug class 8: a certificate is no licence for other names
TEST(Enrollment, CertificateEnrollsItsOwnNamesOnly) {
    World world;
    const auto mine = world.issue({"CN=device a", {"dns:a.example"}}).value();
    const auto principal = world.by_certificate(mine);
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device b", {"dns:a.example"}}, new_key()), principal)), Code::not_authorised);
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device a", {"dns:b.example"}}, new_key()), principal)), Code::not_authorised);
    issued(world.enroll(csr({"CN=device a", {"dns:a.example"}}, new_key()), principal));
    // With a credential beside it, the credential says which names.
    world.add_credential("b", {}, {"CN=device b"});
    auto both = principal;
    both.credential = world.by_password("b").credential;
    issued(world.enroll(csr({"CN=device b"}, new_key()), both));
    EXPECT_EQ(code_of(world.enroll(csr({"CN=device c"}, new_key()), both)), Code::not_authorised);
}

// bug classes 2 and 7: certificates of another CA of ours count for nothing here
TEST(Enrollment, CaBoundary) {
    World world;
    auto principal = world.by_certificate(world.issue({}).value());
    principal.certificate->issued_by_ca = "another CA";
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), principal)), Code::not_authorised);
    principal.certificate->registration_authority = true;
    EXPECT_EQ(code_of(world.enroll(csr({}, new_key()), principal)), Code::not_authorised);
}

TEST(Enrollment, ManufacturersSerialNumberIsTheDevices) {  // IEEE 802.1AR
    World world;
    const auto idevid = world.issue({"CN=idevid,serialNumber=4711"}).value();
    Principal principal;
    principal.certificate = CertificateProof{idevid, "", "acme", "", "", false};
    issued(world.enroll(csr({"CN=anything"}, new_key()), principal));
    issued(world.enroll(csr({"CN=anything,serialNumber=4711"}, new_key()), principal));
    EXPECT_EQ(code_of(world.enroll(csr({"CN=anything,serialNumber=4712"}, new_key()), principal)), Code::not_authorised);
}

TEST(Enrollment, RefusalsAreAuditedWithTheirCode) {
    World world;
    world.add_credential("dev");
    (void)world.enroll(csr({"CN=a\\0db,title=x"}, new_key()), world.by_password("dev"));
    const auto last = world.store->audit(0, 1000).value().back();
    EXPECT_EQ(last.event, "request.refused");
    EXPECT_EQ(last.outcome, "policy");
    EXPECT_EQ(last.actor, "credential:dev");
    EXPECT_EQ(last.object.find('\r'), std::string::npos);  // bug class 13
}

// bug class 12
TEST(Enrollment, AuditHoldsNoSecrets) {
    World world;
    world.add_credential("dev");
    const auto challenge = x509::make_challenge_password("canary-secret");
    issued(world.enroll(csr({"CN=d", {}, {}, {challenge}}, new_key()), world.by_password("dev")));
    (void)world.enroll(csr({"CN=d,title=x", {}, {}, {challenge}}, new_key()), world.by_password("dev"));
    const auto trail = world.store->audit(0, 1000).value();
    for (const auto& event : trail) {
        const auto line = event.actor + event.object + event.detail;
        EXPECT_EQ(line.find("canary-secret"), std::string::npos);
        EXPECT_EQ(line.find(generated), std::string::npos);
    }
}

}  // namespace
}  // namespace estuary::authority::test
