#include "support.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "estuary/base/encoding.h"
#include "estuary/base/handle.h"
#include "estuary/base/log.h"

namespace estuary::net::test {
namespace {

using CertificatePtr = Handle<X509, X509_free>;

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

ByteVec to_der(X509* certificate) {
    ByteVec out(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
    auto* at = out.data();
    i2d_X509(certificate, &at);
    return out;
}

CertificatePtr from_der(const ByteVec& der) {
    const auto* at = der.data();
    return CertificatePtr{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
}

ByteVec make(const CertificateWish& wish, const crypto::PrivateKey& key, X509* issuer, const crypto::PrivateKey& issuer_key) {
    static long serial = 1;
    const CertificatePtr certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.to_s);
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
    X509_set_pubkey(certificate.get(), key.handle());
    auto* above = issuer != nullptr ? issuer : certificate.get();
    add_extension(certificate.get(), above, NID_subject_key_identifier, "hash");
    add_extension(certificate.get(), above, NID_basic_constraints, wish.ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (wish.ca) add_extension(certificate.get(), above, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!wish.san.empty()) add_extension(certificate.get(), above, NID_subject_alt_name, wish.san);
    if (!wish.usage.empty()) add_extension(certificate.get(), above, NID_ext_key_usage, wish.usage);
    require(X509_sign(certificate.get(), issuer_key.handle(), EVP_sha256()) > 0, "sign");
    return to_der(certificate.get());
}

crypto::PrivateKey new_key() {
    auto key = crypto::PrivateKey::generate("p256");
    require(key.has_value(), "key");
    return std::move(*key);
}

}  // namespace

std::vector<ByteVec> Issued::chain() const {
    std::vector<ByteVec> out{der};
    out.insert(out.end(), above.begin(), above.end());
    return out;
}

Issued self_signed(const CertificateWish& wish) {
    auto key = new_key();
    auto der = make(wish, key, nullptr, key);
    return {std::move(der), std::move(key), {}};
}

Issued issue(const Issued& ca, const CertificateWish& wish) {
    auto key = new_key();
    const auto issuer = from_der(ca.der);
    auto der = make(wish, key, issuer.get(), ca.key);
    auto above = ca.above;
    const bool by_root = X509_NAME_cmp(X509_get_subject_name(issuer.get()), X509_get_issuer_name(issuer.get())) == 0;
    if (!by_root) above.insert(above.begin(), ca.der);
    return {std::move(der), std::move(key), std::move(above)};
}

const Pki& pki() {
    static const Pki instance = [] {
        auto root = self_signed({.name = "Test Root", .ca = true, .san = {}, .usage = {}});
        auto issuing = issue(root, {.name = "Test Issuing CA", .ca = true, .san = {}, .usage = {}});
        auto server = issue(issuing, {.name = "server", .san = "DNS:localhost,IP:127.0.0.1", .usage = "serverAuth"});
        return Pki{std::move(root), std::move(issuing), std::move(server)};
    }();
    return instance;
}

bool MoodyHandler::is_quick(const http::Request& request) const { return request.target.starts_with("/quick"); }

http::Response MoodyHandler::answer(const http::Request& request, const http::Peer& peer) {
    if (request.target == "/echo") return http::text_response(200, request.body);
    if (request.target.starts_with("/large/")) {
        http::Response large;
        large.body.assign(std::stoul(request.target.substr(7)), 'x');
        return large;
    }
    if (request.target.starts_with("/shared/")) {
        const auto octets = std::make_shared<const std::string>(std::stoul(request.target.substr(8)), 's');
        http::Response shared;
        shared.shared = {octets, *octets};
        return shared;
    }
    if (request.target == "/peer")
        return http::text_response(
            200, fmt::format("{}\n{}\nverified={}\nerror={}\nchain={}\nunique={}\nexporter={}", peer.address, peer.tls_version,
                             peer.client_verified, peer.client_verify_error, peer.client_chain.size(),
                             to_hex(peer.bindings.tls_unique), to_hex(peer.bindings.tls_exporter)));
    return http::text_response(200, request.target == "/block" ? "blocked" : request.target.substr(1));
}

void MoodyHandler::serve(http::Request request, std::shared_ptr<const http::Peer> peer, ResponderPtr responder) {
    if (request.target.ends_with("/throw")) throw std::runtime_error("moody");
    if (request.target == "/drop") return;
    if (request.target == "/block") {
        std::unique_lock lock{mutex_};
        ++blocked_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return released_; });
    }
    responder->respond(answer(request, *peer));
    if (request.target == "/twice") responder->respond(http::text_response(500, "second"));
}

void MoodyHandler::await_blocked(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return blocked_ >= count; });
}

