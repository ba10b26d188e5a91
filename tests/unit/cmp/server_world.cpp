#include "server_world.h"

#include <random>

#include <fmt/format.h>

#include "estuary/authority/key_generation.h"
#include "estuary/authority/online_recovery.h"
#include "estuary/authority/shared_secrets.h"

namespace estuary::test {
namespace {

constexpr const char* password_key = "a key for passwords of 32 octets";

authority::NewCa make_ca(const std::string& name, const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work) {
    authority::CaPlan plan;
    plan.organisation_name = name;
    return authority::make_ca(plan, clock, entropy, work).value();
}

authority::Profile server_profile(const std::string& name, const std::string& ca, const der::Oid& purpose) {
    authority::Profile profile;
    profile.name = name;
    profile.ca = ca;
    profile.key_types = {"p256"};
    profile.subject.allowed = {x509::oid::common_name};
    profile.ext_key_usage = {purpose};
    return profile;
}

cmp::Label label(std::string name, std::string profile = "device") {
    cmp::Label out;
    out.name = std::move(name);
    out.profile = std::move(profile);
    out.shared_secret = out.certificate_of_ours = true;
    return out;
}

}  // namespace

ServerWorld::ServerWorld() {
    std::random_device random;
    directory = std::filesystem::temp_directory_path() / fmt::format("estuary-cmp-{:08x}{:08x}", random(), random());
    std::filesystem::create_directory(directory);
    store = store::open_sqlite(directory / "test.db").value();
    store::UnitOfWork work, unrecorded;
    ca = make_ca("Ours", clock, entropy, work);
    other_ca = make_ca("Other", clock, entropy, unrecorded);
    acme = make_ca("Acme", clock, entropy, unrecorded);
    globex = make_ca("Globex", clock, entropy, unrecorded);
    EXPECT_TRUE(store->commit(std::move(work)));
    agents = {device("CN=online agent", "acme", x509::key_agreement), device("CN=agent elsewhere", "globex", x509::key_agreement)};
    add_secret("alice", alice_secret);
    add_secret("once", "once-canary-secret", [](auto& record) { record.uses_left = 1; });
    add_secret("http", "http-canary-secret", [](auto& record) { record.protocol = "cmc"; });
    restart();
}

ServerWorld::~ServerWorld() {
    server.reset();
    authority.reset();
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

authority::Config ServerWorld::authority_config() const {
    authority::Config config;
    config.cas.push_back({"issuing", ca->issuing, ca->issuing_key, {ca->root}, {}});
    config.cas.back().status.crl_uris = {"http://crl.example/issuing-0.crl"};
    config.cas.push_back({"other", other_ca->issuing, other_ca->issuing_key, {other_ca->root}, {}});
    config.cas.push_back({"root", ca->root, ca->root_key, {}, {}});
    auto device = authority::default_device_profile("issuing");
    device.key_types = {"p256", "p384", "ed25519", "rsa2048"};
    auto elsewhere = authority::default_device_profile("other");
    elsewhere.name = "elsewhere";
    auto manual = device;
    manual.name = "manual";
    manual.manual_approval = true;
    manual.poll_interval = Seconds{77};
    auto ra = server_profile("ra", "issuing", x509::oid::kp_cmc_ra);
    auto transport = device;
    transport.name = "transport";
    transport.key_types.insert(transport.key_types.end(), {"p521", "x25519", "x448"});
    transport.key_usage = x509::digital_signature | x509::key_encipherment | x509::key_agreement;
    auto agreement = server_profile("agreement", "issuing", x509::oid::kp_cmc_ca);
    agreement.key_usage = x509::key_agreement;
    config.profiles = {device, elsewhere, manual, ra, transport, server_profile("cmp-issuing", "issuing", x509::oid::kp_cmc_ca),
                       server_profile("cmp-other", "other", x509::oid::kp_cmc_ca), server_profile("kga", "issuing", authority::kp_cm_kga), agreement,
                       server_profile("cmp-root", "root", x509::oid::kp_cmc_ca), server_profile("root-ra", "root", x509::oid::kp_cmc_ra)};
    auto operators = authority::default_device_profile("root");
    operators.name = "operator";
    config.profiles.push_back(operators);
    authority::Profile sub_ca;
    sub_ca.name = "sub-ca";
    sub_ca.ca = "root";
    sub_ca.validity = Seconds{5 * 365 * 86400LL};
    sub_ca.key_types = {"p256"};
    sub_ca.subject.allowed = {x509::oid::common_name, x509::oid::organization_name};
    sub_ca.ca_certificate.emplace();
    sub_ca.manual_approval = true;
    sub_ca.poll_interval = Seconds{77};
    config.profiles.push_back(sub_ca);
    auto archived = transport;
    archived.name = "archived";
    archived.archive_keys = true;
    config.profiles.push_back(archived);
    for (const auto& agent : agents) config.recovery_agents.push_back(agent.certificate);
    if (online_agent)
        config.online_recovery = std::make_shared<const authority::OnlineRecovery>(
            authority::OnlineRecovery{agents.front().certificate, agents.front().key, recovery_rules});
    config.manufacturers = {{"acme", {acme->root}, {}}, {"globex", {globex->root}, {}}};
    config.password_key = crypto::Secret{std::string_view{password_key}};
    return config;
}

cmp::Credentials ServerWorld::own_certificate(const std::string& profile, const std::string& ca_name) {
    if (const auto found = own_.find(profile); found != own_.end()) return found->second;
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto der = x509::make_request({name("CN=" + profile), {}, {}}, key).value();
    store::UnitOfWork work;
    auto certificate = authority->issue_for_server(profile, x509::SignedRequest::parse(der).value(), work);
    EXPECT_TRUE(certificate) << failure(certificate);
    EXPECT_TRUE(store->commit(std::move(work)));
    const auto& issuer = ca_name == "root" ? ca->root : ca_name == "issuing" ? ca->issuing : other_ca->issuing;
    return own_.emplace(profile, cmp::Credentials{{*certificate, issuer}, key}).first->second;
}

cmp::ServerConfig ServerWorld::server_config() {
    cmp::ServerConfig config;
    auto usual = label("");
    usual.more_profiles = {"ra", "transport"};
    usual.registration_authority = true;
    usual.manufacturers = {"acme"};
    usual.ca_pubs = true;
    config.labels.push_back(usual);
    config.labels.push_back(label("explicit"));
    config.labels.back().implicit_confirm = false;
    config.labels.push_back(label("many"));
    config.labels.back().requests_max = 8;
    config.labels.push_back(label("manual", "manual"));
    config.labels.push_back(label("closed"));
    config.labels.back().shared_secret = config.labels.back().certificate_of_ours = false;
    config.labels.push_back(label("off"));
    config.labels.back().enabled = false;
    config.labels.push_back(label("other", "elsewhere"));
    config.labels.push_back(label("keys", "transport"));
    config.labels.back().generate_keys = config.labels.back().registration_authority = true;
    config.labels.back().more_profiles = {"ra"};
    config.labels.push_back(label("open"));
    config.labels.back().unprotected_information = true;
    config.labels.back().update = config.labels.back().revoke = false;
    config.labels.push_back(label("kem", "transport"));
    config.labels.back().kem_protection = true;
    config.labels.back().more_profiles = {"device"};
    config.labels.back().manufacturers = {"acme"};
    config.labels.push_back(label("agreement", "transport"));
    config.labels.back().diffie_hellman = true;
    config.labels.back().more_profiles = {"device"};
    config.labels.push_back(label("reviewed"));
    config.labels.back().approve_revocations = config.labels.back().registration_authority = true;
    config.labels.back().more_profiles = {"ra"};
    config.labels.back().requests_max = 2;
    config.labels.push_back(label("cross", "operator"));
    config.labels.back().cross_certification = "sub-ca";
    config.labels.back().registration_authority = true;
    config.labels.back().more_profiles = {"root-ra"};
    config.labels.back().manufacturers = {"acme"};
    config.signers.emplace("root", own_certificate("cmp-root", "root"));
    config.labels.push_back(label("passphrase"));
    config.labels.back().revocation_passphrases = config.labels.back().registration_authority = true;
    config.labels.back().more_profiles = {"ra", "manual"};
    config.labels.back().manufacturers = {"acme"};
    config.labels.back().requests_max = 2;
    config.labels.push_back(label("recovery", "archived"));
    config.labels.back().generate_keys = config.labels.back().recover_keys = config.labels.back().registration_authority = true;
    config.labels.back().more_profiles = {"ra", "device", "manual"};
    config.labels.back().manufacturers = {"acme"};
    config.agreement_keys.emplace("issuing", own_certificate("agreement", "issuing"));
    config.signers.emplace("issuing", own_certificate("cmp-issuing", "issuing"));
    config.signers.emplace("other", own_certificate("cmp-other", "other"));
    config.key_generators.emplace("issuing", own_certificate("kga", "issuing"));
    config.crls = [this](std::string_view) -> Result<std::vector<ByteVec>> { return published_crls; };
    return config;
}

void ServerWorld::restart(std::function<void(cmp::ServerConfig&)> change) {
    server.reset();
    authority = authority::Authority::create(authority_config(), *store, clock, entropy).value();
    auto config = server_config();
    change(config);
    server = cmp::Server::create(std::move(config), *authority, *store, clock, entropy).value();
}

PkiMessage ServerWorld::send(Bytes message, const cmp::Transport& transport) {
    store::UnitOfWork work;
    const auto answer = server->answer(message, transport, work);
    if (!work.empty()) {
        const auto committed = store->commit(std::move(work));
        EXPECT_TRUE(committed) << failure(committed);
    }
    auto parsed = PkiMessage::parse(answer.message);
    EXPECT_TRUE(parsed) << failure(parsed);
    EXPECT_EQ(to_string(Bytes{answer.message}).find("canary"), std::string::npos);   // bug class 12
    return *parsed;
}

Identity ServerWorld::enrolled(const std::string& subject, const std::string& label_name, const std::string& profile) {
    Talker talker{*this, "alice", alice_secret, label_name};
    const auto answer = talker.send(talker.request(BodyType::ir, subject), [&](cmp::PkiHeader& header) {
        header.general_info.push_back(cmp::make_implicit_confirm());
        if (!profile.empty()) header.general_info.push_back(cmp::make_cert_profile({profile}));
    });
    EXPECT_EQ(verdict(answer).substr(0, 3), "ip ") << verdict(answer);
    return talker.identity(answer);
}

Identity ServerWorld::device(const std::string& subject, const std::string& manufacturer, std::uint32_t key_usage, crypto::PrivateKey key) {
    const auto& maker = manufacturer == "acme" ? *acme : *globex;
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x01, 0x02, 0x03};
    tbs.signature_algorithm = maker.issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = maker.issuing.subject();
    tbs.not_before = clock.now() - Seconds{3600};
    tbs.not_after = clock.now() + Seconds{365 * 86400};
    tbs.subject = name(subject);
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions.push_back(x509::make_key_usage(key_usage));
    tbs.extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(tbs.spki).value()));
    tbs.extensions.push_back(x509::make_authority_key_identifier(maker.issuing.subject_key_id().value()));
    const auto encoded = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, maker.issuing_key.sign(encoded).value());
    return {std::move(key), x509::Certificate::parse(der).value(), {maker.issuing}};
}

