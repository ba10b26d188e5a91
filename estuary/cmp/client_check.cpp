#include "estuary/cmp/client_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/cmp/protection_certificate.h"
#include "estuary/x509/path.h"

namespace estuary::cmp {
namespace {

using x509::Certificate;

constexpr std::size_t nonce_octets_min = 16;  // RFC 9483 3.5

tl::unexpected<Error> unproved(std::string why) { return fail(Code::not_authenticated, std::move(why)); }

/// The same error, as one of authenticity where it is one of proof.
Error as_unproved(std::string_view what, Error error) {
    if (error.code == Code::bad_proof) error.code = Code::not_authenticated;
    return in_context(what, std::move(error));
}

/// Whether this certificate's owner may answer for the authority (RFC 9810 4.5, RFC 9483 3.5).
Result<void> check_speaker(const Certificate& certificate, const ClientConfig& config) {
    if (config.expected_sender) {
        if (certificate.subject().matches(*config.expected_sender)) return {};
        return fail(Code::not_authorised, fmt::format("the answer is signed by {}, not by {} as expected",
                                                      certificate.subject().to_text(), config.expected_sender->to_text()));
    }
    if (certificate.is_ca() || certificate.has_ext_key_usage(x509::oid::kp_cmc_ca) ||
        certificate.has_ext_key_usage(x509::oid::kp_cmc_ra))
        return {};
    return fail(Code::not_authorised,
                fmt::format("the answer is signed by {}, which is neither a CA nor has id-kp-cmcCA or id-kp-cmcRA; if it is the "
                            "right one, say that it is expected",
                            certificate.subject().to_text()));
}

//= https://www.rfc-editor.org/rfc/rfc9483#section-3.2
//# If the CMP protection certificate contains the keyUsage extension, the bit digitalSignature MUST be set.
Result<void> check_usage(const Certificate& certificate) {
    const auto usage = certificate.key_usage();
    if (usage && (*usage & x509::digital_signature) == 0)
        return unproved("the certificate that the answer is signed with lacks digitalSignature");
    return {};
}

Result<void> check_sender_name(const PkiHeader& header, const Certificate& certificate) {
    const auto name = name_of(header.sender);
    if (!name || !name->matches(certificate.subject()))
        return unproved(fmt::format("the sender {} is not the subject of the certificate that the answer is signed with",
                                    header.sender.to_text()));
    return {};
}

Result<AnswerProof> check_signature(const PkiMessage& message, const std::vector<Certificate>& known, const ClientConfig& config,
                                    Time now) {
    if (config.anchors.empty()) return unproved("the answer is signed, and there is no trust anchor to verify that by");
    auto came = message.extra_certificates();
    const auto* certificate = protection_certificate(message.header(), came);
    if (certificate == nullptr) certificate = protection_certificate(message.header(), known);
    if (certificate == nullptr) return unproved("the certificate that the answer is signed with did not come along");
    ESTUARY_TRY(const auto key, certificate->public_key());
    if (auto good = verify_signature_protection(*message.header().protection_alg, message.protected_part(), *message.protection(), key);
        !good)
        return fail(as_unproved("signature of the answer", std::move(good).error()));

    auto intermediates = config.intermediates;
    intermediates.insert(intermediates.end(), came.begin(), came.end());
    intermediates.insert(intermediates.end(), known.begin(), known.end());
    ESTUARY_TRY(auto path, x509::validate_path(*certificate, intermediates, config.anchors, {.at = now}));
    ESTUARY_CHECK(check_usage(path.front()));
    ESTUARY_CHECK(check_sender_name(message.header(), path.front()));
    ESTUARY_CHECK(check_speaker(path.front(), config));
    if (config.check_status) ESTUARY_CHECK(config.check_status(path));
    return AnswerProof{AnswerProof::Kind::signature, std::move(path)};
}

Result<AnswerProof> check_mac(const PkiMessage& message, const ClientConfig& config) {
    const auto* own = std::get_if<ClientSecret>(&config.credentials);
    if (own == nullptr) return unproved("the answer has a MAC although the request was signed (wrongIntegrity)");
    if (auto good = verify_mac_protection(*message.header().protection_alg, message.protected_part(), *message.protection(), own->secret,
                                          config.protection_limits);
        !good)
        return fail(as_unproved("MAC of the answer", std::move(good).error()));
    return AnswerProof{AnswerProof::Kind::mac, {}};
}

Result<AnswerProof> check_unprotected(const PkiMessage& message, const ClientConfig& config) {
    if (message.type() != BodyType::error) return unproved("the answer is not protected");
    if (config.unprotected_errors) return AnswerProof{};
    return unproved("the answer is an error that is not protected, so anybody may have sent it; it says: " +
                    message.as<ErrorMsgContent>().to_text());
}

}  // namespace

Result<void> check_answer_header(const PkiMessage& message, const ExpectedAnswer& expected, const ClientConfig& config, Time now) {
    const auto& header = message.header();
    if (header.pvno != cmp2000 && header.pvno != cmp2021)
        return fail(Code::unsupported, fmt::format("the answer is of CMP version {}", header.pvno));
    if (header.pvno < needed_pvno(message)) return fail(Code::malformed, "the answer has the syntax of cmp2021 and says that it is of cmp2000");
    if (!header.transaction_id || !same(*header.transaction_id, expected.transaction_id))
        return fail(Code::bad_proof, "the answer is of another transaction");
    if (!header.sender_nonce || header.sender_nonce->size() < nonce_octets_min)
        return fail(Code::bad_proof, "the answer has no senderNonce of 16 octets or more");
    if (!header.recip_nonce || std::ranges::find(expected.nonces, *header.recip_nonce) == expected.nonces.end())
        return fail(Code::bad_proof, "the answer is not to what was asked: recipNonce is another");
    if (config.message_time_window.count() > 0 && header.message_time &&
        (*header.message_time > now + config.message_time_window || *header.message_time < now - config.message_time_window))
        return fail(Code::bad_proof, fmt::format("the answer says that it was made at {}; it is {} here", to_iso8601(*header.message_time),
                                                 to_iso8601(now)));
    return {};
}

Result<AnswerProof> check_answer_protection(const PkiMessage& message, const std::vector<Certificate>& known,
                                            const ClientConfig& config, Time now) {
    const auto& algorithm = message.header().protection_alg;
    if (algorithm.has_value() != message.protection().has_value())
        return unproved("the answer has protection without protectionAlg, or the other way round");
    if (!algorithm) return check_unprotected(message, config);
    ESTUARY_TRY(const auto kind, protection_kind(*algorithm));
    switch (kind) {
        case ProtectionKind::signature: return check_signature(message, known, config, now);
        case ProtectionKind::password_mac:
        case ProtectionKind::shared_key_mac: return check_mac(message, config);
        case ProtectionKind::diffie_hellman:
        case ProtectionKind::kem_mac: break;
    }
    return fail(Code::unsupported, "the answer is protected in a way that was not agreed on");
}

}  // namespace estuary::cmp
