#pragma once
// Patterns for names, parsed once and matched often. Their grammar stands in profile.h.
#include <string>
#include <string_view>
#include <vector>

#include "estuary/x509/name.h"

namespace estuary::authority {

/// Text in which '*' stands for any run of characters; "\*" and "\\" are the characters themselves.
class Glob {
public:
    static Result<Glob> parse(std::string_view text);
    void add_literal(char c) { tokens_.push_back(static_cast<unsigned char>(c)); }
    void add_any() { tokens_.push_back(any); }
    /// A '*' never stands for one of the characters in `barred`. Takes time in proportion to both lengths, whatever they say.
    bool matches(std::string_view text, std::string_view barred = {}) const;
    bool has_any() const noexcept;
    bool is_only_any() const noexcept { return tokens_.size() == 1 && tokens_[0] == any; }
    bool empty() const noexcept { return tokens_.empty(); }
    /// Drops blanks at the end, but not below `keep` tokens (escaped blanks stay).
    void trim_end(std::size_t keep);
    std::size_t size() const noexcept { return tokens_.size(); }

private:
    static constexpr short any = -1;
    std::vector<short> tokens_;
};

/// A whole subject: attribute by attribute, in order.
class SubjectPattern {
public:
    static Result<SubjectPattern> parse(std::string_view text);
    bool matches(const x509::Name& subject) const;

private:
    struct Attribute {
        der::Oid type;
        Glob value;
    };
    using Rdn = std::vector<Attribute>;
    static bool matches(const Rdn& pattern, const std::vector<x509::AttributeTypeAndValue>& rdn);

    std::vector<Rdn> rdns_;  // in encoded order
};

/// One subject alternative name.
class SanPattern {
public:
    static Result<SanPattern> parse(std::string_view text);
    bool matches(const x509::GeneralName& name) const;

private:
    Result<void> parse_host(std::string_view text);
    Result<void> parse_mailbox(std::string_view text);
    Result<void> parse_network(std::string_view text);
    bool host_matches(std::string_view host) const;
    bool mailbox_matches(std::string_view mailbox) const;
    bool network_matches(Bytes address) const;

    x509::GeneralName::Kind kind_{};
    bool anything_ = false;          // "kind:*"
    Glob text_;                      // uri, local part of email and upn, rid
    std::vector<Glob> labels_;       // dns, host of email and upn
    ByteVec network_;
    std::size_t prefix_bits_ = 0;
    std::vector<SubjectPattern> directory_;   // none or one
};

}  // namespace estuary::authority
