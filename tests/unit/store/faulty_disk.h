#pragma once
// A disk that fails on command: an SQLite VFS over the default one.
#include <atomic>

namespace estuary::store {

/// Lives in one test; connections opened meanwhile go through it. Counted are the operations that change a disk: writing,
/// flushing, truncating.
class FaultyDisk {
public:
    FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;
    ~FaultyDisk();

    /// The `step`-th operation from now on (0: the next) fails with an SQLite code, once or from then on.
    void fail_at(int step, int code, bool for_ever = false);
    /// Every operation fails.
    void fail_always(int code) { fail_at(0, code, true); }
    void mend();
    /// Operations since the last call of fail_at or mend.
    int operations() const { return operations_; }

    /// What an operation has to return; 0: do it.
    int next();

private:
    std::atomic<int> operations_ = 0, first_ = -1, code_ = 0;
    std::atomic<bool> for_ever_ = false;
};

}  // namespace estuary::store
