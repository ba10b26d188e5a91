// CertTemplate, CertRequest, and what both CertReqMsg and its makers share.
#include <fmt/format.h>

#include "estuary/x509/certificate.h"
#include "estuary/x509/crmf_parts.h"

namespace estuary::x509::crmf {
namespace {

using der::context;
using der::context_constructed;
using der::Reader;
using der::Tag;
using der::Writer;

tl::unexpected<Error> malformed_template(std::string detail) {
    return fail(Code::malformed, "CertTemplate: " + std::move(detail));
}

/// RFC 4211 5: times follow the rules of RFC 5280 4.1.2.5, UTCTime through 2049.
Result<Time> read_time(Reader explicit_tag) {
    const auto tag = explicit_tag.peek();
    ESTUARY_TRY(const auto time, explicit_tag.time());
    ESTUARY_CHECK(explicit_tag.finish("Time"));
    Writer expected;
    expected.time(time);
    if (static_cast<Tag>(expected.bytes()[0]) != tag)
        return malformed_template("a time through 2049 is a UTCTime, a later one a GeneralizedTime");
    return time;
}

// OptionalValidity ::= SEQUENCE { notBefore [0] Time OPTIONAL, notAfter [1] Time OPTIONAL } -- Time is a CHOICE: EXPLICIT
Result<OptionalValidity> read_validity(Reader fields) {
    OptionalValidity validity;
    ESTUARY_TRY(const auto not_before, fields.enter_if(context_constructed(0)));
    if (not_before) {
        ESTUARY_TRY(validity.not_before, read_time(*not_before));
    }
    ESTUARY_TRY(const auto not_after, fields.enter_if(context_constructed(1)));
    if (not_after) {
        ESTUARY_TRY(validity.not_after, read_time(*not_after));
    }
    ESTUARY_CHECK(fields.finish("OptionalValidity"));
    if (!not_before && !not_after) return malformed_template("validity without either end");
    return validity;
}

void write_validity(Writer& writer, const OptionalValidity& validity) {
    writer.constructed(context_constructed(4), [&] {
        if (validity.not_before)
            writer.constructed(context_constructed(0), [&] { writer.time(*validity.not_before); });
        if (validity.not_after) writer.constructed(context_constructed(1), [&] { writer.time(*validity.not_after); });
    });
}

/// Name is a CHOICE, and so behind an EXPLICIT tag.
Result<std::optional<Name>> read_name(Reader& fields, unsigned number) {
    ESTUARY_TRY(auto inner, fields.enter_if(context_constructed(number)));
    if (!inner) return std::optional<Name>{};
    ESTUARY_TRY(auto name, Name::read(*inner));
    ESTUARY_CHECK(inner->finish("Name"));
    return std::optional<Name>{std::move(name)};
}

void write_name(Writer& writer, unsigned number, const std::optional<Name>& name) {
    if (name) writer.constructed(context_constructed(number), [&] { writer.raw(name->der()); });
}

/// UniqueIdentifier ::= BIT STRING, kept as it is.
Result<std::optional<ByteVec>> read_unique_identifier(Reader& fields, unsigned number) {
    ESTUARY_TRY(const auto element, fields.element_if(context(number)));
    if (!element) return std::optional<ByteVec>{};
    const auto content = element->content;
    const bool empty_with_bits = content.size() == 1 && content[0] != 0;
    if (content.empty() || content[0] > 7 || empty_with_bits || (content.back() & ((1u << content[0]) - 1)) != 0)
        return malformed_template("a UniqueIdentifier is no BIT STRING");
    return std::optional<ByteVec>{to_vec(content)};
}

Result<std::vector<Extension>> read_extensions(Reader& fields) {
    ESTUARY_TRY(const auto element, fields.element_if(context_constructed(9)));
    if (!element) return std::vector<Extension>{};
    return parse_extensions(with_tag(Tag::sequence, element->content));
}

/// The fields that name what exists already: version to signingAlg.
Result<void> read_assigned(Reader& fields, CertTemplate& wanted) {
    if (fields.next_is(context(0))) {
        ESTUARY_TRY(wanted.version, implicit_integer(fields, context(0)));
    }
    ESTUARY_TRY(const auto serial, fields.element_if(context(1)));
    if (serial) {
        const auto whole = with_tag(Tag::integer, serial->content);
        ESTUARY_CHECK(Reader{whole}.integer_octets());
        wanted.serial_number = to_vec(serial->content);
    }
    if (fields.next_is(context_constructed(2))) {
        ESTUARY_TRY(wanted.signing_alg, implicit_algorithm(fields, context_constructed(2)));
    }
    return {};
}

}  // namespace

// CertTemplate ::= SEQUENCE { version [0] Version, serialNumber [1] INTEGER, signingAlg [2] AlgorithmIdentifier, issuer [3] Name,
//     validity [4] OptionalValidity, subject [5] Name, publicKey [6] SubjectPublicKeyInfo, issuerUID [7] UniqueIdentifier,
//     subjectUID [8] UniqueIdentifier, extensions [9] Extensions } -- each OPTIONAL
Result<CertTemplate> CertTemplate::read(Reader& reader, Tag tag) {
    ESTUARY_TRY(auto fields, reader.enter(tag));
    CertTemplate wanted;
    ESTUARY_CHECK(read_assigned(fields, wanted));
    ESTUARY_TRY(wanted.issuer, read_name(fields, 3));
    ESTUARY_TRY(const auto validity, fields.enter_if(context_constructed(4)));
    if (validity) {
        ESTUARY_TRY(wanted.validity, read_validity(*validity));
    }
    ESTUARY_TRY(wanted.subject, read_name(fields, 5));
    if (fields.next_is(context_constructed(6))) {
        ESTUARY_TRY(wanted.public_key, implicit_spki(fields, context_constructed(6)));
    }
    ESTUARY_TRY(wanted.issuer_uid, read_unique_identifier(fields, 7));
    ESTUARY_TRY(wanted.subject_uid, read_unique_identifier(fields, 8));
    ESTUARY_TRY(wanted.extensions, read_extensions(fields));
    ESTUARY_CHECK(fields.finish("CertTemplate"));
    return wanted;
}

void CertTemplate::write(Writer& writer, Tag tag) const {
    writer.constructed(tag, [&] {
        if (version) {
            Writer number;
            number.integer(*version);
            write_with_tag(writer, context(0), number.bytes());
        }
        if (serial_number) writer.primitive(context(1), *serial_number);
        if (signing_alg) write_with_tag(writer, context_constructed(2), *signing_alg);
        write_name(writer, 3, issuer);
        if (validity) write_validity(writer, *validity);
        write_name(writer, 5, subject);
        if (public_key) write_with_tag(writer, context_constructed(6), *public_key);
        if (issuer_uid) writer.primitive(context(7), *issuer_uid);
        if (subject_uid) writer.primitive(context(8), *subject_uid);
        if (!extensions.empty()) {
            Writer list;
            write_extensions(list, extensions);
            write_with_tag(writer, context_constructed(9), list.bytes());
        }
    });
}

Result<void> check_requestable(const CertTemplate& wanted, Bytes signing_alg) {
    constexpr std::int64_t version_3 = 2;
    if (wanted.version && *wanted.version != version_3)
        return malformed_template(fmt::format("version {} is not v3(2)", *wanted.version));
    if (wanted.serial_number) return malformed_template("serialNumber is not for the requester to choose");
    if (wanted.signing_alg && !same(*wanted.signing_alg, signing_alg))
        return malformed_template(signing_alg.empty() ? "signingAlg is not for the requester to choose" : "signingAlg is another than the CA signs with");
    if (wanted.issuer_uid || wanted.subject_uid) return malformed_template("unique identifiers are not issued");
    return {};
}

// SEQUENCE SIZE (1..MAX) OF AttributeTypeAndValue, which is SEQUENCE { type OBJECT IDENTIFIER, value ANY DEFINED BY type }.
// Dogtag's client writes an empty one where it has no controls; nothing is lost by reading that.
Result<std::vector<Control>> read_controls(Reader list, std::string_view what) {
    std::vector<Control> controls;
    while (!list.empty()) {
        if (controls.size() == controls_max) return fail(Code::too_large, fmt::format("{}: more than {}", what, controls_max));
        ESTUARY_TRY(auto fields, list.enter(Tag::sequence));
        ESTUARY_TRY(const auto type, fields.oid());
        ESTUARY_TRY(const auto value, fields.any());
        ESTUARY_CHECK(fields.finish(what));
        controls.push_back({type, to_vec(value.whole)});
    }
    return controls;
}

void write_controls(Writer& writer, const std::vector<Control>& controls) {
    if (controls.empty()) return;
    writer.sequence([&] {
        for (const auto& control : controls) writer.sequence([&] { writer.oid(control.type).raw(control.value); });
    });
}

const Control* find(const std::vector<Control>& controls, const der::Oid& type) noexcept {
    const auto found = std::ranges::find(controls, type, &Control::type);
    return found == controls.end() ? nullptr : &*found;
}

// CertRequest ::= SEQUENCE { certReqId INTEGER, certTemplate CertTemplate, controls Controls OPTIONAL }
Result<CertRequest> CertRequest::read(Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(Tag::sequence));
    CertRequest request;
    ESTUARY_TRY(request.cert_req_id, fields.integer());
    ESTUARY_TRY(request.cert_template, CertTemplate::read(fields));
    ESTUARY_TRY(const auto controls, fields.enter_if(Tag::sequence));
    if (controls) {
        ESTUARY_TRY(request.controls, read_controls(*controls, "Controls"));
    }
    ESTUARY_CHECK(fields.finish("CertRequest"));
    return request;
}

ByteVec CertRequest::encode() const {
    Writer writer;
    writer.sequence([&] {
        writer.integer(cert_req_id);
        cert_template.write(writer);
        write_controls(writer, controls);
    });
    return std::move(writer).take();
}

}  // namespace estuary::x509::crmf
