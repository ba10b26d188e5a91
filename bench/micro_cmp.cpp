// A signature-protected ir with implicit confirmation, from its octets to those of the answer, recorded durably; no network. The
// budget: twice the CPU of its cryptography (verify the protection, verify the possession, sign the certificate, sign the answer),
// so `ir_signed` against `ir_floor`, and `ir_signed_alone` where every request is committed by itself; `ir_of_a_maker`, whose signer's
// certificate is verified as well, against `ir_floor_of_a_maker`. `mac_wrong` is what one message with a wrong MAC costs at so many
// iterations, `mac_too_many` one above the limit. CPU is that of the whole process.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "estuary/authority/ceremony.h"
#include "estuary/authority/shared_secrets.h"
#include "estuary/base/log.h"
#include "estuary/cmp/client.h"
#include "estuary/cmp/server.h"

namespace {

using namespace estuary;

constexpr std::size_t company = 64;   // units in one group commit: what arrives together under load
constexpr std::string_view password_key = "0123456789abcdef0123456789abcdef";

struct World {
    World() : directory{std::filesystem::temp_directory_path() / ("estuary-bench-cmp-" + std::to_string(::getpid()))} {
        log::set_level(log::Level::error);
        std::filesystem::create_directories(directory);
        store = store::open_sqlite(directory / "bench.db").value();
        store::UnitOfWork work;
        authority::CaPlan plan;
        plan.organisation_name = "Bench";
        ca = authority::make_ca(plan, clock, entropy, work).value();
        plan.organisation_name = "Maker";
        maker = authority::make_ca(plan, clock, entropy, work).value();
        store::CredentialRecord record;
        record.name = "device";
        record.protocol = "cmp";
        record.created_at = clock.now();
        record.sealed_secret = authority::seal_secret(crypto::Secret{password_key}, record, crypto::Secret{std::string_view{"the secret"}}, entropy).value();
        work.writes.emplace_back(store::InsertCredential{std::move(record)});
        if (!store->commit(std::move(work))) std::abort();
        authority::Config config;
        config.cas.push_back({"issuing", ca->issuing, ca->issuing_key, {ca->root}, {}});
        const auto profile = authority::default_device_profile("issuing");
        auto answering = profile;
        answering.name = "cmp";
        answering.ext_key_usage = {x509::oid::kp_cmc_ca};
        config.profiles = {profile, answering};
        config.manufacturers = {{"maker", {maker->root}, {}}};
        config.password_key = crypto::Secret{password_key};
        authority = authority::Authority::create(std::move(config), *store, clock, entropy).value();
        cmp::Label label;
        label.profile = "device";
        label.shared_secret = label.certificate_of_ours = true;
        label.manufacturers = {"maker"};
        cmp::ServerConfig server_config;
        server_config.labels = {label};
        server_config.signers.emplace("issuing", own());
        server = cmp::Server::create(std::move(server_config), *authority, *store, clock, entropy).value();
        for (std::size_t i = 0; i < company; ++i) {
            holders.push_back(holder(i));
            devices.push_back(device(i));
        }
    }
    ~World() {
        server.reset();
        authority.reset();
        store.reset();
        std::filesystem::remove_all(directory);
    }

    cmp::Credentials own() {
        const auto key = crypto::PrivateKey::generate("p256").value();
        const auto der = x509::make_request({x509::Name::from_text("CN=cmp").value(), {}, {}}, key).value();
        store::UnitOfWork work;
        auto certificate = authority->issue_for_server("cmp", x509::SignedRequest::parse(der).value(), work).value();
        if (!store->commit(std::move(work))) std::abort();
        return {{certificate, ca->issuing}, key};
    }

    /// A device as its maker has made it (IDevID).
    cmp::ClientSigner device(std::size_t number) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        x509::TbsCertificate tbs;
        tbs.serial_number = {0x01, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
        tbs.signature_algorithm = maker->issuing_key.signature_algorithm().value()->identifier;
        tbs.issuer = maker->issuing.subject();
        tbs.not_before = clock.now() - Seconds{3600};
        tbs.not_after = clock.now() + Seconds{365 * 86400};
        tbs.subject = x509::Name::from_text("CN=device " + std::to_string(number)).value();
        tbs.spki = to_vec(key.public_key().spki());
        tbs.extensions.push_back(x509::make_key_usage(x509::digital_signature));
        tbs.extensions.push_back(x509::make_subject_key_identifier(x509::key_identifier(tbs.spki).value()));
        tbs.extensions.push_back(x509::make_authority_key_identifier(maker->issuing.subject_key_id().value()));
        const auto encoded = x509::encode_tbs(tbs);
        const auto der = x509::encode_certificate(encoded, tbs.signature_algorithm, maker->issuing_key.sign(encoded).value());
        return {key, {x509::Certificate::parse(der).value(), maker->issuing}};
    }

    /// One that has a certificate of ours already.
    cmp::ClientSigner holder(std::size_t number) {
        cmp::ClientSecret secret{"device", crypto::Secret{std::string_view{"the secret"}}};
        secret.mac.iterations = 1000;
        const auto client = cmp::Client::create({.credentials = std::move(secret)}, clock, entropy).value();
        const auto key = crypto::PrivateKey::generate("p256").value();
        auto transaction = client.begin(wish(number, key)).value();
        store::UnitOfWork work;
        const auto answer = server->answer(transaction.message(), {.label = "", .operation = {}, .address = "192.0.2.1"}, work);
        if (!store->commit(std::move(work))) std::abort();
        auto step = transaction.take(answer.message).value();
        return {key, {std::get<cmp::Enrolled>(std::get<cmp::ClientOutcome>(step)).certificate, ca->issuing}};
    }

