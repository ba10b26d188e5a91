// What storing costs: CPU of the whole process per unit of work, for batches of several sizes, on an empty table and on
// one with a million certificates (ESTUARY_BENCH_ROWS sets another number). The database lies in $TMPDIR or /tmp.
#include <cstdlib>
#include <latch>
#include <random>

#include <sys/resource.h>
#include <unistd.h>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "estuary/store/store.h"

namespace {

using namespace estuary;
using namespace estuary::store;

constexpr Time epoch{Seconds{1'800'000'000}};

std::int64_t rows_wanted() {
    const char* rows = std::getenv("ESTUARY_BENCH_ROWS");
    return rows != nullptr ? std::atoll(rows) : 1'000'000;
}

double process_cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

/// Units as an enrollment writes them: certificate with request key, and its audit line.
class UnitMaker {
public:
    UnitOfWork next() {
        const auto number = count_++;
        const Time now = epoch + Seconds{number / 100};
        InsertCertificate insert;
        insert.record.ca = "issuing";
        insert.record.serial_number = serial(now);
        insert.record.der = der_;
        insert.record.subject = fmt::format("CN=device-{:08},O=Example", number);
        insert.record.subject_alt_names = fmt::format("dns:device-{:08}.example", number);
        insert.record.not_before = now;
        insert.record.not_after = now + Seconds{90 * 86'400};
        insert.record.profile = "device";
        insert.record.requester = "credential:factory";
        insert.record.issued_at = now;
        auto& key = insert.request_key.emplace();
        for (auto& octet : key) octet = static_cast<std::uint8_t>(random_());
        last_key = key;
        last_serial = insert.record.serial_number;
        AuditEvent event{0, now, "certificate.issued", "credential:factory", fmt::format("{:040x}", number), "ok", {}};
        UnitOfWork work;
        work.writes.reserve(2);
        work.writes.emplace_back(std::move(insert));
        work.writes.emplace_back(AppendAudit{std::move(event)});
        return work;
    }
    RequestKey last_key{};
    ByteVec last_serial;

private:
    /// Four octets of time, sixteen random ones.
    ByteVec serial(Time now) {
        ByteVec octets(20);
        const auto seconds = static_cast<std::uint32_t>(now.time_since_epoch().count());
        for (unsigned i = 0; i < 4; ++i) octets[i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
        for (std::size_t i = 4; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(random_());
        return octets;
    }
    std::int64_t count_ = 0;
    std::mt19937_64 random_{42};
    ByteVec der_ = ByteVec(600, 0x5A);
};

/// One store for all cases of one table size, filled at first use.
class Fixture {
public:
    explicit Fixture(std::int64_t rows) : directory_{make_directory()} {
        Options options;
        options.cache_bytes = 32u << 20;
        auto opened = open_sqlite(directory_ / "store.db", options);
        if (!opened) std::abort();
        store_ = std::move(*opened);
        for (std::int64_t done = 0; done < rows; done += 512) batch(512);
    }
    ~Fixture() {
        store_.reset();
        std::filesystem::remove_all(directory_);
    }
    Store& store() { return *store_; }
    UnitMaker& maker() { return maker_; }

    /// Submits `size` units at once and waits for all of them; after the first such batch the store gathers them.
    void batch(std::size_t size) {
        std::vector<UnitOfWork> units;
        for (std::size_t i = 0; i < size; ++i) units.push_back(maker_.next());
        submit(std::move(units));
    }
    void submit(std::vector<UnitOfWork> units) {
        std::latch done{static_cast<std::ptrdiff_t>(units.size())};
        for (auto& unit : units)
            store_->submit(std::move(unit), [&](const Result<void>& result) {
                if (!result) std::abort();
                done.count_down();
            });
        done.wait();
    }

private:
    static std::filesystem::path make_directory() {
        auto pattern = (std::filesystem::temp_directory_path() / "estuary-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        return pattern;
    }
    std::filesystem::path directory_;
    std::unique_ptr<Store> store_;
    UnitMaker maker_;
};

Fixture& fixture(bool full) {
    static Fixture empty{0};
    if (!full) return empty;
    static Fixture filled{rows_wanted()};
    return filled;
}

void insert(benchmark::State& state) {
    auto& stored = fixture(state.range(0) != 0);
    const auto size = static_cast<std::size_t>(state.range(1));
    double cpu_us = 0;
    for (auto _ : state) {
        state.PauseTiming();
        std::vector<UnitOfWork> units;
        for (std::size_t i = 0; i < size; ++i) units.push_back(stored.maker().next());
        state.ResumeTiming();
        const double before = process_cpu_us();
        stored.submit(std::move(units));
        cpu_us += process_cpu_us() - before;
    }
    const auto count = static_cast<double>(state.iterations()) * static_cast<double>(size);
    state.counters["cpu_us_per_unit"] = cpu_us / count;
    state.counters["units/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
}
BENCHMARK(insert)->ArgNames({"full", "batch"})->ArgsProduct({{0, 1}, {1, 32, 512}})->UseRealTime()->Unit(benchmark::kMicrosecond);

void read_status(benchmark::State& state) {
    auto& stored = fixture(state.range(0) != 0);
    stored.batch(1);
    for (auto _ : state) benchmark::DoNotOptimize(stored.store().certificate_status("issuing", stored.maker().last_serial));
}
BENCHMARK(read_status)->ArgName("full")->Arg(0)->Arg(1);

void read_by_request_key(benchmark::State& state) {
    auto& stored = fixture(state.range(0) != 0);
    stored.batch(1);
    for (auto _ : state) benchmark::DoNotOptimize(stored.store().certificate_of_request(stored.maker().last_key));
}
BENCHMARK(read_by_request_key)->ArgName("full")->Arg(0)->Arg(1);

void read_unknown_request_key(benchmark::State& state) {
    auto& stored = fixture(state.range(0) != 0);
    std::mt19937_64 random{7};
    RequestKey key{};
    for (auto _ : state) {
        for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<std::uint8_t>(random());
        benchmark::DoNotOptimize(stored.store().certificate_of_request(key));
    }
}
BENCHMARK(read_unknown_request_key)->ArgName("full")->Arg(0)->Arg(1);

}  // namespace
