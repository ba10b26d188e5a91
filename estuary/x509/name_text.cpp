// Names as text: RFC 4514, and the slashed form that OpenSSL's commands take.
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/x509/name.h"
#include "estuary/x509/name_attributes.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;

tl::unexpected<Error> malformed_name(std::string detail) { return fail(Code::malformed, "name: " + std::move(detail)); }

/// Reads a name's text from front to back. The two forms differ in what separates RDNs.
class TextReader {
public:
    TextReader(std::string_view text, char separator) : rest_{text}, separator_{separator} {}

    bool at_end() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void skip_blanks() {
        while (take(' ')) {
        }
    }
    /// The attribute type, up to '='.
    Result<std::string_view> type() {
        const auto end = rest_.find('=');
        const auto found = rest_.substr(0, end);
        if (end == std::string_view::npos)
            return malformed_name("'" + text::printable(found) + "' has no '='; a separator inside a value is escaped with '\\'");
        rest_.remove_prefix(end + 1);
        return text::trim(found);
    }
    /// A value up to an unescaped separator, unescaped; blanks at its ends that are not escaped are dropped.
    Result<std::string> value();

private:
    bool at_separator() const { return rest_.empty() || rest_[0] == separator_ || rest_[0] == '+'; }
    Result<void> take_escape(std::string& out);

    std::string_view rest_;
    char separator_;
};

int hex_digit(char c) {
    const auto digits = std::string_view{"0123456789abcdef"}.find(text::lower(c));
    return digits == std::string_view::npos ? -1 : static_cast<int>(digits);
}

// pair = ESC ( ESC / special / hexpair )   -- RFC 4514 section 3
Result<void> TextReader::take_escape(std::string& out) {
    if (rest_.empty()) return malformed_name("ends in a '\\'");
    const int high = hex_digit(rest_[0]);
    const int low = rest_.size() > 1 ? hex_digit(rest_[1]) : -1;
    if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        rest_.remove_prefix(2);
        return {};
    }
    if (std::string_view{" \"#=+,;<>\\/"}.find(rest_[0]) == std::string_view::npos)
        return malformed_name("'\\' before a character that needs none");
    out += rest_[0];
    rest_.remove_prefix(1);
    return {};
}

Result<std::string> TextReader::value() {
    skip_blanks();
    std::string out;
    std::size_t kept = 0;  // octets up to the last that is no unescaped blank
    while (!at_separator()) {
        const char c = rest_[0];
        rest_.remove_prefix(1);
        if (c == '\\') {
            ESTUARY_CHECK(take_escape(out));
            kept = out.size();
            continue;
        }
        if (separator_ == ',' && std::string_view{"\";<>"}.find(c) != std::string_view::npos)
            return malformed_name(std::string{"'"} + c + "' is escaped with '\\' (RFC 4514)");
        if (c == '\0') return malformed_name("NUL character");
        out += c;
        if (c != ' ') kept = out.size();
    }
    out.resize(kept);
    return out;
}

/// One AttributeTypeAndValue in DER.
Result<ByteVec> encode_attribute(const der::Oid& type, Bytes value) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(type);
        writer.raw(value);
    });
    return std::move(writer).take();
}

/// The value's DER from '#' and hexadecimal digits: exactly one element.
Result<ByteVec> value_from_hex(std::string_view digits) {
    auto der = from_hex(digits);
    if (!der || der->empty() || !der::check_der(*der, "value")) return malformed_name("'#' is followed by hexadecimal DER");
    return std::move(*der);
}

Result<ByteVec> value_from_text(const AttributeRule* rule, std::string_view type, std::string_view value) {
    const auto tag = rule != nullptr ? rule->written_as : Tag::utf8_string;
    if ((tag == Tag::printable_string && !strings::is_printable_string(value)) ||
        (tag == Tag::ia5_string && !strings::is_ascii(value)))
        return malformed_name(std::string{type} + " holds only " +
                              (tag == Tag::ia5_string ? "ASCII" : "letters, digits, blanks and '()+,-./:=?"));
    der::Writer writer;
    writer.primitive(tag, as_bytes(value));
    return std::move(writer).take();
}