void MoodyHandler::release() {
    const std::lock_guard lock{mutex_};
    released_ = true;
    changed_.notify_all();
}

TestServer::TestServer(ServerOptions options) : tls_{options.tls.has_value()} {
    log::set_level(log::Level::error);
    if (options.listen.empty()) options.listen.push_back({"127.0.0.1", 0});
    if (options.io_threads == 0) options.io_threads = 2;
    if (options.worker_threads == 0) options.worker_threads = 2;
    auto made = Server::create(std::move(options), handler);
    require(made.has_value(), "server");
    server_ = std::move(*made);
    server_->start();
}

TestServer::~TestServer() { handler.release(); }

http::Url TestServer::url(std::string_view host) const {
    return *http::Url::parse(fmt::format("{}://{}:{}", tls_ ? "https" : "http", host, port()));
}

TlsIdentity server_identity() {
    return {pki().server.chain(), pki().server.key, {pki().root.der}, {pki().issuing.der}, true, {}};
}

ServerOptions tls_options() {
    ServerOptions out;
    out.tls = server_identity();
    return out;
}

ClientOptions trusting() {
    ClientOptions out;
    out.trust.explicit_anchors = {pki().root.der};
    return out;
}

ClientOptions trusting(const Issued& identity) {
    auto out = trusting();
    out.identity = ClientIdentity{identity.chain(), identity.key};
    return out;
}

http::Request get(std::string target) { return {"GET", std::move(target), {}, {}}; }
http::Request post(std::string target, std::string body) { return {"POST", std::move(target), {}, std::move(body)}; }

std::unique_ptr<Connection> open(const http::Url& url, const ClientOptions& options) {
    auto connection = Connection::open(url, options);
    if (!connection) {
        ADD_FAILURE() << connection.error().detail << " (" << connection.error().cause << ")";
        return nullptr;
    }
    return std::move(*connection);
}

http::Response fetch(const http::Url& url, const ClientOptions& options, const http::Request& request) {
    http::Response none;
    none.status = 0;
    const auto connection = open(url, options);
    if (!connection) return none;
    auto response = connection->exchange(request);
    if (!response) {
        ADD_FAILURE() << response.error().detail << " (" << response.error().cause << ")";
        return none;
    }
    return std::move(*response);
}

BareClient::BareClient(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    require(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
}

void BareClient::send(std::string_view octets) {
    while (!octets.empty()) {
        const auto sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // the server may refuse before it has read everything
        octets.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool BareClient::read_more() {
    std::array<char, 4096> chunk;
    ssize_t got = 0;
    do got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    while (got < 0 && errno == EINTR);  // with SO_RCVTIMEO also when the process was stopped and goes on: signal(7)
    if (got > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0;
}

std::string BareClient::read_until(std::string_view mark) {
    for (;;) {
        const auto found = mark.empty() ? std::string::npos : buffer_.find(mark);
        if (found != std::string::npos) {
            auto out = buffer_.substr(0, found + mark.size());
            buffer_.erase(0, out.size());
            return out;
        }
        if (!read_more()) return std::exchange(buffer_, {});
    }
}

std::string BareClient::read_response() {
    auto out = read_until("\r\n\r\n");
    const auto at = out.find("Content-Length: ");
    if (at == std::string::npos) return out;
    const auto length = std::stoul(out.substr(at + 16));
    while (buffer_.size() < length && read_more()) {
    }
    out += buffer_.substr(0, length);
    buffer_.erase(0, length);
    return out;
}

void BareClient::half_close() { ::shutdown(fd_.get(), SHUT_WR); }

TempDir::TempDir() {
    auto pattern = (std::filesystem::temp_directory_path() / "estuary-net-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, std::string_view content) const {
    std::ofstream{file(name), std::ios::binary} << content;
    return file(name);
}

std::string pem(Bytes certificate) { return to_pem("CERTIFICATE", certificate); }

std::string key_pem(const crypto::PrivateKey& key) {
    auto secret = key.to_pem();
    require(secret.has_value(), "pem");
    return std::string{secret->reveal_text()};
}

bool installed(const std::string& program) { return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0; }

std::string output_of(const std::string& command) {
    std::string out;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    require(pipe != nullptr, "popen");
    std::array<char, 4096> chunk;
    while (const auto got = std::fread(chunk.data(), 1, chunk.size(), pipe)) out.append(chunk.data(), got);
    ::pclose(pipe);
    return out;
}

}  // namespace estuary::net::test
