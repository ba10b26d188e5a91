#include "estuary/x509/crmf_controls.h"

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/x509/crmf_parts.h"

namespace estuary::x509::crmf {
namespace {

using der::context;
using der::context_constructed;
using der::Reader;
using der::Tag;
using der::Writer;

constexpr std::size_t text_octets_max = 1024;
constexpr std::size_t places_max = 16;
constexpr std::size_t pairs_max = 256;

tl::unexpected<Error> malformed(std::string_view what, std::string_view why) {
    return fail(Code::malformed, fmt::format("{}: {}", what, why));
}

/// The one control of this type; null if there is none.
Result<const Control*> find_one(const std::vector<Control>& controls, const der::Oid& type, std::string_view what) {
    if (std::ranges::count(controls, type, &Control::type) > 1) return malformed(what, "more than once");
    return find(controls, type);
}

/// The control's value read by `read`, which is to use up all of it.
template <class Value, class Read>
Result<std::optional<Value>> read_one(const std::vector<Control>& controls, const der::Oid& type, std::string_view what,
                                      Read&& read) {
    ESTUARY_TRY(const auto* control, find_one(controls, type, what));
    if (control == nullptr) return std::optional<Value>{};
    Reader reader{control->value};
    auto value = read(reader);
    if (!value) return fail(in_context(what, std::move(value).error()));
    ESTUARY_CHECK(reader.finish(what));
    return std::optional<Value>{std::move(*value)};
}

template <class Body>
Control make(const der::Oid& type, Body&& body) {
    Writer writer;
    body(writer);
    return {type, std::move(writer).take()};
}

Result<std::string> read_text(Reader& reader) {
    ESTUARY_TRY(const auto content, reader.content(Tag::utf8_string));
    if (content.empty() || content.size() > text_octets_max)
        return fail(Code::malformed, fmt::format("empty or longer than {} octets", text_octets_max));
    if (!text::is_plain_utf8(as_text(content))) return fail(Code::malformed, "not text in UTF-8");
    return estuary::to_string(content);
}

/// An enumeration that is written as INTEGER, from 0 to `last`.
template <class Enum>
Result<Enum> read_number(Reader& reader, Enum last, std::string_view what) {
    ESTUARY_TRY(const auto number, reader.integer());
    if (number < 0 || number > static_cast<std::int64_t>(last))
        return fail(Code::malformed, fmt::format("{} {} is none that is defined", what, number));
    return static_cast<Enum>(number);
}

// SinglePubInfo ::= SEQUENCE { pubMethod INTEGER, pubLocation GeneralName OPTIONAL }
Result<PublicationInfo::Place> read_place(Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(Tag::sequence));
    PublicationInfo::Place place;
    ESTUARY_TRY(place.method, read_number(fields, PublicationInfo::Method::ldap, "pubMethod"));
    if (!fields.empty()) {
        ESTUARY_TRY(place.location, GeneralName::read(fields));
    }
    ESTUARY_CHECK(fields.finish("SinglePubInfo"));
    if (place.method == PublicationInfo::Method::dont_care && place.location)
        return fail(Code::malformed, "dontCare with a location");
    return place;
}

Result<std::optional<ByteVec>> optional_algorithm(Reader& fields, unsigned number) {
    if (!fields.next_is(context_constructed(number))) return std::optional<ByteVec>{};
    ESTUARY_TRY(auto algorithm, implicit_algorithm(fields, context_constructed(number)));
    return std::optional<ByteVec>{std::move(algorithm)};
}

void write_algorithm(Writer& writer, unsigned number, const std::optional<ByteVec>& algorithm) {
    if (algorithm) write_with_tag(writer, context_constructed(number), *algorithm);
}

// PKIArchiveOptions ::= CHOICE { encryptedPrivKey [0] EncryptedKey, keyGenParameters [1] OCTET STRING,
//     archiveRemGenPrivKey [2] BOOLEAN } -- EncryptedKey is a CHOICE: EXPLICIT
Result<ArchiveOptions> read_archive_options(Reader& reader) {
    ESTUARY_TRY(auto encrypted, reader.enter_if(context_constructed(0)));
    if (encrypted) {
        ESTUARY_TRY(auto key, read_encrypted_key(*encrypted));
        ESTUARY_CHECK(encrypted->finish("encryptedPrivKey"));
        return ArchiveOptions{std::move(key)};
    }
    ESTUARY_TRY(const auto parameters, reader.element_if(context(1)));
    if (parameters) return ArchiveOptions{KeyGenParameters{to_vec(parameters->content)}};
    ESTUARY_TRY(const auto content, reader.content(context(2)));
    const auto whole = with_tag(Tag::boolean, content);
    ESTUARY_TRY(const auto archive, Reader{whole}.boolean());
    return ArchiveOptions{ArchiveRemGenPrivKey{archive}};
}

/// '%' and a digit start an escape; names do not start with a digit, so that any other '%' ends a value (RFC 4211 7.1).
bool is_escape(std::string_view rest) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_hex = [&](char c) { return is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); };
    return rest.size() >= 3 && rest[0] == '%' && is_digit(rest[1]) && is_hex(rest[2]);
}

