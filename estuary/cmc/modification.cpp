#include "estuary/cmc/modification.h"

#include <algorithm>

#include <fmt/format.h>

namespace estuary::cmc {
namespace {

using Parts = x509::CertificationRequest::Parts;

void put(std::vector<x509::Extension>& extensions, const x509::Extension& wanted) {
    const auto found = std::ranges::find(extensions, wanted.id, &x509::Extension::id);
    if (found != extensions.end()) {
        *found = wanted;
    } else {
        extensions.push_back(wanted);
    }
}

Result<void> check_template(const x509::crmf::CertTemplate& wanted) {
    ESTUARY_CHECK(x509::crmf::check_requestable(wanted));
    if (wanted.public_key) return fail(Code::malformed, "modCertTemplate: the key is not to be changed");
    if (wanted.issuer) return fail(Code::malformed, "modCertTemplate: the issuer is not to be changed");
    return {};
}

Result<void> apply(Parts& parts, const ModCertTemplate& control) {
    const auto& wanted = control.cert_template;
    ESTUARY_CHECK(check_template(wanted));
    if (wanted.subject) parts.subject = control.replace ? *wanted.subject : x509::Name{};
    if (wanted.validity) {
        parts.not_before = control.replace ? wanted.validity->not_before : std::nullopt;
        parts.not_after = control.replace ? wanted.validity->not_after : std::nullopt;
    }
    for (const auto& extension : wanted.extensions) {
        if (control.replace) {
            put(parts.extensions, extension);
        } else {
            std::erase_if(parts.extensions, [&](const auto& known) { return known.id == extension.id; });
        }
    }
    return {};
}

void write(der::Writer& writer, const Modification& change) {
    if (change.mod != nullptr) {
        change.mod->write(writer);
    } else {
        change.add->write(writer);
    }
}

/// The request and what was changed: the same request changed otherwise is another one.
ByteVec identifying_octets(Bytes request, const std::vector<Modification>& changes) {
    der::Writer writer;
    writer.sequence([&] {
        writer.raw(request);
        for (const auto& change : changes) write(writer, change);
    });
    return std::move(writer).take();
}

bool shares_a_request(const AddExtensions& a, const AddExtensions& b) {
    return a.pki_data == b.pki_data &&
           std::ranges::any_of(a.requests, [&](auto id) { return std::ranges::find(b.requests, id) != b.requests.end(); });
}

}  // namespace

Result<x509::CertificationRequest> modified(const x509::CertificationRequest& request, const std::vector<Modification>& changes) {
    if (changes.empty()) return request;
    auto parts = request.parts();
    for (const auto& change : changes) {
        if (change.mod != nullptr) {
            ESTUARY_CHECK(apply(parts, *change.mod));
        } else {
            for (const auto& extension : change.add->extensions) put(parts.extensions, extension);
        }
    }
    parts.der = identifying_octets(request.der(), changes);
    return x509::CertificationRequest::make(std::move(parts));
}

Result<void> check_conflicts(const std::vector<AddExtensions>& controls) {
    for (std::size_t i = 0; i < controls.size(); ++i)
        for (std::size_t j = i + 1; j < controls.size(); ++j) {
            if (!shares_a_request(controls[i], controls[j])) continue;
            for (const auto& extension : controls[i].extensions) {
                const auto* other = x509::find(controls[j].extensions, extension.id);
                if (other != nullptr && !(*other == extension))
                    return fail(Code::malformed, fmt::format("addExtensions: two values of extension {}", extension.id.dotted()));
            }
        }
    return {};
}

}  // namespace estuary::cmc
