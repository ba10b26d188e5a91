// Reading RecipientInfo; unwrapping is in recipient_unwrap.cpp, making in recipient_make.cpp.
#include "estuary/cms/recipient.h"

#include <fmt/format.h>

namespace estuary::cms {
namespace {

using der::Reader;
using der::Tag;

tl::unexpected<Error> malformed_recipient_info(std::string detail) {
    return fail(Code::malformed, "RecipientInfo: " + std::move(detail));
}

Result<void> expect_version(Reader& fields, std::int64_t wanted) {
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != wanted) return malformed_recipient_info(fmt::format("version {} where {} is wanted", version, wanted));
    return {};
}

/// KeyTransRecipientInfo ::= SEQUENCE { version (0 or 2), rid RecipientIdentifier, keyEncryptionAlgorithm, encryptedKey }
Result<Recipient> read_key_transport(Reader fields) {
    KeyTransport recipient;
    ESTUARY_TRY(const auto version, fields.integer());
    ESTUARY_TRY(recipient.recipient, Identifier::read(fields));
    if (version != (recipient.recipient.is_by_key() ? 2 : 0))
        return malformed_recipient_info(fmt::format("KeyTransRecipientInfo of version {}", version));
    ESTUARY_TRY(recipient.encryption, read_algorithm(fields));
    ESTUARY_TRY(recipient.encrypted_key, fields.octet_string());
    ESTUARY_CHECK(fields.finish("KeyTransRecipientInfo"));
    return recipient;
}

/// { keyIdentifier or subjectKeyIdentifier OCTET STRING, date GeneralizedTime OPTIONAL, other OtherKeyAttribute OPTIONAL }
Result<Bytes> read_key_identifier(Reader fields) {
    constexpr std::size_t octets_max = 1024;  // RFC 4108 2.2.5 leaves it open
    ESTUARY_TRY(const auto identifier, fields.octet_string());
    if (identifier.empty() || identifier.size() > octets_max)
        return malformed_recipient_info(fmt::format("key identifier of {} octets", identifier.size()));
    ESTUARY_CHECK(fields.element_if(Tag::generalized_time));
    ESTUARY_CHECK(fields.element_if(Tag::sequence));
    ESTUARY_CHECK(fields.finish("key identifier"));
    return identifier;
}

/// KeyAgreeRecipientIdentifier ::= CHOICE { issuerAndSerialNumber, rKeyId [0] IMPLICIT RecipientKeyIdentifier }
Result<Identifier> read_agreement_identifier(Reader& fields) {
    ESTUARY_TRY(const auto by_key, fields.enter_if(der::context_constructed(0)));
    if (!by_key) return read_issuer_and_serial(fields);
    ESTUARY_TRY(const auto identifier, read_key_identifier(*by_key));
    return Identifier::by_key(identifier);
}

/// OriginatorIdentifierOrKey ::= CHOICE { issuerAndSerialNumber, subjectKeyIdentifier [0],
///     originatorKey [1] OriginatorPublicKey { algorithm AlgorithmIdentifier, publicKey BIT STRING } }
/// False: a static key, which RFC 5753 does not use for ECDH.
Result<bool> read_originator(Reader originator, KeyAgreement& recipient) {
    ESTUARY_TRY(auto key, originator.enter_if(der::context_constructed(1)));
    if (!key) return false;
    ESTUARY_TRY(recipient.originator_algorithm, read_algorithm(*key));
    ESTUARY_TRY(recipient.originator_key, key->bit_string_octets());
    ESTUARY_CHECK(key->finish("OriginatorPublicKey"));
    ESTUARY_CHECK(originator.finish("originator"));
    return true;
}

/// KeyAgreeRecipientInfo ::= SEQUENCE { version 3, originator [0] EXPLICIT OriginatorIdentifierOrKey,
///     ukm [1] EXPLICIT OCTET STRING OPTIONAL, keyEncryptionAlgorithm, recipientEncryptedKeys SEQUENCE OF { rid, encryptedKey } }
Result<void> read_key_agreement(Reader fields, std::size_t count_max, std::vector<Recipient>& recipients) {
    KeyAgreement common;
    ESTUARY_CHECK(expect_version(fields, 3));
    ESTUARY_TRY(const auto originator, fields.enter(der::context_constructed(0)));
    ESTUARY_TRY(const bool ephemeral, read_originator(originator, common));
    ESTUARY_TRY(auto ukm, fields.enter_if(der::context_constructed(1)));
    if (ukm) {
        ESTUARY_TRY(common.ukm, ukm->octet_string());
        ESTUARY_CHECK(ukm->finish("ukm"));
    }
    ESTUARY_TRY(common.encryption, read_algorithm(fields));
    ESTUARY_TRY(auto keys, fields.enter(Tag::sequence));
    ESTUARY_CHECK(fields.finish("KeyAgreeRecipientInfo"));
    while (!keys.empty()) {
        if (recipients.size() == count_max) return fail(Code::too_large, fmt::format("more than {} recipients", count_max));
        ESTUARY_TRY(auto one, keys.enter(Tag::sequence));
        auto recipient = common;
        ESTUARY_TRY(recipient.recipient, read_agreement_identifier(one));
        ESTUARY_TRY(recipient.encrypted_key, one.octet_string());
        ESTUARY_CHECK(one.finish("RecipientEncryptedKey"));
        recipients.push_back(ephemeral ? Recipient{std::move(recipient)} : Recipient{UnknownRecipient{}});
    }
    return {};
}

/// KEKRecipientInfo ::= SEQUENCE { version 4, kekid KEKIdentifier, keyEncryptionAlgorithm, encryptedKey }
Result<Recipient> read_shared_key(Reader fields) {
    SharedKeyWrap recipient;
    ESTUARY_CHECK(expect_version(fields, 4));
    ESTUARY_TRY(const auto identifier, fields.enter(Tag::sequence));
    ESTUARY_TRY(recipient.key_identifier, read_key_identifier(identifier));
    ESTUARY_TRY(recipient.encryption, read_algorithm(fields));
    ESTUARY_TRY(recipient.encrypted_key, fields.octet_string());
    ESTUARY_CHECK(fields.finish("KEKRecipientInfo"));
    return recipient;
}

/// PasswordRecipientInfo ::= SEQUENCE { version 0, keyDerivationAlgorithm [0] IMPLICIT OPTIONAL, keyEncryptionAlgorithm,
/// encryptedKey }
Result<Recipient> read_password(Reader fields) {
    PasswordWrap recipient;
    ESTUARY_CHECK(expect_version(fields, 0));
    if (fields.next_is(der::context_constructed(0))) {
        ESTUARY_TRY(recipient.derivation, read_algorithm(fields, der::context_constructed(0)));
    }
    ESTUARY_TRY(recipient.encryption, read_algorithm(fields));
    ESTUARY_TRY(recipient.encrypted_key, fields.octet_string());
    ESTUARY_CHECK(fields.finish("PasswordRecipientInfo"));
    return recipient;
}

/// KEMRecipientInfo ::= SEQUENCE { version 0, rid RecipientIdentifier, kem, kemct OCTET STRING, kdf, kekLength INTEGER
/// (1..65535),
///     ukm [0] EXPLICIT OCTET STRING OPTIONAL, wrap, encryptedKey }   -- RFC 9629 3
Result<Recipient> read_encapsulation(Reader fields) {
    KeyEncapsulation recipient;
    ESTUARY_CHECK(expect_version(fields, 0));
    ESTUARY_TRY(recipient.recipient, Identifier::read(fields));
    ESTUARY_TRY(recipient.kem, read_algorithm(fields));
    ESTUARY_TRY(recipient.ciphertext, fields.octet_string());
    ESTUARY_TRY(recipient.derivation, read_algorithm(fields));
    ESTUARY_TRY(const auto length, fields.integer());
    if (length < 1 || length > 65535) return malformed_recipient_info(fmt::format("kekLength {}", length));
    recipient.kek_octets = static_cast<std::size_t>(length);
    ESTUARY_TRY(auto ukm, fields.enter_if(der::context_constructed(0)));
    if (ukm) {
        ESTUARY_TRY(recipient.ukm, ukm->octet_string());
        ESTUARY_CHECK(ukm->finish("ukm"));
    }
    ESTUARY_TRY(recipient.wrap, read_algorithm(fields));
    ESTUARY_TRY(recipient.encrypted_key, fields.octet_string());
    ESTUARY_CHECK(fields.finish("KEMRecipientInfo"));
    return recipient;
}

/// OtherRecipientInfo ::= SEQUENCE { oriType OBJECT IDENTIFIER, oriValue ANY DEFINED BY oriType }
Result<Recipient> read_other(Reader fields) {
    ESTUARY_TRY(const auto type, fields.oid());
    if (type != oid::ori_kem) return UnknownRecipient{};
    ESTUARY_TRY(const auto value, fields.enter(Tag::sequence));
    ESTUARY_CHECK(fields.finish("OtherRecipientInfo"));
    return read_encapsulation(value);
}

}  // namespace

Result<std::vector<Recipient>> read_recipients(Reader set, const Limits& limits) {
    std::vector<Recipient> recipients;
    if (set.empty()) return malformed_recipient_info("there is none");
    while (!set.empty()) {
        if (recipients.size() >= limits.recipients_max)
            return fail(Code::too_large, fmt::format("more than {} recipients", limits.recipients_max));
        const auto tag = *set.peek();
        if (tag != Tag::sequence && (tag < der::context_constructed(1) || tag > der::context_constructed(4)))
            return malformed_recipient_info("of a kind that RFC 5652 does not have");
        ESTUARY_TRY(const auto fields, set.enter(tag));
        if (tag == der::context_constructed(1)) {
            ESTUARY_CHECK(read_key_agreement(fields, limits.recipients_max, recipients));
            continue;
        }
        ESTUARY_TRY(auto recipient, tag == Tag::sequence               ? read_key_transport(fields)
                                    : tag == der::context_constructed(2) ? read_shared_key(fields)
                                    : tag == der::context_constructed(3) ? read_password(fields)
                                                                         : read_other(fields));
        recipients.push_back(std::move(recipient));
    }
    return recipients;
}

}  // namespace estuary::cms
