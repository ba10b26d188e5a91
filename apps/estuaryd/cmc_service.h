#pragma once
// What one configuration and its keys make of CMC: the endpoints, their HTTP paths, and who signs the answers.
#include <map>
#include <mutex>

#include "apps/estuaryd/own_certificate.h"
#include "apps/estuaryd/program.h"
#include "estuary/cmc/http_server.h"

namespace estuary::daemon {

/// Profiles of CMC's responders are named so, with the CA's name; not for configuration files.
inline constexpr std::string_view cmc_profile_prefix = "estuaryd-cmc:";
/// id-kp-cmcCA (RFC 6402 2.10), for signing answers and, as far as the key can, for opening encrypted requests.
authority::Profile cmc_profile(const std::string& ca, const std::string& key_type);

/// Who answers, by CA: renewed while answers go on. Thread-safe.
class CmcResponders {
public:
    using Tell = std::function<void(const Fault&)>;
    /// Issues or renews what is due; what cannot be is told, and the CA's endpoints go without.
    void renew(const Configuration& configuration, authority::Authority& authority, store::Store& store,
               const crypto::Secret* passphrase, Time now, const Tell& tell);
    std::shared_ptr<const cmc::Responder> find(std::string_view ca) const;
    /// A certificate is due, or missing.
    bool are_due(Time now) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const cmc::Responder>, std::less<>> by_ca_;
    bool some_are_missing_ = false;
};

struct CmcService {
    CmcResponders responders;
    std::unique_ptr<cmc::Server> server;
    std::optional<cmc::HttpServer> http;

    /// `crls`: empty where nothing is published. `authority` and `store` outlive it.
    static Result<std::shared_ptr<CmcService>> make(const Configuration& configuration, authority::Authority& authority,
                                                    store::Store& store, const crypto::Secret* passphrase, cmc::CrlSource crls,
                                                    const Program& program, const CmcResponders::Tell& tell);
};

}  // namespace estuary::daemon
