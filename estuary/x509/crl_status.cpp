// What CRLs say of a certificate: scope, deltas, status (RFC 5280 5.2.4, 6.3.3).
#include "estuary/x509/crl.h"

namespace estuary::x509 {
namespace {

using Point = DistributionPoint;

GeneralName directory_name(const Name& name) { return {GeneralName::Kind::directory, to_vec(name.der())}; }

/// Version 1 and 2 certificates have no [0] at the front of their tbsCertificate, or another number in it.
bool is_version_3(const Certificate& certificate) {
    auto tbs = der::enter_only(certificate.tbs(), der::Tag::sequence, "TBSCertificate");
    return tbs && tbs->next_is(der::context_constructed(0));  // parse() takes versions 1 and 3 only
}

/// 6.3.3 (b) (2) (ii) to (iv)
Result<void> check_kind(const IssuingDistributionPoint& scope, const Certificate& certificate) {
    if (scope.only_attribute_certificates) return fail(Code::not_found, "the CRL is about attribute certificates only");
    if (scope.only_user_certificates && certificate.is_ca())
        return fail(Code::not_found, "the CRL is about end entities only, and the certificate is a CA's");
    if (scope.only_ca_certificates && !certificate.is_ca())
        return fail(Code::not_found, "the CRL is about CAs only, and the certificate is none of a CA");
    //= https://www.rfc-editor.org/rfc/rfc5280#section-5.2.5
    //# If either onlyContainsUserCerts or onlyContainsCACerts is set to TRUE, then the
    //# scope of the CRL MUST NOT include any version 1 or version 2 certificates.
    if ((scope.only_user_certificates || scope.only_ca_certificates) && !is_version_3(certificate))
        return fail(Code::not_found, "a CRL for one kind of certificates covers no certificate of version 1");
    return {};
}

/// 6.3.3 (b) (1)
bool is_by_issuer_of(const Point& point, const RevocationList& list, const Certificate& certificate) {
    if (point.crl_issuer.empty()) return list.issuer().matches(certificate.issuer());
    return list.scope() && list.scope()->indirect && have_name_in_common(point.crl_issuer, {directory_name(list.issuer())});
}

/// The name that a fragment in the certificate's point is appended to (4.2.1.13).
Name base_of_fragment(const Point& point, const Certificate& certificate) {
    for (const auto& name : point.crl_issuer)
        if (name.kind == GeneralName::Kind::directory)
            if (auto parsed = Name::parse(name.value)) return *std::move(parsed);
    return certificate.issuer();
}

/// 6.3.3 (b) (2) (i)
bool shares_name(const Point& point, const RevocationList& list, const Certificate& certificate) {
    if (!list.scope() || !list.scope()->name) return true;
    const auto names_of_list = list.scope()->name->names_below(list.issuer());
    if (!point.name) return have_name_in_common(names_of_list, point.crl_issuer);
    return have_name_in_common(names_of_list, point.name->names_below(base_of_fragment(point, certificate)));
}

/// 6.3.3, last paragraph: for CRLs that no distribution point names, the one that is assumed.
Point assumed_point(const Certificate& certificate) {
    Point point;
    point.name = DistributionPointName{{directory_name(certificate.issuer())}, {}};
    if (const auto* extension = find(certificate.extensions(), oid::issuer_alt_name))
        if (const auto names = parse_general_names(extension->value))
            point.name->full_name.insert(point.name->full_name.end(), names->begin(), names->end());
    return point;
}

/// 6.3.3 (d)
ReasonFlags reasons_of(const Point& point, const RevocationList& list) {
    auto reasons = point.reasons.value_or(all_reasons) & all_reasons;
    if (list.scope() && list.scope()->only_some_reasons) reasons &= *list.scope()->only_some_reasons;
    return reasons;
}

bool same_extension(const RevocationList& a, const RevocationList& b, const der::Oid& id) {
    const auto *first = find(a.extensions(), id), *second = find(b.extensions(), id);
    if (first == nullptr || second == nullptr) return first == second;
    return first->value == second->value;  // both are strict DER: equal values are equal octets
}

void set_revoked(CrlStatus& status, const CrlEntry& entry) {
    status.kind = CrlStatus::Kind::revoked;
    status.revoked_at = entry.revoked_at;
    status.reason = entry.reason;
    status.invalidity_date = entry.invalidity_date;
}

/// 6.3.3 (i) and (j): the delta has the last word, also when it says removeFromCRL.
std::optional<CrlEntry> find_entry(const Certificate& certificate, const RevocationList& complete, const RevocationList* delta) {
    if (delta != nullptr)
        if (auto entry = delta->find(certificate.serial_number(), certificate.issuer())) return entry;
    return complete.find(certificate.serial_number(), certificate.issuer());
}

}  // namespace

Result<void> RevocationList::verify_issued_by(const Certificate& crl_issuer) const {
    if (!issuer().matches(crl_issuer.subject()))
        return fail(Code::not_authorised,
                    "the CRL is issued by " + issuer().to_text() + ", not by " + crl_issuer.subject().to_text());
    //= https://www.rfc-editor.org/rfc/rfc5280#section-6.3.3
    //# If a key usage extension is present in the CRL issuer's certificate, verify that the cRLSign bit is set.
    const auto usage = crl_issuer.key_usage();
    if (usage && (*usage & crl_sign) == 0) return fail(Code::not_authorised, "the CRL issuer's keyUsage has no cRLSign");
    ESTUARY_TRY(const auto key, crl_issuer.public_key());
    return verify_signed_by(key);
}

Result<ReasonFlags> RevocationList::covers(const Certificate& certificate) const {
    if (scope()) ESTUARY_CHECK(check_kind(*scope(), certificate));
    ESTUARY_TRY(auto points, distribution_points(certificate.extensions()));
    points.push_back(assumed_point(certificate));
    ReasonFlags reasons = 0;
    bool in_scope = false;
    for (const auto& point : points) {
        if (!is_by_issuer_of(point, *this, certificate) || !shares_name(point, *this, certificate)) continue;
        in_scope = true;
        reasons |= reasons_of(point, *this);
    }
    if (!in_scope) return fail(Code::not_found, "the certificate is not within the scope of the CRL of " + issuer().to_text());
    return reasons;
}

Result<void> RevocationList::check_updated_by(const RevocationList& delta) const {
    const auto conflict = [](const char* what) {
        return fail(Code::conflict, std::string{"the delta CRL does not fit: "} + what);
    };
    if (is_delta()) return conflict("the list to be updated is a delta itself");
    if (!delta.is_delta()) return conflict("it has no deltaCRLIndicator");
    if (!issuer().matches(delta.issuer())) return conflict("another issuer");
    if (!same_extension(*this, delta, oid::issuing_distribution_point)) return conflict("another scope");
    if (!same_extension(*this, delta, oid::authority_key_identifier)) return conflict("another authority key identifier");
    if (!crl_number() || !delta.crl_number()) return conflict("one of the lists has no CRL number");
    if (*crl_number() < *delta.delta_base()) return conflict("the complete CRL is older than its base");
    if (*crl_number() >= *delta.crl_number()) return conflict("it is not newer than the complete CRL");
    return {};
}

Result<CrlStatus> status_in_crls(const Certificate& certificate, const RevocationList& complete, const RevocationList* delta) {
    ESTUARY_CHECK(complete.check_usable());
    if (complete.is_delta()) return fail(Code::conflict, "a delta CRL alone does not tell a certificate's status");
    if (delta != nullptr) {
        ESTUARY_CHECK(delta->check_usable());
        ESTUARY_CHECK(complete.check_updated_by(*delta));
    }
    CrlStatus status;
    ESTUARY_TRY(status.reasons, complete.covers(certificate));
    const auto entry = find_entry(certificate, complete, delta);
    if (entry && entry->reason != CrlReason::remove_from_crl)
        set_revoked(status, *entry);
    else if (status.reasons == all_reasons)
        status.kind = CrlStatus::Kind::good;
    return status;
}

}  // namespace estuary::x509
