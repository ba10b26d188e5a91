#pragma once
// Path validation without OpenSSL for the plain case, of which there are thousands: a device right below an issuer that OpenSSL
// has accepted already. Its reading of one certificate costs more than three verifications (3.0: the key goes through its decoders).
#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "estuary/x509/path.h"

namespace estuary::x509 {

/// Issuers that OpenSSL has accepted above some end entity, each with its path to an anchor, and the judgement of other end
/// entities right below them. It only ever says yes: what is not plain in each respect, or wrong, is left to OpenSSL, so every
/// rule here is a list of what is known to be harmless. What it accepts, OpenSSL accepts, and with the same path. Whether a
/// certificate is accepted does not depend on what was learnt. May be shared by threads.
class PlainPaths {
public:
    explicit PlainPaths(std::vector<Certificate> anchors);

    /// The path if this is a plain case and all is well: end entity first, anchor last. `between` is what was handed in with it,
    /// without the end entity itself and the anchors.
    std::optional<std::vector<Certificate>> find(const Certificate& end_entity, const std::vector<Certificate>& between,
                                                 const PathOptions& options) const;
    /// `path` is OpenSSL's answer to `between` under these options. Kept if what is above its end entity is plain.
    void learn(const std::vector<Certificate>& path, const std::vector<Certificate>& between, const PathOptions& options) const;

    std::size_t size() const;

    /// Issuers that are kept; of more, those that were not asked for the longest are forgotten.
    static constexpr std::size_t issuers_max = 256;

private:
    /// An issuer, and what is above it.
    struct Issuer {
        std::vector<Certificate> path;  ///< the issuer first, the anchor last; without an end entity
        crypto::PublicKey key;          ///< the issuer's
        ByteVec key_identifier;         ///< the issuer's subjectKeyIdentifier
        Time not_before{}, not_after{}; ///< when all of the path is valid; inclusive
        unsigned depth_max = 0;
        bool anchors_may_be_intermediates = true;
        mutable std::atomic<std::uint64_t> last_used{0};
    };

    static bool fits(const Issuer& issuer, const Name& name, const std::vector<Certificate>& between, const PathOptions& options);
    bool is_known(const Name& name, const std::vector<Certificate>& between, const PathOptions& options) const;
    bool is_unambiguous(const std::vector<Certificate>& path) const;

    const std::vector<Certificate> anchors_;
    std::vector<ByteVec> anchor_names_;  ///< canonical
    mutable std::shared_mutex mutex_;
    mutable std::vector<std::shared_ptr<const Issuer>> issuers_;
    mutable std::atomic<std::uint64_t> uses_{0};
};

}  // namespace estuary::x509
