#include "login.h"

#include <iostream>

#include "estuary/base/file.h"

namespace estuary::client {

void LoginOptions::add_to(CLI::App& command) {
    command.add_option("--user", user, "User name: the name of the credential");
    command.add_option("--password-file", password_file, "Its password: first line of this file")->type_name("FILE");
    command.add_flag("--password-stdin", password_stdin, "Its password: first line of standard input");
    command.add_option("--cert", certificate, "Authenticate with this certificate (PEM, with its chain)")->type_name("FILE");
    command.add_option("--cert-key", certificate_key, "and this key (default: the same file)")->type_name("FILE");
}

Outcome<std::optional<HttpUser>> LoginOptions::read_user() const {
    if (user.empty()) return std::optional<HttpUser>{};
    std::string line;
    if (password_stdin) {
        std::getline(std::cin, line);
    } else {
        if (password_file.empty())
            return usage_failure("--user needs --password-file FILE or --password-stdin");
        ESTUARY_TRY_AS(auto content, file::read(password_file, 4096), local_failure);
        line = as_text(content).substr(0, as_text(content).find('\n'));
        crypto::wipe(content);
    }
    while (!line.empty() && line.back() == '\r') line.pop_back();
    HttpUser found{user, crypto::Secret{line}};
    crypto::wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
    return std::optional<HttpUser>{std::move(found)};
}

Outcome<std::optional<net::ClientIdentity>> LoginOptions::read_identity() const {
    if (certificate.empty()) return std::optional<net::ClientIdentity>{};
    ESTUARY_TRY_AS(const auto pem, file::read(certificate), local_failure);
    ESTUARY_TRY_AS(const auto chain, x509::parse_certificates(pem), local_failure);
    ESTUARY_TRY_AS(auto key, crypto::PrivateKey::load(certificate_key.empty() ? certificate : certificate_key), local_failure);
    net::ClientIdentity identity{{}, std::move(key)};
    for (const auto& one : chain) identity.chain.push_back(to_vec(one.der()));
    return std::optional<net::ClientIdentity>{std::move(identity)};
}

net::ClientOptions connect_as(const Identity& identity) {
    auto options = client_options({identity.anchors, identity.state.system_trust});
    net::ClientIdentity client{{}, identity.key};
    for (const auto& certificate : identity.chain) client.chain.push_back(to_vec(certificate.der()));
    options.identity = std::move(client);
    return options;
}

}  // namespace estuary::client
