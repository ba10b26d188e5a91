#include "estuary/ocsp/cert_id.h"

#include <array>

#include "estuary/ocsp/oids.h"

namespace estuary::ocsp {
namespace {

struct HashAlgorithm {
    Hash hash;
    der::Oid oid;
    std::string_view name;
};
constexpr std::array hash_algorithms{
    HashAlgorithm{Hash::sha1, oid::sha1, "SHA1"}, HashAlgorithm{Hash::sha256, oid::sha256, "SHA256"},
    HashAlgorithm{Hash::sha384, oid::sha384, "SHA384"}, HashAlgorithm{Hash::sha512, oid::sha512, "SHA512"}};

const HashAlgorithm& algorithm_of(Hash hash) { return hash_algorithms[static_cast<std::size_t>(hash)]; }

std::optional<Hash> hash_named(const der::Oid& algorithm) {
    for (const auto& known : hash_algorithms)
        if (known.oid == algorithm) return known.hash;
    return std::nullopt;
}

/// The octets of subjectPublicKey, without its count of unused bits.
Result<Bytes> public_key_octets(Bytes spki) {
    ESTUARY_TRY(auto inside, der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_CHECK(inside.skip());
    return inside.bit_string_octets();
}

}  // namespace

Result<IssuerHashes> issuer_hashes(const x509::Name& issuer, Bytes spki, Hash hash) {
    const auto name = algorithm_of(hash).name;
    ESTUARY_TRY(const auto key, public_key_octets(spki));
    ESTUARY_TRY(auto name_hash, crypto::digest(name, issuer.der()));
    ESTUARY_TRY(auto key_hash, crypto::digest(name, key));
    return IssuerHashes{std::move(name_hash), std::move(key_hash)};
}

Result<CertId> CertId::read(der::Reader& reader) {
    ESTUARY_TRY(const auto element, reader.element(der::Tag::sequence));
    ESTUARY_TRY(auto inside, der::enter_only(element.whole, der::Tag::sequence, "CertID"));
    ESTUARY_TRY(auto algorithm, inside.enter(der::Tag::sequence));
    ESTUARY_TRY(const auto hash_oid, algorithm.oid());
    CertId id;
    id.hash_ = hash_named(hash_oid);
    id.null_parameters_ = algorithm.next_is(der::Tag::null);
    if (id.null_parameters_) ESTUARY_CHECK(algorithm.null());
    if (id.hash_) ESTUARY_CHECK(algorithm.finish("hashAlgorithm"));
    ESTUARY_TRY(const auto name, inside.octet_string());
    ESTUARY_TRY(const auto key, inside.octet_string());
    ESTUARY_TRY(const auto serial, inside.integer_octets());
    ESTUARY_CHECK(inside.finish("CertID"));

    id.der_ = to_vec(element.whole);
    const auto slice = [&](Bytes part) {
        return Slice{static_cast<std::size_t>(part.data() - element.whole.data()), part.size()};
    };
    // An empty part may have no address of its own.
    id.name_ = name.empty() ? Slice{} : slice(name);
    id.key_ = key.empty() ? Slice{} : slice(key);
    id.serial_ = slice(serial);
    return id;
}

CertId CertId::make(Hash hash, const IssuerHashes& issuer, Bytes serial_number) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.oid(algorithm_of(hash).oid).null(); });
        writer.octet_string(issuer.name).octet_string(issuer.key).primitive(der::Tag::integer, serial_number);
    });
    der::Reader reader{writer.bytes()};
    return read(reader).value();
}

Result<CertId> CertId::of(const x509::Certificate& certificate, const x509::Certificate& issuer, Hash hash) {
    ESTUARY_TRY(const auto hashes, issuer_hashes(certificate.issuer(), issuer.spki(), hash));
    return make(hash, hashes, certificate.serial_number());
}

Bytes CertId::positive_serial_number() const noexcept {
    auto serial = serial_number();
    if (serial.empty() || (serial.front() & 0x80) != 0) return {};
    while (!serial.empty() && serial.front() == 0) serial = serial.subspan(1);
    return serial;
}

bool operator==(const CertId& a, const CertId& b) noexcept {
    if (!a.hash_ || !b.hash_) return a.der_ == b.der_;
    return a.hash_ == b.hash_ && same(a.serial_number(), b.serial_number()) && same(a.issuer_key_hash(), b.issuer_key_hash()) &&
           same(a.issuer_name_hash(), b.issuer_name_hash());
}

}  // namespace estuary::ocsp
