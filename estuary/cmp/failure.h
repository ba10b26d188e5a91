#pragma once
// What went wrong in CMP's words: the one bit of PKIFailureInfo that the standard names, and a text for people.
#include "estuary/base/result.h"
#include "estuary/cmp/status.h"

namespace estuary::cmp {

/// The bit for an error of ours where the standard names no other for that step. Every code has one.
PkiFailure failure_of(Code code) noexcept;

struct Failure {
    PkiFailure bit{};
    Error error;                ///< its detail is for the peer, its cause for the log

    Failure(PkiFailure which, std::string detail, Code code = Code::policy) : bit{which}, error{code, std::move(detail)} {}
    Failure(PkiFailure which, Error from) : bit{which}, error{std::move(from)} {}
    Failure(Error from) : bit{failure_of(from.code)}, error{std::move(from)} {}  // NOLINT(google-explicit-constructor): Error's bit

    /// What the peer may read; nothing of faults of our own.
    std::string text() const;
    /// Status rejection.
    PkiStatusInfo status() const { return rejection(bit, text()); }
};

template <class T>
using Checked = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> refuse(PkiFailure bit, std::string detail) {
    return tl::unexpected<Failure>(Failure{bit, std::move(detail)});
}

/// The same with another bit, unless the fault is our own or passes by itself.
Failure as_failure(PkiFailure bit, Error error);
template <class T>
Checked<T> or_failure(PkiFailure bit, Result<T> result) {
    if (!result) return tl::unexpected<Failure>(as_failure(bit, std::move(result).error()));
    if constexpr (std::is_void_v<T>) return {};
    else return std::move(*result);
}

// As ESTUARY_TRY and ESTUARY_CHECK, in functions that return Checked; for Checked and for Result.
#define CMP_TRY(declaration, expression)                                                                     \
    auto ESTUARY_CAT(tried_, __LINE__) = (expression);                                                       \
    if (!ESTUARY_CAT(tried_, __LINE__))                                                                      \
        return tl::unexpected<::estuary::cmp::Failure>(                                                      \
            ::estuary::cmp::Failure{std::move(ESTUARY_CAT(tried_, __LINE__)).error()});                      \
    declaration = std::move(*ESTUARY_CAT(tried_, __LINE__))
#define CMP_CHECK(expression)                             \
    if (auto was_checked = (expression); !was_checked)    \
    return tl::unexpected<::estuary::cmp::Failure>(::estuary::cmp::Failure{std::move(was_checked).error()})

}  // namespace estuary::cmp
