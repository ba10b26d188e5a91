// A layer: its PKIData, its controls, and whether each of them may stand where it stands.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "estuary/cmc/server_impl.h"

namespace estuary::cmc {
namespace {

/// What each control is in a request: the compiler wants an answer for every one of them (bug class 1).
enum class Place : std::uint8_t {
    anybody,    ///< at home in a request
    ra,         ///< an assertion or an order of a registration authority
    elsewhere,  ///< at home in responses, or in certification requests
    unknown,
};
struct PlaceOf {
    Place operator()(const StatusInfo&) const { return Place::anybody; }
    Place operator()(const StatusInfoV2&) const { return Place::anybody; }
    Place operator()(const Identification&) const { return Place::anybody; }
    Place operator()(const IdentityProof&) const { return Place::anybody; }
    Place operator()(const IdentityProofV2&) const { return Place::anybody; }
    Place operator()(const DataReturn&) const { return Place::anybody; }
    Place operator()(const TransactionId&) const { return Place::anybody; }
    Place operator()(const SenderNonce&) const { return Place::anybody; }
    Place operator()(const RecipientNonce&) const { return Place::anybody; }
    Place operator()(const AddExtensions&) const { return Place::ra; }
    Place operator()(const ModCertTemplate&) const { return Place::ra; }
    Place operator()(const EncryptedPop&) const { return Place::elsewhere; }
    Place operator()(const DecryptedPop&) const { return Place::anybody; }
    Place operator()(const LraPopWitness&) const { return Place::ra; }
    Place operator()(const GetCert&) const { return Place::anybody; }
    Place operator()(const GetCrl&) const { return Place::anybody; }
    Place operator()(const RevokeRequest&) const { return Place::anybody; }
    Place operator()(const RegInfo&) const { return Place::anybody; }
    Place operator()(const ResponseInfo&) const { return Place::elsewhere; }
    Place operator()(const QueryPending&) const { return Place::anybody; }
    Place operator()(const PopLinkRandom&) const { return Place::anybody; }
    Place operator()(const PopLinkWitness&) const { return Place::elsewhere; }
    Place operator()(const PopLinkWitnessV2&) const { return Place::elsewhere; }
    Place operator()(const ConfirmCertAcceptance&) const { return Place::anybody; }
    Place operator()(const PublishTrustAnchors&) const { return Place::elsewhere; }
    Place operator()(const AuthData&) const { return Place::anybody; }
    Place operator()(const BatchRequests&) const { return Place::ra; }
    Place operator()(const BatchResponses&) const { return Place::elsewhere; }
    Place operator()(const PublishCert&) const { return Place::anybody; }
    Place operator()(const ControlProcessed&) const { return Place::ra; }
    Place operator()(const RaIdentityWitness&) const { return Place::ra; }
    Place operator()(const ResponseBody&) const { return Place::elsewhere; }
    Place operator()(const UnknownControl&) const { return Place::unknown; }
};

/// Whether a reference of controlProcessed means this control of the PKIData at the end of `way`.
bool refers_to(const BodyPartReference& reference, BodyPartId control) {
    if (const auto* id = std::get_if<BodyPartId>(&reference)) return *id == control;
    const auto& path = std::get<BodyPartPath>(reference);
    return path.size() == 1 && path.front() == control;
}

/// More than one of these in a message would leave it open which of them counts.
bool may_repeat(const Control& control) {
    return !std::holds_alternative<Identification>(control) && !std::holds_alternative<IdentityProof>(control) &&
           !std::holds_alternative<IdentityProofV2>(control) && !std::holds_alternative<TransactionId>(control) &&
           !std::holds_alternative<SenderNonce>(control) && !std::holds_alternative<RecipientNonce>(control) &&
           !std::holds_alternative<PopLinkRandom>(control) && !std::holds_alternative<BatchRequests>(control);
}

bool has_request(const PkiData& data, BodyPartId id) { return data.request(id) != nullptr; }

}  // namespace

const Control* Layer::control(BodyPartId id) const {
    for (std::size_t i = 0; i < controls.size(); ++i)
        if (data.controls[i].id == id && controls[i]) return &*controls[i];
    return nullptr;
}

std::vector<BodyPartId> Layer::request_ids() const {
    std::vector<BodyPartId> ids;
    for (const auto& request : data.requests) ids.push_back(request.id);
    return ids;
}

Checked<void> Processor::read_layer(const Unwrapped& message, Layer& layer) {
    const auto& data = message.signed_data;
    signature_holds_ = false;
    if (data.content_type() != oid::pki_data || !data.content())
        return refuse(FailInfo::bad_request, Code::malformed, "the message holds no PKIData");
    auto parsed = PkiData::parse(*data.content(), services_.config.limits);
    if (!parsed) return tl::unexpected(Failure::of(parsed.error()));
    layer.data = std::move(*parsed);
    if (auto read = read_controls(layer); !read) return read;
    auto identity = identify(message, layer);
    if (!identity) {
        auto failure = std::move(identity).error();
        if (failure.info == FailInfo::bad_identity && failure.parts.empty()) failure.parts = layer.request_ids();
        return tl::unexpected(std::move(failure));
    }
    layer.identity = std::move(*identity);
    if (auto placed = check_places(layer); !placed) return placed;
    return check_assertions(layer);
}

//= https://www.rfc-editor.org/rfc/rfc5272#section-3.2.1.1
//# The PKI Response MUST include a CMCFailInfo value with the value badRequest and the bodyList MUST contain the bodyPartID of
//# the invalid or unrecognized control(s).
Checked<void> Processor::read_controls(Layer& layer) {
    std::vector<BodyPartId> wrong;
    std::string why;
    std::array<bool, std::variant_size_v<Control>> seen{};
    const auto object = [&](BodyPartId id, std::string reason) {
        wrong.push_back(id);
        if (why.empty()) why = std::move(reason);
    };
    for (const auto& attribute : layer.data.controls) {
        auto control = read_control(attribute);
        if (!control) {
            object(attribute.id, control.error().detail);
            layer.controls.emplace_back();
            continue;
        }
        if (std::exchange(seen[control->index()], true) && !may_repeat(*control))
            object(attribute.id, fmt::format("control {} occurs twice", attribute.type.dotted()));
        layer.controls.emplace_back(std::move(*control));
    }
    if (!wrong.empty()) return refuse(FailInfo::bad_request, Code::malformed, std::move(why), std::move(wrong));
    return {};
}

/// Unknown controls fail the whole message, unless a registration authority says that it saw to them; and so do controls that
/// are not for requests, or not for who sent them (RFC 10002 10: what an RA asserts is the RA's to assert).
Checked<void> Processor::check_places(const Layer& layer) {
    std::vector<BodyPartId> wrong;
    std::string why;
    FailInfo info = FailInfo::bad_request;
    for (std::size_t i = 0; i < layer.controls.size(); ++i) {
        const auto& control = *layer.controls[i];
        const auto id = layer.data.controls[i].id;
        const auto object = [&](std::string_view reason) {
            wrong.push_back(id);
            if (why.empty()) why = fmt::format("control {} {}", layer.data.controls[i].type.dotted(), reason);
        };
        switch (std::visit(PlaceOf{}, control)) {
            case Place::anybody: break;
            case Place::elsewhere: object("does not belong in a request"); break;
            case Place::unknown:
                if (!is_processed(layer, id)) object("is not known here");
                break;
            case Place::ra:
                if (layer.identity.principal.is_registration_authority()) break;
                if (std::holds_alternative<LraPopWitness>(control)) info = FailInfo::pop_failed;
                object("is for registration authorities only");
                break;
        }
    }
    if (!wrong.empty()) return refuse(info, Code::not_authorised, std::move(why), std::move(wrong));
    return {};
}

bool Processor::is_processed(const Layer& layer, BodyPartId control) const {
    const auto says = [&](const ControlProcessed& list) {
        return std::ranges::any_of(list.controls, [&](const auto& reference) { return refers_to(reference, control); });
    };
    if (layer.identity.principal.is_registration_authority() &&
        std::ranges::any_of(layer.all<ControlProcessed>(), [&](const auto& one) { return says(*one.second); }))
        return true;
    return std::ranges::any_of(layer.assertions, [&](const Assertion& assertion) {
        return assertion.rest == BodyPartPath{control} && std::holds_alternative<ControlProcessed>(*assertion.control);
    });
}

/// What modifications and witnesses refer to must be there (6.5.1); those that go deeper are looked at there.
Checked<void> Processor::check_assertions(const Layer& layer) {
    std::vector<BodyPartId> wrong;
    const auto check = [&](BodyPartId control, BodyPartId first, const std::vector<BodyPartId>& requests) {
        const bool here = first == this_message;
        const bool found = here ? std::ranges::all_of(requests, [&](auto id) { return has_request(layer.data, id); })
                                : layer.data.content(first) != nullptr;
        if (!found) wrong.push_back(control);
    };
    std::vector<AddExtensions> added;
    for (const auto& [id, control] : layer.all<ModCertTemplate>()) {
        check(id, control->pki_data.front(), control->requests);
        if (control->pki_data.front() == this_message && control->pki_data.size() > 1) wrong.push_back(id);
    }
    for (const auto& [id, control] : layer.all<AddExtensions>()) {
        check(id, control->pki_data, control->requests);
        added.push_back(*control);
    }
    for (const auto& [id, control] : layer.all<LraPopWitness>()) check(id, control->pki_data, control->requests);
    if (!wrong.empty())
        return refuse(FailInfo::bad_request, Code::malformed, "a control refers to a request that is not there",
                      std::move(wrong));
    if (const auto conflicts = check_conflicts(added); !conflicts) return tl::unexpected(Failure::of(conflicts.error()));
    for (const auto& assertion : layer.assertions) {
        if (!assertion.rest.empty()) continue;
        const auto* requests = requests_of(*assertion.control);
        if (requests != nullptr && !std::ranges::all_of(*requests, [&](auto id) { return has_request(layer.data, id); }))
            return refuse(FailInfo::bad_request, Code::malformed,
                          "a control around this message refers to a request that is not in it");
    }
    return {};
}

const std::vector<BodyPartId>* requests_of(const Control& control) {
    if (const auto* mod = std::get_if<ModCertTemplate>(&control)) return &mod->requests;
    if (const auto* add = std::get_if<AddExtensions>(&control)) return &add->requests;
    if (const auto* pop = std::get_if<LraPopWitness>(&control)) return &pop->requests;
    return nullptr;
}

}  // namespace estuary::cmc
