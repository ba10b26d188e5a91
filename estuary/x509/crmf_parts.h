#pragma once
// Shared by the sources of CRMF: IMPLICIT tags taken off and put on, and lists of controls.
#include "estuary/x509/crmf.h"

namespace estuary::x509::crmf {

/// The element that `content` is when it has the universal tag.
inline ByteVec with_tag(der::Tag tag, Bytes content) {
    der::Writer writer;
    writer.primitive(tag, content);
    return std::move(writer).take();
}

/// `whole`, one element with a universal tag, under another tag.
inline void write_with_tag(der::Writer& writer, der::Tag tag, Bytes whole) {
    const auto element = der::Reader{whole}.any();
    writer.primitive(tag, element ? element->content : Bytes{});
}

/// The octets of a BIT STRING under any tag.
inline Result<ByteVec> implicit_bit_string(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto content, reader.content(tag));
    if (content.empty() || content[0] != 0) return fail(Code::malformed, "DER: BIT STRING is not of whole octets");
    return to_vec(content.subspan(1));
}
inline void write_bit_string(der::Writer& writer, der::Tag tag, Bytes octets) {
    ByteVec content{0};  // no unused bits
    append(content, octets);
    writer.primitive(tag, content);
}

/// An INTEGER under any tag.
inline Result<std::int64_t> implicit_integer(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto content, reader.content(tag));
    const auto whole = with_tag(der::Tag::integer, content);
    return der::Reader{whole}.integer();
}

/// A whole AlgorithmIdentifier under any tag of a SEQUENCE's form.
inline Result<ByteVec> implicit_algorithm(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto content, reader.content(tag));
    auto whole = with_tag(der::Tag::sequence, content);
    der::Reader fields{content};
    ESTUARY_CHECK(fields.oid());
    if (!fields.empty()) ESTUARY_CHECK(fields.skip());
    ESTUARY_CHECK(fields.finish("AlgorithmIdentifier"));
    return whole;
}

/// A whole SubjectPublicKeyInfo under any tag of a SEQUENCE's form; what key it is, is not looked at.
inline Result<ByteVec> implicit_spki(der::Reader& reader, der::Tag tag) {
    ESTUARY_TRY(const auto content, reader.content(tag));
    der::Reader fields{content};
    ESTUARY_CHECK(implicit_algorithm(fields, der::Tag::sequence));
    ESTUARY_CHECK(fields.bit_string_octets());
    ESTUARY_CHECK(fields.finish("SubjectPublicKeyInfo"));
    return with_tag(der::Tag::sequence, content);
}

/// The octets that a POPOSigningKey with poposkInput signs: with the tag of a SEQUENCE.
ByteVec encode_signing_key_input(const PopoSigningKeyInput& input);

/// Controls, or regInfo. `what` names it in errors.
Result<std::vector<Control>> read_controls(der::Reader list, std::string_view what);
/// As a SEQUENCE; nothing at all if there are none.
void write_controls(der::Writer& writer, const std::vector<Control>& controls);

}  // namespace estuary::x509::crmf
