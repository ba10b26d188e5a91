// Fetching packages and returning receipts (RFC 8295 3 to 8).
#include <fmt/format.h>

#include "package_support.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

class EstServerPackages : public EstServer {
protected:
    std::int64_t add(std::string_view type, ByteVec der, std::string_view to = "any", std::optional<std::string> label = "",
                     bool receipt = false) {
        return add_package(world, type, std::move(der), to, std::move(label), receipt);
    }
    store::PackageReads& reads() { return *world.store->package_reads(); }
    static std::string serial_of(const Identity& identity) { return "certificate:issuing/" + identity.certificate.serial_hex(); }

    http::Response fetch(const std::string& path, const Identity& who, const std::string& label = "") {
        return world.send(get(target(label, path)), peer(who));
    }
    static http::Request returning(const std::string& path, Bytes der, const std::string& type = "application/cms") {
        http::Request request;
        request.method = "POST";
        request.target = target("", path);
        request.headers.add("Content-Type", type);
        request.body = to_base64_lines(der);
        return request;
    }
    std::size_t receipts() { return reads().package_receipts({}).value().size(); }
    std::vector<store::AuditEvent> audited(std::string_view event) {
        std::vector<store::AuditEvent> found;
        const auto all = world.store->audit(0, 10'000).value();
        for (const auto& line : all)
            if (line.event == event) found.push_back(line);
        return found;
    }

    Identity device = world.enrolled("", "CN=device 1");
    Identity vendor = world.device("CN=vendor");
    ByteVec firmware = signed_by(vendor, content::firmware, some_content());
};

struct PackageCase {
    std::string name, type, path, media_type;
};
class EstPackageKinds : public EstServerPackages, public testing::WithParamInterface<PackageCase> {
protected:
    ByteVec made() {
        const auto& type = GetParam().type;
        if (type == "0003") return cms::encode_certs_only({vendor.certificate.der()});
        if (type == "0021") return enveloped(content::asymmetric_key, some_content());
        if (type == "0024") return enveloped(content::symmetric_keys, some_content());
        if (type == "0026") return firmware;
        return signed_by(vendor, type == "0028" ? content::tamp_query : content::tamp_update, some_content());
    }
};

TEST_P(EstPackageKinds, ComesWholeUnderItsMediaType) {
    const auto der = made();
    const auto id = add(GetParam().type, der);
    for (const auto& path : {GetParam().path, GetParam().path + "/" + std::to_string(id)}) {
        if (path == "serverkeygen") continue;  // RFC 7030 4.4: that one is asked for by POST
        const auto answer = fetch(path, device);
        ASSERT_EQ(answer.status, 200u) << path << answer.body;
        EXPECT_EQ(answer.headers.find("Content-Type"), GetParam().media_type);
        EXPECT_EQ(answer.headers.find("Cache-Control"), "no-store");
        EXPECT_EQ(from_base64(answer.body).value(), der) << "RFC 8951 3: base64 of DER";
    }
}
INSTANTIATE_TEST_SUITE_P(Rfc8295, EstPackageKinds, testing::Values(
    PackageCase{"peers", "0003", "eecerts", "application/pkcs7-mime; smime-type=certs-only"},
    PackageCase{"asymmetric_key", "0021", "serverkeygen", "application/cms; encapsulatingContent=envelopedData; innerContent=aKeyPackage"},
    PackageCase{"symmetric_key", "0024", "symmetrickeys", "application/cms; encapsulatingContent=envelopedData; innerContent=sKeyPackage"},
    PackageCase{"firmware", "0026", "firmware", "application/cms; encapsulatingContent=signedData; innerContent=firmwarePackage"},
    PackageCase{"tamp_status_query", "0028", "tamp", "application/tamp-status-query"},
    PackageCase{"tamp_update", "0030", "tamp", "application/tamp-update"}),
    [](const auto& test) { return test.param.name; });

/// Every path by every method and by nobody: nothing comes out, nothing is recorded (bug class 1).
TEST_F(EstServerPackages, EveryPathAndMethodWithoutAuthentication) {
    add("0026", firmware);
    for (const auto* path : {"pal", "pal/new-0", "eecerts", "symmetrickeys", "firmware", "tamp", "firmware/1", "serverkeygen/1"})
        for (const auto* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}) {
            const bool reads_it = method == std::string_view{"GET"} || method == std::string_view{"HEAD"};
            const auto answer = world.send(get(target("", path), method), peer());
            EXPECT_EQ(answer.status, reads_it ? 401u : 405u) << method << ' ' << path;
            EXPECT_EQ(answer.headers.find("Allow").has_value(), !reads_it);
            EXPECT_EQ(world.send(get(target("acme", path), method), peer()).status, reads_it ? 403u : 405u) << method << ' ' << path;
        }
    for (const auto* path : {"symmetrickeys/return", "firmware/return", "tamp/return", "serverkeygen/return", "firmware/return/1"})
        for (const auto* method : {"GET", "HEAD", "POST", "PUT", "DELETE"}) {
            auto request = returning(path, firmware);
            request.method = method;
            EXPECT_EQ(world.send(request, peer()).status, method == std::string_view{"POST"} ? 401u : 405u) << method << ' ' << path;
        }
    EXPECT_TRUE(reads().package_downloads(1)->empty());
    EXPECT_TRUE(audited("package.downloaded").empty());
}

