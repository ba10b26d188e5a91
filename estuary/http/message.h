#pragma once
// HTTP requests and responses as plain values, and the peer that a request came from. No sockets here.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estuary/base/bytes.h"

namespace estuary::http {

struct Header {
    std::string name;
    std::string value;
};

/// Header fields in order; names are compared without case (RFC 9110 5.1).
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<Header> fields) : fields_{fields} {}
    /// The first field of that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    /// How often a field occurs; more than one Authorization or Content-Type is refused by those who read them.
    std::size_t count(std::string_view name) const noexcept;
    void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
    void set(std::string_view name, std::string value);
    const std::vector<Header>& fields() const noexcept { return fields_; }

private:
    std::vector<Header> fields_;
};

struct Request {
    std::string method;  ///< "GET", "POST", as sent
    std::string target;  ///< path and query as sent: "/.well-known/est/label/simpleenroll"
    Headers headers;
    std::string body;  ///< whole, de-chunked
};

/// Octets that many responses share without a copy each, and whatever keeps them.
struct SharedBody {
    std::shared_ptr<const void> owner;
    std::string_view octets;
};

struct Response {
    unsigned status = 200;
    Headers headers;  ///< Content-Length, Connection and Date are added by net
    std::string body;
    bool close = false;   ///< close the connection after this response
    SharedBody shared{};  ///< with an owner: sent instead of `body`
};

/// A short plain-text error answer: "Content-Type: text/plain; charset=utf-8".
Response text_response(unsigned status, std::string_view sentence);
std::string_view reason_phrase(unsigned status) noexcept;

/// Channel bindings of the TLS session that carried the request.
struct ChannelBindings {
    ByteVec tls_unique;  ///< TLS 1.2 (RFC 5929 section 3): the first Finished; empty on TLS 1.3
    /// TLS 1.3 (RFC 9266): 32 octets of EXPORTER-Channel-Binding; on 1.2 only with extended master secret.
    ByteVec tls_exporter;
};

/// Who is at the other end of the connection, and what was proved in the TLS handshake.
struct Peer {
    std::string address;  ///< "192.0.2.1" or "2001:db8::1", without port
    bool tls = false;
    std::string tls_version;  ///< "TLSv1.2", "TLSv1.3"
    /// The client's certificate, if it sent one and proved its key. DER, end entity first. When the chain was verified to a
    /// trust anchor, the anchor is the last element; otherwise as the client sent it.
    std::vector<ByteVec> client_chain;
    bool client_verified = false;
    std::string client_verify_error;  ///< why not: "certificate has expired"
    ChannelBindings bindings;         ///< made with the first POST of a connection; empty before
};

}  // namespace estuary::http
