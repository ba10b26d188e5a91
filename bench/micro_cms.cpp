// CMS: signing, reading and verifying, enveloping and opening (figures to compare with: docs/measurements.md).
#include <benchmark/benchmark.h>

#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/signed_data.h"

using namespace estuary;

namespace {

const ByteVec content(1000, 0x61);

struct Party {
    crypto::PrivateKey key;
    cms::Identifier identifier = cms::Identifier::by_key(as_bytes("a key identifier"));
    cms::KeyHolder holder() const { return {key, {}, identifier.key_identifier}; }
};

const Party& party(bool rsa) {
    static const Party two[] = {{crypto::PrivateKey::generate("p256").value()},
                                {crypto::PrivateKey::generate("rsa2048").value()}};
    return two[rsa ? 1 : 0];
}

ByteVec signed_by(const Party& who) {
    return cms::SignedDataBuilder{cms::oid::data, content}.signer({who.key, who.identifier}).build().value();
}
ByteVec enveloped_to(const Party& who) {
    return cms::EnvelopedDataBuilder{cms::oid::data, content}
        .cipher("AES-128-CBC")
        .recipient(who.key.public_key(), who.identifier)
        .build()
        .value();
}

void sign(benchmark::State& state) {
    const auto& who = party(state.range(0) != 0);
    for (auto _ : state) benchmark::DoNotOptimize(signed_by(who));
}
void parse_and_verify(benchmark::State& state) {
    const auto& who = party(state.range(0) != 0);
    const auto der = signed_by(who);
    for (auto _ : state) {
        const auto data = cms::SignedData::parse(der).value();
        if (!cms::verify_signer(data, data.signers()[0], who.key.public_key())) state.SkipWithError("not verified");
    }
}
void envelop(benchmark::State& state) {
    const auto& who = party(state.range(0) != 0);
    for (auto _ : state) benchmark::DoNotOptimize(enveloped_to(who));
}
void parse_and_open(benchmark::State& state) {
    const auto& who = party(state.range(0) != 0);
    const auto der = enveloped_to(who);
    for (auto _ : state)
        if (!cms::EnvelopedData::parse(der)->open(who.holder())) state.SkipWithError("not opened");
}

}  // namespace

BENCHMARK(sign)->ArgName("rsa2048")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK(parse_and_verify)->ArgName("rsa2048")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK(envelop)->ArgName("rsa2048")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK(parse_and_open)->ArgName("rsa2048")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
