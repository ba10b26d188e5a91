#pragma once
// The edge to OpenSSL, for the rooms that may include its headers: owners, the error queue, algorithms fetched once.
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "estuary/base/bytes.h"
#include "estuary/base/handle.h"
#include "estuary/base/result.h"
#include "estuary/crypto/algorithms.h"

namespace estuary::crypto::openssl {

using Pkey = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = Handle<BIO, BIO_free_all>;

/// Empties this thread's error queue: leavings of an earlier call never end up in our errors.
void clear_errors() noexcept;
/// What the queue says, oldest first, "; " between; empties it.
std::string drain_errors();

/// The digest by OpenSSL name, fetched once per process; null where the library lacks it. Lives for ever.
const EVP_MD* digest_by_name(std::string_view name);

/// Digests with a context that this thread keeps; `out` has room for EVP_MAX_MD_SIZE. False: see drain_errors().
bool digest_into(const EVP_MD* md, Bytes data, std::uint8_t* out);

/// An EC key of the named group without a point, to copy parameters from; null where the library lacks the group.
/// `type` is one of key_types(). Lives for ever.
const EVP_PKEY* group_template(const KeyType& type);

/// The key type of a SubjectPublicKeyInfo algorithm; null for an unknown one, also where only the library lacks it.
const KeyType* key_type_by_oid(const der::Oid& algorithm, const der::Oid& curve);
/// Whether we know this algorithm by name, though the library may lack it; the name, or empty.
std::string_view known_key_name(const der::Oid& algorithm, const der::Oid& curve);

}  // namespace estuary::crypto::openssl
