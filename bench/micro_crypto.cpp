// The cryptography of one enrollment, piece by piece. Compare cpu_time with the primitives of the same run, not across
// machines.
#include <map>

#include <benchmark/benchmark.h>

#include "estuary/crypto/digest.h"
#include "estuary/crypto/key.h"

namespace {

using namespace estuary;
using namespace estuary::crypto;

const ByteVec message(512, 0x5a);  // about the signed part of a P-256 request or certificate

const PrivateKey& key_of(const std::string& type) {
    static auto& keys = *new std::map<std::string, PrivateKey>;
    const auto known = keys.find(type);
    return known != keys.end() ? known->second : keys.emplace(type, PrivateKey::generate(type).value()).first->second;
}

void from_spki(benchmark::State& state, const std::string& type) {
    const auto spki = to_vec(key_of(type).public_key().spki());
    for (auto _ : state) benchmark::DoNotOptimize(PublicKey::from_spki(spki));
}

/// As a server sees a request: the key is read, then used once.
void from_spki_and_verify(benchmark::State& state, const std::string& type) {
    const auto& key = key_of(type);
    const auto spki = to_vec(key.public_key().spki());
    const auto signature = key.sign(message).value();
    const auto& algorithm = (*key.signature_algorithm())->identifier;
    for (auto _ : state)
        if (!PublicKey::from_spki(spki)->verify(algorithm, message, signature)) state.SkipWithError("does not verify");
}

void verify(benchmark::State& state, const std::string& type) {
    const auto& key = key_of(type);
    const auto signature = key.sign(message).value();
    const auto& algorithm = (*key.signature_algorithm())->identifier;
    for (auto _ : state)
        if (!key.public_key().verify(algorithm, message, signature)) state.SkipWithError("does not verify");
}

void sign(benchmark::State& state, const std::string& type) {
    const auto& key = key_of(type);
    for (auto _ : state) benchmark::DoNotOptimize(key.sign(message));
}

void strength(benchmark::State& state, const std::string& type) {
    const auto& key = key_of(type).public_key();
    for (auto _ : state) benchmark::DoNotOptimize(check_key_strength(key));
}

void generate(benchmark::State& state, const std::string& type) {
    for (auto _ : state) benchmark::DoNotOptimize(PrivateKey::generate(type));
}

void digest_sha256(benchmark::State& state) {
    const ByteVec data(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state) benchmark::DoNotOptimize(sha256(data));
}

void mac_hmac_sha256(benchmark::State& state) {
    const ByteVec key(32, 1), data(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256(key, data));
}

void random_16(benchmark::State& state) {
    std::array<std::uint8_t, 16> out;
    for (auto _ : state) {
        random(out);
        benchmark::DoNotOptimize(out);
    }
}

BENCHMARK(digest_sha256)->Arg(32)->Arg(512)->Arg(4096);
BENCHMARK(mac_hmac_sha256)->Arg(32)->Arg(512);
BENCHMARK(random_16);

/// Registered before main(), which is the library's; keys are made when their first benchmark runs.
[[maybe_unused]] const bool registered = [] {
    for (const std::string type : {"p256", "p384", "ed25519", "rsa2048"}) {
        benchmark::RegisterBenchmark(("from_spki/" + type).c_str(), from_spki, type);
        benchmark::RegisterBenchmark(("verify/" + type).c_str(), verify, type);
        benchmark::RegisterBenchmark(("from_spki_and_verify/" + type).c_str(), from_spki_and_verify, type);
        benchmark::RegisterBenchmark(("sign/" + type).c_str(), sign, type);
        benchmark::RegisterBenchmark(("strength/" + type).c_str(), strength, type);
        if (type != "rsa2048") benchmark::RegisterBenchmark(("generate/" + type).c_str(), generate, type);
    }
    return true;
}();

}  // namespace
