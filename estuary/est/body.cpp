#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/est/messages.h"

namespace estuary::est {
namespace {

constexpr std::size_t body_octets_max = 8u << 20;  // net's limits are lower; this one is for whoever comes without it

/// RFC 7468 sections 7 and 8, and what older tools write.
bool is_armour_of(std::string_view label, std::string_view wanted) {
    if (label == wanted) return true;
    if (wanted == pem_request) return label == "NEW CERTIFICATE REQUEST";
    if (wanted == pem_pkcs7) return label == "CMS" || label == "PKCS #7 SIGNED DATA";
    return false;
}

Result<ByteVec> decode_pem(std::string_view body, std::string_view wanted) {
    ESTUARY_TRY(auto blocks, parse_pem(body, 2));
    if (blocks.size() != 1) return fail(Code::malformed, "the body must hold exactly one PEM block");
    if (!is_armour_of(blocks[0].label, wanted))
        return fail(Code::malformed, "the body is PEM of another kind; expected " + std::string{wanted});
    return std::move(blocks[0].der);
}

}  // namespace

Result<ByteVec> decode_body(std::string_view body, std::string_view pem_label) {
    if (body.size() > body_octets_max) return fail(Code::too_large, "the body is too large");
    const auto trimmed = text::trim(body);
    if (trimmed.empty()) return fail(Code::malformed, "the body is empty; expected base64 of DER");
    // The base64 of a SEQUENCE starts with 'M', its PEM with '-': an identifier octet of SEQUENCE is DER as it is.
    if (body.front() == static_cast<char>(der::Tag::sequence)) return to_vec(as_bytes(body));
    auto decoded = trimmed.find("-----BEGIN") != std::string_view::npos ? decode_pem(trimmed, pem_label)
                                                                        : from_base64(trimmed);
    if (!decoded) return fail(in_context("the body", std::move(decoded).error()));
    if (decoded->empty()) return fail(Code::malformed, "the body is empty; expected base64 of DER");
    return decoded;
}

}  // namespace estuary::est
