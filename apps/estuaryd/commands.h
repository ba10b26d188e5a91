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
    std::string status_url;           ///< base of the URIs in certificates; empty: made of the first host
    std::uint32_t path_length = 0;    ///< how many CAs may follow below the issuing CA
    std::string passphrase_file;      ///< empty: none (but see passphrase.h for systemd's)
};
Exit init(const InitOptions& options, const Program& program);

struct ServeOptions {
    std::filesystem::path directory;
    std::optional<std::string> listen, status_listen, cmp_listen;
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
    std::string type = "http";        ///< the protocol that it is for: http, cmp, cmc
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

struct KeyOptions {
    std::filesystem::path directory;
    std::string serial, ca;
    std::string reason;
    std::string out;                  ///< empty: standard output
    bool json = false;
};
Exit key_request_recovery(const KeyOptions& options, const Program& program);
Exit key_approve(const KeyOptions& options, const Program& program);
Exit key_deny(const KeyOptions& options, const Program& program);
Exit key_recover(const KeyOptions& options, const Program& program);
Exit key_list(const KeyOptions& options, const Program& program);

struct DecryptKeyOptions {
    std::filesystem::path directory;
    std::string id;                   ///< to remove: hexadecimal
    std::string credential, subject_pattern;
    std::string certificate;          ///< a file; empty: a shared key
    std::string key_file;             ///< "IDENTIFIER:KEY"; empty: made here
    bool json = false;
};
Exit decrypt_key_add(const DecryptKeyOptions& options, const Program& program);
Exit decrypt_key_list(const DecryptKeyOptions& options, const Program& program);
Exit decrypt_key_remove(const DecryptKeyOptions& options, const Program& program);

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
    std::optional<std::uint32_t> path_length{};   ///< likewise
    std::string passphrase_file;
    std::string root_key;             ///< where the old root's key is now; empty: in the CA's directory
    bool pem = false;
};
Exit ca_show(const CaOptions& options, const Program& program);
Exit ca_rollover(const CaOptions& options, const Program& program);

struct PackageOptions {
    std::filesystem::path directory;
    std::int64_t id = 0, after_id = 0;
    std::string file, type, to = "any", label = "default", from, until, note;
    bool every_label = false, receipt = false, plain = false, json = false, pem = false;
};
Exit package_add(const PackageOptions& options, const Program& program);
Exit package_list(const PackageOptions& options, const Program& program);
Exit package_show(const PackageOptions& options, const Program& program);
Exit package_remove(const PackageOptions& options, const Program& program);
Exit package_receipts(const PackageOptions& options, const Program& program);
Exit package_receipt(const PackageOptions& options, const Program& program);

struct CmcOptions {
    std::filesystem::path directory;
    std::string file, label = "default";
    std::string out;                  ///< empty: beside the request, as .p7c or .crp
    bool vouch = false;               ///< the operator answers for who asks
    std::string passphrase_file;
};
Exit cmc_answer(const CmcOptions& options, const Program& program);

struct CmpOptions {
    std::filesystem::path directory;
    std::vector<std::string> files;
    std::string label = "default";
    std::string out;                  ///< of a single one; empty: beside the request
    std::string passphrase_file;
};
Exit cmp_answer(const CmpOptions& options, const Program& program);

struct AuditOptions {
    std::filesystem::path directory;
    std::int64_t after_id = 0;
    std::size_t count_max = 0;        ///< 0: all
    bool json = false;
};
Exit audit_list(const AuditOptions& options, const Program& program);

Exit backup(const std::filesystem::path& directory, const std::filesystem::path& target, const Program& program);

}  // namespace estuary::daemon
