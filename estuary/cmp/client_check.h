#pragma once
// Whether an answer may be believed (RFC 9483 3.5); inside of the client.
#include "estuary/cmp/client.h"

namespace estuary::cmp {

/// Of whose making a message is.
struct AnswerProof {
    enum class Kind : std::uint8_t { none, mac, signature } kind = Kind::none;
    std::vector<x509::Certificate> path;   ///< of a signature: protection certificate first, anchor last
};

/// What ties an answer to what was asked.
struct ExpectedAnswer {
    Bytes transaction_id;
    std::vector<ByteVec> nonces;           ///< recipNonce is one of them
};
/// Version, identifiers, nonces, time. bad_proof, malformed, unsupported.
Result<void> check_answer_header(const PkiMessage& message, const ExpectedAnswer& expected, const ClientConfig& config, Time now);

/// Verifies the protection by what the configuration says. `known` are certificates of earlier messages of the transaction, for those
/// that come without. Kind none is for an unprotected error only, where the configuration lets it pass. not_authenticated: missing
/// or wrong, or no path to an anchor; not_authorised: by somebody who does not speak for the authority; unsupported, bad_key,
/// too_large: the algorithm.
Result<AnswerProof> check_answer_protection(const PkiMessage& message, const std::vector<x509::Certificate>& known,
                                            const ClientConfig& config, Time now);

}  // namespace estuary::cmp
