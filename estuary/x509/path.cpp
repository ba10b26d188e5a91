#include "estuary/x509/path.h"

#include <openssl/x509_vfy.h>

#include <algorithm>

#include <fmt/format.h>

#include "estuary/crypto/openssl.h"
#include "estuary/x509/plain_path.h"

namespace estuary::x509 {

/// Our certificate, and the library's of the same octets.
struct KnownCertificate {
    Certificate certificate;
    Handle<X509, X509_free> handle;
};
using KnownCertificates = std::vector<KnownCertificate>;

namespace {

using crypto::openssl::clear_errors;
using crypto::openssl::drain_errors;
using X509Handle = Handle<X509, X509_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }  // without the certificates: somebody else's
using Stack = Handle<STACK_OF(X509), free_stack>;

/// Certificates handed in with one path; more only make the search long.
constexpr std::size_t certificates_max = 100;
/// 112 bits: no SHA-1 or MD5 signatures, no RSA keys below 2048 bits. The anchors' own signatures are not looked at.
constexpr int security_level = 2;

tl::unexpected<Error> library_fault(std::string_view what) {
    return fail(Code::internal, "path validation failed for a reason of our own", fmt::format("{}: {}", what, drain_errors()));
}

Result<X509Handle> to_openssl(const Certificate& certificate) {
    const auto der = certificate.der();
    const auto* at = der.data();
    X509Handle handle{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (!handle || at != der.data() + der.size())
        return fail(Code::malformed, fmt::format("certificate '{}' cannot be read", certificate.subject().to_text()),
                    drain_errors());
    return handle;
}

Result<KnownCertificates> make_known(const std::vector<Certificate>& certificates) {
    KnownCertificates known;
    for (const auto& certificate : certificates) {
        ESTUARY_TRY(auto handle, to_openssl(certificate));
        known.push_back({certificate, std::move(handle)});
    }
    return known;
}

/// A peer often sends its own certificate and the anchor with those between: these need no second reading.
std::vector<Certificate> only_between(const std::vector<Certificate>& certificates, const Certificate& end_entity,
                                      const KnownCertificates& anchors) {
    std::vector<Certificate> between;
    for (const auto& certificate : certificates) {
        const auto is_it = [&](const KnownCertificate& known) { return same(known.certificate.der(), certificate.der()); };
        if (!same(certificate.der(), end_entity.der()) && std::ranges::none_of(anchors, is_it)) between.push_back(certificate);
    }
    return between;
}

Result<Stack> make_stack(const KnownCertificates& known) {
    Stack stack{sk_X509_new_null()};
    if (!stack) return library_fault("sk_X509_new_null");
    for (const auto& one : known)
        if (sk_X509_push(stack.get(), one.handle.get()) <= 0) return library_fault("sk_X509_push");
    return stack;
}

Result<Certificate> from_openssl(X509* handle) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(handle, &encoded);
    const Handle<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> owner{encoded};
    if (size <= 0) return library_fault("i2d_X509");
    return Certificate::parse({encoded, static_cast<std::size_t>(size)});
}

/// "'CN=device' (the end entity)", "'CN=CA' (number 1 above the end entity)"
std::string describe(X509_STORE_CTX* context) {
    const int depth = X509_STORE_CTX_get_error_depth(context);
    auto* const current = X509_STORE_CTX_get_current_cert(context);
    std::string name = "certificate";
    if (current != nullptr)
        if (const auto certificate = from_openssl(current)) name += fmt::format(" '{}'", certificate->subject().to_text());
    return name + (depth == 0 ? " (the end entity)" : fmt::format(" (number {} above the end entity)", depth));
}

/// notAfter is inclusive (RFC 5280 4.1.2.5), but the library calls a certificate expired in that very second.
/// bug class 21
int forgive_last_second(int verified, X509_STORE_CTX* context) {
    if (verified == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_CERT_HAS_EXPIRED) return verified;
    const auto at = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context));
    if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(X509_STORE_CTX_get_current_cert(context)), at) != 0) return verified;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

void set_parameters(X509_STORE_CTX* context, const PathOptions& options) {
    auto* const parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(options.at.time_since_epoch().count()));
    X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(std::min<unsigned>(options.depth_max, certificates_max)));
    X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
    unsigned long flags = X509_V_FLAG_X509_STRICT;
    if (options.anchors_may_be_intermediates) flags |= X509_V_FLAG_PARTIAL_CHAIN;
    X509_VERIFY_PARAM_set_flags(parameters, flags);
    X509_STORE_CTX_set_verify_cb(context, forgive_last_second);
}

/// The library's path holds the very objects that it was given.
const Certificate* find_known(const KnownCertificates& known, const X509* handle) {
    const auto found = std::ranges::find(known, handle, [](const KnownCertificate& one) { return one.handle.get(); });
    return found == known.end() ? nullptr : &found->certificate;
}

Result<std::vector<Certificate>> path_of(X509_STORE_CTX* context, const Certificate& end_entity, const KnownCertificates& between,
                                         const KnownCertificates& anchors) {
    std::vector<Certificate> path{end_entity};
    auto* const chain = X509_STORE_CTX_get0_chain(context);
    for (int i = 1; i < sk_X509_num(chain); ++i) {
        const auto* const handle = sk_X509_value(chain, i);
        const auto* certificate = find_known(between, handle);
        if (certificate == nullptr) certificate = find_known(anchors, handle);
        if (certificate == nullptr) return library_fault("a path over a certificate that was not handed in");
        path.push_back(*certificate);
    }
    return path;
}

