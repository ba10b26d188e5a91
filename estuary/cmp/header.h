#pragma once
// PKIHeader (RFC 9810 5.1.1).
#include "estuary/cmp/free_text.h"
#include "estuary/cmp/info.h"
#include "estuary/x509/name.h"

namespace estuary::cmp {

/// Protocol version numbers.
inline constexpr std::int64_t cmp1999 = 1, cmp2000 = 2, cmp2021 = 3;

/// A directoryName; without an argument the NULL-DN.
x509::GeneralName directory_name(const x509::Name& name = {});
/// The Name of a directoryName; nothing for another kind of name.
std::optional<x509::Name> name_of(const x509::GeneralName& name);

struct PkiHeader {
    std::int64_t pvno = cmp2000;                  ///< as sent: whether we speak it is for the caller to judge
    x509::GeneralName sender = directory_name();
    x509::GeneralName recipient = directory_name();
    std::optional<Time> message_time;
    std::optional<ByteVec> protection_alg;        ///< whole AlgorithmIdentifier
    std::optional<ByteVec> sender_kid, recip_kid;
    std::optional<ByteVec> transaction_id, sender_nonce, recip_nonce;
    PkiFreeText free_text;
    InfoTypeAndValues general_info;

    bool operator==(const PkiHeader&) const = default;

    static Result<PkiHeader> read(der::Reader& reader, const Limits& limits = {});
    ByteVec encode() const;
};

/// The header alone of something that may otherwise be no PKIMessage: for an error answer that names the transaction.
Result<PkiHeader> peek_header(Bytes message, const Limits& limits = {});

}  // namespace estuary::cmp
