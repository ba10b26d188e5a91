// The PAL that one client gets (RFC 8295 2).
#include <set>

#include <fmt/format.h>

#include "package_support.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using Types = std::vector<std::string>;

class EstServerPal : public EstServer {
protected:
    std::int64_t add(std::string_view type, std::string_view text, std::string_view to = "any", bool receipt = false) {
        const auto der = signed_by(vendor, type == "0026" ? content::firmware : content::tamp_query, some_content(text));
        return add_package(world, type, der, to, "", receipt);
    }
    static http::Request asking(const std::string& path = "pal", const std::string& accept = "application/json",
                                const std::string& label = "") {
        auto request = get(target(label, path));
        request.headers.add("Host", "ca.example:8443");
        if (!accept.empty()) request.headers.add("Accept", accept);
        return request;
    }
    Pal pal(const http::Peer& who, const std::string& path = "pal", const std::string& label = "") {
        const auto answer = world.send(asking(path, "application/json", label), who);
        EXPECT_EQ(answer.status, 200u) << answer.body;
        return Pal::parse_json(answer.body).value();
    }
    Pal pal_by_password(const std::string& label = "") {
        auto request = asking("pal", "application/json", label);
        request.headers.add("Authorization", alice());
        return Pal::parse_json(world.send(request, peer()).body).value();
    }
    static Types types(const Pal& pal) {
        Types out;
        for (const auto& entry : pal.entries) out.push_back(entry.type);
        return out;
    }
    static std::string uri(const PalEntry& entry) { return std::get<PalUri>(entry.info).text; }
    void decide(std::int64_t id, bool approve) {
        authority::Principal operator_;
        operator_.operator_ = true;
        store::UnitOfWork work;
        ASSERT_TRUE(world.authority->decide(id, approve, "because", operator_, work));
        ASSERT_TRUE(world.store->commit(std::move(work)));
    }

    Identity device = world.enrolled("", "CN=device 1");
    Identity vendor = world.device("CN=vendor");
};

TEST_F(EstServerPal, TellsWhatWaitsInTheOrderOfTheRfc) {  // 2.3
    store::UnitOfWork work;
    const auto crl = world.authority->make_crl("issuing", 0, authority::CrlKind::complete, work).value().der;
    const auto arl = world.authority->make_crl("other", 0, authority::CrlKind::complete, work).value().der;
    world.restart([&](ServerConfig& config) { config.crls = [=](std::string_view) { return std::vector{crl, arl}; }; });
    const auto fetched = add("0026", "one"), fresh = add("0028", "two", "any", true);
    EXPECT_EQ(world.send(get(target("", "firmware")), peer(device)).status, 200u);
    world.clock.advance(Seconds{70 * 86400});  // of 90: a third of the lifetime is left

    const auto list = pal(peer(device));
    EXPECT_EQ(types(list), (Types{"0002", "0004", "0005", "0010", "0028", "0029", "0026"}));
    const std::string base = "https://ca.example:8443/.well-known/est/";
    EXPECT_EQ(uri(list.entries[0]), base + "cacerts");
    EXPECT_EQ(list.entries[0].size, from_base64(world.send(get(target("", "cacerts")), peer()).body)->size()) << "2.1: octets of the package";
    EXPECT_EQ(uri(list.entries[1]), base + "crls");
    EXPECT_EQ(list.entries[1].size, from_base64(world.send(get(target("", "crls")), peer()).body)->size());
    EXPECT_EQ(uri(list.entries[3]), base + "simplereenroll");
    EXPECT_EQ(list.entries[3].size, 0u) << "2.1: a transaction is to be begun";
    EXPECT_EQ(uri(list.entries[4]), fmt::format("{}tamp/{}", base, fresh));
    EXPECT_FALSE(list.entries[4].date) << "2.1: not fetched yet";
    EXPECT_EQ(uri(list.entries[5]), fmt::format("{}tamp/return/{}", base, fresh));
    EXPECT_EQ(list.entries[5].size, 0u);
    EXPECT_EQ(uri(list.entries[6]), fmt::format("{}firmware/{}", base, fetched));
    EXPECT_EQ(list.entries[6].date, start_time + Seconds{86400}) << "2.1: when it was fetched last";
    EXPECT_EQ(list.entries[6].size, static_cast<std::uint64_t>(world.store->package_reads()->package(fetched).value()->size));
}

