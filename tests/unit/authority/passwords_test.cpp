#include <set>

#include "support.h"

namespace estuary::authority::test {
namespace {

constexpr std::string_view chosen = "correct horse battery staple";
constexpr std::string_view here = "192.0.2.1", elsewhere = "198.51.100.7";

/// A credential with a chosen password.
store::CredentialRecord chosen_credential(const std::string& name) {
    store::CredentialRecord record;
    record.name = name;
    record.password_hash = crypto::hash_chosen_password(crypto::Secret{chosen});
    record.created_at = start;
    return record;
}

Result<CredentialProof> check(World& world, std::string_view name, std::string_view password, std::string_view address = here) {
    return world.authority->authenticate_password(name, crypto::Secret{password}, address);
}

TEST(Passwords, GeneratedOnesProveTheirCredential) {
    World world;
    world.add_credential("dev", 3, {"CN=a"}, {"dns:a.example"}, "device");
    const auto proof = check(world, "dev", generated).value();
    EXPECT_EQ(proof.name, "dev");
    EXPECT_EQ(proof.scheme, "basic");
    EXPECT_EQ(proof.uses_left, 3);
    EXPECT_EQ(proof.profile, "device");
    EXPECT_EQ(proof.subject_patterns, std::vector<std::string>{"CN=a"});
    EXPECT_EQ(proof.san_patterns, std::vector<std::string>{"dns:a.example"});
}

TEST(Passwords, EveryWrongOneLooksTheSame) {
    World world;
    world.add_credential("dev");
    store::CredentialRecord expired;
    expired.name = "expired";
    expired.password_hash = crypto::hash_generated_password(crypto::Secret{generated}, world.config().password_key);
    expired.expires_at = start;
    world.add(expired);
    std::set<std::string> details;
    for (const auto& [name, password] : std::vector<std::pair<std::string, std::string>>{
             {"dev", "wrong"}, {"dev", ""}, {"unknown", std::string{generated}}, {"expired", std::string{generated}},
             {"", ""}, {"DEV", std::string{generated}}, {"dev ", std::string{generated}}, {std::string{"dev\0", 4}, std::string{generated}}}) {
        const auto refused = check(world, name, password);
        EXPECT_EQ(code_of(refused), Code::not_authenticated) << name;
        details.insert(refused.error().detail + "|" + refused.error().cause);
    }
    EXPECT_EQ(details.size(), 1u);
}

TEST(Passwords, ExpiryIsExact) {
    World world;
    store::CredentialRecord record;
    record.name = "soon";
    record.password_hash = crypto::hash_generated_password(crypto::Secret{generated}, world.config().password_key);
    record.expires_at = start + Seconds{10};
    world.add(record);
    world.clock.advance(Seconds{9});
    EXPECT_TRUE(check(world, "soon", generated));
    world.clock.advance(Seconds{1});
    EXPECT_EQ(code_of(check(world, "soon", generated)), Code::not_authenticated);
}

TEST(Passwords, AnotherServersKeyOpensNothing) {  // bug class 9
    World world;
    world.add_credential("dev");
    auto config = world.config();
    config.password_key = crypto::Secret{"another key of more than 16 octets"};
    world.authority = Authority::create(std::move(config), *world.store, world.clock, world.entropy).value();
    EXPECT_EQ(code_of(check(world, "dev", generated)), Code::not_authenticated);
}

// bug classes 26, 30: guessing is slowed; the right password is not
TEST(Passwords, GuessesAreSlowedRightOnesAreNot) {
    World world;
    world.add_credential("dev");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(code_of(check(world, "dev", "wrong")), Code::not_authenticated) << i;
    const auto slowed = check(world, "dev", "wrong");
    EXPECT_EQ(code_of(slowed), Code::too_busy);
    EXPECT_GE(slowed.error().retry_after_s, 1u);
    EXPECT_TRUE(check(world, "dev", generated));
    EXPECT_EQ(code_of(check(world, "dev", "wrong", elsewhere)), Code::not_authenticated);
    // The wait grows to a minute and no further.
    unsigned longest = 0;
    for (int i = 0; i < 100; ++i) {
        const auto refused = check(world, "dev", "wrong");
        if (!refused) longest = std::max(longest, refused.error().retry_after_s);
    }
    EXPECT_EQ(longest, 60u);
    world.clock.advance(Seconds{20 * 60});
    EXPECT_EQ(code_of(check(world, "dev", "wrong")), Code::not_authenticated);
}

TEST(Passwords, OneIpv6NetworkIsOneAddress) {
    World world;
    for (int i = 0; i < 10; ++i) (void)check(world, "dev", "wrong", "2001:db8::" + std::to_string(i + 1));
    EXPECT_EQ(code_of(check(world, "dev", "wrong", "2001:db8::ffff")), Code::too_busy);
    EXPECT_EQ(code_of(check(world, "dev", "wrong", "2001:db8:0:1::1")), Code::not_authenticated);
}

TEST(Passwords, ChosenOnesAreRememberedAndForgotten) {
    World world;
    world.add(chosen_credential("bob"));
    EXPECT_TRUE(check(world, "bob", chosen));
    // From now on guesses at this address do not lock out who is remembered.
    for (int i = 0; i < 12; ++i) (void)check(world, "unknown", "wrong");
    EXPECT_EQ(code_of(check(world, "bob", "wrong")), Code::too_busy);
    EXPECT_TRUE(check(world, "bob", chosen));
    // A stranger's failures elsewhere never count against the name.
    EXPECT_EQ(code_of(check(world, "bob", "wrong", elsewhere)), Code::not_authenticated);
    // Removed means removed, remembered or not.
    UnitOfWork work;
    work.writes.emplace_back(store::RemoveCredential{"bob"});
    ASSERT_TRUE(world.store->commit(std::move(work)));
    world.clock.advance(Seconds{3600});
    EXPECT_EQ(code_of(check(world, "bob", chosen)), Code::not_authenticated);
}

TEST(Passwords, ChosenOneExpiresThoughRemembered) {
    World world;
    auto record = chosen_credential("bob");
    record.expires_at = start + Seconds{60};
    world.add(record);
    EXPECT_TRUE(check(world, "bob", chosen));
    world.clock.advance(Seconds{60});
    EXPECT_EQ(code_of(check(world, "bob", chosen)), Code::not_authenticated);
}

// bug class 30: as many slow hashes as configured run at a time, the others are told so at once
TEST(Passwords, SlowHashesAreCapped) {
    World world;
    world.slow_hashes_max = 1;
    world.make();
    world.add(chosen_credential("bob"));
    constexpr int attempts = 6;
    std::atomic<int> right{0}, wrong{0}, busy{0};
    at_once(attempts, [&](int i) {
        const auto result = check(world, "bob", "wrong " + std::to_string(i), "192.0.2." + std::to_string(i));
        if (result)
            ++right;
        else
            ++(result.error().code == Code::too_busy ? busy : wrong);
    });
    EXPECT_EQ(right, 0);
    EXPECT_GE(wrong, 1);
    EXPECT_EQ(wrong + busy, attempts);
    EXPECT_TRUE(check(world, "bob", chosen, elsewhere));  // every turn was given back
}

TEST(Passwords, Digest) {
    World world;
    store::CredentialRecord record;
    record.name = "dig";
    record.digest_ha1 = crypto::digest_ha1("dig", "estuary", crypto::Secret{chosen});
    world.add(record);
    world.add_credential("basic only");
    const auto secret = world.authority->digest_secret("dig", here).value();
    EXPECT_EQ(secret.ha1, record.digest_ha1);
    EXPECT_EQ(secret.proof.scheme, "digest");
    EXPECT_EQ(code_of(world.authority->digest_secret("basic only", here)), Code::not_authenticated);
    EXPECT_EQ(code_of(world.authority->digest_secret("unknown", here)), Code::not_authenticated);
    EXPECT_EQ(code_of(check(world, "dig", chosen)), Code::not_authenticated);  // no hash, no Basic
    for (int i = 0; i < 10; ++i) world.authority->proof_failed("dig", elsewhere);
    EXPECT_EQ(code_of(world.authority->digest_secret("dig", elsewhere)), Code::too_busy);
    EXPECT_TRUE(world.authority->digest_secret("dig", here));
}

// bug class 30: a flood of names and addresses takes no more memory, and slows nobody else
TEST(Passwords, FloodOfAddresses) {
    World world;
    world.add_credential("dev");
    for (int i = 0; i < 20'000; ++i) (void)check(world, "n" + std::to_string(i), "wrong", "10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".1");
    EXPECT_EQ(code_of(check(world, "dev", "wrong")), Code::not_authenticated);
    EXPECT_TRUE(check(world, "dev", generated));
}

}  // namespace
}  // namespace estuary::authority::test
