#include "estuary/authority/patterns.h"

#include <charconv>

#include <fmt/format.h>

#include "estuary/authority/profile.h"
#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

using Kind = x509::GeneralName::Kind;

/// A pattern is typed by a person; this is far more than any needs.
constexpr std::size_t pattern_characters_max = 1024;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char folded = text::lower(c);
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// The OID of an attribute type's short name, by the one table that x509 has.
Result<der::Oid> attribute_type(std::string_view name) {
    const auto sample = x509::Name::from_text(std::string{name} + "=xx");
    if (!sample || sample->rdns().size() != 1)
        return fail(Code::malformed, fmt::format("'{}' is no attribute type", text::printable(name)));
    return sample->rdns()[0][0].type;
}

std::string_view trim_start(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

/// Reads a value up to an unescaped ',' or '+' (RFC 4514 section 2.4 escapes); `text` goes on behind it.
Result<Glob> read_value(std::string_view& text) {
    Glob value;
    std::size_t keep = 0;
    text = trim_start(text);
    while (!text.empty() && text[0] != ',' && text[0] != '+') {
        if (text[0] == '*') {
            value.add_any();
        } else if (text[0] != '\\') {
            value.add_literal(text[0]);
        } else if (text.size() >= 3 && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
            value.add_literal(static_cast<char>(hex_digit(text[1]) * 16 + hex_digit(text[2])));
            text.remove_prefix(2);
            keep = value.size();
        } else if (text.size() >= 2) {
            value.add_literal(text[1]);
            text.remove_prefix(1);
            keep = value.size();
        } else {
            return fail(Code::malformed, "subject pattern: a backslash at the end");
        }
        text.remove_prefix(1);
    }
    value.trim_end(keep);
    if (value.empty()) return fail(Code::malformed, "subject pattern: an attribute without a value");
    return value;
}

struct KindName {
    std::string_view prefix;
    Kind kind;
};
constexpr std::array kind_names{
    KindName{"dns:", Kind::dns},           KindName{"ip:", Kind::ip},   KindName{"email:", Kind::email},
    KindName{"uri:", Kind::uri},           KindName{"rid:", Kind::registered_id},
    KindName{"dirname:", Kind::directory}, KindName{"upn:", Kind::other_name}};

tl::unexpected<Error> bad_san_pattern(std::string_view pattern, std::string_view why) {
    return fail(Code::malformed, fmt::format("SAN pattern '{}': {}", text::printable(pattern), why));
}

}  // namespace

// -- Glob ------------------------------------------------------------------------------------------------------------

Result<Glob> Glob::parse(std::string_view text) {
    Glob glob;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '*') {
            glob.add_any();
        } else if (text[i] != '\\') {
            glob.add_literal(text[i]);
        } else if (i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '\\')) {
            glob.add_literal(text[++i]);
        } else {
            return fail(Code::malformed, "pattern: a backslash stands before '*' or '\\' only");
        }
    }
    return glob;
}

bool Glob::matches(std::string_view text, std::string_view barred) const {
    // reached[i]: the tokens so far can stand for the first i characters.
    std::vector<char> reached(text.size() + 1, 0);
    reached[0] = 1;
    for (const auto token : tokens_) {
        if (token == any) {
            for (std::size_t i = 1; i <= text.size(); ++i)
                if (reached[i - 1] && barred.find(text[i - 1]) == std::string_view::npos) reached[i] = 1;
        } else {
            for (std::size_t i = text.size(); i > 0; --i)
                reached[i] = reached[i - 1] && static_cast<unsigned char>(text[i - 1]) == token;
            reached[0] = 0;
        }
    }
    return reached[text.size()] != 0;
}

bool Glob::has_any() const noexcept { return std::ranges::find(tokens_, any) != tokens_.end(); }

void Glob::trim_end(std::size_t keep) {
    while (tokens_.size() > keep && !tokens_.empty() && tokens_.back() == ' ') tokens_.pop_back();
}

// -- SubjectPattern --------------------------------------------------------------------------------------------------

