#pragma once
// The parts of ClientTransaction; used inside this room only.
#include "estuary/cmp/client_check.h"
#include "estuary/cmp/protection_kem.h"

namespace estuary::cmp {

/// What a client is made of.
struct ClientSetup {
    ClientConfig config;
    const Clock& clock;
    crypto::Entropy& entropy;
};

/// A first message, and what belongs to it.
struct FirstRequest {
    PkiBody body;
    InfoTypeAndValues info = {};
    std::int64_t pvno = cmp2000;      ///< that the request or its answer needs (RFC 9810 7)
    bool implicit_confirm = false;    ///< asked for
    std::vector<ByteVec> spkis = {};  ///< of the certificates that are wanted, in order; an empty one: the authority makes the key
    std::string_view operation = {};  ///< label (RFC 9483 6.1)
};
/// client_request.cpp.
Result<FirstRequest> make_first_request(const Wish& wish, const ClientConfig& config);
/// The type of InfoTypeAndValue that answers this one.
der::Oid info_answer_to(const der::Oid& asked);

/// One request for a certificate, and how far it has come.
struct RequestedCertificate {
    enum class Progress : std::uint8_t { waiting, unconfirmed, ended };
    Progress progress = Progress::waiting;
    std::optional<Enrolled> enrolled = {};   // from `unconfirmed` on, unless it is declined
    std::optional<Declined> declined = {};
    std::optional<Error> rejected = {};      // by which we have rejected what came
};

class ClientTransaction::Impl {
public:
    static Result<std::unique_ptr<Impl>> begin(std::shared_ptr<const ClientSetup> setup, Wish wish);
    static Result<std::unique_ptr<Impl>> resume(std::shared_ptr<const ClientSetup> setup, Wish wish, Bytes state);
    Result<ByteVec> save() const;
    Bytes message() const noexcept { return message_; }
    PassphraseFate passphrase() const noexcept { return passphrase_; }
    std::string_view operation() const noexcept { return keying_ ? std::string_view{} : request_.operation; }
    Result<ClientStep> take(Bytes answer);

private:
    explicit Impl(std::shared_ptr<const ClientSetup> setup) : setup_{std::move(setup)} {}
    const ClientConfig& config() const noexcept { return setup_->config; }
    /// What follows from wish_.
    Result<void> prepare();
    void write_requested(der::Writer& writer, const RequestedCertificate& one) const;
    Result<void> read_state(Bytes state);
    Result<void> read_requested(der::Reader& reader, RequestedCertificate& one) const;
    /// Whether a state that awaits this belongs to the wish.
    bool may_await(BodyType type) const noexcept;

    /// Makes message_, with a fresh nonce.
    Result<void> send(const PkiBody& body, InfoTypeAndValues info = {});
    PkiHeader next_header() const;
    /// Whether this message is the one that carries the passphrase.
    bool conveys_passphrase(const PkiBody& body) const noexcept;
    Result<void> note_acknowledgement(const PkiHeader& header);
    ByteVec fresh(std::size_t octets) const;

    // What an answer is, and what follows from it.
    Result<AnswerProof> check_protection(const PkiMessage& message, Time now) const;
    Result<ClientStep> take_body(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_awaited(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_error(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_poll_rep(const PollRepContent& content);
    Result<ClientStep> take_challenge(const PkiMessage& message);
    Result<ClientStep> take_revocation(const RevRepContent& content);
    Result<ClientStep> take_information(const GenContent& content);
    Result<ClientStep> take_certificates(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_confirmed();
    // client_recovery.cpp
    Result<ClientStep> take_recovery(const PkiMessage& message, const AnswerProof& proof);
    Result<KeysRecovered> open_history(const KeyRecRepContent& content, const AnswerProof& proof) const;
    Result<void> take_new_certificate(const PkiMessage& message);
    Result<ClientStep> end_recovery();
    Result<ClientStep> take_ciphertext(const GenContent& content);
    Result<void> use_ciphertext(const InfoTypeAndValue& info);
    Result<ClientStep> start_polling(std::int64_t cert_req_id);
    ClientStep decline(PkiStatusInfo status, std::string text, bool authentic = true);
    ClientStep finish(ClientOutcome outcome);

    // client_certificate.cpp
    std::int64_t cert_req_id(std::size_t index) const noexcept;
    /// The wish behind a request of ir, cr or kur; null: it is none of these.
    const CertificateWish* certificate_wish(std::size_t index) const noexcept;
    const std::function<Result<void>(const Enrolled&)>* acceptance(std::size_t index) const noexcept;
    Result<void> check_responses(const CertRepMessage& content) const;
    Result<void> take_response(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof, std::size_t index,
                               RequestedCertificate& one) const;
    Result<Enrolled> open(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof, std::size_t index) const;
    Result<std::vector<x509::Certificate>> new_anchors(const PkiMessage& message, const AnswerProof& proof) const;
    Result<void> check_certificate(const Enrolled& enrolled, std::size_t index) const;
    /// certConf of all that is unconfirmed.
    Result<ClientStep> confirm();
    Result<CertStatus> status_of(std::size_t index) const;
    bool has(RequestedCertificate::Progress progress) const noexcept;
    /// Polls for what waits, or ends.
    Result<ClientStep> go_on();
    Result<ClientStep> end();

    std::shared_ptr<const ClientSetup> setup_;
    Wish wish_;
    FirstRequest request_;
    std::optional<Protector> protector_;
    ByteVec message_;

    ByteVec transaction_id_;
    ByteVec nonce_;                               // senderNonce of message_
    std::optional<ByteVec> delayed_nonce_;        // of the message whose answer is polled for
    std::optional<ByteVec> waiting_nonce_;        // the same of requests that wait while others are confirmed
    std::optional<ByteVec> peer_nonce_;           // senderNonce of the last answer
    std::optional<x509::GeneralName> peer_;       // sender of the last answer
    std::vector<x509::Certificate> known_;        // that came with verified answers

    BodyType awaited_ = BodyType::ip;             // the answer that the operation now waits for
    bool challenged_ = false;
    std::int64_t polled_id_ = no_cert_req_id;
    std::vector<RequestedCertificate> requested_;
    bool keying_ = false;                         // asks for a KEM ciphertext, and has none yet
    std::optional<InfoTypeAndValue> ciphertext_;  // from which what protects messages is derived; no secret without the key
    std::optional<KeysRecovered> recovered_;      // that came, while the new certificate is to be confirmed
    PassphraseFate passphrase_ = PassphraseFate::not_conveyed;
    bool ended_ = false;
};

}  // namespace estuary::cmp
