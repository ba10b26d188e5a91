#include "estuary/store/checkpointer.h"

#include "estuary/base/log.h"

namespace estuary::store::sqlite {
namespace {

/// Long enough that pages written again and again are copied once, short enough that the log stays small.
constexpr std::chrono::milliseconds pause{50};
constexpr std::chrono::milliseconds pause_after_failure{1'000};

}  // namespace

Checkpointer::Checkpointer(std::filesystem::path path, Options options)
    : path_{std::move(path)}, options_{std::move(options)}, thread_{[this] { loop(); }} {}

Checkpointer::~Checkpointer() {
    {
        const std::scoped_lock lock{mutex_};
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Checkpointer::log_grew() noexcept {
    if (grew_.exchange(true)) return;
    const std::scoped_lock lock{mutex_};  // or the loop could be between its look at grew_ and its sleep
    wake_.notify_one();
}

void Checkpointer::loop() {
    auto wait = pause;
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [&] { return stop_ || grew_.load(); });
            if (wake_.wait_for(lock, wait, [&] { return stop_; })) return;
        }
        grew_ = false;
        const auto done = checkpoint();
        wait = done ? pause : pause_after_failure;
        if (done) continue;
        log::debug("checkpoint failed", {{"cause", done.error().cause}});
        grew_ = true;
        connection_ = Connection{};
    }
}

Result<void> Checkpointer::checkpoint() {
    if (!connection_) {
        ESTUARY_TRY(connection_, connect(path_, options_, Role::upkeep));
    }
    const std::scoped_lock lock{checkpoint_mutex_};
    const int code = sqlite3_wal_checkpoint_v2(connection_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    // Busy: another process is at it.
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return fail(connection_.error(code, "checkpoint"));
    return {};
}

}  // namespace estuary::store::sqlite
