// Secrets for MACs: sealed in the store, of one protocol, and unknown names told from known ones by nobody.
#include "estuary/authority/shared_secrets.h"

#include "tests/unit/authority/support.h"

namespace estuary::authority {
namespace {

using namespace test;

class SharedSecrets : public ::testing::Test {
protected:
    store::CredentialRecord record(const std::string& name, const std::string& protocol = "cmp") {
        store::CredentialRecord made;
        made.name = name;
        made.protocol = protocol;
        made.created_at = world.clock.now();
        made.sealed_secret = seal_secret(world.config().password_key, made, crypto::Secret{"the secret"}, world.entropy).value();
        return made;
    }
    Result<Authority::SharedSecret> ask(std::string_view name, std::string_view protocol = "cmp") {
        return world.authority->shared_secret(name, protocol, "192.0.2.1");
    }
    World world;
};

TEST_F(SharedSecrets, ComeOutAsTheyWentIn) {
    world.add(record("base-7"));
    const auto found = ask("base-7").value();
    EXPECT_EQ(found.secret.reveal_text(), "the secret");
    EXPECT_EQ(found.proof.name, "base-7");
    EXPECT_NE(found.proof.id, 0);
}

// bug class 2
TEST_F(SharedSecrets, OpenNoOtherProtocol) {
    world.add(record("base-7"));
    EXPECT_NE(ask("base-7", "cmc").value().secret.reveal_text(), "the secret");
    EXPECT_EQ(code_of(world.authority->authenticate_password("base-7", crypto::Secret{"the secret"}, "192.0.2.1")),
              Code::not_authenticated);
    world.add_credential("web");
    EXPECT_EQ(ask("web").value().proof.id, 0);
}

// bug class 9: nobody's secret is neither empty nor guessable
TEST_F(SharedSecrets, OfUnknownNamesAreNobodys) {
    const auto first = ask("nobody").value(), second = ask("nobody").value(), other = ask("somebody").value();
    EXPECT_EQ(first.secret.reveal().size(), 32U);
    EXPECT_TRUE(std::ranges::equal(first.secret.reveal(), second.secret.reveal()));
    EXPECT_FALSE(std::ranges::equal(first.secret.reveal(), other.secret.reveal()));
    EXPECT_EQ(first.proof.id, 0);
}

TEST_F(SharedSecrets, ExpireWithTheirCredential) {
    auto made = record("base-7");
    made.expires_at = start + Seconds{10};
    world.add(std::move(made));
    EXPECT_EQ(ask("base-7").value().secret.reveal_text(), "the secret");
    world.clock.set(start + Seconds{10});
    EXPECT_NE(ask("base-7").value().secret.reveal_text(), "the secret");
}

TEST_F(SharedSecrets, SealedForAnotherNameDoNotOpen) {
    auto stolen = record("base-7");
    stolen.name = "base-8";
    EXPECT_EQ(code_of(open_secret(world.config().password_key, stolen)), Code::internal);
    auto same = record("base-7");
    EXPECT_EQ(code_of(open_secret(crypto::Secret{"another key of more than 16 octets"}, same)), Code::internal);
    same.sealed_secret.resize(20);
    EXPECT_EQ(code_of(open_secret(world.config().password_key, same)), Code::internal);
    // bug class 12: the store has nothing to read
    EXPECT_EQ(as_text(record("base-7").sealed_secret).find("the secret"), std::string_view::npos);
}

TEST_F(SharedSecrets, OfProtocolsOpenForTheirPurposeAndContextOnly) {
    const auto context = as_bytes("transaction 1");
    const auto sealed = world.authority->seal("a purpose", context, crypto::Secret{"the secret"}).value();
    EXPECT_EQ(world.authority->open_sealed("a purpose", context, sealed).value().reveal_text(), "the secret");
    EXPECT_EQ(code_of(world.authority->open_sealed("another", context, sealed)), Code::internal);
    EXPECT_EQ(code_of(world.authority->open_sealed("a purpose", as_bytes("transaction 2"), sealed)), Code::internal);
    EXPECT_EQ(code_of(world.authority->open_sealed("a purpose", context, Bytes{sealed}.first(sealed.size() - 1))), Code::internal);
    EXPECT_EQ(code_of(world.authority->open_sealed("a purpose", context, {})), Code::internal);
    EXPECT_EQ(code_of(seal({}, {"a purpose", context}, crypto::Secret{"the secret"}, world.entropy)), Code::bad_key);   // bug class 9
    EXPECT_EQ(as_text(sealed).find("the secret"), std::string_view::npos);   // bug class 12
}

TEST_F(SharedSecrets, GuessesAreSlowed) {
    world.add(record("base-7"));
    for (int i = 0; i < 20; ++i) world.authority->proof_failed("base-7", "192.0.2.1");
    EXPECT_EQ(code_of(ask("base-7")), Code::too_busy);
}

}  // namespace
}  // namespace estuary::authority