void ServerWorld::add_secret(const std::string& who, const std::string& secret, std::function<void(store::CredentialRecord&)> change) {
    store::CredentialRecord record;
    record.name = who;
    record.protocol = "cmp";
    record.created_at = clock.now();
    change(record);
    record.sealed_secret = authority::seal_secret(crypto::Secret{std::string_view{password_key}}, record,
                                                  crypto::Secret{std::string_view{secret}}, entropy).value();
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertCredential{std::move(record)});
    ASSERT_TRUE(store->commit(std::move(work)));
}

void ServerWorld::decide(bool approve) {
    authority::Principal operator_;
    operator_.operator_ = true;
    const auto waiting = store->pending_requests(store::PendingRequest::State::pending).value();
    for (const auto& request : waiting) {
        store::UnitOfWork work;
        ASSERT_TRUE(authority->decide(request.id, approve, "", operator_, work));
        ASSERT_TRUE(store->commit(std::move(work)));
    }
}

bool ServerWorld::is_revoked(const x509::Certificate& certificate, const std::string& ca_name) {
    const auto status = authority->status(ca_name, certificate.serial_number());
    EXPECT_TRUE(status && *status);
    return status && *status && (*status)->revocation.has_value();
}

Talker::Talker(ServerWorld& world, std::string reference, std::string secret, std::string label_name)
    : transport{std::move(label_name), {}, "192.0.2.1"}, world_{world}, secret_{std::string_view{secret}}, reference_{std::move(reference)} {
    begin();
}

