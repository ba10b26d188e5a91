#pragma once
// Shared by the tests of CRLs: an issuer, certificates of it, lists signed and lists in parts, and OpenSSL as an oracle.
#include <memory>

#include <openssl/x509v3.h>

#include "estuary/x509/crl_encoder.h"
#include "support.h"

namespace estuary::test {

inline Time at(std::string_view text) { return parse_iso8601(text).value(); }

/// A list of tests/data/crl.
inline x509::RevocationList load_list(const std::string& name) {
    return x509::RevocationList::parse(data_file("crl/" + name + ".der")).value();
}
inline x509::DistributionPointName uri_name(std::string_view uri) { return {{general_name("uri:" + std::string{uri})}, {}}; }

inline const crypto::PrivateKey& crl_key() {
    static const auto key = crypto::PrivateKey::generate("p256").value();
    return key;
}

inline ByteVec crl_key_id() { return x509::key_identifier(crl_key().public_key().spki()).value(); }

/// A certificate with any signature: what CRLs are held against.
inline x509::Certificate unsigned_certificate(std::string_view subject, Bytes serial, std::vector<x509::Extension> extensions,
                                              std::string_view issuer = "CN=issuer", Time not_after = at("2060-01-01")) {
    const auto& algorithm = crl_key().signature_algorithm().value()->identifier;
    const auto tbs = x509::encode_tbs({to_vec(serial), to_vec(algorithm), name(issuer), at("2026-01-01"), not_after,
                                       name(subject), to_vec(crl_key().public_key().spki()), std::move(extensions)});
    return x509::Certificate::parse(x509::encode_certificate(tbs, algorithm, hex("00"))).value();
}

/// The issuer of the lists below: CN=issuer, cRLSign, the key of crl_key().
inline x509::Certificate crl_issuer(std::uint32_t usage = x509::key_cert_sign | x509::crl_sign) {
    return unsigned_certificate("CN=issuer", hex("01"),
                                {x509::make_basic_constraints({.ca = true, .path_length = {}}), x509::make_key_usage(usage),
                                 x509::make_subject_key_identifier(crl_key_id())});
}

inline x509::CrlTemplate crl_template(std::uint64_t number = 5) {
    return {.issuer = name("CN=issuer"),
            .signature_algorithm = to_vec(crl_key().signature_algorithm().value()->identifier),
            .this_update = at("2026-06-01"),
            .next_update = at("2026-06-08"),
            .number = x509::CrlNumber{number},
            .authority_key_id = crl_key_id(),
            .delta_base = {},
            .scope = {},
            .freshest_crl_uris = {}};
}

inline ByteVec signed_list(x509::CrlEncoder encoder) {
    auto list = std::move(encoder).finish();
    const auto signature = crl_key().sign(list.tbs()).value();
    return std::move(list).assemble(signature);
}

struct Revoked {
    std::string serial;  ///< hexadecimal
    x509::CrlReason reason = x509::CrlReason::unspecified;
};
inline x509::RevocationList list_of(x509::CrlTemplate wanted, const std::vector<Revoked>& revoked) {
    x509::CrlEncoder encoder{std::move(wanted)};
    for (const auto& [serial, reason] : revoked)
        if (auto added = encoder.add(hex(serial), at("2026-05-01"), reason); !added) throw std::logic_error{added.error().detail};
    return x509::RevocationList::parse(signed_list(std::move(encoder))).value();
}

inline ByteVec join(const std::vector<ByteVec>& parts) {
    ByteVec out;
    for (const auto& part : parts) append(out, part);
    return out;
}
inline ByteVec sequence(const std::vector<ByteVec>& parts) { return tlv(der::Tag::sequence, join(parts)); }
inline ByteVec extensions(const std::vector<x509::Extension>& list) {
    der::Writer writer;
    x509::write_extensions(writer, list);
    return std::move(writer).take();
}
inline ByteVec time_of(std::string_view text) {
    der::Writer writer;
    writer.time(at(text));
    return std::move(writer).take();
}

/// A CertificateList in parts, any of which can be spoilt; its signature is nonsense.
struct CrlDraft {
    ByteVec version = hex("020101");
    ByteVec algorithm = hex("300a06082a8648ce3d040302");
    ByteVec issuer = to_vec(name("CN=issuer").der());
    ByteVec this_update = time_of("2026-06-01");
    ByteVec next_update = time_of("2026-06-08");
    ByteVec revoked;  ///< whole revokedCertificates
    std::vector<x509::Extension> crl_extensions{x509::make_authority_key_identifier(crl_key_id()),
                                                x509::make_crl_number(x509::CrlNumber{5})};
    ByteVec outer_algorithm = algorithm;

    /// An entry of that serial number and these extensions.
    static ByteVec entry(std::string_view serial, const std::vector<x509::Extension>& list = {}) {
        return sequence(
            {tlv(der::Tag::integer, hex(serial)), time_of("2026-05-01"), list.empty() ? ByteVec{} : extensions(list)});
    }
    CrlDraft& set_entries(const std::vector<ByteVec>& entries) {
        revoked = sequence(entries);
        return *this;
    }
    CrlDraft& set(x509::Extension extension) {
        remove(extension.id);
        crl_extensions.push_back(std::move(extension));
        return *this;
    }
    CrlDraft& remove(const der::Oid& id) {
        std::erase_if(crl_extensions, [&](const auto& extension) { return extension.id == id; });
        return *this;
    }
    ByteVec tbs() const {
        const auto last = crl_extensions.empty() ? ByteVec{} : tlv(der::context_constructed(0), extensions(crl_extensions));
        return sequence({version, algorithm, issuer, this_update, next_update, revoked, last});
    }
    ByteVec encode() const { return sequence({tbs(), outer_algorithm, hex("03020000")}); }
    Result<x509::RevocationList> parse() const { return x509::RevocationList::parse(encode()); }
};

/// What OpenSSL makes of the octets; null if it cannot read them, or not all of them.
using OpensslCrl = std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)>;
inline OpensslCrl openssl_crl(Bytes der) {
    const auto* at = der.data();
    OpensslCrl crl{d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())), &X509_CRL_free};
    if (at != der.data() + der.size()) crl.reset();
    return crl;
}

}  // namespace estuary::test
