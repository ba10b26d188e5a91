#pragma once
// Identity linked to proof of possession (RFC 7030 3.5, RFC 7894): the channel binding that a request carries.
#include "estuary/authority/authority.h"
#include "estuary/http/message.h"

namespace estuary::est {

/// Looks at challengePassword and estIdentityLinking. Each that is there is judged for itself; one that is not base64 of a
/// binding of this session makes the whole a mismatch (RFC 7894 4). malformed: an attribute that is no single text of at most
/// 255 octets.
Result<authority::Linking> linking_of(const std::vector<x509::Attribute>& attributes, const http::ChannelBindings& bindings);

/// otpChallenge as text; nothing if absent. revocationChallenge is read for its form.
Result<std::optional<std::string>> one_time_password_of(const std::vector<x509::Attribute>& attributes);

}  // namespace estuary::est
