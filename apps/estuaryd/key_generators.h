#pragma once
// Who signs for the keys that EST makes: one key and certificate a CA (id-kp-cmKGA), the same that CMP uses.
#include "apps/estuaryd/config_table.h"
#include "apps/estuaryd/own_certificate.h"

namespace estuary::daemon {

struct KeyGenerators {
    std::map<std::string, est::KeyGenerator, std::less<>> by_ca;
    std::optional<Time> due;   ///< when the first of them is to be renewed
};
/// Of every CA whose labels make keys. Trouble is told as a warning: keys leave there under TLS only until it is mended.
KeyGenerators key_generators(const Configuration& configuration, authority::Authority& authority, store::Store& store,
                             const crypto::Secret* passphrase, Time now, const std::function<void(const Fault&)>& tell);

}  // namespace estuary::daemon
