// The PAL of one client (RFC 8295 2): what the server tells of itself, what the client is to do, what waits for it.
#include <fmt/format.h>

#include "estuary/cms/signed_data.h"
#include "estuary/est/server_impl.h"
#include "estuary/http/accept.h"
#include "estuary/http/grammar.h"
#include "estuary/x509/crl_view.h"

namespace estuary::est {
namespace {

using authority::PackageClient;

constexpr std::size_t entries_to_come = 3;  // a package, its receipt, and a pointer to the next PAL
constexpr std::array<std::string_view, 2> media_types{media_xml, media_json};

/// "a b" as "a%20b": what is not unreserved (RFC 3986 2.3).
std::string path_segment(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || c == '-' || c == '.' || c == '_' || c == '~') out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

/// The URI below which this client sees its label: by the name that it asked for.
Result<std::string> base_of(const http::Request& request, std::string_view label) {
    const auto host = request.headers.find("Host");
    const auto url = host && request.headers.count("Host") == 1 ? http::Url::parse(fmt::format("https://{}", *host))
                                                               : Result<http::Url>{fail(Code::malformed, "")};
    if (!url || !url->path.empty() || host->find_first_of("/?#@") != std::string_view::npos)
        return fail(Code::malformed, "the Host field is missing, or names no host");
    return fmt::format("https://{}/.well-known/est{}{}/", url->authority(), label.empty() ? "" : "/", path_segment(label));
}

PalEntry entry(std::string_view type, std::uint64_t size, std::string uri, std::optional<Time> date = std::nullopt) {
    return {std::string{type}, date, size, PalUri{std::move(uri)}};
}

/// Whether what the client has shown would let it enroll.
bool may_enroll(const Authentication& allowed, const authority::Principal& who) {
    bool certificate = false;
    if (who.certificate)
        certificate = who.certificate->issued_by_ca.empty()
                          ? std::ranges::count(allowed.manufacturers, who.certificate->manufacturer) != 0
                          : allowed.certificate_of_ours;
    bool password = false;
    if (who.credential) password = (allowed.basic || allowed.digest) && who.credential->uses_left != 0;
    return allowed.certificate_and_password ? certificate && password : certificate || password;
}

/// As `estuary renew --if-due` counts: a third of the lifetime is left; later, where the profile refuses it so early.
bool is_due(const x509::Certificate& certificate, const authority::Profile& profile, Time now) {
    auto before = (certificate.not_after() - certificate.not_before()) / 3;
    if (profile.renew_before_expiry) before = std::min(before, *profile.renew_before_expiry);
    return now >= certificate.not_after() - before;
}

/// CertificateList ::= SEQUENCE { tbsCertList, … }: only whose list it is.
Result<x509::Name> issuer_of(Bytes list) {
    ESTUARY_TRY(auto fields, der::enter_only(list, der::Tag::sequence, "CertificateList", {.bytes_max = list.size()}));
    ESTUARY_TRY(const auto tbs, fields.element(der::Tag::sequence));
    ESTUARY_TRY(const auto view, x509::crl::read_tbs(tbs.whole));
    return x509::Name::parse(view.issuer);
}

/// Where a page goes on: among what was not fetched yet, or among what was; behind a package's number.
struct Position {
    bool seen = false;
    std::int64_t after = 0;
};
Position position_of(std::string_view page) {
    if (page.empty()) return {};
    const auto dash = page.find('-');
    return {page.starts_with("seen"), std::stoll(std::string{page.substr(dash + 1)})};  // parse_target has checked it
}

/// The package, and its receipt if one is wanted and was not given.
void add_package(const store::WaitingPackage& waiting, const std::string& base, Pal& into) {
    const auto* type = pal_type(waiting.record.type);
    if (type == nullptr) return;
    const auto id = waiting.record.id;
    into.entries.push_back(entry(type->number, static_cast<std::uint64_t>(waiting.record.size),
                                 fmt::format("{}{}/{}", base, to_string(type->operation), id), waiting.downloaded_at));
    const auto* receipt = receipt_type_for(*type);
    if (receipt != nullptr && waiting.record.receipt_wanted && !waiting.receipted)
        into.entries.push_back(entry(receipt->number, 0, fmt::format("{}{}/return/{}", base, to_string(receipt->operation), id)));
}

}  // namespace

http::Response Server::Impl::pal(const LabelState& label, const PackageClient& client, const Target& target,
                                 const http::Request& request) {
    const auto form = http::preferred_media_type(request.headers, media_types);
    if (!form && form.error().code == Code::not_found)
        return http::text_response(406, "The PAL is to be had as application/xml and as application/json.");
    if (!form) return to_response(form.error());
    const auto base = base_of(request, label.config.name);
    if (!base) return to_response(base.error());
    const auto all = list(label, client, target.item, *base);
    if (!all) return to_response(all.error());
    http::Response response;
    response.headers.add("Content-Type", std::string{media_types[*form]});
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("Vary", "Accept");
    response.body = *form == 0 ? all->to_xml() : all->to_json();
    return response;
}

Result<Pal> Server::Impl::list(const LabelState& label, const PackageClient& client, std::string_view page, const std::string& base) {
    Pal pal;
    if (page.empty()) {  // RFC 8295 2.3: what signatures are judged by comes first, then enrollment
        ESTUARY_CHECK(list_own(label, client, base, pal));
        ESTUARY_CHECK(list_enrollment(label, client, base, pal));
    }
    ESTUARY_CHECK(list_packages(client, page, base, pal));
    return pal;
}

Result<void> Server::Impl::list_own(const LabelState& label, const PackageClient&, const std::string& base, Pal& into) {
    into.entries.push_back(entry("0002", label.cacerts_octets, base + "cacerts"));
    const auto message = crls_message(label);
    if (!message && message.error().code == Code::not_found) return {};
    if (!message) return fail(message.error());
    ESTUARY_TRY(const auto bag, cms::SignedData::parse(*message, {.bytes_max = message->size()}));
    bool authority_list = false, certificate_list = false;
    for (const auto& octets : bag.crls()) {
        ESTUARY_TRY(const auto issuer, issuer_of(octets));
        (issuer.matches(authority_.ca(label.ca)->certificate.subject()) ? certificate_list : authority_list) = true;
    }
    if (authority_list) into.entries.push_back(entry("0004", message->size(), base + "crls"));
    if (certificate_list) into.entries.push_back(entry("0005", message->size(), base + "crls"));
    return {};
}

/// One notice at a time (RFC 8295 2.3): the outcome of what was asked first, or else what the client is to begin.
Result<void> Server::Impl::list_enrollment(const LabelState& label, const PackageClient& client, const std::string& base, Pal& into) {
    const bool ke = label.key_establishment;
    ESTUARY_TRY(const auto decided, config_.packages->decided(client));
    if (!decided.empty()) {
        const auto& first = decided.front();
        const bool approved = first.state == store::PendingRequest::State::approved;
        const bool again = first.operation == "renew";
        const std::string_view type = again ? (ke ? (approved ? "0018" : "0019") : (approved ? "0011" : "0012"))
                                            : (ke ? (approved ? "0015" : "0016") : (approved ? "0008" : "0009"));
        const auto operation = again ? Operation::simplereenroll : Operation::simpleenroll;
        into.entries.push_back(entry(type, 0, fmt::format("{}{}/{}", base, to_string(operation), first.id)));
        return {};
    }
    const auto* profile = authority_.profile(label.config.profile);
    const auto& certificate = client.principal.certificate;
    if (certificate && !certificate->issued_by_ca.empty()) {
        if (label.config.renew.certificate_of_ours && is_due(certificate->certificate, *profile, clock_.now()))
            into.entries.push_back(entry(ke ? "0017" : "0010", 0, base + "simplereenroll"));
    } else if (may_enroll(label.config.enroll, client.principal)) {
        if (label.csrattrs_octets != 0) into.entries.push_back(entry(ke ? "0013" : "0006", label.csrattrs_octets, base + "csrattrs"));
        else into.entries.push_back(entry(ke ? "0014" : "0007", 0, base + "simpleenroll"));
    }
    return {};
}

/// What was not fetched yet first. A client that fetches while it walks moves packages from the first run to the second,
/// where it meets them again; none is passed over.
Result<void> Server::Impl::list_packages(const PackageClient& client, std::string_view page, const std::string& base, Pal& into) {
    auto position = position_of(page);
    for (;;) {
        const auto room = config_.pal_entries_max - std::min(config_.pal_entries_max, into.entries.size());
        ESTUARY_TRY(const auto waiting, config_.packages->waiting(client, position.seen, position.after, room + 1));
        for (const auto& one : waiting) {
            if (into.entries.size() + entries_to_come > config_.pal_entries_max) {
                into.entries.push_back(entry("0001", 0, fmt::format("{}pal/{}-{}", base, position.seen ? "seen" : "new", position.after)));
                return {};
            }
            add_package(one, base, into);
            position.after = one.record.id;
        }
        if (position.seen) return {};
        position = {true, 0};
    }
}

}  // namespace estuary::est
