#pragma once
// What may be certified: the one maker of Authorised values.
#include "estuary/authority/prepared.h"

namespace estuary::authority {

class Policy {
public:
    Policy(const crypto::BlockedKeys& blocked, crypto::Entropy& entropy) : blocked_{blocked}, entropy_{entropy} {}

    /// A certificate of an end entity, or of another CA, decided.
    struct Approved {
        Authorised<x509::TbsCertificate> tbs;
        x509::Name subject;
        std::vector<x509::GeneralName> names;
        ByteVec serial_number;
        Time not_before{}, not_after{};
        unsigned shard = 0;
    };
    /// Runs every rule on the request, and writes the certificate that follows. The order of the rules is the order of the
    /// errors: who asks, how the request came, the key, the names, the extensions, the time.
    Result<Approved> approve(const Rules& rules, const EnrollRequest& request, Time now) const;
    /// The request as it goes to a CA above: as it came where the rules change nothing of it and its possession is shown by a
    /// signature; otherwise what they leave of it, with possession `registration_authority`.
    Result<x509::CertificationRequest> approve_upstream(const Rules& rules, const EnrollRequest& request, Time now) const;
    /// The rules alone, for requests that wait for a person.
    Result<void> check(const Rules& rules, const EnrollRequest& request, Time now) const;

    /// A CRL of this issuer's, made of the store's revocations and nothing else.
    struct CrlPlan {
        unsigned shard = 0;
        bool names_shard = false;               ///< the CRL is about one shard of several: issuingDistributionPoint
        std::int64_t number = 0;
        std::optional<std::int64_t> base_number;///< of a delta
        Time this_update{}, next_update{};
        std::size_t expected_entries = 0;
    };
    struct ApprovedCrl {
        Authorised<x509::CrlToSign> list;
        std::int64_t position = 0, entries = 0;
    };
    static Result<ApprovedCrl> approve_crl(const Issuer& issuer, const CrlPlan& plan, const store::RevokedQuery& query,
                                           store::Store& store);

private:
    friend class Ceremony;
    /// A certificate of a CA of ours as the ceremony plans it: the only other way to an Authorised value, and not one that a request can
    /// take.
    static Authorised<x509::TbsCertificate> approve_ca(x509::TbsCertificate planned) {
        return Authorised<x509::TbsCertificate>{std::move(planned)};
    }
    static Authorised<LinkCertificate> approve_link(x509::TbsCertificate planned) {
        return Authorised<LinkCertificate>{LinkCertificate{std::move(planned)}};
    }

    struct Decision;
    Result<Decision> decide(const Rules& rules, const EnrollRequest& request, Time now) const;
    Result<Approved> build(const Rules& rules, const EnrollRequest& request, Decision decision, Time now) const;

    const crypto::BlockedKeys& blocked_;
    crypto::Entropy& entropy_;
};

}  // namespace estuary::authority
