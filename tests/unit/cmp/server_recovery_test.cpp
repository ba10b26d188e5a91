// krr: archived keys come back to those whose they are, once operators have agreed (RFC 9810 5.3.7, 5.3.8).
#include "estuary/authority/key_generation.h"
#include "recovery_world.h"

namespace estuary::test {
namespace {

using cmp::KeyRecRepContent;

class CmpServerRecovery : public testing::Test {
protected:
    Talker talking(const std::string& who = "alice", const std::string& secret = alice_secret) {
        Talker talker{world, who, secret, "recovery"};
        talker.pvno = cmp::cmp2021;
        return talker;
    }
    Talker talking(const Identity& identity) {
        Talker talker{world, identity, "recovery"};
        talker.pvno = cmp::cmp2021;
        return talker;
    }
    static PkiBody all_to(const crypto::PrivateKey& key) {
        return recovery([&](crmf::CertRequest& request) { request.controls.push_back(crmf::make_protocol_encr_key(key.public_key().spki())); });
    }
    static PkiBody of(const x509::Certificate& certificate) {
        return recovery([&](crmf::CertRequest& request) { request.controls.push_back(key_of(certificate)); });
    }
    std::vector<store::KeyRecovery> recoveries() { return world.store->key_reads()->key_recoveries().value(); }
    static const KeyRecRepContent& content(const PkiMessage& answer) { return answer.as<KeyRecRepContent>(); }
    static cms::EnvelopedData envelope(const PkiMessage& answer, std::size_t index = 0) {
        const auto& pair = content(answer).key_pair_hist.at(index);
        const auto& enveloped = std::get<crmf::EnvelopedKey>(*pair.private_key).enveloped_data;
        return cms::EnvelopedData::parse(cms::make_content_info(cms::oid::enveloped_data, enveloped)).value();
    }
    /// The key inside is that of the certificate, and the key generation authority vouches for it.
    void check_key(const Result<crypto::Secret>& opened, const x509::Certificate& certificate) {
        ASSERT_TRUE(opened) << failure(opened);
        const auto package = cms::parse_inner_signed_data(opened->reveal()).value();
        const auto* generator = package.certificate_of(package.signers().front());
        ASSERT_TRUE(generator != nullptr && generator->has_ext_key_usage(authority::kp_cm_kga));
        EXPECT_TRUE(cms::verify_signer(package, package.signers().front(), *generator));
        EXPECT_TRUE(same(cms::key_of_package(package).value().public_key().spki(), certificate.spki()));
    }
    std::vector<std::string> trail() {
        std::vector<std::string> out;
        const auto events = world.store->audit(0, 1000).value();
        for (const auto& event : events)
            if (event.event.starts_with("key.") && event.event != "key.generated") out.push_back(event.event + " " + event.actor + " " + event.outcome);
        return out;
    }
    static bool waits(const PkiMessage& answer) { return answer.type() == BodyType::poll_rep; }

