// The responder's answers: states, times, nonces, refusals.
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::parsed;
using test::request_for;
using test::World;
using testing::HasSubstr;
using Kind = CertStatus::Kind;

CertStatus only_status(const AnswerPtr& answer) { return parsed(answer).data.responses.at(0).status; }

TEST(OcspResponder, GoodRevokedAndUnknown) {
    World world;
    EXPECT_EQ(only_status(world.responder->answer(world.request())).kind, Kind::good);
    world.clock.advance(Seconds{7});
    world.revoke(world.device.certificate, store::RevocationReason::key_compromise);
    world.responder->forget("ca", world.device.certificate.serial_number());
    EXPECT_EQ(only_status(world.responder->answer(world.request())),
              (CertStatus{Kind::revoked, test::now + Seconds{7}, store::RevocationReason::key_compromise}));
    EXPECT_EQ(only_status(world.responder->answer(request_for({world.id_of("55")}))), (CertStatus{}));
}

TEST(OcspResponder, UnspecifiedIsNoReason) {
    World world;
    world.revoke(world.device.certificate, store::RevocationReason::unspecified);
    EXPECT_EQ(only_status(world.responder->answer(world.request())), (CertStatus{Kind::revoked, test::now, std::nullopt}));
}

TEST(OcspResponder, TimesAreThoseOfTheClock) {
    World world;
    const auto answer = world.responder->answer(world.request());
    const auto response = parsed(answer);
    EXPECT_EQ(response.data.produced_at, test::now);
    EXPECT_EQ(response.data.responses[0].this_update, test::now);
    EXPECT_EQ(response.data.responses[0].next_update, test::now + 12 * test::hour);
    EXPECT_EQ(answer->next_update, test::now + 12 * test::hour);
    EXPECT_TRUE(answer->cacheable);
}

TEST(OcspResponder, CertIdIsEchoedOctetForOctet) {
    World world;
    for (const auto hash : {Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512}) {
        const auto response = parsed(world.responder->answer(world.request(std::nullopt, hash)));
        EXPECT_TRUE(same(response.data.responses[0].id.der(), world.id(hash).der()));
        EXPECT_EQ(response.data.responses[0].status.kind, Kind::good);
    }
}

// Bug class 18
TEST(OcspResponder, NextUpdateIsNeverPastTheSignersEnd) {
    World world;
    world.clock.set(world.delegate.certificate.not_after() - Seconds{100});
    EXPECT_EQ(world.responder->answer(world.request())->next_update, world.delegate.certificate.not_after());
    world.clock.set(world.delegate.certificate.not_after());
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
    world.clock.set(world.delegate.certificate.not_before() - Seconds{1});
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
}

TEST(OcspResponder, NonceIsEchoedAndMakesTheAnswerUncacheable) {
    World world;
    for (const std::size_t size : {1u, 16u, 32u, 128u}) {
        const ByteVec nonce(size, 3);
        const auto answer = world.responder->answer(world.request(nonce));
        EXPECT_EQ(read_nonce(parsed(answer).data.extensions).value(), nonce);
        EXPECT_FALSE(answer->cacheable);
    }
    EXPECT_EQ(world.responder->presigned_count(), 0u);
    EXPECT_EQ(read_nonce(parsed(world.responder->answer(world.request())).data.extensions).value(), std::nullopt);
}

TEST(OcspResponder, NonceOf129OctetsIsMalformedRequest) {
    World world;
    for (const std::size_t size : {0u, 129u})
        EXPECT_EQ(world.responder->answer(request_for({world.id()}, ByteVec(size, 3)))->status,
                  ResponseStatus::malformed_request);
}

TEST(OcspResponder, NoncesMayBeIgnored) {
    World world{[](ResponderConfig& config) { config.echo_nonce = false; }};
    const auto answer = world.responder->answer(world.request(ByteVec(32, 3)));
    EXPECT_TRUE(answer->cacheable);
    EXPECT_TRUE(parsed(answer).data.extensions.empty());
}

TEST(OcspResponder, SeveralCertificatesInOneRequest) {
    World world;
    const auto response = parsed(world.responder->answer(request_for({world.id(Hash::sha1), world.id_of("55"), world.id()})));
    ASSERT_EQ(response.data.responses.size(), 3u);
    EXPECT_EQ(response.data.responses[0].status.kind, Kind::good);
    EXPECT_EQ(response.data.responses[1].status.kind, Kind::unknown);
    EXPECT_EQ(response.data.responses[2].id, world.id());
}

TEST(OcspResponder, NeverIssuedMayBeRevoked) {
    World world{[](ResponderConfig& config) { config.never_issued = NeverIssued::revoked; }};
    const auto response = parsed(world.responder->answer(request_for({world.id_of("55")})));
    EXPECT_EQ(response.data.responses[0].status, (CertStatus{Kind::revoked, Time{}, store::RevocationReason::certificate_hold}));
    EXPECT_TRUE(response.data.responses[0].extensions.empty());
    EXPECT_TRUE(read_extended_revoke(response.data.extensions).value());
    EXPECT_FALSE(response.data.extensions[0].critical);
    const auto good = parsed(world.responder->answer(world.request()));
    EXPECT_TRUE(good.data.extensions.empty());
}

