#include "estuary/crypto/one_way_function.h"

#include <array>

#include <fmt/format.h>

#include "estuary/crypto/digest.h"

namespace estuary::crypto {
namespace {

using der::Oid;
using der::Tag;

struct NamedDigest {
    Oid oid;
    std::string_view name;
};
constexpr std::array one_way_functions{
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.1"}, "SHA256"},    NamedDigest{Oid{"2.16.840.1.101.3.4.2.2"}, "SHA384"},
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.3"}, "SHA512"},    NamedDigest{Oid{"2.16.840.1.101.3.4.2.4"}, "SHA224"},
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.8"}, "SHA3-256"},  NamedDigest{Oid{"2.16.840.1.101.3.4.2.9"}, "SHA3-384"},
    NamedDigest{Oid{"2.16.840.1.101.3.4.2.10"}, "SHA3-512"}, NamedDigest{Oid{"1.3.14.3.2.26"}, "SHA1"},
};

}  // namespace

Result<std::string_view> read_one_way_function(der::Reader& reader) {
    ESTUARY_TRY(auto owf, reader.enter(Tag::sequence));
    ESTUARY_TRY(const auto oid, owf.oid());
    if (!owf.empty()) ESTUARY_CHECK(owf.null());
    ESTUARY_CHECK(owf.finish("owf"));
    const auto found = std::ranges::find(one_way_functions, oid, &NamedDigest::oid);
    if (found == one_way_functions.end())
        return fail(Code::unsupported, fmt::format("one-way function {} is not supported", oid.dotted()));
    return found->name;
}

Result<ByteVec> encode_one_way_function(std::string_view digest) {
    const auto found = std::ranges::find(one_way_functions, digest, &NamedDigest::name);
    if (found == one_way_functions.end()) return fail(Code::unsupported, fmt::format("no one-way function '{}'", digest));
    der::Writer writer;
    writer.sequence([&] { writer.oid(found->oid); });
    return std::move(writer).take();
}

Result<Secret> expand_base_key(std::string_view digest, const Secret& base_key, std::size_t octets) {
    ByteVec key;
    key.reserve(octets + base_key.reveal().size());  // not moved while it grows: nothing is left behind unwiped
    append(key, base_key.reveal());
    for (char number = '1'; key.size() < octets; ++number) {
        if (number > '9') return fail(Code::too_large, "a key too long to be made from BASEKEY");
        ByteVec numbered{static_cast<std::uint8_t>(number)};
        append(numbered, base_key.reveal());
        auto more = crypto::digest(digest, numbered);
        wipe(numbered);
        if (!more) return fail(std::move(more).error());
        append(key, *more);
        wipe(*more);
    }
    wipe(std::span{key}.subspan(octets));
    key.resize(octets);
    return Secret{std::move(key)};
}

}  // namespace estuary::crypto
