#include "world.h"

#include <random>

#include <fmt/format.h>

#include "estuary/authority/shared_secrets.h"
#include "estuary/x509/crl_encoder.h"

namespace estuary::test {
namespace {

using namespace cmc;

constexpr const char* password_key = "a key for passwords of 32 octets";

authority::NewCa make(const std::string& name, const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work) {
    authority::CaPlan plan;
    plan.organisation_name = name;
    return authority::make_ca(plan, clock, entropy, work).value();
}

/// Everything that there is, for the profile "device".
Endpoint open_endpoint(std::string label) {
    Endpoint endpoint;
    endpoint.label = std::move(label);
    endpoint.profile = "device";
    endpoint.certificate = endpoint.registration_authority = endpoint.shared_secret = endpoint.transport = true;
    endpoint.manufacturers = {"acme"};
    return endpoint;
}

Endpoint with(std::string label, const std::function<void(Endpoint&)>& change) {
    auto endpoint = open_endpoint(std::move(label));
    change(endpoint);
    return endpoint;
}

authority::Profile responder_profile(const std::string& name, const std::string& ca) {
    authority::Profile profile;
    profile.name = name;
    profile.ca = ca;
    profile.key_types = {"p256"};
    profile.subject.allowed = {x509::oid::common_name};
    profile.key_usage = x509::digital_signature | x509::key_agreement;
    profile.ext_key_usage = {x509::oid::kp_cmc_ca};
    return profile;
}

}  // namespace

World::World() {
    std::random_device random;
    directory = std::filesystem::temp_directory_path() / fmt::format("estuary-cmc-{:08x}{:08x}", random(), random());
    std::filesystem::create_directory(directory);
    store = store::open_sqlite(directory / "test.db").value();
    store::UnitOfWork work, unrecorded;
    ca = make("Ours", clock, entropy, work);
    other_ca = make("Other", clock, entropy, unrecorded);
    acme = make("Acme", clock, entropy, unrecorded);
    EXPECT_TRUE(store->commit(std::move(work)));
    clock.advance(Seconds{86400});
    add_credential("alice", alice_secret);
    restart();
}

World::~World() {
    server.reset();
    authority.reset();
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

authority::Config World::authority_config() const {
    authority::Config config;
    config.cas.push_back({"issuing", ca->issuing, ca->issuing_key, {ca->root}, {}});
    config.cas.push_back({"other", other_ca->issuing, other_ca->issuing_key, {other_ca->root}, {}});
    auto device = authority::default_device_profile("issuing");
    device.key_usage = x509::digital_signature | x509::key_agreement | x509::key_encipherment;
    if (crypto::key_type("ml-kem-768")) device.key_types.push_back("ml-kem-768");
    auto elsewhere = device;
    elsewhere.name = "elsewhere";
    elsewhere.ca = "other";
    auto manual = device;
    manual.name = "manual";
    manual.manual_approval = true;
    manual.poll_interval = Seconds{77};
    auto strict = device;
    strict.name = "strict";
    strict.other_extensions = authority::Unwanted::refuse;
    auto renaming = device;
    renaming.name = "renaming";
    renaming.may_change_names = true;
    auto ra = device;
    ra.name = "ra";
    ra.ext_key_usage = {x509::oid::kp_client_auth, x509::oid::kp_cmc_ra};
    auto foreign_ra = ra;
    foreign_ra.name = "foreign-ra";
    foreign_ra.ca = "other";
    config.profiles = {device,
                       elsewhere,
                       manual,
                       strict,
                       renaming,
                       ra,
                       foreign_ra,
                       responder_profile("cmc", "issuing"),
                       responder_profile("cmc-other", "other")};
    config.manufacturers.push_back({"acme", {acme->root}});
    config.password_key = crypto::Secret{std::string_view{password_key}};
    return config;
}

ServerConfig World::server_config() {
    ServerConfig config;
    config.endpoints = {
        open_endpoint(""),
        with("second", [](auto&) {}),
        with("closed",
             [](auto& one) {
                 one = Endpoint{};
                 one.label = "closed", one.profile = "device";
             }),
        with("off", [](auto& one) { one.enabled = false; }),
        with("other", [](auto& one) { one.profile = "elsewhere"; }),
        with("manual", [](auto& one) { one.profile = "manual"; }),
        with("strict", [](auto& one) { one.profile = "strict"; }),
        with("renaming", [](auto& one) { one.profile = "renaming"; }),
        with("confirm", [](auto& one) { one.confirm_within = Seconds{600}; }),
        with("new-keys", [](auto& one) { one.key_reuse = false; }),
        with("timed", [](auto& one) { one.signing_time_tolerance = Seconds{60}; }),
        with("old", [](auto& one) { one.witnesses.sha1 = true; }),
        with("unlinked", [](auto& one) { one.pop_link_required = false; }),
        with("anchors", [](auto& one) { one.publish_trust_anchors = true; }),
        with("by-secret", [](auto& one) { one.revocation_by_secret = true; }),
        with("own-proofs", [](auto& one) { one.ra_may_prove_possession = one.challenge_possession = false; }),
        with("shared-ra", [](auto& one) { one.ra_labels = {"", "shared-ra"}; }),
    };
    config.responder = [this](std::string_view name) -> std::shared_ptr<const Responder> {
        const auto& own = name == "issuing" ? responder : other_responder;
        return own ? std::make_shared<Responder>(Responder{own->key, own->certificate}) : nullptr;
    };
    config.crls = [this](std::string_view) -> Result<std::vector<ByteVec>> { return crls; };
    return config;
}

void World::restart(const std::function<void(ServerConfig&)>& change) {
    server.reset();
    auto made = authority::Authority::create(authority_config(), *store, clock, entropy);
    EXPECT_TRUE(made) << made.error().detail;
    authority = std::move(*made);
    if (!responder) {
        responder = own_certificate("cmc");
        other_responder = own_certificate("cmc-other");
    }
    auto config = server_config();
    change(config);
    auto served = Server::create(std::move(config), *authority, *store, clock, entropy);
    EXPECT_TRUE(served) << served.error().detail;
    server = std::move(*served);
}

Holder World::own_certificate(const std::string& profile) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto request = x509::SignedRequest::parse(pkcs10({name("CN=" + profile), {}, {}}, key)).value();
    store::UnitOfWork work;
    const auto certificate = authority->issue_for_server(profile, request, work);
    EXPECT_TRUE(certificate) << certificate.error().detail;
    EXPECT_TRUE(store->commit(std::move(work)));
    return {key, *certificate};
}

Answer World::send(Bytes message, const std::string& label, const Transport& transport) {
    store::UnitOfWork work;
    auto answer = server->serve(label, message, transport, work);
    EXPECT_TRUE(answer) << answer.error().detail;
    if (!work.empty()) {
        const auto committed = store->commit(std::move(work));
        EXPECT_TRUE(committed) << committed.error().detail;
    }
    return *answer;
}

ClientReply World::exchange(Client& client, const Result<ByteVec>& message, const std::string& label,
                            const Transport& transport) {
    EXPECT_TRUE(message) << message.error().detail;
    const auto reply = client.read(send(*message, label, transport).der);
    EXPECT_TRUE(reply) << reply.error().detail;
    return reply.value_or(ClientReply{});
}

Client World::client(ClientConfig config) {
    if (config.anchors.empty()) config.anchors = {ca->root, other_ca->root};
    if (config.intermediates.empty()) config.intermediates = {ca->issuing, other_ca->issuing};
    return Client{std::move(config), clock, entropy};
}

Client World::client(const Holder& holder) {
    ClientConfig config;
    config.certificate = holder.for_client();
    return client(std::move(config));
}

Client World::client_with_secret(const std::string& name, const std::string& secret) {
    ClientConfig config;
    config.secret = ClientSecret{name, crypto::Secret{std::string_view{secret}}};
    return client(std::move(config));
}

Holder World::holder(const std::string& subject, const std::string& label, const std::string& profile,
                     const std::string& key_type) {
    const auto key = crypto::PrivateKey::generate(key_type).value();
    const auto request = x509::SignedRequest::parse(pkcs10({name(subject), {}, {}}, key)).value();
    authority::EnrollRequest wanted{authority::Verb::enroll, profile, label, request, {}};
    wanted.principal.operator_ = true;
    store::UnitOfWork work;
    const auto outcome = authority->enroll(wanted, work);
    EXPECT_TRUE(outcome) << outcome.error().detail;
    EXPECT_TRUE(store->commit(std::move(work)));
    return {key, std::get<authority::Issued>(*outcome).certificate};
}

Holder World::registration_authority(const std::string& label, const std::string& profile) {
    return holder("CN=RA", label, profile);
}

Holder World::device_of_manufacturer(const std::string& subject) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x01, 0x02, 0x03};
    tbs.signature_algorithm = acme->issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = acme->issuing.subject();
    tbs.not_before = clock.now() - Seconds{3600};
    tbs.not_after = clock.now() + Seconds{365 * 86400};
    tbs.subject = name(subject);
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions.push_back(x509::make_key_usage(x509::digital_signature));
    tbs.extensions.push_back(x509::make_authority_key_identifier(*acme->issuing.subject_key_id()));
    const auto encoded = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, acme->issuing_key.sign(encoded).value());
    return {key, x509::Certificate::parse(der).value()};
}

