#pragma once
// The parts of est::Server; used inside this room only.
#include <unordered_map>

#include "estuary/est/authenticator.h"

namespace estuary::est {

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
    http::Response enroll(const LabelState& label, authority::Verb verb, const http::Request& request, const http::Peer& peer,
                          store::UnitOfWork& work);
    /// challengePassword and its kin: what must hold before the authority is asked.
    Result<void> check_one_time_password(const x509::SignedRequest& request, const authority::Principal& principal);

    ServerConfig config_;
    authority::Authority& authority_;
    Authenticator authenticator_;
    std::map<std::string, LabelState, std::less<>> labels_;   // enabled ones
    std::unordered_map<std::string, const http::Response*, Hash, std::equal_to<>> prepared_;  // by target, into labels_
};

}  // namespace estuary::est
