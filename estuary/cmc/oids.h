#pragma once
// Object identifiers of CMC (RFC 5272, RFC 6402, republished as RFC 10002), spelled as the RFCs spell them.
#include "estuary/asn1/oid.h"

namespace estuary::cmc::oid {

using der::Oid;

// Content types (3.2.1, 4.2.1)
inline constexpr Oid pki_data{"1.3.6.1.5.5.7.12.2"};
inline constexpr Oid pki_response{"1.3.6.1.5.5.7.12.3"};

// Controls, id-cmc (6). popLinkWitnessV2 is 33 and identityProofV2 is 34 in the text and in the 1988 modules, in the registry
// and in every peer; the later modules have them the other way round. They stand in different places and cannot be mixed up.
inline constexpr Oid status_info{"1.3.6.1.5.5.7.7.1"};
inline constexpr Oid identification{"1.3.6.1.5.5.7.7.2"};
inline constexpr Oid identity_proof{"1.3.6.1.5.5.7.7.3"};
inline constexpr Oid data_return{"1.3.6.1.5.5.7.7.4"};
inline constexpr Oid transaction_id{"1.3.6.1.5.5.7.7.5"};
inline constexpr Oid sender_nonce{"1.3.6.1.5.5.7.7.6"};
inline constexpr Oid recipient_nonce{"1.3.6.1.5.5.7.7.7"};
inline constexpr Oid add_extensions{"1.3.6.1.5.5.7.7.8"};
inline constexpr Oid encrypted_pop{"1.3.6.1.5.5.7.7.9"};
inline constexpr Oid decrypted_pop{"1.3.6.1.5.5.7.7.10"};
inline constexpr Oid lra_pop_witness{"1.3.6.1.5.5.7.7.11"};
inline constexpr Oid get_cert{"1.3.6.1.5.5.7.7.15"};
inline constexpr Oid get_crl{"1.3.6.1.5.5.7.7.16"};
inline constexpr Oid revoke_request{"1.3.6.1.5.5.7.7.17"};
inline constexpr Oid reg_info{"1.3.6.1.5.5.7.7.18"};
inline constexpr Oid response_info{"1.3.6.1.5.5.7.7.19"};
inline constexpr Oid query_pending{"1.3.6.1.5.5.7.7.21"};
inline constexpr Oid pop_link_random{"1.3.6.1.5.5.7.7.22"};
inline constexpr Oid pop_link_witness{"1.3.6.1.5.5.7.7.23"};
inline constexpr Oid confirm_cert_acceptance{"1.3.6.1.5.5.7.7.24"};
inline constexpr Oid status_info_v2{"1.3.6.1.5.5.7.7.25"};
inline constexpr Oid trusted_anchors{"1.3.6.1.5.5.7.7.26"};
inline constexpr Oid auth_data{"1.3.6.1.5.5.7.7.27"};
inline constexpr Oid batch_requests{"1.3.6.1.5.5.7.7.28"};
inline constexpr Oid batch_responses{"1.3.6.1.5.5.7.7.29"};
inline constexpr Oid publish_cert{"1.3.6.1.5.5.7.7.30"};
inline constexpr Oid mod_cert_template{"1.3.6.1.5.5.7.7.31"};
inline constexpr Oid control_processed{"1.3.6.1.5.5.7.7.32"};
inline constexpr Oid pop_link_witness_v2{"1.3.6.1.5.5.7.7.33"};
inline constexpr Oid identity_proof_v2{"1.3.6.1.5.5.7.7.34"};
inline constexpr Oid ra_identity_witness{"1.3.6.1.5.5.7.7.35"};
inline constexpr Oid response_body{"1.3.6.1.5.5.7.7.37"};

inline constexpr Oid unsigned_data{"1.2.840.113549.1.9.16.2.34"};  ///< id-aa-cmc-unsignedData (3.2.3)
inline constexpr Oid no_signature{"1.3.6.1.5.5.7.6.2"};            ///< id-alg-noSignature (C.1)

}  // namespace estuary::cmc::oid
