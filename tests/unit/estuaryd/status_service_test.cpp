#include <sys/stat.h>

#include "apps/estuaryd/ocsp_signer.h"
#include "apps/estuaryd/status_handler.h"
#include "estuary/ocsp/verify.h"
#include "tests/unit/estuaryd/status_fixture.h"

namespace estuary::daemon {
namespace {

using testing::StatusInstallation;
using ::testing::HasSubstr;

x509::Certificate signer_of(const StatusInstallation& installation, const std::string& base = "issuing") {
    return x509::parse_certificates(file::read(installation.file("ocsp/" + base + ".pem")).value()).value().front();
}

TEST(OcspSigner, is_what_rfc_6960_wants_and_private) {
    StatusInstallation installation;
    const auto certificate = signer_of(installation);
    EXPECT_EQ(certificate.subject().to_text(), "CN=issuing OCSP");
    EXPECT_EQ(certificate.ext_key_usage(), std::vector<der::Oid>{x509::oid::kp_ocsp_signing});
    EXPECT_EQ(certificate.key_usage(), x509::digital_signature);
    EXPECT_LE(certificate.not_after() - certificate.not_before(), Seconds{30 * 86'400LL}) << "nobody can revoke it";
    EXPECT_NE(x509::find(certificate.extensions(), x509::oid::ocsp_no_check), nullptr);
    // Nor is there anybody to ask (RFC 9919 3.2.2).
    EXPECT_TRUE(x509::crl_uris(certificate.extensions()).value().empty());
    const auto* access = x509::find(certificate.extensions(), x509::oid::authority_info_access);
    ASSERT_NE(access, nullptr) << "where the CA's certificate is";
    EXPECT_TRUE(x509::parse_authority_info_access(access->value)->ocsp_uris.empty());
    struct stat status {};
    ASSERT_EQ(::stat(installation.file("ocsp/issuing.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(installation.told, "");
}

TEST(OcspSigner, stays_until_its_last_third) {
    StatusInstallation installation;
    const auto first = signer_of(installation);
    installation.clock.advance(Seconds{19 * 86'400LL});
    EXPECT_FALSE(installation.service->signers_are_due(installation.clock.now()));
    installation.open();
    EXPECT_EQ(signer_of(installation), first);
    installation.clock.advance(Seconds{2 * 86'400LL});
    EXPECT_TRUE(installation.service->signers_are_due(installation.clock.now()));
    installation.open();
    EXPECT_NE(signer_of(installation), first);
    EXPECT_FALSE(installation.service->signers_are_due(installation.clock.now()));
}

TEST(OcspSigner, is_made_anew_after_a_rollover_and_for_another_key_type) {
    StatusInstallation installation;
    installation.set("[ca.issuing.ocsp]\n", "[ca.issuing.ocsp]\nkey_type = \"p384\"\n");
    installation.open();
    EXPECT_EQ(signer_of(installation).public_key()->type_name(), "p384");
    const auto former = signer_of(installation);
    ASSERT_EQ(testing::run({"ca", "rollover", "--dir", installation.directory()}, StatusInstallation::start).status, 0);
    installation.open();
    EXPECT_EQ(signer_of(installation), former) << "certificates of the former generation are still asked for";
    EXPECT_TRUE(is_signed_by(signer_of(installation, "issuing.2"), installation.generation->authority->ca("issuing")->certificate));
}

TEST(OcspSigner, goes_on_where_it_cannot_be_renewed) {
    StatusInstallation installation;
    const auto first = signer_of(installation);
    installation.clock.advance(Seconds{25 * 86'400LL});
    // The directory of the new files is missing, and cannot be made.
    const auto wanted = ocsp_signer("/proc/no such directory", "issuing", "issuing", "p256");
    EXPECT_FALSE(current_own_certificate(wanted, *installation.generation->authority, *installation.store, nullptr, installation.clock.now()));
    // Nothing is issued: the former pair is used on while it is valid.
    const auto former = ocsp_signer(installation.directory(), "issuing", "issuing", "p256");
    auto beyond = former;
    beyond.profile = "no such profile";
    const auto signer = current_own_certificate(beyond, *installation.generation->authority, *installation.store, nullptr, installation.clock.now());
    ASSERT_TRUE(signer) << signer.error().detail;
    EXPECT_EQ(signer->certificate.chain.front(), first);
    EXPECT_TRUE(signer->trouble);
    EXPECT_FALSE(signer->renewed);
}

/// Bug class 18: what the OCSP of one generation says about certificates of another.
TEST(StatusService, a_generation_answers_for_its_own_certificates_only) {
    StatusInstallation installation;
    const auto former_serial = installation.issue();
    ASSERT_EQ(testing::run({"ca", "rollover", "--dir", installation.directory()}, StatusInstallation::start).status, 0);
    installation.open();
    const auto serial = installation.issue();
    AuthoritySource source;
    for (const auto& issuer : installation.service->issuers()) source.add(issuer);
    const auto knows = [&](std::string_view base, const ByteVec& serial_number) { return source.status(base, serial_number).value().has_value(); };
    EXPECT_TRUE(knows("issuing", former_serial));
    EXPECT_FALSE(knows("issuing.2", former_serial));
    EXPECT_TRUE(knows("issuing.2", serial));
    EXPECT_FALSE(knows("issuing", serial));
    installation.revoke(serial);
    EXPECT_FALSE(knows("issuing", serial)) << "nor revoked";
}

class Handling : public ::testing::Test {
protected:
    void SetUp() override {
        desk.replace(installation.service);
        ASSERT_TRUE(publish_crl(installation.service->issuers().front(), 0, authority::CrlKind::complete, *installation.files,
                                *installation.store));
    }
    http::Response get(const std::string& target, http::Headers headers = {}) {
        return handler.answer({"GET", target, std::move(headers), ""});
    }

    StatusInstallation installation;
    StatusDesk desk;
    StatusHandler handler{desk, installation.clock};
};

TEST_F(Handling, sends_a_list_without_copying_it) {
    const auto response = get("/crl/issuing-0.crl");
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.headers.find("Content-Type"), "application/pkix-crl");
    EXPECT_EQ(response.headers.find("Cache-Control"), "max-age=86400, public, no-transform, must-revalidate");
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(std::string{response.shared.octets}, testing::read_text(installation.file("crl/issuing-0.crl")));
    const auto again = get("/crl/issuing-0.crl?any");
    EXPECT_EQ(again.shared.octets.data(), response.shared.octets.data());
    // A list that goes away while it is sent stays until it is sent.
    std::filesystem::remove(installation.file("crl/issuing-0.crl"));
    EXPECT_EQ(get("/crl/issuing-0.crl").status, 404u);
    EXPECT_EQ(response.shared.octets.front(), 0x30);
}

TEST_F(Handling, age_ends_with_the_schedule_and_never_below_zero) {
    installation.clock.advance(Seconds{86'000});
    EXPECT_THAT(std::string{*get("/crl/issuing-0.crl").headers.find("Cache-Control")}, HasSubstr("max-age=400,"));
    installation.clock.advance(Seconds{8 * 86'400});
    EXPECT_THAT(std::string{*get("/crl/issuing-0.crl").headers.find("Cache-Control")}, HasSubstr("max-age=0,"));
}

TEST_F(Handling, not_modified) {
    const auto first = get("/crl/issuing-0.crl");
    const std::string tag{*first.headers.find("ETag")}, date{*first.headers.find("Last-Modified")};
    EXPECT_EQ(get("/crl/issuing-0.crl", {{"If-None-Match", "\"x\", " + tag}}).status, 304u);
    EXPECT_EQ(get("/crl/issuing-0.crl", {{"If-None-Match", "*"}}).status, 304u);
    EXPECT_EQ(get("/crl/issuing-0.crl", {{"If-None-Match", "\"x\""}, {"If-Modified-Since", date}}).status, 200u);
    EXPECT_EQ(get("/crl/issuing-0.crl", {{"If-Modified-Since", date}}).status, 304u);
    EXPECT_EQ(get("/crl/issuing-0.crl", {{"If-Modified-Since", "yesterday"}}).status, 200u);
}

TEST_F(Handling, nothing_but_its_own) {
    for (const auto* target : {"/", "/crl", "/crl/", "/crl/..", "/crl/../estuary.toml", "/crl/%2e%2e", "/crl/.issuing-0.crl.next",
                               "/crl/issuing-0.crl/", "/ca/", "/ca/issuing.pem", "/ca/root.cer", "/.well-known/est/cacerts", "/healthz", ""})
        EXPECT_EQ(get(target).status, 404u) << target;
    EXPECT_EQ(handler.answer({"PUT", "/crl/issuing-0.crl", {}, ""}).status, 405u);
    EXPECT_EQ(handler.answer({"POST", "/ca/issuing.cer", {}, ""}).status, 405u);
    EXPECT_EQ(get("/ca/issuing.cer").body, as_text(installation.generation->authority->ca("issuing")->certificate.der()));
}

TEST_F(Handling, ocsp_is_counted) {
    http::Request request{"POST", "/ocsp", {{"Content-Type", "application/ocsp-request"}}, "nonsense"};
    EXPECT_EQ(handler.answer(request).status, 200u);
    EXPECT_EQ(desk.counters.ocsp_by_status[1], 1u);
    EXPECT_EQ(get("/ocsp").status, 400u);
    EXPECT_EQ(desk.counters.ocsp_by_status[4], 1u);
}

TEST(StatusService, nothing_without_a_section) {
    StatusInstallation installation;
    installation.set("[status]", "[nostatus]");
    EXPECT_FALSE(read_configuration(installation.directory()).configuration) << "an unknown section";
    auto text = testing::read_text(installation.file("estuary.toml"));
    const auto begin = text.find("[nostatus]"), end = text.find("# The CA that signs.");
    text.erase(begin, end - begin);
    const auto crl = text.find("[ca.issuing.crl]"), device = text.find("# What a device's");
    text.erase(crl, device - crl);
    testing::write_text(installation.file("estuary.toml"), text);
    installation.open();
    EXPECT_TRUE(installation.service->issuers().empty());
    EXPECT_EQ(installation.service->ocsp(), nullptr);
    const auto checked = testing::run({"check", "--dir", installation.directory()}, StatusInstallation::start);
    EXPECT_EQ(checked.status, 0);
    EXPECT_THAT(checked.err, HasSubstr("there is no [status]"));
}

}  // namespace
}  // namespace estuary::daemon
