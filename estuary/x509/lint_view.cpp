#include "estuary/x509/lint_view.h"

#include <utility>

namespace estuary::x509::lint {
namespace {

using der::Reader;
using der::Tag;

/// As many as parse_extensions() reads.
constexpr std::size_t extensions_max = 64;

struct KnownExtension {
    der::Oid id;
    std::string_view name;
};
// In the order of enum Known.
constexpr std::array<KnownExtension, known_count> known_extensions{{
    {oid::authority_key_identifier, "authorityKeyIdentifier"},
    {oid::subject_key_identifier, "subjectKeyIdentifier"},
    {oid::key_usage, "keyUsage"},
    {oid::certificate_policies, "certificatePolicies"},
    {oid::policy_mappings, "policyMappings"},
    {oid::subject_alt_name, "subjectAltName"},
    {oid::issuer_alt_name, "issuerAltName"},
    {der::Oid{"2.5.29.9"}, "subjectDirectoryAttributes"},
    {oid::basic_constraints, "basicConstraints"},
    {oid::name_constraints, "nameConstraints"},
    {oid::policy_constraints, "policyConstraints"},
    {oid::ext_key_usage, "extKeyUsage"},
    {oid::crl_distribution_points, "cRLDistributionPoints"},
    {oid::inhibit_any_policy, "inhibitAnyPolicy"},
    {oid::freshest_crl, "freshestCRL"},
    {oid::authority_info_access, "authorityInfoAccess"},
    {oid::subject_info_access, "subjectInfoAccess"},
    {oid::tls_feature, "TLS feature"},
    {der::Oid{"1.3.6.1.4.1.11129.2.4.3"}, "precertificate poison"},
    {der::Oid{"1.3.6.1.4.1.11129.2.4.2"}, "signed certificate timestamps"},
}};

/// id-ce is 2.5.29, of which every known member has one octet of its own.
constexpr std::array<std::uint8_t, 2> id_ce{0x55, 0x1D};
constexpr bool is_id_ce(Bytes content) { return content.size() == 3 && content[0] == id_ce[0] && content[1] == id_ce[1]; }

/// The members of id-ce by their last octet, as most extensions are such and all are looked up.
constexpr auto id_ce_members = [] {
    std::array<Known, 256> table{};
    table.fill(Known::other);
    for (std::size_t i = 0; i < known_count; ++i)
        if (const auto content = known_extensions[i].id.content(); is_id_ce(content)) table[content[2]] = static_cast<Known>(i);
    return table;
}();

Known known_by(const der::Oid& id) {
    if (const auto content = id.content(); is_id_ce(content)) return id_ce_members[content[2]];
    for (std::size_t i = 0; i < known_count; ++i)
        if (known_extensions[i].id == id) return static_cast<Known>(i);
    return Known::other;
}

Result<AlgorithmView> read_algorithm(Reader& reader) {
    ESTUARY_TRY(const auto whole, reader.element(Tag::sequence));
    Reader inner{whole.content};
    AlgorithmView algorithm;
    algorithm.whole = whole.whole;
    ESTUARY_TRY(algorithm.oid, inner.oid());
    if (!inner.empty()) {
        ESTUARY_TRY(algorithm.parameters, inner.any());
        if (der::is_constructed(algorithm.parameters->tag)) {
            ESTUARY_CHECK(der::check_der(algorithm.parameters->whole, "parameters"));
        }
    }
    ESTUARY_CHECK(inner.finish("AlgorithmIdentifier"));
    return algorithm;
}

Result<void> read_version(TbsView& view, Reader& reader) {
    ESTUARY_TRY(auto version, reader.enter_if(der::context_constructed(0)));
    if (!version) return {};
    ESTUARY_TRY(const auto number, version->integer());
    view.v3 = number == 2;
    return version->finish("Version");
}

/// Wrong times are for the rules to name, so only their place is checked here.
Result<void> read_validity(TbsView& view, Reader& reader) {
    ESTUARY_TRY(auto validity, reader.enter(Tag::sequence));
    ESTUARY_TRY(view.not_before, validity.any());
    ESTUARY_TRY(view.not_after, validity.any());
    ESTUARY_CHECK(validity.finish("Validity"));
    if (auto time = Reader{view.not_before.whole}.time()) view.not_before_time = *time;
    if (auto time = Reader{view.not_after.whole}.time()) view.not_after_time = *time;
    return {};
}

Result<void> read_subject(TbsView& view, Reader& reader) {
    ESTUARY_TRY(const auto subject, reader.element(Tag::sequence));
    view.subject = subject.whole;
    view.subject_name = Name::parse(subject.whole);
    Reader rdns{subject.content};
    view.subject_attributes.reserve(8);
    while (!rdns.empty()) {
        ESTUARY_TRY(auto rdn, rdns.enter(Tag::set));
        if (rdn.empty()) return fail(Code::malformed, "empty RelativeDistinguishedName");
        while (!rdn.empty()) {
            ESTUARY_TRY(auto attribute, rdn.enter(Tag::sequence));
            auto& found = view.subject_attributes.emplace_back();
            ESTUARY_TRY(found.type, attribute.oid());
            ESTUARY_TRY(found.value, attribute.any());
            ESTUARY_CHECK(attribute.finish("AttributeTypeAndValue"));
            found.rule = attribute_rule(found.type);
        }
    }
    return {};
}

Result<void> read_unique_ids(TbsView& view, Reader& reader) {
    for (const unsigned number : {1u, 2u}) {
        ESTUARY_TRY(const auto unique_id, reader.element_if(der::context(number)));
        if (unique_id) view.has_unique_ids = true;
    }
    return {};
}

Result<void> read_extensions(TbsView& view, Reader& reader) {
    ESTUARY_TRY(auto wrapper, reader.enter_if(der::context_constructed(3)));
    if (!wrapper) return {};
    ESTUARY_TRY(auto list, wrapper->enter(Tag::sequence));
    ESTUARY_CHECK(wrapper->finish("extensions"));
    if (list.empty()) return fail(Code::malformed, "Extensions is empty");
    view.extensions.reserve(12);
    while (!list.empty()) {
        if (view.extensions.size() == extensions_max) return fail(Code::too_large, "too many extensions");
        ESTUARY_TRY(auto extension, list.enter(Tag::sequence));
        auto& found = view.extensions.emplace_back();
        ESTUARY_TRY(found.id, extension.oid());
        ESTUARY_TRY(found.critical, extension.boolean_default_false());
        ESTUARY_TRY(found.value, extension.octet_string());
        ESTUARY_CHECK(extension.finish("Extension"));
        found.known = known_by(found.id);
        if (found.known == Known::other) continue;
        auto& first = view.first_of_kind[static_cast<std::size_t>(found.known)];
        if (first == 0) first = static_cast<std::uint8_t>(view.extensions.size());
    }
    return {};
}

void read_extension_values(TbsView& view) {
    for (const auto& extension : view.extensions) {
        if (extension.known == Known::other) continue;
        if (auto ok = read_extension_value(view, extension); !ok)
            view.extension_errors.emplace_back(extension.known, std::move(ok).error().detail);
    }
}

}  // namespace

std::string_view name_of(Known known) noexcept {
    return known == Known::other ? "extension" : known_extensions[static_cast<std::size_t>(known)].name;
}

Result<KeyInfoView> read_key_info(Bytes spki) {
    ESTUARY_TRY(auto reader, der::enter_only(spki, Tag::sequence, "SubjectPublicKeyInfo"));
    KeyInfoView key;
    ESTUARY_TRY(key.algorithm, read_algorithm(reader));
    ESTUARY_TRY(key.bits, reader.content(Tag::bit_string));
    if (key.bits.empty() || key.bits[0] > 7) return fail(Code::malformed, "subjectPublicKey is no BIT STRING");
    ESTUARY_CHECK(reader.finish("SubjectPublicKeyInfo"));
    return key;
}

Result<void> read_tbs(TbsView& view, Bytes tbs) {
    ESTUARY_TRY(auto reader, der::enter_only(tbs, Tag::sequence, "TBSCertificate"));
    ESTUARY_CHECK(read_version(view, reader));
    ESTUARY_TRY(view.serial_number, reader.integer_octets());
    ESTUARY_TRY(view.signature, read_algorithm(reader));
    ESTUARY_TRY(const auto issuer, reader.element(Tag::sequence));
    view.issuer = issuer.whole;
    ESTUARY_CHECK(read_validity(view, reader));
    ESTUARY_CHECK(read_subject(view, reader));
    ESTUARY_TRY(const auto spki, reader.element(Tag::sequence));
    ESTUARY_TRY(view.key, read_key_info(spki.whole));
    ESTUARY_CHECK(read_unique_ids(view, reader));
    ESTUARY_CHECK(read_extensions(view, reader));
    ESTUARY_CHECK(reader.finish("TBSCertificate"));
    read_extension_values(view);
    return {};
}

}  // namespace estuary::x509::lint