Result<ByteVec> read_attribute(TextReader& reader) {
    ESTUARY_TRY(const auto type, reader.type());
    const auto* rule = attribute_rule(type);
    auto parsed = rule != nullptr ? Result<der::Oid>{rule->type} : der::Oid::parse(type);
    if (!parsed) return malformed_name("'" + text::printable(type) + "' is no attribute type known here; write its OID");
    reader.skip_blanks();
    const bool hexadecimal = reader.take('#');
    ESTUARY_TRY(const auto value, reader.value());
    ESTUARY_TRY(const auto der, hexadecimal ? value_from_hex(value) : value_from_text(rule, type, value));
    return encode_attribute(*parsed, der);
}

/// One RDN: attributes joined by '+', in DER order.
Result<ByteVec> read_rdn(TextReader& reader) {
    std::vector<ByteVec> attributes;
    do {
        ESTUARY_TRY(attributes.emplace_back(), read_attribute(reader));
    } while (reader.take('+'));
    std::ranges::sort(attributes);
    der::Writer writer;
    writer.constructed(Tag::set, [&] {
        for (const auto& attribute : attributes) writer.raw(attribute);
    });
    return std::move(writer).take();
}

Result<std::vector<ByteVec>> read_rdns(TextReader reader, char separator) {
    std::vector<ByteVec> rdns;
    do {
        ESTUARY_TRY(rdns.emplace_back(), read_rdn(reader));
    } while (reader.take(separator));
    return rdns;
}

bool is_special(char32_t c) {
    return c < 0x80 && std::string_view{"\"+,;<>\\"}.find(static_cast<char>(c)) != std::string_view::npos;
}

/// RFC 4514 2.4: specials after '\', and whatever a terminal or a reader might be deceived by as octets in hexadecimal.
std::string escaped(std::string_view value) {
    std::string out;
    for (std::string_view rest = value; !rest.empty();) {
        const auto before = rest;
        const auto character = strings::take_character(rest);
        if (!character) break;  // text() gives well-formed UTF-8 only
        const auto octets = before.substr(0, before.size() - rest.size());
        const bool outer_blank = *character == ' ' && (before.size() == value.size() || rest.empty());
        const bool leading_hash = *character == '#' && before.size() == value.size();
        if (strings::is_deceptive(*character)) {
            for (const char octet : octets) out += fmt::format("\\{:02X}", static_cast<unsigned char>(octet));
        } else {
            if (outer_blank || leading_hash || is_special(*character)) out += '\\';
            out += octets;
        }
    }
    return out;
}

std::string to_text(const AttributeTypeAndValue& attribute) {
    const auto* rule = attribute_rule(attribute.type);
    const auto text = attribute.text();
    // RFC 4514 2.4: a type written as a dotted OID has its value in hexadecimal.
    if (rule == nullptr || !text) {
        const auto type = rule != nullptr ? std::string{rule->short_name} : attribute.type.dotted();
        return type + "=" + hex_value(attribute);
    }
    return std::string{rule->short_name} + "=" + escaped(*text);
}

}  // namespace

std::string hex_value(const AttributeTypeAndValue& attribute) {
    der::Writer writer;
    writer.primitive(attribute.tag, attribute.value);
    return "#" + to_hex(writer.bytes());
}

Result<Name> Name::from_text(std::string_view text) {
    constexpr std::size_t text_bytes_max = 32 * 1024;  // four characters an octet of the largest name
    if (text.size() > text_bytes_max) return fail(Code::too_large, "name: text longer than 32768 octets");
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const bool slashed = text.starts_with('/');
    if (slashed) text.remove_prefix(1);
    if (text.empty()) return Name{};
    const char separator = slashed ? '/' : ',';
    ESTUARY_TRY(auto rdns, read_rdns(TextReader{text, separator}, separator));
    if (!slashed) std::ranges::reverse(rdns);  // RFC 4514 2.1: the last RDN comes first
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& rdn : rdns) writer.raw(rdn);
    });
    return parse(writer.bytes());
}

std::string Name::to_text() const {
    std::string out;
    const auto all = rdns();
    for (auto rdn = all.rbegin(); rdn != all.rend(); ++rdn) {
        if (rdn != all.rbegin()) out += ',';
        for (const auto& attribute : *rdn) {
            if (&attribute != &rdn->front()) out += '+';
            out += x509::to_text(attribute);
        }
    }
    return out;
}

}  // namespace estuary::x509
