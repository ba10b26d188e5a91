#pragma once
// What the fuzzers of whole servers stand on: a CA with its store and its authority, and a clock that only they turn.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estuary/authority/ceremony.h"
#include "estuary/authority/shared_secrets.h"
#include "estuary/base/log.h"
#include "estuary/store/store.h"

namespace estuary::fuzz {

/// A property that has to hold, whatever the input was.
inline void require(bool holds) {
    if (!holds) std::abort();
}

inline constexpr std::string_view password_key = "a key for passwords of 32 octets";

/// Derive from it, so that the server goes before what it stands on.
class IssuingWorld {
public:
    /// Profiles of the one CA, "issuing", made from that of devices.
    using MakeProfiles = std::function<std::vector<authority::Profile>(const authority::Profile& device)>;

    explicit IssuingWorld(const MakeProfiles& make_profiles, const std::function<void(authority::Config&)>& change = {},
                          std::uint32_t path_length = 0)
        : directory_{make_directory()} {
        log::set_level(log::Level::error);
        store = store::open_sqlite(directory_ / "fuzz.db").value();
        store::UnitOfWork work;
        authority::CaPlan plan;
        plan.organisation_name = "Fuzz";
        plan.path_length = path_length;
        ca = authority::make_ca(plan, clock, entropy, work).value();
        commit(std::move(work));
        authority::Config config;
        config.cas.push_back({"issuing", ca->issuing, ca->issuing_key, {ca->root}, {}});
        config.profiles = make_profiles(authority::default_device_profile("issuing"));
        config.password_key = crypto::Secret{password_key};
        if (change) change(config);
        authority = authority::Authority::create(std::move(config), *store, clock, entropy).value();
    }
    IssuingWorld(const IssuingWorld&) = delete;
    IssuingWorld& operator=(const IssuingWorld&) = delete;
    ~IssuingWorld() {
        authority.reset();
        store.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    /// A credential for protocols that have to know the secret itself.
    void add_shared_secret(std::string name, std::string protocol, std::string_view secret) {
        store::CredentialRecord record;
        record.name = std::move(name);
        record.protocol = std::move(protocol);
        record.created_at = clock.now();
        record.sealed_secret = authority::seal_secret(crypto::Secret{password_key}, record, crypto::Secret{secret}, entropy).value();
        store::UnitOfWork work;
        work.writes.emplace_back(store::InsertCredential{std::move(record)});
        commit(std::move(work));
    }

    void commit(store::UnitOfWork work) { require(store->commit(std::move(work)).has_value()); }

    ManualClock clock{Time{Seconds{1'795'233'600}}};  // 2026-11-21, when the seeds of the corpora were made
    crypto::SystemEntropy entropy;
    std::unique_ptr<store::Store> store;
    std::optional<authority::NewCa> ca;
    std::unique_ptr<authority::Authority> authority;

private:
    static std::filesystem::path make_directory() {
        auto pattern = (std::filesystem::temp_directory_path() / "estuary-fuzz-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr);
        return pattern;
    }
    std::filesystem::path directory_;
};

}  // namespace estuary::fuzz
