#include "directory.h"

#include <fstream>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "estuary/base/file.h"

namespace estuary::client {
namespace {

namespace fs = std::filesystem;

class DirectoryTest : public testing::Test {
protected:
    DirectoryTest() : root_{fs::temp_directory_path() / ("estuary-directory-" + std::to_string(::getpid()) + "-" +
                                                         testing::UnitTest::GetInstance()->current_test_info()->name())} {
        fs::remove_all(root_);
    }
    ~DirectoryTest() override { fs::remove_all(root_); }

    /// A self-signed certificate stands for whatever the server issued: the directory does not judge.
    static Identity make_identity(const std::string& name) {
        auto key = crypto::PrivateKey::generate("p256").value();
        x509::TbsCertificate tbs;
        tbs.serial_number = {1};
        tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
        tbs.issuer = tbs.subject = x509::Name::from_text("CN=" + name).value();
        tbs.not_before = Time{Seconds{1'700'000'000}};
        tbs.not_after = tbs.not_before + Seconds{86400};
        tbs.spki = to_vec(key.public_key().spki());
        const auto octets = x509::encode_tbs(tbs);
        auto certificate = x509::Certificate::parse(x509::encode_certificate(octets, tbs.signature_algorithm, key.sign(octets).value())).value();
        return Identity{{"https://ca.example/.well-known/est", false, ""}, key, certificate, {certificate}, {certificate}};
    }

    fs::path root_;
};

TEST_F(DirectoryTest, saves_and_loads_an_identity) {
    Directory directory{root_};
    EXPECT_FALSE(directory.holds_identity());
    const auto identity = make_identity("one");
    ASSERT_TRUE(directory.save(identity));
    const auto loaded = directory.load();
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(loaded->certificate, identity.certificate);
    EXPECT_EQ(loaded->state.url, identity.state.url);
    EXPECT_TRUE(same(loaded->key.public_key().spki(), identity.key.public_key().spki()));
}

TEST_F(DirectoryTest, key_is_for_the_owner_only) {
    ASSERT_TRUE(Directory{root_}.save(make_identity("one")));
    struct stat status {};
    ASSERT_EQ(::stat((root_ / "key.pem").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(DirectoryTest, a_new_generation_replaces_all_files_at_once_and_two_are_kept) {
    Directory directory{root_};
    for (const auto* name : {"one", "two", "three", "four"}) ASSERT_TRUE(directory.save(make_identity(name)));
    EXPECT_EQ(directory.load()->certificate.subject().to_text(), "CN=four");
    EXPECT_EQ(std::distance(fs::directory_iterator{root_ / "generations"}, fs::directory_iterator{}), 2);
    EXPECT_TRUE(fs::is_symlink(root_ / "cert.pem"));
}

TEST_F(DirectoryTest, a_generation_that_was_cut_short_does_not_count) {
    Directory directory{root_};
    ASSERT_TRUE(directory.save(make_identity("one")));
    fs::create_directories(root_ / "generations/2");   // as a power cut would leave it
    std::ofstream{root_ / "generations/2/key.pem"} << "half";
    EXPECT_EQ(directory.load()->certificate.subject().to_text(), "CN=one");
    ASSERT_TRUE(directory.save(make_identity("three")));
    EXPECT_EQ(directory.load()->certificate.subject().to_text(), "CN=three");
}

TEST_F(DirectoryTest, pending_request_is_kept_octet_for_octet_and_cleared) {
    Directory directory{root_};
    EXPECT_FALSE(directory.load_pending()->has_value());
    const auto identity = make_identity("one");
    const ByteVec request{0x30, 0x01, 0x00};
    ASSERT_TRUE(directory.save_pending({identity.state, identity.key, request}));
    const auto pending = directory.load_pending();
    ASSERT_TRUE(pending && *pending);
    EXPECT_EQ((*pending)->request, request);
    directory.clear_pending();
    EXPECT_FALSE(directory.load_pending()->has_value());
}

TEST_F(DirectoryTest, empty_directory_says_what_to_do) {
    const auto loaded = Directory{root_}.load();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Code::not_found);
    EXPECT_NE(loaded.error().detail.find("estuary enroll"), std::string::npos);
}

TEST(EnrollmentStateJson, refuses_what_is_no_state) {
    for (const auto* text : {"", "[]", "{}", "{\"url\": 5}", "{\"url\": \"x\""}) EXPECT_FALSE(EnrollmentState::from_json(text)) << text;
    const auto state = EnrollmentState::from_json(EnrollmentState{"https://a", true, "pkcs11:x"}.to_json());
    ASSERT_TRUE(state);
    EXPECT_TRUE(state->system_trust);
    EXPECT_EQ(state->key_source, "pkcs11:x");
}

TEST_F(DirectoryTest, keeps_by_what_it_was_enrolled) {
    Directory directory{root_};
    auto identity = make_identity("one");
    identity.state.protocol = "cmp";
    ASSERT_TRUE(directory.save(identity));
    EXPECT_TRUE(directory.load()->state.by_cmp());
    // A request for a key of the authority's making waits without a key.
    auto waiting = identity.state;
    waiting.request_type = "ir";
    waiting.awaits_server_key = true;
    ASSERT_TRUE(directory.save_pending({waiting, {}, {1, 2, 3}}));
    const auto pending = directory.load_pending();
    ASSERT_TRUE(pending && *pending);
    EXPECT_FALSE((*pending)->key);
    EXPECT_EQ((*pending)->state.request_type, "ir");
    EXPECT_FALSE(EnrollmentState::from_json(R"({"url": "x", "protocol": "of tomorrow"})"));
}

}  // namespace
}  // namespace estuary::client
