#pragma once
// The parts of ocsp::Responder; used inside this room only.
#include <unordered_map>

#include "estuary/ocsp/presigned.h"
#include "estuary/ocsp/signing.h"

namespace estuary::ocsp {

class Responder::Impl {
public:
    Impl(ResponderConfig config, StatusSource& source, const Clock& clock);
    /// Checks the configuration and prepares the signers.
    Result<void> prepare();

    AnswerPtr answer(const Request& request);
    /// From what is kept; null if it is not.
    AnswerPtr ready(const Request& request);
    bool knows(const Request& request) const;
    RefreshReport refresh(Time now, std::size_t signatures_max);
    void forget(std::string_view issuer, Bytes serial_number);

    AnswerPtr error(ResponseStatus status) const { return errors_[static_cast<std::size_t>(status)]; }
    AnswerPtr refuse(const Error& error) const;
    const ResponderConfig& config() const noexcept { return config_; }
    const Presigned& presigned() const noexcept { return presigned_; }

private:
    struct IssuerState {
        std::string name;
        std::vector<PreparedSigner> signers;
    };
    /// One CA under one hash algorithm.
    struct KnownHashes {
        std::size_t issuer = 0;
        Hash hash{};
        IssuerHashes hashes;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    /// What a request comes to: its certificates' issuers, and who signs (its place in the first issuer's list).
    struct Plan {
        std::vector<std::size_t> issuers;
        std::size_t signer = 0;
    };
    using State = std::optional<CertificateState>;

    Result<void> prepare_issuer(const Issuer& issuer);
    std::optional<std::size_t> issuer_of(const CertId& id) const;
    /// Who can answer all of the request; otherwise the status that says why nobody can.
    tl::expected<Plan, ResponseStatus> plan(const Request& request) const;
    bool can_answer_all(const PreparedSigner& signer, const std::vector<std::size_t>& issuers) const;
    /// The only certificate's key, if answers to such requests are kept.
    std::optional<PresignedKey> presigned_key(const Request& request, const Plan& plan) const;

    Result<State> status_of(std::size_t issuer, const CertId& id);
    /// Signs an answer for certificates of these states; internalError if that fails.
    AnswerPtr sign(const std::vector<CertId>& certificates, const std::vector<State>& states, const PreparedSigner& signer,
                   const ByteVec* nonce);
    AnswerPtr sign_and_keep(const PresignedKey& key, const State& state, Presigned::Ticket ticket);
    AnswerPtr answer_kept(const PresignedKey& key);
    /// Whether it was renewed, dropped or failed, counted in `report`.
    void renew(const Presigned::Due& due, Time now, RefreshReport& report);

    CertStatus say(const State& state) const;
    ByteVec response_data(const std::vector<CertId>& certificates, const std::vector<State>& states, const PreparedSigner& signer,
                          const ByteVec* nonce, const Answer& times) const;
    Time next_update(Time now, bool all_issued, const PreparedSigner& signer) const;

    ResponderConfig config_;
    StatusSource& source_;
    const Clock& clock_;
    std::vector<IssuerState> issuers_;
    std::unordered_multimap<std::string, KnownHashes, TextHash, std::equal_to<>> by_key_hash_;
    std::vector<AnswerPtr> errors_;
    Presigned presigned_;
};

}  // namespace estuary::ocsp
