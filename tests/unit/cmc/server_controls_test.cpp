// Revocation, confirmation, waiting requests, certificates and CRLs, trust anchors (RFC 10002 6.9 to 6.18).
#include "estuary/x509/crl_encoder.h"
#include "world.h"

namespace estuary::test {
namespace {

using namespace cmc;
using testing::Contains;
using testing::ElementsAre;

RevokeRequest revocation_of(const x509::Certificate& certificate) {
    return {certificate.issuer(), to_vec(certificate.serial_number()), store::RevocationReason::key_compromise, {}, {}, "lost"};
}

PkiData with(const std::vector<TaggedAttribute>& controls) {
    PkiData data;
    data.controls = controls;
    return data;
}

// -- revokeRequest (6.11) --------------------------------------------------------------------------------------------------

TEST_F(CmcServer, TheHolderRevokes) {
    const auto device = world.holder("CN=device 1");
    auto client = world.client(device);
    auto request = revocation_of(device.certificate);
    request.invalidity_date = world.clock.now() - Seconds{3600};
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(request)).statuses), ElementsAre("success 1"));
    const auto record = world.store->certificate("issuing", device.certificate.serial_number()).value();
    EXPECT_EQ(record->revocation->reason, store::RevocationReason::key_compromise);
    EXPECT_EQ(record->revocation->invalidity_date, request.invalidity_date);
}

TEST_F(CmcServer, ARegistrationAuthorityRevokesUnderItsLabel) {
    const auto device = world.holder("CN=device 1"), elsewhere = world.holder("CN=device 2", "second");
    const auto ra = world.registration_authority();
    auto client = world.client(ra);
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(revocation_of(device.certificate))).statuses),
                ElementsAre("success 1"));
    EXPECT_TRUE(world.is_revoked(device.certificate));
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(revocation_of(elsewhere.certificate))).statuses),
                ElementsAre("failed badCertId 1"));
    EXPECT_FALSE(world.is_revoked(elsewhere.certificate));  // bug class 7
}

// Bug class 7: a registration authority of another label that counts at an endpoint answers for what that one issued.
TEST_F(CmcServer, RegistrationAuthoritiesRevokeWhereTheyCount) {
    const auto ra = world.registration_authority();  // of label "", which "shared-ra" names
    const auto here = world.holder("CN=a", "shared-ra"), home = world.holder("CN=b"), elsewhere = world.holder("CN=c", "second");
    const auto ask = [&](const Holder& whose, const std::string& label) {
        return statuses(world.send(signed_message(with({make_control(1, revocation_of(whose.certificate))}), ra), label));
    };
    EXPECT_THAT(ask(home, "shared-ra"), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(ask(elsewhere, "shared-ra"), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(ask(here, ""), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(ask(here, "second"), ElementsAre("failed badIdentity 0"));
    EXPECT_THAT(ask(here, "shared-ra"), ElementsAre("success 1"));
    EXPECT_THAT(ask(home, ""), ElementsAre("success 1"));
    EXPECT_TRUE(world.is_revoked(here.certificate) && world.is_revoked(home.certificate));
    EXPECT_FALSE(world.is_revoked(elsewhere.certificate));
}

TEST_F(CmcServer, NobodyElseRevokes) {
    const auto device = world.holder("CN=device 1"), other = world.holder("CN=device 2");
    auto client = world.client(other), by_secret = world.client_with_secret(), nobody = world.client();
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(revocation_of(device.certificate))).statuses),
                ElementsAre("failed badCertId 1"));
    EXPECT_THAT(statuses(world.exchange(by_secret, by_secret.revoke(revocation_of(device.certificate))).statuses),
                ElementsAre("failed badIdentity 1"));
    EXPECT_THAT(statuses(world.exchange(nobody, nobody.revoke(revocation_of(device.certificate))).statuses),
                ElementsAre("failed badIdentity 1"));
    EXPECT_FALSE(world.is_revoked(device.certificate));
    // What is not there is answered like what is somebody else's.
    auto request = revocation_of(device.certificate);
    request.serial_number = hex("0102030405");
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(request)).statuses), ElementsAre("failed badCertId 1"));
    request = revocation_of(other.certificate);
    request.issuer = name("CN=somebody");
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(request)).statuses), ElementsAre("failed badCertId 1"));
}

