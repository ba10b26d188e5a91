#include "estuary/cmp/batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/log.h"
#include "estuary/cmp/client_check.h"
#include "estuary/cmp/registration_authority.h"

namespace estuary::cmp {
namespace {

constexpr std::size_t batch_nonce_octets = 16;     // transactionID and senderNonce (RFC 9810 5.1.1)
/// DER's lengths, and signatures that are not always of one size (ECDSA).
constexpr std::size_t frame_margin = 64;

const ClientSigner& signer_of(const Above& above) { return std::get<ClientSigner>(above.client.credentials); }

/// A batch has an identity of its own and approves of nothing.
PkiHeader batch_header(const Above& above, const Clock& clock, crypto::Entropy& entropy) {
    const auto fresh = [&] {
        ByteVec made(batch_nonce_octets);
        entropy.fill(made);
        return made;
    };
    PkiHeader header;
    header.recipient = directory_name(above.client.recipient ? *above.client.recipient : signer_of(above).chain.front().issuer());
    header.message_time = clock.now();
    header.transaction_id = fresh();
    header.sender_nonce = fresh();
    return header;
}

/// What an error around the whole says, for each of the messages (RFC 9483 3.6.3).
Error whole_failure(const ErrorMsgContent& content) {
    const auto& info = content.status_info.fail_info;
    const bool passing = info && info->has(PkiFailure::system_unavail);
    return {passing ? Code::unavailable : Code::internal, "the CA above refuses the batch", content.to_text()};
}

/// Answers by transactionID; of two for one message, that with the right nonce. What nobody asked for is dropped.
void hand_out(const std::vector<PkiMessage>& answers, const std::vector<Batches::Item*>& items) {
    std::size_t unknown = 0;
    for (const auto& answer : answers) {
        const auto& header = answer.header();
        const auto asked = std::ranges::find_if(items, [&](const auto* item) { return item->message.header().transaction_id == header.transaction_id; });
        const bool fits = asked != items.end() && header.recip_nonce == (*asked)->message.header().sender_nonce;
        // What was delayed may answer an earlier message of its transaction (RFC 9483 4.4): who asked looks at the nonce.
        if (asked == items.end() || ((*asked)->answer && !fits)) ++unknown;
        else (*asked)->answer = to_vec(answer.der());
    }
    if (unknown > 0) log::info("cmp answers in a batch that nobody asked for", {{"count", unknown}});
}

}  // namespace

Result<std::unique_ptr<Batches>> Batches::create(BatchOptions options, std::shared_ptr<const Above> above, const Clock& clock,
                                                 crypto::Entropy& entropy) {
    ESTUARY_TRY(const auto empty, sign_message(batch_header(*above, clock, entropy), {BodyType::pkiconf, PkiConfirmContent{}}, signer_of(*above)));
    const auto frame = empty.size() + frame_margin;
    return std::unique_ptr<Batches>{new Batches{options, std::move(above), clock, entropy, frame}};
}

/// One transactionID must not be there twice (RFC 9483 5.2.2.2).
bool Batches::may_join(const Group& group, const Item& item) const {
    const auto& id = item.message.header().transaction_id;
    return !group.full && group.items.size() < options_.messages_max && group.bytes + item.message.der().size() + frame_ <= options_.bytes_max &&
           std::ranges::none_of(group.items, [&](const Item* other) { return other->message.header().transaction_id == id; });
}

void Batches::add(Group& group, Item& item) const {
    group.items.push_back(&item);
    group.bytes += item.message.der().size();
    group.full = group.items.size() >= options_.messages_max;
}

Result<ByteVec> Batches::exchange(std::string_view operation, PkiMessage message) {
    Item item{operation, std::move(message)};
    std::unique_lock lock{mutex_};
    if (gathering_ && may_join(*gathering_, item)) {
        const auto group = gathering_;
        add(*group, item);
        if (group->full) {
            gathering_.reset();   // who comes now begins another
            changed_.notify_all();
        }
        changed_.wait(lock, [&] { return group->done; });
        return std::move(item.answer);
    }
    // What does not go with those who gather goes by itself, and does not keep them.
    const auto group = std::make_shared<Group>();
    add(*group, item);
    if (!gathering_) {
        gathering_ = group;
        wait_for_company(lock, *group);
        if (gathering_ == group) gathering_.reset();
    }
    ++sent_;
    lock.unlock();
    const std::shared_ptr<void> finally{nullptr, [&](void*) {
                                            const std::lock_guard guard{mutex_};
                                            --sent_;
                                            group->done = true;
                                            changed_.notify_all();
                                        }};
    send(*group);
    return std::move(item.answer);
}

/// Nobody waits for others who cannot come: as long as nothing is above, there is no other request under way.
void Batches::wait_for_company(std::unique_lock<std::mutex>& lock, Group& group) {
    changed_.wait_for(lock, options_.linger, [&] { return group.full || sent_ == 0; });
}

void Batches::exchange_all(std::vector<Item>& items) {
    std::vector<Group> groups;
    for (auto& item : items) {
        auto group = std::ranges::find_if(groups, [&](const Group& one) { return may_join(one, item); });
        if (group == groups.end()) group = groups.insert(groups.end(), Group{});
        add(*group, item);
    }
    for (auto& group : groups) send(group);
}

void Batches::send(Group& group) const {
    if (group.items.size() == 1) return send_one(*group.items.front());
    log::info("cmp batch", {{"messages", group.items.size()}});
    const auto answer = ask(group);
    const auto tell = [&](const Error& error) {
        for (auto* item : group.items) item->answer = fail(error);
    };
    if (!answer) return tell(answer.error());
    if (answer->type() == BodyType::error) return tell(whole_failure(answer->as<ErrorMsgContent>()));
    if (answer->type() != BodyType::nested) return tell({Code::malformed, "the answer to a batch is no nested message"});
    tell({Code::unavailable, "the answer to the batch has none for this message"});
    hand_out(answer->as<NestedMessageContent>().messages, group.items);
}

void Batches::send_one(Item& item) const { item.answer = above_->channel(item.operation, item.message.der()); }

Result<PkiMessage> Batches::ask(Group& group) const {
    NestedMessageContent content;
    for (const auto* item : group.items) content.messages.push_back(item->message);
    auto header = batch_header(*above_, clock_, entropy_);
    const auto id = *header.transaction_id, nonce = *header.sender_nonce;
    ESTUARY_TRY(const auto message, sign_message(std::move(header), {BodyType::nested, std::move(content)}, signer_of(*above_)));
    ESTUARY_TRY(const auto octets, above_->channel("nested", message));
    ESTUARY_TRY(auto answer, PkiMessage::parse(octets, options_.limits));
    ESTUARY_TRY(const auto proof, check_answer_protection(answer, {}, above_->client, clock_.now()));
    if (proof.kind != AnswerProof::Kind::signature) return fail(Code::not_authenticated, "the answer to a batch is not signed");
    ESTUARY_CHECK(check_answer_header(answer, {id, {nonce}}, above_->client, clock_.now()));
    return answer;
}

}  // namespace estuary::cmp
