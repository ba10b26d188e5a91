// The whole EST server, from a request's octets to its answer. Input: a line of flags (p: no TLS, c: a client certificate,
// v: it was verified), then method, target and fields as in HTTP, a blank line, and the body.
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/keygen.h"
#include "estuary/est/packages.h"
#include "estuary/est/server.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using fuzz::require;

constexpr std::string_view password = "correct horse battery staple";

std::vector<authority::Profile> profiles(const authority::Profile& device) { return {device}; }

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{profiles}, packages{*store->package_reads(), clock} {
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertCredential{alice()});
        work.writes.emplace_back(store::InsertPackage{firmware()});
        commit(std::move(work));
        est::ServerConfig config;
        config.packages = &packages;
        est::Label label;
        label.profile = "device";
        label.enroll.basic = label.enroll.digest = label.enroll.certificate_of_ours = label.renew.certificate_of_ours = true;
        label.packages = label.serverkeygen = label.enroll;
        config.labels.push_back(label);
        label.name = "label";
        label.linking_required = label.csrattrs_needs_authentication = true;
        config.labels.push_back(label);
        server = est::Server::create(std::move(config), *authority, clock, entropy).value();
        chain = {to_vec(ca->issuing.der()), to_vec(ca->root.der())};
    }

    store::CredentialRecord alice() const {
        store::CredentialRecord record;
        record.name = "alice";
        record.created_at = clock.now();
        record.password_hash = crypto::hash_generated_password(crypto::Secret{password}, crypto::Secret{fuzz::password_key});
        record.digest_ha1 = crypto::digest_ha1("alice", "estuary", crypto::Secret{password});
        return record;
    }

    /// For everybody, with a receipt: FirmwarePkgData is any OCTET STRING (RFC 4108 2).
    store::PackageRecord firmware() const {
        store::PackageRecord record;
        record.type = "0026";
        record.recipient = record.recipient_key = "any";
        record.media_type = est::media_cms;
        record.receipt_wanted = true;
        record.created_at = record.available_from = clock.now();
        record.content = {0x30, 0x11, 0x06, 0x0B, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x10, 0xA0, 0x02, 0x04, 0x00};
        record.digest = crypto::sha256(record.content);
        record.size = static_cast<std::int64_t>(record.content.size());
        return record;
    }

    authority::Packages packages;
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

/// Whatever it is, it is whole, and recorded before it leaves (bug class 24).
void check_answer(const http::Request& request, const http::Response& response, const store::UnitOfWork& work) {
    const auto type = response.headers.find("Content-Type").value_or("");
    if (type == est::media_json) return require(est::Pal::parse_json(response.body).has_value());
    if (type == est::media_xml) return require(est::Pal::parse_xml(response.body).has_value());
    if (type == est::media_cms) require(request.method == "HEAD" || !work.empty());
    if (type.starts_with(est::media_multipart)) {
        require(!work.empty());
        require(est::read_key_answer(type, response.shared.owner ? response.shared.octets : response.body).has_value());
        return;
    }
    const auto der = from_base64(response.body);
    require(der.has_value());
    if (request.method != "POST") return;
    require(!work.empty());
    const auto certificates = cms::parse_certs_only(*der);
    require(certificates && certificates->size() == 1);
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
    if (response.status == 200) check_answer(request, response, work);
    else if (response.status != 204) check_error(response);
    else if (request.method == "POST") require(!work.empty());   // a receipt (bug class 24)
    return 0;
}
