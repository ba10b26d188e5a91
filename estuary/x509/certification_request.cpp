#include "estuary/x509/request_fields.h"

namespace estuary::x509 {

std::string_view to_string(Possession possession) noexcept {
    switch (possession) {
        case Possession::signature: return "signature";
        case Possession::registration_authority: return "registration authority";
        case Possession::decryption: return "decryption";
        case Possession::generated_here: return "generated here";
        case Possession::key_agreement: return "key agreement";
    }
    return "";
}

CertificationRequest::CertificationRequest(const SignedRequest& request) : fields_{request.fields_} {}

Result<CertificationRequest> CertificationRequest::make(Parts parts) {
    auto fields = std::make_shared<RequestFields>();
    ESTUARY_TRY(fields->names, requested_names(parts.extensions));
    ESTUARY_TRY(fields->key, crypto::PublicKey::from_spki(parts.spki));
    fields->der = std::move(parts.der);
    fields->own_spki = std::move(parts.spki);
    fields->spki = fields->own_spki;
    fields->subject = std::move(parts.subject);
    fields->extensions = std::move(parts.extensions);
    fields->attributes = std::move(parts.attributes);
    fields->possession = parts.possession;
    fields->not_before = parts.not_before;
    fields->not_after = parts.not_after;
    return CertificationRequest{std::move(fields)};
}

CertificationRequest::Parts CertificationRequest::parts() const {
    return {fields_->der,        fields_->subject,    to_vec(fields_->spki), fields_->extensions,
            fields_->attributes, fields_->possession, fields_->not_before,   fields_->not_after};
}

Result<CertificationRequest> CertificationRequest::for_generated_key(Bytes spki) const {
    auto changed = parts();
    changed.spki = to_vec(spki);
    changed.possession = Possession::generated_here;
    return make(std::move(changed));
}

Bytes CertificationRequest::der() const noexcept { return fields_->der; }
const Name& CertificationRequest::subject() const noexcept { return fields_->subject; }
Bytes CertificationRequest::spki() const noexcept { return fields_->spki; }
const crypto::PublicKey& CertificationRequest::public_key() const noexcept { return *fields_->key; }
const std::vector<Attribute>& CertificationRequest::attributes() const noexcept { return fields_->attributes; }
const Attribute* CertificationRequest::attribute(const der::Oid& type) const noexcept { return find(fields_->attributes, type); }
const std::vector<Extension>& CertificationRequest::extensions() const noexcept { return fields_->extensions; }
const std::vector<GeneralName>& CertificationRequest::subject_alt_names() const noexcept { return fields_->names; }
Possession CertificationRequest::possession() const noexcept { return fields_->possession; }
std::optional<Time> CertificationRequest::not_before() const noexcept { return fields_->not_before; }
std::optional<Time> CertificationRequest::not_after() const noexcept { return fields_->not_after; }

}  // namespace estuary::x509
