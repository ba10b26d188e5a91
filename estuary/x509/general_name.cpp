#include "estuary/x509/general_name.h"

#include <arpa/inet.h>

#include <array>
#include <bit>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/x509/name.h"
#include "estuary/x509/oids.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using Kind = GeneralName::Kind;

constexpr std::size_t general_names_max = 256;
constexpr std::size_t general_name_bytes_max = 16 * 1024;  // twice the largest Name

bool is_text(Kind kind) noexcept { return kind == Kind::email || kind == Kind::dns || kind == Kind::uri; }

/// IMPLICIT tags of the CHOICE; directoryName is EXPLICIT since Name is itself a CHOICE.
Tag tag_of(Kind kind) noexcept {
    const auto number = static_cast<unsigned>(kind);
    switch (kind) {
        case Kind::other_name:
        case Kind::x400:
        case Kind::directory:
        case Kind::edi: return der::context_constructed(number);
        case Kind::email:
        case Kind::dns:
        case Kind::uri:
        case Kind::ip:
        case Kind::registered_id: return der::context(number);
    }
    return der::context(number);
}

std::optional<Kind> kind_of(Tag tag) noexcept {
    const auto kind = static_cast<Kind>(static_cast<std::uint8_t>(tag) & 0x1F);
    if ((static_cast<std::uint8_t>(tag) & 0x1F) > static_cast<std::uint8_t>(Kind::registered_id) || tag_of(kind) != tag)
        return std::nullopt;
    return kind;
}

struct OtherName {
    der::Oid type;
    der::Element value;
};

// OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY DEFINED BY type-id }
Result<OtherName> read_other_name(Bytes content) {
    der::Reader reader{content};
    ESTUARY_TRY(const auto type, reader.oid());
    ESTUARY_TRY(auto inner, reader.enter(der::context_constructed(0)));
    ESTUARY_TRY(const auto value, inner.any());
    ESTUARY_CHECK(inner.finish("otherName value"));
    ESTUARY_CHECK(reader.finish("otherName"));
    ESTUARY_CHECK(der::check_der(value.whole, "otherName value"));
    return OtherName{type, value};
}

ByteVec encode_other_name(const der::Oid& type, Bytes value) {
    der::Writer writer;
    writer.oid(type);
    writer.constructed(der::context_constructed(0), [&] { writer.raw(value); });
    return std::move(writer).take();
}

Result<void> check_elements(Bytes content) {
    for (der::Reader reader{content}; !reader.empty();) {
        ESTUARY_TRY(const auto element, reader.any());
        ESTUARY_CHECK(der::check_der(element.whole, "GeneralName"));
    }
    return {};
}

/// What holds of every GeneralName, in a subjectAltName or in name constraints.
Result<void> check_encoding(Kind kind, Bytes content) {
    switch (kind) {
        case Kind::other_name: ESTUARY_CHECK(read_other_name(content)); return {};
        case Kind::email:
        case Kind::dns:
        case Kind::uri:
            if (!strings::is_ascii(as_text(content)))
                return fail(Code::malformed, "not ASCII; internationalised names are written in punycode (xn--…)");
            if (std::ranges::find(content, std::uint8_t{0}) != content.end()) return fail(Code::malformed, "NUL character");
            return {};
        case Kind::ip:
            if (content.size() != 4 && content.size() != 8 && content.size() != 16 && content.size() != 32)
                return fail(Code::malformed, fmt::format("address of {} octets", content.size()));
            return {};
        case Kind::directory: ESTUARY_CHECK(Name::parse(content)); return {};
        case Kind::registered_id: ESTUARY_CHECK(der::Oid::from_content(content)); return {};
        case Kind::x400:
        case Kind::edi: return check_elements(content);
    }
    return {};
}

std::string address_text(Bytes octets) {
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (::inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), out.data(), out.size()) == nullptr) return {};
    return out.data();
}

