#pragma once
// The parts of cmp::Server; used inside this room only.
#include "estuary/authority/online_recovery.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/server_sender.h"
#include "estuary/cmp/transaction.h"
#include "estuary/x509/crl.h"

namespace estuary::cms {
class EnvelopedData;
}

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
    bool forwards(std::string_view name) const;
    Answer answer(Bytes request, const Transport& transport, store::UnitOfWork& work);
    std::vector<Answer> answer_together(const std::vector<ByteVec>& requests, const Transport& transport);

private:
    Result<void> prepare_label(const Label& label);
    Result<void> prepare_forwarding(LabelState& state);

    // server.cpp: one message, from header to answer
    struct Outer {                      ///< the nested message around it
        const PkiMessage* message = nullptr;
        const Sender* sender = nullptr;
        unsigned depth = 0;
    };
    /// The message, or what is said to octets that are none, and to what is not answered.
    tl::expected<PkiMessage, Answer> read(Bytes request, const LabelState& label, const Transport& transport) const;
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

    // server_passphrase.cpp: RFC 9810 B
    /// Which passphrase the message is protected with, if it is.
    Checked<ShownPassphrase> shown_passphrase(const Exchange& exchange) const;
    /// The passphrase that the message conveys, decrypted, and whose it is; nothing is written yet.
    Checked<std::optional<KeptPassphrase>> conveyed_passphrase(const Exchange& exchange) const;
    Checked<KeptPassphrase> passphrase_holder(const Exchange& exchange) const;
    Checked<crypto::Secret> open_passphrase(const Exchange& exchange, const cms::EnvelopedData& enveloped) const;
    Checked<void> find_place(KeptPassphrase& kept) const;
    /// Keeps it together with what else the message does; the reply says so.
    Reply keep_passphrase(Exchange& exchange, KeptPassphrase kept, Reply reply) const;

    // server_nested.cpp
    ByteVec take_nested(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                        unsigned depth);
    Checked<Sender> nesting_sender(const PkiMessage& message, const LabelState& label, const Transport& transport) const;
    ByteVec take_batch(const PkiMessage& message, const LabelState& label, const Transport& transport, store::UnitOfWork& work,
                       const Sender& sender, unsigned depth);
    Checked<Sender> approved_sender(const Exchange& exchange, const Sender& approver) const;
    Checked<void> check_original(const Exchange& exchange) const;
    /// The same of a nested message: those of the messages in it, in their order.
    Checked<void> check_nested_originals(const PkiMessage& message) const;
    Checked<std::vector<PkiMessage>> originals_of(const PkiHeader& header) const;

    // server_forward.cpp: for a CA above (RFC 9483 5.2)
    /// What this server says to a message that is to go on.
    struct Approval {
        bool given = false;      ///< it stands for the message: it knows the sender, and policy agrees
        std::optional<x509::CertificationRequest> changed{};   ///< what policy makes of the request
    };
    struct Upward {
        PkiMessage message;
        bool mac_replaced = false;   ///< by a signature; the answer gets a MAC
    };
    ByteVec forward(const PkiMessage& message, const LabelState& label, const Transport& transport) const;
    std::vector<ByteVec> forward_together(const std::vector<PkiMessage>& messages, const LabelState& label, const Transport& transport) const;
    ByteVec forward_failure(Exchange& exchange, const Failure& failure) const;
    Checked<Upward> prepare_upward(Exchange& exchange) const;
    Result<ByteVec> send_up(const Exchange& exchange, const Upward& upward) const;
    Checked<ByteVec> take_answer(const Exchange& exchange, const Upward& upward, Result<ByteVec> answered) const;
    Checked<Approval> approve(Exchange& exchange) const;
    Checked<std::optional<x509::CertificationRequest>> approve_request(const Exchange& exchange) const;
    Checked<ByteVec> noted_message(const Exchange& exchange, const Approval& approval) const;
    Checked<ByteVec> approved_message(const Exchange& exchange, const Approval& approval) const;

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
    Checked<void> check_template(const Exchange& exchange, const x509::crmf::CertReqMsg& message, Bytes signing_alg = {}) const;
    Checked<x509::CertificationRequest> read_request(const Exchange& exchange, const PkiMessage& original, const Asked& asked) const;
    Checked<x509::CertificationRequest> read_crmf(const Exchange& exchange, const PkiMessage& original,
                                                  const x509::crmf::CertReqMsg& message) const;
    Checked<void> check_update(const Exchange& exchange, const Asked& asked) const;
    Checked<void> note_update(Exchange& exchange, Seconds keep);
    Checked<void> forget_update(Exchange& exchange);
    Checked<Reply> challenge(Exchange& exchange, const std::vector<Asked>& asked);
    Checked<Reply> take_challenge_response(Exchange& exchange);
    Reply rejected(const Exchange& exchange, const Failure& failure) const;

    // server_cross.cpp: ccr
    Checked<Reply> cross_certify(Exchange& exchange);
    Checked<void> check_cross_request(const x509::crmf::CertReqMsg& message) const;
    /// What may be named as signingAlg; empty: nothing.
    Bytes signing_alg_for(const Exchange& exchange, BodyType type) const;

    // server_confirm.cpp: certConf, pollReq, error
    Checked<Reply> confirm(Exchange& exchange);
    Checked<void> settle(Exchange& exchange, TransactionItem& item, bool accepted, std::string reason);
    Checked<Reply> poll(Exchange& exchange);
    /// To a request that waits: what there is by now.
    Checked<Reply> answer_again(Exchange& exchange, const PkiMessage& original, std::optional<std::int64_t> only, Waits& waits);
    Checked<Reply> end(Exchange& exchange);

    // server_revoke.cpp
    Checked<Reply> revoke(Exchange& exchange);
    /// An error with status waiting: for answers that have no such status of their own (RFC 9483 4.4).
    static Reply told_to_wait(std::string why, Seconds keep);
    /// rp, or that a person has to agree first.
    Checked<Reply> answer_revocations(Exchange& exchange, const PkiMessage& original, Waits* told = nullptr);
    Checked<Reply> wait_for_approval(const Exchange& exchange, const authority::Pending& pending, Waits* told) const;
    /// What the sender may learn of whether it names the certificate rightly.
    Checked<void> check_named(const Exchange& exchange, const x509::crmf::CertTemplate& wanted) const;
    /// Done, or waiting for approval.
    Checked<std::optional<authority::Pending>> revoke_one(Exchange& exchange, const PkiMessage& original, const RevDetails& details) const;

    // server_recovery.cpp
    struct AskedKeys {
        bool certificate_wanted = false, keys_wanted = false;
        Asked certificate;
        authority::KeysWanted keys;
        std::optional<crypto::PublicKey> encryption_key;   ///< nothing: the sender's own protection says with what
    };
    /// What a krr asks for, if this sender may.
    Checked<AskedKeys> asked_keys(const Exchange& exchange, const PkiMessage& original) const;
    Checked<Reply> recover(Exchange& exchange);
    /// krp: the keys, that people still have to agree, or that they have not.
    Checked<Reply> answer_recovery(Exchange& exchange, const PkiMessage& original, Waits* told = nullptr);
    Checked<Reply> try_recovery(Exchange& exchange, const PkiMessage& original, store::UnitOfWork& work, Waits* told);
    Reply wait_for_recovery(const AskedKeys& asked, Time until, Waits* told) const;
    Checked<void> give_up_recovery(Exchange& exchange, const PkiMessage& original, const std::string& why);

    // server_info.cpp
    /// genp, or that what is asked for is not there yet.
    Checked<Reply> inform(Exchange& exchange, const PkiMessage& original, Waits* waits = nullptr);
    /// A CRL that has not been published for the first time, and may still be.
    Checked<bool> is_to_come(const Exchange& exchange, const InfoTypeAndValue& asked) const;
    Checked<std::vector<x509::RevocationList>> published_crls(const LabelState& label) const;
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
void move_into(store::UnitOfWork& to, store::UnitOfWork& from);
/// Whether a message of this type begins a transaction, or goes on with one.
bool begins(BodyType type) noexcept;
bool goes_on(BodyType type) noexcept;
bool is_announcement(BodyType type) noexcept;

}  // namespace estuary::cmp
