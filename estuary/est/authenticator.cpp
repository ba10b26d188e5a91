#include "estuary/est/authenticator.h"

#include <algorithm>
#include <charconv>

#include "estuary/base/text.h"

namespace estuary::est {
namespace {

using authority::CertificateProof;
using authority::Principal;

bool wants_certificate(const Authentication& allowed) {
    return allowed.certificate_of_ours || !allowed.manufacturers.empty();
}
bool wants_password(const Authentication& allowed) { return allowed.basic || allowed.digest; }

/// Whether a verified certificate is one that counts under the rules (bug class 2).
bool counts(const Authenticator::Rules& rules, const CertificateProof& proof) {
    const bool of_ours = !proof.issued_by_ca.empty() && proof.issued_by_ca == rules.ca;
    if (rules.renewal) return of_ours && proof.label == rules.label;
    if (of_ours) return rules.allowed.certificate_of_ours && (!rules.own_label || proof.label == rules.label);
    return !proof.manufacturer.empty() && std::ranges::count(rules.allowed.manufacturers, proof.manufacturer) != 0;
}

/// The scheme of an Authorization field, in lower case.
std::string scheme_of(std::string_view authorization) {
    const auto trimmed = text::trim(authorization);
    return text::lower(trimmed.substr(0, trimmed.find_first_of(" \t")));
}

/// RFC 7616 3.4: the uri parameter names the same resource as the request line.
bool names_target(std::string_view uri, std::string_view target) {
    if (uri == target) return true;
    const auto scheme = uri.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto path = uri.find('/', scheme + 3);
    return path != std::string_view::npos && uri.substr(path) == target;
}

std::string sentence(std::string_view first, std::string_view objection) {
    std::string out{first};
    if (!objection.empty()) (out += " The client certificate does not help: ") += objection;
    return out;
}

Error missing(Code code, std::string_view first, std::string_view objection) {
    return Error{code, sentence(first, objection)};
}

/// What is still needed after everything that was shown was checked; nothing if it is enough.
std::optional<Error> still_missing(const Authenticator::Rules& rules, bool certificate, bool password,
                                   std::string_view objection) {
    const auto& allowed = rules.allowed;
    if (!wants_certificate(allowed) && !wants_password(allowed))
        return missing(Code::not_authorised, "Nobody may do this here: no way of authentication is configured.", {});
    if (rules.renewal) {
        if (!certificate)
            return missing(Code::not_authorised,
                           "Renewal needs the certificate that is to be renewed, in the TLS handshake; it must be valid and "
                           "issued by this CA under this label.",
                           objection);
        const bool certificate_is_enough = allowed.certificate_of_ours && !allowed.certificate_and_password;
        if (certificate_is_enough || password) return std::nullopt;
        if (!wants_password(allowed)) return missing(Code::not_authorised, "Renewal is not enabled under this label.", {});
        return missing(Code::not_authenticated, "A user name and password are needed beside the client certificate.", {});
    }
    if (allowed.certificate_and_password) {
        if (!certificate)
            return missing(Code::not_authorised,
                           "A client certificate is needed in the TLS handshake, and a user name and password beside it.",
                           objection);
        if (!password)
            return missing(Code::not_authenticated, "A user name and password are needed beside the client certificate.", {});
        return std::nullopt;
    }
    if (certificate || password) return std::nullopt;
    if (!wants_password(allowed))
        return missing(Code::not_authorised, "A client certificate is needed in the TLS handshake.", objection);
    return missing(Code::not_authenticated,
                   wants_certificate(allowed)
                       ? "Authentication is needed: a user name and password (Authorization), or a client certificate."
                       : "Authentication is needed: send a user name and password (Authorization).",
                   objection);
}

}  // namespace

Authenticator::Authenticator(std::string realm, Seconds nonce_lifetime, authority::Authority& authority, const Clock& clock,
                             crypto::Entropy& entropy)
    : realm_{std::move(realm)}, authority_{authority}, nonces_{nonce_lifetime, clock, entropy} {}

http::Response Authenticator::refuse(const Authentication& allowed, const Error& error, bool stale) {
    auto response = to_response(error);
    if (error.code != Code::not_authenticated) return response;
    if (!wants_password(allowed)) {
        response.status = 403;  // RFC 9110 15.5.2: a 401 without a challenge would be wrong, and no header would help
        return response;
    }
    if (allowed.digest)
        response.headers.add("WWW-Authenticate", "Digest realm=" + http::quoted(realm_) + ", qop=\"auth\", algorithm=SHA-256"
                                                     ", nonce=\"" + nonces_.make() + "\", charset=UTF-8" +
                                                     (stale ? ", stale=true" : ""));
    if (allowed.basic)
        response.headers.add("WWW-Authenticate", "Basic realm=" + http::quoted(realm_) + ", charset=\"UTF-8\"");
    return response;
}

Result<Authenticator::CertificateFinding> Authenticator::examine_certificate(const Rules& rules, const http::Peer& peer) {
    CertificateFinding out;
    if (peer.client_chain.empty()) return out;
    if (!peer.client_verified) {
        out.objection = "it was not accepted (" +
                        (peer.client_verify_error.empty() ? std::string{"not verified"}
                                                          : text::printable(peer.client_verify_error)) +
                        "); send one that is valid and issued by a CA known here.";
        return out;
    }
    // Revoked or unknown ones are an error of their own, whatever else was shown (bug class 6).
    ESTUARY_TRY(auto proof, authority_.authenticate_certificate(peer.client_chain));
    if (counts(rules, proof)) {
        out.proof = std::move(proof);
    } else {
        out.objection = "it is valid, but not of a kind that is accepted here.";
    }
    return out;
}

Result<Authenticator::PasswordFinding> Authenticator::examine_digest(std::string_view authorization,
                                                                     const http::Request& request,
                                                                     const http::Peer& peer) {
    ESTUARY_TRY(const auto shown, http::parse_digest(authorization));
    if (!text::equal_ignoring_case(shown.algorithm, "SHA-256") || shown.qop != "auth" || shown.userhash)
        return fail(Code::malformed, "Digest: use algorithm=SHA-256, qop=auth and the plain user name");
    if (!names_target(shown.uri, request.target))
        return fail(Code::malformed, "Digest: the uri parameter is not the target of this request");
    PasswordFinding out;
    if (shown.realm != realm_ || !nonces_.is_fresh(shown.nonce)) {
        out.stale = true;
        return out;
    }
    ESTUARY_TRY(auto secret, authority_.digest_secret(shown.username, peer.address));
    const auto wanted = http::digest_response(secret.ha1, shown.nonce, shown.nc, shown.cnonce, request.method, shown.uri);
    crypto::wipe({reinterpret_cast<std::uint8_t*>(secret.ha1.data()), secret.ha1.size()});
    if (!crypto::equal_in_constant_time(as_bytes(wanted), as_bytes(text::lower(shown.response)))) {
        authority_.proof_failed(shown.username, peer.address);
        return fail(Code::not_authenticated, "the user name or the password is wrong");
    }
    std::uint32_t count = 0;
    const auto* const end = shown.nc.data() + shown.nc.size();
    const auto read = std::from_chars(shown.nc.data(), end, count, 16);
    if (read.ec != std::errc{} || read.ptr != end || !nonces_.use(shown.nonce, count)) {
        out.stale = true;  // a replay, or out of order: the true owner asks again with a new nonce
        return out;
    }
    out.proof = std::move(secret.proof);
    return out;
}

Result<Authenticator::PasswordFinding> Authenticator::examine_password(const Authentication& allowed,
                                                                       const http::Request& request,
                                                                       const http::Peer& peer) {
    const auto authorization = request.headers.find("Authorization");
    if (!authorization) return PasswordFinding{};
    const auto scheme = scheme_of(*authorization);
    if (allowed.digest && scheme == "digest") return examine_digest(*authorization, request, peer);
    if (allowed.basic && scheme == "basic") {
        ESTUARY_TRY(const auto shown, http::parse_basic(*authorization));
        PasswordFinding out;
        ESTUARY_TRY(out.proof, authority_.authenticate_password(shown.user, shown.password, peer.address));
        return out;
    }
    return PasswordFinding{};  // a scheme that is not asked for counts for nothing
}

tl::expected<Principal, http::Response> Authenticator::authenticate(const Rules& rules, const http::Request& request,
                                                                    const http::Peer& peer) {
    if (request.headers.count("Authorization") > 1)
        return tl::unexpected(to_response(Error{Code::malformed, "send one Authorization field, not several"}));
    auto certificate = examine_certificate(rules, peer);
    if (!certificate) {
        auto error = std::move(certificate).error();
        // A certificate that is refused is not cured by a password: 403, not a challenge.
        if (error.code == Code::not_authenticated) error.code = Code::not_authorised;
        return tl::unexpected(to_response(error));
    }
    auto password = examine_password(rules.allowed, request, peer);
    if (!password) return tl::unexpected(refuse(rules.allowed, password.error()));
    if (password->stale)
        return tl::unexpected(refuse(rules.allowed, Error{Code::not_authenticated,
                                                          "the nonce is too old or was used; answer the new one"}, true));
    const auto lacking = still_missing(rules, certificate->proof.has_value(), password->proof.has_value(),
                                       certificate->objection);
    if (lacking) return tl::unexpected(refuse(rules.allowed, *lacking));
    Principal principal;
    principal.certificate = std::move(certificate->proof);
    principal.credential = std::move(password->proof);
    principal.address = peer.address;
    return principal;
}

}  // namespace estuary::est
