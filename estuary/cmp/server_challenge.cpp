// popdecc and popdecr: possession of a key that does not sign, shown by decrypting a random number (RFC 9810 5.2.8.3.3).
#include "estuary/cmp/server_envelope.h"
#include "estuary/cmp/server_impl.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;
using State = TransactionItem::State;

constexpr std::size_t random_octets = 16;
constexpr Seconds challenge_lifetime{3600};

/// SHA-256, parameters absent (RFC 5754 2).
bool is_challenged(const Asked& one) {
    return one.message != nullptr && crmf::subsequent_message(*one.message) == crmf::SubsequentMessage::challenge_resp;
}

}  // namespace

Checked<Reply> Server::Impl::challenge(Exchange& exchange, const std::vector<Asked>& asked) {
    if (exchange.message.header().pvno < cmp2021)
        return refuse(PkiFailure::bad_pop, "the challenge is made with EnvelopedData: say pvno 3 (cmp2021)");
    PopoDecKeyChallContent content;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!is_challenged(asked[i])) continue;
        CMP_TRY(const auto key, or_failure(PkiFailure::bad_cert_template, asked[i].message->public_key()));
        if (!key) return refuse(PkiFailure::bad_cert_template, "a request without a key cannot be challenged");
        Rand random;
        random.integer.resize(random_octets);
        entropy_.fill(random.integer);
        random.integer.front() = static_cast<std::uint8_t>((random.integer.front() & 0x3F) | 0x40);   // positive, and minimal as INTEGER
        const bool signs = exchange.sender.protection != Protection::mac && exchange.label.signer != nullptr;
        random.sender = directory_name(signs ? exchange.label.signer->chain.front().subject()
                                             : authority_.ca(exchange.label.ca)->certificate.subject());
        der::Writer serial;
        serial.integer(asked[i].cert_req_id);
        der::Reader number{serial.bytes()};
        CMP_TRY(const auto serial_octets, number.integer_octets());
        Challenge one;
        one.owf = cms::make_algorithm(cms::oid::sha256);
        const auto witness = crypto::sha256(random.integer);
        one.witness.assign(witness.begin(), witness.end());
        // RFC 9810 5.2.8.3.3: NULL-DN and certReqId say whose it is.
        CMP_TRY(one.encrypted_rand, or_failure(PkiFailure::bad_cert_template,
                                               envelope_for(*key, cms::Identifier{x509::Name{}, to_vec(serial_octets), {}}, random.encode())));
        auto& item = exchange.transaction.items.at(i);
        item.state = State::challenged;
        item.challenge = one.witness;
        content.challenges.push_back(std::move(one));
    }
    return Reply{{BodyType::popdecc, std::move(content)}, {}, {}, challenge_lifetime};
}

Checked<Reply> Server::Impl::take_challenge_response(Exchange& exchange) {
    auto& transaction = exchange.transaction;
    if (!transaction.has(State::challenged)) return refuse(PkiFailure::bad_request, "no challenge waits for its response");
    const auto& integers = exchange.message.as<PopoDecKeyRespContent>().integers;
    std::size_t next = 0;
    bool right = true;
    for (auto& item : transaction.items) {
        if (item.state != State::challenged) continue;
        const auto hash = next < integers.size() ? crypto::sha256(integers[next]) : crypto::Sha256{};
        right = crypto::equal_in_constant_time(hash, item.challenge) && right;
        item.state = State::waiting;
        ++next;
    }
    if (!right || next != integers.size()) return refuse(PkiFailure::bad_pop, "the challenges were not decrypted");
    CMP_TRY(const auto original, PkiMessage::parse(transaction.request, config_.limits));
    return answer_requests(exchange, original);
}

}  // namespace estuary::cmp
