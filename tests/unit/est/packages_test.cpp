#include "estuary/est/packages.h"

#include "package_support.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

/// Signers and their anchors; made once.
class EstPackages : public testing::Test {
protected:
    static void SetUpTestSuite() {
        world = std::make_unique<World>();
        vendor = std::make_unique<Identity>(world->device("CN=vendor"));
        stranger = std::make_unique<Identity>(world->device("CN=stranger", "globex"));
    }
    static void TearDownTestSuite() {
        world.reset();
        vendor.reset();
        stranger.reset();
    }
    static Believed believed() { return {{world->acme->root}, {world->acme->issuing}, world->clock.now()}; }
    static Result<CheckedPackage> check(std::string_view type, Bytes der) { return check_package(*pal_type(type), der); }
    static std::string code(std::string_view type, Bytes der) { return failure(check(type, der)).substr(0, 9); }
    static std::string pfx(bool shrouded);

    static inline std::unique_ptr<World> world;
    static inline std::unique_ptr<Identity> vendor, stranger;
};

TEST_F(EstPackages, LayersAreToldFromOutside) {
    const auto keys = some_content();
    const auto signed_keys = signed_by(*vendor, content::symmetric_keys, keys);
    const auto encrypted = enveloped(cms::oid::signed_data, inner(signed_keys));
    const auto outer = signed_by(*vendor, cms::oid::enveloped_data, inner(encrypted));

    const auto plain = read_layers(bare(content::symmetric_keys, keys));
    ASSERT_TRUE(plain) << failure(plain);
    EXPECT_EQ(plain->describe(), "sKeyPackage");
    EXPECT_EQ(cms_media_type(*plain), "application/cms; innerContent=sKeyPackage");
    const auto one = read_layers(signed_keys);
    EXPECT_EQ(one->describe(), "signedData > sKeyPackage");
    EXPECT_TRUE(one->signed_);
    EXPECT_FALSE(one->encrypted);
    EXPECT_EQ(cms_media_type(*one), "application/cms; encapsulatingContent=signedData; innerContent=sKeyPackage");
    const auto three = read_layers(outer);
    ASSERT_TRUE(three) << failure(three);
    EXPECT_EQ(three->describe(), "signedData > envelopedData > signedData") << "what is encrypted is named, not seen";
    EXPECT_TRUE(three->encrypted);
    EXPECT_EQ(cms_media_type(*three), "application/cms; encapsulatingContent=\"signedData , envelopedData , signedData\"");
    EXPECT_EQ(read_layers(enveloped(content::firmware, keys, "AES-256-GCM"))->describe(), "authEnvelopedData > firmwarePackage");
}

TEST_F(EstPackages, BrokenLayersAreRefused) {
    const auto good = signed_by(*vendor, content::firmware, some_content());
    EXPECT_FALSE(read_layers({}));
    EXPECT_FALSE(read_layers(Bytes{good}.first(good.size() - 1)));
    auto more = good;
    more.push_back(0);
    EXPECT_FALSE(read_layers(more));
    EXPECT_FALSE(read_layers(bare(cms::oid::signed_data, some_content())));
    EXPECT_FALSE(read_layers(bare(cms::oid::enveloped_data, some_content())));
    const ByteVec no_der{0x04, 0x81, 0x01, 0xAA};  // a length that is not the shortest
    EXPECT_FALSE(read_layers(signed_by(*vendor, content::firmware, no_der)));
    auto deep = good;
    for (int i = 0; i < 7; ++i) deep = signed_by(*vendor, cms::oid::signed_data, inner(deep));
    EXPECT_EQ(read_layers(deep).error().code, Code::too_large);  // bug class 30
}

TEST_F(EstPackages, FirmwareMayBeBareSignedOrEncrypted) {  // RFC 8295 6.1.2
    const auto inside = some_content();
    EXPECT_EQ(check("0026", bare(content::firmware, inside))->media_type, "application/cms; innerContent=firmwarePackage");
    EXPECT_TRUE(check("0026", signed_by(*vendor, content::firmware, inside)));
    EXPECT_TRUE(check("0026", enveloped(content::firmware, inside))->encrypted);
    EXPECT_EQ(code("0026", bare(content::symmetric_keys, inside)), "malformed");
    EXPECT_EQ(code("0026", signed_by(*vendor, content::firmware_receipt, inside)), "malformed");
    EXPECT_EQ(code("0026", signed_by(*vendor, cms::oid::data, inside)), "malformed");
    EXPECT_EQ(code("0026", ByteVec(package_octets_max + 1)), "too_large");
}

