// OpenSSL's OCSP as the oracle, in both directions.
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "estuary/base/handle.h"
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;
using test::Identity;
using test::World;
using Kind = CertStatus::Kind;

using OsslRequest = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;
using OsslResponse = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using OsslBasic = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using OsslCertId = Handle<OCSP_CERTID, OCSP_CERTID_free>;
using OsslX509 = Handle<X509, X509_free>;
using OsslStore = Handle<X509_STORE, X509_STORE_free>;
using OsslTime = Handle<ASN1_TIME, ASN1_TIME_free>;

OsslX509 to_openssl(const x509::Certificate& certificate) {
    const auto* data = certificate.der().data();
    return OsslX509{d2i_X509(nullptr, &data, static_cast<long>(certificate.der().size()))};
}
OsslRequest read_request(Bytes der) {
    const auto* data = der.data();
    return OsslRequest{d2i_OCSP_REQUEST(nullptr, &data, static_cast<long>(der.size()))};
}
template <class T, class Function>
ByteVec encoded(T* value, Function function) {
    unsigned char* out = nullptr;
    const int size = function(value, &out);
    ByteVec der(out, out + size);
    OPENSSL_free(out);
    return der;
}
OsslCertId cert_id(const EVP_MD* md, const World& world) {
    return OsslCertId{OCSP_cert_to_id(md, to_openssl(world.device.certificate).get(), to_openssl(world.ca.certificate).get())};
}
OsslRequest make(const EVP_MD* md, const World& world) {
    OsslRequest request{OCSP_REQUEST_new()};
    OCSP_request_add0_id(request.get(), cert_id(md, world).release());
    return request;
}

/// OpenSSL's judgement of a response: signature, delegation, and the state of the device.
struct Judged {
    int verified = 0;
    int status = -1, reason = -1;
    int nonce = -2;  ///< OCSP_check_nonce: 1 equal, 2 both absent
    bool found = false, in_time = false;
};
Judged judge(const World& world, OCSP_REQUEST* request, Bytes der, const EVP_MD* md) {
    Judged judged;
    const auto* data = der.data();
    const OsslResponse response{d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size()))};
    if (!response || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return judged;
    const OsslBasic basic{OCSP_response_get1_basic(response.get())};
    const OsslStore store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), to_openssl(world.ca.certificate).get());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), world.clock.now().time_since_epoch().count());
    STACK_OF(X509)* own = sk_X509_new_null();  // the CA's certificate, for answers that the CA signed
    const auto ca = to_openssl(world.ca.certificate);
    sk_X509_push(own, ca.get());
    judged.verified = OCSP_basic_verify(basic.get(), own, store.get(), 0);
    sk_X509_free(own);
    if (request != nullptr) judged.nonce = OCSP_check_nonce(request, basic.get());
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    judged.found = OCSP_resp_find_status(basic.get(), cert_id(md, world).get(), &judged.status, &judged.reason, nullptr,
                                         &this_update, &next_update) == 1;
    if (!judged.found) return judged;
    const OsslTime now{ASN1_TIME_set(nullptr, world.clock.now().time_since_epoch().count())};
    judged.in_time =
        ASN1_TIME_compare(this_update, now.get()) <= 0 && next_update != nullptr && ASN1_TIME_compare(next_update, now.get()) > 0;
    return judged;
}

TEST(OcspOpenssl, OurRequestsAreTheSameOctets) {
    const World world;
    for (const auto& [md, hash] : {std::pair{EVP_sha1(), Hash::sha1}, std::pair{EVP_sha256(), Hash::sha256},
                                   std::pair{EVP_sha384(), Hash::sha384}, std::pair{EVP_sha512(), Hash::sha512}}) {
        const auto theirs = make(md, world);
        EXPECT_EQ(to_hex(encoded(theirs.get(), i2d_OCSP_REQUEST)), to_hex(world.request(std::nullopt, hash)));
        ByteVec nonce(32, 0x5A);
        OCSP_request_add1_nonce(theirs.get(), nonce.data(), static_cast<int>(nonce.size()));
        EXPECT_EQ(to_hex(encoded(theirs.get(), i2d_OCSP_REQUEST)), to_hex(world.request(nonce, hash)));
    }
}

