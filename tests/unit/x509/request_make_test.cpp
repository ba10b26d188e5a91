#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "estuary/x509/certification_request.h"

#include "support.h"

namespace estuary::x509 {
namespace {

using test::general_name;
using test::failure;
using test::hex;
using test::name;
using testing::HasSubstr;

/// Output and exit status of a command.
std::pair<std::string, int> run(const std::string& command) {
    std::string out;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return {"popen failed", -1};
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
    const int status = ::pclose(pipe);
    return {out, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

RequestTemplate full_template() {
    RequestTemplate wanted;
    wanted.subject = name("/C=DE/O=Zürich, Example/CN=device 1");
    wanted.extensions = {make_subject_alt_name({general_name("dns:device1.example"), general_name("ip:192.0.2.1")}, false),
                         make_ext_key_usage({oid::kp_client_auth})};
    wanted.attributes = {make_challenge_password("secret"), make_directory_string_attribute(oid::otp_challenge, "öne-time"),
                         make_change_subject_name({name("CN=new"), {general_name("dns:new.example")}})};
    return wanted;
}

class RequestMade : public testing::TestWithParam<std::string> {};

TEST_P(RequestMade, IsReadBack) {
    const auto key = crypto::PrivateKey::generate(GetParam()).value();
    const auto wanted = full_template();
    const auto der = make_request(wanted, key);
    ASSERT_TRUE(der) << failure(der);
    const auto request = SignedRequest::parse(*der);
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->subject(), wanted.subject);
    EXPECT_EQ(request->extensions(), wanted.extensions);
    EXPECT_EQ(request->attributes().size(), 4u);
    EXPECT_EQ(request->challenge_password(), "secret");
    EXPECT_EQ(directory_string_attribute(request->attributes(), oid::otp_challenge).value(), "öne-time");
    const auto change = change_subject_name(*request).value().value();
    EXPECT_EQ(change.subject, name("CN=new"));
    EXPECT_EQ(change.subject_alt, std::vector{general_name("dns:new.example")});
    EXPECT_TRUE(same(request->spki(), key.public_key().spki()));
}

TEST_P(RequestMade, IsVerifiedByOpenssl) {
    if (run("openssl version").second != 0) GTEST_SKIP() << "the openssl command is not installed";
    const auto key = crypto::PrivateKey::generate(GetParam()).value();
    const auto path = testing::TempDir() + "estuary-request-" + GetParam() + "-" + std::to_string(::getpid()) + ".der";
    ASSERT_TRUE(file::write_atomically(path, make_request(full_template(), key).value(), file::Access::owner_only));
    const auto [verified, status] = run("openssl req -inform DER -in " + path + " -verify -noout");
    const auto text = run("openssl req -inform DER -in " + path + " -noout -text -nameopt RFC2253,utf8,-esc_msb").first;
    std::filesystem::remove(path);
    EXPECT_EQ(status, 0) << verified;
    EXPECT_THAT(verified, HasSubstr("verify OK"));
    EXPECT_THAT(text, HasSubstr("Subject: CN=device 1,O=Zürich\\, Example,C=DE"));
    EXPECT_THAT(text, HasSubstr("DNS:device1.example, IP Address:192.0.2.1"));
    EXPECT_THAT(text, testing::ContainsRegex("challengePassword *:secret"));
}

INSTANTIATE_TEST_SUITE_P(KeyTypes, RequestMade, testing::Values("p256", "p384", "ed25519", "rsa2048"),
                         [](const auto& test) { return test.param; });

TEST(MakeRequest, WritesEmptyAttributesAsRfc2986Wants) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto der = make_request({name("CN=a"), {}, {}}, key).value();
    auto reader = der::enter_only(der, der::Tag::sequence, "request").value();
    const auto info = reader.element(der::Tag::sequence).value();
    EXPECT_EQ(to_hex(info.content.last(2)), "a000");
    EXPECT_TRUE(SignedRequest::parse(der));
}

TEST(MakeRequest, SortsAttributesAndValues) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    RequestTemplate wanted{name("CN=a"), {}, {{oid::otp_challenge, {hex("0c0162"), hex("0c0161")}},
                                              {oid::challenge_password, {hex("0c0161")}}}};
    const auto request = SignedRequest::parse(make_request(wanted, key).value()).value();
    ASSERT_EQ(request.attributes().size(), 2u);
    EXPECT_EQ(request.attributes()[0].type, oid::challenge_password);
    EXPECT_EQ(to_hex(request.attributes()[1].values[0]), "0c0161");
}

TEST(MakeRequest, RefusesAttributesTwice) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto twice = make_challenge_password("a");
    EXPECT_EQ(make_request({Name{}, {}, {twice, twice}}, key).error().code, Code::conflict);
    EXPECT_EQ(make_request({Name{}, {make_key_usage(digital_signature)}, {{oid::extension_request, {hex("3000")}}}}, key)
                  .error().code, Code::conflict);
    EXPECT_EQ(make_request({Name{}, {}, {{oid::otp_challenge, {}}}}, key).error().code, Code::malformed);
}

TEST(MakeRequest, PicksPrintableStringWhereItCan) {
    EXPECT_EQ(to_hex(make_challenge_password("a+/=").values[0]), "1304612b2f3d");
    EXPECT_EQ(to_hex(make_challenge_password("a_b").values[0]), "0c03615f62");
}

/// A request whose changeSubjectName is this.
Result<std::optional<ChangeSubjectName>> change_of(std::vector<ByteVec> values) {
    static const auto key = crypto::PrivateKey::generate("p256").value();
    const auto der = make_request({Name{}, {}, {{oid::change_subject_name, std::move(values)}}}, key).value();
    return change_subject_name(SignedRequest::parse(der).value());
}

TEST(ChangeSubjectName, ReadsEitherPart) {
    EXPECT_FALSE(change_subject_name(SignedRequest::parse(test::data_file("requests/p256.der")).value()).value());
    const auto subject = change_of({make_change_subject_name({name("CN=a"), {}}).values[0]}).value().value();
    EXPECT_EQ(subject.subject, name("CN=a"));
    EXPECT_TRUE(subject.subject_alt.empty());
    const auto alt = change_of({make_change_subject_name({{}, {general_name("dns:a")}}).values[0]}).value().value();
    EXPECT_FALSE(alt.subject);
    EXPECT_EQ(alt.subject_alt.size(), 1u);
    EXPECT_TRUE(change_of({hex("30023000")}).value()->subject->empty()) << "an empty SEQUENCE can only be a Name";
}

TEST(ChangeSubjectName, RefusesTheRest) {
    EXPECT_FALSE(change_of({hex("3000")}));                            // neither part
    EXPECT_FALSE(change_of({hex("30023000"), hex("30053003820161")}));  // two values
    EXPECT_FALSE(change_of({hex("300a30038201613003820161")}));         // names twice
    EXPECT_FALSE(change_of({hex("3007" "3003820161" "0500")}));
    EXPECT_FALSE(change_of({hex("3008" "3006" "82046e6f2e2e" "")}));    // "no.." is no DNS name
    EXPECT_FALSE(change_of({hex("0500")}));
}

}  // namespace
}  // namespace estuary::x509
