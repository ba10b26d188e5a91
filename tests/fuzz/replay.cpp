// Runs a fuzz target over the files of its corpus, over cut and bit-flipped copies of each, and over no octets at all: what a
// fuzzer found once stays a test for ever, and the neighbourhood of every seed is walked on every run.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

using Entry = int(const std::uint8_t* data, std::size_t size);

#define TARGET(name) extern "C" Entry fuzz_##name;
#include "replay_targets.inc"
#undef TARGET

namespace {

using Octets = std::vector<std::uint8_t>;

struct Target {
    std::string_view name;
    Entry* entry;
};

constexpr auto targets = std::to_array<Target>({
#define TARGET(name) {#name, fuzz_##name},
#include "replay_targets.inc"
#undef TARGET
});

/// An exact heap copy, so that the address sanitizer sees a read past the end.
void run(Entry* entry, const Octets& input) {
    const Octets exact(input.begin(), input.end());
    entry(exact.data(), exact.size());
}

/// Cut and flipped copies of each seed: fewer where there are many seeds, so that every corpus takes seconds.
std::size_t variants_for(std::size_t seeds) { return std::clamp<std::size_t>(2048 / std::max<std::size_t>(seeds, 1), 32, 512); }

void run_neighbourhood(Entry* entry, const Octets& seed, std::size_t variants) {
    run(entry, seed);
    const std::size_t step = seed.size() / variants + 1;
    for (std::size_t at = 0; at < seed.size(); at += step) {
        run(entry, Octets(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(at)));
        auto flipped = seed;
        flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1u << (at % 8)));
        run(entry, flipped);
    }
}

std::vector<Octets> read_corpus(const char* directory) {
    std::vector<Octets> seeds;
    for (const auto& file : std::filesystem::directory_iterator{directory}) {
        std::ifstream stream{file.path(), std::ios::binary};
        seeds.emplace_back(std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{});
    }
    return seeds;
}

}  // namespace

int main(int argc, char** argv) {
    const auto* target = argc == 3 ? std::ranges::find(targets, argv[1], &Target::name) : targets.end();
    if (target == targets.end()) {
        std::fprintf(stderr, "usage: %s TARGET CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    run(target->entry, {});
    const auto seeds = read_corpus(argv[2]);
    for (const auto& seed : seeds) run_neighbourhood(target->entry, seed, variants_for(seeds.size()));
    std::printf("%zu seeds\n", seeds.size());
    return seeds.empty() ? 1 : 0;   // a corpus that is not there is a mistake
}
