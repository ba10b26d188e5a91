#include "apps/estuaryd/publishers.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/status_config.h"
#include "estuary/authority/issued_by.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

namespace fs = std::filesystem;

void add_generations(const CaSection& section, Time now, std::vector<Publisher>& all) {
    const auto current = read_ca_directory(section.directory.path);
    if (!current) return;
    all.push_back({&section, status_base(section.name, generation_of(current->directory)), current->issuing, current->root, false});
    for (const auto& [number, files] : former_files(section, *current, now))
        all.push_back({&section, status_base(section.name, number), files.issuing, files.root, true});
}

void add_files(const CaSection& section, std::vector<Publisher>& all) {
    const auto content = file::read(section.certificate.path);
    const auto chain = content ? x509::parse_certificates(*content) : Result<std::vector<x509::Certificate>>{};
    if (chain && !chain->empty()) all.push_back({&section, section.name, chain->front(), {}, false});
}

}  // namespace

std::vector<FormerFiles> former_files(const CaSection& section, const CaFiles& current, Time now) {
    std::vector<FormerFiles> all;
    for (unsigned number = generation_of(current.directory); number-- > 1;) {
        auto files = read_ca_directory(fs::path{fmt::format("{}.{}", section.directory.path.string(), number)});
        // Only what the current generation knows as its former: a rollover that was cut short leaves a directory, too.
        if (!files || std::ranges::find(current.rollover, files->issuing) == current.rollover.end()) continue;
        if (files->issuing.not_after() > now) all.push_back({number, std::move(*files)});
    }
    return all;
}

std::vector<Publisher> publishers(const Configuration& configuration, Time now) {
    std::vector<Publisher> all;
    for (const auto& section : configuration.cas) {
        if (section.upstream.present) continue;   // it publishes by itself
        if (section.directory.given())
            add_generations(section, now, all);
        else
            add_files(section, all);
    }
    return all;
}

const Publisher* find_publisher(const std::vector<Publisher>& all, std::string_view base) {
    const auto found = std::ranges::find(all, base, &Publisher::base);
    return found == all.end() ? nullptr : &*found;
}

const Publisher* publisher_of(const std::vector<Publisher>& all, std::string_view ca, const x509::Certificate& certificate) {
    const auto found = std::ranges::find_if(all, [&](const Publisher& publisher) {
        return publisher.section->name == ca && authority::is_issued_by(certificate, publisher.certificate);
    });
    return found == all.end() ? nullptr : &*found;
}

std::vector<x509::Certificate> roots_of(const std::vector<Publisher>& all) {
    std::vector<x509::Certificate> roots;
    for (const auto& publisher : all)
        if (publisher.root && std::ranges::find(roots, *publisher.root) == roots.end()) roots.push_back(*publisher.root);
    return roots;
}

}  // namespace estuary::daemon
