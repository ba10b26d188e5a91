#pragma once
// What the tests of the store share: a directory that goes away, records to store, and a short way to commit them.
#include <filesystem>
#include <string>

#include <stdlib.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "estuary/store/store.h"

namespace estuary::store {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        auto pattern = (std::filesystem::temp_directory_path() / "estuary-store-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline constexpr Time noon{Seconds{1'900'000'000}};
inline constexpr Seconds day{86'400};

/// 20 octets that tell `number`.
inline ByteVec serial(std::uint64_t number) {
    ByteVec octets(20, 0x11);
    for (unsigned i = 0; i < 8; ++i) octets[19 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return octets;
}

inline RequestKey key(std::uint8_t first, std::uint8_t rest = 0) {
    RequestKey octets;
    octets.fill(rest);
    octets[0] = first;
    return octets;
}

inline CertificateRecord certificate(std::uint64_t number) {
    CertificateRecord record;
    record.ca = "issuing";
    record.serial_number = serial(number);
    record.der = ByteVec(600, static_cast<std::uint8_t>(number));
    record.subject = fmt::format("CN=device-{}", number);
    record.subject_alt_names = fmt::format("dns:device-{}.example", number);
    record.not_before = noon;
    record.not_after = noon + 90 * day;
    record.profile = "device";
    record.label = "factory";
    record.requester = "credential:line-1";
    record.issued_at = noon;
    return record;
}

inline CredentialRecord credential(std::string name, std::optional<std::int64_t> uses_left = std::nullopt) {
    CredentialRecord record;
    record.name = std::move(name);
    record.password_hash = "$scrypt$ln=14,r=8,p=1$c2FsdA$aGFzaA";
    record.uses_left = uses_left;
    record.created_at = noon;
    return record;
}

inline PendingRequest pending(RequestKey request_key) {
    PendingRequest record;
    record.key = request_key;
    record.request = {0x30, 0x00};
    record.operation = "enroll";
    record.profile = "device";
    record.label = "factory";
    record.requester = "credential:line-1";
    record.subject = "CN=device";
    record.subject_alt_names = "dns:device.example";
    record.created_at = noon;
    record.expires_at = noon + 7 * day;
    return record;
}

inline AuditEvent event(std::string object) {
    return {0, noon, "certificate.issued", "credential:line-1", std::move(object), "ok", "detail"};
}

template <class... Writes>
UnitOfWork unit(Writes... writes) {
    UnitOfWork work;
    (work.writes.emplace_back(std::move(writes)), ...);
    return work;
}

/// What an enrollment writes.
inline UnitOfWork enrollment(std::uint64_t number) {
    return unit(InsertCertificate{certificate(number), std::nullopt}, AppendAudit{event(std::to_string(number))});
}

/// "ok" or the name of the error's code.
template <class T>
std::string outcome(const Result<T>& result) {
    return result ? "ok" : std::string{to_string(result.error().code)};
}

inline std::unique_ptr<Store> open_or_fail(const std::filesystem::path& path, Options options = {}) {
    auto store = open_sqlite(path, options);
    if (!store) {
        ADD_FAILURE() << store.error().detail << " / " << store.error().cause;
        std::abort();
    }
    return std::move(*store);
}

}  // namespace estuary::store
