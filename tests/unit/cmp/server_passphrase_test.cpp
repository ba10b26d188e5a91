// Revocation passphrases (RFC 9810 5.3.19.9, B): conveyed, kept, and shown by an rr without any key.
#include "estuary/cmp/passphrase.h"
#include "estuary/cms/content_info.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::InfoTypeAndValue;
using cmp::PkiHeader;

constexpr const char* passphrase = "a canary that sings at night";
constexpr const char* other_passphrase = "another canary, by day";
const std::string& canary_label() {
    static const std::string name = "passphrase";
    return name;
}

bool acknowledged(const PkiMessage& answer) {
    const auto info = cmp::find_only(answer.header().general_info, cmp::oid::rev_passphrase);
    return info && *info != nullptr && !(*info)->info_value;
}

std::function<void(PkiHeader&)> with(InfoTypeAndValue info) {
    return [info](PkiHeader& header) { header.general_info.push_back(info); };
}

/// One who shows the passphrase.
std::function<void(PkiHeader&)> known_as(const std::string& sender) {
    return [sender](PkiHeader& header) {
        header.sender = directory(sender);
        header.sender_kid.reset();
    };
}

std::string text_in(const PkiMessage& answer) { return answer.as<cmp::ErrorMsgContent>().to_text(); }

class CmpPassphrase : public testing::Test {
protected:
    x509::Certificate encryption_certificate() {
        Talker talker{world, "alice", alice_secret, canary_label()};
        const auto answer = talker.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_prot_enc_cert)}}});
        return cmp::read_ca_prot_enc_cert(answer.as<cmp::GenContent>().infos.at(0)).value().value().x509().value();
    }
    /// For the CA's key.
    InfoTypeAndValue sealed(const std::string& text = passphrase, const std::string& identifier = "id") {
        const auto certificate = encryption_certificate();
        return cmp::make_conveyed_passphrase(crypto::Secret{std::string_view{text}}, as_bytes(identifier), &certificate).value();
    }
    /// By the secret that protects the message.
    static InfoTypeAndValue shared(const std::string& secret, const std::string& text = passphrase, const std::string& identifier = "id") {
        const crypto::Secret key{std::string_view{secret}};
        return cmp::make_conveyed_passphrase(crypto::Secret{std::string_view{text}}, as_bytes(identifier), &key).value();
    }
    static PkiBody question(InfoTypeAndValue info) { return {BodyType::genm, cmp::GenContent{{std::move(info)}}}; }
    Talker speaks(const Identity& identity, const std::string& label = canary_label()) {
        Talker talker{world, identity, label};
        talker.pvno = cmp::cmp2021;
        return talker;
    }
    Talker speaks_secretly(const std::string& name = "alice", const std::string& secret = alice_secret, const std::string& label = canary_label()) {
        Talker talker{world, name, secret, label};
        talker.pvno = cmp::cmp2021;
        return talker;
    }
    /// What an rr with the passphrase is told.
    std::string revoked_by(const x509::Certificate& certificate, const std::string& identifier = "id", const std::string& text = passphrase,
                           const std::string& label = canary_label(), std::function<void(PkiHeader&)> bend = {}) {
        return verdict(Talker{world, identifier, text, label}.send(revocation(certificate), std::move(bend)));
    }
    Identity enrolled(const std::string& subject, const std::string& profile = {}) { return world.enrolled(subject, canary_label(), profile); }
    /// A certificate that its holder got with another certificate.
    x509::Certificate another(const Identity& by, const std::string& subject, BodyType type = BodyType::cr) {
        Talker talker{world, by, canary_label()};
        return certificate_of(talker.send(talker.request(type, subject), implicit()));
    }

    ServerWorld world;
};

TEST_F(CmpPassphrase, GenmIsAcknowledgedAndRevokesWithoutTheKey) {
    const auto device = enrolled("CN=dev");
    const auto told = speaks(device).send(question(sealed()));
    ASSERT_EQ(verdict(told), "genp");
    const auto& info = told.as<cmp::GenContent>().infos.at(0);
    EXPECT_EQ(info.info_type, cmp::oid::rev_passphrase);
    EXPECT_FALSE(info.info_value);
    world.restart();
    Talker lost{world, "id", passphrase, canary_label()};
    const auto answer = lost.send(revocation(device.certificate, {{x509::oid::crl_reason, false, hex("0a0101")}}));
    ASSERT_EQ(verdict(answer), "rp accepted");
    EXPECT_TRUE(cmp::verify_mac_protection(*answer.header().protection_alg, answer.protected_part(), *answer.protection(),
                                           crypto::Secret{std::string_view{passphrase}}));
    EXPECT_EQ(answer.header().sender_kid, to_vec(as_bytes("id")));
    EXPECT_EQ((**world.authority->status("issuing", device.certificate.serial_number())).revocation->reason, store::RevocationReason::key_compromise);
    world.restart();
    EXPECT_TRUE(same(lost.deliver(lost.last_sent).der(), answer.der())) << "bug class 25: the same message, the same answer";
    EXPECT_EQ(revoked_by(device.certificate), "rp rejection certRevoked");
}

