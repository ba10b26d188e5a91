#pragma once
// What lies behind SignedRequest and CertificationRequest: one set of fields, shared.
#include "estuary/x509/certification_request.h"

namespace estuary::x509 {

struct RequestFields {
    ByteVec der;  // one buffer; of a SignedRequest the view below is into it
    ByteVec own_spki;
    Bytes spki;
    Name subject;
    std::optional<crypto::PublicKey> key;
    std::vector<Attribute> attributes;
    std::vector<Extension> extensions;
    std::vector<GeneralName> names;
    std::optional<std::string> challenge;
    Possession possession = Possession::signature;
    std::optional<Time> not_before, not_after;
};

const Attribute* find(const std::vector<Attribute>& attributes, const der::Oid& type) noexcept;
/// The names of the subjectAltName among extensions that were asked for, each checked; empty if there is none.
Result<std::vector<GeneralName>> requested_names(const std::vector<Extension>& extensions);

}  // namespace estuary::x509
