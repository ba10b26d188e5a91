#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "apps/estuaryd/session.h"
#include "estuary/authority/ceremony.h"
#include "estuary/cms/content_info.h"
#include "estuary/cms/enveloped_data.h"
#include "tests/unit/estuaryd/installed_suite.h"

namespace estuary::daemon {
namespace {

using testing::now;
using testing::run;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr der::Oid firmware{"1.2.840.113549.1.9.16.1.16"};
constexpr der::Oid symmetric_keys{"1.2.840.113549.1.9.16.1.25"};

class PackageCommands : public testing::InstalledSuite<PackageCommands> {
public:
    static testing::Ran estuaryd(std::vector<std::string> words) {
        words.insert(words.begin(), "package");
        return InstalledSuite::estuaryd(std::move(words));
    }
    static std::string file(const std::string& name, Bytes content) {
        const auto path = beside(name).string();
        testing::write_text(path, std::string{as_text(content)});
        return path;
    }
    static ByteVec bare(const der::Oid& type, std::string_view text) {
        der::Writer inside;
        inside.sequence([&] { inside.utf8_string(text); });
        return cms::make_content_info(type, inside.bytes());
    }
    static boost::json::array listed() { return boost::json::parse(estuaryd({"list", "--json"}).out).as_array(); }
};

TEST_F(PackageCommands, adds_shows_and_removes) {
    const auto der = bare(firmware, "one");
    const auto path = file("one.cms", der);
    const auto added = estuaryd({"add", path, "--type", "firmware", "--receipt", "--until", "30d", "--note", "release 1"});
    ASSERT_EQ(added.status, 0) << added.err;
    EXPECT_THAT(added.err, HasSubstr("type 0026, firmwarePackage"));
    EXPECT_EQ(estuaryd({"add", path, "--type", "0026"}).status, 3) << "it waits already";
    const auto all = listed();
    const auto& package = all.back().as_object();
    EXPECT_EQ(package.at("type"), "0026");
    EXPECT_EQ(package.at("recipient"), "any");
    EXPECT_EQ(package.at("label"), "");
    EXPECT_EQ(package.at("receipt_wanted"), true);
    EXPECT_EQ(package.at("available_until").as_string(), to_iso8601(now + Seconds{30 * 86400}));
    const auto id = std::to_string(package.at("id").as_int64());
    EXPECT_THAT(estuaryd({"list"}).out, HasSubstr("release 1"));
    EXPECT_THAT(estuaryd({"show", id}).out, HasSubstr("application/cms; innerContent=firmwarePackage"));
    EXPECT_THAT(estuaryd({"show", id, "--pem"}).out, HasSubstr("-----BEGIN CMS-----"));
    EXPECT_EQ(estuaryd({"receipts", id}).status, 0);
    EXPECT_EQ(estuaryd({"remove", id}).status, 0);
    EXPECT_EQ(estuaryd({"remove", id}).status, 3);
    EXPECT_EQ(estuaryd({"show", id}).status, 3);
    EXPECT_EQ(estuaryd({"receipt", "99"}).status, 3);
    const auto audit = testing::run({"audit", "list", "--dir", directory()}).out;
    EXPECT_THAT(audit, HasSubstr("package.added"));
    EXPECT_THAT(audit, HasSubstr("package.removed"));
}

TEST_F(PackageCommands, open_keys_are_refused_unless_meant) {
    const auto plain = file("plain.cms", bare(symmetric_keys, "key"));
    const auto refused = estuaryd({"add", plain, "--type", "symmetric-key"});
    EXPECT_EQ(refused.status, 3);
    EXPECT_THAT(refused.err, HasSubstr("--plain"));
    EXPECT_THAT(estuaryd({"add", plain, "--type", "symmetric-key", "--plain"}).err, HasSubstr("not encrypted"));
    const auto hidden = cms::EnvelopedDataBuilder(symmetric_keys, as_bytes("x")).password(crypto::Secret{std::string_view{"pw"}}, 1000).build().value();
    const auto taken = estuaryd({"add", file("hidden.cms", hidden), "--type", "symmetric-key"});
    EXPECT_EQ(taken.status, 0) << taken.err;
    EXPECT_THAT(taken.err, Not(HasSubstr("Note")));
}

TEST_F(PackageCommands, peers_may_be_plain_certificates) {
    const auto root = directory() + "/ca/root.pem";
    const auto added = estuaryd({"add", root, "--type", "ee-certificate", "--every-label"});
    ASSERT_EQ(added.status, 0) << added.err;
    const auto all = listed();
    EXPECT_EQ(all.back().at("media_type"), "application/pkcs7-mime; smime-type=certs-only");
    EXPECT_TRUE(all.back().at("label").is_null());
    EXPECT_EQ(estuaryd({"add", root, "--type", "ee-certificate", "--receipt"}).status, 1) << "there are no receipts for those";
}

TEST_F(PackageCommands, mistakes_are_named) {
    const auto path = file("two.cms", bare(firmware, "two"));
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"--type", "nothing"}, "0026 firmware"},
        {{"--type", "symmetric-key"}, "sKeyPackage"},
        {{"--type", "0010"}, "no package that is kept"},
        {{"--type", "firmware", "--to", "CN=x"}, "none of: any"},
        {{"--type", "firmware", "--to", "subject:CN=x", "--every-label"}, "one label only"},
        {{"--type", "firmware", "--to", "serial:01", "--every-label"}, "--every-label"},
        {{"--type", "firmware", "--to", "serial:zz"}, "hexadecimal"},
        {{"--type", "firmware", "--to", "serial:0102"}, "has no certificate"},
        {{"--type", "firmware", "--label", "nowhere"}, "there is: default, server"},
        {{"--type", "firmware", "--until", "never"}, "--until"},
        {{"--type", "firmware", "--until", "2020-01-01"}, "before the package"},
        {{"--type", "firmware", "--from", "2d", "--until", "1d"}, "before the package"},
        {{"--type", "firmware", "--note", "a\nb"}, "--note"},
    };
    const auto before = listed().size();
    for (const auto& [words, message] : cases) {
        std::vector<std::string> all{"add", path};
        all.insert(all.end(), words.begin(), words.end());
        const auto ran = estuaryd(all);
        EXPECT_NE(ran.status, 0);
        EXPECT_THAT(ran.err, HasSubstr(message));
    }
    EXPECT_EQ(estuaryd({"add", path}).status, 2) << "--type is missing";
    EXPECT_EQ(estuaryd({"add", "/nonexistent", "--type", "firmware"}).status, 3);
    EXPECT_EQ(estuaryd({"add", file("text", as_bytes("hello")), "--type", "firmware"}).status, 1);
    EXPECT_EQ(listed().size(), before);
    EXPECT_THAT(estuaryd({"add", path, "--type", "firmware", "--label", "server"}).err, HasSubstr("nobody can fetch it yet"));
}

TEST_F(PackageCommands, help_teaches_by_examples) {
    EXPECT_THAT(run({"package", "add", "--help"}).out, HasSubstr("--to subject:CN=dev-17"));
    EXPECT_THAT(run({"package", "receipts", "--help"}).out, HasSubstr("package receipt 3"));
}

}  // namespace
}  // namespace estuary::daemon
