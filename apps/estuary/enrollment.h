#pragma once
// What enroll and renew have in common: making the request, waiting, checking and saving the answer.
#include "directory.h"
#include "session.h"

namespace estuary::client {

struct Waiting {
    Seconds at_most{0};   ///< for approval; 0: do not wait
};

/// Sends one request; nothing in the result: the server wants us to wait.
using Sender = std::function<Outcome<Session::Enrolled>(const Session::MakeRequest&)>;
Sender enrollment_sender(Session& session, bool renew);

/// Asks until there is a certificate or `waiting` is over (exit_pending; the request is kept in DIR/pending and asked again by
/// the next run). A busy server is asked again within the same time.
Outcome<Session::Enrolled> ask(const Sender& send, Directory& directory, const EnrollmentState& state, const crypto::PrivateKey& key,
                               const Session::MakeRequest& make_request, Waiting waiting, const Clock& clock);

/// Puts the session's channel binding into the request as the server wants it (RFC 7030 3.5, RFC 7894 3.3).
void link_to_session(x509::RequestTemplate& request, const http::ChannelBindings& bindings, bool by_attribute);

/// Chain and anchors for the certificate from a /cacerts answer, saved as the directory's current identity.
Outcome<Identity> keep(Directory& directory, EnrollmentState state, crypto::PrivateKey key, x509::Certificate certificate,
                       const std::vector<x509::Certificate>& ca_certificates, const Clock& clock);

/// "subject, serial number, valid until, files": what a person wants to see.
void show(const Identity& identity, const Directory& directory);

}  // namespace estuary::client