    ServerWorld world;
    const crypto::PrivateKey encryption_key = crypto::PrivateKey::generate("p256").value();
};

TEST_F(CmpServerRecovery, TwoOperatorsGiveTheHolderOfASecretItsKeyBack) {
    const auto lost = with_archived_key(world, "CN=dev");
    auto alice = talking();
    const auto waiting = alice.send(recovery());
    ASSERT_EQ(verdict(waiting), "krp waiting");
    EXPECT_TRUE(content(waiting).key_pair_hist.empty() && content(waiting).ca_certs.empty());
    ASSERT_EQ(recoveries().size(), 1u);
    EXPECT_EQ(recoveries().front().requested_by, "credential:alice");
    EXPECT_EQ(recoveries().front().reason, "krr " + to_hex(alice.transaction_id) + " under cmp:recovery, to whoever has the secret of its MAC");

    EXPECT_TRUE(waits(alice.send(poll_for(-1))));
    ASSERT_TRUE(approve_recovery(world, lost, "ann"));
    EXPECT_TRUE(waits(alice.send(poll_for(0)))) << "one of two";
    world.restart();   // bug class 25
    ASSERT_TRUE(approve_recovery(world, lost, "bob"));
    const auto answer = alice.send(poll_for(-1));
    ASSERT_EQ(verdict(answer), "krp accepted");
    EXPECT_EQ(answer.header().pvno, cmp::cmp2021);
    EXPECT_FALSE(content(answer).new_sig_cert);
    ASSERT_EQ(content(answer).ca_certs.size(), 2u);
    EXPECT_EQ(content(answer).ca_certs.front().x509().value(), world.ca->issuing);
    ASSERT_EQ(content(answer).key_pair_hist.size(), 1u);
    EXPECT_EQ(content(answer).key_pair_hist.front().certificate()->x509().value(), lost);
    check_key(envelope(answer).open_with_password(crypto::Secret{std::string_view{alice_secret}}), lost);
    EXPECT_TRUE(recoveries().front().recovered_at);
    EXPECT_TRUE(same(alice.deliver(alice.last_sent).der(), answer.der())) << "the same message, the very same answer";
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "error badRequest") << "once";
    EXPECT_EQ(trail(), (std::vector<std::string>{"key.recovery_requested credential:alice ok", "key.recovery_approved operator:ann ok",
                                                 "key.recovery_approved operator:bob ok", "key.recovered credential:alice ok",
                                                 "key.decrypted online-agent ok"}));
}

TEST_F(CmpServerRecovery, TheHistoryComesEncryptedToTheKeyThatTheRequestNames) {   // RFC 4211 6.6
    const auto first = with_archived_key(world, "CN=dev"), second = with_archived_key(world, "CN=dev"), other = with_archived_key(world, "CN=other");
    const auto holder = world.enrolled("CN=dev", "recovery", "device");
    for (const auto* type : {"p256", "rsa2048", "x25519"}) {
        const auto key = crypto::PrivateKey::generate(type).value();
        auto talker = talking(holder);
        ASSERT_EQ(verdict(talker.send(all_to(key))), "krp waiting") << type;
        EXPECT_NE(recoveries().front().reason.find("CN=dev, to the " + std::string{type} + " key SHA-256 " + to_hex(crypto::sha256(key.public_key().spki()))),
                  std::string::npos) << recoveries().front().reason;
        approve_recovery(world, first);
        EXPECT_TRUE(waits(talker.send(poll_for(-1)))) << "one of two keys";
        approve_recovery(world, second);
        const auto answer = talker.send(poll_for(-1));
        ASSERT_EQ(verdict(answer), "krp accepted") << type;
        ASSERT_EQ(content(answer).key_pair_hist.size(), 2u);
        for (std::size_t i = 0; i < 2; ++i) {
            const auto envelope = this->envelope(answer, i);
            ASSERT_EQ(envelope.recipients().size(), 1u);
            const cms::KeyHolder key_holder{key, {}, x509::key_identifier(key.public_key().spki()).value(), {}};
            check_key(envelope.open(key_holder), content(answer).key_pair_hist.at(i).certificate()->x509().value());
        }
    }
    for (const auto& recovery : recoveries()) EXPECT_EQ(recovery.subject, "CN=dev") << "bug class 8: " << other.serial_hex();
}

TEST_F(CmpServerRecovery, OrToTheCertificateThatSigns) {
    const auto lost = with_archived_key(world, "CN=dev"), other = with_archived_key(world, "CN=dev");
    const auto holder = world.enrolled("CN=dev", "recovery");   // whose key agrees, too
    auto talker = talking(holder);
    const auto by_template = recovery([&](crmf::CertRequest& request) {
        request.cert_template.issuer = lost.issuer();
        request.cert_template.serial_number = to_vec(lost.serial_number());
    });
    ASSERT_EQ(verdict(talker.send(by_template)), "krp waiting");
    ASSERT_EQ(recoveries().size(), 1u) << "only the one that is named";
    approve_recovery(world, lost);
    const auto answer = talker.send(poll_for(-1));
    ASSERT_EQ(verdict(answer), "krp accepted");
    check_key(envelope(answer).open(cms::KeyHolder{holder.key, holder.certificate}), lost);
}

TEST_F(CmpServerRecovery, ASignersKeyThatOnlySignsGetsNothing) {
    with_archived_key(world, "CN=dev");
    auto talker = talking(world.enrolled("CN=dev", "recovery", "device"));
    EXPECT_EQ(verdict(talker.send(recovery())), "krp rejection notAuthorized");
    EXPECT_TRUE(recoveries().empty());
}

TEST_F(CmpServerRecovery, ACertificateForANewSignatureKeyComesAlong) {
    for (const bool confirmed : {true, false}) {
        const auto lost = with_archived_key(world, "CN=dev");
        auto alice = talking();
        alice.key = crypto::PrivateKey::generate("p256").value();
        auto body = alice.request(BodyType::krr, "CN=dev", [&](crmf::WantedRequest& wanted) {
            wanted.request.controls = {key_of(lost), crmf::make_protocol_encr_key(encryption_key.public_key().spki())};
        });
        const auto header = [&](cmp::PkiHeader& one) {
            one.general_info.push_back(cmp::make_cert_profile({"device"}));
            if (!confirmed) one.general_info.push_back(cmp::make_implicit_confirm());
        };
        const auto before = world.certificates();
        ASSERT_EQ(verdict(alice.send(body, header)), "krp waiting");
        ASSERT_TRUE(waits(alice.send(poll_for(-1))));
        EXPECT_EQ(world.certificates(), before) << "nothing is issued before it is agreed to";
        approve_recovery(world, lost);
        const auto answer = alice.send(poll_for(-1));
        ASSERT_EQ(verdict(answer), "krp accepted");
        ASSERT_TRUE(content(answer).new_sig_cert);
        const auto issued = content(answer).new_sig_cert->x509().value();
        EXPECT_TRUE(same(issued.spki(), alice.key.public_key().spki()));
        const cms::KeyHolder holder{encryption_key, {}, x509::key_identifier(encryption_key.public_key().spki()).value(), {}};
        check_key(envelope(answer).open(holder), lost);
        EXPECT_EQ(cmp::implicit_confirm(answer.header()).value(), !confirmed);
        EXPECT_EQ(verdict(alice.send(alice.confirmation(issued))), confirmed ? "pkiconf" : "error badRequest");
        world.clock.advance(Seconds{400});
        store::UnitOfWork work;
        EXPECT_EQ(world.authority->revoke_unconfirmed(10, work).value(), 0u);
    }
}

TEST_F(CmpServerRecovery, WithoutKeysItIsOnlyACertificate) {
    auto alice = talking();
    const auto answer = alice.send(alice.request(BodyType::krr, "CN=dev"), implicit());
    ASSERT_EQ(verdict(answer), "krp accepted");
    EXPECT_TRUE(content(answer).key_pair_hist.empty());
    EXPECT_TRUE(same(content(answer).new_sig_cert->x509().value().spki(), alice.key.public_key().spki()));
    alice.begin();
    const auto good = std::exchange(alice.key, crypto::PrivateKey::generate("ed448").value());
    EXPECT_EQ(verdict(alice.send(alice.request(BodyType::krr, "CN=dev"))), "krp rejection badCertTemplate") << "by the rules of the profile";
    alice.key = good;
    // A person decides about the certificate, then.
    alice.begin();
    ASSERT_EQ(verdict(alice.send(alice.request(BodyType::krr, "CN=dev"), [](auto& header) { header.general_info.push_back(cmp::make_cert_profile({"manual"})); })),
              "krp waiting");
    const auto later = alice.send(poll_for(-1));
    ASSERT_TRUE(waits(later));
    EXPECT_EQ(later.as<cmp::PollRepContent>().responses.front().check_after, 77);
    world.approve();
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp accepted");
}

TEST_F(CmpServerRecovery, WhatIsDeniedIsRejected) {
    const auto lost = with_archived_key(world, "CN=dev"), other = with_archived_key(world, "CN=dev");
    auto alice = talking();
    ASSERT_EQ(verdict(alice.send(recovery())), "krp waiting");
    approve_recovery(world, lost);
    const auto deny = [&](const std::string& who) {
        return by_operator(world, [&](auto& recoveries, auto& work) { return recoveries.deny("issuing", other.serial_number(), who, "who are you?", work); });
    };
    EXPECT_EQ(code_of(deny("operator:eve")), Code::not_authorised);
    ASSERT_TRUE(deny("operator:cyd"));
    EXPECT_FALSE(approve_recovery(world, other, "ann"));
    const auto answer = alice.send(poll_for(-1));
    EXPECT_EQ(verdict(answer), "krp rejection notAuthorized");
    EXPECT_NE(content(answer).status.to_text().find("who are you?"), std::string::npos);
    EXPECT_TRUE(content(answer).key_pair_hist.empty());
    for (const auto& recovery : recoveries()) EXPECT_TRUE(recovery.denied_at) << "nothing of it is left for somebody else";
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "error badRequest");
}

