// The extensions of RFC 6960 4.4 that stand in responses and, the nonce, in requests too.
#include <fmt/format.h>

#include "estuary/ocsp/messages.h"
#include "estuary/ocsp/oids.h"

namespace estuary::ocsp {
namespace {

template <class Body>
x509::Extension make(const der::Oid& id, Body&& body) {
    der::Writer writer;
    body(writer);
    return {id, false, std::move(writer).take()};
}

Result<CrlReference> parse_crl_reference(Bytes value) {
    ESTUARY_TRY(auto inside, der::enter_only(value, der::Tag::sequence, "CrlID"));
    CrlReference reference;
    ESTUARY_TRY(auto url, inside.enter_if(der::context_constructed(0)));
    if (url) {
        ESTUARY_TRY(const auto text, url->content(der::Tag::ia5_string));
        ESTUARY_CHECK(url->finish("crlUrl"));
        reference.url = std::string{as_text(text)};
    }
    ESTUARY_TRY(auto number, inside.enter_if(der::context_constructed(1)));
    if (number) {
        ESTUARY_TRY(const auto octets, number->integer_octets());
        ESTUARY_CHECK(number->finish("crlNum"));
        reference.number = to_vec(octets);
    }
    ESTUARY_TRY(auto time, inside.enter_if(der::context_constructed(2)));
    if (time) {
        ESTUARY_TRY(reference.time, time->generalized_time());
        ESTUARY_CHECK(time->finish("crlTime"));
    }
    ESTUARY_CHECK(inside.finish("CrlID"));
    return reference;
}

}  // namespace

Result<std::optional<ByteVec>> read_nonce(const std::vector<x509::Extension>& extensions) {
    const auto* extension = x509::find(extensions, oid::nonce);
    if (extension == nullptr) return std::nullopt;
    der::Reader reader{extension->value};
    auto nonce = reader.octet_string();
    if (!nonce) return fail(in_context("nonce", std::move(nonce).error()));
    ESTUARY_CHECK(reader.finish("the nonce"));
    if (nonce->empty() || nonce->size() > nonce_octets_max)
        return fail(Code::malformed, fmt::format("the nonce has {} octets, not 1 to 128 (RFC 9654)", nonce->size()));
    return to_vec(*nonce);
}

x509::Extension make_nonce(Bytes nonce) {
    return make(oid::nonce, [&](der::Writer& writer) { writer.octet_string(nonce); });
}

Result<std::optional<Time>> read_archive_cutoff(const std::vector<x509::Extension>& extensions) {
    const auto* extension = x509::find(extensions, oid::archive_cutoff);
    if (extension == nullptr) return std::nullopt;
    der::Reader reader{extension->value};
    ESTUARY_TRY(const auto cutoff, reader.generalized_time());
    ESTUARY_CHECK(reader.finish("the archive cutoff"));
    return cutoff;
}

x509::Extension make_archive_cutoff(Time cutoff) {
    return make(oid::archive_cutoff, [&](der::Writer& writer) { writer.generalized_time(cutoff); });
}

Result<bool> read_extended_revoke(const std::vector<x509::Extension>& extensions) {
    const auto* extension = x509::find(extensions, oid::extended_revoke);
    if (extension == nullptr) return false;
    der::Reader reader{extension->value};
    ESTUARY_CHECK(reader.null());
    ESTUARY_CHECK(reader.finish("the extended revoked definition"));
    return true;
}

x509::Extension make_extended_revoke() {
    return make(oid::extended_revoke, [](der::Writer& writer) { writer.null(); });
}

Result<std::optional<CrlReference>> read_crl_reference(const std::vector<x509::Extension>& extensions) {
    const auto* extension = x509::find(extensions, oid::crl);
    if (extension == nullptr) return std::nullopt;
    ESTUARY_TRY(auto reference, parse_crl_reference(extension->value));
    return reference;
}

x509::Extension make_crl_reference(const CrlReference& reference) {
    return make(oid::crl, [&](der::Writer& writer) {
        writer.sequence([&] {
            if (!reference.url.empty())
                writer.constructed(der::context_constructed(0), [&] { writer.ia5_string(reference.url); });
            if (reference.number)
                writer.constructed(der::context_constructed(1), [&] { writer.primitive(der::Tag::integer, *reference.number); });
            if (reference.time)
                writer.constructed(der::context_constructed(2), [&] { writer.generalized_time(*reference.time); });
        });
    });
}


}  // namespace estuary::ocsp
