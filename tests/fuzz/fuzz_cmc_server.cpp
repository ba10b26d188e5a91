// The whole CMC server, from a message's octets to its answer. The first octet says how the rest gets there: as it is, as the
// PKIData of a message signed by a registration authority or by a device, or encrypted for the server.
#include "estuary/cmc/client.h"
#include "estuary/cmc/server.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using fuzz::require;

struct Holder {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};

std::vector<authority::Profile> profiles(const authority::Profile& device) {
    auto ra = device;
    ra.name = "ra";
    ra.ext_key_usage = {x509::oid::kp_cmc_ra};
    auto answering = device;
    answering.name = "cmc";
    answering.key_usage = x509::digital_signature | x509::key_agreement;
    answering.ext_key_usage = {x509::oid::kp_cmc_ca};
    return {device, ra, answering};
}

struct World : fuzz::IssuingWorld {
    World() : IssuingWorld{profiles}, ra{holder("CN=RA", "ra")}, device{holder("CN=device", "device")} {
        const auto answers = holder("CN=CMC", "cmc");
        responder = std::make_shared<cmc::Responder>(cmc::Responder{answers.key, answers.certificate});
        cmc::Endpoint endpoint;
        endpoint.profile = "device";
        endpoint.certificate = endpoint.registration_authority = endpoint.shared_secret = endpoint.revocation_by_secret = true;
        endpoint.witnesses.sha1 = true;
        cmc::ServerConfig endpoints;
        endpoints.endpoints = {endpoint};
        endpoints.responder = [this](std::string_view) { return responder; };
        server = cmc::Server::create(std::move(endpoints), *authority, *store, clock, entropy).value();
    }

    Holder holder(const std::string& subject, const std::string& profile) {
        const auto key = crypto::PrivateKey::generate("p256").value();
        const auto der = x509::make_request({x509::Name::from_text(subject).value(), {}, {}}, key).value();
        store::UnitOfWork work;
        const auto certificate = authority->issue_for_server(profile, x509::SignedRequest::parse(der).value(), work).value();
        commit(std::move(work));
        return {key, certificate};
    }

    Holder ra, device;
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
    if (way == 1) message = signed_by(world.ra, rest);
    if (way == 2) message = signed_by(world.device, rest);
    if (way == 3)
        message = cms::EnvelopedDataBuilder(cms::oid::signed_data, rest).recipient(world.responder->certificate).build().value();
    cmc::Transport transport;
    transport.principal.address = "192.0.2.1";
    store::UnitOfWork work;
    const auto answer = world.server->serve("", message, transport, work);
    world.clock.advance(Seconds{1});
    require(answer.has_value());  // there is an answer to everything
    const auto parsed = cms::SignedData::parse(answer->der, cmc::cms_limits({}));
    require(parsed.has_value());
    if (answer->form == cmc::Answer::Form::full)
        require(parsed->content() && cmc::PkiResponse::parse(*parsed->content()).has_value());
    for (const auto& write : work.writes) {
        const auto* issued = std::get_if<store::InsertCertificate>(&write);
        if (issued == nullptr) continue;
        // Nobody but the two whose keys this program has can ask for anything, and the device for itself only (bug class 8).
        require(way == 1 || way == 2);
        if (way == 2) require(issued->record.subject == "CN=device");
    }
    return 0;
}
