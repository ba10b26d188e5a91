#pragma once
// What follows an answer: certConf, pkiconf, pollReq, pollRep (RFC 9810 5.3.17, 5.3.18, 5.3.22).
#include "estuary/cmp/status.h"

namespace estuary::cmp {

/// CertStatus ::= SEQUENCE { certHash OCTET STRING, certReqId INTEGER, statusInfo PKIStatusInfo OPTIONAL,
///                           hashAlg [0] AlgorithmIdentifier OPTIONAL }
struct CertStatus {
    ByteVec cert_hash;
    std::int64_t cert_req_id = 0;
    std::optional<PkiStatusInfo> status_info;  ///< absent: accepted
    std::optional<ByteVec> hash_alg;           ///< whole AlgorithmIdentifier; cmp2021 only

    bool is_accepted() const noexcept { return !status_info || status_info->is_granted(); }
    bool operator==(const CertStatus&) const = default;
};

/// An empty list rejects every certificate.
struct CertConfirmContent {
    std::vector<CertStatus> statuses;

    static Result<CertConfirmContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const CertConfirmContent&) const = default;
};

/// PKIConfirmContent ::= NULL
struct PkiConfirmContent {
    static Result<PkiConfirmContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const PkiConfirmContent&) const = default;
};

/// PollReqContent ::= SEQUENCE OF SEQUENCE { certReqId INTEGER }
struct PollReqContent {
    std::vector<std::int64_t> cert_req_ids;

    static Result<PollReqContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const PollReqContent&) const = default;
};

/// PollRepContent ::= SEQUENCE OF SEQUENCE { certReqId INTEGER, checkAfter INTEGER, reason PKIFreeText OPTIONAL }
struct PollRepContent {
    struct One {
        std::int64_t cert_req_id = 0;
        std::int64_t check_after = 0;  ///< seconds, as sent
        PkiFreeText reason;
        bool operator==(const One&) const = default;
    };
    std::vector<One> responses;

    static Result<PollRepContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const PollRepContent&) const = default;
};

}  // namespace estuary::cmp
