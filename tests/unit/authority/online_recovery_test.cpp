// Archived keys for those whose they are, opened by an agent that is online.
#include "estuary/authority/online_recovery.h"

#include "estuary/authority/key_generation.h"
#include "support.h"

namespace estuary::authority::test {
namespace {

/// A self-signed certificate for `key`.
x509::Certificate online_agent_certificate(const crypto::PrivateKey& key, std::uint32_t usage, Time now) {
    const auto signer = new_key();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x0a, usage >= 0x10 ? std::uint8_t{1} : std::uint8_t{2}};
    tbs.signature_algorithm = signer.signature_algorithm().value()->identifier;
    tbs.issuer = tbs.subject = name("CN=agent");
    tbs.not_before = now - Seconds{60};
    tbs.not_after = now + Seconds{86400};
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = {x509::make_key_usage(usage)};
    const auto octets = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(octets, tbs.signature_algorithm, signer.sign(octets).value())).value();
}

struct OnlineRecoveryTest : testing::Test {
    OnlineRecoveryTest() {
        world.add_credential("dev");
        world.add_credential("other");
        world.add_credential("once", 2);
        make(online());
    }
    std::shared_ptr<const OnlineRecovery> online() const { return std::make_shared<const OnlineRecovery>(OnlineRecovery{agent, agent_key, rules}); }
    Result<void> try_make(std::shared_ptr<const OnlineRecovery> recovery, std::vector<x509::Certificate> agents) {
        world.profiles[0].archive_keys = true;
        auto config = world.config();
        config.recovery_agents = std::move(agents);
        config.online_recovery = std::move(recovery);
        auto made = Authority::create(std::move(config), *world.store, world.clock, world.entropy);
        if (!made) return fail(made.error());
        world.authority = std::move(*made);
        return {};
    }
    void make(std::shared_ptr<const OnlineRecovery> recovery) {
        const auto made = try_make(std::move(recovery), {agent, second});
        ASSERT_TRUE(made) << made.error().detail;
    }
    x509::Certificate archived(const std::string& subject, const std::string& credential = "dev") {
        KeyRequest request;
        request.profile = "device";
        request.request = x509::parse_request_without_key(csr({.subject = subject}, new_key()).der()).value();
        request.principal = world.by_password(credential);
        UnitOfWork work;
        const auto outcome = world.authority->enroll_with_new_key(request, work);
        EXPECT_TRUE(outcome && world.store->commit(std::move(work)));
        return std::get<NewKey>(*outcome).certificate;
    }
    KeysWanted wanted(Principal principal, std::string reason = "first") {
        KeysWanted out;
        out.ca = "issuing";
        out.principal = std::move(principal);
        out.reason = std::move(reason);
        out.deliver = [this](const x509::Certificate& certificate, const crypto::PrivateKey& key) -> Result<void> {
            EXPECT_TRUE(same(certificate.spki(), key.public_key().spki()));
            if (failing) return fail(Code::bad_key, "not deliverable");
            delivered.push_back(certificate);
            return {};
        };
        return out;
    }
    template <class Step>
    auto by(Step step) {
        UnitOfWork work;
        auto result = step(work);
        EXPECT_TRUE(work.empty() || world.store->commit(std::move(work)));
        return result;
    }
    Result<Time> ask(const KeysWanted& keys) {
        return by([&](UnitOfWork& work) { return world.authority->request_keys(keys, work); });
    }
    Result<void> recover(const KeysWanted& keys) {
        return by([&](UnitOfWork& work) { return world.authority->recover_keys(keys, work); });
    }
    void approve(const x509::Certificate& certificate, std::vector<std::string> who = {"operator:ann", "operator:bob"}) {
        KeyRecoveries recoveries{*world.store, rules, world.clock};
        for (const auto& one : who)
            EXPECT_TRUE(by([&](UnitOfWork& work) { return recoveries.approve("issuing", certificate.serial_number(), one, work); }));
    }

    World world;
    RecoveryRules rules{2, {"operator:ann", "operator:bob", "operator:cyd"}, Seconds{3600}};
    crypto::PrivateKey agent_key = new_key("rsa2048"), second_key = new_key("p384");
    x509::Certificate agent = online_agent_certificate(agent_key, x509::key_encipherment, world.clock.now());
    x509::Certificate second = online_agent_certificate(second_key, x509::key_agreement, world.clock.now());
    std::vector<x509::Certificate> delivered;
    bool failing = false;
};

