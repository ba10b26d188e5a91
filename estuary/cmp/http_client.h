#pragma once
// CMP over HTTP from the client's side (RFC 9811): the request around a PKIMessage, and the PKIMessage in a response.
#include "estuary/base/result.h"
#include "estuary/http/grammar.h"
#include "estuary/http/message.h"

namespace estuary::cmp {

/// Where CMP is spoken: a path of a person's choice as it stands, or /.well-known/cmp, which operation labels belong behind.
struct HttpTarget {
    std::string path = "/.well-known/cmp";
    bool operation_labels = true;   ///< false: the same path for everything
};
/// From a URL without or with a path, and NAME of /.well-known/cmp/p/NAME (empty: none). policy: a name with a path that is not
/// /.well-known/cmp.
Result<HttpTarget> http_target(const http::Url& url, std::string_view name);

/// POST of one message; `operation` as ClientTransaction::operation() gives it.
http::Request make_http_request(const HttpTarget& target, std::string_view host, std::string_view operation, Bytes message);

/// The PKIMessage in a response: also in one that tells of an error, for there is one in it where its media type says so (RFC 9811
/// 3.1). Without one: not_found, not_authorised, too_busy, unavailable, policy (redirections, which are not followed) or malformed.
Result<Bytes> read_http_response(const http::Response& response);

}  // namespace estuary::cmp
