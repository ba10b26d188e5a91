// A stored password of unknown origin: refused or compared, within the limits of cost, and never matched by chance.
#include <cstdlib>

#include "estuary/crypto/password.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace estuary;
    using namespace estuary::crypto;
    const auto stored = as_text({data, size});
    static const Secret password{std::string_view{"hunter2"}}, key{std::string_view{"key"}};
    const auto matches = verify_password(password, stored, key);
    if (matches && *matches) std::abort();
    return 0;
}
