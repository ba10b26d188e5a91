#pragma once
// Failure is a value with a cause: Result<T>, and the one small vocabulary of errors.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace estuary {

/// What went wrong, in the words of this house. Each protocol has a mapping of its own, kept complete by the
/// compiler (a switch without default). Exceptions are for faults of our own only.
enum class Code : std::uint8_t {
    malformed,          ///< the input is not what its grammar demands
    too_large,          ///< a named limit was passed
    unsupported,        ///< well-formed, but of a kind that is not done here
    not_authenticated,  ///< nobody proved who asks, or the proof is wrong
    not_authorised,     ///< proved, but not allowed to do this
    bad_proof,          ///< proof of possession missing, wrong, or not linked to this session
    policy,             ///< names, extensions or validity that the profile does not allow
    bad_key,            ///< key type or size not allowed, weak, or known to be compromised
    not_found,          ///< no such thing
    conflict,           ///< it is already there, or was changed by somebody else
    too_busy,           ///< a bounded pool or queue is full; try again
    unavailable,        ///< storage, key store or an upstream cannot be reached; try again
    internal,           ///< a fault of our own
};

/// The name of a code as logs and tests show it.
std::string_view to_string(Code code) noexcept;

/// An error: what the peer may read and what only the log may read are different fields from birth.
struct Error {
    Code code = Code::internal;
    std::string detail;               ///< for the peer: short, plain, says what to mend; no secrets
    std::string cause = {};           ///< for the log: library errors, rule names, file names
    unsigned retry_after_s = 0;       ///< seconds; 0: no hint
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(Code::malformed, "…")` from a function that returns a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string detail, std::string cause = {}) {
    return tl::unexpected<Error>(Error{code, std::move(detail), std::move(cause)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// The error with "`where`: " put before its detail, for errors that pass through layers.
[[nodiscard]] Error in_context(std::string_view where, Error error);

#define ESTUARY_CAT_(a, b) a##b
#define ESTUARY_CAT(a, b) ESTUARY_CAT_(a, b)
/// ESTUARY_TRY(auto value, f()): value = what f() holds, or return its error from this function.
#define ESTUARY_TRY(declaration, expression)                                                      \
    auto ESTUARY_CAT(tried_, __LINE__) = (expression);                                            \
    if (!ESTUARY_CAT(tried_, __LINE__))                                                           \
        return tl::unexpected<::estuary::Error>(std::move(ESTUARY_CAT(tried_, __LINE__)).error()); \
    declaration = std::move(*ESTUARY_CAT(tried_, __LINE__))
/// ESTUARY_CHECK(f()): for a Result<void>; returns its error from this function.
#define ESTUARY_CHECK(expression)                                             \
    if (auto checked = (expression); !checked)                                \
    return tl::unexpected<::estuary::Error>(std::move(checked).error())

}  // namespace estuary
