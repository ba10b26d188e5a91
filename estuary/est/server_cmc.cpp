// /fullcmc (RFC 7030 4.3): EST authenticates the connection where somebody shows something, and CMC's server does the rest.
#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/cmc/http_server.h"
#include "estuary/est/linking.h"
#include "estuary/est/server_impl.h"

namespace estuary::est {
namespace {

/// "When rejecting a request, the server MUST specify either an HTTP 4xx error or an HTTP 5xx error." 404 and 501 would say that
/// there is no such service, and 401 asks for what the answer does not need.
unsigned status_of(const cmc::Answer& answer) {
    if (!answer.rejected) return 200;
    const auto status = to_response(Error{*answer.rejected, {}}).status;
    if (status == 401) return 403;
    return status == 404 ? 400 : status;
}

}  // namespace

http::Response Server::Impl::full_cmc(const LabelState& label, const http::Request& request, const http::Peer& peer,
                                      store::UnitOfWork& work) {
    if (config_.cmc == nullptr || !label.config.fullcmc) return http::text_response(404, "fullcmc is not offered here.");
    if (request.method != "POST") {
        auto response = http::text_response(405, "Use POST here.");
        response.headers.add("Allow", "POST");
        return response;
    }
    cmc::Transport transport;
    transport.principal.address = peer.address;
    transport.linking = [&peer](const std::vector<x509::Attribute>& attributes) { return linking_of(attributes, peer.bindings); };
    // The message may prove who asks by itself; but what is shown beside it has to be right (bug class 6).
    const bool shown = request.headers.find("Authorization").has_value() || !peer.client_chain.empty();
    if (shown) {
        auto who = authenticator_.authenticate({label.config.enroll, label.config.name, label.ca}, request, peer);
        if (!who) return std::move(who).error();
        transport.principal = std::move(*who);
        transport.covers_message = true;
    }
    if (auto wrong = cmc::wrong_media_type(request, false)) return std::move(*wrong);
    const auto der = decode_body(request.body, pem_pkcs7);
    if (!der) return to_response(der.error());
    //= https://www.rfc-editor.org/rfc/rfc7030#section-4.3.1
    //# If the HTTP POST to /fullcmc is not a valid Full PKI Request, the server MUST reject the message.
    const auto answer = config_.cmc->serve_full(label.config.name, *der, transport, work);
    if (!answer) {
        log::error("fullcmc cannot be answered",
                   {{"label", label.config.name}, {"detail", answer.error().detail}, {"cause", answer.error().cause}});
        return to_response(answer.error());
    }
    auto response = base64_response(cmc::media_type_of(*answer), answer->der);
    response.status = status_of(*answer);
    if (response.status == 503) response.headers.add("Retry-After", "5");
    return response;
}

}  // namespace estuary::est
