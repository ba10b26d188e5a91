#include "support.h"

namespace estuary::authority::test {
namespace {

std::vector<ByteVec> chain(const std::vector<x509::Certificate>& certificates) {
    std::vector<ByteVec> ders;
    for (const auto& certificate : certificates) ders.push_back(to_vec(certificate.der()));
    return ders;
}

TEST(ClientCertificate, OfOurs) {
    World world;
    const auto made = world.issue({}).value();
    for (const auto& verified : {chain({made, world.ca->issuing, world.ca->root}), chain({made, world.ca->issuing})}) {
        const auto proof = world.authority->authenticate_certificate(verified);
        ASSERT_TRUE(proof) << proof.error().detail;
        EXPECT_EQ(proof->issued_by_ca, "issuing");
        EXPECT_EQ(proof->profile, "device");
        EXPECT_EQ(proof->manufacturer, "");
        EXPECT_FALSE(proof->registration_authority);
    }
}

// bug class 6: signed by the CA's key, but not in the store (made by a thief of the key, or lost with a backup)
TEST(ClientCertificate, UnrecordedOneIsRefused) {
    World world;
    UnitOfWork work;
    const auto outcome = world.authority->enroll(world.request(csr({}, new_key()), World::operator_principal()), work);
    EXPECT_EQ(code_of(world.prove(issued(outcome).certificate)), Code::not_authorised);
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_TRUE(world.prove(issued(outcome).certificate));
}

TEST(ClientCertificate, SameSerialNumberOtherOctets) {
    World world;
    const auto made = world.issue({}).value();
    auto der = to_vec(made.der());
    der.back() ^= 1;  // another signature
    const auto forged = x509::Certificate::parse(der);
    ASSERT_TRUE(forged);
    EXPECT_EQ(code_of(world.prove(*forged)), Code::not_authorised);
}

TEST(ClientCertificate, UnknownAnchorOrNone) {
    World world, other;
    const auto theirs = other.issue({}).value();
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(chain({theirs, other.ca->issuing, other.ca->root}))), Code::not_authorised);
    // Same names, other keys: only octets count.
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(chain({theirs, world.ca->issuing, world.ca->root}))), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_certificate({})), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(chain({world.ca->root}))), Code::not_authorised);
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(chain({world.ca->issuing, world.ca->root}))), Code::not_authorised);
}

TEST(ClientCertificate, OnlyWhileValid) {
    World world;
    const auto made = world.issue({}).value();
    world.clock.set(made.not_after());
    EXPECT_TRUE(world.prove(made));
    world.clock.set(made.not_after() + Seconds{1});
    EXPECT_EQ(code_of(world.prove(made)), Code::not_authenticated);
    world.clock.set(made.not_before() - Seconds{1});
    EXPECT_EQ(code_of(world.prove(made)), Code::not_authenticated);
}

TEST(ClientCertificate, OfAManufacturer) {
    World maker, world;
    const auto idevid = maker.issue({"CN=idevid,serialNumber=4711"}).value();
    const auto verified = chain({idevid, maker.ca->issuing, maker.ca->root});
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(verified)), Code::not_authorised);
    world.manufacturers = {{"acme", {maker.ca->root}}};
    world.make();
    const auto proof = world.authority->authenticate_certificate(verified).value();
    EXPECT_EQ(proof.manufacturer, "acme");
    EXPECT_EQ(proof.issued_by_ca, "");
    // What it holds says nothing here: id-kp-cmcRA counts in certificates of ours only (RFC 7030 3.7).
    UnitOfWork work;
    const auto foreign_ra = maker.authority->issue_for_server("server", csr({"", {"dns:ra.example"}}, new_key()), work).value();
    const auto ra = world.authority->authenticate_certificate(chain({foreign_ra, maker.ca->issuing, maker.ca->root})).value();
    EXPECT_FALSE(ra.registration_authority);
    EXPECT_EQ(code_of(world.authority->authenticate_certificate(chain({maker.ca->issuing, maker.ca->root}))), Code::not_authorised);
}

