// genm (RFC 9483 4.3, RFC 9810 5.3.19): what the authority tells to whoever may ask.
#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/cmp/server_impl.h"
#include "estuary/crypto/algorithms.h"
#include "estuary/x509/crl.h"

namespace estuary::cmp {
namespace {

using crypto::KeyKind;
using x509::Certificate;

constexpr der::Oid aes256_cbc{"2.16.840.1.101.3.4.1.42"};
constexpr std::size_t initialisation_octets = 16;
/// The first CRL is made when the server starts, or by an operator's command.
constexpr Seconds crl_check_after{3};

/// What keys of this kind are good for, beside the profile's usage.
bool can_encrypt(const crypto::KeyType& key) { return key.kind == KeyKind::rsa || key.kind == KeyKind::ec || key.kind == KeyKind::ml_kem; }

/// The algorithms of the profile's keys, each once, in its order.
std::vector<ByteVec> key_algorithms(const authority::Profile& profile, bool signing) {
    std::vector<ByteVec> algorithms;
    for (const auto& name : profile.key_types) {
        const auto type = crypto::key_type(name);
        if (!type || !(signing ? (*type)->signs : can_encrypt(**type))) continue;
        auto algorithm = crypto::key_algorithm_identifier(**type);
        if (std::ranges::find(algorithms, algorithm) == algorithms.end()) algorithms.push_back(std::move(algorithm));
    }
    return algorithms;
}

/// AES-256-CBC, which EnvelopedData is made with here. The parameter is an example's: every message has its own.
ByteVec preferred_cipher() {
    der::Writer writer;
    writer.sequence([&] { writer.oid(aes256_cbc).octet_string(ByteVec(initialisation_octets)); });
    return std::move(writer).take();
}

bool is_below(const Certificate& certificate, const Certificate& issuer) {
    const auto key = issuer.public_key();
    return key && certificate.issuer().matches(issuer.subject()) && certificate.verify_signed_by(*key).has_value();
}

/// RFC 9483 4.3.2: the present root with its links to the old one; nothing if the asker has it, or none is known.
std::optional<RootCaKeyUpdate> update_of(const authority::CaConfig& ca, const std::optional<Certificate>& old) {
    if (ca.chain.empty()) return std::nullopt;
    const auto& root = ca.chain.back();
    if (old && same(old->spki(), root.spki())) return std::nullopt;
    RootCaKeyUpdate update{CmpCertificate{root}, std::nullopt, std::nullopt};
    for (const auto& link : ca.rollover) {
        const bool new_key = same(link.spki(), root.spki());
        if (new_key && !(link == root) && (!old || is_below(link, *old)) && !is_below(link, root)) update.new_with_old = CmpCertificate{link};
        if (!new_key && is_below(link, root) && (!old || same(old->spki(), link.spki()))) update.old_with_new = CmpCertificate{link};
    }
    //= https://www.rfc-editor.org/rfc/rfc9483#section-4.3.2
    // newWithOld is REQUIRED there: a root that nobody can get to from the old one is no update of it.
    if (!update.new_with_old) return std::nullopt;
    return update;
}

std::optional<x509::Name> subject_template(const authority::Profile& profile) {
    der::Writer writer;
    writer.sequence([&] {
        if (!profile.subject.fixed.empty()) {
            der::Reader fixed{profile.subject.fixed.der()};
            if (auto rdns = fixed.enter(der::Tag::sequence)) writer.raw(rdns->rest());
        }
        for (const auto& type : profile.subject.required) {
            if (!profile.subject.fixed.values(type).empty()) continue;
            writer.constructed(der::Tag::set, [&] { writer.sequence([&] { writer.oid(type).utf8_string(""); }); });
        }
    });
    auto name = x509::Name::parse(writer.bytes());
    if (!name || name->empty()) return std::nullopt;
    return std::move(*name);
}

}  // namespace

//= https://www.rfc-editor.org/rfc/rfc9483#section-4.4
/// A CRL that has not been made yet is waited for; genp has no status that says so.
Checked<Reply> Server::Impl::inform(Exchange& exchange, const PkiMessage& original, Waits* waits) {
    const auto& asked = original.as<GenContent>().infos;
    if (asked.empty() || asked.size() > exchange.label.config.requests_max)
        return refuse(PkiFailure::bad_request, fmt::format("{} InfoTypeAndValue in one genm; {} is the most here", asked.size(),
                                                           exchange.label.config.requests_max));
    CMP_TRY(const auto profiles, cert_profile(original.header(), config_.limits));
    if (profiles.size() > asked.size()) return refuse(PkiFailure::bad_request, "certProfile names more profiles than there are requests");
    auto& transaction = exchange.transaction;
    for (const auto& one : asked) {
        CMP_TRY(const bool wait, is_to_come(exchange, one));
        if (!wait) continue;
        if (transaction.items.empty()) {
            transaction.items = {{no_cert_req_id, TransactionItem::State::waiting, {}, {}, {}}};
            transaction.request = to_vec(original.der());
            transaction.waits_until = clock_.now() + config_.crl_wait;
        }
        if (waits != nullptr) *waits = {crl_check_after, config_.crl_wait};
        return told_to_wait("the CRL is to be made yet", config_.crl_wait);
    }
    GenContent content;
    std::vector<der::Oid> unsupported;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        CMP_TRY(auto told, inform_one(exchange, asked[i], i < profiles.size() ? profiles[i] : std::string_view{}));
        if (told) content.infos.push_back(std::move(*told));
        else unsupported.push_back(asked[i].info_type);
    }
    // RFC 9483 3.5 refuses a request of an unknown type; of several, those that are not known are listed (RFC 9810 5.3.19.7).
    if (content.infos.empty())
        return refuse(PkiFailure::bad_request, fmt::format("{} is not told here", info_type_name(unsupported.front())));
    if (!unsupported.empty()) content.infos.push_back(make_unsupported_oids(unsupported));
    for (auto& item : transaction.items) item.state = TransactionItem::State::settled;
    return Reply{{BodyType::genp, std::move(content)}, {}, {}, transaction.items.empty() ? std::optional<Seconds>{} : Seconds{0}};
}

