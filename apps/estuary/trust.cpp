#include "trust.h"

#include <cstdio>
#include <iostream>

#include <unistd.h>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "session.h"

namespace estuary::client {
namespace {

tl::unexpected<Failure> not_trusted(std::string detail) {
    return tl::unexpected<Failure>(Failure{Error{Code::not_authenticated, std::move(detail)}, exit_not_trusted});
}

/// What the server says its CA is, over a connection that proves nothing (RFC 7030 4.1.1).
Outcome<std::vector<x509::Certificate>> provisional_anchors(const http::Url& base, const Clock& clock) {
    net::ClientOptions options;
    options.trust.provisional = true;
    Session session{base, options, clock};
    ESTUARY_TRY_OUTCOME(const auto certificates, session.ca_certificates());
    std::vector<x509::Certificate> anchors;
    for (const auto& certificate : certificates)
        if (certificate.is_self_issued() && certificate.is_ca()) anchors.push_back(certificate);
    if (anchors.empty()) return not_trusted("the server's /cacerts holds no root certificate");
    return anchors;
}

Outcome<Trust> by_fingerprint(const std::string& wanted, const http::Url& base, const Clock& clock) {
    auto octets = from_hex(wanted);
    if (!octets || octets->size() != 32)
        return usage_failure("--fingerprint wants the SHA-256 of the root certificate: 64 hexadecimal digits");
    ESTUARY_TRY_OUTCOME(const auto anchors, provisional_anchors(base, clock));
    for (const auto& anchor : anchors)
        if (same(crypto::sha256(anchor.der()), *octets)) return Trust{{anchor}, false};
    return not_trusted(fmt::format("no root certificate of the server has this fingerprint; it has {}",
                                   anchors.front().sha256_fingerprint()));
}

Outcome<Trust> by_person(const http::Url& base, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(auto anchors, provisional_anchors(base, clock));
    fmt::print(stderr, "The server {} is not trusted yet. Its CA:\n", base.authority());
    for (const auto& anchor : anchors)
        fmt::print(stderr, "  subject  {}\n  SHA-256  {}\n", anchor.subject().to_text(), anchor.sha256_fingerprint());
    fmt::print(stderr, "Compare the fingerprint with one that you got another way (on the server: estuaryd ca show).\n");
    if (::isatty(STDIN_FILENO) == 0)
        return not_trusted(fmt::format("nobody is here to compare it; run again with --fingerprint {}",
                                       anchors.front().sha256_fingerprint()));
    fmt::print(stderr, "Trust it? Type yes: ");
    std::string answer;
    std::getline(std::cin, answer);
    if (text::trim(answer) != "yes") return not_trusted("not trusted; nothing was done");
    return Trust{std::move(anchors), false};
}

}  // namespace

void TrustOptions::add_to(CLI::App& command) {
    auto* group = command.add_option_group("trust", "How the server is known (one of)");
    group->add_option("--trust", file, "Trust anchors: a PEM file of CA certificates")->type_name("FILE");
    group->add_option("--fingerprint", fingerprint, "SHA-256 of the server's root certificate, as `estuaryd init` printed it")
        ->type_name("SHA256");
    group->add_flag("--bootstrap", bootstrap, "Show the server's fingerprint and ask (RFC 7030 4.1.1)");
    group->add_flag("--system-trust", system, "The system's CA certificates");
    group->require_option(0, 1);
}

Outcome<Trust> establish_trust(const TrustOptions& options, const http::Url& base, const Clock& clock) {
    if (!options.file.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.file), local_failure);
        ESTUARY_TRY_AS(auto anchors, x509::parse_certificates(content), local_failure);
        if (anchors.empty()) return not_trusted(options.file + " holds no certificate");
        return Trust{std::move(anchors), false};
    }
    if (!options.fingerprint.empty()) return by_fingerprint(options.fingerprint, base, clock);
    if (options.bootstrap) return by_person(base, clock);
    if (options.system) return Trust{{}, true};
    return not_trusted("say how the server is known: --trust FILE, --fingerprint SHA256, --bootstrap or --system-trust");
}

}  // namespace estuary::client
