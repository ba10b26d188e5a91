// Patterns for names: whatever a line says, it is refused or matches within its limits; and a name, written as a pattern, matches
// itself and no longer name. First line: a pattern; second: a name.
#include <cstdlib>

#include "estuary/authority/profile.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

/// The text of a name as a pattern without wildcards.
std::string literal(std::string_view text, std::string_view star) {
    std::string out;
    for (const char c : text) {
        if (c == '*')
            out += star;
        else
            out += c;
    }
    return out;
}

/// Values in hexadecimal ("#04…") are of types without a text.
bool is_textual(const x509::Name& name) { return name.to_text().find("=#") == std::string::npos; }

void check_subject(std::string_view pattern, std::string_view text) {
    const auto name = x509::Name::from_text(text);
    if (!name) return;
    const bool matches = authority::subject_matches(*name, pattern);
    if (!authority::check_subject_pattern(pattern)) check(!matches);
    const auto shown = name->to_text();
    if (name->empty() || shown.size() > 500 || !is_textual(*name)) return;
    const auto own = literal(shown, "\\*");
    if (!authority::check_subject_pattern(own)) return;  // types that have no short name here
    check(authority::subject_matches(*name, own));
    if (const auto longer = x509::Name::from_text(shown + ",O=another")) check(!authority::subject_matches(*longer, own));
}

void check_names(std::string_view pattern, std::string_view text) {
    const auto name = x509::GeneralName::from_text(text);
    if (!name) return;
    const bool matches = authority::san_matches(*name, pattern);
    if (!authority::check_san_pattern(pattern)) check(!matches);
    // No '*' stands for the label of a wildcard name.
    if (matches && name->kind == x509::GeneralName::Kind::dns && as_text(name->value).find('*') != std::string_view::npos)
        check(pattern.find("\\*") != std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = as_text({data, size});
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return 0;
    check_subject(text.substr(0, end), text.substr(end + 1));
    check_names(text.substr(0, end), text.substr(end + 1));
    return 0;
}
