// Lint rules on the signature algorithm, the subject's key, and what a key of its kind may be used for
// (RFC 3279, 4055, 5480, 8410, 9881, 9909, 9935).
#include <fmt/format.h>

#include "estuary/crypto/algorithms.h"
#include "estuary/crypto/oids.h"
#include "estuary/x509/lint_view.h"

namespace estuary::x509::lint {
namespace {

using crypto::KeyKind;
using der::Oid;
using der::Tag;

enum class Family : std::uint8_t { rsa, rsa_pss, ec, agreement, eddsa, ml_dsa, slh_dsa, ml_kem };
enum class Parameters : std::uint8_t { null, curve, absent, optional };

struct KeyAlgorithm {
    Oid oid;
    Family family{};
    Parameters parameters{};
    std::size_t octets = 0;  ///< of subjectPublicKey; 0: varies
};

constexpr std::array key_algorithms{
    KeyAlgorithm{crypto::oid::ec_public_key, Family::ec, Parameters::curve},
    KeyAlgorithm{crypto::oid::rsa_encryption, Family::rsa, Parameters::null},
    KeyAlgorithm{crypto::oid::rsassa_pss, Family::rsa_pss, Parameters::optional},
    KeyAlgorithm{Oid{"1.3.101.110"}, Family::agreement, Parameters::absent, 32},
    KeyAlgorithm{Oid{"1.3.101.111"}, Family::agreement, Parameters::absent, 56},
    KeyAlgorithm{Oid{"1.3.101.112"}, Family::eddsa, Parameters::absent, 32},
    KeyAlgorithm{Oid{"1.3.101.113"}, Family::eddsa, Parameters::absent, 57},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.17"}, Family::ml_dsa, Parameters::absent, 1312},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.18"}, Family::ml_dsa, Parameters::absent, 1952},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.19"}, Family::ml_dsa, Parameters::absent, 2592},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.4.1"}, Family::ml_kem, Parameters::absent, 800},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.4.2"}, Family::ml_kem, Parameters::absent, 1184},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.4.3"}, Family::ml_kem, Parameters::absent, 1568},
    // SLH-DSA SHA2 and SHAKE: 128s, 128f, 192s, 192f, 256s, 256f
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.20"}, Family::slh_dsa, Parameters::absent, 32},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.21"}, Family::slh_dsa, Parameters::absent, 32},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.22"}, Family::slh_dsa, Parameters::absent, 48},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.23"}, Family::slh_dsa, Parameters::absent, 48},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.24"}, Family::slh_dsa, Parameters::absent, 64},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.25"}, Family::slh_dsa, Parameters::absent, 64},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.26"}, Family::slh_dsa, Parameters::absent, 32},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.27"}, Family::slh_dsa, Parameters::absent, 32},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.28"}, Family::slh_dsa, Parameters::absent, 48},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.29"}, Family::slh_dsa, Parameters::absent, 48},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.30"}, Family::slh_dsa, Parameters::absent, 64},
    KeyAlgorithm{Oid{"2.16.840.1.101.3.4.3.31"}, Family::slh_dsa, Parameters::absent, 64},
};

const KeyAlgorithm* algorithm_of(const KeyInfoView& key) {
    const auto found = std::ranges::find(key_algorithms, key.algorithm.oid, &KeyAlgorithm::oid);
    return found == key_algorithms.end() ? nullptr : &*found;
}

/// NULL must be there, absent must be absent (RFC 3279 2.3.1, RFC 8410 3, RFC 9881 4 …); a curve is named (RFC 5480 2.1.1).
bool parameters_fit(Parameters wanted, const std::optional<der::Element>& found) {
    switch (wanted) {
        case Parameters::null: return found && found->tag == Tag::null && found->content.empty();
        case Parameters::curve: return found && found->tag == Tag::oid && Oid::from_content(found->content).has_value();
        case Parameters::absent: return !found;
        case Parameters::optional: return !found || found->tag == Tag::sequence;
    }
    return false;
}

// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
bool is_rsa_public_key(Bytes key) {
    auto reader = der::enter_only(key, Tag::sequence, "RSAPublicKey");
    if (!reader) return false;
    const auto modulus = reader->integer_octets();
    const auto exponent = reader->integer_octets();
    return modulus && exponent && (*modulus)[0] < 0x80 && (*exponent)[0] < 0x80 && reader->empty();
}

/// ECPoint, compressed or not (RFC 5480 2.2); never the point at infinity.
bool is_ec_point(Bytes key) {
    if (key.size() < 2) return false;
    return key[0] == 0x04 ? key.size() % 2 == 1 : key[0] == 0x02 || key[0] == 0x03;
}

bool key_bits_fit(const KeyAlgorithm& algorithm, Bytes bits) {
    if (bits[0] != 0) return false;
    const auto key = bits.subspan(1);
    if (algorithm.octets != 0) return key.size() == algorithm.octets;
    return algorithm.family == Family::ec ? is_ec_point(key) : is_rsa_public_key(key);
}

Complaint key_is_well_formed(const Subject& subject) {
    const auto& key = subject.tbs.key;
    const auto* algorithm = algorithm_of(key);
    if (algorithm == nullptr) return fmt::format("no rules are known for keys of algorithm {}", key.algorithm.oid.dotted());
    if (!parameters_fit(algorithm->parameters, key.algorithm.parameters))
        return "the parameters of the key's algorithm are not what its standard demands";
    if (!key_bits_fit(*algorithm, key.bits)) return "subjectPublicKey is not a key of its algorithm";
    return {};
}

/// Every algorithm but RSASSA-PSS is one fixed encoding; PSS has parameters that the signer chose.
Complaint signature_algorithm_is_well_formed(const Subject& subject) {
    const auto& algorithm = subject.tbs.signature;
    if (algorithm.oid == crypto::oid::rsassa_pss) {
        if (algorithm.parameters && algorithm.parameters->tag == Tag::sequence) return {};
        return "RSASSA-PSS without its parameters (RFC 4055 3.1)";
    }
    const auto* known = crypto::signature_algorithm(algorithm.oid);
    if (known == nullptr) return fmt::format("signature algorithm {} is not known", algorithm.oid.dotted());
    if (!same(known->identifier, algorithm.whole))
        return fmt::format("the parameters of {} are not what its standard demands", known->name);
    return {};
}

//# SHA-1 and MD5 are not for signatures any more
Complaint signature_digest_is_strong(const Subject& subject) {
    const auto* known = crypto::signature_algorithm(subject.tbs.signature.oid);
    if (known == nullptr || !known->weak) return {};
    return fmt::format("{} is too weak to sign with", known->name);
}

bool suits(const AlgorithmView& signature, const KeyAlgorithm& key) {
    if (signature.oid == crypto::oid::rsassa_pss) return key.family == Family::rsa || key.family == Family::rsa_pss;
    const auto* algorithm = crypto::signature_algorithm(signature.oid);
    if (algorithm == nullptr) return true;  // another rule's matter
    switch (key.family) {
        case Family::rsa: return algorithm->kind == KeyKind::rsa;
        case Family::ec: return algorithm->kind == KeyKind::ec;
        // One OID names the key and the signature.
        case Family::eddsa:
        case Family::ml_dsa:
        case Family::slh_dsa: return algorithm->oid == key.oid;
        case Family::rsa_pss:
        case Family::agreement:
        case Family::ml_kem: return false;
    }
    return false;
}

Complaint signature_suits_issuer_key(const Subject& subject) {
    const auto spki = subject.issuer == nullptr ? Result<KeyInfoView>{subject.tbs.key} : read_key_info(subject.issuer->spki());
    const auto* key = spki ? algorithm_of(*spki) : nullptr;
    if (key != nullptr && suits(subject.tbs.signature, *key)) return {};
    return "the issuer's key does not make signatures of this algorithm";
}

