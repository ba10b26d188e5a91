#include <fmt/format.h>

#include "estuary/crypto/algorithms.h"
#include "estuary/est/plan_parts.h"

namespace estuary::est {
namespace {

using crypto::KeyKind;
using crypto::KeyType;

constexpr std::string_view key_default = "p256";

/// What the server asks of the key, in either form.
struct KeyWish {
    der::Oid algorithm;
    der::Oid curve;
    std::optional<std::int64_t> rsa_bits;
};

std::optional<KeyWish> from_template(const RequestInfoTemplate& wanted) {
    if (!wanted.key_algorithm) return std::nullopt;
    auto reader = der::enter_only(*wanted.key_algorithm, der::Tag::sequence, "algorithm");
    if (!reader) return std::nullopt;
    const auto algorithm = reader->oid();
    if (!algorithm) return std::nullopt;
    KeyWish out{*algorithm, {}, {}};
    if (reader->next_is(der::Tag::oid)) out.curve = reader->oid().value_or(der::Oid{});
    if (wanted.rsa_bits) out.rsa_bits = *wanted.rsa_bits;
    return out;
}

bool is_key_algorithm(const der::Oid& oid) {
    for (const auto& type : crypto::key_types())
        if (type.algorithm == oid) return true;
    return oid == oid::ec_public_key || oid == oid::rsa_encryption;
}

/// RFC 9908 3.2: an attribute whose type is a key's algorithm; its value a curve, or a modulus length.
std::optional<KeyWish> from_list(const std::vector<AttrOrOid>& items) {
    for (const auto& item : items) {
        if (!item.values || !is_key_algorithm(item.oid)) continue;
        KeyWish out{item.oid, {}, {}};
        if (item.values->empty()) return out;
        der::Reader value{item.values->front()};
        if (value.next_is(der::Tag::oid)) {
            out.curve = value.oid().value_or(der::Oid{});
        } else if (value.next_is(der::Tag::integer)) {
            if (const auto bits = value.integer()) out.rsa_bits = *bits;
        }
        return out;
    }
    return std::nullopt;
}

/// The smallest type of the kind that is large enough, or the kind's usual one where nothing more is asked.
const KeyType* find_type(const KeyWish& wish) {
    const KeyType* best = nullptr;
    for (const auto& type : crypto::key_types()) {
        if (type.algorithm != wish.algorithm || !type.signs) continue;
        if (!wish.curve.empty() && type.parameters != wish.curve) continue;
        if (type.kind == KeyKind::rsa) {
            if (type.bits < wish.rsa_bits.value_or(3072) || (best != nullptr && best->bits <= type.bits)) continue;
            best = &type;
        } else if (best == nullptr) {
            best = &type;  // the table lists the usual curve first
        }
    }
    return best;
}

/// A bare signature algorithm says which kind of key makes it, and by its digest which curve.
const KeyType* type_for_signature(const crypto::SignatureAlgorithm& algorithm) {
    std::string_view name;
    if (algorithm.kind == KeyKind::ec)
        name = algorithm.digest == "SHA384" ? "p384" : algorithm.digest == "SHA512" ? "p521" : "p256";
    else if (algorithm.kind == KeyKind::rsa)
        name = algorithm.digest == "SHA384" ? "rsa4096" : "rsa3072";
    if (name.empty()) {
        for (const auto& type : crypto::key_types())
            if (type.algorithm == algorithm.oid && type.signs) return &type;
        return nullptr;
    }
    const auto type = crypto::key_type(name);
    return type ? *type : nullptr;
}

const crypto::SignatureAlgorithm* wanted_signature(const std::vector<AttrOrOid>& items) {
    for (const auto& item : items) {
        if (item.values) continue;
        if (const auto* found = crypto::signature_algorithm(item.oid); found != nullptr && !found->weak) return found;
    }
    return nullptr;
}

/// What the server asks for; null if nothing, or nothing that can be made here.
const KeyType* servers_type(const CsrAttrs& attributes, Notes& notes) {
    // RFC 9908 4: with a template the list does not count.
    const auto wish = attributes.request_template ? from_template(*attributes.request_template) : from_list(attributes.items);
    if (wish) {
        if (const auto* type = find_type(*wish)) return type;
        notes.push_back(fmt::format("the server asks for a key of algorithm {}{}, which cannot be made here",
                                    wish->algorithm.dotted(), wish->curve.empty() ? "" : " on curve " + wish->curve.dotted()));
        return nullptr;
    }
    if (attributes.request_template) return nullptr;
    const auto* signature = wanted_signature(attributes.items);
    return signature == nullptr ? nullptr : type_for_signature(*signature);
}

}  // namespace

std::string plan_key(const Wishes& wishes, const CsrAttrs& attributes, Notes& notes) {
    const auto* servers = servers_type(attributes, notes);
    if (!wishes.key_type) return servers == nullptr ? std::string{key_default} : servers->name;
    if (servers != nullptr && servers->name != *wishes.key_type)
        notes.push_back(fmt::format("the server asks for a {} key; {} was chosen", servers->name, *wishes.key_type));
    return *wishes.key_type;
}

}  // namespace estuary::est
