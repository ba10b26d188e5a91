// PKIData and PKIResponse (RFC 10002 3.2.1, 4.2.1), body part identifiers (3.2.2), CMCUnsignedData (3.2.3).
#include "support.h"

namespace estuary::test {
namespace {

using namespace cmc;

der::Oid oid(std::string_view dotted) { return der::Oid{dotted}; }

/// RFC 10002 B.1, with our names for what it leaves open.
PkiData signing_certificate_request() {
    PkiData data;
    data.controls.push_back(make_control(102, IdentityProof{hex("aabb")}));
    data.controls.push_back(make_control(103, SenderNonce{hex("2711")}));
    x509::crmf::WantedRequest wanted;
    wanted.request.cert_req_id = 201;
    wanted.request.cert_template.subject = name("CN=My Proposed DN");
    const auto message = x509::crmf::make_cert_req_msg(wanted, crypto::PrivateKey::generate("p256").value()).value();
    data.requests.push_back(TaggedRequest::crmf(message).value());
    return data;
}

PkiData everything() {
    auto data = signing_certificate_request();
    data.requests.push_back(TaggedRequest::pkcs10(202, pkcs10()));
    data.requests.push_back({203, TaggedRequest::Kind::orm, hex("0500"), oid("1.2.3.4")});
    der::Writer info;
    info.sequence([&] { info.oid(oid("1.2.840.113549.1.7.1")); });
    data.contents.push_back({1, to_vec(info.bytes())});
    data.other_messages.push_back({4'294'967'295, oid("1.2.3.5"), hex("0c0161")});
    return data;
}

TEST(CmcMessages, PkiDataIsWrittenAndReadBack) {
    const auto data = everything();
    const auto der = data.encode();
    const auto read = PkiData::parse(der);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, data);
    EXPECT_EQ(read->encode(), der);
    EXPECT_EQ(read->request(201)->kind, TaggedRequest::Kind::crm);
    EXPECT_EQ(read->request(202)->kind, TaggedRequest::Kind::tcr);
    EXPECT_EQ(read->request(203)->type, oid("1.2.3.4"));
    EXPECT_EQ(read->request(1), nullptr);
    EXPECT_NE(read->content(1), nullptr);
    EXPECT_EQ(read->control(cmc::oid::sender_nonce)->id, 103u);
    EXPECT_EQ(read->control(cmc::oid::data_return), nullptr);
}

// The empty PKIData by hand: four empty SEQUENCEs. One control by hand as well: {103, senderNonce, 2711}.
TEST(CmcMessages, KnownOctets) {
    EXPECT_EQ(to_hex(PkiData{}.encode()), "30083000300030003000");
    EXPECT_EQ(to_hex(PkiResponse{}.encode()), "3006300030003000");
    PkiData data;
    data.controls.push_back(make_control(103, SenderNonce{hex("2711")}));
    EXPECT_EQ(to_hex(data.encode()),
              "301d"
              "3015"
              "3013"
              "020167"
              "06082b06010505070706"
              "3104"
              "04022711"
              "3000"
              "3000"
              "3000");
    EXPECT_EQ(to_hex(data.encode_requests()), "3000");
    // tcr [0] IMPLICIT SEQUENCE { 1, CertificationRequest }, orm [2] IMPLICIT SEQUENCE { 1, 1.2.3, NULL }.
    EXPECT_EQ(to_hex(TaggedRequest::pkcs10(1, hex("3000")).encode()),
              "a005"
              "020101"
              "3000");
    EXPECT_EQ(to_hex(TaggedRequest{1, TaggedRequest::Kind::orm, hex("0500"), oid("1.2.3")}.encode()),
              "a209"
              "020101"
              "06022a03"
              "0500");
    // crm [1] IMPLICIT CertReqMsg: the tag of its SEQUENCE is replaced.
    EXPECT_EQ(to_hex(TaggedRequest::crmf(hex("300730050201073000")).value().encode()), "a10730050201073000");
}

TEST(CmcMessages, PkiResponseIsWrittenAndReadBack) {
    PkiResponse response;
    response.controls.push_back(make_control(102, StatusInfoV2{Status::success, {BodyPartId{201}}, {}, {}}));
    response.contents.push_back({999, hex("300b06092a864886f70d010702")});
    response.other_messages.push_back({3, oid("1.2.3.5"), hex("0500")});
    const auto read = PkiResponse::parse(response.encode());
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, response);
    EXPECT_NE(read->content(999), nullptr);
    EXPECT_NE(read->control(cmc::oid::status_info_v2), nullptr);
}

TEST(CmcMessages, BodyPartIdsAreUniqueAndNotZero) {
    PkiData data;
    data.controls = {make_control(1, DataReturn{}), make_control(2, RegInfo{})};
    EXPECT_TRUE(PkiData::parse(data.encode()));
    data.other_messages.push_back({2, oid("1.2.3"), hex("0500")});
    EXPECT_EQ(code_of(PkiData::parse(data.encode())), Code::malformed);
    data.other_messages[0].id = 0;
    EXPECT_EQ(code_of(PkiData::parse(data.encode())), Code::malformed);
    PkiResponse response;
    response.controls = {make_control(7, DataReturn{}), make_control(7, DataReturn{})};
    EXPECT_EQ(code_of(PkiResponse::parse(response.encode())), Code::malformed);
}

TEST(CmcMessages, BodyPartIdsHaveFourOctets) {
    const auto with_id = [](std::string_view integer) {
        const auto control = hex(std::string{integer} +
                                 "06082b06010505070706"
                                 "3104"
                                 "04022711");
        der::Writer writer;
        writer.sequence([&] {
            writer.sequence([&] { writer.sequence([&] { writer.raw(control); }); });
            for (int i = 0; i < 3; ++i) writer.sequence([] {});
        });
        return PkiData::parse(writer.bytes());
    };
    EXPECT_EQ(with_id("0205"
                      "00ffffffff")
                  .value()
                  .controls[0]
                  .id,
              4'294'967'295u);
    EXPECT_EQ(code_of(with_id("0205"
                              "0100000000")),
              Code::malformed);
    EXPECT_EQ(code_of(with_id("0201"
                              "ff")),
              Code::malformed);
    EXPECT_EQ(code_of(with_id("0202"
                              "0001")),
              Code::malformed);  // not minimal
    EXPECT_EQ(code_of(with_id("020a"
                              "01000000000000000000")),
              Code::malformed);
}

TEST(CmcMessages, CertReqIdsOfCrmfAreBodyPartIds) {
    EXPECT_EQ(code_of(TaggedRequest::crmf(hex("30073005"
                                              "0201ff"
                                              "3000"))),
              Code::malformed);
    EXPECT_EQ(code_of(TaggedRequest::crmf(hex("3000"))), Code::malformed);
    EXPECT_EQ(code_of(TaggedRequest::crmf(hex("0500"))), Code::malformed);
}

TEST(CmcMessages, CountsAndSizesAreLimited) {
    PkiData data;
    for (BodyPartId id = 1; id <= 3; ++id) {
        data.controls.push_back(make_control(id, DataReturn{}));
        data.requests.push_back(TaggedRequest::pkcs10(10 + id, hex("3000")));
        data.contents.push_back({20 + id, hex("3000")});
        data.other_messages.push_back({30 + id, oid("1.2.3"), hex("0500")});
    }
    const auto der = data.encode();
    EXPECT_TRUE(PkiData::parse(der));
    EXPECT_EQ(code_of(PkiData::parse(der, {.bytes_max = der.size() - 1})), Code::too_large);
    EXPECT_TRUE(PkiData::parse(der, {.bytes_max = der.size()}));
    EXPECT_EQ(code_of(PkiData::parse(der, {.controls_max = 2})), Code::too_large);
    EXPECT_EQ(code_of(PkiData::parse(der, {.requests_max = 2})), Code::too_large);
    EXPECT_EQ(code_of(PkiData::parse(der, {.contents_max = 2})), Code::too_large);
    EXPECT_EQ(code_of(PkiData::parse(der, {.other_messages_max = 2})), Code::too_large);
    data.controls[0].values.assign(3, hex("0500"));
    EXPECT_EQ(code_of(PkiData::parse(data.encode(), {.values_max = 2})), Code::too_large);
}

// Bug class 15: deep nesting, indefinite lengths, octets left over, parts missing.
TEST(CmcMessages, OddDerIsRefused) {
    EXPECT_EQ(code_of(PkiData::parse({})), Code::malformed);
    EXPECT_EQ(code_of(PkiData::parse(hex("3000"))), Code::malformed);
    EXPECT_EQ(code_of(PkiData::parse(hex("3006300030003000"))), Code::malformed);          // a PKIResponse
    EXPECT_EQ(code_of(PkiResponse::parse(hex("30083000300030003000"))), Code::malformed);  // a PKIData
    EXPECT_EQ(code_of(PkiData::parse(hex("3008300030003000300000"))), Code::malformed);
    EXPECT_EQ(code_of(PkiData::parse(hex("30803000300030003000"
                                         "0000"))),
              Code::malformed);
    EXPECT_EQ(code_of(PkiData::parse(hex("300a3000"
                                         "3002a300"
                                         "30003000"))),
              Code::malformed);  // TaggedRequest [3]
    ByteVec deep;
    for (int i = 0; i < 40; ++i) {
        der::Writer writer;
        writer.sequence([&] { writer.raw(deep); });
        deep = std::move(writer).take();
    }
    PkiData data;
    data.other_messages.push_back({1, oid("1.2.3"), deep});
    EXPECT_FALSE(PkiData::parse(data.encode()));
}

TEST(CmcMessages, SpoiltMessagesAreWrittenBackAsTheyAreOrRefused) {
    const auto der = everything().encode();
    std::size_t accepted = 0;
    for_each_spoilt(der, [&](Bytes octets) {
        const auto read = PkiData::parse(octets);
        if (!read) return;
        ++accepted;
        for (const auto& control : read->controls) (void)read_control(control);
    });
    EXPECT_LT(accepted, der.size());
}

TEST(CmcMessages, UnsignedData) {
    const UnsignedData data{{1, 201}, oid("1.2.3"), hex("0500")};
    EXPECT_EQ(UnsignedData::parse(data.encode()).value(), data);
    EXPECT_EQ(to_hex(data.encode()),
              "300f"
              "3007"
              "020101"
              "020200c9"
              "06022a03"
              "0500");
    EXPECT_EQ(code_of(UnsignedData::parse(hex("3006"
                                              "3000"
                                              "06022a03"))),
              Code::malformed);
}

}  // namespace
}  // namespace estuary::test
