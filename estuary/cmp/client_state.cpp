// An operation that is under way, as octets: for who has to go on with it after a restart.
#include <algorithm>

#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

constexpr std::int64_t saved_operation_version = 1;
constexpr der::Limits saved_operation_limits{.depth_max = 64, .bytes_max = 16u << 20};

void write_optional(der::Writer& writer, const std::optional<ByteVec>& octets) {
    writer.sequence([&] {
        if (octets) writer.octet_string(*octets);
    });
}

Result<std::optional<ByteVec>> read_optional(der::Reader& reader) {
    ESTUARY_TRY(auto field, reader.enter(der::Tag::sequence));
    if (field.empty()) return std::optional<ByteVec>{};
    ESTUARY_TRY(auto octets, codec::read_octets(field));
    return std::optional{std::move(octets)};
}

}  // namespace

Result<ByteVec> ClientTransaction::Impl::save() const {
    if (ended_ || rejected_) return fail(Code::internal, "there is nothing to go on with");
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(saved_operation_version).octet_string(message_).octet_string(transaction_id_).octet_string(nonce_);
        write_optional(writer, delayed_nonce_);
        write_optional(writer, peer_nonce_);
        writer.sequence([&] {
            if (peer_) peer_->write(writer);
        });
        writer.sequence([&] {
            for (const auto& certificate : known_) writer.raw(certificate.der());
        });
        writer.integer(static_cast<std::int64_t>(awaited_)).boolean(challenged_).integer(polled_id_).boolean(request_.implicit_confirm);
        // What waits for pkiconf. A key that the authority made is never in it: who asks for one does not go on later.
        writer.sequence([&] {
            if (!enrolled_) return;
            writer.raw(enrolled_->certificate.der());
            for (const auto& anchor : enrolled_->new_anchors) writer.raw(anchor.der());
        });
    });
    if (enrolled_ && enrolled_->generated_key) return fail(Code::internal, "private keys are not saved");
    return std::move(writer).take();
}

Result<void> ClientTransaction::Impl::read_state(Bytes state) {
    ESTUARY_TRY(auto fields, der::enter_only(state, der::Tag::sequence, "state of an operation", saved_operation_limits));
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != saved_operation_version) return fail(Code::unsupported, "an operation of another version of this program");
    ESTUARY_TRY(message_, codec::read_octets(fields));
    ESTUARY_TRY(transaction_id_, codec::read_octets(fields));
    ESTUARY_TRY(nonce_, codec::read_octets(fields));
    ESTUARY_TRY(delayed_nonce_, read_optional(fields));
    ESTUARY_TRY(peer_nonce_, read_optional(fields));
    ESTUARY_TRY(auto peer, fields.enter(der::Tag::sequence));
    if (!peer.empty()) {
        ESTUARY_TRY(peer_, x509::GeneralName::read(peer));
    }
    ESTUARY_TRY(auto certificates, fields.enter(der::Tag::sequence));
    while (!certificates.empty()) {
        ESTUARY_TRY(const auto one, certificates.any());
        ESTUARY_TRY(known_.emplace_back(), x509::Certificate::parse(one.whole));
    }
    ESTUARY_TRY(const auto awaited, fields.integer());
    if (awaited < 0 || awaited >= static_cast<std::int64_t>(body_types)) return fail(Code::malformed, "body type");
    awaited_ = static_cast<BodyType>(awaited);
    ESTUARY_TRY(challenged_, fields.boolean());
    ESTUARY_TRY(polled_id_, fields.integer());
    // As it was asked for: the answer is to that.
    ESTUARY_TRY(request_.implicit_confirm, fields.boolean());
    ESTUARY_TRY(auto enrolled, fields.enter(der::Tag::sequence));
    if (!enrolled.empty()) {
        ESTUARY_TRY(const auto one, enrolled.any());
        Enrolled waiting;
        ESTUARY_TRY(waiting.certificate, x509::Certificate::parse(one.whole));
        while (!enrolled.empty()) {
            ESTUARY_TRY(const auto anchor, enrolled.any());
            ESTUARY_TRY(waiting.new_anchors.emplace_back(), x509::Certificate::parse(anchor.whole));
        }
        waiting.others = known_;
        enrolled_ = std::move(waiting);
    }
    return fields.finish("state of an operation");
}

Result<std::unique_ptr<ClientTransaction::Impl>> ClientTransaction::Impl::resume(std::shared_ptr<const ClientSetup> setup, Wish wish,
                                                                                Bytes state) {
    std::unique_ptr<Impl> impl{new Impl{std::move(setup)}};
    impl->wish_ = std::move(wish);
    ESTUARY_CHECK(impl->prepare());
    ESTUARY_CHECK(impl->read_state(state));
    return impl;
}

}  // namespace estuary::cmp
