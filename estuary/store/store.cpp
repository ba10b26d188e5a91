#include "estuary/store/store.h"

#include <condition_variable>
#include <mutex>

namespace estuary::store {

Result<void> Store::commit(UnitOfWork work) {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<Result<void>> outcome;
    submit(std::move(work), [&](Result<void> result) {
        const std::scoped_lock lock{mutex};
        outcome = std::move(result);
        done.notify_one();  // under the lock: the waiter owns what is notified and goes as soon as it can
    });
    std::unique_lock lock{mutex};
    done.wait(lock, [&] { return outcome.has_value(); });
    return std::move(*outcome);
}

}  // namespace estuary::store
