#pragma once
// The configuration file as values. What the file says is read once, whole; every fault is collected with its line.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "estuary/authority/key_pool.h"
#include "estuary/authority/key_recovery.h"
#include "estuary/authority/profile.h"
#include "estuary/base/log.h"
#include "estuary/cmc/http_server.h"
#include "estuary/cmp/http_server.h"
#include "estuary/est/server.h"
#include "estuary/net/server.h"
#include "estuary/ocsp/status_check.h"

namespace estuary::daemon {

/// Where something stands in a file. Line 0: the file as a whole.
struct Place {
    std::string file;
    unsigned line = 0;
    std::string key;  ///< "profile.device.validity"
};

struct Fault {
    Place place;
    std::string message;  ///< what is wrong and what would be right
    bool warning = false; ///< not wrong yet: an expiry that comes near
};
/// "/srv/estuary-data/estuary.toml:12: profile.device.validty: unknown key; did you mean 'validity'?"
std::string to_string(const Fault& fault);

/// The name of a file or directory in the configuration, made absolute against the data directory.
struct FileName {
    std::filesystem::path path;
    Place place;
    bool given() const noexcept { return !path.empty(); }
};

/// [ca.NAME.crl]: how its revocation lists are made (RFC 5280 5).
struct CrlSection {
    bool present = false;
    Place place, shards_place;
    unsigned shards = 1;
    Seconds validity{7 * 86400};   ///< of a complete list, thisUpdate to nextUpdate
    Seconds interval{86400};       ///< from one complete list to the next; what is left of the validity is the overlap
    bool deltas = false;
    Seconds delta_validity{86400};
    Seconds delta_interval{3600};
};

/// [ca.NAME.ocsp]: how its responder answers (RFC 6960).
struct OcspSection {
    bool present = false;
    Place place;
    bool enabled = true;
    std::string key_type = "p256"; ///< of the delegated responder
    Seconds validity{12 * 3600};   ///< of an answer, thisUpdate to nextUpdate; the shortest of all CAs counts
    std::size_t presign = 100'000; ///< answers kept in memory; 0: none of any CA's
};

/// [status]: where relying parties learn of revocation. Absent: nowhere, and nothing about it is written into certificates.
struct StatusSection {
    Place place;
    bool present = false;
    std::vector<net::Listen> listen;   ///< plain HTTP; empty: another web server serves the directory
    std::string url;                   ///< base of the URIs in certificates, without "/" at its end; empty: none are written
    FileName directory;                ///< of the CRL files
    bool never_issued_is_revoked = false;   ///< OCSP of a serial number that was never issued (RFC 6960 2.2)
    Seconds archive{10 * 365 * 86400LL};    ///< OCSP answers for certificates that expired so long ago; 0: it does not say
};

/// [ca.NAME.upstream]: the CA is another's, and this server a registration authority in front of it (RFC 9483 5).
struct UpstreamSection {
    bool present = false;
    Place place;
    http::Url url;                         ///< where it speaks CMP
    std::string name;                      ///< NAME of /.well-known/cmp/p/NAME there; empty: none
    FileName certificate, key;             ///< this server's own, with id-kp-cmcRA
    FileName trust;                        ///< anchors of who signs the answers; not given: the end of the CA's chain
    std::string profile;                   ///< certProfile of requests; empty: absent
    std::chrono::milliseconds timeout{30'000};
    unsigned concurrent_max = 4;           ///< requests that wait for it at a time
};

/// [ca.NAME]: either a directory in the layout of ca_directory.h, or files of the operator's own choice.
struct CaSection {
    std::string name;
    Place place;
    FileName directory;
    FileName certificate, chain, rollover;
    std::string key;  ///< path, or "pkcs11:…" URI
    Place key_place;
    CrlSection crl;
    OcspSection ocsp;
    UpstreamSection upstream;
};

struct TlsSection {
    Place place;
    FileName certificate, key;
    std::string ca;                  ///< which of our CAs issues the server's own certificate; empty: it comes from elsewhere
    std::vector<std::string> hosts;  ///< DNS names and addresses in that certificate
    Place hosts_place;
    std::string key_type = "p256";
    std::string ciphers;             ///< OpenSSL's list for TLS 1.2; empty: net's own choice
};

struct ManufacturerSection {
    std::string name;
    FileName anchors;
    ocsp::PeerCheck check_status = ocsp::PeerCheck::soft;  ///< whether its certificates are revoked, by its own OCSP and CRLs
    bool public_addresses_only = true;                     ///< those at other addresses are not asked
};

/// [cmc]: Certificate Management over CMS (RFC 5272, RFC 10002). Absent: it is not spoken.
struct CmcSection {
    bool present = false;
    Place place;
    std::map<std::string, Place> label_places;
    std::string key_type = "p256";         ///< of who signs the answers
    std::vector<cmc::HttpPath> paths;      ///< where it is spoken over HTTP, on the main listener
    std::map<std::string, Place> fullcmc;  ///< labels that EST offers as /fullcmc
    cmc::ServerConfig server;
};

/// Where CMP is spoken directly over TCP, and under which label: "*:829", "*:830=line7".
struct CmpTcpListen {
    net::Listen listen;
    std::string label;   ///< its path; "": the default
};

/// [cmp]: the Certificate Management Protocol (RFC 9810, RFC 9811). Absent: it is not spoken.
struct CmpSection {
    bool present = false;
    Place place;
    std::map<std::string, Place> label_places;
    std::vector<net::Listen> listen;   ///< plain HTTP, for CMP alone
    bool https = false;                ///< on the main listener, too
    std::vector<CmpTcpListen> tcp_listen;   ///< without HTTP, as before RFC 6712
    bool signs_with_ca_key = false;    ///< answers are signed by the CA itself, not by a certificate of the server's
    std::string key_type = "p256";     ///< of that certificate
    std::string agreement_key_type = "p256";   ///< of the key that agrees with those of clients
    cmp::HttpConfig http;
    cmp::ServerConfig server;
};

/// [keys]: private keys that are made here for others (RFC 7030 4.4), and who gets archived ones back.
struct KeysSection {
    Place place, recovery_place;
    authority::KeyPoolOptions pool;
    bool ready_given = false;             ///< [keys.ready] says how many are kept ready
    FileName recovery_agents;             ///< certificates for which keys are archived
    FileName online_agent;                ///< certificate of the one that this server opens archived keys as; not given: of none
    std::string online_agent_key;         ///< path, or "pkcs11:…" URI
    Place online_agent_key_place;
    authority::RecoveryRules recovery;
};

struct SecuritySection {
    FileName password_key;      ///< keys the hashes of generated passwords
    FileName blocked_keys;
    FileName passphrase_file;   ///< of the private keys
    unsigned slow_hashes_max = 2;
};

struct Configuration {
    std::filesystem::path directory;  ///< the data directory, absolute
    std::filesystem::path file;       ///< its estuary.toml

