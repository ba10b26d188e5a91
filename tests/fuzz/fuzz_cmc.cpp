// PKIData and PKIResponse: what is read is written back to mean the same, and so is every control in it. The first octet says
// which.
#include <algorithm>
#include <cstdlib>

#include "estuary/cmc/controls.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

template <class Value>
ByteVec encoded(const Value& value) {
    if constexpr (std::is_same_v<Value, cmc::UnknownControl>) {
        return {};
    } else {
        der::Writer writer;
        value.write(writer);
        return std::move(writer).take();
    }
}

void use(const cmc::TaggedAttribute& attribute) {
    const auto control = cmc::read_control(attribute);
    if (!control || std::holds_alternative<cmc::UnknownControl>(*control)) return;
    const auto again = std::visit([](const auto& value) { return encoded(value); }, *control);
    const auto read = cmc::read_control({attribute.id, attribute.type, {again}});
    check(read && *read == *control);
}

template <class Message>
void use(Bytes der) {
    const auto message = Message::parse(der);
    if (!message) return;
    for (const auto& control : message->controls) use(control);
    const auto again = Message::parse(message->encode());
    check(again.has_value());
    check(again->encode() == message->encode());  // SETs are sorted by then
    if constexpr (std::is_same_v<Message, cmc::PkiData>) {
        for (const auto& request : message->requests) check(message->request(request.id) == &request);
        check(std::ranges::search(der, message->encode_requests()).size() == message->encode_requests().size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes der{data + 1, size - 1};
    switch (data[0] % 3) {
        case 0: use<cmc::PkiData>(der); break;
        case 1: use<cmc::PkiResponse>(der); break;
        case 2: {
            const auto parsed = cmc::UnsignedData::parse(der);
            check(!parsed || same(parsed->encode(), der));
            break;
        }
    }
    return 0;
}