Result<SubjectPattern> SubjectPattern::parse(std::string_view text) {
    if (text.empty()) return fail(Code::malformed, "subject pattern: empty");
    if (text.size() > pattern_characters_max) return fail(Code::too_large, "subject pattern: too long");
    SubjectPattern pattern;
    Rdn rdn;
    for (;;) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return fail(Code::malformed, "subject pattern: TYPE=VALUE expected");
        ESTUARY_TRY(const auto type, attribute_type(text::trim(text.substr(0, equals))));
        text.remove_prefix(equals + 1);
        ESTUARY_TRY(auto value, read_value(text));
        rdn.push_back({type, std::move(value)});
        const bool more = !text.empty();
        if (!more || text[0] == ',') pattern.rdns_.push_back(std::exchange(rdn, {}));
        if (!more) break;
        text.remove_prefix(1);
    }
    std::ranges::reverse(pattern.rdns_);  // RFC 4514 2.1: the text begins with the last RDN
    return pattern;
}

bool SubjectPattern::matches(const Rdn& pattern, const std::vector<x509::AttributeTypeAndValue>& rdn) {
    if (pattern.size() != rdn.size()) return false;
    std::vector<char> taken(rdn.size(), 0);
    for (const auto& wanted : pattern) {
        bool found = false;
        for (std::size_t i = 0; i < rdn.size() && !found; ++i) {
            if (taken[i] || rdn[i].type != wanted.type) continue;
            const auto value = rdn[i].text();
            found = value && wanted.value.matches(*value);
            if (found) taken[i] = 1;
        }
        if (!found) return false;
    }
    return true;
}

bool SubjectPattern::matches(const x509::Name& subject) const {
    const auto rdns = subject.rdns();
    return std::ranges::equal(rdns_, rdns, [](const auto& pattern, const auto& rdn) { return matches(pattern, rdn); });
}

// -- SanPattern ------------------------------------------------------------------------------------------------------

Result<SanPattern> SanPattern::parse(std::string_view text) {
    if (text.size() > pattern_characters_max) return fail(Code::too_large, "SAN pattern: too long");
    const auto named = std::ranges::find_if(kind_names, [&](const auto& k) { return text.starts_with(k.prefix); });
    if (named == kind_names.end())
        return bad_san_pattern(text, "must begin with dns:, ip:, email:, uri:, rid:, dirname: or upn:");
    SanPattern pattern;
    pattern.kind_ = named->kind;
    const auto value = text.substr(named->prefix.size());
    if (value.empty()) return bad_san_pattern(text, "nothing behind the kind");
    // Every value of the kind; for DNS that leaves out wildcard names, as any '*' does.
    if (value == "*" && named->kind != Kind::dns) {
        pattern.anything_ = true;
        return pattern;
    }
    Result<void> read;
    switch (named->kind) {
        case Kind::dns: read = pattern.parse_host(value); break;
        case Kind::ip: read = pattern.parse_network(value); break;
        case Kind::email:
        case Kind::other_name: read = pattern.parse_mailbox(value); break;
        case Kind::directory: {
            ESTUARY_TRY(auto directory, SubjectPattern::parse(value));
            pattern.directory_.push_back(std::move(directory));
            break;
        }
        case Kind::uri:
        case Kind::registered_id:
        case Kind::x400:
        case Kind::edi: {
            ESTUARY_TRY(pattern.text_, Glob::parse(value));
            break;
        }
    }
    if (!read) return bad_san_pattern(text, read.error().detail);
    return pattern;
}

Result<void> SanPattern::parse_host(std::string_view text) {
    const auto folded = text::lower(text);
    for (const auto label : text::split(folded, '.')) {
        if (label.empty()) return fail(Code::malformed, "an empty label");
        ESTUARY_TRY(auto glob, Glob::parse(label));
        labels_.push_back(std::move(glob));
    }
    return {};
}

Result<void> SanPattern::parse_mailbox(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0) return fail(Code::malformed, "LOCAL@HOST expected");
    ESTUARY_TRY(text_, Glob::parse(text.substr(0, at)));
    return parse_host(text.substr(at + 1));
}

