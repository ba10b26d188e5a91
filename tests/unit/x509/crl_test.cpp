// CRLs read. Those in tests/data/crl were made by the openssl command line (make.sh there), but for the one of RFC 5280 C.4.
#include "crl_support.h"

namespace estuary::x509 {
namespace {

using test::at;
using test::CrlDraft;
using test::load_list;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<CrlEntry> all_entries(const RevocationList& list) {
    std::vector<CrlEntry> out;
    for (auto entries = list.entries(); auto entry = entries.next();) out.push_back(*entry);
    return out;
}

TEST(RevocationList, ExampleOfRfc5280AppendixC4) {
    const auto list = load_list("rfc5280_c4");
    EXPECT_EQ(list.version(), 2u);
    EXPECT_EQ(list.issuer().to_text(), "CN=Example CA,DC=example,DC=com");
    EXPECT_EQ(list.this_update(), at("2005-02-05T12:00:00Z"));
    EXPECT_EQ(list.next_update(), at("2005-02-06T12:00:00Z"));
    EXPECT_EQ(list.crl_number(), CrlNumber{12});
    EXPECT_EQ(list.authority_key_id(), test::hex("0868af8533c8394a7af882938e706a4a20842c32"));
    EXPECT_EQ(list.entry_count(), 1u);
    const auto entry = list.find(test::hex("12"));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->revoked_at, at("2004-11-19T15:57:03Z"));
    EXPECT_EQ(entry->reason, CrlReason::key_compromise);
    EXPECT_FALSE(entry->invalidity_date);
    EXPECT_EQ(list.signature().size(), 128u);
    EXPECT_FALSE(list.is_delta());
    EXPECT_FALSE(list.scope());
}

TEST(RevocationList, ReadsWhatOpensslWrote) {
    const auto list = load_list("complete");
    const auto entries = all_entries(list);
    ASSERT_EQ(entries.size(), 6u);
    EXPECT_EQ(list.entry_count(), 6u);
    EXPECT_EQ(to_hex(entries[0].serial_number), "1001");
    EXPECT_EQ(entries[0].reason, CrlReason::unspecified);
    EXPECT_EQ(entries[1].reason, CrlReason::key_compromise);
    EXPECT_EQ(entries[2].reason, CrlReason::certificate_hold);
    EXPECT_EQ(entries[2].revoked_at, at("2026-01-03T12:00:00Z"));
    EXPECT_EQ(entries[3].reason, CrlReason::key_compromise);
    EXPECT_EQ(entries[3].invalidity_date, at("2025-07-01"));
    EXPECT_EQ(to_hex(entries[4].serial_number), "00ff0102030405060708090a0b0c0d0e0f1011");  // positive: a zero in front
    EXPECT_EQ(to_hex(entries[5].serial_number), "7f0102030405060708090a0b0c0d0e0f10111213");
    EXPECT_THAT(list.freshest_crl_uris().value(), ElementsAre("http://crl.example.com/delta.crl"));
    EXPECT_EQ(list.crl_number(), CrlNumber{5});
    EXPECT_EQ(test::failure(list.check_usable()), "no error");  // holdInstructionCode is not known, and not critical
    EXPECT_EQ(test::failure(list.verify_issued_by(test::load("ca", "crl"))), "no error");
    EXPECT_EQ(list.authority_key_id(), test::load("ca", "crl").subject_key_id());
}

TEST(RevocationList, ListWithoutEntries) {
    const auto list = load_list("empty");
    EXPECT_EQ(list.entry_count(), 0u);
    EXPECT_FALSE(list.entries().next());
    EXPECT_FALSE(list.find(test::hex("1001")));
}

TEST(RevocationList, Version1IsRead) {
    const auto list = load_list("version_1");
    EXPECT_EQ(list.version(), 1u);
    EXPECT_TRUE(list.find(test::hex("1001")));
    EXPECT_FALSE(list.crl_number());
    EXPECT_EQ(test::failure(list.verify_issued_by(test::load("ca", "crl"))), "no error");
}

TEST(RevocationList, NextUpdateMayBeAbsent) {
    CrlDraft draft;
    draft.next_update.clear();
    const auto list = draft.parse().value();
    EXPECT_FALSE(list.next_update());
    EXPECT_FALSE(list.is_current(at("2026-05-31")));
    EXPECT_TRUE(list.is_current(at("2030-01-01")));
}

TEST(RevocationList, IsCurrentBetweenItsTimes) {
    const auto list = CrlDraft{}.parse().value();
    EXPECT_FALSE(list.is_current(at("2026-05-31T23:59:59Z")));
    EXPECT_TRUE(list.is_current(at("2026-06-01")));
    EXPECT_TRUE(list.is_current(at("2026-06-08")));
    EXPECT_FALSE(list.is_current(at("2026-06-08T00:00:01Z")));
}

// RFC 5280 5.1.2.4: applications process both kinds.
TEST(RevocationList, BothKindsOfTimeAreRead) {
    CrlDraft draft;
    draft.this_update = test::tlv(der::Tag::generalized_time, as_bytes("20260601000000Z"));
    draft.next_update = test::time_of("2051-01-01");
    const auto list = draft.parse().value();
    EXPECT_EQ(list.this_update(), at("2026-06-01"));
    EXPECT_EQ(list.next_update(), at("2051-01-01"));
}

TEST(RevocationList, ScopeOfPartitionIsRead) {
    const auto list = load_list("partition");
    ASSERT_TRUE(list.scope());
    EXPECT_THAT(list.scope()->name->uris(), ElementsAre("http://crl.example.com/part-1.crl"));
    EXPECT_TRUE(list.scope()->only_user_certificates);
    EXPECT_TRUE(list.scope()->indirect);
    EXPECT_FALSE(list.scope()->only_ca_certificates);
    EXPECT_EQ(list.scope()->only_some_reasons, (1u << 1 | 1u << 2 | 1u << 8));
    EXPECT_EQ(list.crl_number()->to_hex(), "0c" + std::string(38, 'c'));
}

TEST(RevocationList, NameRelativeToIssuerIsRead) {
    const auto list = load_list("relative");
    const auto names = list.scope()->name->names_below(list.issuer());
    ASSERT_EQ(names.size(), 1u);
    EXPECT_EQ(names[0].to_text(), "dirname:CN=part-2,CN=CRL issuer,O=Estuary tests");
    EXPECT_TRUE(list.scope()->only_ca_certificates);
}

TEST(RevocationList, DeltaIsRead) {
    const auto delta = load_list("delta");
    EXPECT_TRUE(delta.is_delta());
    EXPECT_EQ(delta.delta_base(), CrlNumber{5});
    EXPECT_EQ(delta.crl_number(), CrlNumber{6});
    EXPECT_EQ(delta.find(test::hex("1003"))->reason, CrlReason::remove_from_crl);
    EXPECT_EQ(test::failure(delta.check_usable()), "no error");
}

TEST(RevocationList, PemAndDer) {
    const auto list = load_list("complete");
    const auto pem = list.to_pem();
    EXPECT_TRUE(pem.starts_with("-----BEGIN X509 CRL-----\n"));
    EXPECT_EQ(RevocationList::from_bytes(as_bytes(pem)).value(), list);
    EXPECT_EQ(RevocationList::from_bytes(list.der()).value(), list);
    const auto bundle = test::load("ca", "crl").to_pem() + pem + load_list("delta").to_pem();
    EXPECT_EQ(parse_revocation_lists(as_bytes(bundle)).value().size(), 2u);
    EXPECT_EQ(test::failure(RevocationList::from_bytes(as_bytes(bundle))), "malformed: expected one CRL, found 2");
    EXPECT_EQ(test::failure(RevocationList::from_bytes(as_bytes(test::load("ca", "crl").to_pem()))),
              "malformed: no CRL found, neither PEM nor DER");
}

TEST(RevocationList, EveryCutIsMalformed) {
    const auto der = test::data_file("crl/complete.der");
    for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(RevocationList::parse(Bytes{der}.first(size))) << size;
    auto longer = der;
    longer.push_back(0);
    EXPECT_FALSE(RevocationList::parse(longer));
}

struct Spoilt {
    const char* name;
    void (*spoil)(CrlDraft&);
    const char* failure;
};
void PrintTo(const Spoilt& spoilt, std::ostream* out) { *out << spoilt.name; }

class RevocationListRefuses : public testing::TestWithParam<Spoilt> {};

TEST_P(RevocationListRefuses, MalformedList) {
    CrlDraft draft;
    ASSERT_EQ(test::failure(draft.parse()), "no error");
    GetParam().spoil(draft);
    EXPECT_THAT(test::failure(draft.parse()), HasSubstr(GetParam().failure));
}

const Extension crl_reason_extension{oid::crl_reason, false, {0x0A, 0x01, 0x01}};

INSTANTIATE_TEST_SUITE_P(
    Rfc5280Section5, RevocationListRefuses,
    testing::Values(
        Spoilt{"version_1_encoded", [](CrlDraft& d) { d.version = test::hex("020100"); }, "malformed: CRL: version"},
        Spoilt{"version_3", [](CrlDraft& d) { d.version = test::hex("020102"); }, "malformed: CRL: version"},
        Spoilt{"extensions_in_version_1", [](CrlDraft& d) { d.version.clear(); }, "extensions in a list of version 1"},
        Spoilt{"entry_extensions_in_version_1",
               [](CrlDraft& d) {
                   d.version.clear();
                   d.crl_extensions.clear();
                   d.set_entries({CrlDraft::entry("05", {crl_reason_extension})});
               },
               "entry extensions in a list of version 1"},
        Spoilt{"algorithms_differ", [](CrlDraft& d) { d.outer_algorithm = test::hex("300a06082a8648ce3d040303"); },
               "signature algorithms differ"},
        Spoilt{"issuer_of_wrong_type", [](CrlDraft& d) { d.issuer = test::hex("30020500"); }, "issuer"},
        Spoilt{"this_update_absent", [](CrlDraft& d) { d.this_update.clear(), d.next_update.clear(); }, "thisUpdate"},
        Spoilt{"time_without_seconds",
               [](CrlDraft& d) { d.this_update = test::tlv(der::Tag::utc_time, as_bytes("2606010000Z")); }, "thisUpdate: DER"},
        Spoilt{"time_with_offset",
               [](CrlDraft& d) { d.this_update = test::tlv(der::Tag::utc_time, as_bytes("260601000000+0100")); },
               "thisUpdate: DER"},
        Spoilt{"time_with_fraction",
               [](CrlDraft& d) { d.next_update = test::tlv(der::Tag::generalized_time, as_bytes("20510101000000.5Z")); },
               "nextUpdate: DER"},
        Spoilt{"thirty_second_day", [](CrlDraft& d) { d.next_update = test::tlv(der::Tag::utc_time, as_bytes("260632000000Z")); },
               "nextUpdate: DER"},
        Spoilt{"revoked_empty", [](CrlDraft& d) { d.revoked = test::hex("3000"); }, "revokedCertificates is empty"},
        Spoilt{"extension_twice", [](CrlDraft& d) { d.crl_extensions.push_back(make_crl_number(CrlNumber{6})); },
               "2.5.29.20 more than once"},
        Spoilt{"entry_extension_twice",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05", {crl_reason_extension, crl_reason_extension})});
               },
               "entry 1: an extension of a CRL entry occurs more than once"},
        Spoilt{"entry_extensions_empty",
               [](CrlDraft& d) {
                   d.set_entries({test::sequence({test::hex("020105"), test::time_of("2026-01-01"), test::hex("3000")})});
               },
               "crlEntryExtensions is empty"},
        Spoilt{"second_entry_without_date",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05"), test::sequence({test::hex("020105")})});
               },
               "entry 2: revocationDate"},
        Spoilt{"serial_not_minimal", [](CrlDraft& d) { d.set_entries({CrlDraft::entry("0005")}); }, "shortest form"},
        Spoilt{"reason_as_integer",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05", {{oid::crl_reason, false, test::hex("020101")}})});
               },
               "expected ENUMERATED"},
        Spoilt{"reason_of_two_octets",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05", {{oid::crl_reason, false, test::hex("0a020101")}})});
               },
               "no small ENUMERATED"},
        Spoilt{"invalidity_date_as_utc_time",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05", {{oid::invalidity_date, false, test::time_of("2026-01-01")}})});
               },
               "expected GeneralizedTime"},
        Spoilt{"certificate_issuer_empty",
               [](CrlDraft& d) {
                   d.set_entries({CrlDraft::entry("05", {{oid::certificate_issuer, true, test::hex("3000")}})});
               },
               "GeneralNames is empty"},
        Spoilt{"number_negative",
               [](CrlDraft& d) {
                   d.set({oid::crl_number, false, test::hex("0201ff")});
               },
               "negative"},
        Spoilt{"number_of_21_octets",
               [](CrlDraft& d) {
                   d.set({oid::crl_number, false, test::hex("02157f0102030405060708090a0b0c0d0e0f1011121314")});
               },
               "too_large: CRL: cRLNumber: CRL number is longer than 20 octets"},
        Spoilt{"base_negative",
               [](CrlDraft& d) {
                   d.set({oid::delta_crl_indicator, true, test::hex("020180")});
               },
               "negative"},
        Spoilt{"flag_false_encoded",
               [](CrlDraft& d) {
                   d.set({oid::issuing_distribution_point, true, test::hex("3003810100")});
               },
               "is not TRUE"},
        Spoilt{"flag_as_explicit_boolean",
               [](CrlDraft& d) {
                   d.set({oid::issuing_distribution_point, true, test::hex("3005a1030101ff")});
               },
               "DER"},
        Spoilt{"two_kinds_only",
               [](CrlDraft& d) {
                   d.set({oid::issuing_distribution_point, true, test::hex("30068101ff8201ff")});
               },
               "more than one kind"},
        Spoilt{"signature_absent", [](CrlDraft& d) { d.outer_algorithm = {}; }, "DER"}),
    [](const auto& test) { return std::string{test.param.name}; });

