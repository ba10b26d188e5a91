// A registration authority that sends messages on (RFC 9483 5.2): two servers in one process.
#include <gtest/gtest.h>

#include "estuary/cmp/protection_kem.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::Forwarding;

class CmpForward : public testing::Test {
protected:
    CmpForward() {
        before = above.certificates();
        here.restart([this](cmp::ServerConfig& config) { front(config); });
    }

    /// Every label of `here` forwards, "manual" by MACs' replacement, "many" nested, all others unchanged.
    void front(cmp::ServerConfig& config) {
        auto client = cmp::ClientConfig{.credentials = cmp::ClientSigner{ra.key, {ra.certificate, above.ca->issuing}}};
        client.anchors = {above.ca->root};
        const auto channel = [this](std::string_view operation, Bytes message) -> Result<ByteVec> {
            sent.push_back(to_vec(message));
            if (broken) return fail(*broken);
            last_operation = operation;
            const auto answer = above.send(message, {.label = "", .operation = cmp::operation_named(operation)});
            received.push_back(to_vec(answer.der()));
            return bend_answer ? bend_answer(answer) : to_vec(answer.der());
        };
        config.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{channel, std::move(client)});
        for (auto& label : config.labels) {
            if (label.name == "other") continue;
            label.profile = "device";
            label.generate_keys = false;
            label.forward = label.name == "manual" ? Forwarding::replaced : label.name == "many" ? Forwarding::nested : Forwarding::unchanged;
            label.manufacturers = {"acme"};
        }
    }
    Talker alice(const std::string& label) { return {here, "alice", alice_secret, label}; }
    PkiMessage last_sent() const { return PkiMessage::parse(sent.back()).value(); }
    std::int64_t issued() { return above.certificates() - before; }

    ServerWorld above, here;
    Identity ra = above.enrolled("CN=RA", "", "ra");
    std::int64_t before = 0;
    std::vector<ByteVec> sent, received;
    std::string last_operation;
    std::optional<Error> broken;
    std::function<ByteVec(const PkiMessage&)> bend_answer;
};

TEST_F(CmpForward, UnchangedIsOctetForOctet) {
    const auto own = here.certificates();
    Talker talker = alice("");
    talker.transport.operation = cmp::Operation::initialization;
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(answer), "ip accepted");
    EXPECT_EQ(sent.back(), talker.last_sent);
    EXPECT_TRUE(same(received.back(), answer.der()));
    EXPECT_EQ(last_operation, "initialization");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    EXPECT_EQ(here.certificates(), own);   // nothing is recorded
}

TEST_F(CmpForward, TheFormIsLookedAtHere) {
    Talker talker = alice("");
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), [](auto& header) { header.sender_nonce.reset(); })), "error badSenderNonce");
    EXPECT_EQ(verdict(talker.send({BodyType::pkiconf, cmp::PkiConfirmContent{}})), "error badRequest");
    EXPECT_TRUE(sent.empty());
}

TEST_F(CmpForward, AnApprovedRequestIsNested) {
    Talker talker = alice("many");
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(answer), "ip accepted");
    const auto outer = last_sent();
    ASSERT_EQ(outer.type(), BodyType::nested);
    const auto& inner = outer.as<cmp::NestedMessageContent>().messages;
    ASSERT_EQ(inner.size(), 1u);
    EXPECT_TRUE(same(inner.front().der(), talker.last_sent));
    EXPECT_EQ(outer.header().transaction_id, inner.front().header().transaction_id);
    EXPECT_EQ(outer.header().sender_nonce, inner.front().header().sender_nonce);
    EXPECT_EQ(outer.header().recip_nonce, inner.front().header().recip_nonce);
    EXPECT_TRUE(cmp::name_of(outer.header().sender)->matches(ra.certificate.subject()));
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    EXPECT_EQ(last_sent().header().recip_nonce, last_sent().as<cmp::NestedMessageContent>().messages.front().header().recip_nonce);
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpForward, AMacIsReplacedByASignature) {
    here.add_secret("bob", "bobs-canary-secret");   // whom only the registration authority knows
    Talker talker{here, "bob", "bobs-canary-secret", "manual"};
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    ASSERT_EQ(verdict(answer), "ip accepted");
    const auto outgoing = last_sent();
    EXPECT_EQ(outgoing.type(), BodyType::ir);
    EXPECT_EQ(cmp::protection_kind(*outgoing.header().protection_alg), cmp::ProtectionKind::signature);
    EXPECT_EQ(outgoing.header().transaction_id, talker.transaction_id);
    EXPECT_EQ(cmp::protection_kind(*answer.header().protection_alg), cmp::ProtectionKind::password_mac);
    EXPECT_TRUE(cmp::verify_mac_protection(*answer.header().protection_alg, answer.protected_part(), *answer.protection(),
                                           crypto::Secret{std::string_view{"bobs-canary-secret"}}));
    EXPECT_EQ(answer.header().recipient, directory("CN=bob"));
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate_of(answer)))), "pkiconf");
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpForward, AWrongMacGoesNowhere) {
    for (const auto* label : {"many", "manual"}) {
        Talker talker{here, "alice", "wrong", label};
        EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "error badMessageCheck");
    }
    EXPECT_TRUE(sent.empty());
}