Result<void> SanPattern::parse_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = x509::GeneralName::from_text("ip:" + std::string{text.substr(0, slash)});
    if (!address || address->kind != Kind::ip) return fail(Code::malformed, "not an IP address");
    network_ = address->value;
    prefix_bits_ = network_.size() * 8;
    if (slash == std::string_view::npos) return {};
    const auto number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), prefix_bits_);
    if (error != std::errc{} || end != number.data() + number.size() || prefix_bits_ > network_.size() * 8)
        return fail(Code::malformed, "the prefix length is no number of bits of that address");
    return {};
}

bool SanPattern::host_matches(std::string_view host) const {
    const auto folded = text::lower(host);
    const auto labels = text::split(folded, '.');
    // reached[i]: the pattern's labels so far can stand for the first i labels of the name.
    std::vector<char> reached(labels.size() + 1, 0);
    reached[0] = 1;
    for (const auto& wanted : labels_) {
        std::vector<char> next(labels.size() + 1, 0);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            // A wildcard name stands for many hosts: no '*' of a pattern allows it, only a "\*".
            const bool fits = wanted.has_any() ? !labels[i].empty() && labels[i].find('*') == std::string_view::npos &&
                                                     wanted.matches(labels[i])
                                               : wanted.matches(labels[i]);
            if (fits && (reached[i] || (wanted.is_only_any() && next[i]))) next[i + 1] = 1;
        }
        reached = std::move(next);
    }
    return reached[labels.size()] != 0;
}

bool SanPattern::mailbox_matches(std::string_view mailbox) const {
    const auto at = mailbox.rfind('@');
    return at != std::string_view::npos && text_.matches(mailbox.substr(0, at), "@") && host_matches(mailbox.substr(at + 1));
}

bool SanPattern::network_matches(Bytes address) const {
    if (address.size() != network_.size()) return false;
    for (std::size_t bit = 0; bit < prefix_bits_; bit += 8) {
        const auto left = prefix_bits_ - bit;
        const auto mask = left >= 8 ? 0xFFu : 0xFFu << (8 - left) & 0xFFu;
        if (((address[bit / 8] ^ network_[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

bool SanPattern::matches(const x509::GeneralName& name) const {
    if (name.kind != kind_) return false;
    const auto value = as_text(name.value);
    switch (kind_) {
        case Kind::dns: return host_matches(value);
        case Kind::ip: return anything_ || network_matches(name.value);
        case Kind::email: return anything_ || mailbox_matches(value);
        // '*' stays within one segment: "https://*.example/" must not allow "https://evil/a.example/".
        case Kind::uri: return anything_ || text_.matches(value, "/?#@");
        case Kind::directory: {
            if (anything_) return true;
            const auto directory = x509::Name::parse(name.value);
            return directory && directory_[0].matches(*directory);
        }
        case Kind::other_name: {
            const auto text = name.to_text();
            return text.starts_with("upn:") && (anything_ || mailbox_matches(std::string_view{text}.substr(4)));
        }
        case Kind::registered_id: return anything_ || text_.matches(std::string_view{name.to_text()}.substr(4));
        case Kind::x400:
        case Kind::edi: return false;
    }
    return false;
}

// -- profile.h -------------------------------------------------------------------------------------------------------

bool subject_matches(const x509::Name& subject, std::string_view pattern) {
    const auto parsed = SubjectPattern::parse(pattern);
    return parsed && parsed->matches(subject);
}

bool san_matches(const x509::GeneralName& name, std::string_view pattern) {
    const auto parsed = SanPattern::parse(pattern);
    return parsed && parsed->matches(name);
}

Result<void> check_subject_pattern(std::string_view pattern) {
    ESTUARY_CHECK(SubjectPattern::parse(pattern));
    return {};
}

Result<void> check_san_pattern(std::string_view pattern) {
    ESTUARY_CHECK(SanPattern::parse(pattern));
    return {};
}

}  // namespace estuary::authority
