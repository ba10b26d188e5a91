#pragma once
// Shared by the tests of certificate request messages.
#include "estuary/x509/crmf_request.h"

#include "support.h"

namespace estuary::test {

/// CertReqMessages of a PKIMessage made by openssl cmp (tests/data/crmf): SEQUENCE { header, body [n] EXPLICIT, … }.
inline std::vector<x509::crmf::CertReqMsg> openssl_requests(const std::string& name) {
    const auto der = data_file("crmf/" + name + ".der");
    auto message = der::enter_only(der, der::Tag::sequence, "PKIMessage").value();
    (void)message.any().value();  // the header
    const auto body = message.any().value();
    return x509::crmf::parse_cert_req_messages(body.content).value();
}
inline x509::crmf::CertReqMsg openssl_request(const std::string& name) { return openssl_requests(name).at(0); }

inline const crypto::PrivateKey& p256() {
    static const auto key = crypto::PrivateKey::generate("p256").value();
    return key;
}
inline const crypto::PrivateKey& rsa() {
    static const auto key = crypto::PrivateKey::generate("rsa2048").value();
    return key;
}

/// What a device wants: a subject and a name.
inline x509::crmf::WantedRequest wanted_device() {
    x509::crmf::WantedRequest wanted;
    wanted.request.cert_template.subject = name("CN=device 1,O=Example");
    wanted.request.cert_template.extensions = {
        x509::make_subject_alt_name({general_name("dns:device.example")}, false)};
    return wanted;
}

inline x509::crmf::CertReqMsg message(const x509::crmf::WantedRequest& wanted, const crypto::PrivateKey& key) {
    return x509::crmf::CertReqMsg::parse(x509::crmf::make_cert_req_msg(wanted, key).value()).value();
}

/// The message of these parts, with a proof signed by `key` over `octets`.
inline x509::crmf::CertReqMsg signed_message(const x509::crmf::CertRequest& request, const crypto::PrivateKey& key,
                                             std::optional<x509::crmf::PopoSigningKeyInput> input, Bytes octets) {
    x509::crmf::PopoSigningKey proof;
    proof.input = std::move(input);
    proof.algorithm_identifier = key.signature_algorithm().value()->identifier;
    proof.signature = key.sign(octets).value();
    return x509::crmf::CertReqMsg::parse(x509::crmf::encode_cert_req_msg(request.encode(), proof)).value();
}

}  // namespace estuary::test
