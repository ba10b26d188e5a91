// Keys that are valid but not to be certified (bug class 32).
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include <openssl/bn.h>

#include <fmt/format.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/crypto/key.h"
#include "estuary/crypto/openssl.h"

namespace estuary::crypto {
namespace {

using Number = Handle<BIGNUM, BN_free>;
using NumberContext = Handle<BN_CTX, BN_CTX_free>;

constexpr unsigned rsa_bits_min = 2048, rsa_bits_max = 16384;
constexpr unsigned ec_bits_min = 224;  // 112 bits of security, as RSA-2048
constexpr unsigned small_factor_max = 751;
constexpr unsigned fermat_rounds = 100;

// --- Remainders by many small primes: one pass over the modulus for each product of primes that fits 64 bits.

constexpr bool is_prime(unsigned number) {
    for (unsigned divisor = 2; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0) return false;
    return number > 1;
}

constexpr std::size_t odd_primes_count = [] {
    std::size_t count = 0;
    for (unsigned n = 3; n <= small_factor_max; n += 2) count += is_prime(n) ? 1 : 0;
    return count;
}();

constexpr auto odd_primes = [] {
    std::array<std::uint16_t, odd_primes_count> primes{};
    std::size_t at = 0;
    for (unsigned n = 3; n <= small_factor_max; n += 2)
        if (is_prime(n)) primes[at++] = static_cast<std::uint16_t>(n);
    return primes;
}();

__extension__ using Wide = unsigned __int128;

/// A big-endian number in words of 64 bits, most significant first.
std::vector<std::uint64_t> to_words(Bytes big_endian) {
    std::vector<std::uint64_t> words((big_endian.size() + 7) / 8);
    for (std::size_t i = 0; i < big_endian.size(); ++i) {
        const std::size_t place = big_endian.size() - 1 - i;
        words[words.size() - 1 - place / 8] |= std::uint64_t{big_endian[i]} << (place % 8 * 8);
    }
    return words;
}

std::uint64_t remainder(const std::vector<std::uint64_t>& words, std::uint64_t divisor) {
    std::uint64_t rest = 0;
    for (const auto word : words) rest = static_cast<std::uint64_t>((static_cast<Wide>(rest) << 64 | word) % divisor);
    return rest;
}

using Remainders = std::array<std::uint16_t, odd_primes_count>;

Remainders small_remainders(const std::vector<std::uint64_t>& words) {
    Remainders remainders{};
    for (std::size_t first = 0; first < odd_primes_count;) {
        std::uint64_t product = 1;
        std::size_t last = first;
        while (last < odd_primes_count && product <= UINT64_MAX / odd_primes[last]) product *= odd_primes[last++];
        const auto rest = remainder(words, product);
        for (; first < last; ++first) remainders[first] = static_cast<std::uint16_t>(rest % odd_primes[first]);
    }
    return remainders;
}

// --- ROCA (CVE-2017-15361): primes of the form k*M + 65537^a mod M, M a product of the first small primes. So modulo
// each of these the modulus is a power of 65537, which by chance happens for all of them once in 2^27 keys or rarer
// (Nemec et al., "The Return of Coppersmith's Attack", 2017, section 2.2).

constexpr unsigned roca_prime_max = 167;  // every M, down to that of the 512-bit keys, holds the primes up to here

struct Subgroup {
    std::array<bool, roca_prime_max> has{};
};

constexpr std::size_t roca_primes_count = [] {
    std::size_t count = 0;
    while (odd_primes[count] <= roca_prime_max) ++count;
    return count;
}();

constexpr auto roca_subgroups = [] {
    std::array<Subgroup, roca_primes_count> subgroups{};
    for (std::size_t i = 0; i < roca_primes_count; ++i)
        for (unsigned power = 1; !subgroups[i].has[power]; power = power * (65537 % odd_primes[i]) % odd_primes[i])
            subgroups[i].has[power] = true;
    return subgroups;
}();

bool has_roca_fingerprint(const Remainders& remainders) {
    for (std::size_t i = 0; i < roca_primes_count; ++i)
        if (!roca_subgroups[i].has[remainders[i]]) return false;
    return true;
}

// --- Fermat factorisation: N = a^2 - b^2 with a just above the root of N where both primes are close together.

/// The largest x with x*x <= n, by Newton's method from above; null where memory is short.
Number integer_root(const BIGNUM* n, BN_CTX* context) {
    Number x{BN_new()}, y{BN_new()};
    if (!x || !y) return nullptr;
    // First guess: the root of the leading 62 or so bits, rounded up, in its place.
    const int shift = std::max(BN_num_bits(n) - 62, 0) / 2 * 2;
    if (BN_rshift(y.get(), n, shift) != 1) return nullptr;
    const auto guess = static_cast<BN_ULONG>(std::sqrt(static_cast<double>(BN_get_word(y.get())))) + 2;
    if (BN_set_word(x.get(), guess) != 1 || BN_lshift(x.get(), x.get(), shift / 2) != 1) return nullptr;
    for (;;) {
        if (BN_div(y.get(), nullptr, n, x.get(), context) != 1 || BN_add(y.get(), y.get(), x.get()) != 1 ||
            BN_rshift1(y.get(), y.get()) != 1)
            return nullptr;
        if (BN_cmp(y.get(), x.get()) >= 0) return x;
        std::swap(x, y);
    }
}

/// Whether a number is a square modulo a few moduli: lets about one non-square of 12,000 through.
constexpr std::array<std::uint32_t, 9> sieve_moduli{64, 63, 65, 11, 17, 19, 23, 29, 31};
constexpr std::uint64_t sieve_product = std::uint64_t{64} * 63 * 65 * 11 * 17 * 19 * 23 * 29 * 31;
constexpr auto sieve_squares = [] {
    std::array<std::array<bool, 65>, sieve_moduli.size()> squares{};
    for (std::size_t i = 0; i < sieve_moduli.size(); ++i)
        for (std::uint32_t x = 0; x < sieve_moduli[i]; ++x) squares[i][x * x % sieve_moduli[i]] = true;
    return squares;
}();

bool may_be_square(std::uint64_t rest) {
    for (std::size_t i = 0; i < sieve_moduli.size(); ++i)
        if (!sieve_squares[i][rest % sieve_moduli[i]]) return false;
    return true;
}

ByteVec to_octets(const BIGNUM* number) {
    ByteVec octets(static_cast<std::size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, octets.data());
    return octets;
}

/// Whether (a + i)^2 - n is a square, exactly.
Result<bool> is_split_at(const BIGNUM* n, const BIGNUM* a, unsigned i, BN_CTX* context) {
    const Number sum{BN_dup(a)}, square{BN_new()};
    const auto no_memory = [] { return fail(Code::internal, "no memory to check a key"); };
    if (!sum || !square || BN_add_word(sum.get(), i) != 1 || BN_sqr(square.get(), sum.get(), context) != 1 ||
        BN_sub(square.get(), square.get(), n) != 1)
        return no_memory();
    if (BN_is_zero(square.get())) return true;
    const Number root = integer_root(square.get(), context);
    if (!root || BN_sqr(sum.get(), root.get(), context) != 1) return no_memory();
    return BN_cmp(sum.get(), square.get()) == 0;
}

/// Whether the primes are so close that Fermat's method finds them within fermat_rounds. All rounds but the rare likely
/// ones are done on remainders in a machine word.
Result<bool> has_close_primes(Bytes modulus, const std::vector<std::uint64_t>& words) {
    const NumberContext context{BN_CTX_new()};
    const Number n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
    const Number a = context && n ? integer_root(n.get(), context.get()) : nullptr;
    if (!a) return fail(Code::internal, "no memory to check a key");
    const auto n_rest = remainder(words, sieve_product);
    const auto a_rest = remainder(to_words(to_octets(a.get())), sieve_product);
    for (unsigned i = 0; i <= fermat_rounds; ++i) {
        if (i == 0) {  // the root itself, rounded down, counts only where it is exact
            const Number square{BN_new()};
            if (square && BN_sqr(square.get(), a.get(), context.get()) == 1 && BN_cmp(square.get(), n.get()) == 0)
                return true;
            continue;
        }
        const Wide sum = static_cast<Wide>(a_rest) + i;
        const auto rest = static_cast<std::uint64_t>((sum * sum + sieve_product - n_rest) % sieve_product);
        if (!may_be_square(rest)) continue;
        ESTUARY_TRY(const bool split, is_split_at(n.get(), a.get(), i, context.get()));
        if (split) return true;
    }
    return false;
}

// --- The checks

struct RsaNumbers {
    Bytes modulus, exponent;  // big-endian, without a sign octet
};

Bytes without_sign(Bytes integer) { return integer.size() > 1 && integer[0] == 0 ? integer.subspan(1) : integer; }

/// From a SubjectPublicKeyInfo that PublicKey has accepted.
Result<RsaNumbers> rsa_numbers(Bytes spki) {
    ESTUARY_TRY(auto info, der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo"));
    ESTUARY_CHECK(info.skip());
    ESTUARY_TRY(const auto key, info.bit_string_octets());
    ESTUARY_TRY(auto reader, der::enter_only(key, der::Tag::sequence, "RSAPublicKey"));
    ESTUARY_TRY(const auto modulus, reader.integer_octets());
    ESTUARY_TRY(const auto exponent, reader.integer_octets());
    return RsaNumbers{without_sign(modulus), without_sign(exponent)};
}

tl::unexpected<Error> weak(std::string detail) { return fail(Code::bad_key, std::move(detail)); }

Result<void> check_rsa_exponent(Bytes exponent) {
    if ((exponent.back() & 1) == 0) return weak("RSA exponent is even");
    constexpr std::array<std::uint8_t, 3> f4{1, 0, 1};
    const bool small = exponent.size() < f4.size() ||
                       (exponent.size() == f4.size() && std::ranges::lexicographical_compare(exponent, f4));
    if (small) return weak("RSA exponent is smaller than 65537");
    if (exponent.size() > 32) return weak("RSA exponent is larger than 2^256");
    return {};
}

Result<void> check_rsa(const PublicKey& key) {
    const unsigned bits = key.bits();
    if (bits < rsa_bits_min) return weak(fmt::format("RSA modulus has {} bits, fewer than {}", bits, rsa_bits_min));
    if (bits > rsa_bits_max) return weak(fmt::format("RSA modulus has {} bits, more than {}", bits, rsa_bits_max));
    if (bits % 8 != 0) return weak(fmt::format("RSA modulus has {} bits, not a multiple of 8", bits));
    ESTUARY_TRY(const auto numbers, rsa_numbers(key.spki()));
    ESTUARY_CHECK(check_rsa_exponent(numbers.exponent));
    const auto words = to_words(numbers.modulus);
    const auto remainders = small_remainders(words);
    if (const auto zero = std::ranges::find(remainders, 0); zero != remainders.end())
        return weak(fmt::format("RSA modulus is divisible by {}",
                                odd_primes[static_cast<std::size_t>(zero - remainders.begin())]));
    if (has_roca_fingerprint(remainders))
        return weak("RSA key made by a faulty generator (ROCA, CVE-2017-15361); make a new key elsewhere");
    ESTUARY_TRY(const bool close, has_close_primes(numbers.modulus, words));
    if (close) return weak("RSA key with primes too close together (Fermat factorisation)");
    return {};
}

/// y of the points of small order on Ed25519 (RFC 7748 twist-free part: order 1, 2, 4, 8), and what decodes to them
/// without being reduced; little-endian, sign bit zero.
constexpr std::array<std::string_view, 7> ed25519_small_order{
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
};
/// The same of Ed448 (order 1, 2, 4): 0, 1, p - 1, p, p + 1.
constexpr std::array<std::string_view, 5> ed448_small_order{
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0",
    "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0",
    "fefffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
    "0",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
    "0",
    "00000000000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
    "0",
};

Result<void> check_edwards(const PublicKey& key, std::span<const std::string_view> small_order, std::size_t octets) {
    if (key.spki().size() < octets) return fail(Code::internal, "an EdDSA key shorter than its kind");
    ByteVec y = to_vec(key.spki().last(octets));
    y.back() &= 0x7F;  // the sign of x
    if (std::ranges::find(small_order, to_hex(y)) != small_order.end())
        return weak("EdDSA key is a point of small order");
    return {};
}

}  // namespace

Result<void> check_key_strength(const PublicKey& key) {
    switch (key.kind()) {
        case KeyKind::rsa: return check_rsa(key);
        case KeyKind::ec:
            if (key.bits() < ec_bits_min) return weak(fmt::format("EC key of {} bits", key.bits()));
            return {};
        case KeyKind::ed25519: return check_edwards(key, ed25519_small_order, 32);
        case KeyKind::ed448: return check_edwards(key, ed448_small_order, 57);
        case KeyKind::ml_dsa:
        case KeyKind::slh_dsa:
        case KeyKind::ml_kem:
        case KeyKind::other: return {};
    }
    return {};
}

Result<BlockedKeys> BlockedKeys::parse(std::string_view text) {
    BlockedKeys list;
    std::size_t number = 0;
    for (auto line : text::split(text, '\n')) {
        ++number;
        line = text::trim(line.substr(0, line.find('#')));
        if (line.empty()) continue;
        const auto octets = from_hex(line);
        if (!octets || octets->size() != std::tuple_size_v<Sha256>)
            return fail(Code::malformed, fmt::format("blocked keys, line {}: not a SHA-256 in hexadecimal", number));
        std::ranges::copy(*octets, list.digests_.emplace_back().begin());
    }
    std::ranges::sort(list.digests_);
    const auto repeated = std::ranges::unique(list.digests_);
    list.digests_.erase(repeated.begin(), repeated.end());
    return list;
}

bool BlockedKeys::contains(Bytes spki) const { return std::ranges::binary_search(digests_, sha256(spki)); }

void BlockedKeys::add(Bytes spki) {
    const auto digest = sha256(spki);
    const auto at = std::ranges::lower_bound(digests_, digest);
    if (at == digests_.end() || *at != digest) digests_.insert(at, digest);
}

}  // namespace estuary::crypto