    std::vector<net::Listen> listen;
    net::Limits limits;
    unsigned io_threads = 0, worker_threads = 0;
    Seconds drain_timeout{30};

    TlsSection tls;
    StatusSection status;
    std::vector<CaSection> cas;
    std::vector<authority::Profile> profiles;
    std::map<std::string, Place> profile_places;
    std::vector<ManufacturerSection> manufacturers;
    est::ServerConfig est;
    KeysSection keys;
    CmpSection cmp;
    CmcSection cmc;
    FileName database;
    std::size_t cache_bytes = 8u << 20;
    log::Level log_level = log::Level::info;
    std::optional<net::Listen> metrics;
    SecuritySection security;
};

/// What reading gave: the configuration only where there is no fault at all.
struct ReadConfiguration {
    std::optional<Configuration> configuration;
    std::vector<Fault> faults;
};
/// Reads DIR/estuary.toml.
ReadConfiguration read_configuration(const std::filesystem::path& directory);
/// The same from text; `file` is only named in faults.
ReadConfiguration parse_configuration(std::string_view text, const std::filesystem::path& directory,
                                      const std::filesystem::path& file);

/// "127.0.0.1:8443", "[::1]:8443", "*:8443", ":8443".
Result<net::Listen> parse_listen(std::string_view text);
/// What parse_listen reads.
std::string to_string(const net::Listen& listen);

/// estuary.toml of a new installation, with comments that teach.
struct NewConfiguration {
    std::string name;
    std::vector<std::string> hosts;
    std::string key_type;
    std::string passphrase_file;  ///< empty: keys are not encrypted, or the passphrase comes as a systemd credential
    std::string status_url{};     ///< empty: made of the first host
};
std::string new_configuration_text(const NewConfiguration& wanted);

}  // namespace estuary::daemon
