// Writing CsrAttrs (RFC 8951 4) and its request template (RFC 9908 3.4).
#include <algorithm>

#include "estuary/est/messages.h"

namespace estuary::est {
namespace {

using der::Tag;

/// SET OF in DER: sorted by encoding (X.690 11.6).
void write_set(der::Writer& writer, Tag tag, std::vector<ByteVec> elements) {
    std::ranges::sort(elements);
    writer.constructed(tag, [&] {
        for (const auto& element : elements) writer.raw(element);
    });
}

ByteVec encode_attribute(const der::Oid& type, const std::vector<ByteVec>& values) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(type);
        write_set(writer, Tag::set, values);
    });
    return std::move(writer).take();
}

ByteVec encode_item(const AttrOrOid& item) {
    if (item.values) return encode_attribute(item.oid, *item.values);
    der::Writer writer;
    writer.oid(item.oid);
    return std::move(writer).take();
}

ByteVec encode_name_attribute(const RequestInfoTemplate::NameAttribute& attribute) {
    der::Writer writer;
    writer.sequence([&] {
        writer.oid(attribute.type);
        if (attribute.value) writer.primitive(attribute.value->first, as_bytes(attribute.value->second));
    });
    return std::move(writer).take();
}

/// A modulus of that length and nothing more: 2^(bits-1) + 1, which is no product of two primes of half the size that
/// anybody could know.
ByteVec stand_in_rsa_key(unsigned bits) {
    ByteVec modulus((bits + 7) / 8, 0);
    modulus.front() = static_cast<std::uint8_t>(1u << ((bits - 1) % 8));
    modulus.back() |= 1;
    der::Writer writer;
    writer.sequence([&] {
        writer.unsigned_integer(modulus);
        writer.integer(65537);
    });
    return std::move(writer).take();
}

/// Whether the client has something to complete; only then the extensions are an ExtensionReqTemplate (RFC 9908 3.4).
bool is_unfinished(const ExtensionTemplate& extension) {
    return !extension.value || (extension.id == x509::oid::subject_alt_name && has_unfinished_name(*extension.value));
}

ByteVec encode_extensions(const std::vector<ExtensionTemplate>& extensions) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& extension : extensions) {
            writer.sequence([&] {
                writer.oid(extension.id);
                if (extension.critical) writer.boolean(true);
                if (extension.value) writer.octet_string(*extension.value);
            });
        }
    });
    return std::move(writer).take();
}

std::vector<ByteVec> encode_template_attributes(const RequestInfoTemplate& wanted) {
    std::vector<ByteVec> out;
    if (!wanted.extensions.empty()) {
        const bool partial = std::ranges::any_of(wanted.extensions, is_unfinished);
        out.push_back(encode_attribute(partial ? oid::extension_request_template : x509::oid::extension_request,
                                       {encode_extensions(wanted.extensions)}));
    }
    for (const auto& attribute : wanted.attributes)
        out.push_back(encode_attribute(attribute.oid, attribute.values.value_or(std::vector<ByteVec>{})));
    return out;
}

ByteVec encode_template(const RequestInfoTemplate& wanted) {
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(0);
        if (wanted.subject) {
            writer.sequence([&] {
                for (const auto& rdn : *wanted.subject) {
                    std::vector<ByteVec> attributes;
                    for (const auto& attribute : rdn) attributes.push_back(encode_name_attribute(attribute));
                    write_set(writer, Tag::set, std::move(attributes));
                }
            });
        }
        if (wanted.key_algorithm) {
            writer.constructed(der::context_constructed(0), [&] {
                writer.raw(*wanted.key_algorithm);
                if (wanted.rsa_bits && *wanted.rsa_bits != 0) writer.bit_string(stand_in_rsa_key(*wanted.rsa_bits));
            });
        }
        write_set(writer, der::context_constructed(1), encode_template_attributes(wanted));
    });
    return std::move(writer).take();
}

}  // namespace

ByteVec CsrAttrs::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& item : items) writer.raw(encode_item(item));
        if (request_template)
            writer.raw(encode_attribute(oid::request_info_template, {encode_template(*request_template)}));
    });
    return std::move(writer).take();
}

}  // namespace estuary::est
