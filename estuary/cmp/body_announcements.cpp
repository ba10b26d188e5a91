#include "estuary/cmp/body_announcements.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {

Result<CaKeyUpdContent> CaKeyUpdContent::read(der::Reader& reader, const Limits&) {
    ESTUARY_TRY(auto update, codec::read_explicit(reader, 0, "cAKeyUpdAnnV3", RootCaKeyUpdate::read));
    if (update) return CaKeyUpdContent{std::move(*update)};
    ESTUARY_TRY(auto announced, CaKeyUpdAnn::read(reader));
    return CaKeyUpdContent{std::move(announced)};
}

void CaKeyUpdContent::write(der::Writer& writer) const {
    if (const auto* newer = std::get_if<RootCaKeyUpdate>(&update))
        codec::write_explicit(writer, 0, [&] { newer->write(writer); });
    else
        std::get<CaKeyUpdAnn>(update).write(writer);
}

Result<CertAnnContent> CertAnnContent::read(der::Reader& reader, const Limits&) {
    ESTUARY_TRY(auto certificate, CmpCertificate::read(reader));
    return CertAnnContent{std::move(certificate)};
}

void CertAnnContent::write(der::Writer& writer) const { writer.raw(certificate.der); }

Result<RevAnnContent> RevAnnContent::read(der::Reader& reader, const Limits&) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    RevAnnContent content;
    ESTUARY_TRY(content.status, read_pki_status(fields));
    ESTUARY_TRY(content.cert_id, x509::crmf::CertId::read(fields));
    ESTUARY_TRY(content.will_be_revoked_at, fields.generalized_time());
    ESTUARY_TRY(content.bad_since_date, fields.generalized_time());
    ESTUARY_TRY(const auto extensions, fields.element_if(der::Tag::sequence));
    if (extensions) {
        ESTUARY_TRY(content.crl_details, x509::parse_extensions(extensions->whole));
    }
    ESTUARY_CHECK(fields.finish("RevAnnContent"));
    return content;
}

void RevAnnContent::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(status));
        cert_id.write(writer);
        writer.generalized_time(will_be_revoked_at);
        writer.generalized_time(bad_since_date);
        if (!crl_details.empty()) x509::write_extensions(writer, crl_details);
    });
}

Result<CrlAnnContent> CrlAnnContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto crls, read_crls(reader, 0, limits.crls_max));
    return CrlAnnContent{std::move(crls)};
}

void CrlAnnContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, crls, [&](const ByteVec& crl) { writer.raw(crl); });
}

}  // namespace estuary::cmp
