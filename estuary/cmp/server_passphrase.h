#pragma once
// Revocation passphrases as they are kept (RFC 9810 B); used inside of the server only.
#include <optional>

#include "estuary/authority/principal.h"
#include "estuary/base/clock.h"
#include "estuary/cmp/messages.h"
#include "estuary/crypto/secret.h"
#include "estuary/store/records.h"
#include "estuary/x509/name.h"

namespace estuary::cmp {

inline constexpr std::string_view passphrase_protocol = "cmp-passphrase";
/// What a KeptPassphrase is sealed for, with the key of its record as context.
inline constexpr std::string_view passphrase_purpose = "estuary: revocation passphrases of CMP";

/// A passphrase, and whose certificates it reaches.
struct KeptPassphrase {
    authority::PassphraseProof proof;
    ByteVec identifier;          ///< chosen by its holder; empty: it is found by `name`
    ByteVec name;                ///< as passphrase_name() gives it; empty: its holder has none
    Time conveyed_at{};          ///< messageTime of the message that conveyed it
    crypto::Secret secret;

    // Where it is kept; not part of the record.
    store::RequestKey place{};
    std::int64_t revision = 0;
    ByteVec sealed;              ///< of one that is about to be kept

    /// All of it is sealed together, so that no part can be put with another.
    crypto::Secret encode() const;
    /// internal: not such a record.
    static Result<KeptPassphrase> decode(const crypto::Secret& octets);
    bool is_of_same_holder(const authority::PassphraseProof& other) const;
};

/// What may protect a message, where that is for a passphrase to do.
struct ShownPassphrase {
    bool wanted = false;                       ///< false: the message is protected in another way, or may not be in this
    std::optional<KeptPassphrase> found = {};  ///< nothing: nobody has conveyed it
};

/// How holders without an identifier are found: by the subject of their certificate as sender, or the name of their credential.
ByteVec passphrase_name(const x509::Name& subject);
ByteVec passphrase_name(std::string_view credential);
/// Where the passphrase with this identifier, or of this name, is: under this label.
store::RequestKey passphrase_place_by_identifier(std::string_view label, Bytes identifier);
store::RequestKey passphrase_place_by_name(std::string_view label, Bytes name);
/// The places where that of an rr may be, in this order.
std::vector<store::RequestKey> passphrase_places(std::string_view label, const PkiHeader& header);

/// Whether a message has one in its header, or a genm in its body. False also where it is there twice: that is told later.
bool conveys_passphrase(const PkiMessage& message);

}  // namespace estuary::cmp
