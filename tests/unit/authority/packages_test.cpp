#include "estuary/authority/packages.h"

#include "support.h"

namespace estuary::authority {
namespace {

using test::name;

TEST(PackageRecipients, AreReadAndKeyed) {
    const auto key = [](std::string_view text) { return PackageRecipient::parse(text).value().key; };
    EXPECT_EQ(key("any"), "any");
    EXPECT_EQ(key("certificate:issuing/00AB"), "certificate:issuing/ab");
    EXPECT_EQ(key("certificate:a/b/0c"), "certificate:a/b/0c");
    EXPECT_EQ(key("manufacturer:acme/01:02"), "manufacturer:acme/0102");
    EXPECT_EQ(key("credential:line 1"), "credential:line 1");
    EXPECT_TRUE(PackageRecipient::parse("subject:CN=a,O=b")->is_subject());
    EXPECT_EQ(PackageRecipient::parse("subject:CN=a,O=b")->text, "subject:CN=a,O=b");
    EXPECT_EQ(key("subject:CN=Device  One,O=B"), key("subject:CN=device one,O=b")) << "RFC 5280 7.1";
    EXPECT_NE(key("subject:CN=a,O=b"), key("subject:O=b,CN=a"));
}

TEST(PackageRecipients, WhatIsNoneIsAnError) {
    for (const auto* text : {"", "all", "any ", "subject", "subject:", "subject:not a name", "certificate:01", "certificate:/01",
                             "certificate:issuing/", "certificate:issuing/xyz", "manufacturer:acme", "credential:", "CN=a", "Any"}) {
        const auto recipient = PackageRecipient::parse(text);
        ASSERT_FALSE(recipient) << text;
        EXPECT_EQ(recipient.error().code, Code::malformed) << text;
    }
}

/// Reads that nobody reaches.
class NoReads final : public store::PackageReads {
public:
    Result<std::vector<store::PackageRecord>> packages() override { return reached(); }
    Result<std::optional<store::PackageRecord>> package(std::int64_t) override { return reached(); }
    Result<std::vector<store::WaitingPackage>> waiting_packages(const store::PackageQuery& query) override {
        asked = query;
        return std::vector<store::WaitingPackage>{};
    }
    Result<std::vector<store::PackageDownload>> package_downloads(std::int64_t) override { return reached(); }
    Result<std::vector<store::PackageReceipt>> package_receipts(const store::ReceiptFilter&) override { return reached(); }
    Result<std::optional<store::PackageReceipt>> package_receipt(std::int64_t) override { return reached(); }
    Result<bool> has_receipt(std::string_view, Bytes) override { return reached(); }
    Result<std::int64_t> count_receipts(std::string_view, std::optional<std::int64_t>) override { return reached(); }
    Result<std::vector<store::PendingRequest>> decided_requests(std::string_view, std::string_view, Time) override {
        if (requests_may_be_asked) return std::vector<store::PendingRequest>{};
        return reached();
    }
    std::optional<store::PackageQuery> asked;
    bool requests_may_be_asked = false;

private:
    static tl::unexpected<Error> reached() {
        ADD_FAILURE() << "the store was asked";
        return fail(Code::internal, "");
    }
};

class PackageClients : public testing::Test {
protected:
    static PackageClient client(std::function<void(Principal&)> make) {
        PackageClient out;
        out.label = "factory";
        out.ca = "issuing";
        out.profile = "device";
        make(out.principal);
        return out;
    }
    CertificateProof proof(std::string ca, std::string label) {
        store::UnitOfWork work;
        crypto::SystemEntropy entropy;
        const ManualClock then{test::start};
        CertificateProof out;
        CaPlan plan;
        plan.organisation_name = "Test";
        out.certificate = make_ca(plan, then, entropy, work).value().issuing;  // any certificate will do
        out.issued_by_ca = std::move(ca);
        out.label = std::move(label);
        return out;
    }
    /// Every verb with this client (bug class 7): the code of each, which must be the same.
    std::string outcome(const PackageClient& who) {
        store::UnitOfWork work;
        ReturnedReceipt receipt;
        receipt.operation = "firmware";
        const auto code = [](const auto& result) { return result ? std::string{"ok"} : std::string{to_string(result.error().code)}; };
        const auto list = code(packages.waiting(who, false, 0, 10));
        EXPECT_EQ(code(packages.fetch(who, 7, {}, false, work)), list == "ok" ? "not_found" : list);
        if (list == "ok") return list;
        EXPECT_EQ(code(packages.give_back(who, receipt, work)), list);
        EXPECT_EQ(code(packages.decided(who)), list);
        EXPECT_TRUE(work.empty());
        return list;
    }

