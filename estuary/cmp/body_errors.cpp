#include "estuary/cmp/body_errors.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {

std::string ErrorMsgContent::to_text() const {
    auto text = status_info.to_text();
    if (error_code) text += fmt::format("; error code {}", *error_code);
    if (!error_details.empty()) text += "; " + to_line(error_details);
    return text;
}

Result<ErrorMsgContent> ErrorMsgContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    ErrorMsgContent content;
    ESTUARY_TRY(content.status_info, PkiStatusInfo::read(fields, limits));
    if (fields.next_is(der::Tag::integer)) {
        ESTUARY_TRY(content.error_code, fields.integer());
    }
    ESTUARY_TRY(content.error_details, read_free_text_if(fields, limits));
    ESTUARY_CHECK(fields.finish("ErrorMsgContent"));
    return content;
}

void ErrorMsgContent::write(der::Writer& writer) const {
    writer.sequence([&] {
        status_info.write(writer);
        if (error_code) writer.integer(*error_code);
        if (!error_details.empty()) write_free_text(writer, error_details);
    });
}

Result<GenContent> GenContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto infos, codec::read_sequence_of(reader, {0, limits.info_max}, "list of InfoTypeAndValue",
                                                    InfoTypeAndValue::read));
    return GenContent{std::move(infos)};
}

void GenContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, infos, [&](const InfoTypeAndValue& info) { info.write(writer); });
}

}  // namespace estuary::cmp
