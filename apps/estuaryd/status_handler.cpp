#include "apps/estuaryd/status_handler.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/requests.h"
#include "estuary/asn1/der.h"
#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::daemon {
namespace {

constexpr std::string_view crl_prefix = "/crl/", ca_prefix = "/ca/";

/// An OCSP answer that is_quick found ready, for the serve that follows on the same thread.
thread_local std::optional<http::Response> ready;

http::Response not_found() { return http::text_response(404, "There is nothing here."); }

http::Response use_get() {
    auto response = http::text_response(405, "Use GET.");
    response.headers.add("Allow", "GET, HEAD");
    return response;
}

/// One plain name, none of the hidden ones that are being written.
bool is_crl_name(std::string_view name) {
    return name.size() > 4 && name.ends_with(".crl") && !name.starts_with('.') && name.find_first_not_of(unreserved) == std::string_view::npos;
}

/// When the next list is to be had by the schedule. Caches that kept this one up to its nextUpdate would hide what is revoked.
Time fresh_until(const StatusService& service, std::string_view name, const x509::RevocationList& list) {
    const auto end = list.next_update().value_or(list.this_update());
    for (const auto& issuer : service.issuers()) {
        const auto rest = name.starts_with(issuer.base) ? name.substr(issuer.base.size()) : std::string_view{};
        const auto digits = rest.starts_with('-') ? rest.find_first_not_of("0123456789", 1) : 0;
        if (digits < 2) continue;
        const auto& crl = issuer.section->crl;
        return std::min(end, list.this_update() + (list.is_delta() ? crl.delta_interval : crl.interval));
    }
    return end;
}

/// If-None-Match, or else If-Modified-Since (RFC 9110 13.1, 13.2.2).
bool is_known(const http::Headers& headers, std::string_view etag, Time modified) {
    if (const auto tags = headers.find("If-None-Match")) {
        return std::ranges::any_of(text::split(*tags, ','), [&](std::string_view tag) {
            tag = text::trim(tag);
            if (tag.starts_with("W/")) tag.remove_prefix(2);
            return tag == etag || tag == "*";
        });
    }
    const auto since = headers.find("If-Modified-Since");
    const auto time = since ? http::parse_imf_fixdate(*since) : fail(Code::not_found, "");
    return time && modified <= *time;
}

/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, … }
std::optional<std::size_t> ocsp_status(const http::Response& response) {
    if (response.status != 200) return {};
    der::Reader reader{as_bytes(response.body)};
    auto sequence = reader.enter(der::Tag::sequence);
    if (!sequence) return {};
    const auto status = sequence->content(der::Tag::enumerated);
    if (!status || status->size() != 1) return {};
    return status->front();
}

}  // namespace

void StatusDesk::replace(std::shared_ptr<StatusService> service) {
    const auto& directory = service->generation().configuration.status.directory.path;
    const std::lock_guard guard{mutex_};
    if (!current_.files || current_.files->directory() != directory) current_.files = std::make_shared<CrlFiles>(directory);
    current_.service = std::move(service);
}

StatusDesk::Current StatusDesk::current() const {
    const std::lock_guard guard{mutex_};
    return current_;
}

bool StatusHandler::is_quick(const http::Request& request) const {
    ready.reset();  // of a request that came to nothing in between
    const auto path = path_of(request.target);
    if (path.starts_with(crl_prefix)) return false;  // a file
    const auto current = desk_.current();
    auto* ocsp = current.service->ocsp();
    if (ocsp == nullptr || !ocsp->owns(request.target)) return true;
    ready = ocsp->serve_ready(request);
    return ready.has_value() || current.service->signs_quickly();
}

void StatusHandler::serve(http::Request request, std::shared_ptr<const http::Peer>, net::ResponderPtr responder) {
    if (ready) {
        auto response = std::exchange(ready, std::nullopt);
        desk_.counters.ocsp_ready.fetch_add(1, std::memory_order_relaxed);
        return responder->respond(count_ocsp(std::move(*response)));
    }
    responder->respond(answer(request));
}

http::Response StatusHandler::answer(const http::Request& request) {
    const auto current = desk_.current();
    const auto path = path_of(request.target);
    if (auto* ocsp = current.service->ocsp(); ocsp != nullptr && ocsp->owns(request.target)) return count_ocsp(ocsp->serve(request));
    if (path.starts_with(crl_prefix)) {
        const auto name = path.substr(crl_prefix.size());
        if (!is_crl_name(name)) return not_found();
        return is_read(request) ? serve_crl(current, name, request) : use_get();
    }
    if (!path.starts_with(ca_prefix)) return not_found();
    const auto& certificates = current.service->certificates();
    const auto found = certificates.find(path.substr(ca_prefix.size()));
    if (found == certificates.end()) return not_found();
    if (!is_read(request)) return use_get();
    http::Response response;
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.2.1
    //# HTTP server implementations accessed via the URI SHOULD specify the media type application/pkix-cert [RFC2585]
    //# in the content-type header field of the response for a single DER encoded certificate
    response.headers.add("Content-Type", "application/pkix-cert");
    response.body = as_text(found->second);
    return response;
}

http::Response StatusHandler::serve_crl(const StatusDesk::Current& current, std::string_view name, const http::Request& request) {
    const auto found = current.files->find(name);
    if (!found) {
        if (found.error().code == Code::not_found) return not_found();
        log::error("CRL cannot be served", {{"file", name}, {"detail", found.error().detail}});
        return http::text_response(503, "The list cannot be read now.");
    }
    const auto& list = (*found)->list;
    http::Response response;
    response.headers.add("ETag", (*found)->etag);
    response.headers.add("Last-Modified", http::imf_fixdate(list.this_update()));
    if (list.next_update()) response.headers.add("Expires", http::imf_fixdate(*list.next_update()));
    const auto age = std::max(fresh_until(*current.service, name, list) - clock_.now(), Seconds{0});
    response.headers.add("Cache-Control", fmt::format("max-age={}, public, no-transform, must-revalidate", age.count()));
    if (is_known(request.headers, (*found)->etag, list.this_update())) {
        response.status = 304;
        ++desk_.counters.crls_not_modified;
        return response;
    }
    ++desk_.counters.crls;
    response.headers.add("Content-Type", "application/pkix-crl");
    response.shared = {*found, as_text(list.der())};
    return response;
}

http::Response StatusHandler::count_ocsp(http::Response response) {
    auto& counters = desk_.counters.ocsp_by_status;
    constexpr std::size_t refused = 4;  // no OCSPResponseStatus has that number
    const auto status = response.status == 304 ? 0 : ocsp_status(response).value_or(refused);
    counters[std::min(status, counters.size() - 1)].fetch_add(1, std::memory_order_relaxed);
    return response;
}

}  // namespace estuary::daemon