TEST_F(CmpForward, PolicyHereIsAskedFirst) {
    here.add_secret("bound", "bound-canary-secret", [](auto& record) { record.subject_patterns = {"CN=bound"}; });
    for (const auto* label : {"many", "manual"}) {
        Talker talker{here, "bound", "bound-canary-secret", label};
        EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "ip rejection notAuthorized") << label;
        talker.begin();
        const auto with_usage = [](crmf::WantedRequest& wanted) {
            wanted.request.cert_template.extensions.push_back(x509::make_key_usage(x509::digital_signature | x509::key_encipherment));
        };
        EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=bound", with_usage))), "ip rejection badCertTemplate") << label;
        talker.begin();
        EXPECT_EQ(verdict(talker.send(talker.p10("CN=bound"))), "cp accepted") << label;
    }
    EXPECT_EQ(issued(), 2);
}

TEST_F(CmpForward, WhatAPersonHasToApproveIsNotSentOn) {
    here.restart([this](cmp::ServerConfig& config) {
        front(config);
        for (auto& label : config.labels)
            if (label.name == "many") label.profile = "manual";
    });
    Talker talker = alice("many");
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "ip rejection badCertTemplate");
    EXPECT_TRUE(sent.empty());
}

TEST_F(CmpForward, ADeviceIsApprovedByItsMaker) {
    Talker talker{here, here.device("CN=device"), "many"};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), implicit())), "ip accepted");
    EXPECT_EQ(last_sent().type(), BodyType::nested);
    Talker second{here, here.device("CN=device"), "many"};
    EXPECT_EQ(verdict(second.send(second.request(BodyType::cr, "CN=dev"), implicit())), "cp rejection notAuthorized");
}

TEST_F(CmpForward, WhatIsTheHoldersOwnGoesUnchanged) {
    const auto holder = above.enrolled("CN=dev");
    for (const auto* label : {"many", "manual"}) {
        Talker talker{here, holder, label};
        const auto cr = talker.send(talker.request(BodyType::cr, "CN=dev"), implicit());
        EXPECT_EQ(verdict(cr), "cp accepted") << label;   // a signer whom only the CA above knows
        EXPECT_EQ(sent.back(), talker.last_sent);
        Talker update{here, talker.identity(cr), label};
        EXPECT_EQ(verdict(update.send(update.request(BodyType::kur, "CN=dev"), implicit())), "kup accepted") << label;
        EXPECT_EQ(sent.back(), update.last_sent);
    }
}

TEST_F(CmpForward, ALimitedSecretIsCountedHere) {   // bug classes 25 and 26
    Talker talker{here, "once", "once-canary-secret", "manual"};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), implicit())), "ip accepted");
    const auto again = talker.last_sent;
    EXPECT_EQ(verdict(talker.deliver(again)), "ip accepted");   // the very same is not another use
    EXPECT_EQ(sent[0], sent[1]);
    EXPECT_EQ(issued(), 1);
    Talker other{here, "once", "once-canary-secret", "manual"};
    EXPECT_EQ(verdict(other.send(other.request(BodyType::ir, "CN=dev"), implicit())), "ip rejection notAuthorized");
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpForward, KeysOfTheCasMakingAreNotForWhoStandsInBetween) {   // RFC 9483 5.2.3
    Talker talker = alice("manual");
    talker.pvno = cmp::cmp2021;
    crmf::WantedRequest wanted;
    wanted.request.cert_template.subject = name("CN=dev");
    const auto der = crmf::make_cert_req_msg_without_key(wanted).value();
    EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{crmf::CertReqMsg::parse(der).value()}}})), "ip rejection notAuthorized");
    EXPECT_TRUE(sent.empty());
}

