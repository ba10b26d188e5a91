// Requests in the path of a GET (RFC 6960 A.1): what clients and proxies on the way make of "+", "/", "=" is mended here.
#include "estuary/asn1/der.h"
#include "estuary/base/encoding.h"
#include "estuary/ocsp/server.h"

namespace estuary::ocsp {
namespace {

constexpr std::size_t tries_max = 16;  // each decodes the whole path once more

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The octets if they are base64 of one element; padding is put on.
std::optional<ByteVec> one_element(std::string text) {
    while (text.size() % 4 != 0) text += '=';
    auto octets = from_base64(text);
    if (!octets) return std::nullopt;
    der::Reader reader{*octets};
    if (!reader.skip() || !reader.empty()) return std::nullopt;
    return std::move(*octets);
}

}  // namespace

Result<std::string> decode_get_path(std::string_view path) {
    std::string text;
    text.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        char c = path[i];
        if (c == '%') {
            const int high = i + 2 < path.size() ? digit(path[i + 1]) : -1;
            const int low = high >= 0 ? digit(path[i + 2]) : -1;
            if (low < 0) return fail(Code::malformed, "The path has a bad percent-encoding.");
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        // A form decoder on the way takes "+" for a blank; no client sends blanks.
        text += c == ' ' ? '+' : c;
    }
    // A request begins with 0x30, so base64 of it never begins with a slash: those belong to the URL.
    text.erase(0, std::min(text.find_first_not_of('/'), text.size()));
    return text;
}

Result<std::vector<ByteVec>> readings_of(const std::string& base64) {
    std::string text = base64;
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    while (text.ends_with('=')) text.pop_back();
    std::vector<ByteVec> readings;
    if (auto octets = one_element(text)) {
        readings.push_back(std::move(*octets));
        return readings;
    }
    std::size_t tries = 0;
    for (auto slash = text.find('/'); slash != std::string::npos && tries < tries_max; slash = text.find('/', slash + 1)) {
        ++tries;
        auto doubled = text;
        doubled.insert(slash, 1, '/');
        if (auto octets = one_element(std::move(doubled))) readings.push_back(std::move(*octets));
    }
    if (readings.empty()) return fail(Code::malformed, "The path is not base64 of an OCSP request.");
    return readings;
}

std::string encode_get_path(Bytes request_der) {
    std::string path;
    for (const char c : to_base64(request_der)) {
        switch (c) {
            case '+': path += "%2B"; break;
            case '/': path += "%2F"; break;
            case '=': path += "%3D"; break;
            default: path += c;
        }
    }
    return path;
}

}  // namespace estuary::ocsp
