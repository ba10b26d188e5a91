// Proof of possession of certificate request messages (RFC 4211 4), and what policy gets to see.
#include <openssl/crmf.h>

#include "crmf_support.h"

#include "estuary/base/handle.h"
#include "estuary/crypto/openssl.h"
#include "estuary/x509/crmf_controls.h"

namespace estuary::x509::crmf {
namespace {

using test::failure;
using test::general_name;
using test::message;
using test::name;
using test::openssl_request;
using test::p256;
using test::rsa;
using test::signed_message;
using test::wanted_device;
using testing::HasSubstr;

const crypto::Secret& secret() {
    static const crypto::Secret octets{std::string_view{"s3cret-Estuary"}};
    return octets;
}

class CrmfSignedByOpenssl : public testing::TestWithParam<std::string> {};

TEST_P(CrmfSignedByOpenssl, Verifies) {
    const auto received = openssl_request(GetParam());
    const auto key = verify_signature_possession(received);
    ASSERT_TRUE(key) << failure(key);
    EXPECT_TRUE(same(key->spki(), *received.cert_req().cert_template.public_key));
}

INSTANTIATE_TEST_SUITE_P(Rfc4211, CrmfSignedByOpenssl,
                         testing::Values("ir_pbm_p256", "ir_pbm_rsa_sha384", "cr_pbm_sha512", "cr_extensions", "cr_issuer",
                                         "kur_signature_p256", "cr_signature_rsa", "cr_unprotected"),
                         [](const auto& test) { return test.param; });

TEST(CrmfPossession, ProofsThatAreNoSignatureAreNotTakenForOne) {  // bug class 1
    for (const auto* file : {"ir_ra_verified", "ir_key_encipherment", "ir_no_popo"})
        EXPECT_THAT(failure(verify_signature_possession(openssl_request(file))), HasSubstr("bad_proof")) << file;
}

TEST(CrmfPossession, OpensslWithoutSubjectSignsTheWrongThing) {  // and refuses that itself: "popo missing subject"
    EXPECT_THAT(failure(verify_signature_possession(openssl_request("ir_empty_subject"))), HasSubstr("poposkInput is missing"));
}

TEST(CrmfPossession, TheNullNameIsASubject) {  // RFC 9483 4.1.1: names may all be in subjectAltName
    auto wanted = wanted_device();
    wanted.request.cert_template.subject = Name{};
    EXPECT_TRUE(verify_signature_possession(message(wanted, p256())));
}

TEST(CrmfPossession, EverySignatureKeyProvesItself) {
    for (const auto& type : crypto::key_types()) {
        if (!type.signs || type.name.starts_with("slh-dsa") || type.name == "rsa4096" || type.name == "rsa3072") continue;
        const auto key = crypto::PrivateKey::generate(type.name).value();
        const auto proved = verify_signature_possession(message(wanted_device(), key));
        EXPECT_TRUE(proved) << type.name << " " << failure(proved);
    }
}

TEST(CrmfPossession, AnyChangeOfTheRequestIsFound) {  // bug class 3
    const auto received = message(wanted_device(), p256());
    const auto at = static_cast<std::size_t>(received.cert_req_der().data() - received.der().data());
    std::size_t read = 0;
    for (std::size_t i = 0; i < received.cert_req_der().size(); ++i) {
        auto changed = to_vec(received.der());
        changed[at + i] ^= 1;
        const auto parsed = CertReqMsg::parse(changed);
        if (!parsed) continue;
        ++read;
        EXPECT_FALSE(verify_signature_possession(*parsed)) << i;
    }
    EXPECT_GT(read, 20u);  // names, key and values that are still well-formed
}

TEST(CrmfPossession, WeakDigestsAreRefused) {  // bug class 32
    const auto sha1_with_rsa = crypto::signature_algorithm(der::Oid{"1.2.840.113549.1.1.5"});
    auto request = wanted_device().request;
    request.cert_template.public_key = to_vec(rsa().public_key().spki());
    const PopoSigningKey proof{{}, sha1_with_rsa->identifier, ByteVec(256, 1)};
    const auto received = CertReqMsg::parse(encode_cert_req_msg(request.encode(), proof)).value();
    EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("bad_key: signature algorithm sha1WithRSAEncryption"));
}

TEST(CrmfPossession, AnothersKeyDoesNotProve) {
    auto request = wanted_device().request;
    request.cert_template.public_key = to_vec(p256().public_key().spki());
    const auto other = crypto::PrivateKey::generate("p256").value();
    const auto received = signed_message(request, other, {}, request.encode());
    EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("bad_proof"));
}

