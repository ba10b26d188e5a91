// OCSPRequest: what is read, what is refused, and that the two sides agree.
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using testing::HasSubstr;

ByteVec wrap(der::Tag tag, Bytes content) {
    der::Writer writer;
    writer.primitive(tag, content);
    return std::move(writer).take();
}
ByteVec join(std::initializer_list<ByteVec> parts) {
    ByteVec all;
    for (const auto& part : parts) append(all, part);
    return all;
}
ByteVec extension(const der::Oid& id, bool critical, Bytes value) {
    der::Writer writer;
    x509::write_extensions(writer, {{id, critical, to_vec(value)}});
    return std::move(writer).take();
}

/// A request whose parts tests replace.
struct Parts {
    ByteVec version = {}, requestor = {}, single_extensions = {}, extensions = {}, signature = {};
    std::size_t certificates = 1;
    ByteVec der() const {
        const test::World world;
        const auto one = wrap(der::Tag::sequence, join({to_vec(world.id().der()), single_extensions}));
        ByteVec list;
        for (std::size_t i = 0; i < certificates; ++i) append(list, one);
        const auto tbs = wrap(der::Tag::sequence, join({version, requestor, wrap(der::Tag::sequence, list), extensions}));
        return wrap(der::Tag::sequence, join({tbs, signature}));
    }
    static ByteVec tagged(unsigned tag, Bytes content) { return wrap(der::context_constructed(tag), content); }
    static Parts with_extension(const der::Oid& id, bool critical, Bytes value) {
        Parts parts;
        parts.extensions = tagged(2, extension(id, critical, value));
        return parts;
    }
};

class OcspRequestHash : public testing::TestWithParam<Hash> {};

TEST_P(OcspRequestHash, IsReadBack) {
    const test::World world;
    const ByteVec nonce(32, 7);
    const auto der = world.request(nonce, GetParam());
    const auto request = Request::parse(der);
    ASSERT_TRUE(request) << failure(request);
    ASSERT_EQ(request->certificates.size(), 1u);
    EXPECT_EQ(request->certificates[0], world.id(GetParam()));
    EXPECT_EQ(request->certificates[0].hash(), GetParam());
    EXPECT_EQ(to_hex(request->certificates[0].positive_serial_number()), "1234");
    EXPECT_EQ(request->nonce, nonce);
    EXPECT_EQ(encode_request(*request), der);
}
INSTANTIATE_TEST_SUITE_P(All, OcspRequestHash, testing::Values(Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512));

// RFC 5019 A.1
TEST(OcspRequest, ExampleOfRfc5019) {
    const auto der = test::hex(
        "3051304f304d304b3049300906052b0e03021a05000414c0fe0278fc99188891b3f212e9c7e1b21ab7bfc004140dfc1df0a9"
        "e0f01ce7f2b213177e6f8d157cd4f6021009342372e23aef467c832d07f8dc22ba");
    const auto request = Request::parse(der);
    ASSERT_TRUE(request) << failure(request);
    ASSERT_EQ(request->certificates.size(), 1u);
    EXPECT_EQ(request->certificates[0].hash(), Hash::sha1);
    EXPECT_EQ(to_hex(request->certificates[0].positive_serial_number()), "09342372e23aef467c832d07f8dc22ba");
    EXPECT_EQ(encode_request(*request), der);
}

TEST(OcspRequest, EveryCutAndEveryTrailingOctetIsMalformed) {
    const test::World world;
    const auto der = world.request(ByteVec(32, 1));
    for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(Request::parse(Bytes{der}.first(size))) << size;
    auto longer = der;
    longer.push_back(0);
    EXPECT_THAT(failure(Request::parse(longer)), HasSubstr("malformed"));
}

TEST(OcspRequest, ThousandCertificatesAreTooMany) {
    Parts parts;
    parts.certificates = 1000;
    EXPECT_THAT(failure(Request::parse(parts.der(), {.certificates_max = 64, .octets_max = 1u << 20})),
                HasSubstr("too_large: more than 64 certificates"));
    EXPECT_THAT(failure(Request::parse(parts.der())), HasSubstr("too_large: the request has more than 16384 octets"));
    parts.certificates = 64;
    EXPECT_TRUE(Request::parse(parts.der()));
    parts.certificates = 0;
    EXPECT_THAT(failure(Request::parse(parts.der())), HasSubstr("malformed: the request names no certificate"));
}

TEST(OcspRequest, OnlyVersion1) {
    Parts parts;
    parts.version = Parts::tagged(0, test::hex("020100"));  // some peers write the default
    EXPECT_TRUE(Request::parse(parts.der()));
    parts.version = Parts::tagged(0, test::hex("020101"));
    EXPECT_THAT(failure(Request::parse(parts.der())), HasSubstr("malformed: OCSP version 1"));
}

