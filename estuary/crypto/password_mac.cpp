#include "estuary/crypto/password_mac.h"

#include <variant>

#include <fmt/format.h>

#include <openssl/evp.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/digest.h"
#include "estuary/crypto/one_way_function.h"
#include "estuary/crypto/openssl.h"
#include "estuary/crypto/pbkdf2.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using der::Reader;
using der::Tag;

constexpr Oid id_password_based_mac{"1.2.840.113533.7.66.13"};
constexpr Oid id_pbmac1{"1.2.840.113549.1.5.14"};

/// A key that PBKDF2 makes for PBMAC1 is no shorter: a peer could otherwise have us compare with one that it guesses.
constexpr std::size_t key_octets_min = 16;

/// PBMParameter ::= SEQUENCE { salt OCTET STRING, owf AlgorithmIdentifier, iterationCount INTEGER, mac AlgorithmIdentifier }
struct PasswordBasedMac {
    Bytes salt;
    std::string_view owf;
    std::uint64_t iterations = 0;
    MacAlgorithm mac;
};

/// PBMAC1-params ::= SEQUENCE { keyDerivationFunc AlgorithmIdentifier, messageAuthScheme AlgorithmIdentifier }
struct Pbmac1 {
    Pbkdf2Parameters derivation;
    MacAlgorithm mac;
};

Result<void> check_salt(Bytes salt, const PasswordMacLimits& limits) {
    if (salt.size() < limits.salt_octets_min)
        return fail(Code::bad_key, fmt::format("password-based MAC: a salt of fewer than {} octets", limits.salt_octets_min));
    if (salt.size() > limits.salt_octets_max)
        return fail(Code::too_large, fmt::format("password-based MAC: a salt of more than {} octets", limits.salt_octets_max));
    return {};
}

Result<void> check_iterations(std::uint64_t iterations, const PasswordMacLimits& limits) {
    if (iterations < limits.iterations_min)
        return fail(Code::bad_key, fmt::format("password-based MAC: fewer than {} iterations", limits.iterations_min));
    if (iterations > limits.iterations_max)
        return fail(Code::too_large, fmt::format("password-based MAC: more than {} iterations", limits.iterations_max));
    return {};
}

tl::unexpected<Error> no_sha1(std::string_view what) {
    return fail(Code::unsupported, fmt::format("password-based MAC: {} is not allowed here", what));
}

Result<void> check_mac(const MacAlgorithm& mac, const PasswordMacLimits& limits) {
    if (mac.is_hmac_sha1() && !limits.hmac_sha1) return no_sha1("HMAC-SHA1");
    return {};
}

Result<PasswordBasedMac> read_password_based_mac(Reader fields, const PasswordMacLimits& limits) {
    PasswordBasedMac read;
    ESTUARY_TRY(read.salt, fields.octet_string());
    ESTUARY_TRY(read.owf, read_one_way_function(fields));
    if (read.owf == "SHA1" && !limits.sha1_owf) return no_sha1("SHA-1 as one-way function");
    ESTUARY_TRY(const auto iterations, fields.integer());
    if (iterations < 1) return fail(Code::malformed, "PasswordBasedMac: iterationCount is not positive");
    read.iterations = static_cast<std::uint64_t>(iterations);
    ESTUARY_TRY(const auto mac, fields.element(Tag::sequence));
    ESTUARY_TRY(read.mac, read_mac_algorithm(mac.whole));
    ESTUARY_CHECK(fields.finish("PBMParameter"));
    ESTUARY_CHECK(check_salt(read.salt, limits));
    ESTUARY_CHECK(check_iterations(read.iterations, limits));
    ESTUARY_CHECK(check_mac(read.mac, limits));
    return read;
}

Result<Pbmac1> read_pbmac1(Reader fields, const PasswordMacLimits& limits) {
    Pbmac1 read;
    ESTUARY_TRY(const auto derivation, fields.element(Tag::sequence));
    ESTUARY_TRY(read.derivation, read_pbkdf2(derivation.whole, limits.iterations_max));
    ESTUARY_TRY(const auto mac, fields.element(Tag::sequence));
    ESTUARY_TRY(read.mac, read_mac_algorithm(mac.whole));
    ESTUARY_CHECK(fields.finish("PBMAC1-params"));
    ESTUARY_CHECK(check_salt(read.derivation.salt, limits));
    ESTUARY_CHECK(check_iterations(read.derivation.iterations, limits));
    ESTUARY_CHECK(check_mac(read.mac, limits));
    if (read.derivation.digest == "SHA1" && !limits.sha1_owf) return no_sha1("PBKDF2 with HMAC-SHA1");
    const auto octets = read.derivation.key_octets.value_or(read.mac.key_octets);
    if (octets < key_octets_min) return fail(Code::bad_key, fmt::format("PBMAC1: a key of {} octets", octets));
    return read;
}

/// OWF applied iterationCount times to password and salt (RFC 9810 5.1.3.1).
Result<Secret> base_key(const PasswordBasedMac& use, const Secret& password) {
    openssl::clear_errors();
    const EVP_MD* md = openssl::digest_by_name(use.owf);
    if (md == nullptr) return fail(Code::unsupported, fmt::format("digest {} is not available", use.owf), openssl::drain_errors());
    ByteVec salted;
    salted.reserve(password.reveal().size() + use.salt.size());
    append(salted, password.reveal());
    append(salted, use.salt);
    const Secret first{std::move(salted)};

    ByteVec key(static_cast<std::size_t>(EVP_MD_get_size(md)));
    bool good = openssl::digest_into(md, first.reveal(), key.data());
    for (std::uint64_t i = 1; good && i < use.iterations; ++i) good = openssl::digest_into(md, key, key.data());
    Secret made{std::move(key)};
    if (!good) return fail(Code::internal, fmt::format("digest {} failed", use.owf), openssl::drain_errors());
    return made;
}

