#pragma once
// A CA, its OCSP responder and its CRLs in memory, behind a network that exists only here.
#include "estuary/ocsp/server.h"
#include "estuary/ocsp/status_check.h"
#include "estuary/x509/crl_encoder.h"
#include "estuary/x509/distribution_point.h"
#include "tests/unit/ocsp/world.h"

namespace estuary::ocsp::relying_party {

using test::day;
using test::hex;
using test::hour;
using test::Identity;
using test::issue;
using test::make_ca;
using test::now;
using test::Wanted;

inline const std::string ocsp_url = "http://ca.example/ocsp", crl_url = "http://ca.example/ca.crl",
                         delta_url = "http://ca.example/delta.crl", issuer_url = "http://ca.example/ca.cer";

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
ByteVec make_list(const Identity& ca, const ListWanted& wanted);

class World : private StatusSource {
public:
    World();

    Subject subject() const { return {device.certificate, ca.certificate, {}, {}}; }
    /// A device with other extensions or dates.
    void replace_device(const Wanted& wanted) { device = issue(wanted, &ca); }
    void put(const std::string& url, Bytes octets, const std::string& type = "application/pkix-crl");
    void set_responder(const Identity& signer, bool echo_nonce = true);
    Fetch fetch();
    StatusReport check(const StatusOptions& options = {}) { return check_status(subject(), options, fetch(), now); }

    ManualClock clock{now};
    Identity ca = make_ca(), device;
    /// By serial number; all else was never issued.
    std::map<std::string, CertificateState> issued;
    std::map<std::string, http::Response> files;
    std::vector<std::string> asked;  ///< "GET http://ca.example/ca.crl", without what follows the responder's path

private:
    Result<std::optional<CertificateState>> status(std::string_view issuer, Bytes serial_number) override;
    std::unique_ptr<Responder> responder_;
    std::unique_ptr<Server> server_;
};

}  // namespace estuary::ocsp::relying_party
