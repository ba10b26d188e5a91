#pragma once
// What a person is told who has just revoked a certificate: who learns of it, where, and when.
#include "apps/estuaryd/session.h"

namespace estuary::daemon {

std::string revocation_notice(const Configuration& configuration, const store::CertificateRecord& record, store::Store& store, Time now);

}  // namespace estuary::daemon
