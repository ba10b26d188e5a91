#include "support.h"

namespace estuary::cmp {
namespace {

ByteVec encoded(const PkiStatusInfo& info) {
    der::Writer writer;
    info.write(writer);
    return std::move(writer).take();
}

TEST(CmpStatus, EveryFailureHasItsBitAndItsName) {  // RFC 9810 5.2.3
    const std::vector<std::string_view> names{
        "badAlg",           "badMessageCheck",     "badRequest",          "badTime",           "badCertId",        "badDataFormat",
        "wrongAuthority",   "incorrectData",       "missingTimeStamp",    "badPOP",            "certRevoked",      "certConfirmed",
        "wrongIntegrity",   "badRecipientNonce",   "timeNotAvailable",    "unacceptedPolicy",  "unacceptedExtension",
        "addInfoNotAvailable", "badSenderNonce",   "badCertTemplate",     "signerNotTrusted",  "transactionIdInUse",
        "unsupportedVersion", "notAuthorized",     "systemUnavail",       "systemFailure",     "duplicateCertReq"};
    ASSERT_EQ(names.size(), pki_failures);
    for (unsigned number = 0; number < pki_failures; ++number) {
        const auto failure = static_cast<PkiFailure>(number);
        EXPECT_EQ(to_string(failure), names[number]);
        EXPECT_EQ(PkiFailureInfo{failure}.bits(), 1u << number);
        const auto der = encoded(rejection(failure));
        der::Reader reader{der};
        const auto again = PkiStatusInfo::read(reader, {}).value();
        EXPECT_TRUE(again.fail_info->has(failure));
        EXPECT_EQ(again.fail_info->to_text(), names[number]);
    }
}

TEST(CmpStatus, BitsAreEncodedAsNamedBits) {
    EXPECT_EQ(to_hex(encoded(rejection(PkiFailure::bad_alg))), "300702010203020780");
    EXPECT_EQ(to_hex(encoded(rejection(PkiFailure::duplicate_cert_req))), "300a02010203050500000020");
}

TEST(CmpStatus, StatusesHaveNames) {
    const std::vector<std::string_view> names{"accepted", "grantedWithMods", "rejection", "waiting", "revocationWarning",
                                              "revocationNotification", "keyUpdateWarning"};
    for (std::size_t number = 0; number < names.size(); ++number) {
        const PkiStatusInfo info{.status = static_cast<PkiStatus>(number), .status_string = {}, .fail_info = {}};
        EXPECT_EQ(info.to_text(), names[number]);
        EXPECT_EQ(info.is_granted(), number < 2);
    }
}

TEST(CmpStatus, WordsOfThePeerAreSafeToShow) {  // bug classes 12, 16
    auto info = rejection(PkiFailure::bad_pop, "no\x1b[31m %n");
    info.status_string.push_back("zwei");
    EXPECT_EQ(info.to_text(), "rejection: badPOP (no\\x1b[31m %n; zwei)");
}

TEST(CmpStatus, UnknownBitsAreKept) {
    const auto info = PkiFailureInfo::from_bits(1u << 29 | 1u << 9);
    EXPECT_EQ(info.to_text(), "badPOP, bit 29");
    const PkiStatusInfo status{.status = PkiStatus::rejection, .status_string = {}, .fail_info = info};
    const auto octets = encoded(status);
    der::Reader reader{octets};
    EXPECT_EQ(PkiStatusInfo::read(reader, {}).value(), status);
}

}  // namespace
}  // namespace estuary::cmp
