#include <algorithm>

#include "estuary/http/characters.h"
#include "estuary/http/refuse.h"

namespace estuary::http {
namespace {

using detail::refuse_with;

constexpr std::size_t size_digits_max = 8;  // 4 GiB; leading zeros count

}  // namespace

/// Collects a line into line_, without its CRLF; true when it is complete.
Parsed<bool> ChunkedDecoder::take_line(std::string_view& input, const WireLimits& limits) {
    const auto end = input.find('\n');
    const auto taken = end == std::string_view::npos ? input.size() : end + 1;
    line_octets_ += taken;
    // A plain size line ("1000\r\n") costs nothing: only what is more than that counts against the limit.
    if (line_.size() + taken > limits.head_bytes_max || line_octets_ > limits.head_bytes_max)
        return refuse_with(431, "Chunk extensions or trailer fields are too large.");
    line_ += input.substr(0, taken);
    input.remove_prefix(taken);
    if (end == std::string_view::npos) return false;
    if (line_.size() < 2 || line_[line_.size() - 2] != '\r') return refuse_with(400, "Lines must end with CR LF.");
    line_.resize(line_.size() - 2);
    return true;
}

/// chunk-size [ chunk-ext ]
Parsed<void> ChunkedDecoder::size_line(std::size_t body_bytes, const WireLimits& limits) {
    std::size_t digits = 0;
    left_ = 0;
    for (; digits < line_.size() && detail::hex_value(line_[digits]) >= 0; ++digits) {
        if (digits == size_digits_max) return refuse_with(413, "A chunk is too large.");
        left_ = left_ * 16 + static_cast<unsigned>(detail::hex_value(line_[digits]));
    }
    if (digits == 0) return refuse_with(400, "A chunk must start with its size in hexadecimal.");
    const auto extension = std::string_view{line_}.substr(digits);
    if (!detail::all_of(detail::field_chars, extension) ||
        (!extension.empty() && detail::trim_blanks(extension).substr(0, 1) != ";"))
        return refuse_with(400, "Only ';' and extensions may follow a chunk size.");
    if (left_ > limits.body_bytes_max - std::min(limits.body_bytes_max, body_bytes))
        return refuse_with(413, "The body is too large.");
    if (extension.empty()) line_octets_ -= std::min(line_octets_, line_.size() + 2);
    state_ = left_ == 0 ? State::trailer : State::data;
    return {};
}

Parsed<void> ChunkedDecoder::line_complete(std::size_t body_bytes, const WireLimits& limits) {
    Parsed<void> out;
    if (state_ == State::size_line) {
        out = size_line(body_bytes, limits);
    } else if (state_ == State::data_end) {
        if (!line_.empty()) return refuse_with(400, "A chunk is longer than its size says.");
        line_octets_ -= std::min<std::size_t>(line_octets_, 2);
        state_ = State::size_line;
    } else if (line_.empty()) {
        state_ = State::done;
    } else {
        Headers dropped;
        if (auto fields = read_fields(line_, dropped, limits); !fields) return tl::unexpected<Refusal>(std::move(fields).error());
    }
    line_.clear();
    return out;
}

Parsed<std::size_t> ChunkedDecoder::feed(std::string_view input, std::string& body, const WireLimits& limits) {
    const auto before = input.size();
    while (!input.empty() && state_ != State::done) {
        if (state_ == State::data) {
            const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
            body += input.substr(0, taken);
            input.remove_prefix(taken);
            left_ -= taken;
            if (left_ == 0) state_ = State::data_end;
            continue;
        }
        if (state_ == State::data_end && line_.empty() && input.front() != '\r')
            return refuse_with(400, "A chunk is longer than its size says.");
        const auto complete = take_line(input, limits);
        if (!complete) return tl::unexpected<Refusal>(complete.error());
        if (!*complete) break;
        if (auto ok = line_complete(body.size(), limits); !ok) return tl::unexpected<Refusal>(std::move(ok).error());
    }
    return before - input.size();
}

}  // namespace estuary::http
