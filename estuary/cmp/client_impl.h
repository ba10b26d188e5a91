#pragma once
// The parts of ClientTransaction; used inside this room only.
#include "estuary/cmp/client_check.h"

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
    ByteVec spki = {};                ///< of the certificate that is wanted; empty: the authority makes the key
    std::string_view operation = {};  ///< label (RFC 9483 6.1)
};
/// client_request.cpp.
Result<FirstRequest> make_first_request(const Wish& wish, const ClientConfig& config);
/// The type of InfoTypeAndValue that answers this one.
der::Oid info_answer_to(const der::Oid& asked);

class ClientTransaction::Impl {
public:
    static Result<std::unique_ptr<Impl>> begin(std::shared_ptr<const ClientSetup> setup, Wish wish);
    static Result<std::unique_ptr<Impl>> resume(std::shared_ptr<const ClientSetup> setup, Wish wish, Bytes state);
    Result<ByteVec> save() const;
    Bytes message() const noexcept { return message_; }
    std::string_view operation() const noexcept { return request_.operation; }
    Result<ClientStep> take(Bytes answer);

private:
    explicit Impl(std::shared_ptr<const ClientSetup> setup) : setup_{std::move(setup)} {}
    const ClientConfig& config() const noexcept { return setup_->config; }
    /// What follows from wish_.
    Result<void> prepare();
    Result<void> read_state(Bytes state);

    /// Makes message_, with a fresh nonce.
    Result<void> send(const PkiBody& body, InfoTypeAndValues info = {});
    PkiHeader next_header() const;
    ByteVec fresh(std::size_t octets) const;

    // What an answer is, and what follows from it.
    Result<ClientStep> take_body(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_awaited(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_error(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_poll_rep(const PollRepContent& content);
    Result<ClientStep> take_challenge(const PkiMessage& message);
    Result<ClientStep> take_revocation(const RevRepContent& content);
    Result<ClientStep> take_information(const GenContent& content);
    Result<ClientStep> take_certificates(const PkiMessage& message, const AnswerProof& proof);
    Result<ClientStep> take_confirmed();
    Result<ClientStep> start_polling(std::int64_t cert_req_id);
    ClientStep decline(PkiStatusInfo status, std::string text, bool authentic = true);
    ClientStep finish(ClientOutcome outcome);

    // client_certificate.cpp
    std::int64_t expected_cert_req_id() const noexcept;
    const crypto::PrivateKey* own_key() const noexcept;
    Result<Enrolled> open(const PkiMessage& message, const CertResponse& response, const AnswerProof& proof) const;
    Result<std::vector<x509::Certificate>> new_anchors(const PkiMessage& message, const AnswerProof& proof) const;
    Result<void> check_certificate(const Enrolled& enrolled) const;
    /// certConf; with `rejected`, by which the certificate is not wanted.
    Result<ClientStep> confirm(const std::optional<Error>& rejected);

    std::shared_ptr<const ClientSetup> setup_;
    Wish wish_;
    FirstRequest request_;
    std::optional<Protector> protector_;
    ByteVec message_;

    ByteVec transaction_id_;
    ByteVec nonce_;                               // senderNonce of message_
    std::optional<ByteVec> delayed_nonce_;        // of the message whose answer is polled for
    std::optional<ByteVec> peer_nonce_;           // senderNonce of the last answer
    std::optional<x509::GeneralName> peer_;       // sender of the last answer
    std::vector<x509::Certificate> known_;        // that came with verified answers

    BodyType awaited_ = BodyType::ip;             // the answer that the operation now waits for
    bool challenged_ = false;
    std::int64_t polled_id_ = no_cert_req_id;
    std::optional<Enrolled> enrolled_;            // waits for pkiconf
    std::optional<Error> rejected_;               // by which we have rejected it
    bool ended_ = false;
};

}  // namespace estuary::cmp
