#pragma once
// HTTP/1.1 messages to octets and back (RFC 9112), without sockets: incremental, bounded, strict about everything that
// lets two parties disagree on where a message ends (request smuggling).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "estuary/http/message.h"

namespace estuary::http {

/// Why a message is refused: the status to answer with, and a sentence that says what to mend.
struct Refusal {
    unsigned status = 400;
    std::string sentence;
};
template <class T>
using Parsed = tl::expected<T, Refusal>;

struct WireLimits {
    std::size_t head_bytes_max = 16 * 1024;  ///< start line and fields; also all chunk extensions and trailers together
    std::size_t body_bytes_max = 128 * 1024;
    std::size_t fields_max = 100;  ///< browsers send about 20
};

/// What the header fields say about where the message ends and what becomes of the connection.
struct Framing {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool close = false;             ///< Connection: close
    bool expects_continue = false;  ///< Expect: 100-continue
};

/// Collects a message head up to its blank line. A bare LF or CR is refused: RFC 9112 2.2 lets recipients choose, and
/// the strict choice leaves no two readings.
class HeadBuffer {
public:
    struct Found {
        std::string_view head;  ///< lines with CRLF, without the blank line; valid until release() or the input goes
        std::size_t consumed;   ///< octets of this input
    };
    /// Nothing: more is needed and the whole input was kept.
    Parsed<std::optional<Found>> feed(std::string_view input, std::size_t bytes_max);
    bool started() const noexcept { return !pending_.empty(); }
    void release() noexcept;

private:
    Parsed<std::optional<std::size_t>> find_end(std::string_view text);

    std::string pending_;
    std::size_t scanned_ = 0;
    std::size_t line_start_ = 0;
};

/// Takes a chunked body apart (RFC 9112 7.1). Extensions and trailer fields are checked and dropped.
class ChunkedDecoder {
public:
    /// Octets consumed; decoded ones are appended to `body`.
    Parsed<std::size_t> feed(std::string_view input, std::string& body, const WireLimits& limits);
    bool done() const noexcept { return state_ == State::done; }

private:
    enum class State : std::uint8_t { size_line, data, data_end, trailer, done };
    Parsed<bool> take_line(std::string_view& input, const WireLimits& limits);
    Parsed<void> size_line(std::size_t body_bytes, const WireLimits& limits);
    Parsed<void> line_complete(std::size_t body_bytes, const WireLimits& limits);

    std::string line_;
    std::uint64_t left_ = 0;       // octets of this chunk
    std::size_t line_octets_ = 0;  // of all size lines and trailers
    State state_ = State::size_line;
};

/// Reads one request at a time from a stream of octets.
class RequestParser {
public:
    enum class State : std::uint8_t { head, body, complete, refused };

    explicit RequestParser(const WireLimits& limits) noexcept : limits_{&limits} {}

    /// Takes octets up to the end of the request; returns how many. What is left belongs to the next request.
    std::size_t feed(std::string_view input);
    State state() const noexcept { return state_; }
    /// Whether any octet of a request was seen.
    bool started() const noexcept { return state_ != State::head || head_.started(); }
    /// True once: the head is complete, its sender waits for "100 Continue", and no body octet came yet.
    bool take_expectation() noexcept { return std::exchange(expects_continue_, false); }
    /// Whether the connection ends after this request: HTTP/1.0, or "Connection: close".
    bool closes() const noexcept { return closes_; }
    const Refusal& refusal() const noexcept { return refusal_; }
    /// The complete request; the parser then waits for the next one.
    Request take();

private:
    void refuse(Refusal refusal);
    Parsed<void> read_head(std::string_view head);
    std::size_t feed_body(std::string_view input);

    const WireLimits* limits_;
    HeadBuffer head_;
    Request request_;
    std::optional<ChunkedDecoder> chunked_;
    std::uint64_t left_ = 0;
    Refusal refusal_;
    State state_ = State::head;
    bool closes_ = false;
    bool expects_continue_ = false;
};

/// Reads one response; interim ones (1xx) are passed over.
class ResponseParser {
public:
    enum class State : std::uint8_t { head, body, complete, refused };

    /// `to_head`: the request was HEAD, so no body follows. `limits` must outlive the parser.
    ResponseParser(const WireLimits& limits, bool to_head) noexcept : limits_{&limits}, to_head_{to_head} {}

    std::size_t feed(std::string_view input);
    /// The stream ended: completes a body without length; anything else unfinished is refused.
    void finish();
    State state() const noexcept { return state_; }
    bool started() const noexcept { return state_ != State::head || head_.started() || interim_ > 0; }
    const Refusal& refusal() const noexcept { return refusal_; }
    /// The response; `close` says that the connection ends with it.
    Response take() { return std::move(response_); }

private:
    enum class Body : std::uint8_t { none, length, chunked, until_close };
    void refuse(Refusal refusal);
    Parsed<void> read_head(std::string_view head);
    std::size_t feed_body(std::string_view input);

    const WireLimits* limits_;
    HeadBuffer head_;
    Response response_;
    ChunkedDecoder chunked_;
    std::uint64_t left_ = 0;
    Refusal refusal_;
    unsigned interim_ = 0;
    State state_ = State::head;
    Body body_ = Body::none;
    bool to_head_;
};

/// Reads the field lines of a head (each with its CRLF) and what they say about framing.
Parsed<Framing> read_fields(std::string_view lines, Headers& into, const WireLimits& limits);

struct ResponseFraming {
    std::string_view date;  ///< an IMF-fixdate; empty: no Date field
    bool close = false;     ///< the connection ends with this response
    bool to_head = false;   ///< answer to HEAD: Content-Length without the body
};
/// Not 1xx, 204, 304.
bool may_have_body(const Response& response) noexcept;
/// Appends the response in wire form, all but a shared body. Content-Length, Connection and Date are added here; fields of these
/// names in the response are dropped, and control characters in values become blanks.
void write_response(std::string& to, const Response& response, const ResponseFraming& framing);
/// Appends the request in wire form, with Host and (for a body, POST and PUT) Content-Length.
void write_request(std::string& to, const Request& request, std::string_view authority);

}  // namespace estuary::http