TEST_F(CmpServerRecovery, WaitingEnds) {
    const auto lost = with_archived_key(world, "CN=dev");
    auto alice = talking();
    ASSERT_EQ(verdict(alice.send(recovery())), "krp waiting");
    approve_recovery(world, lost);
    world.clock.advance(world.recovery_rules.expires);
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp rejection notAuthorized");
    EXPECT_FALSE(recoveries().front().recovered_at);
}

TEST_F(CmpServerRecovery, NobodyAsksForAnothersKey) {   // bug classes 7, 8
    world.add_secret("bob", "bobs-canary-secret");
    const auto of_alice = with_archived_key(world, "CN=alice"), of_bob = with_archived_key(world, "CN=bob", "bob", "bobs-canary-secret");
    const auto bare = world.enrolled("CN=bare", "recovery").certificate;   // no key of it is here
    const auto asked_by = [&](Talker talker, PkiBody body) { return verdict(talker.send(std::move(body))); };
    EXPECT_EQ(asked_by(talking("bob", "bobs-canary-secret"), of(of_alice)), "krp rejection badCertId");
    EXPECT_EQ(asked_by(talking(), of(of_bob)), "krp rejection badCertId");
    EXPECT_EQ(asked_by(talking(), of(bare)), "krp rejection badCertId");
    EXPECT_EQ(asked_by(talking(), of(world.ca->issuing)), "krp rejection badCertId") << "another issuer";
    const auto holder = world.enrolled("CN=carol", "recovery");
    EXPECT_EQ(asked_by(talking(holder), of(of_alice)), "krp rejection badCertId") << "asked for by the same secret, but another subject";
    EXPECT_EQ(asked_by(talking(holder), all_to(encryption_key)), "krp rejection badCertId");
    // The same subject under another label, or of another CA, is somebody else (bug class 2).
    const auto elsewhere = world.enrolled("CN=alice");
    EXPECT_EQ(asked_by(talking(elsewhere), of(of_alice)), "krp rejection notAuthorized");
    Talker outside{world, "alice", alice_secret};
    outside.pvno = cmp::cmp2021;
    EXPECT_EQ(asked_by(std::move(outside), of(of_alice)), "krp rejection notAuthorized") << "a label without recover_keys";
    EXPECT_TRUE(recoveries().empty());
    EXPECT_EQ(asked_by(talking("bob", "bobs-canary-secret"), recovery()), "krp waiting");
    ASSERT_EQ(recoveries().size(), 1u);
    EXPECT_EQ(recoveries().front().subject, "CN=bob");
    const auto refused = trail();
    EXPECT_EQ(std::ranges::count(refused, "key.recovery_refused credential:bob not_found"), 1);
}

