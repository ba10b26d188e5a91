// estuaryd cmc: answers requests that come in files (RFC 5273 3, RFC 10003 4).
#include <ostream>

#include <fmt/ostream.h>

#include "apps/estuaryd/cmc_service.h"
#include "apps/estuaryd/generation.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/session.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t pki_data_bytes_max = 64u << 20;

/// DER or BER as it is, or PEM of one block.
Result<ByteVec> read_message(const std::string& file) {
    ESTUARY_TRY(auto content, file::read(file, pki_data_bytes_max));
    if (!text::trim(as_text(content)).starts_with("-----BEGIN")) return content;
    ESTUARY_TRY(auto blocks, parse_pem(as_text(content)));
    if (blocks.size() != 1) return fail(Code::malformed, "there must be one message in a file");
    return std::move(blocks.front().der);
}

/// The name of the answer beside the request: .p7c for a simple, .crp for a full PKI response.
std::string answer_name(const CmcOptions& options, const cmc::Answer& answer) {
    if (!options.out.empty()) return options.out;
    return std::filesystem::path{options.file}
        .replace_extension(answer.form == cmc::Answer::Form::simple ? ".p7c" : ".crp")
        .string();
}

Result<void> answer_file(const CmcOptions& options, const Program& program) {
    ESTUARY_TRY(auto session, open_session(options.directory));
    const auto& configuration = session.configuration;
    if (!configuration.cmc.present) return fail(Code::not_found, "there is no [cmc] in estuary.toml");
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, configuration.security.passphrase_file));
    ESTUARY_TRY(const auto generation, answering_generation(session, pointer(secret), program));
    auto& authority = *generation->authority;
    const auto tell = [&](const Fault& fault) { fmt::print(program.err, "{}\n", to_string(fault)); };
    const auto crls = configuration.status.present ? crl_source(configuration, authority) : est::CrlSource{};
    ESTUARY_TRY(const auto service,
                CmcService::make(configuration, authority, *session.store, pointer(secret), crls, program, tell));
    ESTUARY_TRY(const auto message, read_message(options.file));
    cmc::Transport transport;
    // Whoever may run this command may decide for whom it is.
    if (options.vouch) transport.principal = operator_principal();
    transport.principal.address = "file";
    store::UnitOfWork work;
    ESTUARY_TRY(const auto answer,
                service->server->serve(options.label == "default" ? "" : options.label, message, transport, work));
    if (!work.empty()) ESTUARY_CHECK(session.store->commit(std::move(work)));
    const auto name = answer_name(options, answer);
    ESTUARY_CHECK(file::write_atomically(name, answer.der, file::Access::everyone_reads));
    fmt::print(program.out, "{}\n", name);
    if (answer.rejected) return fail(*answer.rejected, "the request was refused; the answer says why, and so does the log");
    return {};
}

}  // namespace

Exit cmc_answer(const CmcOptions& options, const Program& program) {
    const auto done = answer_file(options, program);
    return done ? Exit::ok : report(program, done.error());
}

}  // namespace estuary::daemon
