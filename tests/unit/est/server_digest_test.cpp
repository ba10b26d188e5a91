#include <fmt/format.h>

#include "estuary/est/digest_nonces.h"
#include "world.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

// -- the nonces by themselves ----------------------------------------------------------------------------------------------

class EstNonces : public testing::Test {
protected:
    ManualClock clock{start_time};
    crypto::SystemEntropy entropy;
    DigestNonces nonces{Seconds{300}, clock, entropy, 4};
};

TEST_F(EstNonces, AreFreshForTheirLifetime) {
    const auto nonce = nonces.make();
    EXPECT_TRUE(nonces.is_fresh(nonce));
    clock.advance(Seconds{300});
    EXPECT_TRUE(nonces.is_fresh(nonce));
    clock.advance(Seconds{1});
    EXPECT_FALSE(nonces.is_fresh(nonce));
    EXPECT_NE(nonces.make(), nonces.make());
}

TEST_F(EstNonces, OnlyOursAreFresh) {
    auto nonce = nonces.make();
    DigestNonces others{Seconds{300}, clock, entropy};
    EXPECT_FALSE(others.is_fresh(nonce));
    for (const auto& wrong : {std::string{}, std::string{"1368141352"}, nonce.substr(2), nonce + "00", std::string(64, '0')})
        EXPECT_FALSE(nonces.is_fresh(wrong)) << wrong;
    nonce[3] = nonce[3] == '0' ? '1' : '0';
    EXPECT_FALSE(nonces.is_fresh(nonce));
    clock.advance(Seconds{-3600});   // made in what is now the future
    EXPECT_FALSE(nonces.is_fresh(nonces.make().substr(0, 62) + "zz"));
}

TEST_F(EstNonces, CountsGoUp) {
    const auto nonce = nonces.make();
    EXPECT_FALSE(nonces.use(nonce, 0));
    EXPECT_TRUE(nonces.use(nonce, 1));
    EXPECT_FALSE(nonces.use(nonce, 1));
    EXPECT_TRUE(nonces.use(nonce, 5));
    EXPECT_FALSE(nonces.use(nonce, 3));
    EXPECT_FALSE(nonces.use("not one of ours", 1));
}

/// bug class 30: memory is bounded, and forgetting never lets a replay in.
TEST_F(EstNonces, ForgottenOnesGoStale) {
    std::vector<std::string> made;
    for (int i = 0; i < 6; ++i) made.push_back(nonces.make());
    for (const auto& nonce : made) EXPECT_TRUE(nonces.use(nonce, 1));
    for (const auto& nonce : made) EXPECT_FALSE(nonces.use(nonce, 1));
    EXPECT_FALSE(nonces.is_fresh(made[0]));
    EXPECT_FALSE(nonces.is_fresh(made[1]));
    EXPECT_TRUE(nonces.is_fresh(made[2]));
    EXPECT_FALSE(nonces.use(made[0], 9));
    EXPECT_TRUE(nonces.use(made[5], 2));
}

// -- the example of RFC 7616 3.9.1 -----------------------------------------------------------------------------------------

