// The client's revocation passphrases (RFC 9810 B): conveyed with what it asks for, and shown by an rr.
#include "client_world.h"
#include "estuary/cmp/passphrase.h"

namespace estuary::test {
namespace {

constexpr const char* kept_secret = "a canary that sings at night";

class CmpClientPassphrase : public CmpClient {
protected:
    static cmp::InfoTypeAndValue shared(const std::string& identifier = "id") {
        const crypto::Secret key{std::string_view{alice_secret}};
        return cmp::make_conveyed_passphrase(crypto::Secret{std::string_view{kept_secret}}, as_bytes(identifier), &key).value();
    }
    cmp::ClientConfig conveying(const std::string& identifier = "id") {
        auto config = by_secret();
        config.anchors = {world.ca->root};
        config.passphrase = shared(identifier);
        return config;
    }
    /// With nothing but the passphrase.
    cmp::ClientConfig lost(const std::string& identifier = "id", std::optional<x509::Name> sender = {}) {
        cmp::ClientConfig config{.credentials = cmp::ClientSecret{identifier, crypto::Secret{std::string_view{kept_secret}}, {}, true}};
        config.sender = std::move(sender);
        return config;
    }
    cmp::RevocationWish revocation_of(const x509::Certificate& certificate) {
        return {certificate.issuer(), to_vec(certificate.serial_number()), 1};
    }
    static bool has_passphrase(const PkiMessage& message) {
        return *cmp::find_only(message.header().general_info, cmp::oid::rev_passphrase) != nullptr;
    }
    /// To the end; gives the transaction back to be asked.
    cmp::ClientTransaction ended(cmp::ClientTransaction transaction, std::function<ByteVec(const PkiMessage&)> bend = {}) {
        for (;;) {
            const auto answer = answer_to(transaction, label);
            const auto step = transaction.take(bend ? bend(answer) : to_vec(answer.der()));
            if (!step) error = step.error().code;
            if (!step || std::holds_alternative<ClientOutcome>(*step)) return transaction;
        }
    }
    std::string label = "passphrase";
    std::optional<Code> error;
};

TEST_F(CmpClientPassphrase, GoesWithTheRequestWhereNoConfirmationFollows) {
    const auto done = ended(client(conveying()).begin(wish()).value());
    EXPECT_EQ(done.passphrase(), cmp::PassphraseFate::acknowledged);
    ASSERT_EQ(sent.size(), 1u) << "no exchange more";
    EXPECT_TRUE(has_passphrase(sent[0]));
    EXPECT_EQ(sent[0].header().pvno, cmp::cmp2021) << "EnvelopedData (RFC 9810 7)";
}

TEST_F(CmpClientPassphrase, GoesWithTheConfirmationWhereOneFollows) {
    auto explicitly = wish();
    explicitly.implicit_confirm = false;
    const auto done = ended(client(conveying()).begin(std::move(explicitly)).value());
    EXPECT_EQ(done.passphrase(), cmp::PassphraseFate::acknowledged);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_FALSE(has_passphrase(sent[0]));
    EXPECT_TRUE(has_passphrase(sent[1]));
    EXPECT_EQ(sent[0].header().pvno, sent[1].header().pvno);
}

TEST_F(CmpClientPassphrase, DoesNotGoWithACertificateThatIsRejected) {
    auto rejecting = wish();
    rejecting.implicit_confirm = false;
    rejecting.accept = [](const cmp::Enrolled&) -> Result<void> { return fail(Code::policy, "not this one"); };
    const auto done = ended(client(conveying()).begin(std::move(rejecting)).value());
    EXPECT_EQ(error, Code::policy);
    EXPECT_EQ(done.passphrase(), cmp::PassphraseFate::not_conveyed);
}

TEST_F(CmpClientPassphrase, SilenceIsNoAcknowledgement) {
    const auto bend = [this](std::function<void(PkiHeader&)> change) {
        return [this, change](const PkiMessage& answer) {
            auto header = answer.header();
            change(header);
            (void)this;
            return with_mac(std::move(header), answer.body());
        };
    };
    auto done = ended(client(conveying()).begin(wish()).value(), bend([](PkiHeader& header) {
        std::erase_if(header.general_info, [](const auto& info) { return info.info_type == cmp::oid::rev_passphrase; });
    }));
    EXPECT_EQ(done.passphrase(), cmp::PassphraseFate::conveyed);
    done = ended(client(conveying("2")).begin(wish()).value(), bend([](PkiHeader& header) {
        for (auto& info : header.general_info)
            if (info.info_type == cmp::oid::rev_passphrase) info = shared();
    }));
    EXPECT_EQ(error, Code::malformed) << "an acknowledgement has no value";
}

TEST_F(CmpClientPassphrase, TheAnswerToAGenmIsTheBareType) {
    cmp::InformationWish giving{shared(), {}};
    const auto outcome = run(client(by_secret()).begin(giving).value(), label);
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_FALSE(std::get<cmp::Informed>(*outcome).answer.info_value);
    for (const auto& info : {cmp::ask(cmp::oid::ca_certs), shared()}) {
        auto transaction = client(by_secret()).begin(giving).value();
        auto header = answer_to(transaction, label).header();
        EXPECT_FALSE(transaction.take(with_mac(std::move(header), {BodyType::genp, cmp::GenContent{{info}}})));
    }
}

TEST_F(CmpClientPassphrase, RevokesWithoutAnyKey) {
    const auto device = world.enrolled("CN=dev", label);
    ASSERT_TRUE(run(client(by_secret()).begin(cmp::InformationWish{shared(), {}}).value(), label));
    const auto outcome = run(client(lost()).begin(revocation_of(device.certificate)).value(), label);
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_TRUE(std::holds_alternative<cmp::Revoked>(*outcome));
    EXPECT_TRUE(world.is_revoked(device.certificate));
    EXPECT_EQ(sent.back().header().sender_kid, to_vec(as_bytes("id")));
}

TEST_F(CmpClientPassphrase, WithoutAnIdentifierTheSenderSaysWhose) {
    const auto device = world.enrolled("CN=dev", label);
    ASSERT_TRUE(run(client(by_secret()).begin(cmp::InformationWish{shared(""), {}}).value(), label));
    const auto outcome = run(client(lost("", name("CN=alice"))).begin(revocation_of(device.certificate)).value(), label);
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_FALSE(sent.back().header().sender_kid);
    EXPECT_TRUE(world.is_revoked(device.certificate));
}

TEST_F(CmpClientPassphrase, IsGoodForNothingElse) {
    EXPECT_EQ(code_of(cmp::Client::create(lost(""), world.clock, world.entropy)), Code::policy) << "nothing to find it by";
    EXPECT_EQ(code_of(client(lost()).begin(wish())), Code::policy);
    EXPECT_EQ(code_of(client(lost()).begin(cmp::InformationWish{cmp::ask(cmp::oid::ca_certs), {}})), Code::policy);
    EXPECT_EQ(code_of(client(by_secret()).begin(revocation_of(world.ca->issuing))), Code::policy) << "nor is a secret for enrolling good for an rr";
}

TEST_F(CmpClientPassphrase, IsRememberedInASavedOperation) {
    auto waiting = wish();
    waiting.profile = "manual";
    const auto asking = client(conveying());
    auto transaction = asking.begin(waiting).value();
    ASSERT_TRUE(transaction.take(answer_to(transaction, label).der()));
    EXPECT_EQ(transaction.passphrase(), cmp::PassphraseFate::acknowledged);
    const auto state = transaction.save().value();
    EXPECT_EQ(asking.resume(waiting, state).value().passphrase(), cmp::PassphraseFate::acknowledged);
}

TEST_F(CmpClientPassphrase, HasItsLimits) {
    const crypto::Secret key{std::string_view{alice_secret}};
    const auto made = [&](std::size_t octets, std::size_t identifier) {
        const auto info = cmp::make_conveyed_passphrase(crypto::Secret{ByteVec(octets, 'x')}, ByteVec(identifier, 'i'), &key);
        return info ? std::optional<Code>{} : info.error().code;
    };
    EXPECT_EQ(made(8, 64), std::nullopt);
    EXPECT_EQ(made(1024, 0), std::nullopt);
    EXPECT_EQ(made(7, 0), Code::policy);
    EXPECT_EQ(made(1025, 0), Code::policy);
    EXPECT_EQ(made(8, 65), Code::policy);
    const auto signs_only = world.enrolled("CN=dev").certificate;
    EXPECT_EQ(code_of(cmp::make_conveyed_passphrase(crypto::Secret{ByteVec(8, 'x')}, {}, &signs_only)), Code::bad_key) << "bug class 33";
}

}  // namespace
}  // namespace estuary::test
