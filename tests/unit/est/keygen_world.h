#pragma once
// A server that makes keys, and clients of it with keys to decrypt with.
#include "estuary/authority/key_decryption.h"
#include "estuary/est/client_keygen.h"
#include "world.h"

namespace estuary::test {

/// A certificate made by hand under one of the world's CAs.
inline x509::Certificate certificate_under(const authority::NewCa& ca, const crypto::PublicKey& key, std::string_view subject,
                                           std::vector<x509::Extension> extensions, Time now) {
    x509::TbsCertificate tbs;
    const auto digest = crypto::sha256(key.spki());
    tbs.serial_number = ByteVec(digest.begin(), digest.begin() + 8);
    tbs.serial_number[0] = 0x11;
    tbs.signature_algorithm = ca.issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = ca.issuing.subject();
    tbs.not_before = now - Seconds{3600};
    tbs.not_after = now + Seconds{365 * 86400};
    tbs.subject = x509::Name::from_text(subject).value();
    tbs.spki = to_vec(key.spki());
    tbs.extensions = std::move(extensions);
    tbs.extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(key.spki()).value()));
    tbs.extensions.push_back(x509::make_authority_key_identifier(ca.issuing.subject_key_id().value()));
    const auto encoded = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, ca.issuing_key.sign(encoded).value())).value();
}

class KeygenWorld : public testing::Test {
protected:
    KeygenWorld() { restart(); }

    void restart(std::function<void(est::ServerConfig&)> change = [](est::ServerConfig&) {}) {
        world.restart([&](est::ServerConfig& config) {
            const auto add = [&](std::string name, const char* profile, auto shape) {
                Label label;
                label.name = std::move(name);
                label.profile = profile;
                label.serverkeygen.basic = label.serverkeygen.certificate_of_ours = true;
                label.serverkeygen.manufacturers = {"acme"};
                shape(label);
                config.labels.push_back(std::move(label));
            };
            add("keys", "device", [](Label&) {});
            add("keys-encrypted", "device", [](Label& label) { label.serverkeygen_encrypted = true; });
            add("keys-linked", "device", [](Label& label) { label.linking_required = true; });
            add("keys-manual", "manual", [](Label&) {});
            config.key_generators.emplace("issuing", est::KeyGenerator{{generator_certificate, world.ca->issuing}, generator});
            change(config);
        });
    }
    est::CaBag bag() { return est::sort_ca_certificates(world.authority->ca_certificates("issuing").value()).value(); }

    /// A holder of a certificate of "acme" that can be encrypted to, and what the operator says of it.
    est::KeyOpener holder(const std::string& type, std::uint32_t usage) {
        auto key = crypto::PrivateKey::generate(type).value();
        auto certificate = certificate_under(*world.acme, key.public_key(), "CN=decrypting", {x509::make_key_usage(usage)}, world.clock.now());
        store::DecryptionKey record;
        record.identifier = certificate.subject_key_id().value();
        record.certificate = to_vec(certificate.der());
        add(std::move(record));
        est::KeyOpener opener;
        opener.holder = cms::KeyHolder{std::move(key), std::move(certificate)};
        return opener;
    }
    est::KeyOpener shared(std::size_t octets = 32, const std::string& name = "psk", std::string pattern = {}) {
        const cms::SharedKey key{to_vec(as_bytes(name)), crypto::Secret{ByteVec(octets, 0x42)}};
        store::DecryptionKey record;
        record.identifier = key.identifier;
        record.subject_pattern = std::move(pattern);
        record.sealed_key = authority::seal_decryption_key(password_key(), key.identifier, key.key, world.entropy).value();
        add(std::move(record));
        est::KeyOpener opener;
        opener.shared = cms::SharedKey{key.identifier, key.key.clone()};
        return opener;
    }
    static crypto::Secret password_key() { return crypto::Secret{std::string_view{"a key for passwords of 32 octets"}}; }
    void add(store::DecryptionKey record) {
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertDecryptionKey{std::move(record)});
        ASSERT_TRUE(world.store->commit(std::move(work)));
    }
    static MadeRequest request_for(const est::KeyOpener& opener, const std::string& text = "CN=device 1", const char* type = "p256") {
        auto wanted = subject(text);
        wanted.attributes = est::key_delivery_attributes(est::delivery_to(opener).value());
        return make_request(wanted, type);
    }
    http::Response ask(const std::string& label, Bytes der, const http::Peer& from = peer()) {
        return world.send(post(target(label, "serverkeygen"), der, from.client_chain.empty() ? alice() : ""), from);
    }
    static std::string_view body_of(const http::Response& response) {
        return response.shared.owner ? response.shared.octets : std::string_view{response.body};
    }
    static Result<est::KeyAnswer> read(const http::Response& response) {
        return est::read_key_answer(response.headers.find("Content-Type").value_or(""), body_of(response));
    }
    Result<est::ServerKey> open(const http::Response& response, const est::KeyOpener& opener) {
        ESTUARY_TRY(const auto answer, read(response));
        return est::open_key_answer(answer, opener, bag(), world.clock.now());
    }

    World world;
    crypto::PrivateKey generator = crypto::PrivateKey::generate("p256").value();
    x509::Certificate generator_certificate =
        certificate_under(*world.ca, generator.public_key(), "CN=key generation",
                          {x509::make_key_usage(x509::digital_signature), x509::make_ext_key_usage({authority::kp_cm_kga})}, world.clock.now());
};

}  // namespace estuary::test
