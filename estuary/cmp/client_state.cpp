// An operation that is under way, as octets: for who has to go on with it after a restart.
#include <algorithm>

#include "estuary/cmp/client_impl.h"
#include "estuary/cmp/codec.h"

namespace estuary::cmp {
namespace {

using Progress = RequestedCertificate::Progress;

constexpr std::int64_t saved_operation_version = 2;
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

/// Certificates whose making is behind them.
Result<std::vector<x509::Certificate>> read_certificates(der::Reader& reader) {
    std::vector<x509::Certificate> certificates;
    while (!reader.empty()) {
        ESTUARY_TRY(const auto one, reader.any());
        ESTUARY_TRY(certificates.emplace_back(), x509::Certificate::parse(one.whole));
    }
    return certificates;
}

Result<std::string> read_words(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.octet_string());
    return std::string{as_text(octets)};
}

}  // namespace

Result<ByteVec> ClientTransaction::Impl::save() const {
    if (ended_) return fail(Code::internal, "there is nothing to go on with");
    if (recovered_) return fail(Code::internal, "private keys are not saved");
    for (const auto& one : requested_) {
        // Nobody goes on with what was rejected here.
        if (one.progress == Progress::unconfirmed && one.rejected) return fail(Code::internal, "there is nothing to go on with");
        if (one.enrolled && one.enrolled->generated_key) return fail(Code::internal, "private keys are not saved");
    }
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(saved_operation_version).octet_string(message_).octet_string(transaction_id_).octet_string(nonce_);
        for (const auto* nonce : {&delayed_nonce_, &waiting_nonce_, &peer_nonce_}) write_optional(writer, *nonce);
        writer.sequence([&] {
            if (peer_) peer_->write(writer);
        });
        writer.sequence([&] {
            for (const auto& certificate : known_) writer.raw(certificate.der());
        });
        writer.integer(static_cast<std::int64_t>(awaited_)).boolean(challenged_).integer(polled_id_).boolean(request_.implicit_confirm);
        writer.sequence([&] {
            for (const auto& one : requested_) write_requested(writer, one);
        });
        // What the ciphertext holds, only the own key knows.
        writer.sequence([&] {
            if (ciphertext_) ciphertext_->write(writer);
        });
        if (passphrase_ != PassphraseFate::not_conveyed) writer.integer(static_cast<std::int64_t>(passphrase_));
    });
    return std::move(writer).take();
}

void ClientTransaction::Impl::write_requested(der::Writer& writer, const RequestedCertificate& one) const {
    writer.sequence([&] {
        writer.integer(static_cast<std::int64_t>(one.progress));
        // A key that the authority made is never in it: who asks for one does not go on later.
        writer.sequence([&] {
            if (!one.enrolled) return;
            one.enrolled->status.write(writer);
            writer.raw(one.enrolled->certificate.der());
            for (const auto& anchor : one.enrolled->new_anchors) writer.raw(anchor.der());
        });
        writer.sequence([&] {
            if (!one.declined) return;
            one.declined->status.write(writer);
            writer.octet_string(as_bytes(one.declined->text));
        });
        writer.sequence([&] {
            if (one.rejected) writer.octet_string(as_bytes(one.rejected->detail));
        });
    });
}

