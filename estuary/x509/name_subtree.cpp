// Subtrees of nameConstraints as a person writes them, and one set of them within another (RFC 5280 4.2.1.10).
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/x509/name_constraints.h"

namespace estuary::x509 {
namespace {

using Kind = GeneralName::Kind;

/// The octets of a mask whose first `bits` are set.
ByteVec prefix_mask(std::size_t octets, std::size_t bits) {
    ByteVec mask(octets);
    for (std::size_t i = 0; i < bits; ++i) mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 0x80u >> i % 8);
    return mask;
}

Result<GeneralName> network_from_text(std::string_view text) {
    const auto slash = text.find('/');
    ESTUARY_TRY(auto address, GeneralName::from_text(fmt::format("ip:{}", text.substr(0, slash))));
    const auto octets = address.value.size();
    auto bits = octets * 8;
    if (slash != std::string_view::npos) {
        const auto number = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
        if (error != std::errc{} || end != number.data() + number.size() || bits > octets * 8)
            return fail(Code::malformed, "the prefix length is no number of bits of that address");
    }
    const auto mask = prefix_mask(octets, bits);
    for (std::size_t i = 0; i < octets; ++i)
        if ((address.value[i] & ~mask[i]) != 0) return fail(Code::malformed, fmt::format("ip:{} has bits behind its prefix", text));
    address.value.insert(address.value.end(), mask.begin(), mask.end());
    return address;
}

/// Nothing but visible ASCII: what shows is what is compared (bug class 13).
bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

std::string network_text(Bytes value) {
    const auto half = value.size() / 2;
    const auto address = GeneralName{Kind::ip, to_vec(value.first(half))}.to_text();
    for (std::size_t bits = 0; bits <= half * 8; ++bits)
        if (same(prefix_mask(half, bits), value.subspan(half))) return fmt::format("{}/{}", address, bits);
    const auto mask = GeneralName{Kind::ip, to_vec(value.subspan(half))}.to_text();
    return fmt::format("{}/{}", address, mask.substr(mask.find(':') + 1));
}

void add_once(std::vector<GeneralName>& list, const GeneralName& one) {
    if (std::ranges::find(list, one) == list.end()) list.push_back(one);
}

}  // namespace

Result<GeneralName> name_subtree_from_text(std::string_view text) {
    const auto colon = text.find(':');
    const auto prefix = text.substr(0, colon);
    const auto rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    GeneralName subtree;
    if (prefix == "ip") {
        ESTUARY_TRY(subtree, network_from_text(rest));
    } else if (prefix == "dirname") {
        ESTUARY_TRY(subtree, GeneralName::from_text(text));
    } else if (prefix == "dns" || prefix == "email" || prefix == "uri") {
        if (rest.empty()) return fail(Code::malformed, fmt::format("'{}' names no subtree", text::printable(text)));
        subtree = {prefix == "dns" ? Kind::dns : prefix == "email" ? Kind::email : Kind::uri, to_vec(as_bytes(rest))};
    } else {
        return fail(Code::malformed, fmt::format("'{}' is not a subtree: dns:HOST, email:HOST, uri:HOST, ip:ADDRESS/BITS or dirname:NAME",
                                                 text::printable(text)));
    }
    ESTUARY_CHECK(check_name_subtree(subtree));
    return subtree;
}

std::string name_subtree_text(const GeneralName& subtree) {
    const bool is_network = subtree.kind == Kind::ip && (subtree.value.size() == 8 || subtree.value.size() == 32);
    return is_network ? network_text(subtree.value) : subtree.to_text();
}

Result<void> check_name_subtree(const GeneralName& subtree) {
    const auto value = as_text(subtree.value);
    switch (subtree.kind) {
        case Kind::dns:
        case Kind::email:
        case Kind::uri:
            if (!is_visible(value) || value.find_first_of("*/") != std::string_view::npos)
                return fail(Code::malformed, fmt::format("'{}' is no host, domain or mailbox", text::printable(value)));
            return {};
        case Kind::ip:
            if (value.size() != 8 && value.size() != 32) return fail(Code::malformed, "an address without its mask");
            return {};
        case Kind::directory: {
            ESTUARY_TRY(const auto name, Name::parse(subtree.value));
            return name.check();
        }
        case Kind::registered_id:
        case Kind::other_name:
        case Kind::x400:
        case Kind::edi: break;
    }
    return fail(Code::unsupported, "subtrees are of host names, mailboxes, URIs, addresses and directory names only");
}

Result<NameConstraints> narrowed(const NameConstraints& bounds, const NameConstraints& wanted) {
    NameConstraints out;
    for (const auto& subtree : wanted.permitted) {
        ESTUARY_CHECK(check_name_subtree(subtree));
        const auto is_kind = [&](const GeneralName& base) { return base.kind == subtree.kind; };
        const auto holds = [&](const GeneralName& base) { return lies_within(subtree, base); };
        if (std::ranges::any_of(bounds.permitted, is_kind) && std::ranges::none_of(bounds.permitted, holds))
            return fail(Code::policy, fmt::format("permitted subtree {} goes beyond what is permitted", name_subtree_text(subtree)));
        add_once(out.permitted, subtree);
    }
    for (const auto& base : bounds.permitted) {
        const auto is_kind = [&](const GeneralName& subtree) { return subtree.kind == base.kind; };
        if (std::ranges::none_of(wanted.permitted, is_kind)) add_once(out.permitted, base);
    }
    for (const auto* list : {&bounds.excluded, &wanted.excluded}) {
        for (const auto& subtree : *list) {
            ESTUARY_CHECK(check_name_subtree(subtree));
            add_once(out.excluded, subtree);
        }
    }
    return out;
}

}  // namespace estuary::x509