void World::revoke(const x509::Certificate& certificate) {
    authority::Principal principal;
    principal.operator_ = true;
    store::UnitOfWork work;
    const auto revoked = authority->revoke(
        {"issuing", to_vec(certificate.serial_number()), store::RevocationReason::cessation_of_operation, principal, {}}, work);
    ASSERT_TRUE(revoked) << revoked.error().detail;
    ASSERT_TRUE(store->commit(std::move(work)));
}

void World::decide(bool approve) {
    authority::Principal principal;
    principal.operator_ = true;
    const auto waiting = store->pending_requests(store::PendingRequest::State::pending).value();
    for (const auto& one : waiting) {
        store::UnitOfWork work;
        const auto decided = authority->decide(one.id, approve, "as it is", principal, work);
        ASSERT_TRUE(decided) << decided.error().detail;
        ASSERT_TRUE(store->commit(std::move(work)));
    }
}

void World::add_credential(const std::string& user, const std::string& secret,
                           const std::function<void(store::CredentialRecord&)>& change) {
    store::CredentialRecord record;
    record.name = user;
    record.protocol = "cmc";
    record.created_at = clock.now();
    change(record);
    record.sealed_secret = authority::seal_secret(crypto::Secret{std::string_view{password_key}}, record,
                                                  crypto::Secret{std::string_view{secret}}, entropy)
                               .value();
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertCredential{std::move(record)});
    ASSERT_TRUE(store->commit(std::move(work)));
}

