#include "session.h"

#include <fmt/format.h>

namespace estuary::client {
namespace {

constexpr std::string_view well_known = "/.well-known/est";

/// Failing to authenticate the server is another thing than being refused by it.
Failure connect_failure(Error error) {
    const bool untrusted = error.code == Code::not_authenticated || error.code == Code::not_authorised;
    return untrusted ? Failure{std::move(error), exit_not_trusted} : remote_failure(std::move(error));
}

}  // namespace

Outcome<http::Url> est_base(const std::string& url, const std::string& label) {
    auto base = http::Url::parse(url);
    if (!base) return usage_failure(base.error().detail);
    if (base->scheme != "https") return usage_failure("EST needs https (RFC 7030 section 3.3)");
    while (base->path.ends_with('/')) base->path.pop_back();
    if (base->path.empty()) base->path = well_known;
    if (!base->path.starts_with(well_known))
        return usage_failure(fmt::format("the path of {} is not {}[/LABEL]", url, well_known));
    if (!label.empty()) base->path += "/" + label;
    return *base;
}

net::ClientOptions client_options(const Trust& trust) {
    net::ClientOptions options;
    for (const auto& anchor : trust.anchors) options.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    options.trust.system_anchors = trust.system;
    return options;
}

Session::Session(http::Url base, net::ClientOptions options, const Clock& clock)
    : base_{std::move(base)}, options_{std::move(options)}, clock_{clock} {}

Outcome<net::Connection*> Session::connection() {
    if (!connection_) {
        ESTUARY_TRY_AS(auto opened, net::Connection::open(base_, options_), connect_failure);
        if (peer_check_)
            if (auto good = peer_check_(*opened); !good) return tl::unexpected<Failure>(std::move(good).error());
        connection_ = std::move(opened);
    }
    return connection_.get();
}

est::Client& Session::client() {
    if (!client_) {
        client_.emplace([this](const http::Request& request) { return exchange(request); }, base_.authority(), base_.path, clock_);
        if (user_ != nullptr) client_->set_credentials({user_->name, user_->password.clone()});
    }
    return *client_;
}

Result<http::Response> Session::exchange(const http::Request& request) {
    if (!connection_) {
        closed_within_ = true;
        return fail(Code::unavailable, base_.authority() + " closes its connections although it wants to be asked again");
    }
    auto response = connection_->exchange(request);
    if (!response || response->close) connection_.reset();
    return response;
}

Outcome<bool> Session::follow(const std::string& location, std::string_view operation) {
    if (++redirects_ > redirects_max) return failure(exit_refused, {Code::policy, "too many redirections"});
    ESTUARY_TRY_AS(auto target, base_.resolve(location), remote_failure);
    if (target.scheme != "https")
        return failure(exit_not_trusted, {Code::policy, "the server redirects away from https; not followed"});
    // RFC 7030 3.2.1: another origin needs a person's word, so it is never followed by itself.
    if (target.authority() != base_.authority())
        return failure(exit_refused, {Code::policy, fmt::format("the server redirects to {}; if that is right, use this address instead",
                                                                target.to_string())});
    const auto suffix = "/" + std::string{operation};
    if (!target.path.ends_with(suffix))
        return failure(exit_refused,
                       {Code::malformed, fmt::format("the server redirects to {}, which is not {}", target.to_string(), operation)});
    target.path.resize(target.path.size() - suffix.size());
    base_ = target;
    client_.reset();
    connection_.reset();
    return true;
}

template <class T, class Question>
Outcome<std::variant<T, est::Wait>> Session::put(std::string_view operation, const Question& question) {
    for (bool reopened = false;;) {
        ESTUARY_TRY_OUTCOME(const auto* const open, connection());
        closed_within_ = false;
        Outcome<est::Answer<T>> answer = question(client(), *open);
        if (!answer) {
            if (!closed_within_ || reopened) return tl::unexpected<Failure>(std::move(answer).error());
            reopened = true;
            continue;
        }
        if (auto* found = std::get_if<T>(&*answer)) return std::move(*found);
        if (const auto* wait = std::get_if<est::Wait>(&*answer)) return *wait;
        if (auto gone = follow(std::get<est::Redirect>(*answer).location, operation); !gone)
            return tl::unexpected<Failure>(gone.error());
        reopened = false;
    }
}

namespace {

/// Of the questions for which there is nothing to wait: nobody has to approve them.
template <class T>
Outcome<T> at_once(Outcome<std::variant<T, est::Wait>> answer) {
    if (!answer) return tl::unexpected<Failure>(std::move(answer).error());
    if (auto* found = std::get_if<T>(&*answer)) return std::move(*found);
    return failure(exit_try_again, {Code::too_busy, fmt::format("the server says to ask again in {}",
                                                                to_string(std::get<est::Wait>(*answer).retry_after))});
}

}  // namespace

Outcome<std::vector<x509::Certificate>> Session::ca_certificates() {
    using Certificates = std::vector<x509::Certificate>;
    return at_once(put<Certificates>("cacerts", [](est::Client& est, const net::Connection&) -> Outcome<est::Answer<Certificates>> {
        ESTUARY_TRY_AS(auto answer, est.ca_certificates(), remote_failure);
        return answer;
    }));
}

Outcome<est::CsrAttrs> Session::csr_attributes() {
    return at_once(put<est::CsrAttrs>("csrattrs", [](est::Client& est, const net::Connection&) -> Outcome<est::Answer<est::CsrAttrs>> {
        ESTUARY_TRY_AS(auto answer, est.csr_attributes(), remote_failure);
        return answer;
    }));
}

Outcome<est::Pal> Session::pal(const std::string& path, est::Client::PalForm form) {
    return at_once(put<est::Pal>(path, [&](est::Client& est, const net::Connection&) -> Outcome<est::Answer<est::Pal>> {
        ESTUARY_TRY_AS(auto answer, est.pal(path, form), remote_failure);
        return answer;
    }));
}

Outcome<ByteVec> Session::package(const std::string& path, const est::PalType& type) {
    return at_once(put<ByteVec>(path, [&](est::Client& est, const net::Connection&) -> Outcome<est::Answer<ByteVec>> {
        ESTUARY_TRY_AS(auto answer, est.package(path, type), remote_failure);
        return answer;
    }));
}

Outcome<void> Session::give_back(const std::string& path, est::Operation operation, Bytes der) {
    const auto given = at_once(put<bool>(path, [&](est::Client& est, const net::Connection&) -> Outcome<est::Answer<bool>> {
        ESTUARY_TRY_AS(auto answer, est.give_back(path, operation, der), remote_failure);
        return answer;
    }));
    if (!given) return tl::unexpected<Failure>(given.error());
    return {};
}

std::optional<std::string> Session::below(const std::string& uri) const {
    const auto url = base_.resolve(uri);
    if (!url || url->scheme != "https" || url->authority() != base_.authority()) return std::nullopt;
    const auto start = base_.path + "/";
    if (!url->path.starts_with(start) || url->path.size() == start.size()) return std::nullopt;
    auto rest = url->path.substr(start.size());
    // What a path is must not depend on who reads it: no dots, nothing encoded, no query.
    if (!http::path_segments("/" + rest) || rest.find_first_of("%?#") != std::string::npos) return std::nullopt;
    return rest;
}

Outcome<Session::Enrolled> Session::enroll(const MakeRequest& make_request, bool renew) {
    // The request is linked to the connection that carries it, so the connection comes first (RFC 7030 3.5).
    const auto question = [&](est::Client& est, const net::Connection& open) -> Outcome<est::Answer<x509::Certificate>> {
        ESTUARY_TRY_AS(const auto request, make_request(open.bindings()), local_failure);
        ESTUARY_TRY_AS(auto answer, est.enroll(request, renew), remote_failure);
        return answer;
    };
    ESTUARY_TRY_OUTCOME(auto answer, put<x509::Certificate>(renew ? "simplereenroll" : "simpleenroll", question));
    if (auto* issued = std::get_if<x509::Certificate>(&answer)) return Enrolled{std::move(*issued), {}, {}};
    return Enrolled{std::nullopt, std::get<est::Wait>(answer).retry_after, {}};
}

Outcome<Session::Enrolled> Session::server_key(const MakeRequest& make_request, const est::KeyOpener& opener, const est::CaBag& bag) {
    const auto question = [&](est::Client& est, const net::Connection& open) -> Outcome<est::Answer<est::ServerKey>> {
        ESTUARY_TRY_AS(const auto request, make_request(open.bindings()), local_failure);
        ESTUARY_TRY_AS(auto answer, est.server_key(request, opener, bag), remote_failure);
        return answer;
    };
    ESTUARY_TRY_OUTCOME(auto answer, put<est::ServerKey>("serverkeygen", question));
    if (auto* made = std::get_if<est::ServerKey>(&answer)) return Enrolled{std::move(made->certificate), {}, std::move(made->key)};
    return Enrolled{std::nullopt, std::get<est::Wait>(answer).retry_after, {}};
}

}  // namespace estuary::client
