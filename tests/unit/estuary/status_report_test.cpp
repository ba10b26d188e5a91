// A status told: exit status, text, JSON.
#include "status_report.h"
#include "tests/unit/ocsp/status_world.h"

namespace estuary::client {
namespace {

using namespace ocsp::relying_party;
using testing::HasSubstr;

ocsp::StatusOptions crl_only() {
    ocsp::StatusOptions options;
    options.ocsp = false;
    return options;
}

TEST(StatusReport, ExitStatusTellsWhatItCameTo) {
    World world;
    EXPECT_EQ(exit_status_of(world.check()), status_good);
    world.issued["1234"].revocation = store::Revocation{now - day, store::RevocationReason::superseded, {}};
    world.set_responder(world.ca);
    EXPECT_EQ(exit_status_of(world.check()), status_revoked);
    world.issued.clear();
    EXPECT_EQ(exit_status_of(world.check()), status_unknown);
    world.replace_device({.extensions = {x509::make_authority_info_access({"http://gone.example/ocsp"}, {})}});
    EXPECT_EQ(exit_status_of(world.check()), status_unreachable);
    world.put("http://gone.example/ocsp", as_bytes("hello"), "text/html");
    EXPECT_EQ(exit_status_of(world.check()), status_unknown);
}

TEST(StatusReport, HoldIsTold) {
    World world;
    world.put(crl_url, make_list(world.ca, {.entries = {{.reason = x509::CrlReason::certificate_hold}}}));
    const auto held = world.check(crl_only());
    EXPECT_EQ(exit_status_of(held), status_revoked);
    EXPECT_THAT(status_text(held, {world.subject(), false}), testing::StartsWith("revoked (on hold) since 2026-11-19T04:00:00Z: certificateHold\n"));
}

TEST(StatusReport, SaysWhatToDoWhenTheCertificateNamesNobody) {
    World world;
    world.replace_device({});
    const auto report = world.check();
    EXPECT_EQ(exit_status_of(report), status_unknown);
    const auto text = status_text(report, {world.subject(), false});
    EXPECT_THAT(text, HasSubstr("names no OCSP responder"));
    EXPECT_THAT(text, HasSubstr("--crl-file FILE"));
}

TEST(StatusReport, JsonTellsEverything) {
    World world;
    world.put(crl_url, make_list(world.ca, {.entries = {{}}}));
    const auto json = status_json(world.check(crl_only()), {world.subject(), true});
    for (const auto* part : {R"("status":"revoked")", R"("serial_number":"1234")", R"("path_verified":true)", R"("reason":"keyCompromise")",
                             R"("revoked_at":"2026-11-19T04:00:00Z")", R"("invalidity_date":"2026-11-18T04:00:00Z")", R"("kind":"crl")",
                             R"("holds_until":"2026-11-22T04:00:00Z")"})
        EXPECT_THAT(json, HasSubstr(part));
}

TEST(StatusReport, NamesOfOthersDriveNoTerminal) {
    World world;
    world.replace_device({.extensions = {x509::make_crl_distribution_points({"http://ca.example/\x1b[2J"})}});
    const auto text = status_text(world.check(), {world.subject(), false});
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

}  // namespace
}  // namespace estuary::client
