#include "estuary/cmc/reply.h"

#include <algorithm>

#include "estuary/base/text.h"

namespace estuary::cmc {
namespace {

constexpr std::size_t status_text_max = 512;

/// Where a text came from a peer once, it goes back without control characters, and short.
std::optional<std::string> status_text(std::string_view text) {
    if (text.empty()) return {};
    auto shown = text::printable(text);
    if (shown.size() > status_text_max) {
        auto cut = status_text_max;
        while (cut > 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0) == 0x80) --cut;
        shown.resize(cut);
    }
    return shown;
}

std::vector<BodyPartReference> references(const std::vector<BodyPartId>& parts) { return {parts.begin(), parts.end()}; }

bool is_passing(FailInfo info) { return info == FailInfo::try_later || info == FailInfo::internal_ca_error; }

}  // namespace

Failure Failure::of(const Error& error) { return of(error, fail_info_of(error.code)); }

Failure Failure::of(const Error& error, FailInfo info) {
    return {info, error.code == Code::internal ? std::string{} : error.detail, error.code, {}, error.cause};
}

void Reply::fail(std::vector<BodyPartId> parts, const Failure& failure) {
    if (parts.empty()) return;
    if (is_passing(failure.info)) final_ = false;
    if (!first_error_) first_error_ = failure.code;
    auto text = status_text(failure.text);
    for (auto& status : statuses_) {
        const auto* info = std::get_if<FailInfo>(&status.other_info);
        if (info == nullptr || *info != failure.info || status.status_string != text) continue;
        status.body_list.insert(status.body_list.end(), parts.begin(), parts.end());
        return;
    }
    statuses_.push_back({Status::failed, references(parts), std::move(text), failure.info});
}

void Reply::not_supported(BodyPartId part, std::string text) {
    if (!first_error_) first_error_ = Code::unsupported;
    statuses_.push_back({Status::no_support, {part}, status_text(text), {}});
}

void Reply::pend(std::vector<BodyPartId> parts, PendInfo info) {
    waits_ = true;
    final_ = false;
    statuses_.push_back({Status::pending, references(parts), {}, std::move(info)});
}

void Reply::add_certificate_once(Bytes der) {
    auto& known = common_certificates_;
    if (std::ranges::none_of(known, [&](const auto& one) { return same(one, der); })) known.push_back(to_vec(der));
}

std::vector<Bytes> Reply::certificates() const {
    std::vector<Bytes> all{certificates_.begin(), certificates_.end()};
    all.insert(all.end(), common_certificates_.begin(), common_certificates_.end());
    return all;
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-3.2
//# Simple PKI Response if the enrollment was successful and only certificates are returned.
bool Reply::is_simple() const noexcept {
    return !full_ && statuses_.empty() && to_confirm_.empty() && extra_.empty() && contents_.empty() &&
           !(certificates_.empty() && crls_.empty());
}

std::optional<Code> Reply::rejected() const noexcept {
    if (!succeeded_.empty() || !to_confirm_.empty() || waits_ || !contents_.empty()) return {};
    return first_error_;
}

PkiResponse Reply::response() const {
    PkiResponse response;
    BodyPartId next = 1;
    const auto add_status = [&](StatusInfoV2 status) { response.controls.push_back(make_control(next++, status)); };
    for (const auto& status : statuses_) add_status(status);
    if (!to_confirm_.empty()) add_status({Status::confirm_required, references(to_confirm_), {}, {}});
    if (!succeeded_.empty()) add_status({Status::success, references(succeeded_), {}, {}});
    // A status must be there if there is nothing else (6.1.1).
    if (response.controls.empty() && extra_.empty()) add_status({Status::success, {this_message}, {}, {}});
    for (auto control : extra_) {
        control.id = next++;
        response.controls.push_back(std::move(control));
    }
    BatchResponses batch;
    for (const auto& content : contents_) {
        batch.parts.push_back(next);
        response.contents.push_back({next++, content});
    }
    if (!batch.parts.empty()) response.controls.push_back(make_control(next++, batch));
    return response;
}

}  // namespace estuary::cmc
