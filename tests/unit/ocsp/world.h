#pragma once
// A CA, its delegated responder and a device in memory, and a source of states that tests set by hand.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/base/encoding.h"
#include "estuary/ocsp/oids.h"
#include "estuary/ocsp/responder.h"
#include "estuary/ocsp/verify.h"

namespace estuary::test {

inline constexpr Time now{Seconds{1'795'233'600}};  // 2026-11-21
inline constexpr Seconds hour{3600}, day{86'400};

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }

/// The error's code and detail, for EXPECT_THAT.
template <class T>
std::string failure(const Result<T>& result) {
    return result ? "no error" : std::string{to_string(result.error().code)} + ": " + result.error().detail;
}

struct Identity {
    x509::Certificate certificate;
    crypto::PrivateKey key;
    ocsp::Signer signer() const { return {certificate, key}; }
};

/// What is asked of a certificate; the rest is as usual.
struct Wanted {
    std::string subject = "CN=device";
    std::string key_type = "p256";
    ByteVec serial = hex("1234");
    Time not_before = now - 30 * day, not_after = now + 365 * day;
    bool ca = false, ocsp_signing = false, nocheck = false;
    std::optional<std::uint32_t> key_usage = {};
    std::string ocsp_uri = {};
    std::vector<x509::Extension> extensions = {};  ///< and these
};
/// Signed by `issuer`, or by itself.
Identity issue(const Wanted& wanted, const Identity* issuer = nullptr);
Identity make_ca(const std::string& subject = "CN=Test CA,O=Estuary", const std::string& key_type = "p256");
Identity make_responder(const Identity& ca, Wanted wanted = {});

/// States by issuer and serial number in hexadecimal; all else was never issued.
class States final : public ocsp::StatusSource {
public:
    Result<std::optional<ocsp::CertificateState>> status(std::string_view issuer, Bytes serial_number) override;

    std::map<std::pair<std::string, std::string>, ocsp::CertificateState> known;
    std::optional<Error> error;
    std::function<void()> before_answering = [] {};
    int asked = 0;
};

/// A responder over one CA "ca" with a delegated signer, and a device that is good.
class World {
public:
    explicit World(std::function<void(ocsp::ResponderConfig&)> change = [](auto&) {});

    void revoke(const x509::Certificate& certificate, store::RevocationReason reason);
    ocsp::CertId id(ocsp::Hash hash = ocsp::Hash::sha256) const;
    ocsp::CertId id_of(std::string_view serial_hex, ocsp::Hash hash = ocsp::Hash::sha256) const;
    ByteVec request(std::optional<Bytes> nonce = std::nullopt, ocsp::Hash hash = ocsp::Hash::sha256) const;

    ManualClock clock{now};
    Identity ca = make_ca();
    Identity delegate = make_responder(ca);
    Identity device = issue({}, &ca);
    States states;
    std::unique_ptr<ocsp::Responder> responder;
};

ByteVec request_for(std::vector<ocsp::CertId> ids, std::optional<ByteVec> nonce = std::nullopt);
/// The parsed answer, which must be successful.
ocsp::BasicResponse parsed(const ocsp::AnswerPtr& answer);

}  // namespace estuary::test
