// A CA above over CMP: an authority without a key, and the CA of server_world.h in the same process.
#include <gtest/gtest.h>

#include "estuary/authority/key_generation.h"
#include "estuary/authority/serial.h"
#include "estuary/cmp/upstream.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using authority::Verb;

/// The registration authority's side: a store and an authority of its own.
class RegistrationAuthority {
public:
    explicit RegistrationAuthority(ServerWorld& above) : above_{above}, own_{above.enrolled("CN=RA", "", "ra")} {
        store = store::open_sqlite(above.directory / "ra.db").value();
        store::CredentialRecord record;
        record.name = "dev";
        record.protocol = "http";
        record.created_at = above.clock.now();
        record.uses_left = 1;
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertCredential{record});
        EXPECT_TRUE(store->commit(std::move(work)));
        restart();
    }

    /// As after a restart: everything but the database is new.
    void restart() {
        authority.reset();
        cmp::UpstreamConfig config{"above", above_.ca->issuing, {.credentials = cmp::ClientSigner{own_.key, {own_.certificate, above_.ca->issuing}}}};
        config.client.anchors = {above_.ca->root};
        config.profile = upstream_profile;
        const auto channel = [this](std::string_view operation, Bytes message) -> Result<ByteVec> {
            sent.push_back(to_vec(message));
            if (lose_request) return fail(Code::unavailable, "nobody there");
            const auto answer = above_.send(message, {.label = "", .operation = cmp::operation_named(operation)});
            if (lose_answer) return fail(Code::unavailable, "the connection was cut");
            return bend_answer ? bend_answer(answer) : to_vec(answer.der());
        };
        auto upstream = cmp::UpstreamCa::create(std::move(config), channel, *store, above_.clock, above_.entropy);
        ASSERT_TRUE(upstream) << failure(upstream);
        authority::Config wanted;
        authority::CaConfig ca{"above", issuer.value_or(above_.ca->issuing), std::nullopt, {above_.ca->root}, {}};
        ca.upstream = std::move(*upstream);
        wanted.cas.push_back(std::move(ca));
        auto device = authority::default_device_profile("above");
        auto manual = device;
        manual.name = "manual";
        manual.manual_approval = true;
        wanted.profiles = {device, manual};
        wanted.password_key = crypto::Secret{std::string_view{"a key for passwords of 32 octets"}};
        auto made = authority::Authority::create(std::move(wanted), *store, above_.clock, above_.entropy);
        ASSERT_TRUE(made) << failure(made);
        authority = std::move(*made);
    }

    authority::Principal principal() const {
        authority::Principal who;
        const auto record = store->credential("dev").value().value();
        who.credential = authority::CredentialProof{record.id, "dev", "basic", record.uses_left, {}, {}, {}};
        return who;
    }
    authority::EnrollRequest request(const x509::CertificationRequest& wanted, const std::string& profile = "device") const {
        return {Verb::enroll, profile, "label", wanted, principal()};
    }
    /// The very same octets each time: signatures differ.
    x509::CertificationRequest p10(const std::string& subject, std::vector<x509::Extension> extensions = {}) {
        auto& made = requests_[subject];
        if (made.empty()) made = x509::make_request({name(subject), std::move(extensions), {}}, key).value();
        return x509::SignedRequest::parse(made).value();
    }
    Result<authority::Outcome> enroll(const authority::EnrollRequest& wanted) {
        store::UnitOfWork work;
        auto outcome = authority->enroll(wanted, work);
        if (!work.empty()) {
            EXPECT_TRUE(store->commit(std::move(work)));
        }
        return outcome;
    }
    void approve() {
        authority::Principal operator_;
        operator_.operator_ = true;
        const auto waiting = store->pending_requests(store::PendingRequest::State::pending).value();
        for (const auto& one : waiting) {
            store::UnitOfWork work;
            const auto decided = authority->decide(one.id, true, "", operator_, work);
            ASSERT_TRUE(decided) << failure(decided);
            ASSERT_TRUE(store->commit(std::move(work)));
        }
    }
    std::int64_t certificates() const { return store->count_certificates().value(); }

    std::unique_ptr<store::Store> store;
    std::unique_ptr<authority::Authority> authority;
    crypto::PrivateKey key = crypto::PrivateKey::generate("p256").value();
    std::vector<ByteVec> sent;
    bool lose_request = false, lose_answer = false;
    std::function<ByteVec(const PkiMessage&)> bend_answer;
    std::string upstream_profile;
    std::optional<x509::Certificate> issuer;   ///< that is believed to be above

private:
    ServerWorld& above_;
    Identity own_;
    std::map<std::string, ByteVec> requests_;
};

class CmpUpstream : public testing::Test {
protected:
    CmpUpstream() { before = world.certificates(); }
    std::int64_t issued() { return world.certificates() - before; }
    PkiMessage last_sent() const { return PkiMessage::parse(ra.sent.back()).value(); }

