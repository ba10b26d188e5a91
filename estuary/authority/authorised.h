#pragma once
// Proof before power: a value that policy approved.

#include <utility>

namespace estuary::authority {

/// Made by Policy alone, spent by Signer alone; moves, never copies. The compiler keeps the promise: see
/// tests/unit/authority/compile_fail.
template <class T>
class Authorised {
public:
    Authorised(Authorised&&) noexcept = default;
    Authorised& operator=(Authorised&&) noexcept = default;
    Authorised(const Authorised&) = delete;
    Authorised& operator=(const Authorised&) = delete;
    ~Authorised() = default;

private:
    friend class Policy;
    friend class Signer;
    explicit Authorised(T value) : value_{std::move(value)} {}

    T value_;
};

}  // namespace estuary::authority
