#pragma once
// Owners for the handles of C libraries: the deleter is in the type, nothing to forget on any path.
#include <memory>

namespace estuary {

template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* handle) const noexcept {
        Free(handle);
    }
};

/// Handle<EVP_PKEY, EVP_PKEY_free>: exactly one owner.
template <class T, auto Free>
using Handle = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace estuary
