#pragma once
// Possession shown by decrypting (RFC 9810 5.2.8.3.3): popdecc and popdecr.
#include <optional>
#include <vector>

#include "estuary/cmp/limits.h"
#include "estuary/x509/name.h"

namespace estuary::cmp {

/// Rand ::= SEQUENCE { int INTEGER, sender GeneralName }: what is encrypted.
struct Rand {
    ByteVec integer;            ///< INTEGER content octets
    x509::GeneralName sender;   ///< as in the header of the popdecc
    bool operator==(const Rand&) const = default;

    static Result<Rand> parse(Bytes der);
    ByteVec encode() const;
};

/// Challenge ::= SEQUENCE { owf AlgorithmIdentifier OPTIONAL, witness OCTET STRING, challenge OCTET STRING,
///                          encryptedRand [0] EnvelopedData OPTIONAL }
struct Challenge {
    std::optional<ByteVec> owf;             ///< whole AlgorithmIdentifier; absent: that of the Challenge before
    ByteVec witness;                        ///< owf of the INTEGER
    ByteVec challenge;                      ///< cmp2000: Rand encrypted; cmp2021: empty
    std::optional<ByteVec> encrypted_rand;  ///< cmp2021: whole EnvelopedData (no ContentInfo around it)
    bool operator==(const Challenge&) const = default;
};

/// malformed: no owf in the first; neither or both of challenge and encryptedRand.
struct PopoDecKeyChallContent {
    std::vector<Challenge> challenges;

    static Result<PopoDecKeyChallContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

struct PopoDecKeyRespContent {
    std::vector<ByteVec> integers;  ///< INTEGER content octets, in the order of the challenges

    static Result<PopoDecKeyRespContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
};

}  // namespace estuary::cmp
