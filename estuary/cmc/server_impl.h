#pragma once
// The parts of cmc::Server; used inside this room only.
#include <map>

#include "estuary/cmc/modification.h"
#include "estuary/cmc/reply.h"
#include "estuary/cmc/server.h"

// A message is read from the outside in: unwrapped (protection.h), read and identified layer by layer, processed, answered.

namespace estuary::cmc {

/// Whose the transactions on record and the shared secrets are.
inline constexpr std::string_view protocol = "cmc";

/// A step's value, or what the peer is told.
template <class T>
using Checked = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> refuse(FailInfo info, Code code, std::string text,
                                                    std::vector<BodyPartId> parts = {}, std::string cause = {}) {
    return tl::unexpected(Failure{info, std::move(text), code, std::move(parts), std::move(cause)});
}

/// popFailed: the possession of a key is not shown.
[[nodiscard]] inline Failure pop_failed(std::string text) { return {FailInfo::pop_failed, std::move(text), Code::bad_proof, {}, {}}; }

struct EndpointState {
    Endpoint config;
    std::string ca;
    std::optional<PublishTrustAnchors> anchors;  ///< what full answers say of them
    std::vector<x509::Certificate> anchor_certificates;
};

/// Whether what the transport proved counts: an operator's order on the data directory itself always does.
bool may_vouch(const Endpoint& endpoint, const Transport& transport);

/// What all messages share.
struct Services {
    const ServerConfig& config;
    authority::Authority& authority;
    store::Store& store;
    const Clock& clock;
    crypto::Entropy& entropy;
};

/// Who sent a PKIData, and what that covers.
struct Identity {
    authority::Principal principal;
    std::optional<x509::Certificate> signer;  ///< the certificate that it was signed with
    std::optional<crypto::Secret> secret;     ///< the credential's, for POP links
    /// The sender vouches for the controls as well: an identity proof alone covers only the requests (6.2.1).
    bool covers_controls = false;

};

/// What a layer around says of this one: `rest` is the way from here, empty for this PKIData itself.
struct Assertion {
    BodyPartPath rest;
    const Control* control = nullptr;
    const Identity* by = nullptr;  ///< a registration authority that counts at this endpoint
};

/// A PKIData whose protection was checked.
struct Layer {
    PkiData data;
    std::vector<std::optional<Control>> controls;  ///< beside data.controls; nothing: not readable, and the message refused
    Identity identity;
    std::vector<Assertion> assertions;  ///< from around, the nearest layer's first
    unsigned depth = 0;

    const Control* control(BodyPartId id) const;
    /// The only control of that kind; read_layer() has seen to that. Null if there is none.
    template <class Value>
    const Value* find() const {
        for (const auto& control : controls)
            if (control && std::holds_alternative<Value>(*control)) return &std::get<Value>(*control);
        return nullptr;
    }
    /// All controls of that kind, with their numbers.
    template <class Value>
    std::vector<std::pair<BodyPartId, const Value*>> all() const {
        std::vector<std::pair<BodyPartId, const Value*>> found;
        for (std::size_t i = 0; i < controls.size(); ++i)
            if (controls[i] && std::holds_alternative<Value>(*controls[i]))
                found.emplace_back(data.controls[i].id, &std::get<Value>(*controls[i]));
        return found;
    }
    std::vector<BodyPartId> request_ids() const;
};

/// A certification request on its way to the authority.
struct Candidate {
    const TaggedRequest* tagged = nullptr;
    std::optional<x509::CertificationRequest> request;
    std::optional<Failure> failure;
    bool unproven = false;  ///< its possession has still to be shown by decryption
};

/// One message: from its octets to the answer. Made for each, used once.
class Processor {
public:
    Processor(const Services& services, const EndpointState& endpoint, const Transport& transport, const Responder& responder,
              store::UnitOfWork& work);

    Result<Answer> serve(Bytes message, bool simple_allowed);

private:
    // server.cpp
    Result<Answer> serve_simple(Bytes der);
    Result<Answer> serve_full(Bytes message);
    /// Everything in a layer but the layer around it: reads, identifies, processes. `nested`: within a batch.
    Result<ByteVec> serve_nested(Bytes content_info, std::vector<Assertion> assertions, unsigned depth);
    /// Unwraps and reads a layer and answers for it: `handle` does what is asked for.
    Checked<Unwrapped> open(Bytes message);
    void process(const Layer& layer, Reply& reply);
    void echo(const Layer& layer, Reply& reply);
    Result<Answer> finish(const Reply& reply, const Identity* identity, bool encrypted);
    void log_failure(const Failure& failure) const;
    /// Why read_layer() refuses: told, and the controls of the message echoed, unless that would tell what an envelope hides.
    void refuse_layer(const Unwrapped& message, const Layer& layer, Failure failure, Reply& reply);
    void take_as_long_as_verifying() const;

    // server_transaction.cpp
    struct Transaction {
        store::RequestKey key{};
        std::int64_t revision = 0;
        crypto::Sha256 message{};
        std::optional<Answer> former;  ///< what the very same message was answered
    };
    /// Nothing: the message is of no transaction, or nobody is known to have one.
    Result<std::optional<Transaction>> begin_transaction(const Layer& layer, Bytes message, Reply& reply);
    void end_transaction(const Transaction& transaction, const Reply& reply, const Answer& answer);

