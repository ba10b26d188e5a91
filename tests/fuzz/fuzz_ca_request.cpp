// What another CA asks for, through policy, the person's approval and the signature. Input: a CertTemplate (RFC 4211 5) in DER. Whatever
// it says, no CA comes out that may do more than the profile gives.
#include "estuary/x509/crmf.h"
#include "estuary/x509/name_constraints.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using fuzz::require;

x509::NameConstraints bounds() {
    x509::NameConstraints made;
    made.permitted = {x509::name_subtree_from_text("dns:example.com").value(), x509::name_subtree_from_text("ip:192.0.2.0/24").value()};
    made.excluded = {x509::name_subtree_from_text("dns:secret.example.com").value()};
    return made;
}

std::vector<authority::Profile> profiles(const authority::Profile& device) {
    authority::Profile made;
    made.name = "sub-ca";
    made.ca = "issuing";
    made.key_types = device.key_types;
    made.subject.allowed = device.subject.allowed;
    made.san.allowed = device.san.allowed;
    made.ca_certificate = authority::CaRules{3, bounds()};
    made.manual_approval = true;
    return {device, made};
}

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{profiles, {}, 2} {}
    Result<authority::Outcome> ask(const authority::EnrollRequest& request) {
        store::UnitOfWork work;
        auto outcome = authority->enroll(request, work);
        commit(std::move(work));
        return outcome;
    }
    const ByteVec spki = to_vec(crypto::PrivateKey::generate("p256")->public_key().spki());
};

void check(const x509::Certificate& made, const authority::CaConfig& ca) {
    require(made.is_ca() && made.path_length() && *made.path_length() < *ca.certificate.path_length());
    require(made.key_usage() == (x509::key_cert_sign | x509::crl_sign));
    require(made.not_after() <= ca.certificate.not_after() && !(made.subject() == ca.certificate.subject()));
    require(x509::lint_tbs(made.tbs(), &ca.certificate).empty());
    const auto* constraints = made.name_constraints();
    require(constraints != nullptr && constraints->has_value());
    // What is given is as narrow as what bounds it.
    const auto again = x509::narrowed(bounds(), **constraints);
    require(again && again->permitted == (*constraints)->permitted);
    for (const auto& excluded : bounds().excluded)
        require(std::ranges::find((*constraints)->excluded, excluded) != (*constraints)->excluded.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    der::Reader reader{Bytes{data, size}};
    auto wanted = x509::crmf::CertTemplate::read(reader);
    if (!wanted) return 0;
    x509::CertificationRequest::Parts parts;
    parts.der.assign(data, data + size);
    if (wanted->subject) parts.subject = *wanted->subject;
    parts.spki = wanted->public_key.value_or(world.spki);
    parts.extensions = wanted->extensions;
    if (wanted->validity) {
        parts.not_before = wanted->validity->not_before;
        parts.not_after = wanted->validity->not_after;
    }
    auto request = x509::CertificationRequest::make(std::move(parts));
    if (!request) return 0;
    authority::EnrollRequest asked{authority::Verb::cross_certify, "sub-ca", "label", std::move(*request), {}};
    asked.principal.operator_ = true;
    world.clock.advance(Seconds{1});
    const auto first = world.ask(asked);
    if (!first) return 0;
    if (const auto* repeated = std::get_if<authority::Issued>(&*first)) {
        require(repeated->repeated);
        return 0;
    }
    const auto waiting = world.store->pending_requests(store::PendingRequest::State::pending).value();
    require(!waiting.empty());
    store::UnitOfWork work;
    if (!world.authority->decide(waiting.back().id, true, {}, asked.principal, work)) return 0;
    world.commit(std::move(work));
    const auto outcome = world.ask(asked);
    if (const auto* issued = outcome ? std::get_if<authority::Issued>(&*outcome) : nullptr) check(issued->certificate, *world.authority->ca("issuing"));
    return 0;
}
