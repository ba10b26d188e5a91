#include "estuary/cms/certs_only.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "support.h"

namespace estuary::cms {
namespace {

using test::hex;
using testing::HasSubstr;

ByteVec data_file(const std::string& name) {
    return file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/" + name).value();
}

struct Example {
    std::string name, file;
    std::vector<std::string> subjects;
};
class CertsOnly : public testing::TestWithParam<Example> {};

TEST_P(CertsOnly, ReadsTheExamplesOfTheRfcs) {
    const auto certificates = parse_certs_only(data_file(GetParam().file));
    ASSERT_TRUE(certificates) << certificates.error().detail;
    std::vector<std::string> subjects;
    for (const auto& certificate : *certificates) subjects.push_back(certificate.subject().to_text());
    EXPECT_EQ(subjects, GetParam().subjects);
}

INSTANTIATE_TEST_SUITE_P(Rfcs, CertsOnly, testing::Values(
    Example{"rfc7030_a1", "rfc7030/a1-cacerts.p7", {"CN=estExampleCA OwO", "CN=estExampleCA NwO", "CN=estExampleCA OwN",
                                                    "CN=estExampleCA NwN"}},
    Example{"rfc7030_a3", "rfc7030/a3-simpleenroll-response.p7", {"CN=demostep4 1368141352"}},
    Example{"rfc7030_a4", "rfc7030/a4-serverkeygen-response.p7", {"CN=serverside key generated response"}},
    Example{"rfc9148_a1", "rfc9148/a1-cacerts.p7", {"CN=Root CA,OU=certification,O=Example Inc,L=LA,ST=CA,C=US"}},
    Example{"rfc9148_a2", "rfc9148/a2-sen-response.p7", {"serialNumber=Wt1234,OU=IoT,O=example Inc,L=LA,ST=CA,C=US"}},
    Example{"rfc9148_a3", "rfc9148/a3-skg-response.p7", {"O=skg example"}}),
    [](const auto& test) { return test.param.name; });

std::vector<x509::Certificate> some_certificates() {
    return parse_certs_only(data_file("rfc7030/a1-cacerts.p7")).value();
}

std::vector<Bytes> ders(const std::vector<x509::Certificate>& certificates) {
    std::vector<Bytes> out;
    for (const auto& certificate : certificates) out.push_back(certificate.der());
    return out;
}

TEST(CertsOnly, WritesWhatOpensslWrites) {
    // One certificate leaves no choice: `openssl crl2pkcs7 -nocrl` gives the same octets.
    const auto answer = parse_certs_only(data_file("rfc7030/a3-simpleenroll-response.p7")).value();
    EXPECT_EQ(encode_certs_only(ders(answer)), data_file("certs_only/openssl_nocrl.p7"));
}

TEST(CertsOnly, ReadsWhatOpensslWrites) {
    EXPECT_EQ(parse_certs_only(data_file("certs_only/openssl_nocrl_four.p7")).value(), some_certificates());
    // A signed message is a bag of certificates too; content and signer are passed over.
    const auto signed_message = parse_certs_only(data_file("certs_only/openssl_signed.p7"));
    ASSERT_TRUE(signed_message) << signed_message.error().detail;
    EXPECT_EQ(signed_message->at(0).subject().to_text(), "CN=signer");
}

TEST(CertsOnly, SortsTheBagAsDerDemands) {
    auto certificates = some_certificates();
    const auto encoded = encode_certs_only(ders(certificates));
    std::ranges::reverse(certificates);
    EXPECT_EQ(encode_certs_only(ders(certificates)), encoded);
    const auto read = parse_certs_only(encoded).value();
    ASSERT_EQ(read.size(), certificates.size());
    for (std::size_t i = 1; i < read.size(); ++i)
        EXPECT_TRUE(std::ranges::lexicographical_compare(read[i - 1].der(), read[i].der()));
    for (const auto& certificate : certificates) EXPECT_NE(std::ranges::find(read, certificate), read.end());
}

TEST(CertsOnly, IsEmptyWithoutCertificates) {
    const auto encoded = encode_certs_only({});
    EXPECT_EQ(to_hex(encoded), "302306092a864886f70d010702a016301402010131003" "00b06092a864886f70d0107013100");
    EXPECT_TRUE(parse_certs_only(encoded).value().empty());
}

TEST(CertsOnly, IsReadByOpenssl) {
    if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "the openssl command is not installed";
    const auto path = testing::TempDir() + "estuary-certs-only-" + std::to_string(::getpid()) + ".p7";
    ASSERT_TRUE(file::write_atomically(path, encode_certs_only(ders(some_certificates())), file::Access::owner_only));
    std::string out;
    for (const auto* command : {"openssl pkcs7 -inform DER -print_certs -noout -in ", "openssl cms -cmsout -noout -inform DER -in "}) {
        FILE* pipe = ::popen((command + path + " 2>&1").c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
        const int status = ::pclose(pipe);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << out;
    }
    std::filesystem::remove(path);
    for (const auto* common_name : {"OwO", "OwN", "NwO", "NwN"}) EXPECT_THAT(out, HasSubstr(std::string{"estExampleCA "} + common_name));
}

TEST(CertsOnly, LimitsTheCount) {
    const auto der = data_file("rfc7030/a1-cacerts.p7");
    EXPECT_TRUE(parse_certs_only(der, 4));
    EXPECT_EQ(parse_certs_only(der, 3).error().code, Code::too_large);
}

TEST(CertsOnly, EveryCutIsRefused) {  // bug class 15
    const auto der = data_file("rfc9148/a1-cacerts.p7");
    for (std::size_t size = 0; size < der.size(); ++size)
        ASSERT_FALSE(parse_certs_only(Bytes{der}.first(size))) << size;
}

/// ContentInfo of signedData around the given fields of SignedData, in hexadecimal.
ByteVec wrapped(std::string_view fields) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(der::Oid{"1.2.840.113549.1.7.2"});
        writer.constructed(der::context_constructed(0), [&] { writer.sequence([&] { writer.raw(hex(fields)); }); });
    });
    return std::move(writer).take();
}

