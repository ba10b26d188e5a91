#pragma once
// The commands, each a function of its options. cli.cpp makes the options from a command line.
#include <optional>
#include <vector>

#include "apps/estuaryd/program.h"

namespace estuary::daemon {

struct InitOptions {
    std::filesystem::path directory;
    std::string name = "Estuary";
    std::vector<std::string> hosts;   ///< empty: localhost and this machine's name
    std::string key_type = "p256";
    std::string passphrase_file;      ///< empty: none (but see passphrase.h for systemd's)
};
Exit init(const InitOptions& options, const Program& program);

struct ServeOptions {
    std::filesystem::path directory;
    std::optional<std::string> listen, status_listen;
    std::string passphrase_file;
};
Exit serve(const ServeOptions& options, const Program& program);

struct CheckOptions {
    std::filesystem::path directory;
    std::string passphrase_file;
};
Exit check(const CheckOptions& options, const Program& program);

struct CredentialAddOptions {
    std::filesystem::path directory;
    std::string name;
    std::string password_file;        ///< empty: generate one, or read standard input
    bool password_stdin = false;
    std::string uses = "1";           ///< a number or "unlimited"
    std::string expires = "7d";       ///< a duration or "never"
    std::string profile;              ///< empty: that of the default label; "any": not bound
    std::vector<std::string> subject_patterns, san_patterns;
    bool digest = false, quiet = false;
};
Exit credential_add(const CredentialAddOptions& options, const Program& program);
Exit credential_list(const std::filesystem::path& directory, bool json, const Program& program);
Exit credential_remove(const std::filesystem::path& directory, const std::string& name, const Program& program);

struct CertListOptions {
    std::filesystem::path directory;
    std::string serial, subject, san, status = "any", requester, ca, expiring_before, expiring_within;
    std::size_t count_max = 0;        ///< 0: all
    bool json = false, pem = false;
};
Exit cert_list(const CertListOptions& options, const Program& program);

struct CertOptions {
    std::filesystem::path directory;
    std::string serial, ca;
    bool json = false, pem = false;
    std::string reason = "unspecified";
    std::string invalidity_date;      ///< empty: not given
};
Exit cert_show(const CertOptions& options, const Program& program);
Exit cert_revoke(const CertOptions& options, const Program& program);
Exit cert_release(const CertOptions& options, const Program& program);

struct CrlOptions {
    std::filesystem::path directory;
    std::string ca;                   ///< empty: all
    std::optional<unsigned> shard;    ///< nothing: all
    bool complete = false, delta = false, root = false, json = false;
    std::string root_key;             ///< empty: in the CA's directory
    std::string validity = "180d";    ///< of the root's list
    std::string passphrase_file;
};
Exit crl_publish(const CrlOptions& options, const Program& program);
Exit crl_show(const CrlOptions& options, const Program& program);

struct RequestOptions {
    std::filesystem::path directory;
    std::int64_t id = 0;
    std::string reason;
    std::string state = "pending";    ///< of the list; "any" for all
    bool json = false, pem = false;
};
Exit request_list(const RequestOptions& options, const Program& program);
Exit request_show(const RequestOptions& options, const Program& program);
Exit request_decide(const RequestOptions& options, bool approve, const Program& program);

struct CaOptions {
    std::filesystem::path directory;
    std::string ca = "issuing";
    std::string name, key_type;       ///< of the new generation; empty: as before
    std::string passphrase_file;
    std::string root_key;             ///< where the old root's key is now; empty: in the CA's directory
    bool pem = false;
};
Exit ca_show(const CaOptions& options, const Program& program);
Exit ca_rollover(const CaOptions& options, const Program& program);

struct AuditOptions {
    std::filesystem::path directory;
    std::int64_t after_id = 0;
    std::size_t count_max = 0;        ///< 0: all
    bool json = false;
};
Exit audit_list(const AuditOptions& options, const Program& program);

Exit backup(const std::filesystem::path& directory, const std::filesystem::path& target, const Program& program);

}  // namespace estuary::daemon
