#pragma once
// The client before a whole server in memory, whose answers can be bent.
#include "estuary/cmp/client.h"
#include "server_world.h"

namespace estuary::test {

using cmp::CertificateWish;
using cmp::ClientOutcome;
using cmp::PkiHeader;

class CmpClient : public CmpServer {
protected:
    static cmp::ClientConfig by_secret() {
        return {.credentials = cmp::ClientSecret{"alice", crypto::Secret{std::string_view{alice_secret}}}};
    }
    cmp::ClientConfig by_certificate(const Identity& identity) {
        cmp::ClientConfig config{.credentials = cmp::ClientSigner{identity.key, {identity.certificate, world.ca->issuing}}};
        config.anchors = {world.ca->root};
        config.intermediates = {world.ca->issuing};
        return config;
    }
    cmp::Client client(cmp::ClientConfig config) { return cmp::Client::create(std::move(config), world.clock, world.entropy).value(); }
    CertificateWish wish(BodyType type = BodyType::ir) {
        CertificateWish made;
        made.type = type;
        made.subject = name("CN=dev");
        made.key = crypto::PrivateKey::generate("p256").value();
        return made;
    }
    PkiMessage answer_to(const cmp::ClientTransaction& transaction, const std::string& label = {}) {
        sent.push_back(PkiMessage::parse(transaction.message()).value());
        return world.send(transaction.message(), {.label = label, .address = "192.0.2.1"});
    }
    /// To the end, by honest answers.
    Result<ClientOutcome> run(cmp::ClientTransaction transaction, const std::string& label = {}) {
        for (;;) {
            ESTUARY_TRY(auto step, transaction.take(answer_to(transaction, label).der()));
            if (auto* outcome = std::get_if<ClientOutcome>(&step)) return std::move(*outcome);
        }
    }
    static ByteVec with_mac(PkiHeader header, const PkiBody& body, std::string_view secret = alice_secret) {
        return cmp::Protector::with_secret(crypto::Secret{secret})->protect(std::move(header), body).value();
    }
    static ByteVec signed_by(const Identity& identity, PkiHeader header, const PkiBody& body) {
        std::vector<Bytes> extra{identity.certificate.der()};
        for (const auto& link : identity.chain) extra.push_back(link.der());
        return cmp::Protector::with_key(identity.key)->protect(std::move(header), body, extra).value();
    }

    std::vector<PkiMessage> sent;
};

}  // namespace estuary::test
