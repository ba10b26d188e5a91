#pragma once
// EST's client (RFC 7030): the same protocol from the other bank. The transport is passed in, so that it runs over any.
#include <functional>
#include <variant>

#include "estuary/est/messages.h"
#include "estuary/est/packages.h"
#include "estuary/http/message.h"

namespace estuary::est {

/// Sends one request over an authenticated connection and returns the answer.
using Exchange = std::function<Result<http::Response>(const http::Request&)>;

struct HttpCredentials {
    std::string user;
    crypto::Secret password;
};

/// Retry later (202): seconds as the server said, at least 1.
struct Wait {
    Seconds retry_after{};
};
/// Redirected (3xx) elsewhere: same scheme, the caller decides (RFC 7030 3.2.1).
struct Redirect {
    std::string location;
};
template <class T>
using Answer = std::variant<T, Wait, Redirect>;

struct CaBag;
struct KeyOpener;
struct ServerKey;

class Client {
public:
    /// `base_path` is "/.well-known/est" and a label, or the path of the URL that the user gave.
    Client(Exchange exchange, std::string host, std::string base_path, const Clock& clock);
    /// Answers a 401 with Basic or Digest (SHA-256 preferred over Basic); only set over an authenticated server.
    void set_credentials(HttpCredentials credentials);

    Result<Answer<std::vector<x509::Certificate>>> ca_certificates();
    /// Nothing to ask: empty attributes (204, 404 or an empty body).
    Result<Answer<CsrAttrs>> csr_attributes();
    /// One certificate whose key is the request's.
    Result<Answer<x509::Certificate>> enroll(Bytes request_der, bool renew);
    /// A key made by the server, and its certificate: see client_keygen.h. The request's own key and signature need not count.
    Result<Answer<ServerKey>> server_key(Bytes request_der, const KeyOpener& opener, const CaBag& bag);

    // RFC 8295. `path` is what stands behind the base path: "pal", "pal/new-7", "firmware/12", "firmware/return/12".
    enum class PalForm : std::uint8_t { either, xml, json };   ///< what the Accept field asks for
    Result<Answer<Pal>> pal(std::string_view path = "pal", PalForm form = PalForm::either);
    /// The DER of a package. `type`: what the PAL says of it; the media type and the layers must be those. Signatures are
    /// not looked at: verify_package() and its kin.
    Result<Answer<ByteVec>> package(std::string_view path, const PalType& type);
    /// Returns a receipt or error; true.
    Result<Answer<bool>> give_back(std::string_view path, Operation operation, Bytes der);
    /// The certificate that a request was answered with (RFC 8295 9).
    Result<Answer<x509::Certificate>> outcome(std::string_view path);

private:
    http::Request request_for(std::string_view path) const;
    Result<http::Response> send(http::Request request);
    std::optional<std::string> authorization(const http::Request& request);

    Exchange exchange_;
    std::string host_, base_path_;
    const Clock& clock_;
    std::optional<HttpCredentials> credentials_;
    std::optional<http::Challenge> challenge_;   // the one answered last; later requests answer it unasked
    std::uint32_t nonce_count_ = 0;
};

/// The client's wishes joined with what the server asks for (RFC 7030 4.5.2, RFC 9908): key type, subject, extensions.
struct RequestPlan {
    std::string key_type;                          ///< what to generate, if a key is to be made
    x509::RequestTemplate request;
    bool linking_wanted = false;                   ///< challengePassword asked for
    bool linking_by_attribute = false;             ///< estIdentityLinking asked for (RFC 7894): prefer it
    bool one_time_password_wanted = false;         ///< otpChallenge asked for (RFC 7894)
    bool key_encryption_wanted = false;            ///< keys made by the server leave it encrypted only (RFC 7030 4.4.1)
    std::vector<std::string> notes;                ///< what was added or could not be honoured, for the person
};
struct Wishes {
    x509::Name subject;
    std::vector<x509::GeneralName> subject_alt_names;
    std::optional<std::string> key_type;           ///< the person's choice wins over the server's, with a note
};
Result<RequestPlan> plan_request(const Wishes& wishes, const CsrAttrs& attributes);

/// The trust anchors and intermediates of a /cacerts answer (RFC 7030 4.1.3).
struct CaBag {
    /// The self-signed CA certificate that expires last comes first; then those of older keys which it vouches for (OldWithNew).
    std::vector<x509::Certificate> anchors;
    /// CA certificates with a signature path to the first anchor, OldWithNew and NewWithOld among them.
    std::vector<x509::Certificate> others;
    /// What the first anchor does not vouch for: other roots, end entities. Trust it only if something else says so.
    std::vector<x509::Certificate> strangers;
};
/// malformed if there is no self-signed CA certificate.
Result<CaBag> sort_ca_certificates(const std::vector<x509::Certificate>& certificates);
/// `issued` and its path to an anchor of the bag, end entity first, root left out.
Result<std::vector<x509::Certificate>> build_chain(const x509::Certificate& issued, const CaBag& bag, Time now);

}  // namespace estuary::est