TEST_F(EstPackages, KeysSayWhetherTheyAreEncrypted) {  // RFC 8295 5.1.2, 8.1
    const auto inside = some_content();
    for (const auto& [type, oid] : {std::pair{"0024", content::symmetric_keys}, std::pair{"0021", content::asymmetric_key}}) {
        const auto plain = check(type, signed_by(*vendor, oid, inside));
        ASSERT_TRUE(plain) << type << failure(plain);
        EXPECT_TRUE(plain->holds_keys);
        EXPECT_FALSE(plain->encrypted);
        const auto hidden = check(type, enveloped(cms::oid::signed_data, inner(signed_by(*vendor, oid, inside))));
        ASSERT_TRUE(hidden) << type << failure(hidden);
        EXPECT_TRUE(hidden->encrypted);
        const auto again = check(type, signed_by(*vendor, cms::oid::enveloped_data, inner(enveloped(oid, inside))));
        ASSERT_TRUE(again) << type << failure(again);
        EXPECT_TRUE(again->encrypted);
        EXPECT_EQ(code(type, bare(content::firmware, inside)), "malformed");
        EXPECT_EQ(code(type, enveloped(content::firmware, inside)), "malformed") << "a type that can be seen must be right";
    }
    EXPECT_EQ(code("0021", bare(content::symmetric_keys, inside)), "malformed");
    EXPECT_EQ(code("0020", bare(content::asymmetric_key, inside)), "unsupport");
}

/// RFC 6032: EncryptedData, or [0] EnvelopedData, in a content type of its own.
TEST_F(EstPackages, EncryptedKeyPackagesAreEncrypted) {
    constexpr der::Oid encrypted_key_package{"2.16.840.1.101.2.1.2.78.2"};
    auto envelope = inner(enveloped(cms::oid::signed_data, some_content()));
    envelope[0] = 0xA0;
    const auto found = check("0024", bare(encrypted_key_package, envelope));
    ASSERT_TRUE(found) << failure(found);
    EXPECT_TRUE(found->encrypted);
    EXPECT_THAT(found->media_type, HasSubstr("encryptedKeyPkg"));
    envelope[0] = 0xA2;
    EXPECT_EQ(code("0024", bare(encrypted_key_package, envelope)), "malformed");
}

TEST_F(EstPackages, TampMessagesAreSignedAndOfTheirType) {  // RFC 8295 7.1.2
    const auto query = signed_by(*vendor, content::tamp_query, some_content());
    EXPECT_EQ(check("0028", query)->media_type, "application/tamp-status-query");
    EXPECT_EQ(check("0030", signed_by(*vendor, content::tamp_update, some_content()))->media_type, "application/tamp-update");
    EXPECT_EQ(code("0030", query), "malformed") << "another message";
    EXPECT_EQ(code("0028", bare(content::tamp_query, some_content())), "malformed") << "not signed";
    EXPECT_EQ(code("0028", cms::SignedDataBuilder(content::tamp_query, some_content()).build().value()), "malformed") << "no signer";
    EXPECT_EQ(code("0028", signed_by(*vendor, cms::oid::signed_data, inner(query))), "malformed") << "signed twice";
}

TEST_F(EstPackages, PeersAreACertsOnlyMessage) {  // RFC 8295 3.2
    EXPECT_EQ(check("0003", cms::encode_certs_only({vendor->certificate.der()}))->media_type,
              "application/pkcs7-mime; smime-type=certs-only");
    EXPECT_EQ(code("0003", cms::encode_certs_only({})), "malformed");
    EXPECT_EQ(code("0003", signed_by(*vendor, cms::oid::data, some_content())), "malformed");
    EXPECT_FALSE(check("0003", vendor->certificate.der()));
}

/// A PFX with one key, in a bag of either kind (RFC 7292 4).
std::string EstPackages::pfx(bool shrouded) {
    const auto wrap = [](const der::Oid& type, Bytes octets) {
        der::Writer content;
        content.octet_string(octets);
        return bare(type, content.bytes());
    };
    der::Writer safe;
    safe.sequence([&] {
        safe.sequence([&] {
            safe.oid(shrouded ? der::Oid{"1.2.840.113549.1.12.10.1.2"} : der::Oid{"1.2.840.113549.1.12.10.1.1"});
            safe.constructed(der::context_constructed(0), [&] { safe.raw(some_content()); });
        });
    });
    der::Writer safes;
    safes.sequence([&] { safes.raw(wrap(cms::oid::data, safe.bytes())); });
    der::Writer out;
    out.sequence([&] {
        out.integer(3);
        out.raw(wrap(cms::oid::data, safes.bytes()));
        out.raw(some_content());
    });
    return estuary::to_string(out.bytes());
}