TEST_F(CmpServerRecovery, NotForWhoStandsInBetween) {   // bug class 7
    const auto lost = with_archived_key(world, "CN=dev");
    const auto ra = world.enrolled("CN=ra", "recovery", "ra");
    auto talker = talking(ra);
    EXPECT_EQ(verdict(talker.send(of(lost))), "krp rejection notAuthorized");
    const auto nested = [&](const ByteVec& inner) {
        auto around = talking(ra);
        const auto message = PkiMessage::parse(inner).value();
        return verdict(around.send({BodyType::nested, cmp::NestedMessageContent{{message}}},
                                   [&](cmp::PkiHeader& header) {
                                       header.transaction_id = message.header().transaction_id;
                                       header.sender_nonce = message.header().sender_nonce;
                                   }));
    };
    EXPECT_EQ(nested(talking(world.enrolled("CN=dev", "recovery")).make(of(lost))), "krp rejection notAuthorized");
    EXPECT_EQ(nested(talking().make(of(lost))), "krp rejection notAuthorized");
    EXPECT_EQ(verdict(talking(world.device("CN=dev")).send(of(lost))), "krp rejection notAuthorized") << "a manufacturer's";
    EXPECT_EQ(verdict(talking("alice", "not-alices-secret").send(of(lost))), "error badMessageCheck");
    EXPECT_TRUE(recoveries().empty());
}

TEST_F(CmpServerRecovery, OnlyWhereThereIsAnAgentOnline) {   // bug class 9
    const auto lost = with_archived_key(world, "CN=dev");
    world.online_agent = false;
    world.restart();
    auto alice = talking();
    const auto answer = alice.send(of(lost));
    EXPECT_EQ(verdict(answer), "krp rejection badRequest");
    EXPECT_NE(content(answer).status.to_text().find("ask the operators"), std::string::npos);
    // One who was not yet an agent when the key was archived cannot open it.
    world.online_agent = true;
    world.agents.front() = world.device("CN=new agent", "acme", x509::key_agreement);
    world.restart();
    alice.begin();
    EXPECT_EQ(verdict(alice.send(of(lost))), "krp waiting") << "the same name and number: told apart when it is opened";
    approve_recovery(world, lost);
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp rejection systemFailure");
    EXPECT_FALSE(recoveries().front().recovered_at);
}

