// A new root CA certificate and the links to it (RFC 9810 4.4.2), as a client verifies them.
#include "estuary/cmp/root_update.h"

#include "estuary/authority/ceremony.h"
#include "estuary/cmp/client.h"
#include "support.h"

namespace estuary::test {
namespace {

using cmp::CmpCertificate;
using cmp::RootCaKeyUpdate;

class CmpRootUpdate : public testing::Test {
protected:
    CmpRootUpdate() {
        clock_.advance(Seconds{86400});
        new_ = rolled(old_);
        update_ = {CmpCertificate{new_->next.root}, CmpCertificate{new_->new_with_old}, CmpCertificate{new_->old_with_new}};
        clock_.advance(Seconds{3600});
    }
    static authority::CaPlan plan() {
        authority::CaPlan plan;
        plan.organisation_name = "Ours";
        return plan;
    }
    authority::RolledOver rolled(const authority::NewCa& from) {
        store::UnitOfWork work;
        return authority::roll_over(plan(), from.root, from.root_key, clock_, entropy_, work).value();
    }
    authority::NewCa made() {
        store::UnitOfWork work;
        return authority::make_ca(plan(), clock_, entropy_, work).value();
    }
    /// A certificate as `of`, signed by another key.
    static x509::Certificate resigned(const x509::Certificate& of, const crypto::PrivateKey& by, const std::string& subject = {},
                                      const std::optional<Time>& not_after = {}) {
        x509::TbsCertificate tbs;
        tbs.serial_number = to_vec(of.serial_number());
        tbs.signature_algorithm = by.signature_algorithm().value()->identifier;
        tbs.issuer = of.issuer();
        tbs.not_before = of.not_before();
        tbs.not_after = not_after.value_or(of.not_after());
        tbs.subject = subject.empty() ? of.subject() : name(subject);
        tbs.spki = to_vec(of.spki());
        tbs.extensions = of.extensions();
        const auto encoded = x509::encode_tbs(tbs);
        return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, by.sign(encoded).value())).value();
    }
    Result<x509::Certificate> verified(const RootCaKeyUpdate& update) const { return cmp::verify_root_ca_key_update(update, old_.root, clock_.now()); }

    ManualClock clock_{Time{Seconds{1'795'233'600}}};
    crypto::SystemEntropy entropy_;
    authority::NewCa old_ = made();
    std::optional<authority::RolledOver> new_;
    RootCaKeyUpdate update_;
};

TEST_F(CmpRootUpdate, LeadsFromTheOldRootToTheNewOne) {
    const auto root = verified(update_);
    ASSERT_TRUE(root) << failure(root);
    EXPECT_EQ(*root, new_->next.root);
    update_.old_with_new.reset();   // needed only by who has the new root and not the old one
    EXPECT_TRUE(verified(update_));
}

TEST_F(CmpRootUpdate, NobodyVouchesWithoutNewWithOld) {   // bug class 16
    update_.new_with_old.reset();
    EXPECT_EQ(code_of(verified(update_)), Code::not_authenticated);
}

TEST_F(CmpRootUpdate, NewWithOldIsTheOldRootsWord) {   // 4.4.2.2, bug class 16
    const auto stranger = rolled(made());
    const std::vector<std::pair<const char*, x509::Certificate>> wrong{
        {"another root's", stranger.new_with_old},
        {"of another key", resigned(stranger.new_with_old, old_.root_key)},
        {"not signed by the old root", resigned(new_->new_with_old, stranger.next.root_key)},
        {"of another subject", resigned(new_->new_with_old, old_.root_key, "CN=somebody else")},
        {"over", resigned(new_->new_with_old, old_.root_key, {}, clock_.now() - Seconds{1})},
        {"the new root itself", new_->next.root},
        {"the old root itself", old_.root},
        {"the other link", new_->old_with_new},
    };
    for (const auto& [what, certificate] : wrong) {
        auto update = update_;
        update.new_with_old = CmpCertificate{certificate};
        EXPECT_EQ(code_of(verified(update)), Code::not_authenticated) << what;
    }
    EXPECT_EQ(code_of(cmp::verify_root_ca_key_update(update_, stranger.next.root, clock_.now())), Code::not_authenticated);
}

TEST_F(CmpRootUpdate, OldWithNewIsTheNewRootsWord) {   // 4.4.2.3
    const auto stranger = rolled(made());
    const std::vector<std::pair<const char*, x509::Certificate>> wrong{
        {"another root's", stranger.old_with_new},
        {"of another key", resigned(stranger.old_with_new, new_->next.root_key)},
        {"not signed by the new root", resigned(new_->old_with_new, stranger.next.root_key)},
        {"of another subject", resigned(new_->old_with_new, new_->next.root_key, "CN=somebody else")},
        {"the old root itself", old_.root},
    };
    for (const auto& [what, certificate] : wrong) {
        auto update = update_;
        update.old_with_new = CmpCertificate{certificate};
        EXPECT_EQ(code_of(verified(update)), Code::not_authenticated) << what;
    }
}

TEST_F(CmpRootUpdate, NewWithNewIsARootOfToday) {
    const auto stranger = made();
    const std::vector<std::pair<const char*, x509::Certificate>> wrong{
        {"another root", stranger.root},
        {"an issuing CA", new_->next.issuing},
        {"not signed by itself", resigned(new_->next.root, stranger.root_key)},
        {"over", resigned(new_->next.root, new_->next.root_key, {}, clock_.now() - Seconds{1})},
    };
    for (const auto& [what, certificate] : wrong) {
        auto update = update_;
        update.new_with_new = CmpCertificate{certificate};
        EXPECT_EQ(code_of(verified(update)), Code::not_authenticated) << what;
    }
    const auto before = new_->next.root.not_before() - Seconds{1};
    EXPECT_EQ(code_of(cmp::verify_root_ca_key_update(update_, old_.root, before)), Code::not_authenticated);
}

}  // namespace
}  // namespace estuary::test