TEST_F(EstServerPal, ComesAsTheClientLikesIt) {  // 2.2, 2.3
    add("0026", "one");
    const auto json = world.send(asking("pal", "application/json"), peer(device));
    const auto xml = world.send(asking("pal", "application/xml"), peer(device));
    EXPECT_EQ(json.headers.find("Content-Type"), "application/json");
    EXPECT_EQ(xml.headers.find("Content-Type"), "application/xml");
    EXPECT_EQ(Pal::parse_json(json.body).value(), Pal::parse_xml(xml.body).value());
    EXPECT_EQ(world.send(asking("pal", ""), peer(device)).headers.find("Content-Type"), "application/xml");
    EXPECT_EQ(world.send(asking("pal", "text/html"), peer(device)).status, 406u);
    EXPECT_EQ(world.send(asking("pal", "application"), peer(device)).status, 400u);
}

TEST_F(EstServerPal, HostThatWasAskedIsInTheUris) {
    auto other = asking();
    other.headers.set("Host", "[2001:db8::1]:9");
    EXPECT_THAT(world.send(other, peer(device)).body, HasSubstr("https://[2001:db8::1]:9/.well-known/est/cacerts"));
    for (const auto* host : {"", "a b", "a/b", "user@a", "a?b", "\"><x"}) {  // bug class 13
        auto bad = asking();
        bad.headers.set("Host", host);
        EXPECT_EQ(world.send(bad, peer(device)).status, 400u) << host;
    }
    auto two = asking();
    two.headers.add("Host", "elsewhere.example");
    EXPECT_EQ(world.send(two, peer(device)).status, 400u);
}

TEST_F(EstServerPal, SaysWhatToBeginWith) {  // 2.1.1: 0006, 0007, 0010; 9
    EXPECT_EQ(types(pal_by_password()), (Types{"0002", "0006"})) << "there are CSR attributes";
    EXPECT_EQ(types(pal_by_password("silent")), (Types{"0002", "0007"})) << "there are none";
    EXPECT_EQ(types(pal_by_password("silent-agreement")), (Types{"0002", "0014"})) << "for keys that do not sign";
    EXPECT_EQ(types(pal(peer(device))), (Types{"0002"})) << "it has what it needs";
    world.clock.advance(Seconds{60 * 86400 + 60});
    EXPECT_EQ(types(pal(peer(device))), (Types{"0002", "0010"})) << "renewal is due";
    EXPECT_EQ(types(pal(peer(world.device("CN=x")), "pal", "acme")), (Types{"0002", "0006"})) << "a manufacturer's certificate";
    world.restart([](ServerConfig& config) {
        for (auto& label : config.labels) label.renew = label.enroll = {};
    });
    EXPECT_EQ(types(pal(peer(device))), (Types{"0002"})) << "nobody is sent where nobody is let in";
}

