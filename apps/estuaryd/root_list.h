#pragma once
// The offline root's own list: it tells of issuing CAs. Made by whoever has the root's key at hand, and long valid.
#include "apps/estuaryd/crl_publisher.h"

namespace estuary::daemon {

inline constexpr Seconds root_list_validity{180 * 86400LL};

/// The next list of this root. conflict: somebody else was faster.
Result<PublishedList> publish_root_list(const x509::Certificate& root, const crypto::PrivateKey& key, Seconds validity, CrlFiles& files,
                                        store::Store& store, const Program& program);

}  // namespace estuary::daemon
