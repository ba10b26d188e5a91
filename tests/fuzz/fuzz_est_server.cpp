// The whole EST server, from a request's octets to its answer. Input: a line of flags (p: no TLS, c: a client certificate,
// v: it was verified), then method, target and fields as in HTTP, a blank line, and the body.
#include <cstdlib>
#include <fstream>

#include "estuary/authority/ceremony.h"
#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/base/text.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/server.h"

namespace {

using namespace estuary;

constexpr std::string_view password = "correct horse battery staple";
constexpr std::string_view password_key = "a key for passwords of 32 octets";

/// One credential, and nothing that lasts.
class StubStore final : public store::Store {
public:
    StubStore() {
        credential_.id = 1;
        credential_.name = "alice";
        credential_.password_hash = crypto::hash_generated_password(crypto::Secret{password}, crypto::Secret{password_key});
        credential_.digest_ha1 = crypto::digest_ha1("alice", "estuary", crypto::Secret{password});
    }
    void submit(store::UnitOfWork, store::Committed committed) override { committed({}); }
    Result<std::optional<store::CertificateRecord>> certificate(std::string_view, Bytes) override { return nothing<store::CertificateRecord>(); }
    Result<std::optional<store::CertificateRecord>> certificate(std::int64_t) override { return nothing<store::CertificateRecord>(); }
    Result<std::optional<store::CertificateStatus>> certificate_status(std::string_view, Bytes) override {
        return nothing<store::CertificateStatus>();
    }
    Result<std::optional<store::CertificateRecord>> certificate_of_request(const store::RequestKey&) override {
        return nothing<store::CertificateRecord>();
    }
    Result<std::int64_t> visit_revoked(const store::RevokedQuery&,
                                       const std::function<void(const store::RevokedCertificate&)>&) override { return 0; }
    Result<std::vector<store::RevocationChange>> revocation_changes(std::int64_t, std::size_t) override {
        return std::vector<store::RevocationChange>{};
    }
    Result<std::int64_t> last_revocation_change() override { return 0; }
    Result<std::optional<store::CrlRecord>> crl(std::string_view, unsigned, bool) override { return std::nullopt; }
    Result<std::vector<store::CrlRecord>> crls() override { return std::vector<store::CrlRecord>{}; }
    Result<std::vector<store::CertificateRecord>> certificates(const store::CertificateFilter&) override {
        return std::vector<store::CertificateRecord>{};
    }
    Result<std::int64_t> count_certificates() override { return 0; }
    Result<std::optional<store::CredentialRecord>> credential(std::string_view name) override {
        return name == credential_.name ? std::optional{credential_} : std::nullopt;
    }
    Result<std::vector<store::CredentialRecord>> credentials() override { return std::vector{credential_}; }
    Result<std::optional<store::PendingRequest>> pending_request(const store::RequestKey&) override {
        return nothing<store::PendingRequest>();
    }
    Result<std::optional<store::PendingRequest>> pending_request(std::int64_t) override { return nothing<store::PendingRequest>(); }
    Result<std::vector<store::PendingRequest>> pending_requests(std::optional<store::PendingRequest::State>) override {
        return std::vector<store::PendingRequest>{};
    }
    Result<std::vector<store::AuditEvent>> audit(std::int64_t, std::size_t) override { return std::vector<store::AuditEvent>{}; }
    Result<std::optional<std::string>> setting(std::string_view) override { return nothing<std::string>(); }
    Result<std::size_t> tidy(Time) override { return std::size_t{0}; }
    Result<void> backup(const std::filesystem::path&) override { return {}; }
    Result<void> check() override { return {}; }

private:
    template <class T>
    static Result<std::optional<T>> nothing() {
        return std::optional<T>{};
    }
    store::CredentialRecord credential_;
};

struct World {
    World() {
        log::set_level(log::Level::error);
        store::UnitOfWork unrecorded;
        authority::CaPlan plan;
        plan.organisation_name = "Fuzz";
        const auto ca = authority::make_ca(plan, clock, entropy, unrecorded).value();
        authority::Config config;
        config.cas.push_back({"issuing", ca.issuing, ca.issuing_key, {ca.root}, {}});
        config.profiles = {authority::default_device_profile("issuing")};
        config.password_key = crypto::Secret{password_key};
        authority = authority::Authority::create(std::move(config), store, clock, entropy).value();
        est::ServerConfig labels;
        est::Label label;
        label.profile = "device";
        label.enroll.basic = label.enroll.digest = label.enroll.certificate_of_ours = label.renew.certificate_of_ours = true;
        labels.labels.push_back(label);
        label.name = "label";
        label.linking_required = label.csrattrs_needs_authentication = true;
        labels.labels.push_back(label);
        server = est::Server::create(std::move(labels), *authority, clock, entropy).value();
        chain = {to_vec(ca.issuing.der()), to_vec(ca.root.der())};
    }
    ManualClock clock{Time{Seconds{1'795'233'600}}};
    crypto::SystemEntropy entropy;
    StubStore store;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<est::Server> server;
    std::vector<ByteVec> chain;
};

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

http::Request read_request(std::string_view text) {
    http::Request request;
    const auto first = take_line(text);
    const auto blank = first.find(' ');
    request.method = first.substr(0, blank);
    if (blank != std::string_view::npos) request.target = first.substr(blank + 1);
    for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        request.headers.add(std::string{line.substr(0, colon)}, std::string{text::trim(line.substr(colon + 1))});
    }
    request.body = text;
    return request;
}

void require(bool holds) {
    if (!holds) std::abort();
}

/// Short text for people, without control characters (bug class 13) and without the password (bug class 12).
void check_error(const http::Response& response) {
    require(response.headers.find("Content-Type") == "text/plain; charset=utf-8");
    require(!response.body.empty() && response.body.size() < 2048 && response.body.back() == '\n');
    require(text::is_plain_utf8(std::string_view{response.body}.substr(0, response.body.size() - 1)));
    require(response.body.find(password) == std::string::npos);
    require((response.status == 401) == response.headers.find("WWW-Authenticate").has_value());
    require((response.status == 405) == response.headers.find("Allow").has_value());
    require((response.status == 503 || response.status == 202) == response.headers.find("Retry-After").has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    auto text = as_text(Bytes{data, size});
    const auto flags = take_line(text);
    const auto request = read_request(text);
    http::Peer peer;
    peer.address = "192.0.2.1";
    peer.tls = flags.find('p') == std::string_view::npos;
    peer.bindings.tls_exporter = ByteVec(32, 0x41);
    if (flags.find('c') != std::string_view::npos) peer.client_chain = world.chain;
    peer.client_verified = flags.find('v') != std::string_view::npos;
    store::UnitOfWork work;
    const auto quick = world.server->is_quick(request);
    const auto response = world.server->serve(request, peer, work);
    world.clock.advance(Seconds{3600});   // failures are forgotten, so that no input is about the one before
    if (quick) require(work.empty());
    if (!peer.tls) require(response.status == 403);
    if (response.status == 204) return 0;
    if (response.status != 200) {
        check_error(response);
        return 0;
    }
    const auto der = from_base64(response.body);
    require(der.has_value());
    if (request.method == "POST") {
        require(!work.empty());   // recorded before it leaves (bug class 24)
        const auto certificates = cms::parse_certs_only(*der);
        require(certificates && certificates->size() == 1);
    }
    return 0;
}
