#include "estuary/cmp/protection_kem.h"

#include <fmt/format.h>

#include "estuary/cmp/protection_oids.h"
#include "estuary/cms/key_wrap_algorithm.h"
#include "estuary/crypto/kdf.h"
#include "estuary/crypto/key_transport.h"

namespace estuary::cmp {
namespace {

using crypto::Secret;
using der::Tag;

constexpr std::size_t key_octets_min = 16, key_octets_max = 128;
constexpr std::size_t kem_context_octets_max = 1024;
constexpr std::string_view static_string = "CMP-KEM";  // RFC 9810 5.1.3.4

void write_kem_context(der::Writer& writer, const std::optional<ByteVec>& kem_context) {
    if (kem_context) writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*kem_context); });
}

/// How a message is keyed: everything that KemBMParameter says, looked up.
struct KemMac {
    const cms::Derivation* kdf = nullptr;
    crypto::MacAlgorithm mac;
};

Result<KemMac> look_up(const KemBmParameter& parameter) {
    KemMac use;
    ESTUARY_TRY(const auto kdf, cms::parse_algorithm(parameter.kdf));
    ESTUARY_TRY(use.kdf, cms::hkdf_algorithm(kdf));
    ESTUARY_TRY(use.mac, crypto::read_mac_algorithm(parameter.mac));
    // One key protects every message of a transaction: GMAC would use its nonce again, and SHA-1 is older than KEMs.
    if (use.mac.kind == crypto::MacAlgorithm::Kind::gmac || use.mac.is_hmac_sha1())
        return fail(Code::unsupported, fmt::format("KemBasedMac with {}", use.mac.name));
    if (parameter.len < key_octets_min) return fail(Code::bad_key, fmt::format("KemBasedMac: a key of {} octets", parameter.len));
    return use;
}

Result<Secret> derive_key(const KemMac& use, const KemBmParameter& parameter, const Secret& shared, Bytes transaction_id) {
    const auto info = encode_kem_other_info(transaction_id, parameter.kem_context);
    return crypto::hkdf(use.kdf->digest, shared.reveal(), {}, info, parameter.len);
}

/// The algorithm of a SubjectPublicKeyInfo, whole.
Result<ByteVec> kem_algorithm(const crypto::PublicKey& key) {
    ESTUARY_TRY(auto spki, der::enter_only(key.spki(), Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_TRY(const auto algorithm, spki.element(Tag::sequence));
    return to_vec(algorithm.whole);
}

}  // namespace

Result<KemBmParameter> KemBmParameter::parse(Bytes protection_alg) {
    ESTUARY_TRY(auto identifier, der::enter_only(protection_alg, Tag::sequence, "protectionAlg"));
    ESTUARY_TRY(const auto oid, identifier.oid());
    if (oid != oid::kem_based_mac) return fail(Code::unsupported, "protectionAlg is not KemBasedMac");
    ESTUARY_TRY(auto fields, identifier.enter(Tag::sequence));
    ESTUARY_CHECK(identifier.finish("protectionAlg"));
    KemBmParameter parameter;
    ESTUARY_TRY(const auto kdf, fields.element(Tag::sequence));
    parameter.kdf = to_vec(kdf.whole);
    ESTUARY_TRY(auto context, fields.enter_if(der::context_constructed(0)));
    if (context) {
        ESTUARY_TRY(const auto octets, context->octet_string());
        ESTUARY_CHECK(context->finish("kemContext"));
        if (octets.size() > kem_context_octets_max) return fail(Code::too_large, "KemBMParameter: kemContext too long");
        parameter.kem_context = to_vec(octets);
    }
    ESTUARY_TRY(const auto len, fields.integer());
    if (len < 1) return fail(Code::malformed, "KemBMParameter: len is not positive");
    if (len > static_cast<std::int64_t>(key_octets_max))
        return fail(Code::too_large, fmt::format("KemBMParameter: len past {}", key_octets_max));
    parameter.len = static_cast<std::size_t>(len);
    ESTUARY_TRY(const auto mac, fields.element(Tag::sequence));
    parameter.mac = to_vec(mac.whole);
    ESTUARY_CHECK(fields.finish("KemBMParameter"));
    return parameter;
}

ByteVec KemBmParameter::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(oid::kem_based_mac);
        writer.sequence([&] {
            writer.raw(kdf);
            write_kem_context(writer, kem_context);
            writer.integer(static_cast<std::int64_t>(len)).raw(mac);
        });
    });
    return std::move(writer).take();
}

ByteVec encode_kem_other_info(Bytes transaction_id, const std::optional<ByteVec>& kem_context) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.utf8_string(static_string); });
        writer.octet_string(transaction_id);
        write_kem_context(writer, kem_context);
    });
    return std::move(writer).take();
}

struct KemSession::State {
    Secret shared;
    ByteVec transaction_id;
};

KemSession::KemSession(Secret shared, Bytes transaction_id)
    : state_{std::make_shared<const State>(State{std::move(shared), to_vec(transaction_id)})} {}

const Secret& KemSession::shared_secret() const noexcept { return state_->shared; }

Result<KemSession::Offer> KemSession::offer(const crypto::PublicKey& key, Bytes transaction_id) {
    ESTUARY_TRY(auto encapsulated, crypto::encapsulate(key));
    ESTUARY_TRY(auto algorithm, kem_algorithm(key));
    return Offer{{std::move(algorithm), std::move(encapsulated.ciphertext)},
                 KemSession{std::move(encapsulated.shared), transaction_id}};
}

Result<KemSession> KemSession::accept(const crypto::PrivateKey& key, const KemCiphertextInfo& info, Bytes transaction_id) {
    ESTUARY_TRY(const auto algorithm, kem_algorithm(key.public_key()));
    if (info.kem != algorithm) return fail(Code::malformed, "KemCiphertextInfo is for another kind of key");
    ESTUARY_TRY(auto shared, crypto::decapsulate(key, info.ct));
    return KemSession{std::move(shared), transaction_id};
}

Result<Protector> KemSession::protector(std::string_view mac) const {
    KemBmParameter parameter;
    parameter.kdf = cms::make_algorithm(cms::hkdf_algorithm_usual().oid);
    ESTUARY_TRY(parameter.mac, crypto::encode_mac_algorithm(mac));
    ESTUARY_TRY(const auto algorithm, crypto::read_mac_algorithm(parameter.mac));
    parameter.len = algorithm.key_octets;
    ESTUARY_TRY(const auto use, look_up(parameter));
    ESTUARY_TRY(auto derived, derive_key(use, parameter, state_->shared, state_->transaction_id));
    const auto key = std::make_shared<const Secret>(std::move(derived));
    return Protector{parameter.encode(),
                     [key, use](Bytes part) { return crypto::compute_mac(use.mac, key->reveal(), part); }};
}

Result<void> KemSession::verify(Bytes protection_alg, Bytes protected_part, Bytes protection) const {
    ESTUARY_TRY(const auto parameter, KemBmParameter::parse(protection_alg));
    ESTUARY_TRY(const auto use, look_up(parameter));
    ESTUARY_TRY(const auto key, derive_key(use, parameter, state_->shared, state_->transaction_id));
    return crypto::verify_mac(use.mac, key.reveal(), protected_part, protection);
}

}  // namespace estuary::cmp