/// The number of leading one bits, if nothing but zeros follows.
std::optional<int> prefix_length(Bytes mask) {
    int bits = 0;
    bool ended = false;
    for (const auto octet : mask) {
        const int ones = std::countl_one(octet);
        if (static_cast<std::uint8_t>(octet << ones) != 0 || (ended && octet != 0)) return std::nullopt;
        bits += ones;
        ended = ended || ones != 8;
    }
    return bits;
}

/// "192.0.2.1", or "192.0.2.0/24" for a subtree of name constraints.
std::string ip_text(Bytes octets) {
    if (octets.size() == 4 || octets.size() == 16) return address_text(octets);
    if (octets.size() != 8 && octets.size() != 32) return "#" + to_hex(octets);
    const auto half = octets.size() / 2;
    const auto mask = octets.subspan(half);
    const auto bits = prefix_length(mask);
    return address_text(octets.first(half)) + "/" + (bits ? fmt::format("{}", *bits) : address_text(mask));
}

std::optional<ByteVec> ip_from_text(std::string_view text) {
    const std::string terminated{text};
    ByteVec octets(text.find(':') == std::string_view::npos ? 4 : 16);
    if (terminated.find('\0') != std::string::npos) return std::nullopt;
    if (::inet_pton(octets.size() == 4 ? AF_INET : AF_INET6, terminated.c_str(), octets.data()) != 1) return std::nullopt;
    return octets;
}

std::string other_name_text(Bytes content) {
    const auto other = read_other_name(content);
    if (!other) return "othername:#" + to_hex(content);
    if (other->type == oid::on_user_principal_name && other->value.tag == Tag::utf8_string)
        return "upn:" + text::printable(as_text(other->value.content));
    return "othername:" + other->type.dotted() + "#" + to_hex(other->value.whole);
}

Result<GeneralName> other_name_from_text(std::string_view text) {
    const auto hash = text.find('#');
    if (hash == std::string_view::npos) return fail(Code::malformed, "othername is an OID, '#', and DER in hexadecimal");
    ESTUARY_TRY(const auto type, der::Oid::parse(text.substr(0, hash)));
    ESTUARY_TRY(const auto value, from_hex(text.substr(hash + 1)));
    return GeneralName{Kind::other_name, encode_other_name(type, value)};
}

Result<GeneralName> principal_name_from_text(std::string_view text) {
    const auto at = text.find('@');
    if (!text::is_plain_utf8(text) || at == 0 || at == std::string_view::npos || at + 1 == text.size())
        return fail(Code::malformed, "upn is user@realm");
    der::Writer value;
    value.utf8_string(text);
    return GeneralName{Kind::other_name, encode_other_name(oid::on_user_principal_name, value.bytes())};
}

/// After a prefix that names the kind; not yet checked.
Result<GeneralName> from_prefixed(std::string_view prefix, std::string_view text) {
    if (prefix == "dns") return GeneralName{Kind::dns, to_vec(as_bytes(text))};
    if (prefix == "email") return GeneralName{Kind::email, to_vec(as_bytes(text))};
    if (prefix == "uri") return GeneralName{Kind::uri, to_vec(as_bytes(text))};
    if (prefix == "upn") return principal_name_from_text(text);
    if (prefix == "othername") return other_name_from_text(text);
    if (prefix == "ip") {
        auto octets = ip_from_text(text);
        if (!octets) return fail(Code::malformed, "'" + text::printable(text) + "' is no IP address");
        return GeneralName{Kind::ip, std::move(*octets)};
    }
    if (prefix == "dirname") {
        ESTUARY_TRY(const auto name, Name::from_text(text));
        return GeneralName{Kind::directory, to_vec(name.der())};
    }
    ESTUARY_TRY(const auto oid, der::Oid::parse(text));
    return GeneralName{Kind::registered_id, to_vec(oid.content())};
}

bool is_prefix(std::string_view prefix) {
    constexpr std::array<std::string_view, 8> prefixes{"dns", "email", "uri", "ip", "dirname", "rid", "upn", "othername"};
    return std::ranges::find(prefixes, prefix) != prefixes.end();
}

