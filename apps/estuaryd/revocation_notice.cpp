#include "apps/estuaryd/revocation_notice.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/publishers.h"
#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {
namespace {

bool names_status(const x509::Certificate& certificate) {
    return std::ranges::any_of(certificate.extensions(), [](const x509::Extension& extension) {
        return extension.id == x509::oid::crl_distribution_points || extension.id == x509::oid::authority_info_access;
    });
}

std::string crl_notice(const Configuration& configuration, const Publisher& publisher, const store::CertificateRecord& record,
                       store::Store& store, Time now) {
    const auto& ca = *publisher.section;
    const auto name = crl_file_name(publisher.base, record.shard, ca.crl.deltas);
    const auto uri = crl_uri(configuration.status, name);
    auto text = fmt::format("CRL:  {} tells it within seconds while estuaryd serves; otherwise run:\n"
                            "      estuaryd crl publish --ca {} --shard {}\n",
                            uri.empty() ? (configuration.status.directory.path / name).string() : uri, ca.name, record.shard);
    const auto former = store.crl(publisher.base, record.shard, ca.crl.deltas);
    if (former && *former && (*former)->next_update > now)
        text += fmt::format("      who has fetched number {} may go by it until {}.\n", (*former)->number, to_iso8601((*former)->next_update));
    return text;
}

std::string ocsp_notice(const Configuration& configuration, const CaSection& ca, Time now) {
    const auto uri = ocsp_uri(configuration.status);
    return fmt::format("OCSP: {} tells it within a second;\n      who has an answer already may go by it until {}.\n",
                       uri.empty() ? "the responder" : uri, to_iso8601(now + ca.ocsp.validity));
}

}  // namespace

std::string revocation_notice(const Configuration& configuration, const store::CertificateRecord& record, store::Store& store, Time now) {
    if (!configuration.status.present)
        return "This server refuses it from now on. Nobody else can learn of it: estuary.toml has no [status].\n";
    const auto ca = std::ranges::find(configuration.cas, record.ca, &CaSection::name);
    if (ca == configuration.cas.end())
        return "It was issued by the root: publish the root's list with its key:\n      estuaryd crl publish --root --root-key FILE\n";
    const auto certificate = x509::Certificate::parse(record.der);
    const auto all = publishers(configuration, now);
    const auto* publisher = certificate ? publisher_of(all, record.ca, *certificate) : nullptr;
    if (publisher == nullptr)
        return "This server refuses it from now on. Nobody else can learn of it: the CA that issued it has ended, or is not here.\n";
    auto text = crl_notice(configuration, *publisher, record, store, now);
    if (ca->ocsp.enabled) text = ocsp_notice(configuration, *ca, now) + text;
    if (!names_status(*certificate))
        text += "The certificate itself names neither: relying parties must be told where to look.\n";
    return text;
}

}  // namespace estuary::daemon
