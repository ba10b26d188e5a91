#pragma once
// The queue of units of work and the one thread that commits them.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "estuary/store/checkpointer.h"
#include "estuary/store/group_commit.h"

namespace estuary::store::sqlite {

class Writer {
public:
    /// `checkpointer` outlives the writer.
    static Result<std::unique_ptr<Writer>> start(std::filesystem::path path, Options options, Checkpointer& checkpointer);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    /// Commits what is queued, empties the log, stops.
    ~Writer();

    void submit(UnitOfWork work, Committed committed);
    /// Runs `job` in a transaction of its own between two group commits, and waits for it.
    Result<std::size_t> run(const GroupCommit::Job& job);

private:
    using Instant = std::chrono::steady_clock::time_point;
    struct Waiting {
        UnitOfWork work;
        Committed committed;
    };
    struct WaitingJob {
        const GroupCommit::Job* job;
        Result<std::size_t> outcome = 0;
        bool done = false;  // guarded by mutex_
    };

    Writer(std::filesystem::path path, Options options, Checkpointer& checkpointer)
        : options_{options}, checkpointer_{checkpointer}, group_{std::move(path), options} {}
    void loop();
    /// Waits for work and for its company; false: stop.
    bool next_round(std::vector<Waiting>& batch, WaitingJob*& job);
    void linger(std::unique_lock<std::mutex>& lock);
    void commit(std::vector<Waiting>& batch);
    void run(WaitingJob& job);
    void limit_log();

    Options options_;
    Checkpointer& checkpointer_;
    GroupCommit group_;                     // of the thread
    std::size_t log_bytes_max_;             // of the thread
    std::size_t last_batch_ = 0;            // of the thread

    std::mutex mutex_;
    std::condition_variable work_arrived_;  // for the thread
    std::condition_variable job_done_;
    std::deque<Waiting> queue_;             // the rest is guarded by mutex_
    std::deque<WaitingJob*> jobs_;
    Instant oldest_{};                      // when the first of queue_ came
    bool asleep_ = false;                   // the thread waits for any work at all
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace estuary::store::sqlite
