#pragma once
// Shared by the tests of the authority: a CA of its own over a real store, a clock set by hand, and short ways to ask.
#include <atomic>
#include <barrier>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "estuary/authority/ceremony.h"
#include "estuary/base/encoding.h"

namespace estuary::authority::test {

using store::UnitOfWork;

inline const Time start = Time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}} + std::chrono::hours{12};

/// A directory that goes with the test.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        static std::atomic<unsigned> number{0};
        path_ = std::filesystem::temp_directory_path() /
                ("estuary-authority-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
        std::filesystem::create_directories(path_);
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline x509::Name name(std::string_view text) { return x509::Name::from_text(text).value(); }
inline x509::GeneralName san(std::string_view text) { return x509::GeneralName::from_text(text).value(); }
inline std::vector<x509::GeneralName> sans(const std::vector<std::string>& texts) {
    std::vector<x509::GeneralName> names;
    for (const auto& text : texts) names.push_back(san(text));
    return names;
}

/// What a test asks for.
struct Wanted {
    std::string subject = "CN=device 1";
    std::vector<std::string> names = {};
    std::vector<x509::Extension> extensions = {};
    std::vector<x509::Attribute> attributes = {};
};

inline x509::SignedRequest csr(const Wanted& wanted, const crypto::PrivateKey& key) {
    x509::RequestTemplate made;
    made.subject = wanted.subject.empty() ? x509::Name{} : name(wanted.subject);
    made.extensions = wanted.extensions;
    if (!wanted.names.empty()) made.extensions.push_back(x509::make_subject_alt_name(sans(wanted.names), false));
    made.attributes = wanted.attributes;
    const auto der = x509::make_request(made, key).value();
    return x509::SignedRequest::parse(der).value();
}
inline crypto::PrivateKey new_key(std::string_view type = "p256") { return crypto::PrivateKey::generate(type).value(); }

template <class T>
Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value()) << "succeeded where an error was expected";
    return result ? Code::internal : result.error().code;
}

/// Runs `body(0)` to `body(count - 1)` in as many threads, all at about the same time, and waits for them.
template <class Body>
void at_once(int count, Body body) {
    std::barrier ready{count};
    std::vector<std::jthread> running;
    for (int i = 0; i < count; ++i)
        running.emplace_back([&, i] {
            ready.arrive_and_wait();
            body(i);
        });
}

inline constexpr std::string_view generated = "0123456789ABCDEFGHJKMNPQRS";

class World {
public:
    World() : World{[](Profile&) {}} {}
    /// `shape` changes the device profile before the authority is made.
    template <class Shape>
    explicit World(Shape shape) {
        open();
        UnitOfWork work;
        ca.emplace(make_ca({.organisation_name = "Test", .key_type = "p256", .name_constraints = {}}, clock, entropy, work).value());
        EXPECT_TRUE(store->commit(std::move(work)));
        auto device = default_device_profile("issuing");
        shape(device);
        profiles = {device, tls_server_profile("issuing")};
        make();
    }

    void open() { store = store::open_sqlite(directory.path() / "estuary.db").value(); }
    Config config() const {
        Config made;
        made.cas.push_back({"issuing", ca->issuing, ca->issuing_key, {ca->root}, {}, status});
        made.profiles = profiles;
        made.manufacturers = manufacturers;
        made.password_key = crypto::Secret{"a server key of more than 16 octets"};
        made.slow_hashes_max = slow_hashes_max;
        return made;
    }
    void make(store::Store* over = nullptr) {
        authority = Authority::create(config(), over == nullptr ? *store : *over, clock, entropy).value();
    }
    /// As after a restart of the program.
    void restart() {
        authority.reset();
        store.reset();
        open();
        make();
    }