TEST_F(CmpServerRecovery, WhatIsSwitchedOffGivesNothing) {   // bug class 11
    const auto lost = with_archived_key(world, "CN=dev");
    auto alice = talking();
    ASSERT_EQ(verdict(alice.send(of(lost))), "krp waiting");
    approve_recovery(world, lost);
    world.restart([](cmp::ServerConfig& config) {
        for (auto& label : config.labels) label.recover_keys = false;
    });
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp rejection notAuthorized");
    EXPECT_FALSE(recoveries().front().recovered_at);
}

TEST_F(CmpServerRecovery, StricterRulesCountAtOnce) {   // bug class 22
    const auto lost = with_archived_key(world, "CN=dev");
    auto alice = talking();
    ASSERT_EQ(verdict(alice.send(of(lost))), "krp waiting");
    approve_recovery(world, lost);
    world.recovery_rules.approvals = 3;
    world.restart();
    EXPECT_TRUE(waits(alice.send(poll_for(-1))));
    ASSERT_TRUE(approve_recovery(world, lost, "cyd"));
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp accepted");
}

TEST_F(CmpServerRecovery, ARevokedCertificateAsksForNothing) {   // bug class 6
    const auto lost = with_archived_key(world, "CN=dev");
    const auto holder = world.enrolled("CN=dev", "recovery");
    auto talker = talking(holder);
    ASSERT_EQ(verdict(talker.send(of(lost))), "krp waiting");
    approve_recovery(world, lost);
    Talker revoking{world, holder, "recovery"};
    ASSERT_EQ(verdict(revoking.send(revocation(holder.certificate))), "rp accepted");
    EXPECT_EQ(verdict(talker.send(poll_for(-1))), "error certRevoked");
    EXPECT_FALSE(recoveries().front().recovered_at);
}

TEST_F(CmpServerRecovery, OnlyWhoAskedPolls) {
    const auto lost = with_archived_key(world, "CN=dev");
    auto alice = talking();
    ASSERT_EQ(verdict(alice.send(of(lost))), "krp waiting");
    approve_recovery(world, lost);
    auto other = talking(world.enrolled("CN=dev", "recovery"));
    other.transaction_id = alice.transaction_id;
    other.recip_nonce = alice.recip_nonce;
    EXPECT_EQ(verdict(other.send(poll_for(-1))), "error wrongIntegrity");
    // Approvals of what one asks for are not those of what another asks for.
    auto again = talking(world.enrolled("CN=dev", "recovery"));
    EXPECT_EQ(verdict(again.send(of(lost))), "krp rejection badRequest") << "under way already";
    EXPECT_EQ(verdict(alice.send(poll_for(-1))), "krp accepted");
    again.begin();
    ASSERT_EQ(verdict(again.send(of(lost))), "krp waiting");
    EXPECT_TRUE(waits(again.send(poll_for(-1))));
}

TEST_F(CmpServerRecovery, WhoAsksAnewWithdrawsWhatWasAskedFor) {
    const auto lost = with_archived_key(world, "CN=dev");
    auto first = talking(), second = talking();
    ASSERT_EQ(verdict(first.send(of(lost))), "krp waiting");
    approve_recovery(world, lost);
    ASSERT_EQ(verdict(second.send(all_to(encryption_key))), "krp waiting");
    EXPECT_TRUE(waits(second.send(poll_for(-1)))) << "it was not this that people agreed to";
    EXPECT_EQ(verdict(first.send(poll_for(-1))), "krp rejection notAuthorized");
    EXPECT_EQ(verdict(second.send({BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::incorrect_data), {}, {}}})), "pkiconf");
    EXPECT_TRUE(recoveries().front().denied_at) << "given up by the client";
    EXPECT_FALSE(approve_recovery(world, lost, "ann"));
}

TEST_F(CmpServerRecovery, AnOperatorsOwnRecoveryComesFirst) {
    const auto lost = with_archived_key(world, "CN=dev");
    ASSERT_TRUE(by_operator(world, [&](auto& recoveries, auto& work) { return recoveries.request("issuing", lost.serial_number(), "operator:dan", "", work); }));
    auto alice = talking();
    EXPECT_EQ(verdict(alice.send(of(lost))), "krp rejection badRequest");
    approve_recovery(world, lost);
    alice.begin();
    EXPECT_EQ(verdict(alice.send(of(lost))), "krp rejection badRequest");
    EXPECT_EQ(recoveries().size(), 1u);
}

