#pragma once
// What the system tells of the server's process.
#include <cstdint>

#include <sys/types.h>

namespace estuary::load {

/// CPU time that all threads of a process have used, in microseconds (clock_getcpuclockid: not in ticks).
double cpu_us(pid_t process);
/// Resident set size in kilobytes (1000 octets).
double resident_kb(pid_t process);

}  // namespace estuary::load
