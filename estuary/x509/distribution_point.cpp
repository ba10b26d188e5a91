#include "estuary/x509/distribution_point.h"

#include "estuary/x509/general_name.h"

namespace estuary::x509 {
namespace {

using der::Reader;
using der::Tag;
using der::Writer;

constexpr std::size_t points_max = 64;

/// A Name of `issuer`'s RDNs and one more.
ByteVec name_below(Bytes issuer, Bytes fragment) {
    Writer writer;
    Reader reader{issuer};
    const auto rdns = reader.content(Tag::sequence);
    writer.sequence([&] { writer.raw(rdns ? *rdns : Bytes{}).primitive(Tag::set, fragment); });
    return std::move(writer).take();
}

// Tags on a CHOICE are EXPLICIT, so the name comes in two wrappings: [0] { [0] GeneralNames } or [0] { [1] RDN }.
Result<DistributionPointName> read_name(Bytes content) {
    Reader reader{content};
    DistributionPointName name;
    ESTUARY_TRY(const auto relative, reader.element_if(der::context_constructed(1)));
    if (relative) {
        ESTUARY_CHECK(Name::parse(name_below(Name{}.der(), relative->content)));
        name.relative_name = to_vec(relative->content);
    } else {
        ESTUARY_TRY(const auto full, reader.content(der::context_constructed(0)));
        ESTUARY_TRY(name.full_name, read_general_names(full));
    }
    ESTUARY_CHECK(reader.finish("DistributionPointName"));
    return name;
}

/// [number] IMPLICIT ReasonFlags
Result<std::optional<ReasonFlags>> read_reasons_if(Reader& reader, unsigned number) {
    ESTUARY_TRY(const auto element, reader.element_if(der::context(number)));
    if (!element) return std::optional<ReasonFlags>{};
    auto retagged = to_vec(element->whole);
    retagged[0] = static_cast<std::uint8_t>(Tag::bit_string);
    Reader bits{retagged};
    ESTUARY_TRY(const auto reasons, bits.named_bits());
    return std::optional{reasons};
}

void write_reasons(Writer& writer, unsigned number, ReasonFlags reasons) {
    Writer bits;
    bits.named_bits(reasons);
    auto retagged = std::move(bits).take();
    retagged[0] = static_cast<std::uint8_t>(der::context(number));
    writer.raw(retagged);
}

/// [number] IMPLICIT BOOLEAN DEFAULT FALSE: TRUE is FF, FALSE is absent (X.690 11.1, 11.5).
Result<bool> read_flag(Reader& reader, unsigned number) {
    ESTUARY_TRY(const auto element, reader.element_if(der::context(number)));
    if (!element) return false;
    if (element->content.size() != 1 || element->content[0] != 0xFF)
        return fail(Code::malformed, "issuingDistributionPoint: a flag that is present is not TRUE (FF)");
    return true;
}

void write_flag(Writer& writer, unsigned number, bool value) {
    constexpr std::uint8_t on = 0xFF;
    if (value) writer.primitive(der::context(number), {&on, 1});
}

// DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
//     reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL }
Result<DistributionPoint> read_point(Reader& list) {
    ESTUARY_TRY(auto reader, list.enter(Tag::sequence));
    DistributionPoint point;
    ESTUARY_TRY(point.name, read_distribution_point_name(reader));
    ESTUARY_TRY(point.reasons, read_reasons_if(reader, 1));
    ESTUARY_TRY(const auto issuer, reader.element_if(der::context_constructed(2)));
    if (issuer) {
        ESTUARY_TRY(point.crl_issuer, read_general_names(issuer->content));
    }
    ESTUARY_CHECK(reader.finish("DistributionPoint"));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.13
    //# While each of these fields is optional, a DistributionPoint MUST NOT
    //# consist of only the reasons field; either distributionPoint or
    //# cRLIssuer MUST be present.
    if (!point.name && !issuer) return fail(Code::malformed, "a distribution point with neither name nor cRLIssuer");
    return point;
}

bool match(const GeneralName& a, const GeneralName& b) {
    if (a == b) return true;
    if (a.kind != GeneralName::Kind::directory || b.kind != GeneralName::Kind::directory) return false;
    const auto first = Name::parse(a.value), second = Name::parse(b.value);
    return first && second && first->matches(*second);
}

}  // namespace

Result<std::optional<DistributionPointName>> read_distribution_point_name(Reader& reader) {
    ESTUARY_TRY(const auto wrapper, reader.element_if(der::context_constructed(0)));
    if (!wrapper) return std::optional<DistributionPointName>{};
    ESTUARY_TRY(auto name, read_name(wrapper->content));
    return std::optional{std::move(name)};
}

void write_distribution_point_name(Writer& writer, const DistributionPointName& name) {
    writer.constructed(der::context_constructed(0), [&] {
        if (!name.relative_name.empty()) {
            writer.primitive(der::context_constructed(1), name.relative_name);
            return;
        }
        writer.constructed(der::context_constructed(0), [&] {
            for (const auto& one : name.full_name) one.write(writer);
        });
    });
}

std::vector<GeneralName> DistributionPointName::names_below(const Name& issuer) const {
    if (relative_name.empty()) return full_name;
    return {{GeneralName::Kind::directory, name_below(issuer.der(), relative_name)}};
}

std::vector<std::string> DistributionPointName::uris() const {
    std::vector<std::string> out;
    for (const auto& name : full_name)
        if (name.kind == GeneralName::Kind::uri) out.push_back(estuary::to_string(Bytes{name.value}));
    return out;
}

// CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
Result<std::vector<DistributionPoint>> parse_crl_distribution_points(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "distribution points"));
    std::vector<DistributionPoint> points;
    while (!reader.empty()) {
        if (points.size() == points_max) return fail(Code::too_large, "more than 64 distribution points");
        ESTUARY_TRY(points.emplace_back(), read_point(reader));
    }
    if (points.empty()) return fail(Code::malformed, "no distribution point in the extension");
    return points;
}

