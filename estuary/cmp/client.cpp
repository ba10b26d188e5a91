#include "estuary/cmp/client.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/client_keys.h"
#include "estuary/cmp/info_values.h"

namespace estuary::cmp {
namespace {

constexpr std::size_t identifier_octets = 16;                        // transactionID and senderNonce (RFC 9810 5.1.1)
constexpr std::size_t known_certificates_max = 64;                   // of one transaction (bug class 16)
constexpr std::int64_t check_after_max = std::int64_t{366} * 86400;  // seconds; more is no answer

bool has_kem_key(const ClientSigner& own) { return own.key.kind() == crypto::KeyKind::ml_kem; }

Result<void> check_credentials(const ClientSecret& own) {
    if (own.reference.empty() && !own.revocation_passphrase) return fail(Code::policy, "a secret needs the reference by which the authority knows it");
    if (own.secret.empty()) return fail(Code::policy, "the secret is empty");
    return {};
}

Result<void> check_credentials(const ClientSigner& own) {
    if (own.chain.empty()) return fail(Code::policy, "messages are signed by a key that has a certificate; there is none");
    const auto& certificate = own.chain.front();
    if (!same(certificate.spki(), own.key.public_key().spki())) return fail(Code::policy, "the certificate is not of this key");
    const auto usage = certificate.key_usage();
    if (has_kem_key(own)) {
        if (usage && (*usage & x509::key_encipherment) == 0)
            return fail(Code::policy, "the certificate of the KEM key lacks keyEncipherment: messages cannot be protected by it (RFC 9810 5.1.3.4)");
        return {};
    }
    if (usage && (*usage & x509::digital_signature) == 0)
        return fail(Code::policy, "the certificate lacks digitalSignature: messages cannot be signed by it (RFC 9483 3.2)");
    return {};
}

/// Nothing: what protects messages is yet to be agreed on.
Result<std::optional<Protector>> make_protector(const ClientSecret& own) { return Protector::with_secret(own.secret, own.mac); }
Result<std::optional<Protector>> make_protector(const ClientSigner& own) {
    if (has_kem_key(own)) return std::optional<Protector>{};
    return Protector::with_key(own.key);
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-3.1
//# […] the sender field MUST contain the subject field of the CMP protection certificate. […] For MAC-based protection […] a
//# directoryName whose commonName identifies the shared secret
x509::GeneralName sender_of(const ClientSecret& own, const ClientConfig& config) {
    if (config.sender) return directory_name(*config.sender);
    if (own.revocation_passphrase) return directory_name();   // its identifier names nobody
    std::string escaped;
    for (const char c : own.reference) escaped += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
    const auto name = x509::Name::from_text("CN=" + escaped);
    return name ? directory_name(*name) : directory_name();
}
x509::GeneralName sender_of(const ClientSigner& own, const ClientConfig&) { return directory_name(own.chain.front().subject()); }

std::optional<ByteVec> sender_kid_of(const ClientSecret& own) {
    if (own.reference.empty()) return std::nullopt;
    return to_vec(as_bytes(own.reference));
}
std::optional<ByteVec> sender_kid_of(const ClientSigner& own) { return own.chain.front().subject_key_id(); }

x509::GeneralName recipient_of(const ClientConfig& config) {
    if (config.recipient) return directory_name(*config.recipient);
    if (const auto* own = std::get_if<ClientSigner>(&config.credentials)) return directory_name(own->chain.front().issuer());
    return directory_name();
}

/// The protection certificate and its chain; roots are of no use to who does not have them (RFC 9483 3.3).
std::vector<Bytes> extra_certs_of(const ClientConfig& config) {
    std::vector<Bytes> certificates;
    const auto* own = std::get_if<ClientSigner>(&config.credentials);
    if (own == nullptr) return certificates;
    for (const auto& one : own->chain)
        if (certificates.empty() || !one.is_self_issued()) certificates.push_back(one.der());
    return certificates;
}

}  // namespace

ByteVec ClientTransaction::Impl::fresh(std::size_t octets) const {
    ByteVec made(octets);
    setup_->entropy.fill(made);
    return made;
}

PkiHeader ClientTransaction::Impl::next_header() const {
    PkiHeader header;
    std::visit(
        [&](const auto& own) {
            header.sender = sender_of(own, config());
            header.sender_kid = sender_kid_of(own);
        },
        config().credentials);
    header.recipient = peer_ ? *peer_ : recipient_of(config());
    header.message_time = setup_->clock.now();
    header.transaction_id = transaction_id_;
    header.recip_nonce = peer_nonce_;
    return header;
}

Result<void> ClientTransaction::Impl::send(const PkiBody& body, InfoTypeAndValues info) {
    auto header = next_header();
    header.general_info = std::move(info);
    if (conveys_passphrase(body)) {
        header.general_info.push_back(*config().passphrase);
        passphrase_ = PassphraseFate::conveyed;
    }
    header.pvno = std::max(request_.pvno, needed_pvno(header, body));
    // A pollReq goes out when its time has come, which may be long after it was made.
    if (body.type == BodyType::poll_req) header.message_time.reset();
    nonce_ = fresh(identifier_octets);
    header.sender_nonce = nonce_;
    if (!protector_) {
        message_ = encode_message(header.encode(), body.encode(), {}, extra_certs_of(config()));
        return {};
    }
    ESTUARY_TRY(message_, protector_->protect(std::move(header), body, extra_certs_of(config())));
    return {};
}

bool ClientTransaction::Impl::conveys_passphrase(const PkiBody& body) const noexcept {
    if (!config().passphrase || passphrase_ != PassphraseFate::not_conveyed) return false;
    const bool confirms = !requested_.empty() && !request_.implicit_confirm;
    if (!confirms) return body.type == request_.body.type && !keying_;
    // Not with a certificate that is rejected here.
    const auto wanted = [](const RequestedCertificate& one) { return one.progress == RequestedCertificate::Progress::unconfirmed && !one.rejected; };
    return body.type == BodyType::cert_conf && std::ranges::any_of(requested_, wanted);
}

//= https://www.rfc-editor.org/rfc/rfc9810#appendix-B
//# […] it MUST include the OID (with absent value) […] in the generalInfo field of the PKIHeader of the corresponding response
Result<void> ClientTransaction::Impl::note_acknowledgement(const PkiHeader& header) {
    if (passphrase_ != PassphraseFate::conveyed) return {};
    ESTUARY_TRY(const auto* info, find_only(header.general_info, oid::rev_passphrase));
    if (info == nullptr) return {};
    ESTUARY_CHECK(check_value_absent(*info));
    passphrase_ = PassphraseFate::acknowledged;
    return {};
}

Result<std::unique_ptr<ClientTransaction::Impl>> ClientTransaction::Impl::begin(std::shared_ptr<const ClientSetup> setup, Wish wish) {
    std::unique_ptr<Impl> impl{new Impl{std::move(setup)}};
    impl->wish_ = std::move(wish);
    ESTUARY_CHECK(impl->prepare());
    impl->transaction_id_ = impl->fresh(identifier_octets);
    if (impl->keying_) {
        ESTUARY_CHECK(impl->send({BodyType::genm, GenContent{{ask(oid::kem_ciphertext_info)}}}));
        return impl;
    }
    ESTUARY_CHECK(impl->send(impl->request_.body, impl->request_.info));
    return impl;
}

Result<void> ClientTransaction::Impl::prepare() {
    ESTUARY_TRY(request_, make_first_request(wish_, config()));
    if (config().passphrase) request_.pvno = cmp2021;   // all messages of a transaction say the same
    ESTUARY_TRY(protector_, std::visit([](const auto& own) { return make_protector(own); }, config().credentials));
    keying_ = !protector_.has_value();
    awaited_ = keying_ ? BodyType::genp : *answer_to(request_.body.type);
    requested_.resize(request_.spkis.size());
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9810#appendix-E
//# format unprotected genp of type KemCiphertextInfo providing KEM ciphertext
// Whoever bends it makes a MAC that the authority does not take, and learns nothing.
Result<AnswerProof> ClientTransaction::Impl::check_protection(const PkiMessage& message, Time now) const {
    const bool bare = !message.header().protection_alg && !message.protection();
    if (keying_ && bare && message.type() == BodyType::genp) return AnswerProof{};
    return check_answer_protection(message, known_, config(), now);
}

Result<ClientStep> ClientTransaction::Impl::take(Bytes answer) {
    if (ended_) return fail(Code::internal, "the operation has ended");
    ESTUARY_TRY(const auto message, PkiMessage::parse(answer, config().limits));
    const auto now = setup_->clock.now();
    ESTUARY_TRY(const auto proof, check_protection(message, now));
    ExpectedAnswer expected{transaction_id_, {nonce_}};
    // What was delayed answers the message that was delayed, or the last pollReq (RFC 9483 4.4).
    if (delayed_nonce_ && message.type() != BodyType::poll_rep) expected.nonces.push_back(*delayed_nonce_);
    ESTUARY_CHECK(check_answer_header(message, expected, config(), now));
    if (proof.kind != AnswerProof::Kind::none) ESTUARY_CHECK(note_acknowledgement(message.header()));

    peer_nonce_ = message.header().sender_nonce;
    peer_ = message.header().sender;
    for (auto& certificate : message.extra_certificates())
        if (known_.size() < known_certificates_max && std::ranges::find(known_, certificate) == known_.end())
            known_.push_back(std::move(certificate));
    return take_body(message, proof);
}

Result<ClientStep> ClientTransaction::Impl::take_body(const PkiMessage& message, const AnswerProof& proof) {
    const auto type = message.type();
    if (type == BodyType::error) return take_error(message, proof);
    if (type == BodyType::poll_rep && delayed_nonce_) return take_poll_rep(message.as<PollRepContent>());
    if (type == BodyType::popdecc && !delayed_nonce_) return take_challenge(message);
    if (type == awaited_) return take_awaited(message, proof);
    return fail(Code::malformed, fmt::format("the answer is {} where {} was to come", to_string(type), to_string(awaited_)));
}

Result<ClientStep> ClientTransaction::Impl::take_awaited(const PkiMessage& message, const AnswerProof& proof) {
    switch (message.type()) {
        case BodyType::ip:
        case BodyType::cp:
        case BodyType::kup:
        case BodyType::ccp: return take_certificates(message, proof);
        case BodyType::rp: return take_revocation(message.as<RevRepContent>());
        case BodyType::krp: return take_recovery(message, proof);
        case BodyType::genp: return keying_ ? take_ciphertext(message.as<GenContent>()) : take_information(message.as<GenContent>());
        case BodyType::pkiconf: return take_confirmed();
        default: return fail(Code::internal, "nothing that is asked for here is answered so");
    }
}

Result<ClientStep> ClientTransaction::Impl::take_error(const PkiMessage& message, const AnswerProof& proof) {
    const auto& content = message.as<ErrorMsgContent>();
    const bool authentic = proof.kind != AnswerProof::Kind::none;
    if (content.status_info.status == PkiStatus::waiting && authentic) return start_polling(no_cert_req_id);
    return decline(content.status_info, content.to_text(), authentic);
}

ClientStep ClientTransaction::Impl::finish(ClientOutcome outcome) {
    ended_ = true;
    return outcome;
}

ClientStep ClientTransaction::Impl::decline(PkiStatusInfo status, std::string text, bool authentic) {
    return finish(Declined{std::move(status), std::move(text), authentic});
}

Result<ClientStep> ClientTransaction::Impl::start_polling(std::int64_t cert_req_id) {
    if (!delayed_nonce_) delayed_nonce_ = nonce_;
    polled_id_ = cert_req_id;
    ESTUARY_CHECK(send({BodyType::poll_req, PollReqContent{{cert_req_id}}}));
    return ClientStep{SendNext{}};
}

Result<ClientStep> ClientTransaction::Impl::take_poll_rep(const PollRepContent& content) {
    if (content.responses.size() != 1 || content.responses.front().cert_req_id != polled_id_)
        return fail(Code::malformed, "pollRep is not about what was polled for");
    const auto& response = content.responses.front();
    if (response.check_after < 0 || response.check_after > check_after_max)
        return fail(Code::malformed, "checkAfter of pollRep is no time to wait");
    ESTUARY_CHECK(send({BodyType::poll_req, PollReqContent{{polled_id_}}}));
    return ClientStep{WaitThenSend{Seconds{response.check_after}, to_line(response.reason)}};
}

/// The integers go back in the order of the challenges, and these come in the order of the requests (RFC 9810 5.2.8.3.3).
Result<ClientStep> ClientTransaction::Impl::take_challenge(const PkiMessage& message) {
    std::vector<const crypto::PrivateKey*> keys;
    for (std::size_t i = 0; i < requested_.size(); ++i)
        if (const auto* wish = certificate_wish(i); wish != nullptr && wish->key &&
                                                    wish->subsequent_message == x509::crmf::SubsequentMessage::challenge_resp)
            keys.push_back(&*wish->key);
    if (keys.empty() || keying_ || challenged_) return fail(Code::malformed, "a challenge came that was not asked for");
    const auto& challenges = message.as<PopoDecKeyChallContent>().challenges;
    if (challenges.size() != keys.size()) return fail(Code::malformed, "there is other than one challenge for each request that wants one");
    PopoDecKeyRespContent response;
    const ByteVec* owf = nullptr;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (challenges[i].owf) owf = &*challenges[i].owf;
        ESTUARY_TRY(response.integers.emplace_back(), open_challenge(challenges[i], *owf, message.header().sender, *keys[i]));
    }
    challenged_ = true;
    ESTUARY_CHECK(send({BodyType::popdecr, std::move(response)}));
    return ClientStep{SendNext{}};
}

/// The ciphertext for the own KEM key: from here on messages are protected, the request first.
Result<ClientStep> ClientTransaction::Impl::take_ciphertext(const GenContent& content) {
    ESTUARY_TRY(const auto* info, find_only(content.infos, oid::kem_ciphertext_info));
    if (info == nullptr) return fail(Code::unsupported, "the authority does not offer protection by KEM keys");
    ESTUARY_CHECK(use_ciphertext(*info));
    keying_ = false;
    awaited_ = *answer_to(request_.body.type);
    ESTUARY_CHECK(send(request_.body, request_.info));
    return ClientStep{SendNext{}};
}

Result<void> ClientTransaction::Impl::use_ciphertext(const InfoTypeAndValue& info) {
    ESTUARY_TRY(const auto told, read_kem_ciphertext_info(info));
    if (!told) return fail(Code::malformed, "KemCiphertextInfo came without a ciphertext");
    ESTUARY_TRY(const auto session, KemSession::accept(std::get<ClientSigner>(config().credentials).key, *told, transaction_id_));
    ESTUARY_TRY(protector_, session.protector());
    ciphertext_ = info;
    return {};
}

Result<ClientStep> ClientTransaction::Impl::take_revocation(const RevRepContent& content) {
    if (content.status.size() != 1) return fail(Code::malformed, "rp has other than one status for one certificate");
    const auto& status = content.status.front();
    if (status.status == PkiStatus::waiting) return start_polling(no_cert_req_id);
    if (status.is_granted()) return finish(Revoked{status});
    if (status.status == PkiStatus::rejection) return decline(status, status.to_text());
    return fail(Code::malformed, fmt::format("status {} in rp says neither yes nor no", to_string(status.status)));
}

Result<ClientStep> ClientTransaction::Impl::take_information(const GenContent& content) {
    const auto& asked = std::get<InformationWish>(wish_).question.info_type;
    ESTUARY_TRY(const auto* answer, find_only(content.infos, info_answer_to(asked)));
    if (answer == nullptr) return fail(Code::unsupported, fmt::format("the authority does not tell {}", info_type_name(asked)));
    ESTUARY_CHECK(check_info_value(*answer, config().limits));
    if (asked == oid::rev_passphrase) ESTUARY_CHECK(check_value_absent(*answer));
    return finish(Informed{*answer});
}

ClientTransaction::ClientTransaction(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
ClientTransaction::ClientTransaction(ClientTransaction&&) noexcept = default;
ClientTransaction& ClientTransaction::operator=(ClientTransaction&&) noexcept = default;
ClientTransaction::~ClientTransaction() = default;

Bytes ClientTransaction::message() const noexcept { return impl_->message(); }
std::string_view ClientTransaction::operation() const noexcept { return impl_->operation(); }
Result<ClientStep> ClientTransaction::take(Bytes answer) { return impl_->take(answer); }
Result<ByteVec> ClientTransaction::save() const { return impl_->save(); }
PassphraseFate ClientTransaction::passphrase() const noexcept { return impl_->passphrase(); }

Result<Client> Client::create(ClientConfig config, const Clock& clock, crypto::Entropy& entropy) {
    ESTUARY_CHECK(std::visit([](const auto& own) { return check_credentials(own); }, config.credentials));
    if (const auto* own = std::get_if<ClientSecret>(&config.credentials); own != nullptr && own->reference.empty() && !config.sender)
        return fail(Code::policy, "a revocation passphrase needs its identifier, or the name of whoever conveyed it");
    return Client{std::make_shared<ClientSetup>(ClientSetup{std::move(config), clock, entropy})};
}

Result<ClientTransaction> Client::begin(Wish wish) const {
    ESTUARY_TRY(auto impl, ClientTransaction::Impl::begin(setup_, std::move(wish)));
    return ClientTransaction{std::move(impl)};
}

Result<ClientTransaction> Client::resume(Wish wish, Bytes state) const {
    ESTUARY_TRY(auto impl, ClientTransaction::Impl::resume(setup_, std::move(wish), state));
    return ClientTransaction{std::move(impl)};
}

}  // namespace estuary::cmp
