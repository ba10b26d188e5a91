// Names in DER, and as text: what is accepted is kept as it came, is shown safely, and reads back as a name that matches.
#include <cstdlib>

#include "estuary/base/text.h"
#include "estuary/x509/name.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_name(const x509::Name& name) {
    const auto text = name.to_text();
    check(text::is_plain_utf8(text));
    check(name.matches(name));
    // Only types that want other strings than they were sent (a country in UTF8String, say) do not read back.
    if (const auto again = x509::Name::from_text(text)) check(again->matches(name) && again->to_text() == text);
    const auto canonical = name.canonical();
    if (const auto folded = x509::Name::parse(canonical)) check(folded->canonical() == canonical);
    (void)name.check();
    (void)name.values(der::Oid{"2.5.4.3"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (const auto name = x509::Name::parse(input)) {
        check(same(name->der(), input));
        check_name(*name);
    }
    if (const auto name = x509::Name::from_text(as_text(input))) {
        check(x509::Name::parse(name->der()).has_value());
        check_name(*name);
    }
    return 0;
}
