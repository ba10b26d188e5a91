// Requests that wait for a person (RFC 10002 6.13): what pendToken stands for, and how it is asked about.
#include <algorithm>

#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {

constexpr Seconds after_approval{7 * 86'400};  // beyond the time that a person has to decide

/// A request as it is kept: in its own syntax, and what registration authorities changed.
struct Kept {
    TaggedRequest request;
    x509::Possession possession{};
    authority::Verb verb{};
    std::vector<Control> changes;
};
struct KeptRequests {
    std::string who;
    std::vector<Kept> requests;
};

// KeptRequests ::= SEQUENCE { who UTF8String, requests SEQUENCE OF SEQUENCE { request TaggedRequest, possession INTEGER,
//     verb INTEGER, changes SEQUENCE OF SEQUENCE { type OBJECT IDENTIFIER, value ANY } } }
void write_change(der::Writer& writer, const Modification& change) {
    writer.sequence([&] {
        if (change.mod != nullptr) {
            writer.oid(ModCertTemplate::type);
            change.mod->write(writer);
        } else {
            writer.oid(AddExtensions::type);
            change.add->write(writer);
        }
    });
}

Result<Kept> read_kept(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    Kept kept;
    ESTUARY_TRY(kept.request, TaggedRequest::read(fields));
    ESTUARY_TRY(const auto possession, fields.integer());
    ESTUARY_TRY(const auto verb, fields.integer());
    kept.possession = static_cast<x509::Possession>(possession);
    kept.verb = static_cast<authority::Verb>(verb);
    ESTUARY_TRY(auto changes, fields.enter(der::Tag::sequence));
    while (!changes.empty()) {
        ESTUARY_TRY(auto change, changes.enter(der::Tag::sequence));
        ESTUARY_TRY(const auto type, change.oid());
        ESTUARY_TRY(const auto value, change.any());
        ESTUARY_TRY(auto control, read_control({0, type, {to_vec(value.whole)}}));
        kept.changes.push_back(std::move(control));
    }
    return kept;
}

Result<KeptRequests> parse_kept(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, der::Tag::sequence, "kept requests", {.bytes_max = der.size()}));
    KeptRequests kept;
    ESTUARY_TRY(const auto who, fields.content(der::Tag::utf8_string));
    kept.who = as_text(who);
    ESTUARY_TRY(auto list, fields.enter(der::Tag::sequence));
    while (!list.empty()) {
        ESTUARY_TRY(auto one, read_kept(list));
        kept.requests.push_back(std::move(one));
    }
    return kept;
}

std::vector<Modification> modifications(const std::vector<Control>& controls) {
    std::vector<Modification> changes;
    for (const auto& control : controls)
        changes.push_back({std::get_if<ModCertTemplate>(&control), std::get_if<AddExtensions>(&control)});
    return changes;
}

}  // namespace

store::RequestKey Processor::pending_key(Bytes token) const { return record_key("pending", endpoint_.config.label, {token}); }

/// The token follows from what waits: the same message gets the same one ("the value of pendInfo MUST be the same"). It is no
/// secret, for only who asked may ask again.
void Processor::wait_for(const Layer& layer, const std::vector<Waiting>& waiting, Reply& reply) {
    const auto who = principal_for(layer).describe();
    der::Writer writer;
    writer.sequence([&] {
        writer.utf8_string(who);
        writer.sequence([&] {
            for (const auto& one : waiting) {
                writer.sequence([&] {
                    one.request->write(writer);
                    writer.integer(static_cast<std::int64_t>(one.possession)).integer(static_cast<std::int64_t>(one.verb));
                    writer.sequence([&] {
                        for (const auto& change : one.changes) write_change(writer, change);
                    });
                });
            }
        });
    });
    const auto token = crypto::sha256(writer.bytes());
    const auto key = pending_key(token);
    const auto known = services_.store.transaction(protocol, key);
    std::vector<BodyPartId> ids;
    Seconds retry_after{};
    for (const auto& one : waiting) {
        ids.push_back(one.request->id);
        retry_after = std::max(retry_after, one.retry_after);
    }
    if (!known) return reply.fail(std::move(ids), Failure::of(known.error()));
    if (!*known) {
        const auto* profile = services_.authority.profile(endpoint_.config.profile);
        work_.writes.emplace_back(store::PutTransaction{
            {std::string{protocol}, key, 0, to_vec(writer.bytes()), now_ + profile->approval_expires + after_approval}});
    }
    reply.pend(std::move(ids), {to_vec(token), now_ + retry_after});
}

void Processor::process_query(const Layer& layer, BodyPartId id, const QueryPending& query, Reply& reply) {
    reply.need_full();
    const auto unknown = [&] {
        reply.fail(id, {FailInfo::bad_request, "queryPending: nothing waits under this token", Code::not_found});
    };
    const auto record = services_.store.transaction(protocol, pending_key(query.octets));
    if (!record) return reply.fail(id, Failure::of(record.error()));
    if (!*record) return unknown();
    const auto kept = parse_kept((*record)->state);
    const auto& principal = principal_for(layer);
    // The same answer for what is not there and what is somebody else's (bug class 7).
    if (!kept || principal.anonymous() || kept->who != principal.describe()) return unknown();
    std::vector<BodyPartId> still;
    Seconds retry_after{};
    for (const auto& one : kept->requests) {
        const auto outcome = [&]() -> Checked<authority::Outcome> {
            bool unproven = false;
            auto request = one.request.kind == TaggedRequest::Kind::tcr ? read_pkcs10(layer, one.request, unproven)
                                                                        : read_crmf(layer, one.request, unproven);
            if (!request) return tl::unexpected(std::move(request).error());
            auto parts = request->parts();
            parts.possession = one.possession;  // shown when the request came
            const auto made = x509::CertificationRequest::make(std::move(parts));
            if (!made) return tl::unexpected(Failure::of(made.error()));
            const auto changes = modifications(one.changes);
            const auto changed = modified(*made, changes);
            if (!changed) return tl::unexpected(Failure::of(changed.error()));
            return enroll(*changed, principal, one.verb);
        }();
        if (!outcome) {
            reply.fail(one.request.id, outcome.error());
        } else if (const auto* done = std::get_if<authority::Issued>(&*outcome)) {
            issued(*done, one.request.id, reply);
        } else {
            still.push_back(one.request.id);
            retry_after = std::max(retry_after, std::get<authority::Pending>(*outcome).retry_after);
        }
    }
    if (!still.empty()) reply.pend(std::move(still), {query.octets, now_ + retry_after});
}

}  // namespace estuary::cmc
