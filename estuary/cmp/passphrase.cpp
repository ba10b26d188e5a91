#include "estuary/cmp/passphrase.h"

#include <fmt/format.h>

#include "estuary/cmp/server_envelope.h"
#include "estuary/crypto/password_mac.h"

namespace estuary::cmp {

Result<InfoTypeAndValue> make_conveyed_passphrase(const crypto::Secret& passphrase, Bytes identifier, const PassphraseRecipient& to) {
    const auto octets = passphrase.reveal().size();
    if (octets < passphrase_octets_min || octets > passphrase_octets_max)
        return fail(Code::policy, fmt::format("a revocation passphrase is of {} to {} octets", passphrase_octets_min, passphrase_octets_max));
    if (identifier.size() > passphrase_identifier_octets_max)
        return fail(Code::policy, fmt::format("the identifier of a revocation passphrase is of {} octets at most", passphrase_identifier_octets_max));
    cms::EnvelopedDataBuilder builder{cms::oid::data, passphrase.reveal()};
    if (const auto* certificate = std::get_if<const x509::Certificate*>(&to)) builder.recipient(**certificate);
    else builder.password(*std::get<const crypto::Secret*>(to), crypto::PasswordMacChoice{}.iterations);   // as the MAC beside it
    if (!identifier.empty()) {
        der::Writer value;
        value.octet_string(identifier);
        builder.unprotected(cms::make_attribute(cms::oid::local_key_id, value.bytes()));
    }
    ESTUARY_TRY(const auto made, builder.build());
    ESTUARY_TRY(auto enveloped, without_content_info(made));
    return make_rev_passphrase(x509::crmf::EnvelopedKey{std::move(enveloped)});
}

}  // namespace estuary::cmp