TEST_F(CmpServerRecovery, ALimitedSecretIsSpentByIt) {
    const auto lost = with_archived_key(world, "CN=dev");
    world.add_secret("twice", "twice-canary-secret", [](auto& record) { record.uses_left = 2; });
    const auto of_twice = with_archived_key(world, "CN=twice", "twice", "twice-canary-secret");
    auto talker = talking("twice", "twice-canary-secret");
    ASSERT_EQ(verdict(talker.send(recovery())), "krp waiting");
    EXPECT_EQ(world.store->credential("twice").value()->uses_left, 1);
    approve_recovery(world, of_twice);
    ASSERT_EQ(verdict(talker.send(poll_for(-1))), "krp accepted");
    EXPECT_EQ(world.store->credential("twice").value()->uses_left, 0);
    talker.begin();
    EXPECT_EQ(verdict(talker.send(recovery())), "krp rejection badMessageCheck");
    EXPECT_EQ(recoveries().size(), 1u) << lost.serial_hex();
}

TEST_F(CmpServerRecovery, OddRequestsAreRefused) {
    const auto lost = with_archived_key(world, "CN=dev");
    const auto asked = [&](PkiBody body, std::int64_t pvno = cmp::cmp2021) {
        auto alice = talking();
        alice.pvno = pvno;
        return verdict(alice.send(std::move(body)));
    };
    const auto with = [&](std::function<void(crmf::CertRequest&)> bend) { return asked(recovery(std::move(bend))); };
    const auto encrypted_to = [&](const ByteVec& spki) {
        return with([&](auto& request) { request.controls.push_back(crmf::make_protocol_encr_key(spki)); });
    };
    EXPECT_EQ(asked(of(lost), cmp::cmp2000), "krp rejection badRequest") << "EnvelopedData needs pvno 3";
    EXPECT_EQ(encrypted_to(to_vec(crypto::PrivateKey::generate("ed25519").value().public_key().spki())), "krp rejection badAlg");
    EXPECT_EQ(encrypted_to(hex("300a300406022a0303020001")), "krp rejection badAlg");
    EXPECT_EQ(with([](auto& request) { request.cert_req_id = 7; }), "krp rejection badRequest");
    EXPECT_EQ(with([&](auto& request) { request.cert_template.serial_number = to_vec(lost.serial_number()); }), "krp rejection badCertId");
    EXPECT_EQ(with([&](auto& request) {
        request.cert_template.issuer = lost.issuer();
        request.cert_template.serial_number = ByteVec{1};
        request.controls.push_back(key_of(lost));
    }), "krp rejection badCertId");
    EXPECT_EQ(with([](auto& request) { request.cert_template.extensions.push_back(x509::make_key_usage(x509::digital_signature)); }),
              "krp rejection badCertTemplate");
    EXPECT_EQ(with([](auto& request) { request.cert_template.subject = name("CN=somebody else"); }), "krp rejection badCertId");
    EXPECT_EQ(with([](auto& request) { request.controls.push_back(crmf::make_archive_options(crmf::ArchiveRemGenPrivKey{true})); }),
              "krp rejection badRequest");
    auto two = of(lost);
    auto& messages = std::get<cmp::CertReqMessages>(two.content).messages;
    messages.push_back(messages.front());
    EXPECT_EQ(asked(two), "krp rejection badRequest");
    Talker maker = talking();
    auto wrong = maker.request(BodyType::krr, "CN=dev");
    const auto& message = std::get<cmp::CertReqMessages>(wrong.content).messages.front();
    const auto unproved = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(message.cert_req_der(), std::nullopt)).value();
    EXPECT_EQ(asked({BodyType::krr, cmp::CertReqMessages{{unproved}}}), "krp rejection badPOP");
    const auto vouched = crmf::CertReqMsg::parse(crmf::make_ra_verified(message.cert_req_der())).value();
    EXPECT_EQ(asked({BodyType::krr, cmp::CertReqMessages{{vouched}}}), "krp rejection notAuthorized");
    EXPECT_EQ(asked(maker.request(BodyType::krr, "CN=dev", [](auto& wanted) { wanted.subsequent_message = crmf::SubsequentMessage::encr_cert; })),
              "krp rejection badPOP");
    EXPECT_TRUE(recoveries().empty());
    EXPECT_EQ(with([&](auto& request) { request.cert_template.subject = lost.subject(); }), "krp waiting");
}

}  // namespace
}  // namespace estuary::test
