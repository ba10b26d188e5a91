#include "estuary/cmp/server_envelope.h"

#include "estuary/cms/oids.h"

namespace estuary::cmp {

Result<ByteVec> without_content_info(Bytes content_info) {
    ESTUARY_TRY(auto fields, der::enter_only(content_info, der::Tag::sequence, "ContentInfo", {.bytes_max = content_info.size()}));
    ESTUARY_CHECK(fields.skip());
    ESTUARY_TRY(auto content, fields.enter(der::context_constructed(0)));
    return to_vec(content.rest());
}

Result<ByteVec> envelope_for(const crypto::PublicKey& key, const cms::Identifier& recipient, Bytes content) {
    cms::EnvelopedDataBuilder builder{cms::oid::data, content};
    builder.recipient(key, recipient);
    ESTUARY_TRY(const auto made, builder.build());
    return without_content_info(made);
}

}  // namespace estuary::cmp