    /// Adds a credential whose password is `generated`.
    void add_credential(const std::string& credential, std::optional<std::int64_t> uses = std::nullopt,
                        std::vector<std::string> subjects = {}, std::vector<std::string> names = {}, std::string profile = {}) {
        store::CredentialRecord record;
        record.name = credential;
        record.password_hash = crypto::hash_generated_password(crypto::Secret{generated}, config().password_key);
        record.uses_left = uses;
        record.subject_patterns = std::move(subjects);
        record.san_patterns = std::move(names);
        record.profile = std::move(profile);
        record.created_at = clock.now();
        add(std::move(record));
    }
    void add(store::CredentialRecord record) {
        UnitOfWork work;
        work.writes.emplace_back(store::InsertCredential{std::move(record)});
        ASSERT_TRUE(store->commit(std::move(work)));
    }
    Principal by_password(const std::string& credential) {
        Principal principal;
        principal.credential = authority->authenticate_password(credential, crypto::Secret{generated}, "192.0.2.1").value();
        principal.address = "192.0.2.1";
        return principal;
    }
    Result<CertificateProof> prove(const x509::Certificate& certificate) {
        return authority->authenticate_certificate(
            {to_vec(certificate.der()), to_vec(ca->issuing.der()), to_vec(ca->root.der())});
    }
    Principal by_certificate(const x509::Certificate& certificate) {
        Principal principal;
        principal.certificate = prove(certificate).value();
        return principal;
    }
    static Principal operator_principal() {
        Principal principal;
        principal.operator_ = true;
        return principal;
    }

    EnrollRequest request(const x509::SignedRequest& signed_request, Principal principal, Verb verb = Verb::enroll) const {
        return {verb, "device", "", signed_request, std::move(principal), Linking::absent, false};
    }
    /// Asks and commits, as a river and its network edge do.
    Result<Outcome> ask(const EnrollRequest& wanted) {
        UnitOfWork work;
        auto outcome = authority->enroll(wanted, work);
        if (!work.empty())
            if (auto done = store->commit(std::move(work)); !done) return fail(done.error());
        return outcome;
    }
    Result<Outcome> enroll(const x509::SignedRequest& signed_request, Principal principal) {
        return ask(request(signed_request, std::move(principal)));
    }
    Result<Outcome> renew(const x509::SignedRequest& signed_request, Principal principal) {
        return ask(request(signed_request, std::move(principal), Verb::renew));
    }
    /// The certificate that an operator's request for `wanted` gives.
    Result<x509::Certificate> issue(const Wanted& wanted, const crypto::PrivateKey& key = new_key()) {
        auto outcome = enroll(csr(wanted, key), operator_principal());
        if (!outcome) return fail(outcome.error());
        return std::get<Issued>(*outcome).certificate;
    }
    Result<void> revoke(const x509::Certificate& certificate,
                        store::RevocationReason reason = store::RevocationReason::unspecified) {
        UnitOfWork work;
        RevokeRequest wanted{"issuing", to_vec(certificate.serial_number()), reason, operator_principal()};
        ESTUARY_CHECK(authority->revoke(wanted, work));
        return store->commit(std::move(work));
    }
    /// Names of the audit trail's events, in order.
    std::vector<std::string> events() {
        std::vector<std::string> names;
        const auto trail = store->audit(0, 10'000).value();
        for (const auto& event : trail) names.push_back(event.event);
        return names;
    }

    TemporaryDirectory directory;
    ManualClock clock{start};
    crypto::SystemEntropy entropy;
    std::unique_ptr<store::Store> store;
    std::optional<NewCa> ca;
    std::vector<Profile> profiles;
    std::vector<ManufacturerAnchors> manufacturers;
    StatusConfig status;
    unsigned slow_hashes_max = 2;
    std::unique_ptr<Authority> authority;
};

inline const Issued& issued(const Result<Outcome>& outcome) {
    static const Issued none{};
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().detail);
    if (!outcome || !std::holds_alternative<Issued>(*outcome)) {
        ADD_FAILURE() << "no certificate";
        return none;
    }
    return std::get<Issued>(*outcome);
}

}  // namespace estuary::authority::test