TEST(EstDigest, ExampleOfRfc7616) {
    const auto ha1 = crypto::digest_ha1("Mufasa", "http-auth@example.org", crypto::Secret{std::string_view{"Circle of Life"}});
    EXPECT_EQ(http::digest_response(ha1, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
                                    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "GET", "/dir/index.html"),
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

// -- over the server -------------------------------------------------------------------------------------------------------

struct Login {
    std::string user = "alice", password = alice_password, realm = test::realm, nonce, uri, nc = "00000001", method = "POST",
                algorithm = "SHA-256", qop = "auth", more;
    std::string write() const {
        const auto ha1 = crypto::digest_ha1(user, realm, crypto::Secret{std::string_view{password}});
        return fmt::format("Digest username=\"{}\", realm=\"{}\", uri=\"{}\", algorithm={}, nonce=\"{}\", nc={}, cnonce=\"c\", "
                           "qop={}, response=\"{}\"{}",
                           user, realm, uri, algorithm, nonce, nc, qop,
                           http::digest_response(ha1, nonce, nc, "c", method, uri), more);
    }
};

class EstDigestServer : public EstServer {
protected:
    static constexpr const char* path = "/.well-known/est/digest/simpleenroll";

    http::Response send(const std::string& login) {
        return world.send(post(path, make_request(test::subject("CN=device")).der, login), peer());
    }
    http::Challenge challenge(const http::Response& response) {
        return http::parse_challenges(response.headers.find("WWW-Authenticate").value_or("")).value().at(0);
    }
    Login fresh() {
        Login login;
        login.nonce = challenge(send({})).parameters["nonce"];
        login.uri = path;
        return login;
    }
};

TEST_F(EstDigestServer, ChallengeIsOfRfc7616) {
    const auto response = send({});
    EXPECT_EQ(response.status, 401u);
    auto offered = challenge(response);
    EXPECT_EQ(offered.scheme, "digest");
    EXPECT_EQ(offered.parameters["realm"], test::realm);
    EXPECT_EQ(offered.parameters["algorithm"], "SHA-256");
    EXPECT_EQ(offered.parameters["qop"], "auth");
    EXPECT_EQ(offered.parameters["charset"], "UTF-8");
    EXPECT_FALSE(offered.parameters.contains("stale"));
}

TEST_F(EstDigestServer, RightResponseEnrolls) {
    auto login = fresh();
    EXPECT_EQ(send(login.write()).status, 200u);
    login.nc = "00000002";
    EXPECT_EQ(send(login.write()).status, 200u);
    auto absolute = fresh();
    absolute.uri = std::string{"https://est.example"} + path;
    EXPECT_EQ(send(absolute.write()).status, 200u);
}

TEST_F(EstDigestServer, ReplayIsStale) {
    const auto login = fresh();
    const auto written = login.write();
    EXPECT_EQ(send(written).status, 200u);
    const auto again = send(written);
    EXPECT_EQ(again.status, 401u);
    EXPECT_EQ(challenge(again).parameters["stale"], "true");
}

TEST_F(EstDigestServer, OldAndForeignNoncesAreStale) {
    auto login = fresh();
    world.clock.advance(Seconds{301});
    const auto old = send(login.write());
    EXPECT_EQ(old.status, 401u);
    EXPECT_EQ(challenge(old).parameters["stale"], "true");
    login.nonce = "1368141352";   // the nonce of RFC 7030 A.3
    EXPECT_EQ(challenge(send(login.write())).parameters["stale"], "true");
}

TEST_F(EstDigestServer, WrongAnswersAreRefused) {
    auto wrong_password = fresh();
    wrong_password.password = "guess";
    const auto refused = send(wrong_password.write());
    EXPECT_EQ(refused.status, 401u);
    EXPECT_FALSE(challenge(refused).parameters.contains("stale"));
    auto unknown = fresh();
    unknown.user = "nobody";
    EXPECT_EQ(send(unknown.write()).status, 401u);
    auto other_realm = fresh();
    other_realm.realm = "another realm";
    EXPECT_EQ(send(other_realm.write()).status, 401u);
    auto other_method = fresh();
    other_method.method = "GET";
    EXPECT_EQ(send(other_method.write()).status, 401u);
}

TEST_F(EstDigestServer, ImproperParametersAreMalformed) {
    const auto status = [&](auto change) {
        auto login = fresh();
        change(login);
        return send(login.write()).status;
    };
    EXPECT_EQ(status([](Login& l) { l.algorithm = "MD5"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.algorithm = "SHA-256-sess"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.qop = "auth-int"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.uri = "/.well-known/est/simpleenroll"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.nc = "1"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.more = ", userhash=true"; }), 400u);
    EXPECT_EQ(status([](Login& l) { l.more = ", realm=\"twice\""; }), 400u);
}

/// A credential without the stored value of Digest has no Digest, whatever its password.
TEST_F(EstDigestServer, CredentialWithoutDigestIsRefused) {
    world.add_credential("plain", "plains-own-password-there", [](auto& record) { record.digest_ha1.clear(); });
    auto login = fresh();
    login.user = "plain";
    login.password = "plains-own-password-there";
    EXPECT_EQ(send(login.write()).status, 401u);
}

TEST_F(EstDigestServer, BasicIsNotAcceptedWhereOnlyDigestIs) {
    EXPECT_EQ(send(alice()).status, 401u);
}

}  // namespace
}  // namespace estuary::est
