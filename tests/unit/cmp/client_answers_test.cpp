// The client before answers that no honest authority gives, and what its own messages look like.
#include "client_world.h"
#include "estuary/base/encoding.h"

namespace estuary::test {
namespace {

TEST_F(CmpClient, ItsMessagesAreAsTheProfileHasThem) {
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto first = PkiMessage::parse(transaction.message()).value();
    EXPECT_EQ(first.header().pvno, cmp::cmp2000);
    EXPECT_EQ(first.header().sender, directory("CN=alice"));
    EXPECT_EQ(first.header().recipient, cmp::directory_name());
    EXPECT_EQ(first.header().sender_kid, to_vec(as_bytes("alice")));
    EXPECT_EQ(first.header().transaction_id->size(), 16u);
    EXPECT_EQ(first.header().sender_nonce->size(), 16u);
    EXPECT_FALSE(first.header().recip_nonce);
    EXPECT_TRUE(first.header().message_time);
    EXPECT_TRUE(cmp::implicit_confirm(first.header()).value());
    const auto& requests = first.as<cmp::CertReqMessages>().messages;
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests.front().cert_req().cert_req_id, 0);
    EXPECT_EQ(transaction.operation(), "initialization");

    const auto other = client(by_secret()).begin(wish()).value();
    EXPECT_NE(PkiMessage::parse(other.message())->header().transaction_id, first.header().transaction_id);

    // Where confirmation is not left out: certConf with the hash, in the same transaction, to who answered.
    ASSERT_TRUE(run(std::move(transaction), "explicit"));
    ASSERT_EQ(sent.size(), 2u);
    const auto& confirmation = sent.back();
    EXPECT_EQ(confirmation.type(), BodyType::cert_conf);
    EXPECT_EQ(confirmation.header().transaction_id, first.header().transaction_id);
    EXPECT_NE(confirmation.header().sender_nonce, first.header().sender_nonce);
    EXPECT_TRUE(confirmation.header().recip_nonce);
    EXPECT_NE(confirmation.header().recipient, cmp::directory_name());
    const auto& statuses = confirmation.as<cmp::CertConfirmContent>().statuses;
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses.front().cert_req_id, 0);
    EXPECT_EQ(statuses.front().cert_hash.size(), 32u);
}

TEST_F(CmpClient, PossessionOfAKeyThatSignsIsShownBySigning) {
    auto wanted = wish();
    wanted.key = crypto::PrivateKey::generate("ed25519").value();
    wanted.profile = "device";
    const auto transaction = client(by_secret()).begin(wanted).value();
    const auto first = PkiMessage::parse(transaction.message()).value();
    const auto& request = first.as<cmp::CertReqMessages>().messages.front();
    // Never raVerified, and without poposkInput, since subject and key are in the template.
    const auto* popo = std::get_if<crmf::PopoSigningKey>(&*request.popo());
    ASSERT_NE(popo, nullptr);
    EXPECT_FALSE(popo->input);
    EXPECT_TRUE(request.cert_req().cert_template.subject && request.cert_req().cert_template.public_key);
    // The private key, the last 32 octets of its PKCS #8, is nowhere in it.
    const auto pem = wanted.key->to_pem().value();
    const auto pkcs8 = parse_pem(as_text(pem.reveal())).value().front().der;
    const auto secret = as_text(pkcs8).substr(pkcs8.size() - 32);
    EXPECT_EQ(as_text(transaction.message()).find(secret), std::string_view::npos);
    EXPECT_EQ(crmf::find(request.cert_req().controls, crmf::oid::pki_archive_options), nullptr);
    // No more names of profiles than requests.
    EXPECT_EQ(cmp::cert_profile(first.header()).value(), std::vector<std::string>{"device"});
}

/// A certificate signed by a key of this type, of whatever key.
x509::Certificate signed_with(const std::string& key_type, Time now) {
    const auto key = crypto::PrivateKey::generate(key_type).value();
    x509::TbsCertificate tbs;
    tbs.serial_number = {0x01};
    tbs.signature_algorithm = key.signature_algorithm().value()->identifier;
    tbs.issuer = tbs.subject = name("CN=some CA");
    tbs.not_before = now;
    tbs.not_after = now + Seconds{86400};
    tbs.spki = to_vec(key.public_key().spki());
    const auto encoded = x509::encode_tbs(tbs);
    return x509::Certificate::parse(x509::encode_certificate(encoded, tbs.signature_algorithm, key.sign(encoded).value())).value();
}

