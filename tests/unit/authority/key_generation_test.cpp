// Keys that are made here, and their certificates.
#include "estuary/authority/key_generation.h"

#include "estuary/authority/key_archive.h"
#include "estuary/authority/key_decryption.h"
#include "estuary/authority/key_pool.h"
#include "estuary/base/file.h"
#include "estuary/cms/key_package.h"
#include <ranges>

#include "support.h"

namespace estuary::authority::test {
namespace {

using testing::HasSubstr;

struct KeyGeneration : testing::Test {
    KeyGeneration() { world.add_credential("dev"); }

    static x509::CertificationRequest::Parts parts(const Wanted& wanted = {}, std::string_view type = "p256") {
        return x509::parse_request_without_key(csr(wanted, new_key(type)).der()).value();
    }
    KeyRequest request(x509::CertificationRequest::Parts asked, std::optional<Principal> principal = {}) {
        KeyRequest out;
        out.profile = "device";
        out.request = std::move(asked);
        out.principal = principal ? *principal : world.by_password("dev");
        return out;
    }
    Result<KeyOutcome> ask(const KeyRequest& wanted) {
        UnitOfWork work;
        auto outcome = world.authority->enroll_with_new_key(wanted, work);
        if (!work.empty())
            if (auto done = world.store->commit(std::move(work)); !done) return fail(done.error());
        return outcome;
    }
    static const NewKey& made(const Result<KeyOutcome>& outcome) {
        EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().detail);
        return std::get<NewKey>(outcome.value());
    }
    void shape(const std::function<void(Profile&)>& change) {
        change(world.profiles[0]);
        world.make();
    }

    std::int64_t issued_here() { return world.store->count_certificates().value() - before; }

