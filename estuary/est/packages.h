#pragma once
// Packages and the receipts for them (RFC 8295): what their outer layers say, and whether their signatures are to be believed.
// What a package means is its reader's business.
#include "estuary/est/keygen.h"
#include "estuary/est/pal.h"
#include "estuary/x509/crl.h"

namespace estuary::est {

inline constexpr std::string_view media_cms = "application/cms";
inline constexpr std::string_view media_pkcs12 = "application/pkcs12";
inline constexpr std::string_view media_tamp_error = "application/tamp-error";

/// In base64 it stays within what clients read at once (net::ClientOptions::body_bytes_max).
inline constexpr std::size_t package_octets_max = 4u << 20;
/// RFC 7191's receipts and errors have some hundred octets; a TAMP status response names every trust anchor.
inline constexpr std::size_t receipt_octets_max = 64u << 10;

/// The layers of a CMS object that can be seen from outside.
struct Layers {
    std::vector<std::string> names;   ///< "signedData", "envelopedData" …, outermost first (RFC 7193 5)
    std::string content;              ///< innermost type that is named: "firmwarePackage", or a dotted OID
    bool encrypted = false;           ///< one of the layers is
    bool signed_ = false;             ///< one of the layers that are not encrypted has a signer

    /// "signedData > envelopedData > symmetricKeyPackage", for people.
    std::string describe() const;
};
/// A ContentInfo in strict DER; each layer is read as far as its type is known here. malformed, too_large.
Result<Layers> read_layers(Bytes der);
/// application/cms with encapsulatingContent and innerContent (RFC 7193 5).
std::string cms_media_type(const Layers& layers);

struct CheckedPackage {
    std::string media_type;           ///< Content-Type of the answer that carries it
    Layers layers;
    bool encrypted = false;           ///< keys in it cannot be read without a secret
    bool holds_keys = false;          ///< symmetric or private ones: they should be encrypted
};
/// Whether these octets are of the kind that a type stands for, as far as can be seen from outside (RFC 8295 3.2 to 8.3.2).
/// malformed, too_large; unsupported: a type that is not kept as a package.
Result<CheckedPackage> check_package(const PalType& type, Bytes der);

struct CheckedReceipt {
    Layers layers;
    std::vector<std::string> package_types;   ///< that it can be for
};
/// What a client returns (RFC 8295 5.2.1, 6.2.1, 7.2.1, 8.2). `content_type`: the field as it came. malformed, too_large;
/// unsupported: another media type, or something else than this operation takes; bad_proof: a receipt that has to be signed
/// and is not.
Result<CheckedReceipt> check_receipt(Operation operation, std::string_view content_type, Bytes der);
/// The Content-Type under which these octets are returned; the same errors.
Result<std::string> receipt_media_type(Operation operation, Bytes der);

/// A bare receipt or error, signed by its maker with the chain beside the signature (RFC 7191 wants receipts so). malformed;
/// bad_key: the key does not sign.
Result<ByteVec> sign_receipt(Bytes der, const crypto::PrivateKey& key, const std::vector<x509::Certificate>& chain);

/// Whom a client believes.
struct Believed {
    std::vector<x509::Certificate> anchors, others;   ///< others: CA certificates that may stand in between
    Time now{};
};
struct Verified {
    std::vector<std::string> signers;   ///< their subjects, outermost first; empty: nothing is signed
    bool hidden = false;                ///< something is encrypted for somebody else: what is inside was not seen
};
/// Verifies every signature, each by a certificate with a path to an anchor, or by an anchor's own (RFC 8295 5.1.2, 6.1.2, 7.1.2,
/// 8.1); also those inside of what `opener` opens. bad_proof, not_authenticated.
Result<Verified> verify_package(Bytes der, const Believed& believed, const KeyOpener& opener = {});
/// The certificates of a certs-only message; each must have a path to an anchor (RFC 8295 3.2).
Result<std::vector<x509::Certificate>> verify_peers(Bytes der, const Believed& believed);
/// The lists of a crls-only message; each must be signed by an anchor, or by a CA with a path to one, and be current (RFC 8295
/// 4.2).
Result<std::vector<x509::RevocationList>> verify_crls(Bytes der, const Believed& believed);

}  // namespace estuary::est
