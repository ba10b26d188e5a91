// Certification requests made by us, and the attributes that need more than a string.
#include "estuary/x509/general_name.h"
#include "estuary/x509/certification_request.h"
#include "estuary/x509/string_types.h"

namespace estuary::x509 {
namespace {

using der::Tag;

/// A SET OF in DER order (X.690 11.6).
void write_set_of(der::Writer& writer, Tag tag, std::vector<ByteVec> elements) {
    std::ranges::sort(elements);
    writer.constructed(tag, [&] {
        for (const auto& element : elements) writer.raw(element);
    });
}

ByteVec encode_attribute(const Attribute& attribute) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(attribute.type);
        write_set_of(writer, Tag::set, attribute.values);
    });
    return std::move(writer).take();
}

Attribute make_extension_request(const std::vector<Extension>& extensions) {
    der::Writer writer;
    write_extensions(writer, extensions);
    return {oid::extension_request, {std::move(writer).take()}};
}

Result<std::vector<ByteVec>> encode_attributes(const RequestTemplate& wanted) {
    std::vector<Attribute> attributes = wanted.attributes;
    if (!wanted.extensions.empty()) attributes.push_back(make_extension_request(wanted.extensions));
    std::vector<der::Oid> types;
    std::vector<ByteVec> encoded;
    for (const auto& attribute : attributes) {
        if (attribute.values.empty()) return fail(Code::malformed, "attribute " + attribute.type.dotted() + " without a value");
        if (std::ranges::find(types, attribute.type) != types.end())
            return fail(Code::conflict, "attribute " + attribute.type.dotted() + " more than once");
        types.push_back(attribute.type);
        encoded.push_back(encode_attribute(attribute));
    }
    return encoded;
}

/// Name is a SEQUENCE OF SET, GeneralNames a SEQUENCE OF context tags; an empty one can only be a Name.
bool holds_general_names(const der::Element& sequence) {
    return !sequence.content.empty() && (sequence.content[0] & 0xC0) == 0x80;
}

Result<ChangeSubjectName> read_change_subject_name(Bytes der) {
    ESTUARY_TRY(auto reader, der::enter_only(der, Tag::sequence, "changeSubjectName"));
    ChangeSubjectName out;
    if (reader.empty()) return fail(Code::malformed, "changeSubjectName has neither subject nor subjectAlt");
    ESTUARY_TRY(auto element, reader.element(Tag::sequence));
    if (!holds_general_names(element)) {
        ESTUARY_TRY(out.subject, Name::parse(element.whole));
        if (reader.empty()) return out;
        ESTUARY_TRY(element, reader.element(Tag::sequence));
    }
    ESTUARY_TRY(out.subject_alt, read_general_names(element.content));
    for (const auto& name : out.subject_alt) ESTUARY_CHECK(name.check());
    ESTUARY_CHECK(reader.finish("changeSubjectName"));
    return out;
}

}  // namespace

Result<ByteVec> encode_request_info(const RequestTemplate& wanted, Bytes spki) {
    ESTUARY_TRY(auto attributes, encode_attributes(wanted));
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(0);
        writer.raw(wanted.subject.der());
        writer.raw(spki);
        write_set_of(writer, der::context_constructed(0), std::move(attributes));
    });
    return std::move(writer).take();
}

Result<ByteVec> make_request(const RequestTemplate& wanted, const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto* algorithm, key.signature_algorithm());
    ESTUARY_TRY(const auto info, encode_request_info(wanted, key.public_key().spki()));
    ESTUARY_TRY(const auto signature, key.sign(info));
    der::Writer writer;
    writer.sequence([&] { writer.raw(info).raw(algorithm->identifier).bit_string(signature); });
    return std::move(writer).take();
}

Attribute make_directory_string_attribute(const der::Oid& type, std::string_view text) {
    der::Writer writer;
    if (strings::is_printable_string(text)) {
        writer.printable_string(text);
    } else {
        writer.utf8_string(text);
    }
    return {type, {std::move(writer).take()}};
}

Attribute make_challenge_password(std::string_view text) {
    return make_directory_string_attribute(oid::challenge_password, text);
}

Attribute make_change_subject_name(const ChangeSubjectName& value) {
    der::Writer writer;
    writer.sequence([&] {
        if (value.subject) writer.raw(value.subject->der());
        if (!value.subject_alt.empty()) writer.raw(write_general_names(value.subject_alt));
    });
    return {oid::change_subject_name, {std::move(writer).take()}};
}

Result<std::optional<ChangeSubjectName>> change_subject_name(const CertificationRequest& request) {
    const auto* attribute = request.attribute(oid::change_subject_name);
    if (attribute == nullptr) return std::optional<ChangeSubjectName>{};
    if (attribute->values.size() != 1) return fail(Code::malformed, "changeSubjectName has more than one value");
    ESTUARY_TRY(auto value, read_change_subject_name(attribute->values.front()));
    return std::optional<ChangeSubjectName>{std::move(value)};
}

}  // namespace estuary::x509