struct ConfirmedBy {
    std::string key_type;
    std::size_t hash_octets;
    bool hash_alg;
};
void PrintTo(const ConfirmedBy& each, std::ostream* out) { *out << each.key_type; }
class CmpClientConfirmation : public CmpClient, public testing::WithParamInterface<ConfirmedBy> {};

TEST_P(CmpClientConfirmation, NamesAHashOnlyWhereTheSignatureDoesNot) {   // RFC 9810 5.3.18
    if (!crypto::PrivateKey::generate(GetParam().key_type)) GTEST_SKIP() << "the library has no " << GetParam().key_type;
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction, "explicit");
    auto body = answer.body();
    const auto issued = signed_with(GetParam().key_type, world.clock.now());
    std::get<cmp::CertRepMessage>(body.content).responses.front().certified_key_pair->cert_or_enc_cert = cmp::CmpCertificate{issued};
    ASSERT_TRUE(transaction.take(with_mac(answer.header(), body)));
    const auto confirmation = PkiMessage::parse(transaction.message()).value();
    const auto& status = confirmation.as<cmp::CertConfirmContent>().statuses.front();
    EXPECT_EQ(status.cert_hash.size(), GetParam().hash_octets);
    EXPECT_EQ(status.hash_alg.has_value(), GetParam().hash_alg);
    EXPECT_EQ(status.cert_hash, cmp::cert_hash(issued, status.hash_alg).value());
    EXPECT_EQ(confirmation.header().pvno, GetParam().hash_alg ? cmp::cmp2021 : cmp::cmp2000);
}
INSTANTIATE_TEST_SUITE_P(Rfc9810, CmpClientConfirmation, testing::Values(ConfirmedBy{"p256", 32, false}, ConfirmedBy{"p384", 48, false},
    ConfirmedBy{"ed25519", 64, false}, ConfirmedBy{"ed448", 64, false}, ConfirmedBy{"ml-dsa-65", 32, true}),
    [](const auto& test) { return std::string{test.param.key_type.substr(0, 2)} + std::to_string(test.index); });

TEST_F(CmpClient, ASignersMessagesNameItsCertificate) {
    const auto mine = world.enrolled("CN=dev");
    const auto transaction = client(by_certificate(mine)).begin(wish(BodyType::kur)).value();
    const auto first = PkiMessage::parse(transaction.message()).value();
    EXPECT_EQ(first.header().sender, cmp::directory_name(mine.certificate.subject()));
    EXPECT_EQ(first.header().recipient, cmp::directory_name(mine.certificate.issuer()));
    EXPECT_EQ(first.header().sender_kid, mine.certificate.subject_key_id());
    const auto extra = first.extra_certificates();
    ASSERT_EQ(extra.size(), 2u);   // and no root
    EXPECT_EQ(extra.front(), mine.certificate);
    const auto& request = first.as<cmp::CertReqMessages>().messages.front().cert_req();
    EXPECT_NE(crmf::find(request.controls, crmf::oid::old_cert_id), nullptr);
    EXPECT_EQ(request.cert_template.subject, mine.certificate.subject());
}

TEST_F(CmpClient, WhatCannotBeAskedForSoIsRefusedBeforehand) {
    EXPECT_EQ(code_of(client(by_secret()).begin(wish(BodyType::kur))), Code::policy);
    EXPECT_EQ(code_of(client(by_secret()).begin(cmp::RevocationWish{name("CN=x"), {1}, 0})), Code::policy);
    auto config = by_secret();
    std::get<cmp::ClientSecret>(config.credentials).reference.clear();
    EXPECT_FALSE(cmp::Client::create(std::move(config), world.clock, world.entropy));
    const auto encrypts_only = world.device("CN=dev", "acme", x509::key_encipherment);
    EXPECT_FALSE(cmp::Client::create(by_certificate(encrypts_only), world.clock, world.entropy));
}

struct BentHeader {
    std::string name;
    void (*bend)(PkiHeader&);
    Code expected;
};
void PrintTo(const BentHeader& each, std::ostream* out) { *out << each.name; }
class CmpClientHeader : public CmpClient, public testing::WithParamInterface<BentHeader> {};

