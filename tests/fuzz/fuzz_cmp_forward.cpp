// What a registration authority that sends messages on reads from the CA above (RFC 9483 5.2). Input: an octet that chooses the label (low
// bits) and whether the answer is given the transaction of the request and a signature that is believed (0x80), then the answer. Under the
// last label two messages go in one, and the answers in a nested one are given their transactions as well.
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
constexpr std::array kinds{Kind{"", cmp::Forwarding::replaced}, Kind{"nested", cmp::Forwarding::nested}, Kind{"unchanged", cmp::Forwarding::unchanged},
                           Kind{"batch", cmp::Forwarding::nested}};
constexpr std::size_t batch_kind = 3;

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
            label.batch_max = kind.label == std::string_view{"batch"} ? 2 : 1;
            config.labels.push_back(std::move(label));
        }
        config.signers.emplace("issuing", cmp::Credentials{{ca->issuing, ca->root}, ca->issuing_key});
        cmp::ClientConfig above{.credentials = cmp::ClientSigner{ca->issuing_key, {ca->issuing}}};
        above.anchors = {ca->root};
        const auto channel = [this](std::string_view, Bytes message) -> Result<ByteVec> {
            if (believed) answer = sign_anew(answer, message);
            return answer;
        };
        config.above["issuing"] = std::make_shared<const cmp::Above>(cmp::Above{channel, std::move(above)});
        config.message_time_window = Seconds{0};
        server = cmp::Server::create(std::move(config), *authority, *store, clock, entropy).value();
        make_requests();
    }

    /// One ir for each label, and another: the very same message is sent on again, whatever came back to it before.
    void make_requests() {
        cmp::ClientSecret own{"alice", crypto::Secret{secret}};
        own.mac.iterations = 100;
        const auto client = cmp::Client::create({.credentials = std::move(own)}, clock, entropy).value();
        for (std::size_t i = 0; i < kinds.size() + 1; ++i) {
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
        header.recip_nonce = asked.header().sender_nonce;
        header.message_time.reset();
        header.sender = cmp::directory_name(ca->issuing.subject());
        header.sender_kid = ca->issuing.subject_key_id();
        auto body = message->body();
        if (asked.type() == cmp::BodyType::nested && message->type() == cmp::BodyType::nested)
            body.content = of_transactions(message->as<cmp::NestedMessageContent>(), asked.as<cmp::NestedMessageContent>());
        return cmp::Protector::with_key(ca->issuing_key)->protect(std::move(header), body, {ca->issuing.der()}).value();
    }

    static cmp::NestedMessageContent of_transactions(const cmp::NestedMessageContent& answers, const cmp::NestedMessageContent& asked) {
        cmp::NestedMessageContent out = answers;
        for (std::size_t i = 0; i < std::min(out.messages.size(), asked.messages.size()); ++i) {
            const auto& one = answers.messages[i];
            auto header = one.header();
            header.transaction_id = asked.messages[i].header().transaction_id;
            out.messages[i] = cmp::PkiMessage::parse(cmp::encode_message(header.encode(), one.body_der(), one.protection(), one.extra_certs())).value();
        }
        return out;
    }

    std::unique_ptr<cmp::Server> server;
    std::vector<ByteVec> requests;
    ByteVec answer;
    bool believed = false;
};

/// It is an answer to this request, whatever came from above; what is not passed on as it came has a protection of our own.
void check(Bytes answer, Bytes request, const World& world, std::size_t kind) {
    const auto has_secret = [](Bytes message) { return as_text(message).find(secret) != std::string_view::npos; };
    require(!has_secret(answer) || has_secret(world.answer));   // bug class 12
    const auto parsed = cmp::PkiMessage::parse(answer);
    require(parsed.has_value());
    const auto asked = cmp::PkiMessage::parse(request).value();
    require(parsed->header().transaction_id == asked.header().transaction_id);
    if (kind == batch_kind) return;
    const bool passed_on = same(answer, world.answer);
    require(passed_on || parsed->protection().has_value());
    require(!passed_on || kinds[kind].forward != cmp::Forwarding::replaced);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) return 0;
    const auto chosen = (data[0] & 0x7Fu) % kinds.size();
    const auto octets = Bytes{data + 1, size - 1};
    const auto& request = world.requests[chosen];
    world.answer = to_vec(octets);
    world.believed = (data[0] & 0x80) != 0;
    if (chosen == batch_kind) {
        const auto answers = world.server->answer_together({request, world.requests.back()}, {kinds[chosen].label, {}, "192.0.2.1"});
        require(answers.size() == 2);
        check(answers[0].message, request, world, chosen);
        check(answers[1].message, world.requests.back(), world, chosen);
        return 0;
    }
    store::UnitOfWork work;
    const auto answer = world.server->answer(request, {kinds[chosen].label, {}, "192.0.2.1"}, work);
    check(answer.message, request, world, chosen);
    return 0;
}
