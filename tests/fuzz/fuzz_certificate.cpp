// Certificates: what is accepted is written back octet for octet, as far as we write such certificates at all.
#include <cstdlib>

#include "estuary/x509/certificate.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

/// What TbsCertificate cannot say: other versions, unique identifiers, odd serial numbers, times of the other kind.
bool can_be_written(const x509::Certificate& certificate) {
    for (const auto& finding : x509::lint_tbs(certificate.tbs(), nullptr))
        for (const auto* part : {"version", "unique_ids", "serial", "time_kind"})
            if (finding.rule.find(part) != std::string::npos) return false;
    return !certificate.extensions().empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto certificate = x509::Certificate::parse(input);
    if (!certificate) return 0;
    check(same(certificate->der(), input));
    check(
        same(x509::encode_certificate(certificate->tbs(), certificate->signature_algorithm(), certificate->signature()), input));
    if (can_be_written(*certificate))
        check(same(x509::encode_tbs({to_vec(certificate->serial_number()), to_vec(certificate->signature_algorithm()),
                                     certificate->issuer(), certificate->not_before(), certificate->not_after(),
                                     certificate->subject(), to_vec(certificate->spki()), certificate->extensions()}),
                   certificate->tbs()));
    const auto pem = certificate->to_pem();
    const auto again = x509::Certificate::from_bytes(as_bytes(pem));
    check(again && *again == *certificate);
    (void)certificate->subject_alt_names();
    check(!certificate->serial_hex().empty());
    return 0;
}
