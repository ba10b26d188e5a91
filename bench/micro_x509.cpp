// The X.509 side of one enrollment, piece by piece: what is read, written and judged around the cryptography.
#include <benchmark/benchmark.h>

#include "estuary/base/file.h"
#include "estuary/x509/path.h"
#include "estuary/x509/request.h"

namespace {

using namespace estuary;
using namespace estuary::x509;

Certificate load(const std::string& name) {
    const auto der = file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/x509/" + name + ".der").value();
    return Certificate::parse(der).value();
}

TbsCertificate tbs_of(const Certificate& certificate) {
    return {to_vec(certificate.serial_number()),
            to_vec(certificate.signature_algorithm()),
            certificate.issuer(),
            certificate.not_before(),
            certificate.not_after(),
            certificate.subject(),
            to_vec(certificate.spki()),
            certificate.extensions()};
}

void check_der(benchmark::State& state) {
    const auto device = load("device");
    for (auto _ : state) benchmark::DoNotOptimize(der::check_der(device.der(), "Certificate"));
}

void request_parse(benchmark::State& state, const std::string& key_type) {
    const auto key = crypto::PrivateKey::generate(key_type).value();
    RequestTemplate wanted{Name::from_text("CN=device 1,O=Example").value(), {}, {}};
    wanted.extensions.push_back(make_subject_alt_name({GeneralName::from_text("dns:device-1.example.com").value()}, false));
    const auto der = make_request(wanted, key).value();
    for (auto _ : state) benchmark::DoNotOptimize(SignedRequest::parse(der));
}

void certificate_parse(benchmark::State& state) {
    const auto device = load("device");
    for (auto _ : state) benchmark::DoNotOptimize(Certificate::parse(device.der()));
}

void certificate_encode_tbs(benchmark::State& state) {
    const auto tbs = tbs_of(load("device"));
    for (auto _ : state) benchmark::DoNotOptimize(encode_tbs(tbs));
}

void certificate_encode(benchmark::State& state) {
    const auto device = load("device");
    for (auto _ : state)
        benchmark::DoNotOptimize(encode_certificate(device.tbs(), device.signature_algorithm(), device.signature()));
}

void certificate_lint(benchmark::State& state) {
    const auto device = load("device");
    const auto issuing = load("issuing");  // with name constraints, which are held against the names each time
    for (auto _ : state) {
        auto findings = lint_tbs(device.tbs(), &issuing);
        if (!findings.empty()) state.SkipWithError("the good certificate is found wanting");
        benchmark::DoNotOptimize(findings);
    }
}

void certificate_lint_below_root(benchmark::State& state) {
    const auto issuing = load("issuing");
    const auto root = load("root");
    for (auto _ : state) benchmark::DoNotOptimize(lint_tbs(issuing.tbs(), &root));
}

void path_of_three(benchmark::State& state) {
    const auto device = load("device");
    const std::vector intermediates{load("issuing")};
    const std::vector anchors{load("root")};
    const PathOptions options{.at = parse_iso8601("2027-01-01").value(), .required_ext_key_usage = {}};
    for (auto _ : state)
        if (!validate_path(device, intermediates, anchors, options)) state.SkipWithError("the path does not verify");
}

BENCHMARK(check_der);
BENCHMARK_CAPTURE(request_parse, p256, "p256");
BENCHMARK_CAPTURE(request_parse, rsa2048, "rsa2048");
BENCHMARK(certificate_parse);
BENCHMARK(certificate_encode_tbs);
BENCHMARK(certificate_encode);
BENCHMARK(certificate_lint);
BENCHMARK(certificate_lint_below_root);
BENCHMARK(path_of_three);

}  // namespace