TEST_F(EstServerPackages, WithoutAStoreOfPackagesNothingIsOffered) {  // bug class 9
    world.restart([](ServerConfig& config) { config.packages = nullptr; });
    for (const auto* path : {"pal", "eecerts", "symmetrickeys", "firmware", "tamp", "serverkeygen/1", "simpleenroll/1"})
        EXPECT_EQ(fetch(path, device).status, 404u) << path;
    EXPECT_EQ(world.send(returning("firmware/return", firmware), peer(device)).status, 404u);
}

TEST_F(EstServerPackages, LabelsWithoutTheirOwnSettingRefuse) {  // bug classes 9, 11
    add("0026", firmware, "any", std::nullopt);
    const auto of_closed = fetch("firmware", device, "closed");
    EXPECT_EQ(of_closed.status, 403u);
    EXPECT_EQ(fetch("pal", device, "closed").status, 403u);
    EXPECT_EQ(fetch("firmware", device, "off").status, 404u);
}

TEST_F(EstServerPackages, OthersPackagesAreNotThere) {  // bug class 7
    const auto other = world.enrolled("", "CN=device 2");
    const auto mine = add("0026", firmware, serial_of(device));
    const auto by_subject = add("0024", enveloped(content::symmetric_keys, some_content()), "subject:CN=device 1");
    EXPECT_EQ(fetch("firmware/" + std::to_string(mine), device).status, 200u);
    EXPECT_EQ(fetch("symmetrickeys/" + std::to_string(by_subject), device).status, 200u);
    for (const auto& path : {"firmware/" + std::to_string(mine), std::string{"firmware"}, "symmetrickeys/" + std::to_string(by_subject)}) {
        const auto answer = fetch(path, other);
        EXPECT_EQ(answer.status, 404u) << path;
        EXPECT_EQ(answer.body, fetch("firmware/999", other).body) << "as if it were not there at all";
    }
    EXPECT_EQ(fetch("symmetrickeys/" + std::to_string(mine), device).status, 404u) << "another operation";
    EXPECT_EQ(world.send(returning("firmware/return/" + std::to_string(mine), signed_by(other, content::firmware_receipt, some_content())),
                         peer(other)).status, 404u);
}

