#pragma once
// A bounded queue and the threads that empty it.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace estuary::net {

/// One piece of work. Destroyed without run() when the pool stops first.
struct Job {
    virtual ~Job() = default;
    virtual void run() = 0;  ///< does not throw
};

class WorkerPool {
public:
    WorkerPool(unsigned threads, std::size_t queued_max) : threads_max_{threads}, queued_max_{queued_max} {}
    ~WorkerPool() { stop(); }

    void start();
    /// False, and the job is left alone, when the queue is full.
    bool try_push(std::unique_ptr<Job>& job);
    /// Drops what waits, lets what runs finish, joins.
    void stop();

private:
    void work();

    unsigned threads_max_;
    std::size_t queued_max_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Job>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

/// Signals are for the main thread: blocks all of them in the calling thread.
void block_signals();

}  // namespace estuary::net