TEST_P(CmpClientHeader, IsChecked) {   // bug class 27
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction);
    auto header = answer.header();
    GetParam().bend(header);
    EXPECT_EQ(code_of(transaction.take(with_mac(header, answer.body()))), GetParam().expected);
    EXPECT_EQ(PkiMessage::parse(transaction.message())->type(), BodyType::ir);   // no error goes out
    // What was refused changed nothing: the honest answer still counts.
    EXPECT_TRUE(transaction.take(answer.der()));
}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpClientHeader, testing::Values(
    BentHeader{"another_transaction", [](PkiHeader& header) { header.transaction_id->front() ^= 1; }, Code::bad_proof},
    BentHeader{"no_transaction", [](PkiHeader& header) { header.transaction_id.reset(); }, Code::bad_proof},
    BentHeader{"another_nonce", [](PkiHeader& header) { header.recip_nonce->front() ^= 1; }, Code::bad_proof},
    BentHeader{"no_nonce", [](PkiHeader& header) { header.recip_nonce.reset(); }, Code::bad_proof},
    BentHeader{"no_nonce_of_its_own", [](PkiHeader& header) { header.sender_nonce.reset(); }, Code::bad_proof},
    BentHeader{"short_nonce_of_its_own", [](PkiHeader& header) { header.sender_nonce->resize(8); }, Code::bad_proof},
    BentHeader{"pvno_1", [](PkiHeader& header) { header.pvno = 1; }, Code::unsupported},
    BentHeader{"pvno_4", [](PkiHeader& header) { header.pvno = 4; }, Code::unsupported}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpClient, UnknownGeneralInfoIsPassedOver) {
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction);
    auto header = answer.header();
    header.general_info.push_back({der::Oid{"1.3.6.1.4.1.99999.1"}, {}});
    EXPECT_TRUE(transaction.take(with_mac(header, answer.body())));
}

TEST_F(CmpClient, MessageTimeIsLookedAtWhereThatIsConfigured) {
    auto config = by_secret();
    config.message_time_window = Seconds{300};
    auto transaction = client(std::move(config)).begin(wish()).value();
    const auto answer = answer_to(transaction);
    auto header = answer.header();
    header.message_time = world.clock.now() - Seconds{301};
    EXPECT_EQ(code_of(transaction.take(with_mac(header, answer.body()))), Code::bad_proof);
    EXPECT_TRUE(transaction.take(answer.der()));
}

TEST_F(CmpClient, ProtectionMustBeThereAndRight) {   // bug class 27
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction);
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), answer.body(), "another secret"))), Code::not_authenticated);
    auto bare = answer.header();
    bare.protection_alg.reset();
    EXPECT_EQ(code_of(transaction.take(message(bare, answer.body()))), Code::not_authenticated);
    // Signed, where nothing says whose signature to believe.
    const auto device = world.device("CN=somebody");
    auto header = answer.header();
    header.sender = cmp::directory_name(device.certificate.subject());
    header.sender_kid = device.certificate.subject_key_id();
    EXPECT_EQ(code_of(transaction.take(signed_by(device, header, answer.body()))), Code::not_authenticated);
    for (std::size_t i = 0; i < answer.protected_part().size(); i += 7) {
        auto bent = to_vec(answer.der());
        bent[i] ^= 1;
        EXPECT_FALSE(transaction.take(bent)) << i;
    }
    EXPECT_TRUE(transaction.take(answer.der()));
}

TEST_F(CmpClient, SignersMustSpeakForTheAuthority) {   // bug classes 2 and 27
    const auto mine = world.enrolled("CN=dev");
    auto transaction = client(by_certificate(mine)).begin(wish(BodyType::cr)).value();
    const auto answer = answer_to(transaction);
    const auto by = [&](const Identity& identity, const char* sender = nullptr) {
        auto header = answer.header();
        header.sender = sender != nullptr ? directory(sender) : cmp::directory_name(identity.certificate.subject());
        header.sender_kid = identity.certificate.subject_key_id();
        return code_of(transaction.take(signed_by(identity, header, answer.body())));
    };
    EXPECT_EQ(by(world.device("CN=Ours CMP")), Code::not_authenticated);             // no path to an anchor
    EXPECT_EQ(by(world.enrolled("CN=neighbour")), Code::not_authorised);             // a path, but an end entity
    const auto authority = world.enrolled("CN=RA", "", "ra");
    EXPECT_EQ(by(authority, "CN=another"), Code::not_authenticated);                 // sender is not the subject
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), answer.body()))), Code::not_authenticated);
    EXPECT_TRUE(transaction.take(answer.der()));
}

