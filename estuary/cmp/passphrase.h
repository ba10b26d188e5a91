#pragma once
// Revocation passphrases on their way (RFC 9810 5.3.19.9, B): id-it-revPassphrase with an EnvelopedData.
#include <variant>

#include "estuary/cmp/info_values.h"
#include "estuary/crypto/secret.h"
#include "estuary/x509/certificate.h"

namespace estuary::cmp {

/// Octets of a passphrase: it has to withstand guessing by whoever sees one rr, and has to be typed by a person.
inline constexpr std::size_t passphrase_octets_min = 8;
inline constexpr std::size_t passphrase_octets_max = 1024;
/// Octets of the identifier that is chosen along with it.
inline constexpr std::size_t passphrase_identifier_octets_max = 64;

/// To whom it is conveyed: the certificate that genm tells as caProtEncCert, or a secret that protects the same message.
using PassphraseRecipient = std::variant<const x509::Certificate*, const crypto::Secret*>;

/// The value for generalInfo, or for a genm. `identifier` becomes localKeyId (RFC 2985); empty: none. policy: a length past the limits
/// above; bad_key: a certificate whose key receives nothing.
Result<InfoTypeAndValue> make_conveyed_passphrase(const crypto::Secret& passphrase, Bytes identifier, const PassphraseRecipient& to);

}  // namespace estuary::cmp
