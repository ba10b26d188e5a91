// Every call of the store fails once. (bug classes 6, 24, 31)
#include <functional>

#include "support.h"

namespace estuary::authority::test {
namespace {

/// Hands on to another store; the n-th call fails as a full disk or a lost connection would.
class FailingStore final : public store::Store {
public:
    FailingStore(store::Store& behind, unsigned failing_call) : behind_{behind}, left_{failing_call} {}
    bool failed() const { return failed_; }

    void submit(UnitOfWork work, store::Committed committed) override {
        if (fails()) return committed(fail(Code::unavailable, "storage"));
        behind_.submit(std::move(work), std::move(committed));
    }
    Result<std::optional<store::CertificateRecord>> certificate(std::string_view ca, Bytes serial_number) override {
        return pass([&] { return behind_.certificate(ca, serial_number); });
    }
    Result<std::optional<store::CertificateRecord>> certificate(std::int64_t id) override {
        return pass([&] { return behind_.certificate(id); });
    }
    Result<std::optional<store::CertificateStatus>> certificate_status(std::string_view ca, Bytes serial_number) override {
        return pass([&] { return behind_.certificate_status(ca, serial_number); });
    }
    Result<std::optional<store::CertificateRecord>> certificate_of_request(const store::RequestKey& key) override {
        return pass([&] { return behind_.certificate_of_request(key); });
    }
    Result<std::int64_t> visit_revoked(const store::RevokedQuery& query,
                                       const std::function<void(const store::RevokedCertificate&)>& visit) override {
        return pass([&] { return behind_.visit_revoked(query, visit); });
    }
    Result<std::vector<store::RevocationChange>> revocation_changes(std::int64_t after, std::size_t count_max) override {
        return pass([&] { return behind_.revocation_changes(after, count_max); });
    }
    Result<std::int64_t> last_revocation_change() override {
        return pass([&] { return behind_.last_revocation_change(); });
    }
    Result<std::optional<store::CrlRecord>> crl(std::string_view ca, unsigned shard, bool delta) override {
        return pass([&] { return behind_.crl(ca, shard, delta); });
    }
    Result<std::vector<store::CrlRecord>> crls() override {
        return pass([&] { return behind_.crls(); });
    }
    Result<std::vector<store::CertificateRecord>> certificates(const store::CertificateFilter& filter) override {
        return pass([&] { return behind_.certificates(filter); });
    }
    Result<std::int64_t> count_certificates() override {
        return pass([&] { return behind_.count_certificates(); });
    }
    Result<std::optional<store::CredentialRecord>> credential(std::string_view name) override {
        return pass([&] { return behind_.credential(name); });
    }
    Result<std::vector<store::CredentialRecord>> credentials() override {
        return pass([&] { return behind_.credentials(); });
    }
    Result<std::optional<store::PendingRequest>> pending_request(const store::RequestKey& key) override {
        return pass([&] { return behind_.pending_request(key); });
    }
    Result<std::optional<store::PendingRequest>> pending_request(std::int64_t id) override {
        return pass([&] { return behind_.pending_request(id); });
    }
    Result<std::vector<store::PendingRequest>> pending_requests(std::optional<store::PendingRequest::State> state) override {
        return pass([&] { return behind_.pending_requests(state); });
    }
    Result<std::optional<store::TransactionRecord>> transaction(std::string_view protocol, const store::RequestKey& key) override {
        return pass([&] { return behind_.transaction(protocol, key); });
    }
    Result<std::optional<store::UnconfirmedCertificate>> unconfirmed(std::string_view ca, Bytes serial_number) override {
        return pass([&] { return behind_.unconfirmed(ca, serial_number); });
    }
    Result<std::vector<store::UnconfirmedCertificate>> unconfirmed(Time before, std::size_t count_max) override {
        return pass([&] { return behind_.unconfirmed(before, count_max); });
    }
    Result<std::vector<store::AuditEvent>> audit(std::int64_t after_id, std::size_t count_max) override {
        return pass([&] { return behind_.audit(after_id, count_max); });
    }
    Result<std::optional<std::string>> setting(std::string_view name) override {
        return pass([&] { return behind_.setting(name); });
    }
    Result<std::size_t> tidy(Time before) override { return behind_.tidy(before); }
    Result<std::size_t> end_transactions(Time now) override { return behind_.end_transactions(now); }
    Result<void> backup(const std::filesystem::path& target) override { return behind_.backup(target); }
    Result<void> check() override { return behind_.check(); }

private:
    bool fails() {
        if (failed_ || left_-- > 0) return false;
        failed_ = true;
        return true;
    }
    template <class Call>
    auto pass(Call call) -> decltype(call()) {
        if (fails()) return fail(Code::unavailable, "storage");
        return call();
    }