TEST_F(CmpClient, OnlyTheExpectedSenderIsBelievedWhereOneIs) {
    const auto mine = world.enrolled("CN=dev");
    auto config = by_certificate(mine);
    config.expected_sender = name("CN=somebody else");
    auto transaction = client(std::move(config)).begin(wish(BodyType::cr)).value();
    EXPECT_EQ(code_of(transaction.take(answer_to(transaction).der())), Code::not_authorised);
}

TEST_F(CmpClient, ARevokedSignerIsNotBelieved) {
    const auto mine = world.enrolled("CN=dev");
    auto config = by_certificate(mine);
    std::size_t looked_at = 0;
    config.check_status = [&](const std::vector<x509::Certificate>& path) -> Result<void> {
        looked_at = path.size();
        return fail(Code::not_authenticated, "revoked");
    };
    auto transaction = client(std::move(config)).begin(wish(BodyType::cr)).value();
    EXPECT_EQ(code_of(transaction.take(answer_to(transaction).der())), Code::not_authenticated);
    EXPECT_EQ(looked_at, 3u);
}

TEST_F(CmpClient, AnotherKeysCertificateIsRejectedAndRevoked) {
    auto first = client(by_secret()).begin(wish()).value();
    const auto theirs = certificate_of(answer_to(first, "explicit"));
    auto second = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(second, "explicit");
    const auto mine = certificate_of(answer);
    auto body = answer.body();
    std::get<cmp::CertRepMessage>(body.content).responses.front().certified_key_pair->cert_or_enc_cert = cmp::CmpCertificate{theirs};
    ASSERT_TRUE(second.take(with_mac(answer.header(), body)));
    const auto rejection = PkiMessage::parse(second.message()).value();
    ASSERT_EQ(rejection.type(), BodyType::cert_conf);
    EXPECT_EQ(rejection.as<cmp::CertConfirmContent>().statuses.front().status_info->status, cmp::PkiStatus::rejection);
    EXPECT_EQ(code_of(second.save()), Code::internal);   // nobody goes on with it
}

TEST_F(CmpClient, ACertificateThatIsNotWantedIsRejectedByCertConf) {
    auto wanted = wish();
    wanted.accept = [](const cmp::Enrolled&) -> Result<void> { return fail(Code::policy, "no path"); };
    auto transaction = client(by_secret()).begin(std::move(wanted)).value();
    const auto answer = answer_to(transaction, "explicit");
    ASSERT_TRUE(transaction.take(answer.der()));
    const auto confirmed = answer_to(transaction, "explicit");
    EXPECT_EQ(confirmed.type(), BodyType::pkiconf);
    EXPECT_EQ(code_of(transaction.take(confirmed.der())), Code::policy);
    EXPECT_TRUE(world.is_revoked(certificate_of(answer)));
}

TEST_F(CmpClient, ErrorsThatAnybodyMaySendEndNothingUnlessThatIsConfigured) {
    const auto error_to = [](const cmp::ClientTransaction& transaction) {
        auto header = PkiMessage::parse(transaction.message())->header();
        header.recip_nonce = header.sender_nonce;
        header.sender_nonce = ByteVec(16, 7);
        header.protection_alg.reset();
        return message(header, {BodyType::error, cmp::ErrorMsgContent{cmp::rejection(PkiFailure::system_unavail, "later"), {}, {}}});
    };
    auto careful = client(by_secret()).begin(wish()).value();
    EXPECT_EQ(code_of(careful.take(error_to(careful))), Code::not_authenticated);
    EXPECT_TRUE(careful.take(answer_to(careful).der()));
    auto config = by_secret();
    config.unprotected_errors = true;
    auto easy = client(std::move(config)).begin(wish()).value();
    const auto step = easy.take(error_to(easy));
    ASSERT_TRUE(step);
    EXPECT_FALSE(std::get<cmp::Declined>(std::get<ClientOutcome>(*step)).authentic);
}

TEST_F(CmpClient, CaPubsBecomeAnchorsAfterAMacOnly) {
    world.restart([](cmp::ServerConfig& config) { config.labels.front().ca_pubs = true; });
    const auto outcome = run(client(by_secret()).begin(wish()).value());
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_EQ(std::get<cmp::Enrolled>(*outcome).new_anchors.size(), 1u);

    const auto mine = world.enrolled("CN=dev");
    auto transaction = client(by_certificate(mine)).begin(wish()).value();
    const auto answer = answer_to(transaction);
    auto body = answer.body();
    std::get<cmp::CertRepMessage>(body.content).ca_pubs = {cmp::CmpCertificate{world.acme->root}, cmp::CmpCertificate{world.ca->root}};
    const auto authority = world.enrolled("CN=RA", "", "ra");
    auto header = answer.header();
    header.sender = cmp::directory_name(authority.certificate.subject());
    header.sender_kid = authority.certificate.subject_key_id();
    const auto step = transaction.take(signed_by(authority, header, body));
    ASSERT_TRUE(step) << failure(step);
    EXPECT_TRUE(std::get<cmp::Enrolled>(std::get<ClientOutcome>(*step)).new_anchors.empty());
}

