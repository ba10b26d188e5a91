#include <algorithm>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/crypto/digest.h"
#include "estuary/http/cursor.h"
#include "estuary/http/grammar.h"

namespace estuary::http {
namespace {

using Parameters = std::map<std::string, std::string>;

constexpr std::size_t field_octets_max = 8 * 1024;  // a Basic header with a 4 kB password fits
constexpr std::size_t challenges_max = 16;
constexpr std::size_t parameters_max = 32;

/// The scheme and what follows it; the scheme in lower case.
std::pair<std::string, std::string_view> split_scheme(std::string_view field) {
    detail::Cursor cursor{detail::trim_blanks(field)};
    const auto scheme = text::lower(cursor.token());
    if (!cursor.at_end() && !cursor.skip_blanks()) return {std::string{}, std::string_view{}};
    return {scheme, cursor.rest()};
}

/// auth-param = token BWS "=" BWS ( token / quoted-string )  -- RFC 9110 11.2; the name was already read
Result<void> read_value(detail::Cursor& cursor, std::string_view name, Parameters& into) {
    cursor.skip_blanks();
    if (!cursor.skip('=')) return fail(Code::malformed, "authentication: expected name=value");
    cursor.skip_blanks();
    auto value = cursor.token_or_quoted();
    if (!value) return fail(Code::malformed, "authentication: expected a token or a quoted string after '='");
    if (into.size() == parameters_max) return fail(Code::too_large, "authentication: too many parameters");
    if (!into.emplace(text::lower(name), std::move(*value)).second)
        return fail(Code::malformed, "authentication: a parameter occurs twice");
    return {};
}

void skip_commas(detail::Cursor& cursor) {
    do cursor.skip_blanks();
    while (cursor.skip(','));
}

/// A comma or the end must follow a parameter.
Result<void> end_of_item(detail::Cursor& cursor) {
    cursor.skip_blanks();
    if (!cursor.at_end() && !cursor.next_is(',')) return fail(Code::malformed, "authentication: expected ','");
    skip_commas(cursor);
    return {};
}

/// token68, when the whole item is one (RFC 9110 11.2): "abc==" followed by a comma or the end.
std::optional<std::string> token68(detail::Cursor& cursor) {
    auto ahead = cursor;
    std::string found{ahead.run(detail::token68_chars)};
    if (found.empty()) return std::nullopt;
    while (ahead.skip('=')) found += '=';
    ahead.skip_blanks();
    if (!ahead.at_end() && !ahead.next_is(',')) return std::nullopt;
    cursor = ahead;
    return found;
}

/// Whether a parameter comes next, and not the scheme of another challenge.
bool parameter_is_next(detail::Cursor cursor) {
    if (cursor.token().empty()) return false;
    cursor.skip_blanks();
    return cursor.next_is('=');
}

Result<Challenge> read_challenge(detail::Cursor& cursor) {
    Challenge challenge;
    challenge.scheme = text::lower(cursor.token());
    if (challenge.scheme.empty()) return fail(Code::malformed, "authentication: expected a scheme");
    const bool blank = cursor.skip_blanks();
    if (!blank || cursor.at_end() || cursor.next_is(',')) {
        ESTUARY_CHECK(end_of_item(cursor));
        return challenge;
    }
    if (auto found = token68(cursor)) {
        challenge.parameters.emplace(std::string{}, std::move(*found));
        ESTUARY_CHECK(end_of_item(cursor));
        return challenge;
    }
    do {
        const auto name = cursor.token();
        if (name.empty()) return fail(Code::malformed, "authentication: expected name=value");
        ESTUARY_CHECK(read_value(cursor, name, challenge.parameters));
        ESTUARY_CHECK(end_of_item(cursor));
    } while (parameter_is_next(cursor));
    return challenge;
}

/// username* (RFC 7616 3.4, RFC 8187): UTF-8'language'percent-encoded
Result<std::string> decode_extended(std::string_view value) {
    const auto first = value.find('\'');
    const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
    if (second == std::string_view::npos || !text::equal_ignoring_case(value.substr(0, first), "UTF-8"))
        return fail(Code::malformed, "Digest: username* must be UTF-8''percent-encoded");
    std::string out;
    for (auto rest = value.substr(second + 1); !rest.empty(); rest.remove_prefix(1)) {
        if (rest.front() != '%') {
            out += rest.front();
            continue;
        }
        const int high = rest.size() > 2 ? detail::hex_value(rest[1]) : -1;
        const int low = rest.size() > 2 ? detail::hex_value(rest[2]) : -1;
        if (high < 0 || low < 0) return fail(Code::malformed, "Digest: username* has a bad percent-encoding");
        out += static_cast<char>(high * 16 + low);
        rest.remove_prefix(2);
    }
    return out;
}

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return detail::hex_value(c) >= 0; });
}