/// bug class 7: what waits under a label is for certificates that were issued under it.
TEST_F(EstServerPackages, CertificatesOfAnotherLabelDoNotCount) {
    add("0026", firmware, "any", std::nullopt);
    const auto linked = world.enrolled("silent", "CN=device 1");
    EXPECT_EQ(fetch("firmware", linked, "silent").status, 200u);
    EXPECT_EQ(fetch("firmware", device, "silent").status, 401u) << "a password would do there";
    EXPECT_EQ(fetch("pal", device, "linked").status, 401u);
    const auto foreign = world.enrolled("other", "CN=device 1");
    EXPECT_EQ(fetch("firmware", foreign).status, 401u) << "bug class 2: another CA's";
}

TEST_F(EstServerPackages, RevokedCertificatesGetNothing) {  // bug class 6
    add("0026", firmware);
    EXPECT_EQ(fetch("firmware", device).status, 200u);
    world.revoke(device.certificate);
    EXPECT_EQ(fetch("firmware", device).status, 403u);
    EXPECT_EQ(fetch("pal", device).status, 403u);
}

/// A manufacturer's device may name itself as it likes; subjects are those that our CA certified (bug class 8).
TEST_F(EstServerPackages, SubjectsAreOursOnly) {
    const auto id = add("0026", firmware, "subject:CN=device 1", "acme");
    const auto pretender = world.device("CN=device 1");
    EXPECT_EQ(fetch("firmware/" + std::to_string(id), pretender, "acme").status, 404u);
    const auto own = add("0026", signed_by(vendor, content::firmware, some_content("two")), "manufacturer:acme/010203", "acme");
    EXPECT_EQ(fetch("firmware/" + std::to_string(own), pretender, "acme").status, 200u);
}

TEST_F(EstServerPackages, PasswordsCountWhileTheyAreGood) {
    const auto id = add("0026", firmware, "credential:one-time");
    world.add_credential("one-time", "a-one-time-password", [](auto& record) { record.uses_left = 1; });
    const auto ask = [&](const std::string& user, const std::string& password) {
        auto request = get(target("", "firmware/" + std::to_string(id)));
        request.headers.add("Authorization", basic(user, password));
        return world.send(request, peer()).status;
    };
    EXPECT_EQ(ask("one-time", "a-one-time-password"), 200u);
    EXPECT_EQ(ask("one-time", "wrong"), 401u);
    EXPECT_EQ(ask("alice", alice_password), 404u) << "somebody else's (bug class 7)";
    world.enrolled("", "CN=device 3", basic("one-time", "a-one-time-password"));
    EXPECT_EQ(ask("one-time", "a-one-time-password"), 403u) << "it is spent";
    auto list = get(target("", "pal"));
    list.headers.add("Host", "ca.example");
    list.headers.add("Authorization", basic("one-time", "a-one-time-password"));
    list.headers.add("Accept", "application/json");
    const auto pal = Pal::parse_json(world.send(list, peer()).body);
    ASSERT_TRUE(pal) << failure(pal);
    EXPECT_EQ(pal->entries.size(), 1u) << "the CA certificates, and neither packages nor an invitation to enroll";
}

TEST_F(EstServerPackages, PasswordsForAnotherProfileDoNotCount) {  // bug class 2
    world.add_credential("servers", "a-password-for-servers", [](auto& record) { record.profile = "server"; });
    auto request = get(target("", "pal"));
    request.headers.add("Host", "ca.example");
    request.headers.add("Authorization", basic("servers", "a-password-for-servers"));
    EXPECT_EQ(world.send(request, peer()).status, 403u);
}

