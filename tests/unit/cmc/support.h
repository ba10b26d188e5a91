#pragma once
// Shared by the tests of CMC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/base/encoding.h"
#include "estuary/cmc/controls.h"
#include "estuary/crypto/key.h"
#include "estuary/x509/request.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }
inline Time at(std::string_view text) { return parse_iso8601(text).value(); }
inline x509::Name name(std::string_view text) { return x509::Name::from_text(text).value(); }

/// AlgorithmIdentifier without parameters.
inline ByteVec algorithm(std::string_view dotted) {
    der::Writer writer;
    writer.sequence([&] { writer.oid(der::Oid{dotted}); });
    return std::move(writer).take();
}
inline ByteVec sha256_algorithm() { return algorithm("2.16.840.1.101.3.4.2.1"); }
inline ByteVec hmac_sha256_algorithm() { return algorithm("1.2.840.113549.2.9"); }

/// A PKCS #10 request in DER, with a key of its own unless one is given.
inline ByteVec pkcs10(const x509::RequestTemplate& wanted, const crypto::PrivateKey& key) {
    return x509::make_request(wanted, key).value();
}
inline ByteVec pkcs10(std::string_view subject = "CN=device 1") {
    return pkcs10({name(subject), {}, {}}, crypto::PrivateKey::generate("p256").value());
}

/// Every message cut short and, octet by octet, with one bit flipped, given to `use`, which must stand it.
template <class Use>
void for_each_spoilt(Bytes message, Use&& use) {
    for (std::size_t i = 0; i < message.size(); ++i) {
        use(message.first(i));
        auto flipped = to_vec(message);
        flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1u << (i % 8)));
        use(Bytes{flipped});
    }
}

template <class T>
Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value()) << "succeeded where an error was expected";
    return result ? Code::internal : result.error().code;
}

}  // namespace estuary::test
