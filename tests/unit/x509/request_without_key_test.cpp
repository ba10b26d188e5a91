// Requests whose own key and signature count for nothing: the key is made elsewhere (RFC 7030 4.4.1).
#include "estuary/x509/certification_request.h"

#include <gtest/gtest.h>

#include "tests/unit/x509/support.h"

namespace estuary::x509 {
namespace {

ByteVec request() {
    RequestTemplate wanted;
    wanted.subject = Name::from_text("CN=device 1").value();
    wanted.extensions = {make_subject_alt_name({GeneralName::from_text("dns:a.example").value()}, false)};
    wanted.attributes = {make_challenge_password("linking")};
    return make_request(wanted, crypto::PrivateKey::generate("p256").value()).value();
}

TEST(RequestWithoutKey, SaysTheRest) {
    const auto der = request();
    const auto signed_request = SignedRequest::parse(der).value();
    const auto parts = parse_request_without_key(der);
    ASSERT_TRUE(parts) << parts.error().detail;
    EXPECT_EQ(parts->der, der);
    EXPECT_EQ(parts->subject, signed_request.subject());
    EXPECT_EQ(parts->extensions.size(), 1u);
    EXPECT_EQ(parts->attributes.size(), signed_request.attributes().size());
    EXPECT_EQ(parts->possession, Possession::generated_here);
    EXPECT_TRUE(same(parts->spki, signed_request.spki()));
    auto with_key = *parts;
    with_key.spki = to_vec(crypto::PrivateKey::generate("p384").value().public_key().spki());
    EXPECT_EQ(CertificationRequest::make(with_key)->subject_alt_names(), signed_request.subject_alt_names());
}

TEST(RequestWithoutKey, NeedsNeitherKeyNorSignature) {
    auto der = request();
    der.back() ^= 1;
    EXPECT_FALSE(SignedRequest::parse(der));
    EXPECT_TRUE(parse_request_without_key(der));
    der::Writer writer;  // no key, no algorithm that anybody has, no signature
    writer.sequence([&] {
        writer.sequence([&] { writer.integer(0).raw(Name::from_text("CN=x")->der()).raw(ByteVec{0x30, 0x00}).raw(ByteVec{0xA0, 0x00}); });
        writer.sequence([&] { writer.oid(der::Oid{"1.2.3"}); });
        writer.bit_string({});
    });
    const auto parts = parse_request_without_key(writer.bytes());
    ASSERT_TRUE(parts) << parts.error().detail;
    EXPECT_EQ(parts->spki, (ByteVec{0x30, 0x00}));
}

TEST(RequestWithoutKey, IsStillStrictDer) {
    const auto der = request();
    for (std::size_t size = 0; size < der.size(); ++size) ASSERT_FALSE(parse_request_without_key(Bytes{der}.first(size))) << size;
    auto longer = der;
    longer.push_back(0);
    EXPECT_EQ(parse_request_without_key(longer).error().code, Code::malformed);
    EXPECT_EQ(parse_request_without_key(ByteVec(129 * 1024)).error().code, Code::too_large);
}

}  // namespace
}  // namespace estuary::x509
