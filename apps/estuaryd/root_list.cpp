#include "apps/estuaryd/root_list.h"

#include "apps/estuaryd/status_config.h"

namespace estuary::daemon {

Result<PublishedList> publish_root_list(const x509::Certificate& root, const crypto::PrivateKey& key, Seconds validity, CrlFiles& files,
                                        store::Store& store, const Program& program) {
    StatusIssuer issuer;
    issuer.ca = root_ca_name;
    issuer.base = root_base(root);
    authority::Config config;
    config.cas.push_back({issuer.ca, root, key, {}, {}, {}});
    config.cas.front().status.crl_validity = validity;
    config.cas.front().status.publisher = issuer.base;
    ByteVec password_key(32);  // checks no password
    program.entropy.fill(password_key);
    config.password_key = crypto::Secret{std::move(password_key)};
    ESTUARY_TRY(const auto authority, authority::Authority::create(std::move(config), store, program.clock, program.entropy));
    issuer.authority = authority.get();
    return publish_crl(issuer, 0, authority::CrlKind::complete, files, store);
}

}  // namespace estuary::daemon
