#include "apps/estuaryd/ca_request.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/crypto/digest.h"
#include "estuary/x509/crmf.h"
#include "estuary/x509/name_constraints.h"

namespace estuary::daemon {
namespace {

std::string subtrees_text(const std::vector<x509::GeneralName>& subtrees) {
    std::string text;
    for (const auto& subtree : subtrees) text += (text.empty() ? "" : " ") + x509::name_subtree_text(subtree);
    return text.empty() ? "-" : text;
}

void add_extensions(const std::vector<x509::Extension>& extensions, FieldList& fields) {
    if (const auto* extension = x509::find(extensions, x509::oid::basic_constraints))
        if (const auto value = x509::parse_basic_constraints(extension->value))
            fields.add("path length", value->path_length ? std::to_string(*value->path_length) : "as long as the profile allows");
    if (const auto* extension = x509::find(extensions, x509::oid::name_constraints))
        if (const auto value = x509::parse_name_constraints(extension->value)) {
            fields.add("permitted names", subtrees_text(value->permitted));
            fields.add("excluded names", subtrees_text(value->excluded));
        }
    if (const auto* extension = x509::find(extensions, x509::oid::subject_key_identifier))
        if (const auto value = x509::parse_subject_key_identifier(extension->value)) fields.add("key identifier", to_hex(*value));
}

}  // namespace

void add_ca_request(Bytes request, FieldList& fields) {
    const auto message = x509::crmf::CertReqMsg::parse(request);
    if (!message) return;
    const auto& wanted = message->cert_req().cert_template;
    fields.add("certificate", "of a CA: whatever it certifies is believed by all who believe in this CA");
    if (wanted.issuer) fields.add("issuer", wanted.issuer->to_text());
    if (const auto key = message->public_key(); key && *key) {
        fields.add("key", (*key)->type_name());
        fields.add("sha256 of the key", to_hex(crypto::sha256((*key)->spki())));
    }
    if (wanted.validity && wanted.validity->not_before && wanted.validity->not_after)
        fields.add("wanted validity", fmt::format("{} to {}", to_iso8601(*wanted.validity->not_before), to_iso8601(*wanted.validity->not_after)));
    add_extensions(wanted.extensions, fields);
}

}  // namespace estuary::daemon
