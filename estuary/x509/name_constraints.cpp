// Name constraints (RFC 5280 4.2.1.10): subtrees in which the names of subordinates must lie, or must not.
#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/x509/extension.h"
#include "estuary/x509/general_name.h"
#include "estuary/x509/name_constraints.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using Kind = GeneralName::Kind;

constexpr std::size_t subtrees_max = 1024;

// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance OPTIONAL }
Result<GeneralName> read_subtree(der::Reader& subtrees) {
    ESTUARY_TRY(auto reader, subtrees.enter(Tag::sequence));
    ESTUARY_TRY(auto base, GeneralName::read(reader));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10
    // # Within this profile, the minimum and maximum fields are not used with any name forms, thus, the minimum MUST be zero,
    // # and maximum MUST be absent.
    if (!reader.empty()) return fail(Code::unsupported, "nameConstraints with minimum or maximum");
    if (base.kind == Kind::ip && base.value.size() != 8 && base.value.size() != 32)
        return fail(Code::malformed, "nameConstraints: an address without its mask");
    return base;
}

Result<std::vector<GeneralName>> read_subtrees(der::Reader& parent, Tag tag) {
    std::vector<GeneralName> out;
    ESTUARY_TRY(auto reader, parent.enter_if(tag));
    if (!reader) return out;
    if (reader->empty()) return fail(Code::malformed, "nameConstraints: empty list of subtrees");
    while (!reader->empty()) {
        if (out.size() == subtrees_max) return fail(Code::too_large, fmt::format("more than {} subtrees", subtrees_max));
        ESTUARY_TRY(out.emplace_back(), read_subtree(*reader));
    }
    return out;
}

void write_subtrees(der::Writer& writer, Tag tag, const std::vector<GeneralName>& subtrees) {
    if (subtrees.empty()) return;
    writer.constructed(tag, [&] {
        for (const auto& base : subtrees) writer.sequence([&] { base.write(writer); });
    });
}

/// `host` is `domain`, or lies below it.
bool is_within_domain(std::string_view host, std::string_view domain) {
    if (host.size() == domain.size()) return text::equal_ignoring_case(host, domain);
    return host.size() > domain.size() && host[host.size() - domain.size() - 1] == '.' &&
           text::equal_ignoring_case(host.substr(host.size() - domain.size()), domain);
}

/// ".example.com" holds the hosts below it (not itself); "example.com" only that host.
bool matches_host(std::string_view host, std::string_view constraint) {
    if (!constraint.starts_with('.')) return text::equal_ignoring_case(host, constraint);
    return host.size() > constraint.size() && text::equal_ignoring_case(host.substr(host.size() - constraint.size()), constraint);
}

/// A constraint with a leading dot is not in RFC 5280; everybody reads it as "below, not itself".
bool matches_dns(std::string_view name, std::string_view constraint) {
    if (constraint.empty()) return true;
    return constraint.starts_with('.') ? matches_host(name, constraint) : is_within_domain(name, constraint);
}

/// Whether some host that the wildcard stands for lies in the subtree.
bool wildcard_touches_dns(std::string_view name, std::string_view constraint) {
    if (!name.starts_with("*.")) return false;
    const auto parent = name.substr(1);  // ".example.com"
    const auto label = constraint.find('.', 0);
    return label != 0 && label != std::string_view::npos && text::equal_ignoring_case(constraint.substr(label), parent);
}

/// A mailbox, a host, or a domain with a leading dot. The local part is compared as it is written (RFC 5280 7.5).
bool matches_email(std::string_view mailbox, std::string_view constraint) {
    if (constraint.empty()) return true;
    const auto at = mailbox.rfind('@');
    const auto host = at == std::string_view::npos ? mailbox : mailbox.substr(at + 1);
    const auto constraint_at = constraint.rfind('@');
    if (constraint_at == std::string_view::npos) return matches_host(host, constraint);
    return at != std::string_view::npos && mailbox.substr(0, at) == constraint.substr(0, constraint_at) &&
           text::equal_ignoring_case(host, constraint.substr(constraint_at + 1));
}

bool matches_uri(std::string_view uri, std::string_view constraint) {
    if (constraint.empty()) return true;
    const auto host = host_of_uri(uri);
    return host && matches_host(*host, constraint);
}

bool matches_ip(Bytes address, Bytes constraint) {
    if (constraint.size() != 2 * address.size()) return false;
    for (std::size_t i = 0; i < address.size(); ++i)
        if (((address[i] ^ constraint[i]) & constraint[address.size() + i]) != 0) return false;
    return true;
}

/// RFC 5280 7.1: the leading RDNs match.
bool matches_directory(Bytes name, Bytes constraint) {
    const auto below = Name::parse(name), above = Name::parse(constraint);
    if (!below || !above) return false;
    const auto whole = below->canonical(), start = above->canonical();
    der::Reader whole_reader{whole}, start_reader{start};
    const auto rdns = whole_reader.content(Tag::sequence), wanted = start_reader.content(Tag::sequence);
    return rdns && wanted && rdns->size() >= wanted->size() && same(rdns->first(wanted->size()), *wanted);
}

