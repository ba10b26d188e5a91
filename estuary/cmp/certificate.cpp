#include "estuary/cmp/certificate.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {

Result<CmpCertificate> CmpCertificate::read(der::Reader& reader) {
    ESTUARY_TRY(const auto element, reader.any());  // other kinds of certificates have tags of their own
    return CmpCertificate{to_vec(element.whole)};
}

Result<CmpCertificates> read_cmp_certificates(der::Reader& reader, std::size_t count_max, std::string_view what) {
    return codec::read_sequence_of(reader, {codec::at_least_one, count_max}, what, CmpCertificate::read);
}

void write_cmp_certificates(der::Writer& writer, const CmpCertificates& certificates) {
    codec::write_sequence_of(writer, certificates, [&](const CmpCertificate& one) { writer.raw(one.der); });
}

Result<std::vector<x509::Certificate>> to_x509(const CmpCertificates& certificates) {
    std::vector<x509::Certificate> parsed;
    for (const auto& one : certificates) {
        ESTUARY_TRY(parsed.emplace_back(), one.x509());
    }
    return parsed;
}

CmpCertificates to_cmp(const std::vector<x509::Certificate>& certificates) {
    return {certificates.begin(), certificates.end()};
}

Result<std::vector<ByteVec>> read_crls(der::Reader& reader, std::size_t count_min, std::size_t count_max) {
    return codec::read_sequence_of(reader, {count_min, count_max}, "list of CRLs",
                                   [](der::Reader& list) { return codec::read_whole(list, der::Tag::sequence); });
}

}  // namespace estuary::cmp
