#pragma once
// From BER to DER, for the peers that stream (X.690 8.1.3.6, 8.7.3; RFC 5652 5.1 and 6.1 let them).
#include "estuary/asn1/der.h"

namespace estuary::cms {

/// The same value with definite, shortest lengths, and every constructed OCTET STRING as one primitive string. DER comes back
/// unchanged. What else BER allows (BOOLEAN TRUE that is not FF, unsorted SET OF, long forms of INTEGER, other strings in
/// pieces) stays as it was, and the strict readers refuse it; a string behind an IMPLICIT tag stays in its pieces, for only
/// its reader knows that it is a string. malformed: not BER, or octets left over; too_large: over `limits`.
/// A certificate inside that is not DER loses its signature here, as it should.
Result<ByteVec> to_der(Bytes ber, const der::Limits& limits = {});

}  // namespace estuary::cms
