#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"

namespace estuary::authority {
namespace {

using der::Oid;

// Extensions that speak for the issuer: no request may put one into a certificate (bug class 4).
constexpr Oid precertificate_poison{"1.3.6.1.4.1.11129.2.4.3"};
constexpr Oid signed_certificate_timestamps{"1.3.6.1.4.1.11129.2.4.2"};
constexpr Oid active_directory_sid{"1.3.6.1.4.1.311.25.2"};
constexpr Oid ocsp_nocheck{"1.3.6.1.5.5.7.48.1.5"};
constexpr Oid private_key_usage_period{"2.5.29.16"};
constexpr Oid subject_directory_attributes{"2.5.29.9"};

constexpr std::array issuers_own{x509::oid::subject_key_identifier,
                                 x509::oid::key_usage,
                                 x509::oid::subject_alt_name,
                                 x509::oid::issuer_alt_name,
                                 x509::oid::basic_constraints,
                                 x509::oid::name_constraints,
                                 x509::oid::crl_distribution_points,
                                 x509::oid::certificate_policies,
                                 x509::oid::policy_mappings,
                                 x509::oid::authority_key_identifier,
                                 x509::oid::policy_constraints,
                                 x509::oid::ext_key_usage,
                                 x509::oid::freshest_crl,
                                 x509::oid::inhibit_any_policy,
                                 x509::oid::authority_info_access,
                                 x509::oid::subject_info_access,
                                 precertificate_poison,
                                 signed_certificate_timestamps,
                                 active_directory_sid,
                                 ocsp_nocheck,
                                 private_key_usage_period,
                                 subject_directory_attributes};

constexpr std::uint32_t ca_bits = x509::key_cert_sign | x509::crl_sign;
constexpr std::uint32_t agreement_bits = x509::key_agreement | x509::encipher_only | x509::decipher_only;
constexpr std::uint32_t encipherment_bits = x509::key_encipherment | x509::data_encipherment;

/// What a key of this kind can do at all (RFC 5280 4.2.1.3, RFC 8410 5, RFC 9881 5; bug class 33).
std::uint32_t possible_usage(const crypto::PublicKey& key) {
    constexpr std::uint32_t signing = x509::digital_signature | x509::non_repudiation;
    if (key.type_name() == "x25519" || key.type_name() == "x448") return agreement_bits;
    switch (key.kind()) {
        case crypto::KeyKind::rsa: return signing | encipherment_bits;
        case crypto::KeyKind::ec: return signing | agreement_bits;
        case crypto::KeyKind::ml_kem: return x509::key_encipherment;
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa:
        case crypto::KeyKind::other: return signing;
    }
    return signing;
}

class Extensions {
public:
    Extensions(const Rules& rules, const x509::CertificationRequest& request) : profile_{rules.profile}, request_{request} {
        out_.key_usage = profile_.key_usage;
        out_.ext_key_usage = rules.ext_key_usage;
        purposes_ = profile_.ext_key_usage;
    }

    Result<RequestedExtensions> apply() {
        for (const auto& extension : request_.extensions()) ESTUARY_CHECK(one(extension));
        out_.key_usage &= possible_usage(request_.public_key());
        if (profile_.key_usage != 0 && out_.key_usage == 0)
            return fail(Code::policy, "no key usage that the profile gives fits a key of this kind");
        out_.server_auth = purposes_.empty() || has(purposes_, x509::oid::kp_server_auth) ||
                           has(purposes_, x509::oid::any_extended_key_usage);
        return std::move(out_);
    }

private:
    static bool has(const std::vector<Oid>& list, const Oid& wanted) { return std::ranges::find(list, wanted) != list.end(); }

    Result<void> unwanted(std::string_view what) const {
        if (profile_.other_extensions == Unwanted::drop) return {};
        return fail(Code::policy, fmt::format("the request asks for {}, which this profile does not give", what));
    }

    Result<void> one(const x509::Extension& extension) {
        if (extension.id == x509::oid::subject_alt_name) return {};  // policy_names.cpp
        if (extension.id == x509::oid::basic_constraints) return basic_constraints(extension);
        if (extension.id == x509::oid::key_usage) return key_usage(extension);
        if (extension.id == x509::oid::ext_key_usage) return ext_key_usage(extension);
        if (extension.id == x509::oid::subject_key_identifier) return {};  // a hint: the CA computes its own
        if (!has(profile_.pass_extensions, extension.id))
            return unwanted(fmt::format("extension {}", extension.id.dotted()));
        ESTUARY_CHECK(der::check_der(extension.value, "an extension of the request"));
        out_.passed.push_back(extension);
        return {};
    }

    /// CA:FALSE says what is so anyway; a CA is never made by a request of an end entity.
    Result<void> basic_constraints(const x509::Extension& extension) const {
        ESTUARY_TRY(const auto value, x509::parse_basic_constraints(extension.value));
        if (value.ca || value.path_length) return fail(Code::policy, "the request asks for a CA certificate");
        return {};
    }

    /// A request may ask for less than the profile gives.
    Result<void> key_usage(const x509::Extension& extension) {
        ESTUARY_TRY(const auto asked, x509::parse_key_usage(extension.value));
        if ((asked & ca_bits) != 0) return fail(Code::policy, "the request asks for the key usage of a CA");
        if ((asked & ~profile_.key_usage) != 0) ESTUARY_CHECK(unwanted("key usages"));
        const auto common = asked & profile_.key_usage & possible_usage(request_.public_key());
        if (common != 0) out_.key_usage = common;
        return {};
    }

    Result<void> ext_key_usage(const x509::Extension& extension) {
        ESTUARY_TRY(const auto asked, x509::parse_ext_key_usage(extension.value));
        std::vector<Oid> common;
        for (const auto& purpose : asked) {
            if (has(profile_.ext_key_usage, purpose)) {
                if (!has(common, purpose)) common.push_back(purpose);
            } else {
                ESTUARY_CHECK(unwanted("extended key usage " + x509::ext_key_usage_name(purpose)));
            }
        }
        if (common.empty() || common.size() == profile_.ext_key_usage.size()) return {};
        out_.ext_key_usage = x509::make_ext_key_usage(common);
        purposes_ = std::move(common);
        return {};
    }

    const Profile& profile_;
    const x509::CertificationRequest& request_;
    RequestedExtensions out_;
    std::vector<Oid> purposes_;
};

}  // namespace

bool may_pass(const Oid& extension) { return std::ranges::find(issuers_own, extension) == issuers_own.end(); }

Result<RequestedExtensions> apply_extension_rules(const Rules& rules, const x509::CertificationRequest& request) {
    return Extensions{rules, request}.apply();
}

}  // namespace estuary::authority
