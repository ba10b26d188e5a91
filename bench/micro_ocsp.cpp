// OCSP: an answer signed on demand beside the one signature in it, and kept answers by GET.
#include <benchmark/benchmark.h>

#include "estuary/ocsp/server.h"
#include "estuary/ocsp/verify.h"

namespace {

using namespace estuary;

constexpr Time now{Seconds{1'795'233'600}};

class AllGood final : public ocsp::StatusSource {
public:
    Result<std::optional<ocsp::CertificateState>> status(std::string_view, Bytes) override { return ocsp::CertificateState{}; }
};

struct Identity {
    x509::Certificate certificate;
    crypto::PrivateKey key;
};

Identity issue(const std::string& subject, std::uint8_t serial, const Identity* issuer, std::vector<x509::Extension> extensions) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto& signing = issuer == nullptr ? key : issuer->key;
    const auto name = x509::Name::from_text(subject).value();
    const auto algorithm = signing.signature_algorithm().value()->identifier;
    const auto spki = key.public_key().spki();
    extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(spki).value()));
    const auto issuer_spki = to_vec(issuer == nullptr ? spki : issuer->certificate.spki());
    extensions.push_back(x509::make_authority_key_identifier(x509::key_identifier(issuer_spki).value()));
    ByteVec serial_number(20, serial);
    const auto tbs = x509::encode_tbs({serial_number, algorithm, issuer == nullptr ? name : issuer->certificate.subject(),
                                       now - Seconds{86'400}, now + Seconds{86'400 * 365}, name, to_vec(spki), extensions});
    return {x509::Certificate::parse(x509::encode_certificate(tbs, algorithm, signing.sign(tbs).value())).value(), key};
}

/// One responder, delegated by one CA, and a device.
struct World {
    ManualClock clock{now};
    AllGood states;
    Identity ca =
        issue("CN=CA", 1, nullptr, {x509::make_basic_constraints({true, {}}), x509::make_key_usage(x509::key_cert_sign)});
    Identity responder_identity =
        issue("CN=Responder", 2, &ca, {x509::make_ext_key_usage({x509::oid::kp_ocsp_signing}), x509::make_ocsp_no_check()});
    Identity device = issue("CN=device", 3, &ca, {});
    std::unique_ptr<ocsp::Responder> responder = make();
    ocsp::Server server{{}, *responder, clock};

    std::unique_ptr<ocsp::Responder> make() {
        ocsp::ResponderConfig config;
        config.issuers.push_back({"ca", ca.certificate, {{responder_identity.certificate, responder_identity.key}}, false});
        return ocsp::Responder::create(std::move(config), states, clock).value();
    }
    ByteVec request(std::optional<Bytes> nonce = std::nullopt) const {
        return ocsp::make_request(device.certificate, ca.certificate, nonce).value();
    }
};

World& world() {
    static World one;
    return one;
}

/// The floor: one signature over as many octets as an answer has.
void p256_sign(benchmark::State& state) {
    const auto tbs = ocsp::Response::parse(world().responder->answer(world().request(ByteVec(32)))->der).value().basic->tbs;
    for (auto _ : state) benchmark::DoNotOptimize(world().responder_identity.key.sign(tbs));
}

void request_parse(benchmark::State& state) {
    const auto der = world().request(ByteVec(32));
    for (auto _ : state) benchmark::DoNotOptimize(ocsp::Request::parse(der));
}

void answer_on_demand(benchmark::State& state) {
    const auto der = world().request(ByteVec(32));
    for (auto _ : state)
        if (world().responder->answer(der)->status != ocsp::ResponseStatus::successful) state.SkipWithError("no answer");
}

void answer_presigned(benchmark::State& state) {
    const auto der = world().request();
    for (auto _ : state) benchmark::DoNotOptimize(world().responder->answer(der));
}

void get_presigned(benchmark::State& state) {
    const http::Request request{"GET", "/ocsp/" + ocsp::encode_get_path(world().request()), {}, {}};
    for (auto _ : state)
        if (world().server.serve(request).status != 200) state.SkipWithError("not 200");
    state.SetItemsProcessed(state.iterations());
}

void post_on_demand(benchmark::State& state) {
    const http::Request request{
        "POST", "/ocsp", {{"Content-Type", "application/ocsp-request"}}, std::string{as_text(world().request(ByteVec(32)))}};
    for (auto _ : state)
        if (world().server.serve(request).status != 200) state.SkipWithError("not 200");
}

void response_verify(benchmark::State& state) {
    const auto der = world().responder->answer(world().request())->der;
    for (auto _ : state)
        if (!ocsp::verify(world().device.certificate, world().ca.certificate, der, std::nullopt, {.now = now}))
            state.SkipWithError("not believed");
}

BENCHMARK(p256_sign);
BENCHMARK(request_parse);
BENCHMARK(answer_on_demand);
BENCHMARK(post_on_demand);
BENCHMARK(answer_presigned);
BENCHMARK(get_presigned);
BENCHMARK(response_verify);

}  // namespace