Result<void> check_digest(const DigestCredentials& credentials) {
    if (credentials.username.empty() || credentials.realm.empty() || credentials.nonce.empty() || credentials.uri.empty() ||
        credentials.response.empty())
        return fail(Code::malformed, "Digest: username, realm, nonce, uri and response are required");
    if (!credentials.qop.empty() && (credentials.nc.size() != 8 || !is_hex(credentials.nc) || credentials.cnonce.empty()))
        return fail(Code::malformed, "Digest: with qop come cnonce and an nc of eight hexadecimal digits");
    if (!is_hex(credentials.response)) return fail(Code::malformed, "Digest: response must be hexadecimal");
    if (!text::is_plain_utf8(credentials.username))
        return fail(Code::malformed, "Digest: the user name must be UTF-8 without control characters");
    return {};
}

std::string hex_sha256(std::string_view data) { return to_hex(crypto::sha256(as_bytes(data))); }

}  // namespace

Result<BasicCredentials> parse_basic(std::string_view authorization) {
    if (authorization.size() > field_octets_max) return fail(Code::too_large, "Authorization: too long");
    const auto [scheme, rest] = split_scheme(authorization);
    if (scheme != "basic") return fail(Code::malformed, "Authorization: expected Basic");
    if (rest.find_first_of(" \t\r\n") != std::string_view::npos) return fail(Code::malformed, "Basic: expected one base64 text");
    auto decoded = from_base64(rest);
    if (!decoded) return fail(Code::malformed, "Basic: expected base64 of user:password");
    const crypto::Secret whole{std::move(*decoded)};  // wiped when it goes
    const auto text = whole.reveal_text();
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return fail(Code::malformed, "Basic: expected user:password");
    if (!text::is_plain_utf8(text))
        return fail(Code::malformed, "Basic: user and password must be UTF-8 without control characters");
    return BasicCredentials{std::string{text.substr(0, colon)}, crypto::Secret{text.substr(colon + 1)}};
}

std::string write_basic(std::string_view user, const crypto::Secret& password) {
    ByteVec joined = to_vec(as_bytes(user));
    joined.reserve(user.size() + 1 + password.reveal().size());  // no second copy of the password left behind
    joined.push_back(':');
    append(joined, password.reveal());
    auto out = "Basic " + to_base64(joined);
    crypto::wipe(joined);
    return out;
}

Result<DigestCredentials> parse_digest(std::string_view authorization) {
    if (authorization.size() > field_octets_max) return fail(Code::too_large, "Authorization: too long");
    const auto [scheme, rest] = split_scheme(authorization);
    if (scheme != "digest") return fail(Code::malformed, "Authorization: expected Digest");
    detail::Cursor cursor{rest};
    Parameters parameters;
    skip_commas(cursor);
    while (!cursor.at_end()) {
        // username* is the one name with an asterisk; '*' is a token character.
        const auto name = cursor.token();
        if (name.empty()) return fail(Code::malformed, "Digest: expected name=value");
        ESTUARY_CHECK(read_value(cursor, name, parameters));
        ESTUARY_CHECK(end_of_item(cursor));
    }
    const auto take = [&](const char* name) { return std::move(parameters[name]); };
    const bool extended = parameters.contains("username*");
    if (extended && parameters.contains("username"))
        return fail(Code::malformed, "Digest: username and username* exclude each other");
    DigestCredentials out{take("username"),  take("realm"),  take("nonce"),  take("uri"), take("response"),
                          take("algorithm"), take("cnonce"), take("opaque"), take("qop"), take("nc")};
    out.userhash = text::equal_ignoring_case(parameters["userhash"], "true");
    if (extended) {
        ESTUARY_TRY(out.username, decode_extended(parameters["username*"]));
    }
    ESTUARY_CHECK(check_digest(out));
    return out;
}

Result<std::vector<Challenge>> parse_challenges(std::string_view www_authenticate) {
    if (www_authenticate.size() > field_octets_max) return fail(Code::too_large, "WWW-Authenticate: too long");
    detail::Cursor cursor{www_authenticate};
    std::vector<Challenge> out;
    skip_commas(cursor);
    while (!cursor.at_end()) {
        if (out.size() == challenges_max) return fail(Code::too_large, "WWW-Authenticate: too many challenges");
        ESTUARY_TRY(auto challenge, read_challenge(cursor));
        out.push_back(std::move(challenge));
    }
    if (out.empty()) return fail(Code::malformed, "WWW-Authenticate: no challenge");
    return out;
}

std::string digest_response(std::string_view ha1, std::string_view nonce, std::string_view nc, std::string_view cnonce,
                            std::string_view method, std::string_view uri) {
    const auto join = [](std::initializer_list<std::string_view> parts) {
        std::string out;
        for (const auto part : parts) (out += part) += ':';
        out.pop_back();
        return out;
    };
    // A2 and response for qop=auth: RFC 7616 3.4.3 and 3.4.1.
    return hex_sha256(join({ha1, nonce, nc, cnonce, "auth", hex_sha256(join({method, uri}))}));
}

}  // namespace estuary::http
