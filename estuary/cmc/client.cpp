#include "estuary/cmc/client.h"

#include <algorithm>

namespace estuary::cmc {
namespace {

constexpr std::size_t transaction_octets = 16;

ByteVec random_octets(crypto::Entropy& entropy, std::size_t count) {
    ByteVec octets(count);
    entropy.fill(octets);
    return octets;
}

bool signs(const CertificateWish& wish) { return !wish.decrypts_only && wish.key.signature_algorithm().has_value(); }

/// Its subjectKeyIdentifier: what a signer by the request's key is named by (3.2).
ByteVec key_identifier(Bytes spki) {
    const auto digest = crypto::sha256(spki);
    return {digest.begin(), digest.begin() + 20};
}

std::vector<x509::Extension> with_key_identifier(std::vector<x509::Extension> extensions, Bytes spki) {
    if (x509::find(extensions, x509::oid::subject_key_identifier) == nullptr)
        extensions.push_back(x509::make_subject_key_identifier(key_identifier(spki)));
    return extensions;
}

BodyPartId next_id(const PkiData& data) {
    BodyPartId next = 0;
    for (const auto& one : data.controls) next = std::max(next, one.id);
    for (const auto& one : data.requests) next = std::max(next, one.id);
    for (const auto& one : data.contents) next = std::max(next, one.id);
    return next + 1;
}

template <class Value>
void add(PkiData& data, const Value& value) {
    data.controls.push_back(make_control(next_id(data), value));
}

x509::crmf::Control crmf_control(const x509::Attribute& attribute) { return {attribute.type, attribute.values.front()}; }

Result<ByteVec> crmf_request(const CertificateWish& wish, BodyPartId id, std::vector<x509::Extension> extensions,
                             const std::vector<x509::Attribute>& attributes) {
    x509::crmf::WantedRequest wanted;
    wanted.request.cert_req_id = id;
    wanted.request.cert_template.subject = wish.subject;
    wanted.request.cert_template.extensions = std::move(extensions);
    for (const auto& attribute : attributes) wanted.request.controls.push_back(crmf_control(attribute));
    if (!signs(wish)) wanted.subsequent_message = x509::crmf::SubsequentMessage::challenge_resp;
    return x509::crmf::make_cert_req_msg(wanted, wish.key);
}

}  // namespace

Client::Client(ClientConfig config, const Clock& clock, crypto::Entropy& entropy)
    : config_{std::move(config)}, clock_{clock}, entropy_{entropy}, transaction_id_{random_octets(entropy, transaction_octets)} {
    transaction_id_[0] = 0x01;  // an INTEGER, positive, and without octets to spare
}

Result<ByteVec> Client::simple(const CertificateWish& wish) {
    x509::RequestTemplate wanted{wish.subject, wish.extensions, {}};
    if (wish.new_names) wanted.attributes.push_back(x509::make_change_subject_name(*wish.new_names));
    return x509::make_request(wanted, wish.key);
}

Result<TaggedRequest> Client::request_for(const CertificateWish& wish, BodyPartId id, Bytes random) const {
    std::vector<x509::Attribute> attributes;
    if (wish.new_names) attributes.push_back(x509::make_change_subject_name(*wish.new_names));
    if (config_.secret) {
        ESTUARY_TRY(const auto witness, make_pop_link_witness(config_.secret->secret, random));
        attributes.push_back(make_request_attribute(witness));
    }
    auto extensions = with_key_identifier(wish.extensions, wish.key.public_key().spki());
    if (wish.crmf || !signs(wish)) {
        ESTUARY_TRY(const auto message, crmf_request(wish, id, std::move(extensions), attributes));
        return TaggedRequest::crmf(message);
    }
    ESTUARY_TRY(const auto request, x509::make_request({wish.subject, std::move(extensions), std::move(attributes)}, wish.key));
    return TaggedRequest::pkcs10(id, request);
}

Result<ByteVec> Client::enroll(std::vector<CertificateWish> wishes) {
    if (wishes.empty()) return fail(Code::malformed, "no certificate is asked for");
    wishes_ = std::move(wishes);
    made_.clear();
    proofs_.clear();
    const auto random = random_octets(entropy_, link_random_octets);
    PkiData data;
    for (const auto& wish : wishes_) {
        ESTUARY_TRY(auto request, request_for(wish, static_cast<BodyPartId>(made_.size() + 1), random));
        made_.push_back(std::move(request));
    }
    data.requests = made_;
    if (config_.secret) {
        const SharedSecret shared{config_.secret->secret, config_.secret->name};
        ESTUARY_TRY(const auto proof, make_identity_proof(shared, data.encode_requests()));
        add(data, Identification{config_.secret->name});
        add(data, proof);
        add(data, PopLinkRandom{random});
        proofs_ = data.controls;
    }
    return finish(std::move(data), &wishes_.front());
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.7
//# If the values do not compare or the decryption is not successful, the client MUST abort the enrollment process.
Result<ByteVec> Client::answer(const std::vector<EncryptedPop>& challenges) {
    PkiData data;
    data.requests = made_;
    data.controls = proofs_;
    for (const auto& challenge : challenges) {
        const auto mine = std::ranges::find(made_, challenge.request);
        if (mine == made_.end()) return fail(Code::bad_proof, "encryptedPOP: for a request that was not made here");
        const auto& wish = wishes_[static_cast<std::size_t>(mine - made_.begin())];
        ESTUARY_TRY(const auto envelope, cms::EnvelopedData::parse(challenge.cms));
        const cms::KeyHolder holder{wish.key, {}, key_identifier(wish.key.public_key().spki()), pop_recipient(mine->id)};
        const auto value = envelope.open(holder);
        if (!value) return fail(Code::bad_proof, "encryptedPOP: it cannot be decrypted", value.error().detail);
        ESTUARY_CHECK(check_proof_value(challenge, *value, {}));
        ESTUARY_TRY(auto pop, make_pop(challenge.pop_algorithm, *value, *mine, {}));
        add(data, DecryptedPop{mine->id, challenge.pop_algorithm, std::move(pop)});
    }
    return finish(std::move(data), &wishes_.front());
}

Result<ByteVec> Client::abort(std::string reason) {
    PkiData data;
    add(data, StatusInfoV2{Status::failed, {this_message}, std::move(reason), FailInfo::pop_failed});
    return finish(std::move(data), nullptr);
}

Result<ByteVec> Client::query(Bytes pend_token) {
    PkiData data;
    // Who has only a secret shows it again: what waits is told to nobody else.
    if (config_.secret && !config_.certificate) {
        const SharedSecret shared{config_.secret->secret, config_.secret->name};
        ESTUARY_TRY(const auto proof, make_identity_proof(shared, data.encode_requests()));
        add(data, Identification{config_.secret->name});
        add(data, proof);
    }
    add(data, QueryPending{to_vec(pend_token)});
    return finish(std::move(data), nullptr);
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-6.14
//# The client sends a Full PKI Request to the CA with an Extended CMC Status Info control accepting and a Confirm Certificate
//# Acceptance control
Result<ByteVec> Client::confirm(const x509::Certificate& certificate, bool accepted, std::string reason) {
    PkiData data;
    StatusInfoV2 status{accepted ? Status::success : Status::failed, {this_message}, {}, {}};
    if (!accepted) status.other_info = FailInfo::bad_request;
    if (!reason.empty()) status.status_string = std::move(reason);
    add(data, status);
    add(data, ConfirmCertAcceptance{certificate.issuer(), to_vec(certificate.serial_number())});
    return finish(std::move(data), nullptr);
}

Result<ByteVec> Client::revoke(const RevokeRequest& request) {
    PkiData data;
    add(data, request);
    return finish(std::move(data), nullptr);
}

Result<ByteVec> Client::get_certificate(const GetCert& request) {
    PkiData data;
    add(data, request);
    return finish(std::move(data), nullptr);
}

Result<ByteVec> Client::get_crl(const GetCrl& request) {
    PkiData data;
    add(data, request);
    return finish(std::move(data), nullptr);
}

Result<ByteVec> Client::pass_on(const Batch& batch) {
    PkiData data;
    for (const auto& request : batch.simple_requests)
        data.requests.push_back(TaggedRequest::pkcs10(static_cast<BodyPartId>(data.requests.size() + 1), request));
    BatchRequests members;
    auto id = static_cast<BodyPartId>(data.requests.size() + 1);
    for (const auto& message : batch.messages) {
        members.parts.push_back(id);
        data.contents.push_back({id++, message});
    }
    for (auto control : batch.controls) {
        control.id = id++;
        data.controls.push_back(std::move(control));
    }
    if (!members.parts.empty()) data.controls.push_back(make_control(id++, members));
    return finish(std::move(data), nullptr);
}

void Client::add_transaction(PkiData& data) {
    nonce_ = random_octets(entropy_, nonce_octets);
    auto id = next_id(data);
    data.controls.push_back(make_control(id++, TransactionId{transaction_id_}));
    data.controls.push_back(make_control(id++, SenderNonce{nonce_}));
    if (!server_nonce_.empty()) data.controls.push_back(make_control(id++, RecipientNonce{server_nonce_}));
    if (data_return_) data.controls.push_back(make_control(id++, DataReturn{*data_return_}));
    if (reg_info_) data.controls.push_back(make_control(id++, RegInfo{*reg_info_}));
}

MessageSigner Client::signer_of(const ClientCertificate& with) const {
    cms::Signer signer{with.key, cms::Identifier::by_issuer(with.certificate)};
    signer.signed_attributes.push_back(cms::signing_time_attribute(clock_.now()));
    return {std::move(signer), {with.certificate.der()}};
}

/// Signed by the certificate that there is, or by the key that is to be certified; that of a key which does not sign says so
/// (C.1). What has neither is not signed.
Result<ByteVec> Client::finish(PkiData data, const CertificateWish* own_key) {
    add_transaction(data);
    const auto content = data.encode();
    auto message = [&]() -> Result<ByteVec> {
        if (config_.certificate) {
            const auto with = signer_of(*config_.certificate);
            return sign(oid::pki_data, content, &with);
        }
        if (own_key == nullptr) return sign(oid::pki_data, content, nullptr);
        const auto identifier = key_identifier(own_key->key.public_key().spki());
        if (!signs(*own_key)) return sign_without_key(oid::pki_data, content, identifier);
        const MessageSigner with{
            {own_key->key, cms::Identifier::by_key(identifier), {cms::signing_time_attribute(clock_.now())}, {}}, {}};
        return sign(oid::pki_data, content, &with);
    }();
    if (!message || config_.encrypt_for.empty()) return message;
    return sealed(*message);
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-5
//# It is recommended that if an EnvelopedData layer is applied to a PKI Request/Response, a second signature layer be placed
//# outside of the EnvelopedData layer.
/// By whoever has a certificate for it: the key of a request inside of the envelope would name nobody outside.
Result<ByteVec> Client::sealed(Bytes message) const {
    ESTUARY_TRY(auto envelope, encrypt(message, config_.encrypt_for));
    if (!config_.certificate) return envelope;
    ESTUARY_TRY(const auto type, cms::content_type_of(envelope));
    ESTUARY_TRY(const auto inner, cms::inner_content(envelope));
    const auto with = signer_of(*config_.certificate);
    return sign(type, inner, &with);
}

std::vector<cms::KeyHolder> Client::keys() const {
    if (!config_.certificate) return {};
    return {cms::KeyHolder{config_.certificate->key, config_.certificate->certificate}};
}

}  // namespace estuary::cmc
