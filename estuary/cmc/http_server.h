#pragma once
// CMC over HTTP (RFC 5273 6, RFC 10003 6): methods and media types around the octets of messages.
#include "estuary/cmc/server.h"
#include "estuary/http/message.h"

namespace estuary::cmc {

inline constexpr std::string_view media_simple_request = "application/pkcs10";
inline constexpr std::string_view media_cms = "application/pkcs7-mime";
inline constexpr std::string_view media_full_request = "application/pkcs7-mime; smime-type=CMC-request";
inline constexpr std::string_view media_simple_response = "application/pkcs7-mime; smime-type=certs-only";
inline constexpr std::string_view media_full_response = "application/pkcs7-mime; smime-type=CMC-response";

/// What an answer goes out as.
std::string_view media_type_of(const Answer& answer) noexcept;
/// Nothing if a request's Content-Type says that it is a full PKI request, or with `simple_allowed` a simple one; the answer
/// otherwise. "smime-type" may be missing, as old clients leave it out.
std::optional<http::Response> wrong_media_type(const http::Request& request, bool simple_allowed);

/// A path of the operator's own choice, and the endpoint behind it.
struct HttpPath {
    std::string path;  ///< "/cmc"
    std::string label;
};

class HttpServer {
public:
    /// `server` outlives it. policy: a path that is none, is taken, or without an endpoint.
    static Result<HttpServer> create(std::vector<HttpPath> paths, Server& server);
    bool owns(std::string_view target) const noexcept;
    /// The transport proves nothing here: "Servers MUST NOT assume client support for any type of HTTP authentication". An answer
    /// of CMC's goes out with 200, also where it refuses.
    http::Response serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);

private:
    explicit HttpServer(Server& server) : server_{&server} {}
    const HttpPath* path_for(std::string_view target) const noexcept;

    Server* server_;
    std::vector<HttpPath> paths_;
};

}  // namespace estuary::cmc
