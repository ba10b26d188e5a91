#pragma once
// Archived keys of the label "recovery", and the operators who decide who gets them back.
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/key_package.h"
#include "estuary/cms/oids.h"
#include "server_world.h"

namespace estuary::test {

/// A certificate whose key was made and archived by the server, and has been lost since.
inline x509::Certificate with_archived_key(ServerWorld& world, const std::string& subject, const std::string& who = "alice", const std::string& secret = alice_secret,
                                           const std::string& label = "recovery") {
    Talker talker{world, who, secret, label};
    talker.pvno = cmp::cmp2021;
    crmf::WantedRequest wanted;
    wanted.request.cert_template.subject = name(subject);
    const auto der = crmf::make_cert_req_msg_without_key(wanted).value();
    const auto answer = talker.send({BodyType::ir, cmp::CertReqMessages{{crmf::CertReqMsg::parse(der).value()}}}, implicit());
    EXPECT_EQ(verdict(answer), "ip accepted");
    return certificate_of(answer);
}

/// One step of an operator, written also where it is refused.
template <class Step>
Result<void> by_operator(ServerWorld& world, Step step) {
    store::UnitOfWork work;
    authority::KeyRecoveries recoveries{*world.store, world.recovery_rules, world.clock};
    auto result = step(recoveries, work);
    EXPECT_TRUE(work.empty() || world.store->commit(std::move(work)));
    return result;
}
inline Result<void> approve_recovery(ServerWorld& world, const x509::Certificate& certificate, const std::string& who) {
    return by_operator(world, [&](auto& recoveries, auto& work) { return recoveries.approve("issuing", certificate.serial_number(), "operator:" + who, work); });
}
inline void approve_recovery(ServerWorld& world, const x509::Certificate& certificate) {
    for (const auto* who : {"ann", "bob"}) EXPECT_TRUE(approve_recovery(world, certificate, who));
}

/// krr without a new key, for all keys or what `bend` says.
inline PkiBody recovery(std::function<void(crmf::CertRequest&)> bend = {}) {
    crmf::CertRequest request;
    if (bend) bend(request);
    const auto der = crmf::encode_cert_req_msg(request.encode(), std::nullopt);
    return {BodyType::krr, cmp::CertReqMessages{{crmf::CertReqMsg::parse(der).value()}}};
}
inline crmf::Control key_of(const x509::Certificate& certificate) {
    return crmf::make_old_cert_id({cmp::directory_name(certificate.issuer()), to_vec(certificate.serial_number())});
}

}  // namespace estuary::test
