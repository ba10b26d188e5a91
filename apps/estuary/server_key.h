#pragma once
// Keys made by the server (RFC 7030 4.4): what the person says of their encryption, and how they are asked for.
#include "directory.h"
#include "enrollment.h"
#include "estuary/est/client_keygen.h"

namespace estuary::client {

/// --decrypt-with, --decrypt-with-key, --decrypt-key. Their texts go on after `what`.
void add_key_decryption(CLI::App& command, KeyDecryption& into, const std::string& what);
/// Paths made absolute, for a state that is read elsewhere later.
KeyDecryption absolute(KeyDecryption decryption);

/// Reads what is named. "IDENTIFIER:KEY" in hexadecimal for a shared key; a certificate with its key, both PEM.
Outcome<est::KeyOpener> key_opener(const KeyDecryption& decryption);

/// Asks for a key as ask() does for a certificate: the answer holds both.
Sender server_key_sender(Session& session, const KeyDecryption& decryption, const std::vector<x509::Certificate>& ca_certificates);

/// Usage error for a kind of key that a request cannot be signed with: it cannot be wished for, only the server's profile says it.
Outcome<void> check_wish(const std::string& key_type);
/// Tells the person where the server made another kind of key than was wished for.
void tell_other_kind(const std::optional<crypto::PrivateKey>& made, const std::string& wished);

/// Attributes that name the key to encrypt with; usage error where the server demands one and none is there.
Outcome<std::vector<x509::Attribute>> delivery_attributes(const KeyDecryption& decryption, const est::RequestPlan& plan);

}  // namespace estuary::client