Talker::Talker(ServerWorld& world, const Identity& identity, std::string label_name)
    : transport{std::move(label_name), {}, "192.0.2.1"}, world_{world}, identity_{identity} {
    begin();
}

void Talker::begin() {
    transaction_id.resize(16);
    world_.entropy.fill(transaction_id);
    recip_nonce.reset();
}

ByteVec Talker::make(const PkiBody& body, std::function<void(cmp::PkiHeader&)> bend) {
    cmp::PkiHeader header;
    header.pvno = pvno;
    header.sender = identity_ ? cmp::directory_name(identity_->certificate.subject()) : directory("CN=" + reference_);
    header.recipient = directory("CN=whoever");
    header.message_time = world_.clock.now();
    header.sender_kid = identity_ ? identity_->certificate.subject_key_id() : std::optional{to_vec(as_bytes(reference_))};
    header.transaction_id = transaction_id;
    header.sender_nonce = ByteVec(16);
    world_.entropy.fill(*header.sender_nonce);
    header.recip_nonce = recip_nonce;
    if (bend) bend(header);
    std::vector<Bytes> extra;
    if (identity_ && with_certificates) {
        extra.push_back(identity_->certificate.der());
        for (const auto& link : identity_->chain) extra.push_back(link.der());
    }
    if (protect) return protect(std::move(header), body, extra);
    const auto protector = identity_ ? cmp::Protector::with_key(identity_->key) : cmp::Protector::with_secret(*secret_);
    return protector.value().protect(std::move(header), body, extra).value();
}

