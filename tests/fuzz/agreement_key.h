#pragma once
// The agreement key that the proofs of possession in a corpus are made for: the P-256 one of tests/data/static_ecdh.
#include "estuary/base/file.h"
#include "estuary/x509/agreement_proof.h"

namespace estuary::fuzz {

inline const x509::AgreementKey& agreement_key() {
    static const auto key = [] {
        const auto file = [](const char* name) { return file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/static_ecdh/" + name).value(); };
        return x509::AgreementKey{x509::Certificate::parse(file("sha256-verifier.der")).value(),
                                  crypto::PrivateKey::from_bytes(file("sha256-verifier.key.der")).value()};
    }();
    return key;
}

}  // namespace estuary::fuzz
