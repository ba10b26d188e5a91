#include "estuary/cms/identifier.h"

namespace estuary::cms {
namespace {

using der::Tag;

constexpr std::size_t key_identifier_octets_max = 64;  // a SHA-512 of the key
constexpr std::size_t serial_octets_max = 21;          // 20 and a leading zero, as Certificate reads them

}  // namespace

Identifier Identifier::by_issuer(const x509::Certificate& certificate) {
    return {certificate.issuer(), to_vec(certificate.serial_number()), {}};
}

Result<Identifier> Identifier::by_key(const x509::Certificate& certificate) {
    auto identifier = certificate.subject_key_id();
    if (!identifier) return fail(Code::not_found, "the certificate has no subjectKeyIdentifier");
    return by_key(*identifier);
}

Identifier Identifier::by_key(Bytes key_identifier) { return {{}, {}, to_vec(key_identifier)}; }

bool Identifier::names(const x509::Certificate& certificate) const {
    if (is_by_key()) return certificate.subject_key_id() == key_identifier;
    return same(serial_number, certificate.serial_number()) && issuer.matches(certificate.issuer());
}

Result<Identifier> read_issuer_and_serial(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    Identifier identifier;
    ESTUARY_TRY(identifier.issuer, x509::Name::read(fields));
    ESTUARY_TRY(const auto serial, fields.integer_octets());
    ESTUARY_CHECK(fields.finish("IssuerAndSerialNumber"));
    if (serial.size() > serial_octets_max) return fail(Code::too_large, "IssuerAndSerialNumber: serial number over 20 octets");
    identifier.serial_number = to_vec(serial);
    return identifier;
}

Result<Identifier> Identifier::read(der::Reader& reader) {
    ESTUARY_TRY(const auto key, reader.element_if(der::context(0)));
    if (!key) return read_issuer_and_serial(reader);
    if (key->content.empty()) return fail(Code::malformed, "subjectKeyIdentifier without octets");
    if (key->content.size() > key_identifier_octets_max) return fail(Code::too_large, "subjectKeyIdentifier over 64 octets");
    return by_key(key->content);
}

void Identifier::write(der::Writer& writer) const {
    if (is_by_key()) {
        writer.primitive(der::context(0), key_identifier);
        return;
    }
    writer.sequence([&] {
        writer.raw(issuer.der());
        writer.primitive(Tag::integer, serial_number);
    });
}

}  // namespace estuary::cms
