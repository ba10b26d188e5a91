#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"
#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

using Attribute = x509::AttributeTypeAndValue;
using Kind = x509::GeneralName::Kind;

bool contains(const std::vector<der::Oid>& list, const der::Oid& wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

/// Name of a type for messages: "CN" where there is a short name, dotted otherwise.
std::string type_text(const der::Oid& type) {
    if (type == x509::oid::common_name) return "commonName";
    if (type == x509::oid::serial_number) return "serialNumber";
    if (type == x509::oid::organization_name) return "organizationName";
    if (type == x509::oid::country_name) return "countryName";
    return type.dotted();
}

std::string_view kind_text(Kind kind) {
    switch (kind) {
        case Kind::other_name: return "otherName";
        case Kind::email: return "rfc822Name";
        case Kind::dns: return "dNSName";
        case Kind::x400: return "x400Address";
        case Kind::directory: return "directoryName";
        case Kind::edi: return "ediPartyName";
        case Kind::uri: return "uniformResourceIdentifier";
        case Kind::ip: return "iPAddress";
        case Kind::registered_id: return "registeredID";
    }
    return "unknown";
}

void write_rdn(der::Writer& writer, const std::vector<Attribute>& rdn) {
    writer.constructed(der::Tag::set, [&] {
        for (const auto& attribute : rdn)
            writer.sequence([&] { writer.oid(attribute.type).primitive(attribute.tag, attribute.value); });
    });
}

using Rdns = std::vector<std::vector<Attribute>>;

/// Drops what the profile fixes or does not want; true if anything went. Refused attributes are an error.
Result<bool> drop_unwanted(const Rules& rules, Rdns& rdns, NameSource source) {
    const auto& subject = rules.profile.subject;
    bool changed = false;
    for (auto& rdn : rdns) {
        for (std::size_t i = 0; i < rdn.size();) {
            const bool fixed = rules.is_fixed(rdn[i].type);
            const bool allowed = fixed || contains(subject.allowed, rdn[i].type);
            if (!allowed && (subject.unwanted == Unwanted::refuse || source == NameSource::certificate))
                return fail(Code::policy, fmt::format("subject: {} is not allowed here", type_text(rdn[i].type)));
            if (allowed && !(fixed && source == NameSource::request)) {
                ++i;
                continue;
            }
            rdn.erase(rdn.begin() + static_cast<std::ptrdiff_t>(i));
            changed = true;
        }
    }
    std::erase_if(rdns, [](const auto& rdn) { return rdn.empty(); });
    return changed;
}

Result<x509::Name> shape(const Rules& rules, const x509::Name& wanted, NameSource source) {
    auto rdns = wanted.rdns();
    ESTUARY_TRY(const bool dropped, drop_unwanted(rules, rdns, source));
    const bool add_fixed = source == NameSource::request && !rules.fixed.empty();
    if (!dropped && !add_fixed) return wanted;
    der::Writer writer;
    writer.sequence([&] {
        if (add_fixed)
            for (const auto& rdn : rules.fixed) write_rdn(writer, rdn);
        for (const auto& rdn : rdns) write_rdn(writer, rdn);
    });
    return x509::Name::parse(writer.bytes());
}

/// One commonName, one serialNumber, one country: more would leave open whom the certificate names.
Result<void> check_attributes(const Rules& rules, const x509::Name& subject) {
    ESTUARY_CHECK(subject.check());  // plain text, nothing that shows as something else (bug class 13)
    std::vector<der::Oid> seen;
    for (const auto& rdn : subject.rdns()) {
        for (const auto& attribute : rdn) {
            const auto& type = attribute.type;
            if (attribute.value.empty()) return fail(Code::policy, fmt::format("subject: {} is empty", type_text(type)));
            const bool once = type == x509::oid::common_name || type == x509::oid::serial_number || type == x509::oid::country_name;
            if (once && contains(seen, type))
                return fail(Code::policy, fmt::format("subject: more than one {}", type_text(type)));
            seen.push_back(type);
        }
    }
    for (const auto& type : rules.profile.subject.required)
        if (!contains(seen, type)) return fail(Code::policy, fmt::format("subject: {} is missing", type_text(type)));
    return {};
}

bool san_is_wanted(const Rules& rules, const x509::GeneralName& name) {
    const auto& allowed = rules.profile.san.allowed;
    if (std::ranges::find(allowed, name.kind) == allowed.end()) return false;
    return rules.san_patterns.empty() ||
           std::ranges::any_of(rules.san_patterns, [&](const auto& pattern) { return pattern.matches(name); });
}

bool is_named(const std::vector<x509::GeneralName>& names, const x509::GeneralName& wanted) {
    return std::ranges::any_of(names, [&](const auto& name) {
        if (name.kind != wanted.kind) return false;
        return name.kind == Kind::dns ? text::equal_ignoring_case(as_text(name.value), as_text(wanted.value))
                                      : name.value == wanted.value;
    });
}

/// A commonName that a client could take for a host name: an address, or labels with dots.
std::optional<x509::GeneralName> host_in(const std::string& common_name) {
    if (auto address = x509::GeneralName::from_text("ip:" + common_name)) return *address;
    if (common_name.find('.') == std::string::npos) return std::nullopt;
    if (auto host = x509::GeneralName::from_text("dns:" + common_name)) return *host;
    return std::nullopt;
}

}  // namespace