/// Only who can poll is told to wait: without protection nobody knows whose question it was.
Checked<bool> Server::Impl::is_to_come(const Exchange& exchange, const InfoTypeAndValue& asked) const {
    const bool about_crls = asked.info_type == oid::crl_status_list || asked.info_type == oid::current_crl;
    const auto& until = exchange.transaction.waits_until;
    const bool in_time = until ? clock_.now() < *until : config_.crl_wait > Seconds{0};
    const auto& ca = *authority_.ca(exchange.label.ca);
    // The lists of a CA above are its own matter.
    if (!about_crls || !config_.crls || ca.upstream || !in_time || exchange.sender.protection == Protection::none) return false;
    CMP_CHECK(check_info_value(asked, config_.limits));
    CMP_TRY(const auto lists, published_crls(exchange.label));
    return std::ranges::none_of(lists, [&](const x509::RevocationList& list) { return list.issuer() == ca.certificate.subject(); });
}

Checked<std::vector<x509::RevocationList>> Server::Impl::published_crls(const LabelState& label) const {
    std::vector<x509::RevocationList> lists;
    if (!config_.crls) return lists;
    CMP_TRY(const auto ders, config_.crls(label.ca));
    for (const auto& der : ders)
        if (auto list = x509::RevocationList::parse(der)) lists.push_back(std::move(*list));
    return lists;
}

Checked<std::optional<InfoTypeAndValue>> Server::Impl::inform_one(const Exchange& exchange, const InfoTypeAndValue& asked,
                                                                 std::string_view profile_wanted) const {
    using Told = std::optional<InfoTypeAndValue>;
    const auto& ca = *authority_.ca(exchange.label.ca);
    const auto& type = asked.info_type;
    CMP_TRY(const auto profile_name, profile_named(exchange.label, profile_wanted));
    const auto& profile = *authority_.profile(profile_name);
    if (type == oid::ca_certs) {
        CMP_CHECK(check_value_absent(asked));
        // Certificates of CAs that a client may need besides the roots that it has (RFC 9483 4.3.1).
        CMP_TRY(const auto certificates, authority_.ca_certificates(exchange.label.ca));
        return Told{make_ca_certs(to_cmp(certificates))};
    }
    if (type == oid::root_ca_cert) {
        CMP_TRY(const auto old, read_root_ca_cert(asked));
        std::optional<Certificate> known;
        if (old) {
            CMP_TRY(known, old->x509());
        }
        const auto update = update_of(ca, known);
        return Told{update ? make_root_ca_key_update(*update) : ask(oid::root_ca_key_update)};
    }
    if (type == oid::cert_req_template) {
        CMP_CHECK(check_value_absent(asked));
        CMP_TRY(auto told, template_for(exchange.label, profile_name));
        return Told{std::move(told)};
    }
    if (type == oid::crl_status_list || type == oid::current_crl) {
        CMP_TRY(auto told, crls_for(exchange, asked));
        return Told{std::move(told)};
    }
    if (type == oid::sign_key_pair_types || type == oid::enc_key_pair_types) {
        CMP_CHECK(check_value_absent(asked));
        return Told{make_key_pair_types(type, key_algorithms(profile, type == oid::sign_key_pair_types))};
    }
    if (type == oid::preferred_symm_alg) {
        CMP_CHECK(check_value_absent(asked));
        return Told{make_algorithm_info(type, preferred_cipher())};
    }
    if (type == oid::ca_prot_enc_cert) {
        CMP_CHECK(check_value_absent(asked));
        if (!needs_agreement_key(exchange.label.config) || exchange.label.agreement == nullptr) return Told{ask(type)};
        return Told{make_ca_prot_enc_cert(CmpCertificate{exchange.label.agreement->chain.front()})};
    }
    if (type == oid::key_pair_param_req) {
        CMP_TRY(const auto algorithm, read_key_pair_param_req(asked));
        for (const auto& name : profile.key_types)
            if (const auto key = crypto::key_type(name); key && (*key)->algorithm == algorithm)
                return Told{make_algorithm_info(oid::key_pair_param_rep, crypto::key_algorithm_identifier(**key))};
        return Told{ask(oid::key_pair_param_rep)};
    }
    if (type == oid::supp_lang_tags) {
        CMP_TRY(const auto tags, read_supp_lang_tags(asked, config_.limits));
        for (const auto& tag : tags)
            if (text::lower(tag) == "en" || text::lower(tag).starts_with("en-")) return Told{make_supp_lang_tags({tag})};
        return refuse(PkiFailure::bad_request, "texts are in English only (en)");
    }
    if (type == oid::kem_ciphertext_info)
        return refuse(PkiFailure::bad_request, exchange.label.config.kem_protection
                                                   ? "a KEM ciphertext is asked for alone, by a genm without protection, with the certificate in extraCerts"
                                                   : "protection by KEM keys is not offered here");
    if (type == oid::rev_passphrase) return Told{ask(type)};   // looked at before, and kept afterwards
    return Told{};
}