TEST_F(CmpPassphrase, EveryMessageMayConveyIt) {
    auto talker = speaks_secretly();
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"), with(shared(alice_secret)));
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_TRUE(acknowledged(answer));
    const auto confirmed = talker.send(talker.confirmation(certificate_of(answer)), with(shared(alice_secret, passphrase, "by certConf")));
    ASSERT_EQ(verdict(confirmed), "pkiconf");
    EXPECT_TRUE(acknowledged(confirmed));

    const auto device = talker.identity(answer);
    for (const auto type : {BodyType::cr, BodyType::kur}) {
        auto signing = speaks(device);
        const auto got = signing.send(signing.request(type, "CN=dev"), with(sealed(passphrase, std::string{to_string(type)})));
        EXPECT_EQ(verdict(got), type == BodyType::cr ? "cp accepted" : "kup accepted");
        EXPECT_TRUE(acknowledged(got));
        const auto ended = signing.send({BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::bad_request, "no"), {}, {}}},
                                        with(sealed(passphrase, "error " + std::string{to_string(type)})));
        EXPECT_EQ(verdict(ended), "pkiconf");
        EXPECT_TRUE(acknowledged(ended));
    }
    auto p10 = speaks_secretly();
    EXPECT_TRUE(acknowledged(p10.send(p10.p10("CN=dev"), [&](PkiHeader& header) {
        header.general_info = {cmp::make_implicit_confirm(), sealed(passphrase, "by p10cr")};
    })));
    auto waiting = speaks_secretly();
    const auto later = waiting.send(waiting.request(BodyType::ir, "CN=later"), [&](PkiHeader& header) {
        header.general_info = {cmp::make_cert_profile({"manual"}), shared(alice_secret, passphrase, "while it waits")};
    });
    EXPECT_EQ(verdict(later), "ip waiting");
    EXPECT_TRUE(acknowledged(later));
    const auto polled = waiting.send(poll_for(0), with(shared(alice_secret, passphrase, "by pollReq")));
    EXPECT_EQ(polled.type(), BodyType::poll_rep);
    EXPECT_TRUE(acknowledged(polled));
    auto asks = speaks(device);
    EXPECT_TRUE(acknowledged(asks.send(question(cmp::ask(cmp::oid::ca_certs)), with(sealed(passphrase, "by genm's header")))));
    const auto other = another(device, "CN=dev");
    asks.begin();
    const auto revoked = asks.send(revocation(device.certificate), with(sealed(passphrase, "by rr")));
    EXPECT_EQ(verdict(revoked), "rp accepted");
    EXPECT_TRUE(acknowledged(revoked));
    EXPECT_EQ(revoked_by(other, "by rr"), "rp accepted");
    for (const auto* identifier : {"id", "by certConf", "cr", "error cr", "kur", "error kur", "by p10cr", "while it waits", "by pollReq", "by genm's header"})
        EXPECT_EQ(revoked_by(device.certificate, identifier), "rp rejection certRevoked") << identifier;
}

TEST_F(CmpPassphrase, ARefusedMessageConveysNothing) {
    const auto device = enrolled("CN=dev");
    auto talker = speaks(device);
    const auto answer = talker.send(talker.request(BodyType::kur, "CN=somebody else"), with(sealed()));
    EXPECT_EQ(answer.type(), BodyType::error) << "RFC 9810 B: it cannot be acknowledged";
    EXPECT_FALSE(acknowledged(answer));
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
    auto foreign = speaks(device);
    EXPECT_EQ(foreign.send(revocation(world.other_ca->issuing), with(sealed())).type(), BodyType::error);
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
    auto closed = speaks_secretly("alice", alice_secret, "closed");
    EXPECT_EQ(verdict(closed.send(closed.request(BodyType::ir, "CN=dev"), with(shared(alice_secret)))), "error badRequest");
    // A passphrase that cannot be taken takes the request with it.
    auto bad = speaks_secretly();
    const auto before = world.certificates();
    EXPECT_EQ(verdict(bad.send(bad.request(BodyType::ir, "CN=dev"), with(shared(alice_secret, passphrase, "id")))), "ip accepted");
    EXPECT_EQ(world.certificates(), before + 1);
    auto refused = speaks(device);
    EXPECT_EQ(verdict(refused.send(refused.request(BodyType::cr, "CN=dev"), with(sealed(passphrase, "id")))), "error notAuthorized") << "alice's identifier";
    EXPECT_EQ(world.certificates(), before + 1) << "nothing was issued";
}


