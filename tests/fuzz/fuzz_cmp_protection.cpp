// Algorithms of protection as a peer asks for them: whatever is asked for, it costs little, and a wrong code is never right.
#include <array>
#include <cstdlib>

#include "estuary/cmp/protection_kem.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

const cmp::ProtectionLimits limits{.password = {.iterations_max = 200, .sha1_owf = true}, .shared_key_macs = true};

void check_mac(Bytes algorithm, const crypto::Secret& secret) {
    const std::array<std::uint8_t, 7> wrong{};  // no code is as short
    check(!cmp::verify_mac_protection(algorithm, as_bytes("part"), wrong, secret, limits));
    const auto protector = cmp::Protector::with_secret_like(secret, algorithm, limits);
    if (!protector) return;
    const auto value = protector->protect(as_bytes("part"));
    if (!value) return;  // KMAC does not take every secret for its key
    check(cmp::verify_mac_protection(protector->algorithm(), as_bytes("part"), *value, secret, limits).has_value());
    check(!cmp::verify_mac_protection(protector->algorithm(), as_bytes("trap"), *value, secret, limits));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const crypto::Secret secret{std::string_view{"a secret that is long enough"}};
    const auto kind = cmp::protection_kind(input);
    if (kind) check(der::enter_only(input, der::Tag::sequence, "protectionAlg").has_value());
    check_mac(input, secret);
    if (const auto parameter = cmp::KemBmParameter::parse(input)) check(same(parameter->encode(), input));
    const cmp::KemSession session{secret.clone(), as_bytes("transaction")};
    check(!session.verify(input, as_bytes("part"), {}));
    static const auto key = crypto::PrivateKey::generate("p256").value();
    check(!cmp::verify_signature_protection(input, as_bytes("part"), {}, key.public_key()));
    return 0;
}
