// The state in which a client keeps an operation that is under way (ClientTransaction::save()), and what is done with it afterwards.
// Input: an octet that chooses what was wished for and which answer comes first, then the state. What is made of it takes answers of every
// kind, by a secret that the client knows: each must end in an error or in a step, whatever the state says has come before.
#include <algorithm>

#include "estuary/base/log.h"
#include "estuary/cmp/client.h"
#include "estuary/cmp/info_values.h"
#include "issuing_world.h"

namespace {

using namespace estuary;
using cmp::BodyType;
using fuzz::require;

constexpr std::string_view secret = "a canary of a secret";

cmp::CertificateWish certificate_wish(const char* key_type) {
    cmp::CertificateWish wish;
    wish.subject = x509::Name::from_text("CN=device").value();
    wish.key = crypto::PrivateKey::generate(key_type).value();
    return wish;
}

struct World {
    World() {
        log::set_level(log::Level::error);
        cmp::ClientConfig by_secret{.credentials = cmp::ClientSecret{"alice", crypto::Secret{secret}}};
        std::get<cmp::ClientSecret>(by_secret.credentials).mac.iterations = 100;
        client = cmp::Client::create(std::move(by_secret), clock, entropy).value();
        auto challenged = certificate_wish("rsa2048");
        challenged.subsequent_message = x509::crmf::SubsequentMessage::challenge_resp;
        auto made_there = certificate_wish("p256");
        made_there.key.reset();
        wishes = {certificate_wish("p256"), cmp::CertificatesWish{{certificate_wish("p256"), certificate_wish("p256"), made_there}}, challenged,
                  made_there, cmp::InformationWish{cmp::ask(cmp::oid::ca_certs), {}}};
    }
    ManualClock clock{Time{Seconds{1'795'233'600}}};
    crypto::SystemEntropy entropy;
    std::optional<cmp::Client> client;
    std::vector<cmp::Wish> wishes;
};

/// Each answer that there is, as far as it can be said without knowing what was asked.
std::vector<cmp::PkiBody> answers() {
    const auto waiting = cmp::PkiStatusInfo{cmp::PkiStatus::waiting, {}, {}};
    const auto refused = cmp::rejection(cmp::PkiFailure::bad_request, "no");
    const cmp::CertRepMessage responses{{}, {{0, refused, {}, {}}, {1, waiting, {}, {}}}};
    std::vector<cmp::PkiBody> all;
    for (const auto& content : {responses, cmp::CertRepMessage{{}, {{0, waiting, {}, {}}}}, cmp::CertRepMessage{{}, {{1, refused, {}, {}}}}})
        all.push_back({BodyType::ip, content});
    all.push_back({BodyType::error, cmp::ErrorMsgContent{waiting, {}, {}}});
    all.push_back({BodyType::error, cmp::ErrorMsgContent{refused, {}, {}}});
    for (const std::int64_t id : {-1, 0, 1}) all.push_back({BodyType::poll_rep, cmp::PollRepContent{{{id, 60, {}}}}});
    all.push_back({BodyType::pkiconf, cmp::PkiConfirmContent{}});
    all.push_back({BodyType::rp, cmp::RevRepContent{{{cmp::PkiStatus::accepted, {}, {}}}, {}, {}}});
    all.push_back({BodyType::genp, cmp::GenContent{{cmp::ask(cmp::oid::ca_certs)}}});
    return all;
}

/// The answer to the message that is to be sent next, as its header has it.
ByteVec answer(const cmp::PkiHeader& to, const cmp::PkiBody& body) {
    static const auto protector = [] {
        crypto::PasswordMacChoice choice;
        choice.scheme = crypto::PasswordMacChoice::Scheme::password_based_mac;
        choice.iterations = 100;
        return cmp::Protector::with_secret(crypto::Secret{secret}, choice).value();
    }();
    auto header = to;
    header.recip_nonce = to.sender_nonce;
    header.sender_nonce = ByteVec(16, 0x11);
    header.general_info.clear();
    return protector.protect(std::move(header), body).value();
}

/// To the end, or until it repeats itself.
void drive(cmp::ClientTransaction transaction, const std::vector<cmp::PkiBody>& bodies) {
    for (const auto& body : bodies) {
        const auto next = cmp::PkiMessage::parse(transaction.message());
        if (!next || !next->header().transaction_id) return;
        const auto step = transaction.take(answer(next->header(), body));
        if (step && std::holds_alternative<cmp::ClientOutcome>(*step)) return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    static const auto bodies = answers();
    if (size == 0) return 0;
    const auto& wish = world.wishes[data[0] % world.wishes.size()];
    const auto state = Bytes{data + 1, size - 1};
    const auto resumed = world.client->resume(wish, state);
    if (!resumed) return 0;
    // What was read is what is written.
    const auto saved = resumed->save();
    require(saved && same(*saved, state));
    auto turned = bodies;
    std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(data[0] / world.wishes.size() % bodies.size()), turned.end());
    drive(world.client->resume(wish, state).value(), turned);
    return 0;
}
