#include "estuary/est/linking.h"

#include "estuary/base/encoding.h"

namespace estuary::est {
namespace {

using authority::Linking;
using Attributes = std::vector<x509::Attribute>;

constexpr std::size_t challenge_octets_max = 255;  // RFC 2985 B, RFC 7030 3.5, RFC 7894 3

bool is_binding(Bytes shown, Bytes binding) {
    return !binding.empty() && crypto::equal_in_constant_time(shown, binding);
}

/// tls-unique on TLS 1.2 (RFC 5929), tls-exporter on 1.3 and on 1.2 with extended master secret (RFC 9266).
bool matches(std::string_view challenge, const http::ChannelBindings& bindings) {
    const auto shown = from_base64(challenge);
    if (!shown) return false;
    const bool unique = is_binding(*shown, bindings.tls_unique);
    const bool exporter = is_binding(*shown, bindings.tls_exporter);
    return unique || exporter;
}

Result<std::optional<std::string>> challenge_of(const Attributes& attributes, const der::Oid& type, std::string_view name) {
    auto text = x509::directory_string_attribute(attributes, type);
    if (!text) return fail(in_context(name, std::move(text).error()));
    if (*text && (*text)->size() > challenge_octets_max)
        return fail(Code::malformed, std::string{name} + " is longer than 255 octets");
    return text;
}

}  // namespace

Result<Linking> linking_of(const Attributes& attributes, const http::ChannelBindings& bindings) {
    ESTUARY_TRY(const auto password, challenge_of(attributes, x509::oid::challenge_password, "challengePassword"));
    ESTUARY_TRY(const auto linking, challenge_of(attributes, x509::oid::est_identity_linking, "estIdentityLinking"));
    if (!password && !linking) return Linking::absent;
    const bool all = (!password || matches(*password, bindings)) && (!linking || matches(*linking, bindings));
    return all ? Linking::matched : Linking::mismatched;
}

Result<std::optional<std::string>> one_time_password_of(const Attributes& attributes) {
    ESTUARY_CHECK(challenge_of(attributes, x509::oid::revocation_challenge, "revocationChallenge"));
    return challenge_of(attributes, x509::oid::otp_challenge, "otpChallenge");
}

}  // namespace estuary::est
