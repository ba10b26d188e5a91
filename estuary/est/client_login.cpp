// HTTP authentication from the client's side (RFC 7030 3.2.3, RFC 7616, RFC 7617).
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/crypto/password.h"
#include "estuary/est/client.h"
#include "estuary/est/client_answer.h"

namespace estuary::est {
namespace {

const std::string& parameter(const http::Challenge& challenge, const char* name) {
    static const std::string absent;
    const auto found = challenge.parameters.find(name);
    return found == challenge.parameters.end() ? absent : found->second;
}

/// SHA-256 with qop=auth only: MD5 is no proof any more, and older forms lack the client's nonce.
bool is_usable_digest(const http::Challenge& challenge) {
    if (challenge.scheme != "digest" || parameter(challenge, "nonce").empty() || parameter(challenge, "realm").empty() ||
        !text::equal_ignoring_case(parameter(challenge, "algorithm"), "SHA-256"))
        return false;
    for (const auto option : text::split(parameter(challenge, "qop"), ','))
        if (text::trim(option) == "auth") return true;
    return false;
}

/// The strongest challenge that is done here: Digest with SHA-256, then Basic.
std::optional<http::Challenge> choose(const http::Response& response) {
    std::optional<http::Challenge> basic;
    for (const auto& field : response.headers.fields()) {
        if (!text::equal_ignoring_case(field.name, "WWW-Authenticate")) continue;
        auto challenges = http::parse_challenges(field.value);
        if (!challenges) continue;
        for (auto& challenge : *challenges) {
            if (is_usable_digest(challenge)) return std::move(challenge);
            if (challenge.scheme == "basic" && !basic) basic = std::move(challenge);
        }
    }
    return basic;
}

std::string client_nonce() {
    std::array<std::uint8_t, 16> octets{};
    crypto::random(octets);
    return to_hex(octets);
}

/// RFC 7616 3.4: these quoted, algorithm, qop and nc not.
std::string write_digest(const http::Challenge& challenge, const HttpCredentials& credentials, const http::Request& request,
                         std::uint32_t count) {
    const auto& realm = parameter(challenge, "realm");
    const auto& nonce = parameter(challenge, "nonce");
    const auto nc = fmt::format("{:08x}", count);
    const auto cnonce = client_nonce();
    const auto ha1 = crypto::digest_ha1(credentials.user, realm, credentials.password);
    const auto response = http::digest_response(ha1, nonce, nc, cnonce, request.method, request.target);
    auto out = fmt::format("Digest username={}, realm={}, uri={}, algorithm=SHA-256, nonce={}, nc={}, cnonce=\"{}\", qop=auth, "
                           "response=\"{}\"",
                           http::quoted(credentials.user), http::quoted(realm), http::quoted(request.target),
                           http::quoted(nonce), nc, cnonce, response);
    if (const auto& opaque = parameter(challenge, "opaque"); !opaque.empty()) out += ", opaque=" + http::quoted(opaque);
    return out;
}

}  // namespace

std::optional<std::string> Client::authorization(const http::Request& request) {
    if (!challenge_ || !credentials_) return std::nullopt;
    if (challenge_->scheme == "basic") return http::write_basic(credentials_->user, credentials_->password);
    return write_digest(*challenge_, *credentials_, request, ++nonce_count_);
}

Result<http::Response> Client::send(http::Request request) {
    // At most: unasked, answering the challenge, answering a fresh nonce.
    for (unsigned attempt = 0;; ++attempt) {
        const auto login = authorization(request);
        if (login) request.headers.set("Authorization", *login);
        ESTUARY_TRY(auto response, exchange_(request));
        if (response.status != 401) return response;
        auto next = choose(response);
        const bool fresh_nonce = next && text::equal_ignoring_case(parameter(*next, "stale"), "true");
        const bool may_answer = attempt < 2 && credentials_ && next && (!login || fresh_nonce);
        if (may_answer) {
            challenge_ = std::move(next);
            nonce_count_ = 0;
            continue;
        }
        challenge_.reset();
        const auto said = error_text(response);
        const std::string_view why = !credentials_ ? "the server asks for a user name and password"
                                     : login       ? "the server refused the user name and password"
                                                   : "the server asks for a kind of authentication that is not done here";
        return fail(Code::not_authenticated, fmt::format("{}{}{}", why, said.empty() ? "" : ": ", said));
    }
}

}  // namespace estuary::est
