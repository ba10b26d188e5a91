#pragma once
// Shared by the tests of the CMS room: keys and certificates made once, and OpenSSL's own CMS as the independent party.
#include <functional>
#include <map>

#include <openssl/cms.h>
#include <openssl/x509.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/crypto/openssl.h"
#include "estuary/x509/certificate.h"

namespace estuary::test {

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }
inline Time at(std::string_view text) { return parse_iso8601(text).value(); }

inline const der::Oid pki_data{"1.3.6.1.5.5.7.12.2"};  ///< a content type of CMC
inline const ByteVec words = to_vec(as_bytes("what is said to the other"));

struct Party {
    crypto::PrivateKey key;
    x509::Certificate certificate;  ///< self-signed; of a key that does not sign: by some other key
};

inline Party make_party(const std::string& type_name) {
    const auto key = crypto::PrivateKey::generate(type_name).value();
    const auto issuer_key = key.signature_algorithm() ? key : crypto::PrivateKey::generate("p256").value();
    const auto& algorithm = issuer_key.signature_algorithm().value()->identifier;
    const auto spki = key.public_key().spki();
    const auto digest = crypto::sha256(spki);
    x509::TbsCertificate tbs;
    tbs.serial_number = ByteVec(digest.begin(), digest.begin() + 8);
    tbs.serial_number[0] = 0x41;  // positive, and no zero in front
    tbs.signature_algorithm = algorithm;
    tbs.issuer = x509::Name::from_text("CN=issuer of " + type_name).value();
    tbs.not_before = at("2026-01-01");
    tbs.not_after = at("2036-01-01");
    tbs.subject = x509::Name::from_text("CN=" + type_name).value();
    tbs.spki = to_vec(spki);
    tbs.extensions = {x509::make_subject_key_identifier(Bytes{digest}.first(20))};
    const auto octets = x509::encode_tbs(tbs);
    const auto der = x509::encode_certificate(octets, algorithm, issuer_key.sign(octets).value());
    return {key, x509::Certificate::parse(der).value()};
}

/// One for each key type and `which`, made when first asked for.
inline const Party& party(const std::string& type_name, int which = 0) {
    static auto& made = *new std::map<std::pair<std::string, int>, Party>;
    const auto found = made.find({type_name, which});
    return found != made.end() ? found->second : made.emplace(std::pair{type_name, which}, make_party(type_name)).first->second;
}
/// g++ from 13 on suspects a reference that was got with the help of a temporary string.
inline const Party& party(const char* type_name, int which = 0) { return party(std::string{type_name}, which); }

using Cms = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;
using X509Handle = Handle<X509, X509_free>;

inline X509Handle to_x509(const x509::Certificate& certificate) {
    const auto* at = certificate.der().data();
    return X509Handle{d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size()))};
}

inline crypto::openssl::Bio bio_of(Bytes octets) {
    return crypto::openssl::Bio{BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size()))};
}

inline ByteVec taken(const crypto::openssl::Bio& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return to_vec(as_bytes({data, static_cast<std::size_t>(size)}));
}

/// The message as OpenSSL writes it; with `content`, streamed in BER.
inline ByteVec written(CMS_ContentInfo* cms, std::optional<Bytes> content = {}) {
    const crypto::openssl::Bio out{BIO_new(BIO_s_mem())};
    const auto in = content ? bio_of(*content) : nullptr;
    EXPECT_EQ(i2d_CMS_bio_stream(out.get(), cms, in.get(), content ? CMS_STREAM : 0), 1) << crypto::openssl::drain_errors();
    return taken(out);
}

inline Cms read_cms(Bytes der) {
    const auto* at = der.data();
    return Cms{d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size()))};
}

/// A message in `Parts`, one of which is spoilt, and what is said of it.
template <class Parts>
struct Bent {
    std::string name;
    std::function<void(Parts&)> bend;
    Code code;
    std::string detail;
};

/// Every message cut short and, octet by octet, with one bit flipped; `accepts` says whether one was taken for good.
inline void expect_none_accepted(Bytes message, const std::function<bool(Bytes)>& accepts) {
    for (std::size_t i = 0; i < message.size(); ++i) {
        ASSERT_FALSE(accepts(message.first(i))) << "cut at " << i;
        auto flipped = to_vec(message);
        flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1u << (i % 8)));
        ASSERT_FALSE(accepts(flipped)) << "flipped at " << i;
    }
}

/// The code of a failed Result, for EXPECT_EQ.
template <class T>
Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value()) << "succeeded where an error was expected";
    return result ? Code::internal : result.error().code;
}

}  // namespace estuary::test
