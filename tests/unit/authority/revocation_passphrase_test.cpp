// What a revocation passphrase reaches (RFC 9810 B): bug classes 1, 7 and 8.
#include "support.h"

namespace estuary::authority::test {
namespace {

class RevocationByPassphrase : public testing::Test {
protected:
    /// Issued to a certificate or credential of this description, under this label.
    x509::Certificate got(const Wanted& wanted, Principal principal, std::string label = "label") {
        EnrollRequest request = world.request(csr(wanted, new_key()), std::move(principal));
        request.label = std::move(label);
        return issued(world.ask(request)).certificate;
    }
    static PassphraseProof proof(std::string holder) {
        PassphraseProof made;
        made.holder = std::move(holder);
        made.ca = "issuing";
        made.label = "label";
        return made;
    }
    bool revokes(const PassphraseProof& shown, const x509::Certificate& certificate,
                 store::RevocationReason reason = store::RevocationReason::superseded, std::string ca = "issuing") {
        UnitOfWork work;
        Principal principal;
        principal.passphrase = shown;
        const auto done = world.authority->revoke({std::move(ca), to_vec(certificate.serial_number()), reason, std::move(principal)}, work);
        if (!done) {
            EXPECT_EQ(done.error().code, Code::not_authorised) << done.error().detail;
            return false;
        }
        EXPECT_TRUE(world.store->commit(std::move(work)));
        return true;
    }
    World world{[](Profile& device) {
        device.subject.may_be_empty = true;
        device.may_change_names = true;
    }};
};

TEST_F(RevocationByPassphrase, ReachesWhatItsHolderGot) {
    world.add_credential("dev");
    world.add_credential("other");
    const auto mine = got({"CN=mine"}, world.by_password("dev")), theirs = got({"CN=mine"}, world.by_password("other"));
    const auto under_another = got({"CN=mine"}, world.by_password("dev"), "another label");
    const auto shown = proof("credential:dev");
    EXPECT_FALSE(revokes(shown, theirs));
    EXPECT_FALSE(revokes(shown, under_another));
    EXPECT_FALSE(revokes(shown, mine, store::RevocationReason::superseded, "root"));
    EXPECT_FALSE(revokes(shown, mine, store::RevocationReason::remove_from_crl));
    auto other_ca = shown;
    other_ca.ca = "root";
    EXPECT_FALSE(revokes(other_ca, mine));
    EXPECT_TRUE(revokes(shown, mine));
}

TEST_F(RevocationByPassphrase, AnEmptySubjectIsNobodysName) {
    world.add_credential("dev");
    const Wanted without_subject{"", {"dns:host.example"}};
    const auto mine = got(without_subject, world.by_password("dev")), theirs = got(without_subject, world.by_password("dev"));
    auto shown = proof("certificate:issuing/00");
    shown.serial_number = to_vec(mine.serial_number());
    ASSERT_TRUE(mine.subject().empty());
    EXPECT_FALSE(revokes(shown, theirs));
    EXPECT_TRUE(revokes(shown, mine)) << "the certificate that conveyed it";
}

TEST_F(RevocationByPassphrase, ReachesTheVerySubjectAndWhatTheCertificateGot) {
    world.add_credential("dev");
    const auto conveyed_by = got({"CN=dev"}, world.by_password("dev")), namesake = got({"CN=dev"}, world.by_password("dev"));
    const auto folded = got({"CN=DEV"}, world.by_password("dev"));
    auto shown = proof(world.by_certificate(conveyed_by).describe());
    shown.serial_number = to_vec(conveyed_by.serial_number());
    shown.subject = to_vec(conveyed_by.subject().der());
    EXPECT_FALSE(revokes(shown, folded)) << "bug class 13";
    EXPECT_TRUE(revokes(shown, namesake));
    ASSERT_TRUE(world.revoke(conveyed_by, store::RevocationReason::key_compromise));
    world.clock.advance(Seconds{1});
    EXPECT_FALSE(revokes(shown, got({"CN=dev"}, world.by_password("dev")))) << "issued after the key was withdrawn";
}

TEST_F(RevocationByPassphrase, IsNothingToAnybodyElse) {
    world.add_credential("dev");
    const auto mine = got({"CN=mine"}, world.by_password("dev"));
    Principal principal;
    principal.passphrase = proof("credential:dev");
    EXPECT_TRUE(principal.anonymous()) << "so that whoever does not ask for it refuses it";
    EXPECT_EQ(principal.describe(), "passphrase of credential:dev");
    EXPECT_EQ(code_of(world.enroll(csr({"CN=mine"}, new_key()), principal)), Code::not_authenticated);
    EXPECT_EQ(code_of(world.renew(csr({"CN=mine"}, new_key()), principal)), Code::not_authenticated);
    UnitOfWork work;
    EXPECT_FALSE(world.authority->confirm({"issuing", to_vec(mine.serial_number()), true, principal, {}}, work));
}

}  // namespace
}  // namespace estuary::authority::test
