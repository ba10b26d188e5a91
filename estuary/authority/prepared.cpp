#include "estuary/authority/prepared.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "estuary/authority/policy_rules.h"

namespace estuary::authority {
namespace {

/// Longer than any certificate of an end entity should live; keeps sums of times far from overflow.
constexpr Seconds validity_max{100 * 365 * 86400LL};
constexpr Seconds backdate_max{7 * 86400};
constexpr unsigned crl_shards_max = 4096;

Result<void> check_times(const Profile& profile) {
    if (profile.validity < Seconds{60} || profile.validity > validity_max)
        return fail(Code::policy, "validity must be between one minute and a hundred years");
    if (profile.backdate < Seconds{0} || profile.backdate > backdate_max || profile.backdate >= profile.validity)
        return fail(Code::policy, "backdate must be at most 7 days, and less than the validity");
    if (profile.approval_expires <= Seconds{0} || profile.poll_interval <= Seconds{0})
        return fail(Code::policy, "approval_expires and poll_interval must be positive");
    if (profile.renew_after_expiry < Seconds{0} || profile.renew_before_expiry.value_or(Seconds{1}) <= Seconds{0})
        return fail(Code::policy, "renew_after_expiry and renew_before_expiry must not be negative");
    return {};
}

Result<void> check_extensions(const Profile& profile) {
    if ((profile.key_usage & (x509::key_cert_sign | x509::crl_sign)) != 0)
        return fail(Code::policy, "key_usage of an end entity has neither keyCertSign nor cRLSign");
    for (const auto& id : profile.pass_extensions)
        if (!may_pass(id))
            return fail(Code::policy, fmt::format("pass_extensions: {} is for the CA to say, never for a request", id.dotted()));
    return {};
}

Result<void> read_key_types(const Profile& profile, Rules& rules) {
    if (profile.key_types.empty()) return fail(Code::policy, "key_types is empty: no key could be certified");
    for (const auto& name : profile.key_types) {
        if (!name.starts_with("rsa")) {
            ESTUARY_TRY(const auto* const type, crypto::key_type(name));
            rules.key_types.push_back(type->name);
            continue;
        }
        unsigned bits = 0;
        const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), bits);
        if (error != std::errc{} || end != name.data() + name.size() || bits < 2048 || bits > 16384)
            return fail(Code::policy, fmt::format("key_types: '{}' is not rsa2048 … rsa16384", name));
        rules.rsa_bits_min = std::min(rules.rsa_bits_min.value_or(bits), bits);
    }
    return {};
}

/// Exactly these are made. A size that the profile allows but the library's table lacks is left out, unless it was named for this.
Result<void> read_generated_key_types(const Profile& profile, Rules& rules) {
    for (const auto& name : profile.generated_key_types.empty() ? profile.key_types : profile.generated_key_types) {
        const auto type = crypto::key_type(name);
        if (type) rules.generated_key_types.push_back((*type)->name);
        else if (!profile.generated_key_types.empty()) return fail(in_context("generated_key_types", type.error()));
    }
    return {};
}

Result<void> read_patterns(const Profile& profile, Rules& rules) {
    for (const auto& text : profile.subject.patterns) {
        ESTUARY_TRY(auto pattern, SubjectPattern::parse(text));
        rules.subject_patterns.push_back(std::move(pattern));
    }
    for (const auto& text : profile.san.patterns) {
        ESTUARY_TRY(auto pattern, SanPattern::parse(text));
        rules.san_patterns.push_back(std::move(pattern));
    }
    return {};
}

Result<void> check_status(const StatusConfig& status) {
    if (status.crl_shards < 1 || status.crl_shards > crl_shards_max)
        return fail(Code::policy, fmt::format("crl_shards must be between 1 and {}", crl_shards_max));
    if (status.crl_validity < Seconds{60} || status.delta_validity < Seconds{60})
        return fail(Code::policy, "a CRL must be valid for at least a minute");
    const auto names_shard = [](const std::string& uri) { return uri.find("{shard}") != std::string::npos; };
    if (status.crl_shards > 1 && (!std::ranges::all_of(status.crl_uris, names_shard) || !std::ranges::all_of(status.delta_uris, names_shard)))
        return fail(Code::policy, "with several shards, every URI of a CRL needs {shard} in it");
    return {};
}