TEST(OcspOpenssl, TheirRequestsAreRead) {
    const World world;
    const auto theirs = make(EVP_sha1(), world);
    OCSP_request_add1_nonce(theirs.get(), nullptr, -1);
    OCSP_request_set1_name(theirs.get(), X509_get_subject_name(to_openssl(world.device.certificate).get()));
    const auto device = to_openssl(world.device.certificate);
    ASSERT_EQ(OCSP_request_sign(theirs.get(), device.get(), world.device.key.handle(), EVP_sha256(), nullptr, 0), 1);
    const auto request = Request::parse(encoded(theirs.get(), i2d_OCSP_REQUEST));
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->certificates.at(0), world.id(Hash::sha1));
    EXPECT_TRUE(request->nonce);
    EXPECT_TRUE(request->is_signed);
}

class OcspOpensslHash : public testing::TestWithParam<Hash> {
protected:
    const EVP_MD* md() const {
        switch (GetParam()) {
            case Hash::sha1: return EVP_sha1();
            case Hash::sha256: return EVP_sha256();
            case Hash::sha384: return EVP_sha384();
            case Hash::sha512: break;
        }
        return EVP_sha512();
    }
};

TEST_P(OcspOpensslHash, OurAnswersAreBelieved) {
    World world;
    const auto request = make(md(), world);
    OCSP_request_add1_nonce(request.get(), nullptr, 32);
    auto judged = judge(world, request.get(), world.responder->answer(encoded(request.get(), i2d_OCSP_REQUEST))->der, md());
    EXPECT_EQ(judged.verified, 1) << ERR_error_string(ERR_get_error(), nullptr);
    EXPECT_EQ(judged.nonce, 1);
    EXPECT_TRUE(judged.found && judged.in_time);
    EXPECT_EQ(judged.status, V_OCSP_CERTSTATUS_GOOD);

    world.revoke(world.device.certificate, store::RevocationReason::affiliation_changed);
    const auto plain = make(md(), world);
    judged = judge(world, plain.get(), world.responder->answer(encoded(plain.get(), i2d_OCSP_REQUEST))->der, md());
    EXPECT_EQ(judged.verified, 1);
    EXPECT_EQ(judged.nonce, 2);
    EXPECT_EQ(judged.status, V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_EQ(judged.reason, OCSP_REVOKED_STATUS_AFFILIATIONCHANGED);

    world.states.known.clear();
    world.responder->forget("ca", world.device.certificate.serial_number());
    judged = judge(world, plain.get(), world.responder->answer(encoded(plain.get(), i2d_OCSP_REQUEST))->der, md());
    EXPECT_EQ(judged.verified, 1);
    EXPECT_EQ(judged.status, V_OCSP_CERTSTATUS_UNKNOWN);
}
INSTANTIATE_TEST_SUITE_P(All, OcspOpensslHash, testing::Values(Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512));

TEST(OcspOpenssl, AnswersSignedByTheCaAreBelieved) {
    World world;
    ResponderConfig config;
    config.issuers.push_back({"ca", world.ca.certificate, {world.ca.signer()}, false});
    config.never_issued = NeverIssued::revoked;
    config.archive_retention = test::day;
    const auto responder = Responder::create(config, world.states, world.clock).value();
    auto judged = judge(world, nullptr, responder->answer(world.request())->der, EVP_sha256());
    EXPECT_EQ(judged.verified, 1);
    EXPECT_EQ(judged.status, V_OCSP_CERTSTATUS_GOOD);
    world.states.known.clear();
    responder->forget("ca", world.device.certificate.serial_number());
    judged = judge(world, nullptr, responder->answer(world.request())->der, EVP_sha256());
    EXPECT_EQ(judged.verified, 1);
    EXPECT_EQ(judged.status, V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_EQ(judged.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
}

/// A response of OpenSSL's about the device, by the delegate or the CA.
ByteVec their_response(const World& world, const Identity& signer, int status, unsigned long flags, const ByteVec* nonce) {
    const OsslBasic basic{OCSP_BASICRESP_new()};
    const auto at = [&](Seconds offset) {
        return OsslTime{ASN1_GENERALIZEDTIME_set(nullptr, (world.clock.now() + offset).time_since_epoch().count())};
    };
    const auto revoked = at(-test::hour), this_update = at(Seconds{0}), next_update = at(test::day);
    OCSP_basic_add1_status(basic.get(), cert_id(EVP_sha1(), world).get(), status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                           status == V_OCSP_CERTSTATUS_REVOKED ? revoked.get() : nullptr, this_update.get(), next_update.get());
    if (nonce != nullptr) {
        auto octets = *nonce;
        OCSP_basic_add1_nonce(basic.get(), octets.data(), static_cast<int>(octets.size()));
    }
    const auto certificate = to_openssl(signer.certificate);
    EXPECT_EQ(OCSP_basic_sign(basic.get(), certificate.get(), signer.key.handle(), EVP_sha256(), nullptr, flags), 1);
    const OsslResponse response{OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get())};
    return encoded(response.get(), i2d_OCSP_RESPONSE);
}

TEST(OcspOpenssl, TheirAnswersAreBelieved) {
    const World world;
    const ByteVec nonce(32, 6);
    const auto judge_ours = [&](const Identity& signer, int status, unsigned long flags) {
        return verify(world.device.certificate, world.ca.certificate, their_response(world, signer, status, flags, &nonce), nonce,
                      {.now = test::now, .nonce_required = true});
    };
    const auto good = judge_ours(world.delegate, V_OCSP_CERTSTATUS_GOOD, OCSP_RESPID_KEY);
    ASSERT_TRUE(good) << failure(good);
    EXPECT_EQ(good->status.kind, Kind::good);
    const auto revoked = judge_ours(world.delegate, V_OCSP_CERTSTATUS_REVOKED, 0);  // by name
    ASSERT_TRUE(revoked) << failure(revoked);
    EXPECT_EQ(revoked->status, (CertStatus{Kind::revoked, test::now - test::hour, store::RevocationReason::key_compromise}));
    const auto unknown = judge_ours(world.ca, V_OCSP_CERTSTATUS_UNKNOWN, OCSP_NOCERTS);
    ASSERT_TRUE(unknown) << failure(unknown);
    EXPECT_EQ(unknown->status.kind, Kind::unknown);
    EXPECT_EQ(unknown->signer, world.ca.certificate);
}

// Where OpenSSL says no, so do we.
TEST(OcspOpenssl, BothRefuseTheSameSigners) {
    const World world;
    const auto namesake = test::make_ca();
    for (const auto& signer :
         {test::make_responder(namesake), world.device, test::issue({.subject = "CN=Self", .ocsp_signing = true}),
          test::make_responder(world.ca, {.not_after = test::now - test::day})}) {
        const auto der = their_response(world, signer, V_OCSP_CERTSTATUS_GOOD, OCSP_RESPID_KEY, nullptr);
        EXPECT_NE(judge(world, nullptr, der, EVP_sha1()).verified, 1);
        EXPECT_FALSE(verify(world.device.certificate, world.ca.certificate, der, std::nullopt, {.now = test::now}));
    }
    ERR_clear_error();
}

// What OpenSSL reads back of our request, cut anywhere, is nothing; so do we refuse it.
TEST(OcspOpenssl, BothRefuseCutRequests) {
    const World world;
    const auto der = world.request();
    EXPECT_TRUE(read_request(der));
    for (std::size_t size = 0; size < der.size(); ++size) {
        EXPECT_FALSE(read_request(Bytes{der}.first(size)));
        EXPECT_FALSE(Request::parse(Bytes{der}.first(size)));
    }
    ERR_clear_error();
}

}  // namespace
}  // namespace estuary::ocsp
