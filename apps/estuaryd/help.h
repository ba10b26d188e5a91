#pragma once
// What --help says besides the options: examples that can be pasted.
#include <string_view>

namespace estuary::daemon::help {

inline constexpr std::string_view cmp = R"(A message that was carried here, for a CA without a network; the answer is
beside it, as device-1.answer.pki:
  estuaryd cmp device-1.pki
With [cmp.label.plant] that forwards and has a batch_max, several go to the CA above in one
nested message:
  estuaryd cmp --label plant device-1.pki device-2.pki
)";
inline constexpr std::string_view cmc = R"(A request on a stick, for a CA without a network:
  estuaryd cmc device-1.crq
  estuaryd cmc --vouch device-2.p10

A full PKI request (.crq) proves by itself who asks. A simple one (.p10) cannot: look at it
first (openssl req -in device-2.p10 -inform DER -text), then say --vouch.)";

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
  estuaryd init --host est.example.com --status-url http://pki.example.com
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
  estuaryd credential add base-7 --type cmp        a shared secret for CMP's MACs
)";

inline constexpr std::string_view key = R"(Several people, each under an account of their own:
  alice$ estuaryd key request-recovery 4a1f... --reason "laptop lost"
  bob$   estuaryd key approve 4a1f...
  carol$ estuaryd key approve 4a1f...
  alice$ estuaryd key recover 4a1f... --out key.p7m
A recovery agent opens it, elsewhere:
  openssl cms -decrypt -inform PEM -in key.p7m -recip agent.pem -inkey agent.key -out package.der

A client asks by itself with `estuary cmp krr`, where the label has recover_keys; what it asks
for is listed with who asked and with the key that it wants its keys encrypted to:
  bob$   estuaryd key list
  bob$   estuaryd key approve 4a1f...     # carol, too; or:  estuaryd key deny 4a1f... --reason "not you"

Who may approve, and how many must, is in [keys.recovery] of estuary.toml(5).
)";

inline constexpr std::string_view decrypt_key = R"(Examples:
  estuaryd decrypt-key add --credential device-1 > device-1.decrypt-key
  estuaryd decrypt-key add --certificate device-2-encryption.pem --subject CN=device-2
The first makes a shared key and prints IDENTIFIER:KEY once; the device reads that:
  estuary enroll ... --server-key --decrypt-key device-1.decrypt-key
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
  estuaryd cert revoke device-17.pem --reason superseded
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

inline constexpr std::string_view package_add = R"(The package waits until its clients fetch it over EST (RFC 8295): they find it in
their package list (/pal). A label offers that when estuary.toml has
packages = ["certificate"] for it. FILE is DER or PEM; peers' certificates may be
plain certificates. Only the outer layers are checked: what the package means,
and whether its signature is to be believed, is its reader's business.

Types: 0003 ee-certificate, 0021 asymmetric-key, 0022 asymmetric-key-pkcs12,
0024 symmetric-key, 0026 firmware, 0028 tamp-status-query, 0030
trust-anchor-update, 0032 apex-trust-anchor-update, 0034 community-update,
0036 sequence-number-adjust.

Examples:
  estuaryd package add firmware-1.7.cms --type firmware --receipt
  estuaryd package add key.cms --type symmetric-key --to subject:CN=dev-17
  estuaryd package add peers.pem --type ee-certificate --to serial:6740a1b2c3... \
      --until 90d
)";

inline constexpr std::string_view package_list = R"(One line a package that waits: number, type, label, whom it is for.

Examples:
  estuaryd package list
  estuaryd package show 7
  estuaryd package show 7 --pem > package.pem
)";

inline constexpr std::string_view package_receipts = R"(Receipts, responses, confirms and errors that clients returned, oldest first; of
one package, or of all. A signature on them was verified when they came.

Examples:
  estuaryd package receipts
  estuaryd package receipts 7 --json
  estuaryd package receipt 3 > receipt.pem
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
