// krr from the client's bank, against the server (RFC 9810 5.3.7, 5.3.8).
#include "client_world.h"
#include "recovery_world.h"

namespace estuary::test {
namespace {

using cmp::KeyRecoveryWish;
using cmp::KeysRecovered;

class CmpClientRecovery : public CmpClient {
protected:
    KeyRecoveryWish all_keys(const char* encryption_key = "p256") {
        KeyRecoveryWish wish;
        if (encryption_key != nullptr) wish.encryption_key = crypto::PrivateKey::generate(encryption_key).value();
        return wish;
    }
    static crmf::CertId id_of(const x509::Certificate& certificate) {
        return {cmp::directory_name(certificate.issuer()), to_vec(certificate.serial_number())};
    }
    /// Up to where it has to wait; the operators agree then; to the end.
    Result<ClientOutcome> run_approved(const cmp::Client& client, const KeyRecoveryWish& wish, const std::vector<x509::Certificate>& lost) {
        auto transaction = client.begin(wish).value();
        bool approved = false;
        for (;;) {
            ESTUARY_TRY(auto step, transaction.take(answer_to(transaction, "recovery").der()));
            if (auto* outcome = std::get_if<ClientOutcome>(&step)) return std::move(*outcome);
            if (!std::holds_alternative<cmp::WaitThenSend>(step)) continue;
            EXPECT_FALSE(approved) << "everybody has agreed";
            for (const auto& certificate : lost) approve_recovery(world, certificate);
            approved = true;
            // In another process (bug class 25).
            const auto state = transaction.save().value();
            transaction = client.resume(wish, state).value();
        }
    }
    /// A krp to the first message of a transaction, made by the server's own key, with a history as given.
    Result<cmp::ClientStep> answered(cmp::ClientTransaction& transaction, cmp::KeyRecRepContent content, std::function<void(PkiHeader&)> bend = {}) {
        const auto request = PkiMessage::parse(transaction.message()).value();
        PkiHeader header;
        header.pvno = cmp::cmp2021;
        header.sender = cmp::directory_name(world.ca->issuing.subject());
        header.recipient = request.header().sender;
        header.transaction_id = request.header().transaction_id;
        header.sender_nonce = ByteVec(16, 7);
        header.recip_nonce = request.header().sender_nonce;
        if (bend) bend(header);
        return transaction.take(with_mac(header, {BodyType::krp, std::move(content)}));
    }
    static const KeysRecovered& recovered(const Result<ClientOutcome>& outcome) {
        static const KeysRecovered none{};
        EXPECT_TRUE(outcome) << failure(outcome);
        const auto* found = outcome ? std::get_if<KeysRecovered>(&*outcome) : nullptr;
        EXPECT_NE(found, nullptr);
        return found != nullptr ? *found : none;
    }
    static void check(const KeysRecovered& recovered, std::size_t count) {
        ASSERT_EQ(recovered.keys.size(), count);
        for (const auto& [certificate, key] : recovered.keys) EXPECT_TRUE(same(certificate.spki(), key.public_key().spki()));
    }
};

TEST_F(CmpClientRecovery, KeysComeBackByEveryWay) {
    const auto first = with_archived_key(world, "CN=dev"), second = with_archived_key(world, "CN=dev");
    for (const auto* type : {"p256", "rsa2048", "x25519"}) {
        SCOPED_TRACE(type);
        check(recovered(run_approved(client(by_secret()), all_keys(type), {first, second})), 2);
    }
    check(recovered(run_approved(client(by_secret()), all_keys(nullptr), {first, second})), 2);
    const auto only_signs = world.enrolled("CN=dev", "recovery", "device");
    check(recovered(run_approved(client(by_certificate(only_signs)), all_keys(), {first, second})), 2);
    const auto agrees = world.enrolled("CN=dev", "recovery");
    auto one = all_keys(nullptr);
    one.certificate = id_of(second);
    const auto outcome = run_approved(client(by_certificate(agrees)), one, {second});
    check(recovered(outcome), 1);
    EXPECT_EQ(recovered(outcome).keys.front().certificate, second);
    EXPECT_FALSE(recovered(outcome).new_certificate);
    EXPECT_NE(std::ranges::find(recovered(outcome).others, world.ca->issuing), recovered(outcome).others.end());
}

TEST_F(CmpClientRecovery, ANewCertificateIsConfirmed) {
    const auto lost = with_archived_key(world, "CN=dev");
    for (const bool implicit : {false, true}) {
        auto wish = all_keys();
        wish.key = crypto::PrivateKey::generate("p256").value();
        wish.subject = name("CN=dev");
        wish.profile = "device";
        wish.implicit_confirm = implicit;
        const auto outcome = run_approved(client(by_secret()), wish, {lost});
        check(recovered(outcome), 1);
        ASSERT_TRUE(recovered(outcome).new_certificate);
        EXPECT_TRUE(same(recovered(outcome).new_certificate->certificate.spki(), wish.key->public_key().spki()));
        EXPECT_EQ(sent.back().type(), implicit ? BodyType::poll_req : BodyType::cert_conf);

        wish.keys = false;
        wish.encryption_key.reset();
        const auto without_keys = run(client(by_secret()).begin(wish).value(), "recovery");
        check(recovered(without_keys), 0);
        EXPECT_TRUE(recovered(without_keys).new_certificate);

        wish.implicit_confirm = false;
        wish.accept = [](const cmp::Enrolled&) -> Result<void> { return fail(Code::policy, "not what I wanted"); };
        auto rejecting = client(by_secret()).begin(wish).value();
        const auto answer = answer_to(rejecting, "recovery");
        ASSERT_TRUE(rejecting.take(answer.der()));
        const auto rejected = run(std::move(rejecting), "recovery");
        ASSERT_TRUE(recovered(rejected).rejected);
        EXPECT_EQ(recovered(rejected).rejected->detail, "not what I wanted");
        EXPECT_FALSE(recovered(rejected).new_certificate);
        EXPECT_TRUE(world.is_revoked(answer.as<cmp::KeyRecRepContent>().new_sig_cert->x509().value()));
    }
}

TEST_F(CmpClientRecovery, ANoIsAnOutcome) {
    const auto outcome = run(client(by_secret()).begin(all_keys()).value(), "recovery");
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_NE(std::get<cmp::Declined>(*outcome).text.find("no archived key"), std::string::npos);
}

TEST_F(CmpClientRecovery, WhatCannotBeAskedForIsToldAtOnce) {
    const auto asked = [&](std::function<void(KeyRecoveryWish&)> bend) {
        auto wish = all_keys();
        bend(wish);
        return code_of(client(by_secret()).begin(wish));
    };
    EXPECT_EQ(asked([](auto& wish) { wish.keys = false; }), Code::policy);
    EXPECT_EQ(asked([](auto& wish) {
        wish.key = crypto::PrivateKey::generate("p256").value();
        wish.encryption_key.reset();
    }), Code::policy);
    EXPECT_EQ(asked([](auto& wish) { wish.key = crypto::PrivateKey::generate("x25519").value(); }), Code::policy);
}

TEST_F(CmpClientRecovery, KeysThatAreNotTheCertificatesAreNotBelieved) {
    const auto lost = with_archived_key(world, "CN=dev"), other = with_archived_key(world, "CN=dev");
    const auto wish = all_keys();
    const auto honest = [&] {
        auto transaction = client(by_secret()).begin(wish).value();
        (void)transaction.take(answer_to(transaction, "recovery").der()).value();
        for (const auto& one : {lost, other}) approve_recovery(world, one);
        return answer_to(transaction, "recovery").as<cmp::KeyRecRepContent>();
    }();
    ASSERT_EQ(honest.key_pair_hist.size(), 2u);
    const auto bent = [&](std::function<void(cmp::KeyRecRepContent&)> bend, std::optional<crmf::CertId> only = {}) {
        auto content = honest;
        bend(content);
        auto asked = wish;
        asked.certificate = std::move(only);
        auto transaction = client(by_secret()).begin(asked).value();
        const auto step = answered(transaction, std::move(content));
        return step ? "taken" : std::string{to_string(step.error().code)};
    };
    EXPECT_EQ(bent([](auto&) {}), "taken");
    EXPECT_EQ(bent([](auto& content) { std::swap(content.key_pair_hist[0].private_key, content.key_pair_hist[1].private_key); }), "bad_proof");
    EXPECT_EQ(bent([](auto& content) { content.key_pair_hist[1] = content.key_pair_hist[0]; }), "malformed");
    EXPECT_EQ(bent([](auto& content) { content.key_pair_hist[1].private_key.reset(); }), "malformed");
    EXPECT_EQ(bent([](auto& content) { content.key_pair_hist.clear(); }), "malformed");
    EXPECT_EQ(bent([&](auto& content) { content.new_sig_cert = cmp::CmpCertificate{lost}; }), "malformed") << "not asked for";
    EXPECT_EQ(bent([](auto& content) { content.status.status = cmp::PkiStatus::waiting; }), "malformed");
    EXPECT_EQ(bent([](auto& content) { content.status.status = cmp::PkiStatus::key_update_warning; }), "malformed");
    EXPECT_EQ(bent([](auto&) {}, id_of(lost)), "malformed") << "more than the one that was asked for";
    EXPECT_EQ(bent([&](auto& content) { content.key_pair_hist = {content.key_pair_hist[content.key_pair_hist[0].certificate()->x509().value() == lost ? 1 : 0]}; },
                   id_of(lost)), "bad_proof") << "another one";
    // Encrypted to another key than the one that the request names.
    const auto stranger = all_keys();
    auto transaction = client(by_secret()).begin(stranger).value();
    EXPECT_EQ(code_of(answered(transaction, honest)), Code::bad_proof);
}

}  // namespace
}  // namespace estuary::test
