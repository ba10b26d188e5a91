// What an authority tells of itself: certificates, key updates, CRLs, algorithms (RFC 9810 5.3.19).
#include "estuary/cmp/info_codec.h"
#include "estuary/cmp/info_values.h"

namespace estuary::cmp {
namespace {

InfoTypeAndValue make_raw(const der::Oid& type, Bytes whole) { return {.info_type = type, .info_value = to_vec(whole)}; }

Result<CrlStatus> read_crl_status(der::Reader& list) {
    ESTUARY_TRY(auto fields, list.enter(der::Tag::sequence));
    CrlStatus status;
    ESTUARY_TRY(auto name, x509::read_distribution_point_name(fields));
    if (name) {
        status.source = std::move(*name);
    } else {
        ESTUARY_TRY(auto wrapper, fields.enter(der::context_constructed(1)));
        ESTUARY_TRY(status.source, x509::parse_general_names(wrapper.rest()));
    }
    if (!fields.empty()) {
        ESTUARY_TRY(status.this_update, fields.time());
    }
    ESTUARY_CHECK(fields.finish("CRLStatus"));
    return status;
}

void write_crl_status(der::Writer& writer, const CrlStatus& status) {
    writer.sequence([&] {
        if (const auto* name = std::get_if<x509::DistributionPointName>(&status.source))
            x509::write_distribution_point_name(writer, *name);
        else
            codec::write_explicit(writer, 1, [&] {
                writer.raw(x509::write_general_names(std::get<std::vector<x509::GeneralName>>(status.source)));
            });
        if (status.this_update) writer.time(*status.this_update);
    });
}

Result<der::Oid> read_oid(der::Reader& reader) { return reader.oid(); }

}  // namespace

Result<std::optional<CmpCertificate>> read_ca_prot_enc_cert(const InfoTypeAndValue& info) {
    return codec::read_value(info, CmpCertificate::read);
}
InfoTypeAndValue make_ca_prot_enc_cert(const CmpCertificate& certificate) {
    return make_raw(oid::ca_prot_enc_cert, certificate.der);
}

Result<CmpCertificates> read_ca_certs(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_list_value(
        info, [&](der::Reader& reader) { return read_cmp_certificates(reader, limits.certificates_max, "caCerts"); });
}
InfoTypeAndValue make_ca_certs(const CmpCertificates& certificates) {
    if (certificates.empty()) return ask(oid::ca_certs);
    return codec::make_info(oid::ca_certs, [&](der::Writer& writer) { write_cmp_certificates(writer, certificates); });
}

Result<std::optional<CmpCertificate>> read_root_ca_cert(const InfoTypeAndValue& info) {
    return codec::read_value(info, CmpCertificate::read);
}
InfoTypeAndValue make_root_ca_cert(const CmpCertificate& certificate) { return make_raw(oid::root_ca_cert, certificate.der); }

Result<RootCaKeyUpdate> RootCaKeyUpdate::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    RootCaKeyUpdate update;
    ESTUARY_TRY(update.new_with_new, CmpCertificate::read(fields));
    ESTUARY_TRY(update.new_with_old, codec::read_explicit(fields, 0, "newWithOld", CmpCertificate::read));
    ESTUARY_TRY(update.old_with_new, codec::read_explicit(fields, 1, "oldWithNew", CmpCertificate::read));
    ESTUARY_CHECK(fields.finish("RootCaKeyUpdateContent"));
    return update;
}

void RootCaKeyUpdate::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.raw(new_with_new.der);
        if (new_with_old) codec::write_explicit(writer, 0, [&] { writer.raw(new_with_old->der); });
        if (old_with_new) codec::write_explicit(writer, 1, [&] { writer.raw(old_with_new->der); });
    });
}

Result<std::optional<RootCaKeyUpdate>> read_root_ca_key_update(const InfoTypeAndValue& info) {
    return codec::read_value(info, RootCaKeyUpdate::read);
}
InfoTypeAndValue make_root_ca_key_update(const RootCaKeyUpdate& update) {
    return codec::make_info(oid::root_ca_key_update, [&](der::Writer& writer) { update.write(writer); });
}

