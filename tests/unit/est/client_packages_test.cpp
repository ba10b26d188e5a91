// The client's side of RFC 8295, against our own server and against servers that answer oddly.
#include <deque>

#include "package_support.h"

namespace estuary::est {
namespace {

using namespace test;
using testing::HasSubstr;

class EstClientPackages : public EstServer {
protected:
    Client client_of(const Identity& who) { return Client{world.exchange(peer(who)), "ca.example", "/.well-known/est", world.clock}; }
    /// A client whose next answers are these.
    Client told(std::initializer_list<http::Response> answers) {
        auto script = std::make_shared<std::deque<http::Response>>(answers);
        return Client{[this, script](const http::Request& request) -> Result<http::Response> {
                          asked.push_back(request);
                          if (script->empty()) return fail(Code::unavailable, "no more answers");
                          auto next = script->front();
                          script->pop_front();
                          return next;
                      }, "ca.example", "/.well-known/est", world.clock};
    }
    static http::Response answer(unsigned status, std::string type, std::string body) {
        http::Response response;
        response.status = status;
        if (!type.empty()) response.headers.add("Content-Type", std::move(type));
        response.body = std::move(body);
        return response;
    }
    static const PalType& firmware_type() { return *pal_type("firmware"); }

    Identity vendor = world.device("CN=vendor");
    ByteVec firmware = signed_by(vendor, content::firmware, some_content());
    std::vector<http::Request> asked;
};

TEST_F(EstClientPackages, ListPackageAndReceiptGoRound) {
    const auto device = world.enrolled("", "CN=device 1");
    store::PackageRecord record;
    record.type = "0026";
    record.label = "";
    record.recipient_key = "any";
    record.media_type = "application/cms";
    record.receipt_wanted = true;
    record.digest = crypto::sha256(firmware);
    record.content = firmware;
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertPackage{record});
    ASSERT_TRUE(world.store->commit(std::move(work)));

    auto client = client_of(device);
    for (const auto form : {Client::PalForm::either, Client::PalForm::xml, Client::PalForm::json}) {
        const auto pal = client.pal("pal", form);
        ASSERT_TRUE(pal) << failure(pal);
        ASSERT_EQ(std::get<Pal>(*pal).entries.size(), 3u);
    }
    const auto package = client.package("firmware/1", firmware_type());
    ASSERT_TRUE(package) << failure(package);
    EXPECT_EQ(std::get<ByteVec>(*package), firmware);
    const auto receipt = signed_by(device, content::firmware_receipt, some_content());
    const auto given = client.give_back("firmware/return/1", Operation::firmware, receipt);
    ASSERT_TRUE(given) << failure(given);
    EXPECT_EQ(world.store->package_reads()->package_receipt(1).value()->content, receipt);
    EXPECT_EQ(client.package("firmware/2", firmware_type()).error().code, Code::not_found);
}

TEST_F(EstClientPackages, ListIsReadInTheFormThatComes) {
    const Pal pal{{{"0002", std::nullopt, 5, PalUri{"https://ca.example/.well-known/est/cacerts"}}}};
    auto client = told({answer(200, "application/xml; charset=utf-8", pal.to_xml()), answer(200, "application/json", pal.to_json()),
                        answer(200, "text/html", "<p>hello</p>"), answer(200, "", pal.to_json()), answer(200, "application/json", pal.to_xml()),
                        answer(204, "", "")});
    EXPECT_EQ(std::get<Pal>(*client.pal("pal", Client::PalForm::xml)), pal);
    EXPECT_EQ(std::get<Pal>(*client.pal()), pal);
    EXPECT_EQ(client.pal().error().code, Code::malformed);
    EXPECT_EQ(client.pal().error().code, Code::malformed);
    EXPECT_EQ(client.pal().error().code, Code::malformed);
    EXPECT_TRUE(std::get<Pal>(*client.pal()).entries.empty());
    EXPECT_EQ(asked[0].headers.find("Accept"), "application/xml");
    EXPECT_THAT(std::string{*asked[1].headers.find("Accept")}, HasSubstr("application/json, application/xml"));
    EXPECT_EQ(asked[0].target, "/.well-known/est/pal");
}

TEST_F(EstClientPackages, PackageMustBeWhatTheListSays) {  // 2.1.1: the type is a hint
    const auto body = to_base64_lines(firmware);
    const auto keys = to_base64_lines(bare(content::symmetric_keys, some_content()));
    auto client = told({answer(200, "application/cms; innerContent=firmwarePackage", body), answer(200, "application/cms", keys),
                        answer(200, "application/tamp-update", body), answer(200, "application/cms", "no base64!"),
                        answer(200, "application/cms", ""), answer(204, "", ""), answer(404, "text/plain", "Gone.")});
    EXPECT_EQ(std::get<ByteVec>(*client.package("firmware", firmware_type())), firmware);
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::malformed) << "keys";
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::malformed) << "another media type";
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::malformed);
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::malformed);
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::malformed);
    EXPECT_EQ(client.package("firmware", firmware_type()).error().code, Code::not_found);
    EXPECT_EQ(client.package("simpleenroll", *pal_type("0007")).error().code, Code::unavailable) << "no more answers";
}

