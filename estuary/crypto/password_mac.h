#pragma once
// MACs keyed by a password: PasswordBasedMac (RFC 4211 4.4, RFC 9045, RFC 9810 5.1.3.1) and PBMAC1 (RFC 8018 7.1).
#include <string>

#include "estuary/crypto/mac.h"

namespace estuary::crypto {

/// What a peer may ask of us. Everything is checked before anything is computed (bug class 30).
struct PasswordMacLimits {
    std::uint64_t iterations_min = 100;       ///< RFC 9045 4.3
    std::uint64_t iterations_max = 100'000;   ///< about 20 ms of SHA-256, 40 ms of PBKDF2
    std::size_t salt_octets_min = 8;          ///< RFC 4211 4.4
    std::size_t salt_octets_max = 128;
    bool hmac_sha1 = true;                    ///< HMAC-SHA1 as the MAC: what OpenSSL's client takes unless told otherwise
    bool sha1_owf = false;                    ///< SHA-1 as one-way function of PasswordBasedMac, or as PRF of PBKDF2: RFC 4210's
};

/// Whether the AlgorithmIdentifier is PasswordBasedMac or PBMAC1.
bool is_password_mac(Bytes algorithm_identifier);

/// The code over `data`, keyed with `password` in the way that the AlgorithmIdentifier says, e.g. one received before (so that a
/// transaction keeps its salt and count). malformed; unsupported: algorithms not known or not allowed; too_large: more
/// iterations or salt than `limits` allow; bad_key: fewer.
Result<ByteVec> compute_password_mac(Bytes algorithm_identifier, const Secret& password, Bytes data,
                                     const PasswordMacLimits& limits = {});
/// Compares in constant time. As above, and bad_proof: the code is another.
Result<void> verify_password_mac(Bytes algorithm_identifier, const Secret& password, Bytes data, Bytes mac,
                                 const PasswordMacLimits& limits = {});

/// What we make: PBMAC1 is the modern one (RFC 9481 6.1.2), PasswordBasedMac the one that every peer has.
struct PasswordMacChoice {
    enum class Scheme : std::uint8_t { password_based_mac, pbmac1 };
    Scheme scheme = Scheme::pbmac1;
    std::string digest = "SHA256";        ///< one-way function, or the PRF's: "SHA256", "SHA384", "SHA512"
    std::string mac = "HMAC-SHA256";
    std::uint64_t iterations = 10'000;    ///< RFC 9045 4.3
    std::size_t salt_octets = 16;
};
/// Its AlgorithmIdentifier in DER, with a fresh salt. unsupported.
Result<ByteVec> make_password_mac_algorithm(const PasswordMacChoice& choice = {});

/// What an AlgorithmIdentifier asks for, to choose the same with a fresh salt. Errors as compute_password_mac().
Result<PasswordMacChoice> password_mac_choice(Bytes algorithm_identifier, const PasswordMacLimits& limits = {});

}  // namespace estuary::crypto
