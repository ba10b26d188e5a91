// CMP messages: what is read is written back octet for octet, and the protection is over what was received.
#include <cstdlib>

#include "estuary/cmp/info_values.h"
#include "estuary/cmp/messages.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_infos(const cmp::InfoTypeAndValues& infos) {
    for (const auto& info : infos) (void)cmp::check_info_value(info);
}

void check_message(const cmp::PkiMessage& message) {
    const auto header = message.header().encode();
    const auto body = message.body().encode();
    check(same(header, message.header_der()) && same(body, message.body_der()));
    check(same(cmp::encode_message(header, body, message.protection(), message.extra_certs()), message.der()));
    check(message.extra_certificates().size() <= message.extra_certs().size());
    check_infos(message.header().general_info);
    if (const auto* content = std::get_if<cmp::GenContent>(&message.body().content)) check_infos(content->infos);
    if (const auto* content = std::get_if<cmp::NestedMessageContent>(&message.body().content))
        for (const auto& inner : content->messages) check_message(inner);
    if (const auto* content = std::get_if<cmp::ErrorMsgContent>(&message.body().content)) (void)content->to_text();
    const auto pvno = cmp::needed_pvno(message);
    check(pvno == cmp::cmp2000 || pvno == cmp::cmp2021);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    const auto header = cmp::peek_header(input);
    const auto message = cmp::PkiMessage::parse(input);
    if (!message) return 0;
    check(header && *header == message->header());
    check(same(message->der(), input));
    check_message(*message);
    return 0;
}
