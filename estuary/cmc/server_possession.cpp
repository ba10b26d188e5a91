// Possession of keys that have not signed (RFC 10002 6.7, 6.8): vouched for by a registration authority, or shown by decrypting a
// challenge.
#include <algorithm>

#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {

using x509::Possession;

/// "RSA gets ktri, EC and X25519 kari, ML-KEM an ori"; keys that only sign get nothing that they could open.
bool can_decrypt(const crypto::PublicKey& key) {
    switch (key.kind()) {
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::ec:
        case crypto::KeyKind::ml_kem:
        case crypto::KeyKind::other: return true;  // others: X25519, X448; the builder refuses the rest
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa: break;
    }
    return false;
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.7
//# If the certification request contains a Subject Key Identifier (SKI) extension, then the recipient identifier SHOULD be the
//# SKI. If the issuerAndSerialNumber form is used, the IssuerName MUST be encoded as NULL and the SerialNumber as the bodyPartID
// of # the certification request.
cms::Identifier recipient_of(const x509::CertificationRequest& request, BodyPartId id) {
    if (const auto* extension = x509::find(request.extensions(), x509::oid::subject_key_identifier))
        if (const auto identifier = x509::parse_subject_key_identifier(extension->value))
            return cms::Identifier::by_key(*identifier);
    return pop_recipient(id);
}

bool covers(const LraPopWitness& witness, BodyPartId request) {
    return std::ranges::find(witness.requests, request) != witness.requests.end();
}

bool is_witnessed_here(const Layer& layer, BodyPartId request) {
    const auto own = layer.all<LraPopWitness>();
    if (std::ranges::any_of(
            own, [&](const auto& one) { return one.second->pki_data == this_message && covers(*one.second, request); }))
        return true;
    return std::ranges::any_of(layer.assertions, [&](const Assertion& assertion) {
        const auto* witness = std::get_if<LraPopWitness>(assertion.control);
        return witness != nullptr && assertion.rest.empty() && covers(*witness, request);
    });
}

}  // namespace

store::RequestKey Processor::challenge_key(const Layer& layer, const TaggedRequest& request) const {
    const auto who = principal_for(layer).describe();
    return record_key("challenge", endpoint_.config.label, {as_bytes(who), request.encode()});
}

/// Sets what the possession rests on; or why it is none; or leaves the request unproven.
void Processor::prove_possession(const Layer& layer, Candidate& candidate) {
    const auto id = candidate.tagged->id;
    const auto proven = [&](Possession by) {
        auto parts = candidate.request->parts();
        parts.possession = by;
        auto request = x509::CertificationRequest::make(std::move(parts));
        if (!request) {
            candidate.failure = Failure::of(request.error());
            return;
        }
        candidate.request = std::move(*request);
        candidate.unproven = false;
    };
    if (is_witnessed_here(layer, id)) {
        //= https://www.rfc-editor.org/rfc/rfc5272#section-6.8
        //# If a certification server does not allow an RA to do the POP verification, it returns a CMCFailInfo with the value of
        //# popFailed. The CA MUST NOT start a challenge-response to re-verify the POP itself.
        if (!endpoint_.config.ra_may_prove_possession) {
            candidate.failure = pop_failed("registration authorities do not vouch for the possession of keys here");
            return;
        }
        return proven(Possession::registration_authority);
    }
    const auto answers = layer.all<DecryptedPop>();
    const auto answer = std::ranges::find_if(answers, [&](const auto& one) { return one.second->request == id; });
    if (answer == answers.end()) return;
    const auto record = services_.store.transaction(protocol, challenge_key(layer, *candidate.tagged));
    if (!record) {
        candidate.failure = Failure::of(record.error());
        return;
    }
    if (!*record || now_ >= (*record)->expires_at) return;  // too late, or another request: a new challenge
    const crypto::Secret value{Bytes{(*record)->state}};
    if (const auto verified = verify_pop(*answer->second, value, *candidate.tagged, endpoint_.config.witnesses); !verified) {
        candidate.failure = verified.error().code == Code::bad_proof
                                ? pop_failed("decryptedPOP: this is not the answer to the challenge")
                                : Failure::of(verified.error());
        return;
    }
    proven(Possession::decryption);
}

/// The same challenge as long as it lives: a repeated request must not spoil the answer that is under way.
Result<EncryptedPop> Processor::challenge(const Layer& layer, const Candidate& candidate) {
    if (!endpoint_.config.challenge_possession || !can_decrypt(candidate.request->public_key()))
        return fail(Code::bad_proof, "the request must be signed with its own key");
    const auto key = challenge_key(layer, *candidate.tagged);
    ESTUARY_TRY(const auto record, services_.store.transaction(protocol, key));
    crypto::Secret value;
    if (record && now_ < record->expires_at) {
        value = crypto::Secret{Bytes{record->state}};
    } else {
        ByteVec octets(proof_value_octets);
        services_.entropy.fill(octets);
        value = crypto::Secret{std::move(octets)};
        work_.writes.emplace_back(store::PutTransaction{{std::string{protocol}, key, record ? record->revision : 0,
                                                         to_vec(value.reveal()), now_ + services_.config.challenge_lifetime}});
    }
    ESTUARY_TRY(auto algorithms, pop_algorithms());
    EncryptedPop control{*candidate.tagged, {}, std::move(algorithms.pop), std::move(algorithms.witness), {}};
    ESTUARY_TRY(control.cms,
                cms::EnvelopedDataBuilder(cms::oid::data, value.reveal())
                    .recipient(candidate.request->public_key(), recipient_of(*candidate.request, candidate.tagged->id))
                    .build());
    ESTUARY_TRY(control.witness, proof_value_witness(control.witness_algorithm, value, endpoint_.config.witnesses));
    return control;
}

}  // namespace estuary::cmc
