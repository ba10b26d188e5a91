#pragma once
// Subtrees of nameConstraints by themselves (RFC 5280 4.2.1.10). The extension: extension.h.
#include "estuary/x509/extension.h"

namespace estuary::x509 {

/// "dns:example.com" (with all below it), "email:example.com", "email:.example.com", "uri:.example.com", "ip:192.0.2.0/24",
/// "dirname:O=Example". malformed.
Result<GeneralName> name_subtree_from_text(std::string_view text);
/// The same text; an address with its mask as a prefix where it is one.
std::string name_subtree_text(const GeneralName& subtree);
/// Whether it is a subtree of a form that can be applied, and nothing else is written in it. malformed, unsupported.
Result<void> check_name_subtree(const GeneralName& subtree);

/// Whether every name of one subtree lies in the other.
bool lies_within(const GeneralName& subtree, const GeneralName& base);
/// What is left where somebody who is bound by `bounds` wishes for `wanted`: permitted subtrees are the narrower ones, excluded ones those
/// of both. policy: a subtree that is wanted as permitted goes beyond `bounds`.
Result<NameConstraints> narrowed(const NameConstraints& bounds, const NameConstraints& wanted);

}  // namespace estuary::x509