TEST_F(EstPackages, PfxWithOpenKeysIsNotEncrypted) {  // RFC 8295 8.3.2
    const auto open = check("0022", as_bytes(pfx(false))), shrouded = check("0022", as_bytes(pfx(true)));
    ASSERT_TRUE(open) << failure(open);
    ASSERT_TRUE(shrouded) << failure(shrouded);
    EXPECT_EQ(shrouded->media_type, "application/pkcs12");
    EXPECT_TRUE(shrouded->encrypted);
    EXPECT_FALSE(open->encrypted);
    EXPECT_TRUE(open->holds_keys);
    EXPECT_EQ(code("0022", some_content()), "malformed");
    EXPECT_EQ(code("0022", signed_by(*vendor, content::asymmetric_key, some_content())), "malformed");
}

TEST_F(EstPackages, WhatTheServerTellsByItselfIsNoPackage) {
    for (const auto& type : pal_types()) {
        if (type.action == PalAction::fetch && type.operation != Operation::cacerts && type.operation != Operation::crls) continue;
        EXPECT_EQ(check_package(type, some_content()).error().code, Code::unsupported) << type.number;
    }
}

struct ReceiptCase {
    std::string name;
    Operation operation;
    std::string media_type;
    der::Oid content;
    bool is_signed;
    Code code;          ///< internal: accepted
};
class EstReceipts : public EstPackages, public testing::WithParamInterface<ReceiptCase> {};

TEST_P(EstReceipts, AreTakenAsTheRfcSays) {
    const auto& param = GetParam();
    const auto inside = some_content();
    const auto der = param.is_signed ? signed_by(*vendor, param.content, inside) : bare(param.content, inside);
    const auto checked = check_receipt(param.operation, param.media_type, der);
    if (param.code != Code::internal) {
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, param.code) << failure(checked);
        return;
    }
    ASSERT_TRUE(checked) << failure(checked);
    EXPECT_FALSE(checked->package_types.empty());
    const auto media_type = receipt_media_type(param.operation, der);
    ASSERT_TRUE(media_type) << failure(media_type);
    EXPECT_THAT(*media_type, testing::StartsWith(param.media_type.substr(0, param.media_type.find(';'))));
}
constexpr auto is_taken = Code::internal;
INSTANTIATE_TEST_SUITE_P(Rfc8295, EstReceipts, testing::Values(
    ReceiptCase{"key_receipt", Operation::symmetrickeys, "application/cms", content::key_receipt, true, is_taken},
    ReceiptCase{"key_receipt_with_parameters", Operation::symmetrickeys,
                "application/cms; encapsulatingContent=signedData; innerContent=keyPackageReceipt", content::key_receipt, true, is_taken},
    ReceiptCase{"key_receipt_unsigned", Operation::symmetrickeys, "application/cms", content::key_receipt, false, Code::bad_proof},
    ReceiptCase{"key_error", Operation::symmetrickeys, "application/cms", content::key_error, true, is_taken},
    ReceiptCase{"key_error_unsigned", Operation::symmetrickeys, "application/cms", content::key_error, false, is_taken},
    ReceiptCase{"asymmetric_receipt", Operation::serverkeygen, "application/cms", content::key_receipt, true, is_taken},
    ReceiptCase{"asymmetric_receipt_unsigned", Operation::serverkeygen, "application/cms", content::key_receipt, false, Code::bad_proof},
    ReceiptCase{"firmware_receipt", Operation::firmware, "application/cms", content::firmware_receipt, true, is_taken},
    ReceiptCase{"firmware_receipt_unsigned", Operation::firmware, "application/cms", content::firmware_receipt, false, is_taken},
    ReceiptCase{"firmware_error", Operation::firmware, "application/cms", content::firmware_error, true, is_taken},
    ReceiptCase{"firmware_error_unsigned", Operation::firmware, "application/cms", content::firmware_error, false, is_taken},
    ReceiptCase{"tamp_response", Operation::tamp, "application/tamp-status-response", content::tamp_response, true, is_taken},
    ReceiptCase{"tamp_response_unsigned", Operation::tamp, "application/tamp-status-response", content::tamp_response, false, is_taken},
    ReceiptCase{"tamp_error", Operation::tamp, "application/tamp-error", content::tamp_error, true, is_taken},
    ReceiptCase{"tamp_error_as_response", Operation::tamp, "application/tamp-status-response", content::tamp_error, true, Code::unsupported},
    ReceiptCase{"tamp_as_cms", Operation::tamp, "application/cms", content::tamp_response, true, Code::unsupported},
    ReceiptCase{"tamp_query", Operation::tamp, "application/tamp-status-query", content::tamp_query, true, Code::unsupported},
    ReceiptCase{"firmware_receipt_elsewhere", Operation::symmetrickeys, "application/cms", content::firmware_receipt, true, Code::unsupported},
    ReceiptCase{"key_receipt_elsewhere", Operation::firmware, "application/cms", content::key_receipt, true, Code::unsupported},
    ReceiptCase{"a_package", Operation::firmware, "application/cms", content::firmware, true, Code::unsupported},
    ReceiptCase{"other_media_type", Operation::firmware, "application/pkcs7-mime", content::firmware_receipt, true, Code::unsupported},
    ReceiptCase{"no_media_type", Operation::firmware, "", content::firmware_receipt, true, Code::malformed}),
    [](const auto& test) { return test.param.name; });

