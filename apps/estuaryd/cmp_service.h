#pragma once
// What one configuration and its keys make of CMP. Replaced whole by a reload or when a certificate of its own was renewed; requests
// under way keep theirs.
#include "apps/estuaryd/handler.h"
#include "apps/estuaryd/program.h"
#include "estuary/cmp/http_server.h"

namespace estuary::daemon {

class CmpService {
public:
    /// Issues or renews signers where that is due; what cannot be is told to `tell`, and answers go without. Null: there is no
    /// [cmp], or it cannot be served, which is told as well.
    static std::shared_ptr<CmpService> make(std::shared_ptr<const Generation> generation, const std::string& passphrase_file,
                                            store::Store& store, const Program& program, const std::function<void(const Fault&)>& tell);

    const std::shared_ptr<const Generation>& generation() const noexcept { return generation_; }
    cmp::HttpServer& http() noexcept { return *http_; }
    cmp::Server& server() noexcept { return *server_; }
    /// A certificate of its own is due, or is missing.
    bool signers_are_due(Time now) const;

private:
    struct Maker;

    std::shared_ptr<const Generation> generation_;
    std::unique_ptr<cmp::Server> server_;
    std::optional<cmp::HttpServer> http_;
    std::vector<std::pair<Time, Time>> own_;   ///< validity of the certificates of its own
    bool lacks_signers_ = false;
};

/// The plain HTTP listener: CMP and nothing else.
class CmpHandler final : public net::Handler {
public:
    explicit CmpHandler(Gateway& gateway) : gateway_{gateway} {}
    bool is_quick(const http::Request&) const override { return false; }
    void serve(http::Request request, std::shared_ptr<const http::Peer> peer, net::ResponderPtr responder) override;

private:
    Gateway& gateway_;
};

}  // namespace estuary::daemon
