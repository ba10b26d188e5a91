#pragma once
// What --help says besides the options: examples that can be pasted.
#include <string_view>

namespace estuary::daemon::help {

inline constexpr std::string_view program = R"(A first enrollment, on one machine:
  estuaryd init --name Example
  estuaryd serve &
  estuaryd credential add device-1 --quiet > password
  estuary enroll https://localhost:8443 --trust estuary-data/ca/root.pem \
      --subject CN=device-1 --user device-1 --password-file password --out device-1

The data directory is --dir, or $ESTUARY_DIR, or ./estuary-data.
Exit status: 0 done, 1 failed, 2 wrong command line, 3 refused or not found
(nothing was changed). Manual: estuaryd(8), estuary.toml(5).
)";

inline constexpr std::string_view init = R"(Makes the directory with a root CA, an issuing CA, the server's certificate,
estuary.toml and an empty database. Never overwrites anything, asks nothing.

Examples:
  estuaryd init
  estuaryd init --dir /var/lib/estuary --name "Example Devices" \
      --host est.example.com --host 192.0.2.10
  estuaryd init --key-type p384 --passphrase-file /etc/estuary/passphrase
Under systemd, LoadCredential=estuary-passphrase:FILE takes the place of
--passphrase-file.
)";

inline constexpr std::string_view serve = R"(Serves until SIGTERM or SIGINT, then finishes what is under way and ends with 0;
a second signal ends it at once. SIGHUP reads configuration, keys and
certificates again; if they are wrong, the former ones stay in use.

Examples:
  estuaryd serve
  estuaryd serve --dir /var/lib/estuary --listen '*:8443'
)";

inline constexpr std::string_view check = R"(Reads everything that serve would read, and the whole database, and tells each
fault with file, line and key. Ends with 1 if there is any.

Example:
  estuaryd check --dir /var/lib/estuary && systemctl reload estuaryd
)";

inline constexpr std::string_view credential_add = R"(Without a password, one of 128 random bits is made, and printed this once.
Patterns: '*' stands for any run of characters within one attribute or label.

Examples:
  estuaryd credential add device-1                 one use, seven days
  pw=$(estuaryd credential add device-2 --quiet)   only the password on stdout
  estuaryd credential add factory --uses 500 --expires 30d --subject 'CN=dev-*'
  estuaryd credential add web1 --profile server --san dns:web1.example.com
)";

inline constexpr std::string_view cert_list = R"(Examples:
  estuaryd cert list --status valid --expiring-within 14d
  estuaryd cert list --subject dev-17 --pem
  estuaryd cert list --json | jq -r '.[] | [.serial, .subject] | @tsv'
)";

inline constexpr std::string_view cert_revoke = R"(The certificate is refused by every endpoint from then on; OCSP and the CRL of
its shard tell it within seconds while estuaryd serves. The answer says where.
Reasons (RFC 5280): unspecified, keyCompromise, cACompromise,
affiliationChanged, superseded, cessationOfOperation, certificateHold,
privilegeWithdrawn, aACompromise. Only certificateHold can be undone:
estuaryd cert release.

Examples:
  estuaryd cert revoke 6740a1b2c3... --reason keyCompromise \
      --invalidity-date 2026-11-01
  estuaryd cert revoke 6740a1b2c3... --reason certificateHold
)";

inline constexpr std::string_view cert_release = R"(For certificates revoked with --reason certificateHold: they are good again, at
once for this server and OCSP, and with the next CRL for others.

Example:
  estuaryd cert release 6740a1b2c3...
)";

inline constexpr std::string_view crl_publish = R"(A serving estuaryd publishes by itself: on schedule, and within seconds after a
revocation. This is for when it does not run, and for the offline root, whose
key is needed only for it. Works beside a running server.

Examples:
  estuaryd crl publish
  estuaryd crl publish --ca issuing --shard 3 --complete
  estuaryd crl publish --root --root-key /media/SAFE/root.key
)";

inline constexpr std::string_view crl_show = R"(One line a list: file, number, entries, times, whether the file is there, URI.

Examples:
  estuaryd crl show
  estuaryd crl show --json | jq -r '.[] | [.uri, .next_update] | @tsv'
)";

inline constexpr std::string_view request = R"(For profiles with manual_approval = true: the client is told to wait, and gets
its certificate when it asks again after the approval.

Examples:
  estuaryd request list
  estuaryd request show 7
  estuaryd request approve 7
  estuaryd request deny 8 --reason "unknown device"
)";

inline constexpr std::string_view ca_rollover = R"(Makes a new root and issuing CA, and the certificates that link old and new root
(RFC 7030 4.1.3). Takes effect when the server is told to reload.

Examples:
  estuaryd ca rollover && systemctl reload estuaryd
  estuaryd ca rollover --root-key /media/SAFE/root.key
)";

inline constexpr std::string_view audit_list = R"(One line an event: number, time, event, outcome, who, what, detail.

Examples:
  estuaryd audit list
  estuaryd audit list --after 1000 --json
)";

inline constexpr std::string_view backup = R"(A consistent copy of the database, also while the server runs. Says which other
files belong to a backup.

Example:
  estuaryd backup /var/backups/estuary-$(date +%F).db
)";

}  // namespace estuary::daemon::help
