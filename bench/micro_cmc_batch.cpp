// A batch of a thousand requests in one CMC message, from its octets to those of the answer, recorded durably; no network. The
// budget: twice the CPU of its cryptography, so `batch` and `nested` against `batch_floor` and `nested_floor`. CPU is that of
// the whole process, for the store commits on a thread of its own.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "estuary/authority/ceremony.h"
#include "estuary/base/log.h"
#include "estuary/cmc/client.h"
#include "estuary/cmc/server.h"

namespace {

using namespace estuary;

constexpr std::size_t requests = 1000;

struct Holder {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};

struct World {
    World() : directory{std::filesystem::temp_directory_path() / ("estuary-bench-cmc-" + std::to_string(::getpid()))} {
        log::set_level(log::Level::error);
        std::filesystem::create_directories(directory);
        store = store::open_sqlite(directory / "bench.db").value();
        store::UnitOfWork work;
        authority::CaPlan plan;
        plan.organisation_name = "Bench";
        auto ca = authority::make_ca(plan, clock, entropy, work).value();
        root = ca.root;
        issuing = ca.issuing;
        signing_key = ca.issuing_key;
        if (!store->commit(std::move(work))) std::abort();
        authority::Config config;
        config.cas.push_back({"issuing", ca.issuing, ca.issuing_key, {ca.root}, {}});
        const auto device = authority::default_device_profile("issuing");
        auto ra_profile = device, answering = device;
        ra_profile.name = "ra";
        ra_profile.ext_key_usage = {x509::oid::kp_cmc_ra};
        answering.name = "cmc";
        answering.ext_key_usage = {x509::oid::kp_cmc_ca};
        config.profiles = {device, ra_profile, answering};
        config.password_key = crypto::Secret{"0123456789abcdef0123456789abcdef"};
        authority = authority::Authority::create(std::move(config), *store, clock, entropy).value();
        ra = holder("ra");
        const auto own = holder("cmc");
        responder = std::make_shared<cmc::Responder>(cmc::Responder{own->key, own->certificate});
        cmc::Endpoint endpoint;
        endpoint.profile = "device";
        endpoint.registration_authority = true;
        cmc::ServerConfig endpoints;
        endpoints.endpoints = {endpoint};
        endpoints.responder = [this](std::string_view) { return responder; };
        server = cmc::Server::create(std::move(endpoints), *authority, *store, clock, entropy).value();
    }
    ~World() {
        server.reset();
        authority.reset();
        store.reset();
        std::filesystem::remove_all(directory);
    }

    std::optional<Holder> holder(const std::string& profile) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        const auto der = x509::make_request({x509::Name::from_text("CN=" + profile).value(), {}, {}}, key).value();
        store::UnitOfWork work;
        auto certificate = authority->issue_for_server(profile, x509::SignedRequest::parse(der).value(), work).value();
        if (!store->commit(std::move(work))) std::abort();
        return Holder{key, certificate};
    }

    static x509::RequestTemplate wanted(std::size_t number) {
        return {x509::Name::from_text("CN=device " + std::to_string(number) + ",O=Example").value(),
                {x509::make_subject_alt_name({x509::GeneralName::from_text("dns:device.example").value()}, false),
                 x509::make_subject_key_identifier(ByteVec(20, 0x11))},
                {}};
    }

    /// Simple requests in reqSequence, or each in a signed message of its own that the RA vouches for.
    ByteVec message(bool nested) {
        cmc::ClientConfig config;
        config.certificate = cmc::ClientCertificate{ra->key, ra->certificate};
        config.anchors = {root};
        cmc::Client client{std::move(config), clock, entropy};
        cmc::Client::Batch batch;
        for (std::size_t i = 0; i < requests; ++i) {
            const auto key = crypto::PrivateKey::generate("p256").value();
            const auto der = x509::make_request(wanted(i), key).value();
            if (!nested) {
                batch.simple_requests.push_back(der);
                continue;
            }
            cmc::PkiData data;
            data.requests.push_back(cmc::TaggedRequest::pkcs10(1, der));
            const cmc::MessageSigner with{{key, cms::Identifier::by_key(ByteVec(20, 0x11))}, {}};
            batch.messages.push_back(cmc::sign(cmc::oid::pki_data, data.encode(), &with).value());
            batch.controls.push_back(cmc::make_control(0, cmc::RaIdentityWitness{{static_cast<cmc::BodyPartId>(i + 1)}}));
        }
        return client.pass_on(batch).value();
    }

    /// Each time another message: the same one again would get the same answer.
    void serve(benchmark::State& state, bool nested) {
        for (auto _ : state) {
            state.PauseTiming();
            const auto octets = message(nested);
            state.ResumeTiming();
            store::UnitOfWork work;
            cmc::Transport transport;
            transport.principal.address = "192.0.2.1";
            const auto answer = server->serve("", octets, transport, work);
            if (!answer || answer->rejected || work.writes.size() < 2 * requests) std::abort();
            if (!store->commit(std::move(work))) std::abort();
            benchmark::DoNotOptimize(answer->der.data());
        }
    }

    std::filesystem::path directory;
    SystemClock clock;
    crypto::SystemEntropy entropy;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<authority::Authority> authority;
    x509::Certificate root, issuing;
    std::optional<crypto::PrivateKey> signing_key;
    std::optional<Holder> ra;
    std::shared_ptr<const cmc::Responder> responder;
    std::unique_ptr<cmc::Server> server;
};

World& world() {
    static World made;
    return made;
}

/// What the cryptography alone costs: so many signatures made, and so many verified with keys that are met for the first time.
void floor_of(benchmark::State& state, std::size_t made, std::size_t verified) {
    const ByteVec octets(400, 0x5a);
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto& algorithm = key.signature_algorithm().value()->identifier;
    const auto signature = key.sign(octets).value();
    for (auto _ : state) {
        for (std::size_t i = 0; i < made; ++i) benchmark::DoNotOptimize(world().signing_key->sign(octets));
        for (std::size_t i = 0; i < verified; ++i) {
            const auto met = crypto::PublicKey::from_spki(key.public_key().spki()).value();
            if (!met.verify(algorithm, octets, signature)) std::abort();
        }
    }
}

void batch_floor(benchmark::State& state) { floor_of(state, requests + 1, requests + 1); }
BENCHMARK(batch_floor)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void batch(benchmark::State& state) { world().serve(state, false); }
BENCHMARK(batch)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void nested_floor(benchmark::State& state) { floor_of(state, requests + 1, 2 * requests + 1); }
BENCHMARK(nested_floor)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void nested(benchmark::State& state) { world().serve(state, true); }
BENCHMARK(nested)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

}  // namespace
