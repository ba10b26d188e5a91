#include "estuary/cms/password_wrap.h"

#include "estuary/crypto/cipher.h"
#include "estuary/crypto/digest.h"

namespace estuary::cms {
namespace {

using crypto::Padding;
using crypto::Secret;

constexpr std::size_t header_octets = 4;  // length, and the complement of the key's first three octets

tl::unexpected<Error> failed() { return fail(Code::bad_proof, "the password does not unwrap the key"); }

}  // namespace

Result<ByteVec> wrap_by_password(std::string_view cipher, Bytes key_encryption_key, Bytes iv, Bytes key) {
    if (key.size() < 3 || key.size() > 255 || iv.empty()) return fail(Code::bad_key, "a key that RFC 3211 cannot wrap");
    const auto block = iv.size();
    const auto size = std::max((header_octets + key.size() + block - 1) / block, std::size_t{2}) * block;
    ByteVec octets(size);
    crypto::random(octets);
    octets[0] = static_cast<std::uint8_t>(key.size());
    for (std::size_t i = 0; i < 3; ++i) octets[1 + i] = static_cast<std::uint8_t>(~key[i]);
    std::ranges::copy(key, octets.begin() + header_octets);
    const Secret plain{std::move(octets)};
    ESTUARY_TRY(const auto once, crypto::encrypt_cbc(cipher, key_encryption_key, iv, plain.reveal(), Padding::none));
    return crypto::encrypt_cbc(cipher, key_encryption_key, Bytes{once}.last(block), once, Padding::none);
}

Result<Secret> unwrap_by_password(std::string_view cipher, Bytes key_encryption_key, Bytes iv, Bytes wrapped) {
    const auto block = iv.size();
    if (block == 0 || wrapped.size() < 2 * block || wrapped.size() % block != 0) return failed();
    // The last block of the first pass was the IV of the second: it comes out of the last block with the one before as IV.
    const auto tail = wrapped.last(2 * block);
    ESTUARY_TRY(const auto last,
                crypto::decrypt_cbc(cipher, key_encryption_key, tail.first(block), tail.last(block), Padding::none));
    ESTUARY_TRY(const auto once, crypto::decrypt_cbc(cipher, key_encryption_key, last.reveal(), wrapped, Padding::none));
    ESTUARY_TRY(const auto plain, crypto::decrypt_cbc(cipher, key_encryption_key, iv, once.reveal(), Padding::none));
    const auto octets = plain.reveal();
    const std::size_t length = octets[0];
    if (length < 3 || length > octets.size() - header_octets) return failed();
    unsigned wrong = 0;
    for (std::size_t i = 0; i < 3; ++i) wrong |= static_cast<unsigned>(octets[1 + i] ^ octets[header_octets + i] ^ 0xFF);
    if (wrong != 0) return failed();
    return Secret{octets.subspan(header_octets, length)};
}

}  // namespace estuary::cms