/// Without a prefix: by the looks of it.
GeneralName from_bare(std::string_view text) {
    if (auto address = ip_from_text(text)) return {Kind::ip, std::move(*address)};
    if (text.find("://") != std::string_view::npos) return {Kind::uri, to_vec(as_bytes(text))};
    if (text.find('@') != std::string_view::npos) return {Kind::email, to_vec(as_bytes(text))};
    return {Kind::dns, to_vec(as_bytes(text))};
}

}  // namespace

Result<GeneralName> GeneralName::read(der::Reader& reader) {
    ESTUARY_TRY(const auto element, reader.any());
    const auto kind = kind_of(element.tag);
    if (!kind) return fail(Code::malformed, fmt::format("GeneralName: unknown tag {:02x}", static_cast<unsigned>(element.tag)));
    if (element.whole.size() > general_name_bytes_max)
        return fail(Code::too_large, fmt::format("GeneralName: larger than {} octets", general_name_bytes_max));
    if (auto ok = check_encoding(*kind, element.content); !ok) return fail(in_context("GeneralName", std::move(ok).error()));
    return GeneralName{*kind, to_vec(element.content)};
}

void GeneralName::write(der::Writer& writer) const { writer.primitive(tag_of(kind), value); }

Result<GeneralName> GeneralName::from_text(std::string_view text) {
    const auto colon = text.find(':');
    const auto prefix = text::lower(text.substr(0, colon));
    Result<GeneralName> name = colon != std::string_view::npos && is_prefix(prefix)
                                   ? from_prefixed(prefix, text.substr(colon + 1))
                                   : Result<GeneralName>{from_bare(text)};
    if (!name) return name;
    ESTUARY_CHECK(name->check());
    return name;
}

std::string GeneralName::to_text() const {
    switch (kind) {
        case Kind::other_name: return other_name_text(value);
        case Kind::email: return "email:" + text::printable(as_text(value));
        case Kind::dns: return "dns:" + text::printable(as_text(value));
        case Kind::uri: return "uri:" + text::printable(as_text(value));
        case Kind::ip: return "ip:" + ip_text(value);
        case Kind::x400: return "x400:#" + to_hex(value);
        case Kind::edi: return "edi:#" + to_hex(value);
        case Kind::directory: {
            const auto name = Name::parse(value);
            return "dirname:" + (name ? name->to_text() : "#" + to_hex(value));
        }
        case Kind::registered_id: {
            const auto oid = der::Oid::from_content(value);
            return "rid:" + (oid ? oid->dotted() : "#" + to_hex(value));
        }
    }
    return {};
}

Result<void> GeneralName::check() const {
    if (!is_text(kind)) ESTUARY_CHECK(check_encoding(kind, value));
    switch (kind) {
        case Kind::dns: return check_dns_name(as_text(value), true);
        case Kind::email: return check_mailbox(as_text(value));
        case Kind::uri: return check_uri(as_text(value));
        case Kind::ip:
            if (value.size() != 4 && value.size() != 16) return fail(Code::malformed, "an IP address has 4 or 16 octets");
            return {};
        case Kind::directory:
            if (same(value, Name{}.der())) return fail(Code::malformed, "directoryName is empty");
            return {};
        case Kind::other_name:
        case Kind::x400:
        case Kind::edi:
        case Kind::registered_id: return {};
    }
    return {};
}

Result<std::vector<GeneralName>> read_general_names(Bytes content) {
    std::vector<GeneralName> names;
    for (der::Reader reader{content}; !reader.empty();) {
        if (names.size() == general_names_max)
            return fail(Code::too_large, fmt::format("more than {} GeneralNames", general_names_max));
        ESTUARY_TRY(names.emplace_back(), GeneralName::read(reader));
    }
    if (names.empty()) return fail(Code::malformed, "GeneralNames is empty");
    return names;
}

Result<std::vector<GeneralName>> parse_general_names(Bytes der) {
    ESTUARY_TRY(const auto reader, der::enter_only(der, Tag::sequence, "GeneralNames"));
    return read_general_names(reader.rest());
}

ByteVec write_general_names(const std::vector<GeneralName>& names) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& name : names) name.write(writer);
    });
    return std::move(writer).take();
}

}  // namespace estuary::x509
