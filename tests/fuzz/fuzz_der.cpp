// DER has one encoding: what the checker accepts and a walk takes apart, the writer puts together identically.
#include <cstdlib>

#include "estuary/asn1/der.h"

namespace {

using namespace estuary;
using namespace estuary::der;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Writes again what `reader` holds, using the typed functions where they accept the element.
void rewrite(Reader& reader, Writer& writer) {
    while (!reader.empty()) {
        const Tag tag = *reader.peek();
        if (is_constructed(tag)) {
            auto inner = reader.enter(tag);
            require(inner.has_value());  // check_der has been here
            writer.constructed(tag, [&] { rewrite(*inner, writer); });
            continue;
        }
        Reader probe = reader;
        if (const auto value = Reader{probe}.integer()) {
            writer.integer(*value);
        } else if (const auto flag = Reader{probe}.boolean()) {
            writer.boolean(*flag);
        } else if (const auto oid = Reader{probe}.oid()) {
            require(oid->dotted().size() >= 3);
            writer.oid(*oid);
        } else if (const auto bits = Reader{probe}.named_bits()) {
            writer.named_bits(*bits);
        } else if (const auto octets = Reader{probe}.bit_string_octets()) {
            writer.bit_string(*octets);
        } else if (const auto utc = Reader{probe}.utc_time()) {
            writer.utc_time(*utc);
        } else if (const auto time = Reader{probe}.generalized_time()) {
            writer.generalized_time(*time);
        } else if (Reader{probe}.null()) {
            writer.null();
        } else {
            const auto element = Reader{probe}.any();
            require(element.has_value());
            writer.primitive(tag, element->content);
        }
        require(reader.skip().has_value());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (!check_der(input, "input")) return 0;
    Reader reader{input};
    Writer writer;
    rewrite(reader, writer);
    require(same(writer.bytes(), input));
    return 0;
}