class CmpPassphraseMalformed : public CmpPassphrase {
protected:
    InfoTypeAndValue made(std::string_view content, std::function<void(cms::EnvelopedDataBuilder&)> change = {}, const der::Oid& type = cms::oid::data) {
        const auto certificate = encryption_certificate();
        cms::EnvelopedDataBuilder builder{type, as_bytes(content)};
        builder.recipient(certificate);
        if (change) change(builder);
        const auto whole = builder.build().value();
        return cmp::make_rev_passphrase(crmf::EnvelopedKey{to_vec(cms::inner_content(whole).value())});
    }
    static ByteVec octets(std::size_t count) {
        der::Writer writer;
        writer.octet_string(ByteVec(count, 'x'));
        return std::move(writer).take();
    }
    std::string said(const InfoTypeAndValue& info, std::function<void(PkiHeader&)> bend = {}) {
        const auto answer = speaks(device).send(question(info), std::move(bend));
        if (answer.type() == BodyType::error) text = text_in(answer);
        return verdict(answer);
    }
    Identity device = enrolled("CN=dev");
    std::string text;
};

TEST_F(CmpPassphraseMalformed, LengthAndDecryptionAreToldAlike) {   // bug class 17
    std::set<std::string> texts;
    const auto long_one = std::string(1025, 'x');
    EXPECT_EQ(said(made("7 octet")), "error badRequest");
    texts.insert(text);
    EXPECT_EQ(said(made("")), "error badRequest");
    texts.insert(text);
    EXPECT_EQ(said(made(long_one)), "error badRequest");
    texts.insert(text);
    auto bent = made("long enough to be one");
    bent.info_value->back() ^= 1;   // the last octet of the content: padding
    EXPECT_EQ(said(bent), "error badRequest");
    texts.insert(text);
    EXPECT_EQ(texts.size(), 1u);
    EXPECT_EQ(said(made("8 octets")), "genp");
    EXPECT_EQ(said(made(std::string(1024, 'x'))), "genp");
}

TEST_F(CmpPassphraseMalformed, WhatIsNoSuchEnvelopeIsRefused) {
    const auto& good = "a passphrase that is good";
    EXPECT_EQ(said(cmp::ask(cmp::oid::rev_passphrase)), "error badDataFormat");
    EXPECT_EQ(said(made(good, {}, cms::oid::signed_data)), "error badRequest");
    EXPECT_EQ(said(made(good, [&](auto& builder) { builder.password(crypto::Secret{"x"}, 1000); })), "error badDataFormat") << "two recipients";
    const auto other = enrolled("CN=other");
    cms::EnvelopedDataBuilder elsewhere{cms::oid::data, as_bytes(good)};
    elsewhere.recipient(other.key.public_key(), cms::Identifier::by_issuer(other.certificate));
    EXPECT_EQ(said(cmp::make_rev_passphrase(crmf::EnvelopedKey{to_vec(cms::inner_content(elsewhere.build().value()).value())})), "error badRequest");
    EXPECT_THAT(text, testing::HasSubstr("caProtEncCert"));
    EXPECT_EQ(said(shared(alice_secret)), "error badRequest") << "a password that no MAC has proved";
    EXPECT_EQ(said(cmp::make_rev_passphrase(crmf::EnvelopedKey{hex("3000")})), "error badDataFormat");
    EXPECT_EQ(said({cmp::oid::rev_passphrase, hex("0500")}), "error badDataFormat");
    for (const std::size_t count : {0u, 65u})
        EXPECT_EQ(said(made(good, [&](auto& builder) { builder.unprotected(cms::make_attribute(cms::oid::local_key_id, octets(count))); })),
                  "error badRequest");
    EXPECT_EQ(said(made(good, [](auto& builder) { builder.unprotected({cms::oid::local_key_id, {octets(1), octets(2)}}); })), "error badDataFormat");
    EXPECT_EQ(said(made(good, [](auto& builder) { builder.unprotected(cms::make_attribute(cms::oid::local_key_id, hex("0500"))); })), "error badDataFormat");
    EXPECT_EQ(said(made(good, [](auto& builder) { builder.unprotected(cms::make_attribute(cms::oid::local_key_id, octets(64))); })), "genp");
}

TEST_F(CmpPassphraseMalformed, EncryptedValueIsRefusedWithTheReason) {
    crmf::EncryptedValue value;
    value.enc_value = hex("00112233");
    const auto old = cmp::make_rev_passphrase(value);
    Talker talker{world, device, canary_label()};
    for (const auto pvno : {cmp::cmp2000, cmp::cmp2021}) {
        talker.begin();
        talker.pvno = pvno;
        const auto answer = talker.send(question(old));
        EXPECT_EQ(verdict(answer), "error badRequest");
        EXPECT_THAT(text_in(answer), testing::HasSubstr("EnvelopedData, with pvno 3"));
    }
    talker.begin();
    talker.pvno = cmp::cmp2000;
    EXPECT_EQ(verdict(talker.send(question(sealed()))), "error badRequest") << "EnvelopedData needs pvno 3";
}

