#include "estuary/cmp/body_revocation.h"

#include "estuary/cmp/codec.h"

namespace estuary::cmp {

Result<RevDetails> RevDetails::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    RevDetails details;
    ESTUARY_TRY(details.cert_details, x509::crmf::CertTemplate::read(fields));
    ESTUARY_TRY(const auto extensions, fields.element_if(der::Tag::sequence));
    if (extensions) {
        ESTUARY_TRY(details.crl_entry_details, x509::parse_extensions(extensions->whole));
    }
    ESTUARY_CHECK(fields.finish("RevDetails"));
    return details;
}

void RevDetails::write(der::Writer& writer) const {
    writer.sequence([&] {
        cert_details.write(writer);
        if (!crl_entry_details.empty()) x509::write_extensions(writer, crl_entry_details);
    });
}

Result<RevReqContent> RevReqContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto details, codec::read_sequence_of(reader, {0, limits.requests_max}, "RevReqContent", RevDetails::read));
    return RevReqContent{std::move(details)};
}

void RevReqContent::write(der::Writer& writer) const {
    codec::write_sequence_of(writer, details, [&](const RevDetails& one) { one.write(writer); });
}

Result<RevRepContent> RevRepContent::read(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    RevRepContent content;
    ESTUARY_TRY(content.status,
                codec::read_sequence_of(fields, {codec::at_least_one, limits.requests_max}, "status of RevRepContent",
                                        [&](der::Reader& list) { return PkiStatusInfo::read(list, limits); }));
    ESTUARY_TRY(auto rev_certs, codec::read_explicit(fields, 0, "revCerts", [&](der::Reader& inner) {
                    return codec::read_sequence_of(inner, {codec::at_least_one, limits.requests_max}, "revCerts",
                                                   [](der::Reader& list) { return x509::crmf::CertId::read(list); });
                }));
    if (rev_certs) content.rev_certs = std::move(*rev_certs);
    ESTUARY_TRY(auto crls, codec::read_explicit(fields, 1, "crls", [&](der::Reader& inner) {
                    return read_crls(inner, codec::at_least_one, limits.crls_max);
                }));
    if (crls) content.crls = std::move(*crls);
    ESTUARY_CHECK(fields.finish("RevRepContent"));
    return content;
}

void RevRepContent::write(der::Writer& writer) const {
    writer.sequence([&] {
        codec::write_sequence_of(writer, status, [&](const PkiStatusInfo& one) { one.write(writer); });
        if (!rev_certs.empty())
            codec::write_explicit(writer, 0, [&] {
                codec::write_sequence_of(writer, rev_certs, [&](const x509::crmf::CertId& id) { id.write(writer); });
            });
        if (!crls.empty())
            codec::write_explicit(writer, 1, [&] {
                codec::write_sequence_of(writer, crls, [&](const ByteVec& crl) { writer.raw(crl); });
            });
    });
}

}  // namespace estuary::cmp
