#include "estuary/cmp/client_keys.h"

#include "estuary/authority/key_generation.h"
#include "estuary/cms/digest_algorithm.h"
#include "estuary/cms/encrypted_value.h"
#include "estuary/cms/key_package.h"
#include "estuary/x509/path.h"

namespace estuary::cmp {
namespace {

using x509::Certificate;
using x509::crmf::EncryptedKey;
using x509::crmf::EncryptedValue;
using x509::crmf::EnvelopedKey;

//= https://www.rfc-editor.org/rfc/rfc9810#section-5.2.2
//# It contains only one RecipientInfo structure because the content is encrypted only for one recipient.
Result<cms::EnvelopedData> parse_enveloped(Bytes enveloped_data) {
    ESTUARY_TRY(auto envelope, cms::EnvelopedData::parse(cms::make_content_info(cms::oid::enveloped_data, enveloped_data)));
    if (envelope.recipients().size() != 1) return fail(Code::malformed, "EnvelopedData is for several recipients");
    return envelope;
}

/// Whom the only recipient names: NULL-DN and certReqId, or a certificate that is not known yet. The client may pass over it
/// (RFC 9810 5.2.8.3.2, 5.2.8.3.3).
std::optional<cms::Identifier> named_recipient(const cms::EnvelopedData& envelope) {
    const auto& recipient = envelope.recipients().front();
    if (const auto* transport = std::get_if<cms::KeyTransport>(&recipient)) return transport->recipient;
    if (const auto* agreement = std::get_if<cms::KeyAgreement>(&recipient)) return agreement->recipient;
    if (const auto* encapsulation = std::get_if<cms::KeyEncapsulation>(&recipient)) return encapsulation->recipient;
    return {};
}

Result<crypto::Secret> open_with_key(const cms::EnvelopedData& envelope, const crypto::PrivateKey& key) {
    cms::KeyHolder holder{key};
    holder.other_name = named_recipient(envelope);
    return envelope.open(holder);
}

Result<crypto::Secret> open_with_key(Bytes enveloped_data, const crypto::PrivateKey& key) {
    ESTUARY_TRY(const auto envelope, parse_enveloped(enveloped_data));
    return open_with_key(envelope, key);
}

Result<void> check_generator(const cms::SignedData& package, const cms::SignerInfo& signer, const Certificate& certificate,
                             const ClientConfig& config, const AnswerProof& proof, const std::vector<Certificate>& others, Time now) {
    ESTUARY_CHECK(cms::verify_signer(package, signer, certificate));
    //= https://www.rfc-editor.org/rfc/rfc9483#section-4.1.6
    //# […] the EE MUST validate the signer certificate contained in the SignedData structure and verify […] its authorization
    if (config.anchors.empty() && proof.kind == AnswerProof::Kind::mac) return {};
    auto intermediates = config.intermediates;
    intermediates.insert(intermediates.end(), others.begin(), others.end());
    intermediates.insert(intermediates.end(), package.certificates().begin(), package.certificates().end());
    ESTUARY_TRY(const auto path, x509::validate_path(certificate, intermediates, config.anchors, {.at = now}));
    if (!certificate.is_ca() && !certificate.has_ext_key_usage(authority::kp_cm_kga))
        return fail(Code::not_authorised, "the private key comes from one who is no key generation authority (id-kp-cmKGA)");
    if (config.check_status) return config.check_status(path);
    return {};
}

Result<crypto::Secret> open_envelope(const cms::EnvelopedData& envelope, const ClientConfig& config) {
    if (const auto* own = std::get_if<ClientSecret>(&config.credentials))
        return envelope.open_with_password(own->secret, {.iterations_max = config.iterations_max});
    const auto& signer = std::get<ClientSigner>(config.credentials);
    return envelope.open(cms::KeyHolder{signer.key, signer.chain.front()});
}

}  // namespace

Result<Certificate> open_certificate(const EncryptedKey& encrypted, const crypto::PrivateKey& key) {
    auto opened = std::holds_alternative<EnvelopedKey>(encrypted)
                      ? open_with_key(std::get<EnvelopedKey>(encrypted).enveloped_data, key)
                      : cms::open_encrypted_value(std::get<EncryptedValue>(encrypted), key);
    if (!opened) return fail(in_context("encryptedCert", std::move(opened).error()));
    // Whatever is wrong with the content is answered alike: CBC protects nothing (bug class 17).
    auto certificate = Certificate::parse(opened->reveal());
    if (!certificate) return fail(Code::bad_proof, "encryptedCert: cannot be decrypted", certificate.error().detail);
    return certificate;
}

Result<ByteVec> open_challenge(const Challenge& challenge, Bytes owf, const x509::GeneralName& sender, const crypto::PrivateKey& key) {
    if (!challenge.encrypted_rand)
        return fail(Code::unsupported, "a challenge of CMP version 2 is not answered; the authority is to say pvno 3");
    auto opened = open_with_key(*challenge.encrypted_rand, key);
    if (!opened) return fail(in_context("challenge", std::move(opened).error()));
    const auto wrong = [] { return fail(Code::bad_proof, "challenge: cannot be decrypted"); };
    const auto rand = Rand::parse(opened->reveal());
    if (!rand || !(rand->sender == sender)) return wrong();
    ESTUARY_TRY(const auto algorithm, cms::parse_algorithm(owf));
    ESTUARY_TRY(const auto* digest, cms::read_digest_algorithm(algorithm));
    // "owf of an INTEGER": some take the content octets, some the whole element.
    der::Writer whole;
    whole.primitive(der::Tag::integer, rand->integer);
    for (const auto octets : {Bytes{rand->integer}, whole.bytes()}) {
        ESTUARY_TRY(const auto hash, cms::digest(*digest, octets));
        if (crypto::equal_in_constant_time(hash, challenge.witness)) return rand->integer;
    }
    return wrong();
}

Result<crypto::PrivateKey> open_generated_key(const EncryptedKey& encrypted, const ClientConfig& config, const AnswerProof& proof,
                                              const std::vector<Certificate>& others, Time now, const crypto::PrivateKey* encryption_key) {
    const auto* enveloped = std::get_if<EnvelopedKey>(&encrypted);
    if (enveloped == nullptr) return fail(Code::unsupported, "the private key is in an EncryptedValue, not in EnvelopedData");
    ESTUARY_TRY(const auto envelope, parse_enveloped(enveloped->enveloped_data));
    if (envelope.content_type() != cms::oid::signed_data)
        return fail(Code::malformed, "the private key is not in SignedData (RFC 9483 4.1.6)");
    ESTUARY_TRY(const auto content, encryption_key != nullptr ? open_with_key(envelope, *encryption_key) : open_envelope(envelope, config));
    ESTUARY_TRY(const auto package, cms::parse_inner_signed_data(content.reveal()));
    if (package.signers().size() != 1) return fail(Code::malformed, "the private key has other than one signer");
    const auto& signer = package.signers().front();
    const auto* certificate = package.certificate_of(signer);
    if (certificate == nullptr) return fail(Code::not_authenticated, "the certificate of who made the private key did not come along");
    ESTUARY_CHECK(check_generator(package, signer, *certificate, config, proof, others, now));
    return cms::key_of_package(package);
}

}  // namespace estuary::cmp
