#pragma once
// What is measured, one function a case.
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

/// "case  requests/s  p50  p99  cpu_us  floor_us  ratio"
std::string header_line();
std::string to_line(const Measured& measured);

Measured enroll_keep_alive(const Target& target, const Floor& floor, unsigned requests, const std::string& name);
Measured enroll_handshake_each(const Target& target, const Floor& floor, unsigned requests);
Measured enroll_mtls_handshake_each(const Target& target, const Floor& floor, unsigned requests);
Measured cacerts_keep_alive(const Target& target, unsigned requests);
/// Opens `count` TLS connections that then do nothing; kilobytes of the server's memory for each, and the latency of a
/// /cacerts meanwhile.
struct Idle {
    double kb_per_connection = 0, cacerts_ms = 0;
    unsigned opened = 0;
};
Idle idle_connections(const Target& target, unsigned count);

}  // namespace estuary::load
