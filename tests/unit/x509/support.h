#pragma once
// Shared by the tests of the x509 room.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/x509/certificate.h"
#include "estuary/x509/request.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }
inline ByteVec octets(std::string_view text) { return to_vec(as_bytes(text)); }

/// A file below tests/data.
inline ByteVec data_file(const std::string& name) {
    return file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/" + name).value();
}

/// A certificate of tests/data/x509, or of another directory there.
inline x509::Certificate load(const std::string& name, const std::string& directory = "x509") {
    return x509::Certificate::parse(data_file(directory + "/" + name + ".der")).value();
}

/// One element: tag, length, content.
inline ByteVec tlv(der::Tag tag, Bytes content) {
    der::Writer writer;
    writer.primitive(tag, content);
    return std::move(writer).take();
}

/// A Name of one attribute.
inline ByteVec one_attribute(const der::Oid& type, der::Tag tag, Bytes value) {
    der::Writer writer;
    writer.sequence([&] {
        writer.constructed(der::Tag::set, [&] {
            writer.sequence([&] { writer.oid(type).primitive(tag, value); });
        });
    });
    return std::move(writer).take();
}

inline x509::Name name(std::string_view text) { return x509::Name::from_text(text).value(); }
inline x509::GeneralName general_name(std::string_view text) { return x509::GeneralName::from_text(text).value(); }

/// A text that is refused, and a part of what is said of it.
struct BadText {
    std::string name, text, detail;
};

inline std::vector<std::string> rules_of(const std::vector<x509::LintFinding>& findings) {
    std::vector<std::string> rules;
    for (const auto& finding : findings) rules.push_back(finding.rule);
    return rules;
}

/// The error's code and detail, for EXPECT_THAT.
template <class T>
std::string failure(const Result<T>& result) {
    return result ? "no error" : std::string{to_string(result.error().code)} + ": " + result.error().detail;
}

}  // namespace estuary::test
