// GeneralNames in DER, and one as text: DER has one encoding, so what is accepted is written back identically; what passes its
// own check reads back from its text.
#include <cstdlib>

#include "estuary/base/text.h"
#include "estuary/x509/name.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_general_name(const x509::GeneralName& name) {
    using Kind = x509::GeneralName::Kind;
    const auto text = name.to_text();
    check(text::is_plain_utf8(text));
    if (!name.check()) return;
    const bool exact = name.kind == Kind::dns || name.kind == Kind::email || name.kind == Kind::uri || name.kind == Kind::ip ||
                       name.kind == Kind::registered_id;
    if (exact) check(x509::GeneralName::from_text(text) == name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (const auto names = x509::parse_general_names(input)) {
        check(same(x509::write_general_names(*names), input));
        for (const auto& name : *names) check_general_name(name);
    }
    if (const auto name = x509::GeneralName::from_text(as_text(input))) {
        check(name->check().has_value());
        check_general_name(*name);
        check(x509::parse_general_names(x509::write_general_names({*name})).has_value());
    }
    return 0;
}
