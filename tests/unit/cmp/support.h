#pragma once
// Shared by the tests of this room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/cms/enveloped_data.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/messages.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }

inline ByteVec data_file(const std::string& name) {
    return file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/" + name).value();
}

template <class T>
std::string failure(const Result<T>& result) {
    return result ? "no error" : std::string{to_string(result.error().code)} + ": " + result.error().detail;
}
template <class T>
Code code_of(const Result<T>& result) {
    return result ? Code::internal : result.error().code;
}

inline ByteVec tlv(der::Tag tag, Bytes content) {
    der::Writer writer;
    writer.primitive(tag, content);
    return std::move(writer).take();
}

inline x509::Name name(std::string_view text) { return x509::Name::from_text(text).value(); }
inline x509::GeneralName directory(std::string_view text) { return cmp::directory_name(name(text)); }

inline x509::Certificate certificate(const std::string& file) { return x509::Certificate::from_bytes(data_file(file)).value(); }
inline const cmp::CmpCertificate& mock_ca() {
    static const cmp::CmpCertificate one{certificate("cmp/ca.pem")};
    return one;
}
inline const cmp::CmpCertificate& mock_device() {
    static const cmp::CmpCertificate one{certificate("cmp/device.pem")};
    return one;
}

/// A header as of an ordinary request.
inline cmp::PkiHeader header() {
    cmp::PkiHeader value;
    value.sender = directory("CN=device");
    value.recipient = directory("CN=Mock CA,O=Estuary");
    value.transaction_id = ByteVec(16, 0x11);
    value.sender_nonce = ByteVec(16, 0x22);
    return value;
}

inline ByteVec message(const cmp::PkiHeader& of, const cmp::PkiBody& body) {
    return cmp::encode_message(of.encode(), body.encode(), {});
}
inline ByteVec message(const cmp::PkiBody& body) { return message(header(), body); }

/// PKIMessage of a body in DER.
inline ByteVec message_of(Bytes body) { return cmp::encode_message(header().encode(), body, {}); }

/// EnvelopedData without a ContentInfo around it, as CMP carries it.
inline ByteVec enveloped(std::string_view content) {
    const auto info = cms::EnvelopedDataBuilder{cms::oid::data, as_bytes(content)}.password(crypto::Secret{"secret"}, 1000).build();
    return to_vec(cms::inner_content(info.value()).value());
}

/// The message written again from its values.
inline ByteVec encoded_again(const cmp::PkiMessage& of) {
    return cmp::encode_message(of.header().encode(), of.body().encode(), of.protection(), of.extra_certs());
}

}  // namespace estuary::test
