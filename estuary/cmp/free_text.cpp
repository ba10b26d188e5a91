#include "estuary/cmp/free_text.h"

#include "estuary/base/text.h"
#include "estuary/cmp/codec.h"

namespace estuary::cmp {

Result<PkiFreeText> read_free_text(der::Reader& reader, const Limits& limits) {
    return codec::read_utf8_strings(reader, limits, "PKIFreeText");
}

Result<PkiFreeText> read_free_text_if(der::Reader& reader, const Limits& limits) {
    if (!reader.next_is(der::Tag::sequence)) return PkiFreeText{};
    return read_free_text(reader, limits);
}

void write_free_text(der::Writer& writer, const PkiFreeText& texts) { codec::write_utf8_strings(writer, texts); }

std::string to_line(const PkiFreeText& texts) {
    std::string line;
    for (const auto& one : texts) {
        if (!line.empty()) line += "; ";
        line += text::printable(one);
    }
    return line;
}

}  // namespace estuary::cmp
