// The whole CMC server, from a message's octets to its answer. The first octet says how the rest gets there: as it is, as the
// PKIData of a message signed by a registration authority or by a device, or encrypted for the server.
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "estuary/authority/ceremony.h"
#include "estuary/base/log.h"
#include "estuary/cmc/client.h"
#include "estuary/cmc/server.h"

namespace {

using namespace estuary;

void check(bool holds) {
    if (!holds) std::abort();
}

struct Holder {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};

struct World {
    World() {
        log::set_level(log::Level::error);
        directory = std::filesystem::temp_directory_path() / ("estuary-fuzz-cmc-" + std::to_string(::getpid()));
        std::filesystem::create_directory(directory);
        store = store::open_sqlite(directory / "fuzz.db").value();
        store::UnitOfWork unrecorded;
        authority::CaPlan plan;
        plan.organisation_name = "Fuzz";
        const auto ca = authority::make_ca(plan, clock, entropy, unrecorded).value();
        authority::Config config;
        config.cas.push_back({"issuing", ca.issuing, ca.issuing_key, {ca.root}, {}});
        auto ra_profile = authority::default_device_profile("issuing");
        ra_profile.name = "ra";
        ra_profile.ext_key_usage = {x509::oid::kp_cmc_ra};
        auto answering = authority::default_device_profile("issuing");
        answering.name = "cmc";
        answering.key_usage = x509::digital_signature | x509::key_agreement;
        answering.ext_key_usage = {x509::oid::kp_cmc_ca};
        config.profiles = {authority::default_device_profile("issuing"), ra_profile, answering};
        config.password_key = crypto::Secret{std::string_view{"a key for passwords of 32 octets"}};
        authority = authority::Authority::create(std::move(config), *store, clock, entropy).value();
        ra = holder("CN=RA", "ra");
        device = holder("CN=device", "device");
        const auto answers = holder("CN=CMC", "cmc");
        responder = std::make_shared<cmc::Responder>(cmc::Responder{answers->key, answers->certificate});
        cmc::Endpoint endpoint;
        endpoint.profile = "device";
        endpoint.certificate = endpoint.registration_authority = endpoint.shared_secret = endpoint.revocation_by_secret = true;
        endpoint.witnesses.sha1 = true;
        cmc::ServerConfig endpoints;
        endpoints.endpoints = {endpoint};
        endpoints.responder = [this](std::string_view) { return responder; };
        server = cmc::Server::create(std::move(endpoints), *authority, *store, clock, entropy).value();
    }
    ~World() {
        server.reset();
        authority.reset();
        store.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::optional<Holder> holder(const std::string& subject, const std::string& profile) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        const auto der = x509::make_request({x509::Name::from_text(subject).value(), {}, {}}, key).value();
        store::UnitOfWork work;
        const auto certificate = authority->issue_for_server(profile, x509::SignedRequest::parse(der).value(), work).value();
        check(store->commit(std::move(work)).has_value());
        return Holder{key, certificate};
    }

    ManualClock clock{Time{Seconds{1'795'233'600}}};
    crypto::SystemEntropy entropy;
    std::filesystem::path directory;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<authority::Authority> authority;
    std::optional<Holder> ra, device;
    std::shared_ptr<const cmc::Responder> responder;
    std::unique_ptr<cmc::Server> server;
};

ByteVec signed_by(const Holder& holder, Bytes content) {
    const cmc::MessageSigner with{{holder.key, cms::Identifier::by_issuer(holder.certificate)}, {holder.certificate.der()}};
    return cmc::sign(cmc::oid::pki_data, content, &with).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    if (size == 0) return 0;
    const Bytes rest{data + 1, size - 1};
    const auto way = data[0] % 4;
    ByteVec message = to_vec(rest);
    if (way == 1) message = signed_by(*world.ra, rest);
    if (way == 2) message = signed_by(*world.device, rest);
    if (way == 3)
        message = cms::EnvelopedDataBuilder(cms::oid::signed_data, rest).recipient(world.responder->certificate).build().value();
    cmc::Transport transport;
    transport.principal.address = "192.0.2.1";
    store::UnitOfWork work;
    const auto answer = world.server->serve("", message, transport, work);
    world.clock.advance(Seconds{1});
    check(answer.has_value());  // there is an answer to everything
    const auto parsed = cms::SignedData::parse(answer->der, cmc::cms_limits({}));
    check(parsed.has_value());
    if (answer->form == cmc::Answer::Form::full)
        check(parsed->content() && cmc::PkiResponse::parse(*parsed->content()).has_value());
    for (const auto& write : work.writes) {
        const auto* issued = std::get_if<store::InsertCertificate>(&write);
        if (issued == nullptr) continue;
        // Nobody but the two whose keys this program has can ask for anything, and the device for itself only (bug class 8).
        check(way == 1 || way == 2);
        if (way == 2) check(issued->record.subject == "CN=device");
    }
    return 0;
}
