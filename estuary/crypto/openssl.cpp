#include "estuary/crypto/openssl.h"

#include <array>

#include <openssl/err.h>

namespace estuary::crypto::openssl {

void clear_errors() noexcept { ERR_clear_error(); }

std::string drain_errors() {
    std::string text;
    std::array<char, 256> line{};
    const char* data = nullptr;
    int flags = 0;
    while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
        ERR_error_string_n(code, line.data(), line.size());
        if (!text.empty()) text += "; ";
        text += line.data();
        if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') text += std::string{" ("} + data + ")";
    }
    return text;
}

}  // namespace estuary::crypto::openssl