    World world;
    std::int64_t before = world.store->count_certificates().value();
};

TEST_F(KeyGeneration, CertificateIsOfTheNewKey) {
    auto asked = parts({"CN=device 1", {"dns:a.example"}});
    const auto requests_key = asked.spki;
    const auto outcome = ask(request(std::move(asked)));
    const auto& key = made(outcome);
    EXPECT_TRUE(same(key.certificate.spki(), key.key.public_key().spki()));
    EXPECT_FALSE(same(key.certificate.spki(), requests_key));
    EXPECT_EQ(key.certificate.subject().to_text(), "CN=device 1");
    EXPECT_EQ(key.ca, "issuing");
    EXPECT_EQ(issued_here(), 1);
    EXPECT_THAT(world.events(), testing::IsSupersetOf({"certificate.issued", "key.generated"}));
}

/// RFC 7030 4.4.1: the public key values and the signature are ignored.
TEST_F(KeyGeneration, RequestNeedNoKeyNorSignature) {
    auto der = to_vec(csr({"CN=device 1"}, new_key()).der());
    der.back() ^= 1;  // the signature
    EXPECT_FALSE(x509::SignedRequest::parse(der));
    made(ask(request(x509::parse_request_without_key(der).value())));
    auto empty = parts();
    empty.spki = {0x30, 0x00};
    made(ask(request(empty)));
}

TEST_F(KeyGeneration, KindIsTheRequestsIfTheProfileMakesIt) {
    shape([](Profile& p) { p.generated_key_types = {"p384", "rsa2048", "rsa3072", "ed25519"}; });
    EXPECT_EQ(made(ask(request(parts({}, "rsa2048")))).key.public_key().type_name(), "rsa2048");
    EXPECT_EQ(made(ask(request(parts({}, "ed25519")))).key.public_key().type_name(), "ed25519");
    EXPECT_EQ(made(ask(request(parts({}, "p256")))).key.public_key().type_name(), "p384");  // not made here: the first
}

TEST(ChooseKeyType, TakesTheSmallestThatIsLargeEnough) {
    const std::vector<std::string> types{"p256", "rsa4096", "rsa3072", "ed25519", "x25519"};
    EXPECT_EQ(choose_key_type(new_key("rsa2048").public_key().spki(), types), "rsa3072");
    EXPECT_EQ(choose_key_type(new_key("ed25519").public_key().spki(), types), "ed25519");
    EXPECT_EQ(choose_key_type(new_key("x25519").public_key().spki(), types), "x25519");
    EXPECT_EQ(choose_key_type(new_key("p384").public_key().spki(), types), "p256");
    EXPECT_EQ(choose_key_type({}, types), "p256");
    EXPECT_EQ(choose_key_type({}, {}), "");
    der::Writer dummy;  // RFC 9908 3.4: a modulus that is no key's, of the size that is meant
    dummy.sequence([&] {
        dummy.sequence([&] { dummy.oid(der::Oid{"1.2.840.113549.1.1.1"}).null(); });
        der::Writer modulus;
        ByteVec octets(4096 / 8);
        octets[0] = 0x80;
        modulus.sequence([&] { modulus.unsigned_integer(octets).integer(0); });
        dummy.bit_string(modulus.bytes());
    });
    EXPECT_EQ(choose_key_type(dummy.bytes(), types), "rsa4096");
}

/// Kinds that no request can be signed with are made for who has a profile of them (bug class 33: their key usage).
TEST_F(KeyGeneration, KindsThatDoNotSign) {
    shape([](Profile& p) {
        p.generated_key_types = {"x25519"};
        p.key_usage = x509::key_agreement;
        p.ext_key_usage = {};
    });
    const auto outcome = ask(request(parts()));
    EXPECT_EQ(made(outcome).key.public_key().type_name(), "x25519");
    EXPECT_EQ(made(outcome).certificate.key_usage(), x509::key_agreement);
}

TEST_F(KeyGeneration, PolicyIsThatOfAnyEnrollment) {
    EXPECT_EQ(code_of(ask(request(parts({"CN=a,title=x"})))), Code::policy);
    EXPECT_EQ(code_of(ask(request(parts(), Principal{}))), Code::not_authenticated);
    auto linked = request(parts());
    linked.linking = Linking::mismatched;
    EXPECT_EQ(code_of(ask(linked)), Code::bad_proof);
    linked.linking = Linking::absent;
    linked.linking_required = true;
    EXPECT_EQ(code_of(ask(linked)), Code::bad_proof);
    auto elsewhere = request(parts());
    elsewhere.profile = "nowhere";
    EXPECT_EQ(code_of(ask(elsewhere)), Code::not_authorised);
    world.add_credential("bound", std::nullopt, {"CN=bound-*"});
    EXPECT_FALSE(ask(request(parts(), world.by_password("bound"))));  // bug class 8
    EXPECT_EQ(issued_here(), 0);
    EXPECT_THAT(world.events(), testing::Contains("request.refused"));
}

// bug class 24: no certificate without its key, and none whose key did not get across
TEST_F(KeyGeneration, NothingIsIssuedThatCannotBeDelivered) {
    auto wanted = request(parts());
    bool called = false;
    wanted.deliver = [&](const crypto::PrivateKey&) -> Result<void> {
        called = true;
        return fail(Code::bad_key, "cannot be encrypted");
    };
    EXPECT_EQ(code_of(ask(wanted)), Code::bad_key);
    EXPECT_TRUE(called);
    EXPECT_EQ(issued_here(), 0);
}

TEST_F(KeyGeneration, SameRequestAgainGetsAnotherKey) {
    const auto asked = parts();
    const auto first = made(ask(request(asked))).certificate;
    const auto second = made(ask(request(asked))).certificate;
    EXPECT_FALSE(same(first.spki(), second.spki()));
    EXPECT_NE(to_hex(first.serial_number()), to_hex(second.serial_number()));
}

TEST_F(KeyGeneration, SingleUseIsOneUse) {
    world.add_credential("once", 1);
    const auto asked = parts();
    made(ask(request(asked, world.by_password("once"))));
    EXPECT_EQ(code_of(ask(request(asked, world.by_password("once")))), Code::not_authenticated);
    // A refusal costs nothing.
    world.add_credential("again", 1);
    auto failing = request(parts(), world.by_password("again"));
    failing.deliver = [](const crypto::PrivateKey&) -> Result<void> { return fail(Code::bad_key, "no"); };
    EXPECT_FALSE(ask(failing));
    made(ask(request(parts(), world.by_password("again"))));
}

// bug class 35
TEST_F(KeyGeneration, OneAtATime) {
    UnitOfWork first, second;
    const auto wanted = request(parts());
    ASSERT_TRUE(world.authority->enroll_with_new_key(wanted, first));
    EXPECT_EQ(code_of(world.authority->enroll_with_new_key(wanted, second)), Code::too_busy);
    ASSERT_TRUE(world.store->commit(std::move(first)));
    made(ask(wanted));
}

TEST_F(KeyGeneration, ApprovalByAPersonThenTheKeyIsMade) {
    shape([](Profile& p) { p.manual_approval = true; });
    world.add_credential("once", 1);
    auto wanted = request(parts(), world.by_password("once"));
    bool delivered = false;
    wanted.linking = Linking::matched;
    wanted.linking_required = true;
    wanted.deliver = [&](const crypto::PrivateKey&) -> Result<void> { return delivered = true, Result<void>{}; };
    const auto waits = [&] {
        const auto outcome = ask(wanted);
        return outcome && std::holds_alternative<Pending>(*outcome);
    };
    ASSERT_TRUE(waits());
    EXPECT_FALSE(delivered);
    const auto pending = world.store->pending_requests(std::nullopt).value().at(0);
    EXPECT_EQ(pending.operation, "serverkeygen");
    EXPECT_EQ(pending.subject, "CN=device 1");
    wanted.principal = world.by_password("once");
    ASSERT_TRUE(waits());
    // The same octets for a certificate of their own key wait for themselves: approving one is not approving the other.
    UnitOfWork work;
    ASSERT_TRUE(world.authority->decide(pending.id, true, "", World::operator_principal(), work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    wanted.linking = Linking::absent;  // a poll comes over another session
    made(ask(wanted));
    EXPECT_TRUE(delivered);
    EXPECT_EQ(world.store->pending_request(pending.id).value()->state, store::PendingRequest::State::issued);
    const auto again = ask(wanted);
    EXPECT_EQ(code_of(again), Code::not_authorised);
    EXPECT_THAT(again.error().detail, HasSubstr("not kept"));
}

// bug class 1: what a person approved for one operation opens no other
TEST_F(KeyGeneration, ApprovalIsOfThisOperation) {
    shape([](Profile& p) { p.manual_approval = true; });
    const auto signed_request = csr({}, new_key());
    ASSERT_TRUE(world.enroll(signed_request, world.by_password("dev")));
    UnitOfWork work;
    ASSERT_TRUE(world.authority->decide(1, true, "", World::operator_principal(), work));
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto outcome = ask(request(x509::parse_request_without_key(signed_request.der()).value()));
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(std::holds_alternative<Pending>(*outcome));
    EXPECT_EQ(world.store->pending_requests(std::nullopt).value().size(), 2u);
}

TEST_F(KeyGeneration, RenewalIsThatOfTheCertificateShown) {
    const auto current = made(ask(request(parts()))).certificate;
    auto wanted = request(parts(), world.by_certificate(current));
    wanted.verb = Verb::renew;
    EXPECT_FALSE(same(made(ask(wanted)).certificate.spki(), current.spki()));
    auto other = request(parts({"CN=somebody else"}), world.by_certificate(current));
    other.verb = Verb::renew;
    EXPECT_FALSE(ask(other));
    ASSERT_TRUE(world.revoke(current));
    EXPECT_EQ(code_of(ask(wanted)), Code::not_authorised);  // bug class 5: the connection is older than the revocation
    wanted.verb = Verb::enroll;
    EXPECT_EQ(code_of(ask(wanted)), Code::not_authorised);
}

// A request from outside cannot say of itself that its key was made here.
TEST_F(KeyGeneration, PossessionIsNotClaimed) {
    auto claimed = parts();
    const auto forged = x509::CertificationRequest::make(claimed).value();
    EnrollRequest wanted{Verb::enroll, "device", "", forged, world.by_password("dev")};
    EXPECT_FALSE(world.ask(wanted));
}

// ---- archived keys

struct Archive : KeyGeneration {
    static x509::Certificate agent(const crypto::PrivateKey& key, std::uint32_t usage) {
        const auto signer = new_key();
        x509::TbsCertificate tbs;
        tbs.serial_number = ByteVec(8, 0x17);
        std::ranges::copy(crypto::sha256(key.public_key().spki()) | std::views::take(7), tbs.serial_number.begin() + 1);
        tbs.signature_algorithm = signer.signature_algorithm().value()->identifier;
        tbs.issuer = name("CN=agents");
        tbs.subject = name("CN=agent");
        tbs.not_before = start;
        tbs.not_after = start + Seconds{86400};
        tbs.spki = to_vec(key.public_key().spki());
        tbs.extensions = {x509::make_key_usage(usage), x509::make_subject_key_identifier(ByteVec{1, 2, 3})};
        const auto octets = x509::encode_tbs(tbs);
        return x509::Certificate::parse(x509::encode_certificate(octets, tbs.signature_algorithm, signer.sign(octets).value())).value();
    }
    void make(const std::vector<x509::Certificate>& agents) {
        world.profiles[0].archive_keys = true;
        auto config = world.config();
        config.recovery_agents = agents;
        world.authority = Authority::create(std::move(config), *world.store, world.clock, world.entropy).value();
    }
    crypto::PrivateKey rsa = new_key("rsa2048"), ec = new_key("p384");
    x509::Certificate first = agent(rsa, x509::key_encipherment), second = agent(ec, x509::key_agreement);
};

TEST_F(Archive, EachAgentOpensItAndNobodyElse) {
    make({first, second});
    const auto outcome = ask(request(parts()));
    const auto& key = made(outcome);
    const auto kept = world.store->key_reads()->archived_key("issuing", key.certificate.serial_number()).value();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->agents, "CN=agent | CN=agent");
    const auto message = cms::EnvelopedData::parse(kept->envelope).value();
    EXPECT_EQ(message.recipients().size(), 2u);
    for (const auto& [holder, certificate] : {std::pair{rsa, first}, std::pair{ec, second}}) {
        const auto opened = message.open(cms::KeyHolder{holder, certificate});
        ASSERT_TRUE(opened) << opened.error().detail;
        const auto recovered = cms::decode_key_package(opened->reveal()).value();
        EXPECT_TRUE(same(recovered.public_key().spki(), key.certificate.spki()));
    }
    const auto stranger = new_key("rsa2048");
    EXPECT_EQ(code_of(message.open(cms::KeyHolder{stranger, agent(stranger, x509::digital_signature | x509::key_encipherment)})), Code::not_found);
    // bug class 12: the key is nowhere in the database as it is
    const auto plain = cms::encode_private_key(key.key).value();
    const auto database = file::read(world.directory.path() / "estuary.db", 64u << 20).value();
    const auto secret = plain.reveal().subspan(plain.reveal().size() / 2, 24);
    EXPECT_TRUE(std::ranges::search(database, secret).empty());
}

TEST_F(Archive, IsOfKeysMadeHereOnly) {
    make({first});
    const auto certificate = issued(world.enroll(csr({}, new_key()), world.by_password("dev"))).certificate;
    EXPECT_FALSE(world.store->key_reads()->archived_key("issuing", certificate.serial_number()).value());
}

TEST_F(Archive, WrongAgentsAreFoundAtStart) {
    world.profiles[0].archive_keys = true;
    EXPECT_EQ(code_of(Authority::create(world.config(), *world.store, world.clock, world.entropy)), Code::policy);
    auto config = world.config();
    config.recovery_agents = {agent(rsa, x509::digital_signature)};
    EXPECT_EQ(code_of(Authority::create(std::move(config), *world.store, world.clock, world.entropy)), Code::bad_key);
}

// ---- keys that requesters name

struct NamedKeys : KeyGeneration {
    void add(store::DecryptionKey record) {
        UnitOfWork work;
        work.writes.emplace_back(store::InsertDecryptionKey{std::move(record)});
        ASSERT_TRUE(world.store->commit(std::move(work)));
    }
    void add_shared(const ByteVec& identifier, std::string credential = {}, std::string pattern = {}) {
        store::DecryptionKey record;
        record.identifier = identifier;
        record.credential = std::move(credential);
        record.subject_pattern = std::move(pattern);
        record.sealed_key = seal_decryption_key(world.config().password_key, identifier, crypto::Secret{ByteVec(32, 7)}, world.entropy).value();
        add(std::move(record));
    }
    Result<crypto::Secret> shared(const ByteVec& identifier, std::string_view subject = "CN=device 1") {
        const auto who = world.by_password("dev");
        const auto asked = name(subject);
        return world.authority->shared_decryption_key(identifier, {who, "issuing", asked});
    }
    Result<x509::Certificate> certified(Bytes identifier, const Principal& who, std::string_view subject = "CN=device 1") {
        const auto asked = name(subject);
        return world.authority->decryption_certificate(identifier, {who, "issuing", asked});
    }
    /// A certificate that can be encrypted to.
    x509::Certificate encryption_certificate(const std::string& subject = "CN=device 1") {
        shape([](Profile& p) { p.key_usage = x509::digital_signature | x509::key_encipherment; p.key_types = {"p256", "rsa2048"}; });
        return world.issue({subject}, new_key("rsa2048")).value();
    }
};

TEST_F(NamedKeys, SharedKeysAreSealedAndBound) {
    add_shared({1});
    add_shared({2}, "other");
    add_shared({3}, "dev");
    add_shared({4}, "", "CN=device 1");
    add_shared({5}, "", "CN=device 2");
    EXPECT_EQ(to_hex(shared({1}).value().reveal()), to_hex(ByteVec(32, 7)));
    EXPECT_TRUE(shared({3}));
    EXPECT_TRUE(shared({4}));
    // bug classes 7, 8: the same words for what is not there and what is another's
    const auto unknown = shared({9});
    EXPECT_EQ(code_of(unknown), Code::policy);
    for (const std::uint8_t other : {2, 5}) {
        const auto refused = shared({other});
        EXPECT_EQ(code_of(refused), Code::policy);
        EXPECT_EQ(refused.error().detail.substr(19), unknown.error().detail.substr(19));
    }
    EXPECT_EQ(code_of(shared({})), Code::malformed);
    EXPECT_EQ(code_of(shared(ByteVec(65))), Code::malformed);
    // Sealed for one identifier, it opens under no other.
    auto copied = world.store->key_reads()->shared_decryption_key(ByteVec{1}).value().value();
    copied.identifier = {8};
    add(copied);
    EXPECT_EQ(code_of(shared({8})), Code::internal);
    EXPECT_EQ(code_of(seal_decryption_key(world.config().password_key, ByteVec{1}, crypto::Secret{ByteVec(20, 7)}, world.entropy)), Code::bad_key);
}

TEST_F(NamedKeys, CertificateThatWasShownNamesItself) {
    const auto own = world.issue({}).value();
    EXPECT_EQ(certified(own.subject_key_id().value(), world.by_certificate(own)).value(), own);
    EXPECT_EQ(code_of(certified(own.subject_key_id().value(), world.by_password("dev"))), Code::policy);  // it cannot be encrypted to
}

TEST_F(NamedKeys, CertificatesOfOursAreFoundByKeyIdentifier) {
    const auto own = encryption_certificate();
    const auto identifier = own.subject_key_id().value();
    const auto who = world.by_password("dev");
    EXPECT_EQ(certified(identifier, who).value(), own);
    EXPECT_EQ(code_of(certified(identifier, who, "CN=device 2")), Code::policy);  // another's (bug class 8)
    EXPECT_EQ(code_of(certified(ByteVec{1, 2}, who)), Code::policy);
    ASSERT_TRUE(world.revoke(own));
    EXPECT_EQ(code_of(certified(identifier, who)), Code::policy);
}

/// An empty subject is nobody's, so that it does not make everybody without a subject the holder (bug class 8).
TEST_F(NamedKeys, EmptySubjectNamesNobody) {
    shape([](Profile& p) {
        p.key_usage = x509::digital_signature | x509::key_encipherment;
        p.subject.may_be_empty = true;
    });
    const auto another = world.issue({"", {"dns:a.example"}}, new_key("rsa2048")).value();
    const auto who = world.by_password("dev");
    EXPECT_EQ(code_of(world.authority->decryption_certificate(another.subject_key_id().value(), {who, "issuing", x509::Name{}})), Code::policy);
}

TEST_F(NamedKeys, CertificatesEnd) {
    const auto own = encryption_certificate();
    world.clock.set(own.not_after() + Seconds{1});
    EXPECT_EQ(code_of(certified(own.subject_key_id().value(), world.by_password("dev"))), Code::policy);
}

TEST_F(NamedKeys, OperatorNamesCertificatesOfOthers) {
    const auto foreign = Archive::agent(new_key("p256"), x509::key_agreement);
    store::DecryptionKey record;
    record.identifier = {1, 2, 3};
    record.subject_pattern = "CN=device *";
    record.certificate = to_vec(foreign.der());
    add(record);
    EXPECT_EQ(certified(record.identifier, world.by_password("dev")).value(), foreign);
    EXPECT_EQ(code_of(certified(record.identifier, world.by_password("dev"), "CN=other")), Code::policy);
    world.clock.set(foreign.not_after() + Seconds{1});
    EXPECT_EQ(code_of(certified(record.identifier, world.by_password("dev"))), Code::policy);
}

}  // namespace
}  // namespace estuary::authority::test
