// CRLs of a million entries: written, linted, signed, read, searched. grown_MiB: what the process grew by at its peak.
#include <fstream>

#include <benchmark/benchmark.h>

#include "estuary/crypto/digest.h"
#include "estuary/x509/crl_encoder.h"
#include "estuary/x509/lint_crl.h"

namespace {

using namespace estuary;
using namespace estuary::x509;

const crypto::PrivateKey& key() {
    static const auto value = crypto::PrivateKey::generate("p256").value();
    return value;
}

Certificate issuer() {
    const auto& algorithm = key().signature_algorithm().value()->identifier;
    const auto name = Name::from_text("CN=Issuing CA,O=Example").value();
    const auto tbs = encode_tbs({{1},
                                 to_vec(algorithm),
                                 name,
                                 Time{},
                                 parse_iso8601("2049-01-01").value(),
                                 name,
                                 to_vec(key().public_key().spki()),
                                 {make_key_usage(key_cert_sign | crl_sign),
                                  make_subject_key_identifier(key_identifier(key().public_key().spki()).value())}});
    return Certificate::parse(encode_certificate(tbs, algorithm, key().sign(tbs).value())).value();
}

CrlTemplate wanted() {
    return {Name::from_text("CN=Issuing CA,O=Example").value(),
            to_vec(key().signature_algorithm().value()->identifier),
            parse_iso8601("2026-06-01").value(),
            parse_iso8601("2026-06-08").value(),
            CrlNumber{12},
            key_identifier(key().public_key().spki()).value(),
            {},
            {},
            {}};
}

/// Serial numbers as Estuary gives them: four octets that ascend with time, sixteen at random.
std::vector<std::array<std::uint8_t, 20>> serials(std::size_t count) {
    std::vector<std::array<std::uint8_t, 20>> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        crypto::random(out[i]);
        const auto seconds = 0x60000000u + static_cast<std::uint32_t>(i);
        for (std::size_t octet = 0; octet < 4; ++octet) out[i][octet] = static_cast<std::uint8_t>(seconds >> (8 * (3 - octet)));
    }
    return out;
}

/// Every entry with a reason, as in docs/measurements.md.
CrlToSign encode(const std::vector<std::array<std::uint8_t, 20>>& revoked) {
    CrlEncoder encoder{wanted(), revoked.size()};
    const auto start = parse_iso8601("2026-01-01").value();
    for (std::size_t i = 0; i < revoked.size(); ++i)
        if (!encoder.add(revoked[i], start + Seconds{static_cast<std::int64_t>(i % 10'000'000)}, CrlReason::superseded))
            std::abort();
    return std::move(encoder).finish();
}

/// "VmHWM:" or "VmRSS:" of this process.
double mebibytes(const std::string& field) {
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;)
        if (double kibibytes = 0; word == field && status >> kibibytes) return kibibytes / 1024;
    return 0;
}

/// From here on VmHWM counts from what is held now.
void reset_peak() { std::ofstream{"/proc/self/clear_refs"} << "5"; }

ByteVec signed_list(const std::vector<std::array<std::uint8_t, 20>>& revoked) {
    auto list = encode(revoked);
    const auto signature = key().sign(list.tbs()).value();
    return std::move(list).assemble(signature);
}

void crl_make(benchmark::State& state) {
    const auto revoked = serials(static_cast<std::size_t>(state.range(0)));
    reset_peak();
    const auto before = mebibytes("VmRSS:");
    std::size_t size = 0;
    for (auto _ : state) size = signed_list(revoked).size();
    state.counters["der_MiB"] = static_cast<double>(size) / 1048576;
    state.counters["grown_MiB"] = mebibytes("VmHWM:") - before;
}

void crl_encode(benchmark::State& state) {
    const auto revoked = serials(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(encode(revoked));
}

void crl_sign(benchmark::State& state) {
    const auto list = encode(serials(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) benchmark::DoNotOptimize(key().sign(list.tbs()));
}

void crl_lint(benchmark::State& state) {
    auto revoked = serials(static_cast<std::size_t>(state.range(0)));
    if (state.range(1) == 0) std::ranges::reverse(revoked);
    const auto list = encode(revoked);
    const auto certificate = issuer();
    for (auto _ : state)
        if (!lint_crl(list.tbs(), certificate).empty()) state.SkipWithError("the good list is found wanting");
}

void crl_parse(benchmark::State& state) {
    const auto der = signed_list(serials(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) benchmark::DoNotOptimize(RevocationList::parse(der));
}

void crl_find(benchmark::State& state) {
    const auto list = RevocationList::adopt(signed_list(serials(static_cast<std::size_t>(state.range(0))))).value();
    const ByteVec absent(20, 0x7E);
    for (auto _ : state) benchmark::DoNotOptimize(list.find(absent));
}

constexpr std::int64_t million = 1'000'000;
BENCHMARK(crl_make)->Arg(million)->Unit(benchmark::kMillisecond);
BENCHMARK(crl_encode)->Arg(million)->Unit(benchmark::kMillisecond);
BENCHMARK(crl_sign)->Arg(million)->Unit(benchmark::kMillisecond);
BENCHMARK(crl_lint)->Args({million, 1})->Args({million, 0})->ArgNames({"entries", "ascending"})->Unit(benchmark::kMillisecond);
BENCHMARK(crl_parse)->Arg(million)->Unit(benchmark::kMillisecond);
BENCHMARK(crl_find)->Arg(million)->Unit(benchmark::kMillisecond);
BENCHMARK(crl_make)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
