#pragma once
// The cryptography below which no server can go, measured in the same run: CPU microseconds on one core.
namespace estuary::load {

struct Floor {
    double verify_sign_us = 0;      ///< one P-256 verification and one P-256 signature
    double sign_us = 0;             ///< one P-256 signature
    double handshake_us = 0;        ///< the server's half of a TLS 1.3 handshake in memory: X25519, P-256 certificate, no ticket
    double pbkdf2_us = 0;           ///< PBKDF2 of 10,000 iterations with HMAC-SHA256
    double hashes_us = 0;           ///< 10,000 times SHA-256 of the digest before
    double mtls_handshake_us = 0;   ///< the same with a P-256 client certificate, verified to its CA
};

/// The best of several windows, as noise only ever adds.
Floor measure_floor();

}  // namespace estuary::load
