#include "cmp_enrollment.h"

#include <fmt/format.h>

#include "command_line.h"
#include "enrollment.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

using cmp::BodyType;

/// The path of the new certificate, root left out; the certificate alone where there is nothing to verify it by.
Result<std::vector<x509::Certificate>> chain_of(const cmp::Enrolled& enrolled, const std::vector<x509::Certificate>& anchors, Time now) {
    if (anchors.empty()) return std::vector{enrolled.certificate};
    ESTUARY_TRY(auto chain, x509::validate_path(enrolled.certificate, enrolled.others, anchors, {.at = now}));
    if (chain.size() > 1 && chain.back().is_self_issued()) chain.pop_back();
    return chain;
}

/// Who vouches for the new certificate: the person's anchors, or else those that the authority gave under the secret.
std::vector<x509::Certificate> anchors_for(const cmp::Enrolled& enrolled, const CmpSession& session) {
    return session.anchors().empty() ? enrolled.new_anchors : session.anchors();
}

Outcome<crypto::PrivateKey> key_for(const CmpEnrollOptions& options, const CmpSession& session) {
    if (options.same_key) return session.signer()->key;
    auto key = options.key_file.empty() ? crypto::PrivateKey::generate(options.key_type.empty() ? "p256" : options.key_type)
                                        : crypto::PrivateKey::load(options.key_file);
    if (!key) return tl::unexpected<Failure>(local_failure(std::move(key).error()));
    return std::move(*key);
}

Outcome<cmp::CertificateWish> read_wish(const CmpEnrollOptions& options, const CmpSession& session, const std::optional<PendingEnrollment>& pending) {
    cmp::CertificateWish wish;
    wish.type = options.type;
    ESTUARY_TRY_OUTCOME(wish.subject, name_option("--subject", options.subject));
    ESTUARY_TRY_OUTCOME(const auto names, subject_alt_names(options.names));
    if (!names.empty()) wish.extensions.push_back(x509::make_subject_alt_name(names, wish.subject.empty() && options.type != BodyType::kur));
    wish.profile = options.profile;
    wish.implicit_confirm = !options.confirm;
    if (options.encrypted) wish.subsequent_message = x509::crmf::SubsequentMessage::encr_cert;
    if (options.challenge) wish.subsequent_message = x509::crmf::SubsequentMessage::challenge_resp;
    if (options.generate_there) {
        wish.key_type = options.key_type;
    } else if (pending) {
        wish.key = pending->key;
    } else {
        ESTUARY_TRY_OUTCOME(wish.key, key_for(options, session));
    }
    return wish;
}

struct PreparedWish {
    cmp::Wish wish;
    std::optional<crypto::PrivateKey> key;   ///< nothing: the authority makes it
};

Outcome<PreparedWish> prepare(const CmpEnrollOptions& options, const CmpSession& session, const std::optional<PendingEnrollment>& pending) {
    if (options.type == BodyType::p10cr) {
        ESTUARY_TRY_OUTCOME(auto given, read_given_request(options.request_file, options.key_file));
        return PreparedWish{cmp::Pkcs10Wish{.request = std::move(given.der), .profile = options.profile, .implicit_confirm = !options.confirm},
                            std::move(given.key)};
    }
    ESTUARY_TRY_OUTCOME(auto wish, read_wish(options, session, pending));
    auto key = wish.key;
    return PreparedWish{std::move(wish), std::move(key)};
}

/// Where the request goes, and of which key: what a later run, or a renewal, has to know.
Outcome<EnrollmentState> make_state(const CmpEnrollOptions& options, const CmpSession& session) {
    EnrollmentState state{session.address(), session.system_trust(), options.key_file};
    state.protocol = "cmp";
    state.server_key = options.generate_there;
    if (options.same_key) {
        ESTUARY_TRY_AS(const auto kept, Directory{options.out}.load(), local_failure);
        state.key_source = kept.state.key_source;
        state.server_key = kept.state.server_key;
    }
    if (!state.key_source.empty() && state.key_source.find(':') == std::string::npos)
        state.key_source = std::filesystem::absolute(state.key_source).string();
    return state;
}

