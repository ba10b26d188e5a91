// Multipart bodies. Input: the boundary, a line break, and the body. What is read can be written, and then reads the same.
#include <cstdint>
#include <cstdlib>

#include "estuary/http/multipart.h"

namespace {

using namespace estuary;

void require(bool good) {
    if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = as_text(Bytes{data, size});
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return 0;
    const auto boundary = text.substr(0, end);
    const auto parts = http::parse_multipart(text.substr(end + 1), boundary);
    if (!parts) {
        require(parts.error().code == Code::malformed || parts.error().code == Code::too_large);
        return 0;
    }
    require(!parts->empty() && parts->size() <= http::MultipartLimits{}.parts_max);
    const auto written = http::write_multipart(*parts);
    http::MultipartLimits limits;
    limits.bytes_max = written.body.size();
    limits.header_bytes_max = written.body.size();
    const auto again = http::parse_multipart(written.body, written.boundary, limits);
    require(again && again->size() == parts->size());
    for (std::size_t i = 0; i < parts->size(); ++i) {
        const auto& one = (*parts)[i];
        const auto& other = (*again)[i];
        require(one.body == other.body && one.headers.fields().size() == other.headers.fields().size());
        for (std::size_t j = 0; j < one.headers.fields().size(); ++j)
            require(one.headers.fields()[j].name == other.headers.fields()[j].name &&
                    one.headers.fields()[j].value == other.headers.fields()[j].value);
    }
    return 0;
}