// RFC 5280 5.2.3: verifiers handle numbers up to 20 octets.
TEST(RevocationList, NumberOf20OctetsIsRead) {
    CrlDraft draft;
    draft.set({oid::crl_number, false, test::hex("021500ff0102030405060708090a0b0c0d0e0f10111213")});
    EXPECT_EQ(draft.parse().value().crl_number()->to_hex(), "ff0102030405060708090a0b0c0d0e0f10111213");
}

TEST(CrlNumber, IsOrderedAsANumber) {
    EXPECT_LT(CrlNumber{0}, CrlNumber{1});
    EXPECT_LT(CrlNumber{255}, CrlNumber{256});
    EXPECT_GT(CrlNumber::from_octets(test::hex("010000000000000000")).value(), CrlNumber{UINT64_MAX});
    EXPECT_EQ(CrlNumber::from_octets(test::hex("00000c")).value(), CrlNumber{12});
    EXPECT_EQ(CrlNumber::from_octets({}).value(), CrlNumber{0});
    EXPECT_EQ(test::failure(CrlNumber::from_octets(ByteVec(21, 1))), "too_large: CRL number is longer than 20 octets");
}

TEST(RevocationList, UnknownCriticalExtensionForbidsUse) {
    CrlDraft draft;
    draft.set({der::Oid{"1.2.3"}, true, test::hex("0500")});
    EXPECT_EQ(test::failure(draft.parse().value().check_usable()), "unsupported: critical CRL extension 1.2.3 is not known");
    draft.set({der::Oid{"1.2.3"}, false, test::hex("0500")});
    EXPECT_EQ(test::failure(draft.parse().value().check_usable()), "no error");
}

