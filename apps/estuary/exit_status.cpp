#include "exit_status.h"

#include <cstdio>

#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::client {
namespace {

ExitStatus remote_status(Code code) {
    switch (code) {
        case Code::not_authenticated:
        case Code::not_authorised:
        case Code::bad_proof:
        case Code::policy:
        case Code::bad_key:
        case Code::not_found:
        case Code::conflict:
        case Code::too_large:
        case Code::unsupported: return exit_refused;
        case Code::too_busy:
        case Code::unavailable: return exit_try_again;
        case Code::malformed:
        case Code::internal: return exit_failed;
    }
    return exit_failed;
}

}  // namespace

Failure local_failure(Error error) { return {std::move(error), exit_failed}; }

Failure remote_failure(Error error) {
    const auto status = remote_status(error.code);
    return {std::move(error), status};
}

tl::unexpected<Failure> failure(ExitStatus status, Error error) { return tl::unexpected<Failure>(Failure{std::move(error), status}); }

tl::unexpected<Failure> usage_failure(std::string detail) { return failure(exit_usage, {Code::malformed, std::move(detail)}); }

int report(const Failure& what) {
    // The detail may hold words of the server: nothing in it may drive the terminal.
    fmt::print(stderr, "estuary: {}\n", text::printable(what.error.detail));
    if (!what.error.cause.empty()) fmt::print(stderr, "  ({})\n", text::printable(what.error.cause));
    return what.status;
}

}  // namespace estuary::client