    // server_layer.cpp
    Checked<void> read_layer(const Unwrapped& message, Layer& layer);
    Checked<void> read_controls(Layer& layer);
    Checked<void> check_places(const Layer& layer);
    bool is_processed(const Layer& layer, BodyPartId control) const;
    Checked<void> check_assertions(const Layer& layer);

    // server_identity.cpp
    Checked<Identity> identify(const Unwrapped& message, const Layer& layer);
    Checked<void> check_signer(const cms::SignedData& data, const cms::SignerInfo& signer, const crypto::PublicKey& key);
    std::optional<x509::Certificate> certificate_of(const cms::SignedData& data, const cms::SignerInfo& signer);
    Checked<authority::CertificateProof> accept_signer(const x509::Certificate& certificate, const cms::SignedData& data);
    Checked<void> prove_by_secret(const Layer& layer, Identity& identity);
    bool is_witnessed(const Layer& layer, BodyPartId control) const;

    // server_requests.cpp
    void process_requests(const Layer& layer, Reply& reply);
    /// Challenges what has still to prove possession; true if there was any, and nothing else is to be done then.
    bool refuse_unproven(const Layer& layer, const std::vector<Candidate>& candidates, Reply& reply);
    Candidate read_candidate(const Layer& layer, const TaggedRequest& tagged);
    Checked<x509::CertificationRequest> read_pkcs10(const Layer& layer, const TaggedRequest& tagged, bool& unproven);
    Checked<x509::CertificationRequest> read_crmf(const Layer& layer, const TaggedRequest& tagged, bool& unproven);
    Checked<void> check_pop_link(const Layer& layer, const x509::CertificationRequest& request);
    std::vector<Modification> changes_for(const Layer& layer, BodyPartId request) const;
    const authority::Principal& principal_for(const Layer& layer) const;
    authority::Verb verb_for(const authority::Principal& principal) const;
    Checked<authority::Outcome> enroll(const x509::CertificationRequest& request, const authority::Principal& principal,
                                       authority::Verb verb, authority::Linking linking = authority::Linking::absent);
    /// The link to the session that carried the outermost message; others came another way before.
    Checked<authority::Linking> linking_of(const Layer& layer, const x509::CertificationRequest& request) const;
    void issued(const authority::Issued& issued, BodyPartId part, Reply& reply);
    bool asks_for_unknown_extension(const x509::CertificationRequest& request) const;

    // server_possession.cpp
    void prove_possession(const Layer& layer, Candidate& candidate);
    Result<EncryptedPop> challenge(const Layer& layer, const Candidate& candidate);
    store::RequestKey challenge_key(const Layer& layer, const TaggedRequest& request) const;

    // server_pending.cpp
    struct Waiting {
        const TaggedRequest* request = nullptr;
        x509::Possession possession{};
        authority::Verb verb{};
        std::vector<Modification> changes;
        Seconds retry_after{};
    };
    void wait_for(const Layer& layer, const std::vector<Waiting>& waiting, Reply& reply);
    void process_query(const Layer& layer, BodyPartId id, const QueryPending& query, Reply& reply);
    store::RequestKey pending_key(Bytes token) const;

    // server_controls.cpp
    void process_controls(const Layer& layer, Reply& reply);
    void process_revocation(const Layer& layer, BodyPartId id, const RevokeRequest& request, Reply& reply);
    void process_confirmation(const Layer& layer, BodyPartId id, const ConfirmCertAcceptance& control, Reply& reply);
    void process_get_cert(const Layer& layer, BodyPartId id, const GetCert& request, Reply& reply);
    void process_get_crl(BodyPartId id, const GetCrl& request, Reply& reply);
    void process_nested(const Layer& layer, Reply& reply);
    std::optional<authority::Principal> who_may_revoke(const Layer& layer, const RevokeRequest& request);
    bool is_own_ca(const x509::Name& issuer) const;
    std::vector<Bytes> way_up() const;
    void add_issued(Bytes certificate, Reply& reply);

    const Services& services_;
    const EndpointState& endpoint_;
    const Transport& transport_;
    const Responder& responder_;
    store::UnitOfWork& work_;
    const Time now_;
    ByteVec server_nonce_;         // of the outermost answer
    bool signature_holds_ = false;  // one inside of the message that is being read
};

/// What is kept of a transaction: the last message, and what it was answered.
struct TransactionState {
    crypto::Sha256 message{};
    ByteVec server_nonce;          ///< empty: none was sent
    std::optional<Answer> answer;  ///< nothing: to be made again

    static Result<TransactionState> parse(Bytes der);
    ByteVec encode() const;
};

/// The certification requests that an assertion is about; null for controls that are about something else.
const std::vector<BodyPartId>* requests_of(const Control& control);

/// A key of the store's: one for each kind, label and run of octets.
store::RequestKey record_key(std::string_view kind, std::string_view label, std::initializer_list<Bytes> parts);

}  // namespace estuary::cmc
