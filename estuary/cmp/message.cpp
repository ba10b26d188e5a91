// PKIMessage (RFC 9810 5.1).
#include "estuary/cmp/codec.h"
#include "estuary/cmp/message_reader.h"

namespace estuary::cmp {

struct PkiMessage::Fields {
    ByteVec der;
    PkiHeader header;
    PkiBody body;
    Bytes header_der, body_der;  // views into der
    std::optional<Bytes> protection;
    std::vector<Bytes> extra_certs;
};

namespace {

Result<std::vector<Bytes>> read_extra_certs(der::Reader& reader, std::size_t count_max) {
    return codec::read_sequence_of(reader, {codec::at_least_one, count_max}, "extraCerts",
                                   [](der::Reader& list) -> Result<Bytes> {
                                       ESTUARY_TRY(const auto element, list.any());
                                       return element.whole;
                                   });
}

}  // namespace

Result<PkiMessage> MessageReader::read_message(Bytes der) const {
    auto message = std::make_shared<PkiMessage::Fields>();
    message->der = to_vec(der);
    ESTUARY_TRY(auto reader, der::enter_only(message->der, der::Tag::sequence, "PKIMessage", der_limits(limits)));

    const auto at_header = reader.rest();
    ESTUARY_TRY(message->header, PkiHeader::read(reader, limits));
    const auto at_body = reader.rest();
    message->header_der = at_header.first(at_header.size() - at_body.size());
    ESTUARY_TRY(message->body, read_body(reader));
    message->body_der = at_body.first(at_body.size() - reader.rest().size());

    ESTUARY_TRY(message->protection, codec::read_explicit(reader, 0, "protection",
                                                          [](der::Reader& inner) { return inner.bit_string_octets(); }));
    ESTUARY_TRY(auto extra_certs, codec::read_explicit(reader, 1, "extraCerts", [&](der::Reader& inner) {
                    return read_extra_certs(inner, limits.extra_certs_max);
                }));
    if (extra_certs) message->extra_certs = std::move(*extra_certs);
    ESTUARY_CHECK(reader.finish("PKIMessage"));

    PkiMessage read;
    read.fields_ = std::move(message);
    return read;
}

Result<std::vector<PkiMessage>> MessageReader::read_messages(der::Reader& reader) const {
    return codec::read_sequence_of(reader, {codec::at_least_one, limits.messages_max}, "PKIMessages",
                                   [&](der::Reader& list) -> Result<PkiMessage> {
                                       ESTUARY_TRY(const auto element, list.element(der::Tag::sequence));
                                       return read_message(element.whole);
                                   });
}

Result<PkiBody::Content> MessageReader::read_nested(der::Reader& reader) const {
    if (nesting == limits.nesting_max)
        return fail(Code::too_large, fmt::format("more than {} messages within each other", limits.nesting_max));
    const MessageReader inner{limits, nesting + 1};
    ESTUARY_TRY(auto messages, inner.read_messages(reader));
    return PkiBody::Content{NestedMessageContent{std::move(messages)}};
}

Result<PkiMessage> PkiMessage::parse(Bytes der, const Limits& limits) {
    ESTUARY_CHECK(der::check_der(der, "PKIMessage", der_limits(limits)));
    return MessageReader{limits}.read_message(der);
}

Bytes PkiMessage::der() const noexcept { return fields_->der; }
const PkiHeader& PkiMessage::header() const noexcept { return fields_->header; }
const PkiBody& PkiMessage::body() const noexcept { return fields_->body; }
BodyType PkiMessage::type() const noexcept { return fields_->body.type; }
Bytes PkiMessage::header_der() const noexcept { return fields_->header_der; }
Bytes PkiMessage::body_der() const noexcept { return fields_->body_der; }
std::optional<Bytes> PkiMessage::protection() const noexcept { return fields_->protection; }
const std::vector<Bytes>& PkiMessage::extra_certs() const noexcept { return fields_->extra_certs; }

ByteVec PkiMessage::protected_part() const { return encode_protected_part(header_der(), body_der()); }

std::vector<x509::Certificate> PkiMessage::extra_certificates() const {
    std::vector<x509::Certificate> readable;
    for (const auto& der : extra_certs())
        if (auto certificate = x509::Certificate::parse(der)) readable.push_back(std::move(*certificate));
    return readable;
}

Result<std::vector<PkiMessage>> parse_messages(Bytes der, const Limits& limits) {
    ESTUARY_CHECK(der::check_der(der, "PKIMessages", der_limits(limits)));
    der::Reader reader{der, der_limits(limits)};
    return MessageReader{limits}.read_messages(reader);
}

ByteVec encode_protected_part(Bytes header, Bytes body) {
    der::Writer writer;
    writer.sequence([&] { writer.raw(header).raw(body); });
    return std::move(writer).take();
}

ByteVec encode_message(Bytes header, Bytes body, std::optional<Bytes> protection, const std::vector<Bytes>& extra_certs) {
    der::Writer writer;
    writer.sequence([&] {
        writer.raw(header).raw(body);
        if (protection) codec::write_explicit(writer, 0, [&] { writer.bit_string(*protection); });
        if (!extra_certs.empty())
            codec::write_explicit(writer, 1, [&] {
                codec::write_sequence_of(writer, extra_certs, [&](Bytes certificate) { writer.raw(certificate); });
            });
    });
    return std::move(writer).take();
}

}  // namespace estuary::cmp
