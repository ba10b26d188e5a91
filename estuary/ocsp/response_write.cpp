// OCSPResponse, written (RFC 6960 4.2).
#include "estuary/ocsp/codec.h"
#include "estuary/ocsp/messages.h"
#include "estuary/ocsp/oids.h"

namespace estuary::ocsp {
namespace {

void write_status(der::Writer& writer, const CertStatus& status) {
    switch (status.kind) {
        case CertStatus::Kind::good: writer.primitive(der::context(0), {}); return;
        case CertStatus::Kind::unknown: writer.primitive(der::context(2), {}); return;
        case CertStatus::Kind::revoked: break;
    }
    writer.constructed(der::context_constructed(1), [&] {
        writer.generalized_time(status.revoked_at);
        if (!status.reason) return;
        const auto number = static_cast<std::uint8_t>(*status.reason);
        writer.constructed(der::context_constructed(0), [&] { writer.primitive(der::Tag::enumerated, {&number, 1}); });
    });
}

void write_responder_id(der::Writer& writer, const ResponderId& id) {
    if (const auto* name = std::get_if<x509::Name>(&id)) {
        writer.constructed(der::context_constructed(1), [&] { writer.raw(name->der()); });
    } else {
        writer.constructed(der::context_constructed(2), [&] { writer.octet_string(std::get<crypto::Sha1>(id)); });
    }
}

}  // namespace

ByteVec encode_responder_id(const ResponderId& id) {
    der::Writer writer;
    write_responder_id(writer, id);
    return std::move(writer).take();
}

void write_single_response(der::Writer& writer, Bytes cert_id, const CertStatus& status, Time this_update,
                           std::optional<Time> next_update, Bytes extensions) {
    writer.sequence([&] {
        writer.raw(cert_id);
        write_status(writer, status);
        writer.generalized_time(this_update);
        if (next_update) writer.constructed(der::context_constructed(0), [&] { writer.generalized_time(*next_update); });
        if (!extensions.empty()) writer.constructed(der::context_constructed(1), [&] { writer.raw(extensions); });
    });
}

ByteVec encode_response_data(const ResponseData& data) {
    der::Writer writer;
    writer.sequence([&] {
        write_responder_id(writer, data.responder);
        writer.generalized_time(data.produced_at);
        writer.sequence([&] {
            for (const auto& single : data.responses)
                write_single_response(writer, single.id.der(), single.status, single.this_update, single.next_update,
                                      codec::encode_extensions(single.extensions));
        });
        if (!data.extensions.empty())
            writer.constructed(der::context_constructed(1), [&] { x509::write_extensions(writer, data.extensions); });
    });
    return std::move(writer).take();
}

ByteVec encode_response(Bytes tbs, Bytes signature_algorithm, Bytes signature, Bytes certificates) {
    ByteVec buffer;
    buffer.reserve(tbs.size() + signature_algorithm.size() + signature.size() + certificates.size() + 64);
    der::Writer writer{std::move(buffer)};
    const std::uint8_t successful = 0;
    writer.sequence([&] {
        writer.primitive(der::Tag::enumerated, {&successful, 1});
        writer.constructed(der::context_constructed(0), [&] {
            writer.sequence([&] {
                writer.oid(oid::basic);
                writer.constructed(der::Tag::octet_string, [&] {
                    writer.sequence([&] { writer.raw(tbs).raw(signature_algorithm).bit_string(signature).raw(certificates); });
                });
            });
        });
    });
    return std::move(writer).take();
}

ByteVec encode_certificates(const std::vector<Bytes>& certificates) {
    der::Writer writer;
    if (certificates.empty()) return {};
    writer.constructed(der::context_constructed(0), [&] {
        writer.sequence([&] {
            for (const auto certificate : certificates) writer.raw(certificate);
        });
    });
    return std::move(writer).take();
}

ByteVec encode_error(ResponseStatus status) {
    const auto number = static_cast<std::uint8_t>(status);
    der::Writer writer;
    writer.sequence([&] { writer.primitive(der::Tag::enumerated, {&number, 1}); });
    return std::move(writer).take();
}

}  // namespace estuary::ocsp
