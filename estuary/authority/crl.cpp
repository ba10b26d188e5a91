// CRLs of a CA (RFC 5280 5): complete and delta, one sequence of numbers a shard.
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/prepared.h"
#include "estuary/authority/serial.h"

namespace estuary::authority {
namespace {

/// Room for what is revoked while a list is made.
constexpr std::size_t spare_entries = 256;

x509::IssuingDistributionPoint shard_scope(const StatusConfig& status, unsigned shard) {
    x509::IssuingDistributionPoint scope;
    auto& name = scope.name.emplace();
    for (auto& uri : shard_uris(status.crl_uris, shard))
        name.full_name.push_back({x509::GeneralName::Kind::uri, to_vec(as_bytes(uri))});
    return scope;
}

x509::CrlTemplate list_of(const Issuer& issuer, const Policy::CrlPlan& plan) {
    const auto& status = issuer.config->status;
    x509::CrlTemplate list;
    list.issuer = issuer.config->certificate.subject();
    list.signature_algorithm = issuer.signer->algorithm();
    list.this_update = plan.this_update;
    list.next_update = plan.next_update;
    list.number = x509::CrlNumber{static_cast<std::uint64_t>(plan.number)};
    list.authority_key_id = issuer.key_identifier;
    if (plan.base_number) list.delta_base = x509::CrlNumber{static_cast<std::uint64_t>(*plan.base_number)};
    if (plan.names_shard) list.scope = shard_scope(status, plan.shard);
    if (status.deltas && !plan.base_number) list.freshest_crl_uris = shard_uris(status.delta_uris, plan.shard);
    return list;
}

const std::string& publisher_of(const CaConfig& ca) { return ca.status.publisher.empty() ? ca.name : ca.status.publisher; }

/// Both enumerations have the numbers of RFC 5280 5.3.1.
x509::CrlReason reason_of(store::RevocationReason reason) { return static_cast<x509::CrlReason>(reason); }

}  // namespace

Result<Policy::ApprovedCrl> Policy::approve_crl(const Issuer& issuer, const CrlPlan& plan, const store::RevokedQuery& query,
                                                store::Store& store) {
    x509::CrlEncoder encoder{list_of(issuer, plan), plan.expected_entries};
    Result<void> added;
    const auto add = [&](const store::RevokedCertificate& entry) {
        if (!added) return;
        const auto& revocation = entry.revocation;
        // Revoked while this list was begun: not later than the list says of itself.
        const auto at = revocation ? std::min(revocation->at, plan.this_update) : plan.this_update;
        added = encoder.add(entry.serial_number, at, revocation ? reason_of(revocation->reason) : x509::CrlReason::remove_from_crl,
                            revocation ? revocation->invalidity_date : std::nullopt);
    };
    ESTUARY_TRY(const auto position, store.visit_revoked(query, add));
    ESTUARY_CHECK(added);
    const auto entries = static_cast<std::int64_t>(encoder.entry_count());
    return ApprovedCrl{Authorised<x509::CrlToSign>{std::move(encoder).finish()}, position, entries};
}

Result<unsigned> Authority::crl_shards(std::string_view ca_name) {
    const auto* config = ca(ca_name);
    if (config == nullptr) return fail(Code::not_found, "there is no such CA");
    auto shards = config->status.crl_shards;
    ESTUARY_TRY(const auto published, impl_->store.crls());
    for (const auto& record : published)
        if (record.ca == publisher_of(*config)) shards = std::max(shards, record.shard + 1);
    return shards;
}

Result<MadeCrl> Authority::make_crl(std::string_view ca_name, unsigned shard, CrlKind kind, store::UnitOfWork& work,
                                    std::int64_t above) {
    const auto found = impl_->issuers.find(ca_name);
    if (found == impl_->issuers.end()) return fail(Code::not_found, "there is no such CA");
    const auto& issuer = found->second;
    if (!issuer.signer) return fail(Code::policy, fmt::format("the CRLs of CA {} are made by the CA above", ca_name));
    const auto& status = issuer.config->status;
    const auto& publisher = publisher_of(*issuer.config);
    const bool delta = kind == CrlKind::delta;
    ESTUARY_TRY(const auto complete, impl_->store.crl(publisher, shard, false));
    ESTUARY_TRY(const auto former_delta, impl_->store.crl(publisher, shard, true));
    if (delta && !complete) return fail(Code::not_found, "a delta CRL needs a complete one that it goes with");

    const auto now = impl_->clock.now();
    MadeCrl made;
    auto& record = made.record;
    record.ca = publisher;
    record.shard = shard;
    record.delta = delta;
    record.number = std::max({complete ? complete->number : 0, former_delta ? former_delta->number : 0, above}) + 1;
    record.this_update = now;
    record.next_update = std::min(now + (delta ? status.delta_validity : status.crl_validity), issuer.config->certificate.not_after());
    if (record.next_update <= now) return fail(Code::unavailable, "the CA's own certificate has expired", "CA " + record.ca);

    ESTUARY_TRY(const auto shards, crl_shards(ca_name));
    Policy::CrlPlan plan{shard, shards > 1, record.number, {}, now, record.next_update, {}};
    store::RevokedQuery query{ca_name, shard, {}, {}};
    if (delta) {
        plan.base_number = record.base_number = complete->number;
        query.since = complete->position;
    } else if (complete) {
        // An entry stays until one CRL was issued after its certificate's end (RFC 5280 3.3).
        query.not_expired_at = complete->this_update;
        plan.expected_entries = static_cast<std::size_t>(complete->entries) + spare_entries;
    }
    ESTUARY_TRY(auto approved, Policy::approve_crl(issuer, plan, query, impl_->store));
    record.position = approved.position;
    record.entries = approved.entries;
    ESTUARY_TRY(made.der, issuer.signer->sign(std::move(approved.list)));
    impl_->audit(work, "crl.published", "authority", fmt::format("{}/{}", record.ca, shard), "ok",
                 fmt::format("{} number={} entries={}", delta ? "delta" : "complete", record.number, record.entries));
    work.writes.emplace_back(store::PublishCrl{record});
    return made;
}

}  // namespace estuary::authority
