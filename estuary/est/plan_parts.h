#pragma once
// The parts of plan_request; used inside this room only. What is put in or left undone is told in `notes`.
#include "estuary/est/client.h"

namespace estuary::est {

using Notes = std::vector<std::string>;

/// The key type to make: the person's, else the server's, else p256.
std::string plan_key(const Wishes& wishes, const CsrAttrs& attributes, Notes& notes);
/// The subject: the person's with the server's attributes put in (RFC 9908 3.4).
Result<x509::Name> plan_subject(const Wishes& wishes, const CsrAttrs& attributes, Notes& notes);
/// The requested extensions, subject alternative names among them.
Result<std::vector<x509::Extension>> plan_extensions(const Wishes& wishes, const x509::Name& subject,
                                                     const CsrAttrs& attributes, Notes& notes);

/// "CN", "subjectAltName" or dotted.
std::string name_of(const der::Oid& oid);

}  // namespace estuary::est
