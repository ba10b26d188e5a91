#pragma once
// Shared by the tests of the est room.
#include <filesystem>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/est/client.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }
inline std::string data_text(const std::string& name) {
    return std::string{as_text(file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/unit/est/data/" + name).value())};
}
inline ByteVec data_file(const std::string& name) { return from_base64(data_text(name)).value(); }

inline ByteVec utf8(std::string_view text) {
    der::Writer writer;
    writer.utf8_string(text);
    return std::move(writer).take();
}

/// "no error", or the error's code and detail.
template <class T>
std::string failure(const Result<T>& result) {
    return result ? "no error" : std::string{estuary::to_string(result.error().code)} + ": " + result.error().detail;
}

/// A request signed by a new key.
struct MadeRequest {
    crypto::PrivateKey key;
    ByteVec der;
};
inline MadeRequest make_request(const x509::RequestTemplate& wanted, std::string_view key_type = "p256") {
    auto key = crypto::PrivateKey::generate(key_type).value();
    auto der = x509::make_request(wanted, key).value();
    return {std::move(key), std::move(der)};
}
inline x509::RequestTemplate subject(std::string_view text) { return {x509::Name::from_text(text).value(), {}, {}}; }

}  // namespace estuary::test