TEST_F(OnlineRecoveryTest, OnlyWhatIsApprovedIsOpened) {
    const auto first = archived("CN=first"), other = archived("CN=second"), others = archived("CN=third", "other");
    const auto keys = wanted(world.by_password("dev"));
    EXPECT_EQ(code_of(world.authority->awaits_approval(keys)), Code::not_found);
    const auto until = ask(keys);
    ASSERT_TRUE(until) << until.error().detail;
    EXPECT_EQ(*until, world.clock.now() + rules.expires);
    approve(first);
    EXPECT_EQ(world.authority->awaits_approval(keys).value(), *until);
    EXPECT_EQ(code_of(recover(keys)), Code::not_authorised) << "one of two keys";
    EXPECT_TRUE(delivered.empty());
    approve(other, {"operator:ann"});
    EXPECT_EQ(code_of(recover(keys)), Code::not_authorised) << "one of two operators";
    approve(other, {"operator:cyd"});
    EXPECT_FALSE(world.authority->awaits_approval(keys).value());
    failing = true;
    EXPECT_EQ(code_of(recover(keys)), Code::bad_key);
    EXPECT_FALSE(world.store->key_reads()->key_recoveries().value().front().recovered_at) << "all or nothing";
    failing = false;
    EXPECT_EQ(code_of(recover(wanted(world.by_password("other")))), Code::not_found) << "bug class 8";
    EXPECT_EQ(code_of(recover(wanted(world.by_password("dev"), "another"))), Code::not_found) << "approved for another request";
    ASSERT_TRUE(recover(keys));
    EXPECT_EQ(delivered.size(), 2u);
    EXPECT_EQ(std::ranges::find(delivered, others), delivered.end());
    EXPECT_EQ(code_of(recover(keys)), Code::conflict) << "once";
    const auto events = world.events();
    EXPECT_EQ(std::ranges::count(events, "key.decrypted"), 2);
    EXPECT_EQ(std::ranges::count(events, "key.recovered"), 2);
}

TEST_F(OnlineRecoveryTest, TheSecondAgentCanBeOnlineAsWell) {
    make(std::make_shared<const OnlineRecovery>(OnlineRecovery{second, second_key, rules}));
    const auto lost = archived("CN=first");
    const auto keys = wanted(world.by_password("dev"));
    ASSERT_TRUE(ask(keys));
    approve(lost);
    ASSERT_TRUE(recover(keys));
    EXPECT_EQ(delivered.size(), 1u);
}

TEST_F(OnlineRecoveryTest, OnlyOnesOwn) {   // bug classes 2, 7, 8
    const auto lost = archived("CN=first");
    const auto asked = [&](KeysWanted keys) { return code_of(ask(keys)); };
    EXPECT_EQ(asked(wanted({})), Code::not_authenticated);
    EXPECT_EQ(asked(wanted(world.by_password("other"))), Code::not_found);
    auto elsewhere = wanted(world.by_password("dev"));
    elsewhere.label = "another";
    EXPECT_EQ(asked(elsewhere), Code::not_found);
    auto unknown = wanted(world.by_password("dev"));
    unknown.serial_number = ByteVec{1, 2, 3};
    EXPECT_EQ(asked(unknown), Code::not_found);
    const auto holder = issued(world.enroll(csr({.subject = "CN=second"}, new_key()), world.by_password("dev"))).certificate;
    EXPECT_EQ(asked(wanted(world.by_certificate(holder))), Code::not_found) << "another subject";
    auto ra = world.by_certificate(holder);
    ra.certificate->registration_authority = true;
    EXPECT_EQ(asked(wanted(ra)), Code::not_authorised);
    auto device = world.by_certificate(holder);
    device.certificate->issued_by_ca.clear();
    device.certificate->manufacturer = "acme";
    EXPECT_EQ(asked(wanted(device)), Code::not_authorised);
    auto of_label = world.by_certificate(holder);
    of_label.certificate->label = "another";
    EXPECT_EQ(asked(wanted(of_label)), Code::not_authorised);
    const auto same_subject = issued(world.enroll(csr({.subject = "CN=first"}, new_key()), world.by_password("other"))).certificate;
    auto late = wanted(world.by_certificate(same_subject));
    ASSERT_TRUE(world.revoke(same_subject));
    EXPECT_EQ(code_of(ask(late)), Code::not_authorised) << "bug class 6";
    EXPECT_TRUE(world.store->key_reads()->key_recoveries().value().empty());
    const auto events = world.events();
    EXPECT_EQ(std::ranges::count(events, "key.recovery_refused"), 9);
    const auto good = issued(world.enroll(csr({.subject = "CN=first"}, new_key()), world.by_password("other"))).certificate;
    ASSERT_TRUE(ask(wanted(world.by_certificate(good))));
    approve(lost);
    EXPECT_TRUE(recover(wanted(world.by_certificate(good))));
}