/// 9: what a person has decided since is fetched by GET.
TEST_F(EstServerPal, DecidedRequestsAreToldAndFetched) {
    const auto request = make_request(subject("CN=patient"));
    EXPECT_EQ(world.send(post(target("manual", "simpleenroll"), request.der, alice()), peer()).status, 202u);
    EXPECT_EQ(types(pal_by_password("manual")), (Types{"0002", "0006"})) << "nothing is decided yet";
    decide(1, true);
    const auto list = pal_by_password("manual");
    ASSERT_EQ(types(list), (Types{"0002", "0008"}));
    EXPECT_EQ(uri(list.entries[1]), "https://ca.example:8443/.well-known/est/manual/simpleenroll/1");

    const auto outcome = [&](const std::string& path, const std::string& user, const std::string& password, const std::string& method = "GET") {
        auto asked = get(target("manual", path), method);
        asked.headers.add("Authorization", basic(user, password));
        return world.send(asked, peer());
    };
    EXPECT_EQ(outcome("simpleenroll/1", "bob", bob_password).status, 404u) << "bug class 7";
    EXPECT_EQ(outcome("simpleenroll/2", "alice", alice_password).status, 404u);
    EXPECT_EQ(outcome("simplereenroll/1", "alice", alice_password).status, 403u);
    EXPECT_EQ(outcome("simpleenroll/1", "alice", alice_password, "POST").status, 405u);
    EXPECT_EQ(outcome("simpleenroll/1", "alice", alice_password, "HEAD").status, 405u) << "it would issue";
    EXPECT_EQ(world.send(get(target("manual", "simpleenroll/1")), peer()).status, 401u);
    const auto answer = outcome("simpleenroll/1", "alice", alice_password);
    ASSERT_EQ(answer.status, 200u) << answer.body;
    EXPECT_TRUE(same(issued(answer).spki(), request.key.public_key().spki()));
    EXPECT_EQ(types(pal_by_password("manual")), (Types{"0002", "0006"}));

    EXPECT_EQ(world.send(post(target("manual", "simpleenroll"), make_request(subject("CN=unlucky")).der, alice()), peer()).status, 202u);
    decide(2, false);
    EXPECT_EQ(types(pal_by_password("manual")), (Types{"0002", "0009"}));
    EXPECT_EQ(outcome("simpleenroll/2", "alice", alice_password).status, 403u);
}

/// 2.1.1: keys that sign have numbers of their own, and so have those that do not.
struct NoticeCase {
    std::string label, begin, success, failure, again, again_success, again_failure;
};
class EstPalNotices : public EstServerPal, public testing::WithParamInterface<NoticeCase> {
protected:
    /// The last of the list after the CA certificates.
    std::string notice(const http::Peer& who) { return types(pal(who, "pal", GetParam().label)).back(); }
    std::string notice() { return types(pal_by_password(GetParam().label)).back(); }
    MadeRequest ask(const std::string& operation, const http::Peer& who, const std::string& authorization = {}) {
        auto request = make_request(subject("CN=patient"));
        EXPECT_EQ(world.send(post(target(GetParam().label, operation), request.der, authorization), who).status, 202u);
        return request;
    }
    http::Request fetching(const std::string& item) { return get(target(GetParam().label, item)); }
};

TEST_P(EstPalNotices, AreThoseOfTheKeysUsage) {
    const auto& wanted = GetParam();
    const auto password = alice();
    EXPECT_EQ(notice(), wanted.begin);
    const auto request = ask("simpleenroll", peer(), password);
    ask("simpleenroll", peer(), password);
    decide(1, true);
    decide(2, false);
    EXPECT_EQ(notice(), wanted.success) << "2.3: one at a time, the earliest first";
    auto fetch = fetching("simpleenroll/1");
    fetch.headers.add("Authorization", password);
    const auto certificate = issued(world.send(fetch, peer()));
    EXPECT_EQ(notice(), wanted.failure);

    const Identity patient{request.key, certificate, {to_vec(certificate.der()), to_vec(world.ca->issuing.der()), to_vec(world.ca->root.der())}};
    world.clock.advance(Seconds{70 * 86400});
    EXPECT_EQ(notice(peer(patient)), wanted.again);
    ask("simplereenroll", peer(patient));
    ask("simplereenroll", peer(patient));
    decide(3, true);
    decide(4, false);
    EXPECT_EQ(notice(peer(patient)), wanted.again_success);
    EXPECT_EQ(world.send(fetching("simplereenroll/3"), peer(patient)).status, 200u);
    EXPECT_EQ(notice(peer(patient)), wanted.again_failure);
}
INSTANTIATE_TEST_SUITE_P(Rfc8295, EstPalNotices, testing::Values(
    NoticeCase{"manual", "0006", "0008", "0009", "0010", "0011", "0012"},
    NoticeCase{"agreement", "0013", "0015", "0016", "0017", "0018", "0019"}),
    [](const auto& test) { return test.param.label; });