TEST_F(EstServerPackages, DownloadIsRecordedBeforeItLeaves) {  // bug class 24
    const auto id = add("0026", firmware);
    store::UnitOfWork work;
    const auto answer = world.server->serve(get(target("", "firmware")), peer(device), work);
    ASSERT_EQ(answer.status, 200u);
    EXPECT_TRUE(reads().package_downloads(id)->empty()) << "not yet";
    ASSERT_FALSE(work.empty()) << "the answer waits for this";
    ASSERT_TRUE(world.store->commit(std::move(work)));
    const auto downloads = reads().package_downloads(id).value();
    ASSERT_EQ(downloads.size(), 1u);
    EXPECT_EQ(downloads[0].client, "issuing//CN=device 1");
    const auto lines = audited("package.downloaded");
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].actor, serial_of(device));
    EXPECT_EQ(lines[0].object, fmt::format("package:{}", id));
    EXPECT_THAT(lines[0].detail, HasSubstr("type=0026"));
}

TEST_F(EstServerPackages, LookingIsNotFetching) {
    const auto id = add("0026", firmware);
    EXPECT_EQ(world.send(get(target("", "firmware"), "HEAD"), peer(device)).status, 200u);
    EXPECT_TRUE(reads().package_downloads(id)->empty());
}

TEST_F(EstServerPackages, BarePathGivesTheNextThatWasNotFetched) {
    const auto first = firmware, second = signed_by(vendor, content::firmware, some_content("two"));
    add("0026", first);
    add("0026", second);
    const auto next = [&] { return from_base64(fetch("firmware", device).body).value(); };
    EXPECT_EQ(next(), first);
    EXPECT_EQ(next(), second);
    EXPECT_EQ(next(), second) << "all were fetched: the newest";
    EXPECT_EQ(fetch("tamp", device).status, 404u);
}

TEST_F(EstServerPackages, ReceiptIsTakenOnceAndBelongsToItsPackage) {  // bug class 25
    const auto id = add("0026", firmware, "any", "", true);
    EXPECT_EQ(fetch("firmware", device).status, 200u);
    const auto receipt = signed_by(device, content::firmware_receipt, some_content());
    const auto path = "firmware/return/" + std::to_string(id);
    const auto taken = world.send(returning(path, receipt), peer(device));
    EXPECT_EQ(taken.status, 204u) << taken.body;
    EXPECT_TRUE(taken.body.empty());
    EXPECT_EQ(world.send(returning(path, receipt), peer(device)).status, 204u) << "the reply was lost";
    const auto kept = reads().package_receipts({}).value();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].package, id);
    EXPECT_EQ(kept[0].content_type, "firmwareLoadReceipt");
    EXPECT_EQ(kept[0].signer, "CN=device 1");
    EXPECT_EQ(kept[0].requester, serial_of(device));
    EXPECT_EQ(reads().package_receipt(kept[0].id).value()->content, receipt);
    EXPECT_EQ(audited("package.receipt").size(), 1u);
}

TEST_F(EstServerPackages, ReceiptIsRecordedBeforeItIsAcknowledged) {  // bug class 24
    store::UnitOfWork work;
    const auto answer = world.server->serve(returning("firmware/return", signed_by(device, content::firmware_receipt, some_content())),
                                            peer(device), work);
    EXPECT_EQ(answer.status, 204u);
    EXPECT_FALSE(work.empty());
    EXPECT_EQ(receipts(), 0u);
}

TEST_F(EstServerPackages, BareReturnPathFindsTheOneThatIsDue) {
    const auto first = add("0026", firmware, "any", "", true);
    add("0026", signed_by(vendor, content::firmware, some_content("two")), "any", "", true);
    EXPECT_EQ(fetch("firmware/" + std::to_string(first), device).status, 200u);
    EXPECT_EQ(world.send(returning("firmware/return", signed_by(device, content::firmware_error, some_content())), peer(device)).status, 204u);
    EXPECT_EQ(reads().package_receipts({})->front().package, first) << "only one was fetched";
    EXPECT_EQ(world.send(returning("firmware/return", signed_by(device, content::firmware_error, some_content("b"))), peer(device)).status, 204u);
    EXPECT_FALSE(reads().package_receipts({})->back().package) << "none is due any more";
}

