#pragma once
// CMC's messages (RFC 5272, RFC 6402, republished as RFC 10002): octets <-> values. Strict DER; every count and size is bounded.
#include "estuary/cmc/status.h"
#include "estuary/x509/crmf.h"

namespace estuary::cmc {

/// What is put up with from a peer, of one PKIData or PKIResponse.
struct Limits {
    std::size_t bytes_max = 4u << 20;  ///< the whole message: a batch of a thousand signed requests
    std::size_t controls_max = 1024;   ///< an RA may have one and more for each request that it passes on
    std::size_t requests_max = 2048;
    std::size_t contents_max = 2048;  ///< cmsSequence
    std::size_t other_messages_max = 64;
    std::size_t values_max = 16;  ///< of one control
    unsigned nesting_max = 3;     ///< PKIData within PKIData: an RA's, another's, the end entity's
};

/// TaggedAttribute: a control. What its values mean: controls.h.
struct TaggedAttribute {
    BodyPartId id = 0;
    der::Oid type;
    std::vector<ByteVec> values;  ///< whole elements
    bool operator==(const TaggedAttribute&) const = default;
};

/// TaggedRequest: a certification request in one of three syntaxes.
struct TaggedRequest {
    enum class Kind : std::uint8_t { tcr, crm, orm };

    BodyPartId id = 0;  ///< crm: its certReqId
    Kind kind{};
    ByteVec der;    ///< tcr: CertificationRequest; crm: CertReqMsg as a SEQUENCE; orm: requestMessageValue, a whole element
    der::Oid type;  ///< orm: requestMessageType

    static TaggedRequest pkcs10(BodyPartId id, Bytes certification_request);
    /// malformed: not a CertReqMsg, or its certReqId is no bodyPartID.
    static Result<TaggedRequest> crmf(Bytes cert_req_msg);

    static Result<TaggedRequest> read(der::Reader& reader);
    void write(der::Writer& writer) const;
    ByteVec encode() const;
    bool operator==(const TaggedRequest&) const = default;
};

/// TaggedContentInfo: a message of CMS.
struct TaggedContentInfo {
    BodyPartId id = 0;
    ByteVec content_info;  ///< the whole ContentInfo
    bool operator==(const TaggedContentInfo&) const = default;
};

struct OtherMsg {
    BodyPartId id = 0;
    der::Oid type;
    ByteVec value;  ///< a whole element
    bool operator==(const OtherMsg&) const = default;
};

/// PKIData: a full PKI request.
struct PkiData {
    std::vector<TaggedAttribute> controls;
    std::vector<TaggedRequest> requests;
    std::vector<TaggedContentInfo> contents;
    std::vector<OtherMsg> other_messages;

    /// malformed: also a bodyPartID twice, or 0 as that of a part (3.2.2); too_large.
    static Result<PkiData> parse(Bytes der, const Limits& limits = {});
    ByteVec encode() const;
    /// reqSequence "exactly as it appears", for the identity proof is over it (6.2.1): DER has one encoding.
    ByteVec encode_requests() const;

    /// The first control of that type; null if there is none.
    const TaggedAttribute* control(const der::Oid& type) const noexcept;
    const TaggedRequest* request(BodyPartId id) const noexcept;
    const TaggedContentInfo* content(BodyPartId id) const noexcept;
    bool operator==(const PkiData&) const = default;
};

/// PKIResponse (ResponseBody of RFC 2797).
struct PkiResponse {
    std::vector<TaggedAttribute> controls;
    std::vector<TaggedContentInfo> contents;
    std::vector<OtherMsg> other_messages;

    static Result<PkiResponse> parse(Bytes der, const Limits& limits = {});
    ByteVec encode() const;

    const TaggedAttribute* control(const der::Oid& type) const noexcept;
    const TaggedContentInfo* content(BodyPartId id) const noexcept;
    bool operator==(const PkiResponse&) const = default;
};

/// CMCUnsignedData (3.2.3): what goes along with a control without being signed, for an agent on the way to take out.
struct UnsignedData {
    BodyPartPath path;  ///< of the control that it goes with
    der::Oid identifier;
    ByteVec content;  ///< a whole element

    static Result<UnsignedData> parse(Bytes der);
    ByteVec encode() const;
    bool operator==(const UnsignedData&) const = default;
};

}  // namespace estuary::cmc
