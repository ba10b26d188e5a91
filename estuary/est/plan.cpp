// The client's wishes joined with what the server asks for (RFC 7030 4.5.2, RFC 9908 3.4, RFC 7894 4).
#include <algorithm>

#include "estuary/est/keygen.h"
#include "estuary/est/plan_parts.h"

namespace estuary::est {
namespace {

bool is_listed(const CsrAttrs& attributes, const der::Oid& type) {
    const auto has = [&](const std::vector<AttrOrOid>& list) { return std::ranges::count(list, type, &AttrOrOid::oid) != 0; };
    return has(attributes.items) || (attributes.request_template && has(attributes.request_template->attributes));
}

}  // namespace

std::string name_of(const der::Oid& oid) {
    struct Named {
        der::Oid oid;
        const char* name;
    };
    static constexpr std::array names{
        Named{x509::oid::common_name, "CN"},
        Named{x509::oid::serial_number, "serialNumber"},
        Named{x509::oid::country_name, "C"},
        Named{x509::oid::locality_name, "L"},
        Named{x509::oid::state_or_province_name, "ST"},
        Named{x509::oid::organization_name, "O"},
        Named{x509::oid::organizational_unit_name, "OU"},
        Named{x509::oid::domain_component, "DC"},
        Named{x509::oid::user_id, "UID"},
        Named{x509::oid::email_address, "emailAddress"},
        Named{x509::oid::subject_alt_name, "subjectAltName"},
        Named{x509::oid::key_usage, "keyUsage"},
        Named{x509::oid::ext_key_usage, "extKeyUsage"},
    };
    const auto found = std::ranges::find(names, oid, &Named::oid);
    return found == names.end() ? oid.dotted() : found->name;
}

Result<RequestPlan> plan_request(const Wishes& wishes, const CsrAttrs& attributes) {
    RequestPlan plan;
    plan.key_type = plan_key(wishes, attributes, plan.notes);
    ESTUARY_TRY(plan.request.subject, plan_subject(wishes, attributes, plan.notes));
    ESTUARY_TRY(plan.request.extensions, plan_extensions(wishes, plan.request.subject, attributes, plan.notes));
    // The challenge attributes count also where a template stands beside them: RFC 7030 3.5 wants the client to link in any
    // case, and RFC 7894 4 every listed attribute for which there is a value.
    plan.linking_by_attribute = is_listed(attributes, x509::oid::est_identity_linking);
    plan.linking_wanted = plan.linking_by_attribute || is_listed(attributes, x509::oid::challenge_password);
    plan.key_encryption_wanted = is_listed(attributes, oid::asymmetric_decrypt_key_identifier) || is_listed(attributes, oid::decrypt_key_identifier);
    plan.one_time_password_wanted = is_listed(attributes, x509::oid::otp_challenge);
    return plan;
}

}  // namespace estuary::est
