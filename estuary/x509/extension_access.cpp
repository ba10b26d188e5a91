// authorityInfoAccess read: where the issuer's OCSP responder and certificates are.
#include "estuary/x509/extension.h"

namespace estuary::x509 {
namespace {

constexpr std::size_t descriptions_max = 64;

// AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
Result<void> read_description(der::Reader& list, AuthorityInfoAccess& into) {
    ESTUARY_TRY(auto reader, list.enter(der::Tag::sequence));
    ESTUARY_TRY(const auto method, reader.oid());
    ESTUARY_TRY(const auto location, GeneralName::read(reader));
    ESTUARY_CHECK(reader.finish("AccessDescription"));
    const bool ocsp = method == oid::ad_ocsp, ca_issuers = method == oid::ad_ca_issuers;
    if (!ocsp && !ca_issuers) into.has_other_methods = true;
    if (location.kind != GeneralName::Kind::uri) return {};
    if (ocsp) into.ocsp_uris.push_back(estuary::to_string(Bytes{location.value}));
    if (ca_issuers) into.ca_issuer_uris.push_back(estuary::to_string(Bytes{location.value}));
    return {};
}

}  // namespace

// AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF AccessDescription
Result<AuthorityInfoAccess> parse_authority_info_access(Bytes value) {
    ESTUARY_TRY(auto list, der::enter_only(value, der::Tag::sequence, "authorityInfoAccess"));
    if (list.empty()) return fail(Code::malformed, "authorityInfoAccess is empty");
    AuthorityInfoAccess access;
    for (std::size_t count = 0; !list.empty(); ++count) {
        if (count == descriptions_max) return fail(Code::too_large, "more than 64 access descriptions");
        ESTUARY_CHECK(read_description(list, access));
    }
    return access;
}

}  // namespace estuary::x509
