#pragma once
// The parts of cmp::Server; used inside this room only.
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/server_sender.h"
#include "estuary/cmp/transaction.h"

namespace estuary::cmp {

/// One message on its way through.
struct Exchange {
    const PkiMessage& message;
    const LabelState& label;
    const Transport& transport;
    store::UnitOfWork& work;
    Sender sender{};
    Transaction transaction{};
};

/// What is answered.
struct Reply {
    PkiBody body;
    InfoTypeAndValues info{};
    std::vector<x509::Certificate> chain{};   ///< of new certificates
    /// The transaction is kept until then: it goes on, or its last answer may be asked for again. Nothing: it leaves no trace.
    std::optional<Seconds> keep{};
    bool unprotected = false;
};

/// How long requests that wait are to wait.
struct Waits {
    Seconds check_after{0};     ///< until the client asks again
    Seconds keep{0};            ///< until nobody will decide any more
};

/// One certificate that is asked for.
struct Asked {
    std::int64_t cert_req_id = 0;
    std::string profile;
    const x509::crmf::CertReqMsg* message = nullptr;   ///< null: the PKCS #10 request of a p10cr
};

class Server::Impl {
public:
    Impl(ServerConfig config, authority::Authority& authority, store::Store& store, const Clock& clock, crypto::Entropy& entropy);
    Result<void> prepare();
    bool has_label(std::string_view name) const noexcept { return labels_.contains(name); }
    Answer answer(Bytes request, const Transport& transport, store::UnitOfWork& work);

private:
    Result<void> prepare_label(const Label& label);

    // server.cpp: one message, from header to answer
    struct Outer {                      ///< the nested message around it
        const PkiMessage* message = nullptr;
        const Sender* sender = nullptr;
        unsigned depth = 0;
    };
    ByteVec take(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                 const Outer& outer);
    Checked<Reply> process(Exchange& exchange, const Outer& outer, std::optional<ByteVec>& repeated);
    /// What a message says in recipNonce.
    enum class Nonce : std::uint8_t { absent, required, either };
    static Nonce nonce_of(const PkiMessage& message);
    Checked<void> check_header(const PkiMessage& message, Nonce nonce) const;
    Checked<std::optional<Transaction>> load(const Exchange& exchange, bool& expired) const;
    Checked<Sender> sender_of(const Exchange& exchange, const Outer& outer) const;
    Checked<void> check_state(const Exchange& exchange, const std::optional<Transaction>& known) const;
    Checked<void> check_right(const Exchange& exchange) const;
    Checked<Reply> handle(Exchange& exchange);
    Result<ByteVec> finish(Exchange& exchange, Reply reply);
    ByteVec error_answer(const PkiHeader& to, const Sender& sender, const LabelState& label, const Failure& failure) const;
    PkiHeader header_for(const PkiHeader& to, const LabelState& label) const;

    // server_kem.cpp: protection by KEM keys
    Checked<Reply> offer_kem(Exchange& exchange, bool in_use);
    Checked<std::optional<KemSession>> kem_session(const Exchange& exchange) const;

    // server_nested.cpp
    ByteVec take_nested(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                        unsigned depth);
    Checked<Sender> nesting_sender(const PkiMessage& message, const LabelState& label, const Transport& transport) const;
    ByteVec take_batch(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                       const Sender& sender, unsigned depth);
    Checked<Sender> approved_sender(const Exchange& exchange, const Sender& approver) const;
    Checked<void> check_original(const Exchange& exchange) const;

    // server_forward.cpp: for a CA above (RFC 9483 5.2)
    ByteVec forward(const PkiMessage& message, const LabelState& label, const Transport& transport) const;
    Checked<ByteVec> try_forward(Exchange& exchange) const;
    /// Whether this server stands for the message: it knows the sender, and policy agrees.
    Checked<bool> approve(Exchange& exchange) const;
    Checked<void> approve_request(const Exchange& exchange) const;
    Checked<ByteVec> noted_message(const Exchange& exchange) const;
    Checked<ByteVec> approved_message(const Exchange& exchange) const;