Checked<InfoTypeAndValue> Server::Impl::template_for(const LabelState& label, std::string_view profile_name) const {
    (void)label;
    const auto& profile = *authority_.profile(profile_name);
    CertReqTemplate wanted;
    wanted.cert_template.subject = subject_template(profile);
    if (profile.ask_for_san || profile.san.required) wanted.cert_template.extensions.push_back({x509::oid::subject_alt_name, false, {}});
    if (profile.key_usage != 0) wanted.cert_template.extensions.push_back(x509::make_key_usage(profile.key_usage));
    if (!profile.ext_key_usage.empty()) wanted.cert_template.extensions.push_back(x509::make_ext_key_usage(profile.ext_key_usage));
    for (const auto& name : profile.key_types) {
        const auto key = crypto::key_type(name);
        if (!key) continue;
        if ((*key)->kind == KeyKind::rsa) wanted.key_spec.push_back(make_key_choice(KeyChoice{static_cast<std::uint32_t>((*key)->bits)}));
        else wanted.key_spec.push_back(make_key_choice(KeyChoice{crypto::key_algorithm_identifier(**key)}));
    }
    return make_cert_req_template(wanted);
}

/// CRLs that are newer than what the asker has (RFC 9483 4.3.4). The name of a distribution point only says which one is meant:
/// nothing is fetched from there.
Checked<InfoTypeAndValue> Server::Impl::crls_for(const Exchange& exchange, const InfoTypeAndValue& asked) const {
    CMP_TRY(const auto lists, published_crls(exchange.label));
    const auto& ca = *authority_.ca(exchange.label.ca);
    if (asked.info_type == oid::current_crl) {
        CMP_CHECK(check_value_absent(asked));
        for (const auto& list : lists)
            if (list.issuer() == ca.certificate.subject()) return make_current_crl(list.der());
        return refuse(PkiFailure::bad_request, "no CRL is published yet");
    }
    CMP_TRY(const auto states, read_crl_status_list(asked, config_.limits));
    if (states.size() != 1) return refuse(PkiFailure::bad_request, "crlStatusList must hold one CRLStatus (RFC 9483 4.3.4)");
    const auto& state = states.front();
    std::vector<ByteVec> newer;
    bool known = false;
    for (const auto& list : lists) {
        const std::vector<x509::GeneralName> issuer{directory_name(list.issuer())};
        bool meant = false;
        if (const auto* names = std::get_if<std::vector<x509::GeneralName>>(&state.source)) {
            meant = x509::have_name_in_common(*names, issuer);
        } else {
            const auto names_asked = std::get<x509::DistributionPointName>(state.source).names_below(list.issuer());
            const auto& scope = list.scope();
            const auto points = scope && scope->name ? scope->name->names_below(list.issuer()) : std::vector<x509::GeneralName>{};
            std::vector<x509::GeneralName> places;
            for (const auto& uri : ca.status.crl_uris) places.push_back({x509::GeneralName::Kind::uri, to_vec(as_bytes(uri))});
            const bool single = !scope || !scope->name;
            meant = x509::have_name_in_common(names_asked, points) ||
                    (single && list.issuer() == ca.certificate.subject() && x509::have_name_in_common(names_asked, places));
        }
        if (!meant) continue;
        known = true;
        if (!state.this_update || list.this_update() > *state.this_update) newer.push_back(to_vec(list.der()));
    }
    if (!known) return refuse(PkiFailure::bad_request, "no CRL of this source is known here");
    if (newer.size() > 1) newer.resize(1);   // RFC 9483 4.3.4: one; the others by their distribution points
    return make_crls(newer);
}

}  // namespace estuary::cmp
