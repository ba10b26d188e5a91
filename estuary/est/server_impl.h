#pragma once
// The parts of est::Server; used inside this room only.
#include <unordered_map>

#include "estuary/est/authenticator.h"
#include "estuary/est/keygen.h"
#include "estuary/est/pal.h"

namespace estuary::est {

/// In lines (see Server::serve for who gets one line); old clients want the field that RFC 8951 says to ignore.
http::Response base64_response(std::string_view media_type, Bytes der);
http::Response wrong_method(std::string_view allow);
http::Response pending_response(const authority::Pending& pending);
/// Nothing if the request says that it is PKCS #10; the answer otherwise. Content-Transfer-Encoding is ignored (RFC 8951 3).
std::optional<http::Response> wrong_media_type(const http::Request& request);
/// RFC 7616 3.4: failed logins are logged, without the user name, which may be a password typed into the wrong place. The
/// first request of a client that waits to be asked is none.
void log_login(const http::Request& request, const http::Peer& peer, std::string_view label, unsigned status);
void log_refusal(std::string_view operation, std::string_view label, const authority::Principal& principal, const Error& error);

class Server::Impl {
public:
    Impl(ServerConfig config, authority::Authority& authority, const Clock& clock, crypto::Entropy& entropy);
    /// Checks the labels and prepares what each of them publishes.
    Result<void> prepare();

    bool is_quick(const http::Request& request) const noexcept { return prepared_for(request) != nullptr; }
    http::Response serve(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);

private:
    struct LabelState {
        Label config;
        std::string ca;
        http::Response cacerts, csrattrs;
        std::size_t cacerts_octets = 0, csrattrs_octets = 0;   // of their DER, as the PAL tells them
        bool key_establishment = false;                        // the profile's keys do not sign
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    Result<void> prepare_label(const Label& label);
    void publish(const LabelState& state);
    /// The ready answer to a GET or HEAD of a target spelled as usual that needs no authentication; null otherwise.
    const http::Response* prepared_for(const http::Request& request) const noexcept;
    http::Response route(const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);
    http::Response crls(const LabelState& label) const;
    http::Response csrattrs(const LabelState& label, const http::Request& request, const http::Peer& peer);
    /// With `item`, a GET: the outcome of a request that was sent before, which a person has decided since (RFC 8295 9).
    http::Response full_cmc(const LabelState& label, const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);
    http::Response enroll(const LabelState& label, authority::Verb verb, const http::Request& request, const http::Peer& peer,
                          store::UnitOfWork& work, std::string_view item = {});
    /// challengePassword and its kin: what must hold before the authority is asked.
    Result<x509::SignedRequest> decided_request(const LabelState& label, const authority::Principal& who, std::string_view item);

    // server_keygen.cpp
    http::Response serverkeygen(const LabelState& label, const http::Request& request, const http::Peer& peer, store::UnitOfWork& work);
    Result<http::Response> make_key(const LabelState& label, const authority::Principal& who, const http::Request& request,
                                    const http::Peer& peer, store::UnitOfWork& work);
    Result<KeyDelivery> delivery_for(const LabelState& label, const std::vector<x509::Attribute>& attributes) const;

    // server_packages.cpp, server_pal.cpp: RFC 8295
    http::Response packages(const LabelState& label, const Target& target, const http::Request& request, const http::Peer& peer,
                            store::UnitOfWork& work);
    http::Response package(const authority::PackageClient& client, const Target& target, bool look_only, store::UnitOfWork& work);
    http::Response take_receipt(const authority::PackageClient& client, const Target& target, const http::Request& request,
                                const http::Peer& peer, store::UnitOfWork& work);
    Result<std::string> receipt_signer(Bytes der, const http::Peer& peer);
    http::Response pal(const LabelState& label, const authority::PackageClient& client, const Target& target,
                       const http::Request& request);
    Result<Pal> list(const LabelState& label, const authority::PackageClient& client, std::string_view page, const std::string& base);
    Result<void> list_own(const LabelState& label, const authority::PackageClient& client, const std::string& base, Pal& into);
    Result<void> list_enrollment(const LabelState& label, const authority::PackageClient& client, const std::string& base, Pal& into);
    Result<void> list_packages(const authority::PackageClient& client, std::string_view page, const std::string& base, Pal& into);
    Result<ByteVec> crls_message(const LabelState& label) const;

    Result<void> check_one_time_password(const std::vector<x509::Attribute>& attributes, const authority::Principal& principal);

    ServerConfig config_;
    authority::Authority& authority_;
    const Clock& clock_;
    Authenticator authenticator_;
    std::map<std::string, LabelState, std::less<>> labels_;   // enabled ones
    std::unordered_map<std::string, const http::Response*, Hash, std::equal_to<>> prepared_;  // by target, into labels_
};

}  // namespace estuary::est
