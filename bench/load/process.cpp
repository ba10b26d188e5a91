#include "process.h"

#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace estuary::load {

double cpu_us(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
        throw std::runtime_error{"cannot read the CPU clock of the server process"};
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double resident_kb(pid_t process) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/statm"};
    long total = 0, resident = 0;
    if (!(file >> total >> resident)) throw std::runtime_error{"cannot read the server process's memory"};
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1000.0;
}

}  // namespace estuary::load
