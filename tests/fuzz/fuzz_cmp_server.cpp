// The whole CMP server, from a message's octets to the answer's. Input: an octet that chooses the label (low bits), whether the message is
// protected anew by a secret that the server knows (0x80), of a nested one what is in it, and whether a registration authority signs it
// (0x40), then the PKIMessage.
#include <array>

#include "estuary/authority/online_recovery.h"
#include "estuary/cmp/client.h"
#include "estuary/cmp/protection.h"
#include "estuary/cmp/registration_authority.h"
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
    auto ra = device;
    ra.name = "ra";
    ra.ext_key_usage = {x509::oid::kp_cmc_ra};
    auto archived = device;
    archived.name = "archived";
    archived.archive_keys = true;
    return {device, manual, ra, archived};
}

/// Archived keys are opened here.
void add_online_agent(authority::Config& config) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    x509::TbsCertificate tbs;
    tbs.serial_number = {1};
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    tbs.issuer = tbs.subject = x509::Name::from_text("CN=agent").value();
    tbs.not_after = Time{Seconds{2'000'000'000}};
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = {x509::make_key_usage(x509::key_agreement)};
    const auto octets = x509::encode_tbs(tbs);
    const auto agent = x509::Certificate::parse(x509::encode_certificate(octets, tbs.signature_algorithm, key.sign(octets).value())).value();
    config.recovery_agents = {agent};
    config.online_recovery = std::make_shared<const authority::OnlineRecovery>(authority::OnlineRecovery{agent, key, {1, {"operator:ann"}}});
}

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{profiles, add_online_agent} {
        add_shared_secret("alice", "cmp", secret);
        cmp::ServerConfig config;
        for (const auto* name : labels) config.labels.push_back(label(name));
        const cmp::Credentials signer{{ca->issuing, ca->root}, ca->issuing_key};
        config.signers.emplace("issuing", signer);
        config.key_generators.emplace("issuing", signer);
        config.agreement_keys.emplace("issuing", signer);
        config.message_time_window = Seconds{0};
        server = cmp::Server::create(std::move(config), *authority, *store, clock, entropy).value();
        enroll_ra();
        cmp::CertificateWish lost;
        lost.subject = x509::Name::from_text("CN=dev").value();
        (void)enroll(std::move(lost), "keys");   // its key is archived
    }

    x509::Certificate enroll(cmp::CertificateWish wish, const std::string& where) {
        cmp::ClientSecret own{"alice", crypto::Secret{secret}};
        own.mac.iterations = 100;
        const auto client = cmp::Client::create({.credentials = std::move(own)}, clock, entropy).value();
        auto transaction = client.begin(std::move(wish)).value();
        store::UnitOfWork work;
        const auto answer = server->answer(transaction.message(), {.label = where}, work);
        commit(std::move(work));
        const auto step = transaction.take(answer.message).value();
        return std::get<cmp::Enrolled>(std::get<cmp::ClientOutcome>(step)).certificate;
    }

    void enroll_ra() {
        cmp::CertificateWish wish;
        wish.subject = x509::Name::from_text("CN=ra").value();
        wish.profile = "ra";
        const auto key = crypto::PrivateKey::generate("p256").value();
        wish.key = key;
        ra = cmp::ClientSigner{key, {enroll(std::move(wish), "")}};
    }

    static cmp::Label label(std::string_view name) {
        cmp::Label label;
        label.name = name;
        label.profile = name == "manual" ? "manual" : name == "keys" ? "archived" : "device";
        label.shared_secret = label.certificate_of_ours = label.registration_authority = true;
        label.requests_max = name == "many" ? 64 : 1;
        if (name.empty()) label.more_profiles = {"ra"};
        label.unprotected_information = name == "many";
        label.generate_keys = label.recover_keys = label.kem_protection = label.diffie_hellman = name == "keys";
        label.agreement_proof = name == "keys";
        label.approve_revocations = name == "manual";
        label.revocation_passphrases = name == "many" || name == "manual";
        return label;
    }

    std::unique_ptr<cmp::Server> server;
    std::optional<cmp::ClientSigner> ra;
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

/// Under the registration authority's signature.
ByteVec sign_anew(Bytes octets, const cmp::ClientSigner& ra, bool protects) {
    const auto message = cmp::PkiMessage::parse(octets);
    if (!message) return to_vec(octets);
    auto body = message->body();
    if (auto* nested = std::get_if<cmp::NestedMessageContent>(&body.content); nested != nullptr && protects)
        for (auto& one : nested->messages)
            if (auto inner = cmp::PkiMessage::parse(protect_anew(one.der()))) one = std::move(*inner);
    return cmp::sign_message(message->header(), body, ra).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) return 0;
    const auto octets = Bytes{data + 1, size - 1};
    const bool protects = (data[0] & 0x80) != 0;
    const auto request = (data[0] & 0x40) != 0 ? sign_anew(octets, *world.ra, protects) : protects ? protect_anew(octets) : to_vec(octets);
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