TEST_F(CmcServer, RevokingTwiceIsAConflict) {
    const auto ra = world.registration_authority();
    const auto device = world.holder("CN=device 1");
    auto client = world.client(ra);
    const auto message = client.revoke(revocation_of(device.certificate));
    EXPECT_THAT(statuses(world.exchange(client, message).statuses), ElementsAre("success 1"));
    EXPECT_THAT(statuses(world.send(*message)),
                ElementsAre("success 1"));  // the same message again: the same answer (bug class 25)
    EXPECT_THAT(statuses(world.exchange(client, client.revoke(revocation_of(device.certificate))).statuses),
                ElementsAre("failed badRequest 1"));
}

// An unsigned message with the shared secret (6.11), where that is allowed.
TEST_F(CmcServer, WhoLostTheKeyRevokesByTheSecret) {
    auto enrolling = world.client_with_secret();
    const auto one = wish("CN=alice");
    const auto certificate =
        world.exchange(enrolling, enrolling.enroll({one}), "by-secret").certificate_for(one.key.public_key().spki()).value();
    auto nobody = world.client();
    auto request = revocation_of(certificate);
    const auto ask = [&](const std::string& secret, const std::string& label) {
        request.shared_secret = to_vec(as_bytes(secret));
        return statuses(world.exchange(nobody, nobody.revoke(request), label).statuses);
    };
    EXPECT_THAT(ask("wrong", "by-secret"), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(ask("", "by-secret"), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(ask(alice_secret, ""), ElementsAre("failed badCertId 1"));  // not allowed there
    EXPECT_FALSE(world.is_revoked(certificate));
    EXPECT_THAT(ask(alice_secret, "by-secret"), ElementsAre("success 1"));
    EXPECT_TRUE(world.is_revoked(certificate));
    // A certificate that was got in another way has no such secret.
    request = revocation_of(world.holder("CN=device 1", "by-secret").certificate);
    EXPECT_THAT(ask(alice_secret, "by-secret"), ElementsAre("failed badCertId 1"));
}

// An identity proof covers the requests only: in a message without signature its controls are anybody's.
TEST_F(CmcServer, AnIdentityProofCoversNoControls) {
    auto enrolling = world.client_with_secret();
    const auto one = wish("CN=alice");
    const auto certificate =
        world.exchange(enrolling, enrolling.enroll({one}), "by-secret").certificate_for(one.key.public_key().spki()).value();
    PkiData data;
    data.controls = {
        make_control(1, Identification{"alice"}),
        make_control(
            2, make_identity_proof({crypto::Secret{std::string_view{alice_secret}}, "alice"}, data.encode_requests()).value()),
        make_control(3, revocation_of(certificate))};
    const auto message = sign(cmc::oid::pki_data, data.encode(), nullptr).value();
    EXPECT_THAT(statuses(world.send(message, "by-secret")), ElementsAre("failed badIdentity 3"));
    EXPECT_FALSE(world.is_revoked(certificate));
}

// -- confirmCertAcceptance (6.14; bug class 27) ------------------------------------------------------------------------------

class CmcConfirm : public CmcServer {
protected:
    Holder enrolled(Client& client) {
        const auto one = wish("CN=alice");
        const auto reply = world.exchange(client, client.enroll({one}), "confirm");
        EXPECT_THAT(statuses(reply.statuses), ElementsAre("confirmRequired 1"));
        EXPECT_TRUE(reply.confirmation_wanted());
        return {one.key, reply.certificate_for(one.key.public_key().spki()).value()};
    }
    std::size_t revoke_late() {
        store::UnitOfWork work;
        const auto count = world.authority->revoke_unconfirmed(100, work).value();
        EXPECT_TRUE(world.store->commit(std::move(work)));
        return count;
    }
};

TEST_F(CmcConfirm, AcceptedByTheNewCertificateItself) {
    auto client = world.client_with_secret();
    const auto fresh = enrolled(client);
    auto own = world.client(fresh);
    EXPECT_THAT(statuses(world.exchange(own, own.confirm(fresh.certificate, true), "confirm").statuses),
                ElementsAre("success 2"));
    world.clock.advance(Seconds{601});
    EXPECT_EQ(revoke_late(), 0u);
    EXPECT_FALSE(world.is_revoked(fresh.certificate));
    EXPECT_THAT(statuses(world.exchange(own, own.confirm(fresh.certificate, true), "confirm").statuses),
                ElementsAre("failed badCertId 2"));
}

TEST_F(CmcConfirm, RejectedIsRevokedAtOnce) {
    auto client = world.client_with_secret();
    const auto fresh = enrolled(client);
    auto own = world.client(fresh);
    EXPECT_THAT(statuses(world.exchange(own, own.confirm(fresh.certificate, false, "wrong name"), "confirm").statuses),
                ElementsAre("success 2"));
    EXPECT_TRUE(world.is_revoked(fresh.certificate));
}

TEST_F(CmcConfirm, NotConfirmedInTimeIsRevoked) {
    auto client = world.client_with_secret();
    const auto fresh = enrolled(client);
    world.clock.advance(Seconds{601});
    EXPECT_EQ(revoke_late(), 1u);
    EXPECT_TRUE(world.is_revoked(fresh.certificate));
}

TEST_F(CmcConfirm, NotByOthers) {
    auto client = world.client_with_secret();
    const auto fresh = enrolled(client);
    auto other = world.client(world.holder("CN=device 1", "confirm")), nobody = world.client();
    EXPECT_THAT(statuses(world.exchange(other, other.confirm(fresh.certificate, false), "confirm").statuses),
                ElementsAre("failed badCertId 2"));
    EXPECT_THAT(statuses(world.exchange(nobody, nobody.confirm(fresh.certificate, false), "confirm").statuses),
                ElementsAre("failed badIdentity 2"));
    EXPECT_FALSE(world.is_revoked(fresh.certificate));
}

// -- queryPending (6.13) -----------------------------------------------------------------------------------------------------

class CmcPending : public CmcServer {};

TEST_F(CmcPending, WaitsForAPersonAndIsFetched) {
    auto client = world.client_with_secret();
    const auto one = wish("CN=alice");
    const auto first = world.exchange(client, client.enroll({one}), "manual");
    EXPECT_THAT(statuses(first.statuses), ElementsAre("pending 1"));
    const auto pending = first.pending().value();
    EXPECT_EQ(pending.at, world.clock.now() + Seconds{77});
    const auto still = world.exchange(client, client.query(pending.token), "manual");
    EXPECT_EQ(still.pending()->token, pending.token);  // "the value of 'pendInfo' MUST be the same"
    world.decide(true);
    const auto done = world.exchange(client, client.query(pending.token), "manual");
    EXPECT_TRUE(done.certificate_for(one.key.public_key().spki()));
    EXPECT_THAT(statuses(done.statuses), ElementsAre("success 1"));
    // And once more, for the answer may have been lost (bug class 25).
    EXPECT_EQ(world.exchange(client, client.query(pending.token), "manual").certificate_for(one.key.public_key().spki()).value(),
              done.certificate_for(one.key.public_key().spki()).value());
}

TEST_F(CmcPending, DeniedIsFailed) {
    auto client = world.client_with_secret();
    const auto token = world.exchange(client, client.enroll({wish("CN=alice")}), "manual").pending()->token;
    world.decide(false);
    EXPECT_THAT(statuses(world.exchange(client, client.query(token), "manual").statuses), ElementsAre("failed badIdentity 1"));
}

// Bug class 7: whoever did not ask learns nothing by asking again.
TEST_F(CmcPending, OnlyWhoAskedMayAskAgain) {
    world.add_credential("bob", "bobs-secret");
    auto client = world.client_with_secret(), bob = world.client_with_secret("bob", "bobs-secret"), nobody = world.client();
    const auto token = world.exchange(client, client.enroll({wish("CN=alice")}), "manual").pending()->token;
    world.decide(true);
    const auto count = world.certificates();
    EXPECT_EQ(world.exchange(bob, bob.query(token), "manual").failure()->code, Code::policy);
    EXPECT_EQ(world.exchange(nobody, nobody.query(token), "manual").failure()->code, Code::policy);
    EXPECT_EQ(world.exchange(client, client.query(token), "").failure()->code, Code::policy);  // another label
    EXPECT_EQ(world.exchange(client, client.query(hex("00")), "manual").failure()->code, Code::policy);
    EXPECT_EQ(world.certificates(), count);
}

TEST_F(CmcPending, WhatTheRegistrationAuthorityChangedIsKept) {
    const auto ra = world.registration_authority("manual");
    auto client = world.client(ra);
    x509::crmf::CertTemplate changed;
    changed.subject = name("CN=changed");
    Client::Batch batch;
    batch.simple_requests = {pkcs10("CN=a"), pkcs10("CN=b")};
    batch.controls = {make_control(0, ModCertTemplate{{0}, {1}, true, changed})};
    const auto first = world.exchange(client, client.pass_on(batch), "manual");
    EXPECT_THAT(statuses(first.statuses), ElementsAre("pending 1 2"));
    world.decide(true);
    world.restart();
    const auto done = world.exchange(client, client.query(first.pending()->token), "manual");
    EXPECT_THAT(statuses(done.statuses), ElementsAre("success 1 2"));
    std::vector<std::string> subjects;
    for (const auto& certificate : done.certificates) subjects.push_back(certificate.subject().to_text());
    EXPECT_THAT(subjects, Contains("CN=changed"));
    EXPECT_THAT(subjects, Contains("CN=b"));
    EXPECT_THAT(subjects, testing::Not(Contains("CN=a")));
}

// -- getCert, getCRL (6.9, 6.10) ---------------------------------------------------------------------------------------------

TEST_F(CmcServer, GetCert) {
    const auto device = world.holder("CN=device 1"), elsewhere = world.holder("CN=device 2", "second");
    const auto ask = [&](const x509::Certificate& wanted, const std::optional<Holder>& signer) {
        x509::GeneralName issuer{x509::GeneralName::Kind::directory, to_vec(wanted.issuer().der())};
        const auto data = with({make_control(1, GetCert{issuer, to_vec(wanted.serial_number())})});
        return world.send(signer ? signed_message(data, *signer) : sign(cmc::oid::pki_data, data.encode(), nullptr).value());
    };
    const auto answer = ask(device.certificate, device);
    EXPECT_EQ(answer.form, Answer::Form::simple);  // "the response should be a Simple PKI Response"
    EXPECT_EQ(cms::SignedData::parse(answer.der).value().certificates().at(0), device.certificate);
    EXPECT_THAT(statuses(ask(elsewhere.certificate, device)), ElementsAre("failed badCertId 1"));  // bug class 7
    EXPECT_THAT(statuses(ask(world.other_ca->issuing, device)), ElementsAre("failed badCertId 1"));
    EXPECT_THAT(statuses(ask(device.certificate, std::nullopt)), ElementsAre("failed badIdentity 1"));
    const auto by_name = with({make_control(1, GetCert{x509::GeneralName::from_text("dns:a.example").value(), hex("01")})});
    EXPECT_THAT(statuses(world.send(signed_message(by_name, device))), ElementsAre("failed badCertId 1"));
}

TEST_F(CmcServer, GetCrl) {
    const auto device = world.holder("CN=device 1");
    const auto ask = [&](const GetCrl& request) { return world.send(signed_message(with({make_control(1, request)}), device)); };
    const GetCrl plain{world.ca->issuing.subject(), {}, {}, {}};
    EXPECT_THAT(statuses(ask(plain)), ElementsAre("failed badRequest 1"));
    store::UnitOfWork work;
    world.crls = {world.authority->make_crl("issuing", 0, authority::CrlKind::complete, work).value().der};
    const auto answer = ask(plain);
    EXPECT_EQ(answer.form, Answer::Form::simple);
    EXPECT_TRUE(same(cms::SignedData::parse(answer.der).value().crls().at(0), world.crls[0]));
    auto named = plain;
    named.crl_name = x509::GeneralName::from_text("uri:http://crl.example/a.crl").value();
    EXPECT_EQ(ask(named).form, Answer::Form::simple);  // a list that is about everything
    auto timed = plain;
    timed.time = world.clock.now() + Seconds{1};
    EXPECT_EQ(ask(timed).form, Answer::Form::simple);
    timed.time = world.clock.now();
    EXPECT_THAT(statuses(ask(timed)), ElementsAre("failed badRequest 1"));  // thisUpdate is not before it
    auto other = plain;
    other.issuer = name("CN=other");
    EXPECT_THAT(statuses(ask(other)), ElementsAre("failed badRequest 1"));
    world.restart([](ServerConfig& config) { config.crls = {}; });
    EXPECT_THAT(statuses(ask(plain)), ElementsAre("failed badRequest 1"));
}

// 6.1.4: what went wrong here is internalCAError and tells nothing more (bug class 12); what passes is tryLater. Both are asked
// again: neither answer is remembered for its transaction.
TEST_F(CmcServer, FaultsOfOurOwn) {
    const auto device = world.holder("CN=device 1");
    std::optional<Error> fault;
    world.restart([&](ServerConfig& config) {
        config.crls = [&](std::string_view) -> Result<std::vector<ByteVec>> {
            if (fault) return fail(*fault);
            return std::vector<ByteVec>{};
        };
    });
    auto client = world.client(device);
    const auto message = client.get_crl({world.ca->issuing.subject(), {}, {}, {}}).value();
    fault = Error{Code::internal, "a canary of the inside", "another canary"};
    const auto answer = world.send(message);
    EXPECT_THAT(statuses(answer), ElementsAre("failed internalCAError 1"));
    EXPECT_EQ(as_text(answer.der).find("canary"), std::string_view::npos);
    fault = Error{Code::too_busy, "later, please", {}};
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed tryLater 1"));
    fault.reset();
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed badRequest 1"));
}

// -- others ------------------------------------------------------------------------------------------------------------------

TEST_F(CmcServer, PublicationAndAuthenticatedDataAreNotDone) {
    const auto device = world.holder("CN=device 1");
    const auto answer = world.send(signed_message(
        with({make_control(1,
                           PublishCert{sha256_algorithm(), {hex("01")}, {x509::crmf::PublicationInfo::Action::dont_publish, {}}}),
              make_control(2, AuthData{5}), make_control(3, RegInfo{hex("00")})}),
        device));
    EXPECT_THAT(statuses(answer), ElementsAre("noSupport 1", "failed authDataFail 2"));
}

// 6.15
TEST_F(CmcServer, TrustAnchorsAreNamedInFullAnswers) {
    auto client = world.client_with_secret();
    const auto reply = world.exchange(client, client.enroll({wish("CN=a")}), "anchors");
    ASSERT_TRUE(reply.trust_anchors);
    const auto hash = crypto::sha256(world.ca->root.der());
    EXPECT_THAT(reply.trust_anchors->anchor_hashes, ElementsAre(ByteVec(hash.begin(), hash.end())));
    EXPECT_EQ(reply.trust_anchors->hash_algorithm, sha256_algorithm());
    EXPECT_EQ(reply.trust_anchors->sequence_number, world.ca->root.not_before().time_since_epoch().count());
    EXPECT_THAT(reply.certificates, Contains(world.ca->root));
}

}  // namespace
}  // namespace estuary::test
