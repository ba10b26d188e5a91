#pragma once
// Who asks, under one label: the client certificate of the TLS session, an HTTP password, or both (RFC 7030 3.2.3, 3.3.2).
#include "estuary/est/digest_nonces.h"
#include "estuary/est/server.h"

namespace estuary::est {

class Authenticator {
public:
    /// `authority` and `clock` outlive it.
    Authenticator(std::string realm, Seconds nonce_lifetime, authority::Authority& authority, const Clock& clock,
                  crypto::Entropy& entropy);

    /// What a label asks for, for one verb.
    struct Rules {
        const Authentication& allowed;
        std::string_view label;
        std::string_view ca;
        /// The certificate being renewed is needed in any case; it must be of this CA and label.
        bool renewal = false;
        /// A certificate of ours counts only if it was issued under this very label: labels are the borders between tenants.
        bool own_label = false;
    };
    /// Everything that was shown is checked, and a wrong password or a revoked certificate refuses even where the rest would
    /// do. Otherwise the answer that says what is missing.
    tl::expected<authority::Principal, http::Response> authenticate(const Rules& rules, const http::Request& request,
                                                                    const http::Peer& peer);
    /// The answer to an error under these rules: not_authenticated asks for a password where one would help.
    http::Response refuse(const Authentication& allowed, const Error& error, bool stale = false);

private:
    struct CertificateFinding {
        std::optional<authority::CertificateProof> proof;   ///< good under these rules
        std::string objection;                              ///< why what was shown is not; empty: nothing was shown
    };
    struct PasswordFinding {
        std::optional<authority::CredentialProof> proof;
        bool stale = false;                                 ///< Digest: the nonce was too old or used
    };
    Result<CertificateFinding> examine_certificate(const Rules& rules, const http::Peer& peer);
    Result<PasswordFinding> examine_password(const Authentication& allowed, const http::Request& request,
                                             const http::Peer& peer);
    Result<PasswordFinding> examine_digest(std::string_view authorization, const http::Request& request,
                                           const http::Peer& peer);

    std::string realm_;
    authority::Authority& authority_;
    DigestNonces nonces_;
};

}  // namespace estuary::est