Result<CaKeyUpdAnn> CaKeyUpdAnn::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    CaKeyUpdAnn update;
    ESTUARY_TRY(update.old_with_new, CmpCertificate::read(fields));
    ESTUARY_TRY(update.new_with_old, CmpCertificate::read(fields));
    ESTUARY_TRY(update.new_with_new, CmpCertificate::read(fields));
    ESTUARY_CHECK(fields.finish("CAKeyUpdAnnContent"));
    return update;
}

void CaKeyUpdAnn::write(der::Writer& writer) const {
    writer.sequence([&] { writer.raw(old_with_new.der).raw(new_with_old.der).raw(new_with_new.der); });
}

Result<std::optional<CaKeyUpdAnn>> read_ca_key_update_info(const InfoTypeAndValue& info) {
    return codec::read_value(info, CaKeyUpdAnn::read);
}
InfoTypeAndValue make_ca_key_update_info(const CaKeyUpdAnn& update) {
    return codec::make_info(oid::ca_key_update_info, [&](der::Writer& writer) { update.write(writer); });
}

Result<std::optional<ByteVec>> read_current_crl(const InfoTypeAndValue& info) {
    return codec::read_value(info, [](der::Reader& reader) { return codec::read_whole(reader, der::Tag::sequence); });
}
InfoTypeAndValue make_current_crl(Bytes crl) { return make_raw(oid::current_crl, crl); }

Result<std::vector<CrlStatus>> read_crl_status_list(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_required_value(info, [&](der::Reader& reader) {
        return codec::read_sequence_of(reader, {codec::at_least_one, limits.crls_max}, "CRLStatusListValue", read_crl_status);
    });
}
InfoTypeAndValue make_crl_status_list(const std::vector<CrlStatus>& list) {
    return codec::make_info(oid::crl_status_list, [&](der::Writer& writer) {
        codec::write_sequence_of(writer, list, [&](const CrlStatus& status) { write_crl_status(writer, status); });
    });
}

Result<std::vector<ByteVec>> read_crls(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_list_value(
        info, [&](der::Reader& reader) { return read_crls(reader, codec::at_least_one, limits.crls_max); });
}
InfoTypeAndValue make_crls(const std::vector<ByteVec>& crls) {
    if (crls.empty()) return ask(oid::crls);
    return codec::make_info(oid::crls, [&](der::Writer& writer) {
        codec::write_sequence_of(writer, crls, [&](const ByteVec& crl) { writer.raw(crl); });
    });
}

Result<std::vector<ByteVec>> read_key_pair_types(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_list_value(info, [&](der::Reader& reader) {
        return codec::read_sequence_of(reader, {codec::at_least_one, limits.info_max}, "list of algorithms",
                                       codec::read_algorithm);
    });
}
InfoTypeAndValue make_key_pair_types(const der::Oid& type, const std::vector<ByteVec>& algorithms) {
    return codec::make_info(type, [&](der::Writer& writer) {
        codec::write_sequence_of(writer, algorithms, [&](const ByteVec& algorithm) { writer.raw(algorithm); });
    });
}

Result<std::optional<ByteVec>> read_algorithm_info(const InfoTypeAndValue& info) {
    return codec::read_value(info, codec::read_algorithm);
}
InfoTypeAndValue make_algorithm_info(const der::Oid& type, Bytes algorithm) { return make_raw(type, algorithm); }

Result<der::Oid> read_key_pair_param_req(const InfoTypeAndValue& info) { return codec::read_required_value(info, read_oid); }
InfoTypeAndValue make_key_pair_param_req(const der::Oid& algorithm) {
    return codec::make_info(oid::key_pair_param_req, [&](der::Writer& writer) { writer.oid(algorithm); });
}

Result<std::vector<der::Oid>> read_unsupported_oids(const InfoTypeAndValue& info, const Limits& limits) {
    return codec::read_required_value(info, [&](der::Reader& reader) {
        return codec::read_sequence_of(reader, {codec::at_least_one, limits.info_max}, "UnsupportedOIDsValue", read_oid);
    });
}
InfoTypeAndValue make_unsupported_oids(const std::vector<der::Oid>& oids) {
    return codec::make_info(oid::unsupported_oids, [&](der::Writer& writer) {
        codec::write_sequence_of(writer, oids, [&](const der::Oid& one) { writer.oid(one); });
    });
}

}  // namespace estuary::cmp
