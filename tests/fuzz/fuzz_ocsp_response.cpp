// OCSP responses: what is read is written back octet for octet, unless it spells out the version that DER leaves out.
#include <cstdlib>

#include "estuary/base/file.h"
#include "estuary/ocsp/verify.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

x509::Certificate load(const std::string& name) {
    const auto der = file::read(std::string{ESTUARY_SOURCE_DIR} + "/tests/data/x509/" + name + ".der").value();
    return x509::Certificate::parse(der).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto device = load("device"), issuing = load("issuing");
    const Bytes input{data, size};
    // No input is a believable answer: the issuing CA's key is nowhere.
    check(!ocsp::verify(device, issuing, input, std::nullopt, {.now = device.not_before() + Seconds{86'400}}));
    const auto response = ocsp::Response::parse(input);
    if (!response) return 0;
    if (!response->basic) {
        check(same(ocsp::encode_error(response->status), input));
        return 0;
    }
    const auto& basic = *response->basic;
    std::vector<Bytes> certificates(basic.certificates.begin(), basic.certificates.end());
    const auto certs = ocsp::encode_certificates(certificates);
    const auto again = ocsp::encode_response(basic.tbs, basic.signature_algorithm, basic.signature, certs);
    if (!certs.empty()) check(same(again, input));  // an empty certs [0] is not written
    der::Reader inside{basic.tbs};
    const bool spelled = inside.enter(der::Tag::sequence).value().next_is(der::context_constructed(0));
    if (!spelled) check(ocsp::encode_response_data(basic.data) == basic.tbs);
    return 0;
}
