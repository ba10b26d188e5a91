// Packages that wait for a client, and the receipts that it returns (RFC 8295 3 to 8).
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/log.h"
#include "estuary/est/package_layers.h"
#include "estuary/est/server_impl.h"

namespace estuary::est {
namespace {

using authority::PackageClient;

/// The package types whose entries point to this operation.
std::vector<std::string> types_of(Operation operation) {
    std::vector<std::string> types;
    for (const auto& type : pal_types())
        if (type.operation == operation && type.action == PalAction::fetch) types.emplace_back(type.number);
    return types;
}

std::optional<std::int64_t> number_of(const Target& target) {
    if (target.item.empty()) return std::nullopt;
    return std::stoll(target.item);  // parse_target lets at most 18 digits through
}

void log_refusal(const Target& target, const PackageClient& client, const Error& error) {
    const bool ours = error.code == Code::internal || error.code == Code::unavailable;
    log::write(ours ? log::Level::error : log::Level::info, "est request refused",
               {{"operation", to_string(target.operation)}, {"item", target.item}, {"label", client.label},
                {"who", client.principal.describe()}, {"address", client.principal.address}, {"code", to_string(error.code)},
                {"detail", error.detail}, {"cause", error.cause}});
}

}  // namespace

http::Response Server::Impl::packages(const LabelState& label, const Target& target, const http::Request& request,
                                      const http::Peer& peer, store::UnitOfWork& work) {
    if (config_.packages == nullptr)
        return http::text_response(404, fmt::format("{} is not offered here.", to_string(target.operation)));
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (target.gives_back && request.method != "POST") return wrong_method("POST");
    if (!target.gives_back && !reads) return wrong_method("GET, HEAD");
    auto who = authenticator_.authenticate({label.config.packages, label.config.name, label.ca, false, true}, request, peer);
    if (!who) return std::move(who).error();
    const PackageClient client{std::move(*who), label.config.name, label.ca, label.config.profile};
    if (target.operation == Operation::pal) return pal(label, client, target, request);
    if (target.gives_back) return take_receipt(client, target, request, peer, work);
    return package(client, target, request.method == "HEAD", work);
}

http::Response Server::Impl::package(const PackageClient& client, const Target& target, bool look_only, store::UnitOfWork& work) {
    auto found = config_.packages->fetch(client, number_of(target), types_of(target.operation), look_only, work);
    if (!found) {
        log_refusal(target, client, found.error());
        return to_response(found.error());
    }
    auto response = base64_response(found->media_type, found->content);
    crypto::wipe(found->content);  // the operator may have said --plain
    response.headers.add("Cache-Control", "no-store");  // for this client, and some of it secret
    return response;
}

/// The subject of who signed a receipt; empty: nobody did. RFC 8295 5.2.2, 6.2.2, 7.2.2: a signature that is there must be
/// that of somebody known here.
Result<std::string> Server::Impl::receipt_signer(Bytes der, const http::Peer& peer) {
    const auto data = cms::SignedData::parse(der);
    if (!data && data.error().code == Code::unsupported) return std::string{};  // bare: check_receipt let it pass
    if (!data) return fail(data.error());
    std::vector<x509::Certificate> known;
    for (const auto& octets : peer.client_chain) {
        ESTUARY_TRY(auto certificate, x509::Certificate::parse(octets));
        known.push_back(std::move(certificate));
    }
    std::string subjects;
    for (const auto& signer : data->signers()) {
        const auto* certificate = data->certificate_of(signer);
        for (const auto& one : known)
            if (certificate == nullptr && signer.identifier.names(one)) certificate = &one;
        if (certificate == nullptr)
            return fail(Code::bad_proof, "the signer's certificate is neither in the message nor in the TLS handshake");
        if (!detail::may_sign(*certificate)) return fail(Code::bad_proof, "the signer's keyUsage does not let it sign");
        ESTUARY_CHECK(cms::verify_signer(*data, signer, *certificate));
        ESTUARY_CHECK(authority_.authenticate_signer(*certificate, data->certificates()));
        subjects += (subjects.empty() ? "" : " + ") + certificate->subject().to_text();
    }
    return subjects;
}

http::Response Server::Impl::take_receipt(const PackageClient& client, const Target& target, const http::Request& request,
                                          const http::Peer& peer, store::UnitOfWork& work) {
    if (request.headers.count("Content-Type") > 1)
        return to_response(Error{Code::malformed, "send one Content-Type field, not several"});
    const auto field = request.headers.find("Content-Type").value_or("");
    const auto taken = [&]() -> Result<void> {
        if (request.body.size() > 2 * receipt_octets_max) return fail(Code::too_large, "the receipt is too large");
        ESTUARY_TRY(const auto der, decode_body(request.body, pem_pkcs7));
        ESTUARY_TRY(const auto checked, check_receipt(target.operation, field, der));
        authority::ReturnedReceipt receipt;
        receipt.operation = to_string(target.operation);
        receipt.types = checked.package_types;
        receipt.package = number_of(target);
        receipt.content_type = checked.layers.content;
        ESTUARY_TRY(receipt.signer, receipt_signer(der, peer));
        receipt.der = der;
        return config_.packages->give_back(client, receipt, work);
    }();
    http::Response response;
    response.status = 204;
    if (taken) return response;
    log_refusal(target, client, taken.error());
    response = to_response(taken.error());
    if (taken.error().code == Code::unsupported) response.status = 415;
    return response;
}

}  // namespace estuary::est
