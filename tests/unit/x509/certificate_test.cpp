// Certificates read and written. Those in tests/data/x509 were made by the openssl command line (make.sh there).
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "estuary/crypto/digest.h"
#include "estuary/x509/certificate.h"
#include "support.h"

namespace estuary::x509 {
namespace {

using der::Tag;
using test::load;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TbsCertificate tbs_of(const Certificate& certificate) {
    return {to_vec(certificate.serial_number()),
            to_vec(certificate.signature_algorithm()),
            certificate.issuer(),
            certificate.not_before(),
            certificate.not_after(),
            certificate.subject(),
            to_vec(certificate.spki()),
            certificate.extensions()};
}

TEST(CertificateParse, Fields) {
    const auto device = load("device");
    EXPECT_EQ(device.serial_hex(), "af0000000000000000000000000000000001");
    EXPECT_EQ(device.issuer().to_text(), "CN=Example Issuing CA,O=Example,C=XX");
    EXPECT_EQ(device.subject().to_text(), "serialNumber=4711,CN=device 1,O=Example");
    EXPECT_EQ(to_iso8601(device.not_before()), "2026-02-01T00:00:00Z");
    EXPECT_EQ(to_iso8601(device.not_after()), "2049-12-31T23:59:59Z");
    EXPECT_EQ(device.key_usage(), digital_signature);
    EXPECT_THAT(device.ext_key_usage(), ElementsAre(oid::kp_client_auth, oid::kp_server_auth));
    EXPECT_TRUE(device.has_ext_key_usage(oid::kp_client_auth));
    EXPECT_FALSE(device.has_ext_key_usage(oid::kp_cmc_ra));
    EXPECT_FALSE(device.is_ca());
    EXPECT_FALSE(device.is_self_issued());
    EXPECT_EQ(device.extensions().size(), 9u);
    const auto names = device.subject_alt_names().value();
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(names[0].to_text(), "dns:device-1.example.com");
    EXPECT_EQ(names[1].to_text(), "ip:192.0.2.7");
}

TEST(CertificateParse, Authorities) {
    const auto issuing = load("issuing");
    EXPECT_TRUE(issuing.is_ca());
    EXPECT_EQ(issuing.path_length(), 0u);
    EXPECT_EQ(issuing.key_usage(), digital_signature | key_cert_sign | crl_sign);
    const auto root = load("root");
    EXPECT_TRUE(root.is_ca());
    EXPECT_TRUE(root.is_self_issued());
    EXPECT_EQ(root.path_length(), std::nullopt);
    EXPECT_EQ(root.name_constraints(), nullptr);
    ASSERT_NE(issuing.name_constraints(), nullptr);
    EXPECT_EQ((*issuing.name_constraints())->permitted.size(), 2u);
    EXPECT_EQ((*issuing.name_constraints())->excluded.size(), 1u);
    EXPECT_EQ(root.authority_key_id(), std::nullopt);
    EXPECT_EQ(issuing.authority_key_id(), root.subject_key_id());
    EXPECT_EQ(load("device").authority_key_id(), issuing.subject_key_id());
    EXPECT_EQ(issuing.subject_key_id(), key_identifier(issuing.spki()).value());
}

TEST(CertificateParse, WithoutExtensions) {
    const auto old = load("version_1");
    EXPECT_THAT(old.extensions(), IsEmpty());
    EXPECT_FALSE(old.is_ca());
    EXPECT_EQ(old.key_usage(), std::nullopt);
    EXPECT_THAT(old.ext_key_usage(), IsEmpty());
    EXPECT_EQ(old.subject_key_id(), std::nullopt);
    EXPECT_THAT(old.subject_alt_names().value(), IsEmpty());
}

TEST(CertificateParse, UnknownCriticalExtensionIsKept) {
    const auto odd = load("odd");
    const auto* extension = find(odd.extensions(), der::Oid{"1.3.6.1.4.1.99999.7"});
    ASSERT_NE(extension, nullptr);
    EXPECT_TRUE(extension->critical);
    EXPECT_EQ(extension->value, test::hex("0500"));
}

TEST(CertificateParse, SerialNumbers) {
    EXPECT_EQ(load("serial_zero").serial_hex(), "00");
    EXPECT_EQ(load("serial_20").serial_hex(), "f123456789abcdef0123456789abcdef01234567");
    EXPECT_EQ(load("serial_20").serial_number().size(), 21u);  // with the octet that keeps it positive
    const auto longer = Certificate::parse(test::data_file("x509/serial_21.der"));
    EXPECT_EQ(test::failure(longer), "too_large: certificate: serial number is longer than 20 octets");
}

TEST(CertificateParse, FingerprintAsOpensslPrintsIt) {
    EXPECT_EQ(load("device").sha256_fingerprint(),
              "2E:FA:A1:D9:40:CC:DD:2D:65:03:21:8F:B3:0D:78:4A:AB:69:22:EC:6A:8D:AB:7C:F9:E9:1B:09:21:B5:67:F5");
}

TEST(CertificateParse, CopiesShareAndCompare) {
    const auto device = load("device");
    const auto copy = device;
    EXPECT_EQ(copy.der().data(), device.der().data());
    EXPECT_TRUE(device == load("device"));
    EXPECT_FALSE(device == load("rsa"));
}

// Bad input: a certificate put together from parts, one of them spoilt.
struct Parts {
    ByteVec version = test::hex("a003020102");
    ByteVec serial = test::hex("020101");
    ByteVec inner_algorithm = test::hex("300a06082a8648ce3d040302");
    ByteVec issuer = to_vec(test::name("CN=ca").der());
    ByteVec validity = test::hex("301e170d3236303130313030303030305a170d3237303130313030303030305a");
    ByteVec subject = to_vec(test::name("CN=device").der());
    ByteVec spki = to_vec(load("device").spki());
    ByteVec after_spki;
    std::vector<Extension> extensions{make_key_usage(digital_signature)};
    ByteVec raw_extensions;
    ByteVec after_extensions;
    ByteVec outer_algorithm = test::hex("300a06082a8648ce3d040302");
    ByteVec signature = test::hex("03020001");
    ByteVec after_signature;