char unescape(std::string_view rest) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : text::lower(c) - 'a' + 10; };
    return static_cast<char>(digit(rest[1]) * 16 + digit(rest[2]));
}

/// Text up to `end`, which is passed over.
Result<std::string> take_until(std::string_view& rest, char end) {
    std::string taken;
    while (!rest.empty()) {
        if (is_escape(rest)) {
            taken += unescape(rest);
            rest.remove_prefix(3);
        } else if (rest[0] == end) {
            rest.remove_prefix(1);
            return taken;
        } else if (rest[0] == '%' || rest[0] == '?') {
            break;
        } else {
            taken += rest[0];
            rest.remove_prefix(1);
        }
    }
    return fail(Code::malformed, "utf8Pairs is not like name?value%");
}

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '?')
            out += "%3f";
        else if (c == '%')
            out += "%25";
        else
            out += c;
    }
    return out;
}

Result<void> read_pairs(std::string_view rest, std::vector<NameValue>& pairs) {
    while (!rest.empty()) {
        if (pairs.size() == pairs_max) return fail(Code::too_large, fmt::format("utf8Pairs: more than {}", pairs_max));
        NameValue pair;
        ESTUARY_TRY(pair.name, take_until(rest, '?'));
        ESTUARY_TRY(pair.value, take_until(rest, '%'));
        if (pair.name.empty() || (pair.name[0] >= '0' && pair.name[0] <= '9'))
            return fail(Code::malformed, "utf8Pairs: a name is empty or starts with a digit");
        // Again, for escapes may stand for anything.
        if (!text::is_plain_utf8(pair.name) || !text::is_plain_utf8(pair.value))
            return fail(Code::malformed, "utf8Pairs: not text in UTF-8");
        pairs.push_back(std::move(pair));
    }
    return {};
}

}  // namespace

Result<std::optional<std::string>> reg_token(const std::vector<Control>& controls) {
    return read_one<std::string>(controls, oid::reg_token, "regToken", read_text);
}
Result<std::optional<std::string>> authenticator(const std::vector<Control>& controls) {
    return read_one<std::string>(controls, oid::authenticator, "authenticator", read_text);
}
Control make_reg_token(std::string_view token) {
    return make(oid::reg_token, [&](Writer& writer) { writer.utf8_string(token); });
}
Control make_authenticator(std::string_view value) {
    return make(oid::authenticator, [&](Writer& writer) { writer.utf8_string(value); });
}

