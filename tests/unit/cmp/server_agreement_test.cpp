// Clients with static Diffie-Hellman keys (RFC 9810 5.1.3.2).
#include "estuary/cmp/protection_oids.h"
#include "estuary/crypto/key_transport.h"
#include "estuary/crypto/one_way_function.h"
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::PkiHeader;

/// What the RFC says, step by step: OWF of what the keys agree on keys the MAC.
ByteVec protect_by_agreement(const crypto::PrivateKey& own, const crypto::PublicKey& other, PkiHeader header, const PkiBody& body,
                             const std::vector<Bytes>& extra, std::string_view owf = "SHA256") {
    const auto hmac = crypto::encode_mac_algorithm("HMAC-SHA256").value();
    der::Writer algorithm;
    algorithm.sequence([&] {
        algorithm.oid(cmp::oid::dh_based_mac);
        algorithm.sequence([&] { algorithm.raw(crypto::encode_one_way_function(owf).value()).raw(hmac); });
    });
    header.protection_alg = std::move(algorithm).take();
    const auto base_key = crypto::digest(owf, crypto::agree(own, other).value().reveal()).value();
    const auto header_der = header.encode(), body_der = body.encode();
    const auto protection =
        crypto::compute_mac(crypto::read_mac_algorithm(hmac).value(), base_key, cmp::encode_protected_part(header_der, body_der)).value();
    return cmp::encode_message(header_der, body_der, Bytes{protection}, extra);
}

class CmpServerAgreement : public testing::Test {
protected:
    /// The certificate of the server's key, as genm tells it.
    x509::Certificate server_certificate() {
        Talker talker{world, "alice", alice_secret, "agreement"};
        const auto answer = talker.send({BodyType::genm, cmp::GenContent{{cmp::ask(cmp::oid::ca_prot_enc_cert)}}});
        return cmp::read_ca_prot_enc_cert(answer.as<cmp::GenContent>().infos.at(0)).value().value().x509().value();
    }
    Talker talker(const Identity& identity, std::string_view owf = "SHA256", const std::string& label = "agreement") {
        Talker made{world, identity, label};
        made.protect = [own = identity.key, other = server_certificate().public_key().value(), owf](PkiHeader header, const PkiBody& body,
                                                                                                    const std::vector<Bytes>& extra) {
            return protect_by_agreement(own, other, std::move(header), body, extra, owf);
        };
        return made;
    }

    ServerWorld world;
    Identity holder = world.enrolled("CN=static", "agreement");
};

TEST_F(CmpServerAgreement, TheHolderIsAuthenticatedAndAnsweredByASignature) {
    auto asking = talker(holder);
    const auto answer = asking.send(asking.request(BodyType::cr, "CN=static"), [&](PkiHeader& header) {
        header.recip_kid = server_certificate().subject_key_id();
    });
    ASSERT_EQ(verdict(answer), "cp accepted");
    EXPECT_EQ(cmp::protection_kind(*answer.header().protection_alg).value(), cmp::ProtectionKind::signature);
    const auto confirmation = asking.confirmation(certificate_of(answer));
    world.restart();
    asking.with_certificates = false;   // they are known from the first message
    EXPECT_EQ(verdict(asking.send(confirmation)), "pkiconf");
    asking.begin();
    asking.with_certificates = true;
    EXPECT_EQ(verdict(asking.send(revocation(holder.certificate))), "rp accepted");
}

TEST_F(CmpServerAgreement, OthersAreRefused) {
    auto mallory = holder;
    mallory.key = crypto::PrivateKey::generate("p256").value();
    auto wrong = talker(mallory);
    EXPECT_EQ(verdict(wrong.send(wrong.request(BodyType::cr, "CN=static"))), "error badMessageCheck");
    auto misnamed = talker(holder);
    EXPECT_EQ(verdict(misnamed.send(misnamed.request(BodyType::cr, "CN=static"), [](PkiHeader& header) { header.sender = directory("CN=x"); })),
              "error badMessageCheck");
    EXPECT_EQ(verdict(misnamed.send(misnamed.request(BodyType::cr, "CN=static"), [](PkiHeader& header) { header.recip_kid = ByteVec{1}; })),
              "error badMessageCheck");
    auto weak = talker(holder, "SHA1");
    EXPECT_EQ(verdict(weak.send(weak.request(BodyType::cr, "CN=static"))), "error badAlg");
    auto elsewhere = talker(holder, "SHA256", "");   // bug class 2
    EXPECT_EQ(verdict(elsewhere.send(elsewhere.request(BodyType::cr, "CN=static"))), "error badAlg");
    auto signs_only = talker(world.enrolled("CN=signer", "agreement", "device"));
    EXPECT_EQ(verdict(signs_only.send(signs_only.request(BodyType::cr, "CN=signer"))), "error signerNotTrusted");
    auto stranger = talker(world.device("CN=device", "globex", x509::key_agreement));
    EXPECT_EQ(verdict(stranger.send(stranger.request(BodyType::ir, "CN=device"))), "ip rejection notAuthorized");
}

TEST_F(CmpServerAgreement, TheKindOfProtectionStays) {
    auto asking = talker(holder);
    const auto answer = asking.send(asking.request(BodyType::cr, "CN=static"));
    ASSERT_EQ(verdict(answer), "cp accepted");
    asking.protect = {};   // a signature by the same key
    EXPECT_EQ(verdict(asking.send(asking.confirmation(certificate_of(answer)))), "error wrongIntegrity");
}

TEST_F(CmpServerAgreement, KeysOfAnotherKindDoNotAgree) {
    const auto other = world.device("CN=device", "acme", x509::key_agreement, crypto::PrivateKey::generate("p384").value());
    Talker asking{world, other, "agreement"};
    asking.protect = [&](PkiHeader header, const PkiBody& body, const std::vector<Bytes>& extra) {
        return protect_by_agreement(other.key, crypto::PrivateKey::generate("p384").value().public_key(), std::move(header), body, extra);
    };
    EXPECT_EQ(verdict(asking.send(asking.request(BodyType::ir, "CN=device"))), "error badAlg");
}

/// Where nobody could answer, or nothing could agree, the server does not start.
TEST_F(CmpServerAgreement, NeedsAKeyAndASigner) {
    const auto made = [&](std::function<void(cmp::ServerConfig&)> bend) {
        cmp::ServerConfig config;
        config.labels.emplace_back();
        config.labels[0].profile = "device";
        bend(config);
        return code_of(cmp::Server::create(std::move(config), *world.authority, *world.store, world.clock, world.entropy));
    };
    EXPECT_EQ(made([](cmp::ServerConfig& config) { config.labels[0].kem_protection = true; }), Code::policy);
    EXPECT_EQ(made([](cmp::ServerConfig& config) { config.labels[0].diffie_hellman = true; }), Code::policy);
    EXPECT_EQ(made([&](cmp::ServerConfig& config) {
        config.labels[0].diffie_hellman = true;
        config.signers.emplace("issuing", cmp::Credentials{{world.ca->issuing}, world.ca->issuing_key});
    }), Code::policy);
}

}  // namespace
}  // namespace estuary::test