TEST_F(CmpPassphraseMalformed, TheMessageIsProtectedAndSaysWhen) {
    EXPECT_EQ(said(sealed(), [](PkiHeader& header) { header.message_time.reset(); }), "error badTime");
    EXPECT_EQ(said(sealed(), with(sealed())), "error badRequest") << "one in the body, one in the header";
    auto twice = speaks(device);
    EXPECT_EQ(verdict(twice.send({BodyType::genm, cmp::GenContent{{sealed(), sealed()}}})), "error badRequest");
    twice.begin();
    EXPECT_EQ(verdict(twice.send(question(cmp::ask(cmp::oid::ca_certs)), [&](PkiHeader& header) { header.general_info = {sealed(), sealed()}; })),
              "error badRequest");
    world.restart([](cmp::ServerConfig& config) {
        for (auto& label : config.labels) label.unprotected_information = true;
    });
    auto nobody = speaks(device);
    nobody.protect = [](PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra) {
        return cmp::encode_message(header.encode(), body.encode(), {}, extra);
    };
    EXPECT_EQ(verdict(nobody.send(question(sealed()))), "error notAuthorized");
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
}

TEST_F(CmpPassphrase, CostlyPasswordEnvelopesAreRefused) {   // bug class 30
    const crypto::Secret secret{std::string_view{alice_secret}};
    cms::EnvelopedDataBuilder builder{cms::oid::data, as_bytes(passphrase)};
    builder.password(secret, 100'001);
    const auto info = cmp::make_rev_passphrase(crmf::EnvelopedKey{to_vec(cms::inner_content(builder.build().value()).value())});
    EXPECT_EQ(speaks_secretly().send(question(info)).type(), BodyType::error);
    EXPECT_EQ(verdict(speaks_secretly().send(question(shared(alice_secret)))), "genp");
}

// -- whose certificates it reaches: bug classes 2, 7 and 8

TEST_F(CmpPassphrase, OfACredentialReachesWhatItRequested) {
    world.add_secret("bob", "bobs-canary-secret");
    const auto hers = enrolled("CN=dev");
    auto bob = speaks_secretly("bob", "bobs-canary-secret");
    const auto his = certificate_of(bob.send(bob.request(BodyType::ir, "CN=dev"), implicit()));
    const auto under_another = world.enrolled("CN=dev", "many");
    const auto by_her_certificate = another(hers, "CN=dev");
    ASSERT_EQ(verdict(speaks_secretly().send(question(shared(alice_secret)))), "genp");
    EXPECT_EQ(revoked_by(his), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(under_another.certificate), "rp rejection notAuthorized") << "another label";
    EXPECT_EQ(revoked_by(by_her_certificate), "rp rejection notAuthorized") << "that was requested by the certificate, not by the credential";
    EXPECT_EQ(revoked_by(world.ca->issuing), "rp rejection badCertId");
    EXPECT_EQ(revoked_by(hers.certificate, "id", passphrase, "many"), "error badMessageCheck") << "a label that takes none";
    EXPECT_EQ(revoked_by(hers.certificate), "rp accepted");
}

TEST_F(CmpPassphrase, OfACertificateReachesItsVerySubject) {
    const auto device = enrolled("CN=dev,O=x");
    const auto same_name = another(device, "CN=dev,O=x", BodyType::kur);
    const auto folded = enrolled("CN=DEV,O=x"), others = enrolled("CN=other");
    const auto elsewhere = world.enrolled("CN=dev,O=x", "many"), ra = enrolled("CN=ra", "ra");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    EXPECT_EQ(revoked_by(others.certificate), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(folded.certificate), "rp rejection notAuthorized") << "bug class 13: the very subject";
    EXPECT_EQ(revoked_by(elsewhere.certificate), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(ra.certificate), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(device.certificate), "rp accepted");
    EXPECT_EQ(revoked_by(same_name), "rp accepted");
}

TEST_F(CmpPassphrase, OfAManufacturersReachesWhatTheDeviceGot) {
    const auto built = world.device("CN=dev");
    auto talker = speaks(built);
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"));
    ASSERT_EQ(verdict(answer), "ip accepted");
    const auto certificate = certificate_of(answer);
    const auto namesake = enrolled("CN=dev");
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate), with(sealed(passphrase, "")))), "error badRequest") << "its names are not ours";
    EXPECT_EQ(verdict(talker.send(talker.confirmation(certificate), with(sealed()))), "pkiconf");
    EXPECT_EQ(revoked_by(namesake.certificate), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(certificate), "rp accepted");
    auto unlisted = speaks(world.device("CN=dev", "globex"));
    EXPECT_EQ(verdict(unlisted.send(question(sealed(passphrase, "globex")))), "error notAuthorized");
}

