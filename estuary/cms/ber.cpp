#include "estuary/cms/ber.h"

#include <fmt/format.h>

namespace estuary::cms {
namespace {

using der::Tag;

constexpr std::uint8_t octet_string = 0x04;
constexpr std::uint8_t constructed_octet_string = 0x24;

tl::unexpected<Error> malformed_ber(std::string detail) { return fail(Code::malformed, "BER: " + std::move(detail)); }

/// Identifier and length of the next element.
struct Header {
    std::uint8_t identifier = 0;
    bool definite = true;
    std::size_t length = 0;  ///< if definite; there are that many octets

    bool constructed() const { return (identifier & 0x20) != 0; }
    bool ends_contents() const { return identifier == 0; }
};

/// One walk over the octets; what it reads goes straight into the writer.
class Transcoder {
public:
    Transcoder(Bytes ber, unsigned depth_max) : rest_{ber}, depth_{depth_max} { writer_ = der::Writer{reserved(ber.size())}; }

    Result<ByteVec> run() {
        ESTUARY_TRY(const auto header, read_header());
        if (header.ends_contents()) return malformed_ber("end-of-contents octets without a beginning");
        ESTUARY_CHECK(element(header));
        if (!rest_.empty()) return malformed_ber("octets after the outermost element");
        return std::move(writer_).take();
    }

private:
    static ByteVec reserved(std::size_t size) {
        ByteVec buffer;
        buffer.reserve(size + 16);
        return buffer;
    }

    Result<std::size_t> read_length(std::size_t octets) {
        if (rest_.size() < octets) return malformed_ber("cut short in a length");
        std::size_t length = 0;
        for (std::size_t i = 0; i < octets; ++i) {
            if (length >> 24 != 0) return malformed_ber("length of more than four octets");
            length = length << 8 | rest_[i];
        }
        rest_ = rest_.subspan(octets);
        return length;
    }

    Result<Header> read_header() {
        if (rest_.size() < 2) return malformed_ber(rest_.empty() ? "element missing" : "cut short in an element's header");
        Header header{rest_[0], rest_[1] != 0x80, rest_[1]};
        if ((header.identifier & 0x1F) == 0x1F) return malformed_ber("tag numbers past 30 do not occur here");
        rest_ = rest_.subspan(2);
        if (header.ends_contents()) {
            if (header.length != 0) return malformed_ber("end-of-contents octets of some length");
            return header;
        }
        if (!header.definite) {
            if (!header.constructed()) return malformed_ber("indefinite length of a primitive element");
            header.length = 0;
            return header;
        }
        if (header.length > 0x80) {
            if (header.length == 0xFF) return malformed_ber("length octet FF is reserved");
            ESTUARY_TRY(header.length, read_length(header.length & 0x7F));
        }
        if (header.length > rest_.size())
            return malformed_ber(fmt::format("element of {} octets in only {}", header.length, rest_.size()));
        return header;
    }

    Result<void> element(const Header& header) {
        if (!header.constructed()) {
            writer_.primitive(static_cast<Tag>(header.identifier), rest_.first(header.length));
            rest_ = rest_.subspan(header.length);
            return {};
        }
        const bool string = header.identifier == constructed_octet_string;
        const auto mark = writer_.begin(string ? Tag::octet_string : static_cast<Tag>(header.identifier));
        ESTUARY_CHECK(contents(header, string));
        writer_.end(mark);
        return {};
    }

    /// What is inside of a constructed element, up to its length or its end-of-contents octets.
    Result<void> contents(const Header& header, bool string) {
        if (depth_ == 0) return fail(Code::too_large, "BER: nested too deeply");
        --depth_;
        const Bytes after = header.definite ? rest_.subspan(header.length) : Bytes{};
        if (header.definite) rest_ = rest_.first(header.length);
        while (!header.definite || !rest_.empty()) {
            ESTUARY_TRY(const auto inner, read_header());
            if (inner.ends_contents()) {
                if (header.definite) return malformed_ber("end-of-contents octets in an element of definite length");
                break;
            }
            ESTUARY_CHECK(string ? piece(inner) : element(inner));
        }
        if (header.definite) rest_ = after;
        ++depth_;
        return {};
    }

    /// A piece of an OCTET STRING: its octets and no header.
    Result<void> piece(const Header& header) {
        if (header.identifier == constructed_octet_string) return contents(header, true);
        if (header.identifier != octet_string) return malformed_ber("something else in an OCTET STRING of pieces");
        writer_.raw(rest_.first(header.length));
        rest_ = rest_.subspan(header.length);
        return {};
    }

    Bytes rest_;
    unsigned depth_;
    der::Writer writer_;
};

}  // namespace

Result<ByteVec> to_der(Bytes ber, const der::Limits& limits) {
    if (ber.size() > limits.bytes_max) return fail(Code::too_large, "BER: input larger than its limit");
    return Transcoder{ber, limits.depth_max}.run();
}

}  // namespace estuary::cms
