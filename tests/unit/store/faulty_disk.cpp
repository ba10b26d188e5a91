#include "faulty_disk.h"

#include <cstdlib>
#include <new>

#include <sqlite3.h>

namespace estuary::store {
namespace {

FaultyDisk* active = nullptr;
sqlite3_vfs* real_disk = nullptr;

/// In front of the real file, in one block of memory that SQLite gives.
struct File {
    sqlite3_file base;
    sqlite3_file* real;
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

int may_fail() { return active != nullptr ? active->next() : SQLITE_OK; }

const sqlite3_io_methods methods = {
    3,
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    [](sqlite3_file* f, void* to, int count, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), to, count, at); },
    [](sqlite3_file* f, const void* from, int count, sqlite3_int64 at) {
        const int code = may_fail();
        return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, count, at);
    },
    [](sqlite3_file* f, sqlite3_int64 size) {
        const int code = may_fail();
        return code != SQLITE_OK ? code : real(f)->pMethods->xTruncate(real(f), size);
    },
    [](sqlite3_file* f, int flags) {
        const int code = may_fail();
        return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
    },
    [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* result) { return real(f)->pMethods->xCheckReservedLock(real(f), result); },
    [](sqlite3_file* f, int what, void* with) { return real(f)->pMethods->xFileControl(real(f), what, with); },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int region, int size, int extend, void volatile** to) {
        return real(f)->pMethods->xShmMap(real(f), region, size, extend, to);
    },
    [](sqlite3_file* f, int at, int count, int flags) { return real(f)->pMethods->xShmLock(real(f), at, count, flags); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    [](sqlite3_file*, sqlite3_int64, int, void** to) {
        *to = nullptr;  // not mapped: SQLite reads instead
        return SQLITE_OK;
    },
    [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; },
};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    auto* both = reinterpret_cast<File*>(file);
    both->real = reinterpret_cast<sqlite3_file*>(both + 1);
    const int code = real_disk->xOpen(real_disk, name, both->real, flags, flags_out);
    file->pMethods = both->real->pMethods != nullptr ? &methods : nullptr;
    return code;
}

sqlite3_vfs& faulty_vfs() {
    static sqlite3_vfs vfs = [] {
        real_disk = sqlite3_vfs_find(nullptr);
        sqlite3_vfs made = *real_disk;  // what is not replaced below does not touch files that are open
        made.szOsFile += static_cast<int>(sizeof(File));
        made.zName = "faulty";
        made.pNext = nullptr;
        made.xOpen = open;
        return made;
    }();
    return vfs;
}

}  // namespace

FaultyDisk::FaultyDisk() {
    if (active != nullptr) std::abort();
    active = this;
    sqlite3_vfs_register(&faulty_vfs(), 1);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(&faulty_vfs());
    sqlite3_vfs_register(real_disk, 1);
    active = nullptr;
}

void FaultyDisk::fail_at(int step, int code, bool for_ever) {
    first_ = -1;
    operations_ = 0;
    code_ = code;
    for_ever_ = for_ever;
    first_ = step;
}

void FaultyDisk::mend() {
    first_ = -1;
    operations_ = 0;
}

int FaultyDisk::next() {
    const int number = operations_++;
    const int first = first_;
    const bool fails = first >= 0 && (for_ever_ ? number >= first : number == first);
    return fails ? code_.load() : SQLITE_OK;
}

}  // namespace estuary::store