TEST_F(CmpPassphrase, RegistrationAuthoritiesConveyNone) {
    const auto ra = enrolled("CN=ra", "ra"), device = enrolled("CN=dev");
    EXPECT_EQ(verdict(speaks(ra).send(question(sealed()))), "error notAuthorized");
    auto replaced = speaks(ra);   // as one would send on what a device had sent (RFC 9483 5.2.3)
    EXPECT_EQ(verdict(replaced.send(replaced.request(BodyType::ir, "CN=new"), with(sealed()))), "error notAuthorized");
    auto inner = speaks_secretly();
    const auto message = PkiMessage::parse(inner.make(inner.request(BodyType::ir, "CN=new"), with(shared(alice_secret)))).value();
    const auto nest = [&](std::function<void(PkiHeader&)> bend) {
        auto outer = speaks(ra);
        return verdict(outer.send({BodyType::nested, cmp::NestedMessageContent{{message}}}, [&](PkiHeader& header) {
            header.transaction_id = message.header().transaction_id;
            header.sender_nonce = message.header().sender_nonce;
            if (bend) bend(header);
        }));
    };
    EXPECT_EQ(nest({}), "error notAuthorized");
    EXPECT_EQ(nest(with(sealed())), "error notAuthorized") << "around the message";
    EXPECT_EQ(revoked_by(ra.certificate), "error badMessageCheck");
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
}

TEST_F(CmpPassphrase, LabelsAndCertificatesOfOthersConveyNone) {
    const auto elsewhere = world.enrolled("CN=dev", "many");
    EXPECT_EQ(verdict(speaks(elsewhere).send(question(sealed()))), "error notAuthorized");
    EXPECT_EQ(verdict(speaks(elsewhere, "many").send(question(sealed()))), "error badRequest") << "the label takes none";
    auto stranger = speaks_secretly("alice", "wrong");
    EXPECT_EQ(verdict(stranger.send(question(shared("wrong")))), "error badMessageCheck");
}

TEST_F(CmpPassphrase, LiftsNoHold) {
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    const auto with_reason = [&](const char* reason) {
        return verdict(Talker{world, "id", passphrase, canary_label()}.send(revocation(device.certificate, {{x509::oid::crl_reason, false, hex(reason)}})));
    };
    EXPECT_EQ(with_reason("0a0106"), "rp accepted");
    EXPECT_EQ(with_reason("0a0108"), "rp rejection notAuthorized");
    EXPECT_TRUE(world.is_revoked(device.certificate));
    EXPECT_EQ(with_reason("0a0101"), "rp accepted");
}

TEST_F(CmpPassphrase, OfAStolenKeyReachesNothingThatCameAfterIt) {
    const auto device = enrolled("CN=dev"), before = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    ASSERT_EQ(verdict(speaks(device).send(revocation(device.certificate, {{x509::oid::crl_reason, false, hex("0a0101")}}))), "rp accepted");
    world.clock.advance(Seconds{60});
    const auto after = enrolled("CN=dev");
    EXPECT_EQ(revoked_by(after.certificate), "rp rejection notAuthorized");
    EXPECT_EQ(revoked_by(before.certificate), "rp accepted");
    // What follows from an old passphrase reaches no further than that.
    Talker heir{world, "id", passphrase, canary_label()};
    heir.pvno = cmp::cmp2021;
    const auto another_one = enrolled("CN=dev");
    EXPECT_EQ(verdict(heir.send(revocation(another_one.certificate), with(sealed(other_passphrase)))), "error notAuthorized");
    // An update is no theft.
    const auto updated = enrolled("CN=upd");
    ASSERT_EQ(verdict(speaks(updated).send(question(sealed(passphrase, "upd")))), "genp");
    ASSERT_EQ(verdict(speaks(updated).send(revocation(updated.certificate, {{x509::oid::crl_reason, false, hex("0a0104")}}))), "rp accepted");
    world.clock.advance(Seconds{60});
    EXPECT_EQ(revoked_by(enrolled("CN=upd").certificate, "upd"), "rp accepted");
}

TEST_F(CmpPassphrase, OfACredentialThatIsSomebodyElsesNowReachesNothing) {
    const auto hers = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks_secretly().send(question(shared(alice_secret)))), "genp");
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemoveCredential{"alice"});
    ASSERT_TRUE(world.store->commit(std::move(work)));
    world.add_secret("alice", "another-canary-secret");
    EXPECT_EQ(revoked_by(hers.certificate), "rp rejection notAuthorized");
}

TEST_F(CmpPassphrase, OutlivesItsCredential) {
    auto once = speaks_secretly("once", "once-canary-secret");
    const auto answer = once.send(once.request(BodyType::ir, "CN=dev"), [&](PkiHeader& header) {
        header.general_info = {cmp::make_implicit_confirm(), shared("once-canary-secret", passphrase, "")};
    });
    ASSERT_EQ(verdict(answer), "ip accepted");
    store::UnitOfWork work;
    work.writes.emplace_back(store::RemoveCredential{"once"});
    ASSERT_TRUE(world.store->commit(std::move(work)));
    world.restart();
    EXPECT_EQ(revoked_by(certificate_of(answer), "x", passphrase, canary_label(), known_as("CN=once")), "rp accepted");
}

