// estuaryd cmp: answers messages that come in files (RFC 9483 6.4).
#include <ostream>

#include <fmt/ostream.h>

#include "apps/estuaryd/cmp_service.h"
#include "apps/estuaryd/generation.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/session.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t pki_message_bytes_max = 16u << 20;

/// device.pki: device.answer.pki
std::string answer_name(const CmpOptions& options) {
    if (!options.out.empty()) return options.out;
    return std::filesystem::path{options.file}.replace_extension(".answer.pki").string();
}

Result<void> answer_file(const CmpOptions& options, const Program& program) {
    ESTUARY_TRY(auto session, open_session(options.directory));
    if (!session.configuration.cmp.present) return fail(Code::not_found, "there is no [cmp] in estuary.toml");
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, session.configuration.security.passphrase_file));
    ESTUARY_TRY(const auto generation, answering_generation(session, pointer(secret), program));
    const auto service = CmpService::make(generation, options.passphrase_file, *session.store, program,
                                          [&](const Fault& fault) { fmt::print(program.err, "{}\n", to_string(fault)); });
    if (!service) return fail(Code::policy, "CMP cannot be served: `estuaryd check` says why");
    const cmp::Transport transport{options.label == "default" ? "" : options.label, {}, "file"};
    if (!service->server().has_label(transport.label)) return fail(Code::not_found, fmt::format("there is no [cmp.label.{}]", options.label));
    ESTUARY_TRY(const auto message, file::read(options.file, pki_message_bytes_max));
    store::UnitOfWork work;
    const auto answer = service->server().answer(message, transport, work);
    if (!answer.understood) return fail(Code::malformed, fmt::format("{} holds no PKIMessage in DER", options.file));
    if (!work.empty()) ESTUARY_CHECK(session.store->commit(std::move(work)));
    if (answer.message.empty()) return fail(Code::policy, "this message has no answer");
    const auto name = answer_name(options);
    ESTUARY_CHECK(file::write_atomically(name, answer.message, file::Access::everyone_reads));
    fmt::print(program.out, "{}\n", name);
    return {};
}

}  // namespace

Exit cmp_answer(const CmpOptions& options, const Program& program) {
    const auto done = answer_file(options, program);
    return done ? Exit::ok : report(program, done.error());
}

}  // namespace estuary::daemon