TEST_F(OnlineRecoveryTest, NamesAreComparedAsTheyAreInCertificates) {   // bug class 13
    const auto usual = name("CN=first");
    x509::RequestTemplate template_;
    // The same RFC 4514 text in the other string type.
    const auto in = [](const char* tag) { return x509::Name::parse(from_hex(std::string{"3010310e300c0603550403"} + tag + "056669727374").value()); };
    const auto printed = in("13") && *in("13") == usual ? in("0c") : in("13");
    ASSERT_TRUE(printed) << printed.error().detail;
    ASSERT_EQ(printed->to_text(), usual.to_text());
    ASSERT_FALSE(*printed == usual);
    template_.subject = *printed;
    const auto lost = archived("CN=first");
    const auto request = x509::SignedRequest::parse(x509::make_request(template_, new_key()).value()).value();
    const auto holder = issued(world.enroll(request, world.by_password("other"))).certificate;
    ASSERT_TRUE(holder.subject() == *printed) << "bug class 34";
    EXPECT_EQ(code_of(ask(wanted(world.by_certificate(holder)))), Code::not_found) << lost.serial_hex();
}

TEST_F(OnlineRecoveryTest, UsesAreCounted) {
    const auto lost = archived("CN=first", "once");
    auto keys = wanted(world.by_password("once"));
    ASSERT_TRUE(ask(keys));
    approve(lost);
    ASSERT_TRUE(recover(keys));
    EXPECT_EQ(world.store->credential("once").value()->uses_left, 0);
    EXPECT_EQ(code_of(ask(wanted(world.by_password("once"), "again"))), Code::not_authenticated);
}

TEST_F(OnlineRecoveryTest, WithdrawnIsOver) {
    const auto lost = archived("CN=first");
    const auto keys = wanted(world.by_password("dev"));
    ASSERT_TRUE(ask(keys));
    approve(lost);
    ASSERT_TRUE(by([&](UnitOfWork& work) { return world.authority->withdraw_keys(keys, "given up", work); }));
    EXPECT_EQ(code_of(recover(keys)), Code::not_authorised);
    EXPECT_TRUE(delivered.empty());
}

TEST_F(OnlineRecoveryTest, TooManyAreAskedForOneByOne) {
    auto last = archived("CN=first");
    for (std::size_t i = 0; i < recovered_keys_max; ++i) last = archived("CN=first");
    EXPECT_EQ(code_of(ask(wanted(world.by_password("dev")))), Code::policy);
    auto one = wanted(world.by_password("dev"));
    one.serial_number = to_vec(last.serial_number());
    EXPECT_TRUE(ask(one));
}

TEST_F(OnlineRecoveryTest, WithoutAnAgentNothingIsOpened) {
    archived("CN=first");
    make(nullptr);
    const auto keys = wanted(world.by_password("dev"));
    EXPECT_EQ(code_of(ask(keys)), Code::unsupported);
    EXPECT_EQ(code_of(world.authority->awaits_approval(keys)), Code::unsupported);
    EXPECT_EQ(code_of(recover(keys)), Code::unsupported);
}

TEST_F(OnlineRecoveryTest, WrongAgentsAreFoundAtStart) {
    const auto with = [&](const x509::Certificate& certificate, const crypto::PrivateKey& key, std::vector<x509::Certificate> agents) {
        return code_of(try_make(std::make_shared<const OnlineRecovery>(OnlineRecovery{certificate, key, rules}), std::move(agents)));
    };
    EXPECT_EQ(with(agent, agent_key, {second}), Code::policy) << "not one of the agents";
    EXPECT_EQ(with(agent, second_key, {agent, second}), Code::policy) << "the key is another";
}

TEST_F(OnlineRecoveryTest, WhatWasArchivedForOthersIsSaidAtOnce) {
    ASSERT_TRUE(try_make(nullptr, {second}));
    archived("CN=first");
    make(online());
    EXPECT_EQ(code_of(ask(wanted(world.by_password("dev")))), Code::policy);
    EXPECT_TRUE(world.store->key_reads()->key_recoveries().value().empty()) << "nobody agrees to it in vain";
}

}  // namespace
}  // namespace estuary::authority::test
