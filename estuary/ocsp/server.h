#pragma once
// OCSP over HTTP (RFC 6960 appendix A) with the caching of RFC 5019 and 9919: http::Request in, http::Response out.
#include "estuary/http/message.h"
#include "estuary/ocsp/responder.h"

namespace estuary::ocsp {

inline constexpr std::string_view media_request = "application/ocsp-request";
inline constexpr std::string_view media_response = "application/ocsp-response";

struct ServerConfig {
    std::string path = "/ocsp";            ///< starts with "/", does not end with it; empty: the whole host
    std::size_t target_octets_max = 4096;  ///< of a GET; RFC 6960 A.1 lets clients use GET below 255
};

/// Serves plain HTTP as well as TLS: answers are signed, and many clients cannot do otherwise.
class Server {
public:
    Server(ServerConfig config, Responder& responder, const Clock& clock);

    /// Whether a target is ours: the path itself, or below it.
    bool owns(std::string_view target) const noexcept;
    /// Errors of OCSP are 200 with an unsigned answer; 400, 404, 405, 413, 414 and 415 are those of HTTP.
    http::Response serve(const http::Request& request);
    /// The response if it needs neither a signature nor the StatusSource; nothing otherwise. For the I/O threads.
    std::optional<http::Response> serve_ready(const http::Request& request);

private:
    ServerConfig config_;
    Responder& responder_;
    const Clock& clock_;
};

/// What follows the server's path in a GET: percent-decoded, leading slashes passed over. malformed.
Result<std::string> decode_get_path(std::string_view path);
/// The DER that such base64 text may stand for. Missing padding is put back. If a "//" was collapsed to "/" on the way, there is
/// one reading for each of the first 16 slashes; the issuer's hashes tell which is right. malformed if there is none.
Result<std::vector<ByteVec>> readings_of(const std::string& base64);
/// The inverse: base64 with "+", "/" and "=" percent-encoded, without a slash before it.
std::string encode_get_path(Bytes request_der);

}  // namespace estuary::ocsp
