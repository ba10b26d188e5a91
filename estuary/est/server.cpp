#include "estuary/est/server.h"

#include <string>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cms/certs_only.h"
#include "estuary/cms/signed_data.h"
#include "estuary/est/profile_attributes.h"
#include "estuary/est/server_impl.h"

namespace estuary::est {
namespace {

constexpr std::string_view prefix = "/.well-known/est";
constexpr std::size_t label_octets_max = 255;
constexpr std::size_t pal_entries_min = 16;  // what the server tells of itself, and some packages
/// Everybody may ask, and each answer is made anew: longer lists are for HTTP caches.
constexpr std::size_t crls_octets_max = 1u << 20;

Result<void> check_name(std::string_view name) {
    if (name.empty()) return {};
    if (operation_named(name))
        return fail(Code::policy, fmt::format("label '{}': an operation's name cannot be a label (RFC 7030 3.2.2)", name));
    const bool plain = name.size() <= label_octets_max && name != "." && name != ".." && text::is_plain_utf8(name) &&
                       name.find_first_of("/?#% \\") == std::string_view::npos;
    if (!plain)
        return fail(Code::policy, fmt::format("label '{}': must be one plain path segment", text::printable(name)));
    return {};
}

Result<void> check_authentication(const Label& label, const Authentication& allowed, std::string_view verb) {
    const bool certificate = allowed.certificate_of_ours || !allowed.manufacturers.empty();
    if (allowed.certificate_and_password && !(certificate && (allowed.basic || allowed.digest)))
        return fail(Code::policy, fmt::format("label '{}', {}: certificate_and_password needs a kind of certificate and a kind "
                                              "of password to be allowed", label.name, verb));
    return {};
}

Result<void> check_config(const ServerConfig& config) {
    if (config.realm.empty() || !text::is_plain_utf8(config.realm))
        return fail(Code::policy, "realm: must be plain text, not empty");
    if (config.pal_entries_max < pal_entries_min)
        return fail(Code::policy, fmt::format("pal_entries_max: must be at least {}", pal_entries_min));
    if (config.digest_nonce_lifetime < Seconds{1})
        return fail(Code::policy, "digest_nonce_lifetime: must be at least one second");
    for (const auto& label : config.labels) {
        ESTUARY_CHECK(check_name(label.name));
        ESTUARY_CHECK(check_authentication(label, label.enroll, "enroll"));
        ESTUARY_CHECK(check_authentication(label, label.renew, "renew"));
        ESTUARY_CHECK(check_authentication(label, label.packages, "packages"));
        ESTUARY_CHECK(check_authentication(label, label.serverkeygen, "serverkeygen"));
    }
    return {};
}

bool is_read(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

}  // namespace

http::Response base64_response(std::string_view media_type, Bytes der) {
    http::Response response;
    response.headers.add("Content-Type", std::string{media_type});
    response.headers.add("Content-Transfer-Encoding", "base64");
    response.body = to_base64_lines(der);
    return response;
}

http::Response wrong_method(std::string_view allow) {
    auto response = http::text_response(405, fmt::format("Use {} here.", allow));
    response.headers.add("Allow", std::string{allow});
    return response;
}

Server::Impl::Impl(ServerConfig config, authority::Authority& authority, const Clock& clock, crypto::Entropy& entropy)
    : config_{std::move(config)},
      authority_{authority},
      clock_{clock},
      authenticator_{config_.realm, config_.digest_nonce_lifetime, authority, clock, entropy} {}

Result<void> Server::Impl::prepare_label(const Label& label) {
    const auto* profile = authority_.profile(label.profile);
    if (profile == nullptr)
        return fail(Code::policy, fmt::format("label '{}': there is no profile '{}'", label.name, label.profile));
    ESTUARY_TRY(const auto certificates, authority_.ca_certificates(profile->ca));
    std::vector<Bytes> ders;
    for (const auto& certificate : certificates) ders.push_back(certificate.der());
    LabelState state{label, profile->ca, {}, {}};
    const auto bag = cms::encode_certs_only(ders);
    state.cacerts = base64_response(media_pkcs7, bag);
    state.cacerts_octets = bag.size();
    state.key_establishment = (profile->key_usage & (x509::digital_signature | x509::non_repudiation)) == 0;
    const auto attributes = attributes_of(
        *profile, label.linking_required,
        {label.serverkeygen.anything() && !label.enroll.anything(), label.serverkeygen.anything() && label.serverkeygen_encrypted});
    if (attributes.empty()) {
        state.csrattrs.status = 204;
    } else {
        const auto der = attributes.encode();
        state.csrattrs = base64_response(media_csrattrs, der);
        state.csrattrs_octets = der.size();
    }
    const auto [at, inserted] = labels_.emplace(label.name, std::move(state));
    if (!inserted) return fail(Code::policy, fmt::format("label '{}' occurs twice", label.name));
    publish(at->second);
    return {};
}

void Server::Impl::publish(const LabelState& state) {
    const auto base = std::string{prefix} + (state.config.name.empty() ? "" : "/" + state.config.name) + "/";
    prepared_.emplace(base + "cacerts", &state.cacerts);
    if (!state.config.csrattrs_needs_authentication) prepared_.emplace(base + "csrattrs", &state.csrattrs);
}

Result<void> Server::Impl::prepare() {
    ESTUARY_CHECK(check_config(config_));
    for (const auto& label : config_.labels)
        if (label.enabled) ESTUARY_CHECK(prepare_label(label));
    return {};
}

const http::Response* Server::Impl::prepared_for(const http::Request& request) const noexcept {
    if (!is_read(request)) return nullptr;
    const auto found = prepared_.find(std::string_view{request.target});
    return found == prepared_.end() ? nullptr : found->second;
}

http::Response Server::Impl::serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work) {
    if (!peer.tls) return http::text_response(403, "EST is spoken over TLS only: use https (RFC 7030 3.3).");
    if (const auto* ready = prepared_for(request)) return *ready;
    return route(request, peer, work);
}

http::Response Server::Impl::route(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work) {
    const auto target = parse_target(request.target);
    if (!target) return to_response(target.error());
    const auto found = labels_.find(target->label);
    if (found == labels_.end())
        return http::text_response(404, target->label.empty() ? "EST needs a label here: /.well-known/est/LABEL/OPERATION."
                                                              : "There is no such label.");
    const auto& label = found->second;
    switch (target->operation) {
        case Operation::cacerts: return is_read(request) ? label.cacerts : wrong_method("GET, HEAD");
        case Operation::csrattrs: return is_read(request) ? csrattrs(label, request, peer) : wrong_method("GET, HEAD");
        case Operation::crls: return is_read(request) ? crls(label) : wrong_method("GET, HEAD");
        case Operation::simpleenroll: return enroll(label, authority::Verb::enroll, request, peer, work, target->item);
        case Operation::simplereenroll: return enroll(label, authority::Verb::renew, request, peer, work, target->item);
        case Operation::pal:
        case Operation::eecerts:
        case Operation::symmetrickeys:
        case Operation::firmware:
        case Operation::tamp: return packages(label, *target, request, peer, work);
        case Operation::serverkeygen:
            if (target->gives_back || !target->item.empty()) return packages(label, *target, request, peer, work);
            return serverkeygen(label, request, peer, work);
        case Operation::fullcmc: return full_cmc(label, request, peer, work);
    }
    return http::text_response(404, fmt::format("{} is not offered here.", to_string(target->operation)));
}

/// A crls-only message (RFC 8295 4.2). Nobody need authenticate: every list is signed.
http::Response Server::Impl::crls(const LabelState& label) const {
    const auto message = crls_message(label);
    return message ? base64_response(media_pkcs7_crls_only, *message) : to_response(message.error());
}

Result<ByteVec> Server::Impl::crls_message(const LabelState& label) const {
    if (!config_.crls) return fail(Code::not_found, "crls is not offered here.");
    ESTUARY_TRY(const auto lists, config_.crls(label.ca));
    if (lists.empty()) return fail(Code::not_found, "No CRL is published yet.");
    cms::SignedDataBuilder message;
    std::size_t octets = 0;
    for (const auto& list : lists) {
        octets += list.size();
        message.crl(list);
    }
    if (octets > crls_octets_max)
        return fail(Code::not_found, "The CRLs are too long for this: fetch them where the certificates say (cRLDistributionPoints).");
    return message.build();
}

http::Response Server::Impl::csrattrs(const LabelState& label, const http::Request& request, const http::Peer& peer) {
    if (label.config.csrattrs_needs_authentication) {
        const auto who = authenticator_.authenticate({label.config.enroll, label.config.name, label.ca}, request, peer);
        if (!who) return who.error();
    }
    return label.csrattrs;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(ServerConfig config, authority::Authority& authority, const Clock& clock,
                                               crypto::Entropy& entropy) {
    auto impl = std::make_unique<Impl>(std::move(config), authority, clock, entropy);
    ESTUARY_CHECK(impl->prepare());
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

bool Server::owns(std::string_view target) noexcept {
    if (!target.starts_with(prefix)) return false;
    const auto rest = target.substr(prefix.size());
    return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

bool Server::is_quick(const http::Request& request) const noexcept { return impl_->is_quick(request); }

http::Response Server::serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work) {
    auto response = impl_->serve(request, peer, work);
    // Two families of clients disagree: those built on OpenSSL's base64 filter need lines, strongSwan's pki (which sends no
    // User-Agent) takes a line break for a digit. RFC 8951 3.1 lets the server choose.
    if (!request.headers.find("User-Agent") && response.headers.find("Content-Transfer-Encoding")) {
        std::erase(response.body, '\n');
        response.body += '\n';
    }
    return response;
}

}  // namespace estuary::est
