#include "estuary/crypto/password.h"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "estuary/crypto/digest.h"
#include "tests/unit/crypto/support.h"

namespace estuary::crypto {
namespace {

using test::code_of;

const Secret server_key{std::string_view{"0123456789abcdef0123456789abcdef"}};
Secret secret(std::string_view text) { return Secret{text}; }

TEST(Password, GeneratedOnesAreLongAndDifferent) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto password = generate_password();
        std::string text{password.reveal_text()};
        EXPECT_TRUE(seen.insert(text).second);
        std::erase(text, '-');
        EXPECT_EQ(text.size(), 26u);
        EXPECT_EQ(text.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos) << text;
        EXPECT_LT(text[0], '8') << "26 characters hold 130 bits, of which two are zero";
    }
}

TEST(Password, GeneratedOnesUseEveryCharacterAtEveryPlace) {
    std::array<std::set<char>, 26> at;
    for (int i = 0; i < 1000; ++i) {
        const auto password = generate_password();
        std::string text{password.reveal_text()};
        std::erase(text, '-');
        for (std::size_t place = 0; place < at.size(); ++place) at[place].insert(text.at(place));
    }
    EXPECT_EQ(at[0].size(), 8u);
    for (std::size_t place = 1; place < at.size(); ++place) EXPECT_EQ(at[place].size(), 32u) << place;
}

TEST(Password, ChosenOnesByScrypt) {
    const auto stored = hash_chosen_password(secret("correct horse"));
    EXPECT_TRUE(stored.starts_with("$scrypt$ln=15,r=8,p=1$")) << stored;
    EXPECT_TRUE(is_slow_hash(stored));
    EXPECT_EQ(stored.find('='), stored.find("ln=") + 2);
    EXPECT_TRUE(verify_password(secret("correct horse"), stored, server_key).value());
    EXPECT_FALSE(verify_password(secret("correct horsf"), stored, server_key).value());
    EXPECT_FALSE(verify_password(secret(""), stored, server_key).value());
    EXPECT_NE(hash_chosen_password(secret("correct horse")), stored) << "the salt is fresh";
}

TEST(Password, ScryptOfRfc7914) {  // section 12, third vector; its first 32 octets of 64
    EXPECT_TRUE(verify_password(secret("pleaseletmein"),
                                "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
                                server_key)
                    .value());
}

TEST(Password, GeneratedOnesByKeyedHash) {
    const auto password = generate_password();
    const auto stored = hash_generated_password(password, server_key);
    EXPECT_TRUE(stored.starts_with("$hmac-sha256$")) << stored;
    EXPECT_FALSE(is_slow_hash(stored));
    EXPECT_TRUE(verify_password(password, stored, server_key).value());
    EXPECT_FALSE(verify_password(secret("x"), stored, server_key).value());
    EXPECT_FALSE(verify_password(password, stored, secret("another server key")).value());
    EXPECT_NE(hash_generated_password(password, server_key), stored);
}

TEST(Password, StoredTextNeverHoldsThePassword) {  // bug class 12
    EXPECT_EQ(hash_chosen_password(secret("canary")).find("canary"), std::string::npos);
    EXPECT_EQ(hash_generated_password(secret("canary"), server_key).find("canary"), std::string::npos);
}

constexpr std::string_view salt = "AAAAAAAAAAAAAAAAAAAAAA";
constexpr std::string_view hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

TEST(Password, RefusesWhatIsNotOurs) {  // bug class 9: nothing empty or half-written is ever a match
    const std::string_view strange[] = {"",
                                        "$",
                                        "$$$$",
                                        "plain text",
                                        "$scrypt$",
                                        "$1$salt$hash",
                                        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
                                        "$scrypt$ln=10,r=8,p=1$$",
                                        "$hmac-sha256$$",
                                        "$hmac-sha256$AAAAAAAAAAAAAAAAAAAAAA$",
                                        "$scrypt$ln=10,r=8,p=1$AAAA$AAAA"};
    for (const auto stored : strange)
        EXPECT_EQ(code_of(verify_password(secret(""), stored, server_key)), Code::malformed) << stored;
    EXPECT_EQ(code_of(verify_password(secret(""), fmt::format("x$hmac-sha256${}${}", salt, hash), server_key)),
              Code::malformed);
    EXPECT_EQ(code_of(verify_password(secret(""), fmt::format("$hmac-sha256${}${}=", salt, hash), server_key)),
              Code::malformed);
    EXPECT_EQ(code_of(verify_password(secret(""), fmt::format("$hmac-sha256${} ${}", salt, hash), server_key)),
              Code::malformed);
}

TEST(Password, RefusesAbsurdCosts) {  // bug class 30: a stored text must not order gigabytes or minutes
    EXPECT_FALSE(
        verify_password(secret(""), fmt::format("$scrypt$ln=4,r=1,p=1${}${}", salt, hash), server_key).value());
    for (const auto cost :
         {"ln=0,r=8,p=1", "ln=31,r=8,p=1", "ln=64,r=8,p=1", "ln=20,r=8,p=1", "ln=15,r=0,p=1", "ln=15,r=8,p=0",
          "ln=15,r=8,p=4294967295", "ln=15,r=4294967295,p=1", "ln=15,r=8,p=9999999999999999999", "ln=16,r=8,p=64",
          "ln=-1,r=8,p=1", "ln=15,r=8", "r=8,ln=15,p=1", "ln=15,r=8,p=1,x=1", "ln=15 ,r=8,p=1", "", "ln=,r=,p="})
        EXPECT_EQ(code_of(verify_password(secret(""), fmt::format("$scrypt${}${}${}", cost, salt, hash), server_key)),
                  Code::malformed)
            << cost;
}

TEST(Password, DigestOfRfc7616) {  // section 3.9.1: the response follows from the stored value
    const auto ha1 = digest_ha1("Mufasa", "http-auth@example.org", secret("Circle of Life"));
    const auto hashed = [](const std::string& text) { return to_hex(sha256(as_bytes(text))); };
    const auto ha2 = hashed("GET:/dir/index.html");
    EXPECT_EQ(hashed(ha1 +
                     ":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:"
                     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:" +
                     ha2),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

}  // namespace
}  // namespace estuary::crypto
