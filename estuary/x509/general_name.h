#pragma once
// Syntax checks of the text forms of general names; name constraints use them too.
#include <optional>
#include <string_view>

#include "estuary/x509/name.h"

namespace estuary::x509 {

/// A fully qualified or single-label host name: LDH labels of 1 to 63 characters ('_' tolerated), at most 253 in all, no
/// trailing dot, no address; internationalised labels as A-labels. With `wildcard`, one leading "*." is allowed.
Result<void> check_dns_name(std::string_view name, bool wildcard);
/// "local@host" with a dot-atom local part (RFC 5321 4.1.2, RFC 5280 4.2.1.6).
Result<void> check_mailbox(std::string_view mailbox);
/// scheme ":" and more, of the characters of RFC 3986.
Result<void> check_uri(std::string_view uri);
/// The host of a URI with an authority part, without user, port and brackets; nothing if it has none.
std::optional<std::string_view> host_of_uri(std::string_view uri);
bool is_ipv4_text(std::string_view text) noexcept;

/// GeneralNames from the content of a SEQUENCE OF, or of an IMPLICIT tag in its place: not empty, at most 256.
Result<std::vector<GeneralName>> read_general_names(Bytes content);

}  // namespace estuary::x509
