#include <array>

#include "estuary/est/messages.h"

namespace estuary::est {
namespace {

struct Named {
    std::string_view name;
    Operation operation;
};
constexpr std::array operations{
    Named{"cacerts", Operation::cacerts},           Named{"csrattrs", Operation::csrattrs},
    Named{"simpleenroll", Operation::simpleenroll}, Named{"simplereenroll", Operation::simplereenroll},
    Named{"fullcmc", Operation::fullcmc},           Named{"serverkeygen", Operation::serverkeygen},
    Named{"crls", Operation::crls},
};

}  // namespace

std::string_view to_string(Operation operation) noexcept {
    for (const auto& named : operations)
        if (named.operation == operation) return named.name;
    return "unknown";
}

std::optional<Operation> operation_named(std::string_view name) noexcept {
    for (const auto& named : operations)
        if (named.name == name) return named.operation;
    return std::nullopt;
}

Result<Target> parse_target(std::string_view request_target) {
    ESTUARY_TRY(const auto segments, http::path_segments(request_target));
    if (segments.size() < 2 || segments[0] != ".well-known" || segments[1] != "est")
        return fail(Code::not_found, "there is nothing here; EST is below /.well-known/est");
    if (segments.size() < 3 || segments.size() > 4)
        return fail(Code::not_found, "EST's paths are /.well-known/est/OPERATION and /.well-known/est/LABEL/OPERATION");
    const auto operation = operation_named(segments.back());
    if (!operation)
        return fail(Code::not_found, "no such EST operation; there are cacerts, csrattrs, simpleenroll and simplereenroll");
    Target target;
    target.operation = *operation;
    if (segments.size() == 3) return target;
    // RFC 7030 3.2.2: a label is never spelled like an operation.
    if (operation_named(segments[2])) return fail(Code::not_found, "an operation's name cannot be a label");
    target.label = segments[2];
    return target;
}

}  // namespace estuary::est
