#include "estuary/http/accept.h"

#include <optional>

#include "estuary/base/text.h"
#include "estuary/http/grammar.h"

namespace estuary::http {
namespace {

constexpr std::size_t ranges_max = 64;
constexpr int quality_max = 1000;  // thousandths

struct Range {
    std::string type;  ///< "application/json", "application/*", "*/*"
    int quality = quality_max;
};

tl::unexpected<Error> malformed() { return fail(Code::malformed, "the Accept field cannot be read"); }

/// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
std::optional<int> quality_of(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.'))
        return std::nullopt;
    int value = (text[0] - '0') * quality_max, weight = quality_max / 10;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (c < '0' || c > '9') return std::nullopt;
        value += (c - '0') * weight;
        weight /= 10;
    }
    if (value > quality_max) return std::nullopt;
    return value;
}

Result<Range> read_range(std::string_view text) {
    const auto media = MediaType::parse(text);
    if (!media) return malformed();
    Range range{media->type, quality_max};
    if (const auto weight = media->parameters.find("q"); weight != media->parameters.end()) {
        const auto quality = quality_of(weight->second);
        if (!quality) return malformed();
        range.quality = *quality;
    }
    return range;
}

/// The elements of a list; a comma in a quoted string separates nothing.
std::vector<std::string_view> elements_of(std::string_view list) {
    std::vector<std::string_view> elements;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (quoted && list[i] == '\\') ++i;
        else if (list[i] == '"') quoted = !quoted;
        else if (list[i] == ',' && !quoted) {
            elements.push_back(list.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    elements.push_back(list.substr(begin));
    return elements;
}

Result<std::vector<Range>> read_ranges(const Headers& headers) {
    std::vector<Range> ranges;
    for (const auto& field : headers.fields()) {
        if (!text::equal_ignoring_case(field.name, "Accept")) continue;
        for (const auto part : elements_of(field.value)) {
            const auto trimmed = text::trim(part);
            if (trimmed.empty()) continue;  // RFC 9110 5.6.1: empty elements are passed over
            if (ranges.size() == ranges_max) return malformed();
            ESTUARY_TRY(auto range, read_range(trimmed));
            ranges.push_back(std::move(range));
        }
    }
    return ranges;
}

/// How exactly a range names a type: 3 wholly, 2 by its kind, 1 as anything, 0 not at all.
int exactness(std::string_view range, std::string_view type) {
    if (range == type) return 3;
    if (range == "*/*") return 1;
    return range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1)) ? 2 : 0;
}

/// The most exact range decides (RFC 9110 12.5.1).
int quality_for(const std::vector<Range>& ranges, std::string_view type) {
    int best = 0, quality = 0;
    for (const auto& range : ranges) {
        const auto here = exactness(range.type, type);
        if (here <= best) continue;
        best = here;
        quality = range.quality;
    }
    return quality;
}

}  // namespace

Result<std::size_t> preferred_media_type(const Headers& headers, std::span<const std::string_view> offered) {
    ESTUARY_TRY(const auto ranges, read_ranges(headers));
    if (ranges.empty()) return 0;
    std::size_t chosen = 0;
    int best = 0;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        const auto quality = quality_for(ranges, offered[i]);
        if (quality <= best) continue;
        best = quality;
        chosen = i;
    }
    if (best == 0) return fail(Code::not_found, "none of the media types that the Accept field names is to be had here");
    return chosen;
}

}  // namespace estuary::http
