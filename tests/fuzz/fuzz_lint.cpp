// The lint: every finding names a rule of the table, and what passes makes a certificate that we can read ourselves.
#include <algorithm>
#include <cstdlib>

#include "estuary/base/file.h"
#include "estuary/x509/certificate.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

const x509::Certificate& issuer() {
    static const auto certificate =
        x509::Certificate::parse(file::read(ESTUARY_SOURCE_DIR "/tests/data/x509/issuing.der").value()).value();
    return certificate;
}

/// The AlgorithmIdentifier behind the serial number.
Result<Bytes> algorithm_in(Bytes tbs) {
    ESTUARY_TRY(auto reader, der::enter_only(tbs, der::Tag::sequence, "TBSCertificate"));
    ESTUARY_CHECK(reader.skip());
    ESTUARY_CHECK(reader.skip());
    ESTUARY_TRY(const auto algorithm, reader.element(der::Tag::sequence));
    return algorithm.whole;
}

void lint(Bytes tbs, const x509::Certificate* by) {
    static const auto names = x509::lint_rule_names();
    const auto findings = x509::lint_tbs(tbs, by);
    for (const auto& finding : findings) {
        check(std::ranges::find(names, finding.rule) != names.end());
        check(!finding.message.empty());
    }
    constexpr std::size_t room_for_the_rest = 1024;
    if (!findings.empty() || tbs.size() > 256 * 1024 - room_for_the_rest) return;
    const auto algorithm = algorithm_in(tbs);
    check(algorithm.has_value());
    const auto certificate = x509::Certificate::parse(x509::encode_certificate(tbs, *algorithm, {}));
    check(certificate && certificate->subject_alt_names());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    lint({data, size}, nullptr);
    lint({data, size}, &issuer());
    return 0;
}
