#pragma once
// Path validation (RFC 5280 section 6), by OpenSSL's verifier on DER that our reader accepted; plain cases below an issuer that it has
// accepted before without it (plain_path.h).
#include <memory>

#include "estuary/x509/certificate.h"

namespace estuary::x509 {

struct PathOptions {
    Time at{};
    std::vector<der::Oid> required_ext_key_usage{};  ///< each must be allowed by the end entity; empty: any
    unsigned depth_max = 8;
    bool anchors_may_be_intermediates = true;  ///< partial chains to a configured anchor
};

/// Anchors made ready once for many paths, with the issuers met below them: OpenSSL takes longer to decode a certificate's key than to
/// verify a signature by it. May be shared by threads.
class TrustAnchors {
public:
    /// malformed: OpenSSL cannot read one of them.
    static Result<TrustAnchors> create(const std::vector<Certificate>& anchors);

    struct Store;
    const Store& store() const { return *store_; }

private:
    explicit TrustAnchors(std::shared_ptr<const Store> store) : store_{std::move(store)} {}

    std::shared_ptr<const Store> store_;
};

/// The verified path, end entity first, anchor last. not_authenticated with OpenSSL's reason in the detail otherwise.
Result<std::vector<Certificate>> validate_path(const Certificate& end_entity, const std::vector<Certificate>& intermediates,
                                               const TrustAnchors& anchors, const PathOptions& options);
/// The same with anchors that are needed but once.
Result<std::vector<Certificate>> validate_path(const Certificate& end_entity, const std::vector<Certificate>& intermediates,
                                               const std::vector<Certificate>& anchors, const PathOptions& options);

}  // namespace estuary::x509
