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
std::string answer_name(const CmpOptions& options, const std::string& file) {
    if (!options.out.empty()) return options.out;
    return std::filesystem::path{file}.replace_extension(".answer.pki").string();
}

using Messages = std::vector<std::pair<std::string, ByteVec>>;   // by file

/// What is wrong with one file keeps no other from being answered.
struct FileAnswers {
    const CmpOptions& options;
    const Program& program;
    std::optional<Error> first_wrong{};

    void wrong(const std::string& file, Error error) {
        if (options.files.size() > 1) fmt::print(program.err, "{}: {}\n", file, error.detail);
        if (!first_wrong) first_wrong = std::move(error);
    }

    void write(const std::string& file, const cmp::Answer& answer) {
        const auto name = answer_name(options, file);
        const auto written = [&]() -> Result<void> {
            if (!answer.understood) return fail(Code::malformed, fmt::format("{} holds no PKIMessage in DER", file));
            if (answer.message.empty()) return fail(Code::policy, "this message has no answer");
            return file::write_atomically(name, answer.message, file::Access::everyone_reads);
        }();
        if (!written) return wrong(file, written.error());
        fmt::print(program.out, "{}\n", name);
    }
};

/// One after the other: what the first one wrote is there for the second.
void answer_here(cmp::Server& server, store::Store& store, const cmp::Transport& transport, const Messages& messages,
                 FileAnswers& answers) {
    for (const auto& [file, message] : messages) {
        store::UnitOfWork work;
        const auto answer = server.answer(message, transport, work);
        const auto stored = work.empty() ? Result<void>{} : store.commit(std::move(work));
        if (stored) answers.write(file, answer);
        else answers.wrong(file, stored.error());
    }
}

void answer_together(cmp::Server& server, const cmp::Transport& transport, const Messages& messages, FileAnswers& answers) {
    std::vector<ByteVec> requests;
    for (const auto& [file, message] : messages) requests.push_back(message);
    const auto answered = server.answer_together(requests, transport);
    auto answer = answered.begin();
    for (const auto& [file, message] : messages) answers.write(file, *answer++);
}

Result<void> answer_files(const CmpOptions& options, const Program& program) {
    if (options.files.size() > 1 && !options.out.empty()) return fail(Code::policy, "--out is for a single message");
    ESTUARY_TRY(auto session, open_session(options.directory));
    if (!session.configuration.cmp.present) return fail(Code::not_found, "there is no [cmp] in estuary.toml");
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, session.configuration.security.passphrase_file));
    ESTUARY_TRY(const auto generation, answering_generation(session, pointer(secret), program));
    const auto service = CmpService::make(generation, options.passphrase_file, *session.store, program,
                                          [&](const Fault& fault) { fmt::print(program.err, "{}\n", to_string(fault)); });
    if (!service) return fail(Code::policy, "CMP cannot be served: `estuaryd check` says why");
    auto& server = service->server();
    const cmp::Transport transport{options.label == "default" ? "" : options.label, {}, "file"};
    if (!server.has_label(transport.label)) return fail(Code::not_found, fmt::format("there is no [cmp.label.{}]", options.label));
    FileAnswers answers{options, program};
    Messages messages;
    for (const auto& file : options.files) {
        auto message = file::read(file, pki_message_bytes_max);
        if (message) messages.emplace_back(file, std::move(*message));
        else answers.wrong(file, message.error());
    }
    if (server.forwards(transport.label)) answer_together(server, transport, messages, answers);
    else answer_here(server, *session.store, transport, messages, answers);
    if (!answers.first_wrong) return {};
    if (options.files.size() > 1) return fail(answers.first_wrong->code, "not all of them were answered");
    return fail(*answers.first_wrong);
}

}  // namespace

Exit cmp_answer(const CmpOptions& options, const Program& program) {
    const auto done = answer_files(options, program);
    return done ? Exit::ok : report(program, done.error());
}

}  // namespace estuary::daemon
