#include "server_key.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"

namespace estuary::client {
namespace {

Result<cms::SharedKey> read_shared_key(const std::string& path) {
    ESTUARY_TRY(auto content, file::read_private(path, 4096));
    const crypto::Secret secret{std::move(content)};
    const auto text = secret.reveal_text();
    const auto line = text.substr(0, text.find_first_of("\r\n"));
    const auto colon = line.find(':');
    auto identifier = from_hex(line.substr(0, colon));
    auto key = colon == std::string_view::npos ? Result<ByteVec>{fail(Code::malformed, "")} : from_hex(line.substr(colon + 1));
    const bool good = identifier && key && !identifier->empty() && (key->size() == 16 || key->size() == 24 || key->size() == 32);
    if (!good) return fail(Code::malformed, path + " does not hold IDENTIFIER:KEY in hexadecimal, the key of 16, 24 or 32 octets");
    return cms::SharedKey{std::move(*identifier), crypto::Secret{std::move(*key)}};
}

Result<cms::KeyHolder> read_holder(const KeyDecryption& decryption) {
    ESTUARY_TRY(const auto pem, file::read(decryption.certificate));
    ESTUARY_TRY(const auto certificates, x509::parse_certificates(pem));
    if (certificates.empty()) return fail(Code::malformed, decryption.certificate + " holds no certificate");
    ESTUARY_TRY(auto key, crypto::PrivateKey::load(decryption.certificate_key.empty() ? decryption.certificate : decryption.certificate_key));
    if (!same(key.public_key().spki(), certificates.front().spki()))
        return fail(Code::bad_key, "the key is not that of the certificate " + decryption.certificate);
    return cms::KeyHolder{std::move(key), certificates.front()};
}

std::string absolute_path(const std::string& path) {
    // A URI of a key store stays as it is.
    return path.empty() || path.starts_with("pkcs11:") ? path : std::filesystem::absolute(path).string();
}

}  // namespace

void add_key_decryption(CLI::App& command, KeyDecryption& into, const std::string& what) {
    auto* with = command.add_option("--decrypt-with", into.certificate, what + " encrypted to this certificate (PEM)")->type_name("FILE");
    command.add_option("--decrypt-with-key", into.certificate_key, "and open it with this key (default: the same file)")->type_name("FILE")->needs(with);
    command.add_option("--decrypt-key", into.shared_key, what + " encrypted with the shared key in this file")
        ->type_name("FILE")->excludes(with);
}

KeyDecryption absolute(KeyDecryption decryption) {
    for (auto* path : {&decryption.certificate, &decryption.certificate_key, &decryption.shared_key}) *path = absolute_path(*path);
    return decryption;
}

Outcome<est::KeyOpener> key_opener(const KeyDecryption& decryption) {
    est::KeyOpener opener;
    if (!decryption.shared_key.empty()) {
        ESTUARY_TRY_AS(opener.shared, read_shared_key(decryption.shared_key), local_failure);
    } else if (!decryption.certificate.empty()) {
        ESTUARY_TRY_AS(opener.holder, read_holder(decryption), local_failure);
    }
    return opener;
}

Sender server_key_sender(Session& session, const KeyDecryption& decryption, const std::vector<x509::Certificate>& ca_certificates) {
    return [&session, decryption, ca_certificates](const Session::MakeRequest& make_request) -> Outcome<Session::Enrolled> {
        ESTUARY_TRY_OUTCOME(const auto opener, key_opener(decryption));
        ESTUARY_TRY_AS(const auto bag, est::sort_ca_certificates(ca_certificates), remote_failure);
        return session.server_key(make_request, opener, bag);
    };
}

Outcome<void> check_wish(const std::string& key_type) {
    ESTUARY_TRY_AS(const auto* const type, crypto::key_type(key_type), local_failure);
    if (!type->signs)
        return usage_failure(fmt::format("a request for a {} key cannot be signed: leave --key-type out, and the server's profile says what is made", key_type));
    return {};
}

void tell_other_kind(const std::optional<crypto::PrivateKey>& made, const std::string& wished) {
    if (made && !wished.empty() && made->public_key().type_name() != wished)
        fmt::print(stderr, "note: the server made a key of type {}\n", made->public_key().type_name());
}

Outcome<std::vector<x509::Attribute>> delivery_attributes(const KeyDecryption& decryption, const est::RequestPlan& plan) {
    if (plan.key_encryption_wanted && !decryption.given())
        return usage_failure("the server gives private keys away encrypted only: add --decrypt-with CERTIFICATE or --decrypt-key FILE");
    ESTUARY_TRY_OUTCOME(const auto opener, key_opener(decryption));
    ESTUARY_TRY_AS(const auto delivery, est::delivery_to(opener), local_failure);
    return est::key_delivery_attributes(delivery);
}

}  // namespace estuary::client
