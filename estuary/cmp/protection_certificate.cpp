#include "estuary/cmp/protection_certificate.h"

#include <algorithm>

namespace estuary::cmp {

const x509::Certificate* protection_certificate(const PkiHeader& header, const std::vector<x509::Certificate>& certificates) {
    const auto is_named = [&](const x509::Certificate& one) { return one.subject_key_id() == *header.sender_kid; };
    if (certificates.empty()) return nullptr;
    if (!header.sender_kid || is_named(certificates.front())) return &certificates.front();
    const auto found = std::ranges::find_if(certificates, is_named);
    if (found != certificates.end()) return &*found;
    return certificates.front().subject_key_id() ? nullptr : &certificates.front();
}

}  // namespace estuary::cmp
