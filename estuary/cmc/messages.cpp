#include "estuary/cmc/messages.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/cms/content_info.h"

namespace estuary::cmc {
namespace {

using der::Tag;

constexpr Tag tcr_tag = der::context_constructed(0);
constexpr Tag crm_tag = der::context_constructed(1);
constexpr Tag orm_tag = der::context_constructed(2);

/// Reads elements up to the end of a SEQUENCE OF.
template <class Part, class Read>
Result<std::vector<Part>> read_sequence(der::Reader& fields, std::size_t count_max, std::string_view what, Read&& read) {
    ESTUARY_TRY(auto list, fields.enter(Tag::sequence));
    std::vector<Part> parts;
    while (!list.empty()) {
        if (parts.size() == count_max) return fail(Code::too_large, fmt::format("{}: more than {} parts", what, count_max));
        auto part = read(list);
        if (!part) return fail(in_context(fmt::format("{} {}", what, parts.size() + 1), std::move(part).error()));
        parts.push_back(std::move(*part));
    }
    return parts;
}

template <class Part>
void write_sequence(der::Writer& writer, const std::vector<Part>& parts, void (*write)(der::Writer&, const Part&)) {
    writer.sequence([&] {
        for (const auto& part : parts) write(writer, part);
    });
}

// TaggedAttribute ::= SEQUENCE { bodyPartID BodyPartID, attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
Result<TaggedAttribute> read_tagged_attribute(der::Reader& list, const Limits& limits) {
    ESTUARY_TRY(auto fields, list.enter(Tag::sequence));
    TaggedAttribute control;
    ESTUARY_TRY(control.id, read_body_part_id(fields));
    ESTUARY_TRY(control.type, fields.oid());
    ESTUARY_TRY(auto values, fields.enter(Tag::set));
    ESTUARY_CHECK(fields.finish("TaggedAttribute"));
    while (!values.empty()) {
        if (control.values.size() == limits.values_max)
            return fail(Code::too_large, fmt::format("more than {} values", limits.values_max));
        ESTUARY_TRY(const auto value, values.any());
        control.values.push_back(to_vec(value.whole));
    }
    return control;
}

void write_tagged_attribute(der::Writer& writer, const TaggedAttribute& control) {
    writer.sequence([&] {
        writer.integer(control.id).oid(control.type);
        cms::write_set_of(writer, Tag::set, {control.values.begin(), control.values.end()});
    });
}

// TaggedContentInfo ::= SEQUENCE { bodyPartID BodyPartID, contentInfo ContentInfo }
Result<TaggedContentInfo> read_content(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(Tag::sequence));
    TaggedContentInfo content;
    ESTUARY_TRY(content.id, read_body_part_id(fields));
    ESTUARY_TRY(const auto info, fields.element(Tag::sequence));
    content.content_info = to_vec(info.whole);
    ESTUARY_CHECK(fields.finish("TaggedContentInfo"));
    return content;
}

void write_content(der::Writer& writer, const TaggedContentInfo& content) {
    writer.sequence([&] { writer.integer(content.id).raw(content.content_info); });
}

// OtherMsg ::= SEQUENCE { bodyPartID BodyPartID, otherMsgType OBJECT IDENTIFIER, otherMsgValue ANY DEFINED BY otherMsgType }
Result<OtherMsg> read_other(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(Tag::sequence));
    OtherMsg other;
    ESTUARY_TRY(other.id, read_body_part_id(fields));
    ESTUARY_TRY(other.type, fields.oid());
    ESTUARY_TRY(const auto value, fields.any());
    other.value = to_vec(value.whole);
    ESTUARY_CHECK(fields.finish("OtherMsg"));
    return other;
}

void write_other(der::Writer& writer, const OtherMsg& other) {
    writer.sequence([&] { writer.integer(other.id).oid(other.type).raw(other.value); });
}

void write_request(der::Writer& writer, const TaggedRequest& request) { request.write(writer); }

/// RFC 10002 3.2.2: unique within one message, and 0 is that message itself.
class UniqueIds {
public:
    template <class Part>
    Result<void> add(const std::vector<Part>& parts) {
        for (const auto& part : parts) {
            if (part.id == this_message) return fail(Code::malformed, "bodyPartID 0 is the message itself and no part of it");
            ids_.push_back(part.id);
        }
        return {};
    }
    Result<void> check() {
        std::ranges::sort(ids_);
        const auto twice = std::ranges::adjacent_find(ids_);
        if (twice != ids_.end()) return fail(Code::malformed, fmt::format("bodyPartID {} occurs twice", *twice));
        return {};
    }

private:
    std::vector<BodyPartId> ids_;
};

