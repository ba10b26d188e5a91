#include "cmp_session.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "command_line.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/cmp/passphrase.h"
#include "estuary/x509/path.h"
#include "waiting.h"

namespace estuary::client {
namespace {

constexpr int attempts_max = 3;   // of one message

Outcome<std::vector<x509::Certificate>> certificates_of(const std::string& path) {
    if (path.empty()) return std::vector<x509::Certificate>{};
    ESTUARY_TRY_AS(const auto content, file::read(path), local_failure);
    ESTUARY_TRY_AS(auto certificates, x509::parse_certificates(content), local_failure);
    return certificates;
}

Outcome<std::optional<x509::Name>> optional_name(std::string_view option, const std::string& text) {
    if (text.empty()) return std::optional<x509::Name>{};
    ESTUARY_TRY_OUTCOME(auto name, name_option(option, text));
    return std::optional{std::move(name)};
}

Failure answer_failure(Error error) {
    const auto status = cmp_status(error);
    return {std::move(error), status};
}

tl::unexpected<Failure> pending(std::string detail) {
    return failure(exit_pending, {Code::too_busy, std::move(detail)});
}

void tell_passphrase(const cmp::ClientTransaction& transaction) {
    switch (transaction.passphrase()) {
        case cmp::PassphraseFate::not_conveyed: return;
        case cmp::PassphraseFate::acknowledged: fmt::print(stderr, "The authority has taken the revocation passphrase.\n"); return;
        case cmp::PassphraseFate::conveyed:
            fmt::print(stderr, "note: the authority did not say that it has taken the revocation passphrase: do not count on it (RFC 9810 B)\n");
    }
}

/// Declined is a failure.
Outcome<cmp::ClientOutcome> judged(cmp::ClientOutcome outcome, const cmp::ClientTransaction& transaction) {
    if (!std::holds_alternative<cmp::Declined>(outcome)) tell_passphrase(transaction);
    const auto* declined = std::get_if<cmp::Declined>(&outcome);
    if (declined == nullptr) return outcome;
    const auto* doubt = declined->authentic ? "" : " (not protected: anybody may have said this)";
    return failure(exit_refused, {Code::policy, fmt::format("refused by the authority: {}{}", declined->text, doubt)});
}

}  // namespace

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
    add_check_server(command, check_server);
    command.add_option("--wait", wait, "How long to wait for approval (default 10m; 0: not at all)")->type_name("DURATION");
}

void CmpPassphraseOptions::add_conveyed(CLI::App& command) {
    auto* option = command.add_option("--revocation-passphrase-file", file,
                                      "Give the authority a passphrase that can revoke without the key (RFC 9810 B): first line of this file")->type_name("FILE");
    command.add_option("--revocation-key-id", key_id, "and this identifier to find it by; default: by your name")->type_name("TEXT")->needs(option);
}

void CmpFiles::add_to(CLI::App& command) {
    command.add_option("--request-out", request, "Write the next message here, for a person to carry, instead of sending it")->type_name("FILE");
    command.add_option("--answer", answer, "The answer that came back to it")->type_name("FILE");
}

Outcome<void> CmpSession::read_trust(const CmpOptions& options) {
    ESTUARY_TRY_OUTCOME(anchors_, certificates_of(options.trust));
    ESTUARY_TRY_OUTCOME(intermediates_, certificates_of(options.intermediates));
    ESTUARY_TRY_OUTCOME(expected_sender_, optional_name("--expect-sender", options.expected_sender));
    ESTUARY_TRY_OUTCOME(recipient_, optional_name("--recipient", options.recipient));
    unprotected_errors_ = options.unprotected_errors;
    check_server_ = options.check_server;
    return {};
}

/// The directory that signs; it says where to, and whom to trust, where the options do not.
Outcome<std::optional<Identity>> CmpSession::read_directory(CmpOptions& options) const {
    if (options.directory.empty()) {
        if (options.url.empty()) return usage_failure("say where: a URL, or --dir DIR of a certificate that came by CMP");
        return std::optional<Identity>{};
    }
    ESTUARY_TRY_AS(auto kept, Directory{options.directory}.load(), local_failure);
    if (options.url.empty()) {
        if (!kept.state.by_cmp()) return usage_failure(options.directory + " was not enrolled by CMP: say where with a URL");
        options.url = kept.state.url;
        options.system_trust = options.system_trust || kept.state.system_trust;
    }
    return std::optional{std::move(kept)};
}

