#include "estuary/store/writer.h"

#include <algorithm>

#include "estuary/base/log.h"

namespace estuary::store::sqlite {
namespace {

/// The log never resets while somebody reads or writes without pause; past this size the writer
/// empties it itself. Its file is kept within it, too (journal_size_limit in database_file.cpp).
constexpr std::size_t log_bytes_limit = 64u << 20;
/// How much more it may grow before the next try, when a reader (a backup) was in the way.
constexpr std::size_t log_bytes_step = 16u << 20;
constexpr std::chrono::milliseconds readers_patience{100};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::start(std::filesystem::path path, Options options, Checkpointer& checkpointer) {
    std::unique_ptr<Writer> writer{new Writer{std::move(path), options, checkpointer}};
    ESTUARY_CHECK(writer->group_.open());
    writer->log_bytes_max_ = log_bytes_limit;
    writer->thread_ = std::thread{[self = writer.get()] { self->loop(); }};
    return writer;
}

Writer::~Writer() {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        stop_ = true;
    }
    work_arrived_.notify_one();
    thread_.join();
}

void Writer::submit(UnitOfWork work, Committed committed) {
    bool wake = false;
    {
        const std::scoped_lock lock{mutex_};
        if (queue_.size() < options_.queue_max && !stop_) {
            if (queue_.empty()) oldest_ = std::chrono::steady_clock::now();
            queue_.push_back({std::move(work), std::move(committed)});
            committed = nullptr;
            // A thread that lingers is left alone until its batch is full: waking it for every unit costs more than it saves.
            wake = asleep_ || queue_.size() == options_.batch_max;
            asleep_ = false;
        }
    }
    if (wake) work_arrived_.notify_one();
    if (!committed) return;
    work.leases.clear();
    committed(tl::unexpected<Error>{Error{Code::too_busy, "too many requests are waiting; try again later", {}, 1}});
}

Result<std::size_t> Writer::run(const GroupCommit::Job& job) {
    WaitingJob waiting{&job};
    std::unique_lock lock{mutex_};
    jobs_.push_back(&waiting);
    asleep_ = false;
    work_arrived_.notify_one();
    job_done_.wait(lock, [&] { return waiting.done; });
    return std::move(waiting.outcome);
}

void Writer::loop() {
    std::vector<Waiting> batch;
    WaitingJob* job = nullptr;
    while (next_round(batch, job)) {
        if (!batch.empty()) commit(batch);
        if (job != nullptr) run(*job);
        checkpointer_.log_grew();
        limit_log();
    }
    const std::scoped_lock lock{checkpointer_.checkpoint_mutex()};
    if (auto emptied = group_.empty_log(GroupCommit::LogFile::cut, readers_patience); !emptied)
        log::debug("last checkpoint not complete", {{"cause", emptied.error().cause}});
}

bool Writer::next_round(std::vector<Waiting>& batch, WaitingJob*& job) {
    std::unique_lock lock{mutex_};
    while (queue_.empty() && jobs_.empty() && !stop_) {
        asleep_ = true;
        work_arrived_.wait(lock);
    }
    asleep_ = false;
    if (queue_.empty() && jobs_.empty()) return false;
    linger(lock);

    const auto count = std::min(queue_.size(), options_.batch_max);
    batch.assign(std::move_iterator{queue_.begin()}, std::move_iterator{queue_.begin() + static_cast<std::ptrdiff_t>(count)});
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    // The rest came meanwhile; its true age is not known, but has been waited for: no more lingering.
    if (count != 0) last_batch_ = count;
    job = jobs_.empty() ? nullptr : jobs_.front();
    if (job != nullptr) jobs_.pop_front();
    return true;
}

/// Company comes when the last batch had some, or has come already. A lone client never waits.
void Writer::linger(std::unique_lock<std::mutex>& lock) {
    const bool company = last_batch_ > 1 || queue_.size() > 1;
    if (!company || queue_.empty()) return;
    const auto until = oldest_ + options_.linger;
    while (queue_.size() < options_.batch_max && jobs_.empty() && !stop_) {
        if (work_arrived_.wait_until(lock, until) == std::cv_status::timeout) return;
    }
}

void Writer::commit(std::vector<Waiting>& batch) {
    std::vector<const UnitOfWork*> units;
    units.reserve(batch.size());
    for (const auto& waiting : batch) units.push_back(&waiting.work);
    auto outcomes = group_.commit(units);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].work.leases.clear();  // before the answer: who hears it may ask again at once
        batch[i].committed(std::move(outcomes[i]));
    }
    batch.clear();
}

void Writer::run(WaitingJob& job) {
    auto outcome = group_.run(*job.job);
    const std::scoped_lock lock{mutex_};
    job.outcome = std::move(outcome);
    job.done = true;
    job_done_.notify_all();
}

void Writer::limit_log() {
    if (group_.wal_bytes() <= log_bytes_limit) {
        log_bytes_max_ = log_bytes_limit;
        return;
    }
    if (group_.wal_bytes() <= log_bytes_max_) return;
    const std::scoped_lock lock{checkpointer_.checkpoint_mutex()};
    if (group_.empty_log(GroupCommit::LogFile::keep, readers_patience)) return;
    log_bytes_max_ = group_.wal_bytes() + log_bytes_step;
}

}  // namespace estuary::store::sqlite
