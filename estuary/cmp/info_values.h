#pragma once
// Values of InfoTypeAndValue, typed (RFC 9810 5.1.1 and 5.3.19). A reader takes the whole InfoTypeAndValue, whose type the caller
// has looked at. Where RFC 9810 lets a value be absent, readers give nothing (or an empty list) for that and makers of the request
// are simply `ask(oid)`. malformed: the value is not what its type says; too_large: counts past `limits`.
#include "estuary/cmp/certificate.h"
#include "estuary/cmp/header.h"
#include "estuary/x509/crmf_controls.h"
#include "estuary/x509/distribution_point.h"

namespace estuary::cmp {

/// An InfoTypeAndValue without a value: what a genm asks with.
InfoTypeAndValue ask(const der::Oid& type);
/// malformed: it has a value.
Result<void> check_value_absent(const InfoTypeAndValue& info);
/// Whether the value is what its type says; true: the type is known here, false: it is not, and nothing was looked at.
Result<bool> check_info_value(const InfoTypeAndValue& info, const Limits& limits = {});

// Of the header (RFC 9810 5.1.1.1 to 5.1.1.5). Nothing if it is absent; malformed if it is there twice.

/// Whether implicitConfirm is there; its value is NULL.
Result<bool> implicit_confirm(const PkiHeader& header);
InfoTypeAndValue make_implicit_confirm();
Result<std::optional<Time>> confirm_wait_time(const PkiHeader& header);
InfoTypeAndValue make_confirm_wait_time(Time until);
/// Profile names, one for each CertReqMsg or InfoTypeAndValue of the body in order; "" stands for none. Empty: absent.
Result<std::vector<std::string>> cert_profile(const PkiHeader& header, const Limits& limits = {});
InfoTypeAndValue make_cert_profile(const std::vector<std::string>& names);
/// PKIMessages as they were received by who put them there, whole; parse_messages() reads them. Empty: absent.
Result<Bytes> orig_pki_message(const PkiHeader& header);
InfoTypeAndValue make_orig_pki_message(const std::vector<Bytes>& messages);

/// KemCiphertextInfo ::= SEQUENCE { kem AlgorithmIdentifier, ct OCTET STRING }
struct KemCiphertextInfo {
    ByteVec kem;  ///< whole AlgorithmIdentifier
    ByteVec ct;
    bool operator==(const KemCiphertextInfo&) const = default;
};
/// Absent in a request for one.
Result<std::optional<KemCiphertextInfo>> read_kem_ciphertext_info(const InfoTypeAndValue& info);
InfoTypeAndValue make_kem_ciphertext_info(const KemCiphertextInfo& value);

// Certificates, CRLs and keys of the authority.

Result<std::optional<CmpCertificate>> read_ca_prot_enc_cert(const InfoTypeAndValue& info);
InfoTypeAndValue make_ca_prot_enc_cert(const CmpCertificate& certificate);
/// id-it-caCerts; empty: absent.
Result<CmpCertificates> read_ca_certs(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_ca_certs(const CmpCertificates& certificates);  ///< an empty list becomes an absent value
/// id-it-rootCaCert: the trust anchor that the asker has.
Result<std::optional<CmpCertificate>> read_root_ca_cert(const InfoTypeAndValue& info);
InfoTypeAndValue make_root_ca_cert(const CmpCertificate& certificate);

/// RootCaKeyUpdateContent ::= SEQUENCE { newWithNew CMPCertificate, newWithOld [0] CMPCertificate OPTIONAL,
///                                       oldWithNew [1] CMPCertificate OPTIONAL }
/// Nothing in it is to be trusted for having come: see RFC 9810 4.4.2 (bug class 16).
struct RootCaKeyUpdate {
    CmpCertificate new_with_new;
    std::optional<CmpCertificate> new_with_old, old_with_new;
    bool operator==(const RootCaKeyUpdate&) const = default;

    static Result<RootCaKeyUpdate> read(der::Reader& reader);
    void write(der::Writer& writer) const;
};
Result<std::optional<RootCaKeyUpdate>> read_root_ca_key_update(const InfoTypeAndValue& info);
InfoTypeAndValue make_root_ca_key_update(const RootCaKeyUpdate& update);

/// CAKeyUpdAnnContent ::= SEQUENCE { oldWithNew, newWithOld, newWithNew CMPCertificate }. Deprecated.
struct CaKeyUpdAnn {
    CmpCertificate old_with_new, new_with_old, new_with_new;
    bool operator==(const CaKeyUpdAnn&) const = default;

    static Result<CaKeyUpdAnn> read(der::Reader& reader);
    void write(der::Writer& writer) const;
};
Result<std::optional<CaKeyUpdAnn>> read_ca_key_update_info(const InfoTypeAndValue& info);
InfoTypeAndValue make_ca_key_update_info(const CaKeyUpdAnn& update);

Result<std::optional<ByteVec>> read_current_crl(const InfoTypeAndValue& info);  ///< whole CertificateList
InfoTypeAndValue make_current_crl(Bytes crl);

/// CRLStatus ::= SEQUENCE { source CRLSource, thisUpdate Time OPTIONAL }
/// CRLSource ::= CHOICE { dpn [0] DistributionPointName, issuer [1] GeneralNames }
struct CrlStatus {
    std::variant<x509::DistributionPointName, std::vector<x509::GeneralName>> source;
    std::optional<Time> this_update;
    bool operator==(const CrlStatus&) const = default;
};
Result<std::vector<CrlStatus>> read_crl_status_list(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_crl_status_list(const std::vector<CrlStatus>& list);
/// id-it-crls: whole CertificateLists; empty: absent.
Result<std::vector<ByteVec>> read_crls(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_crls(const std::vector<ByteVec>& crls);  ///< an empty list becomes an absent value

// Algorithms: whole AlgorithmIdentifiers.

/// id-it-signKeyPairTypes and id-it-encKeyPairTypes; empty: absent.
Result<std::vector<ByteVec>> read_key_pair_types(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_key_pair_types(const der::Oid& type, const std::vector<ByteVec>& algorithms);
/// id-it-preferredSymmAlg and id-it-keyPairParamRep; nothing: absent.
Result<std::optional<ByteVec>> read_algorithm_info(const InfoTypeAndValue& info);
InfoTypeAndValue make_algorithm_info(const der::Oid& type, Bytes algorithm);
Result<der::Oid> read_key_pair_param_req(const InfoTypeAndValue& info);
InfoTypeAndValue make_key_pair_param_req(const der::Oid& algorithm);
Result<std::vector<der::Oid>> read_unsupported_oids(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_unsupported_oids(const std::vector<der::Oid>& oids);

// Others.

/// id-it-revPassphrase; nothing: absent (the answer).
Result<std::optional<x509::crmf::EncryptedKey>> read_rev_passphrase(const InfoTypeAndValue& info);
InfoTypeAndValue make_rev_passphrase(const x509::crmf::EncryptedKey& passphrase);
/// Language tags (RFC 5646), most wanted first. Not empty.
Result<std::vector<std::string>> read_supp_lang_tags(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_supp_lang_tags(const std::vector<std::string>& tags);

/// CertReqTemplateContent ::= SEQUENCE { certTemplate CertTemplate, keySpec Controls OPTIONAL }
struct CertReqTemplate {
    x509::crmf::CertTemplate cert_template;         ///< without publicKey
    /// A subject some of whose attributes have empty values, to be filled in: a whole Name, which x509::Name would not take.
    /// cert_template.subject is absent then.
    std::optional<ByteVec> open_subject = {};
    std::vector<x509::crmf::Control> key_spec = {};  ///< id-regCtrl-algId and id-regCtrl-rsaKeyLen, one for each choice of key
    bool operator==(const CertReqTemplate&) const = default;
};
/// Nothing: absent, the authority has no wishes. malformed: also fields that RFC 9483 4.3.3 forbids (publicKey, serialNumber,
/// signingAlg, issuerUID, subjectUID).
Result<std::optional<CertReqTemplate>> read_cert_req_template(const InfoTypeAndValue& info, const Limits& limits = {});
InfoTypeAndValue make_cert_req_template(const CertReqTemplate& value);

/// One choice of key: RSA of so many bits, or another algorithm (a whole AlgorithmIdentifier).
using KeyChoice = std::variant<std::uint32_t, ByteVec>;
/// The choices of keySpec that are known here, in order. malformed: bits that are no positive INTEGER; rsaEncryption as algId.
Result<std::vector<KeyChoice>> key_choices(const std::vector<x509::crmf::Control>& key_spec);
x509::crmf::Control make_key_choice(const KeyChoice& choice);

}  // namespace estuary::cmp
