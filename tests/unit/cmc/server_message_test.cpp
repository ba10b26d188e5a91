// Messages as a whole: signatures, encryption, transactions and nonces (RFC 10002 3.2.1.3, 5, 6.4, 6.6), and what the client
// makes of answers.
#include <cctype>

#include "estuary/cms/ber.h"
#include "world.h"

namespace estuary::test {
namespace {

using namespace cmc;
using testing::ElementsAre;
using testing::HasSubstr;

PkiData one_request(std::string_view subject = "CN=device 1") {
    PkiData data;
    data.requests.push_back(TaggedRequest::pkcs10(1, pkcs10(subject)));
    return data;
}

class CmcMessage : public CmcServer {
protected:
    Holder device = world.holder("CN=device 1");
};

TEST_F(CmcMessage, WrongSignatures) {
    const auto count = world.certificates();
    auto message = signed_message(one_request(), device);
    message.back() ^= 1;
    EXPECT_THAT(statuses(world.send(message)), ElementsAre("failed badMessageCheck 0"));
    EXPECT_EQ(world.send(message).rejected, Code::bad_proof);
    // Somebody else's signature under that name.
    const Holder thief{crypto::PrivateKey::generate("p256").value(), device.certificate};
    EXPECT_THAT(statuses(world.send(signed_message(one_request(), thief))), ElementsAre("failed badMessageCheck 0"));
    EXPECT_THAT(statuses(world.send(sign(cmc::oid::pki_data, one_request().encode(), nullptr).value())),
                ElementsAre("failed badMessageCheck 0"));
    EXPECT_EQ(world.certificates(), count);
}

// Bug classes 15 and 17: no bit of what is signed, or of the signature, is idle; others may be (a certificate in the bag is not
// needed, for the store has it; the issuer's name in sid is compared without regard to case), and nothing falls over.
TEST_F(CmcMessage, NoBitIsIdle) {
    const auto message = signed_message(one_request(), device);
    const auto parsed = cms::SignedData::parse(message).value();
    const auto place = [&](Bytes part) {
        const auto found = std::ranges::search(message, part);
        return std::pair{static_cast<std::size_t>(found.begin() - message.begin()),
                         static_cast<std::size_t>(found.end() - message.begin())};
    };
    const auto content = place(*parsed.content()), signer = place(parsed.signers().at(0).whole);
    const auto within = [](std::size_t i, const auto& part) { return i >= part.first && i < part.second; };
    // sid stands first in SignerInfo, behind its version.
    const auto in_issuer = [&](std::size_t i) {
        return within(i, signer) && i - signer.first < parsed.signers().at(0).identifier.issuer.der().size() + 16;
    };
    const auto rejected = [&](Bytes octets) {
        store::UnitOfWork work;
        const auto answer = world.server->serve("", octets, World::nobody(), work);
        EXPECT_TRUE(answer);
        return answer && answer->rejected.has_value();
    };
    for (std::size_t i = 0; i < message.size(); ++i) {
        auto spoilt = message;
        spoilt[i] = static_cast<std::uint8_t>(spoilt[i] ^ (1u << (i % 8)));
        const bool same_letter = in_issuer(i) && (message[i] ^ spoilt[i]) == ('a' ^ 'A') && std::isalpha(message[i]) != 0;
        const bool covered = (within(i, content) || within(i, signer)) && !same_letter;
        EXPECT_TRUE(rejected(spoilt) || !covered) << i;
    }
    for (std::size_t size = 0; size < message.size(); size += 7) EXPECT_TRUE(rejected(Bytes{message}.first(size))) << size;
}

TEST_F(CmcMessage, OtherContentIsRefused) {
    const auto with_type = [&](const der::Oid& type, Bytes content) {
        const MessageSigner with{{device.key, cms::Identifier::by_issuer(device.certificate)}, {device.certificate.der()}};
        return statuses(world.send(sign(type, content, &with).value()));
    };
    EXPECT_THAT(with_type(cmc::oid::pki_response, PkiResponse{}.encode()), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(with_type(cms::oid::data, as_bytes("hello")), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(with_type(cmc::oid::pki_data, as_bytes("hello")), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(statuses(world.send(as_bytes("hello"))), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(statuses(world.send({})), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(statuses(world.send(cms::SignedDataBuilder{}.certificate(device.certificate.der()).build().value())),
                ElementsAre("failed badRequest 0"));
    world.restart([](ServerConfig& config) { config.limits.bytes_max = 1000; });
    EXPECT_EQ(world.send(ByteVec(1001)).rejected, Code::too_large);
}

TEST_F(CmcMessage, SigningTimeWhereClocksShouldAgree) {
    const auto at_label = world.holder("CN=device 1", "timed");
    const auto ask = [&](Seconds off) {
        const auto content = one_request().encode();
        const MessageSigner with{{at_label.key,
                                  cms::Identifier::by_issuer(at_label.certificate),
                                  {cms::signing_time_attribute(world.clock.now() + off)},
                                  {}},
                                 {at_label.certificate.der()}};
        return world.send(sign(cmc::oid::pki_data, content, &with).value(), "timed");
    };
    EXPECT_EQ(ask(Seconds{60}).form, Answer::Form::simple);
    EXPECT_EQ(ask(Seconds{-60}).form, Answer::Form::simple);
    EXPECT_THAT(statuses(ask(Seconds{61})), ElementsAre("failed badTime 0"));
    EXPECT_THAT(statuses(ask(Seconds{-61})), ElementsAre("failed badTime 0"));
}

// -- encryption (5) ----------------------------------------------------------------------------------------------------------

class CmcEncrypted : public CmcMessage, public testing::WithParamInterface<std::string> {};

TEST_P(CmcEncrypted, Options1And2) {
    const auto plain = signed_message(one_request(), device);
    const auto option1 = encrypt(plain, {world.responder->certificate}, GetParam()).value();
    const auto answer = world.send(option1);
    // The answer is for the holder of the signer's key, which can agree on keys.
    const auto read = unwrap(answer.der, {cms::KeyHolder{device.key, device.certificate}}).value();
    EXPECT_TRUE(read.encrypted);
    EXPECT_FALSE(read.signed_data.certificates().empty());
    const auto type = GetParam().ends_with("GCM") ? cms::oid::auth_enveloped_data : cms::oid::enveloped_data;
    const MessageSigner with{{device.key, cms::Identifier::by_issuer(device.certificate)}, {device.certificate.der()}};
    const auto option2 = sign(type, cms::inner_content(option1).value(), &with).value();
    EXPECT_FALSE(world.send(option2).rejected);
    auto spoilt = option2;
    spoilt.back() ^= 1;
    auto refused = world.send(spoilt);  // by its outer signature; nobody is known whom the answer could be encrypted for
    EXPECT_THAT(statuses(refused), ElementsAre("failed badMessageCheck 0"));
}

INSTANTIATE_TEST_SUITE_P(Ciphers, CmcEncrypted, testing::Values("AES-128-CBC", "AES-256-CBC", "AES-256-GCM"),
                         [](const auto& test) {
                             auto text = test.param;
                             std::erase(text, '-');
                             return text;
                         });

TEST_F(CmcMessage, TheClientSignsAroundItsEnvelopes) {
    ClientConfig config;
    config.certificate = device.for_client();
    config.encrypt_for = {world.responder->certificate};
    auto client = world.client(std::move(config));
    const auto message = client.enroll({wish("CN=device 1")}).value();
    const auto outer = cms::SignedData::parse(message).value();
    EXPECT_EQ(outer.content_type(), cms::oid::enveloped_data);
    EXPECT_TRUE(outer.signers().at(0).identifier.names(device.certificate));
    EXPECT_THAT(statuses(world.exchange(client, message).statuses), ElementsAre("success 1"));
    // Who has no certificate yet has nobody's name to sign with outside.
    ClientConfig without;
    without.secret = ClientSecret{"alice", crypto::Secret{std::string_view{alice_secret}}};
    without.encrypt_for = {world.responder->certificate};
    auto first = world.client(std::move(without));
    const auto bare = first.enroll({wish("CN=alice")}).value();
    EXPECT_EQ(cms::content_type_of(bare).value(), cms::oid::enveloped_data);
    EXPECT_THAT(statuses(world.exchange(first, bare).statuses), ElementsAre("success 1"));
}

// Bug class 17: whatever is wrong with an envelope or with what is in it, the answer is the same.
TEST_F(CmcMessage, EnvelopesFailInOneWayOnly) {
    const auto envelope = [&](const der::Oid& type, Bytes content, const x509::Certificate& recipient) {
        return cms::EnvelopedDataBuilder(type, content).recipient(recipient).build().value();
    };
    const auto inner = to_vec(cms::inner_content(signed_message(one_request(), device)).value());
    const auto good = envelope(cms::oid::signed_data, inner, world.responder->certificate);
    auto wrong_padding = good;
    wrong_padding.back() ^= 1;
    // What CBC lets others make of it: another signature, other content, a control of which the inside would come back.
    auto other_signature = inner, other_content = inner;
    other_signature.back() ^= 1;
    other_content[other_content.size() / 4] ^= 1;
    auto with_data = one_request();
    with_data.controls = {make_control(2, DataReturn{to_vec(as_bytes("a canary"))}), make_control(3, SenderNonce{hex("01")})};
    auto unsigned_data = to_vec(cms::inner_content(signed_message(with_data, device)).value());
    unsigned_data.back() ^= 1;
    const auto twice = sign(cmc::oid::pki_data, with_data.encode(), nullptr).value();
    const std::vector<ByteVec> messages{wrong_padding,
                                        envelope(cms::oid::signed_data, other_signature, world.responder->certificate),
                                        envelope(cms::oid::signed_data, other_content, world.responder->certificate),
                                        envelope(cms::oid::signed_data, unsigned_data, world.responder->certificate),
                                        envelope(cms::oid::signed_data, to_vec(cms::inner_content(twice).value()),
                                                 world.responder->certificate),
                                        envelope(cms::oid::signed_data, as_bytes("not DER at all"), world.responder->certificate),
                                        envelope(cms::oid::signed_data, hex("3000"), world.responder->certificate),
                                        envelope(cms::oid::signed_data, inner, device.certificate)};
    std::vector<ByteVec> answers;
    for (const auto& message : messages) {
        const auto answer = world.send(message);
        EXPECT_THAT(statuses(answer), ElementsAre("failed badMessageCheck 0"));
        answers.push_back(response_of(answer).encode());
    }
    for (const auto& answer : answers) EXPECT_EQ(answer, answers.front());
    // A signature around the envelope changes nothing: anybody with a certificate can put one there.
    const MessageSigner stranger{{device.key, cms::Identifier::by_issuer(device.certificate)}, {device.certificate.der()}};
    const auto wrapped = sign(cms::oid::enveloped_data, cms::inner_content(messages[1]).value(), &stranger).value();
    EXPECT_EQ(response_of(world.send(wrapped)).encode(), answers.front());
    // What a signature inside covers may be talked about.
    auto other = one_request();
    other.controls = {make_control(2, ResponseInfo{hex("00")})};
    const auto told = to_vec(cms::inner_content(signed_message(other, device)).value());
    EXPECT_THAT(statuses(world.send(envelope(cms::oid::signed_data, told, world.responder->certificate))),
                ElementsAre("failed badRequest 2"));
}

TEST_F(CmcMessage, LayersAreCounted) {
    auto message = signed_message(one_request(), device);
    for (int i = 0; i < 5; ++i) {
        message = encrypt(message, {world.responder->certificate}).value();
        message = [&] {
            const MessageSigner with{{device.key, cms::Identifier::by_issuer(device.certificate)}, {device.certificate.der()}};
            return sign(cms::oid::enveloped_data, cms::inner_content(message).value(), &with).value();
        }();
    }
    EXPECT_EQ(world.send(message).rejected.has_value(), true);
}

TEST_F(CmcMessage, MessagesInBer) {
    const auto der = signed_message(one_request(), device);
    // Indefinite length outside: 30 80 … 00 00.
    ByteVec ber{0x30, 0x80};
    append(ber, der::Reader{der}.content(der::Tag::sequence).value());
    append(ber, hex("0000"));
    EXPECT_EQ(world.send(ber).form, Answer::Form::simple);
}

// -- transactions (6.4, 6.6) ---------------------------------------------------------------------------------------------------

TEST_F(CmcMessage, TransactionNoncesAndDataComeBack) {
    auto data = one_request();
    data.controls = {make_control(2, TransactionId{hex("23ffb61ae6ef89")}), make_control(3, SenderNonce{hex("2711")}),
                     make_control(4, DataReturn{hex("00ff")})};
    const auto response = response_of(world.send(signed_message(data, device)));
    EXPECT_EQ(find_control<TransactionId>(response).value()->number, hex("23ffb61ae6ef89"));
    EXPECT_EQ(find_control<RecipientNonce>(response).value()->octets, hex("2711"));
    EXPECT_EQ(find_control<SenderNonce>(response).value()->octets.size(), 16u);
    EXPECT_EQ(find_control<DataReturn>(response).value()->octets, hex("00ff"));
    const auto refused = response_of(world.send(signed_message(data, world.holder("CN=x", "second")), "other"));
    EXPECT_EQ(find_control<RecipientNonce>(refused).value()->octets, hex("2711"));  // also where it is refused
}

// Bug class 25.
TEST_F(CmcMessage, ARepeatedMessageGetsTheSameAnswer) {
    auto client = world.client(device);
    const auto message = client.enroll({wish("CN=device 1")}).value();
    const auto first = world.send(message);
    const auto count = world.certificates();
    const auto second = world.send(message);
    EXPECT_EQ(first.der, second.der);
    EXPECT_EQ(first.form, second.form);
    EXPECT_EQ(world.certificates(), count);
    world.restart();
    EXPECT_EQ(world.send(message).der, first.der);
    // A refusal is repeated as a refusal.
    auto other = world.client(device);
    const auto refused = other.enroll({wish("CN=device 2")}).value();
    EXPECT_EQ(world.send(refused).rejected, Code::policy);
    EXPECT_EQ(world.send(refused).rejected, Code::policy);
    // Without a transactionId the authority knows it all the same.
    const auto plain = signed_message(one_request(), device);
    const auto certificates = [](const Answer& answer) { return cms::SignedData::parse(answer.der).value().certificates(); };
    EXPECT_EQ(certificates(world.send(plain)), certificates(world.send(plain)));
}

TEST_F(CmcMessage, ATransactionGoesOnWithTheLastNonce) {
    const auto message = [&](const std::vector<TaggedAttribute>& controls) {
        auto data = one_request();
        data.controls = controls;
        data.controls.push_back(make_control(2, TransactionId{hex("07")}));
        return signed_message(data, device);
    };
    const auto first = response_of(world.send(message({make_control(3, SenderNonce{hex("01")})})));
    const auto nonce = find_control<SenderNonce>(first).value()->octets;
    EXPECT_THAT(statuses(world.send(message({make_control(3, SenderNonce{hex("02")})}))), ElementsAre("failed badRequest 0"));
    EXPECT_THAT(
        statuses(world.send(message({make_control(3, SenderNonce{hex("02")}), make_control(4, RecipientNonce{hex("00")})}))),
        ElementsAre("failed badRequest 0"));
    EXPECT_THAT(statuses(world.send(message({make_control(3, SenderNonce{hex("02")}), make_control(4, RecipientNonce{nonce})}))),
                ElementsAre("success 1"));
    // Another's transaction of the same number is another one (bug class 7).
    auto data = one_request("CN=device 2");
    data.controls = {make_control(2, TransactionId{hex("07")})};
    EXPECT_THAT(statuses(world.send(signed_message(data, world.holder("CN=device 2")))), ElementsAre("success 1"));
    // Long ago: it is forgotten.
    world.clock.advance(Seconds{86'401});
    EXPECT_THAT(statuses(world.send(message({make_control(3, SenderNonce{hex("03")})}))), ElementsAre("success 1"));
}

// -- the client
// ------------------------------------------------------------------------------------------------------------------

TEST_F(CmcMessage, TheClientTrustsWhoMayAnswer) {
    auto client = world.client(device);
    const auto answer = world.send(client.enroll({wish("CN=device 1")}).value()).der;
    EXPECT_TRUE(client.read(answer));
    auto spoilt = answer;
    spoilt.back() ^= 1;
    EXPECT_EQ(code_of(client.read(spoilt)), Code::bad_proof);
    // By a certificate of the CA that is not for this.
    const auto parsed = cms::SignedData::parse(answer).value();
    const auto content = *parsed.content();
    const MessageSigner with{{device.key, cms::Identifier::by_issuer(device.certificate)}, {device.certificate.der()}};
    EXPECT_EQ(code_of(client.read(sign(cmc::oid::pki_response, content, &with).value())), Code::not_authenticated);
    EXPECT_EQ(code_of(client.read(sign(cmc::oid::pki_response, content, nullptr).value())), Code::not_authenticated);
    // By the CA itself.
    const MessageSigner ca{{world.ca->issuing_key, cms::Identifier::by_issuer(world.ca->issuing)}, {world.ca->issuing.der()}};
    EXPECT_TRUE(client.read(sign(cmc::oid::pki_response, content, &ca).value()));
    // By somebody's CA.
    ClientConfig config;
    config.certificate = device.for_client();
    config.anchors = {world.acme->root};
    config.intermediates = {world.ca->issuing};
    Client elsewhere{std::move(config), world.clock, world.entropy};
    EXPECT_EQ(code_of(elsewhere.read(answer)), Code::not_authenticated);
}

TEST_F(CmcMessage, TheClientTakesAnswersToItsOwnMessagesOnly) {
    auto client = world.client(device), other = world.client(device);
    const auto answer = world.send(client.enroll({wish("CN=device 1")}).value()).der;
    ASSERT_TRUE(other.enroll({wish("CN=device 1")}));
    EXPECT_EQ(code_of(other.read(answer)), Code::bad_proof);
    ASSERT_TRUE(client.read(answer));
    ASSERT_TRUE(client.enroll({wish("CN=device 1")}));  // the next message of the same transaction
    EXPECT_EQ(code_of(client.read(answer)), Code::bad_proof);
}

TEST_F(CmcMessage, TheClientReadsOldStatusInfoAndNestedBodies) {
    auto client = world.client(device);
    const auto request =
        PkiData::parse(*cms::SignedData::parse(client.enroll({wish("CN=device 1")}).value()).value().content()).value();
    const auto answer_with = [&](const std::vector<TaggedAttribute>& controls, const std::vector<TaggedContentInfo>& contents) {
        PkiResponse response;
        response.controls = controls;
        response.controls.push_back(make_control(50, *find_control<TransactionId>(request).value()));
        response.controls.push_back(make_control(51, RecipientNonce{find_control<SenderNonce>(request).value()->octets}));
        response.contents = contents;
        const auto content = response.encode();
        const MessageSigner with{{world.responder->key, cms::Identifier::by_issuer(world.responder->certificate)},
                                 {world.responder->certificate.der()}};
        return client.read(sign(cmc::oid::pki_response, content, &with).value());
    };
    const auto reply = answer_with({make_control(1, StatusInfo{Status::failed, {1}, "no\x1b[31m", FailInfo::bad_request}),
                                    make_control(2, ResponseBody{{9}}), make_control(3, ResponseInfo{hex("0a")})},
                                   {{9, hex("300b06092a864886f70d010702")}});
    // A text with control characters is not plain UTF-8, and refused as a whole.
    EXPECT_EQ(code_of(reply), Code::malformed);
    const auto good = answer_with({make_control(1, StatusInfo{Status::failed, {1}, "no", FailInfo::bad_request}),
                                   make_control(2, ResponseBody{{9}}), make_control(3, ResponseInfo{hex("0a")})},
                                  {{9, hex("300b06092a864886f70d010702")}})
                          .value();
    EXPECT_THAT(statuses(good.statuses), ElementsAre("failed badRequest 1"));
    EXPECT_EQ(good.bodies.size(), 1u);
    EXPECT_EQ(good.response_info, hex("0a"));
    EXPECT_THAT(good.failure()->detail, HasSubstr("badRequest: no"));
    EXPECT_EQ(code_of(answer_with({make_control(2, ResponseBody{{8}})}, {})), Code::malformed);
}

TEST_F(CmcMessage, TheClientDoesNotFallOverSpoiltAnswers) {
    auto client = world.client(device);
    const auto answer = world.send(client.enroll({wish("CN=device 1")}).value()).der;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        auto spoilt = answer;
        spoilt[i] = static_cast<std::uint8_t>(spoilt[i] ^ (1u << (i % 8)));
        const auto reply = client.read(spoilt);
        EXPECT_TRUE(!reply || !reply->failure()) << i;
    }
}

}  // namespace
}  // namespace estuary::test
