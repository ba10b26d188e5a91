#include "estuary/cmp/info.h"

#include <algorithm>
#include <array>

namespace estuary::cmp {
namespace {

struct InfoTypeName {
    der::Oid type;
    std::string_view name;
};
constexpr std::array info_type_names{
    InfoTypeName{oid::ca_prot_enc_cert, "id-it-caProtEncCert"},
    InfoTypeName{oid::sign_key_pair_types, "id-it-signKeyPairTypes"},
    InfoTypeName{oid::enc_key_pair_types, "id-it-encKeyPairTypes"},
    InfoTypeName{oid::preferred_symm_alg, "id-it-preferredSymmAlg"},
    InfoTypeName{oid::ca_key_update_info, "id-it-caKeyUpdateInfo"},
    InfoTypeName{oid::current_crl, "id-it-currentCRL"},
    InfoTypeName{oid::unsupported_oids, "id-it-unsupportedOIDs"},
    InfoTypeName{oid::key_pair_param_req, "id-it-keyPairParamReq"},
    InfoTypeName{oid::key_pair_param_rep, "id-it-keyPairParamRep"},
    InfoTypeName{oid::rev_passphrase, "id-it-revPassphrase"},
    InfoTypeName{oid::implicit_confirm, "id-it-implicitConfirm"},
    InfoTypeName{oid::confirm_wait_time, "id-it-confirmWaitTime"},
    InfoTypeName{oid::orig_pki_message, "id-it-origPKIMessage"},
    InfoTypeName{oid::supp_lang_tags, "id-it-suppLangTags"},
    InfoTypeName{oid::ca_certs, "id-it-caCerts"},
    InfoTypeName{oid::root_ca_key_update, "id-it-rootCaKeyUpdate"},
    InfoTypeName{oid::cert_req_template, "id-it-certReqTemplate"},
    InfoTypeName{oid::root_ca_cert, "id-it-rootCaCert"},
    InfoTypeName{oid::cert_profile, "id-it-certProfile"},
    InfoTypeName{oid::crl_status_list, "id-it-crlStatusList"},
    InfoTypeName{oid::crls, "id-it-crls"},
    InfoTypeName{oid::kem_ciphertext_info, "id-it-KemCiphertextInfo"},
};

}  // namespace

Result<InfoTypeAndValue> InfoTypeAndValue::read(der::Reader& reader) {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    InfoTypeAndValue info;
    ESTUARY_TRY(info.info_type, fields.oid());
    if (!fields.empty()) {
        ESTUARY_TRY(const auto value, fields.any());
        info.info_value = to_vec(value.whole);
    }
    ESTUARY_CHECK(fields.finish("InfoTypeAndValue"));
    return info;
}

void InfoTypeAndValue::write(der::Writer& writer) const {
    writer.sequence([&] {
        writer.oid(info_type);
        if (info_value) writer.raw(*info_value);
    });
}

const InfoTypeAndValue* find(const InfoTypeAndValues& infos, const der::Oid& type) noexcept {
    const auto found = std::ranges::find(infos, type, &InfoTypeAndValue::info_type);
    return found == infos.end() ? nullptr : &*found;
}

Result<const InfoTypeAndValue*> find_only(const InfoTypeAndValues& infos, const der::Oid& type) {
    if (std::ranges::count(infos, type, &InfoTypeAndValue::info_type) > 1)
        return fail(Code::malformed, info_type_name(type) + " more than once");
    return find(infos, type);
}

std::string info_type_name(const der::Oid& type) {
    const auto found = std::ranges::find(info_type_names, type, &InfoTypeName::type);
    return found == info_type_names.end() ? type.dotted() : std::string{found->name};
}

}  // namespace estuary::cmp
