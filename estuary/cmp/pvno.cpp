// Which version a message needs (RFC 9810 7).
#include <algorithm>

#include "estuary/cmp/info_values.h"
#include "estuary/cmp/messages.h"

namespace estuary::cmp {
namespace {

using x509::crmf::EncryptedKey;
using x509::crmf::EnvelopedKey;

bool is_enveloped(const EncryptedKey& key) { return std::holds_alternative<EnvelopedKey>(key); }
bool is_enveloped(const std::optional<EncryptedKey>& key) { return key && is_enveloped(*key); }

/// A revocation passphrase in EnvelopedData. What cannot be read decides nothing.
bool needs_2021(const InfoTypeAndValues& infos) {
    return std::ranges::any_of(infos, [](const InfoTypeAndValue& info) {
        if (info.info_type != oid::rev_passphrase) return false;
        const auto passphrase = read_rev_passphrase(info);
        return passphrase && is_enveloped(*passphrase);
    });
}

bool needs_2021(const x509::crmf::PopoPrivKey& proof) {
    return std::holds_alternative<x509::crmf::AgreeMac>(proof) || std::holds_alternative<x509::crmf::EncryptedKeyProof>(proof);
}

bool needs_2021(const x509::crmf::CertReqMsg& message) {
    const auto& popo = message.popo();
    if (popo) {
        if (const auto* encipherment = std::get_if<x509::crmf::KeyEncipherment>(&*popo); encipherment != nullptr)
            if (needs_2021(encipherment->proof)) return true;
        if (const auto* agreement = std::get_if<x509::crmf::KeyAgreementProof>(&*popo); agreement != nullptr)
            if (needs_2021(agreement->proof)) return true;
    }
    const auto archive = x509::crmf::archive_options(message.cert_req().controls);
    if (!archive || !*archive) return false;
    const auto* key = std::get_if<EncryptedKey>(&**archive);
    return key != nullptr && is_enveloped(*key);
}

bool needs_2021(const CertifiedKeyPair& pair) {
    const auto* encrypted = std::get_if<EncryptedKey>(&pair.cert_or_enc_cert);
    return (encrypted != nullptr && is_enveloped(*encrypted)) || is_enveloped(pair.private_key);
}

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

bool needs_2021(const PkiBody& body) {
    return std::visit(
        Overloaded{
            [](const CertReqMessages& content) {
                return std::ranges::any_of(content.messages, [](const auto& message) { return needs_2021(message); });
            },
            [](const CertRepMessage& content) {
                return std::ranges::any_of(content.responses, [](const CertResponse& response) {
                    return response.certified_key_pair && needs_2021(*response.certified_key_pair);
                });
            },
            [](const KeyRecRepContent& content) {
                return std::ranges::any_of(content.key_pair_hist, [](const auto& pair) { return needs_2021(pair); });
            },
            [](const PopoDecKeyChallContent& content) {
                return std::ranges::any_of(content.challenges, [](const auto& one) { return one.encrypted_rand.has_value(); });
            },
            [](const CaKeyUpdContent& content) { return std::holds_alternative<RootCaKeyUpdate>(content.update); },
            [](const CertConfirmContent& content) {
                return std::ranges::any_of(content.statuses, [](const auto& status) { return status.hash_alg.has_value(); });
            },
            [](const GenContent& content) { return needs_2021(content.infos); },
            [](const auto&) { return false; },
        },
        body.content);
}

}  // namespace

std::int64_t needed_pvno(const PkiHeader& header, const PkiBody& body) {
    return needs_2021(body) || needs_2021(header.general_info) ? cmp2021 : cmp2000;
}

std::int64_t needed_pvno(const PkiMessage& message) { return needed_pvno(message.header(), message.body()); }

}  // namespace estuary::cmp