Outcome<void> CmpSession::read_credentials(const CmpOptions& options, std::optional<Identity> kept) {
    ESTUARY_TRY_OUTCOME(auto user, options.login.read_user());
    ESTUARY_TRY_OUTCOME(auto identity, options.login.read_identity());
    const bool by_passphrase = options.passphrase.given();
    if (const int given = (user ? 1 : 0) + (identity ? 1 : 0) + (kept ? 1 : 0) + (by_passphrase ? 1 : 0); given != 1)
        return usage_failure(kept ? "the certificate of the directory signs: leave out --user and --cert"
                              : "say who you are, one way: --user NAME with --password-file FILE, or --cert FILE");
    if (by_passphrase) {
        ESTUARY_TRY_OUTCOME(auto passphrase, options.passphrase.read());
        ESTUARY_TRY_OUTCOME(sender_, optional_name("--holder", options.holder));
        secret_ = cmp::ClientSecret{options.passphrase.key_id, std::move(passphrase), {}, true};
    } else if (user) {
        secret_ = cmp::ClientSecret{std::move(user->name), std::move(user->password)};
    }
    if (secret_) {
        secret_->mac.scheme = options.mac == "pbmac1" ? crypto::PasswordMacChoice::Scheme::pbmac1
                                                      : crypto::PasswordMacChoice::Scheme::password_based_mac;
        return {};
    }
    if (identity) {
        signer_ = cmp::ClientSigner{identity->key, {}};
        for (const auto& der : identity->chain) {
            ESTUARY_TRY_AS(signer_->chain.emplace_back(), x509::Certificate::parse(der), local_failure);
        }
        // A KEM key protects messages, and can do nothing in TLS.
        if (signer_->key.signature_algorithm()) connect_.identity = std::move(*identity);
        return {};
    }
    if (anchors_.empty()) anchors_ = std::move(kept->anchors);
    signer_ = cmp::ClientSigner{std::move(kept->key), std::move(kept->chain)};
    return {};
}

std::string CmpSession::address() const {
    auto url = url_;
    if (!tcp_) url.path = target_.path;
    return url.to_string();
}

Result<void> CmpSession::read_url(const std::string& text, const std::string& name) {
    if (cmp::is_tcp_url(text)) {
        if (!name.empty()) return fail(Code::policy, "--name: directly over TCP a server has no names; ask for the port of the one you mean");
        ESTUARY_TRY(url_, cmp::tcp_url(text));
        tcp_.emplace();
        return {};
    }
    // Messages are protected by themselves, so plain http will do (RFC 9811 5); what they say can then be read on the way.
    ESTUARY_TRY(url_, http::Url::parse(text.find("://") == std::string::npos ? "http://" + text : text));
    ESTUARY_TRY(target_, cmp::http_target(url_, name));
    return {};
}

Outcome<CmpSession> CmpSession::create(CmpOptions options, const Clock& clock) {
    CmpSession session{clock};
    ESTUARY_TRY_OUTCOME(auto kept, session.read_directory(options));
    if (auto url = session.read_url(options.url, options.name); !url) return usage_failure(url.error().detail);
    const auto wait = parse_wait(options.wait);
    if (!wait) return usage_failure("--wait: " + wait.error().detail);
    session.wait_ = *wait;
    if (auto read = session.read_trust(options); !read) return tl::unexpected<Failure>(std::move(read).error());
    if (auto read = session.read_credentials(options, std::move(kept)); !read) return tl::unexpected<Failure>(std::move(read).error());
    session.connect_.plain_http = true;
    session.connect_.trust.cmc_ra_instead_of_name = false;
    session.connect_.trust.system_anchors = options.system_trust;
    for (const auto& anchor : session.anchors_) session.connect_.trust.explicit_anchors.push_back(to_vec(anchor.der()));
    if (session.url_.scheme == "https" && session.anchors_.empty() && !options.system_trust)
        return usage_failure("say how the server of https is known: --trust FILE or --system-trust");
    return session;
}

