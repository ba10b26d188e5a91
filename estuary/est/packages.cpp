#include "estuary/est/packages.h"

#include <array>

#include <fmt/format.h>

#include "estuary/cms/certs_only.h"
#include "estuary/est/package_layers.h"
#include "estuary/http/grammar.h"

namespace estuary::est {
namespace {

/// The TAMP message that a package or receipt type stands for (RFC 8295 7.1.2, 7.2.1; RFC 5934).
struct Tamp {
    std::string_view media_type, content;
};
constexpr std::array tamp_messages{
    Tamp{"application/tamp-status-query", "TAMP-statusQuery"},
    Tamp{"application/tamp-status-response", "TAMP-statusResponse"},
    Tamp{"application/tamp-update", "TAMP-update"},
    Tamp{"application/tamp-update-confirm", "TAMP-updateConfirm"},
    Tamp{"application/tamp-apex-update", "TAMP-apexUpdate"},
    Tamp{"application/tamp-apex-update-confirm", "TAMP-apexUpdateConfirm"},
    Tamp{"application/tamp-community-update", "TAMP-communityUpdate"},
    Tamp{"application/tamp-community-update-confirm", "TAMP-communityUpdateConfirm"},
    Tamp{"application/tamp-sequence-adjust", "TAMP-seqNumAdjust"},
    Tamp{"application/tamp-sequence-adjust-confirm", "TAMP-seqNumAdjustConfirm"},
    Tamp{media_tamp_error, "TAMP-error"},
};

std::string_view tamp_content(std::string_view media_type) {
    for (const auto& message : tamp_messages)
        if (message.media_type == media_type) return message.content;
    return {};
}

tl::unexpected<Error> wrong_kind(const PalType& type, std::string_view wanted, const Layers& layers) {
    return fail(Code::malformed, fmt::format("type {} ({}) needs {}; this is {}", type.number, type.name, wanted, layers.describe()));
}

bool begins_signed(const detail::OpenLayers& open) {
    return !open.signatures.empty() && !open.seen.names.empty() && open.seen.names.front() == "signedData";
}

Result<CheckedPackage> check_peers(Bytes der) {
    ESTUARY_TRY(auto open, detail::open_layers(der));
    ESTUARY_TRY(const auto certificates, cms::parse_certs_only(der));
    if (open.has_content || open.seen.signed_ || certificates.empty())
        return fail(Code::malformed, "type 0003 (ee-certificate) needs a certs-only message: certificates, no content, no signer");
    return CheckedPackage{std::string{media_pkcs7_certs_only}, std::move(open.seen), false, false};
}

Result<CheckedPackage> check_pfx(Bytes der) {
    ESTUARY_TRY(const bool encrypted, detail::pfx_is_encrypted(der));
    return CheckedPackage{std::string{media_pkcs12}, {{}, "PFX", encrypted, false}, encrypted, true};
}

/// Keys: the package itself, or something encrypted, whose inside cannot be seen (RFC 8295 5.1.2, 8.1).
Result<CheckedPackage> check_keys(const PalType& type, std::string_view content, Bytes der) {
    ESTUARY_TRY(auto open, detail::open_layers(der));
    const bool right = open.seen.content == content || (open.seen.encrypted && open.seen.content.empty());
    if (!right) return wrong_kind(type, content, open.seen);
    auto media_type = cms_media_type(open.seen);
    const bool encrypted = open.seen.encrypted;
    return CheckedPackage{std::move(media_type), std::move(open.seen), encrypted, true};
}

Result<CheckedPackage> check_firmware(const PalType& type, Bytes der) {
    ESTUARY_TRY(auto open, detail::open_layers(der));
    const bool right = open.seen.content == "firmwarePackage" || (open.seen.encrypted && open.seen.content.empty());
    if (!right) return wrong_kind(type, "firmwarePackage", open.seen);
    auto media_type = cms_media_type(open.seen);
    const bool encrypted = open.seen.encrypted;
    return CheckedPackage{std::move(media_type), std::move(open.seen), encrypted, false};
}

Result<CheckedPackage> check_tamp(const PalType& type, Bytes der) {
    ESTUARY_TRY(auto open, detail::open_layers(der));
    const auto wanted = tamp_content(type.media_type);
    if (!begins_signed(open) || open.seen.names.size() != 1 || open.seen.content != wanted)
        return wrong_kind(type, fmt::format("signedData > {}", wanted), open.seen);
    return CheckedPackage{std::string{type.media_type}, std::move(open.seen), false, false};
}

/// The one way that a receipt may look: bare, or in one SignedData with a signer.
Result<detail::OpenLayers> open_receipt(Bytes der) {
    if (der.size() > receipt_octets_max) return fail(Code::too_large, "the receipt is too large");
    ESTUARY_TRY(auto open, detail::open_layers(der));
    const bool bare = open.seen.names.empty();
    if (!bare && !(open.seen.names.size() == 1 && begins_signed(open)))
        return fail(Code::unsupported, fmt::format("a receipt or error is signed or bare; this is {}", open.seen.describe()));
    if (!open.has_content) return fail(Code::malformed, "there is nothing in it");
    return open;
}

struct Returnable {
    Operation operation;
    std::string_view content;
    std::string_view media_type;
    bool signature_needed = false;   ///< RFC 8295 5.2.1: a key package receipt is signed
};
constexpr std::array returnables{
    Returnable{Operation::symmetrickeys, "keyPackageReceipt", media_cms, true},
    Returnable{Operation::symmetrickeys, "keyPackageError", media_cms},
    Returnable{Operation::serverkeygen, "keyPackageReceipt", media_cms, true},
    Returnable{Operation::serverkeygen, "keyPackageError", media_cms},
    Returnable{Operation::firmware, "firmwareLoadReceipt", media_cms},
    Returnable{Operation::firmware, "firmwareLoadError", media_cms},
    Returnable{Operation::tamp, "TAMP-statusResponse", "application/tamp-status-response"},
    Returnable{Operation::tamp, "TAMP-updateConfirm", "application/tamp-update-confirm"},
    Returnable{Operation::tamp, "TAMP-apexUpdateConfirm", "application/tamp-apex-update-confirm"},
    Returnable{Operation::tamp, "TAMP-communityUpdateConfirm", "application/tamp-community-update-confirm"},
    Returnable{Operation::tamp, "TAMP-seqNumAdjustConfirm", "application/tamp-sequence-adjust-confirm"},
    Returnable{Operation::tamp, "TAMP-error", media_tamp_error},
};

Result<const Returnable*> returnable(Operation operation, const detail::OpenLayers& open) {
    for (const auto& one : returnables) {
        if (one.operation != operation || one.content != open.seen.content) continue;
        if (one.signature_needed && !open.seen.signed_)
            return fail(Code::bad_proof, fmt::format("a {} has to be signed (RFC 8295 5.2.1)", one.content));
        return &one;
    }
    return fail(Code::unsupported, fmt::format("{} does not take {}", to_string(operation), open.seen.describe()));
}

/// The package types that this is an answer to: TAMP's messages say which, the others go with all of their operation.
std::vector<std::string> answered_by(const Returnable& returned) {
    std::vector<std::string> out;
    for (const auto& type : pal_types()) {
        if (type.operation != returned.operation || type.action != PalAction::fetch) continue;
        const auto* receipt = receipt_type_for(type);
        const bool right = returned.operation != Operation::tamp || returned.media_type == media_tamp_error ||
                           (receipt != nullptr && receipt->media_type == returned.media_type);
        if (right) out.emplace_back(type.number);
    }
    return out;
}

}  // namespace

Result<CheckedPackage> check_package(const PalType& type, Bytes der) {
    if (der.size() > package_octets_max)
        return fail(Code::too_large, fmt::format("a package has at most {} octets", package_octets_max));
    if (type.number == "0020")
        return fail(Code::unsupported, "type 0020: a bare private key goes out only where it was made, with its certificate "
                                       "(RFC 7030 4.4.2); keep it as 0021 or 0022");
    if (type.action == PalAction::fetch) {
        if (type.operation == Operation::eecerts) return check_peers(der);
        if (type.operation == Operation::symmetrickeys) return check_keys(type, "sKeyPackage", der);
        if (type.operation == Operation::firmware) return check_firmware(type, der);
        if (type.operation == Operation::tamp) return check_tamp(type, der);
        if (type.number == "0022") return check_pfx(der);
        if (type.operation == Operation::serverkeygen) return check_keys(type, "aKeyPackage", der);
    }
    return fail(Code::unsupported, fmt::format("type {} ({}) is no package that is kept: the server tells of it by itself",
                                               type.number, type.name));
}

Result<CheckedReceipt> check_receipt(Operation operation, std::string_view content_type, Bytes der) {
    const auto media = http::MediaType::parse(content_type);
    if (!media) return fail(media.error());
    const bool known = operation == Operation::tamp ? !tamp_content(media->type).empty() : media->type == media_cms;
    if (!known)
        return fail(Code::unsupported, operation == Operation::tamp ? "send it as the application/tamp-... type of the message"
                                                                    : "send it as application/cms");
    ESTUARY_TRY(auto open, open_receipt(der));
    ESTUARY_TRY(const auto* const found, returnable(operation, open));
    if (found->media_type != media->type)
        return fail(Code::unsupported, fmt::format("a {} is sent as {}", found->content, found->media_type));
    return CheckedReceipt{std::move(open.seen), answered_by(*found)};
}

Result<std::string> receipt_media_type(Operation operation, Bytes der) {
    ESTUARY_TRY(const auto open, open_receipt(der));
    ESTUARY_TRY(const auto* const found, returnable(operation, open));
    return operation == Operation::tamp ? std::string{found->media_type} : cms_media_type(open.seen);
}

}  // namespace estuary::est