Result<x509::Name> apply_subject_rules(const Rules& rules, const x509::Name& wanted, NameSource source) {
    ESTUARY_TRY(auto subject, shape(rules, wanted, source));
    ESTUARY_CHECK(check_attributes(rules, subject));
    if (subject.empty()) {
        if (!rules.profile.subject.may_be_empty) return fail(Code::policy, "subject: must not be empty");
        return subject;
    }
    if (!rules.subject_patterns.empty() &&
        std::ranges::none_of(rules.subject_patterns, [&](const auto& pattern) { return pattern.matches(subject); }))
        return fail(Code::policy, fmt::format("subject: '{}' is not a name that this profile gives", subject.to_text()));
    return subject;
}

Result<std::vector<x509::GeneralName>> apply_san_rules(const Rules& rules, const std::vector<x509::GeneralName>& wanted,
                                                       NameSource source) {
    const auto& san = rules.profile.san;
    if (wanted.size() > san.count_max)
        return fail(Code::policy, fmt::format("subject alternative names: {} are more than {}", wanted.size(), san.count_max));
    std::vector<x509::GeneralName> names;
    for (const auto& name : wanted) {
        if (!san_is_wanted(rules, name)) {
            if (san.unwanted == Unwanted::drop && source == NameSource::request) continue;
            return fail(Code::policy, fmt::format("subject alternative name: {} '{}' is not allowed here", kind_text(name.kind),
                                                  name.to_text()));
        }
        if (auto well_formed = name.check(); !well_formed)
            return fail(Code::policy, "subject alternative name: " + well_formed.error().detail);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    if (san.required && names.empty()) return fail(Code::policy, "subject alternative name: one is required");
    return names;
}

Result<void> check_names_together(const x509::Name& subject, const std::vector<x509::GeneralName>& names, bool server_auth) {
    if (subject.empty() && names.empty())
        return fail(Code::policy, "neither a subject nor a subject alternative name is left");
    if (!server_auth) return {};
    for (const auto& common_name : subject.values(x509::oid::common_name)) {
        const auto host = host_in(common_name);
        if (host && !is_named(names, *host))
            return fail(Code::policy, fmt::format("commonName '{}' is a host name: ask for it as subject alternative name too",
                                                  text::printable(common_name)));
    }
    return {};
}

Result<void> check_credential_patterns(const CredentialProof& credential, const x509::Name& subject,
                                       const std::vector<x509::GeneralName>& names) {
    const auto& subjects = credential.subject_patterns;
    if (!subjects.empty() &&
        std::ranges::none_of(subjects, [&](const auto& pattern) { return subject_matches(subject, pattern); }))
        return fail(Code::not_authorised, "this credential may not ask for that subject");
    if (credential.san_patterns.empty()) return {};
    for (const auto& name : names) {  // each of them (bug class 19)
        if (std::ranges::none_of(credential.san_patterns, [&](const auto& pattern) { return san_matches(name, pattern); }))
            return fail(Code::not_authorised, fmt::format("this credential may not ask for '{}'", name.to_text()));
    }
    return {};
}

}  // namespace estuary::authority