bool is_within(const GeneralName& name, const GeneralName& base) {
    if (name.kind != base.kind) return false;
    const auto text = as_text(name.value), constraint = as_text(base.value);
    switch (name.kind) {
        case Kind::dns: return matches_dns(text, constraint);
        case Kind::email: return matches_email(text, constraint);
        case Kind::uri: return matches_uri(text, constraint);
        case Kind::ip: return matches_ip(name.value, base.value);
        case Kind::directory: return matches_directory(name.value, base.value);
        case Kind::registered_id:
        case Kind::other_name:
        case Kind::x400:
        case Kind::edi: return false;
    }
    return false;
}

bool network_lies_within(Bytes network, Bytes base) {
    const auto half = base.size() / 2;
    if (network.size() != base.size()) return false;
    for (std::size_t i = half; i < base.size(); ++i)
        if ((base[i] & ~network[i]) != 0) return false;   // its mask leaves more open
    return matches_ip(network.first(half), base);
}

bool touches(const GeneralName& name, const GeneralName& base) {
    return is_within(name, base) ||
           (name.kind == Kind::dns && base.kind == Kind::dns && wildcard_touches_dns(as_text(name.value), as_text(base.value)));
}

/// Forms whose subtrees we know how to apply; RFC 5280 4.2.1.10 demands to reject the others where they are constrained.
bool is_applicable(const GeneralName& name) {
    switch (name.kind) {
        case Kind::dns:
        case Kind::email: return name.check().has_value();  // "evil.example." and its like would slip through comparisons
        case Kind::ip:
        case Kind::directory: return true;
        case Kind::uri: {
            // Without a host name no URI constraint can be applied, and the URI is to be refused.
            const auto host = host_of_uri(as_text(name.value));
            return host && !host->empty() && !is_ipv4_text(*host) && host->find(':') == std::string_view::npos;
        }
        case Kind::registered_id:
        case Kind::other_name:
        case Kind::x400:
        case Kind::edi: return false;
    }
    return false;
}

Result<void> check_one(const NameConstraints& constraints, const GeneralName& name) {
    const auto same_kind = [&](const GeneralName& base) { return base.kind == name.kind; };
    const bool has_permitted = std::ranges::any_of(constraints.permitted, same_kind);
    const bool has_excluded = std::ranges::any_of(constraints.excluded, same_kind);
    if (!has_permitted && !has_excluded) return {};
    if (!is_applicable(name)) return fail(Code::policy, name.to_text() + " is of a constrained form that cannot be checked");
    for (const auto& base : constraints.excluded)
        if (touches(name, base)) return fail(Code::policy, name.to_text() + " lies in the excluded subtree " + base.to_text());
    const auto holds = [&](const GeneralName& base) { return is_within(name, base); };
    if (has_permitted && std::ranges::none_of(constraints.permitted, holds))
        return fail(Code::policy, name.to_text() + " lies in no permitted subtree");
    return {};
}

}  // namespace

// NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }
Result<NameConstraints> parse_name_constraints(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "nameConstraints"));
    NameConstraints out;
    ESTUARY_TRY(out.permitted, read_subtrees(reader, der::context_constructed(0)));
    ESTUARY_TRY(out.excluded, read_subtrees(reader, der::context_constructed(1)));
    ESTUARY_CHECK(reader.finish("nameConstraints"));
    if (out.permitted.empty() && out.excluded.empty()) return fail(Code::malformed, "nameConstraints is empty");
    return out;
}

/// A host that is a constraint stands for itself or for all below it, and is compared as a name in it would be.
bool lies_within(const GeneralName& subtree, const GeneralName& base) {
    if (subtree.kind != base.kind) return false;
    if (subtree.value == base.value || base.value.empty()) return true;
    switch (subtree.kind) {
        case Kind::uri: return matches_host(as_text(subtree.value), as_text(base.value));
        case Kind::ip: return network_lies_within(subtree.value, base.value);
        case Kind::dns:
        case Kind::email:
        case Kind::directory:
        case Kind::registered_id:
        case Kind::other_name:
        case Kind::x400:
        case Kind::edi: break;
    }
    return is_within(subtree, base);
}

Extension make_name_constraints(const NameConstraints& value) {
    der::Writer writer;
    writer.sequence([&] {
        write_subtrees(writer, der::context_constructed(0), value.permitted);
        write_subtrees(writer, der::context_constructed(1), value.excluded);
    });
    return {oid::name_constraints, true, std::move(writer).take()};
}

Result<void> satisfies(const NameConstraints& constraints, const Name& subject, const std::vector<GeneralName>& names) {
    if (!subject.empty()) ESTUARY_CHECK(check_one(constraints, {Kind::directory, to_vec(subject.der())}));
    for (const auto& address : subject.values(oid::email_address))
        ESTUARY_CHECK(check_one(constraints, {Kind::email, to_vec(as_bytes(address))}));
    for (const auto& name : names) ESTUARY_CHECK(check_one(constraints, name));
    return {};
}

}  // namespace estuary::x509
