// Path validation over certificates that the openssl command line made (tests/data/x509/make.sh); limbo_test.cpp has more.
#include "estuary/x509/path.h"

#include <atomic>
#include <thread>

#include "support.h"

namespace estuary::x509 {
namespace {

using test::load;
using testing::AllOf;
using testing::HasSubstr;

std::vector<Certificate> load_all(const std::vector<std::string>& names) {
    std::vector<Certificate> all;
    for (const auto& name : names) all.push_back(load(name));
    return all;
}

struct PathCase {
    std::string name;
    std::string end_entity = "device";
    std::vector<std::string> intermediates{"issuing"};
    std::vector<std::string> anchors{"root"};
    std::string at = "2027-01-01";
    std::vector<der::Oid> purposes = {};
    unsigned depth_max = 8;
    bool partial = true;
    std::vector<std::string> path = {};   ///< what is found, or …
    std::vector<std::string> error = {};  ///< … parts of the error's code and detail
};

Result<std::vector<Certificate>> validate(const PathCase& test) {
    const PathOptions options{.at = parse_iso8601(test.at).value(),
                              .required_ext_key_usage = test.purposes,
                              .depth_max = test.depth_max,
                              .anchors_may_be_intermediates = test.partial};
    return validate_path(load(test.end_entity), load_all(test.intermediates), load_all(test.anchors), options);
}

std::string test_name(const testing::TestParamInfo<PathCase>& test) { return test.param.name; }

class GoodPath : public testing::TestWithParam<PathCase> {};

TEST_P(GoodPath, IsFound) {
    const auto found = validate(GetParam());
    ASSERT_EQ(test::failure(found), "no error");
    EXPECT_TRUE(*found == load_all(GetParam().path));
}

const std::vector<std::string> whole{"device", "issuing", "root"};

INSTANTIATE_TEST_SUITE_P(
    Openssl, GoodPath,
    testing::Values(
        PathCase{.name = "whole", .path = whole}, PathCase{.name = "to_a_root_only", .partial = false, .path = whole},
        PathCase{.name = "root_handed_in_too", .intermediates = {"root", "issuing"}, .path = whole},
        PathCase{.name = "all_handed_in_twice",
                 .intermediates = {"device", "issuing", "root", "root", "issuing", "device"},
                 .path = whole},
        PathCase{.name = "others_handed_in_too", .intermediates = {"rsa", "ed25519", "issuing"}, .path = whole},
        PathCase{.name = "anchor_is_intermediate", .intermediates = {}, .anchors = {"issuing"}, .path = {"device", "issuing"}},
        PathCase{.name = "end_entity_is_anchor", .intermediates = {}, .anchors = {"device"}, .path = {"device"}},
        PathCase{.name = "several_anchors", .anchors = {"ed25519", "root"}, .path = whole},
        PathCase{.name = "rsa", .end_entity = "rsa", .path = {"rsa", "issuing", "root"}},
        PathCase{.name = "empty_subject", .end_entity = "nameless", .path = {"nameless", "issuing", "root"}},
        PathCase{.name = "one_intermediate_allowed", .depth_max = 1, .path = whole},
        PathCase{.name = "purposes", .purposes = {oid::kp_client_auth, oid::kp_server_auth}, .path = whole},
        PathCase{.name = "no_purposes_stated",
                 .end_entity = "nameless",
                 .purposes = {oid::kp_client_auth},
                 .path = {"nameless", "issuing", "root"}},
        // bug class 21: both ends belong to the validity
        PathCase{.name = "first_second", .at = "2026-02-01T00:00:00Z", .path = whole},
        PathCase{.name = "last_second", .at = "2049-12-31T23:59:59Z", .path = whole}),
    test_name);

class BadPath : public testing::TestWithParam<PathCase> {};

TEST_P(BadPath, IsRefusedWithTheCertificateAndAReason) {
    const auto failure = test::failure(validate(GetParam()));
    for (const auto& part : GetParam().error) EXPECT_THAT(failure, HasSubstr(part));
}

const std::string refused = "not_authenticated: ";
const std::string refused_device = refused + "certificate 'serialNumber=4711,CN=device 1,O=Example' (the end entity): ";

INSTANTIATE_TEST_SUITE_P(
    Openssl, BadPath,
    testing::Values(
        PathCase{.name = "no_anchors", .anchors = {}, .error = {refused, "no trust anchors"}},
        PathCase{.name = "other_anchor", .anchors = {"ed25519"}, .error = {refused, "CN=Example Issuing CA", "issuer"}},
        PathCase{.name = "intermediate_missing", .intermediates = {}, .error = {refused_device, "issuer"}},
        PathCase{.name = "anchor_is_no_root",
                 .intermediates = {},
                 .anchors = {"issuing"},
                 .partial = false,
                 .error = {refused, "CN=Example Issuing CA", "number 1", "issuer"}},
        // bug class 21
        PathCase{.name = "a_second_early", .at = "2026-01-31T23:59:59Z", .error = {refused_device, "not yet valid"}},
        PathCase{.name = "a_second_late", .at = "2050-01-01T00:00:00Z", .error = {refused_device, "expired"}},
        PathCase{.name = "long_after", .at = "2051-01-01T00:00:00Z", .error = {refused, "expired"}},
        PathCase{.name = "unknown_critical_extension",
                 .end_entity = "odd",
                 .error = {refused, "'CN=odd' (the end entity)", "critical"}},
        PathCase{.name = "name_constraints", .end_entity = "outside", .error = {refused, "excluded subtree"}},
        PathCase{.name = "sha1", .end_entity = "sha1", .error = {refused, "'CN=sha1'", "too weak"}},
        PathCase{.name = "rsa_1024", .end_entity = "rsa_1024", .error = {refused, "'CN=small'", "too weak"}},
        PathCase{.name = "too_deep", .depth_max = 0, .error = {refused, "too long"}},
        PathCase{.name = "other_purpose", .purposes = {oid::kp_client_auth, oid::kp_cmc_ra}, .error = {refused_device, "cmcRA"}},
        PathCase{.name = "too_many", .intermediates = std::vector<std::string>(101, "rsa"), .error = {"too_large: "}}),
    test_name);

TEST(TrustAnchors, ServeManyThreads) {
    const auto anchors = TrustAnchors::create(load_all({"ed25519", "root"})).value();
    const PathOptions options{.at = parse_iso8601("2027-01-01").value()};
    const auto device = load("device");
    const auto between = load_all({"issuing"});
    const auto expected = load_all(whole);
    std::vector<std::jthread> threads;
    std::atomic<int> wrong = 0;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 20; ++j) {
                const auto found = validate_path(device, between, anchors, options);
                if (!found || *found != expected || validate_path(device, {}, anchors, options)) ++wrong;
            }
        });
    threads.clear();
    EXPECT_EQ(wrong, 0);
}

TEST(Path, SignatureOfAnother) {
    const auto device_certificate = load("device");
    auto tbs = to_vec(device_certificate.tbs());
    tbs.back() ^= 0x01;  // the last octet of the caIssuers URI
    const auto forged =
        Certificate::parse(encode_certificate(tbs, device_certificate.signature_algorithm(), device_certificate.signature()));
    ASSERT_TRUE(forged);
    const auto result = validate_path(*forged, {load("issuing")}, {load("root")},
                                      {.at = parse_iso8601("2027-01-01").value(), .required_ext_key_usage = {}});
    EXPECT_THAT(test::failure(result), AllOf(HasSubstr(refused_device), HasSubstr("signature")));
}

}  // namespace
}  // namespace estuary::x509
