#pragma once
// EnvelopedData as CMP carries it: without a ContentInfo around it, for one recipient (RFC 9810 5.2.2).
#include "estuary/cms/enveloped_data.h"
#include "estuary/cmp/server_sender.h"

namespace estuary::cmp {

/// Content in the clear for whoever has this key. Errors as EnvelopedDataBuilder::build().
Result<ByteVec> envelope_for(const crypto::PublicKey& key, const cms::Identifier& recipient, Bytes content);
/// The content of a ContentInfo: the structure itself.
Result<ByteVec> without_content_info(Bytes content_info);

/// A private key in SignedData by the key generation authority, which vouches for where it comes from, in EnvelopedData (RFC 9483
/// 4.1.6): for the sender's MAC secret (pwri) or the key of its protection certificate (ktri, kari, ori); or, if there is one, for the key
/// that the request names (RFC 4211 6.6).
Result<ByteVec> envelope_with_key(const crypto::PrivateKey& key, const Credentials& generator, const Sender& sender,
                                  const crypto::PublicKey* encryption_key = nullptr);
/// Whether there is somebody whom a private key can be given to.
Checked<void> check_recipient(const Sender& sender);

}  // namespace estuary::cmp
