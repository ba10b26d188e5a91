#include "estuary/authority/ceremony.h"

#include <charconv>

#include <fmt/format.h>

#include "estuary/authority/policy.h"
#include "estuary/authority/policy_rules.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

constexpr std::string_view root_name = "root";
/// The certificates of a new CA begin a little in the past, for devices with slow clocks.
constexpr Seconds ceremony_backdate{3600};

/// RFC 4514 2.4: a name that a person typed, as an attribute value.
std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (std::string_view{",+\"\\<>;=#"}.find(c) != std::string_view::npos) text += '\\';
        text += c;
    }
    return text;
}

Result<x509::Name> ca_name(const CaPlan& plan, std::string_view role, unsigned generation) {
    if (plan.organisation_name.empty()) return fail(Code::policy, "the CA needs a name");
    const auto suffix = generation == 1 ? std::string{} : fmt::format(" G{}", generation);
    auto name = x509::Name::from_text(fmt::format("CN={} {} CA{}", escaped(plan.organisation_name), role, suffix));
    if (!name) return fail(in_context("CA name", name.error()));
    return *name;
}

/// "… Root CA G3" is the third; a name without such an end the first.
unsigned generation_of(const x509::Name& subject) {
    const auto names = subject.values(x509::oid::common_name);
    if (names.empty()) return 1;
    const std::string_view name = names.back();
    const auto mark = name.rfind(" G");
    unsigned generation = 1;
    if (mark == std::string_view::npos) return 1;
    const auto number = name.substr(mark + 2);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), generation);
    return error == std::errc{} && end == number.data() + number.size() && generation > 0 && generation < 10'000 ? generation : 1;
}

/// notAfter is the last second of the period (bug class 21).
Validity period(Time now, Seconds validity) {
    const auto begin = now - ceremony_backdate;
    return {begin, begin + validity - Seconds{1}};
}

}  // namespace

/// Plans and signs CA certificates. The friend of Policy: no request reaches it.
class Ceremony {
public:
    Ceremony(const CaPlan& plan, Time now, crypto::Entropy& entropy, store::UnitOfWork& work)
        : ca_{plan}, now_{now}, entropy_{entropy}, work_{work} {}

    struct Plan {
        x509::Name subject;
        crypto::PublicKey key;
        Validity period;
        std::optional<std::uint32_t> path_length;
        std::optional<x509::NameConstraints> name_constraints;
        std::string_view profile;
        bool may_predate_issuer = false;   ///< only OldWithNew
    };

    /// Self-signed.
    Result<x509::Certificate> root(const Plan& plan, const crypto::PrivateKey& key) { return sign(plan, key, nullptr); }
    Result<x509::Certificate> below(const Plan& plan, const crypto::PrivateKey& key, const x509::Certificate& issuer) {
        return sign(plan, key, &issuer);
    }

    Result<NewCa> make(unsigned generation) {
        ESTUARY_TRY(auto root_key, crypto::PrivateKey::generate(ca_.key_type));
        ESTUARY_TRY(auto issuing_key, crypto::PrivateKey::generate(ca_.key_type));
        ESTUARY_TRY(auto root_subject, ca_name(ca_, "Root", generation));
        ESTUARY_TRY(auto issuing_subject, ca_name(ca_, "Issuing", generation));
        const auto root_period = period(now_, ca_.root_validity);
        auto issuing_period = period(now_, ca_.issuing_validity);
        issuing_period.not_after = std::min(issuing_period.not_after, root_period.not_after);
        ESTUARY_TRY(auto root_certificate, root({std::move(root_subject), root_key.public_key(), root_period, {}, {}, "root-ca"}, root_key));
        ESTUARY_TRY(auto issuing, below({std::move(issuing_subject), issuing_key.public_key(), issuing_period, ca_.path_length,
                                         ca_.name_constraints, "issuing-ca"},
                                        root_key, root_certificate));
        return NewCa{std::move(root_key), std::move(issuing_key), std::move(root_certificate), std::move(issuing)};
    }

    void audit(std::string event, const x509::Certificate& root, const x509::Certificate& issuing) {
        store::AuditEvent line;
        line.at = now_;
        line.event = std::move(event);
        line.actor = "operator";
        line.object = fmt::format("{}/{}", root_name, root.serial_hex());
        line.outcome = "ok";
        line.detail = fmt::format("root={} issuing={} sha256={}", root.subject().to_text(), issuing.subject().to_text(),
                                  root.sha256_fingerprint());
        work_.writes.emplace_back(store::AppendAudit{std::move(line)});
    }

private:
    Result<x509::TbsCertificate> planned(const Plan& plan, const Signer& signer, const x509::Certificate* issuer) {
        ESTUARY_TRY(const auto key_identifier, x509::key_identifier(plan.key.spki()));
        x509::TbsCertificate tbs;
        tbs.serial_number = make_serial_number(now_, entropy_);
        tbs.signature_algorithm = signer.algorithm();
        tbs.issuer = issuer != nullptr ? issuer->subject() : plan.subject;
        tbs.not_before = plan.period.not_before;
        tbs.not_after = plan.period.not_after;
        tbs.subject = plan.subject;
        tbs.spki = to_vec(plan.key.spki());
        if (issuer != nullptr) {
            const auto issuer_id = issuer->subject_key_id();
            if (!issuer_id) return fail(Code::policy, "the root's certificate has no subject key identifier");
            tbs.extensions.push_back(x509::make_authority_key_identifier(*issuer_id));
        }
        tbs.extensions.push_back(x509::make_subject_key_identifier(key_identifier));
        tbs.extensions.push_back(x509::make_key_usage(x509::key_cert_sign | x509::crl_sign));
        tbs.extensions.push_back(x509::make_basic_constraints({true, plan.path_length}));
        if (plan.name_constraints) tbs.extensions.push_back(x509::make_name_constraints(*plan.name_constraints));
        if (issuer != nullptr) ESTUARY_CHECK(point_to_status(*issuer, tbs));
        return tbs;
    }

