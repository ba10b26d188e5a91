// PKCS #12 from outside: which of its bags lie open (RFC 7292 4).
#include "estuary/est/package_layers.h"

namespace estuary::est::detail {
namespace {

using der::Oid;
using der::Tag;

constexpr Oid key_bag{"1.2.840.113549.1.12.10.1.1"};
constexpr Oid secret_bag{"1.2.840.113549.1.12.10.1.5"};
constexpr Oid safe_contents_bag{"1.2.840.113549.1.12.10.1.6"};
constexpr Oid encrypted_data{"1.2.840.113549.1.7.6"};

/// The octets of a ContentInfo of type data.
Result<Bytes> data_of(der::Reader& content_info) {
    ESTUARY_TRY(auto wrapped, content_info.enter(der::context_constructed(0)));
    ESTUARY_TRY(const auto octets, wrapped.octet_string());
    ESTUARY_CHECK(wrapped.finish("data"));
    return octets;
}

/// SafeContents ::= SEQUENCE OF SafeBag; SafeBag ::= SEQUENCE { bagId, bagValue [0] EXPLICIT, bagAttributes SET OPTIONAL }
Result<bool> hides_its_keys(Bytes safe_contents) {
    ESTUARY_TRY(auto bags, der::enter_only(safe_contents, Tag::sequence, "SafeContents", package_der_limits()));
    bool hidden = true;
    while (!bags.empty()) {
        ESTUARY_TRY(auto bag, bags.enter(Tag::sequence));
        ESTUARY_TRY(const auto type, bag.oid());
        ESTUARY_CHECK(bag.element(der::context_constructed(0)));
        // Bags within bags are rare: what is in them is taken for open.
        if (type == key_bag || type == secret_bag || type == safe_contents_bag) hidden = false;
    }
    return hidden;
}

}  // namespace

/// PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData MacData OPTIONAL }
/// AuthenticatedSafe ::= SEQUENCE OF ContentInfo   -- data, encryptedData or envelopedData
Result<bool> pfx_is_encrypted(Bytes der) {
    ESTUARY_CHECK(der::check_der(der, "PFX", package_der_limits()));
    ESTUARY_TRY(auto pfx, der::enter_only(der, Tag::sequence, "PFX", package_der_limits()));
    ESTUARY_TRY(const auto version, pfx.integer());
    if (version != 3) return fail(Code::malformed, "PFX: not of version 3");
    ESTUARY_TRY(auto outer, pfx.enter(Tag::sequence));
    ESTUARY_TRY(const auto type, outer.oid());
    if (type != cms::oid::data)
        return fail(Code::unsupported, "PFX: only those whose integrity a password protects (authSafe of type data)");
    ESTUARY_TRY(const auto octets, data_of(outer));
    ESTUARY_CHECK(pfx.element_if(Tag::sequence));
    ESTUARY_CHECK(pfx.finish("PFX"));
    ESTUARY_TRY(auto safes, der::enter_only(octets, Tag::sequence, "AuthenticatedSafe", package_der_limits()));
    bool hidden = true;
    while (!safes.empty()) {
        ESTUARY_TRY(auto safe, safes.enter(Tag::sequence));
        ESTUARY_TRY(const auto kind, safe.oid());
        if (kind == encrypted_data || kind == cms::oid::enveloped_data) continue;
        if (kind != cms::oid::data) return fail(Code::unsupported, "PFX: a safe of a type that is not known here");
        ESTUARY_TRY(const auto contents, data_of(safe));
        ESTUARY_TRY(const bool one, hides_its_keys(contents));
        hidden = hidden && one;
    }
    return hidden;
}

}  // namespace estuary::est::detail
