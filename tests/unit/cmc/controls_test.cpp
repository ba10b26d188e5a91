// Every control of RFC 10002 6, there and back; what each refuses.
#include "support.h"

namespace estuary::test {
namespace {

using namespace cmc;

x509::crmf::CertTemplate cert_template() {
    x509::crmf::CertTemplate wanted;
    wanted.subject = name("CN=other");
    wanted.extensions = {x509::make_key_usage(x509::digital_signature)};
    return wanted;
}

std::vector<Control> all() {
    std::vector<Control> controls;
    controls.emplace_back(StatusInfo{Status::failed, {1, 2}, "no", FailInfo::bad_request});
    controls.emplace_back(
        StatusInfoV2{Status::pending, {BodyPartId{1}, BodyPartPath{1, 2}}, {}, PendInfo{hex("aa"), at("2026-11-21")}});
    controls.emplace_back(Identification{"alice"});
    controls.emplace_back(IdentityProof{hex("0102")});
    controls.emplace_back(IdentityProofV2{sha256_algorithm(), hmac_sha256_algorithm(), hex("0102")});
    controls.emplace_back(DataReturn{hex("00")});
    controls.emplace_back(TransactionId{hex("23ffb61ae6ef89")});
    controls.emplace_back(SenderNonce{hex("2711")});
    controls.emplace_back(RecipientNonce{hex("2711")});
    controls.emplace_back(AddExtensions{1, {201}, {x509::make_key_usage(x509::digital_signature)}});
    controls.emplace_back(ModCertTemplate{{1, 2}, {201, 202}, false, cert_template()});
    controls.emplace_back(EncryptedPop{TaggedRequest::pkcs10(201, hex("3000")), hex("3000"), hmac_sha256_algorithm(),
                                       sha256_algorithm(), hex("0102")});
    controls.emplace_back(DecryptedPop{201, hmac_sha256_algorithm(), hex("0102")});
    controls.emplace_back(LraPopWitness{0, {201, 202}});
    controls.emplace_back(GetCert{x509::GeneralName::from_text("dirname:CN=CA").value(), hex("01")});
    controls.emplace_back(
        GetCrl{name("CN=CA"), x509::GeneralName::from_text("uri:http://a.example/x").value(), at("2026-11-21"), 6});
    controls.emplace_back(RevokeRequest{name("CN=CA"), hex("01"), store::RevocationReason::key_compromise, at("2026-11-20"),
                                        hex("736563"), "lost"});
    controls.emplace_back(RegInfo{hex("00")});
    controls.emplace_back(ResponseInfo{hex("00")});
    controls.emplace_back(QueryPending{hex("aabb")});
    controls.emplace_back(PopLinkRandom{hex("0102")});
    controls.emplace_back(PopLinkWitness{hex("0102")});
    controls.emplace_back(PopLinkWitnessV2{sha256_algorithm(), hmac_sha256_algorithm(), hex("0102")});
    controls.emplace_back(ConfirmCertAcceptance{name("CN=CA"), hex("01")});
    controls.emplace_back(PublishTrustAnchors{7, sha256_algorithm(), {hex("0102"), hex("0304")}});
    controls.emplace_back(AuthData{5});
    controls.emplace_back(BatchRequests{{1, 2}});
    controls.emplace_back(BatchResponses{{999, 998}});
    controls.emplace_back(
        PublishCert{sha256_algorithm(), {hex("0102")}, {x509::crmf::PublicationInfo::Action::dont_publish, {}}});
    controls.emplace_back(ControlProcessed{{BodyPartId{3}, BodyPartPath{1, 2}}});
    controls.emplace_back(RaIdentityWitness{{1, 2}});
    controls.emplace_back(ResponseBody{{1}});
    return controls;
}

TaggedAttribute tagged(const Control& control) {
    return std::visit(
        [](const auto& value) -> TaggedAttribute {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, UnknownControl>) {
                return {1, value.type, {}};
            } else {
                return make_control(1, value);
            }
        },
        control);
}

// Bug class 1: every alternative of the variant has a value in the list above, so every control is read as what it is.
TEST(CmcControls, EveryControlIsWrittenAndReadBack) {
    const auto controls = all();
    ASSERT_EQ(controls.size(), std::variant_size_v<Control> - 1);
    for (std::size_t i = 0; i < controls.size(); ++i) {
        EXPECT_EQ(controls[i].index(), i);
        const auto attribute = tagged(controls[i]);
        const auto read = read_control(attribute);
        ASSERT_TRUE(read) << attribute.type.dotted() << ": " << read.error().detail;
        EXPECT_EQ(*read, controls[i]) << attribute.type.dotted();
        EXPECT_TRUE(der::check_der(attribute.values[0], "value"));
    }
}

// RFC 10002 table 1.
TEST(CmcControls, ObjectIdentifiers) {
    const std::vector<unsigned> arcs{1,  25, 2,  3,  34, 4,  5,  6,  7,  8,  31, 9,  10, 11, 15, 16,
                                     17, 18, 19, 21, 22, 23, 33, 24, 26, 27, 28, 29, 30, 32, 35, 37};
    const auto controls = all();
    ASSERT_EQ(controls.size(), arcs.size());
    for (std::size_t i = 0; i < arcs.size(); ++i)
        EXPECT_EQ(tagged(controls[i]).type.dotted(), "1.3.6.1.5.5.7.7." + std::to_string(arcs[i]));
}

TEST(CmcControls, ExactlyOneValue) {
    for (const auto& control : all()) {
        auto attribute = tagged(control);
        attribute.values.push_back(attribute.values.front());
        EXPECT_EQ(code_of(read_control(attribute)), Code::malformed) << attribute.type.dotted();
        attribute.values.clear();
        EXPECT_EQ(code_of(read_control(attribute)), Code::malformed) << attribute.type.dotted();
    }
}

// Bug class 15: each control cut short and spoilt; leftovers after the value.
TEST(CmcControls, SpoiltControlsAreRefusedOrMeanSomethingElse) {
    for (const auto& control : all()) {
        const auto attribute = tagged(control);
        for_each_spoilt(attribute.values.front(), [&](Bytes octets) {
            const auto read = read_control({1, attribute.type, {to_vec(octets)}});
            if (!read) return;
            EXPECT_EQ(tagged(*read).values.front(), to_vec(octets)) << attribute.type.dotted();
        });
        auto longer = attribute;
        longer.values.front().push_back(0);
        EXPECT_EQ(code_of(read_control(longer)), Code::malformed) << attribute.type.dotted();
    }
}

TEST(CmcControls, UnknownOnesKeepTheirType) {
    const auto read = read_control({1, der::Oid{"1.2.3"}, {}});
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<UnknownControl>(*read).type, der::Oid{"1.2.3"});
}

