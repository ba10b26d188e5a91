#include "estuary/cmp/server_envelope.h"

#include "estuary/cms/key_package.h"
#include "estuary/cms/oids.h"
#include "estuary/x509/extension.h"

namespace estuary::cmp {
namespace {

/// SignedData by the key generation authority: it vouches for where the key comes from.
Result<crypto::Secret> signed_package(const crypto::PrivateKey& key, const Credentials& generator) {
    const auto& certificate = generator.chain.front();
    ESTUARY_TRY(auto identifier, cms::Identifier::by_key(certificate));
    std::vector<Bytes> chain;
    for (const auto& link : generator.chain) chain.push_back(link.der());
    return cms::sign_key_package(key, cms::Signer{generator.key, std::move(identifier)}, chain);
}

}  // namespace

Result<ByteVec> without_content_info(Bytes content_info) {
    ESTUARY_TRY(auto fields, der::enter_only(content_info, der::Tag::sequence, "ContentInfo", {.bytes_max = content_info.size()}));
    ESTUARY_CHECK(fields.skip());
    ESTUARY_TRY(auto content, fields.enter(der::context_constructed(0)));
    return to_vec(content.rest());
}

Result<ByteVec> envelope_for(const crypto::PublicKey& key, const cms::Identifier& recipient, Bytes content) {
    cms::EnvelopedDataBuilder builder{cms::oid::data, content};
    builder.recipient(key, recipient);
    ESTUARY_TRY(const auto made, builder.build());
    return without_content_info(made);
}

Result<ByteVec> envelope_with_key(const crypto::PrivateKey& key, const Credentials& generator, const Sender& sender,
                                  const crypto::PublicKey* encryption_key) {
    ESTUARY_TRY(const auto package, signed_package(key, generator));
    cms::EnvelopedDataBuilder builder{cms::oid::signed_data, package.reveal()};
    if (encryption_key != nullptr) {
        ESTUARY_TRY(const auto identifier, x509::key_identifier(encryption_key->spki()));
        builder.recipient(*encryption_key, cms::Identifier::by_key(identifier));
    } else if (sender.protection == Protection::mac) {
        builder.password(*sender.secret);
    } else {
        builder.recipient(*sender.key_holder);
    }
    ESTUARY_TRY(const auto made, builder.build());
    return without_content_info(made);
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.1.6
Checked<void> check_recipient(const Sender& sender) {
    if (sender.protection == Protection::mac) return {};
    if (!sender.key_holder) return refuse(PkiFailure::not_authorized, "it is not known to whom a private key could be given");
    CMP_TRY(const auto key, sender.key_holder->public_key());
    const auto usage = sender.key_holder->key_usage();
    switch (key.kind()) {
        case crypto::KeyKind::rsa:
        case crypto::KeyKind::ml_kem:
            if (usage && (*usage & x509::key_encipherment) == 0)
                return refuse(PkiFailure::not_authorized, "the protection certificate lacks keyEncipherment: no private key can be given to it");
            return {};
        case crypto::KeyKind::ec:
        case crypto::KeyKind::other:
            if (usage && (*usage & x509::key_agreement) == 0)
                return refuse(PkiFailure::not_authorized, "the protection certificate lacks keyAgreement: no private key can be given to it");
            return {};
        case crypto::KeyKind::ed25519:
        case crypto::KeyKind::ed448:
        case crypto::KeyKind::ml_dsa:
        case crypto::KeyKind::slh_dsa: break;
    }
    return refuse(PkiFailure::not_authorized, "nothing can be encrypted with the key of the protection certificate");
}

}  // namespace estuary::cmp
