#include "estuary/cmc/status.h"

#include <cstdlib>

#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::cmc {
namespace {

using der::Tag;

constexpr std::size_t token_octets_max = 1024;
constexpr std::int64_t body_part_id_max = 4'294'967'295;  // bodyIdMax
constexpr Tag extended_tag = der::context_constructed(1);

Result<Status> read_status(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.integer());
    if (number < 0 || number > 7 || number == 1) return fail(Code::malformed, fmt::format("cMCStatus {} is none that there is", number));
    return static_cast<Status>(number);
}

Result<FailInfo> read_fail_info(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.integer());
    if (number < 0 || number > UINT16_MAX) return fail(Code::malformed, fmt::format("failInfo {} is none that there is", number));
    return static_cast<FailInfo>(number);
}

Result<PendInfo> read_pend_info(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    ESTUARY_TRY(const auto token, fields.octet_string());
    if (token.size() > token_octets_max) return fail(Code::too_large, "pendToken: longer than 1024 octets");
    ESTUARY_TRY(const auto at, fields.generalized_time());
    ESTUARY_CHECK(fields.finish("PendInfo"));
    return PendInfo{to_vec(token), at};
}

void write_pend_info(der::Writer& writer, const PendInfo& info) {
    writer.sequence([&] { writer.octet_string(info.token).generalized_time(info.at); });
}

Result<ExtendedFailInfo> read_extended(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(extended_tag));
    ExtendedFailInfo info;
    ESTUARY_TRY(info.type, fields.oid());
    ESTUARY_TRY(const auto value, fields.any());
    info.value = to_vec(value.whole);
    ESTUARY_CHECK(fields.finish("ExtendedFailInfo"));
    return info;
}

/// RFC 10002 6.1.1: failure information goes with failures, pendInfo with what is pending or partial.
template <class Info>
Result<void> check_other_info(Status status, const Info& other) {
    const bool pends = std::holds_alternative<PendInfo>(other);
    const bool fails = !pends && !std::holds_alternative<std::monostate>(other);
    if (fails && status != Status::failed) return fail(Code::malformed, "failInfo beside a cMCStatus that is not failed");
    if (pends && status != Status::pending && status != Status::partial)
        return fail(Code::malformed, "pendInfo beside a cMCStatus that is neither pending nor partial");
    return {};
}

template <class Info>
Result<void> read_end(der::Reader& fields, Info& info, std::string_view what) {
    if (fields.next_is(Tag::utf8_string)) {
        ESTUARY_TRY(info.status_string, read_text(fields, "statusString"));
    }
    if (fields.next_is(Tag::integer)) {
        ESTUARY_TRY(info.other_info, read_fail_info(fields));
    } else if (fields.next_is(Tag::sequence)) {
        ESTUARY_TRY(info.other_info, read_pend_info(fields));
    }
    if constexpr (std::is_same_v<Info, StatusInfoV2>) {
        if (fields.next_is(extended_tag)) {
            ESTUARY_TRY(info.other_info, read_extended(fields));
        }
    }
    ESTUARY_CHECK(fields.finish(what));
    return check_other_info(info.status, info.other_info);
}

struct WriteOtherInfo {
    der::Writer& writer;
    void operator()(std::monostate) const {}
    void operator()(FailInfo info) const { writer.integer(static_cast<std::int64_t>(info)); }
    void operator()(const PendInfo& info) const { write_pend_info(writer, info); }
    void operator()(const ExtendedFailInfo& info) const {
        writer.constructed(extended_tag, [&] { writer.oid(info.type).raw(info.value); });
    }
};

template <class Info>
void write_end(der::Writer& writer, const Info& info) {
    if (info.status_string) writer.utf8_string(*info.status_string);
    std::visit(WriteOtherInfo{writer}, info.other_info);
}

}  // namespace

std::string_view to_string(Status status) noexcept {
    switch (status) {
        case Status::success: return "success";
        case Status::failed: return "failed";
        case Status::pending: return "pending";
        case Status::no_support: return "noSupport";
        case Status::confirm_required: return "confirmRequired";
        case Status::pop_required: return "popRequired";
        case Status::partial: return "partial";
    }
    return "unknown";
}

std::string to_string(FailInfo info) {
    switch (info) {
        case FailInfo::bad_alg: return "badAlg";
        case FailInfo::bad_message_check: return "badMessageCheck";
        case FailInfo::bad_request: return "badRequest";
        case FailInfo::bad_time: return "badTime";
        case FailInfo::bad_cert_id: return "badCertId";
        case FailInfo::unsupported_ext: return "unsupportedExt";
        case FailInfo::must_archive_keys: return "mustArchiveKeys";
        case FailInfo::bad_identity: return "badIdentity";
        case FailInfo::pop_required: return "popRequired";
        case FailInfo::pop_failed: return "popFailed";
        case FailInfo::no_key_reuse: return "noKeyReuse";
        case FailInfo::internal_ca_error: return "internalCAError";
        case FailInfo::try_later: return "tryLater";
        case FailInfo::auth_data_fail: return "authDataFail";
    }
    return std::to_string(static_cast<unsigned>(info));
}

