#include "cmp_enrollment.h"

#include <algorithm>

#include <fmt/format.h>

#include "command_line.h"
#include "enrollment.h"
#include "estuary/x509/path.h"

namespace estuary::client {
namespace {

using cmp::BodyType;

/// Who vouches for the new certificate: the person's anchors, or else those that the authority gave under the secret.
std::vector<x509::Certificate> anchors_for(const cmp::Enrolled& enrolled, const CmpSession& session) {
    return session.anchors().empty() ? enrolled.new_anchors : session.anchors();
}

/// The key whose possession is to be shown; one that agrees with `recipient` is of its type.
Outcome<crypto::PrivateKey> key_for(const CmpEnrollOptions& options, const CmpSession& session, const std::optional<x509::Certificate>& recipient) {
    if (options.same_key) return session.signer()->key;
    std::string usual = "p256";
    if (recipient) {
        ESTUARY_TRY_AS(const auto other, recipient->public_key(), remote_failure);
        usual = other.type_name();
    }
    auto key = options.key_file.empty() ? crypto::PrivateKey::generate(options.key_type.empty() ? usual : options.key_type)
                                        : crypto::PrivateKey::load(options.key_file);
    if (!key) return tl::unexpected<Failure>(local_failure(std::move(key).error()));
    return std::move(*key);
}

/// Only keys of one kind and curve agree.
Outcome<void> check_agreement(const crypto::PrivateKey& key, const x509::Certificate& recipient) {
    ESTUARY_TRY_AS(const auto other, recipient.public_key(), remote_failure);
    if (key.public_key().type_name() == other.type_name()) return {};
    return usage_failure(fmt::format("--agreement-proof: the authority's agreement key is of type {0}, and a key of type {1} agrees with it on nothing: ask for "
                                     "a key of type {0}, or leave the option out", other.type_name(), key.public_key().type_name()));
}

Outcome<cmp::CertificateWish> read_wish(const CmpEnrollOptions& options, const CmpSession& session, const std::optional<PendingEnrollment>& pending,
                                        const std::optional<x509::Certificate>& recipient) {
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
        ESTUARY_TRY_OUTCOME(wish.key, key_for(options, session, recipient));
    }
    if (recipient) {
        if (auto good = check_agreement(*wish.key, *recipient); !good) return tl::unexpected<Failure>(std::move(good).error());
        wish.agreement_recipient = recipient;
    }
    return wish;
}

/// One certificate, from the options to where it is saved.
struct Wanted {
    CmpEnrollOptions options;
    Directory directory;
    EnrollmentState state = {};
    std::optional<PendingEnrollment> pending = {};
    std::optional<crypto::PrivateKey> key = {};   ///< nothing: the authority makes it
};

using Acceptance = std::function<Result<void>(const cmp::Enrolled&)>;

/// Whose key shows possession along with the new ones; nothing: that is shown in another way.
Outcome<std::optional<x509::Certificate>> agreement_recipient(const CmpEnrollOptions& options, CmpSession& session) {
    if (!options.agreement_proof) return std::optional<x509::Certificate>{};
    if (options.generate_there) return usage_failure("--agreement-proof: a key that the authority makes is not shown to it");
    if (options.files.given()) return usage_failure("--agreement-proof asks the authority first: it does not go with --request-out and --answer");
    ESTUARY_TRY_OUTCOME(auto certificate, session.agreement_certificate("a proof by key agreement", "use --encrypted"));
    return std::optional{std::move(certificate)};
}

Outcome<cmp::Wish> prepare(std::vector<Wanted>& wanted, CmpSession& session, const Acceptance& accept) {
    auto& first = wanted.front();
    if (first.options.type == BodyType::p10cr) {
        ESTUARY_TRY_OUTCOME(auto given, read_given_request(first.options.request_file, first.options.key_file));
        first.key = std::move(given.key);
        return cmp::Pkcs10Wish{std::move(given.der), first.options.profile, !first.options.confirm, accept};
    }
    ESTUARY_TRY_OUTCOME(const auto recipient, agreement_recipient(first.options, session));
    std::vector<cmp::CertificateWish> wishes;
    for (auto& one : wanted) {
        ESTUARY_TRY_OUTCOME(auto wish, read_wish(one.options, session, one.pending, recipient));
        one.key = wish.key;
        wish.accept = accept;
        wishes.push_back(std::move(wish));
    }
    if (wishes.size() == 1) return std::move(wishes.front());
    return cmp::CertificatesWish{std::move(wishes)};
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
Outcome<std::optional<PendingEnrollment>> load_pending(const Wanted& wanted) {
    const auto& options = wanted.options;
    if (options.force && options.files.answer.empty()) return std::optional<PendingEnrollment>{};
    ESTUARY_TRY_AS(auto pending, wanted.directory.load_pending(), local_failure);
    const bool same = pending && pending->state.by_cmp() && pending->state.url == wanted.state.url && pending->state.key_source == wanted.state.key_source &&
                      pending->state.request_type == cmp::to_string(options.type) && pending->state.awaits_server_key == options.generate_there;
    if (!same) return std::optional<PendingEnrollment>{};
    return pending;
}

/// What was asked for together is gone on with together, or not at all.
Outcome<void> load_pending(std::vector<Wanted>& wanted) {
    bool whole = true;
    for (auto& one : wanted) {
        ESTUARY_TRY_OUTCOME(one.pending, load_pending(one));
        whole = whole && one.pending && one.pending->request == wanted.front().pending->request;
    }
    if (whole) return {};
    for (auto& one : wanted) one.pending.reset();
    return {};
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

Outcome<void> keep(std::vector<Wanted>& wanted, const cmp::ClientTransaction& transaction) {
    ESTUARY_TRY_AS(const auto saved, transaction.save(), local_failure);
    for (auto& one : wanted) {
        auto waiting = one.state;
        waiting.awaits_server_key = one.options.generate_there;
        waiting.request_type = cmp::to_string(one.options.type);
        ESTUARY_CHECK_AS(one.directory.save_pending({std::move(waiting), one.key, saved}), local_failure);
    }
    return {};
}

Outcome<void> save(const cmp::Enrolled& enrolled, Wanted& wanted, const CmpSession& session, const Clock& clock) {
    return save(enrolled, wanted.key, wanted.state, anchors_for(enrolled, session), wanted.directory, clock);
}

/// Saves what was granted; fails as the first of the others did.
Outcome<void> save_several(const cmp::EnrolledSeveral& several, std::vector<Wanted>& wanted, const CmpSession& session, const Clock& clock) {
    std::optional<ExitStatus> worst;
    std::size_t missing = 0;
    const auto tell = [&](Wanted& one, ExitStatus status, const std::string& why) {
        one.directory.clear_pending();
        fmt::print(stderr, "{}: {}\n", one.directory.path().string(), why);
        if (!worst) worst = status;
        ++missing;
    };
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto& one = wanted[i];
        const auto& outcome = several.outcomes[i];
        if (const auto* enrolled = std::get_if<cmp::Enrolled>(&outcome)) {
            if (auto saved = save(*enrolled, one, session, clock); !saved) tell(one, saved.error().status, saved.error().error.detail);
        } else if (const auto* declined = std::get_if<cmp::Declined>(&outcome)) {
            tell(one, exit_refused, "refused by the authority: " + declined->text);
        } else {
            const auto& error = std::get<Error>(outcome);
            tell(one, cmp_status(error), "rejected here: " + error.detail);
        }
    }
    if (!worst) return {};
    return failure(*worst, {Code::policy, fmt::format("{} of {} certificates did not come", missing, wanted.size())});
}

Result<void> check_directories(const std::vector<CmpEnrollOptions>& wanted) {
    for (auto one = wanted.begin(); one != wanted.end(); ++one) {
        if (one->type != BodyType::kur && Directory{one->out}.holds_identity() && !one->force)
            return fail(Code::policy, fmt::format("{} already holds a certificate; update it with: estuary cmp kur {} (or use --force)", one->out, one->out));
        if (std::count_if(one, wanted.end(), [&](const CmpEnrollOptions& other) { return other.out == one->out; }) > 1)
            return fail(Code::policy, fmt::format("--out {}: each certificate needs a directory of its own", one->out));
    }
    return {};
}

}  // namespace

Result<std::vector<x509::Certificate>> chain_of(const cmp::Enrolled& enrolled, const std::vector<x509::Certificate>& anchors, Time now) {
    if (anchors.empty()) return std::vector{enrolled.certificate};
    ESTUARY_TRY(auto chain, x509::validate_path(enrolled.certificate, enrolled.others, anchors, {.at = now}));
    if (chain.size() > 1 && chain.back().is_self_issued()) chain.pop_back();
    return chain;
}

Outcome<void> enroll_by_cmp(CmpEnrollOptions options, const Clock& clock) {
    if (options.type == BodyType::kur) options.cmp.directory = options.out;
    return enroll_by_cmp(std::vector{std::move(options)}, clock);
}

Outcome<void> enroll_by_cmp(std::vector<CmpEnrollOptions> options, const Clock& clock) {
    if (auto free = check_directories(options); !free) return usage_failure(std::move(free).error().detail);
    ESTUARY_TRY_OUTCOME(auto session, CmpSession::create(options.front().cmp, clock));
    std::vector<Wanted> wanted;
    for (auto& one : options) {
        Directory directory{one.out};
        wanted.push_back({std::move(one), std::move(directory)});
        ESTUARY_TRY_OUTCOME(wanted.back().state, make_state(wanted.back().options, session));
    }
    if (auto loaded = load_pending(wanted); !loaded) return loaded;
    auto& first = wanted.front();

    // A certificate that nobody we trust has issued is rejected, so that the authority withdraws it (RFC 9483 4.1.1).
    const auto accept = [&](const cmp::Enrolled& enrolled) -> Result<void> {
        ESTUARY_CHECK(chain_of(enrolled, anchors_for(enrolled, session), clock.now()));
        return {};
    };
    ESTUARY_TRY_OUTCOME(auto wish, prepare(wanted, session, accept));
    if (auto conveyed = session.convey(first.options.conveyed, first.options.files); !conveyed) return conveyed;

    CmpKeeping keeping{.where = (first.directory.path() / "pending").string()};
    if (first.pending) keeping.begun = first.pending->request;
    keeping.keep = [&](const cmp::ClientTransaction& transaction) { return keep(wanted, transaction); };
    const auto& files = first.options.files;
    if (first.pending && !files.given()) fmt::print(stderr, "Asking again for the request kept in {}.\n", keeping.where);
    auto outcome = files.given() ? session.run_by_files(std::move(wish), keeping, files) : session.run(std::move(wish), keeping);
    if (!outcome) {
        if (outcome.error().status == exit_refused)
            for (auto& one : wanted) one.directory.clear_pending();
        return tl::unexpected<Failure>(std::move(outcome).error());
    }
    if (const auto* several = std::get_if<cmp::EnrolledSeveral>(&*outcome)) return save_several(*several, wanted, session, clock);
    return save(std::get<cmp::Enrolled>(*outcome), first, session, clock);
}

}  // namespace estuary::client
