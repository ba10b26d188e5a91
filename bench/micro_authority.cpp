// The authority's share of an enrollment: policy, building, lint, signature, record; no network and no commit. The budget: less
// than 30 us beside the cryptography, so `enroll` minus `floor_sign`.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "estuary/authority/ceremony.h"

namespace {

using namespace estuary;
using namespace estuary::authority;

struct World {
    World() : directory{std::filesystem::temp_directory_path() / ("estuary-bench-" + std::to_string(::getpid()))} {
        std::filesystem::create_directories(directory);
        store = store::open_sqlite(directory / "bench.db").value();
        store::UnitOfWork work;
        CaPlan plan;
        plan.organisation_name = "Bench";
        auto ca = make_ca(plan, clock, entropy, work).value();
        signing_key = ca.issuing_key;
        Config config;
        config.cas.push_back({"issuing", ca.issuing, ca.issuing_key, {ca.root}, {}});
        auto profile = default_device_profile("issuing");
        profile.policies = {der::Oid{"1.2.3.4"}};
        profile.crl_uris = {"http://pki.example/issuing.crl"};
        profile.ocsp_uris = {"http://ocsp.example/"};
        config.profiles = {profile};
        config.password_key = crypto::Secret{"0123456789abcdef0123456789abcdef"};
        store::CredentialRecord record;
        record.name = "dev";
        record.password_hash = crypto::hash_generated_password(crypto::Secret{"password"}, config.password_key);
        record.created_at = clock.now();
        work.writes.emplace_back(store::InsertCredential{record});
        if (!store->commit(std::move(work))) std::abort();
        authority = Authority::create(std::move(config), *store, clock, entropy).value();

        x509::RequestTemplate wanted;
        wanted.subject = x509::Name::from_text("CN=device 1,O=Example").value();
        wanted.extensions = {x509::make_subject_alt_name({x509::GeneralName::from_text("dns:device-1.example").value()}, false)};
        device_key = crypto::PrivateKey::generate("p256").value();
        der = x509::make_request(wanted, *device_key).value();
    }
    ~World() {
        authority.reset();
        store.reset();
        std::filesystem::remove_all(directory);
    }

    EnrollRequest request() const {
        EnrollRequest made{Verb::enroll, "device", "", x509::SignedRequest::parse(der).value(), {}, Linking::absent, false};
        made.principal.credential =
            authority->authenticate_password("dev", crypto::Secret{"password"}, "192.0.2.1").value();
        made.principal.address = "192.0.2.1";
        return made;
    }

    std::filesystem::path directory;
    SystemClock clock;
    crypto::SystemEntropy entropy;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Authority> authority;
    std::optional<crypto::PrivateKey> signing_key, device_key;
    ByteVec der;
};

World& world() {
    static World made;
    return made;
}

const ByteVec message(512, 0x5a);

void floor_sign(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(world().signing_key->sign(message));
}
BENCHMARK(floor_sign);

void floor_verify(benchmark::State& state) {
    const auto& key = *world().device_key;
    const auto signature = key.sign(message).value();
    const auto& algorithm = key.signature_algorithm().value()->identifier;
    for (auto _ : state) benchmark::DoNotOptimize(key.public_key().verify(algorithm, message, signature));
}
BENCHMARK(floor_verify);

void authenticate_password(benchmark::State& state) {
    const crypto::Secret password{"password"};
    for (auto _ : state) benchmark::DoNotOptimize(world().authority->authenticate_password("dev", password, "192.0.2.1"));
}
BENCHMARK(authenticate_password);

/// With the request at hand: policy, lint, signature, record; the unit is thrown away.
void enroll(benchmark::State& state) {
    const auto request = world().request();
    for (auto _ : state) {
        store::UnitOfWork work;
        if (!world().authority->enroll(request, work)) state.SkipWithError("refused");
    }
}
BENCHMARK(enroll);

/// From the octets of the request and the password on, as one keep-alive request costs without network and commit.
void authenticate_parse_enroll(benchmark::State& state) {
    for (auto _ : state) {
        store::UnitOfWork work;
        if (!world().authority->enroll(world().request(), work)) state.SkipWithError("refused");
    }
}
BENCHMARK(authenticate_parse_enroll);

void refuse(benchmark::State& state) {
    auto request = world().request();
    request.profile = "none";
    for (auto _ : state) {
        store::UnitOfWork work;
        if (world().authority->enroll(request, work)) state.SkipWithError("issued");
    }
}
BENCHMARK(refuse);

}  // namespace
