// krr: archived private keys for those whose they are, once operators have agreed, and a certificate for a new signature key
// (RFC 9810 5.3.7, 5.3.8).
#include <algorithm>

#include <fmt/format.h>

#include "estuary/authority/online_recovery.h"
#include "estuary/base/encoding.h"
#include "estuary/base/text.h"
#include "estuary/cmp/server_envelope.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/x509/crmf_controls.h"

namespace estuary::cmp {
namespace {

namespace crmf = x509::crmf;
using State = TransactionItem::State;

/// After the time to approve is over it can still be answered that it is.
constexpr Seconds expiry_margin{86400};

Failure recovery_failure(Error error) {
    switch (error.code) {
        case Code::unsupported:
        case Code::conflict:
        case Code::policy: return as_failure(PkiFailure::bad_request, std::move(error));
        default: return Failure{std::move(error)};
    }
}
template <class T>
Checked<T> or_recovery_failure(Result<T> result) {
    if (!result) return tl::unexpected(recovery_failure(std::move(result).error()));
    if constexpr (std::is_void_v<T>) return {};
    else return std::move(*result);
}

/// The key that private keys are to be encrypted with (RFC 4211 6.6): whoever is authenticated as their owner may name any.
Checked<std::optional<crypto::PublicKey>> encryption_key_of(const crmf::CertReqMsg& message) {
    CMP_TRY(const auto spki, or_failure(PkiFailure::bad_data_format, crmf::protocol_encr_key(message.cert_req().controls)));
    if (!spki) return std::optional<crypto::PublicKey>{};
    CMP_TRY(auto key, or_failure(PkiFailure::bad_alg, crypto::PublicKey::from_spki(*spki)));
    CMP_CHECK(or_failure(PkiFailure::bad_alg, crypto::check_key_strength(key)));
    // Whether anything can be encrypted with it is found out now, not when people have agreed to it.
    CMP_CHECK(or_failure(PkiFailure::bad_alg, envelope_for(key, cms::Identifier::by_key(crypto::sha256(*spki)), *spki)));
    return std::optional{std::move(key)};
}

/// oldCertID, or issuer and serialNumber of a template that asks for no certificate.
Checked<std::optional<ByteVec>> certificate_named(const crmf::CertReqMsg& message, const x509::Name& ca, bool certificate_wanted) {
    std::optional<ByteVec> serial_number;
    const auto& wanted = message.cert_req().cert_template;
    if (!certificate_wanted && wanted.serial_number) {
        if (!wanted.issuer || !wanted.issuer->matches(ca)) return refuse(PkiFailure::bad_cert_id, "serialNumber without the CA here as issuer");
        serial_number = wanted.serial_number;
    }
    CMP_TRY(const auto old, or_failure(PkiFailure::bad_data_format, crmf::old_cert_id(message.cert_req().controls)));
    if (!old) return serial_number;
    const auto issuer = name_of(old->issuer);
    if (!issuer || !issuer->matches(ca)) return refuse(PkiFailure::bad_cert_id, "oldCertID names an issuer that is not the CA here");
    if (serial_number && !same(*serial_number, old->serial_number))
        return refuse(PkiFailure::bad_cert_id, "oldCertID and serialNumber name different certificates");
    return std::optional{old->serial_number};
}

/// A template that asks for no certificate says at most whose key is meant.
Checked<void> check_no_certificate(const crmf::CertReqMsg& message) {
    const auto& wanted = message.cert_req().cert_template;
    if (wanted.public_key) return refuse(PkiFailure::bad_cert_template, "keys are recovered by krr, not made: publicKey holds no key");
    if (message.popo()) return refuse(PkiFailure::bad_pop, "possession is shown of a key that is not there");
    if (!wanted.extensions.empty() || wanted.validity)
        return refuse(PkiFailure::bad_cert_template, "extensions and validity without a public key: no certificate is asked for");
    CMP_TRY(const auto archive, or_failure(PkiFailure::bad_data_format, crmf::archive_options(message.cert_req().controls)));
    if (archive) return refuse(PkiFailure::bad_request, "private keys are not taken here (pkiArchiveOptions)");
    return {};
}

/// To whom private keys will go, for the operators who decide about that.
std::string described_recipient(const Sender& sender, const std::optional<crypto::PublicKey>& encryption_key) {
    if (encryption_key)
        return fmt::format("the {} key SHA-256 {} (protocolEncrKey)", encryption_key->type_name(), to_hex(crypto::sha256(encryption_key->spki())));
    if (sender.protection == Protection::mac) return "whoever has the secret of its MAC";
    return fmt::format("the key of its certificate {}", sender.key_holder->serial_hex());
}

}  // namespace

Checked<Server::Impl::AskedKeys> Server::Impl::asked_keys(const Exchange& exchange, const PkiMessage& original) const {
    const auto& label = exchange.label;
    const auto& sender = exchange.sender;
    if (!label.config.recover_keys) return refuse(PkiFailure::not_authorized, "keys are not recovered under this label");
    // Keys are for the requester itself, not for who stands in between.
    if (sender.approved) return refuse(PkiFailure::not_authorized, "keys are recovered for the requester itself, not through a registration authority");
    const auto& messages = original.as<CertReqMessages>().messages;
    if (messages.size() != 1) return refuse(PkiFailure::bad_request, "krr holds one request here");
    const auto& message = messages.front();
    const auto& wanted = message.cert_req().cert_template;
    if (message.cert_req().cert_req_id != 0) return refuse(PkiFailure::bad_request, "certReqId of the only request must be 0");
    CMP_TRY(const auto profiles, cert_profile(original.header(), config_.limits));
    if (profiles.size() > 1) return refuse(PkiFailure::bad_request, "certProfile names more profiles than there are requests");
    AskedKeys asked;
    CMP_TRY(asked.certificate.profile, profile_named(label, profiles.empty() ? std::string_view{} : std::string_view{profiles.front()}));
    asked.certificate.message = &message;
    CMP_TRY(const auto signature_key, or_failure(PkiFailure::bad_cert_template, message.public_key()));
    asked.certificate_wanted = signature_key.has_value();
    if (asked.certificate_wanted) {
        if (crmf::subsequent_message(message)) return refuse(PkiFailure::bad_pop, "the new key of a krr is one that signs: show its possession by a signature");
        CMP_CHECK(read_crmf(exchange, original, message));
    } else {
        CMP_CHECK(check_no_certificate(message));
    }
    CMP_TRY(asked.encryption_key, encryption_key_of(message));
    auto& keys = asked.keys;
    CMP_TRY(keys.serial_number, certificate_named(message, authority_.ca(label.ca)->certificate.subject(), asked.certificate_wanted));
    if (!asked.certificate_wanted && wanted.subject && !wanted.subject->empty()) keys.subject = wanted.subject;
    //= https://www.rfc-editor.org/rfc/rfc9810#section-5.3.7
    //# […] if a key history is required, the requester must supply a Protocol Encryption Key control in the request message.
    asked.keys_wanted = !asked.certificate_wanted || asked.encryption_key || keys.serial_number;
    if (!asked.keys_wanted) return asked;
    if (original.header().pvno < cmp2021) return refuse(PkiFailure::bad_request, "private keys come in EnvelopedData: say pvno 3 (cmp2021)");
    if (!asked.encryption_key) CMP_CHECK(check_recipient(sender));
    keys.ca = label.ca;
    keys.label = label.recorded;
    keys.principal = sender.principal;
    keys.spend = !asked.certificate_wanted;   // otherwise the certificate does
    const auto subject = sender.certificate ? " of " + text::printable(sender.certificate->subject().to_text()) : std::string{};
    keys.reason = fmt::format("krr {} under {}{}, to {}", to_hex(*original.header().transaction_id), label.recorded, subject,
                              described_recipient(sender, asked.encryption_key));
    return asked;
}

Checked<Reply> Server::Impl::recover(Exchange& exchange) {
    const auto& message = exchange.message;
    CMP_TRY(const auto asked, asked_keys(exchange, message));
    exchange.transaction.items = {{0, State::waiting, {}, {}, {}}};
    exchange.transaction.request = to_vec(message.der());
    if (!asked.keys_wanted) return answer_recovery(exchange, message);
    CMP_TRY(const auto until, or_recovery_failure(authority_.request_keys(asked.keys, exchange.work)));
    return wait_for_recovery(asked, until, nullptr);
}

Reply Server::Impl::wait_for_recovery(const AskedKeys& asked, Time until, Waits* told) const {
    const auto* profile = authority_.profile(asked.certificate.profile);
    const Waits waits{std::max(profile->poll_interval, Seconds{1}), until - clock_.now() + expiry_margin};
    if (told != nullptr) *told = waits;
    KeyRecRepContent content;
    content.status.status = PkiStatus::waiting;
    content.status.status_string = {"operators have to agree to the recovery"};
    return Reply{{BodyType::krp, std::move(content)}, {}, {}, waits.keep};
}

Checked<Reply> Server::Impl::answer_recovery(Exchange& exchange, const PkiMessage& original, Waits* told) {
    store::UnitOfWork own;
    auto reply = try_recovery(exchange, original, own, told);
    auto& item = exchange.transaction.items.front();
    if (reply) {
        std::ranges::move(own.writes, std::back_inserter(exchange.work.writes));
        std::ranges::move(own.leases, std::back_inserter(exchange.work.leases));
        return reply;
    }
    const auto& failure = reply.error();
    // What passes by itself is not the end of it.
    if (failure.bit == PkiFailure::system_unavail) return reply;
    log_failure(exchange, failure);
    item.state = State::refused;
    CMP_CHECK(give_up_recovery(exchange, original, failure.text()));
    KeyRecRepContent content;
    content.status = failure.status();
    Reply rejection{{BodyType::krp, std::move(content)}};
    if (exchange.transaction.revision != 0) rejection.keep = Seconds{0};
    return rejection;
}

Checked<void> Server::Impl::give_up_recovery(Exchange& exchange, const PkiMessage& original, const std::string& why) {
    const auto asked = asked_keys(exchange, original);
    if (!asked || !asked->keys_wanted) return {};
    return or_recovery_failure(authority_.withdraw_keys(asked->keys, why, exchange.work));
}

/// Writes into `work` what is to be recorded if this is the answer.
Checked<Reply> Server::Impl::try_recovery(Exchange& exchange, const PkiMessage& original, store::UnitOfWork& work, Waits* told) {
    CMP_TRY(auto asked, asked_keys(exchange, original));
    if (asked.keys_wanted) {
        CMP_TRY(const auto until, or_recovery_failure(authority_.awaits_approval(asked.keys)));
        if (until) return wait_for_recovery(asked, *until, told);
    }
    CMP_TRY(bool implicit, implicit_confirm(original.header()));
    implicit = implicit && exchange.label.config.implicit_confirm;
    KeyRecRepContent content;
    Reply reply;
    reply.keep = Seconds{0};
    auto& item = exchange.transaction.items.front();
    auto state = State::settled;
    if (asked.certificate_wanted) {
        // Apart from what is written if there are no keys in the end.
        std::swap(work, exchange.work);
        auto made = make_one(exchange, original, asked.certificate, implicit);
        std::swap(work, exchange.work);
        if (!made) {
            std::ranges::move(work.writes, std::back_inserter(exchange.work.writes));   // refusals are audited
            return tl::unexpected(std::move(made).error());
        }
        if (const auto* retry = std::get_if<Seconds>(&*made)) {
            const auto* profile = authority_.profile(asked.certificate.profile);
            auto waiting = wait_for_recovery(asked, clock_.now() + profile->approval_expires, told);
            if (told != nullptr) told->check_after = *retry;
            return waiting;
        }
        auto& issued = std::get<Made>(*made);
        if (!implicit) state = State::unconfirmed;
        item.ca = issued.ca;
        item.certificate = to_vec(issued.certificate.der());
        content.new_sig_cert = CmpCertificate{issued.certificate};
        if (issued.modified) content.status.status = PkiStatus::granted_with_mods;
        reply.info.push_back(implicit ? make_implicit_confirm() : make_confirm_wait_time(clock_.now() + exchange.label.config.confirm_wait));
    }
    if (asked.keys_wanted) {
        const auto* encryption_key = asked.encryption_key ? &*asked.encryption_key : nullptr;
        asked.keys.deliver = [&](const x509::Certificate& certificate, const crypto::PrivateKey& key) -> Result<void> {
            ESTUARY_TRY(auto envelope, envelope_with_key(key, *exchange.label.key_generator, exchange.sender, encryption_key));
            CertifiedKeyPair pair;
            pair.cert_or_enc_cert = CmpCertificate{certificate};
            pair.private_key = crmf::EncryptedKey{crmf::EnvelopedKey{std::move(envelope)}};
            content.key_pair_hist.push_back(std::move(pair));
            return {};
        };
        CMP_CHECK(or_recovery_failure(authority_.recover_keys(asked.keys, work)));
    }
    const auto* ca = authority_.ca(exchange.label.ca);
    reply.chain.push_back(ca->certificate);
    reply.chain.insert(reply.chain.end(), ca->chain.begin(), ca->chain.end());
    for (const auto& certificate : reply.chain) content.ca_certs.emplace_back(certificate);
    item.state = state;
    reply.body = {BodyType::krp, std::move(content)};
    return reply;
}

}  // namespace estuary::cmp
