#pragma once
// Shared by the tests of the crypto room.
#include <string>

#include <gtest/gtest.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/crypto/key.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }

/// A file of tests/unit/crypto/data.
inline ByteVec data_file(const std::string& name) {
    return file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/unit/crypto/data/" + name).value();
}

/// What proves possession in a certification request (RFC 2986 4.2).
struct Request {
    ByteVec signed_part, spki, algorithm, signature;
};

inline Request read_request(const std::string& name) {
    const auto text = data_file(name);
    const auto der = parse_pem(as_text(text)).value().at(0).der;
    auto outer = der::enter_only(der, der::Tag::sequence, name).value();
    const auto info = outer.element(der::Tag::sequence).value();
    const auto algorithm = outer.element(der::Tag::sequence).value();
    const auto signature = outer.bit_string_octets().value();
    der::Reader fields{info.content};
    (void)fields.skip();  // version
    (void)fields.skip();  // subject
    const auto spki = fields.element(der::Tag::sequence).value();
    return {to_vec(info.whole), to_vec(spki.whole), to_vec(algorithm.whole), to_vec(signature)};
}

/// `parameters` is a whole element or nothing.
inline ByteVec algorithm_identifier(std::string_view oid, Bytes parameters = {}) {
    der::Writer writer;
    writer.sequence([&] { writer.oid(der::Oid{oid}).raw(parameters); });
    return std::move(writer).take();
}

/// A SubjectPublicKeyInfo: `parameters` is a whole element or nothing.
inline ByteVec make_spki(std::string_view algorithm, Bytes parameters, Bytes key) {
    der::Writer writer;
    writer.sequence([&] {
        writer.raw(algorithm_identifier(algorithm, parameters));
        writer.bit_string(key);
    });
    return std::move(writer).take();
}

inline constexpr std::uint8_t der_null[] = {0x05, 0x00};

inline ByteVec make_rsa_spki(Bytes modulus, Bytes exponent) {
    der::Writer key;
    key.sequence([&] { key.unsigned_integer(modulus).unsigned_integer(exponent); });
    return make_spki("1.2.840.113549.1.1.1", der_null, key.bytes());
}

inline ByteVec make_ec_spki(std::string_view curve, Bytes point) {
    der::Writer parameters;
    parameters.oid(der::Oid{curve});
    return make_spki("1.2.840.10045.2.1", parameters.bytes(), point);
}

inline constexpr std::string_view p256_curve = "1.2.840.10045.3.1.7";

/// The code of a failed Result, for EXPECT_EQ.
template <class T>
Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value()) << "succeeded where an error was expected";
    return result ? Code::internal : result.error().code;
}

}  // namespace estuary::test
