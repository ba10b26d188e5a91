#pragma once
// Moves the write-ahead log into the database beside the writer, so that no commit waits for it.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "estuary/store/database_file.h"

namespace estuary::store::sqlite {

/// A thread that makes a PASSIVE checkpoint soon after the log has grown, and sleeps otherwise.
class Checkpointer {
public:
    Checkpointer(std::filesystem::path path, Options options);
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;
    /// Stops; a last checkpoint is the store's to make.
    ~Checkpointer();

    /// Says that something was committed. Cheap: any thread, any time.
    void log_grew() noexcept;
    /// Held during a checkpoint: two at once would only be in each other's way.
    std::mutex& checkpoint_mutex() noexcept { return checkpoint_mutex_; }

private:
    void loop();
    Result<void> checkpoint();

    std::filesystem::path path_;
    Options options_;
    Connection connection_;
    std::mutex checkpoint_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;                // guarded by mutex_
    std::atomic<bool> grew_ = false;
    std::thread thread_;
};

}  // namespace estuary::store::sqlite
