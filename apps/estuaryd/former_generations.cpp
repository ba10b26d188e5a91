#include "apps/estuaryd/former_generations.h"

#include <fmt/format.h>

#include "apps/estuaryd/load.h"
#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/publishers.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

Result<std::unique_ptr<authority::Authority>> authority_of(const Configuration& configuration, const CaSection& section,
                                                           const std::string& base, const CaFiles& files,
                                                           const crypto::Secret* passphrase, store::Store& store,
                                                           const Program& program) {
    ESTUARY_TRY(auto key, load_key(files.issuing_key().string(), passphrase));
    if (!same(key.public_key().spki(), files.issuing.spki())) return fail(Code::bad_key, files.issuing_key().string() + " is of another CA");
    authority::Config config;
    config.cas.push_back({section.name, files.issuing, std::move(key), {files.root}, {}, status_config(configuration, section, base)});
    if (answers_ocsp(configuration, section)) config.profiles.push_back(ocsp_profile(section.name, section.ocsp.key_type));
    ByteVec password_key(32);  // checks no password
    program.entropy.fill(password_key);
    config.password_key = crypto::Secret{std::move(password_key)};
    return authority::Authority::create(std::move(config), store, program.clock, program.entropy);
}

}  // namespace

std::vector<FormerGeneration> load_former_generations(const Configuration& configuration, const crypto::Secret* passphrase,
                                                      store::Store& store, const Program& program,
                                                      const std::function<void(const Fault&)>& tell) {
    std::vector<FormerGeneration> all;
    if (!configuration.status.present) return all;
    for (const auto& section : configuration.cas) {
        if (!section.directory.given()) continue;
        const auto current = read_ca_directory(section.directory.path);
        if (!current) continue;  // told by whoever loads it
        for (const auto& [number, files] : former_files(section, *current, program.clock.now())) {
            const auto base = status_base(section.name, number);
            auto authority = authority_of(configuration, section, base, files, passphrase, store, program);
            if (authority) {
                all.push_back({section.name, base, std::move(*authority)});
            } else {
                tell({section.directory.place, fmt::format("revocations of {} cannot be told any more: {}",
                                                           files.issuing.subject().to_text(), authority.error().detail), true});
            }
        }
    }
    return all;
}

}  // namespace estuary::daemon
