#include "world.h"

#include <fmt/format.h>

namespace estuary::test {
namespace {

constexpr const char* password_key = "a key for passwords of 32 octets";

authority::NewCa make(const std::string& name, const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work) {
    authority::CaPlan plan;
    plan.organisation_name = name;
    return authority::make_ca(plan, clock, entropy, work).value();
}

Label label(std::string name, std::string profile, est::Authentication enroll) {
    Label out;
    out.name = std::move(name);
    out.profile = std::move(profile);
    out.enroll = std::move(enroll);
    out.renew.certificate_of_ours = true;
    out.packages = out.enroll;
    out.packages.certificate_of_ours = true;
    return out;
}

est::Authentication password() {
    est::Authentication out;
    out.basic = true;
    return out;
}

est::Authentication everything() {
    est::Authentication out;
    out.certificate_of_ours = out.basic = out.digest = true;
    out.manufacturers = {"acme", "globex"};
    return out;
}

}  // namespace

World::World() {
    std::random_device random;
    directory = std::filesystem::temp_directory_path() / fmt::format("estuary-est-{:08x}{:08x}", random(), random());
    std::filesystem::create_directory(directory);
    store = store::open_sqlite(directory / "test.db").value();
    store::UnitOfWork work, unrecorded;
    ca = make("Ours", clock, entropy, work);
    other_ca = make("Other", clock, entropy, unrecorded);
    acme = make("Acme", clock, entropy, unrecorded);
    globex = make("Globex", clock, entropy, unrecorded);
    authority::CaPlan plan;
    plan.organisation_name = "Former";
    const auto former = make("Former", clock, entropy, unrecorded);
    clock.advance(Seconds{86400});
    rolled = authority::roll_over(plan, former.root, former.root_key, clock, entropy, unrecorded).value();
    EXPECT_TRUE(store->commit(std::move(work)));
    add_credential("alice", alice_password);
    add_credential("bob", bob_password, [](auto& record) { record.subject_patterns = {"CN=bob-*"}; });
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
    config.cas.push_back({"rolled", rolled->next.issuing, rolled->next.issuing_key, {rolled->next.root},
                          {rolled->old_with_new, rolled->new_with_old}});
    auto device = authority::default_device_profile("issuing");
    auto elsewhere = authority::default_device_profile("other");
    elsewhere.name = "elsewhere";
    auto manual = authority::default_device_profile("issuing");
    manual.name = "manual";
    manual.manual_approval = true;
    manual.poll_interval = Seconds{77};
    auto after_rollover = authority::default_device_profile("rolled");
    after_rollover.name = "after-rollover";
    auto silent = authority::default_device_profile("issuing");
    silent.name = "silent";
    silent.ask_for_key_type = silent.csrattrs_template = false;
    auto agreement = manual;   // keys that do not sign
    agreement.name = "agreement";
    agreement.key_usage = x509::key_agreement;
    auto silent_agreement = silent;
    silent_agreement.name = "silent-agreement";
    silent_agreement.key_usage = x509::key_agreement;
    config.profiles = {device, elsewhere, manual, after_rollover, silent, agreement, silent_agreement,
                       authority::tls_server_profile("issuing")};
    config.manufacturers = {{"acme", {acme->root}}, {"globex", {globex->root}}};
    config.password_key = crypto::Secret{std::string_view{password_key}};
    config.digest_realm = realm;
    return config;
}

est::ServerConfig World::server_config() const {
    est::ServerConfig config;
    config.realm = realm;
    auto usual = password();
    usual.certificate_of_ours = true;
    config.labels.push_back(label("", "device", usual));
    est::Authentication digest;
    digest.digest = true;
    config.labels.push_back(label("digest", "device", digest));
    est::Authentication both;
    both.basic = both.certificate_and_password = true;
    both.manufacturers = {"acme"};
    config.labels.push_back(label("both", "device", both));
    est::Authentication manufacturer;
    manufacturer.manufacturers = {"acme"};
    config.labels.push_back(label("acme", "device", manufacturer));
    config.labels.push_back(label("linked", "device", usual));
    config.labels.back().linking_required = true;
    config.labels.push_back(label("manual", "manual", usual));
    config.labels.push_back(label("agreement", "agreement", usual));
    config.labels.push_back(label("silent-agreement", "silent-agreement", usual));
    config.labels.push_back(label("closed", "device", {}));
    config.labels.back().renew = config.labels.back().packages = {};
    config.labels.push_back(label("off", "device", everything()));
    config.labels.back().enabled = false;
    config.labels.push_back(label("other", "elsewhere", usual));
    config.labels.push_back(label("rolled", "after-rollover", usual));
    config.labels.push_back(label("private", "device", password()));
    config.labels.back().csrattrs_needs_authentication = true;
    config.labels.push_back(label("silent", "silent", password()));
    config.labels.push_back(label("ra", "server", usual));
    config.labels.push_back(label("strict-renewal", "device", password()));
    config.labels.back().renew.certificate_and_password = config.labels.back().renew.basic = true;
    return config;
}

void World::restart(std::function<void(est::ServerConfig&)> change) {
    server.reset();
    authority = authority::Authority::create(authority_config(), *store, clock, entropy).value();
    packages = std::make_unique<authority::Packages>(*store->package_reads(), clock);
    auto config = server_config();
    config.packages = packages.get();
    change(config);
    server = est::Server::create(std::move(config), *authority, clock, entropy).value();
}

http::Response World::send(const http::Request& request, const http::Peer& from) {
    store::UnitOfWork work;
    auto response = server->serve(request, from, work);
    if (work.empty()) return response;
    const auto committed = store->commit(std::move(work));
    return committed ? response : est::to_response(committed.error());
}

est::Exchange World::exchange(http::Peer from) {
    return [this, from = std::move(from)](const http::Request& request) -> Result<http::Response> {
        return send(request, from);
    };
}

Identity World::enrolled(const std::string& name, const std::string& text, const std::string& authorization) {
    const auto request = make_request(subject(text));
    const auto response = send(post(target(name, "simpleenroll"), request.der,
                                    authorization.empty() ? alice() : authorization), peer());
    EXPECT_EQ(response.status, 200u) << response.body;
    auto certificate = issued(response);
    auto ours = certificate.issuer() == other_ca->issuing.subject() ? *other_ca : *ca;
    std::vector<ByteVec> chain{to_vec(certificate.der()), to_vec(ours.issuing.der()), to_vec(ours.root.der())};
    return {request.key, std::move(certificate), std::move(chain)};
}

Identity World::device(const std::string& text, const std::string& manufacturer) {
    const auto& maker = manufacturer == "acme" ? *acme : *globex;
    auto key = crypto::PrivateKey::generate("p256").value();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x01, 0x02, 0x03};
    tbs.signature_algorithm = maker.issuing_key.signature_algorithm().value()->identifier;
    tbs.issuer = maker.issuing.subject();
    tbs.not_before = clock.now() - Seconds{3600};
    tbs.not_after = clock.now() + Seconds{365 * 86400};
    tbs.subject = x509::Name::from_text(text).value();
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions.push_back(x509::make_key_usage(x509::digital_signature));
    tbs.extensions.push_back(x509::make_authority_key_identifier(*maker.issuing.subject_key_id()));
    const auto encoded = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, maker.issuing_key.sign(encoded).value());
    auto certificate = x509::Certificate::parse(der).value();
    std::vector<ByteVec> chain{der, to_vec(maker.issuing.der()), to_vec(maker.root.der())};
    return {std::move(key), std::move(certificate), std::move(chain)};
}

