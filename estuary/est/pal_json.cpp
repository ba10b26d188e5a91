// The PAL in JSON (RFC 8295 2.1.3). Read event by event: serial numbers are JSON numbers of up to 49 digits, and the digits
// themselves are wanted.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/est/pal_node.h"

namespace estuary::est {
namespace {

using detail::PalNode;
using ErrorCode = boost::system::error_code;
using View = boost::json::string_view;

// Writing

std::string json_text(std::string_view text) { return boost::json::serialize(boost::json::value(View{text.data(), text.size()})); }

struct JsonInfoWriter {
    std::string operator()(const PalDn& dn) const { return "\"dn\": " + json_text(dn.text); }
    std::string operator()(const PalSki& ski) const { return "\"ski\": " + json_text(to_hex(ski.octets)); }
    std::string operator()(const PalUri& uri) const { return "\"uri\": " + json_text(uri.text); }
    std::string operator()(const PalIssuerAndSerial& iasn) const {
        return fmt::format("\"iasn\": {{\"issuer\": {}, \"serial\": {}}}", json_text(iasn.issuer), iasn.serial);
    }
};

std::string written(const PalEntry& entry) {
    auto out = "  {\"type\": " + json_text(entry.type);
    if (entry.date) out += ", \"date\": " + json_text(to_iso8601(*entry.date));
    return out + fmt::format(", \"size\": {}, \"info\": {{{}}}}}", entry.size, std::visit(JsonInfoWriter{}, entry.info));
}

// Reading

/// Boost.JSON's parser calls this; false and an error code stop it.
class JsonTreeBuilder {
public:
    static constexpr std::size_t max_array_size = detail::pal_entries_max;
    static constexpr std::size_t max_object_size = 8;
    static constexpr std::size_t max_string_size = detail::pal_text_octets_max;
    static constexpr std::size_t max_key_size = 64;

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_array_begin(ErrorCode& error) {
        if (!open_.empty()) return stop(error, "an array where none belongs");
        root_.kind = PalNode::Kind::parent;
        open_.push_back(&root_);
        return true;
    }
    bool on_array_end(std::size_t, ErrorCode&) { return leave(); }
    bool on_object_begin(ErrorCode& error) {
        auto* node = next(error);
        if (node == nullptr) return false;
        node->kind = PalNode::Kind::parent;
        open_.push_back(node);
        return true;
    }
    bool on_object_end(std::size_t, ErrorCode&) { return leave(); }
    bool on_key_part(View part, std::size_t, ErrorCode&) { return key_.append(part.data(), part.size()), true; }
    bool on_key(View part, std::size_t size, ErrorCode& error) { return on_key_part(part, size, error); }
    bool on_string_part(View part, std::size_t, ErrorCode&) { return text_.append(part.data(), part.size()), true; }
    bool on_string(View part, std::size_t, ErrorCode& error) { return value(part, PalNode::Kind::text, error); }
    bool on_number_part(View part, ErrorCode& error) {
        if (text_.size() + part.size() > max_string_size) return stop(error, "a number is too long");
        return text_.append(part.data(), part.size()), true;
    }
    bool on_int64(std::int64_t, View part, ErrorCode& error) { return value(part, PalNode::Kind::number, error); }
    bool on_uint64(std::uint64_t, View part, ErrorCode& error) { return value(part, PalNode::Kind::number, error); }
    bool on_double(double, View part, ErrorCode& error) { return value(part, PalNode::Kind::number, error); }
    bool on_bool(bool, ErrorCode& error) { return stop(error, "a truth value where none belongs"); }
    bool on_null(ErrorCode& error) { return stop(error, "null where it does not belong"); }
    bool on_comment_part(View, ErrorCode&) { return true; }
    bool on_comment(View, ErrorCode&) { return true; }

    const std::string& why() const noexcept { return why_; }
    bool complete() const noexcept { return open_.empty() && root_.kind == PalNode::Kind::parent; }
    PalNode take() { return std::move(root_); }

private:
    bool stop(ErrorCode& error, std::string_view why) {
        why_ = why;
        error = boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
        return false;
    }
    bool leave() {
        open_.pop_back();
        return true;
    }
    /// A new child of what is open: an entry of the list, or a member of an object.
    PalNode* next(ErrorCode& error) {
        if (open_.empty()) {
            stop(error, "it is not an array");
            return nullptr;
        }
        auto& parent = *open_.back();
        parent.children.push_back({open_.size() == 1 ? std::string{"message"} : std::move(key_), PalNode::Kind::text, {}, {}});
        key_.clear();
        return &parent.children.back();
    }
    bool value(View last_part, PalNode::Kind kind, ErrorCode& error) {
        auto* node = next(error);
        if (node == nullptr) return false;
        node->kind = kind;
        node->text = std::move(text_);
        node->text.append(last_part.data(), last_part.size());
        text_.clear();
        return true;
    }

    PalNode root_;
    std::vector<PalNode*> open_;
    std::string key_, text_, why_;
};

}  // namespace

std::string Pal::to_json() const {
    std::string out = "[\n";
    for (std::size_t i = 0; i < entries.size(); ++i) out += written(entries[i]) + (i + 1 < entries.size() ? ",\n" : "\n");
    return out + "]\n";
}

Result<Pal> Pal::parse_json(std::string_view text) {
    if (text.size() > detail::pal_octets_max) return fail(Code::too_large, "PAL: too long");
    boost::json::parse_options options;
    options.max_depth = detail::pal_depth_max;
    boost::json::basic_parser<JsonTreeBuilder> parser{options};
    ErrorCode error;
    const auto used = parser.write_some(false, text.data(), text.size(), error);
    auto& builder = parser.handler();
    if (error) return fail(Code::malformed, "PAL: " + (builder.why().empty() ? error.message() : builder.why()));
    if (used != text.size() || !builder.complete()) return fail(Code::malformed, "PAL: text behind its end, or nothing at all");
    return detail::pal_of(builder.take(), true);
}

}  // namespace estuary::est
