#include "estuary/authority/principal.h"

#include <fmt/format.h>

#include "estuary/base/text.h"

namespace estuary::authority {
namespace {

std::string describe(const CertificateProof& proof) {
    const auto serial = proof.certificate.serial_hex();
    if (!proof.issued_by_ca.empty()) return fmt::format("certificate:{}/{}", proof.issued_by_ca, serial);
    return fmt::format("manufacturer:{}/{}", proof.manufacturer, serial);
}

}  // namespace

std::string Principal::describe() const {
    if (operator_) return "operator";
    std::string text;
    if (certificate) text = authority::describe(*certificate);
    if (credential) {
        if (!text.empty()) text += '+';
        text += "credential:" + text::printable(credential->name);
    }
    if (text.empty() && passphrase) return "passphrase of " + passphrase->holder;
    return text.empty() ? "anonymous" : text;
}

}  // namespace estuary::authority
