#include "apps/estuaryd/cmp_tcp.h"

#include "estuary/cmp/tcp_server.h"

namespace estuary::daemon {
namespace {

/// What net asks of a framing, by what the room knows of this one.
class CmpTcpFraming final : public net::Framing {
public:
    CmpTcpFraming(std::string_view label, std::size_t value_octets_max) : side_{label, value_octets_max} {}

    std::size_t feed(std::string_view octets) override { return side_.feed(octets); }
    State state() const noexcept override {
        switch (side_.state()) {
            case cmp::TcpReader::State::complete: return State::complete;
            case cmp::TcpReader::State::refused: return State::refused;
            case cmp::TcpReader::State::reading: break;
        }
        return State::reading;
    }
    bool started() const noexcept override { return side_.started(); }
    bool closes() const noexcept override { return side_.closes(); }
    const http::Refusal& refusal() const noexcept override { return side_.refusal(); }
    http::Request take() override { return side_.take(); }
    bool cut() override { return side_.cut(); }
    bool write(std::string& to, const http::Response& response, const Last& last) override {
        side_.write(to, response, last.close);
        return false;
    }

private:
    cmp::TcpServerSide side_;
};

}  // namespace

net::ServerOptions cmp_tcp_options(const Configuration& configuration) {
    net::ServerOptions options;
    std::vector<std::string> labels;
    for (const auto& each : configuration.cmp.tcp_listen) {
        options.listen.push_back(each.listen);
        labels.push_back(each.label);
    }
    options.limits = configuration.limits;
    options.io_threads = configuration.io_threads;
    options.worker_threads = configuration.worker_threads;
    options.server_name = "cmp over tcp";
    options.framing = [labels, octets = configuration.limits.body_bytes_max](std::size_t listener) {
        return std::make_unique<CmpTcpFraming>(labels[listener], octets);
    };
    return options;
}

}  // namespace estuary::daemon
