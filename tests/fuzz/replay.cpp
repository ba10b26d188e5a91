// Runs a fuzz target over the files of its corpus, over cut and bit-flipped copies of each, and over no octets at all: what a
// fuzzer found once stays a test for ever, and the neighbourhood of every seed is walked on every run.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Octets = std::vector<std::uint8_t>;

/// An exact heap copy, so that the address sanitizer sees a read past the end.
void run(const Octets& input) {
    const Octets exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

constexpr std::size_t variants_max = 512;   // per seed: keeps the whole corpus within seconds

void run_neighbourhood(const Octets& seed) {
    run(seed);
    const std::size_t step = seed.size() / variants_max + 1;
    for (std::size_t at = 0; at < seed.size(); at += step) {
        run(Octets(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(at)));
        auto flipped = seed;
        flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1u << (at % 8)));
        run(flipped);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    run({});
    std::size_t seeds = 0;
    for (const auto& entry : std::filesystem::directory_iterator{argv[1]}) {
        std::ifstream file{entry.path(), std::ios::binary};
        run_neighbourhood(Octets{std::istreambuf_iterator<char>{file}, {}});
        ++seeds;
    }
    std::printf("%zu seeds\n", seeds);
    return seeds == 0 ? 1 : 0;   // a corpus that is not there is a mistake
}
