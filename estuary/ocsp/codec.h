#pragma once
// What the readers and writers of this room share: the version, and extensions.
#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "estuary/x509/extension.h"

namespace estuary::ocsp::codec {

/// version [0] EXPLICIT DEFAULT v1. DER leaves the default out; some peers write it all the same, as RFC 5019 A.2 does. malformed:
/// another version; `what` is for the text.
inline Result<void> read_version(der::Reader& reader, std::string_view what) {
    ESTUARY_TRY(auto version, reader.enter_if(der::context_constructed(0)));
    if (!version) return {};
    ESTUARY_TRY(const auto number, version->integer());
    ESTUARY_CHECK(version->finish("version"));
    if (number != 0) return fail(Code::malformed, fmt::format("{} version {} is not v1 (0)", what, number));
    return {};
}

/// Extensions in an EXPLICIT tag, if the tag is there. unsupported: a critical one that is not among `known`.
inline Result<std::vector<x509::Extension>> read_extensions(der::Reader& reader, unsigned tag, std::span<const der::Oid> known) {
    ESTUARY_TRY(const auto wrapper, reader.element_if(der::context_constructed(tag)));
    if (!wrapper) return std::vector<x509::Extension>{};
    ESTUARY_TRY(auto extensions, x509::parse_extensions(wrapper->content));
    for (const auto& extension : extensions)
        if (extension.critical && std::ranges::find(known, extension.id) == known.end())
            return fail(Code::unsupported, fmt::format("critical extension {} is not known here", extension.id.dotted()));
    return extensions;
}

/// Extensions; no octets for none.
inline ByteVec encode_extensions(const std::vector<x509::Extension>& extensions) {
    der::Writer writer;
    if (!extensions.empty()) x509::write_extensions(writer, extensions);
    return std::move(writer).take();
}

}  // namespace estuary::ocsp::codec
