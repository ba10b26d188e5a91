#pragma once
// Where a CA's revocation data is found: names of files, URIs in certificates.
#include "apps/estuaryd/config.h"
#include "estuary/authority/ceremony.h"

namespace estuary::daemon {

/// The first generation of a CA publishes under its name ("issuing"), later ones under name and number ("issuing.2"): a list
/// signed by one says nothing of certificates of another.
std::string status_base(const CaSection& section);
std::string status_base(const std::string& name, unsigned generation);

/// An offline root publishes under "root-" and its key identifier: several roots share nothing.
std::string root_base(const x509::Certificate& root);
inline constexpr std::string_view root_base_prefix = "root-";
/// Certificates below a root are recorded under this name, whichever root it is.
inline constexpr std::string_view root_ca_name = "root";

/// "issuing-0.crl", "issuing-0-delta.crl": the last segment of the URI, and the name in the directory.
std::string crl_file_name(std::string_view base, unsigned shard, bool delta);

/// URL/crl/NAME; empty where nothing is written into certificates.
std::string crl_uri(const StatusSection& status, std::string_view file_name);
std::string ocsp_uri(const StatusSection& status);

/// What the next root writes into the certificates below it. Nothing for an empty `url`.
void point_to_root(const std::string& url, authority::CaPlan& plan);

/// What is written into certificates and lists; all empty without [status].
authority::StatusConfig status_config(const Configuration& configuration, const CaSection& section, std::string_view base);

/// Whether a responder answers for that CA.
bool answers_ocsp(const Configuration& configuration, const CaSection& section);

}  // namespace estuary::daemon