TEST(RevocationList, UnknownCriticalEntryExtensionForbidsUse) {
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry("05"), CrlDraft::entry("06", {{der::Oid{"1.2.3"}, true, test::hex("0500")}})});
    EXPECT_EQ(test::failure(draft.parse().value().check_usable()),
              "unsupported: critical CRL entry extension 1.2.3 is not known");
}

TEST(RevocationList, RemoveFromCrlInCompleteListForbidsUse) {
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry("05", {{oid::crl_reason, false, test::hex("0a0108")}})});
    EXPECT_THAT(test::failure(draft.parse().value().check_usable()), HasSubstr("removeFromCRL in a complete CRL"));
    draft.set(make_delta_crl_indicator(CrlNumber{4}));
    EXPECT_EQ(test::failure(draft.parse().value().check_usable()), "no error");
}

// X.509 has gone on to number reasons (weakAlgorithmOrKey is 11): such a certificate is revoked all the same.
TEST(RevocationList, ReasonsOfNoNameStillRevoke) {
    for (const auto* reason : {"0a0107", "0a010b"}) {
        CrlDraft draft;
        draft.set_entries({CrlDraft::entry("05", {{oid::crl_reason, false, test::hex(reason)}})});
        EXPECT_EQ(draft.parse().value().find(test::hex("05"))->reason, CrlReason::unspecified);
    }
}

