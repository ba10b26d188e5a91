#include <array>
#include <span>

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
    Named{"crls", Operation::crls},                 Named{"pal", Operation::pal},
    Named{"eecerts", Operation::eecerts},           Named{"symmetrickeys", Operation::symmetrickeys},
    Named{"firmware", Operation::firmware},         Named{"tamp", Operation::tamp},
};

/// What may stand behind an operation.
struct Below {
    bool number = false, page = false, gives_back = false;
};
constexpr Below below(Operation operation) noexcept {
    switch (operation) {
        case Operation::cacerts:
        case Operation::csrattrs:
        case Operation::crls:
        case Operation::fullcmc: return {};
        case Operation::simpleenroll:
        case Operation::simplereenroll:
        case Operation::eecerts: return {.number = true};
        case Operation::pal: return {.page = true};
        case Operation::serverkeygen:
        case Operation::symmetrickeys:
        case Operation::firmware:
        case Operation::tamp: return {.number = true, .gives_back = true};
    }
    return {};
}

/// As the server writes it: no sign, no leading zero, within 63 bits.
bool is_number(std::string_view text) noexcept {
    constexpr std::size_t digits_max = 18;
    return !text.empty() && text.size() <= digits_max && text.front() != '0' &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}
bool is_page(std::string_view text) noexcept {
    for (const std::string_view part : {"new-", "seen-"})
        if (text.starts_with(part)) return text.substr(part.size()) == "0" || is_number(text.substr(part.size()));
    return false;
}

/// Reads the segments behind the operation; false: there is no such path.
bool read_below(Target& target, std::span<const std::string> segments) {
    const auto allowed = below(target.operation);
    if (!segments.empty() && allowed.gives_back && segments.front() == "return") {
        target.gives_back = true;
        segments = segments.subspan(1);
    }
    if (segments.empty()) return true;
    target.item = segments.front();
    return segments.size() == 1 && ((allowed.number && is_number(target.item)) || (allowed.page && is_page(target.item)));
}

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
    const std::span<const std::string> rest{segments.begin() + 2, segments.end()};
    const auto wrong_path = [] {
        return fail(Code::not_found, "EST's paths are /.well-known/est/OPERATION and /.well-known/est/LABEL/OPERATION; there are "
                                     "the operations cacerts, csrattrs, simpleenroll and simplereenroll, and some more");
    };
    if (rest.empty()) return wrong_path();
    Target target;
    auto operation = operation_named(rest[0]);
    // RFC 7030 3.2.2: a label is never spelled like an operation.
    const std::size_t at = operation ? 0 : 1;
    if (!operation && rest.size() > 1) operation = operation_named(rest[1]);
    if (!operation) return wrong_path();
    if (at == 1) target.label = rest[0];
    target.operation = *operation;
    if (!read_below(target, rest.subspan(at + 1))) return wrong_path();
    return target;
}

}  // namespace estuary::est