    // server_enroll.cpp: ir, cr, kur, p10cr
    Checked<Reply> enroll(Exchange& exchange);
    /// The certificates that are asked for, and CertResponses for those of them whose state is waiting or not known yet.
    Checked<Reply> answer_requests(Exchange& exchange, const PkiMessage& original, std::optional<std::int64_t> only = {},
                                   Waits* told = nullptr);
    Checked<std::vector<Asked>> asked_of(const Exchange& exchange, const PkiMessage& original) const;
    /// Puts what becomes of it into `item`.
    CertResponse answer_one(Exchange& exchange, const PkiMessage& original, const Asked& asked, bool implicit, TransactionItem& item,
                            Waits& waits);
    struct Made {
        x509::Certificate certificate;
        std::string ca;
        CertifiedKeyPair pair;
        bool modified = false;      ///< not all that was asked for
    };
    /// The certificate, or how long to wait for it.
    Checked<std::variant<Made, Seconds>> make_one(Exchange& exchange, const PkiMessage& original, const Asked& asked, bool implicit);
    /// The same with a key that is made here (server_keys.cpp).
    Checked<std::variant<Made, Seconds>> make_key(Exchange& exchange, const PkiMessage& original, const Asked& asked, bool implicit);
    /// Names and issuer, as RFC 9483 4.1.1 wants them.
    Checked<void> check_template(const Exchange& exchange, const x509::crmf::CertReqMsg& message) const;
    Checked<x509::CertificationRequest> read_request(const Exchange& exchange, const PkiMessage& original, const Asked& asked) const;
    Checked<x509::CertificationRequest> read_crmf(const Exchange& exchange, const PkiMessage& original,
                                                  const x509::crmf::CertReqMsg& message) const;
    Checked<void> check_update(const Exchange& exchange, const Asked& asked) const;
    Checked<void> note_update(Exchange& exchange, Seconds keep);
    Checked<void> forget_update(Exchange& exchange);
    Checked<Reply> challenge(Exchange& exchange, const std::vector<Asked>& asked);
    Checked<Reply> take_challenge_response(Exchange& exchange);
    Reply rejected(const Exchange& exchange, const Failure& failure) const;

    // server_confirm.cpp: certConf, pollReq, error
    Checked<Reply> confirm(Exchange& exchange);
    Checked<void> settle(Exchange& exchange, TransactionItem& item, bool accepted, std::string reason);
    Checked<Reply> poll(Exchange& exchange);
    Checked<Reply> end(Exchange& exchange);

    // server_revoke.cpp
    Checked<Reply> revoke(Exchange& exchange);
    /// rp, or that a person has to agree first.
    Checked<Reply> answer_revocations(Exchange& exchange, const PkiMessage& original, Waits* told = nullptr);
    Checked<Reply> wait_for_approval(const Exchange& exchange, const authority::Pending& pending, Waits* told) const;
    /// Done, or waiting for approval.
    Checked<std::optional<authority::Pending>> revoke_one(Exchange& exchange, const PkiMessage& original, const RevDetails& details) const;

    // server_info.cpp
    Checked<Reply> inform(Exchange& exchange);
    Checked<std::optional<InfoTypeAndValue>> inform_one(const Exchange& exchange, const InfoTypeAndValue& asked,
                                                        std::string_view profile) const;
    Checked<InfoTypeAndValue> crls_for(const Exchange& exchange, const InfoTypeAndValue& asked) const;
    Checked<InfoTypeAndValue> template_for(const LabelState& label, std::string_view profile) const;
    Checked<std::string> profile_named(const LabelState& label, std::string_view name) const;

    ByteVec nonce() const;
    void log_failure(const Exchange& exchange, const Failure& failure) const;

    ServerConfig config_;
    authority::Authority& authority_;
    store::Store& store_;
    const Clock& clock_;
    crypto::Entropy& entropy_;
    SenderCheck senders_;
    std::map<std::string, LabelState, std::less<>> labels_;   // enabled ones
};

/// Whether it is the question for a KEM ciphertext, which has no protection yet (RFC 9810 E).
bool asks_for_kem_ciphertext(const PkiMessage& message);
/// Whether a message of this type begins a transaction, or goes on with one.
bool begins(BodyType type) noexcept;
bool goes_on(BodyType type) noexcept;
bool is_announcement(BodyType type) noexcept;

}  // namespace estuary::cmp
