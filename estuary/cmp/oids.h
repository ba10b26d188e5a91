#pragma once
// Object identifiers of CMP, spelled as RFC 9810 spells them.
#include "estuary/asn1/oid.h"

namespace estuary::cmp::oid {

using der::Oid;

// InfoTypeAndValue, id-it (RFC 9810 5.1.1 and 5.3.19)
inline constexpr Oid ca_prot_enc_cert{"1.3.6.1.5.5.7.4.1"};
inline constexpr Oid sign_key_pair_types{"1.3.6.1.5.5.7.4.2"};
inline constexpr Oid enc_key_pair_types{"1.3.6.1.5.5.7.4.3"};
inline constexpr Oid preferred_symm_alg{"1.3.6.1.5.5.7.4.4"};
inline constexpr Oid ca_key_update_info{"1.3.6.1.5.5.7.4.5"};  ///< deprecated: id-it-rootCaKeyUpdate
inline constexpr Oid current_crl{"1.3.6.1.5.5.7.4.6"};
inline constexpr Oid unsupported_oids{"1.3.6.1.5.5.7.4.7"};
inline constexpr Oid key_pair_param_req{"1.3.6.1.5.5.7.4.10"};
inline constexpr Oid key_pair_param_rep{"1.3.6.1.5.5.7.4.11"};
inline constexpr Oid rev_passphrase{"1.3.6.1.5.5.7.4.12"};
inline constexpr Oid implicit_confirm{"1.3.6.1.5.5.7.4.13"};
inline constexpr Oid confirm_wait_time{"1.3.6.1.5.5.7.4.14"};
inline constexpr Oid orig_pki_message{"1.3.6.1.5.5.7.4.15"};
inline constexpr Oid supp_lang_tags{"1.3.6.1.5.5.7.4.16"};
inline constexpr Oid ca_certs{"1.3.6.1.5.5.7.4.17"};
inline constexpr Oid root_ca_key_update{"1.3.6.1.5.5.7.4.18"};
inline constexpr Oid cert_req_template{"1.3.6.1.5.5.7.4.19"};
inline constexpr Oid root_ca_cert{"1.3.6.1.5.5.7.4.20"};
inline constexpr Oid cert_profile{"1.3.6.1.5.5.7.4.21"};
inline constexpr Oid crl_status_list{"1.3.6.1.5.5.7.4.22"};
inline constexpr Oid crls{"1.3.6.1.5.5.7.4.23"};
inline constexpr Oid kem_ciphertext_info{"1.3.6.1.5.5.7.4.24"};

// Controls in the keySpec of a request template, id-regCtrl (RFC 9810 5.3.19.16)
inline constexpr Oid alg_id{"1.3.6.1.5.5.7.5.1.11"};
inline constexpr Oid rsa_key_len{"1.3.6.1.5.5.7.5.1.12"};

}  // namespace estuary::cmp::oid
