#pragma once
// CMC's client (RFC 10002): makes requests of every kind, and reads and verifies the answers. No I/O.
#include "estuary/cmc/protection.h"
#include "estuary/cmc/witness.h"
#include "estuary/x509/certification_request.h"

namespace estuary::cmc {

/// A certificate that is wished for.
struct CertificateWish {
    crypto::PrivateKey key;
    x509::Name subject;
    std::vector<x509::Extension> extensions = {};
    std::optional<x509::ChangeSubjectName> new_names = {};  ///< of a renewal (7.1)
    bool crmf = false;                                      ///< in that syntax; keys that do not sign have it in any case
    bool decrypts_only = false;                             ///< possession is proved by decryption, though the key could sign
};

/// A name and the secret that goes with it, as the CA's operator gave them (6.2).
struct ClientSecret {
    std::string name;
    crypto::Secret secret;
};

/// A certificate that is there already, and its key.
struct ClientCertificate {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};

struct ClientConfig {
    std::optional<ClientCertificate> certificate = {};  ///< signs the messages; else the first wish's own key does
    std::optional<ClientSecret> secret = {};            ///< proves identity where there is no certificate yet
    std::vector<x509::Certificate> anchors = {};        ///< whom answers must come from
    std::vector<x509::Certificate> intermediates = {};  ///< known ones, for the path of the answer's signer
    std::vector<x509::Certificate> encrypt_for = {};    ///< messages are encrypted for these; none: not
    Limits limits = {};
};

/// An answer that was read and verified.
struct ClientReply {
    bool simple = false;                          ///< only certificates and CRLs, by nobody signed
    std::vector<StatusInfoV2> statuses;           ///< those of RFC 2797 as well; empty: all went well
    std::vector<x509::Certificate> certificates;  ///< in no order (4.1); the signer's is not among them
    std::vector<ByteVec> crls;
    std::vector<EncryptedPop> challenges;
    std::vector<ByteVec> members;  ///< ContentInfos of batchResponses, in its order
    std::vector<ByteVec> bodies;   ///< ContentInfos that responseBody points to (6.21)
    std::optional<ByteVec> data_return, response_info;
    std::optional<PublishTrustAnchors> trust_anchors;  ///< whether to follow it is for who configured the client
    std::optional<Time> signed_at;                     ///< signingTime of the answer
    std::optional<x509::Certificate> signer;
    ByteVec sender_nonce;  ///< to be answered by the next message

    /// The first failure as an error of this house, with the server's words; nothing if nothing failed.
    std::optional<Error> failure() const;
    std::optional<PendInfo> pending() const;
    bool confirmation_wanted() const;
    /// The certificate for that key. not_found.
    Result<x509::Certificate> certificate_for(Bytes spki) const;
};

/// One transaction: each message that it makes goes on with it, and each answer must be to the last one. Not thread-safe.
class Client {
public:
    /// `clock` and `entropy` outlive it.
    Client(ClientConfig config, const Clock& clock, crypto::Entropy& entropy);

    /// A full PKI request for these certificates, body parts 1, 2 …. bad_key: nothing can sign it.
    Result<ByteVec> enroll(std::vector<CertificateWish> wishes);
    /// A simple PKI request: PKCS #10 and nothing else (3.1).
    static Result<ByteVec> simple(const CertificateWish& wish);
    /// The request of enroll() once more, with the answers to these challenges. bad_proof: a challenge that is not for our key,
    /// or whose witness is wrong; then abort() is what to send (6.7).
    Result<ByteVec> answer(const std::vector<EncryptedPop>& challenges);
    Result<ByteVec> abort(std::string reason);
    Result<ByteVec> query(Bytes pend_token);
    Result<ByteVec> confirm(const x509::Certificate& certificate, bool accepted, std::string reason = {});
    /// `shared_secret` in it: the message is not signed unless there is a certificate.
    Result<ByteVec> revoke(const RevokeRequest& request);
    Result<ByteVec> get_certificate(const GetCert& request);
    Result<ByteVec> get_crl(const GetCrl& request);
    /// By a registration authority: its own controls and requests, and messages of others (body parts from `first` on).
    struct Batch {
        std::vector<ByteVec> simple_requests;  ///< PKCS #10 of others: body parts 1, 2 …
        std::vector<ByteVec> messages;         ///< full PKI requests of others: the next body parts, in a batchRequests
        /// Controls about them; their bodyPartIDs are given here.
        std::vector<TaggedAttribute> controls;
    };
    Result<ByteVec> pass_on(const Batch& batch);
    /// Null: it has none.
    const ClientSecret* secret() const noexcept { return config_.secret ? &*config_.secret : nullptr; }
    /// Sent along with every message from now on, and back with the answers (6.4).
    void set_data_return(ByteVec data) { data_return_ = std::move(data); }
    void set_reg_info(ByteVec data) { reg_info_ = std::move(data); }

    /// Verifies who signed it (the CA itself, or one with id-kp-cmcCA or id-kp-cmcRA under `anchors`), and that it answers the
    /// last message. not_authenticated, bad_proof; malformed, too_large, unsupported.
    Result<ClientReply> read(Bytes message);
    /// A member of a batch: the same without transaction and nonce, which are between others.
    Result<ClientReply> read_member(Bytes content_info) const;

private:
    MessageSigner signer_of(const ClientCertificate& with) const;
    Result<ByteVec> finish(PkiData data, const CertificateWish* own_key);
    Result<ByteVec> sealed(Bytes message) const;
    Result<TaggedRequest> request_for(const CertificateWish& wish, BodyPartId id, Bytes random) const;
    void add_transaction(PkiData& data);
    Result<ClientReply> read_reply(Bytes message, bool of_transaction) const;
    Result<void> check_transaction(const PkiResponse& response) const;
    Result<void> verify_signer(const cms::SignedData& data, ClientReply& reply) const;
    std::vector<cms::KeyHolder> keys() const;

    ClientConfig config_;
    const Clock& clock_;
    crypto::Entropy& entropy_;
    ByteVec transaction_id_, nonce_, server_nonce_;
    std::optional<ByteVec> data_return_, reg_info_;
    std::vector<CertificateWish> wishes_;
    std::vector<TaggedRequest> made_;      // of enroll(), as sent
    std::vector<TaggedAttribute> proofs_;  // that go with them
};

}  // namespace estuary::cmc
