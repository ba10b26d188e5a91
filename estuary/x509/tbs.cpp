// Certificates written: the to-be-signed octets, and the signed whole (RFC 5280 4.1).
#include "estuary/x509/certificate.h"

namespace estuary::x509 {
namespace {

using der::Writer;

constexpr std::int64_t version_3 = 2;

/// Octets that the fixed parts need at most beside the variable ones: headers, version, two times.
constexpr std::size_t fixed_octets = 96;
/// OID, critical flag and headers of one extension.
constexpr std::size_t extension_octets = 24;

std::size_t expected_size(const TbsCertificate& tbs) {
    std::size_t size = fixed_octets + tbs.serial_number.size() + tbs.signature_algorithm.size() + tbs.issuer.der().size() +
                       tbs.subject.der().size() + tbs.spki.size();
    for (const auto& extension : tbs.extensions) size += extension_octets + extension.value.size();
    return size;
}

}  // namespace

ByteVec encode_tbs(const TbsCertificate& tbs) {
    ByteVec buffer;
    buffer.reserve(expected_size(tbs));  // one allocation for the whole
    Writer writer{std::move(buffer)};
    writer.sequence([&] {
        writer.constructed(der::context_constructed(0), [&] { writer.integer(version_3); });
        writer.unsigned_integer(tbs.serial_number);
        writer.raw(tbs.signature_algorithm);
        writer.raw(tbs.issuer.der());
        writer.sequence([&] { writer.time(tbs.not_before).time(tbs.not_after); });
        writer.raw(tbs.subject.der());
        writer.raw(tbs.spki);
        // Extensions ::= SEQUENCE SIZE (1..MAX): an empty list is written by leaving it out.
        if (!tbs.extensions.empty())
            writer.constructed(der::context_constructed(3), [&] { write_extensions(writer, tbs.extensions); });
    });
    return std::move(writer).take();
}

ByteVec encode_certificate(Bytes tbs, Bytes signature_algorithm, Bytes signature) {
    ByteVec buffer;
    buffer.reserve(tbs.size() + signature_algorithm.size() + signature.size() + 16);
    Writer writer{std::move(buffer)};
    writer.sequence([&] { writer.raw(tbs).raw(signature_algorithm).bit_string(signature); });
    return std::move(writer).take();
}

}  // namespace estuary::x509