    ByteVec encode() const {
        der::Writer writer;
        writer.sequence([&] {
            writer.sequence([&] {
                writer.raw(version).raw(serial).raw(inner_algorithm).raw(issuer).raw(validity).raw(subject).raw(spki);
                writer.raw(after_spki);
                if (!extensions.empty())
                    writer.constructed(der::context_constructed(3), [&] { write_extensions(writer, extensions); });
                writer.raw(raw_extensions).raw(after_extensions);
            });
            writer.raw(outer_algorithm).raw(signature).raw(after_signature);
        });
        return std::move(writer).take();
    }
};

TEST(CertificateParse, GoodParts) {
    EXPECT_EQ(test::failure(Certificate::parse(Parts{}.encode())), "no error");
    Parts with_unique_ids;
    with_unique_ids.after_spki = test::hex("81020001820200ff");
    EXPECT_EQ(test::failure(Certificate::parse(with_unique_ids.encode())), "no error");
    Parts negative_serial;  // others have issued such; the lint keeps us from it
    negative_serial.serial = test::hex("0201ff");
    EXPECT_EQ(test::failure(Certificate::parse(negative_serial.encode())), "no error");
}

struct BadCertificate {
    std::string name;
    std::function<void(Parts&)> spoil;
    std::string error;  ///< a part of code and detail
};
class CertificateBad : public testing::TestWithParam<BadCertificate> {};

TEST_P(CertificateBad, IsRefusedWithAReason) {
    Parts parts;
    GetParam().spoil(parts);
    EXPECT_THAT(test::failure(Certificate::parse(parts.encode())), HasSubstr(GetParam().error));
}

Extension extension(const der::Oid& id, std::string_view hex) { return {id, false, test::hex(hex)}; }

INSTANTIATE_TEST_SUITE_P(
    Rfc5280, CertificateBad,
    testing::Values(
        BadCertificate{"version_2", [](Parts& p) { p.version = test::hex("a003020101"); },
                       "unsupported: certificate: certificate is neither"},
        BadCertificate{"version_4", [](Parts& p) { p.version = test::hex("a003020103"); }, "unsupported"},
        BadCertificate{"version_1_written_out", [](Parts& p) { p.version = test::hex("a003020100"); }, "must be absent"},
        BadCertificate{"version_1_with_extensions", [](Parts& p) { p.version.clear(); }, "end of TBSCertificate"},
        BadCertificate{"serial_not_minimal", [](Parts& p) { p.serial = test::hex("02020001"); }, "shortest form"},
        BadCertificate{"serial_empty", [](Parts& p) { p.serial = test::hex("0200"); }, "malformed"},
        BadCertificate{"serial_too_long", [](Parts& p) { p.serial = test::tlv(Tag::integer, ByteVec(21, 0x11)); }, "too_large"},
        BadCertificate{"algorithms_differ", [](Parts& p) { p.outer_algorithm = test::hex("300a06082a8648ce3d040303"); },
                       "algorithms differ"},
        BadCertificate{"algorithm_with_more", [](Parts& p) { p.inner_algorithm = test::hex("300e06082a8648ce3d04030205000500"); },
                       "AlgorithmIdentifier"},
        BadCertificate{"issuer_no_name", [](Parts& p) { p.issuer = test::hex("3003020101"); }, "issuer"},
        BadCertificate{"subject_no_name", [](Parts& p) { p.subject = test::hex("3003020101"); }, "subject"},
        BadCertificate{"time_without_seconds",
                       [](Parts& p) { p.validity = test::hex("301c170b323630313031303030305a170d3237303130313030303030305a"); },
                       "notBefore"},
        BadCertificate{
            "time_with_offset",
            [](Parts& p) { p.validity = test::hex("3022170d3236303130313030303030305a17113237303130313030303030302b30303030"); },
            "notAfter"},
        BadCertificate{"third_time",
                       [](Parts& p) {
                           p.validity = test::hex(
                               "302d170d3236303130313030303030305a170d3237303130313030303030305a170d3237303130313030303030305a");
                       },
                       "Validity"},
        BadCertificate{"extensions_empty",
                       [](Parts& p) {
                           p.extensions.clear();
                           p.raw_extensions = test::hex("a3023000");
                       },
                       "Extensions is empty"},
        BadCertificate{"extension_twice", [](Parts& p) { p.extensions.push_back(p.extensions.front()); }, "more than once"},
        BadCertificate{"critical_false_written_out",
                       [](Parts& p) {
                           p.extensions.clear();
                           p.raw_extensions = test::hex("a310300e300c0603551d0f01010004020500");
                       },
                       "must be absent"},
        BadCertificate{"something_after_extensions", [](Parts& p) { p.after_extensions = test::hex("0500"); },
                       "end of TBSCertificate"},
        BadCertificate{"something_after_signature", [](Parts& p) { p.after_signature = test::hex("0500"); },
                       "end of Certificate"},
        BadCertificate{"signature_not_of_octets", [](Parts& p) { p.signature = test::hex("03020101"); }, "BIT STRING"},
        // bug class 15: odd but well-formed encodings in the extensions that everybody asks for
        BadCertificate{"ext_key_usage_empty", [](Parts& p) { p.extensions.push_back(extension(oid::ext_key_usage, "3000")); },
                       "extKeyUsage"},
        BadCertificate{"key_usage_empty", [](Parts& p) { p.extensions = {extension(oid::key_usage, "030100")}; }, "keyUsage"},
        BadCertificate{"key_usage_no_bits", [](Parts& p) { p.extensions = {extension(oid::key_usage, "0500")}; }, "keyUsage"},
        BadCertificate{"basic_constraints_negative",
                       [](Parts& p) { p.extensions.push_back(extension(oid::basic_constraints, "30060101ff0201ff")); },
                       "basicConstraints"},
        BadCertificate{"subject_key_id_empty",
                       [](Parts& p) { p.extensions.push_back(extension(oid::subject_key_identifier, "0400")); },
                       "subjectKeyIdentifier"},
        BadCertificate{"authority_key_id_no_sequence",
                       [](Parts& p) { p.extensions.push_back(extension(oid::authority_key_identifier, "040101")); },
                       "authorityKeyIdentifier"}),
    [](const auto& test) { return test.param.name; });

TEST(CertificateBadDer, EveryPrefixAndEveryTail) {
    const auto der = test::data_file("x509/device.der");
    for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(Certificate::parse(Bytes{der}.first(size))) << size;
    auto longer = der;
    longer.push_back(0);
    EXPECT_FALSE(Certificate::parse(longer));
}

TEST(CertificateBadDer, IndefiniteLength) {  // bug class 15: BER that OpenSSL takes
    const auto der = test::data_file("x509/device.der");
    ByteVec ber = test::hex("3080");
    append(ber, Bytes{der}.subspan(4));
    append(ber, test::hex("0000"));
    EXPECT_THAT(test::failure(Certificate::parse(ber)), HasSubstr("indefinite length"));
}

TEST(CertificateBadDer, TooLarge) {
    Parts parts;
    parts.extensions.push_back({der::Oid{"1.3.6.1.4.1.99999.7"}, false, ByteVec(300 * 1024)});
    EXPECT_THAT(test::failure(Certificate::parse(parts.encode())), HasSubstr("too_large"));
}

TEST(CertificateSignature, OnlyByTheIssuersKey) {
    const auto issuer_key = load("issuing").public_key().value();
    EXPECT_EQ(test::failure(load("device").verify_signed_by(issuer_key)), "no error");
    EXPECT_THAT(test::failure(load("device").verify_signed_by(load("root").public_key().value())), HasSubstr("bad_proof"));
    EXPECT_EQ(test::failure(load("ed25519").verify_signed_by(load("ed25519").public_key().value())), "no error");
}

TEST(CertificateSignature, NoFlippedOctetPasses) {
    const auto issuer_key = load("issuing").public_key().value();
    auto der = test::data_file("x509/device.der");
    for (std::size_t at = 0; at < der.size(); ++at) {
        der[at] ^= 0x01;
        const auto changed = Certificate::parse(der);
        EXPECT_FALSE(changed && changed->verify_signed_by(issuer_key)) << at;
        der[at] ^= 0x01;
    }
}

TEST(CertificateText, OneOrManyInPemOrDer) {
    const auto chain = test::data_file("x509/chain.pem");
    const auto all = parse_certificates(chain).value();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_TRUE(all[0] == load("issuing"));
    EXPECT_TRUE(all[1] == load("root"));
    EXPECT_EQ(parse_certificates(load("device").der()).value().size(), 1u);
    EXPECT_TRUE(Certificate::from_bytes(load("device").der()).value() == load("device"));
    EXPECT_TRUE(Certificate::from_bytes(as_bytes(load("device").to_pem())).value() == load("device"));
    EXPECT_EQ(test::failure(Certificate::from_bytes(chain)), "malformed: expected one certificate, found 2");
}

TEST(CertificateText, OtherBlocksAndTextArePassedOver) {
    const auto text = "0 s:CN = device\n" + to_pem("EC PARAMETERS", test::hex("06082a8648ce3d030107")) + load("device").to_pem();
    EXPECT_TRUE(Certificate::from_bytes(as_bytes(text)).value() == load("device"));
    EXPECT_THAT(test::failure(parse_certificates(as_bytes("no PEM at all"))), HasSubstr("malformed"));
    EXPECT_THAT(test::failure(parse_certificates(as_bytes(to_pem("PRIVATE KEY", test::hex("3000"))))),
                HasSubstr("no certificate found"));
    EXPECT_THAT(test::failure(parse_certificates(as_bytes(load("device").to_pem() + to_pem("CERTIFICATE", test::hex("3000"))))),
                HasSubstr("malformed"));
    EXPECT_FALSE(parse_certificates({}));
}

class CertificateRoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(CertificateRoundTrip, OctetForOctet) {
    const auto certificate = load(GetParam());
    EXPECT_EQ(encode_tbs(tbs_of(certificate)), to_vec(certificate.tbs()));
    EXPECT_EQ(encode_certificate(certificate.tbs(), certificate.signature_algorithm(), certificate.signature()),
              to_vec(certificate.der()));
}

INSTANTIATE_TEST_SUITE_P(Openssl, CertificateRoundTrip,
                         testing::Values("root", "issuing", "device", "rsa", "ed25519", "nameless", "odd", "serial_20"),
                         [](const auto& test) { return std::string{test.param}; });

// bug class 21: the last second of UTCTime and the first of GeneralizedTime
struct TimeCase {
    std::string name;
    std::string time;
    std::string encoded;  ///< tag, length and content
};
class CertificateTime : public testing::TestWithParam<TimeCase> {};

TEST_P(CertificateTime, IsWrittenInItsKind) {
    auto tbs = tbs_of(load("device"));
    tbs.not_after = parse_iso8601(GetParam().time).value();
    const auto encoded = encode_tbs(tbs);
    EXPECT_THAT(to_hex(encoded), HasSubstr(GetParam().encoded));
    const auto signed_octets = encode_certificate(encoded, tbs.signature_algorithm, test::hex("00"));
    EXPECT_EQ(Certificate::parse(signed_octets).value().not_after(), tbs.not_after);
}

INSTANTIATE_TEST_SUITE_P(Rfc5280Section4125, CertificateTime,
                         testing::Values(TimeCase{"end_of_2049", "2049-12-31T23:59:59Z", "170d3439313233313233353935395a"},
                                         TimeCase{"start_of_2050", "2050-01-01T00:00:00Z", "180f32303530303130313030303030305a"},
                                         TimeCase{"leap_day", "2028-02-29T00:00:00Z", "170d3238303232393030303030305a"},
                                         TimeCase{"no_known_end", "9999-12-31T23:59:59Z", "180f39393939313233313233353935395a"}),
                         [](const auto& test) { return test.param.name; });

// What we write is what the openssl command line accepts.
class Issued : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override { std::filesystem::create_directories(directory_); }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string write(const std::string& name, const Certificate& certificate) const {
        const auto path = (directory_ / name).string();
        std::ofstream{path} << certificate.to_pem();
        return path;
    }

private:
    const std::filesystem::path directory_ =
        std::filesystem::path{testing::TempDir()} / ("estuary-issued-" + std::string{GetParam()});
};

Certificate issue(TbsCertificate tbs, const crypto::PrivateKey& key) {
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    const auto encoded = encode_tbs(tbs);
    return Certificate::parse(encode_certificate(encoded, tbs.signature_algorithm, key.sign(encoded).value())).value();
}

TEST_P(Issued, VerifiesWithOpenssl) {
    const auto ca_key = crypto::PrivateKey::generate(GetParam()).value();
    const auto device_key = crypto::PrivateKey::generate("p256").value();
    const auto ca_id = key_identifier(ca_key.public_key().spki()).value();
    const auto from = parse_iso8601("2026-01-01").value();
    TbsCertificate root{test::hex("01"),
                        {},
                        test::name("CN=root"),
                        from,
                        parse_iso8601("2060-01-01").value(),
                        test::name("CN=root"),
                        to_vec(ca_key.public_key().spki()),
                        {make_basic_constraints({.ca = true, .path_length = 0}), make_key_usage(key_cert_sign | crl_sign),
                         make_subject_key_identifier(ca_id)}};
    TbsCertificate device{test::hex("7f00"),
                          {},
                          root.subject,
                          from,
                          parse_iso8601("2059-01-01").value(),
                          test::name("CN=device"),
                          to_vec(device_key.public_key().spki()),
                          {make_key_usage(digital_signature), make_authority_key_identifier(ca_id),
                           make_subject_key_identifier(key_identifier(device_key.public_key().spki()).value()),
                           make_ext_key_usage({oid::kp_client_auth}),
                           make_subject_alt_name({test::general_name("dns:device.example.com")}, false)}};
    const auto root_certificate = issue(root, ca_key);
    const auto device_certificate = issue(device, ca_key);
    EXPECT_THAT(lint_tbs(root_certificate.tbs(), nullptr), IsEmpty());
    EXPECT_THAT(lint_tbs(device_certificate.tbs(), &root_certificate), IsEmpty());
    EXPECT_EQ(test::failure(device_certificate.verify_signed_by(ca_key.public_key())), "no error");
    const auto command = "openssl verify -attime 1800000000 -x509_strict -purpose sslclient -CAfile " +
                         write("root.pem", root_certificate) + " " + write("device.pem", device_certificate) + " > /dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

INSTANTIATE_TEST_SUITE_P(KeyTypes, Issued, testing::Values("p256", "p384", "rsa2048", "ed25519"),
                         [](const auto& test) { return std::string{test.param}; });

}  // namespace
}  // namespace estuary::x509
