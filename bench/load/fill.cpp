// Fills a database with certificates, so that the cost of an enrollment, or of a CRL, can be measured with a million of them in place.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "estuary/crypto/digest.h"
#include "estuary/store/store.h"

namespace {

using namespace estuary;

constexpr std::size_t certificates_per_unit = 500;
constexpr std::size_t der_octets = 620;   // a P-256 certificate with eight extensions

store::CertificateRecord record_of(std::int64_t number, Time issued_at, const std::string& ca, bool revoked) {
    store::CertificateRecord record;
    record.ca = ca;
    record.serial_number.resize(20);
    crypto::random(record.serial_number);
    const auto clock = static_cast<std::uint32_t>(issued_at.time_since_epoch().count() >> 1);
    for (unsigned i = 0; i < 4; ++i) record.serial_number[i] = static_cast<std::uint8_t>(clock >> (24 - 8 * i));
    record.der.resize(der_octets);
    crypto::random(record.der);
    record.subject = "CN=filled-" + std::to_string(number);
    record.not_before = issued_at;
    record.not_after = issued_at + Seconds{90 * 86400};
    record.profile = "device";
    record.requester = "credential:load";
    record.issued_at = issued_at;
    if (revoked) record.revocation = store::Revocation{issued_at, store::RevocationReason::superseded, {}};
    return record;
}

}  // namespace

int main(int argc, char** argv) {
    const bool revoked = argc == 5 && std::string_view{argv[4]} == "revoked";
    if (argc != 4 && !revoked) {
        std::fprintf(stderr, "usage: %s DATABASE COUNT CA [revoked]\n", argv[0]);
        return 2;
    }
    auto opened = store::open_sqlite(argv[1]);
    if (!opened) {
        std::fprintf(stderr, "fill: %s\n", opened.error().detail.c_str());
        return 1;
    }
    const auto count = std::strtoll(argv[2], nullptr, 10);
    // One a second, up to now: serial numbers in order, as years of service would leave them.
    const Time start = Time{Seconds{std::time(nullptr)}} - Seconds{count};
    store::UnitOfWork work;
    for (std::int64_t i = 0; i < count; ++i) {
        store::RequestKey key{};
        crypto::random(key);
        work.writes.emplace_back(store::InsertCertificate{record_of(i, start + Seconds{i}, argv[3], revoked), key});
        if (work.writes.size() < certificates_per_unit && i + 1 < count) continue;
        if (const auto done = (*opened)->commit(std::move(work)); !done) {
            std::fprintf(stderr, "fill: %s\n", done.error().detail.c_str());
            return 1;
        }
        work = {};
    }
    return 0;
}