    static cmp::CertificateWish wish(std::size_t number, const crypto::PrivateKey& key) {
        cmp::CertificateWish wish;
        wish.subject = x509::Name::from_text("CN=device " + std::to_string(number)).value();
        wish.key = key;
        return wish;
    }

    ByteVec ir(const cmp::ClientSigner& signer, std::size_t number) {
        const auto client = cmp::Client::create({.credentials = signer}, clock, entropy).value();
        return to_vec(client.begin(wish(number, crypto::PrivateKey::generate("p256").value())).value().message());
    }

    ByteVec ir_with_mac(const std::string& secret, std::uint64_t iterations) {
        cmp::ClientSecret own{"device", crypto::Secret{std::string_view{secret}}};
        own.mac.iterations = iterations;
        const auto client = cmp::Client::create({.credentials = std::move(own)}, clock, entropy).value();
        cmp::CertificateWish wish;
        wish.subject = x509::Name::from_text("CN=device").value();
        wish.key = crypto::PrivateKey::generate("p256").value();
        return to_vec(client.begin(std::move(wish)).value().message());
    }

    std::filesystem::path directory;
    SystemClock clock;
    crypto::SystemEntropy entropy;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<authority::Authority> authority;
    std::optional<authority::NewCa> ca, maker;
    std::unique_ptr<cmp::Server> server;
    std::vector<cmp::ClientSigner> holders, devices;   ///< as many as come together
    std::size_t made = 0;
};

World& world() {
    static World made;
    return made;
}

/// Requests that nobody has seen yet, made while the clock stands still for the benchmark.
std::vector<ByteVec> fresh_requests(benchmark::State& state, const std::vector<cmp::ClientSigner>& signers) {
    state.PauseTiming();
    std::vector<ByteVec> requests;
    for (std::size_t i = 0; i < signers.size(); ++i) requests.push_back(world().ir(signers[i], i));
    state.ResumeTiming();
    return requests;
}

/// `path`: whether the signature of the signer's certificate is verified as well, by its issuer's key, which is known.
void floor_of(benchmark::State& state, bool path) {
    const ByteVec octets(400, 0x5a);
    const auto key = crypto::PrivateKey::generate("p256").value();
    const auto& algorithm = key.signature_algorithm().value()->identifier;
    const auto signature = key.sign(octets).value();
    for (auto _ : state)
        for (std::size_t i = 0; i < company; ++i) {
            for (int j = 0; j < 2; ++j) {
                benchmark::DoNotOptimize(world().ca->issuing_key.sign(octets));
                const auto met = crypto::PublicKey::from_spki(key.public_key().spki()).value();
                if (!met.verify(algorithm, octets, signature)) std::abort();
            }
            if (path && !key.public_key().verify(algorithm, octets, signature)) std::abort();
        }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * company));
}
void ir_floor(benchmark::State& state) { floor_of(state, false); }
BENCHMARK(ir_floor)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();
void ir_floor_of_a_maker(benchmark::State& state) { floor_of(state, true); }
BENCHMARK(ir_floor_of_a_maker)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();

/// `together`: so many requests in one commit.
void serve(benchmark::State& state, const std::vector<cmp::ClientSigner>& signers, std::size_t together) {
    for (auto _ : state) {
        const auto requests = fresh_requests(state, signers);
        for (std::size_t i = 0; i < requests.size();) {
            store::UnitOfWork all;
            for (std::size_t j = 0; j < together; ++j, ++i) {
                store::UnitOfWork work;
                const auto answer = world().server->answer(requests[i], {.label = "", .operation = {}, .address = "192.0.2.1"}, work);
                if (work.writes.size() < 3 || answer.message.empty()) std::abort();   // certificate, audit, transaction
                std::ranges::move(work.writes, std::back_inserter(all.writes));
            }
            if (!world().store->commit(std::move(all))) std::abort();
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * company));
}
void ir_signed(benchmark::State& state) { serve(state, world().holders, company); }
BENCHMARK(ir_signed)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->Iterations(30);
void ir_signed_alone(benchmark::State& state) { serve(state, world().holders, 1); }
BENCHMARK(ir_signed_alone)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->Iterations(10);
/// The same by certificates of a manufacturer: the path from each of them to the anchor is validated.
void ir_of_a_maker(benchmark::State& state) { serve(state, world().devices, company); }
BENCHMARK(ir_of_a_maker)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->Iterations(30);

void refuse(benchmark::State& state, const ByteVec& message) {
    for (auto _ : state) {
        store::UnitOfWork work;
        // Another address each time, so that it is not slowed down before anything is computed.
        const auto answer = world().server->answer(message, {.label = "", .operation = {}, .address = "host " + std::to_string(world().made++)}, work);
        benchmark::DoNotOptimize(answer.message.data());
    }
}
void mac_wrong(benchmark::State& state) { refuse(state, world().ir_with_mac("wrong", static_cast<std::uint64_t>(state.range(0)))); }
BENCHMARK(mac_wrong)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();
void mac_too_many(benchmark::State& state) { refuse(state, world().ir_with_mac("wrong", 200'000)); }
BENCHMARK(mac_too_many)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime();

void mac_flood_of_one_name(benchmark::State& state) {
    const auto message = world().ir_with_mac("wrong", 100'000);
    for (auto _ : state) {
        store::UnitOfWork work;
        const auto answer = world().server->answer(message, {.label = "", .operation = {}, .address = "198.51.100.1"}, work);
        benchmark::DoNotOptimize(answer.message.data());
    }
}
BENCHMARK(mac_flood_of_one_name)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->Iterations(200);

}  // namespace