Result<void> ClientTransaction::Impl::read_requested(der::Reader& reader, RequestedCertificate& one) const {
    ESTUARY_TRY(auto fields, reader.enter(der::Tag::sequence));
    ESTUARY_TRY(const auto progress, fields.integer());
    if (progress < 0 || progress > static_cast<std::int64_t>(Progress::ended)) return fail(Code::malformed, "progress of a request");
    one.progress = static_cast<Progress>(progress);
    ESTUARY_TRY(auto enrolled, fields.enter(der::Tag::sequence));
    if (!enrolled.empty()) {
        Enrolled came;
        ESTUARY_TRY(came.status, PkiStatusInfo::read(enrolled, config().limits));
        ESTUARY_TRY(const auto certificate, enrolled.any());
        ESTUARY_TRY(came.certificate, x509::Certificate::parse(certificate.whole));
        ESTUARY_TRY(came.new_anchors, read_certificates(enrolled));
        came.others = known_;
        one.enrolled = std::move(came);
    }
    ESTUARY_TRY(auto declined, fields.enter(der::Tag::sequence));
    if (!declined.empty()) {
        one.declined.emplace();
        ESTUARY_TRY(one.declined->status, PkiStatusInfo::read(declined, config().limits));
        ESTUARY_TRY(one.declined->text, read_words(declined));
        ESTUARY_CHECK(declined.finish("refusal"));
    }
    ESTUARY_TRY(auto rejected, fields.enter(der::Tag::sequence));
    if (!rejected.empty()) {
        ESTUARY_TRY(auto detail, read_words(rejected));
        one.rejected = Error{Code::not_authenticated, std::move(detail)};
        ESTUARY_CHECK(rejected.finish("rejection"));
    }
    const bool came = one.enrolled.has_value();
    if (came == (one.progress == Progress::waiting || one.declined.has_value())) return fail(Code::malformed, "state and certificate of a request");
    if (one.declined && one.progress != Progress::ended) return fail(Code::malformed, "state and refusal of a request");
    if (one.rejected && (!came || one.progress != Progress::ended)) return fail(Code::malformed, "state and rejection of a request");
    return fields.finish("request");
}

bool ClientTransaction::Impl::may_await(BodyType type) const noexcept {
    if (keying_) return type == BodyType::genp;
    // A confirmation is awaited as long as there is something to confirm, and nothing else is.
    return type == (has(Progress::unconfirmed) ? BodyType::pkiconf : *answer_to(request_.body.type));
}

Result<void> ClientTransaction::Impl::read_state(Bytes state) {
    ESTUARY_TRY(auto fields, der::enter_only(state, der::Tag::sequence, "state of an operation", saved_operation_limits));
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != saved_operation_version) return fail(Code::unsupported, "an operation of another version of this program");
    ESTUARY_TRY(message_, codec::read_octets(fields));
    ESTUARY_TRY(transaction_id_, codec::read_octets(fields));
    ESTUARY_TRY(nonce_, codec::read_octets(fields));
    for (auto* nonce : {&delayed_nonce_, &waiting_nonce_, &peer_nonce_}) {
        ESTUARY_TRY(*nonce, read_optional(fields));
    }
    ESTUARY_TRY(auto peer, fields.enter(der::Tag::sequence));
    if (!peer.empty()) {
        ESTUARY_TRY(peer_, x509::GeneralName::read(peer));
        ESTUARY_CHECK(peer.finish("name of the peer"));
    }
    ESTUARY_TRY(auto certificates, fields.enter(der::Tag::sequence));
    ESTUARY_TRY(known_, read_certificates(certificates));
    ESTUARY_TRY(const auto awaited, fields.integer());
    ESTUARY_TRY(challenged_, fields.boolean());
    ESTUARY_TRY(polled_id_, fields.integer());
    // As it was asked for: the answer is to that.
    ESTUARY_TRY(request_.implicit_confirm, fields.boolean());
    ESTUARY_TRY(auto requested, fields.enter(der::Tag::sequence));
    for (auto& one : requested_) ESTUARY_CHECK(read_requested(requested, one));
    ESTUARY_CHECK(requested.finish("requests"));
    ESTUARY_TRY(auto ciphertext, fields.enter(der::Tag::sequence));
    if (!ciphertext.empty()) {
        if (!keying_) return fail(Code::malformed, "a KEM ciphertext for a key that is none");
        ESTUARY_TRY(const auto info, InfoTypeAndValue::read(ciphertext));
        ESTUARY_CHECK(ciphertext.finish("KEM ciphertext"));
        ESTUARY_CHECK(use_ciphertext(info));
        keying_ = false;
    }
    if (awaited < 0 || awaited >= static_cast<std::int64_t>(body_types) || !may_await(static_cast<BodyType>(awaited)))
        return fail(Code::malformed, "body type");
    awaited_ = static_cast<BodyType>(awaited);
    if (!fields.empty()) {
        ESTUARY_TRY(const auto fate, fields.integer());
        if (fate <= static_cast<std::int64_t>(PassphraseFate::not_conveyed) || fate > static_cast<std::int64_t>(PassphraseFate::acknowledged)) return fail(Code::malformed, "fate of a passphrase");
        passphrase_ = static_cast<PassphraseFate>(fate);
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
