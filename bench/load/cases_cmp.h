#pragma once
// CMP over plain HTTP.
#include "paced.h"

namespace estuary::load {

/// Where CMP is spoken, and who we are there.
struct CmpPeer {
    Address address;
    std::string ca_pem;                    ///< whom answers are believed by
    std::string user, secret;              ///< a credential of type cmp with unlimited uses
    std::string maker_pem, maker_key_pem;  ///< a manufacturer's CA (P-256), whose devices may enroll
};

/// How an ir is protected.
enum class CmpProtection {
    certificate,         ///< signed by a certificate of the CA's own
    maker,               ///< signed by a certificate of the manufacturer's, a device each
    pbmac1,              ///< 10,000 iterations
    password_based_mac,  ///< 10,000 iterations
};

/// ir with implicit confirmation, P-256. The messages are made before the clock runs, and the answers verified when it has stopped.
Measured cmp_enroll(const Target& target, const CmpPeer& peer, const Floor& floor, CmpProtection protection, unsigned requests);

/// 60 signed ir and 10 with a PBMAC1 of 10,000 iterations a second: alone, and beside a flood of 200 messages a second whose MACs are
/// wrong and take 100,000 iterations each to see that, on eight connections, under ever other names.
struct Flooded {
    std::vector<Paced> alone, beside;
    std::size_t computed = 0, put_off = 0;  ///< messages of the flood: refused after the MAC was computed, or told systemUnavail
    double cores = 0;                       ///< CPU of the server meanwhile
};
Flooded cmp_flood(const Target& target, const CmpPeer& peer, std::chrono::seconds duration);

}  // namespace estuary::load
