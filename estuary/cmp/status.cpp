#include "estuary/cmp/status.h"

#include <array>

#include <fmt/format.h>

namespace estuary::cmp {
namespace {

constexpr std::array<std::string_view, 7> status_names{
    "accepted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification", "keyUpdateWarning"};

constexpr std::array<std::string_view, pki_failures> failure_names{
    "badAlg",           "badMessageCheck",    "badRequest",          "badTime",            "badCertId",
    "badDataFormat",    "wrongAuthority",     "incorrectData",       "missingTimeStamp",   "badPOP",
    "certRevoked",      "certConfirmed",      "wrongIntegrity",      "badRecipientNonce",  "timeNotAvailable",
    "unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable", "badSenderNonce",    "badCertTemplate",
    "signerNotTrusted", "transactionIdInUse", "unsupportedVersion",  "notAuthorized",      "systemUnavail",
    "systemFailure",    "duplicateCertReq"};

}  // namespace

std::string_view to_string(PkiStatus status) noexcept { return status_names[static_cast<std::size_t>(status)]; }

Result<PkiStatus> read_pki_status(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.integer());
    if (number < 0 || number >= static_cast<std::int64_t>(status_names.size()))
        return fail(Code::unsupported, fmt::format("PKIStatus {} is not known", number));
    return static_cast<PkiStatus>(number);
}

std::string_view to_string(PkiFailure failure) noexcept { return failure_names[static_cast<std::size_t>(failure)]; }

std::string PkiFailureInfo::to_text() const {
    std::string text;
    for (unsigned number = 0; number < 32; ++number) {
        if ((bits_ >> number & 1) == 0) continue;
        if (!text.empty()) text += ", ";
        text += number < pki_failures ? std::string{failure_names[number]} : fmt::format("bit {}", number);
    }
    return text;
}

std::string PkiStatusInfo::to_text() const {
    std::string text{to_string(status)};
    if (fail_info && !fail_info->empty()) text += ": " + fail_info->to_text();
    if (!status_string.empty()) text += " (" + to_line(status_string) + ")";
    return text;
}

Result<PkiStatusInfo> PkiStatusInfo::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    PkiStatusInfo info;
    ESTUARY_TRY(info.status, read_pki_status(fields));
    ESTUARY_TRY(info.status_string, read_free_text_if(fields, limits));
    if (fields.next_is(der::Tag::bit_string)) {
        ESTUARY_TRY(const auto bits, fields.named_bits());
        info.fail_info = PkiFailureInfo::from_bits(bits);
    }
    ESTUARY_CHECK(fields.finish("PKIStatusInfo"));
    return info;
}

void PkiStatusInfo::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(status));
        if (!status_string.empty()) write_free_text(writer, status_string);
        if (fail_info) writer.named_bits(fail_info->bits());
    });
}

PkiStatusInfo rejection(PkiFailure failure, std::string text) {
    PkiStatusInfo info{.status = PkiStatus::rejection, .status_string = {}, .fail_info = PkiFailureInfo{failure}};
    if (!text.empty()) info.status_string.push_back(std::move(text));
    return info;
}

}  // namespace estuary::cmp
