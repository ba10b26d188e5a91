#pragma once
// How the messages of one connection are told apart: HTTP/1.1, or what a listener speaks instead.
#include <cstdint>
#include <string>
#include <string_view>

#include "estuary/http/message.h"
#include "estuary/http/wire.h"

namespace estuary::net {

/// Reads requests from the octets of one connection and writes the answers, one request at a time; without sockets. What is no HTTP
/// becomes a request and is made of a response all the same, so that handlers, limits and deadlines are those of HTTP.
class Framing {
public:
    enum class State : std::uint8_t { reading, complete, refused };
    /// What becomes of the connection, and when the answer was given.
    struct Last {
        bool close = false;
        std::string_view date{};  ///< an IMF-fixdate
    };

    virtual ~Framing() = default;
    /// Takes octets up to the end of a request; returns how many. What is left belongs to the next request.
    virtual std::size_t feed(std::string_view octets) = 0;
    virtual State state() const noexcept = 0;
    /// Whether any octet of a request was seen.
    virtual bool started() const noexcept = 0;
    /// Whether the connection ends after the request that is complete.
    virtual bool closes() const noexcept = 0;
    virtual const http::Refusal& refusal() const noexcept = 0;
    /// The complete request; the next one is then read.
    virtual http::Request take() = 0;
    /// Octets to be sent before the request is complete.
    virtual std::string_view interim() { return {}; }
    /// The peer sends no more. True: it is refused for that, and can be told.
    virtual bool cut() { return false; }
    /// Appends the answer to the last request, or to what was refused. True: its shared body follows.
    virtual bool write(std::string& to, const http::Response& response, const Last& last) = 0;
};

class HttpFraming final : public Framing {
public:
    explicit HttpFraming(const http::WireLimits& limits) noexcept : parser_{limits} {}

    std::size_t feed(std::string_view octets) override { return parser_.feed(octets); }
    State state() const noexcept override;
    bool started() const noexcept override { return parser_.started(); }
    bool closes() const noexcept override { return parser_.closes(); }
    const http::Refusal& refusal() const noexcept override { return parser_.refusal(); }
    http::Request take() override;
    std::string_view interim() override;
    bool write(std::string& to, const http::Response& response, const Last& last) override;

private:
    http::RequestParser parser_;
    bool to_head_ = false;
};

}  // namespace estuary::net