    Result<void> point_to_status(const x509::Certificate& root, x509::TbsCertificate& tbs) const {
        ESTUARY_TRY(const auto lists, root_uris(ca_.root_crl_uris, root));
        ESTUARY_TRY(const auto certificates, root_uris(ca_.root_certificate_uris, root));
        if (!lists.empty()) tbs.extensions.push_back(x509::make_crl_distribution_points(lists));
        if (!certificates.empty()) tbs.extensions.push_back(x509::make_authority_info_access({}, certificates));
        return {};
    }

    Result<x509::Certificate> sign(const Plan& plan, const crypto::PrivateKey& key, const x509::Certificate* issuer) {
        ESTUARY_TRY(const auto signer, Signer::create(key, issuer == nullptr ? std::nullopt : std::optional{*issuer}));
        ESTUARY_TRY(auto tbs, planned(plan, signer, issuer));
        auto serial_number = tbs.serial_number;
        ESTUARY_TRY(auto certificate, plan.may_predate_issuer ? signer.sign(Policy::approve_link(std::move(tbs)))
                                                              : signer.sign(Policy::approve_ca(std::move(tbs))));
        record(certificate, std::move(serial_number), plan.profile);
        return certificate;
    }

    void record(const x509::Certificate& certificate, ByteVec serial_number, std::string_view profile) {
        store::CertificateRecord line;
        line.ca = root_name;
        line.serial_number = std::move(serial_number);
        line.der = to_vec(certificate.der());
        line.subject = certificate.subject().to_text();
        line.not_before = certificate.not_before();
        line.not_after = certificate.not_after();
        line.profile = profile;
        line.requester = "operator";
        line.issued_at = now_;
        work_.writes.emplace_back(store::InsertCertificate{std::move(line), std::nullopt});
    }

    const CaPlan& ca_;
    Time now_;
    crypto::Entropy& entropy_;
    store::UnitOfWork& work_;
};

Result<std::string> root_key_text(const x509::Certificate& root) {
    if (const auto stated = root.subject_key_id()) return to_hex(*stated);
    ESTUARY_TRY(const auto identifier, x509::key_identifier(root.spki()));
    return to_hex(identifier);
}

Result<std::vector<std::string>> root_uris(std::vector<std::string> uris, const x509::Certificate& root) {
    constexpr std::string_view mark = "{key}";
    ESTUARY_TRY(const auto key, root_key_text(root));
    for (auto& uri : uris)
        for (auto at = uri.find(mark); at != std::string::npos; at = uri.find(mark)) uri.replace(at, mark.size(), key);
    return uris;
}

Result<NewCa> make_ca(const CaPlan& plan, const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work) {
    store::UnitOfWork own;
    Ceremony ceremony{plan, clock.now(), entropy, own};
    ESTUARY_TRY(auto made, ceremony.make(1));
    ceremony.audit("ca.created", made.root, made.issuing);
    std::ranges::move(own.writes, std::back_inserter(work.writes));
    return made;
}

//= https://www.rfc-editor.org/rfc/rfc4210#section-4.4.1
//# The "old with new" certificate must have a validity period starting at the generation time of the old key pair and ending at
//# the expiry date of the old public key.
/// The names of the two roots differ by their generation, so each link certificate names the one that it certifies.
Result<RolledOver> roll_over(const CaPlan& plan, const x509::Certificate& old_root, const crypto::PrivateKey& old_root_key,
                             const Clock& clock, crypto::Entropy& entropy, store::UnitOfWork& work) {
    const auto now = clock.now();
    if (now > old_root.not_after()) return fail(Code::policy, "the old root has expired: make a new CA instead");
    store::UnitOfWork own;
    Ceremony ceremony{plan, now, entropy, own};
    ESTUARY_TRY(auto next, ceremony.make(generation_of(old_root.subject()) + 1));
    ESTUARY_TRY(const auto old_key, old_root.public_key());
    const Validity old_period{old_root.not_before(), old_root.not_after()};
    const Validity new_until_old_ends{next.root.not_before(), std::min(next.root.not_after(), old_root.not_after())};
    ESTUARY_TRY(auto old_with_new,
                ceremony.below({old_root.subject(), old_key, old_period, {}, {}, "old-with-new", true}, next.root_key, next.root));
    ESTUARY_TRY(auto new_with_old, ceremony.below({next.root.subject(), next.root_key.public_key(), new_until_old_ends, {}, {},
                                                   "new-with-old"},
                                                  old_root_key, old_root));
    ceremony.audit("ca.rolled_over", next.root, next.issuing);
    std::ranges::move(own.writes, std::back_inserter(work.writes));
    return RolledOver{std::move(next), std::move(old_with_new), std::move(new_with_old)};
}

}  // namespace estuary::authority
