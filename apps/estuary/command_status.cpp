#include <fmt/format.h>

#include "commands.h"
#include "estuary/base/file.h"
#include "fetch.h"
#include "issuer.h"
#include "status_report.h"

namespace estuary::client {
namespace {

struct StatusCommandOptions {
    std::string certificate, issuer_file, url, trust_file, max_age, timeout = "60s";
    std::vector<std::string> crl_files;
    std::uint64_t crl_size_max = ocsp::crl_bytes_max;
    bool ocsp = false, crl = false, nonce = false, no_nonce = false, json = false;
};

Outcome<std::optional<Seconds>> duration(std::string_view option, const std::string& text) {
    if (text.empty()) return std::optional<Seconds>{};
    const auto parsed = parse_duration(text);
    if (!parsed) return failure(exit_usage, in_context(option, parsed.error()));
    return std::optional{*parsed};
}

Outcome<std::vector<ocsp::GivenList>> read_lists(const StatusCommandOptions& options) {
    std::vector<ocsp::GivenList> out;
    for (const auto& path : options.crl_files) {
        ESTUARY_TRY_AS(const auto content, file::read(path, options.crl_size_max), local_failure);
        auto lists = x509::parse_revocation_lists(content);
        if (!lists) return failure(exit_failed, in_context(path, lists.error()));
        for (auto& list : *lists) out.push_back({std::move(list), path});
    }
    return out;
}

Outcome<ocsp::StatusOptions> status_options(const StatusCommandOptions& options) {
    ocsp::StatusOptions out;
    ESTUARY_TRY_OUTCOME(out.lists, read_lists(options));
    const bool by_crl = options.crl || !out.lists.empty();
    out.ocsp = !by_crl;
    out.crl = !options.ocsp;
    if (!options.url.empty()) {
        if (const auto url = http::Url::parse(options.url); !url) return failure(exit_usage, in_context("--url", url.error()));
        (by_crl ? out.crl_url : out.responder_url) = options.url;
    }
    out.nonce = options.no_nonce ? ocsp::NonceUse::left_out : options.nonce ? ocsp::NonceUse::required : ocsp::NonceUse::offered;
    ESTUARY_TRY_OUTCOME(out.age_max, duration("--max-age", options.max_age));
    out.crl_bytes_max = options.crl_size_max;
    return out;
}

/// Whatever may have issued the certificate, best known first.
Outcome<ocsp::Subject> read_subject(const StatusCommandOptions& options) {
    ESTUARY_TRY_AS(auto input, read_certificate(options.certificate), local_failure);
    ocsp::Subject subject;
    subject.certificate = std::move(input.certificate);
    subject.anchors = std::move(input.anchors);
    if (!options.trust_file.empty()) {
        ESTUARY_TRY_AS(subject.anchors, read_certificates(options.trust_file), local_failure);
    }
    if (!options.issuer_file.empty()) {
        ESTUARY_TRY_AS(subject.others, read_certificates(options.issuer_file), local_failure);
    }
    subject.others.insert(subject.others.end(), input.others.begin(), input.others.end());
    subject.others.insert(subject.others.end(), subject.anchors.begin(), subject.anchors.end());
    return subject;
}

Outcome<void> find_issuer_of(ocsp::Subject& subject, const ocsp::Fetch& fetch, Time now) {
    auto found = subject.anchors.empty() ? find_issuer(subject.certificate, subject.others, fetch)
                                         : find_trusted_issuer(subject.certificate, subject.others, subject.anchors, fetch, now);
    if (!found) {
        const auto code = found.error().code;
        const int status = code == Code::unavailable ? status_unreachable : code == Code::not_found ? int{exit_failed} : int{status_not_trusted};
        return failure(static_cast<ExitStatus>(status), std::move(found).error());
    }
    subject.issuer = std::move(*found);
    return {};
}

Outcome<int> tell_status(const StatusCommandOptions& options, const Clock& clock) {
    ESTUARY_TRY_OUTCOME(const auto how, status_options(options));
    ESTUARY_TRY_OUTCOME(const auto timeout, duration("--timeout", options.timeout));
    ESTUARY_TRY_OUTCOME(auto subject, read_subject(options));
    const auto fetch = network_fetch({{subject.anchors, true}, timeout});
    if (auto found = find_issuer_of(subject, fetch, clock.now()); !found) return tl::unexpected<Failure>(std::move(found).error());
    const auto report = ocsp::check_status(subject, how, fetch, clock.now());
    const StatusAbout about{subject, !subject.anchors.empty()};
    fmt::print("{}", options.json ? status_json(report, about) : status_text(report, about));
    return exit_status_of(report);
}

constexpr const char* footer =
    "OCSP is asked first, the CRL if that does not help. Everything fetched is believed only with a right signature, by the issuer\n"
    "or whom it delegated, and within its time. Without --trust the issuer must have signed the certificate, no more.\n"
    "Examples:\n"
    "  estuary status /etc/estuary/dev1\n"
    "  estuary status server.pem --trust root.pem --nonce --json\n"
    "  estuary status dev.pem --issuer ca.pem --ocsp --url http://ocsp.example/\n"
    "  estuary status dev.pem --issuer ca.pem --crl-file ca.crl --crl-file delta.crl\n"
    "Exit status: 0 good, 1 failed here, 2 usage, 3 the certificate is not its issuer's or not trusted, 4 revoked (or on hold),\n"
    "5 unknown (nobody knows, or nobody can be believed), 6 nobody could be reached.";

}  // namespace

void add_status(CLI::App& program, const Clock& clock, int& status) {
    auto options = std::make_shared<StatusCommandOptions>();
    auto* command = program.add_subcommand("status", "Tell whether a certificate is revoked (OCSP, CRL)");
    command->add_option("CERT", options->certificate, "Certificate, PEM or DER, its chain may follow; or a directory of `estuary enroll`")
        ->required();
    command->add_option("--issuer", options->issuer_file, "Certificate of its issuer (default: from CERT, or where it says, caIssuers)")
        ->type_name("FILE");
    auto* ocsp = command->add_flag("--ocsp", options->ocsp, "Ask OCSP only");
    auto* crl = command->add_flag("--crl", options->crl, "Look into CRLs only")->excludes(ocsp);
    auto* url = command->add_option("--url", options->url, "Ask this OCSP responder, or with --crl fetch this CRL, instead of what the certificate names")
                    ->type_name("URL");
    command->add_option("--crl-file", options->crl_files, "Look into this CRL, complete or delta, PEM or DER; repeatable; implies --crl")
        ->type_name("FILE")->excludes(ocsp)->excludes(url)->allow_extra_args(false);
    command->add_option("--trust", options->trust_file, "Trust anchors that the certificate must chain to (default: a directory's own)")
        ->type_name("FILE");
    auto* nonce = command->add_flag("--nonce", options->nonce, "Refuse OCSP answers without our nonce (default: send one, take fresh answers without)");
    command->add_flag("--no-nonce", options->no_nonce, "Send no nonce: caches may answer")->excludes(nonce);
    nonce->excludes(crl);
    command->add_option("--max-age", options->max_age, "Refuse older answers, whatever they say themselves (default: 1d for those without nextUpdate)")
        ->type_name("DURATION");
    command->add_option("--max-crl-size", options->crl_size_max, "Largest CRL to fetch or read (default and most: 256MB)")
        ->transform(CLI::AsSizeValue(false).description(""))
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{ocsp::crl_bytes_max}).description(""))->type_name("SIZE");
    command->add_option("--timeout", options->timeout, "For each answer (default 60s)")->type_name("DURATION");
    command->add_flag("--json", options->json, "Tell it as JSON");
    command->footer(footer);
    command->callback([options, &clock, &status] {
        const auto done = tell_status(*options, clock);
        status = done ? *done : report(done.error());
    });
}

}  // namespace estuary::client
