// OCSPRequest (RFC 6960 4.1).
#include <array>

#include <fmt/format.h>

#include "estuary/ocsp/codec.h"
#include "estuary/ocsp/messages.h"
#include "estuary/ocsp/oids.h"

namespace estuary::ocsp {
namespace {

constexpr std::size_t wishes_max = 64;  // preferred algorithms or response types

constexpr std::array known_request_extensions{oid::nonce, oid::response, oid::pref_sig_algs, oid::service_locator};

Result<std::vector<CertId>> read_request_list(der::Reader& reader, std::size_t certificates_max) {
    ESTUARY_TRY(auto list, reader.enter(der::Tag::sequence));
    std::vector<CertId> certificates;
    while (!list.empty()) {
        if (certificates.size() == certificates_max)
            return fail(Code::too_large, fmt::format("more than {} certificates in one request", certificates_max));
        ESTUARY_TRY(auto one, list.enter(der::Tag::sequence));
        ESTUARY_TRY(auto id, CertId::read(one));
        if (!one.empty()) ESTUARY_CHECK(codec::read_extensions(one, 0, known_request_extensions));
        ESTUARY_CHECK(one.finish("Request"));
        certificates.push_back(std::move(id));
    }
    if (certificates.empty()) return fail(Code::malformed, "the request names no certificate");
    return certificates;
}

Result<std::vector<PreferredAlgorithm>> parse_preferred(Bytes value) {
    ESTUARY_TRY(auto list, der::enter_only(value, der::Tag::sequence, "PreferredSignatureAlgorithms"));
    std::vector<PreferredAlgorithm> algorithms;
    while (!list.empty()) {
        if (algorithms.size() == wishes_max) return fail(Code::too_large, "more than 64 preferred signature algorithms");
        ESTUARY_TRY(auto one, list.enter(der::Tag::sequence));
        ESTUARY_TRY(const auto identifier, one.element(der::Tag::sequence));
        der::Reader inside{identifier.content};
        ESTUARY_TRY(const auto signature, inside.oid());
        ESTUARY_TRY(const auto public_key, one.element_if(der::Tag::sequence));
        ESTUARY_CHECK(one.finish("PreferredSignatureAlgorithm"));
        algorithms.push_back({signature, to_vec(identifier.whole), public_key ? to_vec(public_key->whole) : ByteVec{}});
    }
    return algorithms;
}

Result<std::vector<der::Oid>> parse_acceptable(Bytes value) {
    ESTUARY_TRY(auto list, der::enter_only(value, der::Tag::sequence, "AcceptableResponses"));
    std::vector<der::Oid> types;
    while (!list.empty()) {
        if (types.size() == wishes_max) return fail(Code::too_large, "more than 64 acceptable response types");
        ESTUARY_TRY(const auto type, list.oid());
        types.push_back(type);
    }
    return types;
}

Result<void> read_request_extensions(der::Reader& reader, Request& request) {
    ESTUARY_TRY(const auto extensions, codec::read_extensions(reader, 2, known_request_extensions));
    ESTUARY_TRY(request.nonce, read_nonce(extensions));
    if (const auto* preferred = x509::find(extensions, oid::pref_sig_algs)) {
        ESTUARY_TRY(request.preferred_algorithms, parse_preferred(preferred->value));
    }
    if (const auto* acceptable = x509::find(extensions, oid::response)) {
        ESTUARY_TRY(request.acceptable_responses, parse_acceptable(acceptable->value));
    }
    return {};
}

/// optionalSignature: its shape only.
Result<bool> read_signature(der::Reader& reader) {
    ESTUARY_TRY(auto wrapper, reader.enter_if(der::context_constructed(0)));
    if (!wrapper) return false;
    ESTUARY_TRY(auto signature, wrapper->enter(der::Tag::sequence));
    ESTUARY_CHECK(wrapper->finish("optionalSignature"));
    ESTUARY_CHECK(signature.content(der::Tag::sequence));
    ESTUARY_CHECK(signature.bit_string_octets());
    ESTUARY_CHECK(signature.element_if(der::context_constructed(0)));
    ESTUARY_CHECK(signature.finish("Signature"));
    return true;
}

Result<void> read_tbs(der::Reader& tbs, Request& request, const RequestLimits& limits) {
    ESTUARY_CHECK(codec::read_version(tbs, "OCSP"));
    ESTUARY_TRY(auto requestor, tbs.enter_if(der::context_constructed(1)));
    if (requestor) {
        ESTUARY_CHECK(requestor->any());
        ESTUARY_CHECK(requestor->finish("requestorName"));
    }
    ESTUARY_TRY(request.certificates, read_request_list(tbs, limits.certificates_max));
    if (!tbs.empty()) ESTUARY_CHECK(read_request_extensions(tbs, request));
    return tbs.finish("TBSRequest");
}

ByteVec encode_preferred(const std::vector<PreferredAlgorithm>& algorithms) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& algorithm : algorithms)
            writer.sequence([&] { writer.raw(algorithm.identifier).raw(algorithm.public_key); });
    });
    return std::move(writer).take();
}

ByteVec encode_acceptable(const std::vector<der::Oid>& types) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& type : types) writer.oid(type);
    });
    return std::move(writer).take();
}

}  // namespace

Result<Request> Request::parse(Bytes der, const RequestLimits& limits) {
    if (der.size() > limits.octets_max)
        return fail(Code::too_large, fmt::format("the request has more than {} octets", limits.octets_max));
    ESTUARY_TRY(auto outer, der::enter_only(der, der::Tag::sequence, "OCSPRequest"));
    ESTUARY_TRY(auto tbs, outer.enter(der::Tag::sequence));
    Request request;
    ESTUARY_CHECK(read_tbs(tbs, request, limits));
    ESTUARY_TRY(request.is_signed, read_signature(outer));
    ESTUARY_CHECK(outer.finish("OCSPRequest"));
    return request;
}

ByteVec encode_request(const Request& request) {
    std::vector<x509::Extension> extensions;
    if (request.nonce) extensions.push_back(make_nonce(*request.nonce));
    if (!request.preferred_algorithms.empty())
        extensions.push_back({oid::pref_sig_algs, false, encode_preferred(request.preferred_algorithms)});
    if (request.acceptable_responses)
        extensions.push_back({oid::response, false, encode_acceptable(*request.acceptable_responses)});
    der::Writer writer;
    writer.sequence([&] {
        writer.sequence([&] {
            writer.sequence([&] {
                for (const auto& id : request.certificates) writer.sequence([&] { writer.raw(id.der()); });
            });
            if (!extensions.empty())
                writer.constructed(der::context_constructed(2), [&] { x509::write_extensions(writer, extensions); });
        });
    });
    return std::move(writer).take();
}

}  // namespace estuary::ocsp