// -- found, replaced, taken away

TEST_F(CmpPassphrase, WithoutAnIdentifierIsFoundByTheHoldersName) {
    const auto device = enrolled("CN=dev,O=x");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed(passphrase, "")))), "genp");
    EXPECT_EQ(revoked_by(device.certificate, "x", passphrase, canary_label(), known_as("CN=dev")), "error badMessageCheck");
    EXPECT_EQ(revoked_by(device.certificate, "dev"), "error badMessageCheck") << "a name is no identifier";
    Talker lost{world, "x", passphrase, canary_label()};
    const auto answer = lost.send(revocation(device.certificate), known_as("CN=DEV,O=X"));
    EXPECT_EQ(verdict(answer), "rp accepted") << "names are compared as RFC 5280 7.1 says";
    EXPECT_FALSE(answer.header().sender_kid);
}

TEST_F(CmpPassphrase, NobodyTakesThePlaceOfAnothers) {
    const auto device = enrolled("CN=dev"), other = enrolled("CN=other");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    EXPECT_EQ(verdict(speaks(other).send(question(sealed(other_passphrase)))), "error notAuthorized");
    EXPECT_EQ(verdict(speaks_secretly().send(question(shared(alice_secret, other_passphrase)))), "error notAuthorized");
    EXPECT_EQ(revoked_by(device.certificate, "id", other_passphrase), "error badMessageCheck");
    const auto updated = Identity{device.key, another(device, "CN=dev", BodyType::kur), device.chain};
    auto newer = speaks(enrolled("CN=dev"));   // the same holder with another certificate
    EXPECT_EQ(verdict(newer.send(question(sealed(other_passphrase)))), "genp");
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
    EXPECT_EQ(revoked_by(updated.certificate, "id", other_passphrase), "rp accepted");
}

TEST_F(CmpPassphrase, AnOldMessageBringsNoOldOneBack) {
    const auto device = enrolled("CN=dev");
    auto first = speaks(device);
    const auto answer = first.send(question(sealed()));
    ASSERT_EQ(verdict(answer), "genp");
    world.clock.advance(Seconds{1});
    ASSERT_EQ(verdict(speaks(device).send(question(sealed(other_passphrase)))), "genp");
    world.restart();
    EXPECT_TRUE(same(first.deliver(first.last_sent).der(), answer.der())) << "bug class 25: answered as before";
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck") << "and nothing done";
    world.clock.advance(Seconds{2 * 86400});
    EXPECT_EQ(verdict(first.deliver(first.last_sent)), "error badTime");
    world.restart([](cmp::ServerConfig& config) { config.message_time_window = Seconds{0}; });
    EXPECT_EQ(verdict(first.deliver(first.last_sent)), "error badTime") << "nor where messageTime is not looked at otherwise";
    EXPECT_EQ(revoked_by(device.certificate, "id", other_passphrase), "rp accepted");
}

TEST_F(CmpPassphrase, AnRrConveysTheNextOne) {
    const auto device = enrolled("CN=dev"), second = enrolled("CN=dev"), third = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    Talker lost{world, "id", passphrase, canary_label()};
    lost.pvno = cmp::cmp2021;
    const auto answer = lost.send(revocation(device.certificate), with(shared(passphrase, other_passphrase, "new id")));
    ASSERT_EQ(verdict(answer), "rp accepted");
    EXPECT_TRUE(acknowledged(answer));
    EXPECT_EQ(revoked_by(second.certificate), "error badMessageCheck") << "the old one is gone, with its identifier";
    EXPECT_EQ(revoked_by(second.certificate, "new id", other_passphrase), "rp accepted");
    Talker again{world, "new id", other_passphrase, canary_label()};
    again.pvno = cmp::cmp2021;
    EXPECT_EQ(verdict(again.send(revocation(third.certificate), with(sealed(passphrase, "")))), "rp accepted");
    EXPECT_EQ(revoked_by(enrolled("CN=dev").certificate, "x", passphrase, canary_label(), known_as("CN=dev")), "rp accepted");
}

TEST_F(CmpPassphrase, AuthenticatesAnRrAlone) {   // bug class 1
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    Talker talker{world, "id", passphrase, canary_label()};
    talker.pvno = cmp::cmp2021;
    const std::vector<PkiBody> bodies{
        talker.request(BodyType::ir, "CN=dev"), talker.request(BodyType::cr, "CN=dev"), talker.request(BodyType::kur, "CN=dev"),
        talker.p10("CN=dev"), question(cmp::ask(cmp::oid::ca_certs)), question(shared(passphrase)),
        {BodyType::krr, talker.request(BodyType::ir, "CN=dev").content},
    };
    for (const auto& body : bodies) {
        talker.begin();
        EXPECT_EQ(verdict(talker.send(body)), "error badMessageCheck") << to_string(body.type);
    }
    for (const auto& body : {poll_for(0), talker.confirmation(device.certificate)}) {
        talker.begin();
        talker.recip_nonce = ByteVec(16);
        EXPECT_EQ(verdict(talker.send(body)), "error badMessageCheck") << to_string(body.type);
    }
    // Nor does a secret for enrolling revoke, where passphrases do.
    EXPECT_EQ(revoked_by(device.certificate, "alice", alice_secret), "error badMessageCheck");
}

