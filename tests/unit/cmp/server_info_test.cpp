// genm: every type of information (RFC 9483 4.3, RFC 9810 5.3.19).
#include "server_world.h"

namespace estuary::test {
namespace {

using cmp::GenContent;
using cmp::InfoTypeAndValue;

PkiBody ask_for(std::vector<InfoTypeAndValue> infos) { return {BodyType::genm, GenContent{std::move(infos)}}; }
InfoTypeAndValue told(const PkiMessage& answer) {
    EXPECT_EQ(answer.type(), BodyType::genp) << verdict(answer);
    return answer.as<GenContent>().infos.at(0);
}

TEST_F(CmpServer, TellsItsCertificates) {
    auto talker = alice();
    const auto certificates = cmp::read_ca_certs(told(talker.send(ask_for({cmp::ask(cmp::oid::ca_certs)})))).value();
    EXPECT_EQ(certificates.front().x509().value(), world.ca->issuing);
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({{cmp::oid::ca_certs, ByteVec{0x05, 0x00}}}))), "error badDataFormat");
}

TEST_F(CmpServer, TellsATemplate) {
    auto talker = alice();
    const auto wanted = cmp::read_cert_req_template(told(talker.send(ask_for({cmp::ask(cmp::oid::cert_req_template)})))).value().value();
    const auto choices = cmp::key_choices(wanted.key_spec).value();
    ASSERT_EQ(choices.size(), 4u);
    EXPECT_TRUE(std::holds_alternative<ByteVec>(choices.front()));
    EXPECT_EQ(std::get<std::uint32_t>(choices.back()), 2048u);
    EXPECT_FALSE(wanted.cert_template.public_key);
    EXPECT_NE(x509::find(wanted.cert_template.extensions, x509::oid::key_usage), nullptr);
    talker.begin();
    const auto of_ra = cmp::read_cert_req_template(told(talker.send(ask_for({cmp::ask(cmp::oid::cert_req_template)}), [](auto& header) {
        header.general_info = {cmp::make_cert_profile({"ra"})};
    }))).value().value();
    EXPECT_EQ(cmp::key_choices(of_ra.key_spec).value().size(), 1u);
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::ask(cmp::oid::cert_req_template)}), [](auto& header) {
        header.general_info = {cmp::make_cert_profile({"none"})};
    })), "error badRequest");
}

TEST_F(CmpServer, TellsAlgorithms) {
    auto talker = alice();
    EXPECT_EQ(cmp::read_key_pair_types(told(talker.send(ask_for({cmp::ask(cmp::oid::sign_key_pair_types)})))).value().size(), 4u);
    talker.begin();
    EXPECT_EQ(cmp::read_key_pair_types(told(talker.send(ask_for({cmp::ask(cmp::oid::enc_key_pair_types)})))).value().size(), 3u);
    talker.begin();
    EXPECT_TRUE(cmp::read_algorithm_info(told(talker.send(ask_for({cmp::ask(cmp::oid::preferred_symm_alg)})))).value());
    talker.begin();
    const auto curve = told(talker.send(ask_for({cmp::make_key_pair_param_req(der::Oid{"1.2.840.10045.2.1"})})));
    EXPECT_EQ(curve.info_type, cmp::oid::key_pair_param_rep);
    EXPECT_TRUE(cmp::read_algorithm_info(curve).value());
    talker.begin();
    EXPECT_FALSE(cmp::read_algorithm_info(told(talker.send(ask_for({cmp::make_key_pair_param_req(der::Oid{"1.2.3"})})))).value());
    talker.begin();
    EXPECT_FALSE(cmp::read_ca_prot_enc_cert(told(talker.send(ask_for({cmp::ask(cmp::oid::ca_prot_enc_cert)})))).value());
}

TEST_F(CmpServer, TellsLanguagesAndTakesNoPassphrase) {
    auto talker = alice();
    EXPECT_EQ(cmp::read_supp_lang_tags(told(talker.send(ask_for({cmp::make_supp_lang_tags({"de", "en-GB"})})))).value(),
              std::vector<std::string>{"en-GB"});
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::make_supp_lang_tags({"de"})}))), "error badRequest");
    talker.begin();
    crmf::EncryptedValue value;
    value.enc_value = {1};
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::make_rev_passphrase(value)}))), "error badRequest") << "the label does not say so";
}

TEST_F(CmpServer, OneInfoUnlessMoreAreAllowed) {
    auto talker = alice();
    EXPECT_EQ(verdict(talker.send(ask_for({}))), "error badRequest");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::ask(der::Oid{"1.2.3"})}))), "error badRequest");
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::ask(cmp::oid::ca_certs), cmp::ask(cmp::oid::preferred_symm_alg)}))), "error badRequest");
    Talker many{world, "alice", alice_secret, "many"};
    const auto answer = many.send(ask_for({cmp::ask(cmp::oid::ca_certs), cmp::ask(der::Oid{"1.2.3"})}));
    ASSERT_EQ(answer.as<GenContent>().infos.size(), 2u);
    EXPECT_EQ(cmp::read_unsupported_oids(answer.as<GenContent>().infos.back()).value(), std::vector<der::Oid>{der::Oid{"1.2.3"}});
}

