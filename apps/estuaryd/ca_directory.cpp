#include "apps/estuaryd/ca_directory.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/estuaryd/file_system.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr unsigned generations_max = 10'000;

/// Somebody's own may have that name: conflict.
tl::unexpected<Error> making_error(std::string_view what, const fs::path& path) {
    return system_error(what, path, errno == EEXIST ? Code::conflict : Code::unavailable);
}

Result<void> make_directory(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0) return making_error("make", path);
    return {};
}

Result<void> write_key(const fs::path& path, const crypto::PrivateKey& key, const crypto::Secret* passphrase) {
    ESTUARY_TRY(const auto pem, key.to_pem(passphrase));
    return file::write_atomically(path, pem.reveal(), file::Access::owner_only);
}

Result<void> write_ca(const fs::path& directory, const authority::NewCa& ca, const crypto::Secret* passphrase) {
    const auto write = [&](const char* name, const x509::Certificate& certificate) {
        return file::write_atomically(directory / name, as_bytes(certificate.to_pem()), file::Access::everyone_reads);
    };
    ESTUARY_CHECK(write_key(directory / "root.key", ca.root_key, passphrase));
    ESTUARY_CHECK(write_key(directory / "issuing.key", ca.issuing_key, passphrase));
    ESTUARY_CHECK(write("root.pem", ca.root));
    return write("issuing.pem", ca.issuing);
}

/// A link that appears, or changes, in one step. Relative, so that the data directory can be moved.
Result<void> point_link(const fs::path& link, const fs::path& target) {
    const auto temporary = fs::path{link.string() + ".new"};
    ::unlink(temporary.c_str());
    if (::symlink(target.filename().c_str(), temporary.c_str()) != 0) return making_error("make the link", temporary);
    if (::rename(temporary.c_str(), link.c_str()) != 0) {
        auto error = making_error("turn the link", link);
        ::unlink(temporary.c_str());
        return error;
    }
    return flush_directory(link.parent_path().empty() ? fs::path{"."} : link.parent_path());
}

/// A directory of the next number that is free. A rollover that was cut short left its own behind: it stays for a
/// person to look at (it may hold the only copy of a key whose certificate is on record).
Result<fs::path> make_next_directory(const fs::path& link, const CaFiles& current) {
    for (unsigned number = generation_of(current.directory) + 1; number < generations_max; ++number) {
        const fs::path directory{fmt::format("{}.{}", link.string(), number)};
        const auto made = make_directory(directory);
        if (made) return directory;
        if (made.error().code != Code::conflict) return fail(made.error());
    }
    return fail(Code::conflict, fmt::format("no free name for the next generation beside {}", link.string()));
}

Result<x509::Certificate> read_certificate(const fs::path& path) {
    ESTUARY_TRY(const auto content, file::read(path));
    auto certificate = x509::Certificate::from_bytes(content);
    if (!certificate) return fail(in_context(path.string(), std::move(certificate).error()));
    return certificate;
}

/// Root may roll over what another user serves, and must not leave files that the server cannot read.
Result<void> give_to_owner_of(const fs::path& model, const fs::path& directory) {
    struct stat owner {};
    if (::geteuid() != 0) return {};
    if (::stat(model.c_str(), &owner) != 0) return system_error("look at", model);
    std::vector<fs::path> paths{directory};
    for (const auto& entry : fs::directory_iterator{directory}) paths.push_back(entry.path());
    for (const auto& path : paths)
        if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) return system_error("give to its owner", path);
    return {};
}

void add_once(std::vector<x509::Certificate>& list, const x509::Certificate& certificate) {
    if (std::ranges::find(list, certificate) == list.end()) list.push_back(certificate);
}

}  // namespace

unsigned generation_of(const fs::path& directory) {
    const auto extension = directory.extension().string();
    if (extension.size() < 2 || extension.size() > 6) return 0;
    unsigned number = 0;
    for (const char c : extension.substr(1)) {
        if (c < '0' || c > '9') return 0;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number;
}

bool is_self_signed(const x509::Certificate& certificate) {
    if (!certificate.is_self_issued()) return false;
    const auto key = certificate.public_key();
    return key && certificate.verify_signed_by(*key).has_value();
}

Result<CaFiles> read_ca_directory(const fs::path& link) {
    std::error_code error;
    const auto directory = fs::canonical(link, error);
    if (error) return fail(Code::not_found, fmt::format("cannot open {}: {}", link.string(), error.message()));
    ESTUARY_TRY(auto issuing, read_certificate(directory / "issuing.pem"));
    ESTUARY_TRY(auto root, read_certificate(directory / "root.pem"));
    CaFiles files{directory, std::move(issuing), std::move(root), {}};
    const auto rollover = file::read(directory / "rollover.pem");
    if (!rollover && rollover.error().code != Code::not_found) return fail(rollover.error());
    if (rollover) {
        auto certificates = x509::parse_certificates(*rollover);
        if (!certificates) return fail(in_context((directory / "rollover.pem").string(), std::move(certificates).error()));
        files.rollover = std::move(*certificates);
    }
    return files;
}

Result<void> write_first_generation(const fs::path& link, const authority::NewCa& ca, const crypto::Secret* passphrase) {
    const fs::path directory{link.string() + ".1"};
    ESTUARY_CHECK(make_directory(directory));
    ESTUARY_CHECK(write_ca(directory, ca, passphrase));
    return point_link(link, directory);
}

Result<fs::path> write_next_generation(const fs::path& link, const CaFiles& current,
                                       const authority::RolledOver& rolled_over, Time now,
                                       const crypto::Secret* passphrase) {
    std::vector<x509::Certificate> kept{rolled_over.old_with_new, rolled_over.new_with_old, current.issuing, current.root};
    for (const auto& former : current.rollover)
        if (former.not_after() > now) add_once(kept, former);
    std::string bundle;
    for (const auto& certificate : kept) bundle += certificate.to_pem();

    ESTUARY_TRY(auto directory, make_next_directory(link, current));
    ESTUARY_CHECK(file::write_atomically(directory / "rollover.pem", as_bytes(bundle), file::Access::everyone_reads));
    ESTUARY_CHECK(write_ca(directory, rolled_over.next, passphrase));
    ESTUARY_CHECK(give_to_owner_of(current.directory, directory));
    ESTUARY_CHECK(point_link(link, directory));
    return directory;
}

std::vector<x509::Certificate> links_to_former_roots(const x509::Certificate& root,
                                                     const std::vector<x509::Certificate>& rollover) {
    std::vector<x509::Certificate> links;
    std::vector<ByteVec> keys{to_vec(root.spki())};
    // Upwards, one generation after the other: a link's own issuer may be linked to a still older root.
    for (std::size_t i = 0; i < keys.size(); ++i) {
        for (const auto& candidate : rollover) {
            if (!same(candidate.spki(), keys[i]) || is_self_signed(candidate)) continue;
            for (const auto& issuer : rollover) {
                if (same(issuer.spki(), keys[i]) || !issuer.subject().matches(candidate.issuer())) continue;
                const auto key = issuer.public_key();
                if (!key || !candidate.verify_signed_by(*key)) continue;
                // Only towards older roots, else OldWithNew would lead back in a circle.
                if (std::ranges::any_of(keys, [&](const ByteVec& seen) { return same(seen, issuer.spki()); })) continue;
                add_once(links, candidate);
                keys.push_back(to_vec(issuer.spki()));
            }
        }
    }
    return links;
}

}  // namespace estuary::daemon
