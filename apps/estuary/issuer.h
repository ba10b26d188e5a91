#pragma once
// The certificate in question and the one that issued it: from files, directories, or where the certificate says (caIssuers).
#include "exit_status.h"
#include "estuary/ocsp/status_check.h"

namespace estuary::client {

inline constexpr std::size_t ca_issuers_bytes_max = 1u << 20;

struct CertificateInput {
    x509::Certificate certificate;
    std::vector<x509::Certificate> others;    ///< that came with it
    std::vector<x509::Certificate> anchors;   ///< of an enrollment directory
};
/// A file (the first certificate in it is meant, the others may be its chain), or a directory made by `estuary enroll`.
Result<CertificateInput> read_certificate(const std::string& path);
Result<std::vector<x509::Certificate>> read_certificates(const std::string& path);

/// The names match, the issuer is a CA that may sign certificates, and its key verifies the signature.
Result<void> check_issued_by(const x509::Certificate& certificate, const x509::Certificate& issuer);

/// The candidate that issued the certificate; else one from the addresses that the certificate names (AIA caIssuers), which is
/// added to the candidates. not_found: none, and the detail says what to do; bad_proof: one of that name, but it did not sign.
Result<x509::Certificate> find_issuer(const x509::Certificate& certificate, std::vector<x509::Certificate>& candidates,
                                      const ocsp::Fetch& fetch);

/// The issuer on a valid path to an anchor; missing certificates on the way are fetched as above. not_authenticated.
Result<x509::Certificate> find_trusted_issuer(const x509::Certificate& certificate, std::vector<x509::Certificate>& candidates,
                                              const std::vector<x509::Certificate>& anchors, const ocsp::Fetch& fetch, Time now);

}  // namespace estuary::client