/// OpenSSL's word on a message of ours.
bool openssl_accepts(const CertReqMsg& made) {
    const auto der = encode_cert_req_messages({to_vec(made.der())});
    const auto* at = der.data();
    const Handle<OSSL_CRMF_MSGS, OSSL_CRMF_MSGS_free> read{d2i_OSSL_CRMF_MSGS(nullptr, &at, static_cast<long>(der.size()))};
    const bool good = read && OSSL_CRMF_MSGS_verify_popo(read.get(), 0, 0, nullptr, nullptr) == 1;
    crypto::openssl::clear_errors();
    return good;
}

TEST(CrmfPossession, OpensslVerifiesOurs) {
    for (const auto* type : {"p256", "p384", "rsa2048", "ed25519"}) {
        const auto key = crypto::PrivateKey::generate(type).value();
        EXPECT_TRUE(openssl_accepts(message(wanted_device(), key))) << type;
        auto with_sender = wanted_device();
        with_sender.request.cert_template.subject.reset();
        with_sender.sender = general_name("dirname:CN=known");
        EXPECT_TRUE(openssl_accepts(message(with_sender, key))) << type;
    }
    auto changed = to_vec(message(wanted_device(), p256()).der());
    changed.back() ^= 1;
    EXPECT_FALSE(openssl_accepts(CertReqMsg::parse(changed).value()));
}

// --- poposkInput (RFC 4211 4.1)

WantedRequest without_subject() {
    auto wanted = wanted_device();
    wanted.request.cert_template.subject.reset();
    return wanted;
}

TEST(CrmfPossession, WithoutSubjectTheSenderIsSigned) {
    auto wanted = without_subject();
    wanted.sender = general_name("dirname:CN=known");
    const auto received = message(wanted, p256());
    EXPECT_FALSE(received.popo_input_der().empty());
    EXPECT_TRUE(verify_signature_possession(received, {.authenticated_names = {general_name("dirname:CN=known")}}));
    // bug class 8: a name in the message is nobody who was authenticated
    EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("is not who was authenticated"));
    EXPECT_THAT(failure(verify_signature_possession(received, {.authenticated_names = {general_name("dirname:CN=other")}})),
                HasSubstr("is not who was authenticated"));
}

TEST(CrmfPossession, WithoutSubjectTheSecretIsProved) {
    for (const auto scheme : {crypto::PasswordMacChoice::Scheme::password_based_mac, crypto::PasswordMacChoice::Scheme::pbmac1}) {
        auto wanted = without_subject();
        wanted.shared_secret = &secret();
        wanted.mac.scheme = scheme;
        const auto received = message(wanted, p256());
        EXPECT_TRUE(verify_signature_possession(received, {.shared_secret = &secret()}));
        const crypto::Secret other{std::string_view{"another"}}, empty;
        EXPECT_THAT(failure(verify_signature_possession(received, {.shared_secret = &other})), HasSubstr("bad_proof"));
        EXPECT_THAT(failure(verify_signature_possession(received, {.shared_secret = &empty})), HasSubstr("empty"));  // bug class 9
        EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("no secret is shared"));
    }
}