TEST_F(CmpPassphrase, GuessesAreAlikeAndSlowed) {   // bug class 26
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    const auto wrong = Talker{world, "id", "a wrong one", canary_label()}.send(revocation(device.certificate));
    const auto unknown = Talker{world, "nobody's", "a wrong one", canary_label()}.send(revocation(device.certificate));
    EXPECT_EQ(verdict(wrong), "error badMessageCheck");
    EXPECT_EQ(verdict(unknown), verdict(wrong));
    EXPECT_EQ(text_in(unknown), text_in(wrong));
    std::string said;
    for (int i = 0; i < 50 && said != "error systemUnavail"; ++i) said = revoked_by(device.certificate, "id", "a wrong one");
    EXPECT_EQ(said, "error systemUnavail");
    EXPECT_EQ(revoked_by(device.certificate), "error systemUnavail") << "also for the right one, from there";
    Talker elsewhere{world, "id", passphrase, canary_label()};
    elsewhere.transport.address = "192.0.2.77";
    world.clock.advance(Seconds{3600});
    EXPECT_EQ(verdict(elsewhere.send(revocation(device.certificate))), "rp accepted");
}

TEST_F(CmpPassphrase, IsGoneAfterItsTimeOrWhenTheLabelTakesNone) {
    const auto device = enrolled("CN=dev"), second = enrolled("CN=dev");
    world.restart([](cmp::ServerConfig& config) {
        for (auto& label : config.labels) label.passphrase_lifetime = Seconds{3600};
    });
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    world.restart([](cmp::ServerConfig& config) {   // bug class 11
        for (auto& label : config.labels) label.revocation_passphrases = false;
    });
    EXPECT_EQ(revoked_by(device.certificate), "error badMessageCheck");
    world.restart([](cmp::ServerConfig& config) {
        for (auto& label : config.labels) label.revoke = label.name != canary_label();
    });
    EXPECT_EQ(revoked_by(device.certificate), "rp rejection notAuthorized");
    world.restart();
    EXPECT_EQ(revoked_by(device.certificate), "rp accepted");
    world.clock.advance(Seconds{3601});
    EXPECT_EQ(revoked_by(second.certificate), "error badMessageCheck");
    EXPECT_EQ(verdict(speaks(enrolled("CN=other")).send(question(sealed()))), "genp") << "the identifier is free again";
}

TEST_F(CmpPassphrase, WaitsWhereAPersonHasToAgree) {
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    const auto reviewed = [&] {
        world.restart([](cmp::ServerConfig& config) {
            for (auto& label : config.labels) label.approve_revocations = label.name == canary_label();
        });
    };
    reviewed();
    Talker lost{world, "id", passphrase, canary_label()};
    lost.pvno = cmp::cmp2021;
    const auto answer = lost.send(revocation(device.certificate), with(shared(passphrase, other_passphrase)));
    ASSERT_EQ(verdict(answer), "error waiting");
    EXPECT_TRUE(acknowledged(answer));
    reviewed();
    EXPECT_EQ(verdict(lost.send(poll_for(-1), with(shared(passphrase, "a third canary")))), "error notAuthorized");
    ASSERT_EQ(lost.send(poll_for(-1)).type(), BodyType::poll_rep) << "still by the passphrase that it began with";
    Talker stranger{world, "alice", alice_secret, canary_label()};
    stranger.transaction_id = lost.transaction_id;
    stranger.recip_nonce = lost.recip_nonce;
    EXPECT_EQ(stranger.send(poll_for(-1)).type(), BodyType::error);
    world.approve();
    EXPECT_EQ(verdict(lost.send(poll_for(-1))), "rp accepted");
    EXPECT_TRUE(world.is_revoked(device.certificate));
}

TEST_F(CmpPassphrase, FieldsOfTheTemplateMustBeTheCertificates) {
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    Talker lost{world, "id", passphrase, canary_label()};
    EXPECT_EQ(verdict(lost.send(revocation(device.certificate, {}, [](auto& which) { which.subject = name("CN=x"); }))), "rp rejection notAuthorized");
    lost.begin();
    EXPECT_EQ(verdict(lost.send(revocation(device.certificate, {}, [](auto& which) { which.serial_number = ByteVec{1}; }))), "rp rejection notAuthorized");
    lost.begin();
    EXPECT_EQ(verdict(lost.send(revocation(device.certificate, {}, [](auto& which) { which.subject = name("CN=dev"); }))), "rp accepted");
}

