#pragma once
// The client's side of /serverkeygen (RFC 7030 4.4): what it asks for, and what it makes of the answer.
#include "estuary/est/client.h"
#include "estuary/est/keygen.h"

namespace estuary::est {

/// What the request says of it. bad_key: the certificate's key usage allows no encryption to it, or its key cannot receive.
Result<KeyDelivery> delivery_to(const KeyOpener& opener);

/// A private key that the server made, with its certificate.
struct ServerKey {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};
/// The key opened, its signature verified, its signer's path found to an anchor of `bag`, its certificate picked.
///
/// bad_proof, with one text for whatever is wrong with the encryption or with what is inside (bug class 17); not_authorised: the
/// signer is nobody who may make keys (id-kp-cmKGA, id-kp-cmcRA, or one of the CAs); policy: encrypted where that was not asked
/// for, or not where it was; bad_key: no certificate, or several, for that key.
Result<ServerKey> open_key_answer(const KeyAnswer& answer, const KeyOpener& opener, const CaBag& bag, Time now);

}  // namespace estuary::est
