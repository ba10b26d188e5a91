#include "estuary/cmp/body_confirm.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

Result<CertStatus> read_cert_status(der::Reader& list, const Limits& limits) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    CertStatus status;
    ESTUARY_TRY(const auto hash, fields.octet_string());
    status.cert_hash = to_vec(hash);
    ESTUARY_TRY(status.cert_req_id, fields.integer());
    if (fields.next_is(der::Tag::sequence)) {
        ESTUARY_TRY(status.status_info, PkiStatusInfo::read(fields, limits));
    }
    ESTUARY_TRY(status.hash_alg, codec::read_explicit(fields, 0, "hashAlg", codec::read_algorithm));
    ESTUARY_CHECK(fields.finish("CertStatus"));
    return status;
}

void write_cert_status(der::Writer& writer, const CertStatus& status) {
    writer.sequence([&] {
        writer.octet_string(status.cert_hash);
        writer.integer(status.cert_req_id);
        if (status.status_info) status.status_info->write(writer);
        if (status.hash_alg) codec::write_explicit(writer, 0, [&] { writer.raw(*status.hash_alg); });
    });
}

Result<std::int64_t> read_poll_req(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    ESTUARY_TRY(const auto id, fields.integer());
    ESTUARY_CHECK(fields.finish("PollReqContent"));
    return id;
}

Result<PollRepContent::One> read_poll_rep(der::Reader& list, const Limits& limits) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    PollRepContent::One one;
    ESTUARY_TRY(one.cert_req_id, fields.integer());
    ESTUARY_TRY(one.check_after, fields.integer());
    ESTUARY_TRY(one.reason, read_free_text_if(fields, limits));
    ESTUARY_CHECK(fields.finish("PollRepContent"));
    return one;
}

}  // namespace

Result<CertConfirmContent> CertConfirmContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto statuses, codec::read_sequence_of(reader, {0, limits.requests_max}, "CertConfirmContent",
                                                       [&](der::Reader& list) { return read_cert_status(list, limits); }));
    return CertConfirmContent{std::move(statuses)};
}

void CertConfirmContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, statuses, [&](const CertStatus& status) { write_cert_status(writer, status); });
}

Result<PkiConfirmContent> PkiConfirmContent::read(der::Reader& reader, const Limits&) {
    ESTUARY_CHECK(reader.null());
    return PkiConfirmContent{};
}

void PkiConfirmContent::write(der::Writer& writer) const { writer.null(); }

Result<PollReqContent> PollReqContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto ids, codec::read_sequence_of(reader, {0, limits.requests_max}, "PollReqContent", read_poll_req));
    return PollReqContent{std::move(ids)};
}

void PollReqContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, cert_req_ids, [&](std::int64_t id) { writer.sequence([&] { writer.integer(id); }); });
}

Result<PollRepContent> PollRepContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto responses, codec::read_sequence_of(reader, {0, limits.requests_max}, "PollRepContent",
                                                        [&](der::Reader& list) { return read_poll_rep(list, limits); }));
    return PollRepContent{std::move(responses)};
}

void PollRepContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, responses, [&](const One& one) {
        writer.sequence([&] {
            writer.integer(one.cert_req_id).integer(one.check_after);
            if (!one.reason.empty()) write_free_text(writer, one.reason);
        });
    });
}

}  // namespace estuary::cmp
