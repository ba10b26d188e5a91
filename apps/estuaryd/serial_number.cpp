#include "apps/estuaryd/serial_number.h"

#include <fmt/format.h>

#include "apps/estuaryd/table.h"
#include "estuary/base/encoding.h"

namespace estuary::daemon {

Result<ByteVec> read_serial(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    auto octets = from_hex(text.size() % 2 == 0 || text.find(':') != std::string_view::npos ? std::string{text} : "0" + std::string{text});
    if (!octets || octets->empty() || octets->size() > 32)
        return fail(Code::malformed, fmt::format("'{}' is not a serial number in hexadecimal", shown(text)));
    while (octets->size() > 1 && octets->front() == 0) octets->erase(octets->begin());  // as records keep it
    return std::move(*octets);
}

Result<store::CertificateRecord> find_certificate(store::Store& store, std::string_view serial, const std::string& ca) {
    store::CertificateFilter filter;
    ESTUARY_TRY(filter.serial_number, read_serial(serial));
    filter.ca = ca;
    ESTUARY_TRY(auto records, store.certificates(filter));
    if (records.empty()) return fail(Code::not_found, fmt::format("there is no certificate {}", shown(serial)));
    if (records.size() > 1) return fail(Code::conflict, "several CAs have issued that serial number; name one by --ca");
    return std::move(records.front());
}

}  // namespace estuary::daemon