TEST(ClientCertificate, OfAManufacturerIsJudgedByItsStatus) {  // bug class 6
    World maker, world;
    const auto idevid = maker.issue({"CN=idevid"}).value();
    const auto verified = chain({idevid, maker.ca->issuing, maker.ca->root});
    Result<void> answer;
    std::vector<ByteVec> asked;
    world.manufacturers = {{"acme", {maker.ca->root}, [&](const std::vector<ByteVec>& path) {
                                asked = path;
                                return answer;
                            }}};
    world.make();
    EXPECT_TRUE(world.authority->authenticate_certificate(verified));
    EXPECT_EQ(asked, verified) << "the whole path, anchor last";
    for (const auto code : {Code::not_authorised, Code::too_busy, Code::unavailable}) {
        answer = fail(code, "because");
        EXPECT_EQ(code_of(world.authority->authenticate_certificate(verified)), code);
    }
    const auto own = world.issue({}).value();
    EXPECT_TRUE(world.prove(own)) << "ours are looked up in the store";
}

/// As its maker has made it.
x509::Certificate device_of(const NewCa& maker, std::uint8_t number, const World& world) {
    const auto key = new_key();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x01, number};
    tbs.signature_algorithm = maker.issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = maker.issuing.subject();
    tbs.not_before = world.clock.now() - Seconds{60};
    tbs.not_after = world.clock.now() + Seconds{3600};
    tbs.subject = name("CN=device " + std::to_string(number));
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = {x509::make_key_usage(x509::digital_signature), x509::make_authority_key_identifier(maker.issuing.subject_key_id().value())};
    const auto octets = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(octets, tbs.signature_algorithm, maker.issuing_key.sign(octets).value())).value();
}

/// The path of the first is verified by OpenSSL, those of others below the same issuer without it: nothing else may change.
TEST(ClientCertificate, EachOfAManufacturersIsJudgedByItsStatusWhenItSigns) {  // bug class 6
    World world;
    UnitOfWork work;
    const auto maker = make_ca({.organisation_name = "Maker", .key_type = "p256", .name_constraints = {}}, world.clock, world.entropy, work).value();
    Result<void> answer;
    std::vector<ByteVec> asked;
    world.manufacturers = {{"acme", {maker.root}, [&](const std::vector<ByteVec>& path) {
                                asked = path;
                                return answer;
                            }}};
    world.make();
    for (std::uint8_t number = 0; number < 3; ++number) {
        const auto device = device_of(maker, number, world);
        const auto ask = [&] { return world.authority->authenticate_signer(device, {device, maker.issuing}); };
        answer = {};
        const auto proof = ask();
        ASSERT_TRUE(proof) << proof.error().detail;
        EXPECT_EQ(proof->manufacturer, "acme");
        EXPECT_EQ(proof->issued_by_ca, "");
        EXPECT_EQ(asked, chain({device, maker.issuing, maker.root})) << "the whole path, anchor last";
        answer = fail(Code::not_authorised, "revoked");
        EXPECT_EQ(code_of(ask()), Code::not_authorised);
        answer = {};
        EXPECT_EQ(code_of(world.authority->authenticate_signer(device, {device})), Code::not_authorised) << "its issuer is not handed in";
        EXPECT_EQ(code_of(world.authority->authenticate_signer(maker.issuing, {})), Code::not_authorised);
        world.clock.set(device.not_after() + Seconds{1});
        EXPECT_EQ(code_of(ask()), Code::not_authorised);
        world.clock.set(device.not_after());
        EXPECT_TRUE(ask());
    }
}

TEST(ClientCertificate, OfTheCaBeforeARollover) {
    World world;
    const auto made = world.issue({}).value();
    UnitOfWork work;
    auto rolled = roll_over({.organisation_name = "Test", .key_type = "p256", .name_constraints = {}}, world.ca->root, world.ca->root_key,
                            world.clock, world.entropy, work);
    ASSERT_TRUE(rolled) << rolled.error().detail;
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto old = *world.ca;
    auto config = world.config();
    config.cas.clear();
    config.cas.push_back({"issuing", rolled->next.issuing, rolled->next.issuing_key, {rolled->next.root},
                          {rolled->old_with_new, rolled->new_with_old, old.issuing, old.root}});
    world.authority = Authority::create(std::move(config), *world.store, world.clock, world.entropy).value();
    const auto proof = world.authority->authenticate_certificate(chain({made, old.issuing, old.root}));
    ASSERT_TRUE(proof) << proof.error().detail;
    EXPECT_EQ(proof->issued_by_ca, "issuing");
    // It renews under the new key.
    Principal principal;
    principal.certificate = *proof;
    const auto renewed = issued(world.renew(csr({}, new_key()), principal)).certificate;
    EXPECT_TRUE(renewed.issuer() == rolled->next.issuing.subject());
    EXPECT_EQ(world.authority->ca_certificates("issuing").value().size(), 6u);
}

}  // namespace
}  // namespace estuary::authority::test
