#include "package_walk.h"

#include <fmt/format.h>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/base/text.h"
#include "estuary/crypto/digest.h"

namespace estuary::client {
namespace {

namespace fs = std::filesystem;
using est::Operation;
using est::PalAction;

constexpr std::size_t name_octets_max = 64;
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

std::string_view suffix_of(const est::PalType& type) {
    switch (type.operation) {
        case Operation::cacerts:
        case Operation::eecerts:
        case Operation::crls: return "p7c";
        default: return type.number == "0022" ? "p12" : "cms";
    }
}

/// What of a package could be verified.
enum class Seen : std::uint8_t { whole, outside };

/// Verifies what can be verified; the error says why it is not kept (RFC 8295 3.2, 4.2, 5.1.2, 6.1.2, 7.1.2, 8.1).
Result<Seen> check(const est::PalType& type, Bytes der, const est::Believed& authorities, const est::Believed& believed,
                   const WalkOptions& options) {
    const auto whole = [](const auto&) { return Seen::whole; };
    if (type.operation == Operation::cacerts) return Seen::whole;  // the server was authenticated; whom to trust is said elsewhere
    if (type.operation == Operation::eecerts) return est::verify_peers(der, authorities).map(whole);
    if (type.operation == Operation::crls) return est::verify_crls(der, authorities).map(whole);
    if (type.number == "0022") return Seen::whole;  // PKCS #12: its password shows whether it is whole
    ESTUARY_TRY(const auto verified, est::verify_package(der, believed, options.opener));
    // Somebody in between could have taken the signature away, and whoever knows a certificate can encrypt to it.
    if (verified.signers.empty() && !verified.hidden && !options.allow_unsigned)
        return fail(Code::not_authenticated, "nobody has signed it (--allow-unsigned takes it all the same)");
    return verified.hidden ? Seen::outside : Seen::whole;
}

class Walk {
public:
    Walk(Source& source, const WalkOptions& options, const Clock& clock) : session_{*source.session}, options_{options} {
        believed_.anchors = options.signers.empty() ? source.anchors : options.signers;
        authorities_.anchors = source.anchors;
        authorities_.anchors.insert(authorities_.anchors.end(), options.signers.begin(), options.signers.end());
        believed_.now = authorities_.now = clock.now();
    }

    Outcome<Walked> run() {
        ESTUARY_TRY_OUTCOME(const auto entries, whole_pal(session_));
        ESTUARY_TRY_OUTCOME(authorities_.others, session_.ca_certificates());
        believed_.others = authorities_.others;
        for (const auto& entry : entries) {
            const auto* type = est::pal_type(entry.type);
            if (type == nullptr) {
                walked_.refused.push_back(fmt::format("type {}: not known here", entry.type));
                continue;
            }
            if (!wanted(*type)) continue;
            if (type->action == PalAction::fetch) {
                if (auto done = fetch(*type, entry); !done) return tl::unexpected<Failure>(std::move(done).error());
            } else {
                remind(*type, entry);
            }
        }
        return std::move(walked_);
    }

private:
    bool wanted(const est::PalType& type) const {
        return options_.types.empty() || std::ranges::any_of(options_.types, [&](const std::string& one) {
            return one == type.number || one == type.name;
        });
    }

    void refuse(const est::PalType& type, std::string_view where, std::string_view why) {
        walked_.refused.push_back(text::printable(fmt::format("{} ({}): {}", type.name, where, why)));
    }

    Outcome<void> fetch(const est::PalType& type, const est::PalEntry& entry) {
        const auto* uri = std::get_if<est::PalUri>(&entry.info);
        if (uri == nullptr) return refuse(type, "no URI", "the list does not say where it is"), Outcome<void>{};
        const auto path = session_.below(uri->text);
        if (!path) return refuse(type, uri->text, "it is on another server, or outside of this label; not fetched"), Outcome<void>{};
        const auto file = options_.out / file_name_of(type, *path);
        std::error_code ignored;
        const bool may_change = type.operation == Operation::cacerts || type.operation == Operation::crls;
        if (!options_.again && !may_change && entry.date && fs::exists(file, ignored)) {
            ++walked_.there_already;
            return {};
        }
        auto der = session_.package(*path, type);
        if (!der) {
            // Gone meanwhile, or not what the list promised: the rest may still be had.
            const bool only_this_one = der.error().status == exit_refused || der.error().error.code == Code::malformed;
            if (!only_this_one) return tl::unexpected<Failure>(std::move(der).error());
            return refuse(type, *path, der.error().error.detail), Outcome<void>{};
        }
        const auto seen = check(type, *der, authorities_, believed_, options_);
        if (!seen) return refuse(type, *path, seen.error().detail), Outcome<void>{};
        const bool secret = type.operation == Operation::symmetrickeys || type.operation == Operation::serverkeygen;
        const auto access = secret ? file::Access::owner_only : file::Access::everyone_reads;
        ESTUARY_CHECK_AS(file::write_atomically(file, *der, access), local_failure);
        fmt::print("{}\n", file.string());
        ++walked_.kept;
        if (*seen == Seen::outside)
            walked_.to_do.push_back(fmt::format("verify what is inside of {}: it is encrypted, and cannot be opened here", file.string()));
        return {};
    }

    void remind(const est::PalType& type, const est::PalEntry& entry) {
        const auto* uri = std::get_if<est::PalUri>(&entry.info);
        std::string what;
        if (type.action == PalAction::give) {
            what = fmt::format("return a {}: estuary packages return FROM FILE --for {}", type.name, uri == nullptr ? "" : uri->text);
        } else if (type.operation == Operation::simplereenroll && type.action == PalAction::start) {
            what = "renew the certificate: estuary renew";
        } else {
            what = type.name;
        }
        walked_.to_do.push_back(text::printable(what));
    }

    Session& session_;
    const WalkOptions& options_;
    est::Believed believed_;      // of those who sign packages
    est::Believed authorities_;   // of those who sign certificates and CRLs: the server's, too
    Walked walked_;
};

}  // namespace

std::string file_name_of(const est::PalType& type, std::string_view path) {
    auto name = path.substr(path.find('/') == std::string_view::npos ? path.size() : path.find('/') + 1);
    if (name.empty()) return fmt::format("{}.{}", type.number, suffix_of(type));
    const bool plain = name.size() <= name_octets_max && name.front() != '.' &&
                       name.find_first_not_of(letters) == std::string_view::npos;
    const auto digest = plain ? std::string{} : to_hex(crypto::sha256(as_bytes(path)));
    return fmt::format("{}-{}.{}", type.number, plain ? name : std::string_view{digest}.substr(0, 32), suffix_of(type));
}

Outcome<Walked> walk(Source& source, const WalkOptions& options, const Clock& clock) { return Walk{source, options, clock}.run(); }

}  // namespace estuary::client
