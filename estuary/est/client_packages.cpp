// The client's side of RFC 8295.
#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/cms/certs_only.h"
#include "estuary/est/client.h"
#include "estuary/est/client_answer.h"

namespace estuary::est {
namespace {

/// The media types under which a package of this type may come (RFC 8295 1.5); "application/x-pkcs7-mime" is what older
/// servers call it.
Result<void> check_package_media_type(const http::Response& response, const PalType& type) {
    switch (type.operation) {
        case Operation::cacerts:
        case Operation::eecerts:
        case Operation::crls: return check_media_type(response, {media_pkcs7, "application/x-pkcs7-mime"});
        case Operation::symmetrickeys:
        case Operation::firmware: return check_media_type(response, {media_cms});
        case Operation::tamp: return check_media_type(response, {type.media_type});
        case Operation::serverkeygen: return check_media_type(response, {type.media_type.empty() ? media_cms : type.media_type});
        case Operation::csrattrs:
        case Operation::simpleenroll:
        case Operation::simplereenroll:
        case Operation::fullcmc:
        case Operation::pal: break;
    }
    return fail(Code::unsupported, fmt::format("type {} ({}) is no package to be fetched", type.number, type.name));
}

/// RFC 8295 2.1.1: the list only hints at what a package is; what came is looked at before it is stored.
Result<void> check_content(const PalType& type, Bytes der) {
    if (type.operation == Operation::cacerts || type.operation == Operation::crls) {
        ESTUARY_CHECK(read_layers(der));
        return {};
    }
    ESTUARY_CHECK(check_package(type, der));
    return {};
}

}  // namespace

Result<Answer<Pal>> Client::pal(std::string_view path, PalForm form) {
    auto request = request_for(path);
    request.headers.add("Accept", form == PalForm::xml    ? std::string{media_xml}
                                  : form == PalForm::json ? std::string{media_json}
                                                          : fmt::format("{}, {};q=0.9", media_json, media_xml));
    ESTUARY_TRY(const auto response, send(std::move(request)));
    ESTUARY_TRY(const auto reply, read_reply(response, false, clock_.now()));
    if (reply.wait) return Answer<Pal>{*reply.wait};
    if (reply.redirect) return Answer<Pal>{*reply.redirect};
    if (reply.nothing) return Answer<Pal>{Pal{}};
    const auto field = response.headers.find("Content-Type");
    const auto type = http::MediaType::parse(field.value_or(""));
    if (!type || (type->type != media_json && type->type != media_xml))
        return fail(Code::malformed, "the server's answer is neither application/json nor application/xml");
    auto pal = type->type == media_json ? Pal::parse_json(response.body) : Pal::parse_xml(response.body);
    if (!pal) return fail(in_answer(std::move(pal).error()));
    return Answer<Pal>{std::move(*pal)};
}

Result<Answer<ByteVec>> Client::package(std::string_view path, const PalType& type) {
    ESTUARY_TRY(const auto response, send(request_for(path)));
    ESTUARY_TRY(const auto reply, read_reply(response, false, clock_.now()));
    if (reply.wait) return Answer<ByteVec>{*reply.wait};
    if (reply.redirect) return Answer<ByteVec>{*reply.redirect};
    if (reply.nothing) return fail(Code::malformed, "the server answered 204 where a package was expected");
    ESTUARY_CHECK(check_package_media_type(response, type));
    ESTUARY_TRY(auto der, decode_body(response.body, pem_pkcs7));
    if (const auto right = check_content(type, der); !right) return fail(in_answer(right.error()));
    return Answer<ByteVec>{std::move(der)};
}

Result<Answer<bool>> Client::give_back(std::string_view path, Operation operation, Bytes der) {
    ESTUARY_TRY(const auto media_type, receipt_media_type(operation, der));
    auto request = request_for(path);
    request.method = "POST";
    request.headers.add("Content-Type", media_type);
    request.headers.add("Content-Transfer-Encoding", "base64");
    request.body = to_base64_lines(der);
    ESTUARY_TRY(const auto response, send(std::move(request)));
    ESTUARY_TRY(const auto reply, read_reply(response, true, clock_.now()));
    if (reply.wait) return Answer<bool>{*reply.wait};
    if (reply.redirect) return Answer<bool>{*reply.redirect};
    return Answer<bool>{true};
}

Result<Answer<x509::Certificate>> Client::outcome(std::string_view path) {
    ESTUARY_TRY(const auto response, send(request_for(path)));
    ESTUARY_TRY(const auto reply, read_reply(response, false, clock_.now()));
    if (reply.wait) return Answer<x509::Certificate>{*reply.wait};
    if (reply.redirect) return Answer<x509::Certificate>{*reply.redirect};
    ESTUARY_CHECK(check_media_type(response, {media_pkcs7, "application/x-pkcs7-mime"}));
    ESTUARY_TRY(const auto der, decode_body(response.body, pem_pkcs7));
    auto certificates = cms::parse_certs_only(der);
    if (!certificates) return fail(in_answer(std::move(certificates).error()));
    if (certificates->size() != 1) return fail(Code::malformed, "the server's answer does not hold exactly one certificate");
    return Answer<x509::Certificate>{certificates->front()};
}

}  // namespace estuary::est
