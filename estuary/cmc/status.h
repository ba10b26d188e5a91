#pragma once
// How a request, or one part of it, fared (RFC 10002 6.1): CMCStatus, CMCFailInfo, and the two controls that carry them.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "estuary/asn1/der.h"
#include "estuary/cmc/oids.h"

namespace estuary::cmc {

using BodyPartId = std::uint32_t;
/// From the message at hand through nested ones: bodyPartIDs, outermost first.
using BodyPartPath = std::vector<BodyPartId>;
/// BodyPartReference ::= CHOICE { bodyPartID BodyPartID, bodyPartPath BodyPartPath }
using BodyPartReference = std::variant<BodyPartId, BodyPartPath>;

constexpr BodyPartId this_message = 0;         ///< the PKIData or PKIResponse itself (3.2.2)
constexpr std::size_t body_parts_max = 4096;   ///< of any list: a batch of a thousand requests fits four times
constexpr std::size_t text_octets_max = 4096;  ///< of a text for people

enum class Status : std::uint8_t {
    success = 0,
    failed = 2,
    pending = 3,
    no_support = 4,
    confirm_required = 5,
    pop_required = 6,
    partial = 7,
};
/// "confirmRequired" as RFC 10002 6.1.3 spells it.
std::string_view to_string(Status status) noexcept;

/// CMCFailInfo. Closed environments have numbers of their own from 1000 to 1999; those are kept as they come.
enum class FailInfo : std::uint16_t {
    bad_alg = 0,
    bad_message_check = 1,
    bad_request = 2,
    bad_time = 3,
    bad_cert_id = 4,
    unsupported_ext = 5,
    must_archive_keys = 6,
    bad_identity = 7,
    pop_required = 8,
    pop_failed = 9,
    no_key_reuse = 10,
    internal_ca_error = 11,
    try_later = 12,
    auth_data_fail = 13,
};
/// "badMessageCheck" as RFC 10002 6.1.4 spells it; "1234" for others.
std::string to_string(FailInfo info);

/// CMC's word for an error of this house; where a step has a word of its own (badMessageCheck, noKeyReuse …), it says so itself.
FailInfo fail_info_of(Code code) noexcept;

/// PendInfo ::= SEQUENCE { pendToken OCTET STRING, pendTime GeneralizedTime }
struct PendInfo {
    ByteVec token;
    Time at{};  ///< when to ask again
    bool operator==(const PendInfo&) const = default;
};

/// [1] SEQUENCE { failInfoOID OBJECT IDENTIFIER, failInfoValue ANY DEFINED BY failInfoOID }
struct ExtendedFailInfo {
    der::Oid type;
    ByteVec value;  ///< a whole element
    bool operator==(const ExtendedFailInfo&) const = default;
};

/// CMCStatusInfo, of RFC 2797: read from old peers.
struct StatusInfo {
    static constexpr const der::Oid& type = oid::status_info;

    Status status{};
    std::vector<BodyPartId> body_list;
    std::optional<std::string> status_string;
    std::variant<std::monostate, FailInfo, PendInfo> other_info;

    static Result<StatusInfo> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const StatusInfo&) const = default;
};

/// CMCStatusInfoV2.
struct StatusInfoV2 {
    static constexpr const der::Oid& type = oid::status_info_v2;

    Status status{};
    std::vector<BodyPartReference> body_list;
    std::optional<std::string> status_string;
    std::variant<std::monostate, FailInfo, PendInfo, ExtendedFailInfo> other_info;

    static Result<StatusInfoV2> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    bool operator==(const StatusInfoV2&) const = default;
};

// Parts that other controls have as well.

Result<BodyPartId> read_body_part_id(der::Reader& reader);
/// SEQUENCE SIZE (1..MAX) OF BodyPartID; `may_be_empty`: SIZE (0..MAX).
Result<std::vector<BodyPartId>> read_body_part_ids(der::Reader& reader, bool may_be_empty = false);
void write_body_part_ids(der::Writer& writer, const std::vector<BodyPartId>& ids);
/// SEQUENCE SIZE (1..MAX) OF BodyPartReference.
Result<std::vector<BodyPartReference>> read_body_part_references(der::Reader& reader);
void write_body_part_references(der::Writer& writer, const std::vector<BodyPartReference>& references);
/// UTF8String without control characters, of at most `octets_max`.
Result<std::string> read_text(der::Reader& reader, std::string_view what, std::size_t octets_max = text_octets_max);

}  // namespace estuary::cmc
