// estuary packages fetch, return (RFC 8295).
#include <fmt/format.h>

#include "command_line.h"
#include "commands.h"
#include "estuary/base/file.h"
#include "package_walk.h"
#include "server_key.h"

namespace estuary::client {
namespace {

struct FetchOptions {
    SourceOptions source;
    WalkOptions walk;
    KeyDecryption decryption;
    std::string out, signers;
};

struct ReturnOptions {
    SourceOptions source;
    std::string file, operation, uri;
    std::int64_t package = 0;
    bool sign = false;
};

Outcome<void> make_directory(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (!error) return {};
    return tl::unexpected<Failure>(local_failure({Code::unavailable, fmt::format("cannot create {}: {}", path.string(), error.message())}));
}

/// As the command line says; or what the directory's server-made key came with; or else the directory's own key.
Outcome<est::KeyOpener> opener_of(const KeyDecryption& decryption, const std::optional<Identity>& identity) {
    if (decryption.given() || !identity) return key_opener(decryption);
    // Those files may be gone by now; what they would open is named, and kept, all the same.
    if (identity->state.decryption.given())
        if (auto remembered = key_opener(identity->state.decryption)) return remembered;
    est::KeyOpener own;
    own.holder = cms::KeyHolder{identity->key, identity->chain.front()};
    return own;
}

Outcome<void> fetch(FetchOptions& options, const Clock& clock) {
    for (const auto& type : options.walk.types)
        if (est::pal_type(type) == nullptr) return usage_failure(fmt::format("--type: '{}' is no package type of RFC 8295", type));
    options.walk.out = options.out;
    if (!options.signers.empty()) {
        ESTUARY_TRY_AS(const auto content, file::read(options.signers), local_failure);
        ESTUARY_TRY_AS(options.walk.signers, x509::parse_certificates(content), local_failure);
        if (options.walk.signers.empty()) return usage_failure(fmt::format("--signers: {} holds no certificate", options.signers));
    }
    ESTUARY_TRY_OUTCOME(auto source, open_source(options.source, clock));
    if (source.anchors.empty() && options.walk.signers.empty())
        return usage_failure("whom to believe is not said: --signers FILE, for the system's CA certificates sign no packages");
    ESTUARY_TRY_OUTCOME(options.walk.opener, opener_of(options.decryption, source.identity));
    if (auto made = make_directory(options.out); !made) return made;
    ESTUARY_TRY_OUTCOME(const auto walked, walk(source, options.walk, clock));
    fmt::print(stderr, "{} fetched, {} there already\n", walked.kept, walked.there_already);
    for (const auto& what : walked.to_do) fmt::print(stderr, "to do: {}\n", what);
    for (const auto& what : walked.refused) fmt::print(stderr, "not kept: {}\n", what);
    if (walked.refused.empty()) return {};
    return failure(exit_not_trusted, {Code::not_authenticated, fmt::format("{} of the list was not kept", walked.refused.size())});
}

/// "firmware/return/12" of --for URI, or of --to and --package.
Outcome<std::string> return_path(const ReturnOptions& options, const Session& session) {
    if (options.uri.empty())
        return options.package == 0 ? options.operation + "/return" : fmt::format("{}/return/{}", options.operation, options.package);
    const auto path = session.below(options.uri);
    if (!path || path->find("/return") == std::string::npos)
        return usage_failure(fmt::format("--for: {} is no URI of this server and label at which receipts are returned", options.uri));
    return *path;
}

Outcome<void> give_back(const ReturnOptions& options, const Clock& clock) {
    if (options.operation.empty() == options.uri.empty()) return usage_failure("say where it goes: --for URI, or --to OPERATION");
    ESTUARY_TRY_OUTCOME(auto source, open_source(options.source, clock));
    ESTUARY_TRY_OUTCOME(const auto path, return_path(options, *source.session));
    const auto operation = est::operation_named(std::string_view{path}.substr(0, path.find('/')));
    if (!operation) return usage_failure(fmt::format("there is no operation like {}", path));
    ESTUARY_TRY_AS(const auto content, file::read(options.file), local_failure);
    ESTUARY_TRY_AS(auto der, est::decode_body(as_text(content), est::pem_pkcs7), local_failure);
    if (options.sign) {
        if (!source.identity) return usage_failure("--sign needs an enrollment directory: its key signs");
        ESTUARY_TRY_AS(der, est::sign_receipt(der, source.identity->key, source.identity->chain), local_failure);
    }
    ESTUARY_CHECK_AS(est::receipt_media_type(*operation, der), local_failure);
    if (auto done = source.session->give_back(path, *operation, der); !done) return done;
    fmt::print("returned to {}\n", path);
    return {};
}

void add_fetch(CLI::App& parent, const Clock& clock, int& status) {
    auto options = std::make_shared<FetchOptions>();
    auto* command = parent.add_subcommand("fetch", "Fetch what waits for this client into a directory");
    options->source.add_to(*command);
    command->add_option("--out", options->out, "The directory; made if it is not there")->required()->type_name("DIR");
    command->add_option("--type", options->walk.types, "Only packages of this type, by number or name; repeatable")->allow_extra_args(false);
    command->add_option("--signers", options->signers, "Trust anchors of those who sign packages (default: the server's)")->type_name("FILE");
    add_key_decryption(*command, options->decryption, "Verify also what is");
    command->add_flag("--again", options->walk.again, "Also what is there already");
    command->add_flag("--allow-unsigned", options->walk.allow_unsigned, "Also packages that nobody has signed");
    command->footer("Signatures are verified, also those inside of what is encrypted to the directory's certificate (or --decrypt-with,\n"
                    "--decrypt-key); what fails is not kept. Packages are written as they came: `openssl cms -decrypt` opens them.\n"
                    "Examples:\n"
                    "  estuary packages fetch /etc/estuary/dev1 --out /var/lib/dev1/packages\n"
                    "  estuary packages fetch /etc/estuary/dev1 --out . --type firmware --signers firmware-ca.pem\n"
                    "Exit status: 0 all is there, 1 failed here, 2 usage, 3 refused by the server, 4 something was not\n"
                    "to be believed and was not kept, 6 not reachable or busy.");
    run_with(*command, options, fetch, clock, status);
}

void add_return(CLI::App& parent, const Clock& clock, int& status) {
    auto options = std::make_shared<ReturnOptions>();
    auto* command = parent.add_subcommand("return", "Return a receipt, response, confirm or error");
    options->source.add_to(*command);
    command->add_option("FILE", options->file, "A CMS ContentInfo with it, signed or bare: DER or PEM")->required();
    auto* uri = command->add_option("--for", options->uri, "Where the package list wants it")->type_name("URI");
    command->add_option("--to", options->operation, "Or the operation: symmetrickeys, firmware, tamp or serverkeygen")
        ->excludes(uri)->check(CLI::IsMember({"symmetrickeys", "firmware", "tamp", "serverkeygen"}));
    command->add_option("--package", options->package, "Number of the package that it is for, with --to")->excludes(uri);
    command->add_flag("--sign", options->sign, "Sign it with the key of the enrollment directory");
    command->footer("Examples:\n"
                    "  estuary packages return /etc/estuary/dev1 receipt.cms --to symmetrickeys --package 12 --sign\n"
                    "  estuary packages return /etc/estuary/dev1 error.cms --for https://ca.example/.well-known/est/firmware/return/7");
    run_with(*command, options, give_back, clock, status);
}

}  // namespace

void add_packages(CLI::App& program, const Clock& clock, int& status) {
    auto* parent = program.add_subcommand("packages", "Fetch packages, and return receipts (RFC 8295)");
    parent->require_subcommand(1);
    add_fetch(*parent, clock, status);
    add_return(*parent, clock, status);
}

}  // namespace estuary::client