FailInfo fail_info_of(Code code) noexcept {
    switch (code) {
        case Code::malformed: return FailInfo::bad_request;
        case Code::too_large: return FailInfo::bad_request;
        case Code::unsupported: return FailInfo::bad_alg;
        case Code::not_authenticated: return FailInfo::bad_identity;
        case Code::not_authorised: return FailInfo::bad_identity;
        case Code::bad_proof: return FailInfo::pop_failed;
        case Code::policy: return FailInfo::bad_request;
        case Code::bad_key: return FailInfo::bad_alg;
        case Code::not_found: return FailInfo::bad_cert_id;
        case Code::conflict: return FailInfo::bad_request;
        case Code::too_busy: return FailInfo::try_later;
        case Code::unavailable: return FailInfo::try_later;
        case Code::internal: return FailInfo::internal_ca_error;
    }
    std::abort();  // every code is above; -Wswitch sees to it
}

Result<BodyPartId> read_body_part_id(der::Reader& reader) {
    ESTUARY_TRY(const auto number, reader.integer());
    if (number < 0 || number > body_part_id_max) return fail(Code::malformed, fmt::format("bodyPartID {} is past four octets", number));
    return static_cast<BodyPartId>(number);
}

Result<std::vector<BodyPartId>> read_body_part_ids(der::Reader& reader, bool may_be_empty) {
    ESTUARY_TRY(auto list, reader.enter(Tag::sequence));
    std::vector<BodyPartId> ids;
    while (!list.empty()) {
        if (ids.size() == body_parts_max) return fail(Code::too_large, "a list of more than 4096 bodyPartIDs");
        ESTUARY_TRY(const auto id, read_body_part_id(list));
        ids.push_back(id);
    }
    if (ids.empty() && !may_be_empty) return fail(Code::malformed, "a list without a bodyPartID");
    return ids;
}

void write_body_part_ids(der::Writer& writer, const std::vector<BodyPartId>& ids) {
    writer.sequence([&] {
        for (const auto id : ids) writer.integer(id);
    });
}

Result<std::vector<BodyPartReference>> read_body_part_references(der::Reader& reader) {
    ESTUARY_TRY(auto list, reader.enter(Tag::sequence));
    std::vector<BodyPartReference> references;
    while (!list.empty()) {
        if (references.size() == body_parts_max)
            return fail(Code::too_large, "a list of more than 4096 references to body parts");
        if (list.next_is(Tag::sequence)) {
            ESTUARY_TRY(auto path, read_body_part_ids(list));
            references.emplace_back(std::move(path));
        } else {
            ESTUARY_TRY(const auto id, read_body_part_id(list));
            references.emplace_back(id);
        }
    }
    if (references.empty()) return fail(Code::malformed, "a list without a reference to a body part");
    return references;
}

void write_body_part_references(der::Writer& writer, const std::vector<BodyPartReference>& references) {
    writer.sequence([&] {
        for (const auto& reference : references) {
            if (const auto* path = std::get_if<BodyPartPath>(&reference)) {
                write_body_part_ids(writer, *path);
            } else {
                writer.integer(std::get<BodyPartId>(reference));
            }
        }
    });
}

Result<std::string> read_text(der::Reader& reader, std::string_view what, std::size_t octets_max) {
    ESTUARY_TRY(const auto octets, reader.content(Tag::utf8_string));
    if (octets.size() > octets_max) return fail(Code::too_large, fmt::format("{}: longer than {} octets", what, octets_max));
    if (!text::is_plain_utf8(as_text(octets))) return fail(Code::malformed, fmt::format("{}: not plain UTF-8", what));
    return std::string{as_text(octets)};
}

// CMCStatusInfo ::= SEQUENCE { cMCStatus CMCStatus, bodyList SEQUENCE SIZE (1..MAX) OF BodyPartID,
//     statusString UTF8String OPTIONAL, otherInfo CHOICE { failInfo CMCFailInfo, pendInfo PendInfo } OPTIONAL }
Result<StatusInfo> StatusInfo::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    StatusInfo info;
    ESTUARY_TRY(info.status, read_status(fields));
    ESTUARY_TRY(info.body_list, read_body_part_ids(fields));
    ESTUARY_CHECK(read_end(fields, info, "CMCStatusInfo"));
    return info;
}

void StatusInfo::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(status));
        write_body_part_ids(writer, body_list);
        write_end(writer, *this);
    });
}

// CMCStatusInfoV2 ::= SEQUENCE { cMCStatus CMCStatus, bodyList SEQUENCE SIZE (1..MAX) OF BodyPartReference,
//     statusString UTF8String OPTIONAL, otherInfo CHOICE { failInfo CMCFailInfo, pendInfo PendInfo,
//     extendedFailInfo [1] SEQUENCE { … } } OPTIONAL }
Result<StatusInfoV2> StatusInfoV2::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    StatusInfoV2 info;
    ESTUARY_TRY(info.status, read_status(fields));
    ESTUARY_TRY(info.body_list, read_body_part_references(fields));
    ESTUARY_CHECK(read_end(fields, info, "CMCStatusInfoV2"));
    return info;
}

void StatusInfoV2::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(status));
        write_body_part_references(writer, body_list);
        write_end(writer, *this);
    });
}

}  // namespace estuary::cmc
