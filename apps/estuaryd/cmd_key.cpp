// estuaryd key request-recovery, approve, deny, recover, list: archived private keys and who gets them back.
#include <ostream>

#include <boost/json.hpp>
#include <fmt/ostream.h>

#include "apps/estuaryd/serial_number.h"
#include "apps/estuaryd/table.h"
#include "estuary/authority/key_recovery.h"
#include "estuary/base/encoding.h"
#include "estuary/base/file.h"

namespace estuary::daemon {
namespace {

using store::KeyRecovery;

/// The installation, and the certificate whose key is meant.
struct MeantKey {
    Session session;
    store::CertificateRecord certificate;
    authority::KeyRecoveries recoveries;
};
Result<MeantKey> open_meant(const KeyOptions& options, const Program& program) {
    ESTUARY_TRY(auto session, open_session(options.directory));
    ESTUARY_TRY(auto certificate, find_certificate(*session.store, options.serial, options.ca));
    authority::KeyRecoveries recoveries{*session.store, session.configuration.keys.recovery, program.clock};
    return MeantKey{std::move(session), std::move(certificate), std::move(recoveries)};
}

/// One step, written also where it was refused: every attempt is in the audit trail.
template <class Step>
auto carried_out(MeantKey& opened, const Step& step) {
    store::UnitOfWork work;
    auto result = step(work);
    if (!work.empty())
        if (auto done = opened.session.store->commit(std::move(work)); !done && result) result = tl::unexpected<Error>(done.error());
    return result;
}

std::string state_of(const KeyRecovery& recovery, Time now) {
    if (recovery.recovered_at) return "recovered";
    if (recovery.denied_at) return "denied";
    if (now >= recovery.expires_at) return "expired";
    return static_cast<std::int64_t>(recovery.approvals.size()) >= recovery.approvals_needed ? "approved" : "open";
}

std::string approvers(const KeyRecovery& recovery) {
    std::string text;
    for (const auto& approval : recovery.approvals) text += (text.empty() ? "" : ", ") + approval.by;
    return text;
}

boost::json::object json_of(const KeyRecovery& recovery, Time now) {
    boost::json::array approvals;
    for (const auto& approval : recovery.approvals) approvals.push_back({{"by", approval.by}, {"at", to_iso8601(approval.at)}});
    boost::json::object object{{"id", recovery.id},
                               {"state", state_of(recovery, now)},
                               {"ca", recovery.ca},
                               {"serial", to_hex(recovery.serial_number)},
                               {"subject", recovery.subject},
                               {"requested_by", recovery.requested_by},
                               {"reason", recovery.reason},
                               {"requested_at", to_iso8601(recovery.requested_at)},
                               {"expires_at", to_iso8601(recovery.expires_at)},
                               {"approvals_needed", recovery.approvals_needed},
                               {"approvals", std::move(approvals)}};
    if (recovery.recovered_at) {
        object["recovered_by"] = recovery.recovered_by;
        object["recovered_at"] = to_iso8601(*recovery.recovered_at);
    }
    if (recovery.denied_at) {
        object["denied_by"] = recovery.denied_by;
        object["denied_at"] = to_iso8601(*recovery.denied_at);
        object["denial"] = recovery.denial;
    }
    return object;
}

}  // namespace

Exit key_request_recovery(const KeyOptions& options, const Program& program) {
    auto opened = open_meant(options, program);
    if (!opened) return report(program, opened.error());
    const auto done = carried_out(*opened, [&](store::UnitOfWork& work) {
        return opened->recoveries.request(opened->certificate.ca, opened->certificate.serial_number, operator_name(), options.reason, work);
    });
    if (!done) return report(program, done.error());
    fmt::print(program.err, "Asked for the key of {}. Now {} operators have to approve it: estuaryd key approve {}\n",
               shown(opened->certificate.subject), opened->session.configuration.keys.recovery.approvals,
               to_hex(opened->certificate.serial_number));
    return Exit::ok;
}

Exit key_approve(const KeyOptions& options, const Program& program) {
    auto opened = open_meant(options, program);
    if (!opened) return report(program, opened.error());
    const auto done = carried_out(*opened, [&](store::UnitOfWork& work) {
        return opened->recoveries.approve(opened->certificate.ca, opened->certificate.serial_number, operator_name(), work);
    });
    if (!done) return report(program, done.error());
    fmt::print(program.err, "Approved by {}.\n", operator_name());
    return Exit::ok;
}

Exit key_deny(const KeyOptions& options, const Program& program) {
    auto opened = open_meant(options, program);
    if (!opened) return report(program, opened.error());
    const auto done = carried_out(*opened, [&](store::UnitOfWork& work) {
        return opened->recoveries.deny(opened->certificate.ca, opened->certificate.serial_number, operator_name(), options.reason, work);
    });
    if (!done) return report(program, done.error());
    fmt::print(program.err, "Denied by {}.\n", operator_name());
    return Exit::ok;
}

Exit key_recover(const KeyOptions& options, const Program& program) {
    auto opened = open_meant(options, program);
    if (!opened) return report(program, opened.error());
    std::error_code ignored;
    if (std::filesystem::exists(options.out, ignored))
        return report(program, {Code::conflict, fmt::format("{} is there already", options.out)});
    const auto key = carried_out(*opened, [&](store::UnitOfWork& work) {
        return opened->recoveries.recover(opened->certificate.ca, opened->certificate.serial_number, operator_name(), work);
    });
    if (!key) return report(program, key.error());
    const auto pem = to_pem("CMS", key->envelope);
    if (options.out.empty()) {
        program.out << pem;
    } else if (auto written = file::write_atomically(options.out, as_bytes(pem), file::Access::owner_only); !written) {
        return report(program, written.error());
    }
    fmt::print(program.err, "Encrypted for {}; only they can open it.\n", shown(key->agents));
    return Exit::ok;
}

Exit key_list(const KeyOptions& options, const Program& program) {
    auto session = open_session(options.directory);
    if (!session) return report(program, session.error());
    const auto recoveries = session->store->key_reads()->key_recoveries();
    if (!recoveries) return report(program, recoveries.error());
    const auto now = program.clock.now();
    if (options.json) {
        boost::json::array all;
        for (const auto& recovery : *recoveries) all.push_back(json_of(recovery, now));
        program.out << boost::json::serialize(all) << '\n';
        return Exit::ok;
    }
    Columns columns{{"ID", "STATE", "SERIAL", "SUBJECT", "REQUESTED", "BY", "REASON", "NEEDS", "APPROVED BY"}};
    for (const auto& recovery : *recoveries)
        columns.add({std::to_string(recovery.id), state_of(recovery, now), to_hex(recovery.serial_number), recovery.subject,
                     to_iso8601(recovery.requested_at), recovery.requested_by, recovery.reason, std::to_string(recovery.approvals_needed),
                     approvers(recovery)});
    columns.print(program.out);
    return Exit::ok;
}

}  // namespace estuary::daemon