// What the standards of the key kinds allow, and what they want at least one of (0: nothing). bug class 33
struct UsageRule {
    Family family{};
    std::uint32_t allowed = 0;
    std::uint32_t one_of = 0;
};
constexpr std::uint32_t signing = digital_signature | non_repudiation | key_cert_sign | crl_sign;
constexpr std::uint32_t enciphering = key_encipherment | data_encipherment;
constexpr std::uint32_t agreeing = key_agreement | encipher_only | decipher_only;

constexpr UsageRule rsa_usage{Family::rsa, signing | enciphering};
constexpr UsageRule rsa_pss_usage{Family::rsa_pss, signing};
constexpr UsageRule ec_usage{Family::ec, signing | agreeing};
constexpr UsageRule agreement_usage{Family::agreement, agreeing, key_agreement};
constexpr UsageRule eddsa_usage{Family::eddsa, signing, signing};
constexpr UsageRule ml_dsa_usage{Family::ml_dsa, signing, signing};
constexpr UsageRule slh_dsa_usage{Family::slh_dsa, signing, signing};
constexpr UsageRule ml_kem_usage{Family::ml_kem, key_encipherment, key_encipherment};

std::string listed(std::uint32_t bits) {
    std::string text;
    for (const auto& name : key_usage_names(bits)) text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

template <const UsageRule& rule>
Complaint usage_suits_key(const Subject& subject) {
    const auto* algorithm = algorithm_of(subject.tbs.key);
    if (algorithm == nullptr || algorithm->family != rule.family || !subject.tbs.key_usage) return {};
    const auto usage = *subject.tbs.key_usage;
    if ((usage & ~rule.allowed) != 0)
        return fmt::format("keyUsage {} is not for keys of this kind", listed(usage & ~rule.allowed));
    if (rule.one_of != 0 && (usage & rule.one_of) == 0) return fmt::format("keyUsage has none of {}", listed(rule.one_of));
    return {};
}

}  // namespace

std::span<const Rule> key_rules() {
    static constexpr std::array rules{
        Rule{"rfc5280_4_1_1_2_signature_algorithm", "RFC 5280 4.1.1.2", signature_algorithm_is_well_formed},
        Rule{"rfc6194_3_signature_digest", "RFC 6194 3, RFC 6151 2", signature_digest_is_strong},
        Rule{"rfc5280_6_1_3_signature_suits_issuer_key", "RFC 5280 6.1.3", signature_suits_issuer_key},
        Rule{"rfc5280_4_1_2_7_public_key", "RFC 5280 4.1.2.7", key_is_well_formed},
        Rule{"rfc3279_2_3_1_rsa_key_usage", "RFC 3279 2.3.1", usage_suits_key<rsa_usage>},
        Rule{"rfc4055_1_2_rsa_pss_key_usage", "RFC 4055 1.2", usage_suits_key<rsa_pss_usage>},
        Rule{"rfc5480_3_ec_key_usage", "RFC 5480 3, RFC 8813 3", usage_suits_key<ec_usage>},
        Rule{"rfc8410_5_x25519_x448_key_usage", "RFC 8410 5", usage_suits_key<agreement_usage>},
        Rule{"rfc8410_5_ed25519_ed448_key_usage", "RFC 8410 5", usage_suits_key<eddsa_usage>},
        Rule{"rfc9881_5_ml_dsa_key_usage", "RFC 9881 5", usage_suits_key<ml_dsa_usage>},
        Rule{"rfc9909_6_slh_dsa_key_usage", "RFC 9909 6", usage_suits_key<slh_dsa_usage>},
        Rule{"rfc9935_5_ml_kem_key_usage", "RFC 9935 5", usage_suits_key<ml_kem_usage>},
    };
    return rules;
}

}  // namespace estuary::x509::lint