TEST(RevocationList, OrderOfEntriesIsNotPresumed) {
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry("7f"), CrlDraft::entry("00ff"), CrlDraft::entry("01"), CrlDraft::entry("0400")});
    const auto list = draft.parse().value();
    for (const auto* serial : {"7f", "00ff", "01", "0400"}) EXPECT_TRUE(list.find(test::hex(serial))) << serial;
    for (const auto* serial : {"02", "ff", "04", "00", "040000"}) EXPECT_FALSE(list.find(test::hex(serial))) << serial;
}

// A serial number of 200 octets is none of RFC 5280, but it is DER; its octets here look like a short one with a date after it.
TEST(RevocationList, LongLengthsAreNotTakenForShortOnes) {
    ByteVec serial(127, 0x11);
    append(serial, test::time_of("2026-05-01"));
    serial.resize(200, 0x22);
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry(to_hex(serial)), CrlDraft::entry("05")});
    const auto list = draft.parse().value();
    EXPECT_EQ(list.entry_count(), 2u);
    EXPECT_TRUE(list.find(serial));
    EXPECT_TRUE(list.find(test::hex("05")));
}

// Every shape of entry is read alike, whether or not it is the plain one.
TEST(RevocationList, EntriesOfEveryShape) {
    const ByteVec late = test::tlv(der::Tag::generalized_time, as_bytes("20260501000000Z"));
    const auto other = Extension{der::Oid{"1.2.3"}, false, {}};
    CrlDraft draft;
    draft.set_entries({CrlDraft::entry("01"), CrlDraft::entry("02", {crl_reason_extension}),
                       CrlDraft::entry("03", {{oid::crl_reason, true, {0x0A, 0x01, 0x01}}}),
                       CrlDraft::entry("04", {other, crl_reason_extension}), CrlDraft::entry("85", {crl_reason_extension}),
                       test::sequence({test::hex("020106"), late, test::extensions({crl_reason_extension})})});
    const auto entries = all_entries(draft.parse().value());
    ASSERT_EQ(entries.size(), 6u);
    for (const auto& entry : entries) {
        EXPECT_EQ(entry.revoked_at, at("2026-05-01"));
        EXPECT_EQ(entry.reason, &entry == &entries[0] ? CrlReason::unspecified : CrlReason::key_compromise);
    }
}