TEST_F(EstServerPal, IsOfThisClientOnly) {  // bug class 7
    const auto other = world.enrolled("", "CN=device 2");
    add("0026", "one", "subject:CN=device 1");
    add("0026", "two", "certificate:issuing/" + other.certificate.serial_hex());
    const auto both = add("0026", "three");
    EXPECT_EQ(pal(peer(device)).entries.size(), 3u);
    EXPECT_EQ(pal(peer(other)).entries.size(), 3u);
    EXPECT_NE(uri(pal(peer(device)).entries[1]), uri(pal(peer(other)).entries[1]));
    EXPECT_EQ(uri(pal(peer(device)).entries[2]), uri(pal(peer(other)).entries[2]));
    // What one has fetched, the other has not.
    EXPECT_EQ(world.send(get(target("", "firmware/" + std::to_string(both))), peer(other)).status, 200u);
    EXPECT_FALSE(pal(peer(device)).entries[2].date);
    EXPECT_TRUE(pal(peer(other)).entries[2].date);
}

TEST_F(EstServerPal, ReceiptsAreAskedForUntilTheyCome) {
    const auto id = add("0026", "one", "any", true);
    EXPECT_EQ(types(pal(peer(device))), (Types{"0002", "0026", "0027"}));
    http::Request receipt;
    receipt.method = "POST";
    receipt.target = target("", fmt::format("firmware/return/{}", id));
    receipt.headers.add("Content-Type", "application/cms");
    receipt.body = to_base64_lines(bare(content::firmware_error, some_content()));
    EXPECT_EQ(world.send(receipt, peer(device)).status, 204u);
    EXPECT_EQ(types(pal(peer(device))), (Types{"0002", "0026"}));
}

/// The renewed certificate is the same client: nothing is asked for twice.
TEST_F(EstServerPal, RenewalKeepsWhatIsKnown) {
    const auto id = add("0026", "one");
    EXPECT_EQ(world.send(get(target("", fmt::format("firmware/{}", id))), peer(device)).status, 200u);
    const auto again = make_request(subject("CN=device 1"));
    const auto renewed = issued(world.send(post(target("", "simplereenroll"), again.der), peer(device)));
    const Identity next{again.key, renewed, {to_vec(renewed.der()), to_vec(world.ca->issuing.der()), to_vec(world.ca->root.der())}};
    EXPECT_TRUE(pal(peer(next)).entries.at(1).date);
}

/// 2.1.1: 0001 is last and never alone; walked to the end, every package is met, also by a client that fetches on the way.
TEST_F(EstServerPal, LongListsAreToldInParts) {
    world.restart([](ServerConfig& config) { config.pal_entries_max = 16; });
    std::vector<std::int64_t> all;
    for (int i = 0; i < 40; ++i) all.push_back(add("0026", fmt::format("package {}", i), "any", i % 5 == 0));
    for (const bool fetching : {false, true}) {
        std::set<std::string> met;
        std::string path = "pal";
        unsigned parts = 0;
        for (;;) {
            const auto part = pal(peer(device), path);
            ++parts;
            ASSERT_LE(part.entries.size(), 16u);
            ASSERT_FALSE(part.entries.empty());
            for (std::size_t i = 0; i + 1 < part.entries.size(); ++i) EXPECT_NE(part.entries[i].type, "0001");
            for (const auto& entry : part.entries) {
                if (entry.type != "0026") continue;
                met.insert(uri(entry));
                const auto at = uri(entry).find("/.well-known");
                if (!fetching) continue;
                EXPECT_EQ(world.send(get(uri(entry).substr(at)), peer(device)).status, 200u);
            }
            if (part.entries.back().type != "0001") break;
            path = uri(part.entries.back()).substr(uri(part.entries.back()).find("pal/"));
            ASSERT_LT(parts, 20u);
        }
        EXPECT_EQ(met.size(), all.size());
        EXPECT_GE(parts, 3u);
    }
}

TEST_F(EstServerPal, PartsMayTurnOutEmpty) {
    EXPECT_TRUE(pal(peer(device), "pal/new-7").entries.empty());
    EXPECT_TRUE(pal(peer(device), "pal/seen-0").entries.empty());
}

TEST_F(EstServerPal, TooFewEntriesAPartAreAConfigurationError) {
    ServerConfig config;
    config.pal_entries_max = 15;
    EXPECT_EQ(Server::create(config, *world.authority, world.clock, world.entropy).error().code, Code::policy);
}

}  // namespace
}  // namespace estuary::est