TEST(CmcControls, FindControlRefusesTwoOfAKind) {
    PkiData data;
    EXPECT_FALSE(find_control<SenderNonce>(data).value());
    data.controls.push_back(make_control(1, SenderNonce{hex("01")}));
    EXPECT_EQ(find_control<SenderNonce>(data).value()->octets, hex("01"));
    data.controls.push_back(make_control(2, SenderNonce{hex("01")}));
    EXPECT_EQ(code_of(find_control<SenderNonce>(data)), Code::malformed);
    PkiResponse response;
    response.controls.push_back({1, oid::sender_nonce, {hex("0500")}});
    EXPECT_EQ(code_of(find_control<SenderNonce>(response)), Code::malformed);
}

TEST(CmcControls, LimitsOfValues) {
    EXPECT_EQ(code_of(read_control(make_control(1, DataReturn{ByteVec(octets_control_max + 1)}))), Code::too_large);
    EXPECT_TRUE(read_control(make_control(1, DataReturn{ByteVec(octets_control_max)})));
    EXPECT_EQ(code_of(read_control(make_control(1, TransactionId{ByteVec(65, 0x11)}))), Code::too_large);
    EXPECT_EQ(code_of(read_control(make_control(1, Identification{std::string(256, 'a')}))), Code::too_large);
    EXPECT_EQ(code_of(read_control(make_control(1, Identification{"a\nb"}))), Code::malformed);
    EXPECT_EQ(code_of(read_control(make_control(1, BatchRequests{{}}))), Code::malformed);
    EXPECT_EQ(code_of(read_control(make_control(1, BatchRequests{std::vector<BodyPartId>(body_parts_max + 1, 1)}))),
              Code::too_large);
    EXPECT_EQ(
        code_of(read_control(make_control(1, GetCert{x509::GeneralName::from_text("dirname:CN=CA").value(), ByteVec(22, 1)}))),
        Code::too_large);
}

TEST(CmcControls, ReplaceIsTrueByDefault) {
    const auto written = make_control(1, ModCertTemplate{{1}, {2}, true, cert_template()});
    EXPECT_EQ(std::get<ModCertTemplate>(*read_control(written)).replace, true);
    der::Writer writer;
    writer.sequence([&] {
        write_body_part_ids(writer, {1});
        write_body_part_ids(writer, {2});
        writer.boolean(true);
        cert_template().write(writer);
    });
    EXPECT_EQ(code_of(read_control({1, oid::mod_cert_template, {to_vec(writer.bytes())}})), Code::malformed);
}

TEST(CmcControls, RevocationReasonsAreThoseOfRfc5280) {
    for (int reason = 0; reason < 12; ++reason) {
        const auto attribute =
            make_control(1, RevokeRequest{name("CN=CA"), hex("01"), static_cast<store::RevocationReason>(reason), {}, {}, {}});
        EXPECT_EQ(read_control(attribute).has_value(), reason < 11 && reason != 7) << reason;
    }
}

// -- status --------------------------------------------------------------------------------------------------------------

