// Drives a server and prints a line a case: server CPU for each request beside the cryptography that it cannot do without.
#include <charconv>
#include <csignal>
#include <fstream>
#include <iostream>

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cases.h"
#include "cases_cmp.h"
#include "paced.h"
#include "process.h"

namespace {

using namespace estuary::load;

std::string read_text(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

Address parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error{"--server wants ADDRESS:PORT"};
    return {text.substr(0, colon), static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)))};
}

void print(const Paced& kind, const std::string& label) {
    fmt::print("{:<14} {:<34} p50 {:>6.2f} ms  p99 {:>7.2f} ms  max {:>7.2f} ms  ({} requests)\n", kind.name, label, kind.p50_ms, kind.p99_ms,
               kind.max_ms, kind.requests);
}

void allow_many_files() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    allow_many_files();
    Target target;
    CmpPeer peer;
    std::string cmp, maker_file, maker_key_file, server, ca_file, status, issuer_file, label = "alone";
    std::vector<std::string> cases;
    unsigned requests = 10'000, idle = 5'000, seconds = 15;
    CLI::App program{"Load generator"};
    program.add_option("--server", server, "ADDRESS:PORT")->required();
    program.add_option("--pid", target.server_process, "The server's process, for its CPU and memory")->required();
    program.add_option("--ca", ca_file, "Trust anchor (PEM)")->required();
    program.add_option("--user", target.user, "Credential with unlimited uses");
    program.add_option("--password", target.password, "and its password");
    program.add_option("--connections", target.threads, "Connections at once");
    program.add_option("--requests", requests, "Requests a case");
    program.add_option("--idle", idle, "Idle connections in the case idle");
    program.add_option("--status", status, "ADDRESS:PORT of the status listener, for the cases ocsp, presigned and paced");
    program.add_option("--issuer", issuer_file, "The issuing CA (PEM), for the same");
    program.add_option("--cmp", cmp, "ADDRESS:PORT of the CMP listener (plain HTTP), for the cases cmp…");
    program.add_option("--cmp-user", peer.user, "Credential of type cmp with unlimited uses");
    program.add_option("--cmp-secret", peer.secret, "and its secret");
    program.add_option("--maker", maker_file, "A manufacturer's CA (PEM, P-256), whose devices may enroll by CMP");
    program.add_option("--maker-key", maker_key_file, "and its key");
    program.add_option("--case", cases, "keepalive, handshake, mtls, cacerts, idle, ocsp, presigned, serverkeygen, paced, cmp, cmp-maker, cmp-pbmac1, "
                                        "cmp-pbm, cmp-flood; default: the first five");
    program.add_option("--seconds", seconds, "How long the case paced lasts, and each half of cmp-flood");
    program.add_option("--label", label, "What goes on beside the case paced, for its lines");
    CLI11_PARSE(program, argc, argv);
    if (cases.empty()) cases = {"keepalive", "handshake", "mtls", "cacerts", "idle"};
    try {
        target.address = parse_address(server);
        target.ca_pem = read_text(ca_file);
        peer.ca_pem = target.ca_pem;
        if (!cmp.empty()) peer.address = parse_address(cmp);
        peer.maker_pem = read_text(maker_file);
        peer.maker_key_pem = read_text(maker_key_file);
        const auto floor = measure_floor();
        fmt::print("floor: P-256 sign {:.1f} us, verify + sign {:.1f} us, TLS 1.3 handshake {:.1f} us, with client certificate {:.1f} us; "
                   "10,000 iterations of PBKDF2 {:.0f} us, of SHA-256 {:.0f} us\n",
                   floor.sign_us, floor.verify_sign_us, floor.handshake_us, floor.mtls_handshake_us, floor.pbkdf2_us, floor.hashes_us);
        fmt::print("{}\n", header_line());
        for (const auto& name : cases) {
            if (name == "keepalive") fmt::print("{}\n", to_line(enroll_keep_alive(target, floor, requests, "enroll keep-alive")));
            if (name == "serverkeygen") fmt::print("{}\n", to_line(serverkeygen_keep_alive(target, floor, requests)));
            if (name == "handshake") fmt::print("{}\n", to_line(enroll_handshake_each(target, floor, requests / 2)));
            if (name == "mtls") fmt::print("{}\n", to_line(enroll_mtls_handshake_each(target, floor, requests / 2)));
            if (name == "cacerts") fmt::print("{}\n", to_line(cacerts_keep_alive(target, requests * 10)));
            if (name == "ocsp")
                fmt::print("{}\n", to_line(ocsp_on_demand(target, parse_address(status), read_text(issuer_file), floor, requests * 2)));
            if (name == "presigned")
                fmt::print("{}\n", to_line(ocsp_presigned(target, parse_address(status), read_text(issuer_file), 100, requests * 10)));
            if (name == "paced")
                for (const auto& kind : paced(target, parse_address(status), read_text(issuer_file), std::chrono::seconds{seconds})) print(kind, label);
            const auto cmp_enrolls = [&](CmpProtection protection, unsigned count) {
                fmt::print("{}\n", to_line(cmp_enroll(target, peer, floor, protection, count)));
            };
            if (name == "cmp") cmp_enrolls(CmpProtection::certificate, requests);
            if (name == "cmp-maker") cmp_enrolls(CmpProtection::maker, requests);
            if (name == "cmp-pbmac1") cmp_enrolls(CmpProtection::pbmac1, requests / 10);
            if (name == "cmp-pbm") cmp_enrolls(CmpProtection::password_based_mac, requests / 10);
            if (name == "cmp-flood") {
                const auto flooded = cmp_flood(target, peer, std::chrono::seconds{seconds});
                for (const auto& kind : flooded.alone) print(kind, "alone");
                for (const auto& kind : flooded.beside) print(kind, "beside a flood of MACs");
                fmt::print("flood of MACs: {} computed, {} put off; CPU of the server {:.2f} cores\n", flooded.computed, flooded.put_off, flooded.cores);
            }
            if (name == "idle") {
                fmt::print("idle: server RSS {:.1f} MB before\n", resident_kb(target.server_process) / 1000);
                const auto result = idle_connections(target, idle);
                fmt::print("idle: {} TLS connections, {:.1f} kB each; /cacerts beside them in {:.2f} ms\n", result.opened,
                           result.kb_per_connection, result.cacerts_ms);
            }
            std::fflush(stdout);
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "load: {}\n", error.what());
        return 1;
    }
    return 0;
}
