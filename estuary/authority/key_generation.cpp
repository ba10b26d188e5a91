#include "estuary/authority/key_generation.h"

#include <bit>

#include <fmt/format.h>

#include "estuary/authority/impl.h"
#include "estuary/authority/key_archive.h"
#include "estuary/authority/serial.h"
#include "estuary/base/encoding.h"

namespace estuary::authority {
namespace {

using crypto::KeyKind;
using crypto::KeyType;

/// What an SPKI says of its key's algorithm.
struct KeyAlgorithm {
    der::Oid algorithm, curve;
    std::size_t modulus_bits = 0;
};

std::size_t bits_of(Bytes big_endian) {
    while (!big_endian.empty() && big_endian.front() == 0) big_endian = big_endian.subspan(1);
    if (big_endian.empty()) return 0;
    return (big_endian.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(big_endian.front()));
}

/// SubjectPublicKeyInfo, with a key in it or not. What cannot be read says nothing.
KeyAlgorithm key_algorithm_of(Bytes spki) {
    KeyAlgorithm found;
    auto outer = der::enter_only(spki, der::Tag::sequence, "SubjectPublicKeyInfo");
    if (!outer) return found;
    auto identifier = outer->enter(der::Tag::sequence);
    if (!identifier) return found;
    found.algorithm = identifier->oid().value_or(der::Oid{});
    if (identifier->next_is(der::Tag::oid)) found.curve = identifier->oid().value_or(der::Oid{});
    const auto octets = outer->bit_string_octets();
    if (!octets) return found;
    auto modulus = der::enter_only(*octets, der::Tag::sequence, "RSAPublicKey");
    if (!modulus) return found;
    if (const auto value = modulus->integer_octets()) found.modulus_bits = bits_of(*value);
    return found;
}

bool is_better(const KeyType& candidate, const KeyType* best, const KeyAlgorithm& wanted) {
    if (candidate.algorithm != wanted.algorithm) return false;
    if (candidate.kind != KeyKind::rsa) return best == nullptr && (wanted.curve.empty() || candidate.parameters == wanted.curve);
    return candidate.bits >= wanted.modulus_bits && (best == nullptr || candidate.bits < best->bits);
}

constexpr std::string_view operation_name = "serverkeygen";

}  // namespace

std::string choose_key_type(Bytes spki, const std::vector<std::string>& types) {
    const auto wanted = key_algorithm_of(spki);
    const KeyType* best = nullptr;
    for (const auto& name : types)
        if (const auto type = crypto::key_type(name); type && is_better(**type, best, wanted)) best = *type;
    return best != nullptr ? best->name : types.empty() ? std::string{} : types.front();
}

Result<KeyOutcome> Authority::enroll_with_new_key(const KeyRequest& request, store::UnitOfWork& work) {
    const auto who = request.principal.describe();
    store::UnitOfWork own;
    auto outcome = impl_->try_new_key(request, who, own);
    if (outcome) {
        std::ranges::move(own.writes, std::back_inserter(work.writes));
        std::ranges::move(own.leases, std::back_inserter(work.leases));
    } else if (is_refusal(outcome.error().code)) {
        impl_->audit(work, "request.refused", who, request.request.subject.to_text(),
                     std::string{estuary::to_string(outcome.error().code)},
                     fmt::format("{} profile={} label={} address={}: {}", operation_name, request.profile, request.label,
                                 request.principal.address, outcome.error().detail));
    }
    return outcome;
}

/// A request is never answered twice with the same key, for nobody has it any more: the same octets again are another request
/// with another key, while there are uses left; only what waits for a person is known again.
Result<KeyOutcome> Authority::Impl::try_new_key(const KeyRequest& request, const std::string& who, store::UnitOfWork& work) {
    ESTUARY_TRY(const auto* const rules, this->rules(request.profile));
    if (request.principal.anonymous())
        return fail(Code::not_authenticated, "this needs a name and password or a client certificate");
    const auto now = clock.now();
    const auto key = request_key({operation_name, request.profile, request.label, who, request.request.der, request.transaction_id});
    auto lease = claims.request(key);
    if (!lease) return fail(Error{Code::too_busy, "the same request is under way", {}, 1});
    work.leases.push_back(std::move(lease));
    ESTUARY_CHECK(still_good(request.principal));

    const bool spent = is_spent(request.principal);
    std::optional<store::PendingRequest> pending;
    if (rules->profile.manual_approval || spent) {
        ESTUARY_TRY(pending, store.pending_request(key));
    }
    if (pending) {
        if (pending->state == store::PendingRequest::State::issued)
            return fail(Code::not_authorised, "this request was answered, and its key is not kept: make a new request");
        ESTUARY_TRY(const auto waits, still_waits(rules->profile, *pending, now));
        if (waits) {
            work.leases.clear();
            return *waits;
        }
    } else if (spent) {
        return fail(Code::not_authenticated, "this credential has been used up");
    }

    ESTUARY_TRY(auto prepared, prepare_key(*rules, request, pending.has_value()));
    if (auto good = policy.check(*rules, prepared.request, now); !good) {
        keys->give_back(std::move(prepared.key));
        return fail(std::move(good).error());
    }
    if (rules->profile.manual_approval && !pending) {
        keys->give_back(std::move(prepared.key));
        ESTUARY_TRY(const auto waits, ask_for_approval(*rules, prepared.request, key, who, work, now));
        return std::get<Pending>(waits);
    }
    const bool above = rules->issuer->config->upstream != nullptr;
    store::UnitOfWork opening;
    if (!pending) ESTUARY_CHECK(spend(request.principal, above ? opening : work, now));
    // All that can fail for the key's sake comes before the signature.
    std::optional<store::ArchivedKey> archived;
    if (rules->profile.archive_keys) {
        ESTUARY_TRY(archived, archive_key(prepared.key, config.recovery_agents, now));
    }
    if (request.deliver) ESTUARY_CHECK(request.deliver(prepared.key));
    const auto certify = [&]() -> Result<x509::Certificate> {
        if (!above) return issue(*rules, prepared.request, who, std::nullopt, work, now);
        // The key is not kept, so it names the request: nobody can come back for its certificate.
        ESTUARY_TRY(auto outcome, ask_upstream({*rules, prepared.request, who, crypto::sha256(prepared.request.request.spki()), false, {}},
                                               std::move(opening), now));
        if (auto* issued = std::get_if<Issued>(&outcome)) return std::move(issued->certificate);
        return fail(Code::unavailable, "the CA above takes its time, and keys that are made here do not wait");
    };
    ESTUARY_TRY(auto certificate, certify());
    audit(work, "key.generated", who,
          fmt::format("{}/{}", rules->profile.ca, to_hex(without_leading_zeros(certificate.serial_number()))), "ok",
          fmt::format("type={} archived={}", prepared.key.public_key().type_name(), archived ? "yes" : "no"));
    if (archived) work.writes.emplace_back(store::ArchiveKey{std::move(*archived)});
    if (pending) work.writes.emplace_back(store::CompleteRequest{key});
    return NewKey{std::move(certificate), rules->profile.ca, std::move(prepared.key)};
}

/// The key, and the request as policy knows it. `accepted`: the link to the TLS session was checked when a person was asked.
Result<Authority::Impl::Prepared> Authority::Impl::prepare_key(const Rules& rules, const KeyRequest& request, bool accepted) {
    ESTUARY_TRY(auto key, keys->take(choose_key_type(request.request.spki, rules.generated_key_types)));
    auto parts = request.request;
    parts.spki = to_vec(key.public_key().spki());
    parts.possession = x509::Possession::generated_here;
    auto made = x509::CertificationRequest::make(std::move(parts));
    if (!made) {
        keys->give_back(std::move(key));
        return fail(std::move(made).error());
    }
    EnrollRequest wanted{request.verb, request.profile, request.label, std::move(*made), request.principal,
                         accepted ? Linking::matched : request.linking, request.linking_required, request.confirm_within,
                         request.transaction_id};
    return Prepared{std::move(key), std::move(wanted)};
}

}  // namespace estuary::authority
