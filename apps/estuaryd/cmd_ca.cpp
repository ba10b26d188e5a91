// estuaryd ca show, rollover.
#include <ostream>

#include <fmt/ostream.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/load.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/root_list.h"
#include "apps/estuaryd/session.h"
#include "apps/estuaryd/status_config.h"
#include "apps/estuaryd/table.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

Result<const CaSection*> find_ca(const Configuration& configuration, const std::string& name) {
    std::string known;
    for (const auto& ca : configuration.cas) {
        if (ca.name == name) return &ca;
        known += (known.empty() ? "" : ", ") + ca.name;
    }
    return fail(Code::not_found, fmt::format("there is no [ca.{}]; there is: {}", shown(name), known));
}

void print_certificate(std::string_view role, const x509::Certificate& certificate, bool pem, std::ostream& out) {
    FieldList fields;
    fields.add(role, certificate.subject().to_text());
    fields.add("issuer", certificate.issuer().to_text());
    fields.add("serial", certificate.serial_hex());
    fields.add("not before", to_iso8601(certificate.not_before()));
    fields.add("not after", to_iso8601(certificate.not_after()));
    fields.add("sha256", certificate.sha256_fingerprint());
    fields.print(out);
    out << (pem ? certificate.to_pem() : "") << '\n';
}

/// "Example Root CA G2" was made for "Example".
std::string organisation_of(const x509::Certificate& root) {
    const auto names = root.subject().values(x509::oid::common_name);
    auto name = names.empty() ? std::string{} : names.back();
    if (const auto end = name.rfind(" Root CA"); end != std::string::npos) name.resize(end);
    return name;
}

Result<crypto::PrivateKey> old_root_key(const CaOptions& options, const CaFiles& files, const crypto::Secret* secret) {
    const auto path = options.root_key.empty() ? files.root_key().string() : options.root_key;
    auto key = load_key(path, secret);
    if (!key && key.error().code == Code::not_found)
        return fail(Code::not_found, fmt::format("the root's key is not at {}; say where it is by --root-key", path));
    if (!key) return fail(std::move(key).error());
    if (!same(key->public_key().spki(), files.root.spki()))
        return fail(Code::bad_key, fmt::format("{} is not the key of {}", path, files.root.subject().to_text()));
    return key;
}

/// Both roots' keys are at hand: each gets a list, which the certificates below it name. What cannot be published now can be later.
void publish_root_lists(const x509::Certificate& old_root, const crypto::PrivateKey& old_key, const authority::NewCa& next,
                        Session& session, const Program& program) {
    const auto& status = session.configuration.status;
    if (status.url.empty()) return;
    CrlFiles files{status.directory.path};
    const auto publish = [&](const x509::Certificate& root, const crypto::PrivateKey& key) {
        const auto published = publish_root_list(root, key, root_list_validity, files, *session.store, program);
        if (!published)
            fmt::print(program.err, "estuaryd: warning: no list of {}: {}; run: estuaryd crl publish --root\n", shown(root.subject().to_text()),
                       shown(published.error().detail));
    };
    publish(old_root, old_key);
    publish(next.root, next.root_key);
}

struct Done {
    fs::path directory;
    authority::RolledOver rolled_over;
};

Result<Done> roll_over(const CaOptions& options, Session& session, const Program& program) {
    ESTUARY_TRY(const auto* section, find_ca(session.configuration, options.ca));
    if (!section->directory.given())
        return fail(Code::unsupported, fmt::format("[ca.{}] names single files; only a CA with 'directory' rolls over by this command", section->name));
    // Canonical but for the last part, which is the link to be turned.
    const auto link = section->directory.path;
    std::error_code error;
    if (!fs::is_symlink(link, error))
        return fail(Code::unsupported, fmt::format("{} is not a link to a generation, as `estuaryd init` makes it", link.string()));
    ESTUARY_TRY(const auto files, read_ca_directory(link));
    ESTUARY_TRY(const auto secret, passphrase(options.passphrase_file, session.configuration.security.passphrase_file));
    ESTUARY_TRY(const auto key, old_root_key(options, files, pointer(secret)));

    authority::CaPlan plan;
    plan.organisation_name = options.name.empty() ? organisation_of(files.root) : options.name;
    plan.key_type = options.key_type.empty() ? key.public_key().type_name() : options.key_type;
    plan.path_length = options.path_length.value_or(files.issuing.path_length().value_or(0));
    point_to_root(session.configuration.status.url, plan);
    store::UnitOfWork work;
    ESTUARY_TRY(auto rolled_over, authority::roll_over(plan, files.root, key, program.clock, program.entropy, work));
    ESTUARY_CHECK(session.store->commit(std::move(work)));
    ESTUARY_TRY(auto directory, write_next_generation(link, files, rolled_over, program.clock.now(), pointer(secret)));
    publish_root_lists(files.root, key, rolled_over.next, session, program);
    return Done{std::move(directory), std::move(rolled_over)};
}

}  // namespace

Exit ca_show(const CaOptions& options, const Program& program) {
    const auto read = read_configuration(options.directory);
    if (!read.configuration) return report(program, {Code::malformed, to_string(read.faults.front())});
    for (const auto& section : read.configuration->cas) {
        if (section.directory.given()) {
            const auto files = read_ca_directory(section.directory.path);
            if (!files) return report(program, files.error());
            fmt::print(program.out, "[ca.{}] in {}\n\n", section.name, files->directory.string());
            print_certificate("issuing", files->issuing, options.pem, program.out);
            print_certificate("root", files->root, options.pem, program.out);
            for (const auto& certificate : files->rollover) print_certificate("rollover", certificate, options.pem, program.out);
        } else {
            const auto content = file::read(section.certificate.path);
            const auto certificates = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{fail(content.error())};
            if (!certificates) return report(program, certificates.error());
            fmt::print(program.out, "[ca.{}] from {}\n\n", section.name, section.certificate.path.string());
            for (const auto& certificate : *certificates) print_certificate("ca", certificate, options.pem, program.out);
        }
    }
    return Exit::ok;
}

Exit ca_rollover(const CaOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto done = roll_over(options, *session, program);
    if (!done) return report(program, done.error());
    const auto& next = done->rolled_over.next;
    fmt::print(program.out,
               "The next generation of CA {} is in {}\n"
               "  root     {}\n"
               "  issuing  {}\n"
               "\n"
               "SHA-256 fingerprint of the new root certificate:\n"
               "  {}\n"
               "\n"
               "Next:\n"
               "  systemctl reload estuaryd    (or kill -HUP its process) to issue by it, and to renew the server's certificate\n"
               "  Clients learn of it from /cacerts, which now tells the links between the old root and the new one.\n"
               "  Certificates of the former CA renew as before until they expire.\n"
               "  mv {}/root.key /media/SAFE/  once more, the new root's private key is needed only for the next rollover\n",
               options.ca, done->directory.string(), next.root.subject().to_text(), next.issuing.subject().to_text(),
               next.root.sha256_fingerprint(), done->directory.string());
    return Exit::ok;
}

}  // namespace estuary::daemon
