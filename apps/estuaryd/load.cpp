#include "apps/estuaryd/load.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/ca_directory.h"
#include "apps/estuaryd/cmc_service.h"
#include "apps/estuaryd/cmp_signer.h"
#include "apps/estuaryd/config_keys.h"
#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/passphrase.h"
#include "apps/estuaryd/server_certificate.h"
#include "apps/estuaryd/status_config.h"
#include "estuary/authority/online_recovery.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/x509/path.h"

namespace estuary::daemon {
namespace {

constexpr std::size_t password_key_octets = 32;
constexpr Seconds ca_expiry_warning{180 * 86400LL};  // a rollover takes the devices' time, not ours

std::string place_of(const Error& error) { return error.cause.empty() ? error.detail : error.detail + " (" + error.cause + ")"; }

/// The certificates of a CA before its key is known.
struct CaCertificates {
    x509::Certificate certificate;
    std::vector<x509::Certificate> chain, rollover;
    std::string key;
};

Result<std::vector<x509::Certificate>> read_certificates(const FileName& name) {
    if (!name.given()) return std::vector<x509::Certificate>{};
    ESTUARY_TRY(const auto content, file::read(name.path));
    auto certificates = x509::parse_certificates(content);
    if (!certificates) return fail(in_context(name.path.string(), std::move(certificates).error()));
    if (certificates->empty()) return fail(Code::malformed, name.path.string() + " holds no certificate");
    return certificates;
}

std::optional<CaCertificates> read_ca(const CaSection& section, Faults& faults) {
    if (section.directory.given()) {
        auto files = read_ca_directory(section.directory.path);
        if (!files) {
            faults.add(section.directory.place, place_of(files.error()));
            return {};
        }
        return CaCertificates{files->issuing, {files->root}, files->rollover, files->issuing_key().string()};
    }
    auto certificate = read_certificates(section.certificate);
    auto chain = read_certificates(section.chain);
    auto rollover = read_certificates(section.rollover);
    if (!certificate) faults.add(section.certificate.place, place_of(certificate.error()));
    if (!chain) faults.add(section.chain.place, place_of(chain.error()));
    if (!rollover) faults.add(section.rollover.place, place_of(rollover.error()));
    if (!certificate || !chain || !rollover) return {};
    // A file with the whole chain in it is usual: its first certificate is the CA's.
    auto above = std::vector(certificate->begin() + 1, certificate->end());
    above.insert(above.end(), chain->begin(), chain->end());
    return CaCertificates{certificate->front(), std::move(above), *rollover, section.key};
}

void check_chain(const CaCertificates& ca, const Place& place, Time now, Faults& faults) {
    if (!ca.certificate.is_ca()) faults.add(place, "the CA's certificate is not one of a CA (basicConstraints)");
    if (const auto usage = ca.certificate.key_usage(); usage && (*usage & x509::key_cert_sign) == 0)
        faults.add(place, "the CA's certificate may not sign certificates (keyUsage lacks keyCertSign)");
    auto anchors = ca.chain;
    if (anchors.empty()) anchors.push_back(ca.certificate);  // a root that issues itself
    x509::PathOptions options;
    options.at = now;
    const auto path = x509::validate_path(ca.certificate, ca.chain, {anchors.back()}, options);
    if (!path) faults.add(place, "the CA's chain does not verify: " + place_of(path.error()));
}

void check_expiry(const CaCertificates& ca, const Place& place, Time now, Faults& faults) {
    auto certificates = ca.chain;
    certificates.insert(certificates.begin(), ca.certificate);
    for (const auto& certificate : certificates) {
        const auto left = certificate.not_after() - now;
        if (left > Seconds{0} && left < ca_expiry_warning)
            faults.warn(place, fmt::format("{} expires on {}; see `estuaryd ca rollover`", certificate.subject().to_text(),
                                           to_iso8601(certificate.not_after())));
    }
}

crypto::Secret read_password_key(const SecuritySection& security, Faults& faults) {
    auto content = file::read_private(security.password_key.path, 4096);
    if (!content) {
        faults.add(security.password_key.place, place_of(content.error()));
        return {};
    }
    const crypto::Secret text{std::move(*content)};
    auto octets = from_hex(without_line_break(text.reveal_text()));
    if (!octets || octets->size() != password_key_octets) {
        faults.add(security.password_key.place, fmt::format("{} does not hold {} octets in hexadecimal",
                                                            security.password_key.path.string(), password_key_octets));
        return {};
    }
    return crypto::Secret{std::move(*octets)};
}

crypto::BlockedKeys read_blocked_keys(const FileName& name, Faults& faults) {
    if (!name.given()) return {};
    const auto content = file::read(name.path);
    if (!content) {
        faults.add(name.place, place_of(content.error()));
        return {};
    }
    auto keys = crypto::BlockedKeys::parse(as_text(*content));
    if (keys) return std::move(*keys);
    faults.add(name.place, name.path.string() + ": " + keys.error().detail);
    return {};
}

/// A root, former root, or link between two: whatever holds a root's key.
bool is_of_a_root(const x509::Certificate& certificate, const authority::CaConfig& ca) {
    const auto has_its_key = [&](const x509::Certificate& root) {
        return root.is_self_issued() && same(root.spki(), certificate.spki());
    };
    return std::ranges::any_of(ca.chain, has_its_key) || std::ranges::any_of(ca.rollover, has_its_key);
}

void add_once(std::vector<ByteVec>& list, const x509::Certificate& certificate) {
    if (std::ranges::none_of(list, [&](const ByteVec& der) { return same(der, certificate.der()); }))
        list.push_back(to_vec(certificate.der()));
}

/// Who opens archived keys here; what of it fits the agents, the authority looks at.
Result<std::shared_ptr<const authority::OnlineRecovery>> load_online_agent(const KeysSection& keys, const crypto::Secret* passphrase) {
    ESTUARY_TRY(const auto certificates, read_certificates(keys.online_agent));
    ESTUARY_TRY(auto key, load_key(keys.online_agent_key, passphrase));
    const auto& certificate = certificates.front();
    if (!same(key.public_key().spki(), certificate.spki()))
        return fail(Code::bad_key, fmt::format("the key {} is not that of the certificate {}", keys.online_agent_key, certificate.subject().to_text()));
    return std::make_shared<const authority::OnlineRecovery>(authority::OnlineRecovery{certificate, std::move(key), keys.recovery});
}

}  // namespace

Result<crypto::PrivateKey> load_key(const std::string& path_or_uri, const crypto::Secret* passphrase) {
    if (path_or_uri.starts_with("pkcs11:")) return crypto::PrivateKey::load(path_or_uri, passphrase);
    ESTUARY_TRY(auto content, file::read_private(path_or_uri));
    const crypto::Secret encoded{std::move(content)};
    auto key = crypto::PrivateKey::from_bytes(encoded.reveal(), passphrase);
    if (!key) return fail(in_context(path_or_uri, std::move(key).error()));
    return key;
}

std::optional<authority::CaConfig> load_ca(const CaSection& section, const crypto::Secret* passphrase, Time now,
                                           Faults& faults) {
    auto certificates = read_ca(section, faults);
    if (!certificates) return {};
    const auto& place = section.directory.given() ? section.directory.place : section.certificate.place;
    const auto& key_place = section.directory.given() ? section.directory.place : section.key_place;
    check_chain(*certificates, place, now, faults);
    check_expiry(*certificates, place, now, faults);
    if (section.upstream.present)
        return authority::CaConfig{section.name, certificates->certificate, std::nullopt, certificates->chain, certificates->rollover};
    auto key = load_key(certificates->key, passphrase);
    if (!key) {
        faults.add(key_place, place_of(key.error()));
        return {};
    }
    if (!same(key->public_key().spki(), certificates->certificate.spki())) {
        faults.add(key_place, fmt::format("the key {} is not that of the certificate {}", certificates->key,
                                          certificates->certificate.subject().to_text()));
        return {};
    }
    return authority::CaConfig{section.name, certificates->certificate, std::move(*key), certificates->chain,
                               certificates->rollover};
}

std::optional<authority::Config> load_authority(const Configuration& configuration, const crypto::Secret* passphrase,
                                                Time now, Faults& faults) {
    const auto before = faults.count();
    authority::Config config;
    for (const auto& section : configuration.cas)
        if (auto ca = load_ca(section, passphrase, now, faults)) {
            ca->status = status_config(configuration, section, status_base(section));
            config.cas.push_back(std::move(*ca));
        }
    config.profiles = configuration.profiles;
    for (const auto& section : configuration.cas)
        if (answers_ocsp(configuration, section)) config.profiles.push_back(ocsp_profile(section.name, section.ocsp.key_type));
    for (const auto& section : configuration.cas) {
        if (section.upstream.present) continue;   // it issues nothing for this server itself
        if (configuration.cmc.present) config.profiles.push_back(cmc_profile(section.name, configuration.cmc.key_type));
        if (configuration.cmp.present || makes_keys(configuration, section.name))
            config.profiles.push_back(key_generator_profile(section.name, configuration.cmp.key_type));
        if (!configuration.cmp.present) continue;
        config.profiles.push_back(cmp_profile(section.name, configuration.cmp.key_type));
        config.profiles.push_back(agreement_profile(section.name, configuration.cmp.agreement_key_type));
    }
    if (!configuration.tls.ca.empty()) config.profiles.push_back(own_profile(configuration.tls));
    for (const auto& section : configuration.manufacturers) {
        if (auto anchors = read_certificates(section.anchors)) {
            config.manufacturers.push_back({section.name, std::move(*anchors)});
        } else {
            faults.add(section.anchors.place, place_of(anchors.error()));
        }
    }
    if (auto agents = read_certificates(configuration.keys.recovery_agents)) {
        config.recovery_agents = std::move(*agents);
    } else {
        faults.add(configuration.keys.recovery_agents.place, place_of(agents.error()));
    }
    if (configuration.keys.online_agent.given()) {
        if (auto agent = load_online_agent(configuration.keys, passphrase); !agent)
            faults.add(configuration.keys.online_agent_key_place, place_of(agent.error()));
        else if (std::ranges::find(config.recovery_agents, (*agent)->certificate) == config.recovery_agents.end())
            faults.add(configuration.keys.online_agent.place, fmt::format("{} is not one of the certificates in {}: nothing is archived for it",
                                                                          (*agent)->certificate.subject().to_text(), configuration.keys.recovery_agents.path.string()));
        else
            config.online_recovery = std::move(*agent);
    }
    config.blocked_keys = read_blocked_keys(configuration.security.blocked_keys, faults);
    config.password_key = read_password_key(configuration.security, faults);
    config.digest_realm = configuration.est.realm;
    config.slow_hashes_max = configuration.security.slow_hashes_max;
    if (faults.count() != before) return {};
    return config;
}

Result<CertificateAndKey> load_certificate_and_key(const std::filesystem::path& certificate, const std::filesystem::path& key_file,
                                                   const crypto::Secret* passphrase) {
    ESTUARY_TRY(auto chain, read_certificates({certificate, {}}));
    ESTUARY_TRY(auto key, load_key(key_file.string(), passphrase));
    if (!same(key.public_key().spki(), chain.front().spki()))
        return fail(Code::bad_key, fmt::format("the key {} is not that of the certificate {}", key_file.string(), certificate.string()));
    return CertificateAndKey{std::move(chain), std::move(key)};
}

Result<CertificateAndKey> load_server_certificate(const TlsSection& section, const crypto::Secret* passphrase) {
    return load_certificate_and_key(section.certificate.path, section.key.path, passphrase);
}

net::TlsIdentity tls_identity(const TlsSection& section, const std::vector<authority::CaConfig>& cas,
                              const std::vector<authority::ManufacturerAnchors>& manufacturers,
                              const CertificateAndKey& certificate) {
    net::TlsIdentity identity;
    for (const auto& link : certificate.chain)
        if (!is_self_signed(link)) add_once(identity.chain, link);
    if (identity.chain.empty()) add_once(identity.chain, certificate.chain.front());
    identity.key = certificate.key;
    identity.ciphers = section.ciphers;
    for (const auto& ca : cas) {
        if (ca.name == section.ca && !ca.chain.empty())
            for (const auto& link : links_to_former_roots(ca.chain.back(), ca.rollover)) add_once(identity.chain, link);
        // Anchors are the CAs that issue to clients, of this generation and former ones, not the roots above them:
        // another CA below the same root has no say here.
        add_once(identity.client_anchors, ca.certificate);
        for (const auto& former : ca.rollover)
            if (!is_of_a_root(former, ca)) add_once(identity.client_anchors, former);
    }
    for (const auto& manufacturer : manufacturers)
        for (const auto& anchor : manufacturer.anchors) add_once(identity.client_anchors, anchor);
    return identity;
}

Time renewal_time(const x509::Certificate& certificate) {
    return certificate.not_after() - (certificate.not_after() - certificate.not_before()) / 3;
}

}  // namespace estuary::daemon