Extension make_freshest_crl(const std::vector<std::string>& uris) {
    auto extension = make_crl_distribution_points(uris);  // the same syntax
    extension.id = oid::freshest_crl;
    return extension;
}

// IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
//     onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE, onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE,
//     onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] BOOLEAN DEFAULT FALSE,
//     onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
Result<IssuingDistributionPoint> parse_issuing_distribution_point(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "issuingDistributionPoint"));
    IssuingDistributionPoint scope;
    ESTUARY_TRY(scope.name, read_distribution_point_name(reader));
    ESTUARY_TRY(scope.only_user_certificates, read_flag(reader, 1));
    ESTUARY_TRY(scope.only_ca_certificates, read_flag(reader, 2));
    ESTUARY_TRY(scope.only_some_reasons, read_reasons_if(reader, 3));
    ESTUARY_TRY(scope.indirect, read_flag(reader, 4));
    ESTUARY_TRY(scope.only_attribute_certificates, read_flag(reader, 5));
    ESTUARY_CHECK(reader.finish("issuingDistributionPoint"));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.5
    //# -- at most one of onlyContainsUserCerts, onlyContainsCACerts,
    //# -- and onlyContainsAttributeCerts may be set to TRUE.
    if (scope.only_user_certificates + scope.only_ca_certificates + scope.only_attribute_certificates > 1)
        return fail(Code::malformed, "issuingDistributionPoint: more than one kind of certificate is the only one");
    return scope;
}

Extension make_issuing_distribution_point(const IssuingDistributionPoint& scope) {
    Writer writer;
    writer.sequence([&] {
        if (scope.name) write_distribution_point_name(writer, *scope.name);
        write_flag(writer, 1, scope.only_user_certificates);
        write_flag(writer, 2, scope.only_ca_certificates);
        if (scope.only_some_reasons) write_reasons(writer, 3, *scope.only_some_reasons);
        write_flag(writer, 4, scope.indirect);
        write_flag(writer, 5, scope.only_attribute_certificates);
    });
    return {oid::issuing_distribution_point, true, std::move(writer).take()};
}

Result<std::vector<DistributionPoint>> distribution_points(const std::vector<Extension>& extensions, const der::Oid& id) {
    const auto* extension = find(extensions, id);
    if (extension == nullptr) return std::vector<DistributionPoint>{};
    return parse_crl_distribution_points(extension->value);
}

Result<std::vector<std::string>> crl_uris(const std::vector<Extension>& extensions, const der::Oid& id) {
    ESTUARY_TRY(const auto points, distribution_points(extensions, id));
    std::vector<std::string> uris;
    for (const auto& point : points)
        if (point.name) std::ranges::copy(point.name->uris(), std::back_inserter(uris));
    return uris;
}

Result<AuthorityInfoAccess> authority_info_access(const std::vector<Extension>& extensions) {
    const auto* extension = find(extensions, oid::authority_info_access);
    if (extension == nullptr) return AuthorityInfoAccess{};
    return parse_authority_info_access(extension->value);
}

bool have_name_in_common(const std::vector<GeneralName>& a, const std::vector<GeneralName>& b) {
    return std::ranges::any_of(
        a, [&](const auto& one) { return std::ranges::any_of(b, [&](const auto& other) { return match(one, other); }); });
}

}  // namespace estuary::x509
