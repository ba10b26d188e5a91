// PKIBody: which content each type has, read and written from one table.
#include <array>
#include <stdexcept>

#include "estuary/cmp/codec.h"
#include "estuary/cmp/message_reader.h"

namespace estuary::cmp {
namespace {

using Content = PkiBody::Content;

template <class T>
Result<Content> read_as(der::Reader& reader, const Limits& limits) {
    ESTUARY_TRY(auto content, T::read(reader, limits));
    return Content{std::move(content)};
}

template <class T>
bool write_as(der::Writer& writer, const Content& content) {
    const auto* value = std::get_if<T>(&content);
    if (value != nullptr) value->write(writer);
    return value != nullptr;
}

bool write_nested(der::Writer& writer, const Content& content) {
    const auto* value = std::get_if<NestedMessageContent>(&content);
    if (value != nullptr)
        codec::write_sequence_of(writer, value->messages, [&](const PkiMessage& message) { writer.raw(message.der()); });
    return value != nullptr;
}

struct Alternative {
    std::string_view name;
    Result<Content> (*read)(der::Reader&, const Limits&);  // null: nested, which counts its depth
    bool (*write)(der::Writer&, const Content&);           // false: not this content
};

template <class T>
constexpr Alternative alternative(std::string_view name) {
    return {name, read_as<T>, write_as<T>};
}

// By tag number.
constexpr std::array<Alternative, body_types> alternatives{
    alternative<CertReqMessages>("ir"),
    alternative<CertRepMessage>("ip"),
    alternative<CertReqMessages>("cr"),
    alternative<CertRepMessage>("cp"),
    alternative<P10CertificationRequest>("p10cr"),
    alternative<PopoDecKeyChallContent>("popdecc"),
    alternative<PopoDecKeyRespContent>("popdecr"),
    alternative<CertReqMessages>("kur"),
    alternative<CertRepMessage>("kup"),
    alternative<CertReqMessages>("krr"),
    alternative<KeyRecRepContent>("krp"),
    alternative<RevReqContent>("rr"),
    alternative<RevRepContent>("rp"),
    alternative<CertReqMessages>("ccr"),
    alternative<CertRepMessage>("ccp"),
    alternative<CaKeyUpdContent>("ckuann"),
    alternative<CertAnnContent>("cann"),
    alternative<RevAnnContent>("rann"),
    alternative<CrlAnnContent>("crlann"),
    alternative<PkiConfirmContent>("pkiconf"),
    Alternative{"nested", nullptr, write_nested},
    alternative<GenContent>("genm"),
    alternative<GenContent>("genp"),
    alternative<ErrorMsgContent>("error"),
    alternative<CertConfirmContent>("certConf"),
    alternative<PollReqContent>("pollReq"),
    alternative<PollRepContent>("pollRep"),
};

constexpr const Alternative& alternative_of(BodyType type) { return alternatives[static_cast<std::size_t>(type)]; }

constexpr unsigned first_tag = static_cast<unsigned>(der::context_constructed(0));

}  // namespace

std::string_view to_string(BodyType type) noexcept { return alternative_of(type).name; }

std::optional<BodyType> answer_to(BodyType request) noexcept {
    switch (request) {
        case BodyType::ir: return BodyType::ip;
        case BodyType::cr: return BodyType::cp;
        case BodyType::p10cr: return BodyType::cp;
        case BodyType::kur: return BodyType::kup;
        case BodyType::krr: return BodyType::krp;
        case BodyType::rr: return BodyType::rp;
        case BodyType::ccr: return BodyType::ccp;
        case BodyType::popdecc: return BodyType::popdecr;
        case BodyType::nested: return BodyType::nested;
        case BodyType::genm: return BodyType::genp;
        case BodyType::cert_conf: return BodyType::pkiconf;
        case BodyType::error: return BodyType::pkiconf;
        case BodyType::poll_req: return BodyType::poll_rep;
        case BodyType::ip:
        case BodyType::cp:
        case BodyType::popdecr:
        case BodyType::kup:
        case BodyType::krp:
        case BodyType::rp:
        case BodyType::ccp:
        case BodyType::ckuann:
        case BodyType::cann:
        case BodyType::rann:
        case BodyType::crlann:
        case BodyType::pkiconf:
        case BodyType::genp:
        case BodyType::poll_rep: return {};
    }
    return {};
}

Result<PkiBody> MessageReader::read_body(der::Reader& reader) const {
    const auto tag = reader.peek();
    if (!tag) return fail(Code::malformed, "PKIMessage has no body");
    const auto number = static_cast<unsigned>(*tag) - first_tag;
    if (number >= body_types) {
        if (static_cast<unsigned>(*tag) < first_tag) return fail(Code::malformed, "PKIBody has a wrong tag");
        return fail(Code::unsupported, fmt::format("PKIBody [{}] is not known", number));
    }
    ESTUARY_TRY(auto inside, reader.enter(*tag));
    const auto& known = alternatives[number];
    auto content = known.read != nullptr ? known.read(inside, limits) : read_nested(inside);
    if (!content) return fail(in_context(known.name, std::move(content).error()));
    ESTUARY_CHECK(inside.finish(known.name));
    return PkiBody{static_cast<BodyType>(number), std::move(*content)};
}

ByteVec PkiBody::encode() const {
    const auto& known = alternative_of(type);
    der::Writer writer;
    codec::write_explicit(writer, static_cast<unsigned>(type), [&] {
        if (!known.write(writer, content)) throw std::logic_error{"the content of a PKIBody does not belong to its type"};
    });
    return std::move(writer).take();
}

}  // namespace estuary::cmp
