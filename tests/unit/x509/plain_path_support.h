#pragma once
// Devices of a manufacturer, made with each rule of a certificate kept and broken, for the plain case of path validation.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "estuary/x509/plain_path.h"
#include "support.h"

namespace estuary::test::plain {

using namespace x509;

using crypto::PrivateKey;

inline const Time plain_now = parse_iso8601("2027-01-01").value();
inline const Seconds plain_year{365 * 86'400};

struct PlainCa {
    Certificate certificate;
    PrivateKey key;
};

inline Certificate sign_as(const PlainCa& issuer, const TbsCertificate& tbs) {
    const auto octets = encode_tbs(tbs);
    return Certificate::parse(encode_certificate(octets, tbs.signature_algorithm, issuer.key.sign(octets).value())).value();
}

inline TbsCertificate plain_tbs(const std::string& subject, const PrivateKey& key, const PlainCa& issuer) {
    TbsCertificate tbs;
    tbs.serial_number = {0x01, 0x02, 0x03};
    tbs.signature_algorithm = issuer.key.signature_algorithm().value()->identifier;
    tbs.issuer = issuer.certificate.subject();
    tbs.not_before = plain_now - plain_year;
    tbs.not_after = plain_now + plain_year;
    tbs.subject = test::name(subject);
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = {make_subject_key_identifier(key_identifier(tbs.spki).value()),
                      make_authority_key_identifier(issuer.certificate.subject_key_id().value())};
    return tbs;
}

inline std::vector<Extension> plain_ca_extensions(const PrivateKey& key) {
    return {make_basic_constraints({true, {}}), make_key_usage(key_cert_sign | crl_sign | digital_signature),
            make_subject_key_identifier(key_identifier(key.public_key().spki()).value())};
}

inline PlainCa plain_root(const std::string& subject, PrivateKey key) {
    TbsCertificate tbs;
    tbs.serial_number = {0x01};
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    tbs.issuer = tbs.subject = test::name(subject);
    tbs.not_before = plain_now - 3 * plain_year;
    tbs.not_after = plain_now + 3 * plain_year;
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = plain_ca_extensions(key);
    const auto encoded = encode_tbs(tbs);
    return {Certificate::parse(encode_certificate(encoded, tbs.signature_algorithm, key.sign(encoded).value())).value(), key};
}

using ChangeTbs = std::function<void(TbsCertificate&)>;

inline PlainCa plain_ca(const std::string& subject, const PrivateKey& key, const PlainCa& issuer, const ChangeTbs& change = {}) {
    auto tbs = plain_tbs(subject, key, issuer);
    auto extensions = plain_ca_extensions(key);
    extensions.push_back(tbs.extensions[1]);
    tbs.extensions = std::move(extensions);
    tbs.not_before -= plain_year;
    tbs.not_after += plain_year;
    if (change) change(tbs);
    return {sign_as(issuer, tbs), key};
}

PrivateKey new_key(std::string_view type = "p256") { return PrivateKey::generate(type).value(); }

/// An end entity to be made, and what is handed in with it.
struct Device {
    const PlainCa* issuer = nullptr;
    TbsCertificate tbs;
    std::vector<Certificate> between;
    Time at = plain_now;
    std::function<ByteVec(ByteVec)> change_octets = {};   ///< of the TBSCertificate, before it is signed
    const PlainCa* signer = nullptr;                      ///< null: the issuer

    Certificate make() const {
        auto octets = encode_tbs(tbs);
        if (change_octets) octets = change_octets(std::move(octets));
        const auto& key = signer != nullptr ? signer->key : issuer->key;
        return Certificate::parse(encode_certificate(octets, tbs.signature_algorithm, key.sign(octets).value())).value();
    }
    void replace(Extension extension) {
        std::erase_if(tbs.extensions, [&](const Extension& one) { return one.id == extension.id; });
        tbs.extensions.push_back(std::move(extension));
    }
    void remove(const der::Oid& id) {
        std::erase_if(tbs.extensions, [&](const Extension& one) { return one.id == id; });
    }
    void set_critical(const der::Oid& id) {
        for (auto& extension : tbs.extensions)
            if (extension.id == id) extension.critical = true;
    }
    void set_key(Bytes spki) { tbs.spki = to_vec(spki); }
};

/// One root, and below it CAs with keys of several types; one more path has two CAs.
struct PlainWorld {
    PlainCa root = plain_root("CN=Maker Root,O=Maker", new_key());
    PlainCa p256 = plain_ca("CN=Maker P-256,O=Maker", new_key(), root);
    PlainCa p384 = plain_ca("CN=Maker P-384,O=Maker", new_key("p384"), root);
    PlainCa rsa = plain_ca("CN=Maker RSA,O=Maker", new_key("rsa2048"), root);
    PlainCa ed25519 = plain_ca("CN=Maker Ed25519,O=Maker", new_key("ed25519"), root);
    PlainCa deep = plain_ca("CN=Maker deep,O=Maker", new_key(), p256);
    PlainCa stranger = plain_ca("CN=Maker P-256,O=Maker", new_key(), plain_root("CN=Stranger", new_key()));
    PrivateKey device_key = new_key(), p384_key = new_key("p384"), p521_key = new_key("p521"), ed448_key = new_key("ed448");
    std::vector<Certificate> anchors{root.certificate};
    PlainPaths paths{anchors};
    std::map<const PlainCa*, std::vector<Certificate>> between{{&root, {}},
                                                               {&p256, {p256.certificate}},
                                                               {&p384, {p384.certificate}},
                                                               {&rsa, {rsa.certificate}},
                                                               {&ed25519, {ed25519.certificate}},
                                                               {&deep, {deep.certificate, p256.certificate}}};

    PlainWorld() {
        for (const auto& [issuer, handed_in] : between) {
            const auto first = device(*issuer).make();
            const auto path = ask(first, handed_in, plain_now);
            if (!path) std::abort();
            paths.learn(*path, handed_in, {.at = plain_now});
        }
    }

    Device device(const PlainCa& issuer) const {
        Device device{.issuer = &issuer, .tbs = plain_tbs("serialNumber=4711,CN=device,O=Maker", device_key, issuer), .between = between.at(&issuer)};
        device.tbs.extensions.insert(device.tbs.extensions.begin(), make_key_usage(digital_signature));
        return device;
    }
    /// Anchors that are needed but once are OpenSSL's every time.
    Result<std::vector<Certificate>> ask(const Certificate& end_entity, const std::vector<Certificate>& handed_in, Time at) const {
        return validate_path(end_entity, handed_in, anchors, {.at = at});
    }
    /// Whether it is plain. If so, OpenSSL must agree.
    bool judge(const Certificate& end_entity, const std::vector<Certificate>& handed_in, Time at) const {
        const auto plain = paths.find(end_entity, handed_in, {.at = at});
        if (!plain) return false;
        const auto path = ask(end_entity, handed_in, at);
        EXPECT_TRUE(path) << test::failure(path) << "\n" << end_entity.to_pem();
        EXPECT_TRUE(!path || *path == *plain) << end_entity.to_pem();
        return true;
    }
};

inline const PlainWorld& plain_world() {
    static const PlainWorld& world = *new PlainWorld;
    return world;
}

inline Extension plain_extension(const std::string& oid, std::string_view value, bool critical = false) {
    return {der::Oid::parse(oid).value(), critical, test::hex(value)};
}

/// A [1] behind the key (RFC 5280 4.1: issuerUniqueID), with what a BIT STRING would have to hold.
inline std::function<ByteVec(ByteVec)> with_unique_id(std::string_view content) {
    return [content = test::hex(content)](ByteVec tbs) {
        der::Reader outer{tbs};
        auto reader = outer.enter(der::Tag::sequence).value();
        der::Writer writer;
        writer.sequence([&] {
            while (!reader.next_is(der::context_constructed(3))) writer.raw(reader.any().value().whole);
            writer.primitive(der::context(1), content).raw(reader.rest());
        });
        return std::move(writer).take();
    };
}

inline Name subject_of_type(der::Tag tag, std::string_view value) {
    return Name::parse(test::one_attribute(oid::common_name, tag, test::hex(value))).value();
}

struct Change {
    std::string name;
    std::function<void(Device&)> apply;
    bool plain = false;
    std::optional<bool> accepted = false;   ///< by OpenSSL; nothing: differs from version to version
};

inline const std::vector<Change>& all_changes() {
    static const auto& made = *new std::vector<Change>{
        // Kept rules: plain, and accepted.
        {"nothing", [](Device&) {}, true, true},
        {"no_key_usage", [](Device& device) { device.remove(oid::key_usage); }, true, true},
        {"other_key_usages", [](Device& device) { device.replace(make_key_usage(non_repudiation | key_encipherment | key_agreement | decipher_only)); }, true, true},
        {"purposes", [](Device& device) { device.replace(make_ext_key_usage({oid::kp_client_auth, oid::kp_server_auth})); }, true, true},
        {"critical_purposes", [](Device& device) { device.replace(make_ext_key_usage({oid::kp_client_auth}, true)); }, true, true},
        {"no_ca", [](Device& device) { device.replace(make_basic_constraints({false, {}})); }, true, true},
        {"critically_no_ca", [](Device& device) { device.replace({oid::basic_constraints, true, test::hex("3000")}); }, true, true},
        {"names", [](Device& device) {
             device.replace(make_subject_alt_name({test::general_name("dns:device.example"), test::general_name("ip:192.0.2.1"),
                                                   test::general_name("uri:urn:x:1"), test::general_name("email:a@b.example"),
                                                   test::general_name("upn:user@realm")}, false)); }, true, true},
        {"critical_names", [](Device& device) { device.replace(make_subject_alt_name({test::general_name("dns:device.example")}, true)); }, true, true},
        {"hardware_module_name", [](Device& device) {
             device.replace(plain_extension("2.5.29.17", "3020a01e06082b06010505070804a012301006082b06010401868d1f0404deadbeef")); }, true, true},
        {"services", [](Device& device) {
             device.replace(make_crl_distribution_points({"http://maker.example/crl", "ldap://maker.example/crl"}));
             device.replace(make_authority_info_access({"http://maker.example/ocsp"}, {"http://maker.example/ca"}));
             device.replace(make_certificate_policies({oid::any_policy}, "http://maker.example/cps")); }, true, true},
        {"never_expires", [](Device& device) { device.tbs.not_after = parse_iso8601("9999-12-31T23:59:59Z").value(); }, true, true},
        {"first_second", [](Device& device) { device.at = device.tbs.not_before; }, true, true},   // bug class 21
        {"last_second", [](Device& device) { device.at = device.tbs.not_after; }, true, true},
        {"no_key_identifier", [](Device& device) { device.remove(oid::subject_key_identifier); }, true, true},
        {"serial_zero", [](Device& device) { device.tbs.serial_number = {0}; }, true, true},
        {"printable_subject", [](Device& device) { device.tbs.subject = subject_of_type(der::Tag::printable_string, "414243"); }, true, true},
        {"key_p384", [](Device& device) { device.set_key(plain_world().p384_key.public_key().spki()); }, true, true},
        {"key_p521", [](Device& device) { device.set_key(plain_world().p521_key.public_key().spki()); }, true, true},
        {"key_rsa", [](Device& device) { device.set_key(plain_world().rsa.key.public_key().spki()); }, true, true},
        {"key_ed25519", [](Device& device) { device.set_key(plain_world().ed25519.key.public_key().spki()); }, true, true},
        {"key_ed448", [](Device& device) { device.set_key(plain_world().ed448_key.public_key().spki()); }, true, true},
        // Unusual, but right: OpenSSL is asked, and accepts.
        {"issuer_in_other_case", [](Device& device) {
             device.tbs.issuer = test::name([](std::string text) { for (auto& c : text) c = c == 'M' ? 'm' : c; return text; }(device.tbs.issuer.to_text())); }, false, true},
        {"certificate_too_many", [](Device& device) { device.between.push_back(plain_world().stranger.certificate); }, false, std::nullopt},
        {"unknown_extension", [](Device& device) { device.replace(plain_extension("1.3.6.1.4.1.99999.7", "0500")); }, false, true},
        {"subject_in_bmp_string", [](Device& device) { device.tbs.subject = subject_of_type(der::Tag::bmp_string, "00410042"); }, false, true},
        {"subject_in_teletex_string", [](Device& device) { device.tbs.subject = subject_of_type(der::Tag::teletex_string, "41e4"); }, false, true},
        {"directory_name", [](Device& device) { device.replace(make_subject_alt_name({test::general_name("dirname:CN=x")}, false)); }, false, true},
        {"registered_id", [](Device& device) { device.replace(make_subject_alt_name({test::general_name("rid:1.2.3")}, false)); }, false, true},
        {"other_name_of_integer", [](Device& device) { device.replace(plain_extension("2.5.29.17", "300da00b06042a030405a003020105")); }, false, true},
        {"critical_points", [](Device& device) {
             device.replace(make_crl_distribution_points({"http://maker.example/crl"}));
             device.set_critical(oid::crl_distribution_points); }, false, true},
        {"point_for_reasons", [](Device& device) { device.replace(plain_extension("2.5.29.31", "3011300fa009a0078605613a622f6381020640")); }, false, std::nullopt},
        {"identifier_with_issuer", [](Device& device) {
             const auto& issuer = device.issuer->certificate;
             der::Writer writer;
             writer.sequence([&] {
                 writer.primitive(der::context(0), *issuer.subject_key_id());
                 writer.constructed(der::context_constructed(1), [&] { writer.constructed(der::context_constructed(4), [&] { writer.raw(issuer.issuer().der()); }); });
                 writer.primitive(der::context(2), issuer.serial_number());
             });
             device.replace({oid::authority_key_identifier, false, std::move(writer).take()}); }, false, true},
        {"unique_identifier", [](Device& device) { device.change_octets = with_unique_id("0001"); }, false, true},
        {"crl_sign", [](Device& device) { device.replace(make_key_usage(digital_signature | crl_sign)); }, false, true},
        {"no_subject", [](Device& device) {
             device.tbs.subject = {};
             device.replace(make_subject_alt_name({test::general_name("dns:device.example")}, true)); }, false, true},
        {"critical_policies", [](Device& device) {
             device.replace(make_certificate_policies({oid::any_policy}));
             device.set_critical(oid::certificate_policies); }, false, true},
        {"is_ca", [](Device& device) {
             device.replace(make_basic_constraints({true, {}}));
             device.replace(make_key_usage(key_cert_sign));
         }, false, std::nullopt},
        // Broken rules.
        {"expired", [](Device& device) { device.at = device.tbs.not_after + Seconds{1}; }},
        {"not_yet_valid", [](Device& device) { device.at = device.tbs.not_before - Seconds{1}; }},
        {"issuer_expired", [](Device& device) {
             device.tbs.not_after = parse_iso8601("9999-12-31T23:59:59Z").value();
             device.at = plain_now + 20 * plain_year; }},
        {"signed_by_another", [](Device& device) { device.signer = &plain_world().stranger; }},
        {"of_another_issuer", [](Device& device) { device.tbs.issuer = test::name("CN=nobody"); }},
        {"nothing_handed_in", [](Device& device) { device.between.clear(); }, false, std::nullopt},
        {"no_authority_key_identifier", [](Device& device) { device.remove(oid::authority_key_identifier); }},
        {"authority_key_identifier_of_another", [](Device& device) { device.replace(make_authority_key_identifier(ByteVec(20, 0x11))); }},
        {"empty_authority_key_identifier", [](Device& device) { device.replace(plain_extension("2.5.29.35", "3000")); }},
        {"critical_authority_key_identifier", [](Device& device) { device.set_critical(oid::authority_key_identifier); }},
        {"critical_key_identifier", [](Device& device) { device.replace(make_subject_key_identifier(ByteVec(20, 1))); device.set_critical(oid::subject_key_identifier); }},
        {"unknown_critical_extension", [](Device& device) { device.replace(plain_extension("1.3.6.1.4.1.99999.7", "0500", true)); }},
        {"critical_information_access", [](Device& device) {
             device.replace(make_authority_info_access({"http://maker.example/ocsp"}, {}));
             device.set_critical(oid::authority_info_access); }},
        {"certificate_signing_without_being_ca", [](Device& device) { device.replace(make_key_usage(digital_signature | key_cert_sign)); }},
        {"usage_that_is_none", [](Device& device) { device.replace(plain_extension("2.5.29.15", "030403000008", true)); }},
        {"names_without_subject", [](Device& device) {
             device.tbs.subject = {};
             device.replace(make_subject_alt_name({test::general_name("dns:device.example")}, false)); }},
        {"malformed_names", [](Device& device) { device.replace(plain_extension("2.5.29.17", "3003820561")); }},
        {"malformed_points", [](Device& device) { device.replace(plain_extension("2.5.29.31", "30033001ff")); }},
        {"key_rsa_1024", [](Device& device) { device.set_key(test::load("rsa_1024").spki()); }},
        {"key_of_no_curve", [](Device& device) { device.tbs.spki.back() ^= 0x01; }},
        {"malformed_unique_identifier", [](Device& device) { device.change_octets = with_unique_id(""); }},
        {"malformed_addresses", [](Device& device) { device.replace(plain_extension("1.3.6.1.5.5.7.1.7", "0500")); }},
        // Whatever OpenSSL says of these.
        {"self_issued", [](Device& device) { device.tbs.subject = device.tbs.issuer; }, false, std::nullopt},
        {"proxy", [](Device& device) { device.replace(plain_extension("1.3.6.1.5.5.7.1.14", "300c300a06082b06010505071501", true)); }, false, std::nullopt},
        {"name_constraints", [](Device& device) {
             NameConstraints constraints;
             constraints.permitted = {test::general_name("dns:example")};
             device.replace(make_name_constraints(constraints)); }, false, std::nullopt},
        {"policy_constraints", [](Device& device) { device.replace(plain_extension("2.5.29.36", "3003800100", true)); }, false, std::nullopt},
        {"inhibit_any_policy", [](Device& device) { device.replace(plain_extension("2.5.29.54", "020100", true)); }, false, std::nullopt},
        {"policy_mappings", [](Device& device) { device.replace(plain_extension("2.5.29.33", "300c300a06032a030406032a0305", true)); }, false, std::nullopt},
    };
    return made;
}

}  // namespace estuary::test::plain