// PKIPublicationInfo ::= SEQUENCE { action INTEGER { dontPublish (0), pleasePublish (1) },
//     pubInfos SEQUENCE SIZE (1..MAX) OF SinglePubInfo OPTIONAL }
Result<PublicationInfo> PublicationInfo::parse(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, Tag::sequence, "PKIPublicationInfo"));
    PublicationInfo info;
    ESTUARY_TRY(info.action, read_number(fields, Action::please_publish, "action"));
    ESTUARY_TRY(auto list, fields.enter_if(Tag::sequence));
    ESTUARY_CHECK(fields.finish("PKIPublicationInfo"));
    if (!list) return info;
    if (info.action == Action::dont_publish || list->empty())
        return fail(Code::malformed, "PKIPublicationInfo: pubInfos is empty, or goes with dontPublish");
    while (!list->empty()) {
        if (info.places.size() == places_max) return fail(Code::too_large, "PKIPublicationInfo: more than 16 locations");
        ESTUARY_TRY(auto place, read_place(*list));
        info.places.push_back(std::move(place));
    }
    return info;
}

ByteVec PublicationInfo::encode() const {
    Writer writer;
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(action));
        if (places.empty()) return;
        writer.sequence([&] {
            for (const auto& place : places)
                writer.sequence([&] {
                    writer.integer(static_cast<std::int64_t>(place.method));
                    if (place.location) place.location->write(writer);
                });
        });
    });
    return std::move(writer).take();
}

Result<std::optional<PublicationInfo>> publication_info(const std::vector<Control>& controls) {
    return read_one<PublicationInfo>(controls, oid::pki_publication_info, "pkiPublicationInfo",
                                     [](Reader& reader) -> Result<PublicationInfo> {
                                         ESTUARY_TRY(const auto element, reader.any());
                                         return PublicationInfo::parse(element.whole);
                                     });
}
Control make_publication_info(const PublicationInfo& info) { return {oid::pki_publication_info, info.encode()}; }

// EncryptedValue ::= SEQUENCE { intendedAlg [0] AlgorithmIdentifier OPTIONAL, symmAlg [1] AlgorithmIdentifier OPTIONAL,
//     encSymmKey [2] BIT STRING OPTIONAL, keyAlg [3] AlgorithmIdentifier OPTIONAL, valueHint [4] OCTET STRING OPTIONAL,
//     encValue BIT STRING }
Result<EncryptedValue> EncryptedValue::parse(Bytes der) {
    ESTUARY_TRY(auto fields, der::enter_only(der, Tag::sequence, "EncryptedValue"));
    EncryptedValue value;
    ESTUARY_TRY(value.intended_alg, optional_algorithm(fields, 0));
    ESTUARY_TRY(value.symm_alg, optional_algorithm(fields, 1));
    if (fields.next_is(context(2))) {
        ESTUARY_TRY(value.enc_symm_key, implicit_bit_string(fields, context(2)));
    }
    ESTUARY_TRY(value.key_alg, optional_algorithm(fields, 3));
    ESTUARY_TRY(const auto hint, fields.element_if(context(4)));
    if (hint) value.value_hint = to_vec(hint->content);
    ESTUARY_TRY(value.enc_value, implicit_bit_string(fields, Tag::bit_string));
    ESTUARY_CHECK(fields.finish("EncryptedValue"));
    return value;
}

ByteVec EncryptedValue::encode() const {
    Writer writer;
    writer.sequence([&] {
        write_algorithm(writer, 0, intended_alg);
        write_algorithm(writer, 1, symm_alg);
        if (enc_symm_key) write_bit_string(writer, context(2), *enc_symm_key);
        write_algorithm(writer, 3, key_alg);
        if (value_hint) writer.primitive(context(4), *value_hint);
        writer.bit_string(enc_value);
    });
    return std::move(writer).take();
}

