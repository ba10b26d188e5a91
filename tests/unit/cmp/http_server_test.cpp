// CMP over HTTP (RFC 9811), and the state that transactions have.
#include "estuary/cmp/http_server.h"

#include "estuary/cmp/transaction.h"
#include "server_world.h"

namespace estuary::test {
namespace {

http::Request post(const std::string& target, Bytes body, const std::string& type = "application/pkixcmp") {
    http::Request request;
    request.method = "POST";
    request.target = target;
    if (!type.empty()) request.headers.add("Content-Type", type);
    request.body = estuary::to_string(body);
    return request;
}

class CmpHttp : public CmpServer {
protected:
    http::Response send(const http::Request& request) {
        auto server = cmp::HttpServer::create({{"/pkix/", "/cmp=many"}}, *world.server).value();
        store::UnitOfWork work;
        http::Peer peer;
        peer.address = "192.0.2.1";
        auto response = server.serve(request, peer, work);
        if (!work.empty()) {
            EXPECT_TRUE(world.store->commit(std::move(work)));
        }
        return response;
    }
    ByteVec message() {
        auto talker = alice();
        return talker.make(talker.request(BodyType::ir, "CN=dev"));
    }
};

TEST_F(CmpHttp, PathsOfRfc9811AreTaken) {
    for (const auto* path : {"/.well-known/cmp", "/.well-known/cmp/", "/.well-known/cmp/initialization", "/.well-known/cmp/p/many",
                             "/.well-known/cmp/p/many/initialization", "/pkix/", "/pkix", "/cmp"}) {
        const auto response = send(post(path, message()));
        EXPECT_EQ(response.status, 200u) << path;
        EXPECT_EQ(response.headers.find("Content-Type"), "application/pkixcmp");
        EXPECT_EQ(verdict(PkiMessage::parse(as_bytes(response.body)).value()), "ip accepted") << path;
    }
    for (const auto* path : {"/.well-known/cmp/p", "/.well-known/cmp/p/none", "/.well-known/cmp/p/off", "/.well-known/cmp/nothing",
                             "/.well-known/cmp/p/many/initialization/x", "/.well-known/cmp/p/many/nothing"})
        EXPECT_EQ(send(post(path, message())).status, 404u) << path;
}

TEST_F(CmpHttp, MethodsAndMediaTypes) {
    auto request = post("/.well-known/cmp", message());
    for (const auto* method : {"GET", "HEAD", "PUT", "DELETE"}) {
        request.method = method;
        const auto response = send(request);
        EXPECT_EQ(response.status, 405u);
        EXPECT_EQ(response.headers.find("Allow"), "POST");
    }
    EXPECT_EQ(send(post("/.well-known/cmp", message(), "")).status, 415u);
    EXPECT_EQ(send(post("/.well-known/cmp", message(), "text/plain")).status, 415u);
    EXPECT_EQ(send(post("/.well-known/cmp", message(), "application/pkixcmp-poll")).status, 200u);   // RFC 9811 4
    EXPECT_EQ(send(post("/.well-known/cmp", {})).status, 400u);
    auto twice = post("/.well-known/cmp", message());
    twice.headers.add("Content-Type", "application/pkixcmp");
    EXPECT_EQ(send(twice).status, 400u);
}

TEST_F(CmpHttp, WhatIsNoMessageIs400WithAMessage) {
    const auto response = send(post("/.well-known/cmp", hex("3000")));
    EXPECT_EQ(response.status, 400u);
    EXPECT_EQ(verdict(PkiMessage::parse(as_bytes(response.body)).value()), "error badDataFormat");
}

TEST_F(CmpHttp, ErrorsOfCmpAre200) {
    Talker wrong{world, "alice", "wrong"};
    EXPECT_EQ(send(post("/.well-known/cmp", wrong.make(wrong.request(BodyType::ir, "CN=dev")))).status, 200u);
}

TEST_F(CmpHttp, AnnouncementsGetAStatusAndNoContent) {
    auto talker = alice();
    const auto response = send(post("/.well-known/cmp", talker.make({BodyType::crlann, cmp::CrlAnnContent{{}}})));
    EXPECT_EQ(response.status, 403u);
    EXPECT_TRUE(response.body.empty());
}

TEST_F(CmpHttp, LegacyPathsAreChecked) {
    for (const auto* path : {"pkix", "/.well-known/x", "/pkix=none"})
        EXPECT_FALSE(cmp::HttpServer::create({{path}}, *world.server)) << path;
    const auto server = cmp::HttpServer::create({{"/pkix/"}}, *world.server).value();
    EXPECT_TRUE(server.owns("/pkix?x"));
    EXPECT_TRUE(server.owns("/.well-known/cmp"));
    EXPECT_FALSE(server.owns("/.well-known/cmpx"));
    EXPECT_FALSE(server.owns("/pkixx"));
}

TEST(CmpTransaction, IsReadBack) {
    cmp::Transaction transaction;
    transaction.type = BodyType::kur;
    transaction.protection = cmp::Protection::mac;
    transaction.requester = "credential:alice";
    transaction.request = {1, 2};
    transaction.certificates = {hex("3000")};
    transaction.items = {{-1, cmp::TransactionItem::State::waiting, "issuing", {}, {3}}};
    transaction.nonce = ByteVec(16, 4);
    transaction.last_request = crypto::sha256({});
    transaction.last_answer = {5};
    transaction.confirmed = true;
    EXPECT_EQ(cmp::Transaction::decode(transaction.encode()).value(), transaction);
    transaction.protection = cmp::Protection::kem;
    transaction.offered = true;
    transaction.kem_secret = {6};
    EXPECT_EQ(cmp::Transaction::decode(transaction.encode()).value(), transaction);
    auto bent = transaction.encode();
    for (std::size_t i = 0; i < bent.size(); ++i) EXPECT_FALSE(cmp::Transaction::decode(Bytes{bent}.first(i)));
}

TEST(CmpTransaction, KeysDifferByLabel) {   // bug class 2
    const ByteVec id(16, 1);
    EXPECT_NE(cmp::transaction_key("", id), cmp::transaction_key("a", id));
}

}  // namespace
}  // namespace estuary::test
