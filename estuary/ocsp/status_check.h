#pragma once
// Whether a certificate is revoked: what an OCSP responder or CRLs say, believed only as far as it is proved (RFC 6960, RFC 5280
// 6.3). For the client's questions, and for both programs' judgement of their peers.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estuary/base/clock.h"
#include "estuary/http/grammar.h"
#include "estuary/http/message.h"
#include "estuary/x509/crl.h"

namespace estuary::ocsp {

/// Brings the answer to a request, of at most so many octets. The network in the programs, given octets in tests.
using Fetch = std::function<Result<http::Response>(const http::Url&, const http::Request&, std::size_t body_bytes_max)>;

inline constexpr std::size_t ocsp_bytes_max = 64u << 10;
inline constexpr std::size_t crl_bytes_max = 256u << 20;

/// A CRL by GET from an http or https address. unavailable, unsupported: what HTTP says; malformed, too_large.
Result<x509::RevocationList> fetch_list(const std::string& uri, const Fetch& fetch, std::size_t bytes_max);

enum class NonceUse : std::uint8_t {
    offered,   ///< sent; an answer without it is taken if it is fresh, for many responders sign in advance
    required,  ///< an answer without it is refused
    left_out,  ///< not sent: caches on the way can answer
};

struct GivenList {
    x509::RevocationList list;
    std::string from;  ///< its file
};

struct StatusOptions {
    bool ocsp = true, crl = true;
    std::string responder_url, crl_url;  ///< instead of what the certificate says
    std::vector<GivenList> lists;        ///< complete and delta CRLs at hand: instead of fetching any
    NonceUse nonce = NonceUse::offered;
    std::optional<Seconds> age_max;      ///< older answers are refused, whatever their nextUpdate says
    std::size_t crl_bytes_max = ocsp::crl_bytes_max;
    /// Brings the CRL of an address: a memory that need not fetch it again. Empty: fetch_list.
    std::function<Result<x509::RevocationList>(const std::string& uri)> list_source = {};
};

/// Whose status is wanted.
struct Subject {
    x509::Certificate certificate;
    x509::Certificate issuer;                  ///< has signed it
    std::vector<x509::Certificate> others;     ///< may have signed CRLs: a CA's next key, issuers of indirect CRLs
    std::vector<x509::Certificate> anchors;    ///< that those others must chain to; empty: to the issuer
};

enum class Standing : std::uint8_t { good, revoked, unknown };
std::string_view to_string(Standing standing) noexcept;

/// What was believed.
struct Finding {
    Standing standing = Standing::unknown;
    Time revoked_at{};
    x509::CrlReason reason = x509::CrlReason::unspecified;
    std::optional<Time> invalidity_date;

    bool by_ocsp = false;               ///< otherwise by CRL
    std::string source;                 ///< URL or file
    std::string delta_source;           ///< of the delta CRL that was taken into account; empty: none
    std::string signer;                 ///< subject of who signed
    Time this_update{};
    std::optional<Time> next_update;    ///< until when it holds; nothing: the source does not say
    bool nonce_matched = false;
    std::vector<std::string> notes;
};

/// A source that was asked in vain.
struct Attempt {
    std::string source;
    Error error;
};

struct StatusReport {
    Standing standing = Standing::unknown;
    std::optional<Finding> finding;     ///< nothing: nobody said anything that could be believed
    std::vector<Attempt> attempts;      ///< in vain, in order
    std::vector<std::string> notes;

    /// Nobody could be reached, so it may be otherwise later.
    bool unreachable() const;
};

/// Asks the responders, then the CRLs, until one of them says good or revoked. An unknown of a responder outweighs a CRL that
/// does not list the certificate: a CRL knows nothing of certificates that were never issued.
StatusReport check_status(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now);

/// One responder. not_found and others as ocsp::verify() has them.
Result<Finding> ask_responder(const Subject& subject, const std::string& url, const StatusOptions& options, const Fetch& fetch,
                              Time now);
/// The CRLs that the certificate or the options name; nothing if no reliable answer came of it, with the reasons in `attempts`.
std::optional<Finding> ask_crls(const Subject& subject, const StatusOptions& options, const Fetch& fetch, Time now,
                                std::vector<Attempt>& attempts);

/// How far a peer has to be known to be good.
enum class PeerCheck : std::uint8_t {
    off,
    soft,  ///< fail-open: a revoked certificate is refused, one of which nobody can tell is not
    hard,  ///< fail-closed: only a good certificate will do
};

/// Of a whole path: no better than the worst of its certificates.
struct PathReport {
    Standing standing = Standing::good;
    x509::Certificate certificate;  ///< which of them it is that is revoked, or unknown; the end entity where all are good
    StatusReport report;            ///< of that one
};
using CheckOne = std::function<StatusReport(const Subject& subject)>;
/// Every certificate of a verified path (end entity first, anchor last) but the anchor, from the end entity on until one is revoked
/// (RFC 5280 6.1.3 (a) (3)). `path` is not empty; `anchors` as Subject::anchors.
PathReport check_path(const std::vector<x509::Certificate>& path, const std::vector<x509::Certificate>& anchors, const CheckOne& check);

/// Why a peer with such a path is refused; nothing: it is not. `whose`: "the server's". not_authorised; unavailable: nobody could be
/// reached, so it may be otherwise later.
std::optional<Error> objection(const PathReport& path, PeerCheck mode, std::string_view whose);
/// What was asked in vain, for a warning or a log.
std::string why_unknown(const StatusReport& report);

/// What all sources have in common: an answer of the future, of the past, or older than allowed. policy.
Result<void> check_fresh(Time this_update, std::optional<Time> next_update, std::optional<Seconds> age_max, Time now);

}  // namespace estuary::ocsp