TEST(OcspRequest, NonceHas1To128Octets) {
    for (const std::size_t size : {1u, 16u, 32u, 128u}) {
        const auto nonce = wrap(der::Tag::octet_string, ByteVec(size, 9));
        const auto request = Request::parse(Parts::with_extension(oid::nonce, false, nonce).der());
        ASSERT_TRUE(request) << failure(request);
        EXPECT_EQ(request->nonce, ByteVec(size, 9));
    }
    for (const std::size_t size : {0u, 129u, 1000u}) {
        const auto nonce = wrap(der::Tag::octet_string, ByteVec(size, 9));
        EXPECT_THAT(failure(Request::parse(Parts::with_extension(oid::nonce, false, nonce).der())), HasSubstr("malformed"));
    }
    EXPECT_FALSE(Request::parse(Parts::with_extension(oid::nonce, false, test::hex("0102")).der()));
}

// The Extension of RFC 9654 A.1 as our notes have it.
TEST(OcspRequest, NonceExampleOfRfc9654) {
    const auto nonce = test::hex("dd49d4072c449da1c317bd1c1bdffedbe150312ec4cd0add18e5bd6f84bf14c8");
    const auto example = test::hex("302f06092b060105050730010204220420" + to_hex(nonce));
    const auto der = test::World{}.request(nonce);
    EXPECT_FALSE(std::ranges::search(der, example).empty());
}

TEST(OcspRequest, UnknownExtensionsAreIgnoredUnlessCritical) {
    const der::Oid unknown{"1.2.3.4"};
    EXPECT_TRUE(Request::parse(Parts::with_extension(unknown, false, test::hex("0500")).der()));
    EXPECT_THAT(failure(Request::parse(Parts::with_extension(unknown, true, test::hex("0500")).der())),
                HasSubstr("unsupported: critical extension 1.2.3.4"));
    Parts single;
    single.single_extensions = Parts::tagged(0, extension(unknown, true, test::hex("0500")));
    EXPECT_THAT(failure(Request::parse(single.der())), HasSubstr("unsupported"));
    single.single_extensions = Parts::tagged(0, extension(oid::service_locator, true, test::hex("3000")));
    EXPECT_TRUE(Request::parse(single.der()));
}

TEST(OcspRequest, SignatureAndRequestorAreReadAndIgnored) {
    Parts parts;
    parts.requestor = Parts::tagged(1, Parts::tagged(4, test::hex("3000")));
    EXPECT_FALSE(Request::parse(parts.der()).value().is_signed);
    parts.signature = Parts::tagged(0, wrap(der::Tag::sequence, test::hex("300a06082a8648ce3d0403020303000102")));
    const auto request = Request::parse(parts.der());
    ASSERT_TRUE(request) << failure(request);
    EXPECT_TRUE(request->is_signed);
    parts.signature = Parts::tagged(0, test::hex("3000"));
    EXPECT_FALSE(Request::parse(parts.der()));
}

TEST(OcspRequest, WishesAreReadBack) {
    const test::World world;
    Request wish;
    wish.certificates.push_back(world.id());
    wish.acceptable_responses = {oid::basic, der::Oid{"1.2.3"}};
    const auto* ecdsa = crypto::signature_algorithm(der::Oid{"1.2.840.10045.4.3.2"});
    wish.preferred_algorithms.push_back({ecdsa->oid, ecdsa->identifier, {}});
    const auto request = Request::parse(encode_request(wish));
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->acceptable_responses, wish.acceptable_responses);
    ASSERT_EQ(request->preferred_algorithms.size(), 1u);
    EXPECT_EQ(request->preferred_algorithms[0].signature, ecdsa->oid);
    EXPECT_EQ(request->preferred_algorithms[0].identifier, ecdsa->identifier);
}

TEST(OcspRequest, UnknownHashAlgorithmsMatchNobody) {
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] { writer.oid(der::Oid{"1.2.840.113549.2.5"}).null(); });
        writer.octet_string(ByteVec(16)).octet_string(ByteVec(16)).integer(5);
    });
    der::Reader reader{writer.bytes()};
    const auto id = CertId::read(reader);
    ASSERT_TRUE(id) << failure(id);
    EXPECT_FALSE(id->hash());
}

TEST(OcspRequest, NullParametersOfTheHashMakeNoDifference) {
    const test::World world;
    const auto with = world.id();
    auto without = to_vec(with.der());
    const auto null_at = std::ranges::search(without, test::hex("0500")).begin();
    without.erase(null_at, null_at + 2);
    without[1] = static_cast<std::uint8_t>(without[1] - 2);
    without[3] = static_cast<std::uint8_t>(without[3] - 2);
    der::Reader reader{without};
    const auto id = CertId::read(reader);
    ASSERT_TRUE(id) << failure(id);
    EXPECT_EQ(*id, with);
    EXPECT_TRUE(same(id->der(), without));  // echoed as it came
}

}  // namespace
}  // namespace estuary::ocsp
