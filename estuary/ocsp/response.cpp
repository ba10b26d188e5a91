// OCSPResponse, read (RFC 6960 4.2).
#include <array>

#include <fmt/format.h>

#include "estuary/ocsp/codec.h"
#include "estuary/ocsp/messages.h"
#include "estuary/ocsp/oids.h"

namespace estuary::ocsp {
namespace {

constexpr std::size_t response_octets_max = 1u << 18;  // SLH-DSA signatures have up to 50 kB, and certificates carry more
constexpr std::size_t responses_max = 256, certificates_max = 16;

constexpr std::array known_response_extensions{oid::nonce, oid::extended_revoke};
/// With the CRL entry extensions, which may stand here too (RFC 6960 4.4.5).
constexpr std::array known_single_extensions{oid::crl, oid::archive_cutoff, x509::oid::crl_reason, x509::oid::invalidity_date,
                                             x509::oid::certificate_issuer};

Result<ResponderId> read_responder_id(der::Reader& reader) {
    ESTUARY_TRY(auto by_name, reader.enter_if(der::context_constructed(1)));
    if (by_name) {
        ESTUARY_TRY(auto name, x509::Name::read(*by_name));
        ESTUARY_CHECK(by_name->finish("byName"));
        return ResponderId{std::move(name)};
    }
    ESTUARY_TRY(auto by_key, reader.enter(der::context_constructed(2)));
    ESTUARY_TRY(const auto hash, by_key.octet_string());
    ESTUARY_CHECK(by_key.finish("byKey"));
    crypto::Sha1 key{};
    if (hash.size() != key.size()) return fail(Code::malformed, "byKey is not a SHA-1 of 20 octets");
    std::ranges::copy(hash, key.begin());
    return ResponderId{key};
}

Result<store::RevocationReason> read_reason(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.content(der::Tag::enumerated));
    if (number.size() != 1 || number[0] > 10 || number[0] == 7)
        return fail(Code::malformed, "revocationReason is not one of RFC 5280 5.3.1");
    return static_cast<store::RevocationReason>(number[0]);
}

Result<CertStatus> read_revoked(der::Reader& info) {
    CertStatus status{CertStatus::Kind::revoked, {}, {}};
    ESTUARY_TRY(status.revoked_at, info.generalized_time());
    ESTUARY_TRY(auto reason, info.enter_if(der::context_constructed(0)));
    if (reason) {
        ESTUARY_TRY(status.reason, read_reason(*reason));
        ESTUARY_CHECK(reason->finish("revocationReason"));
    }
    ESTUARY_CHECK(info.finish("RevokedInfo"));
    return status;
}

Result<CertStatus> read_status(der::Reader& reader) {
    ESTUARY_TRY(auto revoked, reader.enter_if(der::context_constructed(1)));
    if (revoked) return read_revoked(*revoked);
    const bool good = reader.next_is(der::context(0));
    ESTUARY_TRY(const auto null, reader.content(der::context(good ? 0 : 2)));
    if (!null.empty()) return fail(Code::malformed, "a certStatus that is NULL has content");
    return CertStatus{good ? CertStatus::Kind::good : CertStatus::Kind::unknown, {}, {}};
}

Result<SingleResponse> read_single(der::Reader& reader) {
    SingleResponse single;
    ESTUARY_TRY(single.id, CertId::read(reader));
    ESTUARY_TRY(single.status, read_status(reader));
    ESTUARY_TRY(single.this_update, reader.generalized_time());
    ESTUARY_TRY(auto next, reader.enter_if(der::context_constructed(0)));
    if (next) {
        ESTUARY_TRY(single.next_update, next->generalized_time());
        ESTUARY_CHECK(next->finish("nextUpdate"));
    }
    ESTUARY_TRY(single.extensions, codec::read_extensions(reader, 1, known_single_extensions));
    ESTUARY_CHECK(read_archive_cutoff(single.extensions));
    ESTUARY_CHECK(read_crl_reference(single.extensions));
    ESTUARY_CHECK(reader.finish("SingleResponse"));
    return single;
}

Result<std::vector<SingleResponse>> read_responses(der::Reader& reader) {
    ESTUARY_TRY(auto list, reader.enter(der::Tag::sequence));
    std::vector<SingleResponse> responses;
    while (!list.empty()) {
        if (responses.size() == responses_max)
            return fail(Code::too_large, fmt::format("more than {} single responses", responses_max));
        ESTUARY_TRY(auto one, list.enter(der::Tag::sequence));
        ESTUARY_TRY(auto single, read_single(one));
        responses.push_back(std::move(single));
    }
    return responses;
}

Result<ResponseData> parse_response_data(Bytes tbs) {
    ESTUARY_TRY(auto reader, der::enter_only(tbs, der::Tag::sequence, "ResponseData"));
    ESTUARY_CHECK(codec::read_version(reader, "OCSP response"));
    ESTUARY_TRY(auto responder, read_responder_id(reader));
    ResponseData data{std::move(responder), {}, {}, {}};
    ESTUARY_TRY(data.produced_at, reader.generalized_time());
    ESTUARY_TRY(data.responses, read_responses(reader));
    ESTUARY_TRY(data.extensions, codec::read_extensions(reader, 1, known_response_extensions));
    ESTUARY_CHECK(read_nonce(data.extensions));
    ESTUARY_CHECK(read_extended_revoke(data.extensions));
    ESTUARY_CHECK(reader.finish("ResponseData"));
    return data;
}

Result<std::vector<ByteVec>> read_certificates(der::Reader& reader) {
    std::vector<ByteVec> certificates;
    ESTUARY_TRY(auto wrapper, reader.enter_if(der::context_constructed(0)));
    if (!wrapper) return certificates;
    ESTUARY_TRY(auto list, wrapper->enter(der::Tag::sequence));
    ESTUARY_CHECK(wrapper->finish("certs"));
    while (!list.empty()) {
        if (certificates.size() == certificates_max)
            return fail(Code::too_large, fmt::format("more than {} certificates", certificates_max));
        ESTUARY_TRY(const auto certificate, list.element(der::Tag::sequence));
        certificates.push_back(to_vec(certificate.whole));
    }
    return certificates;
}

Result<BasicResponse> parse_basic(Bytes der) {
    ESTUARY_TRY(auto reader, der::enter_only(der, der::Tag::sequence, "BasicOCSPResponse"));
    ESTUARY_TRY(const auto tbs, reader.element(der::Tag::sequence));
    ESTUARY_TRY(auto data, parse_response_data(tbs.whole));
    ESTUARY_TRY(const auto algorithm, reader.element(der::Tag::sequence));
    ESTUARY_TRY(const auto signature, reader.bit_string_octets());
    ESTUARY_TRY(auto certificates, read_certificates(reader));
    ESTUARY_CHECK(reader.finish("BasicOCSPResponse"));
    return BasicResponse{std::move(data), to_vec(tbs.whole), to_vec(algorithm.whole), to_vec(signature), std::move(certificates)};
}

Result<ResponseStatus> read_status_of_all(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.content(der::Tag::enumerated));
    if (number.size() != 1 || number[0] > 6 || number[0] == 4)
        return fail(Code::malformed, "responseStatus is not one of RFC 6960 4.2.1");
    return static_cast<ResponseStatus>(number[0]);
}

}  // namespace