    ServerWorld world;
    RegistrationAuthority ra{world};
    std::int64_t before = 0;
};

x509::Certificate certificate(const Result<authority::Outcome>& outcome) {
    EXPECT_TRUE(outcome) << failure(outcome);
    return std::get<authority::Issued>(outcome.value()).certificate;
}

bool waits(const Result<authority::Outcome>& outcome) { return outcome && std::holds_alternative<authority::Pending>(*outcome); }

TEST_F(CmpUpstream, IssuesWhatIsAskedForHere) {
    const auto made = certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(last_sent().type(), BodyType::p10cr);   // its own proof of possession goes along
    EXPECT_TRUE(same(made.spki(), ra.key.public_key().spki()));
    EXPECT_EQ(issued(), 1);
    EXPECT_EQ(ra.certificates(), 1);
    const auto record = ra.store->certificate("above", authority::without_leading_zeros(made.serial_number())).value();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->label, "label");
    EXPECT_EQ(record->requester, "credential:dev");
    // bug class 25: asked for again, it is the same, and nobody is asked.
    const auto count = ra.sent.size();
    EXPECT_EQ(certificate(ra.enroll(ra.request(ra.p10("CN=dev")))), made);
    EXPECT_EQ(ra.sent.size(), count);
    const auto other = ra.enroll(ra.request(ra.p10("CN=dev2")));
    EXPECT_EQ(other.error().code, Code::not_authenticated);   // its one use is spent
}

TEST_F(CmpUpstream, ALostAnswerIsAskedForAgain) {   // bug classes 24 and 25
    ra.lose_answer = true;
    const auto lost = ra.enroll(ra.request(ra.p10("CN=dev")));
    EXPECT_EQ(lost.error().code, Code::unavailable);
    EXPECT_EQ(issued(), 1);
    EXPECT_EQ(ra.certificates(), 0);
    EXPECT_EQ(ra.principal().credential->uses_left, 0);   // spent before anything was sent
    ra.lose_answer = false;
    ra.restart();
    certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(ra.sent[0], ra.sent[1]);   // the very octets
    EXPECT_EQ(issued(), 1);
    EXPECT_EQ(ra.certificates(), 1);
}

TEST_F(CmpUpstream, ARequestThatWasNotSentIsSentLater) {
    ra.lose_request = true;
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev"))).error().code, Code::unavailable);
    EXPECT_EQ(issued(), 0);
    ra.lose_request = false;
    ra.restart();
    certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(ra.sent[0], ra.sent[1]);
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpUpstream, ConfirmsWhatIsOnRecord) {
    world.restart([](cmp::ServerConfig& config) { config.labels.front().implicit_confirm = false; });
    const auto made = certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(last_sent().type(), BodyType::cert_conf);
    EXPECT_FALSE(world.store->unconfirmed("issuing", authority::without_leading_zeros(made.serial_number())).value());
}

TEST_F(CmpUpstream, AConfirmationThatWasLostIsMadeUpFor) {
    world.restart([](cmp::ServerConfig& config) { config.labels.front().implicit_confirm = false; });
    // The certificate arrives, and the way is cut before its confirmation.
    ra.bend_answer = [&](const PkiMessage& answer) {
        ra.lose_request = true;
        return to_vec(answer.der());
    };
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev"))).error().code, Code::unavailable);
    EXPECT_EQ(ra.certificates(), 1);
    ra.bend_answer = {};
    ra.lose_request = false;
    ra.restart();
    const auto made = certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(last_sent().type(), BodyType::cert_conf);
    EXPECT_FALSE(world.store->unconfirmed("issuing", authority::without_leading_zeros(made.serial_number())).value());
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpUpstream, WaitsAsLongAsItIsWaitedAbove) {
    world.restart([](cmp::ServerConfig& config) { config.labels.front().more_profiles.push_back("manual"); });
    ra.upstream_profile = "manual";
    ra.restart();
    const auto wanted = ra.p10("CN=dev");
    EXPECT_TRUE(waits(ra.enroll(ra.request(wanted))));
    ra.restart();
    EXPECT_TRUE(waits(ra.enroll(ra.request(wanted))));
    EXPECT_EQ(last_sent().type(), BodyType::poll_req);
    world.approve();
    ra.restart();
    certificate(ra.enroll(ra.request(wanted)));
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpUpstream, ApprovalHereComesFirst) {
    const auto wanted = ra.p10("CN=dev");
    EXPECT_TRUE(waits(ra.enroll(ra.request(wanted, "manual"))));
    EXPECT_TRUE(ra.sent.empty());
    ra.approve();
    const auto made = certificate(ra.enroll(ra.request(wanted, "manual")));
    EXPECT_EQ(certificate(ra.enroll(ra.request(wanted, "manual"))), made);
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpUpstream, WhatPolicyChangesIsVouchedFor) {   // bug classes 3 and 4
    const auto usage = x509::make_key_usage(x509::digital_signature | x509::key_encipherment);
    const auto made = certificate(ra.enroll(ra.request(ra.p10("CN=dev", {usage}))));
    ASSERT_EQ(last_sent().type(), BodyType::cr);
    EXPECT_TRUE(crmf::is_ra_verified(last_sent().as<cmp::CertReqMessages>().messages.front()));
    EXPECT_EQ(made.key_usage(), x509::digital_signature);
}

