#pragma once
// Messages of several transactions that go to the same CA above in one nested message (RFC 9483 5.2.2.2).
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "estuary/cmp/server.h"

namespace estuary::cmp {

struct BatchOptions {
    std::size_t messages_max = 16;             ///< in one nested message
    std::chrono::milliseconds linger{20};      ///< the longest that a message waits for others
    std::size_t bytes_max = 128 * 1024;        ///< of the nested message
    Limits limits{};                           ///< of the answer
};

/// Whoever comes first while others are above waits for more to come, sends all of it, and hands out the answers; it has no thread of its
/// own. Who is alone goes at once, as it is. Thread-safe.
class Batches {
public:
    /// bad_key: the key above does not sign. `clock` and `entropy` outlive it.
    static Result<std::unique_ptr<Batches>> create(BatchOptions options, std::shared_ptr<const Above> above, const Clock& clock,
                                                   crypto::Entropy& entropy);

    /// A message that waits for its answer.
    struct Item {
        std::string_view operation;            ///< for the path, where it goes alone
        PkiMessage message;
        Result<ByteVec> answer = fail(Code::internal, "the message was not sent");
    };
    /// The answer to one message; others may go along. Errors are those of Channel, and: unavailable: the answer has none for this message;
    /// internal: the CA above refuses the nested message.
    Result<ByteVec> exchange(std::string_view operation, PkiMessage message);
    /// The same of messages that are there together, in as few nested messages as may be.
    void exchange_all(std::vector<Item>& items);

private:
    struct Group {
        std::vector<Item*> items;
        std::size_t bytes = 0;
        bool full = false, done = false;
    };
    Batches(BatchOptions options, std::shared_ptr<const Above> above, const Clock& clock, crypto::Entropy& entropy, std::size_t frame)
        : options_{options}, above_{std::move(above)}, clock_{clock}, entropy_{entropy}, frame_{frame} {}

    bool may_join(const Group& group, const Item& item) const;
    void add(Group& group, Item& item) const;
    void wait_for_company(std::unique_lock<std::mutex>& lock, Group& group);
    /// Every item of it has its answer afterwards.
    void send(Group& group) const;
    void send_one(Item& item) const;
    Result<PkiMessage> ask(Group& group) const;

    BatchOptions options_;
    std::shared_ptr<const Above> above_;
    const Clock& clock_;
    crypto::Entropy& entropy_;
    std::size_t frame_;                        ///< octets of a nested message beside the messages in it

    std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<Group> gathering_;         ///< null: whoever comes next begins one
    std::size_t sent_ = 0;                     ///< groups whose answer has not come
};

}  // namespace estuary::cmp
