#pragma once
// Key pairs for others: the quick kinds are made when they are asked for, the slow ones (RSA) in advance, within bounds.
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "estuary/crypto/key.h"

namespace estuary::authority {

struct KeyPoolOptions {
    std::map<std::string, std::size_t> ready;  ///< how many of a key type are kept ready: "rsa3072" -> 8
    unsigned threads = 1;                      ///< that make them
    /// Slow keys that are made at the same time by those who ask while none is ready; beyond that they are told to come again.
    unsigned direct_max = 1;
};

/// Thread-safe. No key is given out twice, and none is kept after it was given out.
class KeyPool {
public:
    explicit KeyPool(KeyPoolOptions options = {});
    KeyPool(const KeyPool&) = delete;
    KeyPool& operator=(const KeyPool&) = delete;
    ~KeyPool();

    /// Begins to make keys in advance; without it, all are made when they are asked for.
    void start();
    /// Ends that: waits for the keys under way, which takes as long as the slowest of them, and wipes what was ready.
    void stop();
    /// New sizes; what is more than them stays until it is taken. Threads: from the next start on.
    void configure(KeyPoolOptions options);

    /// unsupported: the library does not make this type; too_busy: none is ready, and enough others wait for one already.
    Result<crypto::PrivateKey> take(const std::string& type);
    /// For a key that was seen by nobody: the next one may have it.
    void give_back(crypto::PrivateKey key);

    struct Level {
        std::string type;
        std::size_t ready = 0, wanted = 0;
    };
    std::vector<Level> levels() const;

private:
    std::optional<std::string> lacking() const;   // under the mutex
    void work(const std::stop_token& stop);
    Result<crypto::PrivateKey> make_directly(const std::string& type);

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    KeyPoolOptions options_;
    std::map<std::string, std::vector<crypto::PrivateKey>> ready_;
    std::map<std::string, std::size_t> under_way_;
    unsigned direct_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace estuary::authority
