#pragma once
// What is measured, one function a case.
#include <functional>
#include <string>
#include <vector>

#include "connection.h"
#include "floor.h"

namespace estuary::load {

struct Target {
    Address address;
    int server_process = 0;
    std::string ca_pem;
    std::string user, password;   ///< a credential with unlimited uses
    unsigned threads = 16;        ///< one connection each
};

struct Measured {
    std::string name;
    double per_second = 0, p50_ms = 0, p99_ms = 0, cpu_us = 0, floor_us = 0;
    double ratio() const { return floor_us > 0 ? cpu_us / floor_us : 0; }
};

/// Runs work(i) for i in [0, count) on the target's threads; `per_thread` makes each thread's worker.
Measured run(const Target& target, std::string name, unsigned count,
             const std::function<std::function<void(unsigned)>()>& per_thread);
void expect_200(const Reply& reply);
/// HTTP requests, ready to be sent: for a certificate each, with the target's password; about one certificate, with a nonce each.
std::vector<std::string> enroll_requests(const Target& target, unsigned count);
std::vector<std::string> ocsp_requests(const Target& target, const std::string& issuer_pem, unsigned count);
extern const std::string cacerts_request;
/// A certificate by EST, PEM.
std::string enrolled(const Target& target, const std::string& subject);

/// "case  requests/s  p50  p99  cpu_us  floor_us  ratio"
std::string header_line();
std::string to_line(const Measured& measured);

Measured enroll_keep_alive(const Target& target, const Floor& floor, unsigned requests, const std::string& name);
/// A key made by the server each time (RFC 7030 4.4), under TLS alone; beside enroll_keep_alive.
Measured serverkeygen_keep_alive(const Target& target, const Floor& floor, unsigned requests);
Measured enroll_handshake_each(const Target& target, const Floor& floor, unsigned requests);
Measured enroll_mtls_handshake_each(const Target& target, const Floor& floor, unsigned requests);
Measured cacerts_keep_alive(const Target& target, unsigned requests);
/// OCSP over plain HTTP keep-alive at `status`: POST with a nonce each, so that each answer is signed; and GET of answers that are
/// kept, each certificate of `certificates` in turn.
Measured ocsp_on_demand(const Target& target, const Address& status, const std::string& issuer_pem, const Floor& floor, unsigned requests);
Measured ocsp_presigned(const Target& target, const Address& status, const std::string& issuer_pem, unsigned certificates, unsigned requests);
/// Opens `count` TLS connections that then do nothing; kilobytes of the server's memory for each, and the latency of a
/// /cacerts meanwhile.
struct Idle {
    double kb_per_connection = 0, cacerts_ms = 0;
    unsigned opened = 0;
};
Idle idle_connections(const Target& target, unsigned count);

}  // namespace estuary::load
