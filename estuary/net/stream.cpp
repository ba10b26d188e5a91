#include "estuary/net/stream.h"

#include <sys/socket.h>

#include <cerrno>

#include <openssl/bio.h>
#include <openssl/err.h>

namespace estuary::net {
namespace {

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int fd_of(BIO* bio) noexcept { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    const auto sent = ::send(fd_of(bio), data, size, MSG_NOSIGNAL);
    if (sent > 0) {
        *written = static_cast<std::size_t>(sent);
        return 1;
    }
    if (would_block(errno)) BIO_set_retry_write(bio);
    return 0;
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(fd_of(bio), data, size, 0);
    if (got > 0) {
        *count = static_cast<std::size_t>(got);
        return 1;
    }
    if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
    return 0;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* make_method() {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    if (method != nullptr) {
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

BIO* new_bio(int fd) {
    static BIO_METHOD* const method = make_method();  // lives as long as the process
    BIO* bio = method == nullptr ? nullptr : BIO_new(method);
    if (bio != nullptr) {
        BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
        BIO_set_init(bio, 1);
    }
    return bio;
}

}  // namespace

bool Stream::start_tls(SslPtr ssl) {
    BIO* bio = ssl ? new_bio(fd_.get()) : nullptr;
    if (bio == nullptr) return false;
    SSL_set_bio(ssl.get(), bio, bio);
    ssl_ = std::move(ssl);
    return true;
}

Io Stream::outcome(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE: return Io::done;
        case SSL_ERROR_WANT_READ: return Io::want_read;
        case SSL_ERROR_WANT_WRITE: return Io::want_write;
        case SSL_ERROR_ZERO_RETURN: return Io::end;
        case SSL_ERROR_SYSCALL: broken_ = true; return Io::cut;
        default: break;
    }
    broken_ = true;
    error_reason_ = ERR_GET_REASON(ERR_peek_error());
    error_ = take_library_errors();
    return Io::failed;
}

Io Stream::handshake() {
    ERR_clear_error();
    return outcome(SSL_do_handshake(ssl_.get()));
}

Io Stream::read(std::span<char> into, std::size_t& count) {
    count = 0;
    if (ssl_) {
        ERR_clear_error();
        return outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &count));
    }
    const auto got = ::recv(fd_.get(), into.data(), into.size(), 0);
    if (got == 0) return Io::end;
    if (got < 0) return would_block(errno) ? Io::want_read : Io::cut;
    count = static_cast<std::size_t>(got);
    return Io::done;
}

Io Stream::write(std::string_view octets, std::size_t& count) {
    count = 0;
    if (ssl_) {
        ERR_clear_error();
        return outcome(SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &count));
    }
    const auto sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0) return would_block(errno) ? Io::want_write : Io::cut;
    count = static_cast<std::size_t>(sent);
    return Io::done;
}

void Stream::finish_writing(bool half_close) {
    if (ssl_ && !broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    if (half_close) ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() noexcept {
    ssl_.reset();
    fd_.reset();
}

}  // namespace estuary::net
