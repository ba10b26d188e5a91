#pragma once
// EnvelopedData (RFC 5652 6) and AuthEnvelopedData (RFC 5083): read, opened, and made.
#include <memory>

#include "estuary/cms/attribute.h"
#include "estuary/cms/content_cipher.h"
#include "estuary/cms/recipient.h"

namespace estuary::cms {

/// Who opens with a private key: the recipient that names the certificate, or has the key identifier.
struct KeyHolder {
    crypto::PrivateKey key;
    std::optional<x509::Certificate> certificate = {};
    ByteVec key_identifier = {};  ///< beside, or in place of, the certificate's
    std::optional<Identifier> other_name = {};  ///< of a key without a certificate, as both sides agreed (RFC 5272 6.7)
};

/// A key-encryption key that both sides have (RFC 7030 4.4.1.1): 16, 24 or 32 octets.
struct SharedKey {
    ByteVec identifier;
    crypto::Secret key;
};

struct OpenOptions {
    bool triple_des = false;  ///< content of old peers in DES-EDE3-CBC
    std::size_t iterations_max = Limits{}.iterations_max;
};

/// A parsed EnvelopedData or AuthEnvelopedData: owns its DER. Copies share.
///
/// Opening answers everything that depends on a secret with one error, bad_proof with one text, after the same work: a wrong
/// key, wrong padding of key or content, a wrong tag (bug class 17). In place of a key that does not unwrap, content is
/// decrypted with another. Of several recipients the one that is named is opened, and never a second one tried. What is wrong
/// with the message for everybody to see is said: malformed, unsupported, too_large, and not_found for no such recipient.
/// CBC does not protect the content: unless there is a signature inside, callers must answer anything wrong with the content
/// just as they answer bad_proof.
class EnvelopedData {
public:
    /// A ContentInfo in strict DER (for BER see to_der; encryptedContent in pieces as that leaves it is read). The content
    /// must be there; CBC for EnvelopedData, GCM for AuthEnvelopedData. malformed, too_large, unsupported.
    static Result<EnvelopedData> parse(Bytes content_info, const Limits& limits = {});

    bool authenticated() const noexcept;            ///< AuthEnvelopedData
    const der::Oid& content_type() const noexcept;  ///< of what is inside
    const ContentCipher& cipher() const noexcept;
    const std::vector<Recipient>& recipients() const noexcept;
    /// unprotectedAttrs: anybody may have put them there. Empty: none. malformed, too_large.
    Result<Attributes> unprotected_attributes(const Limits& limits = {}) const;

    Result<crypto::Secret> open(const KeyHolder& holder, const OpenOptions& options = {}) const;
    Result<crypto::Secret> open(const SharedKey& shared, const OpenOptions& options = {}) const;
    Result<crypto::Secret> open_with_password(const crypto::Secret& password, const OpenOptions& options = {}) const;

private:
    struct Fields;
    Result<crypto::Secret> open_content(Result<crypto::Secret> content_key) const;
    std::shared_ptr<const Fields> fields_;
};

/// Makes an EnvelopedData, or with a GCM cipher an AuthEnvelopedData. Content stays the caller's and must outlive build().
class EnvelopedDataBuilder {
public:
    EnvelopedDataBuilder(const der::Oid& content_type, Bytes content) : content_type_{content_type}, content_{content} {}

    /// "AES-128-CBC", "AES-256-CBC" (what it is otherwise), "AES-256-GCM", …
    EnvelopedDataBuilder& cipher(std::string_view name);
    /// By the key of a certificate, named by issuer and serial number: RSA gets ktri, EC, X25519 and X448 kari, ML-KEM an ori.
    EnvelopedDataBuilder& recipient(const x509::Certificate& certificate, RsaPadding padding = RsaPadding::pkcs1);
    /// The same by a bare key, named as given.
    EnvelopedDataBuilder& recipient(const crypto::PublicKey& key, const Identifier& identifier,
                                    RsaPadding padding = RsaPadding::pkcs1);
    EnvelopedDataBuilder& recipient(const SharedKey& shared);
    EnvelopedDataBuilder& password(const crypto::Secret& password, std::uint64_t iterations = 100'000);
    EnvelopedDataBuilder& unprotected(Attribute attribute);

    /// ContentInfo in DER. bad_key: a key that cannot receive, or a certificate whose keyUsage does not allow it;
    /// unsupported: no such cipher to write; malformed: no recipient.
    Result<ByteVec> build() const;

private:
    struct ByKey {
        Result<crypto::PublicKey> key;
        Identifier identifier;
        RsaPadding padding{};
        std::optional<std::uint32_t> key_usage = {};
    };
    struct ByPassword {
        crypto::Secret password;
        std::uint64_t iterations = 0;
    };
    using Addressee = std::variant<ByKey, SharedKey, ByPassword>;
    static Result<ByteVec> make(const ByKey& to, Bytes content_key);
    static Result<ByteVec> make(const SharedKey& to, Bytes content_key);
    static Result<ByteVec> make(const ByPassword& to, Bytes content_key);

    der::Oid content_type_;
    Bytes content_;
    std::string cipher_ = "AES-256-CBC";
    std::vector<Addressee> recipients_;
    Attributes unprotected_;
};

}  // namespace estuary::cms