TEST(CmcStatus, KnownOctets) {
    // {failed, 201, popRequired} of RFC 10002 B.3, and {success, 201} of B.1.
    EXPECT_EQ(to_hex(make_control(1, StatusInfoV2{Status::failed, {BodyPartId{201}}, {}, FailInfo::pop_required}).values[0]),
              "300c"
              "020102"
              "3004"
              "020200c9"
              "020108");
    EXPECT_EQ(to_hex(make_control(1, StatusInfoV2{Status::success, {BodyPartId{201}}, {}, {}}).values[0]),
              "3009"
              "020100"
              "3004"
              "020200c9");
    // extendedFailInfo is [1] IMPLICIT, and a path is a SEQUENCE.
    EXPECT_EQ(
        to_hex(make_control(
                   1, StatusInfoV2{Status::failed, {BodyPartPath{1, 2}}, "x", ExtendedFailInfo{der::Oid{"1.2.3"}, hex("0500")}})
                   .values[0]),
        "3018"
        "020102"
        "3008"
        "3006020101020102"
        "0c0178"
        "a106"
        "06022a03"
        "0500");
}

TEST(CmcStatus, EveryStatusAndFailInfoThereAndBack) {
    for (const auto status : {Status::success, Status::failed, Status::pending, Status::no_support, Status::confirm_required,
                              Status::pop_required, Status::partial}) {
        const StatusInfoV2 info{status, {BodyPartId{1}}, {}, {}};
        EXPECT_EQ(std::get<StatusInfoV2>(*read_control(make_control(1, info))), info);
        EXPECT_NE(to_string(status), "unknown");
    }
    for (unsigned number = 0; number <= 13; ++number) {
        const StatusInfoV2 info{Status::failed, {BodyPartId{1}}, {}, static_cast<FailInfo>(number)};
        EXPECT_EQ(std::get<StatusInfoV2>(*read_control(make_control(1, info))), info);
        EXPECT_NE(to_string(static_cast<FailInfo>(number)), std::to_string(number));
    }
    EXPECT_EQ(to_string(static_cast<FailInfo>(1234)), "1234");
}

TEST(CmcStatus, ReservedAndUnknownNumbersAreRefused) {
    const auto with = [](int status) {
        der::Writer writer;
        writer.sequence([&] {
            writer.integer(status);
            write_body_part_ids(writer, {1});
        });
        return read_control({1, oid::status_info_v2, {to_vec(writer.bytes())}});
    };
    EXPECT_TRUE(with(0));
    EXPECT_EQ(code_of(with(1)), Code::malformed);
    EXPECT_EQ(code_of(with(8)), Code::malformed);
    EXPECT_EQ(code_of(with(-1)), Code::malformed);
}

// RFC 10002 6.1.1: failInfo only with failed, pendInfo only with pending or partial.
TEST(CmcStatus, OtherInfoGoesWithItsStatus) {
    const auto read = [](const StatusInfoV2& info) { return read_control(make_control(1, info)).has_value(); };
    const PendInfo pend{hex("aa"), at("2026-11-21")};
    EXPECT_TRUE(read({Status::partial, {BodyPartId{1}}, {}, pend}));
    EXPECT_FALSE(read({Status::success, {BodyPartId{1}}, {}, pend}));
    EXPECT_FALSE(read({Status::failed, {BodyPartId{1}}, {}, pend}));
    EXPECT_FALSE(read({Status::success, {BodyPartId{1}}, {}, FailInfo::bad_alg}));
    EXPECT_FALSE(read({Status::pending, {BodyPartId{1}}, {}, ExtendedFailInfo{der::Oid{"1.2.3"}, hex("0500")}}));
    EXPECT_FALSE(read_control(make_control(1, StatusInfo{Status::success, {1}, {}, FailInfo::bad_alg})).has_value());
    EXPECT_FALSE(read({Status::success, {}, {}, {}}));
}

TEST(CmcStatus, EveryCodeHasAFailInfo) {
    EXPECT_EQ(fail_info_of(Code::malformed), FailInfo::bad_request);
    EXPECT_EQ(fail_info_of(Code::too_large), FailInfo::bad_request);
    EXPECT_EQ(fail_info_of(Code::unsupported), FailInfo::bad_alg);
    EXPECT_EQ(fail_info_of(Code::not_authenticated), FailInfo::bad_identity);
    EXPECT_EQ(fail_info_of(Code::not_authorised), FailInfo::bad_identity);
    EXPECT_EQ(fail_info_of(Code::bad_proof), FailInfo::pop_failed);
    EXPECT_EQ(fail_info_of(Code::policy), FailInfo::bad_request);
    EXPECT_EQ(fail_info_of(Code::bad_key), FailInfo::bad_alg);
    EXPECT_EQ(fail_info_of(Code::not_found), FailInfo::bad_cert_id);
    EXPECT_EQ(fail_info_of(Code::conflict), FailInfo::bad_request);
    EXPECT_EQ(fail_info_of(Code::too_busy), FailInfo::try_later);
    EXPECT_EQ(fail_info_of(Code::unavailable), FailInfo::try_later);
    EXPECT_EQ(fail_info_of(Code::internal), FailInfo::internal_ca_error);
}

}  // namespace
}  // namespace estuary::test
