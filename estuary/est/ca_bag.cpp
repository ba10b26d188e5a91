// CA certificates as /cacerts gives them, and paths through them (RFC 7030 4.1.3, RFC 4210 4.4).
#include <algorithm>

#include "estuary/est/client.h"
#include "estuary/x509/path.h"

namespace estuary::est {
namespace {

using x509::Certificate;

bool is_signed_by(const Certificate& certificate, const Certificate& issuer) {
    if (!certificate.issuer().matches(issuer.subject())) return false;
    const auto key = issuer.public_key();
    return key && certificate.verify_signed_by(*key).has_value();
}

bool is_self_signed(const Certificate& certificate) { return is_signed_by(certificate, certificate); }

bool same_ca_key(const Certificate& a, const Certificate& b) {
    return same(a.spki(), b.spki()) && a.subject().matches(b.subject());
}

bool contains(const std::vector<Certificate>& certificates, const Certificate& wanted) {
    return std::ranges::find(certificates, wanted) != certificates.end();
}

/// Moves out of `candidates` everything that something in `trusted` signed, until nothing more follows.
std::vector<Certificate> vouched_for(const Certificate& anchor, std::vector<Certificate>& candidates) {
    std::vector<Certificate> trusted{anchor};
    for (std::size_t next = 0; next < trusted.size(); ++next) {
        const auto issuer = trusted[next];
        std::erase_if(candidates, [&](const Certificate& candidate) {
            if (!is_signed_by(candidate, issuer)) return false;
            trusted.push_back(candidate);
            return true;
        });
    }
    trusted.erase(trusted.begin());
    return trusted;
}

}  // namespace

Result<CaBag> sort_ca_certificates(const std::vector<Certificate>& certificates) {
    CaBag bag;
    std::vector<Certificate> roots, candidates;
    for (const auto& certificate : certificates) {
        if (contains(roots, certificate) || contains(candidates, certificate) || contains(bag.strangers, certificate)) continue;
        if (!certificate.is_ca()) {
            bag.strangers.push_back(certificate);
        } else {
            (is_self_signed(certificate) ? roots : candidates).push_back(certificate);
        }
    }
    if (roots.empty()) return fail(Code::malformed, "there is no self-signed CA certificate among the CA certificates");
    // RFC 7030 4.1.3: the newest is the one with the latest notAfter.
    std::ranges::sort(roots, std::ranges::greater{}, &Certificate::not_after);
    bag.anchors.push_back(roots.front());
    bag.others = vouched_for(roots.front(), candidates);
    for (auto root = roots.begin() + 1; root != roots.end(); ++root) {
        // OldWithNew certifies the old key: then the old root says no more than that, and may be an anchor as well.
        const bool linked = std::ranges::any_of(bag.others, [&](const auto& other) { return same_ca_key(other, *root); });
        (linked ? bag.anchors : bag.strangers).push_back(*root);
    }
    bag.strangers.insert(bag.strangers.end(), candidates.begin(), candidates.end());
    return bag;
}

Result<std::vector<Certificate>> build_chain(const Certificate& issued, const CaBag& bag, Time now) {
    x509::PathOptions options;
    options.at = now;
    ESTUARY_TRY(auto path, x509::validate_path(issued, bag.others, bag.anchors, options));
    if (path.size() > 1 && contains(bag.anchors, path.back())) path.pop_back();
    return path;
}

}  // namespace estuary::est
