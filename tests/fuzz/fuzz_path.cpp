// Path validation without OpenSSL: what is accepted, OpenSSL accepts, and by the same path. The input is the TBSCertificate of a
// device; an issuer that OpenSSL has accepted before signs it, so that nothing but its octets can tell it from a good one.
#include <algorithm>
#include <cstdlib>

#include "estuary/x509/plain_path.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

constexpr Time now{Seconds{1'795'233'600}};  // 2026-11-21, when the seeds of the corpus were made
constexpr Seconds year{365 * 86'400};

struct Party {
    x509::Certificate certificate;
    crypto::PrivateKey key;
};

ByteVec sign(const crypto::PrivateKey& key, Bytes tbs) {
    return x509::encode_certificate(tbs, key.signature_algorithm().value()->identifier, key.sign(tbs).value());
}

/// The seeds name their issuer's key by the identifier 11…11, whatever the key of this run is.
constexpr std::uint8_t root_mark = 0x22, issuing_mark = 0x11;

x509::TbsCertificate tbs_of(std::string_view subject, const crypto::PrivateKey& key, std::string_view issuer, std::uint8_t issuer_mark) {
    x509::TbsCertificate tbs;
    tbs.serial_number = {1};
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    tbs.issuer = x509::Name::from_text(issuer).value();
    tbs.not_before = now - year;
    tbs.not_after = now + year;
    tbs.subject = x509::Name::from_text(subject).value();
    tbs.spki = to_vec(key.public_key().spki());
    tbs.extensions = {x509::make_authority_key_identifier(ByteVec(20, issuer_mark))};
    return tbs;
}

Party make_ca(std::string_view subject, std::uint8_t mark, const Party* issuer) {
    const auto key = crypto::PrivateKey::generate("p256").value();
    auto tbs = tbs_of(subject, key, issuer == nullptr ? subject : "CN=Root", root_mark);
    tbs.extensions.push_back(x509::make_basic_constraints({true, {}}));
    tbs.extensions.push_back(x509::make_key_usage(x509::key_cert_sign));
    tbs.extensions.push_back(x509::make_subject_key_identifier(ByteVec(20, mark)));
    const auto der = sign(issuer == nullptr ? key : issuer->key, x509::encode_tbs(tbs));
    return {x509::Certificate::parse(der).value(), key};
}

struct Maker {
    Party root = make_ca("CN=Root", root_mark, nullptr);
    Party issuing = make_ca("CN=Issuing", issuing_mark, &root);
    x509::PlainPaths paths{{root.certificate}};
    std::vector<x509::Certificate> between{issuing.certificate};

    Maker() {
        const auto key = crypto::PrivateKey::generate("p256").value();
        const auto der = sign(issuing.key, x509::encode_tbs(tbs_of("CN=device", key, "CN=Issuing", issuing_mark)));
        const auto path = ask(x509::Certificate::parse(der).value());
        paths.learn(path.value(), between, {.at = now});
        check(paths.size() == 1);
    }
    /// Anchors that are needed but once are OpenSSL's every time.
    Result<std::vector<x509::Certificate>> ask(const x509::Certificate& certificate) const {
        return x509::validate_path(certificate, between, {root.certificate}, {.at = now});
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Maker& maker = *new Maker;
    constexpr std::size_t tbs_bytes_max = 64 * 1024;
    if (size > tbs_bytes_max) return 0;
    const auto certificate = x509::Certificate::parse(sign(maker.issuing.key, Bytes{data, size}));
    if (!certificate) return 0;
    const auto plain = maker.paths.find(*certificate, maker.between, {.at = now});
    if (!plain) return 0;
    const auto path = maker.ask(*certificate);
    check(path.has_value() && *path == *plain);
    return 0;
}
