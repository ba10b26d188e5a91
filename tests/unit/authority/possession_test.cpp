// What a key's possession rests on, and the validity that a request wishes for.
#include "tests/unit/authority/support.h"

namespace estuary::authority {
namespace {

using namespace test;
using x509::Possession;

class PossessionOfTheKey : public ::testing::Test {
protected:
    PossessionOfTheKey() { world.add_credential("line-1"); }

    EnrollRequest request(Possession possession, std::string_view key_type = "p256") {
        auto parts = x509::CertificationRequest{csr({"CN=device 1"}, new_key(key_type))}.parts();
        parts.possession = possession;
        auto wanted = world.request(csr({}, new_key()), world.by_password("line-1"));
        wanted.request = x509::CertificationRequest::make(std::move(parts)).value();
        return wanted;
    }
    World world{[](Profile& profile) { profile.key_types = {"p256", "ed25519", "rsa2048"}; }};
};

TEST_F(PossessionOfTheKey, IsVouchedForByARegistrationAuthorityAlone) {
    EXPECT_EQ(code_of(world.ask(request(Possession::registration_authority))), Code::bad_proof);
    const auto device = world.issue({"CN=device 1"}).value();
    auto wanted = request(Possession::registration_authority);
    wanted.principal = world.by_certificate(device);
    EXPECT_EQ(code_of(world.ask(wanted)), Code::bad_proof);
    wanted.principal.certificate->registration_authority = true;
    EXPECT_TRUE(world.ask(wanted));
}

TEST_F(PossessionOfTheKey, IsShownByDecryptionWhereTheKeyCanDecrypt) {
    EXPECT_TRUE(world.ask(request(Possession::decryption, "rsa2048")));
    EXPECT_TRUE(world.ask(request(Possession::decryption, "p256")));
    EXPECT_EQ(code_of(world.ask(request(Possession::decryption, "ed25519"))), Code::bad_proof);
}

TEST_F(PossessionOfTheKey, IsShownByAgreementWhereTheKeyCanAgree) {
    EXPECT_TRUE(world.ask(request(Possession::key_agreement, "p256")));
    EXPECT_EQ(code_of(world.ask(request(Possession::key_agreement, "rsa2048"))), Code::bad_proof);
    EXPECT_EQ(code_of(world.ask(request(Possession::key_agreement, "ed25519"))), Code::bad_proof);
}

// Only the authority says that it made a key.
TEST_F(PossessionOfTheKey, IsNotClaimedByARiver) {
    EXPECT_EQ(code_of(world.ask(request(Possession::generated_here))), Code::internal);
    EXPECT_EQ(world.events().back(), "ca.created");
}

TEST_F(PossessionOfTheKey, ValidityIsCutToTheWishAndNeverBeyondTheProfile) {
    const auto issued = [&](std::optional<Time> not_before, std::optional<Time> not_after) {
        auto wanted = request(Possession::signature);
        auto parts = wanted.request.parts();
        parts.not_before = not_before;
        parts.not_after = not_after;
        wanted.request = x509::CertificationRequest::make(std::move(parts)).value();
        auto outcome = world.ask(wanted);
        return outcome ? Result<x509::Certificate>{std::get<Issued>(*outcome).certificate} : fail(outcome.error());
    };
    const auto usual = issued({}, {}).value();
    const auto shorter = issued({}, start + Seconds{3600}).value();
    EXPECT_EQ(shorter.not_after(), start + Seconds{3600});
    EXPECT_EQ(shorter.not_before(), usual.not_before());
    const auto later = issued(start + Seconds{7200}, start + Seconds{7200 + 3600}).value();
    EXPECT_EQ(later.not_before(), start + Seconds{7200});
    const auto greedy = issued(start - Seconds{86400 * 365}, start + Seconds{86400LL * 365 * 50}).value();
    EXPECT_EQ(greedy.not_before(), usual.not_before());
    EXPECT_EQ(greedy.not_after(), usual.not_after());
    EXPECT_EQ(code_of(issued({}, start - Seconds{10})), Code::policy);
    EXPECT_EQ(code_of(issued(start + Seconds{20}, start + Seconds{10})), Code::policy);
    EXPECT_EQ(code_of(issued(start + Seconds{86400LL * 365 * 20}, {})), Code::policy);
}

}  // namespace
}  // namespace estuary::authority