void World::revoke(const x509::Certificate& certificate) {
    authority::Principal operator_;
    operator_.operator_ = true;
    store::UnitOfWork work;
    const auto revoked = authority->revoke({"issuing", to_vec(certificate.serial_number()),
                                            store::RevocationReason::cessation_of_operation, operator_}, work);
    ASSERT_TRUE(revoked) << failure(revoked);
    ASSERT_TRUE(store->commit(std::move(work)));
}

void World::add_credential(const std::string& name, const std::string& secret,
                           std::function<void(store::CredentialRecord&)> change) {
    store::CredentialRecord record;
    record.name = name;
    record.password_hash = crypto::hash_generated_password(crypto::Secret{std::string_view{secret}},
                                                           crypto::Secret{std::string_view{password_key}});
    record.digest_ha1 = crypto::digest_ha1(name, realm, crypto::Secret{std::string_view{secret}});
    record.created_at = clock.now();
    change(record);
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertCredential{std::move(record)});
    const auto committed = store->commit(std::move(work));
    ASSERT_TRUE(committed) << failure(committed);
}

http::Peer peer() {
    http::Peer out;
    out.address = "192.0.2.1";
    out.tls = true;
    out.tls_version = "TLSv1.3";
    out.bindings.tls_exporter = ByteVec(32, 0x5A);
    return out;
}

http::Peer peer(const Identity& identity) {
    auto out = peer();
    out.client_chain = identity.chain;
    out.client_verified = true;
    return out;
}

std::string basic(const std::string& user, const std::string& password) {
    return http::write_basic(user, crypto::Secret{std::string_view{password}});
}
std::string alice() { return basic("alice", alice_password); }

http::Request get(const std::string& target, const std::string& method) {
    http::Request request;
    request.method = method;
    request.target = target;
    return request;
}

http::Request post(const std::string& target, Bytes request_der, const std::string& authorization) {
    http::Request request;
    request.method = "POST";
    request.target = target;
    request.headers.add("Content-Type", "application/pkcs10");
    if (!authorization.empty()) request.headers.add("Authorization", authorization);
    request.body = to_base64_lines(request_der);
    return request;
}

std::string target(const std::string& label, const std::string& operation) {
    return "/.well-known/est/" + (label.empty() ? "" : label + "/") + operation;
}

x509::Certificate issued(const http::Response& response) {
    const auto der = from_base64(response.body);
    EXPECT_TRUE(der) << response.body;
    const auto certificates = cms::parse_certs_only(der.value()).value();
    EXPECT_EQ(certificates.size(), 1u);
    return certificates.front();
}

}  // namespace estuary::test
