// What both forms of the PAL mean (RFC 8295 2.1).
#include <charconv>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/est/pal_node.h"

namespace estuary::est::detail {
namespace {

using Kind = PalNode::Kind;

constexpr std::size_t text_characters_max = 1024;  // DistinguishedName, SubjectKeyIdentifier, ThisURI of the schema
constexpr std::size_t serial_digits_max = 49;      // of 20 octets
constexpr std::string_view earliest_date = "2013-05-23T00:00:00Z";

tl::unexpected<Error> malformed_pal(std::string detail) { return fail(Code::malformed, "PAL: " + std::move(detail)); }

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Reads the children of one node by name, each at most once, and leaves none over.
class Fields {
public:
    Fields(const PalNode& node, bool typed) : node_{node}, typed_{typed}, read_(node.children.size(), false) {}

    /// Null: absent. A second one of the name stays unread, and so is an error at the end.
    const PalNode* find(std::string_view name) {
        for (std::size_t i = 0; i < node_.children.size(); ++i)
            if (node_.children[i].name == name && !read_[i]) {
                read_[i] = true;
                return &node_.children[i];
            }
        return nullptr;
    }
    Result<std::string_view> value(std::string_view name, Kind kind) {
        const auto* child = find(name);
        if (child == nullptr) return malformed_pal(fmt::format("'{}' is missing", name));
        const bool right = child->kind != Kind::parent && (!typed_ || child->kind == kind);
        if (!right) return malformed_pal(fmt::format("'{}' is of the wrong kind", name));
        return text::trim(child->text);
    }
    Result<std::string> text(std::string_view name) {
        ESTUARY_TRY(const auto found, value(name, Kind::text));
        const auto characters = std::ranges::count_if(found, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
        if (static_cast<std::size_t>(characters) > text_characters_max)
            return fail(Code::too_large, fmt::format("PAL: '{}' has more than {} characters", name, text_characters_max));
        if (!estuary::text::is_plain_utf8(found)) return malformed_pal(fmt::format("'{}' is no plain text", name));
        return std::string{found};
    }
    bool typed() const noexcept { return typed_; }
    Result<void> finish() const {
        for (std::size_t i = 0; i < read_.size(); ++i)
            if (!read_[i])
                return malformed_pal(fmt::format("'{}' is not known here, or occurs twice",
                                             estuary::text::printable(node_.children[i].name.substr(0, 64))));
        return {};
    }

private:
    const PalNode& node_;
    bool typed_;
    std::vector<bool> read_;
};

Result<std::string> read_type(Fields& fields) {
    ESTUARY_TRY(auto type, fields.text("type"));
    if (type.size() != 4 || !all_digits(type)) return malformed_pal("'type' is not four digits");
    return type;
}

Result<std::optional<Time>> read_date(Fields& fields, const PalNode& node) {
    const auto named = [](const PalNode& child) { return child.name == "date"; };
    if (std::ranges::none_of(node.children, named)) return std::optional<Time>{};
    ESTUARY_TRY(const auto text, fields.text("date"));
    // Texts of this form are in the order of their times.
    if (text.size() != earliest_date.size() || text < earliest_date) return malformed_pal("'date' is not a time like 2026-11-21T03:38:00Z");
    ESTUARY_TRY(const auto date, parse_iso8601(text));
    return std::optional{date};
}

Result<std::uint64_t> read_size(Fields& fields) {
    ESTUARY_TRY(const auto text, fields.value("size", Kind::number));
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (!all_digits(text) || error != std::errc{} || end != text.data() + text.size()) return malformed_pal("'size' is not a number of octets");
    return size;
}

/// The schema has a positiveInteger; the RFC's own JSON example has 0.
Result<PalIssuerAndSerial> read_iasn(const PalNode& node, bool typed) {
    if (node.kind != Kind::parent) return malformed_pal("'iasn' is of the wrong kind");
    Fields fields{node, typed};
    PalIssuerAndSerial out;
    ESTUARY_TRY(out.issuer, fields.text("issuer"));
    ESTUARY_TRY(auto digits, fields.value("serial", Kind::number));
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    if (!all_digits(digits) || digits.size() > serial_digits_max) return malformed_pal("'serial' is not a serial number");
    out.serial = digits;
    ESTUARY_CHECK(fields.finish());
    return out;
}

Result<PalInfo> read_info(const PalNode* node, bool typed) {
    if (node == nullptr) return malformed_pal("'info' is missing");
    if (node->kind != Kind::parent || node->children.size() != 1) return malformed_pal("'info' must hold one of dn, ski, iasn and uri");
    const auto& only = node->children.front();
    if (only.name == "iasn") return read_iasn(only, typed).map([](PalIssuerAndSerial iasn) { return PalInfo{std::move(iasn)}; });
    Fields fields{*node, typed};
    ESTUARY_TRY(auto text, fields.text(only.name));
    if (only.name == "dn") return PalInfo{PalDn{std::move(text)}};
    if (only.name == "uri") {
        if (text.empty() || text.find_first_of(" <>\"") != std::string::npos) return malformed_pal("'uri' is no URI");
        return PalInfo{PalUri{std::move(text)}};
    }
    if (only.name != "ski") return malformed_pal("'info' must hold one of dn, ski, iasn and uri");
    if (text.find(':') != std::string::npos) return malformed_pal("'ski' is not hexadecimal");
    auto octets = from_hex(text);
    if (!octets) return malformed_pal("'ski' is not hexadecimal");
    return PalInfo{PalSki{std::move(*octets)}};
}

Result<PalEntry> read_entry(const PalNode& node, bool typed) {
    if (node.kind != Kind::parent) return malformed_pal("an entry is of the wrong kind");
    Fields fields{node, typed};
    PalEntry entry;
    ESTUARY_TRY(entry.type, read_type(fields));
    ESTUARY_TRY(entry.date, read_date(fields, node));
    ESTUARY_TRY(entry.size, read_size(fields));
    ESTUARY_TRY(entry.info, read_info(fields.find("info"), typed));
    ESTUARY_CHECK(fields.finish());
    return entry;
}

}  // namespace

Result<Pal> pal_of(const PalNode& root, bool typed) {
    Pal pal;
    for (const auto& node : root.children) {
        ESTUARY_TRY(auto entry, read_entry(node, typed));
        const bool last = entry.type == "0001";
        pal.entries.push_back(std::move(entry));
        if (last) break;
    }
    if (pal.entries.size() == 1 && pal.entries.front().type == "0001")
        return malformed_pal("it holds nothing but a pointer to another one");
    return pal;
}

}  // namespace estuary::est::detail
