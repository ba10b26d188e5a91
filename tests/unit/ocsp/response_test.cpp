// OCSPResponse: read back as written, refused when it is anything else.
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::World;
using testing::HasSubstr;
using Kind = CertStatus::Kind;

ByteVec wrapped(const ByteVec& tbs) { return encode_response(tbs, test::hex("300a06082a8648ce3d040302"), ByteVec(64, 1), {}); }

/// With everything in it that can be.
ResponseData full() {
    const World world;
    ResponseData data{x509::Name::from_text("CN=Responder").value(), test::now, {}, {}};
    data.responses.push_back({world.id(), {Kind::good, {}, {}}, test::now, test::now + test::day, {}});
    data.responses.push_back(
        {world.id_of("55"), {Kind::revoked, test::now, store::RevocationReason::aa_compromise}, test::now, {}, {}});
    data.responses.push_back(
        {world.id_of("56"), {Kind::revoked, test::now, {}}, test::now, {}, {make_archive_cutoff(test::now)}});
    data.responses.push_back(
        {world.id_of("57"), {}, test::now, {}, {make_crl_reference({"http://a.example/crl", test::hex("0102"), test::now})}});
    data.extensions = {make_nonce(ByteVec(32, 5)), make_extended_revoke()};
    return data;
}

TEST(OcspResponse, IsReadBackAsWritten) {
    const auto data = full();
    const auto tbs = encode_response_data(data);
    const auto response = Response::parse(wrapped(tbs));
    ASSERT_TRUE(response) << failure(response);
    EXPECT_EQ(response->status, ResponseStatus::successful);
    const auto& basic = *response->basic;
    EXPECT_EQ(basic.tbs, tbs);
    EXPECT_EQ(encode_response_data(basic.data), tbs);
    EXPECT_EQ(std::get<x509::Name>(basic.data.responder).to_text(), "CN=Responder");
    EXPECT_EQ(basic.data.produced_at, test::now);
    ASSERT_EQ(basic.data.responses.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(basic.data.responses[i].status, data.responses[i].status);
        EXPECT_EQ(basic.data.responses[i].next_update, data.responses[i].next_update);
        EXPECT_EQ(basic.data.responses[i].extensions, data.responses[i].extensions);
    }
    EXPECT_EQ(read_archive_cutoff(basic.data.responses[2].extensions).value(), test::now);
    const auto crl = read_crl_reference(basic.data.responses[3].extensions).value().value();
    EXPECT_EQ(crl.url, "http://a.example/crl");
    EXPECT_EQ(crl.number, test::hex("0102"));
    EXPECT_EQ(crl.time, test::now);
    EXPECT_EQ(read_nonce(basic.data.extensions).value(), ByteVec(32, 5));
    EXPECT_TRUE(read_extended_revoke(basic.data.extensions).value());
}

TEST(OcspResponse, TimesAreZuluWithSecondsAndWithoutFractions) {
    World world;
    const auto answer = world.responder->answer(world.request());
    const std::string_view octets = as_text(answer->der);
    EXPECT_NE(octets.find("\x18\x0f"
                          "20261121040000Z"),
              std::string_view::npos);
}

TEST(OcspResponse, ErrorsAreFiveOctets) {
    for (const auto status : {ResponseStatus::malformed_request, ResponseStatus::internal_error, ResponseStatus::try_later,
                              ResponseStatus::sig_required, ResponseStatus::unauthorized}) {
        const auto der = encode_error(status);
        EXPECT_EQ(der.size(), 5u);
        const auto response = Response::parse(der);
        ASSERT_TRUE(response) << failure(response);
        EXPECT_EQ(response->status, status);
        EXPECT_FALSE(response->basic);
    }
}

class OcspResponseMalformed : public testing::TestWithParam<const char*> {};
TEST_P(OcspResponseMalformed, IsRefused) { EXPECT_THAT(failure(Response::parse(test::hex(GetParam()))), HasSubstr("malformed")); }
INSTANTIATE_TEST_SUITE_P(All, OcspResponseMalformed,
                         testing::Values("", "3000", "30030a0100",              // successful without an answer
                                         "30030a0104", "30030a0107",            // no such status
                                         "3003020101", "30030a010100",          // INTEGER; trailing octet
                                         "30040a020001", "30070a0101a0023000",  // long form; error with an answer
                                         "30040a0101ff"));

TEST(OcspResponse, EveryCutAndEveryTrailingOctetIsRefused) {
    const auto der = wrapped(encode_response_data(full()));
    for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(Response::parse(Bytes{der}.first(size))) << size;
    auto longer = der;
    longer.push_back(0);
    EXPECT_FALSE(Response::parse(longer));
}

TEST(OcspResponse, UnknownCriticalExtensionsAreRefused) {
    auto data = full();
    data.extensions.push_back({der::Oid{"1.2.3"}, false, {5, 0}});
    EXPECT_TRUE(Response::parse(wrapped(encode_response_data(data))));
    data.extensions.back().critical = true;
    EXPECT_THAT(failure(Response::parse(wrapped(encode_response_data(data)))),
                HasSubstr("unsupported: critical extension 1.2.3"));
    data = full();
    data.responses[0].extensions.push_back({x509::oid::crl_reason, true, {10, 1, 1}});  // RFC 6960 4.4.5
    EXPECT_TRUE(Response::parse(wrapped(encode_response_data(data))));
    data.responses[0].extensions.push_back({der::Oid{"1.2.3"}, true, {5, 0}});
    EXPECT_THAT(failure(Response::parse(wrapped(encode_response_data(data)))), HasSubstr("unsupported"));
}

TEST(OcspResponse, ExtensionsMustBeWellFormed) {
    for (const auto& wrong :
         {x509::Extension{oid::nonce, false, {4, 0}}, x509::Extension{oid::extended_revoke, false, {5, 1, 0}}}) {
        ResponseData data{crypto::Sha1{}, test::now, {}, {wrong}};
        EXPECT_THAT(failure(Response::parse(wrapped(encode_response_data(data)))), HasSubstr("malformed"));
    }
}

TEST(OcspResponse, OtherResponseTypesAreUnsupported) {
    auto der = wrapped(encode_response_data(full()));
    const auto basic = test::hex("2b0601050507300101");
    const auto at = std::ranges::search(der, basic);
    at.back() = 0x63;
    EXPECT_THAT(failure(Response::parse(der)), HasSubstr("unsupported: response type"));
}

TEST(OcspResponse, ReasonsAreThoseOfRfc5280) {
    const World world;
    ResponseData data{crypto::Sha1{}, test::now, {}, {}};
    data.responses.push_back(
        {world.id(), {Kind::revoked, test::now, store::RevocationReason::key_compromise}, test::now, {}, {}});
    auto tbs = encode_response_data(data);
    const auto reason = std::ranges::search(tbs, test::hex("a0030a0101"));
    ASSERT_FALSE(reason.empty());
    for (const unsigned number : {7u, 11u, 255u}) {
        reason.back() = static_cast<std::uint8_t>(number);
        EXPECT_THAT(failure(Response::parse(wrapped(tbs))), HasSubstr("malformed: revocationReason"));
    }
}

TEST(OcspResponse, NocheckIsNullAndNotCritical) {
    const auto nocheck = x509::make_ocsp_no_check();
    EXPECT_EQ(nocheck.id.dotted(), "1.3.6.1.5.5.7.48.1.5");
    EXPECT_FALSE(nocheck.critical);
    EXPECT_EQ(to_hex(nocheck.value), "0500");
}

}  // namespace
}  // namespace estuary::ocsp
