// The estuary.toml of a new installation. Its comments are the first lesson; docs/configuration.md is the whole book.
#include <algorithm>

#include <fmt/format.h>

#include "apps/estuaryd/config.h"

namespace estuary::daemon {
namespace {

/// A TOML basic string.
std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

/// The first host as relying parties write it in a URI.
std::string usual_status_url(const std::vector<std::string>& hosts) {
    const auto host = hosts.empty() ? std::string{"localhost"} : hosts.front();
    const bool v6 = host.find(':') != std::string::npos;
    return v6 ? fmt::format("http://[{}]:8442", host) : fmt::format("http://{}:8442", host);
}

std::string list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts) out += (out.size() == 1 ? "" : ", ") + toml_text(text);
    return out + "]";
}

/// A CA with a key of some kind certifies that kind too: whoever makes a post-quantum CA has devices with such keys.
std::vector<std::string> with(std::vector<std::string> key_types, const std::string& own) {
    if (!own.starts_with("rsa") && std::ranges::find(key_types, own) == key_types.end()) key_types.push_back(own);
    return key_types;
}

constexpr std::string_view head = R"(# Configuration of estuaryd, the enrollment server: {name}
#
# After a change:      estuaryd check      tells every mistake with its line
#                      kill -HUP PID, or systemctl reload estuaryd
# Every key:           estuary.toml(5)
# Durations:           "90d", "12h", "1h30m"
# File names:          relative to the directory of this file

[server]
listen = ["127.0.0.1:8443"]          # "*:8443" serves everyone who can reach this machine

# Limits have sensible values without being set; see estuary.toml(5).
#[server.limits]
#connections_max = 10000

# The server's own certificate. It is issued by the CA named here, and renewed by itself.
[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
ca = "issuing"
hosts = {hosts}
key_type = "{key_type}"

# Where relying parties learn of revocation: CRLs and OCSP over plain HTTP, on a listener of its own.
# Clients of EST need none of it. URL is written into every certificate that is issued, and cannot be changed in those:
#   URL/crl/issuing-0.crl   URL/ocsp   URL/ca/issuing.cer
[status]
listen = ["127.0.0.1:8442"]          # "*:8442" for everyone; [] if another web server serves the directory crl/
url = {status_url}   # without it, nothing is written into certificates

# The CA that signs. "ca" is a link to its current generation; `estuaryd ca rollover` makes the next one.
# root.key is needed only then: move it to a safe place.
[ca.issuing]
directory = "ca"

# A list is made every "interval" and at once after a revocation; it is believed for "validity".
[ca.issuing.crl]
validity = "7d"
interval = "1d"
#shards = 16                         # many certificates: each names one of so many smaller lists
#deltas = true                       # small lists of what changed, beside the complete ones

[ca.issuing.ocsp]
validity = "12h"                     # an answer is believed for so long

# What a device's certificate holds, and what a device may ask for. Everything else is refused.
[profile.device]
ca = "issuing"
validity = "90d"
key_types = {device_keys}   # RSA: that size or larger
key_usage = ["digitalSignature"]
ext_key_usage = ["clientAuth"]
other_extensions = "drop"            # what else a request asks for: "drop" or "refuse"
#manual_approval = true              # a person decides: estuaryd request list, approve, deny

[profile.device.subject]
allowed = ["CN", "serialNumber", "O", "OU", "C", "ST", "L", "DC", "UID"]
#patterns = ["CN=dev-*,O=Example"]   # the whole subject must match one of these
#fixed = "O=Example"                 # put by the CA, whatever the request says

[profile.device.san]
allowed = ["dns", "ip", "email", "uri"]
#patterns = ["dns:*.devices.example"]

# Hosts that serve TLS. Give each credential the names that it may ask for:
#   estuaryd credential add web1 --profile server --san dns:web1.example
[profile.server]
ca = "issuing"
validity = "90d"
key_types = {server_keys}
key_usage = ["digitalSignature", "keyEncipherment"]
ext_key_usage = ["serverAuth"]

[profile.server.subject]
allowed = ["CN"]
may_be_empty = true

[profile.server.san]
allowed = ["dns", "ip"]
required = true

# EST (RFC 7030). Nobody can enroll until there is a credential: estuaryd credential add NAME
[est]
realm = "estuary"

[est.label.default]                  # https://HOST:8443/.well-known/est/simpleenroll
path = ""
profile = "device"
enroll = ["basic", "certificate"]    # any of these proves who asks; also "digest", "manufacturer:NAME"
renew = ["certificate"]
#serverkeygen = ["certificate"]      # who may have its private key made here (RFC 7030 4.4)
packages = ["certificate"]           # who may fetch what waits for it: estuaryd package add (RFC 8295)

[est.label.server]                   # https://HOST:8443/.well-known/est/server/simpleenroll
profile = "server"
enroll = ["basic"]
renew = ["certificate"]

# Devices that bring a certificate of their maker: list it above as "manufacturer:acme".
#[manufacturer.acme]
#anchors = "acme-roots.pem"
#check_status = "soft"               # by its OCSP and CRLs; "hard" refuses where nobody can tell

[database]
path = "estuary.db"

[log]
level = "info"                       # debug, info, warning, error; lines go to standard error

# Counters for Prometheus, over plain HTTP.
#[metrics]
#listen = "127.0.0.1:9443"

[security]
password_key = "secrets/password.key"
)";

}  // namespace

std::string new_configuration_text(const NewConfiguration& wanted) {
    auto text = fmt::format(fmt::runtime(head), fmt::arg("name", wanted.name), fmt::arg("hosts", list(wanted.hosts)),
                            fmt::arg("status_url", toml_text(wanted.status_url.empty() ? usual_status_url(wanted.hosts) : wanted.status_url)),
                            fmt::arg("key_type", wanted.key_type),
                            fmt::arg("device_keys", list(with({"p256", "p384", "p521", "ed25519", "rsa2048"}, wanted.key_type))),
                            fmt::arg("server_keys", list(with({"p256", "p384", "ed25519", "rsa2048"}, wanted.key_type))));
    if (wanted.passphrase_file.empty()) {
        text += "#passphrase_file = \"/etc/estuary/passphrase\"   # of the private keys; or the systemd credential estuary-passphrase\n";
    } else {
        text += fmt::format("passphrase_file = {}\n", toml_text(wanted.passphrase_file));
    }
    return text + "#blocked_keys = \"blocked-keys.txt\"         # SHA-256 of subject public key infos that are never certified\n";
}

}  // namespace estuary::daemon
