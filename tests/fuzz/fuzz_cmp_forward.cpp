// What a registration authority that sends messages on reads from the CA above (RFC 9483 5.2). Input: an octet that chooses the label (low
// bits) and whether the answer is given the transaction of the request and a signature that is believed (0x80), then the answer.
#include <array>

#include "estuary/cmp/client.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/server.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using fuzz::require;

constexpr std::string_view secret = "a canary of a secret";
struct Kind {
    const char* label;
    cmp::Forwarding forward;
};
constexpr std::array kinds{Kind{"", cmp::Forwarding::replaced}, Kind{"nested", cmp::Forwarding::nested}, Kind{"unchanged", cmp::Forwarding::unchanged}};

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{[](const authority::Profile& device) { return std::vector{device}; }} {
        add_shared_secret("alice", "cmp", secret);
        cmp::ServerConfig config;
        for (const auto& kind : kinds) {
            cmp::Label label;
            label.name = kind.label;
            label.profile = "device";
            label.shared_secret = true;
            label.forward = kind.forward;
            config.labels.push_back(std::move(label));
        }
        config.signers.emplace("issuing", cmp::Credentials{{ca->issuing, ca->root}, ca->issuing_key});
        cmp::ClientConfig above{.credentials = cmp::ClientSigner{ca->issuing_key, {ca->issuing}}};
        above.anchors = {ca->root};
        const auto channel = [this](std::string_view, Bytes) -> Result<ByteVec> { return answer; };
        config.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{channel, std::move(above)});
        config.message_time_window = Seconds{0};
        server = cmp::Server::create(std::move(config), *authority, *store, clock, entropy).value();
        make_requests();
    }

    /// One ir for each label: the very same message is sent on again, whatever came back to it before.
    void make_requests() {
        cmp::ClientSecret own{"alice", crypto::Secret{secret}};
        own.mac.iterations = 100;
        const auto client = cmp::Client::create({.credentials = std::move(own)}, clock, entropy).value();
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            cmp::CertificateWish wish;
            wish.subject = x509::Name::from_text("CN=device").value();
            wish.key = crypto::PrivateKey::generate("p256").value();
            requests.push_back(to_vec(client.begin(std::move(wish)).value().message()));
        }
    }

    /// The same body as the answer to `request`, signed by the CA above.
    ByteVec sign_anew(Bytes octets, Bytes request) const {
        const auto message = cmp::PkiMessage::parse(octets);
        if (!message) return to_vec(octets);
        const auto asked = cmp::PkiMessage::parse(request).value();
        auto header = message->header();
        header.transaction_id = asked.header().transaction_id;
        header.sender = cmp::directory_name(ca->issuing.subject());
        header.sender_kid = ca->issuing.subject_key_id();
        return cmp::Protector::with_key(ca->issuing_key)->protect(std::move(header), message->body(), {ca->issuing.der()}).value();
    }

    std::unique_ptr<cmp::Server> server;
    std::vector<ByteVec> requests;
    ByteVec answer;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) return 0;
    const auto chosen = (data[0] & 0x7Fu) % kinds.size();
    const auto octets = Bytes{data + 1, size - 1};
    const auto& request = world.requests[chosen];
    world.answer = (data[0] & 0x80) != 0 ? world.sign_anew(octets, request) : to_vec(octets);
    store::UnitOfWork work;
    const auto answer = world.server->answer(request, {kinds[chosen].label, {}, "192.0.2.1"}, work);
    const auto has_secret = [](Bytes octets) { return as_text(octets).find(secret) != std::string_view::npos; };
    require(!has_secret(answer.message) || has_secret(world.answer));   // bug class 12
    const auto parsed = cmp::PkiMessage::parse(answer.message);
    require(parsed.has_value());
    // It is an answer to this request, whatever came from above; what is not passed on as it came has a protection of our own.
    const auto asked = cmp::PkiMessage::parse(request).value();
    require(parsed->header().transaction_id == asked.header().transaction_id);
    const bool passed_on = same(answer.message, world.answer);
    require(passed_on || parsed->protection().has_value());
    require(!passed_on || kinds[chosen].forward != cmp::Forwarding::replaced);
    return 0;
}