TEST(CrmfPossession, ManyIterationsAreRefusedUnseen) {  // bug class 30
    auto wanted = without_subject();
    wanted.shared_secret = &secret();
    const auto received = message(wanted, p256());
    EXPECT_THAT(failure(verify_signature_possession(received, {.shared_secret = &secret(), .mac_limits = {.iterations_max = 9'999}})),
                HasSubstr("too_large"));
}

TEST(CrmfPossession, InputMustBeThereWithoutSubject) {
    auto request = without_subject().request;
    request.cert_template.public_key = to_vec(p256().public_key().spki());
    const auto received = signed_message(request, p256(), {}, request.encode());
    EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("poposkInput is missing"));
}

/// The input as it is signed: with the tag of a SEQUENCE.
ByteVec input_der(const PopoSigningKeyInput& input) {
    der::Writer writer;
    writer.sequence([&] {
        writer.constructed(der::context_constructed(0), [&] { std::get<GeneralName>(input.auth_info).write(writer); });
        writer.raw(input.public_key);
    });
    return std::move(writer).take();
}

TEST(CrmfPossession, InputMustBeAbsentWithSubjectAndKey) {  // else the template would go unsigned
    auto request = wanted_device().request;
    request.cert_template.public_key = to_vec(p256().public_key().spki());
    const PopoSigningKeyInput input{general_name("dirname:CN=known"), *request.cert_template.public_key};
    const auto received = signed_message(request, p256(), input, input_der(input));
    EXPECT_THAT(failure(verify_signature_possession(received, {.authenticated_names = {general_name("dirname:CN=known")}})),
                HasSubstr("both subject and publicKey"));
}

TEST(CrmfPossession, InputIsForTheSameKey) {
    auto request = without_subject().request;
    request.cert_template.public_key = to_vec(rsa().public_key().spki());
    const PopoSigningKeyInput input{general_name("dirname:CN=known"), to_vec(p256().public_key().spki())};
    const auto received = signed_message(request, p256(), input, input_der(input));
    EXPECT_THAT(failure(verify_signature_possession(received, {.authenticated_names = {general_name("dirname:CN=known")}})),
                HasSubstr("another key"));
}

TEST(CrmfPossession, InputIsSignedAsASequence) {
    auto request = without_subject().request;
    request.cert_template.public_key = to_vec(p256().public_key().spki());
    const PopoSigningKeyInput input{general_name("dirname:CN=known"), *request.cert_template.public_key};
    const auto octets = input_der(input);
    const auto received = signed_message(request, p256(), input, octets);
    EXPECT_EQ(to_hex(received.popo_input_der()), to_hex(octets));
    EXPECT_TRUE(verify_signature_possession(received, {.authenticated_names = {general_name("dirname:CN=known")}}));
}

TEST(CrmfPossession, WithoutAKeyThereIsNothingToProve) {
    auto request = wanted_device().request;
    EXPECT_THAT(failure(verify_signature_possession(signed_message(request, p256(), {}, request.encode()))),
                HasSubstr("no key"));
    der::Writer algorithm_only;  // RFC 9483 4.1.6: this kind of key, please
    algorithm_only.sequence([&] {
        algorithm_only.sequence([&] { algorithm_only.oid(der::Oid{"1.2.840.113549.1.1.1"}).null(); });
        algorithm_only.bit_string({});
    });
    request.cert_template.public_key = to_vec(algorithm_only.bytes());
    const auto received = signed_message(request, p256(), {}, request.encode());
    EXPECT_THAT(failure(verify_signature_possession(received)), HasSubstr("no key"));
    EXPECT_EQ(received.public_key().value(), std::nullopt);
}

// --- to policy

TEST(CrmfRequest, ASignedOneCarriesItsWishes) {
    auto wanted = wanted_device();
    wanted.request.cert_template.validity = OptionalValidity{std::nullopt, Time{Seconds{2'000'000'000}}};
    const auto received = message(wanted, p256());
    const auto request = to_certification_request(received);
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->possession(), Possession::signature);
    EXPECT_EQ(request->subject(), name("CN=device 1,O=Example"));
    EXPECT_TRUE(same(request->spki(), p256().public_key().spki()));
    EXPECT_EQ(request->extensions(), wanted.request.cert_template.extensions);
    EXPECT_EQ(request->subject_alt_names().size(), 1u);
    EXPECT_EQ(request->not_before(), std::nullopt);
    EXPECT_EQ(request->not_after(), Time{Seconds{2'000'000'000}});
    EXPECT_TRUE(same(request->der(), received.der()));
}

TEST(CrmfRequest, AWrongSignatureIsNone) {
    auto der = to_vec(message(wanted_device(), p256()).der());
    der.back() ^= 1;
    EXPECT_THAT(failure(to_certification_request(CertReqMsg::parse(der).value())), HasSubstr("bad_proof"));
}

TEST(CrmfRequest, RaVerifiedIsOfRegistrationAuthoritiesOnly) {  // bug class 27
    const auto received = openssl_request("ir_ra_verified");
    EXPECT_TRUE(is_ra_verified(received));
    EXPECT_THAT(failure(to_certification_request(received)), HasSubstr("not_authorised: raVerified"));
    const auto request = to_certification_request(received, {.from_registration_authority = true});
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->possession(), Possession::registration_authority);
}

TEST(CrmfRequest, DecryptionIsToBeSeenThrough) {
    const auto received = openssl_request("ir_key_encipherment");
    EXPECT_EQ(subsequent_message(received), SubsequentMessage::encr_cert);
    EXPECT_EQ(to_certification_request(received).value().possession(), Possession::decryption);
    EXPECT_EQ(subsequent_message(openssl_request("ir_pbm_p256")), std::nullopt);
    EXPECT_FALSE(is_ra_verified(received));
}

TEST(CrmfRequest, OtherProofsAreNotSupported) {  // bug class 1: every choice is decided
    auto request = wanted_device().request;
    request.cert_template.public_key = to_vec(rsa().public_key().spki());
    const PkMacValue mac{crypto::make_password_mac_algorithm().value(), {1}};
    const std::vector<ProofOfPossession> others{KeyEncipherment{ThisMessage{{1}}}, KeyAgreementProof{DhMac{{1}}},
                                                KeyEncipherment{AgreeMac{mac}},
                                                KeyEncipherment{EncryptedKeyProof{test::hex("3000")}}};
    for (const auto& proof : others) {
        const auto received = CertReqMsg::parse(encode_cert_req_msg(request.encode(), proof)).value();
        EXPECT_THAT(failure(to_certification_request(received)), HasSubstr("unsupported"));
    }
}

TEST(CrmfRequest, NoProofIsABadOne) {
    EXPECT_THAT(failure(to_certification_request(openssl_request("ir_no_popo"))), HasSubstr("bad_proof"));
    // Not even from a registration authority, which says raVerified where it has seen to it.
    EXPECT_THAT(failure(to_certification_request(openssl_request("ir_no_popo"), {.from_registration_authority = true})),
                HasSubstr("bad_proof"));
}

TEST(CrmfRequest, AGeneratedKeyGoesWithNone) {
    const auto der = make_cert_req_msg_without_key(wanted_device()).value();
    const auto received = CertReqMsg::parse(der).value();
    EXPECT_THAT(failure(to_certification_request(received)), HasSubstr("has no key"));
    const auto request = to_certification_request(received, {.generated_spki = rsa().public_key().spki()});
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->possession(), Possession::generated_here);
    EXPECT_TRUE(same(request->spki(), rsa().public_key().spki()));
    EXPECT_THAT(failure(to_certification_request(message(wanted_device(), p256()), {.generated_spki = rsa().public_key().spki()})),
                HasSubstr("bad_proof"));
}

TEST(CrmfRequest, AssignedFieldsAndOtherCertificatesAreRefused) {
    auto request = wanted_device().request;
    request.cert_template.serial_number = ByteVec{1};
    const auto made = [&] { return CertReqMsg::parse(make_ra_verified(request.encode())).value(); };
    EXPECT_THAT(failure(to_certification_request(made(), {.from_registration_authority = true})), HasSubstr("serialNumber"));
    request.cert_template.serial_number.reset();
    request.controls = {{oid::alt_cert_template, test::hex("0500")}};
    EXPECT_THAT(failure(to_certification_request(made(), {.from_registration_authority = true})), HasSubstr("altCertTemplate"));
}

// --- id-regInfo-certReq (RFC 4211 7.2)

struct Replaced {
    CertRequest original, replacement;
    Replaced() {
        original = wanted_device().request;
        original.cert_req_id = 7;
        original.cert_template.public_key = to_vec(p256().public_key().spki());
        replacement = original;
        replacement.cert_req_id = 8;
        replacement.cert_template.subject = name("CN=renamed");
    }
    CertReqMsg message(std::size_t times = 1) const {
        PopoSigningKey proof{{}, p256().signature_algorithm().value()->identifier, p256().sign(original.encode()).value()};
        const std::vector<Control> reg_info(times, Control{oid::cert_req, replacement.encode()});
        return CertReqMsg::parse(encode_cert_req_msg(original.encode(), proof, reg_info)).value();
    }
};

TEST(CrmfRequest, ARegistrationAuthorityMayReplaceTheTemplate) {
    const Replaced made;
    const auto request = to_certification_request(made.message(), {.from_registration_authority = true});
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(request->subject(), name("CN=renamed"));
    EXPECT_EQ(request->possession(), Possession::signature);  // of the original
    EXPECT_EQ(effective_request(made.message()).value().cert_req_id, 7);
}

TEST(CrmfRequest, NobodyElseMay) {  // bug class 3
    const Replaced made;
    EXPECT_TRUE(has_replacement(made.message()));
    EXPECT_THAT(failure(to_certification_request(made.message())), HasSubstr("not_authorised: regInfo"));
}

TEST(CrmfRequest, TheReplacementIsOneAndForTheSameKey) {
    Replaced made;
    EXPECT_THAT(failure(effective_request(made.message(2))), HasSubstr("more than once"));
    made.replacement.cert_template.public_key = to_vec(rsa().public_key().spki());
    EXPECT_THAT(failure(effective_request(made.message())), HasSubstr("another key"));
}

// --- made by us

TEST(CrmfMake, KeysThatDoNotSignPromiseToDecrypt) {
    auto wanted = wanted_device();
    const auto x25519 = crypto::PrivateKey::generate("x25519").value();
    EXPECT_THAT(failure(make_cert_req_msg(wanted, x25519)), HasSubstr("bad_key"));  // bug class 33
    wanted.subsequent_message = SubsequentMessage::encr_cert;
    EXPECT_TRUE(std::holds_alternative<KeyAgreementProof>(*message(wanted, x25519).popo()));
    EXPECT_TRUE(std::holds_alternative<KeyEncipherment>(*message(wanted, rsa()).popo()));
    EXPECT_TRUE(std::holds_alternative<KeyAgreementProof>(*message(wanted, p256()).popo()));
    const auto ed25519 = crypto::PrivateKey::generate("ed25519").value();
    EXPECT_THAT(failure(make_cert_req_msg(wanted, ed25519)), HasSubstr("cannot decrypt"));
    if (const auto ml_kem = crypto::PrivateKey::generate("ml-kem-768")) {
        EXPECT_TRUE(std::holds_alternative<KeyEncipherment>(*message(wanted, *ml_kem).popo()));
    }
}

TEST(CrmfMake, WithoutSubjectSomethingMustStandForIt) {
    EXPECT_THAT(failure(make_cert_req_msg(without_subject(), p256())), HasSubstr("sender's name or a shared secret"));
    auto wanted = wanted_device();
    wanted.request.cert_template.version = 1;
    EXPECT_THAT(failure(make_cert_req_msg(wanted, p256())), HasSubstr("version 1"));
}

}  // namespace
}  // namespace estuary::x509::crmf