TEST_F(CmpClient, GoesOnAfterARestart) {
    const auto wanted = wish();
    auto transaction = client(by_secret()).begin(wanted).value();
    const auto waits = [&](Result<cmp::ClientStep> step) { return step && std::holds_alternative<cmp::WaitThenSend>(*step); };
    ASSERT_TRUE(transaction.take(answer_to(transaction, "manual").der()));   // waiting
    ASSERT_TRUE(waits(transaction.take(answer_to(transaction, "manual").der())));
    const auto state = transaction.save().value();
    EXPECT_EQ(to_string(Bytes{state}).find("canary"), std::string::npos);    // bug class 12

    // Hours later, so what goes out must not say when it was made.
    world.approve();
    world.clock.advance(Seconds{6 * 3600});
    auto resumed = client(by_secret()).resume(wanted, state).value();
    EXPECT_TRUE(same(resumed.message(), transaction.message()));
    EXPECT_FALSE(PkiMessage::parse(resumed.message())->header().message_time);
    const auto outcome = run(std::move(resumed), "manual");
    ASSERT_TRUE(outcome) << failure(outcome);
    EXPECT_TRUE(same(std::get<cmp::Enrolled>(*outcome).certificate.spki(), wanted.key->public_key().spki()));

    EXPECT_FALSE(client(by_secret()).resume(wanted, hex("300302010a")));
    for (std::size_t size = 0; size < state.size(); size += 11) EXPECT_FALSE(client(by_secret()).resume(wanted, Bytes{state}.first(size)));
}

TEST_F(CmpClient, ChallengesAreNoOracle) {   // bug class 17
    auto wanted = wish();
    wanted.subsequent_message = crmf::SubsequentMessage::challenge_resp;
    auto transaction = client(by_secret()).begin(wanted).value();
    const auto answer = answer_to(transaction, "keys");
    ASSERT_EQ(answer.type(), BodyType::popdecc);
    const auto with = [&](std::function<void(PkiHeader&, std::vector<cmp::Challenge>&)> bend) {
        auto header = answer.header();
        auto body = answer.body();
        bend(header, std::get<cmp::PopoDecKeyChallContent>(body.content).challenges);
        const auto code = code_of(transaction.take(with_mac(header, body)));
        EXPECT_EQ(PkiMessage::parse(transaction.message())->type(), BodyType::ir);   // nothing that was decrypted goes out
        return code;
    };
    EXPECT_EQ(with([](auto&, auto& challenges) { challenges.front().witness.front() ^= 1; }), Code::bad_proof);
    EXPECT_EQ(with([](auto& header, auto&) { header.sender = directory("CN=somebody else"); }), Code::bad_proof);
    EXPECT_EQ(with([](auto&, auto& challenges) { challenges.push_back(challenges.front()); }), Code::malformed);
    EXPECT_EQ(with([](auto&, auto& challenges) { challenges.front().encrypted_rand.reset(); }), Code::malformed);
    ASSERT_TRUE(transaction.take(answer.der()));
    EXPECT_EQ(PkiMessage::parse(transaction.message())->type(), BodyType::popdecr);
    // A second one is answered no more, and one that nobody asked for never.
    const auto first = PkiMessage::parse(transaction.message()).value();
    auto header = answer.header();
    header.recip_nonce = first.header().sender_nonce;
    EXPECT_EQ(code_of(transaction.take(with_mac(header, answer.body()))), Code::malformed);
    auto plain = client(by_secret()).begin(wish()).value();
    const auto asked = PkiMessage::parse(plain.message()).value();
    header.transaction_id = asked.header().transaction_id;
    header.recip_nonce = asked.header().sender_nonce;
    EXPECT_EQ(code_of(plain.take(with_mac(header, answer.body()))), Code::malformed);
    const auto outcome = run(std::move(transaction), "keys");
    EXPECT_TRUE(outcome) << failure(outcome);
}

