#pragma once
// Exit statuses: what happened, for scripts; the message on standard error says it for people.
#include "estuary/base/result.h"

namespace estuary::client {

enum ExitStatus : int {
    exit_ok = 0,
    exit_failed = 1,        ///< something of our own: a file, a key, a limit
    exit_usage = 2,         ///< the command line
    exit_refused = 3,       ///< the server answered, and refused
    exit_not_trusted = 4,   ///< the server could not be authenticated, or nothing says to trust it
    exit_pending = 5,       ///< accepted, but a person has yet to approve it; run the same command again later
    exit_try_again = 6,     ///< no connection, or the server is busy
};

/// An error together with the exit status that it means.
struct Failure {
    Error error;
    ExitStatus status = exit_failed;
};
template <class T>
using Outcome = tl::expected<T, Failure>;

/// An error that came up before or beside any answer of the server.
Failure local_failure(Error error);
/// An error while connecting or in the server's answer.
Failure remote_failure(Error error);
/// What an Outcome holds instead of a value.
tl::unexpected<Failure> failure(ExitStatus status, Error error);
/// The command line asks for what cannot be (exit_usage).
tl::unexpected<Failure> usage_failure(std::string detail);
/// Prints "estuary: …" and returns the status.
int report(const Failure& what);

#define ESTUARY_TRY_AS(declaration, expression, translate)                                            \
    auto ESTUARY_CAT(tried_, __LINE__) = (expression);                                                \
    if (!ESTUARY_CAT(tried_, __LINE__))                                                               \
        return tl::unexpected<::estuary::client::Failure>(translate(std::move(ESTUARY_CAT(tried_, __LINE__)).error())); \
    declaration = std::move(*ESTUARY_CAT(tried_, __LINE__))
#define ESTUARY_CHECK_AS(expression, translate)                                                       \
    if (auto checked = (expression); !checked)                                                        \
    return tl::unexpected<::estuary::client::Failure>(translate(std::move(checked).error()))
/// For functions that already return an Outcome.
#define ESTUARY_TRY_OUTCOME(declaration, expression)                                                  \
    auto ESTUARY_CAT(tried_, __LINE__) = (expression);                                                \
    if (!ESTUARY_CAT(tried_, __LINE__))                                                               \
        return tl::unexpected<::estuary::client::Failure>(std::move(ESTUARY_CAT(tried_, __LINE__)).error()); \
    declaration = std::move(*ESTUARY_CAT(tried_, __LINE__))

}  // namespace estuary::client