bool World::is_revoked(const x509::Certificate& certificate) {
    const auto status = authority->status("issuing", certificate.serial_number()).value();
    return status && status->revocation;
}

Transport World::nobody() {
    Transport transport;
    transport.principal.address = "192.0.2.1";
    return transport;
}

Transport World::transport(const std::string& credential) {
    auto transport = nobody();
    transport.principal.credential = authority::CredentialProof{1, credential, "basic", {}, {}, {}, {}};
    transport.covers_message = true;
    return transport;
}

CertificateWish wish(std::string_view subject, const std::string& key_type) {
    return {crypto::PrivateKey::generate(key_type).value(), name(subject)};
}

ByteVec signed_message(const PkiData& data, const Holder& signer) {
    const auto content = data.encode();
    const MessageSigner with{{signer.key, cms::Identifier::by_issuer(signer.certificate)}, {signer.certificate.der()}};
    return sign(oid::pki_data, content, &with).value();
}

ByteVec signed_message(const PkiData& data, const crypto::PrivateKey& key, Bytes key_identifier) {
    const auto content = data.encode();
    const MessageSigner with{{key, cms::Identifier::by_key(key_identifier)}, {}};
    return sign(oid::pki_data, content, &with).value();
}

PkiResponse response_of(const Answer& answer) {
    const auto data = cms::SignedData::parse(answer.der, cms_limits({})).value();
    EXPECT_TRUE(data.content());
    return PkiResponse::parse(data.content().value_or(Bytes{})).value_or(PkiResponse{});
}

std::vector<std::string> statuses(const std::vector<StatusInfoV2>& list) {
    std::vector<std::string> words;
    for (const auto& status : list) {
        std::string text{to_string(status.status)};
        if (const auto* info = std::get_if<FailInfo>(&status.other_info)) text += " " + to_string(*info);
        for (const auto& reference : status.body_list) text += " " + std::to_string(std::get<BodyPartId>(reference));
        words.push_back(std::move(text));
    }
    return words;
}

std::vector<std::string> statuses(const Answer& answer) {
    std::vector<StatusInfoV2> list;
    for (const auto& attribute : response_of(answer).controls) {
        const auto control = read_control(attribute);
        if (control && std::holds_alternative<StatusInfoV2>(*control)) list.push_back(std::get<StatusInfoV2>(*control));
    }
    return statuses(list);
}

}  // namespace estuary::test
