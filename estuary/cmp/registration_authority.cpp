#include "estuary/cmp/registration_authority.h"

#include "estuary/cmp/protection.h"

namespace estuary::cmp {

namespace crmf = x509::crmf;

Result<crmf::CertReqMsg> vouched_for(const x509::CertificationRequest& request, const crmf::CertReqMsg* original) {
    crmf::CertRequest wanted;
    wanted.cert_template.subject = request.subject();
    wanted.cert_template.public_key = to_vec(request.spki());
    wanted.cert_template.extensions = request.extensions();
    if (request.not_before() || request.not_after())
        wanted.cert_template.validity = crmf::OptionalValidity{request.not_before(), request.not_after()};
    if (original == nullptr) return crmf::CertReqMsg::parse(crmf::make_ra_verified(wanted.encode()));
    wanted.cert_req_id = original->cert_req().cert_req_id;
    wanted.controls = original->cert_req().controls;
    return crmf::CertReqMsg::parse(crmf::make_ra_verified(wanted.encode(), original->reg_info()));
}

Result<ByteVec> sign_message(PkiHeader header, const PkiBody& body, const ClientSigner& own) {
    const auto& certificate = own.chain.front();
    header.sender = directory_name(certificate.subject());
    header.sender_kid = certificate.subject_key_id();
    std::vector<Bytes> chain;
    for (const auto& link : own.chain)
        if (chain.empty() || !link.is_self_issued()) chain.push_back(link.der());
    ESTUARY_TRY(const auto protector, Protector::with_key(own.key));
    return protector.protect(std::move(header), body, chain);
}

}  // namespace estuary::cmp
