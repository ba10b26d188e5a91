#include "estuary/crypto/password.h"

#include <array>
#include <bit>
#include <charconv>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/crypto/digest.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using Kdf = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

constexpr std::size_t salt_octets = 16;
constexpr std::size_t hash_octets = 32;

struct ScryptCost {
    unsigned ln = 15;  ///< log2 of N
    unsigned r = 8;
    unsigned p = 1;
    std::uint64_t memory() const { return std::uint64_t{128} * r << ln; }
};
/// What we make: 32 MiB and about 0.1 s.
constexpr ScryptCost usual_cost{};
/// What we are willing to check: a stored hash must not be able to ask for more than this of the server.
constexpr std::uint64_t scrypt_memory_max = 64u << 20;
constexpr std::uint64_t scrypt_work_max = 4 * scrypt_memory_max;  // memory times p

bool is_sane(const ScryptCost& cost) {
    if (cost.ln < 1 || cost.ln > 24 || cost.r < 1 || cost.r > 64 || cost.p < 1 || cost.p > 64) return false;
    return cost.memory() <= scrypt_memory_max && cost.memory() * cost.p <= scrypt_work_max;
}

using Hash = std::array<std::uint8_t, hash_octets>;

Hash scrypt(const Secret& password, Bytes salt, const ScryptCost& cost) {
    static const EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "SCRYPT", nullptr);
    openssl::clear_errors();
    // OpenSSL takes parameters as non-const pointers but only reads them.
    auto* const octets = const_cast<std::uint8_t*>(password.reveal().data());
    std::uint8_t none = 0;
    std::uint64_t n = std::uint64_t{1} << cost.ln, memory_max = 2 * scrypt_memory_max;
    std::uint32_t r = cost.r, p = cost.p;
    const std::array parameters{
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, octets == nullptr ? &none : octets,
                                          password.reveal().size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<std::uint8_t*>(salt.data()), salt.size()),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
        OSSL_PARAM_construct_end()};
    const KdfContext context{kdf == nullptr ? nullptr : EVP_KDF_CTX_new(const_cast<EVP_KDF*>(kdf))};
    Hash out;
    if (!context || EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) != 1)
        throw std::runtime_error{"OpenSSL: scrypt failed: " + openssl::drain_errors()};
    return out;
}

/// Salt and password have one split only, as the salt's length is fixed.
Hash keyed_hash(const Secret& password, Bytes salt, const Secret& server_key) {
    ByteVec salted = to_vec(salt);
    salted.reserve(salted.size() + password.reveal().size());
    append(salted, password.reveal());
    const Secret input{std::move(salted)};
    return hmac_sha256(server_key.reveal(), input.reveal());
}

std::string unpadded(Bytes octets) {
    auto text = to_base64(octets);
    while (!text.empty() && text.back() == '=') text.pop_back();
    return text;
}

Result<ByteVec> from_unpadded(std::string_view text, std::size_t octets_min, std::size_t octets_max) {
    const auto bad = [] { return fail(Code::malformed, "stored password: salt or hash is not base64 of its length"); };
    if (text.find_first_of("= \t\r\n") != std::string_view::npos) return bad();
    auto octets = from_base64(std::string{text} + std::string((4 - text.size() % 4) % 4, '='));
    if (!octets || octets->size() < octets_min || octets->size() > octets_max) return bad();
    return octets;
}

/// "ln=15,r=8,p=1", in this order (the PHC string format fixes it).
Result<ScryptCost> parse_cost(std::string_view text) {
    ScryptCost cost;
    const auto parts = text::split(text, ',');
    const std::array fields{std::pair{std::string_view{"ln="}, &cost.ln}, std::pair{std::string_view{"r="}, &cost.r},
                            std::pair{std::string_view{"p="}, &cost.p}};
    const auto bad = [] { return fail(Code::malformed, "stored password: scrypt cost is not like ln=15,r=8,p=1"); };
    if (parts.size() != fields.size()) return bad();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!parts[i].starts_with(fields[i].first)) return bad();
        const auto number = parts[i].substr(fields[i].first.size());
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), *fields[i].second);
        if (error != std::errc{} || end != number.data() + number.size()) return bad();
    }
    if (!is_sane(cost)) return fail(Code::malformed, "stored password: scrypt cost is past its limits");
    return cost;
}

std::array<std::uint8_t, salt_octets> fresh_salt() {
    std::array<std::uint8_t, salt_octets> salt;
    random(salt);
    return salt;
}

}  // namespace

Secret generate_password() {
    constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    constexpr std::size_t group = 5;
    std::array<std::uint8_t, 16> octets;
    random(octets);
    ByteVec text;
    text.reserve(30);
    unsigned pending = 0, bits = 2;  // 26 characters hold 130 bits: the first two are zero
    for (const auto octet : octets) {
        pending = pending << 8 | octet;
        for (bits += 8; bits >= 5; bits -= 5) {
            const auto written = text.size() - text.size() / (group + 1);
            if (written != 0 && written % group == 0 && written < 25) text.push_back('-');
            text.push_back(static_cast<std::uint8_t>(crockford[pending >> (bits - 5) & 31]));
        }
        pending &= (1u << bits) - 1;
    }
    wipe(octets);
    return Secret{std::move(text)};
}

std::string hash_chosen_password(const Secret& password) {
    const auto salt = fresh_salt();
    return fmt::format("$scrypt$ln={},r={},p={}${}${}", usual_cost.ln, usual_cost.r, usual_cost.p, unpadded(salt),
                       unpadded(scrypt(password, salt, usual_cost)));
}

std::string hash_generated_password(const Secret& password, const Secret& server_key) {
    const auto salt = fresh_salt();
    return fmt::format("$hmac-sha256${}${}", unpadded(salt), unpadded(keyed_hash(password, salt, server_key)));
}

bool is_slow_hash(std::string_view stored) { return stored.starts_with("$scrypt$"); }

Result<bool> verify_password(const Secret& password, std::string_view stored, const Secret& server_key) {
    const auto parts = text::split(stored, '$');  // "", algorithm, [cost,] salt, hash
    const bool slow = parts.size() == 5 && parts[0].empty() && parts[1] == "scrypt";
    const bool fast = parts.size() == 4 && parts[0].empty() && parts[1] == "hmac-sha256";
    if (!slow && !fast) return fail(Code::malformed, "stored password: not a hash that is made here");
    const auto salt_text = parts[parts.size() - 2];  // scrypt hashes may come from elsewhere, with other salts
    ESTUARY_TRY(const auto salt,
                slow ? from_unpadded(salt_text, 8, 64) : from_unpadded(salt_text, salt_octets, salt_octets));
    ESTUARY_TRY(const auto expected, from_unpadded(parts.back(), hash_octets, hash_octets));
    if (fast) return equal_in_constant_time(keyed_hash(password, salt, server_key), expected);
    ESTUARY_TRY(const auto cost, parse_cost(parts[2]));
    return equal_in_constant_time(scrypt(password, salt, cost), expected);
}

std::string digest_ha1(std::string_view user, std::string_view realm, const Secret& password) {
    ByteVec joined;
    joined.reserve(user.size() + realm.size() + password.reveal().size() + 2);
    append(joined, as_bytes(user));
    joined.push_back(':');
    append(joined, as_bytes(realm));
    joined.push_back(':');
    append(joined, password.reveal());
    const Secret input{std::move(joined)};
    return to_hex(sha256(input.reveal()));
}

}  // namespace estuary::crypto
