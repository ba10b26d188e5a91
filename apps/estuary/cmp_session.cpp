#include "cmp_session.h"

#include <thread>

#include <fmt/format.h>

#include "estuary/base/file.h"
#include "estuary/base/text.h"

namespace estuary::client {
namespace {

constexpr Seconds busy_pause{2};
constexpr int attempts_max = 3;   // of one message

Outcome<std::vector<x509::Certificate>> certificates_of(const std::string& path) {
    if (path.empty()) return std::vector<x509::Certificate>{};
    ESTUARY_TRY_AS(const auto content, file::read(path), local_failure);
    ESTUARY_TRY_AS(auto certificates, x509::parse_certificates(content), local_failure);
    return certificates;
}

Outcome<std::optional<x509::Name>> name_option(const std::string& text, std::string_view option) {
    if (text.empty()) return std::optional<x509::Name>{};
    auto name = x509::Name::from_text(text);
    if (!name) return cmp_usage(fmt::format("{}: {}", option, name.error().detail));
    return std::optional{std::move(*name)};
}

Failure answer_failure(Error error) {
    const auto status = cmp_status(error);
    return {std::move(error), status};
}

}  // namespace

tl::unexpected<Failure> cmp_usage(std::string detail) {
    return tl::unexpected<Failure>(Failure{Error{Code::malformed, std::move(detail)}, exit_usage});
}

ExitStatus cmp_status(const Error& error) {
    if (error.code == Code::not_authenticated || error.code == Code::not_authorised || error.code == Code::bad_proof)
        return exit_not_trusted;
    return remote_failure(error).status;
}

void CmpOptions::add_to(CLI::App& command) {
    command.add_option("--name", name, "NAME of /.well-known/cmp/p/NAME: which CA or profile is meant (RFC 9811 3.4)");
    login.add_to(command);
    command.add_option("--trust", trust, "Trust anchors (PEM): who signs answers and certificates, and the server of https")->type_name("FILE");
    command.add_option("--intermediates", intermediates, "More certificates, not trusted, for paths to the anchors (PEM)")->type_name("FILE");
    command.add_flag("--system-trust", system_trust, "The system's CA certificates, for the server of https");
    command.add_option("--expect-sender", expected_sender,
                       "Only this name may sign answers; otherwise CAs and holders of id-kp-cmcCA or id-kp-cmcRA may")->type_name("DN");
    command.add_option("--recipient", recipient, "Name of the CA in messages; default: the issuer of --cert")->type_name("DN");
    command.add_option("--mac", mac, "How messages are protected with --user: pbm (PasswordBasedMac, default) or pbmac1")
        ->check(CLI::IsMember({"pbm", "pbmac1"}));
    command.add_flag("--unprotected-errors", unprotected_errors, "Take an error for an answer although anybody may have sent it");
    command.add_option("--wait", wait, "How long to wait for approval (default 10m; 0: not at all)")->type_name("DURATION");
}

Outcome<void> CmpSession::read_trust(const CmpOptions& options) {
    ESTUARY_TRY_OUTCOME(anchors_, certificates_of(options.trust));
    ESTUARY_TRY_OUTCOME(intermediates_, certificates_of(options.intermediates));
    ESTUARY_TRY_OUTCOME(expected_sender_, name_option(options.expected_sender, "--expect-sender"));
    ESTUARY_TRY_OUTCOME(recipient_, name_option(options.recipient, "--recipient"));
    unprotected_errors_ = options.unprotected_errors;
    return {};
}

Outcome<void> CmpSession::read_credentials(const CmpOptions& options) {
    ESTUARY_TRY_OUTCOME(auto user, options.login.read_user());
    ESTUARY_TRY_OUTCOME(auto identity, options.login.read_identity());
    const int given = (user ? 1 : 0) + (identity ? 1 : 0) + (options.directory.empty() ? 0 : 1);
    if (given != 1)
        return cmp_usage("say who you are, one way: --user NAME with --password-file FILE, or --cert FILE");
    if (user) {
        secret_ = cmp::ClientSecret{std::move(user->name), std::move(user->password)};
        secret_->mac.scheme = options.mac == "pbmac1" ? crypto::PasswordMacChoice::Scheme::pbmac1
                                                      : crypto::PasswordMacChoice::Scheme::password_based_mac;
        return {};
    }
    if (identity) {
        signer_ = cmp::ClientSigner{identity->key, {}};
        for (const auto& der : identity->chain) {
            ESTUARY_TRY_AS(signer_->chain.emplace_back(), x509::Certificate::parse(der), local_failure);
        }
        connect_.identity = std::move(*identity);
        return {};
    }
    ESTUARY_TRY_AS(auto kept, Directory{options.directory}.load(), local_failure);
    if (anchors_.empty()) anchors_ = kept.anchors;
    signer_ = cmp::ClientSigner{std::move(kept.key), std::move(kept.chain)};
    return {};
}

Outcome<CmpSession> CmpSession::create(const CmpOptions& options, const Clock& clock) {
    CmpSession session{clock};
    // Messages are protected by themselves, so plain http will do (RFC 9811 5); what they say can then be read on the way.
    const auto text = options.url.find("://") == std::string::npos ? "http://" + options.url : options.url;
    auto url = http::Url::parse(text);
    if (!url) return cmp_usage(url.error().detail);
    session.url_ = std::move(*url);
    auto target = cmp::http_target(session.url_, options.name);
    if (!target) return cmp_usage(target.error().detail);
    session.target_ = std::move(*target);
    const auto wait = options.wait == "0" ? Result<Seconds>{Seconds{0}} : parse_duration(options.wait);
    if (!wait) return cmp_usage("--wait: " + wait.error().detail);
    session.wait_ = *wait;
    if (auto read = session.read_trust(options); !read) return tl::unexpected<Failure>(std::move(read).error());
    if (auto read = session.read_credentials(options); !read) return tl::unexpected<Failure>(std::move(read).error());
    session.connect_.plain_http = true;
    session.connect_.trust.cmc_ra_instead_of_name = false;
    session.connect_.trust.system_anchors = options.system_trust;
    for (const auto& anchor : session.anchors_) session.connect_.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    if (session.url_.scheme == "https" && session.anchors_.empty() && !options.system_trust)
        return cmp_usage("say how the server of https is known: --trust FILE or --system-trust");
    return session;
}

Outcome<cmp::Client> CmpSession::client() {
    cmp::ClientConfig config{.credentials = cmp::ClientSecret{}};
    if (secret_) config.credentials = cmp::ClientSecret{secret_->reference, secret_->secret.clone(), secret_->mac};
    else config.credentials = *signer_;
    config.anchors = anchors_;
    config.intermediates = intermediates_;
    config.expected_sender = expected_sender_;
    config.recipient = recipient_;
    config.unprotected_errors = unprotected_errors_;
    ESTUARY_TRY_AS(auto made, cmp::Client::create(std::move(config), *clock_, entropy_), local_failure);
    return made;
}

Result<http::Response> CmpSession::send(const http::Request& request) {
    if (!connection_) {
        ESTUARY_TRY(connection_, net::Connection::open(url_, connect_));
    }
    auto response = connection_->exchange(request);
    if (!response || response->close) connection_.reset();
    return response;
}

Outcome<void> CmpSession::pause(Seconds time, const std::string& reason, Time until) const {
    if (clock_->now() + time > until)
        return tl::unexpected<Failure>(
            Failure{Error{Code::too_busy, fmt::format("the answer is not there yet{}; the authority says to ask again in {}, and --wait is over",
                                                      reason.empty() ? "" : " (" + reason + ")", to_string(time))},
                    exit_pending});
    std::this_thread::sleep_for(time);
    return {};
}

Outcome<ByteVec> CmpSession::exchange(const cmp::ClientTransaction& transaction, Time until) {
    const auto request = cmp::make_http_request(target_, url_.authority(), transaction.operation(), transaction.message());
    for (int attempt = 1;; ++attempt) {
        auto response = send(request);
        Error error;
        if (response) {
            const auto message = cmp::read_http_response(*response);
            if (message) return to_vec(*message);
            error = message.error();
        } else {
            error = response.error();
        }
        const bool passing = error.code == Code::unavailable || error.code == Code::too_busy;
        if (!passing || attempt == attempts_max) return tl::unexpected<Failure>(answer_failure(std::move(error)));
        const auto time = std::max(busy_pause, Seconds{error.retry_after_s});
        if (clock_->now() + time > until) return tl::unexpected<Failure>(answer_failure(std::move(error)));
        std::this_thread::sleep_for(time);
    }
}

Outcome<cmp::ClientOutcome> CmpSession::run(cmp::Wish wish) {
    ESTUARY_TRY_OUTCOME(const auto made, client());
    ESTUARY_TRY_AS(auto transaction, made.begin(std::move(wish)), local_failure);
    const auto until = clock_->now() + wait_;
    for (bool told = false;;) {
        ESTUARY_TRY_OUTCOME(const auto answer, exchange(transaction, until));
        ESTUARY_TRY_AS(auto step, transaction.take(answer), answer_failure);
        if (auto* outcome = std::get_if<cmp::ClientOutcome>(&step)) {
            const auto* declined = std::get_if<cmp::Declined>(outcome);
            if (declined == nullptr) return std::move(*outcome);
            const auto* doubt = declined->authentic ? "" : " (not protected: anybody may have said this)";
            return tl::unexpected<Failure>(
                Failure{Error{Code::policy, fmt::format("refused by the authority: {}{}", declined->text, doubt)}, exit_refused});
        }
        if (const auto* wait = std::get_if<cmp::WaitThenSend>(&step)) {
            if (!told) fmt::print(stderr, "The authority says to wait{}.\n", wait->reason.empty() ? "" : ": " + wait->reason);
            told = true;
            if (auto waited = pause(wait->check_after, wait->reason, until); !waited)
                return tl::unexpected<Failure>(std::move(waited).error());
        }
    }
}

}  // namespace estuary::client
