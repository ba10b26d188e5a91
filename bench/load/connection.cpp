#include "connection.h"

#include <charconv>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

namespace estuary::load {
namespace {

[[noreturn]] void give_up(const std::string& what) {
    char text[256] = "";
    if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
    throw std::runtime_error{what + (text[0] != 0 ? std::string{": "} + text : "")};
}

using Bio = Handle<BIO, BIO_free_all>;
using Cert = Handle<X509, X509_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;

Bio memory(const std::string& text) { return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

}  // namespace

SslCtx client_context(const std::string& ca_pem, const std::string& certificate_pem, const std::string& key_pem) {
    SslCtx context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const auto bio = memory(ca_pem);
    while (Cert anchor{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), anchor.get());
    ERR_clear_error();
    if (certificate_pem.empty()) return context;
    const auto chain = memory(certificate_pem);
    const Cert leaf{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
    const auto key_bio = memory(key_pem);
    const Key key{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr)};
    if (!leaf || !key || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
        give_up("client certificate");
    return context;
}

Connection::Connection(SSL_CTX& context, const Address& address) : ssl_{SSL_new(&context)} {
    open(address);
    SSL_set_fd(ssl_.get(), socket_);
    if (SSL_connect(ssl_.get()) != 1) give_up("handshake");
}

Connection::Connection(const Address& address) { open(address); }

long Connection::write(const char* data, std::size_t size) {
    return ssl_ ? SSL_write(ssl_.get(), data, static_cast<int>(size)) : ::write(socket_, data, size);
}

long Connection::read(char* into, std::size_t size) {
    return ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : ::read(socket_, into, size);
}

void Connection::open(const Address& address) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    if (inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) != 1) throw std::runtime_error{"not an IPv4 address"};
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // RST instead of TIME_WAIT at the end: thousands of connections a second would use up the ports.
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error{"cannot connect"};
}

Connection::~Connection() {
    if (ssl_) SSL_shutdown(ssl_.get());
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
}

Reply Connection::exchange(const std::string& request) {
    if (write(request.data(), request.size()) <= 0) give_up("write");
    char chunk[16384];
    std::size_t head_end = 0;
    std::size_t length = 0;
    for (;;) {
        if (head_end == 0) {
            if (const auto end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
                head_end = end + 4;
                constexpr std::string_view field = "Content-Length: ";
                if (const auto at = buffer_.find(field); at < head_end)
                    std::from_chars(buffer_.data() + at + field.size(), buffer_.data() + head_end, length);
            }
        }
        if (head_end != 0 && buffer_.size() >= head_end + length) break;
        const auto count = read(chunk, sizeof chunk);
        if (count <= 0) give_up("read");
        buffer_.append(chunk, static_cast<std::size_t>(count));
    }
    Reply reply;
    std::from_chars(buffer_.data() + 9, buffer_.data() + 12, reply.status);
    reply.body = buffer_.substr(head_end, length);
    buffer_.erase(0, head_end + length);
    return reply;
}

}  // namespace estuary::load
