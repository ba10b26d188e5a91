#pragma once
// The configuration as the request path wants it: checked, parsed, and encoded beforehand.
#include <map>
#include <optional>

#include "estuary/authority/authority.h"
#include "estuary/authority/patterns.h"
#include "estuary/authority/signer.h"

namespace estuary::authority {

/// One CA, ready to issue.
struct Issuer {
    const CaConfig* config = nullptr;
    std::optional<Signer> signer;   ///< nothing: the CA is another's
    x509::Extension authority_key_identifier;
    ByteVec key_identifier;
};

/// One profile, ready to apply.
struct Rules {
    Profile profile;
    const Issuer* issuer = nullptr;
    std::vector<SubjectPattern> subject_patterns;
    std::vector<SanPattern> san_patterns;
    std::optional<unsigned> rsa_bits_min;
    std::vector<std::string> key_types;              ///< other than RSA
    std::vector<std::string> generated_key_types;    ///< of keys made here, as the library names them
    std::vector<std::vector<x509::AttributeTypeAndValue>> fixed;   ///< views into profile.subject.fixed
    std::optional<x509::Extension> ext_key_usage;
    std::vector<x509::Extension> trailing;           ///< policies, CDP, AIA: behind the extended key usage
    const std::vector<CaConfig>* cas = nullptr;      ///< all of ours: whose names and keys no other CA gets
    std::uint32_t path_length_max = 0;               ///< of CA certificates, as the profile and the CAs above allow
    std::vector<x509::Extension> shard_points;       ///< cRLDistributionPoints by shard; empty: in trailing, or none

    bool is_fixed(const der::Oid& type) const;
};

/// The URIs of one shard: "{shard}" put in.
std::vector<std::string> shard_uris(std::vector<std::string> uris, unsigned shard);

/// policy or bad_key naming what is wrong; `config` outlives the result.
Result<Issuer> prepare_issuer(const CaConfig& config);
/// `issuer` and `cas` outlive the result.
Result<std::unique_ptr<Rules>> prepare_rules(const Profile& profile, const Issuer& issuer, const std::vector<CaConfig>& cas);

}  // namespace estuary::authority