/// RFC 8295 5.2.2, 6.2.2, 7.2.2: a signature that is there must be that of somebody known.
TEST_F(EstServerPackages, ReceiptsOfStrangersAreRefused) {
    const auto send = [&](Bytes der) { return world.send(returning("firmware/return", der), peer(device)).status; };
    auto forged = signed_by(device, content::firmware_receipt, some_content());
    const auto text = as_bytes("content");
    *std::search(forged.begin(), forged.end(), text.begin(), text.end()) = 'C';
    EXPECT_EQ(send(forged), 400u);
    auto stranger = world.device("CN=stranger", "globex");
    stranger.certificate = device.certificate;   // somebody else's key under this name
    EXPECT_EQ(send(signed_by(stranger, content::firmware_receipt, some_content())), 400u);
    const auto revoked = world.enrolled("", "CN=device 9");
    world.revoke(revoked.certificate);
    EXPECT_EQ(send(signed_by(revoked, content::firmware_receipt, some_content())), 403u) << "bug class 6";
    EXPECT_EQ(send(signed_by(Identity{vendor.key, world.acme->root, {}}, content::firmware_receipt, some_content())), 400u);
    EXPECT_EQ(receipts(), 0u);
    EXPECT_EQ(send(signed_by(device, content::firmware_receipt, some_content(), true)), 204u) << "the certificate of the handshake";
    EXPECT_EQ(send(bare(content::firmware_receipt, some_content())), 204u) << "RFC 8295 6.2.1: it may be without signature";
}

TEST_F(EstServerPackages, ReceiptsOfTheWrongFormAreRefused) {
    const auto receipt = signed_by(device, content::firmware_receipt, some_content());
    const auto send = [&](const http::Request& request) { return world.send(request, peer(device)).status; };
    EXPECT_EQ(send(returning("firmware/return", receipt, "application/pkcs10")), 415u);
    EXPECT_EQ(send(returning("symmetrickeys/return", receipt)), 415u) << "a firmware receipt";
    EXPECT_EQ(send(returning("symmetrickeys/return", bare(content::key_receipt, some_content()))), 400u) << "has to be signed";
    EXPECT_EQ(send(returning("tamp/return", signed_by(device, content::tamp_response, some_content()))), 415u) << "RFC 8295 7.2.1";
    auto empty = returning("firmware/return", {});
    EXPECT_EQ(send(empty), 400u);
    empty.body = "no base64!";
    EXPECT_EQ(send(empty), 400u);
    empty.body = std::string(3 * receipt_octets_max, 'A');
    EXPECT_EQ(send(empty), 413u);
    auto twice = returning("firmware/return", receipt);
    twice.headers.add("Content-Type", "application/cms");
    EXPECT_EQ(send(twice), 400u);
    auto without = returning("firmware/return", receipt);
    without.headers = {};
    EXPECT_EQ(send(without), 400u);
    EXPECT_EQ(receipts(), 0u);
    EXPECT_EQ(send(returning("tamp/return", signed_by(device, content::tamp_response, some_content()), "application/tamp-status-response")), 204u);
    EXPECT_EQ(send(returning("symmetrickeys/return", signed_by(device, content::key_receipt, some_content()))), 204u);
    EXPECT_EQ(send(returning("serverkeygen/return", signed_by(device, content::key_receipt, some_content("b")))), 204u);
}

TEST_F(EstServerPackages, ReceiptsAreCounted) {  // bug class 30
    unsigned taken = 0, refused = 0;
    for (int i = 0; i < 70; ++i) {
        const auto status = world.send(returning("firmware/return", bare(content::firmware_error, some_content(std::to_string(i)))), peer(device)).status;
        (status == 204 ? taken : refused) += 1;
        EXPECT_TRUE(status == 204 || status == 400) << status;
    }
    EXPECT_EQ(taken, 64u);
    EXPECT_EQ(refused, 6u);
}

}  // namespace
}  // namespace estuary::est