TEST(RevocationList, RevokingEntryWinsOverRemoval) {
    const Extension remove{oid::crl_reason, false, test::hex("0a0108")};
    for (const bool removal_first : {true, false}) {
        CrlDraft draft;
        draft.set(make_delta_crl_indicator(CrlNumber{4}));
        std::vector entries{CrlDraft::entry("05", {remove}), CrlDraft::entry("05", {crl_reason_extension})};
        if (!removal_first) std::swap(entries[0], entries[1]);
        draft.set_entries(entries);
        EXPECT_EQ(draft.parse().value().find(test::hex("05"))->reason, CrlReason::key_compromise);
    }
}

// RFC 5280 5.3.3: an issuer holds until the next one is named; before the first it is the list's.
TEST(RevocationList, EntriesOfIndirectListBelongToTheIssuerNamedLast) {
    const auto of = [](std::string_view issuer) {
        return Extension{oid::certificate_issuer, true,
                         write_general_names({test::general_name("dirname:" + std::string{issuer})})};
    };
    CrlDraft draft;
    draft.set(make_issuing_distribution_point({.name = {}, .only_some_reasons = {}, .indirect = true}));
    draft.set_entries({CrlDraft::entry("01"), CrlDraft::entry("02", {of("CN=a")}), CrlDraft::entry("03"),
                       CrlDraft::entry("01", {of("CN=b")}), CrlDraft::entry("04")});
    const auto list = draft.parse().value();
    EXPECT_EQ(test::failure(list.check_usable()), "no error");
    const auto has = [&](std::string_view serial, std::string_view issuer) {
        return list.find(test::hex(serial), test::name(issuer)).has_value();
    };
    EXPECT_TRUE(has("01", "CN=issuer") && has("02", "CN=a") && has("03", "CN=a") && has("01", "CN=b") && has("04", "CN=b"));
    EXPECT_TRUE(has("03", "CN=A"));  // names match as RFC 5280 7.1 says
    EXPECT_FALSE(has("02", "CN=issuer") || has("01", "CN=a") || has("03", "CN=b") || has("04", "CN=a"));
}