TEST_F(EstPackages, ReceiptsAreNotWrappedOtherwise) {
    const auto receipt = signed_by(*vendor, content::firmware_receipt, some_content());
    const auto twice = signed_by(*vendor, cms::oid::signed_data, inner(receipt));
    const auto hidden = enveloped(cms::oid::signed_data, inner(receipt));
    const auto nobody = cms::SignedDataBuilder(content::firmware_receipt, some_content()).build().value();
    for (const auto& der : {twice, hidden, nobody})
        EXPECT_EQ(check_receipt(Operation::firmware, "application/cms", der).error().code, Code::unsupported);
    EXPECT_EQ(check_receipt(Operation::firmware, "application/cms", ByteVec(receipt_octets_max + 1)).error().code, Code::too_large);
}

TEST_F(EstPackages, TampReceiptsSayWhichMessageTheyAnswer) {
    const auto response = check_receipt(Operation::tamp, "application/tamp-status-response",
                                        signed_by(*vendor, content::tamp_response, some_content()));
    EXPECT_EQ(response->package_types, std::vector<std::string>{"0028"});
    const auto error = check_receipt(Operation::tamp, "application/tamp-error", signed_by(*vendor, content::tamp_error, some_content()));
    EXPECT_EQ(error->package_types, (std::vector<std::string>{"0028", "0030", "0032", "0034", "0036"}));
}

TEST_F(EstPackages, SignaturesMustBeThoseOfSomebodyTrusted) {  // RFC 8295 5.1.2, 6.1.2, 7.1.2, 8.1
    const auto good = signed_by(*vendor, content::firmware, some_content());
    const auto signers = verify_package(good, believed());
    ASSERT_TRUE(signers) << failure(signers);
    EXPECT_EQ(signers->signers, std::vector<std::string>{"CN=vendor"});
    EXPECT_TRUE(verify_package(bare(content::firmware, some_content()), believed())->signers.empty()) << "nothing is signed";
    EXPECT_EQ(verify_package(signed_by(*stranger, content::firmware, some_content()), believed()).error().code, Code::not_authenticated);
    EXPECT_EQ(verify_package(signed_by(*vendor, content::firmware, some_content(), true), believed()).error().code,
              Code::not_authenticated) << "the certificate is not there";
    auto late = believed();
    late.now += Seconds{400 * 86400};
    EXPECT_EQ(verify_package(good, late).error().code, Code::not_authenticated) << "expired";

    auto forged = good;   // the content's last letter
    const auto text = as_bytes("content");
    const auto at = std::search(forged.begin(), forged.end(), text.begin(), text.end());
    ASSERT_NE(at, forged.end());
    at[6] = 'T';
    EXPECT_EQ(verify_package(forged, believed()).error().code, Code::bad_proof);
}