/// What is encapsulated is between the client and the CA above: questions and the messages keyed with it go on as they are.
TEST_F(CmpForward, KemProtectionIsForTheCaAbove) {
    here.restart([this](cmp::ServerConfig& config) {
        front(config);
        for (auto& label : config.labels)
            if (label.name == "manual") label.kem_protection = true;
    });
    const PkiBody question{BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::kem_ciphertext_info)}}};
    for (const auto& [label, goes_on] : {std::pair{"manual", true}, std::pair{"many", false}}) {
        sent.clear();
        Talker talker{here, ra, label};
        talker.protect = [](const cmp::PkiHeader& header, const PkiBody& body, const std::vector<Bytes>& extra) {
            return cmp::encode_message(header.encode(), body.encode(), std::nullopt, extra);
        };
        talker.send(question);
        EXPECT_EQ(sent, goes_on ? std::vector<ByteVec>{talker.last_sent} : std::vector<ByteVec>{}) << label;
        sent.clear();
        const cmp::KemSession session{crypto::Secret{std::string_view{"what only the two ends know"}}, talker.transaction_id};
        talker.protect = [&](cmp::PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra) {
            return session.protector().value().protect(std::move(header), body, extra).value();
        };
        talker.recip_nonce = ByteVec(16, 1);
        talker.send(talker.request(BodyType::cr, "CN=RA"));
        EXPECT_EQ(sent, goes_on ? std::vector<ByteVec>{talker.last_sent} : std::vector<ByteVec>{}) << label;
    }
    EXPECT_EQ(issued(), 0);
}

TEST_F(CmpForward, TroubleAboveIsTold) {
    Talker talker = alice("manual");
    broken = Error{Code::unavailable, "connection refused to a secret host"};
    auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    EXPECT_EQ(verdict(answer), "error systemUnavail");
    EXPECT_EQ(answer.as<cmp::ErrorMsgContent>().to_text().find("secret host"), std::string::npos);
    talker.begin();
    broken = Error{Code::malformed, "not a CMP message"};
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"))), "error systemFailure");
    broken.reset();
    const auto with = [&](std::function<ByteVec(const PkiMessage&)> bend) {
        bend_answer = std::move(bend);
        talker.begin();
        return verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), implicit()));
    };
    EXPECT_EQ(with([](const PkiMessage&) { return ByteVec{0x30, 0x00}; }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) {   // somebody else's
        auto header = was.header();
        header.transaction_id = ByteVec(16, 1);
        return cmp::encode_message(header.encode(), was.body_der(), was.protection());
    }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) {   // bug class 27: without protection
        auto header = was.header();
        header.protection_alg.reset();
        return cmp::encode_message(header.encode(), was.body_der(), std::nullopt);
    }), "error systemFailure");
    EXPECT_EQ(with([](const PkiMessage& was) {
        auto der = to_vec(was.der());
        der[der.size() / 2] ^= 1;
        return der;
    }), "error systemFailure");
}

TEST_F(CmpForward, NeedsACaAbove) {
    auto config = [&](std::function<void(cmp::ServerConfig&)> change) {
        cmp::ServerConfig wanted;
        cmp::Label label;
        label.profile = "device";
        label.forward = Forwarding::nested;
        wanted.labels.push_back(label);
        change(wanted);
        return cmp::Server::create(std::move(wanted), *here.authority, *here.store, here.clock, here.entropy);
    };
    EXPECT_EQ(config([](auto&) {}).error().code, Code::policy);
    EXPECT_EQ(config([](auto& wanted) {
                  wanted.above["issuing"] = std::make_shared<const cmp::Above>(
                      cmp::Above{{}, {.credentials = cmp::ClientSecret{"ra", crypto::Secret{std::string_view{"secret"}}}}});
              }).error().code, Code::policy);
}

}  // namespace
}  // namespace estuary::test