TEST(RevocationList, CertificateIssuerInDirectListForbidsUse) {
    CrlDraft draft;
    draft.set_entries(
        {CrlDraft::entry("05", {{oid::certificate_issuer, true, write_general_names({test::general_name("dirname:CN=a")})}})});
    EXPECT_THAT(test::failure(draft.parse().value().check_usable()), HasSubstr("CRL that is not indirect"));
}

TEST(RevocationList, SignatureIsVerified) {
    const auto der = test::signed_list(CrlEncoder{test::crl_template()});
    const auto list = RevocationList::parse(der).value();
    EXPECT_EQ(test::failure(list.verify_issued_by(test::crl_issuer())), "no error");
    auto forged = der;
    const auto date = std::ranges::search(forged, test::time_of("2026-06-08"));
    *(date.begin() + 3) = '7';  // 2027
    EXPECT_THAT(test::failure(RevocationList::parse(forged).value().verify_issued_by(test::crl_issuer())),
                HasSubstr("bad_proof"));
}

TEST(RevocationList, IssuerHasToBeTheOneAndToBeAllowed) {
    const auto list = RevocationList::parse(test::signed_list(CrlEncoder{test::crl_template()})).value();
    EXPECT_THAT(test::failure(list.verify_issued_by(test::load("ca", "crl"))),
                HasSubstr("not_authorised: the CRL is issued by CN=issuer"));
    EXPECT_THAT(test::failure(list.verify_issued_by(test::crl_issuer(key_cert_sign))), HasSubstr("no cRLSign"));
    const auto without_usage = test::unsigned_certificate("CN=issuer", test::hex("01"), {});
    EXPECT_EQ(test::failure(list.verify_issued_by(without_usage)), "no error");
}

// The same list through OpenSSL, entry by entry.
TEST(RevocationList, AgreesWithOpenssl) {
    for (const auto* name : {"complete", "delta", "partition", "version_1", "rfc5280_c4"}) {
        const auto list = load_list(name);
        const auto other = test::openssl_crl(list.der());
        ASSERT_TRUE(other) << name;
        auto* revoked = X509_CRL_get_REVOKED(other.get());
        ASSERT_EQ(static_cast<std::size_t>(sk_X509_REVOKED_num(revoked)), list.entry_count()) << name;
        int index = 0;
        for (const auto& entry : all_entries(list)) {
            const auto* theirs = sk_X509_REVOKED_value(revoked, index++);
            std::uint8_t* octets = nullptr;
            const int size = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(theirs), &octets);
            EXPECT_TRUE(same(Bytes(octets + 2, static_cast<std::size_t>(size) - 2), entry.serial_number)) << name;
            OPENSSL_free(octets);
            EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(theirs),
                                           std::chrono::system_clock::to_time_t(entry.revoked_at)),
                      0);
            auto* reason = static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(theirs, NID_crl_reason, nullptr, nullptr));
            EXPECT_EQ(reason == nullptr ? 0 : ASN1_ENUMERATED_get(reason), static_cast<long>(entry.reason));
            ASN1_ENUMERATED_free(reason);
        }
    }
}

}  // namespace
}  // namespace estuary::x509