void prepare_extensions(Rules& rules) {
    const auto& profile = rules.profile;
    if (!profile.ext_key_usage.empty()) rules.ext_key_usage = x509::make_ext_key_usage(profile.ext_key_usage);
    if (!profile.policies.empty())
        rules.trailing.push_back(x509::make_certificate_policies(profile.policies, profile.cps_uri));
    const auto& status = rules.issuer->config->status;
    if (!profile.crl_uris.empty()) {
        rules.trailing.push_back(x509::make_crl_distribution_points(profile.crl_uris));
    } else if (!status.crl_uris.empty() && !profile.ocsp_no_check) {
        for (unsigned shard = 0; shard < status.crl_shards; ++shard)
            rules.shard_points.push_back(x509::make_crl_distribution_points(shard_uris(status.crl_uris, shard)));
    }
    const auto& ocsp = profile.ocsp_uris.empty() && !profile.ocsp_no_check ? status.ocsp_uris : profile.ocsp_uris;
    const auto& issuers = profile.ca_issuer_uris.empty() ? status.ca_issuer_uris : profile.ca_issuer_uris;
    if (!ocsp.empty() || !issuers.empty()) rules.trailing.push_back(x509::make_authority_info_access(ocsp, issuers));
    if (profile.ocsp_no_check) rules.trailing.push_back(x509::make_ocsp_no_check());
}

}  // namespace

std::vector<std::string> shard_uris(std::vector<std::string> uris, unsigned shard) {
    constexpr std::string_view mark = "{shard}";
    for (auto& uri : uris)
        for (auto at = uri.find(mark); at != std::string::npos; at = uri.find(mark)) uri.replace(at, mark.size(), std::to_string(shard));
    return uris;
}

bool Rules::is_fixed(const der::Oid& type) const {
    for (const auto& rdn : fixed)
        for (const auto& attribute : rdn)
            if (attribute.type == type) return true;
    return false;
}

Result<Issuer> prepare_issuer(const CaConfig& config) {
    if (config.name.empty()) return fail(Code::policy, "a CA without a name");
    const auto context = "CA " + config.name;
    if (auto good = check_status(config.status); !good) return fail(in_context(context, good.error()));
    const auto& certificate = config.certificate;
    if (!certificate.is_ca() || (certificate.key_usage().value_or(x509::key_cert_sign) & x509::key_cert_sign) == 0)
        return fail(Code::policy, context + ": its certificate is no CA certificate with keyCertSign");
    if (config.key.has_value() == (config.upstream != nullptr))
        return fail(Code::policy, context + ": either its key is here, or somebody above issues for it");
    std::optional<Signer> signer;
    if (config.key) {
        auto made = Signer::create(*config.key, certificate);
        if (!made) return fail(in_context(context, made.error()));
        signer = std::move(*made);
    }
    auto key_identifier = certificate.subject_key_id();
    if (!key_identifier) {
        ESTUARY_TRY(key_identifier, x509::key_identifier(certificate.spki()));
    }
    auto extension = x509::make_authority_key_identifier(*key_identifier);
    return Issuer{&config, std::move(signer), std::move(extension), std::move(*key_identifier)};
}

Result<std::unique_ptr<Rules>> prepare_rules(const Profile& profile, const Issuer& issuer, const std::vector<CaConfig>& cas) {
    auto rules = std::make_unique<Rules>();
    rules->cas = &cas;
    rules->profile = profile;
    rules->issuer = &issuer;
    rules->fixed = rules->profile.subject.fixed.rdns();
    const auto prepare = [&]() -> Result<void> {
        ESTUARY_CHECK(check_times(profile));
        ESTUARY_CHECK(check_extensions(profile));
        ESTUARY_CHECK(read_key_types(profile, *rules));
        ESTUARY_CHECK(prepare_ca_rules(*rules));
        ESTUARY_CHECK(read_generated_key_types(profile, *rules));
        return read_patterns(profile, *rules);
    };
    if (auto done = prepare(); !done) return fail(in_context("profile " + profile.name, done.error()));
    prepare_extensions(*rules);
    return rules;
}

}  // namespace estuary::authority