Outcome<cmp::Client> CmpSession::client() {
    cmp::ClientConfig config{.credentials = cmp::ClientSecret{}};
    if (secret_) config.credentials = cmp::ClientSecret{secret_->reference, secret_->secret.clone(), secret_->mac, secret_->revocation_passphrase};
    else config.credentials = *signer_;
    config.anchors = anchors_;
    config.intermediates = intermediates_;
    config.expected_sender = expected_sender_;
    config.recipient = recipient_;
    config.sender = sender_;
    config.passphrase = passphrase_;
    config.unprotected_errors = unprotected_errors_;
    if (check_server_ != ocsp::PeerCheck::off)
        config.check_status = [this](const std::vector<x509::Certificate>& path) { return check_status(path); };
    ESTUARY_TRY_AS(auto made, cmp::Client::create(std::move(config), *clock_, entropy_), local_failure);
    return made;
}

Outcome<crypto::Secret> CmpPassphraseOptions::read() const {
    ESTUARY_TRY_AS(auto content, file::read(file, 4096), local_failure);
    auto line = as_text(content).substr(0, as_text(content).find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    crypto::Secret secret{line};
    crypto::wipe(content);
    if (secret.empty()) return failure(exit_failed, {Code::malformed, file + ": the first line is empty; it is to be the passphrase"});
    return secret;
}

/// What it tells of itself (genm caCerts), not verified; none where it does not.
Outcome<std::vector<x509::Certificate>> CmpSession::ca_certificates() {
    auto outcome = run(cmp::InformationWish{cmp::ask(cmp::oid::ca_certs), {}});
    if (!outcome) return std::vector<x509::Certificate>{};
    ESTUARY_TRY_AS(const auto told, cmp::read_ca_certs(std::get<cmp::Informed>(*outcome).answer), remote_failure);
    ESTUARY_TRY_AS(auto certificates, cmp::to_x509(told), remote_failure);
    return certificates;
}

/// RFC 9810 5.3.19.1: what is encrypted for the authority is for whoever has this key, so it has to be the right one.
Outcome<x509::Certificate> CmpSession::agreement_certificate(std::string_view use, std::string_view otherwise) {
    if (anchors_.empty()) return usage_failure(fmt::format("{} needs a certificate of the CA: say by --trust FILE which one is right, or {}", use, otherwise));
    ESTUARY_TRY_OUTCOME(const auto outcome, run(cmp::InformationWish{cmp::ask(cmp::oid::ca_prot_enc_cert), {}}));
    ESTUARY_TRY_AS(const auto told, cmp::read_ca_prot_enc_cert(std::get<cmp::Informed>(outcome).answer), remote_failure);
    if (!told) return failure(exit_refused, {Code::policy, fmt::format("the authority has no key for it: {} is not taken there", use)});
    ESTUARY_TRY_AS(auto certificate, told->x509(), remote_failure);
    auto path = x509::validate_path(certificate, intermediates_, anchors_, {.at = clock_->now()});
    if (!path && signer_) path = x509::validate_path(certificate, signer_->chain, anchors_, {.at = clock_->now()});
    if (!path) {
        // The CA in between may be one that only the authority has told of so far.
        ESTUARY_TRY_OUTCOME(const auto more, ca_certificates());
        path = x509::validate_path(certificate, more, anchors_, {.at = clock_->now()});
    }
    if (!path) return failure(exit_not_trusted, in_context("certificate of the authority's agreement key", path.error()));
    return certificate;
}

Outcome<cmp::InfoTypeAndValue> CmpSession::encrypted(const CmpPassphraseOptions& passphrase) {
    ESTUARY_TRY_OUTCOME(const auto secret, passphrase.read());
    std::optional<x509::Certificate> certificate;
    cmp::PassphraseRecipient to;
    if (secret_) {
        to = &secret_->secret;
    } else {
        ESTUARY_TRY_OUTCOME(certificate, agreement_certificate("an encrypted passphrase", "use --user"));
        to = &*certificate;
    }
    ESTUARY_TRY_AS(auto made, cmp::make_conveyed_passphrase(secret, as_bytes(passphrase.key_id), to), local_failure);
    return made;
}

Outcome<void> CmpSession::convey(const CmpPassphraseOptions& passphrase, const CmpFiles& files) {
    if (!passphrase.given()) return {};
    if (files.given() && !secret_)
        return usage_failure("--revocation-passphrase-file: whom to encrypt it for has to be asked first, so it does not go by files with a certificate; "
                             "send it with: estuary cmp genm URL passphrase");
    ESTUARY_TRY_OUTCOME(passphrase_, encrypted(passphrase));
    return {};
}

Result<void> CmpSession::check_status(const std::vector<x509::Certificate>& path) {
    if (path.empty() || std::ranges::find(checked_, path.front()) != checked_.end()) return {};
    if (auto good = check_path_status(path, check_server_, {anchors_, system_trust()}, *clock_); !good) return fail(std::move(good).error().error);
    checked_.push_back(path.front());
    return {};
}

Result<http::Response> CmpSession::send(const http::Request& request) {
    if (!connection_) {
        ESTUARY_TRY(auto opened, net::Connection::open(url_, connect_));
        if (url_.scheme == "https" && check_server_ != ocsp::PeerCheck::off) {
            auto good = check_server_status(*opened, check_server_, {anchors_, system_trust()}, *clock_);
            if (!good) return fail(std::move(good).error().error);
        }
        connection_ = std::move(opened);
    }
    auto response = connection_->exchange(request);
    if (!response || response->close) connection_.reset();
    return response;
}

/// One frame and the frame that answers it.
Result<ByteVec> CmpSession::send_frame(Bytes frame) {
    const auto length = [this](Bytes begun) { return cmp::tcp_frame_octets(begun, connect_.body_bytes_max); };
    if (tcp_connection_) {
        // The server may have closed it meanwhile: then once more on a new one. The same message gets the same answer.
        if (auto answer = tcp_connection_->exchange(frame, length)) return answer;
        tcp_connection_.reset();
    }
    ESTUARY_TRY(tcp_connection_, net::MessageConnection::open(url_, {connect_.connect_timeout, connect_.exchange_timeout}));
    auto answer = tcp_connection_->exchange(frame, length);
    if (!answer) tcp_connection_.reset();
    return answer;
}

/// The answer to one message, asked for once.
Result<ByteVec> CmpSession::ask(const cmp::ClientTransaction& transaction) {
    if (tcp_) {
        auto answer = tcp_->ask(transaction.message(), [this](Bytes frame) { return send_frame(frame); });
        if (tcp_->closes()) tcp_connection_.reset();
        return answer;
    }
    ESTUARY_TRY(const auto response, send(cmp::make_http_request(target_, url_.authority(), transaction.operation(), transaction.message())));
    ESTUARY_TRY(const auto message, cmp::read_http_response(response));
    return to_vec(message);
}

Outcome<void> CmpSession::pause(Seconds time, const std::string& reason, Time until, const std::string& kept) {
    if (clock_->now() + time > until) {
        const auto why = reason.empty() ? std::string{} : " (" + reason + ")";
        if (kept.empty()) return pending(fmt::format("the answer is not there yet{}; ask again in {}, or wait longer (--wait)", why, to_string(time)));
        return pending(fmt::format("the request waits for approval{}; run the same command again in {} (it is kept in {})", why, to_string(time), kept));
    }
    if (!std::exchange(told_, true))
        fmt::print(stderr, "The request waits for approval{}; asking again every {}.\n", reason.empty() ? "" : " (" + reason + ")", to_string(time));
    std::this_thread::sleep_for(time);
    return {};
}

Outcome<ByteVec> CmpSession::exchange(const cmp::ClientTransaction& transaction, Time until) {
    for (int attempt = 1;; ++attempt) {
        auto answer = ask(transaction);
        if (answer) return std::move(*answer);
        auto& error = answer.error();
        const bool waits = tcp_ && tcp_->waits();
        if (waits) attempt = 0;   // it is no failure, and ends with the time
        const bool passing = error.code == Code::unavailable || error.code == Code::too_busy;
        if (!passing || attempt == attempts_max) return tl::unexpected<Failure>(answer_failure(std::move(error)));
        const auto time = std::max(busy_pause, Seconds{error.retry_after_s});
        if (clock_->now() + time > until) return tl::unexpected<Failure>(answer_failure(std::move(error)));
        std::this_thread::sleep_for(time);
    }
}

Outcome<cmp::ClientTransaction> CmpSession::transaction(cmp::Wish wish, const CmpKeeping& keeping) {
    ESTUARY_TRY_OUTCOME(const auto made, client());
    if (keeping.begun.empty()) {
        ESTUARY_TRY_AS(auto begun, made.begin(std::move(wish)), local_failure);
        return begun;
    }
    ESTUARY_TRY_AS(auto resumed, made.resume(std::move(wish), keeping.begun), local_failure);
    return resumed;
}

Outcome<cmp::ClientOutcome> CmpSession::run(cmp::Wish wish, const CmpKeeping& keeping) {
    ESTUARY_TRY_OUTCOME(auto transaction, this->transaction(std::move(wish), keeping));
    const auto until = clock_->now() + wait_;
    for (bool is_kept = !keeping.begun.empty();;) {
        ESTUARY_TRY_OUTCOME(const auto answer, exchange(transaction, until));
        ESTUARY_TRY_AS(auto step, transaction.take(answer), answer_failure);
        if (auto* outcome = std::get_if<cmp::ClientOutcome>(&step)) return judged(std::move(*outcome), transaction);
        const auto* wait = std::get_if<cmp::WaitThenSend>(&step);
        if (wait == nullptr) {
            // A confirmation on top of what was kept. One with a key of the authority's making cannot be, and is not.
            if (is_kept) (void)keeping.keep(transaction);
            continue;
        }
        if (keeping.keep) {
            if (auto kept = keeping.keep(transaction); !kept) return tl::unexpected<Failure>(std::move(kept).error());
            is_kept = true;
        }
        if (auto waited = pause(wait->check_after, wait->reason, until, keeping.where); !waited)
            return tl::unexpected<Failure>(std::move(waited).error());
    }
}

Outcome<cmp::ClientOutcome> CmpSession::run_by_files(cmp::Wish wish, const CmpKeeping& keeping, const CmpFiles& files) {
    if (files.answer.empty() != keeping.begun.empty())
        return usage_failure(files.answer.empty() ? fmt::format("a request is on its way ({}): give its answer with --answer FILE, or begin anew {}", keeping.where, keeping.anew)
                                              : "--answer: there is no request on its way; begin with --request-out FILE");
    ESTUARY_TRY_OUTCOME(auto transaction, this->transaction(std::move(wish), keeping));
    std::string wait;
    if (!files.answer.empty()) {
        ESTUARY_TRY_AS(const auto answer, file::read(files.answer), local_failure);
        ESTUARY_TRY_AS(auto step, transaction.take(answer), answer_failure);
        if (auto* outcome = std::get_if<cmp::ClientOutcome>(&step)) return judged(std::move(*outcome), transaction);
        if (const auto* later = std::get_if<cmp::WaitThenSend>(&step)) wait = fmt::format(" in {}", to_string(later->check_after));
    }
    if (files.request.empty()) return usage_failure("this is not the last message: say where the next one is to go with --request-out FILE");
    if (auto kept = keeping.keep(transaction); !kept) return tl::unexpected<Failure>(std::move(kept).error());
    ESTUARY_CHECK_AS(file::write_atomically(files.request, transaction.message(), file::Access::everyone_reads), local_failure);
    return pending(fmt::format("{} is to be carried to the authority{}; then run the same command with --answer FILE", files.request, wait));
}

}  // namespace estuary::client
