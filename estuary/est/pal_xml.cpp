// The PAL in XML (RFC 8295 2.1.2): written by hand, read by Expat.
#include <expat.h>
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/handle.h"
#include "estuary/base/text.h"
#include "estuary/est/pal_node.h"

namespace estuary::est {
namespace {

using detail::PalNode;

constexpr std::string_view pal_namespace = "urn:ietf:params:xml:ns:pal";
constexpr char separator = '\n';           // between namespace and name: occurs in neither

// Writing

/// Everything that has a meaning in XML. Control characters have no place in it at all, and none in our texts.
std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&apos;"; break;
            default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return out;
}

std::string element(std::string_view name, std::string_view text) { return fmt::format("<{0}>{1}</{0}>", name, escaped(text)); }

struct XmlInfoWriter {
    std::string operator()(const PalDn& dn) const { return element("dn", dn.text); }
    std::string operator()(const PalSki& ski) const { return element("ski", to_hex(ski.octets)); }
    std::string operator()(const PalUri& uri) const { return element("uri", uri.text); }
    std::string operator()(const PalIssuerAndSerial& iasn) const {
        return "<iasn>" + element("issuer", iasn.issuer) + element("serial", iasn.serial) + "</iasn>";
    }
};

// Reading

/// Builds the tree while Expat reads. The first fault stops it.
class XmlTreeBuilder {
public:
    explicit XmlTreeBuilder(XML_Parser parser) : parser_{parser} {
        XML_SetUserData(parser, this);
        XML_SetElementHandler(
            parser, [](void* self, const XML_Char* name, const XML_Char** attributes) { of(self).open(name, attributes); },
            [](void* self, const XML_Char*) { of(self).close(); });
        XML_SetCharacterDataHandler(parser, [](void* self, const XML_Char* text, int length) {
            of(self).characters({text, static_cast<std::size_t>(length)});
        });
        // No document type: no entities of its own, nothing to be expanded or fetched.
        XML_SetStartDoctypeDeclHandler(parser, [](void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
            of(self).stop({Code::malformed, "PAL: a document type is not allowed"});
        });
    }
    const std::optional<Error>& error() const noexcept { return error_; }
    PalNode take() { return std::move(root_); }

private:
    static XmlTreeBuilder& of(void* self) { return *static_cast<XmlTreeBuilder*>(self); }

    void stop(Error error) {
        if (!error_) error_ = std::move(error);
        XML_StopParser(parser_, XML_FALSE);
    }

    void open(std::string_view qualified, const XML_Char** attributes) {
        if (error_) return;
        const auto cut = qualified.find(separator);
        if (cut == std::string_view::npos || qualified.substr(0, cut) != pal_namespace)
            return stop({Code::malformed, "PAL: an element is not in the namespace " + std::string{pal_namespace}});
        // xsi:schemaLocation and its kin say nothing about packages; attributes of the schema's own there are none.
        for (; *attributes != nullptr; attributes += 2)
            if (std::string_view{*attributes}.find(separator) == std::string_view::npos)
                return stop({Code::malformed, "PAL: an attribute that the schema does not have"});
        if (open_.size() == detail::pal_depth_max) return stop({Code::malformed, "PAL: elements too deep inside of each other"});
        const auto name = qualified.substr(cut + 1);
        if (!open_.empty() && name_of_depth(open_.size()) && *name_of_depth(open_.size()) != name)
            return stop({Code::malformed, fmt::format("PAL: '{}' is not known here", text::printable(name.substr(0, 64)))});
        if (open_.empty()) {
            if (name != "pal") return stop({Code::malformed, "PAL: the outermost element is not 'pal'"});
            root_.kind = PalNode::Kind::parent;
            open_.push_back(&root_);
            return;
        }
        auto& parent = *open_.back();
        const auto count_max = open_.size() == 1 ? detail::pal_entries_max : std::size_t{8};
        if (parent.children.size() == count_max) return stop({Code::too_large, "PAL: too many elements"});
        if (text::trim(parent.text).size() != 0) return stop({Code::malformed, "PAL: text beside elements"});
        parent.kind = PalNode::Kind::parent;
        parent.children.push_back({std::string{name}, PalNode::Kind::text, {}, {}});
        open_.push_back(&parent.children.back());  // the vector does not grow while this one is open
    }

    /// Entries have one name; what stands in them is looked at afterwards.
    static std::optional<std::string_view> name_of_depth(std::size_t depth) {
        return depth == 1 ? std::optional<std::string_view>{"message"} : std::nullopt;
    }

    void close() {
        if (!error_) open_.pop_back();
    }

    void characters(std::string_view more) {
        if (error_ || open_.empty()) return;
        auto& node = *open_.back();
        if (node.kind == PalNode::Kind::parent) {
            if (!text::trim(more).empty()) stop({Code::malformed, "PAL: text beside elements"});
            return;
        }
        if (node.text.size() + more.size() > detail::pal_text_octets_max) return stop({Code::too_large, "PAL: a text is too long"});
        node.text += more;
    }

    XML_Parser parser_;
    PalNode root_;
    std::vector<PalNode*> open_;
    std::optional<Error> error_;
};

}  // namespace

std::string Pal::to_xml() const {
    std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<pal xmlns=\"{}\">\n", pal_namespace);
    for (const auto& entry : entries) {
        out += "  <message>" + element("type", entry.type);
        if (entry.date) out += element("date", to_iso8601(*entry.date));
        out += element("size", std::to_string(entry.size)) + "<info>" + std::visit(XmlInfoWriter{}, entry.info) + "</info></message>\n";
    }
    return out + "</pal>\n";
}

Result<Pal> Pal::parse_xml(std::string_view text) {
    if (text.size() > detail::pal_octets_max) return fail(Code::too_large, "PAL: too long");
    const Handle<XML_ParserStruct, XML_ParserFree> parser{XML_ParserCreateNS("UTF-8", separator)};
    if (!parser) return fail(Code::internal, "PAL: no memory for a parser");
    XmlTreeBuilder builder{parser.get()};
    const auto status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (builder.error()) return fail(*builder.error());
    if (status != XML_STATUS_OK)
        return fail(Code::malformed, fmt::format("PAL: line {}: {}", XML_GetCurrentLineNumber(parser.get()),
                                                 XML_ErrorString(XML_GetErrorCode(parser.get()))));
    return detail::pal_of(builder.take(), false);
}

}  // namespace estuary::est
