#include "command_line.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/est/messages.h"
#include "estuary/x509/agreement_proof.h"

namespace estuary::client {

Outcome<x509::Name> name_option(std::string_view option, const std::string& text) {
    auto name = x509::Name::from_text(text);
    if (!name) return usage_failure(fmt::format("{}: {}", option, name.error().detail));
    return std::move(*name);
}

Outcome<ByteVec> serial_number_option(std::string_view option, const std::string& text) {
    auto octets = from_hex(text.size() % 2 == 0 ? text : "0" + text);
    if (!octets || octets->empty()) return usage_failure(fmt::format("{}: '{}' is not a serial number in hexadecimal", option, text::printable(text)));
    const auto first = std::ranges::find_if(*octets, [](std::uint8_t octet) { return octet != 0; });
    octets->erase(octets->begin(), first);
    if (octets->empty() || (octets->front() & 0x80) != 0) octets->insert(octets->begin(), 0);
    return std::move(*octets);
}

Outcome<std::vector<x509::GeneralName>> subject_alt_names(const std::vector<std::string>& texts) {
    std::vector<x509::GeneralName> names;
    for (const auto& text : texts) {
        auto name = x509::GeneralName::from_text(text);
        if (!name) return usage_failure("--san: " + name.error().detail);
        names.push_back(std::move(*name));
    }
    return names;
}

Outcome<GivenRequest> read_given_request(const std::string& request_file, const std::string& key_file) {
    if (key_file.empty()) return usage_failure("--csr needs --key: the private key that made the request");
    ESTUARY_TRY_AS(auto key, crypto::PrivateKey::load(key_file), local_failure);
    ESTUARY_TRY_AS(const auto content, file::read(request_file), local_failure);
    ESTUARY_TRY_AS(auto der, est::decode_body(as_text(content), "CERTIFICATE REQUEST"), local_failure);
    // A MAC in place of the signature (RFC 6955) only the authority can check.
    if (!x509::is_agreement_request(der)) ESTUARY_CHECK_AS(x509::SignedRequest::parse(der), local_failure);
    ESTUARY_TRY_AS(const auto request, x509::parse_unproven(der), local_failure);
    if (!same(request.parts.spki, key.public_key().spki()))
        return usage_failure(fmt::format("{} was not made with the key {}", request_file, key_file));
    return GivenRequest{std::move(key), std::move(der)};
}

Outcome<void> write_out(const std::string& out, const std::string& text) {
    if (out.empty()) {
        fmt::print("{}", text);
        return {};
    }
    ESTUARY_CHECK_AS(file::write_atomically(out, as_bytes(text), file::Access::everyone_reads), local_failure);
    return {};
}

}  // namespace estuary::client