    store::Store& behind_;
    unsigned left_;
    bool failed_ = false;
};

struct Flow {
    std::string label;
    bool manual_approval;
    /// Authenticates, asks and commits over the failing store: what a device would be told.
    std::function<Result<Outcome>(World&, store::Store&)> run;
};

Result<Outcome> ask_over(World& world, store::Store& store, const EnrollRequest& request) {
    UnitOfWork work;
    ESTUARY_TRY(auto outcome, world.authority->enroll(request, work));
    if (!work.empty()) ESTUARY_CHECK(store.commit(std::move(work)));
    return outcome;
}

class EveryCallFails : public testing::TestWithParam<Flow> {};
TEST_P(EveryCallFails, NothingLeavesUnrecorded) {
    bool reached_the_end = false;
    for (unsigned call = 0; call < 20 && !reached_the_end; ++call) {
        World world{[](Profile& p) { p.manual_approval = GetParam().manual_approval; }};
        FailingStore failing{*world.store, call};
        world.add_credential("dev", 1);
        world.make(&failing);
        const auto before = world.store->count_certificates().value();
        const auto first = GetParam().run(world, failing);
        if (!failing.failed()) {
            reached_the_end = true;
            EXPECT_TRUE(first) << first.error().detail;
            break;
        }
        ASSERT_FALSE(first) << "call " << call;
        EXPECT_EQ(first.error().code, Code::unavailable);
        EXPECT_EQ(world.store->count_certificates().value(), before) << "call " << call;
        EXPECT_EQ(world.store->credential("dev").value()->uses_left, 1) << "call " << call;
        // It recovers by itself, and the use was not lost.
        const auto second = GetParam().run(world, failing);
        EXPECT_TRUE(second) << "call " << call << ": " << second.error().detail;
        if (second && std::holds_alternative<Issued>(*second)) {
            const auto& certificate = std::get<Issued>(*second).certificate;
            const auto record = world.store->certificate("issuing", certificate.serial_number()).value();
            ASSERT_TRUE(record);
            EXPECT_TRUE(same(record->der, certificate.der()));
        }
    }
    EXPECT_TRUE(reached_the_end);
}
INSTANTIATE_TEST_SUITE_P(
    Authority, EveryCallFails,
    testing::Values(Flow{"enroll", false,
                         [](World& world, store::Store& store) -> Result<Outcome> {
                             Principal principal;
                             ESTUARY_TRY(principal.credential, world.authority->authenticate_password("dev", crypto::Secret{generated}, ""));
                             return ask_over(world, store, world.request(csr({}, new_key()), principal));
                         }},
                    Flow{"pending", true,
                         [](World& world, store::Store& store) -> Result<Outcome> {
                             Principal principal;
                             ESTUARY_TRY(principal.credential, world.authority->authenticate_password("dev", crypto::Secret{generated}, ""));
                             return ask_over(world, store, world.request(csr({}, new_key()), principal));
                         }}),
    [](const auto& test) { return test.param.label; });

// bug class 6: unknown status proves nothing
TEST(Faults, CertificateAuthenticationFailsClosed) {
    World world;
    const auto made = world.issue({}).value();
    FailingStore failing{*world.store, 0};
    world.make(&failing);
    EXPECT_EQ(code_of(world.prove(made)), Code::unavailable);
    EXPECT_TRUE(world.prove(made));
}

class RepeatingEntropy final : public crypto::Entropy {
public:
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{7}); }
};

// bug class 23: a forced collision of serial numbers
TEST(Faults, CollidingSerialNumberIsNotIssuedTwice) {
    World world;
    RepeatingEntropy stuck;
    world.authority = Authority::create(world.config(), *world.store, world.clock, stuck).value();
    ASSERT_TRUE(world.issue({"CN=first"}));
    EXPECT_EQ(code_of(world.issue({"CN=second"})), Code::conflict);
    world.clock.advance(Seconds{2});
    EXPECT_TRUE(world.issue({"CN=second"}));
}

// A certificate whose unit was not committed does not answer a repeated request.
TEST(Faults, UncommittedAnswerIsForgotten) {
    World world;
    const auto request = csr({}, new_key());
    Result<Outcome> lost = fail(Code::internal, "");
    {
        UnitOfWork work;
        lost = world.authority->enroll(world.request(request, World::operator_principal()), work);
    }
    const auto made = world.enroll(request, World::operator_principal());
    EXPECT_FALSE(issued(made).repeated);
    EXPECT_FALSE(issued(made).certificate == issued(lost).certificate);
}

}  // namespace
}  // namespace estuary::authority::test
