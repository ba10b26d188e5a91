#pragma once
// What goes on beside the requests: publishing CRLs; forgetting and refreshing OCSP answers.
#include <condition_variable>
#include <thread>

#include "apps/estuaryd/status_handler.h"

namespace estuary::daemon {

/// Two threads, so that a large list that is being made delays no answer's end. Both go by what the desk has at each step, and so
/// follow a reload; trouble is logged and tried again.
class StatusThreads {
public:
    StatusThreads(store::Store& store, const Clock& clock, StatusDesk& desk) : store_{store}, clock_{clock}, desk_{desk} {}
    ~StatusThreads() { stop(); }
    StatusThreads(const StatusThreads&) = delete;
    StatusThreads& operator=(const StatusThreads&) = delete;

    void start();
    /// Waits for a list that is being made.
    void stop();

private:
    void publish(const std::stop_token& stop);
    void keep_answers(const std::stop_token& stop);
    /// False: it is time to end.
    bool pause(const std::stop_token& stop);
    template <class Step>
    void repeat(const std::stop_token& stop, const char* what, Step step);

    store::Store& store_;
    const Clock& clock_;
    StatusDesk& desk_;
    std::mutex mutex_;
    std::condition_variable_any ending_;
    std::jthread publisher_, keeper_;
};

}  // namespace estuary::daemon