TEST_F(CmpServer, UnprotectedQuestionsOnlyWhereTheyAreAllowed) {
    const auto body = ask_for({cmp::ask(cmp::oid::ca_certs)});
    for (const auto& [label, expected] : {std::pair{"", "error badMessageCheck"}, std::pair{"open", "genp"}}) {
        Talker talker{world, "alice", alice_secret, label};
        auto header = PkiMessage::parse(talker.make(body)).value().header();
        header.protection_alg.reset();
        EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), body.encode(), {}))), expected);
    }
    // Nothing else goes that way (bug class 1).
    Talker talker{world, "alice", alice_secret, "open"};
    const auto request = talker.request(BodyType::ir, "CN=dev");
    auto header = PkiMessage::parse(talker.make(request)).value().header();
    header.protection_alg.reset();
    EXPECT_EQ(verdict(talker.deliver(cmp::encode_message(header.encode(), request.encode(), {}))), "error badMessageCheck");
}

TEST_F(CmpServer, TellsCrlsThatAreNewer) {
    auto talker = alice();
    store::UnitOfWork work;
    const auto made = world.authority->make_crl("issuing", 0, authority::CrlKind::complete, work).value();
    ASSERT_TRUE(world.store->commit(std::move(work)));
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::ask(cmp::oid::current_crl)}))), "error waiting");   // none is published
    world.published_crls = {made.der};
    talker.begin();
    EXPECT_EQ(cmp::read_current_crl(told(talker.send(ask_for({cmp::ask(cmp::oid::current_crl)})))).value(), made.der);
    const auto by_issuer = [&](const char* issuer, std::optional<Time> has) {
        talker.begin();
        return talker.send(ask_for({cmp::make_crl_status_list({{std::vector{directory(issuer)}, has}})}));
    };
    const auto issuer = world.ca->issuing.subject().to_text();
    EXPECT_EQ(cmp::read_crls(told(by_issuer(issuer.c_str(), {}))).value(), std::vector<ByteVec>{made.der});
    EXPECT_EQ(cmp::read_crls(told(by_issuer(issuer.c_str(), world.clock.now() - Seconds{9999999}))).value().size(), 1u);
    EXPECT_TRUE(cmp::read_crls(told(by_issuer(issuer.c_str(), world.clock.now()))).value().empty());
    EXPECT_EQ(verdict(by_issuer("CN=else", {})), "error badRequest");
    x509::DistributionPointName point;
    point.full_name = {x509::GeneralName::from_text("uri:http://crl.example/issuing-0.crl").value()};
    talker.begin();
    EXPECT_EQ(cmp::read_crls(told(talker.send(ask_for({cmp::make_crl_status_list({{point, {}}})})))).value().size(), 1u);
    point.full_name = {x509::GeneralName::from_text("uri:http://169.254.169.254/x").value()};   // bug class 29: never fetched
    talker.begin();
    EXPECT_EQ(verdict(talker.send(ask_for({cmp::make_crl_status_list({{point, {}}})}))), "error badRequest");
}

TEST_F(CmpServer, TellsThatTheRootIsTheNewestOne) {
    auto talker = alice();
    const auto none = told(talker.send(ask_for({cmp::make_root_ca_cert(cmp::CmpCertificate{world.ca->root})})));
    EXPECT_EQ(none.info_type, cmp::oid::root_ca_key_update);
    EXPECT_FALSE(cmp::read_root_ca_key_update(none).value());
}

TEST(CmpServerRoots, AnOlderRootGetsTheLinksToTheNewOne) {   // RFC 9483 4.3.2
    ServerWorld world;
    authority::CaPlan plan;
    plan.organisation_name = "Ours";
    store::UnitOfWork unrecorded;
    world.clock.advance(Seconds{86400});
    const auto rolled = authority::roll_over(plan, world.ca->root, world.ca->root_key, world.clock, world.entropy, unrecorded).value();
    authority::Config config;
    config.cas.push_back({"issuing", rolled.next.issuing, rolled.next.issuing_key, {rolled.next.root}, {rolled.old_with_new, rolled.new_with_old}});
    config.profiles = {authority::default_device_profile("issuing")};
    config.password_key = crypto::Secret{std::string_view{"a key for passwords of 32 octets"}};
    world.server.reset();
    world.authority = authority::Authority::create(std::move(config), *world.store, world.clock, world.entropy).value();
    cmp::ServerConfig labels;
    labels.labels.push_back({});
    labels.labels.back().profile = "device";
    labels.labels.back().shared_secret = true;
    world.server = cmp::Server::create(labels, *world.authority, *world.store, world.clock, world.entropy).value();
    Talker talker{world, "alice", alice_secret};
    const auto answer = told(talker.send(ask_for({cmp::make_root_ca_cert(cmp::CmpCertificate{world.ca->root})})));
    const auto update = cmp::read_root_ca_key_update(answer).value().value();
    EXPECT_EQ(update.new_with_new.x509().value(), rolled.next.root);
    EXPECT_EQ(update.new_with_old.value().x509().value(), rolled.new_with_old);
    EXPECT_EQ(update.old_with_new.value().x509().value(), rolled.old_with_new);
    // A root that is none of ours is not led to it (bug class 16).
    talker.begin();
    const auto stranger = told(talker.send(ask_for({cmp::make_root_ca_cert(cmp::CmpCertificate{world.acme->root})})));
    EXPECT_FALSE(cmp::read_root_ca_key_update(stranger).value());
}

}  // namespace
}  // namespace estuary::test
