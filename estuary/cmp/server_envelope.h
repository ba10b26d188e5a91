#pragma once
// EnvelopedData as CMP carries it: without a ContentInfo around it, for one recipient (RFC 9810 5.2.2).
#include "estuary/cms/enveloped_data.h"

namespace estuary::cmp {

/// Content in the clear for whoever has this key. Errors as EnvelopedDataBuilder::build().
Result<ByteVec> envelope_for(const crypto::PublicKey& key, const cms::Identifier& recipient, Bytes content);
/// The content of a ContentInfo: the structure itself.
Result<ByteVec> without_content_info(Bytes content_info);

}  // namespace estuary::cmp
