#pragma once
// One CMP authority as this client sees it: URL, credentials, trust; and an operation carried out from the first message to the last.
#include <functional>

#include "directory.h"
#include "estuary/cmp/client.h"
#include "estuary/cmp/http_client.h"
#include "estuary/cmp/tcp_client.h"
#include "estuary/net/message_client.h"
#include "login.h"
#include "peer_status.h"

namespace estuary::client {

/// A revocation passphrase (RFC 9810 B): one to be conveyed, or one that an rr is made with.
struct CmpPassphraseOptions {
    std::string file, key_id;
    bool given() const noexcept { return !file.empty(); }
    Outcome<crypto::Secret> read() const;
    /// --revocation-passphrase-file and --revocation-key-id: it is conveyed along with what the command asks for.
    void add_conveyed(CLI::App& command);
};

/// What the command line says that every operation needs.
struct CmpOptions {
    std::string url, name;
    LoginOptions login;
    std::string directory;             ///< whose certificate signs, in place of --cert; and where to, without a URL
    std::string trust, intermediates;
    std::string expected_sender, recipient;
    std::string mac = "pbm";
    std::string wait = "10m";
    bool system_trust = false, unprotected_errors = false;
    ocsp::PeerCheck check_server = ocsp::PeerCheck::off;
    CmpPassphraseOptions passphrase = {};   ///< rr: in place of --user and --cert
    std::string holder = {};                ///< whose it is, where it has no identifier

    /// All but the URL and what is positional.
    void add_to(CLI::App& command);
};

/// Prints the failure and returns its exit status; for commands that end so.
ExitStatus cmp_status(const Error& error);

/// What lets an operation outlive the process.
struct CmpKeeping {
    ByteVec begun = {};                                                  ///< as it was kept; empty: it begins now
    std::function<Outcome<void>(const cmp::ClientTransaction&)> keep = {};   ///< called whenever it has to wait
    std::string where = {};                                              ///< for the person
    std::string anew = "with --force";                                   ///< how to forget it, for the person
};

/// Messages that a person carries, one a file (RFC 9483 6.4).
struct CmpFiles {
    std::string request;   ///< where the next message is written
    std::string answer;    ///< with the answer to the last one; empty: the first is written
    bool given() const noexcept { return !request.empty() || !answer.empty(); }
    void add_to(CLI::App& command);
};

class CmpSession {
public:
    /// Reads credentials and trust; nothing is sent.
    static Outcome<CmpSession> create(CmpOptions options, const Clock& clock);

    const std::vector<x509::Certificate>& anchors() const noexcept { return anchors_; }
    const std::optional<cmp::ClientSigner>& signer() const noexcept { return signer_; }
    /// The URL with its path and name, which alone lead here again.
    std::string address() const;
    bool system_trust() const noexcept { return connect_.trust.system_anchors; }

    /// The passphrase goes along with what is asked for next, encrypted: with the secret of --user, or for the certificate that the
    /// authority tells as caProtEncCert, which has to have a path to an anchor.
    Outcome<void> convey(const CmpPassphraseOptions& passphrase, const CmpFiles& files);
    /// The same as a question of its own.
    Outcome<cmp::InfoTypeAndValue> encrypted(const CmpPassphraseOptions& passphrase);
    /// The certificate of the authority's agreement key (genm caProtEncCert), which has to have a path to an anchor. `use` says what is
    /// not done without it, and `otherwise` what does without, for the person.
    Outcome<x509::Certificate> agreement_certificate(std::string_view use, std::string_view otherwise);

    /// Asks until there is an outcome; Declined is a failure (exit_refused). Waits as long as the options say (exit_pending).
    Outcome<cmp::ClientOutcome> run(cmp::Wish wish, const CmpKeeping& keeping = {});
    /// One step by files: takes the answer, if there is one, and writes the next message, if there is one (exit_pending).
    Outcome<cmp::ClientOutcome> run_by_files(cmp::Wish wish, const CmpKeeping& keeping, const CmpFiles& files);

private:
    explicit CmpSession(const Clock& clock) : clock_{&clock} {}
    Outcome<void> read_trust(const CmpOptions& options);
    Outcome<void> read_credentials(const CmpOptions& options, std::optional<Identity> kept);
    Outcome<cmp::Client> client();
    Outcome<std::vector<x509::Certificate>> ca_certificates();
    Outcome<cmp::ClientTransaction> transaction(cmp::Wish wish, const CmpKeeping& keeping);
    Outcome<std::optional<Identity>> read_directory(CmpOptions& options) const;
    /// The octets of the answer to one message; sends it again where the connection broke, since an authority answers what it
    /// has answered already in the same way.
    Outcome<ByteVec> exchange(const cmp::ClientTransaction& transaction, Time until);
    /// --check-server, of who signs answers and of the server of https; each certificate once.
    Result<void> check_status(const std::vector<x509::Certificate>& path);
    Result<void> read_url(const std::string& text, const std::string& name);
    Result<ByteVec> ask(const cmp::ClientTransaction& transaction);
    Result<http::Response> send(const http::Request& request);
    Result<ByteVec> send_frame(Bytes frame);
    Outcome<void> pause(Seconds time, const std::string& reason, Time until, const std::string& kept);

    const Clock* clock_;
    crypto::SystemEntropy entropy_;
    http::Url url_;
    cmp::HttpTarget target_;
    net::ClientOptions connect_;
    std::unique_ptr<net::Connection> connection_;
    std::optional<cmp::TcpClient> tcp_;   // in place of HTTP
    std::unique_ptr<net::MessageConnection> tcp_connection_;

    std::optional<cmp::ClientSecret> secret_;
    std::optional<cmp::ClientSigner> signer_;
    std::optional<cmp::InfoTypeAndValue> passphrase_;   // to be conveyed
    std::vector<x509::Certificate> anchors_, intermediates_;
    std::optional<x509::Name> expected_sender_, recipient_, sender_;
    bool unprotected_errors_ = false;
    ocsp::PeerCheck check_server_ = ocsp::PeerCheck::off;
    std::vector<x509::Certificate> checked_;
    Seconds wait_{0};
    bool told_ = false;   // that it waits
};

}  // namespace estuary::client