TEST_F(EstPackages, EveryVisibleSignatureCounts) {
    const auto inside = signed_by(*stranger, content::firmware, some_content());
    const auto outside = signed_by(*vendor, cms::oid::signed_data, inner(inside));
    EXPECT_FALSE(verify_package(outside, believed())) << "the inner one is a stranger's";
    const auto both = signed_by(*vendor, cms::oid::signed_data, inner(signed_by(*vendor, content::firmware, some_content())));
    EXPECT_EQ(verify_package(both, believed())->signers.size(), 2u);
}

/// What a client opens, and what only somebody else does.
class EstSealedPackages : public EstPackages {
protected:
    EstSealedPackages() {
        by_certificate.holder = cms::KeyHolder{vendor->key, vendor->certificate};
        by_shared_key.shared = cms::SharedKey{{1, 2}, crypto::Secret{ByteVec(32, 7)}};
        wrong_key.shared = cms::SharedKey{{1, 2}, crypto::Secret{ByteVec(32, 8)}};
        somebody_elses.shared = cms::SharedKey{{3}, crypto::Secret{ByteVec(32, 7)}};
    }
    static ByteVec sealed(const der::Oid& type, Bytes inside, const KeyOpener& to) {
        cms::EnvelopedDataBuilder builder{type, inside};
        if (to.shared) builder.recipient(*to.shared);
        else builder.recipient(to.holder->key.public_key(), cms::Identifier::by_issuer(*to.holder->certificate));
        return builder.build().value();
    }
    static ByteVec keys_of(const Identity& signer) { return signed_by(signer, content::symmetric_keys, some_content()); }

    KeyOpener by_certificate, by_shared_key, wrong_key, somebody_elses;
};

/// RFC 8295 5.1.2, 8.1: a signature inside of what this client can open counts like one outside.
TEST_F(EstSealedPackages, SignaturesInsideCount) {
    for (const auto* opener : {&by_certificate, &by_shared_key})
        for (const bool as_data : {false, true}) {  // as `openssl cms -encrypt` takes a whole message
            const auto seal = [&](Bytes package) {
                return sealed(as_data ? cms::oid::data : cms::oid::signed_data, as_data ? package : Bytes{inner(package)}, *opener);
            };
            const auto good = verify_package(seal(keys_of(*vendor)), believed(), *opener);
            ASSERT_TRUE(good) << failure(good);
            EXPECT_EQ(good->signers, std::vector<std::string>{"CN=vendor"});
            EXPECT_FALSE(good->hidden);
            EXPECT_EQ(verify_package(seal(keys_of(*stranger)), believed(), *opener).error().code, Code::not_authenticated);
        }
    const auto under_signature = signed_by(*vendor, cms::oid::enveloped_data,
                                           inner(sealed(cms::oid::signed_data, inner(keys_of(*stranger)), by_shared_key)));
    EXPECT_EQ(verify_package(under_signature, believed())->signers, std::vector<std::string>{"CN=vendor"});
    EXPECT_FALSE(verify_package(under_signature, believed(), by_shared_key)) << "the inner one is a stranger's";
    const auto nobody = verify_package(sealed(content::symmetric_keys, some_content(), by_shared_key), believed(), by_shared_key);
    EXPECT_TRUE(nobody && nobody->signers.empty() && !nobody->hidden) << "whoever knows the key can encrypt";
}

/// RFC 6032: EncryptedKeyPackage ::= CHOICE { …, enveloped [0] EnvelopedData, authEnveloped [1] AuthEnvelopedData }
TEST_F(EstSealedPackages, EncryptedKeyPackagesAreOpened) {
    constexpr der::Oid encrypted_key_package{"2.16.840.1.101.2.1.2.78.2"};
    for (const auto* signer : {vendor.get(), stranger.get()}) {
        auto enveloped = inner(sealed(cms::oid::signed_data, inner(keys_of(*signer)), by_certificate));
        enveloped.front() = 0xA0;
        const auto verified = verify_package(cms::make_content_info(encrypted_key_package, enveloped), believed(), by_certificate);
        EXPECT_EQ(verified.has_value(), signer == vendor.get()) << failure(verified);
    }
}

TEST_F(EstSealedPackages, WhatCannotBeOpenedIsToldSo) {
    const auto package = sealed(cms::oid::signed_data, inner(keys_of(*stranger)), by_shared_key);
    for (const auto* opener : {&by_certificate, &somebody_elses}) {
        const auto verified = verify_package(package, believed(), *opener);
        ASSERT_TRUE(verified) << failure(verified);
        EXPECT_TRUE(verified->hidden && verified->signers.empty());
    }
    EXPECT_TRUE(verify_package(package, believed())->hidden);
    EXPECT_EQ(verify_package(package, believed(), wrong_key).error().code, Code::bad_proof) << "it says that it is for this key";
    EXPECT_FALSE(verify_package(keys_of(*vendor), believed(), by_shared_key)->hidden);
}