Result<ByteVec> compute(const PasswordBasedMac& use, const Secret& password, Bytes data) {
    ESTUARY_TRY(auto key, base_key(use, password));
    // HMAC and KMAC take BASEKEY as it is; only a MAC with keys of one length has it cut or lengthened.
    if (use.mac.kind == MacAlgorithm::Kind::gmac) {
        ESTUARY_TRY(key, expand_base_key(use.owf, key, use.mac.key_octets));
    }
    return compute_mac(use.mac, key.reveal(), data);
}

Result<ByteVec> compute(const Pbmac1& use, const Secret& password, Bytes data) {
    ESTUARY_TRY(const auto key, derive(use.derivation, password.reveal(), use.mac.key_octets));
    return compute_mac(use.mac, key.reveal(), data);
}

/// Everything that the AlgorithmIdentifier asks for, within the limits. The salt is a view into it.
Result<std::variant<PasswordBasedMac, Pbmac1>> read(Bytes algorithm_identifier, const PasswordMacLimits& limits) {
    ESTUARY_TRY(auto identifier, der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier"));
    ESTUARY_TRY(const auto oid, identifier.oid());
    if (oid != id_password_based_mac && oid != id_pbmac1)
        return fail(Code::unsupported, fmt::format("{} is no password-based MAC", oid.dotted()));
    ESTUARY_TRY(const auto fields, identifier.enter(Tag::sequence));
    ESTUARY_CHECK(identifier.finish("AlgorithmIdentifier"));
    if (oid == id_pbmac1) return read_pbmac1(fields, limits);
    return read_password_based_mac(fields, limits);
}

Result<ByteVec> make_parameters(const PasswordMacChoice& choice, Bytes salt) {
    ESTUARY_TRY(const auto mac, encode_mac_algorithm(choice.mac));
    ESTUARY_TRY(const auto algorithm, read_mac_algorithm(mac));
    der::Writer writer;
    if (choice.scheme == PasswordMacChoice::Scheme::pbmac1) {
        ESTUARY_TRY(const auto derivation,
                    encode_pbkdf2({to_vec(salt), choice.iterations, algorithm.key_octets, choice.digest}));
        writer.sequence([&] { writer.raw(derivation).raw(mac); });
    } else {
        ESTUARY_TRY(const auto owf, encode_one_way_function(choice.digest));
        writer.sequence([&] {
            writer.octet_string(salt).raw(owf).integer(static_cast<std::int64_t>(choice.iterations)).raw(mac);
        });
    }
    return std::move(writer).take();
}

}  // namespace

Result<PasswordMacChoice> password_mac_choice(Bytes algorithm_identifier, const PasswordMacLimits& limits) {
    using Scheme = PasswordMacChoice::Scheme;
    ESTUARY_TRY(const auto use, read(algorithm_identifier, limits));
    if (const auto* pbm = std::get_if<PasswordBasedMac>(&use))
        return PasswordMacChoice{Scheme::password_based_mac, std::string{pbm->owf}, std::string{pbm->mac.name}, pbm->iterations,
                                 pbm->salt.size()};
    const auto& modern = std::get<Pbmac1>(use);
    return PasswordMacChoice{Scheme::pbmac1, std::string{modern.derivation.digest}, std::string{modern.mac.name},
                             modern.derivation.iterations, modern.derivation.salt.size()};
}

bool is_password_mac(Bytes algorithm_identifier) {
    auto identifier = der::enter_only(algorithm_identifier, Tag::sequence, "AlgorithmIdentifier");
    if (!identifier) return false;
    const auto oid = identifier->oid();
    return oid && (*oid == id_password_based_mac || *oid == id_pbmac1);
}

Result<ByteVec> compute_password_mac(Bytes algorithm_identifier, const Secret& password, Bytes data,
                                     const PasswordMacLimits& limits) {
    if (password.empty()) return fail(Code::bad_key, "password-based MAC with an empty password");  // bug class 9
    ESTUARY_TRY(const auto use, read(algorithm_identifier, limits));
    return std::visit([&](const auto& scheme) { return compute(scheme, password, data); }, use);
}

Result<void> verify_password_mac(Bytes algorithm_identifier, const Secret& password, Bytes data, Bytes mac,
                                 const PasswordMacLimits& limits) {
    ESTUARY_TRY(const auto expected, compute_password_mac(algorithm_identifier, password, data, limits));
    if (!equal_in_constant_time(expected, mac)) return fail(Code::bad_proof, "the message authentication code is wrong");
    return {};
}

Result<ByteVec> make_password_mac_algorithm(const PasswordMacChoice& choice) {
    ByteVec salt(choice.salt_octets);
    random(salt);
    ESTUARY_TRY(const auto parameters, make_parameters(choice, salt));
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(choice.scheme == PasswordMacChoice::Scheme::pbmac1 ? id_pbmac1 : id_password_based_mac);
        writer.raw(parameters);
    });
    return std::move(writer).take();
}

}  // namespace estuary::crypto
