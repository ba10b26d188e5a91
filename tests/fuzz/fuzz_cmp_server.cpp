// The whole CMP server, from a message's octets to the answer's. Input: an octet that chooses the label (low bits) and whether the
// message is protected anew by a secret that the server knows (0x80), then the PKIMessage.
#include <array>

#include "estuary/cmp/protection.h"
#include "estuary/cmp/server.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using fuzz::require;

constexpr std::string_view secret = "a canary of a secret";
constexpr std::array<const char*, 4> labels{"", "many", "keys", "manual"};

std::vector<authority::Profile> profiles(const authority::Profile& device) {
    auto manual = device;
    manual.name = "manual";
    manual.manual_approval = true;
    return {device, manual};
}

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{profiles} {
        add_shared_secret("alice", "cmp", secret);
        cmp::ServerConfig config;
        for (const auto* name : labels) config.labels.push_back(label(name));
        const cmp::Credentials signer{{ca->issuing, ca->root}, ca->issuing_key};
        config.signers.emplace("issuing", signer);
        config.key_generators.emplace("issuing", signer);
        config.agreement_keys.emplace("issuing", signer);
        config.message_time_window = Seconds{0};
        server = cmp::Server::create(std::move(config), *authority, *store, clock, entropy).value();
    }

    static cmp::Label label(std::string_view name) {
        cmp::Label label;
        label.name = name;
        label.profile = name == "manual" ? "manual" : "device";
        label.shared_secret = label.certificate_of_ours = label.registration_authority = true;
        label.requests_max = name == "many" ? 64 : 1;
        label.unprotected_information = name == "many";
        label.generate_keys = label.kem_protection = label.diffie_hellman = name == "keys";
        label.approve_revocations = name == "manual";
        return label;
    }

    std::unique_ptr<cmp::Server> server;
};

/// The same header and body under a MAC of alice's, as cheap as the server takes it.
ByteVec protect_anew(Bytes octets) {
    const auto message = cmp::PkiMessage::parse(octets);
    if (!message) return to_vec(octets);
    crypto::PasswordMacChoice choice;
    choice.scheme = crypto::PasswordMacChoice::Scheme::password_based_mac;
    choice.iterations = 100;
    const auto protector = cmp::Protector::with_secret(crypto::Secret{secret}, choice).value();
    auto header = message->header();
    header.sender_kid = to_vec(as_bytes("alice"));
    header.protection_alg = to_vec(protector.algorithm());
    const auto encoded = header.encode();
    const auto protection = protector.protect(cmp::encode_protected_part(encoded, message->body_der())).value();
    return cmp::encode_message(encoded, message->body_der(), protection, message->extra_certs());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) return 0;
    const auto octets = Bytes{data + 1, size - 1};
    const auto request = (data[0] & 0x80) != 0 ? protect_anew(octets) : to_vec(octets);
    store::UnitOfWork work;
    const auto answer = world.server->answer(request, {labels[data[0] % labels.size()], {}, "192.0.2.1"}, work);
    world.clock.advance(Seconds{3600});   // failures are forgotten, so that no input is about the one before
    require(as_text(answer.message).find(secret) == std::string_view::npos);   // bug class 12
    if (answer.message.empty()) return 0;
    const auto parsed = cmp::PkiMessage::parse(answer.message);
    require(parsed.has_value());
    require(parsed->protection().has_value() && parsed->header().sender_nonce.has_value());
    if (const auto* certificates = std::get_if<cmp::CertRepMessage>(&parsed->body().content))
        for (const auto& response : certificates->responses)
            require(!response.certified_key_pair || !work.empty());   // recorded before it leaves (bug class 24)
    return 0;
}