constexpr std::string_view data_content = "300b06092a864886f70d010701";

TEST(CertsOnly, PassesOverWhatItDoesNotNeed) {
    const auto fields = [](std::string_view version, std::string_view bags) {
        return std::string{"0201"} + std::string{version} + "3100" + std::string{data_content} + std::string{bags} + "3100";
    };
    for (const auto* version : {"01", "02", "03"}) EXPECT_TRUE(parse_certs_only(wrapped(fields(version, "a000")))) << version;
    EXPECT_TRUE(parse_certs_only(wrapped(fields("01", "a000a100"))).value().empty());             // CRLs, none
    EXPECT_TRUE(parse_certs_only(wrapped(fields("01", "a10430023000"))).value().empty());         // a CRL-like thing
    // A signer is passed over (ReadsWhatOpensslWrites), but something that is none is not.
    EXPECT_EQ(parse_certs_only(wrapped("020103" "3100" "300b06092a864886f70d010701" "a000" "31023000")).error().code, Code::malformed);
}

struct BadCerts {
    std::string name;
    ByteVec der;
    Code code;
    std::string detail;
};
class CertsOnlyRefused : public testing::TestWithParam<BadCerts> {};

TEST_P(CertsOnlyRefused, WithItsReason) {
    const auto parsed = parse_certs_only(GetParam().der);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, GetParam().code) << parsed.error().detail;
    EXPECT_THAT(parsed.error().detail, HasSubstr(GetParam().detail));
}

ByteVec with_trailing_octet() {
    auto der = data_file("rfc9148/a1-cacerts.p7");
    der.push_back(0);
    return der;
}

// bug class 15
INSTANTIATE_TEST_SUITE_P(Rfc5652, CertsOnlyRefused, testing::Values(
    BadCerts{"nothing", {}, Code::malformed, "missing"},
    BadCerts{"trailing", with_trailing_octet(), Code::malformed, "ContentInfo"},
    BadCerts{"indefinite", hex("308006092a864886f70d010702a0800000" "0000"), Code::malformed, "indefinite"},
    BadCerts{"other_content", hex("300b06092a864886f70d010701"), Code::unsupported, "content type"},
    BadCerts{"without_content", hex("300b06092a864886f70d010702"), Code::malformed, "expected"},
    BadCerts{"version_0", wrapped("0201003100300b06092a864886f70d010701a0003100"), Code::malformed, "version 0"},
    BadCerts{"version_4", wrapped("0201043100300b06092a864886f70d010701a0003100"), Code::malformed, "version 4"},
    BadCerts{"version_huge", wrapped("0209010000000000000000" "3100300b06092a864886f70d010701a0003100"), Code::malformed,
             "64 bits"},
    BadCerts{"no_signer_infos", wrapped("0201013100300b06092a864886f70d010701a000"), Code::malformed, "SET"},
    BadCerts{"after_signer_infos", wrapped("0201013100300b06092a864886f70d010701a00031000500"), Code::malformed, "SignedData"},
    BadCerts{"no_content_info", wrapped("0201013100a0003100"), Code::malformed, "SEQUENCE"},
    BadCerts{"attribute_certificate", wrapped("0201033100300b06092a864886f70d010701a002a2003100"), Code::unsupported, "X.509"},
    BadCerts{"other_format", wrapped("0201033100300b06092a864886f70d010701a002a3003100"), Code::unsupported, "X.509"},
    BadCerts{"empty_certificate", wrapped("0201013100300b06092a864886f70d010701a00230003100"), Code::malformed,
             "certificate 1"}),
    [](const auto& test) { return test.param.name; });

TEST(CertsOnly, DeepNestingIsRefused) {  // bug class 15
    ByteVec der = hex("0500");
    for (int depth = 0; depth < 60; ++depth) {
        der::Writer writer;
        writer.sequence([&] { writer.raw(der); });
        der = std::move(writer).take();
    }
    EXPECT_EQ(parse_certs_only(der).error().code, Code::too_large);
}

}  // namespace
}  // namespace estuary::cms
