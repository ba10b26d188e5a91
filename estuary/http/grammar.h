#pragma once
// The grammar of header fields that enrollment needs: media types, authentication, dates, paths, URLs.
#include <chrono>
#include <map>

#include "estuary/base/clock.h"
#include "estuary/base/result.h"
#include "estuary/crypto/secret.h"
#include "estuary/http/message.h"

namespace estuary::http {

/// "application/pkcs10; charset=x" (RFC 9110 8.3.1); type and parameter names in lower case.
struct MediaType {
    std::string type;  ///< "application/pkcs10"
    std::map<std::string, std::string> parameters;
    static Result<MediaType> parse(std::string_view text);
};

/// The path of a request target in normal form: percent-decoded once, no empty, "." or ".." segments, no NUL, no encoded
/// slash, at most 1024 octets (bug class 10: normalised once, here).
Result<std::vector<std::string>> path_segments(std::string_view target);

/// Authorization: Basic (RFC 7617). UTF-8; the user name has no colon; no control characters.
struct BasicCredentials {
    std::string user;
    crypto::Secret password;
};
Result<BasicCredentials> parse_basic(std::string_view authorization);
std::string write_basic(std::string_view user, const crypto::Secret& password);

/// Authorization: Digest (RFC 7616), quoted strings unescaped, each parameter at most once.
struct DigestCredentials {
    std::string username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc;
    bool userhash = false;
};
Result<DigestCredentials> parse_digest(std::string_view authorization);

/// One challenge of WWW-Authenticate: scheme in lower case and its parameters (or token68 under the key "").
struct Challenge {
    std::string scheme;
    std::map<std::string, std::string> parameters;
};
Result<std::vector<Challenge>> parse_challenges(std::string_view www_authenticate);

/// The `response` of RFC 7616 3.4.1 for qop=auth: KD(H(A1), …), SHA-256, hexadecimal. `ha1` is hexadecimal.
std::string digest_response(std::string_view ha1, std::string_view nonce, std::string_view nc, std::string_view cnonce,
                            std::string_view method, std::string_view uri);
/// "text" with quotes, and backslash before quote and backslash (RFC 9110 5.6.4).
std::string quoted(std::string_view text);

/// Retry-After (RFC 9110 10.2.3): seconds or an IMF-fixdate; as seconds from `now`, at least 0.
Result<Seconds> parse_retry_after(std::string_view value, Time now);
/// "Sat, 21 Nov 2026 03:38:00 GMT"
std::string imf_fixdate(Time time);
/// The same read (RFC 9110 5.6.7); the day of the week must be the right one.
Result<Time> parse_imf_fixdate(std::string_view text);

/// An absolute https or http URL without fragment, or a host with optional port taken as https.
struct Url {
    std::string scheme;  ///< "https"
    std::string host;    ///< lower case; IPv6 without brackets
    std::uint16_t port = 443;
    std::string path;  ///< starts with "/" (or empty)
    static Result<Url> parse(std::string_view text);
    /// A Location value, absolute or relative to this URL.
    Result<Url> resolve(std::string_view reference) const;
    std::string to_string() const;
    std::string authority() const;  ///< host[:port], as in the Host header
};

}  // namespace estuary::http
