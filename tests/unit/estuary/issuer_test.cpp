#include "issuer.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "estuary/cms/certs_only.h"
#include "tests/unit/ocsp/status_world.h"

namespace estuary::client {
namespace {

using namespace ocsp::relying_party;
using testing::HasSubstr;

TEST(Issuer, MustHaveSigned) {
    World world;
    EXPECT_TRUE(check_issued_by(world.device.certificate, world.ca.certificate));
    const auto namesake = check_issued_by(world.device.certificate, make_ca().certificate);
    ASSERT_FALSE(namesake);
    EXPECT_EQ(namesake.error().code, Code::bad_proof);
    EXPECT_EQ(check_issued_by(world.device.certificate, make_ca("CN=Other").certificate).error().code, Code::not_found);
}

TEST(Issuer, MustBeACa) {
    World world;
    const auto below = issue({.subject = "CN=below"}, &world.device);
    const auto checked = check_issued_by(below.certificate, world.device.certificate);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().detail, HasSubstr("no CA"));
}

TEST(Issuer, IsChosenAmongNamesakes) {
    World world;
    std::vector<x509::Certificate> candidates{make_ca().certificate, world.ca.certificate};
    EXPECT_EQ(find_issuer(world.device.certificate, candidates, world.fetch()).value(), world.ca.certificate);
}

TEST(Issuer, IsFetchedFromWhereTheCertificateSays) {
    World world;
    world.replace_device({.extensions = {x509::make_authority_info_access({}, {issuer_url})}});
    std::vector<x509::Certificate> candidates;
    const auto none = find_issuer(world.device.certificate, candidates, world.fetch());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::unavailable);
    EXPECT_THAT(none.error().detail, HasSubstr("--issuer FILE"));
    world.put(issuer_url, world.ca.certificate.der(), "application/pkix-cert");
    EXPECT_EQ(find_issuer(world.device.certificate, candidates, world.fetch()).value(), world.ca.certificate);
    candidates.clear();
    world.put(issuer_url, cms::encode_certs_only({world.ca.certificate.der()}), "application/pkcs7-mime");
    EXPECT_EQ(find_issuer(world.device.certificate, candidates, world.fetch()).value(), world.ca.certificate);
    candidates.clear();
    world.put(issuer_url, make_ca().certificate.der(), "application/pkix-cert");
    EXPECT_EQ(find_issuer(world.device.certificate, candidates, world.fetch()).error().code, Code::bad_proof);
}

TEST(Issuer, WithTrustIsOnAPathToIt) {
    World world;
    std::vector<x509::Certificate> candidates{world.ca.certificate};
    EXPECT_TRUE(find_trusted_issuer(world.device.certificate, candidates, {world.ca.certificate}, world.fetch(), now));
    const auto other = find_trusted_issuer(world.device.certificate, candidates, {make_ca().certificate}, world.fetch(), now);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::not_authenticated);
}

TEST(Issuer, IntermediatesOnThePathAreFetched) {
    World world;
    const auto intermediate = issue({.subject = "CN=Intermediate",
                                     .serial = hex("02"),
                                     .extensions = {x509::make_basic_constraints({true, std::nullopt}),
                                                    x509::make_key_usage(x509::key_cert_sign | x509::crl_sign)}},
                                    &world.ca);
    const auto below = issue({.extensions = {x509::make_authority_info_access({}, {issuer_url})}}, &intermediate);
    world.put(issuer_url, intermediate.certificate.der(), "application/pkix-cert");
    std::vector<x509::Certificate> candidates{world.ca.certificate};
    const auto found = find_trusted_issuer(below.certificate, candidates, {world.ca.certificate}, world.fetch(), now);
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(*found, intermediate.certificate);
}

TEST(CertificateInput, ReadsFilesAndDirectories) {
    World world;
    namespace fs = std::filesystem;
    const auto directory = fs::temp_directory_path() / ("estuary-status-" + std::to_string(::getpid()));
    fs::create_directories(directory);
    std::ofstream{directory / "chain.pem"} << world.device.certificate.to_pem() << world.ca.certificate.to_pem();
    std::ofstream{directory / "anchors.pem"} << world.ca.certificate.to_pem();
    const auto from_file = read_certificate((directory / "chain.pem").string());
    ASSERT_TRUE(from_file);
    EXPECT_EQ(from_file->certificate, world.device.certificate);
    EXPECT_EQ(from_file->others.size(), 1u);
    EXPECT_TRUE(from_file->anchors.empty());
    const auto from_directory = read_certificate(directory.string());
    ASSERT_TRUE(from_directory);
    EXPECT_EQ(from_directory->anchors.size(), 1u);
    EXPECT_FALSE(read_certificate((directory / "none.pem").string()));
    fs::remove_all(directory);
}

}  // namespace
}  // namespace estuary::client
