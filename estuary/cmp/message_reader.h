#pragma once
// Inside of the codec: reading messages within messages, with one count of depth.
#include "estuary/cmp/messages.h"

namespace estuary::cmp {

struct MessageReader {
    const Limits& limits;
    unsigned nesting = 0;  ///< messages around this one

    /// The octets have been checked to be DER.
    Result<PkiMessage> read_message(Bytes der) const;
    Result<PkiBody> read_body(der::Reader& reader) const;
    Result<PkiBody::Content> read_nested(der::Reader& reader) const;
    Result<std::vector<PkiMessage>> read_messages(der::Reader& reader) const;
};

}  // namespace estuary::cmp
