#include "apps/estuaryd/config_profile.h"

#include <array>

#include <fmt/format.h>

#include "apps/estuaryd/config_ca_profile.h"
#include "estuary/base/text.h"
#include "estuary/crypto/algorithms.h"

namespace estuary::daemon {
namespace {

using authority::Profile;
using authority::Unwanted;
using x509::GeneralName;

constexpr std::size_t san_count_max = 256;  // what x509 reads at most

/// Attribute types as x509::Name::from_text names them: it knows the short names, so ask it.
Result<der::Oid> attribute_type(std::string_view name) {
    if (name.find_first_of("=,+/\\\"") == std::string_view::npos && !name.empty()) {
        // A country is two letters, all others take them too.
        if (const auto parsed = x509::Name::from_text(std::string{name} + "=AA")) {
            const auto rdns = parsed->rdns();
            if (rdns.size() == 1 && rdns[0].size() == 1) return rdns[0][0].type;
        }
    }
    return fail(Code::malformed, fmt::format("'{}' is not an attribute type such as CN, O, serialNumber or 2.5.4.3", name));
}

Result<GeneralName::Kind> san_kind(std::string_view name) {
    using enum GeneralName::Kind;
    constexpr std::array kinds{std::pair{std::string_view{"dns"}, dns},     std::pair{std::string_view{"ip"}, ip},
                               std::pair{std::string_view{"email"}, email}, std::pair{std::string_view{"uri"}, uri},
                               std::pair{std::string_view{"dirname"}, directory},
                               std::pair{std::string_view{"rid"}, registered_id},
                               std::pair{std::string_view{"upn"}, other_name}};
    std::string known;
    for (const auto& [word, kind] : kinds) {
        if (word == name) return kind;
        known += (known.empty() ? "" : ", ") + std::string{word};
    }
    return fail(Code::malformed, fmt::format("'{}' is not a kind of subject alternative name: {}", name, known));
}

Result<std::string> key_type(std::string_view name) {
    ESTUARY_CHECK(crypto::key_type(name));
    return std::string{name};
}

Result<std::string> subject_pattern(std::string_view text) {
    ESTUARY_CHECK(authority::check_subject_pattern(text));
    return std::string{text};
}

Result<std::string> san_pattern(std::string_view text) {
    ESTUARY_CHECK(authority::check_san_pattern(text));
    return std::string{text};
}

/// A URI that goes into certificates: IA5 with a scheme.
Result<std::string> uri(std::string_view text) {
    ESTUARY_TRY(const auto name, GeneralName::from_text("uri:" + std::string{text}));
    ESTUARY_CHECK(name.check());
    return std::string{text};
}

Result<der::Oid> oid(std::string_view text) { return der::Oid::parse(text); }

void read_unwanted(Table& table, std::string_view key, Unwanted& into) {
    table.choice<Unwanted>(key, into, {{"refuse", Unwanted::refuse}, {"drop", Unwanted::drop}});
}

void read_subject(Table table, authority::SubjectRules& rules) {
    table.parsed_list<der::Oid>("allowed", rules.allowed, attribute_type);
    table.parsed_list<der::Oid>("required", rules.required, attribute_type);
    table.parsed_list<std::string>("patterns", rules.patterns, subject_pattern);
    table.parsed<x509::Name>("fixed", rules.fixed, x509::Name::from_text);
    read_unwanted(table, "unwanted", rules.unwanted);
    table.boolean("may_be_empty", rules.may_be_empty);
    table.finish();
    for (const auto& type : rules.required) {
        if (std::ranges::find(rules.allowed, type) == rules.allowed.end())
            table.fault("required", fmt::format("asks for {}, which 'allowed' does not have", type.dotted()));
    }
}

void read_san(Table table, authority::SanRules& rules) {
    table.parsed_list<GeneralName::Kind>("allowed", rules.allowed, san_kind);
    table.parsed_list<std::string>("patterns", rules.patterns, san_pattern);
    table.boolean("required", rules.required);
    table.number("count_max", rules.count_max, 1, san_count_max);
    read_unwanted(table, "unwanted", rules.unwanted);
    table.finish();
    if (rules.required && rules.allowed.empty()) table.fault("required", "is true, but 'allowed' has no kind");
}

void read_csrattrs(Table table, Profile& profile) {
    table.boolean("key_type", profile.ask_for_key_type);
    table.boolean("san", profile.ask_for_san);
    table.boolean("linking", profile.ask_for_linking);
    table.boolean("template", profile.csrattrs_template);
    table.finish();
}

void read_key_usage(Table& table, Profile& profile) {
    std::vector<std::uint32_t> bits;
    if (table.parsed_list<std::uint32_t>("key_usage", bits, x509::key_usage_from_name)) {
        profile.key_usage = 0;
        for (const auto bit : bits) profile.key_usage |= bit;
        if ((profile.key_usage & (x509::key_cert_sign | x509::crl_sign)) != 0)
            table.fault("key_usage", "keyCertSign and cRLSign are for CAs: say ca_certificate = true instead");
    }
    table.parsed_list<der::Oid>("ext_key_usage", profile.ext_key_usage, x509::ext_key_usage_from_name);
}

/// Extensions that only the issuer may decide (bug class 4).
void check_passed(const Table& table, const Profile& profile) {
    namespace oid = x509::oid;
    constexpr std::array decided_here{oid::basic_constraints, oid::key_usage, oid::ext_key_usage, oid::subject_alt_name,
                                      oid::subject_key_identifier, oid::authority_key_identifier, oid::name_constraints,
                                      oid::certificate_policies, oid::policy_mappings, oid::policy_constraints,
                                      oid::inhibit_any_policy, oid::crl_distribution_points, oid::freshest_crl,
                                      oid::authority_info_access, oid::subject_info_access, oid::issuer_alt_name};
    for (const auto& id : profile.pass_extensions) {
        if (std::ranges::find(decided_here, id) != decided_here.end())
            table.fault("pass_extensions", fmt::format("{} is for the CA to decide and cannot be passed through", id.dotted()));
    }
}

/// The authority's own limits, told here with their line.
void check_times(const Table& table, const Profile& profile) {
    constexpr Seconds validity_min{60}, validity_max{100 * 365 * 86400LL}, backdate_max{7 * 86400};
    if (profile.validity < validity_min || profile.validity > validity_max)
        table.fault("validity", "is not between one minute and a hundred years");
    if (profile.backdate > backdate_max || profile.backdate >= profile.validity)
        table.fault("backdate", "is more than 7 days, or not shorter than 'validity'");
}

/// Keys that are made here need not sign: nobody proves possession of them in a PKCS #10.
Result<std::string> server_key_type(std::string_view name) {
    ESTUARY_TRY(const auto* type, crypto::key_type(name));
    return type->name;
}

void read_renewal(Table& table, Profile& profile) {
    table.boolean("may_change_names", profile.may_change_names);
    table.duration("renew_after_expiry", profile.renew_after_expiry, true);
    Seconds before{0};
    table.duration("renew_before_expiry", before);
    if (before.count() > 0) profile.renew_before_expiry = before;
    if (before >= profile.validity) table.fault("renew_before_expiry", "is not shorter than 'validity'");
}

}  // namespace

Profile read_profile(const std::string& name, Table& table, const std::string& ca) {
    Profile profile;
    profile.name = name;
    profile.ca = ca;
    table.text_into("ca", profile.ca);
    if (profile.ca.empty()) table.fault("ca", "is missing: several CAs are configured, so the profile must name one");
    table.duration("validity", profile.validity);
    table.duration("backdate", profile.backdate, true);
    check_times(table, profile);
    if (!table.parsed_list<std::string>("key_types", profile.key_types, key_type))
        table.fault("key_types", "is missing: list the kinds of keys to certify, as [\"p256\", \"rsa3072\"]");
    else if (profile.key_types.empty())
        table.fault("key_types", "has none: no key could be certified");
    table.parsed_list<std::string>("server_key_types", profile.generated_key_types, server_key_type);
    table.boolean("archive_keys", profile.archive_keys);
    read_key_usage(table, profile);
    table.parsed_list<der::Oid>("policies", profile.policies, oid);
    table.parsed<std::string>("cps_uri", profile.cps_uri, uri);
    table.parsed_list<std::string>("crl_uris", profile.crl_uris, uri);
    table.parsed_list<std::string>("ocsp_uris", profile.ocsp_uris, uri);
    table.parsed_list<std::string>("ca_issuer_uris", profile.ca_issuer_uris, uri);
    table.parsed_list<der::Oid>("pass_extensions", profile.pass_extensions, oid);
    check_passed(table, profile);
    read_unwanted(table, "other_extensions", profile.other_extensions);
    table.boolean("manual_approval", profile.manual_approval);
    table.duration("approval_expires", profile.approval_expires);
    table.duration("poll_interval", profile.poll_interval);
    read_renewal(table, profile);
    read_subject(table.table("subject"), profile.subject);
    read_san(table.table("san"), profile.san);
    read_csrattrs(table.table("csrattrs"), profile);
    read_ca_certificate(table, profile);
    table.finish();
    if (profile.subject.may_be_empty && profile.san.allowed.empty())
        table.fault("subject.may_be_empty", "is true, but san.allowed has no kind: such a certificate would name nobody");
    if (!profile.cps_uri.empty() && profile.policies.empty())
        table.fault("cps_uri", "belongs to a policy, and 'policies' has none");
    return profile;
}

}  // namespace estuary::daemon