/// RFC 8295 7.1.2 with RFC 5934: directly signed by a trust anchor.
TEST_F(EstPackages, AnchorsMaySignThemselves) {
    const Identity anchor{world->acme->issuing_key, world->acme->issuing, {}};
    auto trusting = believed();
    trusting.anchors = {anchor.certificate};
    const auto package = signed_by(anchor, content::tamp_query, some_content(), true);
    const auto signers = verify_package(package, trusting);
    EXPECT_EQ(signers.error().code, Code::not_authenticated) << "its keyUsage is for certificates and CRLs only";
    trusting.anchors = {vendor->certificate};
    const auto direct = verify_package(signed_by(*vendor, content::tamp_query, some_content(), true), trusting);
    ASSERT_TRUE(direct) << failure(direct);
    EXPECT_EQ(direct->signers, std::vector<std::string>{"CN=vendor"});
}

TEST_F(EstPackages, ReceiptsAreSignedByTheirMaker) {
    const auto error = bare(content::key_error, some_content());
    const auto made = sign_receipt(error, vendor->key, {vendor->certificate, world->acme->issuing});
    ASSERT_TRUE(made) << failure(made);
    EXPECT_TRUE(check_receipt(Operation::symmetrickeys, "application/cms", *made));
    EXPECT_EQ(verify_package(*made, {{world->acme->root}, {}, world->clock.now()})->signers, std::vector<std::string>{"CN=vendor"});
    EXPECT_FALSE(sign_receipt(*made, vendor->key, {vendor->certificate})) << "it is signed already";
    EXPECT_FALSE(sign_receipt(error, vendor->key, {}));
    EXPECT_FALSE(sign_receipt(some_content(), vendor->key, {vendor->certificate}));
}

TEST_F(EstPackages, PeersNeedAPathToAnAnchor) {  // RFC 8295 3.2
    const auto good = verify_peers(cms::encode_certs_only({vendor->certificate.der()}), believed());
    ASSERT_TRUE(good) << failure(good);
    EXPECT_EQ(good->size(), 1u);
    // bug class 19: one of two, at either place
    EXPECT_FALSE(verify_peers(cms::encode_certs_only({vendor->certificate.der(), stranger->certificate.der()}), believed()));
    EXPECT_FALSE(verify_peers(cms::encode_certs_only({stranger->certificate.der()}), believed()));
    EXPECT_FALSE(verify_peers(cms::encode_certs_only({}), believed()));
}

TEST_F(EstPackages, CrlsNeedATrustedIssuer) {  // RFC 8295 4.2
    const auto list_of = [&](std::string_view ca) {
        store::UnitOfWork work;
        return world->authority->make_crl(ca, 0, authority::CrlKind::complete, work).value().der;
    };
    const auto ours = list_of("issuing"), others = list_of("other");
    const auto message = [](std::initializer_list<Bytes> lists) {
        cms::SignedDataBuilder builder;
        for (const auto list : lists) builder.crl(list);
        return builder.build().value();
    };
    const Believed trusting{{world->ca->root}, {world->ca->issuing}, world->clock.now()};
    const auto good = verify_crls(message({ours}), trusting);
    ASSERT_TRUE(good) << failure(good);
    EXPECT_EQ(good->size(), 1u);
    EXPECT_TRUE(verify_crls(message({ours}), {{world->ca->issuing}, {}, world->clock.now()})) << "an anchor's own list";
    EXPECT_FALSE(verify_crls(message({others}), trusting));
    EXPECT_FALSE(verify_crls(message({ours, others}), trusting)) << "bug class 19";
    EXPECT_FALSE(verify_crls(message({ours}), {{world->ca->root}, {}, world->clock.now()})) << "the issuer is not known";
    auto late = trusting;
    late.now += Seconds{30 * 86400};
    EXPECT_FALSE(verify_crls(message({ours}), late)) << "not current";
    EXPECT_FALSE(verify_crls(message({}), trusting));
    auto forged = ours;
    forged[forged.size() - 3] ^= 1;
    EXPECT_FALSE(verify_crls(message({forged}), trusting));
}

}  // namespace
}  // namespace estuary::est