template <class Part>
const Part* with_id(const std::vector<Part>& parts, BodyPartId id) noexcept {
    const auto found = std::ranges::find(parts, id, &Part::id);
    return found == parts.end() ? nullptr : &*found;
}

const TaggedAttribute* of_type(const std::vector<TaggedAttribute>& controls, const der::Oid& type) noexcept {
    const auto found = std::ranges::find(controls, type, &TaggedAttribute::type);
    return found == controls.end() ? nullptr : &*found;
}

/// Checked to the bottom, so that what is kept as it came is DER, too.
Result<der::Reader> enter_message(Bytes der, std::string_view what, const Limits& limits) {
    const der::Limits size{.bytes_max = limits.bytes_max};
    ESTUARY_CHECK(der::check_der(der, what, size));
    return der::enter_only(der, Tag::sequence, what, size);
}

}  // namespace

TaggedRequest TaggedRequest::pkcs10(BodyPartId id, Bytes certification_request) {
    return {id, Kind::tcr, to_vec(certification_request), {}};
}

Result<TaggedRequest> TaggedRequest::crmf(Bytes cert_req_msg) {
    ESTUARY_TRY(auto message, der::enter_only(cert_req_msg, Tag::sequence, "CertReqMsg"));
    ESTUARY_TRY(auto request, message.enter(Tag::sequence));
    ESTUARY_TRY(const auto id, read_body_part_id(request));
    return TaggedRequest{id, Kind::crm, to_vec(cert_req_msg), {}};
}

// TaggedRequest ::= CHOICE { tcr [0] TaggedCertificationRequest, crm [1] CertReqMsg, orm [2] SEQUENCE { bodyPartID BodyPartID,
//     requestMessageType OBJECT IDENTIFIER, requestMessageValue ANY DEFINED BY requestMessageType } }   -- IMPLICIT tags
// TaggedCertificationRequest ::= SEQUENCE { bodyPartID BodyPartID, certificationRequest CertificationRequest }
Result<TaggedRequest> TaggedRequest::read(der::Reader& reader) {
    const auto tag = reader.peek();
    if (tag == crm_tag) {
        ESTUARY_TRY(const auto element, reader.any());
        auto sequence = to_vec(element.whole);
        sequence.front() = static_cast<std::uint8_t>(Tag::sequence);
        return crmf(sequence);
    }
    if (tag != tcr_tag && tag != orm_tag) return fail(Code::malformed, "TaggedRequest: neither tcr nor crm nor orm");
    ESTUARY_TRY(auto fields, reader.enter(*tag));
    TaggedRequest request;
    request.kind = tag == tcr_tag ? Kind::tcr : Kind::orm;
    ESTUARY_TRY(request.id, read_body_part_id(fields));
    if (request.kind == Kind::orm) {
        ESTUARY_TRY(request.type, fields.oid());
    }
    ESTUARY_TRY(const auto value, request.kind == Kind::orm ? fields.any() : fields.element(Tag::sequence));
    request.der = to_vec(value.whole);
    ESTUARY_CHECK(fields.finish("TaggedRequest"));
    return request;
}

void TaggedRequest::write(der::Writer& writer) const {
    switch (kind) {
        case Kind::tcr: writer.constructed(tcr_tag, [&] { writer.integer(id).raw(der); }); return;
        case Kind::orm: writer.constructed(orm_tag, [&] { writer.integer(id).oid(type).raw(der); }); return;
        case Kind::crm: break;
    }
    auto tagged = der;
    tagged.front() = static_cast<std::uint8_t>(crm_tag);
    writer.raw(tagged);
}

ByteVec TaggedRequest::encode() const {
    der::Writer writer;
    write(writer);
    return std::move(writer).take();
}

