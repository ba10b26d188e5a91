#include "enrollment.h"

#include <thread>
#include <utility>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "waiting.h"

namespace estuary::client {
namespace {

bool same_session(const http::ChannelBindings& a, const http::ChannelBindings& b) {
    return a.tls_unique == b.tls_unique && a.tls_exporter == b.tls_exporter;
}

tl::unexpected<Failure> still_pending(Seconds retry_after, const Directory& directory) {
    return failure(exit_pending, {Code::too_busy, fmt::format("the request waits for approval; run the same command again in {} (it is kept in {})",
                                                              to_string(retry_after), (directory.path() / "pending").string())});
}

}  // namespace

void link_to_session(x509::RequestTemplate& request, const http::ChannelBindings& bindings, bool by_attribute) {
    const auto& binding = bindings.tls_unique.empty() ? bindings.tls_exporter : bindings.tls_unique;
    if (binding.empty()) return;
    const auto text = to_base64(binding);
    request.attributes.push_back(by_attribute ? x509::make_directory_string_attribute(x509::oid::est_identity_linking, text)
                                              : x509::make_challenge_password(text));
}

Sender enrollment_sender(Session& session, bool renew) {
    return [&session, renew](const Session::MakeRequest& make_request) { return session.enroll(make_request, renew); };
}

Outcome<Session::Enrolled> ask(const Sender& send, Directory& directory, const EnrollmentState& state, const crypto::PrivateKey& key,
                               const Session::MakeRequest& make_request, Waiting waiting, const Clock& clock) {
    const auto until = clock.now() + waiting.at_most;
    // What waits for approval, and what may have been answered without our hearing it, is sent again octet for octet: that is
    // how the server knows it (RFC 7030 4.2.3). Anything else is made for the session that carries it (3.2.1, 3.5).
    ByteVec request;
    http::ChannelBindings made_for;
    bool waits = false, unheard = false;
    const auto request_for = [&](const http::ChannelBindings& bindings) -> Result<ByteVec> {
        const bool kept = !request.empty() && (waits || std::exchange(unheard, false) || same_session(bindings, made_for));
        if (!kept) {
            ESTUARY_TRY(request, make_request(bindings));
            made_for = bindings;
        }
        return request;
    };
    for (bool told = false;;) {
        const bool repeats = unheard;
        auto answer = send(request_for);
        Seconds pause = busy_pause;
        if (answer) {
            if (answer->certificate) {
                directory.clear_pending();
                return std::move(*answer);
            }
            waits = true;
            ESTUARY_CHECK_AS(directory.save_pending({state, key, request}), local_failure);
            pause = answer->retry_after;
            if (clock.now() + pause > until) return still_pending(pause, directory);
            if (!told) fmt::print(stderr, "The request waits for approval; asking again every {}.\n", to_string(pause));
            told = true;
        } else {
            unheard = !request.empty() && answer.error().error.code == Code::unavailable;
            // Refused, so it was not known there, and it is linked to a session that is gone: once more, made anew.
            if (repeats && !unheard && answer.error().status != exit_try_again && answer.error().status != exit_not_trusted) {
                request.clear();
                continue;
            }
            if (answer.error().status == exit_refused) directory.clear_pending();
            if (answer.error().status != exit_try_again || clock.now() + pause > until) return tl::unexpected<Failure>(answer.error());
            pause = std::max(pause, Seconds{answer.error().error.retry_after_s});
        }
        std::this_thread::sleep_for(pause);
    }
}

Outcome<Identity> keep(Directory& directory, EnrollmentState state, crypto::PrivateKey key, x509::Certificate certificate,
                       const std::vector<x509::Certificate>& ca_certificates, const Clock& clock) {
    ESTUARY_TRY_AS(auto bag, est::sort_ca_certificates(ca_certificates), remote_failure);
    ESTUARY_TRY_AS(auto chain, est::build_chain(certificate, bag, clock.now()), remote_failure);
    Identity identity{std::move(state), std::move(key), std::move(certificate), std::move(chain), std::move(bag.anchors)};
    ESTUARY_CHECK_AS(directory.save(identity), local_failure);
    return identity;
}

void show(const Identity& identity, const Directory& directory) {
    const auto& certificate = identity.certificate;
    const auto dir = directory.path().string();
    fmt::print("subject        {}\n", certificate.subject().to_text());
    if (const auto names = certificate.subject_alt_names(); names)
        for (const auto& name : *names) fmt::print("               {}\n", name.to_text());
    fmt::print("issuer         {}\n", certificate.issuer().to_text());
    fmt::print("serial number  {}\n", certificate.serial_hex());
    fmt::print("valid          {} to {}\n", to_iso8601(certificate.not_before()), to_iso8601(certificate.not_after()));
    if (identity.state.key_source.empty()) fmt::print("key            {}/key.pem\n", dir);
    fmt::print("certificate    {}/cert.pem\n", dir);
    fmt::print("chain          {}/chain.pem\n", dir);
    fmt::print("anchors        {}/anchors.pem\n", dir);
}

}  // namespace estuary::client