/// Self-issued certificates are exempt, but for the end entity (RFC 5280 6.1.3 (b), (c)).
Result<void> check_names_below(const std::vector<Certificate>& path, std::size_t ca) {
    const auto* constraints = path[ca].name_constraints();
    if (constraints == nullptr) return {};
    if (!*constraints) return fail(constraints->error());
    for (std::size_t below = 0; below < ca; ++below) {
        if (below != 0 && path[below].is_self_issued()) continue;
        ESTUARY_TRY(const auto names, path[below].subject_alt_names());
        for (const auto& name : names) {
            ESTUARY_CHECK(name.check());  // a malformed name cannot be said to lie within a subtree
        }
        ESTUARY_CHECK(satisfies(**constraints, path[below].subject(), names));
    }
    return {};
}

/// Name constraints a second time, by our own rules: the library lets malformed names pass, and wildcards that hold an
/// excluded name.
Result<void> check_names(const std::vector<Certificate>& path) {
    for (std::size_t ca = path.size(); ca-- > 1;)
        if (auto ok = check_names_below(path, ca); !ok)
            return fail(Code::not_authenticated,
                        fmt::format("name constraints of certificate '{}': {}", path[ca].subject().to_text(), ok.error().detail));
    return {};
}

/// Absent means any purpose; anyExtendedKeyUsage too (RFC 5280 4.2.1.12).
Result<void> check_purposes(const Certificate& end_entity, const PathOptions& options) {
    if (find(end_entity.extensions(), oid::ext_key_usage) == nullptr || end_entity.has_ext_key_usage(oid::any_extended_key_usage))
        return {};
    for (const auto& purpose : options.required_ext_key_usage)
        if (!end_entity.has_ext_key_usage(purpose))
            return fail(Code::not_authenticated, fmt::format("certificate '{}' (the end entity): extKeyUsage does not allow {}",
                                                             end_entity.subject().to_text(), ext_key_usage_name(purpose)));
    return {};
}

}  // namespace

struct TrustAnchors::Store {
    explicit Store(const std::vector<Certificate>& certificates) : plain{certificates} {}

    KnownCertificates anchors;
    Handle<X509_STORE, X509_STORE_free> handle;
    PlainPaths plain;
};

Result<TrustAnchors> TrustAnchors::create(const std::vector<Certificate>& anchors) {
    clear_errors();
    auto store = std::make_shared<Store>(anchors);
    ESTUARY_TRY(store->anchors, make_known(anchors));
    store->handle.reset(X509_STORE_new());
    if (!store->handle) return library_fault("X509_STORE_new");
    for (const auto& anchor : store->anchors)
        if (X509_STORE_add_cert(store->handle.get(), anchor.handle.get()) != 1) return library_fault("X509_STORE_add_cert");
    return TrustAnchors{std::move(store)};
}

namespace {

/// `between`: what was handed in, without the end entity itself and the anchors.
Result<std::vector<Certificate>> ask_openssl(const Certificate& end_entity, const std::vector<Certificate>& between,
                                             const TrustAnchors::Store& trust, const PathOptions& options) {
    clear_errors();
    ESTUARY_TRY(const auto known, make_known(between));
    ESTUARY_TRY(const auto untrusted, make_stack(known));
    ESTUARY_TRY(const auto target, to_openssl(end_entity));
    const StoreContext context{X509_STORE_CTX_new()};
    if (!context || X509_STORE_CTX_init(context.get(), trust.handle.get(), target.get(), untrusted.get()) != 1)
        return library_fault("X509_STORE_CTX_init");
    set_parameters(context.get(), options);
    const int verified = X509_verify_cert(context.get());
    // A negative answer is a fault (e.g. out of memory) and must never pass for either yes or no.
    if (verified < 0) return library_fault("X509_verify_cert");
    if (verified != 1) {
        const int reason = X509_STORE_CTX_get_error(context.get());
        return fail(Code::not_authenticated,
                    fmt::format("{}: {}", describe(context.get()), X509_verify_cert_error_string(reason)), drain_errors());
    }
    ESTUARY_TRY(auto path, path_of(context.get(), end_entity, known, trust.anchors));
    ESTUARY_CHECK(check_names(path));
    return path;
}

}  // namespace

Result<std::vector<Certificate>> validate_path(const Certificate& end_entity, const std::vector<Certificate>& intermediates,
                                               const TrustAnchors& anchors, const PathOptions& options) {
    const auto& trust = anchors.store();
    if (trust.anchors.empty()) return fail(Code::not_authenticated, "no trust anchors are configured");
    if (intermediates.size() > certificates_max)
        return fail(Code::too_large, fmt::format("more than {} certificates handed in with a path", certificates_max));
    ESTUARY_CHECK(check_purposes(end_entity, options));
    const auto between = only_between(intermediates, end_entity, trust.anchors);
    if (auto plain = trust.plain.find(end_entity, between, options)) return std::move(*plain);
    ESTUARY_TRY(auto path, ask_openssl(end_entity, between, trust, options));
    trust.plain.learn(path, between, options);
    return path;
}

Result<std::vector<Certificate>> validate_path(const Certificate& end_entity, const std::vector<Certificate>& intermediates,
                                               const std::vector<Certificate>& anchors, const PathOptions& options) {
    ESTUARY_TRY(const auto ready, TrustAnchors::create(anchors));
    return validate_path(end_entity, intermediates, ready, options);
}

}  // namespace estuary::x509