/// The request that waits, if it is one like this.
Outcome<std::optional<PendingEnrollment>> load_pending(const CmpEnrollOptions& options, const EnrollmentState& state, const Directory& directory) {
    if (options.force && options.files.answer.empty()) return std::optional<PendingEnrollment>{};
    ESTUARY_TRY_AS(auto pending, directory.load_pending(), local_failure);
    const bool same = pending && pending->state.by_cmp() && pending->state.url == state.url && pending->state.key_source == state.key_source &&
                      pending->state.request_type == cmp::to_string(options.type) && pending->state.awaits_server_key == options.generate_there;
    if (!same) return std::optional<PendingEnrollment>{};
    return pending;
}

Outcome<void> save(const cmp::Enrolled& enrolled, const std::optional<crypto::PrivateKey>& key, EnrollmentState state,
                   const std::vector<x509::Certificate>& anchors, Directory& directory, const Clock& clock) {
    ESTUARY_TRY_AS(auto chain, chain_of(enrolled, anchors, clock.now()), local_failure);
    Identity identity{std::move(state), enrolled.generated_key ? *enrolled.generated_key : *key, enrolled.certificate, std::move(chain), anchors};
    ESTUARY_CHECK_AS(directory.save(identity), local_failure);
    directory.clear_pending();
    if (enrolled.status.status == cmp::PkiStatus::granted_with_mods)
        fmt::print(stderr, "note: the certificate is not all that was asked for (grantedWithMods)\n");
    if (anchors.empty()) fmt::print(stderr, "note: there is no trust anchor (--trust), so the issuer of the certificate was not verified\n");
    show(identity, directory);
    return {};
}

}  // namespace

Outcome<void> enroll_by_cmp(CmpEnrollOptions options, const Clock& clock) {
    Directory directory{options.out};
    if (options.type == BodyType::kur) options.cmp.directory = options.out;
    else if (directory.holds_identity() && !options.force)
        return usage_failure(fmt::format("{} already holds a certificate; update it with: estuary cmp kur {} (or use --force)", options.out, options.out));
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.cmp, clock));
    ESTUARY_TRY_OUTCOME(const auto state, make_state(options, session));
    ESTUARY_TRY_OUTCOME(const auto pending, load_pending(options, state, directory));
    ESTUARY_TRY_OUTCOME(auto prepared, prepare(options, session, pending));

    // A certificate that nobody we trust has issued is rejected, so that the authority withdraws it (RFC 9483 4.1.1).
    const auto accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
        ESTUARY_CHECK(chain_of(enrolled, anchors_for(enrolled, session), clock.now()));
        return {};
    };
    std::visit(
        [&](auto& wish) {
            if constexpr (requires { wish.accept; }) wish.accept = accept;
        },
        prepared.wish);

    CmpKeeping keeping{.where = (directory.path() / "pending").string()};
    if (pending) keeping.begun = pending->request;
    keeping.keep = [&](const cmp::ClientTransaction& transaction) -> Outcome<void> {
        auto waiting = state;
        waiting.awaits_server_key = options.generate_there;
        waiting.request_type = cmp::to_string(options.type);
        ESTUARY_TRY_AS(auto saved, transaction.save(), local_failure);
        ESTUARY_CHECK_AS(directory.save_pending({std::move(waiting), prepared.key, std::move(saved)}), local_failure);
        return {};
    };
    if (pending && !options.files.given()) fmt::print(stderr, "Asking again for the request kept in {}.\n", keeping.where);
    auto outcome = options.files.given() ? session.run_by_files(std::move(prepared.wish), keeping, options.files)
                                         : session.run(std::move(prepared.wish), keeping);
    if (!outcome) {
        if (outcome.error().status == exit_refused) directory.clear_pending();
        return tl::unexpected<Failure>(std::move(outcome).error());
    }
    const auto& enrolled = std::get<cmp::Enrolled>(*outcome);
    return save(enrolled, prepared.key, state, anchors_for(enrolled, session), directory, clock);
}

}  // namespace estuary::client
