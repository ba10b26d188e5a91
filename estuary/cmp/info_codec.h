#pragma once
// Inside of the codec: values of InfoTypeAndValue, read and made.
#include "estuary/cmp/codec.h"
#include "estuary/cmp/info.h"

namespace estuary::cmp::codec {

/// The value, all of which `read_one` reads; nothing if it is absent.
template <class Read>
Result<std::optional<Value<Read>>> read_value(const InfoTypeAndValue& info, Read&& read_one) {
    if (!info.info_value) return std::optional<Value<Read>>{};
    der::Reader reader{*info.info_value};
    auto value = read_one(reader);
    if (!value) return fail(in_context(info_type_name(info.info_type), std::move(value).error()));
    ESTUARY_CHECK(reader.finish(info_type_name(info.info_type)));
    return std::optional<Value<Read>>{std::move(*value)};
}

/// The same of a value that must be there.
template <class Read>
Result<Value<Read>> read_required_value(const InfoTypeAndValue& info, Read&& read_one) {
    ESTUARY_TRY(auto value, read_value(info, read_one));
    if (!value) return fail(Code::malformed, info_type_name(info.info_type) + " has no value");
    return std::move(*value);
}

/// The same of a list; empty if it is absent.
template <class Read>
Result<Value<Read>> read_list_value(const InfoTypeAndValue& info, Read&& read_one) {
    ESTUARY_TRY(auto value, read_value(info, read_one));
    return value ? std::move(*value) : Value<Read>{};
}

template <class Write>
InfoTypeAndValue make_info(const der::Oid& type, Write&& write_one) {
    der::Writer writer;
    write_one(writer);
    return {.info_type = type, .info_value = std::move(writer).take()};
}

}  // namespace estuary::cmp::codec