PkiMessage Talker::deliver(Bytes message) {
    last_sent = to_vec(message);
    auto answer = world_.send(last_sent, transport);   // `message` may be what was sent last
    if (answer.type() != BodyType::error || verdict(answer) == "error waiting") recip_nonce = answer.header().sender_nonce;
    return answer;
}

PkiMessage Talker::send(PkiBody body, std::function<void(cmp::PkiHeader&)> bend) { return deliver(make(body, std::move(bend))); }

PkiBody Talker::request(BodyType type, const std::string& subject, std::function<void(crmf::WantedRequest&)> bend) {
    crmf::WantedRequest wanted;
    if (!subject.empty()) wanted.request.cert_template.subject = name(subject);
    if (bend) bend(wanted);
    const auto der = crmf::make_cert_req_msg(wanted, key);
    EXPECT_TRUE(der) << failure(der);
    return {type, cmp::CertReqMessages{{crmf::CertReqMsg::parse(der.value()).value()}}};
}

PkiBody Talker::p10(const std::string& subject) {
    return {BodyType::p10cr, cmp::P10CertificationRequest{x509::make_request({name(subject), {}, {}}, key).value()}};
}

PkiBody Talker::confirmation(const x509::Certificate& certificate, std::int64_t id) {
    cmp::CertStatus status;
    status.cert_req_id = id;
    status.cert_hash = cmp::cert_hash(certificate).value();
    return {BodyType::cert_conf, cmp::CertConfirmContent{{status}}};
}

PkiBody revocation(const x509::Certificate& certificate, std::vector<x509::Extension> extensions,
                   std::function<void(crmf::CertTemplate&)> bend) {
    crmf::CertTemplate which;
    which.issuer = certificate.issuer();
    which.serial_number = to_vec(certificate.serial_number());
    if (bend) bend(which);
    return {BodyType::rr, cmp::RevReqContent{{{which, std::move(extensions)}}}};
}

Identity Talker::identity(const PkiMessage& answer) const { return {key, certificate_of(answer), {world_.ca->issuing}}; }

namespace {

std::string status_text(const cmp::PkiStatusInfo& status) {
    std::string text{to_string(status.status)};
    if (status.fail_info) text += " " + status.fail_info->to_text();
    return text;
}

}  // namespace

std::string verdict(const PkiMessage& answer) {
    const std::string type{to_string(answer.type())};
    const auto& content = answer.body().content;
    if (const auto* error = std::get_if<cmp::ErrorMsgContent>(&content)) {
        const auto text = status_text(error->status_info);
        return type + " " + (text.starts_with("rejection ") ? text.substr(10) : text);
    }
    if (const auto* certificates = std::get_if<cmp::CertRepMessage>(&content)) return type + " " + status_text(certificates->responses.front().status);
    if (const auto* revoked = std::get_if<cmp::RevRepContent>(&content)) return type + " " + status_text(revoked->status.front());
    if (const auto* recovered = std::get_if<cmp::KeyRecRepContent>(&content)) return type + " " + status_text(recovered->status);
    return type;
}

x509::Certificate certificate_of(const PkiMessage& answer, std::size_t index) {
    EXPECT_TRUE(std::holds_alternative<cmp::CertRepMessage>(answer.body().content)) << verdict(answer);
    const auto& response = answer.as<cmp::CertRepMessage>().responses.at(index);
    EXPECT_TRUE(response.certified_key_pair) << verdict(answer);
    return response.certified_key_pair.value().certificate()->x509().value();
}

}  // namespace estuary::test
