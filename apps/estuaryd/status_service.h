#pragma once
// What one configuration and its keys make of status: who signs CRLs, and who answers OCSP. Replaced whole by a reload or when an
// OCSP signer was renewed; requests under way keep theirs.
#include <map>

#include "apps/estuaryd/handler.h"
#include "apps/estuaryd/program.h"
#include "estuary/ocsp/server.h"

namespace estuary::daemon {

/// A CA, or a former generation of it whose certificates are still in use: lists and answers about those only count when the
/// former key signed them.
struct StatusIssuer {
    std::string ca;                     ///< its name in the store
    std::string base;                   ///< its name in files and URIs; unique
    authority::Authority* authority = nullptr;
    const CaSection* section = nullptr;
    bool former = false;

    const authority::CaConfig& config() const { return *authority->ca(ca); }
};

/// All CAs of a generation, each followed by its former ones.
std::vector<StatusIssuer> status_issuers(const Generation& generation);

/// OCSP's questions go to the authority of the issuer.
class AuthoritySource final : public ocsp::StatusSource {
public:
    void add(const StatusIssuer& issuer) { issuers_.emplace(issuer.base, issuer); }
    Result<std::optional<ocsp::CertificateState>> status(std::string_view issuer, Bytes serial_number) override;

private:
    std::map<std::string, StatusIssuer, std::less<>> issuers_;
};

struct OcspSignerState {
    std::string ca, base;
    Time not_before{}, not_after{};
};

class StatusService {
public:
    /// Issues or renews OCSP signers where that is due. Never fails: what cannot be is told to `tell`, and the rest works.
    static std::shared_ptr<StatusService> make(std::shared_ptr<const Generation> generation, const std::string& passphrase_file,
                                               store::Store& store, const Program& program,
                                               const std::function<void(const Fault&)>& tell);

    const Generation& generation() const noexcept { return *generation_; }
    const std::vector<StatusIssuer>& issuers() const noexcept { return issuers_; }
    const std::vector<OcspSignerState>& signers() const noexcept { return signers_; }
    /// Null where no CA answers OCSP.
    ocsp::Server* ocsp() noexcept { return server_ ? &*server_ : nullptr; }
    /// Its signatures (P-256, Ed25519), with a read of the database here, cost less than the way to a worker thread and back: answered
    /// where they are read (net::Handler::is_quick).
    bool signs_quickly() const noexcept { return signs_quickly_; }
    /// CA certificates, for clients that build chains: DER by file name ("issuing.cer").
    const std::map<std::string, ByteVec, std::less<>>& certificates() const noexcept { return certificates_; }

    /// A signer is due, or its file was changed.
    bool signers_are_due(Time now) const;
    void forget(std::string_view ca, Bytes serial_number);
    void refresh(Time now, std::size_t signatures_max);
    std::size_t presigned_count() const { return responder_ ? responder_->presigned_count() : 0; }

private:
    std::shared_ptr<const Generation> generation_;
    std::vector<StatusIssuer> issuers_;
    std::vector<OcspSignerState> signers_;
    bool signs_quickly_ = true;
    std::map<std::string, ByteVec, std::less<>> certificates_;
    AuthoritySource source_;
    std::unique_ptr<ocsp::Responder> responder_;
    std::optional<ocsp::Server> server_;
};

}  // namespace estuary::daemon
