#pragma once
// How the readers of messages refuse one. Used inside this room only.
#include "estuary/http/wire.h"

namespace estuary::http::detail {

inline tl::unexpected<Refusal> refuse_with(unsigned status, std::string sentence) {
    return tl::unexpected<Refusal>(Refusal{status, std::move(sentence)});
}

}  // namespace estuary::http::detail
