#include "estuary/crypto/algorithms.h"

#include <array>
#include <deque>
#include <mutex>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/crypto/oids.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using openssl::Pkey;
using openssl::PkeyContext;
using Keymgmt = Handle<EVP_KEYMGMT, EVP_KEYMGMT_free>;

struct KnownKey {
    const char* name;
    KeyKind kind;
    const char* openssl_name;
    const char* group;
    unsigned bits;
    Oid algorithm;
    Oid curve;
    bool signs;
};

constexpr KnownKey ec(const char* name, const char* group, unsigned bits, const char* curve) {
    return {name, KeyKind::ec, "EC", group, bits, oid::ec_public_key, Oid{curve}, true};
}
constexpr KnownKey rsa(const char* name, unsigned bits) {
    return {name, KeyKind::rsa, "RSA", "", bits, oid::rsa_encryption, Oid{}, true};
}
constexpr KnownKey plain(const char* name, KeyKind kind, const char* openssl_name, unsigned bits, const char* oid,
                         bool signs = true) {
    return {name, kind, openssl_name, "", bits, Oid{oid}, Oid{}, signs};
}

/// The most used ones first: the table is searched front to back.
constexpr std::array known_keys{
    ec("p256", "P-256", 256, "1.2.840.10045.3.1.7"),
    ec("p384", "P-384", 384, "1.3.132.0.34"),
    ec("p521", "P-521", 521, "1.3.132.0.35"),
    rsa("rsa2048", 2048),
    rsa("rsa3072", 3072),
    rsa("rsa4096", 4096),
    plain("ed25519", KeyKind::ed25519, "ED25519", 128, "1.3.101.112"),  // RFC 8410 3
    plain("ed448", KeyKind::ed448, "ED448", 224, "1.3.101.113"),
    plain("ml-dsa-44", KeyKind::ml_dsa, "ML-DSA-44", 128, "2.16.840.1.101.3.4.3.17"),  // RFC 9881 2
    plain("ml-dsa-65", KeyKind::ml_dsa, "ML-DSA-65", 192, "2.16.840.1.101.3.4.3.18"),
    plain("ml-dsa-87", KeyKind::ml_dsa, "ML-DSA-87", 256, "2.16.840.1.101.3.4.3.19"),
    plain("slh-dsa-sha2-128s", KeyKind::slh_dsa, "SLH-DSA-SHA2-128s", 128, "2.16.840.1.101.3.4.3.20"),
    plain("slh-dsa-sha2-128f", KeyKind::slh_dsa, "SLH-DSA-SHA2-128f", 128, "2.16.840.1.101.3.4.3.21"),
    plain("slh-dsa-sha2-192s", KeyKind::slh_dsa, "SLH-DSA-SHA2-192s", 192, "2.16.840.1.101.3.4.3.22"),
    plain("slh-dsa-sha2-192f", KeyKind::slh_dsa, "SLH-DSA-SHA2-192f", 192, "2.16.840.1.101.3.4.3.23"),
    plain("slh-dsa-sha2-256s", KeyKind::slh_dsa, "SLH-DSA-SHA2-256s", 256, "2.16.840.1.101.3.4.3.24"),
    plain("slh-dsa-sha2-256f", KeyKind::slh_dsa, "SLH-DSA-SHA2-256f", 256, "2.16.840.1.101.3.4.3.25"),
    plain("slh-dsa-shake-128s", KeyKind::slh_dsa, "SLH-DSA-SHAKE-128s", 128, "2.16.840.1.101.3.4.3.26"),
    plain("slh-dsa-shake-128f", KeyKind::slh_dsa, "SLH-DSA-SHAKE-128f", 128, "2.16.840.1.101.3.4.3.27"),
    plain("slh-dsa-shake-192s", KeyKind::slh_dsa, "SLH-DSA-SHAKE-192s", 192, "2.16.840.1.101.3.4.3.28"),
    plain("slh-dsa-shake-192f", KeyKind::slh_dsa, "SLH-DSA-SHAKE-192f", 192, "2.16.840.1.101.3.4.3.29"),
    plain("slh-dsa-shake-256s", KeyKind::slh_dsa, "SLH-DSA-SHAKE-256s", 256, "2.16.840.1.101.3.4.3.30"),
    plain("slh-dsa-shake-256f", KeyKind::slh_dsa, "SLH-DSA-SHAKE-256f", 256, "2.16.840.1.101.3.4.3.31"),
    plain("ml-kem-512", KeyKind::ml_kem, "ML-KEM-512", 128, "2.16.840.1.101.3.4.4.1", false),
    plain("ml-kem-768", KeyKind::ml_kem, "ML-KEM-768", 192, "2.16.840.1.101.3.4.4.2", false),
    plain("ml-kem-1024", KeyKind::ml_kem, "ML-KEM-1024", 256, "2.16.840.1.101.3.4.4.3", false),
    plain("x25519", KeyKind::other, "X25519", 128, "1.3.101.110", false),
    plain("x448", KeyKind::other, "X448", 224, "1.3.101.111", false),
    ec("brainpoolp256r1", "brainpoolP256r1", 256, "1.3.36.3.3.2.8.1.1.7"),  // RFC 5639
    ec("brainpoolp384r1", "brainpoolP384r1", 384, "1.3.36.3.3.2.8.1.1.11"),
    ec("brainpoolp512r1", "brainpoolP512r1", 512, "1.3.36.3.3.2.8.1.1.13"),
    ec("secp256k1", "secp256k1", 256, "1.3.132.0.10"),
    ec("p224", "P-224", 224, "1.3.132.0.33"),
};

