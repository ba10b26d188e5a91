#include "estuary/cmp/server_passphrase.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/serial.h"
#include "estuary/cmp/codec.h"
#include "estuary/cmp/passphrase.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/cms/enveloped_data.h"

namespace estuary::cmp {
namespace {

constexpr std::int64_t kept_passphrase_version = 1;

Result<std::string> passphrase_text(der::Reader& reader) {
    ESTUARY_TRY(const auto octets, reader.octet_string());
    return std::string{as_text(octets)};
}

Result<KeptPassphrase> read_kept(Bytes octets) {
    ESTUARY_TRY(auto fields, der::enter_only(octets, der::Tag::sequence, "passphrase", {.bytes_max = octets.size()}));
    ESTUARY_TRY(const auto version, fields.integer());
    if (version != kept_passphrase_version) return fail(Code::unsupported, "a passphrase of another version of this program");
    KeptPassphrase kept;
    auto& proof = kept.proof;
    for (auto* text : {&proof.holder, &proof.ca, &proof.label, &proof.credential_name}) {
        ESTUARY_TRY(*text, passphrase_text(fields));
    }
    for (auto* field : {&proof.subject, &proof.serial_number, &kept.identifier, &kept.name}) {
        ESTUARY_TRY(*field, codec::read_octets(fields));
    }
    ESTUARY_TRY(proof.credential, fields.integer());
    ESTUARY_TRY(kept.conveyed_at, fields.generalized_time());
    ESTUARY_TRY(const auto secret, fields.octet_string());
    kept.secret = crypto::Secret{secret};
    ESTUARY_CHECK(fields.finish("passphrase"));
    return kept;
}

store::RequestKey place_of(std::string_view label, std::int64_t kind, Bytes value) {
    der::Writer writer;
    writer.octet_string(as_bytes(label)).integer(kind).octet_string(value);
    return crypto::sha256(writer.bytes());
}

ByteVec tagged(char kind, Bytes value) {
    ByteVec name;
    name.reserve(1 + value.size());
    name.push_back(static_cast<std::uint8_t>(kind));
    append(name, value);
    return name;
}

std::size_t count_of(const InfoTypeAndValues& infos) {
    return static_cast<std::size_t>(std::ranges::count(infos, oid::rev_passphrase, &InfoTypeAndValue::info_type));
}

const InfoTypeAndValues* infos_of(const PkiMessage& message) {
    return message.type() == BodyType::genm ? &message.as<GenContent>().infos : nullptr;
}

/// One text whether it does not decrypt or is of the wrong length: CBC tells by padding what it should not (bug class 17).
Failure unusable() {
    return {PkiFailure::bad_request,
            fmt::format("the revocation passphrase does not decrypt, or is not of {} to {} octets", passphrase_octets_min, passphrase_octets_max)};
}

Checked<ByteVec> identifier_of(const cms::EnvelopedData& enveloped) {
    CMP_TRY(const auto attributes, or_failure(PkiFailure::bad_data_format, enveloped.unprotected_attributes()));
    if (cms::find(attributes, cms::oid::local_key_id) == nullptr) return ByteVec{};
    CMP_TRY(const auto value, or_failure(PkiFailure::bad_data_format, cms::single_value(attributes, cms::oid::local_key_id)));
    der::Reader reader{value};
    CMP_TRY(const auto octets, or_failure(PkiFailure::bad_data_format, reader.octet_string()));
    if (octets.empty() || octets.size() > passphrase_identifier_octets_max)
        return refuse(PkiFailure::bad_request, fmt::format("localKeyId is of 1 to {} octets here", passphrase_identifier_octets_max));
    return to_vec(octets);
}

/// A body that grants nothing of what was asked for, as the error that RFC 9810 B wants in its place.
std::optional<PkiStatusInfo> refusal_in(const PkiBody& body) {
    const auto refused = [](const PkiStatusInfo& status) { return status.status == PkiStatus::rejection; };
    if (const auto* certificates = std::get_if<CertRepMessage>(&body.content)) {
        const auto& responses = certificates->responses;
        if (!responses.empty() && std::ranges::all_of(responses, refused, &CertResponse::status)) return responses.front().status;
    } else if (const auto* revoked = std::get_if<RevRepContent>(&body.content)) {
        if (!revoked->status.empty() && std::ranges::all_of(revoked->status, refused)) return revoked->status.front();
    } else if (const auto* recovered = std::get_if<KeyRecRepContent>(&body.content)) {
        if (refused(recovered->status)) return recovered->status;
    } else if (const auto* error = std::get_if<ErrorMsgContent>(&body.content)) {
        if (refused(error->status_info)) return error->status_info;
    }
    return std::nullopt;
}

}  // namespace

crypto::Secret KeptPassphrase::encode() const {
    der::Writer writer;
    writer.sequence([&] {
        writer.integer(kept_passphrase_version);
        for (const auto* text : {&proof.holder, &proof.ca, &proof.label, &proof.credential_name}) writer.octet_string(as_bytes(*text));
        for (const auto* field : {&proof.subject, &proof.serial_number, &identifier, &name}) writer.octet_string(*field);
        writer.integer(proof.credential).generalized_time(conveyed_at).octet_string(secret.reveal());
    });
    return crypto::Secret{std::move(writer).take()};
}

Result<KeptPassphrase> KeptPassphrase::decode(const crypto::Secret& octets) {
    auto kept = read_kept(octets.reveal());
    if (!kept) return fail(Code::internal, "a revocation passphrase on record cannot be read", kept.error().detail);
    return kept;
}

bool KeptPassphrase::is_of_same_holder(const authority::PassphraseProof& other) const {
    if (proof.ca != other.ca || proof.label != other.label) return false;
    return proof.holder == other.holder || (!proof.subject.empty() && proof.subject == other.subject);
}

ByteVec passphrase_name(const x509::Name& subject) { return tagged('s', subject.canonical()); }
ByteVec passphrase_name(std::string_view credential) { return tagged('c', as_bytes(credential)); }

store::RequestKey passphrase_place_by_identifier(std::string_view label, Bytes identifier) { return place_of(label, 0, identifier); }
store::RequestKey passphrase_place_by_name(std::string_view label, Bytes name) { return place_of(label, 1, name); }

std::vector<store::RequestKey> passphrase_places(std::string_view label, const PkiHeader& header) {
    if (header.sender_kid) return {passphrase_place_by_identifier(label, *header.sender_kid)};
    std::vector<store::RequestKey> places;
    const auto sender = name_of(header.sender);
    if (!sender || sender->empty()) return places;
    places.push_back(passphrase_place_by_name(label, passphrase_name(*sender)));
    if (const auto names = sender->values(x509::oid::common_name); names.size() == 1)
        places.push_back(passphrase_place_by_name(label, passphrase_name(names.front())));
    return places;
}

bool conveys_passphrase(const PkiMessage& message) {
    const auto* infos = infos_of(message);
    return count_of(message.header().general_info) + (infos != nullptr ? count_of(*infos) : 0) != 0;
}

// -- taken ----------------------------------------------------------------------------------------------------------------------

/// Who conveys, and what that reaches: never more than what is the sender's own (bug class 7).
Checked<KeptPassphrase> Server::Impl::passphrase_holder(const Exchange& exchange) const {
    const auto& sender = exchange.sender;
    const auto& principal = sender.principal;
    KeptPassphrase kept;
    auto& proof = kept.proof;
    if (principal.passphrase) {   // the new one takes the place of that which protects the rr
        if (exchange.message.type() != BodyType::rr) return refuse(PkiFailure::not_authorized, "an rr conveys the next passphrase; what follows it does not");
        proof = *principal.passphrase;
        kept.name = sender.passphrase->name;
        kept.identifier = sender.passphrase->identifier;
        return kept;
    }
    if (principal.anonymous()) return refuse(PkiFailure::not_authorized, "a revocation passphrase is conveyed by a protected message");
    if (sender.approved || principal.is_registration_authority())
        return refuse(PkiFailure::not_authorized, "a registration authority conveys no revocation passphrase, neither its own nor for others: "
                                                  "let the holder of the certificate send it");
    proof.holder = principal.describe();
    proof.ca = exchange.label.ca;
    proof.label = exchange.label.recorded;
    if (!principal.certificate) {
        proof.credential_name = principal.credential->name;
        proof.credential = principal.credential->id;
        kept.name = passphrase_name(proof.credential_name);
        return kept;
    }
    const auto& certificate = principal.certificate->certificate;
    if (principal.certificate->issued_by_ca.empty()) return kept;   // a manufacturer's: its names are of another world
    proof.serial_number = to_vec(authority::without_leading_zeros(certificate.serial_number()));
    if (!certificate.subject().empty()) {
        proof.subject = to_vec(certificate.subject().der());
        kept.name = passphrase_name(certificate.subject());
    }
    return kept;
}

Checked<crypto::Secret> Server::Impl::open_passphrase(const Exchange& exchange, const cms::EnvelopedData& enveloped) const {
    const auto& own = *exchange.label.agreement;
    const auto& shared = exchange.sender.secret;
    Result<crypto::Secret> opened = fail(Code::internal, "not opened");
    if (std::holds_alternative<cms::PasswordWrap>(enveloped.recipients().front())) {
        if (!shared) return refuse(PkiFailure::bad_request, "a passphrase that is encrypted with a shared secret comes in a message that has its MAC");
        opened = enveloped.open_with_password(*shared, {.iterations_max = config_.mac_iterations_max});
    } else {
        opened = enveloped.open(cms::KeyHolder{own.key, own.chain.front()});
    }
    if (!opened && opened.error().code == Code::not_found)
        return refuse(PkiFailure::bad_request, "the revocation passphrase is encrypted for another key: genm with caProtEncCert tells the certificate of the one here");
    if (!opened && opened.error().code != Code::bad_proof) return tl::unexpected(as_failure(PkiFailure::bad_alg, std::move(opened).error()));
    if (!opened) return tl::unexpected(unusable());
    const auto octets = opened->reveal().size();
    if (octets < passphrase_octets_min || octets > passphrase_octets_max) return tl::unexpected(unusable());
    return std::move(*opened);
}

/// Nobody takes the place of another's, nor an older one that of a newer.
Checked<void> Server::Impl::find_place(KeptPassphrase& kept) const {
    const auto& label = kept.proof.label;
    if (kept.identifier.empty() && kept.name.empty())
        return refuse(PkiFailure::bad_request, "this revocation passphrase needs an identifier (localKeyId): its holder has no name to find it by");
    kept.place = kept.identifier.empty() ? passphrase_place_by_name(label, kept.name) : passphrase_place_by_identifier(label, kept.identifier);
    CMP_TRY(const auto record, store_.transaction(passphrase_protocol, kept.place));
    if (!record) return {};
    kept.revision = record->revision;
    if (record->expires_at < clock_.now()) return {};
    CMP_TRY(const auto octets, authority_.open_sealed(passphrase_purpose, kept.place, record->state));
    CMP_TRY(const auto present, KeptPassphrase::decode(octets));
    if (!present.is_of_same_holder(kept.proof)) return refuse(PkiFailure::not_authorized, "this identifier is another's: choose another one");
    if (kept.conveyed_at < present.conveyed_at) return refuse(PkiFailure::bad_time, "a newer revocation passphrase was conveyed already");
    return {};
}

//= https://www.rfc-editor.org/rfc/rfc9810#appendix-B
Checked<std::optional<KeptPassphrase>> Server::Impl::conveyed_passphrase(const Exchange& exchange) const {
    const auto& message = exchange.message;
    const auto& header = message.header();
    if (!conveys_passphrase(message)) return std::optional<KeptPassphrase>{};
    if (!exchange.label.config.revocation_passphrases)
        return refuse(PkiFailure::bad_request, "revocation passphrases are not taken here: revoke with the certificate's key, or ask an operator");
    if (begins(message.type())) CMP_CHECK(check_right(exchange));
    const auto* infos = infos_of(message);
    if (infos != nullptr && count_of(*infos) + count_of(header.general_info) > 1)
        return refuse(PkiFailure::bad_request, "two revocation passphrases in one message");
    CMP_TRY(const auto* info, find_only(infos != nullptr && count_of(*infos) != 0 ? *infos : header.general_info, oid::rev_passphrase));
    CMP_TRY(auto kept, passphrase_holder(exchange));
    // Without it an old message that somebody sends again brings an old passphrase back.
    if (!header.message_time) return refuse(PkiFailure::bad_time, "a message that conveys a revocation passphrase says messageTime");
    kept.conveyed_at = *header.message_time;
    CMP_TRY(const auto value, or_failure(PkiFailure::bad_data_format, read_rev_passphrase(*info)));
    if (!value) return refuse(PkiFailure::bad_data_format, "id-it-revPassphrase has no value");
    const auto* enveloped = std::get_if<x509::crmf::EnvelopedKey>(&*value);
    if (enveloped == nullptr)
        return refuse(PkiFailure::bad_request, "EncryptedValue is not taken: convey the revocation passphrase as EnvelopedData, with pvno 3 (cmp2021)");
    const cms::Limits limits{.recipients_max = 1, .iterations_max = config_.mac_iterations_max};
    CMP_TRY(const auto data, or_failure(PkiFailure::bad_data_format,
                                        cms::EnvelopedData::parse(cms::make_content_info(cms::oid::enveloped_data, enveloped->enveloped_data), limits)));
    if (data.recipients().size() != 1 || data.content_type() != cms::oid::data)
        return refuse(PkiFailure::bad_request, "the EnvelopedData of a revocation passphrase is id-data for one recipient (RFC 9810 5.2.2)");
    CMP_TRY(auto identifier, identifier_of(data));
    // A new one without an identifier has that of the old one only where there is no other way to find it.
    if (!identifier.empty() || !kept.name.empty()) kept.identifier = std::move(identifier);
    CMP_TRY(kept.secret, open_passphrase(exchange, data));
    CMP_CHECK(find_place(kept));
    CMP_TRY(kept.sealed, authority_.seal(passphrase_purpose, kept.place, kept.encode()));
    return std::optional{std::move(kept)};
}

/// Cannot fail: what the message does besides is in the same unit of work already.
Reply Server::Impl::keep_passphrase(Exchange& exchange, KeptPassphrase kept, Reply reply) const {
    if (const auto refused = refusal_in(reply.body)) {   // a message that is refused conveys nothing
        ErrorMsgContent content;
        content.status_info = *refused;
        reply.body = {BodyType::error, std::move(content)};
        return reply;
    }
    const auto now = clock_.now();
    store::TransactionRecord record;
    record.protocol = passphrase_protocol;
    record.key = kept.place;
    record.revision = kept.revision;
    record.state = std::move(kept.sealed);
    record.expires_at = now + exchange.label.config.passphrase_lifetime;
    auto& writes = exchange.work.writes;
    writes.emplace_back(store::PutTransaction{std::move(record)});
    const auto& before = exchange.sender.passphrase;
    if (before && before->place != kept.place) writes.emplace_back(store::RemoveTransaction{std::string{passphrase_protocol}, before->place});
    writes.emplace_back(store::AppendAudit{{0, now, "passphrase.conveyed", exchange.sender.principal.describe(), kept.proof.holder, "ok",
                                            fmt::format("label={} address={}", kept.proof.label, exchange.transport.address)}});
    if (count_of(exchange.message.header().general_info) != 0) reply.info.push_back(ask(oid::rev_passphrase));
    // The same message again is answered in the same way, and brings nothing back that was replaced meanwhile.
    if (!reply.keep) reply.keep = Seconds{0};
    return reply;
}

// -- shown ----------------------------------------------------------------------------------------------------------------------

Checked<ShownPassphrase> Server::Impl::shown_passphrase(const Exchange& exchange) const {
    ShownPassphrase shown;
    const auto& message = exchange.message;
    const auto& transaction = exchange.transaction;
    const auto& algorithm = message.header().protection_alg;
    const auto kind = algorithm ? protection_kind(*algorithm) : fail(Code::unsupported, "");
    if (!exchange.label.config.revocation_passphrases || !kind || *kind != ProtectionKind::password_mac) return shown;
    const bool follows = goes_on(message.type()) && transaction.revision != 0 && transaction.protection == Protection::passphrase;
    if (message.type() != BodyType::rr && !follows) return shown;
    shown.wanted = true;
    if (follows && !transaction.kem_secret.empty()) {   // the one that began it, whatever has taken its place since
        const auto key = transaction_key(exchange.label.config.name, *message.header().transaction_id);
        CMP_TRY(const auto octets, authority_.open_sealed(passphrase_purpose, key, transaction.kem_secret));
        CMP_TRY(shown.found, KeptPassphrase::decode(octets));
        return shown;
    }
    for (const auto& place : passphrase_places(exchange.label.recorded, message.header())) {
        CMP_TRY(const auto record, store_.transaction(passphrase_protocol, place));
        if (!record || record->expires_at < clock_.now()) continue;
        CMP_TRY(const auto octets, authority_.open_sealed(passphrase_purpose, place, record->state));
        CMP_TRY(shown.found, KeptPassphrase::decode(octets));
        shown.found->place = place;
        shown.found->revision = record->revision;
        return shown;
    }
    return shown;
}

}  // namespace estuary::cmp
