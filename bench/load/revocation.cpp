// What revocation costs beside few and beside many revoked certificates, and what a complete CRL of them costs:
//   estuary-revocation [COUNT]     default 1000000; the database lies in $TMPDIR or /tmp and is removed
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "estuary/authority/ceremony.h"
#include "process.h"

namespace {

using namespace estuary;
using Steady = std::chrono::steady_clock;

constexpr std::size_t certificates_per_unit = 500;
constexpr unsigned revocations = 2'000;

/// The largest resident set since the last call, in kilobytes (1000 octets).
double peak_kb() {
    std::ifstream status{"/proc/self/status"};
    double peak = 0;
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) peak = std::strtod(line.c_str() + 6, nullptr) * 1.024;
    std::ofstream{"/proc/self/clear_refs"} << 5;
    return peak;
}

template <class T>
T must(Result<T> result) {
    if (result) {
        if constexpr (std::is_void_v<T>)
            return;
        else
            return std::move(*result);
    }
    fmt::print(stderr, "revocation: {} {}\n", result.error().detail, result.error().cause);
    std::exit(1);
}

class Bench {
public:
    Bench() {
        auto pattern = (std::filesystem::temp_directory_path() / "estuary-revocation-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::exit(1);
        directory_ = pattern;
        store_ = must(store::open_sqlite(directory_ / "estuary.db"));
        store::UnitOfWork work;
        auto ca = must(authority::make_ca({.organisation_name = "Bench", .key_type = "p256", .name_constraints = {}}, clock_, entropy_, work));
        must(store_->commit(std::move(work)));
        authority::Config config;
        config.cas.push_back({"issuing", ca.issuing, ca.issuing_key, {ca.root}, {}, {}});
        config.profiles = {authority::default_device_profile("issuing")};
        config.password_key = crypto::Secret{"a server key of more than 16 octets"};
        authority_ = must(authority::Authority::create(std::move(config), *store_, clock_, entropy_));
        der_ = device_certificate();
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        authority_.reset();
        store_.reset();
        std::filesystem::remove_all(directory_);
    }

    void add(std::int64_t count, bool revoked) {
        store::UnitOfWork work;
        for (std::int64_t i = 0; i < count; ++i) {
            work.writes.emplace_back(store::InsertCertificate{next(revoked), {}});
            if (work.writes.size() < certificates_per_unit && i + 1 < count) continue;
            must(store_->commit(std::move(work)));
            work = {};
        }
    }

    /// One after the other, each durable before the next: wall time in milliseconds.
    void revoke(std::string_view when) {
        std::vector<double> times;
        for (unsigned i = 0; i < revocations; ++i) {
            add(1, false);
            authority::RevokeRequest request{"issuing", last_serial_, store::RevocationReason::superseded, {}};
            request.principal.operator_ = true;
            const auto start = Steady::now();
            store::UnitOfWork work;
            must(authority_->revoke(request, work));
            must(store_->commit(std::move(work)));
            times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - start).count());
        }
        std::ranges::sort(times);
        fmt::print("revocation beside {:<10}  p50 {:.2f} ms  p99 {:.2f} ms\n", when, times[times.size() / 2], times[times.size() * 99 / 100]);
    }

    void crl() {
        const auto pid = ::getpid();
        peak_kb();
        const double before_kb = load::resident_kb(pid), before_us = load::cpu_us(pid);
        const auto start = Steady::now();
        store::UnitOfWork work;
        const auto made = must(authority_->make_crl("issuing", 0, authority::CrlKind::complete, work));
        must(store_->commit(std::move(work)));
        const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
        fmt::print("complete CRL of {} entries: {:.2f} s, CPU {:.2f} s, {:.1f} MB of DER, {:.1f} MB more memory at the peak\n", made.record.entries,
                   seconds, (load::cpu_us(pid) - before_us) / 1e6, static_cast<double>(made.der.size()) / 1e6,
                   (peak_kb() - before_kb) / 1e3);
    }

private:
    /// One that the CA issued, for all records: only their serial numbers differ.
    ByteVec device_certificate() {
        x509::RequestTemplate wanted;
        wanted.subject = must(x509::Name::from_text("CN=device"));
        const auto request = must(x509::SignedRequest::parse(must(x509::make_request(wanted, must(crypto::PrivateKey::generate("p256"))))));
        store::UnitOfWork not_recorded;
        return to_vec(must(authority_->issue_for_server("device", request, not_recorded)).der());
    }

    store::CertificateRecord next(bool revoked) {
        const auto now = clock_.now();
        store::CertificateRecord record;
        record.ca = "issuing";
        record.serial_number.resize(20);
        crypto::random(record.serial_number);
        const auto number = ++count_;  // in order, as the authority makes them
        for (unsigned i = 0; i < 4; ++i) record.serial_number[i] = static_cast<std::uint8_t>((number + (1u << 24)) >> (24 - 8 * i));
        last_serial_ = record.serial_number;
        record.der = der_;
        record.subject = fmt::format("CN=device-{}", number);
        record.not_before = record.issued_at = now;
        record.not_after = now + Seconds{90 * 86400};
        record.profile = "device";
        record.requester = "credential:load";
        if (revoked) record.revocation = store::Revocation{now, store::RevocationReason::superseded, {}};
        return record;
    }

    std::filesystem::path directory_;
    SystemClock clock_;
    crypto::SystemEntropy entropy_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<authority::Authority> authority_;
    ByteVec der_, last_serial_;
    std::uint32_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const auto count = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : 1'000'000;
    Bench bench;
    bench.revoke("none");
    bench.add(count, true);
    bench.revoke(fmt::format("{}", count));
    bench.crl();
    return 0;
}
