// CRLs written: octets by hand, what our reader and OpenSSL make of them, and a large one.
#include "crl_support.h"
#include "estuary/x509/lint_crl.h"

namespace estuary::x509 {
namespace {

using test::at;
using test::crl_template;
using testing::HasSubstr;
using testing::IsEmpty;

/// The tbsCertList of a template without key: every octet of it is known.
std::string tbs_hex(CrlTemplate list, Bytes serial = {}, CrlReason reason = {}, std::optional<Time> invalidity = {}) {
    list.authority_key_id = test::hex("aabb");
    CrlEncoder encoder{std::move(list)};
    if (!serial.empty()) {
        EXPECT_TRUE(encoder.add(serial, at("2026-05-01T01:02:03Z"), reason, invalidity));
    }
    return to_hex(std::move(encoder).finish().tbs());
}

const std::string prologue =
    "020101300a06082a8648ce3d0403023011310f300d06035504030c06697373756572"
    "170d3236303630313030303030305a170d3236303630383030303030305a";
const std::string last = "a01d301b300d0603551d23040630048002aabb300a0603551d140403020105";

TEST(CrlEncoder, OctetsOfListWithoutEntries) { EXPECT_EQ(tbs_hex(crl_template()), "305f" + prologue + last); }

TEST(CrlEncoder, OctetsOfOneEntry) {
    const std::string date = "170d3236303530313031303230335a";
    EXPECT_EQ(tbs_hex(crl_template(), test::hex("05"), CrlReason::key_compromise),
              "308183" + prologue + "30223020020105" + date + "300c300a0603551d1504030a0101" + last);
    EXPECT_EQ(tbs_hex(crl_template(), test::hex("05"), CrlReason::unspecified),
              "3075" + prologue + "30143012020105" + date + last);
    EXPECT_EQ(tbs_hex(crl_template(), test::hex("0000ff"), CrlReason::unspecified),
              "3076" + prologue + "30153013020200ff" + date + last);
}

TEST(CrlEncoder, InvalidityDateIsGeneralizedTime) {
    const auto hex = tbs_hex(crl_template(), test::hex("05"), CrlReason::superseded, at("2026-04-01T10:20:30Z"));
    EXPECT_THAT(hex, HasSubstr("3026300a0603551d1504030a010430180603551d180411180f" + to_hex(as_bytes("20260401102030Z"))));
}

TEST(CrlEncoder, TimesFrom2050OnAreGeneralizedTime) {
    auto list = crl_template();
    list.this_update = at("2049-12-31T23:59:59Z");
    list.next_update = at("2050-01-01T00:00:00Z");
    CrlEncoder encoder{list};
    ASSERT_TRUE(encoder.add(test::hex("01"), at("2049-12-31T23:59:59Z"), {}));
    ASSERT_TRUE(encoder.add(test::hex("02"), at("2050-01-01T00:00:00Z"), {}));
    const auto hex = to_hex(std::move(encoder).finish().tbs());
    const auto early = "170d" + to_hex(as_bytes("491231235959Z")), late = "180f" + to_hex(as_bytes("20500101000000Z"));
    EXPECT_THAT(hex, HasSubstr(early + late));
    EXPECT_THAT(hex, HasSubstr("3012020101" + early));
    EXPECT_THAT(hex, HasSubstr("3014020102" + late));
}

TEST(CrlEncoder, CriticalityOfExtensions) {
    auto list = crl_template(7);
    list.delta_base = CrlNumber{5};
    list.scope = IssuingDistributionPoint{.name = {}, .only_user_certificates = true, .only_some_reasons = {}};
    const auto delta = test::list_of(list, {});
    list.delta_base.reset();
    list.freshest_crl_uris = {"http://a/delta.crl"};
    const auto complete = test::list_of(list, {});
    const auto critical = [](const RevocationList& from, const der::Oid& id) { return find(from.extensions(), id)->critical; };
    EXPECT_FALSE(critical(delta, oid::authority_key_identifier));
    EXPECT_FALSE(critical(delta, oid::crl_number));
    EXPECT_TRUE(critical(delta, oid::delta_crl_indicator));
    EXPECT_TRUE(critical(delta, oid::issuing_distribution_point));
    EXPECT_FALSE(critical(complete, oid::freshest_crl));
    EXPECT_EQ(find(delta.extensions(), oid::freshest_crl), nullptr);
    EXPECT_EQ(complete.freshest_crl_uris().value().size(), 1u);
}

TEST(CrlEncoder, RefusesWhatMustNotBeListed) {
    CrlEncoder encoder{crl_template()};
    const auto refused = [&](std::string_view serial, CrlReason reason, Time revoked_at = at("2026-05-01")) {
        return test::failure(encoder.add(test::hex(serial), revoked_at, reason));
    };
    EXPECT_EQ(refused("05", CrlReason::remove_from_crl), "policy: removeFromCRL is for delta CRLs only");
    EXPECT_THAT(refused("", {}), HasSubstr("not positive"));
    EXPECT_THAT(refused("0000", {}), HasSubstr("not positive"));
    EXPECT_THAT(refused("010102030405060708090a0b0c0d0e0f1011121314", {}), HasSubstr("longer than 20 octets"));
    EXPECT_THAT(refused("05", static_cast<CrlReason>(7)), HasSubstr("does not have"));
    EXPECT_THAT(refused("05", static_cast<CrlReason>(11)), HasSubstr("does not have"));
    EXPECT_THAT(refused("05", {}, at("9999-12-31T23:59:59Z") + Seconds{1}), HasSubstr("four digits"));
    EXPECT_EQ(encoder.entry_count(), 0u);
    auto delta = crl_template(6);
    delta.delta_base = CrlNumber{5};
    EXPECT_TRUE(CrlEncoder{delta}.add(test::hex("05"), at("2026-05-01"), CrlReason::remove_from_crl));
}

TEST(CrlEncoder, EveryReasonIsReadBack) {
    auto list = crl_template(6);
    list.delta_base = CrlNumber{5};
    CrlEncoder encoder{list};
    for (std::uint8_t number = 0; number <= 10; ++number)
        if (number != 7) {
            const std::uint8_t serial = static_cast<std::uint8_t>(number + 0x80);
            ASSERT_TRUE(encoder.add({&serial, 1}, at("2026-05-01"), static_cast<CrlReason>(number)));
        }
    const auto read = RevocationList::parse(test::signed_list(std::move(encoder))).value();
    EXPECT_EQ(read.entry_count(), 10u);
    for (auto entries = read.entries(); const auto entry = entries.next();)
        EXPECT_EQ(entry->serial_number[1], static_cast<std::uint8_t>(entry->reason) + 0x80);
}

// Lengths of one to four octets: 0, 1, 3, 200 and 400 000 entries.
TEST(CrlEncoder, EverySizeIsReadBackAndVerified) {
    for (const std::size_t count : {0u, 1u, 3u, 200u, 400'000u}) {
        CrlEncoder encoder{crl_template(), count};
        for (std::size_t i = 1; i <= count; ++i) {
            const auto number = CrlNumber{0x0100000000000000u + i}.octets;
            ASSERT_TRUE(encoder.add(number, at("2026-05-01") + Seconds{static_cast<std::int64_t>(i)}, CrlReason::superseded));
        }
        auto list = std::move(encoder).finish();
        EXPECT_THAT(lint_crl(list.tbs(), test::crl_issuer()), IsEmpty());
        const auto signature = test::crl_key().sign(list.tbs()).value();
        const auto expected = encode_revocation_list(list.tbs(), crl_template().signature_algorithm, signature);
        const auto der = std::move(list).assemble(signature);
        EXPECT_TRUE(same(der, expected));
        const auto read = RevocationList::parse(der).value();
        EXPECT_EQ(read.entry_count(), count);
        EXPECT_EQ(test::failure(read.verify_issued_by(test::crl_issuer())), "no error");
        if (count == 0) continue;
        const auto entry = read.find(CrlNumber{0x0100000000000000u + count}.octets);
        ASSERT_TRUE(entry);
        EXPECT_EQ(entry->revoked_at, at("2026-05-01") + Seconds{static_cast<std::int64_t>(count)});
    }
}

// More entries than expected: the buffer grows.
TEST(CrlEncoder, ExpectationIsNoLimit) {
    CrlEncoder encoder{crl_template(), 1};
    for (std::uint64_t i = 1; i <= 5000; ++i) ASSERT_TRUE(encoder.add(CrlNumber{i}.octets, at("2026-05-01"), {}));
    EXPECT_EQ(RevocationList::parse(test::signed_list(std::move(encoder))).value().entry_count(), 5000u);
}

TEST(CrlEncoder, OpensslReadsAndVerifies) {
    auto list = crl_template(12);
    list.scope = IssuingDistributionPoint{.name = DistributionPointName{{test::general_name("uri:http://a/1.crl")}, {}},
                                          .only_user_certificates = true,
                                          .only_some_reasons = 1u << 1};
    list.freshest_crl_uris = {"http://a/delta.crl"};
    CrlEncoder encoder{list};
    ASSERT_TRUE(encoder.add(test::hex("05"), at("2026-05-01"), CrlReason::key_compromise, at("2026-04-01")));
    ASSERT_TRUE(encoder.add(test::hex("ff00"), at("2051-05-01"), CrlReason::unspecified));
    const auto der = test::signed_list(std::move(encoder));
    const auto crl = test::openssl_crl(der);
    ASSERT_TRUE(crl);
    EXPECT_EQ(X509_CRL_verify(crl.get(), test::crl_key().handle()), 1);
    EXPECT_EQ(X509_CRL_get_version(crl.get()), 1);
    EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl.get())), 2);
    X509_REVOKED* entry = nullptr;
    const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> serial{ASN1_INTEGER_new(), &ASN1_INTEGER_free};
    ASN1_INTEGER_set(serial.get(), 0xFF00);
    EXPECT_EQ(X509_CRL_get0_by_serial(crl.get(), &entry, serial.get()), 1);
    const auto extension = [&](int nid) { return X509_CRL_get_ext_d2i(crl.get(), nid, nullptr, nullptr); };
    auto* scope = static_cast<ISSUING_DIST_POINT*>(extension(NID_issuing_distribution_point));
    ASSERT_NE(scope, nullptr);
    EXPECT_EQ(scope->onlyuser, 0xFF);
    ISSUING_DIST_POINT_free(scope);
    auto* number = static_cast<ASN1_INTEGER*>(extension(NID_crl_number));
    EXPECT_EQ(ASN1_INTEGER_get(number), 12);
    ASN1_INTEGER_free(number);
    // i2d of what was read is what was written: OpenSSL has nothing to put right.
    X509_CRL* copy = X509_CRL_dup(crl.get());
    std::uint8_t* again = nullptr;
    const int size = i2d_X509_CRL(copy, &again);
    EXPECT_TRUE(same(Bytes(again, static_cast<std::size_t>(size)), der));
    OPENSSL_free(again);
    X509_CRL_free(copy);
}

}  // namespace
}  // namespace estuary::x509