/// A key of the type with the group set and nothing else.
Pkey make_template(const KnownKey& known) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    std::string group{known.group};
    std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                          OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, parameters.data()) != 1) return nullptr;
    return Pkey{key};
}

struct KeyTable {
    std::vector<KeyType> types;
    std::vector<Pkey> templates;  // beside `types`; null for all but EC
};

KeyTable build_key_table() {
    KeyTable table;
    table.types.reserve(known_keys.size());
    for (const auto& known : known_keys) {
        const Keymgmt management{EVP_KEYMGMT_fetch(nullptr, known.openssl_name, nullptr)};
        if (!management) continue;
        Pkey group;
        if (known.kind == KeyKind::ec && !(group = make_template(known))) continue;
        table.types.push_back({known.name, known.kind, known.openssl_name, known.group, known.bits, known.algorithm,
                               known.curve, known.signs});
        table.templates.push_back(std::move(group));
    }
    openssl::clear_errors();  // what is absent left its mark
    return table;
}

/// Never destroyed: keys in other statics may outlive any order of destruction.
const KeyTable& key_table() {
    static const KeyTable& table = *new KeyTable{build_key_table()};
    return table;
}

enum class IdentifierParameters { absent, null };

SignatureAlgorithm make(const char* name, const char* oid, KeyKind kind, const char* digest, IdentifierParameters parameters,
                        bool weak = false) {
    SignatureAlgorithm made{name, Oid{oid}, kind, digest, {}, weak};
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(made.oid);
        if (parameters == IdentifierParameters::null) writer.null();
    });
    made.identifier = std::move(writer).take();
    return made;
}

std::vector<SignatureAlgorithm> build_signature_table() {
    std::vector<SignatureAlgorithm> table;
    const auto ecdsa = [&](const char* name, const char* oid, const char* digest, bool weak = false) {
        table.push_back(make(name, oid, KeyKind::ec, digest, IdentifierParameters::absent, weak));
    };
    const auto rsa_pkcs1 = [&](const char* name, const char* oid, const char* digest, bool weak = false) {
        table.push_back(make(name, oid, KeyKind::rsa, digest, IdentifierParameters::null, weak));
    };
    ecdsa("ecdsa-with-SHA256", "1.2.840.10045.4.3.2", "SHA256");  // RFC 5758 3.2
    ecdsa("ecdsa-with-SHA384", "1.2.840.10045.4.3.3", "SHA384");
    ecdsa("ecdsa-with-SHA512", "1.2.840.10045.4.3.4", "SHA512");
    rsa_pkcs1("sha256WithRSAEncryption", "1.2.840.113549.1.1.11", "SHA256");  // RFC 4055 5
    rsa_pkcs1("sha384WithRSAEncryption", "1.2.840.113549.1.1.12", "SHA384");
    rsa_pkcs1("sha512WithRSAEncryption", "1.2.840.113549.1.1.13", "SHA512");
    for (const auto& known : known_keys)  // these sign the message itself, and key and signature share the OID
        if (known.signs && known.kind != KeyKind::ec && known.kind != KeyKind::rsa) {
            const std::string_view name = known.kind == KeyKind::ed25519 ? "Ed25519"
                                          : known.kind == KeyKind::ed448 ? "Ed448"
                                                                         : known.openssl_name;
            SignatureAlgorithm made{std::string{name}, known.algorithm, known.kind, {}, {}, false};
            der::Writer writer;
            writer.sequence([&] { writer.oid(made.oid); });
            made.identifier = std::move(writer).take();
            table.push_back(std::move(made));
        }
    ecdsa("ecdsa-with-SHA224", "1.2.840.10045.4.3.1", "SHA224");
    ecdsa("ecdsa-with-SHA3-256", "2.16.840.1.101.3.4.3.10", "SHA3-256");
    ecdsa("ecdsa-with-SHA3-384", "2.16.840.1.101.3.4.3.11", "SHA3-384");
    ecdsa("ecdsa-with-SHA3-512", "2.16.840.1.101.3.4.3.12", "SHA3-512");
    rsa_pkcs1("sha224WithRSAEncryption", "1.2.840.113549.1.1.14", "SHA224");
    ecdsa("ecdsa-with-SHA1", "1.2.840.10045.4.1", "SHA1", true);
    rsa_pkcs1("sha1WithRSAEncryption", "1.2.840.113549.1.1.5", "SHA1", true);
    rsa_pkcs1("sha1WithRSASignature", "1.3.14.3.2.29", "SHA1", true);
    rsa_pkcs1("md5WithRSAEncryption", "1.2.840.113549.1.1.4", "MD5", true);
    rsa_pkcs1("md4WithRSAEncryption", "1.2.840.113549.1.1.3", "MD4", true);
    rsa_pkcs1("md2WithRSAEncryption", "1.2.840.113549.1.1.2", "MD2", true);
    table.push_back(make("dsa-with-sha1", "1.2.840.10040.4.3", KeyKind::other, "SHA1", IdentifierParameters::absent, true));
    return table;
}

}  // namespace