TEST_F(CmpClient, KeysComeFromKeyGenerationAuthorities) {
    auto wanted = wish();
    wanted.key.reset();
    wanted.key_type = "p256";
    const auto made = [&](std::vector<x509::Certificate> anchors) {
        auto config = by_secret();
        config.anchors = std::move(anchors);
        return run(client(std::move(config)).begin(wanted).value(), "keys");
    };
    for (const auto& anchors : {std::vector<x509::Certificate>{}, {world.ca->root}}) {   // after a MAC it may be taken without a path
        const auto outcome = made(anchors);
        ASSERT_TRUE(outcome) << failure(outcome);
        const auto& enrolled = std::get<cmp::Enrolled>(*outcome);
        EXPECT_TRUE(same(enrolled.generated_key->public_key().spki(), enrolled.certificate.spki()));
    }
    EXPECT_EQ(code_of(made({world.acme->root})), Code::not_authenticated);
}

TEST_F(CmpClient, OfAKeyThatIsNotTheCertificatesNothingIsTaken) {
    auto wanted = wish();
    wanted.key.reset();
    auto transaction = client(by_secret()).begin(wanted).value();
    const auto answer = answer_to(transaction, "keys");
    auto body = answer.body();
    auto& pair = *std::get<cmp::CertRepMessage>(body.content).responses.front().certified_key_pair;
    const auto key = std::exchange(pair.private_key, std::nullopt);
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), body))), Code::malformed);   // no key
    auto other = client(by_secret()).begin(wish()).value();
    const auto plain = answer_to(other);
    auto unasked = plain.body();
    std::get<cmp::CertRepMessage>(unasked.content).responses.front().certified_key_pair->private_key = key;
    EXPECT_EQ(code_of(other.take(with_mac(plain.header(), unasked))), Code::malformed);       // one that nobody asked for
}

struct BentResponse {
    std::string name;
    void (*bend)(cmp::CertRepMessage&);
    Code expected;
};
void PrintTo(const BentResponse& each, std::ostream* out) { *out << each.name; }
class CmpClientResponse : public CmpClient, public testing::WithParamInterface<BentResponse> {};

TEST_P(CmpClientResponse, IsChecked) {   // bug class 27
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction);
    auto body = answer.body();
    GetParam().bend(std::get<cmp::CertRepMessage>(body.content));
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), body))), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Rfc9483, CmpClientResponse, testing::Values(
    BentResponse{"two", [](cmp::CertRepMessage& content) { content.responses.push_back(content.responses.front()); }, Code::malformed},
    BentResponse{"none", [](cmp::CertRepMessage& content) { content.responses.clear(); }, Code::malformed},
    BentResponse{"of_another_request", [](cmp::CertRepMessage& content) { content.responses.front().cert_req_id = 1; }, Code::bad_proof},
    BentResponse{"rejection_with_a_certificate", [](cmp::CertRepMessage& content) { content.responses.front().status = cmp::rejection(PkiFailure::bad_request); },
                 Code::malformed},
    BentResponse{"granted_without_one", [](cmp::CertRepMessage& content) { content.responses.front().certified_key_pair.reset(); }, Code::malformed},
    BentResponse{"granted_with_a_failure", [](cmp::CertRepMessage& content) {
                     auto failed = cmp::rejection(PkiFailure::bad_request);
                     content.responses.front().status.fail_info = failed.fail_info;
                 }, Code::malformed},
    BentResponse{"a_warning", [](cmp::CertRepMessage& content) {
                     content.responses.front().status.status = cmp::PkiStatus::revocation_warning;
                     content.responses.front().certified_key_pair.reset();
                 }, Code::malformed}),
    [](const auto& test) { return test.param.name; });

TEST_F(CmpClient, AnswersOfAnotherKindAreRefused) {   // bug class 27
    auto transaction = client(by_secret()).begin(wish()).value();
    const auto answer = answer_to(transaction);
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), {BodyType::cp, answer.as<cmp::CertRepMessage>()}))), Code::malformed);
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), {BodyType::pkiconf, cmp::PkiConfirmContent{}}))), Code::malformed);
    // Waiting is polled for; a pollRep comes only then.
    EXPECT_EQ(code_of(transaction.take(with_mac(answer.header(), {BodyType::poll_rep, cmp::PollRepContent{{{0, 1, {}}}}}))), Code::malformed);
    EXPECT_TRUE(transaction.take(answer.der()));
    EXPECT_EQ(code_of(transaction.take(answer.der())), Code::internal);   // it has ended
}

}  // namespace
}  // namespace estuary::test
