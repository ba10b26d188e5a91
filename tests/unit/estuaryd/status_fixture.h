#pragma once
// An installation with a status service in the test's own process, and a clock set by hand.
#include <sstream>

#include <gmock/gmock.h>

#include "apps/estuaryd/crl_publisher.h"
#include "apps/estuaryd/generation.h"
#include "apps/estuaryd/session.h"
#include "estuary/base/file.h"
#include "tests/unit/estuaryd/installation.h"

namespace estuary::daemon::testing {

class StatusInstallation {
public:
    explicit StatusInstallation(const std::string& crl_keys = {}) {
        directory_ = temporary_.emplace().path() / "data";
        if (run({"init", "--dir", directory(), "--host", "localhost"}, start).status != 0) throw std::runtime_error{"init"};
        if (!crl_keys.empty()) set("[ca.issuing.crl]\n", "[ca.issuing.crl]\n" + crl_keys + "\n");
        open();
    }

    /// The same directory, as another process has it: nothing is shared but the files.
    struct Beside {
        const StatusInstallation& other;
    };
    explicit StatusInstallation(Beside beside) : directory_{beside.other.directory_} {
        clock.set(beside.other.clock.now());
        open();
    }

    std::string directory() const { return directory_.string(); }
    std::filesystem::path file(const std::string& name) const { return directory_ / name; }

    void set(const std::string& text, const std::string& replacement) {
        auto content = read_text(file("estuary.toml"));
        const auto at = content.find(text);
        if (at == std::string::npos) throw std::runtime_error{"not in estuary.toml: " + text};
        write_text(file("estuary.toml"), content.replace(at, text.size(), replacement));
    }

    /// What serve does at its start and at a reload.
    void open() {
        auto read = read_configuration(directory());
        if (!read.configuration) throw std::runtime_error{to_string(read.faults.front())};
        const auto tell = [this](const Fault& fault) { told += to_string(fault) + "\n"; };
        if (!store) store = store::open_sqlite(read.configuration->database.path, {}, false).value();
        checks = std::make_unique<PeerChecks>(*store, clock);
        files = std::make_unique<CrlFiles>(read.configuration->status.directory.path);
        auto made = make_generation(std::move(*read.configuration), "", *store, *checks, program, tell);
        if (!made) throw std::runtime_error{told};
        generation = made->generation;
        service = StatusService::make(generation, "", *store, program, tell);
    }

    /// A certificate by the server's own profile; its serial number as records keep it.
    ByteVec issue() {
        if (!store->commit(issue_work()).has_value()) throw std::runtime_error{"not issued"};
        return serial_number_;
    }
    void revoke(const ByteVec& serial_number, store::RevocationReason reason = store::RevocationReason::superseded) {
        store::UnitOfWork work;
        authority::RevokeRequest request{"issuing", serial_number, reason, operator_principal()};
        if (!generation->authority->revoke(request, work) || !store->commit(std::move(work))) throw std::runtime_error{"not revoked"};
    }
    static ByteVec without_zeros(Bytes octets) {
        while (octets.size() > 1 && octets.front() == 0) octets = octets.subspan(1);
        return to_vec(octets);
    }

    static constexpr Time start = now;
    ManualClock clock{start};
    crypto::SystemEntropy entropy;
    std::ostringstream out, err;
    Program program{out, err, clock, entropy};
    std::unique_ptr<store::Store> store;
    std::unique_ptr<PeerChecks> checks;
    std::unique_ptr<CrlFiles> files;
    std::shared_ptr<const Generation> generation;
    std::shared_ptr<StatusService> service;
    std::string told;

private:
    store::UnitOfWork issue_work() {
        const auto key = crypto::PrivateKey::generate("p256").value();
        x509::RequestTemplate wanted;
        const std::vector<x509::GeneralName> names{x509::GeneralName::from_text("localhost").value()};
        wanted.extensions.push_back(x509::make_subject_alt_name(names, true));
        const auto request = x509::SignedRequest::parse(x509::make_request(wanted, key).value()).value();
        store::UnitOfWork work;
        const auto certificate = generation->authority->issue_for_server("estuaryd", request, work).value();
        serial_number_ = without_zeros(certificate.serial_number());
        return work;
    }

    std::optional<TemporaryDirectory> temporary_;
    std::filesystem::path directory_;
    ByteVec serial_number_;
};

}  // namespace estuary::daemon::testing
