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
            if (label.name == "other" || label.name == "cross") continue;
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
        if (label == std::string_view{"many"}) {   // what is nested is not changed
            EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=bound", with_usage))), "ip rejection badCertTemplate");
        }
        talker.begin();
        EXPECT_EQ(verdict(talker.send(talker.p10("CN=bound"))), "cp accepted") << label;
    }
    EXPECT_EQ(issued(), 2);
}

const auto more_usage = [](crmf::WantedRequest& wanted) {
    wanted.request.cert_template.extensions.push_back(x509::make_key_usage(x509::digital_signature | x509::key_encipherment));
};

/// RFC 9483 5.2.3.2: what the profile leaves of it, and the original beside it (RFC 9810 5.1.1.3).
TEST_F(CmpForward, WhatPolicyChangesGoesOnWithRaVerified) {
    Talker by_mac = alice("manual"), by_signature{here, here.device("CN=device"), "manual"};
    for (auto* talker : {&by_mac, &by_signature}) {
        const auto answer = talker->send(talker->request(BodyType::ir, "CN=dev", more_usage));
        ASSERT_EQ(verdict(answer), "ip accepted");
        const auto first = talker->last_sent;
        const auto outgoing = last_sent();
        ASSERT_EQ(outgoing.type(), BodyType::ir);
        EXPECT_TRUE(cmp::name_of(outgoing.header().sender)->matches(ra.certificate.subject()));
        EXPECT_EQ(outgoing.header().transaction_id, talker->transaction_id);
        EXPECT_EQ(outgoing.header().sender_nonce, PkiMessage::parse(first)->header().sender_nonce);
        const auto& request = outgoing.as<cmp::CertReqMessages>().messages.front();
        EXPECT_TRUE(std::holds_alternative<crmf::RaVerified>(request.popo().value()));
        const auto original = cmp::parse_messages(cmp::orig_pki_message(outgoing.header()).value()).value();
        ASSERT_EQ(original.size(), 1u);
        EXPECT_TRUE(same(original.front().der(), first));
        EXPECT_EQ(certificate_of(answer).key_usage(), x509::digital_signature);
        EXPECT_TRUE(same(certificate_of(answer).spki(), talker->key.public_key().spki()));
        const auto same_again = talker->deliver(first);   // bug class 25
        EXPECT_TRUE(same(certificate_of(same_again).der(), certificate_of(answer).der()));
        EXPECT_EQ(sent.back(), sent[sent.size() - 2]);
        EXPECT_EQ(verdict(talker->send(talker->confirmation(certificate_of(answer)))), "pkiconf");
    }
    EXPECT_EQ(issued(), 2);
}

TEST_F(CmpForward, TheValidityThatIsGoneOnWithIsTheProfiles) {
    Talker talker = alice("manual");
    const auto until = here.clock.now() + Seconds{20 * 365 * 86400LL};
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev", [&](crmf::WantedRequest& wanted) {
        wanted.request.cert_template.validity = crmf::OptionalValidity{{}, until};
    }));
    ASSERT_EQ(verdict(answer), "ip accepted");
    const auto wanted = last_sent().as<cmp::CertReqMessages>().messages.front().cert_req().cert_template;
    ASSERT_TRUE(wanted.validity && wanted.validity->not_after);
    EXPECT_LT(*wanted.validity->not_after, until);
    talker.begin();
    talker.send(talker.request(BodyType::ir, "CN=dev", [&](crmf::WantedRequest& asked) {
        asked.request.cert_template.validity = crmf::OptionalValidity{{}, here.clock.now() + Seconds{86400}};
    }), implicit());
    EXPECT_TRUE(std::holds_alternative<crmf::PopoSigningKey>(last_sent().as<cmp::CertReqMessages>().messages.front().popo().value()));
}

TEST_F(CmpForward, OnlyOneRequestWithASignatureIsChanged) {
    here.restart([this](cmp::ServerConfig& config) {
        front(config);
        for (auto& label : config.labels)
            if (label.name == "manual") label.requests_max = 2;
    });
    Talker talker = alice("manual");
    const auto p10 = x509::make_request({name("CN=dev"), {x509::make_key_usage(x509::digital_signature | x509::key_encipherment)}, {}}, talker.key).value();
    EXPECT_EQ(verdict(talker.send({BodyType::p10cr, cmp::P10CertificationRequest{p10}})), "cp rejection badCertTemplate");
    talker.begin();
    auto first = std::get<cmp::CertReqMessages>(talker.request(BodyType::ir, "CN=dev", more_usage).content).messages.front();
    const auto second = std::get<cmp::CertReqMessages>(talker.request(BodyType::ir, "CN=dev", [](auto& wanted) { wanted.request.cert_req_id = 1; }).content)
                            .messages.front();
    EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{first, second}}})), "ip rejection badCertTemplate");
    talker.begin();
    // raVerified by somebody who is no registration authority, and a signature over something else.
    const auto claimed = crmf::CertReqMsg::parse(crmf::make_ra_verified(first.cert_req_der())).value();
    EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{claimed}}})), "ip rejection notAuthorized");
    talker.begin();
    const auto bent = crmf::CertReqMsg::parse(crmf::encode_cert_req_msg(first.cert_req_der(), second.popo())).value();
    EXPECT_EQ(verdict(talker.send({BodyType::ir, cmp::CertReqMessages{{bent}}})), "ip rejection badPOP");
    EXPECT_TRUE(sent.empty());
}

TEST_F(CmpForward, OriginalsAreThisServersToTell) {
    const auto told = [&](const PkiMessage& message) { return !cmp::orig_pki_message(message.header()).value().empty(); };
    const auto other = alice("manual").make({BodyType::pkiconf, cmp::PkiConfirmContent{}});
    Talker talker = alice("manual");
    const auto with_other = [&](cmp::PkiHeader& header) { header.general_info.push_back(cmp::make_orig_pki_message({other})); };
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), with_other)), "ip accepted");
    EXPECT_TRUE(same(cmp::parse_messages(cmp::orig_pki_message(last_sent().header()).value())->front().der(), talker.last_sent));
    here.restart([this](cmp::ServerConfig& config) {
        front(config);
        for (auto& label : config.labels) label.original = false;
    });
    talker.begin();
    EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev", more_usage), with_other)), "ip accepted");
    EXPECT_FALSE(told(last_sent()));
    Talker nested = alice("many");
    EXPECT_EQ(verdict(nested.send(nested.request(BodyType::ir, "CN=dev"))), "ip accepted");
    EXPECT_FALSE(told(last_sent()));
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
