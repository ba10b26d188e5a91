#pragma once
// One EST server as this client sees it: URL, trust, identity; connections are opened when needed and redirects followed.
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "estuary/est/client.h"
#include "estuary/est/client_keygen.h"
#include "estuary/net/client.h"
#include "trust.h"

namespace estuary::client {

/// "host", "https://host:8443" or "https://host/.well-known/est/label": the base of the operations. A --label is put behind.
Outcome<http::Url> est_base(const std::string& url, const std::string& label);

struct HttpUser {
    std::string name;
    crypto::Secret password;
};

class Session {
public:
    Session(http::Url base, net::ClientOptions options, const Clock& clock);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    /// Called with each new connection before anything is sent on it; an error closes it. What TLS itself needs, a client
    /// certificate too, has gone over by then.
    using PeerCheck = std::function<Outcome<void>(const net::Connection&)>;
    void set_peer_check(PeerCheck check) { peer_check_ = std::move(check); }
    void set_user(const HttpUser& user) { user_ = &user; }

    Outcome<std::vector<x509::Certificate>> ca_certificates();
    Outcome<est::CsrAttrs> csr_attributes();
    /// `make_request` is called with the channel bindings of the connection that will carry the request. Nothing in the
    /// result: the server wants us to wait so long.
    using MakeRequest = std::function<Result<ByteVec>(const http::ChannelBindings&)>;
    struct Enrolled {
        std::optional<x509::Certificate> certificate;
        Seconds retry_after{};
        std::optional<crypto::PrivateKey> key{};   ///< if the server made it
    };
    Outcome<Enrolled> enroll(const MakeRequest& make_request, bool renew);

    /// A key made by the server, with its certificate (RFC 7030 4.4).
    Outcome<Enrolled> server_key(const MakeRequest& make_request, const est::KeyOpener& opener, const est::CaBag& bag);

    // RFC 8295; paths as est::Client has them.
    Outcome<est::Pal> pal(const std::string& path, est::Client::PalForm form);
    Outcome<ByteVec> package(const std::string& path, const est::PalType& type);
    Outcome<void> give_back(const std::string& path, est::Operation operation, Bytes der);
    /// What of a URI is below the base of this session: "firmware/12". Nothing: it is elsewhere.
    std::optional<std::string> below(const std::string& uri) const;

private:
    Outcome<net::Connection*> connection();
    est::Client& client();
    Result<http::Response> exchange(const http::Request& request);
    /// Puts one question until it has its answer: again after a redirect, and on a new connection where the server closed the
    /// first one behind its challenge.
    template <class T, class Question>
    Outcome<std::variant<T, est::Wait>> put(std::string_view operation, const Question& question);
    /// Goes where the server points: another path of this origin only, and at most redirects_max times (RFC 7030 3.2.1).
    Outcome<bool> follow(const std::string& location, std::string_view operation);

    static constexpr int redirects_max = 3;

    http::Url base_;
    net::ClientOptions options_;
    const Clock& clock_;
    const HttpUser* user_ = nullptr;
    PeerCheck peer_check_;
    std::unique_ptr<net::Connection> connection_;
    std::optional<est::Client> client_;   // one for all requests below base_: it remembers how the server wants to be answered
    bool closed_within_ = false;          // the server closed the connection although the exchange was to go on
    int redirects_ = 0;
};

net::ClientOptions client_options(const Trust& trust);

}  // namespace estuary::client
