// /simpleenroll and /simplereenroll (RFC 7030 4.2).
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/linking.h"
#include "estuary/est/server_impl.h"

namespace estuary::est {
namespace {

using authority::Issued;
using authority::Pending;
using authority::Principal;

/// Exactly one certificate, and no other (RFC 7030 4.2.3).
http::Response issued_response(const Issued& issued) {
    http::Response response;
    response.headers.add("Content-Type", std::string{media_pkcs7_certs_only});
    response.headers.add("Content-Transfer-Encoding", "base64");
    response.body = to_base64_lines(cms::encode_certs_only({issued.certificate.der()}));
    return response;
}

Result<x509::SignedRequest> read_signed_request(const http::Request& request) {
    ESTUARY_TRY(const auto der, decode_body(request.body, pem_request));
    return x509::SignedRequest::parse(der);
}

}  // namespace

http::Response pending_response(const Pending& pending) {
    const auto seconds = std::max<std::int64_t>(1, pending.retry_after.count());
    // The store numbers a request when it is committed; the first answer does not know the number yet.
    const auto what = pending.request_id == 0 ? std::string{"The request"} : fmt::format("Request {}", pending.request_id);
    auto response = http::text_response(
        202, fmt::format("{} waits for approval. Send the same request again in {} seconds.", what, seconds));
    response.headers.add("Retry-After", std::to_string(seconds));
    return response;
}

std::optional<http::Response> wrong_media_type(const http::Request& request) {
    constexpr std::string_view hint = "Send the certification request with Content-Type: application/pkcs10.";
    if (request.headers.count("Content-Type") > 1)
        return to_response(Error{Code::malformed, "send one Content-Type field, not several"});
    const auto field = request.headers.find("Content-Type");
    if (!field) return http::text_response(415, hint);
    const auto type = http::MediaType::parse(*field);
    if (!type) return to_response(type.error());
    if (type->type != media_pkcs10) return http::text_response(415, hint);
    return std::nullopt;
}

void log_login(const http::Request& request, const http::Peer& peer, std::string_view label, unsigned status) {
    const bool tried = request.headers.find("Authorization").has_value() || !peer.client_chain.empty();
    log::write(tried ? log::Level::info : log::Level::debug, "est client refused",
               {{"label", label}, {"address", peer.address}, {"status", status}});
}

void log_refusal(std::string_view operation, std::string_view label, const Principal& principal, const Error& error) {
    const bool ours = error.code == Code::internal || error.code == Code::unavailable;
    log::write(ours ? log::Level::error : log::Level::info, "est request refused",
               {{"operation", operation}, {"label", label}, {"who", principal.describe()}, {"address", principal.address},
                {"code", to_string(error.code)}, {"detail", error.detail}, {"cause", error.cause}});
}

//= https://www.rfc-editor.org/rfc/rfc7894#section-4
//# All challenge attributes included by an EST client MUST be successfully processed by an EST server for a request to be
//# considered valid.
/// The one-time password is that of the credential which authenticated the request: nobody else has one here. A registration
/// authority passes on what it checked itself.
Result<void> Server::Impl::check_one_time_password(const std::vector<x509::Attribute>& attributes,
                                                    const Principal& principal) {
    ESTUARY_TRY(auto text, one_time_password_of(attributes));
    if (!text) return {};
    const crypto::Secret password{std::string_view{*text}};
    crypto::wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
    if (principal.is_registration_authority()) return {};
    if (!principal.credential)
        return fail(Code::bad_proof, "otpChallenge: there is no one-time password for a client that has no credential here");
    auto proof = authority_.authenticate_password(principal.credential->name, password, principal.address);
    if (proof && proof->id == principal.credential->id) return {};
    if (!proof && proof.error().code != Code::not_authenticated) return fail(std::move(proof).error());
    return fail(Code::bad_proof, "otpChallenge: this is not the one-time password of the credential in use");
}

/// The authority answers it as it answers the same request sent again; linking was checked when it came.
Result<x509::SignedRequest> Server::Impl::decided_request(const LabelState& label, const Principal& who, std::string_view item) {
    if (config_.packages == nullptr) return fail(Code::not_found, "there is nothing here");
    ESTUARY_TRY(const auto decided, config_.packages->decided({who, label.config.name, label.ca, label.config.profile}));
    for (const auto& request : decided)
        if (std::to_string(request.id) == item) return x509::SignedRequest::parse(request.request);
    return fail(Code::not_found, "no request of yours with this number was decided");
}

http::Response Server::Impl::enroll(const LabelState& label, authority::Verb verb, const http::Request& request,
                                    const http::Peer& peer, store::UnitOfWork& work, std::string_view item) {
    const std::string_view method = item.empty() ? "POST" : "GET";
    if (request.method != method) return wrong_method(method);
    const bool renewal = verb == authority::Verb::renew;
    const auto& allowed = renewal ? label.config.renew : label.config.enroll;
    auto who = authenticator_.authenticate({allowed, label.config.name, label.ca, renewal}, request, peer);
    if (!who) {
        log_login(request, peer, label.config.name, who.error().status);
        return std::move(who).error();
    }
    if (item.empty())
        if (auto wrong = wrong_media_type(request)) return std::move(*wrong);
    const auto outcome = [&]() -> Result<authority::Outcome> {
        ESTUARY_TRY(auto certification, item.empty() ? read_signed_request(request) : decided_request(label, *who, item));
        ESTUARY_TRY(const auto linking, linking_of(certification.attributes(), peer.bindings));
        ESTUARY_CHECK(check_one_time_password(certification.attributes(), *who));
        return authority_.enroll({verb, label.config.profile, label.config.name, std::move(certification), *who, linking,
                                  label.config.linking_required},
                                 work);
    }();
    if (!outcome) {
        log_refusal(renewal ? "simplereenroll" : "simpleenroll", label.config.name, *who, outcome.error());
        return authenticator_.refuse(allowed, outcome.error());
    }
    if (const auto* issued = std::get_if<Issued>(&*outcome)) return issued_response(*issued);
    return pending_response(std::get<Pending>(*outcome));
}

}  // namespace estuary::est
