#pragma once
// A non-blocking connected socket, with or without TLS on it. TLS reads and writes the socket itself through a BIO of
// our own (no SIGPIPE, no copy); a BIO pair for each connection would cost four times the memory.
#include <span>
#include <string>
#include <string_view>

#include "estuary/net/fd.h"
#include "estuary/net/tls.h"

namespace estuary::net {

/// How an operation on a stream ended.
enum class Io : std::uint8_t {
    done,        ///< some octets moved, or the handshake is complete
    want_read,   ///< again when the socket is readable
    want_write,  ///< again when it is writable
    end,         ///< the peer closed properly
    cut,         ///< the connection was lost, or closed without close_notify
    failed,      ///< a TLS error; see error()
};

class Stream {
public:
    Stream() = default;
    explicit Stream(Fd fd) noexcept : fd_{std::move(fd)} {}

    /// Puts TLS on the socket; the handshake follows. False: out of memory.
    bool start_tls(SslPtr ssl);

    Io handshake();
    Io read(std::span<char> into, std::size_t& count);
    Io write(std::string_view octets, std::size_t& count);
    /// Octets are waiting inside TLS, of which the socket will not tell.
    bool has_buffered() const noexcept { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }
    /// Says that no more will be written: close_notify and, with `half_close`, FIN.
    void finish_writing(bool half_close);
    /// Octets past TLS: to throw away what comes after the last answer, or to tell plain HTTP that this is TLS.
    int fd() const noexcept { return fd_.get(); }
    void close() noexcept;

    SSL* ssl() const noexcept { return ssl_.get(); }
    /// The library's words for the last `failed`, for logs.
    const std::string& error() const noexcept { return error_; }
    /// The reason code of the last `failed` (SSL_R_…), 0 if none.
    int error_reason() const noexcept { return error_reason_; }

private:
    Io outcome(int result);

    Fd fd_;
    SslPtr ssl_;
    std::string error_;
    int error_reason_ = 0;
    bool broken_ = false;
};

}  // namespace estuary::net