TEST_F(EstClientPackages, WaitsAndRedirectsAreHandedOn) {
    auto wait = answer(202, "", "");
    wait.headers.add("Retry-After", "30");
    auto redirect = answer(307, "", "");
    redirect.headers.add("Location", "/elsewhere/pal");
    auto client = told({wait, redirect, wait, wait, wait});
    EXPECT_EQ(std::get<Wait>(*client.pal()).retry_after, Seconds{30});
    EXPECT_EQ(std::get<Redirect>(*client.pal()).location, "/elsewhere/pal");
    EXPECT_TRUE(std::holds_alternative<Wait>(*client.package("firmware", firmware_type())));
    EXPECT_TRUE(std::holds_alternative<Wait>(*client.give_back("firmware/return", Operation::firmware, bare(content::firmware_error, some_content()))));
    EXPECT_TRUE(std::holds_alternative<Wait>(*client.outcome("simpleenroll/7")));
}

TEST_F(EstClientPackages, ReceiptsAreSentAsTheRfcSays) {
    auto client = told({answer(204, "", ""), answer(204, "", ""), answer(400, "text/plain", "It is wrong.")});
    const auto receipt = signed_by(vendor, content::key_receipt, some_content());
    EXPECT_TRUE(client.give_back("symmetrickeys/return/3", Operation::symmetrickeys, receipt));
    EXPECT_EQ(asked[0].method, "POST");
    EXPECT_EQ(asked[0].target, "/.well-known/est/symmetrickeys/return/3");
    EXPECT_EQ(asked[0].headers.find("Content-Type"), "application/cms; encapsulatingContent=signedData; innerContent=keyPackageReceipt");
    EXPECT_EQ(from_base64(asked[0].body).value(), receipt);
    EXPECT_TRUE(client.give_back("tamp/return", Operation::tamp, bare(content::tamp_error, some_content())));
    EXPECT_EQ(asked[1].headers.find("Content-Type"), "application/tamp-error");
    const auto refused = client.give_back("firmware/return", Operation::firmware, bare(content::firmware_error, some_content()));
    EXPECT_THAT(refused.error().detail, HasSubstr("It is wrong."));
    // What no server may take is not sent.
    EXPECT_EQ(client.give_back("symmetrickeys/return", Operation::symmetrickeys, bare(content::key_receipt, some_content())).error().code, Code::bad_proof);
    EXPECT_EQ(client.give_back("firmware/return", Operation::firmware, receipt).error().code, Code::unsupported);
    EXPECT_EQ(asked.size(), 3u);
}

TEST_F(EstClientPackages, OutcomeIsOneCertificate) {
    const auto one = to_base64_lines(cms::encode_certs_only({vendor.certificate.der()}));
    const auto two = to_base64_lines(cms::encode_certs_only({vendor.certificate.der(), world.acme->issuing.der()}));
    auto client = told({answer(200, "application/pkcs7-mime; smime-type=certs-only", one), answer(200, "application/pkcs7-mime", two),
                        answer(403, "text/plain", "Denied.")});
    EXPECT_EQ(std::get<x509::Certificate>(*client.outcome("simpleenroll/7")), vendor.certificate);
    EXPECT_EQ(client.outcome("simpleenroll/7").error().code, Code::malformed);
    EXPECT_EQ(client.outcome("simpleenroll/7").error().code, Code::not_authorised);
}

}  // namespace
}  // namespace estuary::est
