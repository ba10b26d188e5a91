#include "estuary/net/worker_pool.h"

#include <csignal>

namespace estuary::net {

void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void WorkerPool::start() {
    for (unsigned i = 0; i < threads_max_; ++i) threads_.emplace_back([this] { work(); });
}

bool WorkerPool::try_push(std::unique_ptr<Job>& job) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_ || queue_.size() >= queued_max_) return false;
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
}

void WorkerPool::work() {
    block_signals();
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        auto job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job->run();
        job.reset();
        lock.lock();
    }
}

void WorkerPool::stop() {
    std::deque<std::unique_ptr<Job>> dropped;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        dropped.swap(queue_);
    }
    wake_.notify_all();
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
    threads_.clear();
}

}  // namespace estuary::net