// EncryptedKey ::= CHOICE { encryptedValue EncryptedValue, envelopedData [0] EnvelopedData }
Result<EncryptedKey> read_encrypted_key(Reader& reader) {
    ESTUARY_TRY(const auto enveloped, reader.element_if(context_constructed(0)));
    if (enveloped) {
        ESTUARY_CHECK(Reader{enveloped->content}.integer());  // its version; the rest is for cms/ to read
        return EncryptedKey{EnvelopedKey{with_tag(Tag::sequence, enveloped->content)}};
    }
    ESTUARY_TRY(const auto value, reader.element(Tag::sequence));
    ESTUARY_TRY(auto parsed, EncryptedValue::parse(value.whole));
    return EncryptedKey{std::move(parsed)};
}

void write_encrypted_key(Writer& writer, const EncryptedKey& key) {
    if (const auto* enveloped = std::get_if<EnvelopedKey>(&key))
        write_with_tag(writer, context_constructed(0), enveloped->enveloped_data);
    else
        writer.raw(std::get<EncryptedValue>(key).encode());
}

Result<std::optional<ArchiveOptions>> archive_options(const std::vector<Control>& controls) {
    return read_one<ArchiveOptions>(controls, oid::pki_archive_options, "pkiArchiveOptions", read_archive_options);
}

Control make_archive_options(const ArchiveOptions& options) {
    return make(oid::pki_archive_options, [&](Writer& writer) {
        if (const auto* key = std::get_if<EncryptedKey>(&options)) {
            writer.constructed(context_constructed(0), [&] { write_encrypted_key(writer, *key); });
        } else if (const auto* parameters = std::get_if<KeyGenParameters>(&options)) {
            writer.primitive(context(1), parameters->octets);
        } else {
            const std::uint8_t octet = std::get<ArchiveRemGenPrivKey>(options).archive ? 0xFF : 0x00;
            writer.primitive(context(2), {&octet, 1});
        }
    });
}

// CertId ::= SEQUENCE { issuer GeneralName, serialNumber INTEGER }
Result<CertId> CertId::read(Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    CertId id;
    ESTUARY_TRY(id.issuer, GeneralName::read(fields));
    ESTUARY_TRY(const auto serial, fields.integer_octets());
    id.serial_number = to_vec(serial);
    ESTUARY_CHECK(fields.finish("CertId"));
    return id;
}

void CertId::write(Writer& writer) const {
    writer.sequence([&] {
        issuer.write(writer);
        writer.primitive(Tag::integer, serial_number);
    });
}

Result<std::optional<CertId>> old_cert_id(const std::vector<Control>& controls) {
    return read_one<CertId>(controls, oid::old_cert_id, "oldCertID", CertId::read);
}
Control make_old_cert_id(const CertId& id) {
    return make(oid::old_cert_id, [&](Writer& writer) { id.write(writer); });
}

Result<std::optional<ByteVec>> protocol_encr_key(const std::vector<Control>& controls) {
    return read_one<ByteVec>(controls, oid::protocol_encr_key, "protocolEncrKey",
                             [](Reader& reader) { return implicit_spki(reader, Tag::sequence); });
}
Control make_protocol_encr_key(Bytes spki) { return {oid::protocol_encr_key, to_vec(spki)}; }

Result<std::vector<NameValue>> utf8_pairs(const std::vector<Control>& reg_info) {
    std::vector<NameValue> pairs;
    for (const auto& control : reg_info) {
        if (control.type != oid::utf8_pairs) continue;
        Reader reader{control.value};
        ESTUARY_TRY(const auto content, reader.content(Tag::utf8_string));
        ESTUARY_CHECK(reader.finish("utf8Pairs"));
        ESTUARY_CHECK(read_pairs(as_text(content), pairs));
    }
    return pairs;
}

Control make_utf8_pairs(const std::vector<NameValue>& pairs) {
    std::string joined;
    for (const auto& pair : pairs) joined += fmt::format("{}?{}%", escape(pair.name), escape(pair.value));
    return make(oid::utf8_pairs, [&](Writer& writer) { writer.utf8_string(joined); });
}

}  // namespace estuary::x509::crmf
