// What a requester is told to ask for (certReqTemplate), and what it tells: revPassphrase, suppLangTags (RFC 9810 5.3.19).
#include "estuary/cmp/info_codec.h"
#include "estuary/cmp/info_values.h"

namespace estuary::cmp {
namespace {

using x509::crmf::Control;

constexpr der::Oid rsa_encryption{"1.2.840.113549.1.1.1"};

Result<Control> read_control(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    Control control;
    ESTUARY_TRY(control.type, fields.oid());
    ESTUARY_TRY(const auto value, fields.any());
    control.value = to_vec(value.whole);
    ESTUARY_CHECK(fields.finish("AttributeTypeAndValue"));
    return control;
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.19.16
//# The publicKey field in the certTemplate MUST NOT be used.
Result<void> check_template(const x509::crmf::CertTemplate& wanted) {
    if (wanted.public_key) return fail(Code::malformed, "publicKey in a certReqTemplate");
    if (wanted.serial_number || wanted.signing_alg || wanted.issuer_uid || wanted.subject_uid)
        return fail(Code::malformed, "serialNumber, signingAlg, issuerUID or subjectUID in a certReqTemplate");
    return {};
}

/// The syntax of a Name, with values of any length.
Result<void> check_open_name(Bytes der) {
    ESTUARY_TRY(auto rdns, der::enter_only(der, der::Tag::sequence, "subject"));
    while (!rdns.empty()) {
        ESTUARY_TRY(auto rdn, rdns.enter(der::Tag::set));
        if (rdn.empty()) return fail(Code::malformed, "empty RelativeDistinguishedName");
        while (!rdn.empty()) {
            ESTUARY_TRY(auto attribute, rdn.enter(der::Tag::sequence));
            ESTUARY_CHECK(attribute.oid());
            ESTUARY_CHECK(attribute.skip());
            ESTUARY_CHECK(attribute.finish("AttributeTypeAndValue"));
        }
    }
    return {};
}

constexpr auto subject_tag = der::context_constructed(5);

/// A CertTemplate whose subject may have empty values.
Result<void> read_cert_template(der::Reader& reader, CertReqTemplate& into) {
    ESTUARY_TRY(const auto whole, reader.element(der::Tag::sequence));
    der::Reader fields{whole.content};
    der::Writer others;
    const auto mark = others.begin(der::Tag::sequence);
    while (!fields.empty()) {
        ESTUARY_TRY(const auto field, fields.any());
        if (field.tag == subject_tag && !x509::Name::parse(field.content)) {
            ESTUARY_CHECK(check_open_name(field.content));
            into.open_subject = to_vec(field.content);
        } else {
            others.raw(field.whole);
        }
    }
    others.end(mark);
    der::Reader again{others.bytes()};
    ESTUARY_TRY(into.cert_template, x509::crmf::CertTemplate::read(again));
    if (into.open_subject && into.cert_template.subject) return fail(Code::malformed, "subject more than once in a certReqTemplate");
    return {};
}

/// The fields of a CertTemplate are in the order of their tags.
void write_cert_template(der::Writer& writer, const CertReqTemplate& value) {
    if (!value.open_subject) {
        value.cert_template.write(writer);
        return;
    }
    der::Writer others;
    value.cert_template.write(others);
    der::Reader fields{der::Reader{others.bytes()}.content(der::Tag::sequence).value()};
    writer.sequence([&] {
        const auto copy_until = [&](der::Tag end) {
            while (fields.peek() && (static_cast<unsigned>(*fields.peek()) & 0x1F) < (static_cast<unsigned>(end) & 0x1F))
                writer.raw(fields.any().value().whole);
        };
        copy_until(subject_tag);
        writer.constructed(subject_tag, [&] { writer.raw(*value.open_subject); });
        copy_until(der::context_constructed(30));
    });
}

Result<CertReqTemplate> read_template(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    CertReqTemplate value;
    ESTUARY_CHECK(read_cert_template(fields, value));
    if (!fields.empty()) {
        ESTUARY_TRY(value.key_spec,
                    codec::read_sequence_of(fields, {codec::at_least_one, limits.info_max}, "keySpec", read_control));
    }
    ESTUARY_CHECK(fields.finish("CertReqTemplateContent"));
    ESTUARY_CHECK(check_template(value.cert_template));
    return value;
}

Result<KeyChoice> read_rsa_key_len(Bytes der) {
    der::Reader reader{der};
    ESTUARY_TRY(const auto bits, reader.integer());
    ESTUARY_CHECK(reader.finish("RsaKeyLenCtrl"));
    if (bits < 1 || bits > INT32_MAX) return fail(Code::malformed, "id-regCtrl-rsaKeyLen is no length of a key");
    return KeyChoice{static_cast<std::uint32_t>(bits)};
}

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.19.16
//# The id-regCtrl-algId control MAY be used to identify a cryptographic algorithm […] other than rsaEncryption.
Result<KeyChoice> read_alg_id(Bytes der) {
    der::Reader reader{der};
    ESTUARY_TRY(auto algorithm, codec::read_algorithm(reader));
    ESTUARY_CHECK(reader.finish("AlgIdCtrl"));
    ESTUARY_TRY(auto inside, der::enter_only(algorithm, der::Tag::sequence, "AlgIdCtrl"));
    ESTUARY_TRY(const auto oid, inside.oid());
    if (oid == rsa_encryption) return fail(Code::malformed, "id-regCtrl-algId names rsaEncryption");
    return KeyChoice{std::move(algorithm)};
}

}  // namespace

Result<std::optional<x509::crmf::EncryptedKey>> read_rev_passphrase(const InfoTypeAndValue& info) {
    return codec::read_value(info, x509::crmf::read_encrypted_key);
}
InfoTypeAndValue make_rev_passphrase(const x509::crmf::EncryptedKey& passphrase) {
    return codec::make_info(oid::rev_passphrase,
                            [&](der::Writer& writer) { x509::crmf::write_encrypted_key(writer, passphrase); });
}

Result<std::vector<std::string>> read_supp_lang_tags(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_required_value(
        info, [&](der::Reader& reader) { return codec::read_utf8_strings(reader, limits, "suppLangTags"); });
}
InfoTypeAndValue make_supp_lang_tags(const std::vector<std::string>& tags) {
    return codec::make_info(oid::supp_lang_tags, [&](der::Writer& writer) { codec::write_utf8_strings(writer, tags); });
}

Result<std::optional<CertReqTemplate>> read_cert_req_template(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_value(info, [&](der::Reader& reader) { return read_template(reader, limits); });
}

InfoTypeAndValue make_cert_req_template(const CertReqTemplate& value) {
    return codec::make_info(oid::cert_req_template, [&](der::Writer& writer) {
        writer.sequence([&] {
            write_cert_template(writer, value);
            if (!value.key_spec.empty())
                codec::write_sequence_of(writer, value.key_spec, [&](const Control& control) {
                    writer.sequence([&] { writer.oid(control.type).raw(control.value); });
                });
        });
    });
}

Result<std::vector<KeyChoice>> key_choices(const std::vector<Control>& key_spec) {
    std::vector<KeyChoice> choices;
    for (const auto& control : key_spec) {
        if (control.type == oid::rsa_key_len) {
            ESTUARY_TRY(choices.emplace_back(), read_rsa_key_len(control.value));
        } else if (control.type == oid::alg_id) {
            ESTUARY_TRY(choices.emplace_back(), read_alg_id(control.value));
        }
    }
    return choices;
}

Control make_key_choice(const KeyChoice& choice) {
    if (const auto* algorithm = std::get_if<ByteVec>(&choice)) return {.type = oid::alg_id, .value = *algorithm};
    der::Writer writer;
    writer.integer(std::get<std::uint32_t>(choice));
    return {.type = oid::rsa_key_len, .value = std::move(writer).take()};
}

}  // namespace estuary::cmp