TEST_F(CmpUpstream, PolicyRefusesBeforeAnythingIsSent) {
    const auto ca = x509::make_basic_constraints({true, std::nullopt});
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev", {ca}))).error().code, Code::policy);
    EXPECT_TRUE(ra.sent.empty());
    EXPECT_EQ(ra.principal().credential->uses_left, 1);
}

TEST_F(CmpUpstream, ARefusalAboveEndsTheRequest) {
    world.restart([](cmp::ServerConfig& config) { config.labels.front().more_profiles.clear(); });
    ra.upstream_profile = "elsewhere";
    ra.restart();
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev"))).error().code, Code::policy);
    EXPECT_EQ(ra.certificates(), 0);
}

TEST_F(CmpUpstream, AnotherCasCertificateIsNotTaken) {
    ra.issuer = world.other_ca->issuing;
    ra.restart();
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev"))).error().code, Code::unavailable);
    EXPECT_EQ(ra.certificates(), 0);
}

TEST_F(CmpUpstream, AnAnswerThatSomebodyElseMadeIsNotTaken) {   // bug class 27
    ra.bend_answer = [](const PkiMessage& answer) {
        auto der = to_vec(answer.der());
        der[der.size() / 2] ^= 1;
        return der;
    };
    EXPECT_EQ(ra.enroll(ra.request(ra.p10("CN=dev"))).error().code, Code::unavailable);
    EXPECT_EQ(ra.certificates(), 0);
    ra.bend_answer = {};
    certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    EXPECT_EQ(issued(), 1);
}

TEST_F(CmpUpstream, RevocationsGoAboveFirst) {
    const auto made = certificate(ra.enroll(ra.request(ra.p10("CN=dev"))));
    authority::Principal operator_;
    operator_.operator_ = true;
    const authority::RevokeRequest wanted{"above", to_vec(made.serial_number()), store::RevocationReason::superseded, operator_};
    ra.lose_answer = true;
    store::UnitOfWork lost, work;
    EXPECT_FALSE(ra.authority->revoke(wanted, lost));
    EXPECT_TRUE(lost.empty());
    ra.lose_answer = false;
    ASSERT_TRUE(ra.authority->revoke(wanted, work));   // it is revoked there already
    EXPECT_TRUE(ra.store->commit(std::move(work)));
    EXPECT_TRUE(world.is_revoked(made));
    EXPECT_TRUE(ra.store->certificate_status("above", authority::without_leading_zeros(made.serial_number())).value()->revocation);
}

TEST_F(CmpUpstream, UnconfirmedCertificatesAreRevokedAbove) {   // bug class 27
    auto wanted = ra.request(ra.p10("CN=dev"));
    wanted.confirm_within = Seconds{60};
    const auto made = certificate(ra.enroll(wanted));
    world.clock.advance(Seconds{61});
    store::UnitOfWork failed, work;
    ra.lose_request = true;
    EXPECT_EQ(ra.authority->revoke_unconfirmed(10, failed), std::size_t{0});
    ra.lose_request = false;
    EXPECT_EQ(ra.authority->revoke_unconfirmed(10, work), std::size_t{1});
    EXPECT_TRUE(ra.store->commit(std::move(work)));
    EXPECT_TRUE(world.is_revoked(made));
}

TEST_F(CmpUpstream, KeysCanBeMadeHere) {
    authority::KeyRequest wanted;
    wanted.profile = "device";
    wanted.label = "label";
    wanted.request.der = {0x30, 0x00};
    wanted.request.subject = name("CN=dev");
    wanted.principal = ra.principal();
    store::UnitOfWork work;
    const auto outcome = ra.authority->enroll_with_new_key(wanted, work);
    ASSERT_TRUE(outcome) << failure(outcome);
    const auto& made = std::get<authority::NewKey>(*outcome);
    EXPECT_TRUE(same(made.certificate.spki(), made.key.public_key().spki()));
    EXPECT_EQ(issued(), 1);
    EXPECT_TRUE(crmf::is_ra_verified(last_sent().as<cmp::CertReqMessages>().messages.front()));
}

TEST_F(CmpUpstream, HasNoCrlsOfOurs) {
    store::UnitOfWork work;
    EXPECT_EQ(ra.authority->make_crl("above", 0, authority::CrlKind::complete, work).error().code, Code::policy);
}

}  // namespace
}  // namespace estuary::test
