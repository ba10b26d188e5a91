#pragma once
// Former generations of a CA: what they issued is still in use, and its status can only be told in their name.
#include "apps/estuaryd/generation.h"

namespace estuary::daemon {

/// Those whose key still lies beside the current one (ca.1, ca.2 …) and whose certificate has not expired. One whose key is gone
/// is told as a warning: nobody learns any more what of it was revoked.
std::vector<FormerGeneration> load_former_generations(const Configuration& configuration, const crypto::Secret* passphrase,
                                                      store::Store& store, const Program& program,
                                                      const std::function<void(const Fault&)>& tell);

}  // namespace estuary::daemon
