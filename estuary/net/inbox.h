#pragma once
// What other threads hand to an I/O thread: answers and new sockets. Wake-ups are batched: one write to the eventfd
// until the I/O thread has taken everything.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "estuary/http/message.h"
#include "estuary/net/fd.h"

namespace estuary::net {

class ServerConnection;

class Inbox {
public:
    struct Answer {
        std::shared_ptr<ServerConnection> connection;
        http::Response response;
    };
    struct Socket {
        Fd fd;
        std::string address;
        std::size_t listener = 0;
    };
    struct Mail {
        std::vector<Answer> answers;
        std::vector<Socket> sockets;
        void clear() {
            answers.clear();
            sockets.clear();
        }
    };

    Inbox();
    int fd() const noexcept { return event_.get(); }
    /// Dropped without a word once the inbox is closed.
    void post(Answer answer);
    void post(Socket socket);
    void wake();
    /// Swaps what has come with the empty `into`.
    void take(Mail& into);
    /// The I/O thread has ended.
    void close();
    bool closed() const;

private:
    void signal(std::unique_lock<std::mutex> lock);

    Fd event_;
    mutable std::mutex mutex_;
    Mail mail_;
    bool signalled_ = false;
    bool closed_ = false;
};

}  // namespace estuary::net
