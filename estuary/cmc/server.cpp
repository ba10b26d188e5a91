#include "estuary/cmc/server.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {

Result<ByteVec> encode_answer(const PkiResponse& response, const MessageSigner& signer, const Reply& reply) {
    return sign(oid::pki_response, response.encode(), &signer, reply.certificates(), {reply.crls().begin(), reply.crls().end()});
}

/// Where the message as a whole is wrong (3.2.1.3.3, 3.2.1.3.4): bad_proof here is an envelope that does not open.
Failure message_failure(const Error& error) {
    return Failure::of(error, error.code == Code::bad_proof ? FailInfo::bad_message_check : fail_info_of(error.code));
}

}  // namespace

Processor::Processor(const Services& services, const EndpointState& endpoint, const Transport& transport,
                     const Responder& responder, store::UnitOfWork& work)
    : services_{services},
      endpoint_{endpoint},
      transport_{transport},
      responder_{responder},
      work_{work},
      now_{services.clock.now()} {}

Result<Answer> Processor::serve(Bytes message, bool simple_allowed) {
    if (message.size() > services_.config.limits.bytes_max) {
        Reply reply;
        reply.fail({FailInfo::bad_request, "the message is too large", Code::too_large});
        return finish(reply, nullptr, false);
    }
    return simple_allowed && is_simple_request(message) ? serve_simple(message) : serve_full(message);
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-3.1
//# The Simple PKI Request MUST NOT be used if a proof-of-identity needs to be included.
/// So only the transport can have proved who asks. An error names body part 1 (6.1.1).
Result<Answer> Processor::serve_simple(Bytes der) {
    Layer layer;
    layer.data.requests.push_back(TaggedRequest::pkcs10(1, der));
    if (may_vouch(endpoint_.config, transport_)) layer.identity.principal = transport_.principal;
    layer.identity.principal.address = transport_.principal.address;
    Reply reply;
    process_requests(layer, reply);
    return finish(reply, nullptr, false);
}

Checked<Unwrapped> Processor::open(Bytes message) {
    const cms::KeyHolder own{responder_.key, responder_.certificate};
    auto unwrapped = unwrap(message, {own}, services_.config.limits);
    if (unwrapped) return std::move(*unwrapped);
    auto failure = message_failure(unwrapped.error());
    log_failure(failure);
    if (unwrapped.error().code == Code::bad_proof) take_as_long_as_verifying();
    return tl::unexpected(std::move(failure));
}

Result<Answer> Processor::serve_full(Bytes message) {
    Reply reply;
    const auto unwrapped = open(message);
    if (!unwrapped) {
        reply.fail(unwrapped.error());
        return finish(reply, nullptr, false);
    }
    Layer layer;
    if (auto read = read_layer(*unwrapped, layer); !read) {
        refuse_layer(*unwrapped, layer, std::move(read).error(), reply);
        return finish(reply, nullptr, unwrapped->encrypted);
    }
    echo(layer, reply);
    ESTUARY_TRY(const auto transaction, begin_transaction(layer, message, reply));
    if (transaction && transaction->former) return *transaction->former;
    if (reply.rejected()) return finish(reply, &layer.identity, unwrapped->encrypted);
    process(layer, reply);
    ESTUARY_TRY(auto answer, finish(reply, &layer.identity, unwrapped->encrypted));
    if (transaction) end_transaction(*transaction, reply, answer);
    return answer;
}

/// A member of a batch has an answer of its own, and its errors stay with it (6.17).
Result<ByteVec> Processor::serve_nested(Bytes content_info, std::vector<Assertion> assertions, unsigned depth) {
    Reply reply;
    Layer layer;
    layer.assertions = std::move(assertions);
    layer.depth = depth;
    const auto unwrapped = open(content_info);
    if (!unwrapped) {
        reply.fail(unwrapped.error());
    } else if (auto read = read_layer(*unwrapped, layer); !read) {
        refuse_layer(*unwrapped, layer, std::move(read).error(), reply);
    } else {
        echo(layer, reply);
        process(layer, reply);
    }
    ESTUARY_TRY(auto answer, finish(reply, &layer.identity, unwrapped && unwrapped->encrypted));
    return std::move(answer.der);
}

/// First what is asked for, then what it may do to what was there before, then what is only read (6.18: publication last).
void Processor::process(const Layer& layer, Reply& reply) {
    process_requests(layer, reply);
    process_nested(layer, reply);
    process_controls(layer, reply);
    if (!endpoint_.anchors || reply.is_simple()) return;
    reply.add(*endpoint_.anchors);
    for (const auto& anchor : endpoint_.anchor_certificates) reply.add_certificate_once(anchor.der());
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.6
//# If a message includes a Sender Nonce control, the response MUST include the transmitted value of the previously received
//# Sender Nonce control as a Recipient Nonce control and include a new value as its Sender Nonce control.
void Processor::echo(const Layer& layer, Reply& reply) {
    if (const auto* transaction = layer.find<TransactionId>()) reply.add(*transaction);
    for (const auto& [id, data] : layer.all<DataReturn>()) reply.add(*data);
    const auto* nonce = layer.find<SenderNonce>();
    if (nonce == nullptr) return;
    SenderNonce own{ByteVec(nonce_octets)};
    services_.entropy.fill(own.octets);
    reply.add(RecipientNonce{nonce->octets});
    reply.add(own);
    if (layer.depth == 0) server_nonce_ = own.octets;
}

Result<Answer> Processor::finish(const Reply& reply, const Identity* identity, bool encrypted) {
    Answer answer;
    answer.rejected = reply.rejected();
    if (reply.is_simple()) {
        answer.form = Answer::Form::simple;
        cms::SignedDataBuilder bag;
        for (const auto certificate : reply.certificates()) bag.certificate(certificate);
        for (const auto& crl : reply.crls()) bag.crl(crl);
        ESTUARY_TRY(answer.der, bag.build());
    } else {
        cms::Signer signer{responder_.key, cms::Identifier::by_issuer(responder_.certificate)};
        signer.signed_attributes.push_back(cms::signing_time_attribute(now_));
        auto certificates = way_up();  // not everybody has an intermediate CA's certificate at hand
        certificates.insert(certificates.begin(), responder_.certificate.der());
        const MessageSigner with{std::move(signer), std::move(certificates)};
        ESTUARY_TRY(answer.der, encode_answer(reply.response(), with, reply));
    }
    // Confidential, as the request was: for whom signed it, if its key can receive (RFC 10002 5).
    if (encrypted && identity != nullptr && identity->signer) {
        auto sealed = encrypt(answer.der, {*identity->signer});
        if (sealed) answer.der = std::move(*sealed);
    }
    return answer;
}

/// CBC lets others change what is inside of an envelope: before a signature in there holds, whatever is wrong with it is told
/// like a failure to decrypt, and takes as long (bug class 17).
void Processor::refuse_layer(const Unwrapped& message, const Layer& layer, Failure failure, Reply& reply) {
    if (!message.encrypted || signature_holds_) {
        log_failure(failure);
        reply.fail(failure);
        return echo(layer, reply);
    }
    if (failure.info != FailInfo::bad_message_check) take_as_long_as_verifying();
    failure = message_failure(not_decrypted(failure.text + " " + failure.cause).value());
    log_failure(failure);
    reply.fail(failure);
}

void Processor::take_as_long_as_verifying() const {
    const auto& certificate = responder_.certificate;
    if (const auto key = certificate.public_key()) static_cast<void>(certificate.verify_signed_by(*key));
}

void Processor::log_failure(const Failure& failure) const {
    log::info("cmc message refused", {{"label", endpoint_.config.label},
                                      {"address", transport_.principal.address},
                                      {"failInfo", to_string(failure.info)},
                                      {"detail", failure.text},
                                      {"cause", failure.cause}});
}

// -- the server itself ---------------------------------------------------------------------------------------------------

class Server::Impl {
public:
    Impl(ServerConfig config, authority::Authority& authority, store::Store& store, const Clock& clock, crypto::Entropy& entropy)
        : config_{std::move(config)}, services_{config_, authority, store, clock, entropy} {}

    Result<void> prepare() {
        for (const auto& endpoint : config_.endpoints) {
            if (!endpoint.enabled) continue;
            const auto* profile = services_.authority.profile(endpoint.profile);
            if (profile == nullptr)
                return fail(Code::policy,
                            fmt::format("cmc label '{}': there is no profile '{}'", endpoint.label, endpoint.profile));
            EndpointState state{endpoint, profile->ca, {}, {}};
            if (state.config.ra_labels.empty()) state.config.ra_labels = {endpoint.label};
            if (endpoint.publish_trust_anchors) ESTUARY_CHECK(find_anchors(state));
            if (!endpoints_.emplace(endpoint.label, std::move(state)).second)
                return fail(Code::policy, fmt::format("cmc label '{}' occurs twice", endpoint.label));
        }
        return {};
    }

    bool has(std::string_view label) const noexcept { return endpoints_.contains(label); }

    Result<Answer> serve(std::string_view label, Bytes message, const Transport& transport, bool simple_allowed,
                         store::UnitOfWork& work) {
        const auto found = endpoints_.find(label);
        if (found == endpoints_.end()) return fail(Code::not_found, "CMC is not offered here");
        const auto responder = config_.responder ? config_.responder(found->second.ca) : nullptr;
        if (!responder)
            return fail(Code::unavailable, "this CA has nobody to sign its answers now",
                        "no CMC responder for CA " + found->second.ca);
        // Into a unit of its own first: what a faulty message had begun to write never reaches the caller's.
        store::UnitOfWork own;
        Processor processor{services_, found->second, transport, *responder, own};
        auto answer = processor.serve(message, simple_allowed);
        if (answer) {
            std::ranges::move(own.writes, std::back_inserter(work.writes));
            std::ranges::move(own.leases, std::back_inserter(work.leases));
        }
        return answer;
    }

private:
    /// The CA's trust anchors of today (6.15). A later set has a larger number, for a new anchor begins later than those before.
    Result<void> find_anchors(EndpointState& state) {
        ESTUARY_TRY(const auto certificates, services_.authority.ca_certificates(state.ca));
        PublishTrustAnchors control{0, cms::make_algorithm(cms::oid::sha256), {}};
        for (const auto& certificate : certificates) {
            const auto key = certificate.public_key();
            if (!certificate.is_self_issued() || !key || !certificate.verify_signed_by(*key)) continue;
            const auto hash = crypto::sha256(certificate.der());
            control.anchor_hashes.emplace_back(hash.begin(), hash.end());
            control.sequence_number =
                std::max<std::int64_t>(control.sequence_number, certificate.not_before().time_since_epoch().count());
            state.anchor_certificates.push_back(certificate);
        }
        state.anchors = std::move(control);
        return {};
    }

    ServerConfig config_;
    Services services_;
    std::map<std::string, EndpointState, std::less<>> endpoints_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(ServerConfig config, authority::Authority& authority, store::Store& store,
                                               const Clock& clock, crypto::Entropy& entropy) {
    auto impl = std::make_unique<Impl>(std::move(config), authority, store, clock, entropy);
    ESTUARY_CHECK(impl->prepare());
    return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

bool Server::has(std::string_view label) const noexcept { return impl_->has(label); }

Result<Answer> Server::serve(std::string_view label, Bytes message, const Transport& transport, store::UnitOfWork& work) {
    return impl_->serve(label, message, transport, true, work);
}

Result<Answer> Server::serve_full(std::string_view label, Bytes message, const Transport& transport, store::UnitOfWork& work) {
    return impl_->serve(label, message, transport, false, work);
}

}  // namespace estuary::cmc