std::string_view to_string(ResponseStatus status) noexcept {
    switch (status) {
        case ResponseStatus::successful: return "successful";
        case ResponseStatus::malformed_request: return "malformedRequest";
        case ResponseStatus::internal_error: return "internalError";
        case ResponseStatus::try_later: return "tryLater";
        case ResponseStatus::sig_required: return "sigRequired";
        case ResponseStatus::unauthorized: return "unauthorized";
    }
    return "?";
}

Result<Response> Response::parse(Bytes der) {
    if (der.size() > response_octets_max) return fail(Code::too_large, "the OCSP response has more than 256 KiB");
    ESTUARY_TRY(auto outer, der::enter_only(der, der::Tag::sequence, "OCSPResponse"));
    Response response;
    ESTUARY_TRY(response.status, read_status_of_all(outer));
    ESTUARY_TRY(auto wrapper, outer.enter_if(der::context_constructed(0)));
    ESTUARY_CHECK(outer.finish("OCSPResponse"));
    if (wrapper.has_value() != (response.status == ResponseStatus::successful))
        return fail(Code::malformed, fmt::format("responseBytes {} although the status is {}",
                                                 wrapper ? "are there" : "are missing", to_string(response.status)));
    if (!wrapper) return response;
    ESTUARY_TRY(auto bytes, wrapper->enter(der::Tag::sequence));
    ESTUARY_CHECK(wrapper->finish("responseBytes"));
    ESTUARY_TRY(const auto type, bytes.oid());
    ESTUARY_TRY(const auto basic, bytes.octet_string());
    ESTUARY_CHECK(bytes.finish("ResponseBytes"));
    if (type != oid::basic) return fail(Code::unsupported, "response type " + type.dotted() + " is not id-pkix-ocsp-basic");
    ESTUARY_TRY(response.basic, parse_basic(basic));
    return response;
}

}  // namespace estuary::ocsp
