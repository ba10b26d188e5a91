#include <iostream>

#include "apps/estuaryd/program.h"

int main(int argc, char** argv) {
    estuary::SystemClock clock;
    estuary::crypto::SystemEntropy entropy;
    return estuary::daemon::run(argc, argv, {std::cout, std::cerr, clock, entropy});
}