TEST(OcspResponder, NeverIssuedIsNeitherCachedNorLongLived) {
    World world;
    const auto answer = world.responder->answer(request_for({world.id_of("55")}));
    EXPECT_FALSE(answer->cacheable);
    EXPECT_EQ(answer->next_update, test::now + Seconds{300});
    EXPECT_EQ(world.responder->presigned_count(), 0u);
}

TEST(OcspResponder, NegativeAndZeroSerialNumbersWereNeverIssued) {
    World world;
    for (const auto* serial : {"00", "ff", "80"}) {
        EXPECT_EQ(only_status(world.responder->answer(request_for({world.id_of(serial)}))).kind, Kind::unknown);
    }
    EXPECT_EQ(world.states.asked, 0);
}

TEST(OcspResponder, UnknownIssuersAreUnauthorized) {
    World world;
    const auto stranger = test::make_ca("CN=Stranger");
    const auto strange = test::issue({}, &stranger);
    const auto other_key = test::make_ca();  // the same name with another key
    const auto id = [](const auto& certificate, const auto& issuer, Hash hash) {
        return CertId::of(certificate.certificate, issuer.certificate, hash).value();
    };
    for (const auto hash : {Hash::sha1, Hash::sha256}) {
        for (const auto& wrong : {id(strange, stranger, hash), id(world.device, other_key, hash)}) {
            const auto answer = world.responder->answer(request_for({wrong}));
            EXPECT_EQ(answer->status, ResponseStatus::unauthorized);
            EXPECT_EQ(to_hex(answer->der), "30030a0106");
            EXPECT_EQ(world.responder->answer(request_for({world.id(), wrong}))->status, ResponseStatus::unauthorized);
        }
    }
    EXPECT_EQ(world.states.asked, 0);
}

TEST(OcspResponder, ErrorsOfTheSource) {
    World world;
    world.states.error = Error{Code::unavailable, "away"};
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
    world.states.error = Error{Code::too_busy, "busy"};
    EXPECT_EQ(world.responder->answer(world.request())->status, ResponseStatus::try_later);
    world.states.error = Error{Code::internal, "broken"};
    EXPECT_EQ(world.responder->answer(world.request(ByteVec(32)))->status, ResponseStatus::internal_error);
    EXPECT_EQ(world.responder->presigned_count(), 0u);
}

TEST(OcspResponder, MalformedRequests) {
    World world;
    EXPECT_EQ(to_hex(world.responder->answer(Bytes{})->der), "30030a0101");
    EXPECT_EQ(world.responder->answer(test::hex("3000"))->status, ResponseStatus::malformed_request);
    const std::vector<CertId> many(65, world.id());
    EXPECT_EQ(world.responder->answer(request_for(many))->status, ResponseStatus::malformed_request);
}

TEST(OcspResponder, UnknownCriticalExtensionIsUnauthorized) {
    World world;
    der::Writer writer;
    x509::write_extensions(writer, {{der::Oid{"1.2.3"}, true, {5, 0}}});
    der::Writer request;
    request.sequence([&] {
        request.sequence([&] {
            request.sequence([&] { request.sequence([&] { request.raw(world.id().der()); }); });
            request.constructed(der::context_constructed(2), [&] { request.raw(writer.bytes()); });
        });
    });
    EXPECT_EQ(world.responder->answer(request.bytes())->status, ResponseStatus::unauthorized);
}

TEST(OcspResponder, OnlyBasicResponsesAreMade) {
    World world;
    Request request;
    request.certificates.push_back(world.id());
    request.acceptable_responses = {der::Oid{"1.2.3"}};
    EXPECT_EQ(world.responder->answer(encode_request(request))->status, ResponseStatus::unauthorized);
    request.acceptable_responses->push_back(oid::basic);
    EXPECT_EQ(world.responder->answer(encode_request(request))->status, ResponseStatus::successful);
}

TEST(OcspResponder, ArchiveCutoffIsProducedAtMinusRetention) {
    World world{[](ResponderConfig& config) { config.archive_retention = 7 * 365 * test::day; }};
    const auto response = parsed(world.responder->answer(world.request()));
    EXPECT_EQ(read_archive_cutoff(response.data.responses[0].extensions).value(), test::now - 7 * 365 * test::day);
    EXPECT_TRUE(response.data.extensions.empty());
}

TEST(OcspResponder, TwoIssuersOfOneNameAndKeyAreRefused) {
    World world;
    ResponderConfig config;
    config.issuers.push_back({"a", world.ca.certificate, {world.delegate.signer()}, false});
    config.issuers.push_back({"b", world.ca.certificate, {world.delegate.signer()}, false});
    EXPECT_THAT(failure(Responder::create(config, world.states, world.clock)),
                HasSubstr("policy: OCSP issuer 'b': another issuer has the same name and key"));
    config.issuers.clear();
    EXPECT_THAT(failure(Responder::create(config, world.states, world.clock)), HasSubstr("issuers"));
}

}  // namespace
}  // namespace estuary::ocsp
