// Extensions, and the values of those that are understood: what is accepted is written back identically.
#include <cstdlib>

#include "estuary/x509/extension.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_value(Bytes value) {
    using namespace x509;
    if (const auto bits = parse_key_usage(value)) check(same(make_key_usage(*bits).value, value));
    if (const auto constraints = parse_basic_constraints(value)) check(same(make_basic_constraints(*constraints).value, value));
    if (const auto purposes = parse_ext_key_usage(value)) check(same(make_ext_key_usage(*purposes).value, value));
    if (const auto id = parse_subject_key_identifier(value)) check(same(make_subject_key_identifier(*id).value, value));
    if (const auto id = parse_authority_key_identifier(value); id && *id) check((*id)->size() < value.size());
    if (const auto constraints = parse_name_constraints(value)) {
        check(same(make_name_constraints(*constraints).value, value));
        for (const auto& base : constraints->permitted) (void)satisfies(*constraints, Name{}, {base});
        for (const auto& base : constraints->excluded) {
            // Nobody satisfies constraints by lying at the top of an excluded subtree.
            const bool text = base.kind == GeneralName::Kind::dns && !base.value.empty() && base.value[0] != '.';
            if (text) check(!satisfies(*constraints, Name{}, {base}));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    check_value(input);
    const auto extensions = x509::parse_extensions(input);
    if (!extensions) return 0;
    der::Writer writer;
    x509::write_extensions(writer, *extensions);
    check(same(writer.bytes(), input));
    for (const auto& extension : *extensions) check_value(extension.value);
    return 0;
}