// PKIData ::= SEQUENCE { controlSequence SEQUENCE SIZE(0..MAX) OF TaggedAttribute, reqSequence SEQUENCE SIZE(0..MAX) OF
//     TaggedRequest, cmsSequence SEQUENCE SIZE(0..MAX) OF TaggedContentInfo, otherMsgSequence SEQUENCE SIZE(0..MAX) OF OtherMsg }
Result<PkiData> PkiData::parse(Bytes der, const Limits& limits) {
    ESTUARY_TRY(auto fields, enter_message(der, "PKIData", limits));
    PkiData data;
    ESTUARY_TRY(data.controls, read_sequence<TaggedAttribute>(fields, limits.controls_max, "control",
                                                              [&](der::Reader& list) { return read_tagged_attribute(list, limits); }));
    ESTUARY_TRY(data.requests, read_sequence<TaggedRequest>(fields, limits.requests_max, "request", TaggedRequest::read));
    ESTUARY_TRY(data.contents, read_sequence<TaggedContentInfo>(fields, limits.contents_max, "cmsSequence", read_content));
    ESTUARY_TRY(data.other_messages, read_sequence<OtherMsg>(fields, limits.other_messages_max, "otherMsgSequence", read_other));
    ESTUARY_CHECK(fields.finish("PKIData"));
    UniqueIds ids;
    ESTUARY_CHECK(ids.add(data.controls));
    ESTUARY_CHECK(ids.add(data.requests));
    ESTUARY_CHECK(ids.add(data.contents));
    ESTUARY_CHECK(ids.add(data.other_messages));
    ESTUARY_CHECK(ids.check());
    return data;
}

ByteVec PkiData::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        write_sequence(writer, controls, write_tagged_attribute);
        writer.raw(encode_requests());
        write_sequence(writer, contents, write_content);
        write_sequence(writer, other_messages, write_other);
    });
    return std::move(writer).take();
}

ByteVec PkiData::encode_requests() const {
    der::Writer writer;
    write_sequence(writer, requests, write_request);
    return std::move(writer).take();
}

const TaggedAttribute* PkiData::control(const der::Oid& type) const noexcept { return of_type(controls, type); }
const TaggedRequest* PkiData::request(BodyPartId id) const noexcept { return with_id(requests, id); }
const TaggedContentInfo* PkiData::content(BodyPartId id) const noexcept { return with_id(contents, id); }

// PKIResponse ::= SEQUENCE { controlSequence SEQUENCE SIZE(0..MAX) OF TaggedAttribute, cmsSequence SEQUENCE SIZE(0..MAX) OF
//     TaggedContentInfo, otherMsgSequence SEQUENCE SIZE(0..MAX) OF OtherMsg }
Result<PkiResponse> PkiResponse::parse(Bytes der, const Limits& limits) {
    ESTUARY_TRY(auto fields, enter_message(der, "PKIResponse", limits));
    PkiResponse response;
    ESTUARY_TRY(response.controls, read_sequence<TaggedAttribute>(fields, limits.controls_max, "control",
                                                                  [&](der::Reader& list) { return read_tagged_attribute(list, limits); }));
    ESTUARY_TRY(response.contents, read_sequence<TaggedContentInfo>(fields, limits.contents_max, "cmsSequence", read_content));
    ESTUARY_TRY(response.other_messages,
                read_sequence<OtherMsg>(fields, limits.other_messages_max, "otherMsgSequence", read_other));
    ESTUARY_CHECK(fields.finish("PKIResponse"));
    UniqueIds ids;
    ESTUARY_CHECK(ids.add(response.controls));
    ESTUARY_CHECK(ids.add(response.contents));
    ESTUARY_CHECK(ids.add(response.other_messages));
    ESTUARY_CHECK(ids.check());
    return response;
}

ByteVec PkiResponse::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        write_sequence(writer, controls, write_tagged_attribute);
        write_sequence(writer, contents, write_content);
        write_sequence(writer, other_messages, write_other);
    });
    return std::move(writer).take();
}

const TaggedAttribute* PkiResponse::control(const der::Oid& type) const noexcept { return of_type(controls, type); }
const TaggedContentInfo* PkiResponse::content(BodyPartId id) const noexcept { return with_id(contents, id); }

// CMCUnsignedData ::= SEQUENCE { bodyPartPath BodyPartPath, identifier OBJECT IDENTIFIER, content ANY DEFINED BY identifier }
Result<UnsignedData> UnsignedData::parse(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, Tag::sequence, "CMCUnsignedData"));
    UnsignedData data;
    ESTUARY_TRY(data.path, read_body_part_ids(fields));
    ESTUARY_TRY(data.identifier, fields.oid());
    ESTUARY_TRY(const auto content, fields.any());
    data.content = to_vec(content.whole);
    ESTUARY_CHECK(fields.finish("CMCUnsignedData"));
    return data;
}

ByteVec UnsignedData::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        write_body_part_ids(writer, path);
        writer.oid(identifier).raw(content);
    });
    return std::move(writer).take();
}

}  // namespace estuary::cmc
