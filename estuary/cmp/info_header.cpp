// What generalInfo carries (RFC 9810 5.1.1.1 to 5.1.1.5), and what belongs to no other file.
#include "estuary/cmp/info_codec.h"
#include "estuary/cmp/info_values.h"
#include "estuary/cmp/messages.h"

namespace estuary::cmp {
namespace {

Result<bool> read_null(der::Reader& reader) {
    ESTUARY_CHECK(reader.null());
    return true;
}

Result<KemCiphertextInfo> read_kem_value(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    KemCiphertextInfo value;
    ESTUARY_TRY(value.kem, codec::read_algorithm(fields));
    ESTUARY_TRY(const auto ciphertext, fields.octet_string());
    value.ct = to_vec(ciphertext);
    ESTUARY_CHECK(fields.finish("KemCiphertextInfo"));
    return value;
}

/// Reads a value to see whether it can be read.
template <class T>
bool reads(Result<T> read, Result<void>& outcome) {
    if (!read) outcome = fail(std::move(read).error());
    return true;
}

Result<std::vector<PkiMessage>> read_orig_pki_message(const InfoTypeAndValue& info, const Limits& limits) {
    if (!info.info_value) return fail(Code::malformed, "id-it-origPKIMessage has no value");
    return parse_messages(*info.info_value, limits);
}

/// False: the type is not known.
bool read_known(const InfoTypeAndValue& info, const Limits& limits, Result<void>& outcome) {
    const auto& type = info.info_type;
    if (type == oid::ca_prot_enc_cert) return reads(read_ca_prot_enc_cert(info), outcome);
    if (type == oid::sign_key_pair_types || type == oid::enc_key_pair_types)
        return reads(read_key_pair_types(info, limits), outcome);
    if (type == oid::preferred_symm_alg || type == oid::key_pair_param_rep) return reads(read_algorithm_info(info), outcome);
    if (type == oid::ca_key_update_info) return reads(read_ca_key_update_info(info), outcome);
    if (type == oid::current_crl) return reads(read_current_crl(info), outcome);
    if (type == oid::unsupported_oids) return reads(read_unsupported_oids(info, limits), outcome);
    if (type == oid::key_pair_param_req) return reads(read_key_pair_param_req(info), outcome);
    if (type == oid::rev_passphrase) return reads(read_rev_passphrase(info), outcome);
    if (type == oid::implicit_confirm) return reads(codec::read_required_value(info, read_null), outcome);
    if (type == oid::confirm_wait_time)
        return reads(codec::read_required_value(info, [](der::Reader& reader) { return reader.generalized_time(); }), outcome);
    if (type == oid::orig_pki_message) return reads(read_orig_pki_message(info, limits), outcome);
    if (type == oid::supp_lang_tags) return reads(read_supp_lang_tags(info, limits), outcome);
    if (type == oid::ca_certs) return reads(read_ca_certs(info, limits), outcome);
    if (type == oid::root_ca_key_update) return reads(read_root_ca_key_update(info), outcome);
    if (type == oid::cert_req_template) return reads(read_cert_req_template(info, limits), outcome);
    if (type == oid::root_ca_cert) return reads(read_root_ca_cert(info), outcome);
    if (type == oid::cert_profile)
        return reads(codec::read_required_value(
                         info, [&](der::Reader& reader) { return codec::read_utf8_strings(reader, limits, "certProfile"); }),
                     outcome);
    if (type == oid::crl_status_list) return reads(read_crl_status_list(info, limits), outcome);
    if (type == oid::crls) return reads(read_crls(info, limits), outcome);
    if (type == oid::kem_ciphertext_info) return reads(read_kem_ciphertext_info(info), outcome);
    return false;
}

}  // namespace

InfoTypeAndValue ask(const der::Oid& type) { return {.info_type = type, .info_value = {}}; }

Result<void> check_value_absent(const InfoTypeAndValue& info) {
    if (info.info_value) return fail(Code::malformed, info_type_name(info.info_type) + " has no value here");
    return {};
}

Result<bool> check_info_value(const InfoTypeAndValue& info, const Limits& limits) {
    Result<void> outcome;
    const bool known = read_known(info, limits, outcome);
    ESTUARY_CHECK(std::move(outcome));
    return known;
}

Result<bool> implicit_confirm(const PkiHeader& header) {
    ESTUARY_TRY(const auto* info, find_only(header.general_info, oid::implicit_confirm));
    if (info == nullptr) return false;
    return codec::read_required_value(*info, read_null);
}

InfoTypeAndValue make_implicit_confirm() {
    return codec::make_info(oid::implicit_confirm, [](der::Writer& writer) { writer.null(); });
}

Result<std::optional<Time>> confirm_wait_time(const PkiHeader& header) {
    ESTUARY_TRY(const auto* info, find_only(header.general_info, oid::confirm_wait_time));
    if (info == nullptr) return std::optional<Time>{};
    return codec::read_required_value(*info, [](der::Reader& reader) { return reader.generalized_time(); });
}

InfoTypeAndValue make_confirm_wait_time(Time until) {
    return codec::make_info(oid::confirm_wait_time, [&](der::Writer& writer) { writer.generalized_time(until); });
}

Result<std::vector<std::string>> cert_profile(const PkiHeader& header, const Limits& limits) {
    ESTUARY_TRY(const auto* info, find_only(header.general_info, oid::cert_profile));
    if (info == nullptr) return std::vector<std::string>{};
    return codec::read_required_value(
        *info, [&](der::Reader& reader) { return codec::read_utf8_strings(reader, limits, "certProfile"); });
}

InfoTypeAndValue make_cert_profile(const std::vector<std::string>& names) {
    return codec::make_info(oid::cert_profile, [&](der::Writer& writer) { codec::write_utf8_strings(writer, names); });
}

Result<Bytes> orig_pki_message(const PkiHeader& header) {
    ESTUARY_TRY(const auto* info, find_only(header.general_info, oid::orig_pki_message));
    if (info == nullptr) return Bytes{};
    if (!info->info_value) return fail(Code::malformed, "id-it-origPKIMessage has no value");
    return Bytes{*info->info_value};
}

InfoTypeAndValue make_orig_pki_message(const std::vector<Bytes>& messages) {
    return codec::make_info(oid::orig_pki_message, [&](der::Writer& writer) {
        codec::write_sequence_of(writer, messages, [&](Bytes message) { writer.raw(message); });
    });
}

Result<std::optional<KemCiphertextInfo>> read_kem_ciphertext_info(const InfoTypeAndValue& info) {
    return codec::read_value(info, read_kem_value);
}

InfoTypeAndValue make_kem_ciphertext_info(const KemCiphertextInfo& value) {
    return codec::make_info(oid::kem_ciphertext_info, [&](der::Writer& writer) {
        writer.sequence([&] { writer.raw(value.kem).octet_string(value.ct); });
    });
}

}  // namespace estuary::cmp
