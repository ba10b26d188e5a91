#pragma once
// What is around a PKIData or a PKIResponse (RFC 10002 3.2, 4.2, 5): signatures and encryption, taken off and put on.
#include "estuary/cmc/messages.h"
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/signed_data.h"

namespace estuary::cmc {

/// A message taken out of its layers.
struct Unwrapped {
    /// The innermost SignedData, in which the PKIData or PKIResponse is; certs-only if that is all.
    cms::SignedData signed_data;
    /// Signatures around an envelope (option 2 of RFC 10002 5), outermost first.
    std::vector<cms::SignedData> outer;
    bool encrypted = false;
};

constexpr unsigned layers_max = 4;  ///< SignedData, EnvelopedData, SignedData, and one to spare

/// Takes a message apart down to the innermost SignedData. In BER or DER. An envelope is opened by whichever of `keys` it is
/// addressed to. Nothing is verified here. malformed, too_large, unsupported; bad_proof with one text for all that can be wrong
/// with an envelope and what is in it, for CBC does not protect it (bug class 17).
Result<Unwrapped> unwrap(Bytes message, const std::vector<cms::KeyHolder>& keys, const Limits& limits = {});
/// That one text; the cause is for the log.
tl::unexpected<Error> not_decrypted(std::string cause);

/// Around a finished SignedData: an EnvelopedData, or AuthEnvelopedData with a cipher in GCM, for these certificates.
Result<ByteVec> encrypt(Bytes signed_data, const std::vector<x509::Certificate>& recipients,
                        std::string_view cipher = "AES-256-CBC");

/// Whether these octets are a PKCS #10 request and no ContentInfo: a simple PKI request (RFC 10002 3.1).
bool is_simple_request(Bytes message) noexcept;

/// What certificates may be in one message: those of a batch.
cms::Limits cms_limits(const Limits& limits);

/// Whether a signer has id-alg-noSignature (C.1), which proves nothing.
bool has_no_signature(const cms::SignerInfo& signer) noexcept;

/// Verifies by the key that is given; with id-alg-noSignature never. bad_proof, unsupported, bad_key, malformed.
Result<void> verify(const cms::SignedData& data, const cms::SignerInfo& signer, const crypto::PublicKey& key);

/// A SignedData whose signer, by that key identifier, has a key that does not sign: with id-alg-noSignature (C.1).
Result<ByteVec> sign_without_key(const der::Oid& content_type, Bytes content, Bytes key_identifier);

/// Who signs messages of CMC, and the certificates that go along.
struct MessageSigner {
    cms::Signer signer;
    std::vector<Bytes> certificates = {};
};
/// A SignedData of this content type; without a signer it is unsigned.
Result<ByteVec> sign(const der::Oid& content_type, Bytes content, const MessageSigner* signer,
                     const std::vector<Bytes>& certificates = {}, const std::vector<Bytes>& crls = {});

}  // namespace estuary::cmc