TEST_F(CmpPassphrase, IsAuditedWithoutItsOctets) {   // bug class 12
    const auto device = enrolled("CN=dev");
    ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
    ASSERT_EQ(revoked_by(device.certificate), "rp accepted");
    std::vector<std::string> events;
    const auto audited = world.store->audit(0, 1000).value();
    for (const auto& event : audited) {
        events.push_back(event.event + " by " + event.actor.substr(0, event.actor.find('/')));
        EXPECT_EQ((event.detail + event.object).find("canary"), std::string::npos);
    }
    EXPECT_THAT(events, testing::Contains("passphrase.conveyed by certificate:issuing"));
    EXPECT_THAT(events, testing::Contains("certificate.revoked by passphrase of certificate:issuing"));
}

TEST_F(CmpPassphrase, NeedsAKeyToDecryptWith) {
    const auto made = [&](bool passphrases) {
        cmp::ServerConfig config;
        config.labels.emplace_back();
        config.labels[0].profile = "device";
        config.labels[0].revocation_passphrases = passphrases;
        config.signers.emplace("issuing", cmp::Credentials{{world.ca->issuing}, world.ca->issuing_key});
        return cmp::Server::create(std::move(config), *world.authority, *world.store, world.clock, world.entropy);
    };
    EXPECT_TRUE(made(false));
    EXPECT_EQ(code_of(made(true)), Code::policy);
}

/// A registration authority in between, which knows no passphrase: what the CA above knows goes on (RFC 9483 5.2).
class CmpPassphraseForwarded : public CmpPassphrase {
protected:
    /// Everything under this label of `here` goes to the label of `world` that takes passphrases.
    std::string front(cmp::Forwarding forwarding) {
        here.restart([&](cmp::ServerConfig& config) {
            auto client = cmp::ClientConfig{.credentials = cmp::ClientSigner{ra.key, {ra.certificate, world.ca->issuing}}};
            client.anchors = {world.ca->root};
            const auto channel = [this](std::string_view, Bytes message) -> Result<ByteVec> {
                sent = to_vec(message);
                return to_vec(world.send(message, {.label = canary_label()}).der());
            };
            config.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{channel, std::move(client)});
            config.labels.front().forward = forwarding;
        });
        return "";
    }
    Talker through(const std::string& reference, const std::string& secret) {
        Talker talker{here, reference, secret};
        talker.pvno = cmp::cmp2021;
        return talker;
    }
    ServerWorld here;
    Identity ra = enrolled("CN=RA", "ra");
    ByteVec sent;
};

TEST_F(CmpPassphraseForwarded, UnchangedIsForTheCaAbove) {
    front(cmp::Forwarding::unchanged);
    auto talker = through("alice", alice_secret);
    const auto answer = talker.send(talker.request(BodyType::ir, "CN=dev"), [](PkiHeader& header) {
        header.general_info = {cmp::make_implicit_confirm(), shared(alice_secret)};
    });
    ASSERT_EQ(verdict(answer), "ip accepted");
    EXPECT_TRUE(acknowledged(answer));
    auto lost = through("id", passphrase);
    EXPECT_EQ(verdict(lost.send(revocation(certificate_of(answer)))), "rp accepted");
    EXPECT_EQ(sent, lost.last_sent);
}

TEST_F(CmpPassphraseForwarded, AnRrGoesOnUnchangedWhateverElseIsApprovedOf) {
    for (const auto forwarding : {cmp::Forwarding::nested, cmp::Forwarding::replaced}) {
        const auto device = enrolled("CN=dev");
        ASSERT_EQ(verdict(speaks(device).send(question(sealed()))), "genp");
        front(forwarding);
        auto lost = through("id", passphrase);
        EXPECT_EQ(verdict(lost.send(revocation(device.certificate))), "rp accepted");
        EXPECT_EQ(sent, lost.last_sent);
    }
}

/// bug class 7: what a device conveys in a message that its registration authority signs would be the registration authority's own.
TEST_F(CmpPassphraseForwarded, WhatTheRegistrationAuthorityStandsForConveysNone) {
    for (const auto forwarding : {cmp::Forwarding::nested, cmp::Forwarding::replaced}) {
        front(forwarding);
        const auto before = world.certificates();
        auto talker = through("alice", alice_secret);
        EXPECT_EQ(verdict(talker.send(talker.request(BodyType::ir, "CN=dev"), with(shared(alice_secret)))), "error notAuthorized");
        auto for_the_ca = through("alice", alice_secret);
        EXPECT_EQ(verdict(for_the_ca.send(for_the_ca.request(BodyType::ir, "CN=dev"), with(sealed()))), "error notAuthorized");
        auto asking = through("alice", alice_secret);
        EXPECT_EQ(verdict(asking.send(question(sealed()))), "error notAuthorized");
        EXPECT_EQ(world.certificates(), before);
        EXPECT_EQ(revoked_by(ra.certificate), "error badMessageCheck");
    }
}

}  // namespace
}  // namespace estuary::test
