#pragma once
// CMP over HTTP (RFC 9811): paths, methods and media types around the octets of PKIMessages.
#include "estuary/cmp/server.h"
#include "estuary/http/message.h"

namespace estuary::cmp {

inline constexpr std::string_view media_pkixcmp = "application/pkixcmp";

struct HttpConfig {
    /// Further paths that mean /.well-known/cmp, or with "=NAME" after them /.well-known/cmp/p/NAME: "/pkix/", "/cmp=devices".
    std::vector<std::string> legacy_paths;
};

class HttpServer {
public:
    /// `server` outlives it. policy: a legacy path that is none, or whose label there is not.
    static Result<HttpServer> create(HttpConfig config, Server& server);
    /// Whether a target is CMP's: below /.well-known/cmp, or a legacy path.
    bool owns(std::string_view target) const noexcept;
    http::Response serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);

private:
    struct Legacy {
        std::string path, label;
    };
    explicit HttpServer(Server& server) : server_{&server} {}
    Result<Transport> transport_of(std::string_view target) const;

    Server* server_;
    std::vector<Legacy> legacy_;
};

/// The answer where the store could not keep what belongs to one: the client sends its message again.
http::Response not_stored(const Error& error);

}  // namespace estuary::cmp
