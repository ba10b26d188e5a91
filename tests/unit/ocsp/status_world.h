#pragma once
// A CA, its OCSP responder and its CRLs in memory, behind a network that exists only here.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estuary/base/encoding.h"
#include "estuary/ocsp/server.h"
#include "estuary/ocsp/status_check.h"
#include "estuary/x509/crl_encoder.h"
#include "estuary/x509/distribution_point.h"

namespace estuary::ocsp::test {

inline constexpr Time now{Seconds{1'795'233'600}};  // 2026-11-21T04:00:00Z
inline constexpr Seconds hour{3600}, day{86'400};
inline const std::string ocsp_url = "http://ca.example/ocsp", crl_url = "http://ca.example/ca.crl",
                         delta_url = "http://ca.example/delta.crl", issuer_url = "http://ca.example/ca.cer";

inline ByteVec hex(std::string_view text) { return from_hex(text).value(); }

struct Party {
    x509::Certificate certificate;
    crypto::PrivateKey key;
};

struct Wanted {
    std::string subject = "CN=device";
    ByteVec serial = hex("1234");
    Time not_before = now - 30 * day, not_after = now + 365 * day;
    std::vector<x509::Extension> extensions = {};
};
/// Signed by `issuer`, or by itself.
Party issue(Wanted wanted, const Party* issuer = nullptr);
Party make_ca(const std::string& subject = "CN=Test CA");
/// What a certificate says of where its status is.
std::vector<x509::Extension> pointers(bool ocsp = true, bool crl = true);

struct Entry {
    std::string serial = "1234";
    x509::CrlReason reason = x509::CrlReason::key_compromise;
};
struct ListWanted {
    std::vector<Entry> entries = {};
    std::uint64_t number = 5;
    std::optional<std::uint64_t> delta_base = {};
    Time this_update = now - hour, next_update = now + day;
    std::vector<std::string> freshest = {};
    std::optional<x509::ReasonFlags> reasons = {};
};
ByteVec make_list(const Party& ca, const ListWanted& wanted);

class World : private StatusSource {
public:
    World();

    Subject subject() const { return {device.certificate, ca.certificate, {}, {}}; }
    /// A device with other extensions or dates.
    void replace_device(Wanted wanted) { device = issue(std::move(wanted), &ca); }
    void put(const std::string& url, Bytes octets, const std::string& type = "application/pkix-crl");
    void set_responder(const Party& signer, bool echo_nonce = true);
    Fetch fetch();
    StatusReport check(const StatusOptions& options = {}) { return check_status(subject(), options, fetch(), now); }

    ManualClock clock{now};
    Party ca = make_ca(), device;
    /// By serial number; all else was never issued.
    std::map<std::string, CertificateState> issued;
    std::map<std::string, http::Response> files;
    std::vector<std::string> asked;  ///< "GET http://ca.example/ca.crl", without what follows the responder's path

private:
    Result<std::optional<CertificateState>> status(std::string_view issuer, Bytes serial_number) override;
    std::unique_ptr<Responder> responder_;
    std::unique_ptr<Server> server_;
};

}  // namespace estuary::ocsp::test
