#include "estuary/x509/plain_path.h"

#include <algorithm>
#include <array>
#include <span>

#include "estuary/x509/distribution_point.h"
#include "estuary/x509/parts.h"

namespace estuary::x509 {
namespace {

using der::Tag;

/// Of all certificates of a kept path: it is kept for the sake of speed, not to hold what strangers made large.
constexpr std::size_t path_bytes_max = 16 * 1024;
constexpr std::uint32_t known_usages = (1u << 9) - 1;
/// What OpenSSL's security level 2 asks of an RSA key: 112 bits of security.
constexpr unsigned rsa_bits_min = 2048;

bool is_among(const der::Oid& id, std::span<const der::Oid> list) { return std::ranges::find(list, id) != list.end(); }

/// Extensions that have no say in the validation of a path, whatever they hold, as long as they are not critical.
bool is_without_effect(const Extension& extension) {
    static constexpr std::array harmless{oid::authority_info_access, oid::certificate_policies};
    return !extension.critical && is_among(extension.id, harmless);
}

/// Those of a CA, which OpenSSL has processed. Name constraints and what else a CA can impose on those below it are not among them.
bool is_plain_of_issuer(const Extension& extension) {
    static constexpr std::array processed{oid::basic_constraints, oid::key_usage, oid::ext_key_usage, oid::subject_key_identifier,
                                          oid::authority_key_identifier, oid::subject_alt_name, oid::crl_distribution_points};
    return is_among(extension.id, processed) || is_without_effect(extension);
}

/// OpenSSL reads names into a canonical form, which fails for some values of unusual types.
bool is_plain(const Name& subject) {
    const auto rdns = subject.rdns();
    const auto is_usual = [](const AttributeTypeAndValue& one) {
        return one.tag == Tag::utf8_string || one.tag == Tag::printable_string || one.tag == Tag::ia5_string;
    };
    return !rdns.empty() && std::ranges::all_of(rdns, [&](const auto& rdn) { return std::ranges::all_of(rdn, is_usual); });
}

/// An otherName is plain if its value is of a type whose content OpenSSL does not look into.
bool is_plain_other_name(Bytes content) {
    der::Reader reader{content};
    if (!reader.oid()) return false;
    const auto value = reader.enter(der::context_constructed(0));
    return value && (value->next_is(Tag::sequence) || value->next_is(Tag::utf8_string));
}

bool is_plain(const GeneralName& name) {
    switch (name.kind) {
        case GeneralName::Kind::email:
        case GeneralName::Kind::dns:
        case GeneralName::Kind::uri:
        case GeneralName::Kind::ip: return true;
        case GeneralName::Kind::other_name: return is_plain_other_name(name.value);
        case GeneralName::Kind::x400:
        case GeneralName::Kind::directory:
        case GeneralName::Kind::edi:
        case GeneralName::Kind::registered_id: return false;
    }
    return false;
}

bool is_uri(const GeneralName& name) { return name.kind == GeneralName::Kind::uri; }

/// One or more names of a whole CRL by URI.
bool are_plain_points(Bytes value) {
    const auto points = parse_crl_distribution_points(value);
    return points && std::ranges::all_of(*points, [](const DistributionPoint& point) {
               return point.name && point.name->relative_name.empty() && std::ranges::all_of(point.name->full_name, is_uri) &&
                      !point.reasons && point.crl_issuer.empty();
           });
}

/// It has a keyIdentifier and nothing else, and that is the issuer's.
bool names_key(Bytes authority_key_identifier, Bytes key_identifier) {
    return same(authority_key_identifier, make_authority_key_identifier(key_identifier).value);
}

bool is_plain_of_end_entity(const Extension& extension, const Certificate& certificate, Bytes key_identifier) {
    const auto& id = extension.id;
    // Read by Certificate::parse(), which fails where one of them is malformed:
    if (id == oid::key_usage) return (*certificate.key_usage() & (~known_usages | key_cert_sign | crl_sign)) == 0;
    if (id == oid::basic_constraints) return !certificate.is_ca();
    if (id == oid::ext_key_usage) return true;
    if (id == oid::subject_key_identifier) return !extension.critical;
    if (id == oid::authority_key_identifier) return !extension.critical && names_key(extension.value, key_identifier);
    if (id == oid::subject_alt_name) {
        const auto names = parse_general_names(extension.value);
        return names && std::ranges::all_of(*names, [](const GeneralName& name) { return is_plain(name); });
    }
    if (id == oid::crl_distribution_points) return !extension.critical && are_plain_points(extension.value);
    return is_without_effect(extension);
}

/// ECDSA, RSA PKCS#1 v1.5 and EdDSA, with SHA-2 of 256 bits or more, written in the one usual way.
bool is_plain_algorithm(Bytes identifier) {
    der::Reader reader{identifier};
    auto inner = reader.enter(Tag::sequence);
    if (!inner) return false;
    const auto oid = inner->oid();
    const auto* algorithm = oid ? crypto::signature_algorithm(*oid) : nullptr;
    if (algorithm == nullptr || algorithm->weak || !same(algorithm->identifier, identifier)) return false;
    switch (algorithm->kind) {
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::ec: {
            const auto& digest = algorithm->digest;
            return digest == "SHA256" || digest == "SHA384" || digest == "SHA512";
        }
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448: return true;
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa:
        case crypto::KeyKind::ml_kem:
        case crypto::KeyKind::other: return false;
    }
    return false;
}

/// A key that OpenSSL can read, of 112 bits of security or more.
bool is_plain_key(Bytes spki) {
    const auto key = crypto::PublicKey::from_spki(spki);
    if (!key) return false;
    const auto& type = key->type_name();
    if (key->kind() == crypto::KeyKind::rsa) return key->bits() >= rsa_bits_min && !type.starts_with("rsa-pss");
    return type == "p256" || type == "p384" || type == "p521" || type == "ed25519" || type == "ed448";
}

/// Of version 3, with extensions, and without the unique identifiers that nobody writes any more.
bool has_plain_fields(const Certificate& certificate) {
    const auto tbs = certificate.tbs(), spki = certificate.spki();
    const auto behind_key = static_cast<std::size_t>(spki.data() + spki.size() - tbs.data());
    return behind_key < tbs.size() && tbs[behind_key] == static_cast<std::uint8_t>(der::context_constructed(3));
}

bool is_plain_end_entity(const Certificate& certificate, Bytes issuers_key_identifier) {
    const auto is_plain_one = [&](const Extension& one) {
        return is_plain_of_end_entity(one, certificate, issuers_key_identifier);
    };
    return has_plain_fields(certificate) && certificate.not_before() >= first_of_1950 &&
           is_plain_algorithm(certificate.signature_algorithm()) &&
           find(certificate.extensions(), oid::authority_key_identifier) != nullptr &&
           std::ranges::all_of(certificate.extensions(), is_plain_one) && is_plain(certificate.subject()) &&
           !certificate.is_self_issued() && is_plain_key(certificate.spki());
}

bool is_valid(const Certificate& certificate, Time at) { return certificate.not_before() <= at && at <= certificate.not_after(); }

template <class List>
bool has(const List& list, const Certificate& certificate) {
    return std::ranges::find(list, certificate) != std::ranges::end(list);
}

/// What stands between a path's end entity and its anchor.
std::span<const Certificate> without_ends(const std::vector<Certificate>& path) { return std::span{path}.subspan(1, path.size() - 2); }

/// Whether both hold the same certificates; how often and in which order does not matter.
bool are_same_set(std::span<const Certificate> a, std::span<const Certificate> b) {
    return std::ranges::all_of(a, [&](const auto& one) { return has(b, one); }) &&
           std::ranges::all_of(b, [&](const auto& one) { return has(a, one); });
}

}  // namespace

PlainPaths::PlainPaths(std::vector<Certificate> anchors) : anchors_{std::move(anchors)} {
    for (const auto& anchor : anchors_) anchor_names_.push_back(anchor.subject().canonical());
}

/// Whether OpenSSL would walk the same way again: the issuer's name is that of the end entity's, and just that path was handed in.
bool PlainPaths::fits(const Issuer& issuer, const Name& name, const std::vector<Certificate>& between, const PathOptions& options) {
    return issuer.path.front().subject() == name && issuer.depth_max == options.depth_max &&
           issuer.anchors_may_be_intermediates == options.anchors_may_be_intermediates &&
           are_same_set(std::span{issuer.path}.first(issuer.path.size() - 1), between);
}

std::optional<std::vector<Certificate>> PlainPaths::find(const Certificate& end_entity, const std::vector<Certificate>& between,
                                                         const PathOptions& options) const {
    if (!is_valid(end_entity, options.at)) return std::nullopt;
    std::shared_ptr<const Issuer> issuer;
    {
        const std::shared_lock lock{mutex_};
        const auto& name = end_entity.issuer();
        const auto found = std::ranges::find_if(issuers_, [&](const auto& one) { return fits(*one, name, between, options); });
        if (found == issuers_.end()) return std::nullopt;
        issuer = *found;
    }
    issuer->last_used.store(++uses_, std::memory_order_relaxed);
    if (options.at < issuer->not_before || options.at > issuer->not_after || has(anchors_, end_entity) ||
        !is_plain_end_entity(end_entity, issuer->key_identifier) || !end_entity.verify_signed_by(issuer->key))
        return std::nullopt;
    std::vector<Certificate> path{end_entity};
    path.insert(path.end(), issuer->path.begin(), issuer->path.end());
    return path;
}

/// Whether there is one way up only: no two certificates that could be taken for the same issuer. `path` is without the end entity.
bool PlainPaths::is_unambiguous(const std::vector<Certificate>& path) const {
    std::vector<ByteVec> names;
    for (const auto& certificate : path) {
        auto name = certificate.subject().canonical();
        const bool is_anchor = names.size() + 1 == path.size();
        if (std::ranges::find(names, name) != names.end()) return false;
        if (std::ranges::count(anchor_names_, name) != (is_anchor ? 1 : 0)) return false;
        names.push_back(std::move(name));
    }
    return true;
}

bool PlainPaths::is_known(const Name& name, const std::vector<Certificate>& between, const PathOptions& options) const {
    return std::ranges::any_of(issuers_, [&](const auto& one) { return fits(*one, name, between, options); });
}

void PlainPaths::learn(const std::vector<Certificate>& path, const std::vector<Certificate>& between,
                       const PathOptions& options) const {
    if (path.size() < 2 || !has(anchors_, path.back()) || !are_same_set(without_ends(path), between)) return;
    const auto& name = path[1].subject();
    {
        const std::shared_lock lock{mutex_};
        if (is_known(name, between, options)) return;
    }
    auto issuer = std::make_shared<Issuer>();
    issuer->path.assign(path.begin() + 1, path.end());
    issuer->depth_max = options.depth_max;
    issuer->anchors_may_be_intermediates = options.anchors_may_be_intermediates;
    issuer->not_before = path.back().not_before();
    issuer->not_after = path.back().not_after();
    std::size_t octets = 0;
    for (const auto& certificate : issuer->path) {
        octets += certificate.der().size();
        if (octets > path_bytes_max || !certificate.is_ca()) return;
        if (!std::ranges::all_of(certificate.extensions(), is_plain_of_issuer)) return;
        issuer->not_before = std::max(issuer->not_before, certificate.not_before());
        issuer->not_after = std::min(issuer->not_after, certificate.not_after());
    }
    const auto key_identifier = issuer->path.front().subject_key_id();
    auto key = issuer->path.front().public_key();
    if (!key_identifier || !key || !is_unambiguous(issuer->path)) return;
    issuer->key_identifier = *key_identifier;
    issuer->key = std::move(*key);

    const std::unique_lock lock{mutex_};
    if (is_known(name, between, options)) return;  // another thread was faster
    if (issuers_.size() >= issuers_max)
        issuers_.erase(std::ranges::min_element(issuers_, {}, [](const auto& one) { return one->last_used.load(); }));
    issuer->last_used.store(++uses_, std::memory_order_relaxed);
    issuers_.push_back(std::move(issuer));
}

std::size_t PlainPaths::size() const {
    const std::shared_lock lock{mutex_};
    return issuers_.size();
}

}  // namespace estuary::x509
