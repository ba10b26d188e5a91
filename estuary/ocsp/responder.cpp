// What the responder is made of, and who answers for whom.
#include "estuary/ocsp/responder.h"

#include <fmt/format.h>

#include "estuary/ocsp/oids.h"
#include "estuary/ocsp/responder_impl.h"

namespace estuary::ocsp {
namespace {

constexpr std::size_t issuers_max = 1000, signers_max = 8;

Result<void> check_config(const ResponderConfig& config) {
    if (config.validity < Seconds{60}) return fail(Code::policy, "validity: must be a minute or more");
    if (config.archive_retention && *config.archive_retention < Seconds{0})
        return fail(Code::policy, "archive_retention: must not be negative");
    if (config.issuers.empty() || config.issuers.size() > issuers_max)
        return fail(Code::policy, fmt::format("issuers: there must be 1 to {}", issuers_max));
    return {};
}

AnswerPtr error_answer(ResponseStatus status) {
    auto answer = std::make_shared<Answer>();
    answer->status = status;
    answer->der = encode_error(status);
    return answer;
}

}  // namespace

Responder::Impl::Impl(ResponderConfig config, StatusSource& source, const Clock& clock)
    : config_{std::move(config)}, source_{source}, clock_{clock}, presigned_{config_.presigned} {
    for (unsigned status = 0; status <= static_cast<unsigned>(ResponseStatus::unauthorized); ++status)
        errors_.push_back(error_answer(static_cast<ResponseStatus>(status)));
}

Result<void> Responder::Impl::prepare() {
    ESTUARY_CHECK(check_config(config_));
    for (const auto& issuer : config_.issuers)
        if (auto prepared = prepare_issuer(issuer); !prepared)
            return fail(in_context("OCSP issuer '" + issuer.name + "'", std::move(prepared).error()));
    return {};
}

Result<void> Responder::Impl::prepare_issuer(const Issuer& issuer) {
    if (issuer.signers.empty() || issuer.signers.size() > signers_max)
        return fail(Code::policy, fmt::format("there must be 1 to {} signers", signers_max));
    IssuerState state{issuer.name, {}};
    const ByteVec any_serial{1};
    for (const auto& signer : issuer.signers) {
        ESTUARY_TRY(auto prepared, prepare_signer(signer, issuer));
        state.signers.push_back(std::move(prepared));
    }
    for (const auto hash : {Hash::sha1, Hash::sha256, Hash::sha384, Hash::sha512}) {
        ESTUARY_TRY(auto hashes, issuer_hashes(issuer.certificate.subject(), issuer.certificate.spki(), hash));
        if (issuer_of(CertId::make(hash, hashes, any_serial)))
            return fail(Code::policy, "another issuer has the same name and key");
        by_key_hash_.emplace(as_text(hashes.key), KnownHashes{issuers_.size(), hash, hashes});
    }
    issuers_.push_back(std::move(state));
    return {};
}

std::optional<std::size_t> Responder::Impl::issuer_of(const CertId& id) const {
    if (!id.hash()) return std::nullopt;
    const auto [first, last] = by_key_hash_.equal_range(as_text(id.issuer_key_hash()));
    for (auto at = first; at != last; ++at)
        if (at->second.hash == *id.hash() && same(at->second.hashes.name, id.issuer_name_hash())) return at->second.issuer;
    return std::nullopt;
}

bool Responder::Impl::knows(const Request& request) const {
    return std::ranges::all_of(request.certificates, [&](const CertId& id) { return issuer_of(id).has_value(); });
}

bool Responder::Impl::can_answer_all(const PreparedSigner& signer, const std::vector<std::size_t>& issuers) const {
    return std::ranges::all_of(issuers, [&](std::size_t issuer) {
        return std::ranges::any_of(issuers_[issuer].signers,
                                   [&](const auto& other) { return other.certificate == signer.certificate; });
    });
}

tl::expected<Responder::Impl::Plan, ResponseStatus> Responder::Impl::plan(const Request& request) const {
    const auto& accepted = request.acceptable_responses;
    if (accepted && std::ranges::find(*accepted, oid::basic) == accepted->end())
        return tl::unexpected{ResponseStatus::unauthorized};
    Plan plan;
    for (const auto& id : request.certificates) {
        const auto issuer = issuer_of(id);
        if (!issuer) return tl::unexpected{ResponseStatus::unauthorized};
        plan.issuers.push_back(*issuer);
    }
    const auto now = clock_.now();
    const auto& signers = issuers_[plan.issuers.front()].signers;
    std::vector<std::size_t> able;
    bool out_of_validity = false;
    for (std::size_t i = 0; i < signers.size(); ++i) {
        if (!can_answer_all(signers[i], plan.issuers)) continue;
        if (signers[i].is_valid_at(now))
            able.push_back(i);
        else
            out_of_validity = true;
    }
    // A signer that has expired is soon replaced, one that does not exist is not.
    if (able.empty()) return tl::unexpected{out_of_validity ? ResponseStatus::try_later : ResponseStatus::unauthorized};
    plan.signer = able.front();
    for (const auto& wish : request.preferred_algorithms) {
        const auto found = std::ranges::find_if(able, [&](std::size_t i) { return signers[i].meets(wish); });
        if (found == able.end()) continue;
        plan.signer = *found;
        break;
    }
    return plan;
}

AnswerPtr Responder::Impl::refuse(const Error& error) const {
    switch (error.code) {
        case Code::malformed:
        case Code::too_large: return this->error(ResponseStatus::malformed_request);
        case Code::unavailable:
        case Code::too_busy: return this->error(ResponseStatus::try_later);
        case Code::unsupported:
        case Code::not_authenticated:
        case Code::not_authorised: return this->error(ResponseStatus::unauthorized);
        case Code::bad_proof:
        case Code::policy:
        case Code::bad_key:
        case Code::not_found:
        case Code::conflict:
        case Code::internal: break;
    }
    return this->error(ResponseStatus::internal_error);
}

void Responder::Impl::forget(std::string_view issuer, Bytes serial_number) {
    while (!serial_number.empty() && serial_number.front() == 0) serial_number = serial_number.subspan(1);
    for (std::size_t i = 0; i < issuers_.size(); ++i)
        if (issuers_[i].name == issuer) presigned_.forget(i, serial_number, issuers_[i].signers.size());
}

Responder::Responder(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Responder::~Responder() = default;

Result<std::unique_ptr<Responder>> Responder::create(ResponderConfig config, StatusSource& source, const Clock& clock) {
    auto impl = std::make_unique<Impl>(std::move(config), source, clock);
    ESTUARY_CHECK(impl->prepare());
    return std::unique_ptr<Responder>{new Responder{std::move(impl)}};
}

AnswerPtr Responder::answer(Bytes request_der) {
    const auto request = Request::parse(request_der, limits());
    return request ? impl_->answer(*request) : impl_->refuse(request.error());
}

AnswerPtr Responder::ready(Bytes request_der) {
    const auto request = Request::parse(request_der, limits());
    return request ? impl_->ready(*request) : impl_->refuse(request.error());
}

AnswerPtr Responder::answer(const Request& request) { return impl_->answer(request); }
bool Responder::knows(const Request& request) const { return impl_->knows(request); }
RefreshReport Responder::refresh(Time now, std::size_t signatures_max) { return impl_->refresh(now, signatures_max); }
void Responder::forget(std::string_view issuer, Bytes serial_number) { impl_->forget(issuer, serial_number); }
std::size_t Responder::presigned_count() const { return impl_->presigned().count(); }
const RequestLimits& Responder::limits() const noexcept { return impl_->config().limits; }

}  // namespace estuary::ocsp