std::span<const KeyType> key_types() { return key_table().types; }

Result<const KeyType*> key_type(std::string_view name) {
    std::string names;
    for (const auto& type : key_types()) {
        if (type.name == name) return &type;
        names += (names.empty() ? "" : ", ") + type.name;
    }
    const auto known = std::ranges::find(known_keys, name, &KnownKey::name);
    return fail(Code::unsupported,
                fmt::format("key type '{}' {}; there are: {}", name,
                            known != known_keys.end() ? "needs a newer OpenSSL" : "is not known", names));
}

ByteVec key_algorithm_identifier(const KeyType& type) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(type.algorithm);
        if (!type.parameters.empty()) writer.oid(type.parameters);
        if (type.kind == KeyKind::rsa) writer.null();  // RFC 3279 2.3.1
    });
    return std::move(writer).take();
}

const SignatureAlgorithm* signature_algorithm(const Oid& oid) {
    static const auto& table = *new std::vector<SignatureAlgorithm>{build_signature_table()};
    const auto found = std::ranges::find(table, oid, &SignatureAlgorithm::oid);
    return found == table.end() ? nullptr : &*found;
}

namespace openssl {

const EVP_MD* digest_by_name(std::string_view name) {
    struct Fetched {
        std::string name;
        EVP_MD* md;
    };
    static constexpr std::array usual{"SHA256", "SHA384",   "SHA512",   "SHA1",
                                      "SHA224", "SHA3-256", "SHA3-384", "SHA3-512"};
    static const auto& common = *[] {
        auto* table = new std::vector<Fetched>;
        for (const char* one : usual) table->push_back({one, EVP_MD_fetch(nullptr, one, nullptr)});
        clear_errors();
        return table;
    }();
    for (const auto& known : common)
        if (known.name == name) return known.md;
    // Others are rare: fetched when first asked for and kept, if the library has them.
    static std::mutex mutex;
    static auto& others = *new std::deque<Fetched>;
    const std::lock_guard lock{mutex};
    for (const auto& known : others)
        if (known.name == name) return known.md;
    const std::string wanted{name};
    EVP_MD* md = EVP_MD_fetch(nullptr, wanted.c_str(), nullptr);
    if (md != nullptr) others.push_back({wanted, md});
    return md;
}

const EVP_PKEY* group_template(const KeyType& type) {
    const auto& table = key_table();
    const auto at = static_cast<std::size_t>(&type - table.types.data());
    return at < table.templates.size() ? table.templates[at].get() : nullptr;
}

const KeyType* key_type_by_oid(const Oid& algorithm, const Oid& curve) {
    for (const auto& type : key_types())
        if (type.algorithm == algorithm && type.parameters == curve) return &type;
    return nullptr;
}

std::string_view known_key_name(const Oid& algorithm, const Oid& curve) {
    for (const auto& known : known_keys)
        if (known.algorithm == algorithm && known.curve == curve) return known.name;
    return {};
}

}  // namespace openssl
}  // namespace estuary::crypto