    /// Used up: no packages, only what became of the request that used it.
    void check_spent(const PackageClient& who) {
        store::UnitOfWork work;
        EXPECT_TRUE(packages.waiting(who, false, 0, 10).value().empty());
        EXPECT_EQ(packages.fetch(who, 7, {}, false, work).error().code, Code::not_authorised);
        EXPECT_EQ(packages.give_back(who, {}, work).error().code, Code::not_authorised);
        EXPECT_FALSE(reads.asked) << "the store was not asked for packages";
        reads.requests_may_be_asked = true;
        EXPECT_TRUE(packages.decided(who));
        EXPECT_TRUE(work.empty());
    }

    ManualClock clock{test::start};
    NoReads reads;
    Packages packages{reads, clock};
};

TEST_F(PackageClients, NobodyGetsNothing) {
    EXPECT_EQ(outcome(client([](Principal&) {})), "not_authenticated");
    EXPECT_EQ(outcome(client([](Principal& who) { who.operator_ = true; })), "not_authenticated") << "operators have their own way";
    EXPECT_FALSE(reads.asked);
}

TEST_F(PackageClients, CertificatesCountUnderTheirOwnLabelAndCa) {
    const auto with = [&](std::string ca, std::string label) {
        return client([&](Principal& who) { who.certificate = proof(std::move(ca), std::move(label)); });
    };
    EXPECT_EQ(outcome(with("issuing", "factory")), "ok");
    ASSERT_TRUE(reads.asked);
    EXPECT_EQ(reads.asked->label, "factory");
    EXPECT_EQ(reads.asked->recipient_keys.size(), 3u) << "any, the certificate, its subject";
    reads.asked.reset();
    EXPECT_EQ(outcome(with("issuing", "")), "not_authorised");
    EXPECT_EQ(outcome(with("other", "factory")), "not_authorised");
    EXPECT_FALSE(reads.asked);
    auto manufacturers = with("", "");
    manufacturers.principal.certificate->manufacturer = "acme";
    EXPECT_EQ(outcome(manufacturers), "ok");
    EXPECT_EQ(reads.asked->recipient_keys.size(), 2u) << "any, the certificate: no subject of ours (bug class 8)";
}

TEST_F(PackageClients, PasswordsCountWhileTheyAreGood) {
    const auto with = [&](std::optional<std::int64_t> uses, std::string profile) {
        return client([&](Principal& who) {
            CredentialProof credential;
            credential.name = "line";
            credential.uses_left = uses;
            credential.profile = std::move(profile);
            who.credential = std::move(credential);
        });
    };
    EXPECT_EQ(outcome(with(std::nullopt, "")), "ok");
    EXPECT_EQ(outcome(with(1, "device")), "ok");
    EXPECT_EQ(reads.asked->recipient_keys, (std::vector<std::string>{"any", "credential:line"}));
    EXPECT_EQ(outcome(with(1, "server")), "not_authorised");  // bug class 2
    EXPECT_EQ(outcome(with(0, "server")), "not_authorised");
    reads.asked.reset();
    check_spent(with(0, "device"));
}

TEST_F(PackageClients, TwoProofsMustBothBeGood) {
    const auto who = client([&](Principal& both) {
        both.certificate = proof("issuing", "factory");
        CredentialProof spent;
        spent.name = "line";
        spent.uses_left = 0;
        both.credential = spent;
    });
    check_spent(who);
}

}  // namespace
}  // namespace estuary::authority
